"""Figures of curves that figures.toml describes alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from amorphace.learn.clusters import ANGLE
from amorphace.learn.points import order_ends
from amorphace.learn.results import Curve
from amorphace.report.content import ReportContent
from amorphace.report.numbers import curve_numbers
from amorphace.report.panel import Axis, Dash, Line, Panel, Rule
from amorphace.report.panels.making import (
    captioned,
    column_rules,
    columns_axis,
    scores_axis,
    words_of,
)
from amorphace.report.words import SHORT, short_target, target_name

SHEAR = "shear"
EVENT = "^"
DIAGONAL = Line(
    name="", x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0]), paint="#888888", dash="dotted"
)


def dash_of(protocol: str) -> Dash:
    """Solid is thermal, dashed is sheared."""
    return "dashed" if protocol == SHEAR else "solid"


def values(content: ReportContent, curves: Sequence[Curve]) -> dict[str, Any]:
    """What captions, names and rules may speak of; of the first curve where curves differ."""
    first, a = curves[0], content.analysis
    log, target = first.variant.startswith("log "), first.variant.removeprefix("log ")
    transform = content.settings.get("distance_transform")
    return {
        "variant": first.variant.replace("·", " "),
        "cutoff": first.cutoff if first.cutoff is not None or a is None else a.cutoff,
        "n_columns": first.n_columns,
        "n_folds": first.values.shape[1],
        "n_curves": len(curves),
        "classifier": SHORT.get(first.variant, first.variant),
        "target": target_name(target, log),
        "target_short": short_target(target, log),
        "undefined": any(c.n_undefined.any() for c in curves),
        "n_active": a.n_active if a else 0,
        "n_inactive": a.n_inactive if a else 0,
        "cutoffs": sorted({c.cutoff for c in content.found("accuracy") if c.cutoff}),
        "transform": f", distance transform “{transform}”" if transform else "",
        "angle": ANGLE,
        "snapshot": content.snapshots[0].name if content.snapshots else "a configuration",
        "sheared": content.protocol == SHEAR,
        "lag": content.lag,
        "wavenumber": content.wavenumber,
    }


def declared(key: str, content: ReportContent) -> Iterator[Panel | str]:
    """The panels of an entry of figures.toml that names curves."""
    words = words_of(key)
    found = [c for name in words["curves"] for c in content.found(name, words.get("variant"))]
    variants = dict.fromkeys(c.variant for c in found)
    groups = (
        [[c for c in found if c.variant == v] for v in variants] if "each" in words else [found]
    )
    for k, curves in enumerate(filter(None, groups), start=1):
        if "zero" in words and not any(c.values.any() for c in curves):
            yield words["zero"]
        else:
            ordered = sorted(curves, key=lambda c: c.cutoff or 0.0)
            yield _panel(key + (f"-{k}" if k > 1 else ""), key, content, ordered)


def _panel(name: str, key: str, content: ReportContent, curves: Sequence[Curve]) -> Panel:
    words, known = words_of(key), values(content, curves)
    a = content.analysis if "columns" in words else None
    rules = [rule for given in words.get("rules", ()) for rule in _rules(given, known)]
    ends: Sequence[int] = ()
    if a is not None:
        ends = [*order_ends(a.columns).values(), *a.columns.species_starts()[1:]]
        rules += column_rules(a.columns, content.species or a.species)
    counts: Counter[str] = Counter()
    lines = [DIAGONAL] if "diagonal" in words else []
    for c in curves:
        lines.append(_line(content, words, c, counts[c.name], ends))
        counts[c.name] += 1
    panel = Panel(
        name=name,
        x=_axis(words["x"], known) if a is None else columns_axis(a.columns),
        y=_axis(words["y"], known),
        lines=tuple(lines),
        rules=tuple(rules),
        legend=words.get("legend", ""),
        equal="diagonal" in words,
        wide=words.get("wide", True),
        numbers=curve_numbers(curves),
    )
    if a is not None:
        panel = replace(panel, y=scores_axis(panel.y.label, [panel]))
    return captioned(panel, known, key)


def _line(
    content: ReportContent, words: Mapping[str, Any], c: Curve, k: int, ends: Sequence[int]
) -> Line:
    """The k-th curve of its name, with error bars at these ends."""
    apart = c.name == words.get("points")
    undefined, n = c.n_undefined, c.values.shape[1]
    learned = content.analysis is not None and c in content.analysis.results
    known = c.cutoff is not None or "{cutoff" not in words["line"]
    notes = zip(c.labels or [""] * len(c.x), undefined, strict=True)
    return Line(
        name=words["line"].format_map(values(content, [c])) if known and not apart else "",
        x=c.x,
        y=c.mean,
        error=c.error if ends or "error" in words else None,
        bars=np.isin(c.x, ends) if ends else None,
        k=k,
        dash=dash_of(content.protocol) if learned else "solid",
        marker=EVENT if apart else "k" * ("markers" in words),
        joined=not apart,
        hollow=(undefined > 0) | apart,
        notes=tuple(f"{u} of {n} folds undefined" if u else label for label, u in notes),
    )


def _axis(given: Mapping[str, Any], known: Mapping[str, Any]) -> Axis:
    """An axis; an end may be a value."""
    ends = [given.get(end) for end in ("low", "high")]
    low, high = (known[end] if isinstance(end, str) else end for end in ends)
    label = given["label"].format_map(known)
    return Axis(label=label, log=given.get("log", False), low=low, high=high)


def _rules(given: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Rule]:
    """A line for each place, none where a value is not known."""
    at = given["at"]
    places = known[at] if isinstance(at, str) else at
    for at in places if isinstance(places, list) else [places]:
        if at is not None:
            text = given.get("text", "").format(at=at)
            dash, across = given.get("dash", "solid"), given.get("across", "x")
            yield Rule(at=at, across=across, dash=dash, text=text)
