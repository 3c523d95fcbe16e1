"""Files of version 0.1, whose results are objects of many kinds, as the one table of results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from amorphace.core.errors import FileFormatError

Fields = Mapping[str, Any]


def upgraded(fields: Fields, *, source: Path, again: str) -> dict[str, Any]:
    """The fields of an analysis of format version 1 as those of version 2.

    Parameters
    ----------
    fields : mapping
        JSON, without "format" and "format_version".
    source, again
        For errors, as in `decode`.

    Raises
    ------
    FileFormatError
        If they are not what version 1 holds.
    """
    left = dict(fields)
    results: list[dict[str, Any]] = []
    for name, convert in CONVERTERS.items():
        part = left.pop(name, None) or []
        for one in part if isinstance(part, list) else [part]:
            try:
                results += convert(one)
            except (TypeError, KeyError, ValueError, IndexError, AttributeError) as error:
                what = f"{name} is not what version 1 of an analysis holds ({error!r})"
                raise FileFormatError(source, f"{what}; {again}") from None
    left["results"] = results
    return left


def _pick(one: Fields, *names: str) -> dict[str, Any]:
    return {name: one[name] for name in names}


def _column(values: Sequence[Any]) -> list[list[Any]]:
    """Of scores of all sites: a single column."""
    return [[value] for value in values]


def _accuracy(one: Fields) -> Iterator[dict[str, Any]]:
    pca = one.get("ordering") == "pca"
    yield {
        "name": "pca" if pca else "accuracy",
        "variant": "" if pca else one.get("folds", "grouped"),
        "x": one["n_columns"],
        "scores": _pick(one, "accuracy", "balanced_accuracy", "roc_auc", "strength"),
        "labels": one.get("last_column", []),
        "cutoff": one.get("cutoff"),
    }


def _classifiers(one: Fields) -> Iterator[dict[str, Any]]:
    common = {"variant": one["classifier"], "cutoff": one.get("cutoff")}
    names = ("accuracy", "balanced_accuracy", "roc_auc", "strength")
    scores = {name: [one[name]] for name in names}
    n = one["n_columns"]
    yield {"name": "classifiers", "x": [n], "scores": scores, **common}
    if one.get("roc"):
        x, found = one["roc"]["false_positive"], _column(one["roc"]["true_positive"])
        scores = {"true_positive": found}
        common["of"] = "draws"
        yield {"name": "roc", "x": x, "scores": scores, "n_columns": n, **common}
    if one.get("calibration"):
        c = one["calibration"]
        scores = {name: _column(c[name]) for name in ("observed", "predicted")}
        scores |= {"to": _column(c["edges"][1:]), "count": _column(c["count"])}
        same = {"brier": c["brier"], "error": c["expected_calibration_error"]}
        scores |= {name: _column([value] * len(c["count"])) for name, value in same.items()}
        x, common["of"] = c["edges"][:-1], "draws"
        yield {"name": "calibration", "x": x, "scores": scores, "n_columns": n, **common}


def _selection(one: Fields) -> Iterator[dict[str, Any]]:
    common = {"variant": one["scope"], "cutoff": one.get("cutoff")}
    strength = [[one["strength"]] * len(row) for row in one["accuracy"]]
    yield {
        "name": "selection",
        "x": list(range(1, len(one["names"]) + 1)),
        "scores": {"accuracy": one["accuracy"], "strength": strength},
        "labels": one["names"],
        **common,
    }
    yield {
        "name": "single_columns",
        "x": [k + 1 for k in one["candidates"]],
        "scores": {"accuracy": one["first_accuracy"]},
        "labels": one["candidate_names"],
        **common,
    }


def _stability(one: Fields) -> Iterator[dict[str, Any]]:
    for name, runs in (("stability", one["bootstrap"]), ("left_out", one["left_out"])):
        place = [
            [run.index(column) + 1 if column in run else None for run in runs]
            for column in one["names"]
        ]
        yield {
            "name": name,
            "x": list(range(1, len(one["names"]) + 1)),
            "scores": {"place": place},
            "labels": one["names"],
            "variant": one["scope"],
            "cutoff": one.get("cutoff"),
            "of": "draws",
        }


def _learning(one: Fields) -> Iterator[dict[str, Any]]:
    yield {
        "name": "learning",
        "x": one["n_sites"],
        "scores": _pick(one, "test", "train"),
        "labels": [str(n) for n in one["n_samples"]],
        "variant": one.get("vary", "samples"),
        "cutoff": one.get("cutoff"),
        "n_columns": one["n_columns"],
    }


def _ard(one: Fields) -> Iterator[dict[str, Any]]:
    yield {
        "name": "ard",
        "x": one["n_columns"],
        "scores": _pick(one, "pearson", "spearman", "n_kept"),
        "labels": one.get("last_column", []),
        "variant": f"log {one['target']}" if one.get("log_target") else one["target"],
        "cutoff": one.get("cutoff"),
    }


def _distribution(one: Fields) -> Iterator[dict[str, Any]]:
    scores = {name: _column(one[name]) for name in ("active", "inactive")}
    yield {
        "name": "distributions",
        "x": one["edges"][:-1],
        "scores": scores | {"to": _column(one["edges"][1:])},
        "variant": one["column"],
        "cutoff": one.get("cutoff"),
        "of": "draws",
    }
    numbers = "accuracy auc threshold mean_active mean_inactive n_active n_inactive"
    yield {
        "name": "thresholds",
        "x": [1],
        "scores": {name: [[one[name]]] for name in numbers.split()},
        "labels": [one["column"]],
        "cutoff": one.get("cutoff"),
        "of": "draws",
    }


def _clusters(one: Fields) -> Iterator[dict[str, Any]]:
    for name in ("v1", "v2_distance", "v2_angle", "v3"):
        for c in one[name]:
            common = {"name": name, "variant": "·".join(c["species"]), "of": "models"}
            common["cutoff"] = one["cutoff"]
            if "r" in c:
                yield {"x": c["r"], "scores": {"v": list(zip(*c["v"], strict=True))}, **common}
                continue
            flat = [[v for row in model for v in row] for model in c["v"]]
            yield {
                "x": [x for x in c["x"] for _ in c["y"]],
                "y": c["y"] * len(c["x"]),
                "scores": {"v": list(zip(*flat, strict=True))},
                **common,
            }


def _contributions(one: Fields) -> Iterator[dict[str, Any]]:
    scores = _pick(one, "share", "variance", "mean_abs")
    common = {"name": "contributions", "labels": one["names"], "of": "models"}
    yield {"x": one["order"], "scores": scores, **common}


CONVERTERS: Mapping[str, Callable[[Any], Iterator[dict[str, Any]]]] = {
    "accuracy": _accuracy,
    "accuracy_random": _accuracy,
    "pca": _accuracy,
    "selections": _selection,
    "stability": _stability,
    "classifiers": _classifiers,
    "learning": _learning,
    "ard": _ard,
    "distributions": _distribution,
    "clusters": _clusters,
    "contributions": _contributions,
}
