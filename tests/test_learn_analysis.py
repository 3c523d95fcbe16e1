"""The whole analysis of a table: complete, honest about what is missing, the same after a file."""

from __future__ import annotations

import csv
import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import amorphace as am
from amorphace.core.errors import FileFormatError, InputError
from amorphace.dataset.describe import labelled_rows, sample_sites
from amorphace.dataset.table import Columns, Table
from amorphace.front.predictor import load_model
from amorphace.learn.analysis import analyse
from amorphace.learn.bundle import (
    ALL_PARTS,
    QUICK,
    Analysis,
    AnalysisSettings,
    read_analysis,
    write_analysis,
    write_folder,
)
from amorphace.learn.curves import accuracy_curve
from amorphace.learn.everyone import EVENT_SCORES
from amorphace.learn.fit import best_setting, fit_model, nested_choice
from amorphace.learn.model import LinearModel
from amorphace.learn.results import LINE, Curve, write_table
from amorphace.learn.selection import Candidates, forward_selection

NAMES = ["A1", "A2", "B1", "A1·A1 l=0", "A1·B1 l=0"]
Z = [[0, -1], [0, -1], [1, -1], [0, 0], [0, 1]]
N = [[1, -1], [2, -1], [1, -1], [1, 1], [1, 1]]
SMALL = AnalysisSettings(
    n_splits=3,
    n_inner_splits=2,
    n_columns=(1, 3, 5),
    n_steps=2,
    n_resamples=2,
    n_stability_steps=1,
    n_draws=1,
)


def columns() -> Columns:
    l = np.where(np.array(N) < 0, -1, 0)
    return Columns(names=NAMES, order=[1, 1, 1, 2, 2], z=Z, n=N, l=l)


def table(n_samples: int = 4, per_sample: int = 40, **changes: Any) -> Table:
    """Column B1 decides, and D2min grows with it."""
    rng = np.random.default_rng(1)
    n = n_samples * per_sample
    label = np.tile([0, 1, 0, 1, -1], n)[:n]
    X = rng.normal(size=(n, 5))
    X[:, 2] += 2.5 * label
    given: dict[str, Any] = {
        "sample": np.repeat(np.arange(n_samples), per_sample),
        "particle_id": np.arange(n),
        "species": ["A"] * n,
        "label": label,
        "targets": {"d2min": np.exp(X[:, 2])},
        "features": {2.0: rng.normal(size=(n, 5)), 3.0: X},
        "columns": columns(),
        "sample_names": [f"s{k}" for k in range(n_samples)],
        "provenance": {"parameters": {"species": ["A", "B"], "cutoffs": [2.0, 3.0]}},
    }
    return Table(**{**given, **changes})


@pytest.fixture(scope="module")
def whole() -> Analysis:
    return analyse(table(), settings=SMALL)


def assert_same(a: Any, b: Any) -> None:
    """Equal numbers, shapes, types and kinds of number, all the way down."""
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    elif is_dataclass(a):
        for field in fields(a):
            assert_same(getattr(a, field.name), getattr(b, field.name))
    elif isinstance(a, tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        assert_same(tuple(a.values()), tuple(b.values()))
    else:
        assert a == b


def test_the_model_for_the_picture_has_not_seen_its_sample(whole: Analysis) -> None:
    """That of the configuration with the most active sites; here the last, with 50 rows."""
    assert whole.unseen is not None
    assert whole.unseen.sample == "s0"
    rows = table(sample=np.repeat([0, 1, 2, 3], [30, 40, 40, 50]))
    found = analyse(rows, settings=replace(SMALL, parts=("model",)))
    assert found.unseen is not None
    assert found.model is not None
    assert found.unseen.sample == "s3"
    others = rows.take(rows.sample != 3)
    by_hand = fit_model(
        others, 3.0, len(found.unseen.model.names), strengths=[found.model.strength]
    )
    np.testing.assert_array_equal(found.unseen.model.weights, by_hand.weights)
    assert not np.allclose(found.model.weights, by_hand.weights)


def test_every_part_is_there_and_finds_what_was_planted(whole: Analysis) -> None:
    noise, telling = whole.curves("accuracy", "grouped")
    assert (noise.cutoff, telling.cutoff) == (2.0, 3.0)
    assert telling.mean[1] > 0.8 > 0.7 > noise.mean[1]
    assert telling.folds == ("s0 + s1", "s2", "s3")
    assert [c.cutoff for c in whole.curves("accuracy", "random")] == [2.0, 3.0]
    assert [(c.variant, c.x.tolist()) for c in whole.curves("classifiers")] == [
        ("logistic", [3, 5]),
        ("svm", [3, 5]),
    ]
    scopes = ["order 1", "orders 1 to 2", "order 1, pairs first"]
    for name in ("selection", "nested_selection"):
        assert [c.variant for c in whole.curves(name)] == scopes
    for name in ("single_columns", "permutation", "stability", "left_out"):
        assert [c.variant for c in whole.curves(name)] == scopes[:2]
    assert [c.labels[0] for c in whole.curves("selection")] == ["B1", "B1", "B1"]
    assert [c.labels[0] for c in whole.curves("stability")] == ["B1", "B1"]
    assert [c.variant for c in whole.curves("pca")] == ["standardised", "raw"]
    assert whole.curve("pca", cutoff=2.0) is None
    assert [(c.variant, c.n_columns) for c in whole.curves("learning")] == [
        ("samples", 3),
        ("samples", 5),
        ("sites", 3),
        ("sites", 5),
    ]
    ard = whole.curves("ard")
    assert [(c.cutoff, c.variant) for c in ard] == [
        (2.0, "d2min"),
        (3.0, "d2min"),
        (2.0, "log d2min"),
        (3.0, "log d2min"),
    ]
    assert ard[3].mean[1] > 0.95 > 0.3 > np.nanmax(ard[2].values)
    assert [c.variant for c in whole.curves("distributions")] == ["A1", "B1"]
    assert whole.model is not None
    assert whole.model.settings["cutoff"] == 3.0
    assert whole.species == ("A", "B")
    assert (whole.n_samples, whole.n_active, whole.n_inactive, whole.cutoff) == (4, 64, 64, 3.0)
    (chosen,) = whole.curves("model")
    assert chosen["cutoff"].tolist() == [[3.0, 3.0, 3.0]]
    assert chosen.folds == telling.folds
    assert whole.n_events == 64
    assert "Scores are of 3 folds of samples: an error is 0.8 times the stand" in whole.warnings[0]
    assert sum("Only 64" in text for text in whole.warnings) == 2
    for text in ("Random folds score", "The weights may", "Of the picks among order 1, the first"):
        assert any(text in note for note in whole.notes), text
    assert whole.curves("readability")[0].labels == ("order 1: A", "order 1: B")


def test_an_analysis_comes_back_from_its_file_as_it_was(whole: Analysis, tmp_path: Path) -> None:
    hole = Curve(name="ard", x=np.arange(3), scores={"pearson": np.full((3, 3), np.nan)})
    holes = replace(whole, results=(hole, *whole.results))
    for given in (whole, holes):
        write_analysis(tmp_path, given)
        assert_same(read_analysis(tmp_path), given)
        write_analysis(tmp_path / "again.json", read_analysis(tmp_path / "analysis.json"))
        text = (tmp_path / "analysis.json").read_text(encoding="utf-8")
        assert (tmp_path / "again.json").read_text(encoding="utf-8") == text
        assert "NaN" not in text
    assert '"pearson": [[null, null, null]' in text


def test_a_model_says_what_it_is_worth_on_samples_left_out(whole: Analysis, tmp_path: Path) -> None:
    events = Curve(
        name="events",
        x=np.array([0.0]),
        scores={k: np.array([[0.2, np.nan, 0.4]]) for k in EVENT_SCORES},
        folds=("a", "b", "c"),
    )
    everyone = Curve(
        name="everyone",
        x=np.array([1]),
        scores={k: np.array([[0.5, 0.6, 0.7]]) for k in ("spearman", "pearson")},
        labels=("d2min",),
    )
    judged = replace(whole, results=(*whole.results, events, everyone))
    write_folder(tmp_path / "results", judged, {})
    model = LinearModel.from_json(tmp_path / "results" / "model.json")
    known = {score.name: score for score in model.scores}
    (chosen,) = whole.curves("model")
    assert known["accuracy"].mean == pytest.approx(chosen.mean[0])
    assert known["accuracy"].chance == 0.5
    assert known["Spearman with d2min"].error == pytest.approx(everyone.error[0])
    core = known["C = 2 AUC - 1 of the core of an event"]
    assert (core.mean, core.n) == (pytest.approx(0.3), 2)
    assert load_model(tmp_path / "results" / "model.json").scores == model.scores


def test_parts_left_out_are_empty_and_cost_nothing() -> None:
    seen: list[str] = []
    made = analyse(
        table(),
        settings=replace(SMALL, parts=("distributions", "selection")),
        progress=lambda part, done, total: seen.append(part),
    )
    names = {"distributions", "thresholds", "magnitudes", "selection", "single_columns"}
    assert {c.name for c in made.results} == names
    assert made.model is None
    assert len(made.curves("distributions")) == 2
    assert len(made.curves("selection")) == 3
    assert set(seen) == {"selection"}
    assert "stability" not in QUICK.parts


def test_what_cannot_be_computed_is_a_warning_beside_what_can() -> None:
    few = replace(SMALL, n_splits=5, parts=("accuracy", "ard", "distributions", "stability"))
    made = analyse(table(2, targets={}), settings=few)
    assert len(made.curves("distributions")) == 2
    assert made.curves("accuracy") == ()
    text = " | ".join(made.warnings)
    assert "accuracy: choosing the strength with grouped folds needs at least 2 samples" in text
    assert "ard: the table holds no target 'd2min'; there are: none" in text
    assert "stability: the stability of a selection needs at least 3 samples" in text


def test_of_three_samples_each_is_left_out_in_turn_with_a_warning() -> None:
    made = analyse(table(3), settings=replace(SMALL, n_splits=5, parts=("accuracy",)))
    assert made.curves("accuracy")[0].values.shape == (3, 3)
    assert made.curves("accuracy")[0].folds == ("s0", "s1", "s2")
    assert "Scores are of 3 folds of samples" in made.warnings[0]


def test_doubtful_columns_and_labels_are_named() -> None:
    given = table()
    X = given.feature_rows(3.0).copy()
    X[:, 0] = 7.0
    label = np.where(np.arange(160) % 4 == 0, 1, 0)
    made = analyse(
        replace(given, features={3.0: X}, label=label), settings=replace(SMALL, parts=("accuracy",))
    )
    text = " | ".join(made.warnings)
    assert "1 of 5 columns are constant over the labelled sites and tell nothing" in text
    assert "25% of the labelled sites are active: always guessing" in text
    assert "Only 40 active sites" in text


def test_sites_of_one_event_count_once() -> None:
    step = np.arange(160) // 10 % 4  # four events in each of four samples
    made = analyse(table(step=step), settings=replace(SMALL, parts=("distributions",)))
    text = " | ".join(made.warnings)
    assert "The 64 active sites stand in only 16 configurations" in text
    assert "uncertain by 0.12 or so. Add samples, or more strain." in text
    label = table().label
    first = np.flatnonzero(label == 1)[:40]  # of the first two samples
    rare = np.where((label == 1) & ~np.isin(np.arange(160), first), -1, label)
    many = replace(table(step=np.arange(160)), label=rare)
    made = analyse(many, settings=replace(SMALL, parts=("distributions",)))
    assert "Only 40 active sites" in " | ".join(made.warnings)


def test_random_folds_are_as_many_as_grouped_ones() -> None:
    few = replace(SMALL, n_splits=5, parts=("accuracy", "random_folds"))
    made = analyse(table(4), settings=few)
    grouped, random = (made.curves("accuracy", folds) for folds in ("grouped", "random"))
    assert grouped[0].values.shape == random[0].values.shape == (3, 4)
    (note,) = (note for note in made.notes if "Random folds score" in note)
    gain = np.mean([r.mean - g.mean for g, r in zip(grouped, random, strict=True)])
    assert f"{gain:+.3f} against as many folds that keep samples whole" in note
    assert "of the difference" in note


def with_nan(given: Table) -> Table:
    X = given.feature_rows(2.0).copy()
    X[3, 1] = np.nan
    return replace(given, features={2.0: X, 3.0: given.feature_rows(3.0)})


@pytest.mark.parametrize(
    ("change", "options", "text"),
    [
        (lambda t: t.without_features(), {}, "the table holds no features; describe its sites"),
        (lambda t: replace(t, label=np.full(160, -1)), {}, "no labelled sites; label them first"),
        (
            lambda t: replace(t, label=np.ones(160)),
            {},
            "all 160 sites have label 1; both labels are needed",
        ),
        (with_nan, {}, r"X\[3, 1\] is nan; features must be finite numbers"),
        (lambda t: t, {"cutoffs": (5.0,)}, "no features of cutoff 5 in the table; there are: 2, 3"),
        (lambda t: t, {"cutoff": 5.0}, "no features of cutoff 5 in the table; there are: 2, 3"),
        (lambda t: t, {"parts": ("figure 9",)}, "no part 'figure 9'; there are: accuracy, "),
    ],
)
def test_tables_from_which_nothing_can_be_learned_are_errors(change, options, text) -> None:
    with pytest.raises(InputError, match=text):
        analyse(change(table()), settings=replace(SMALL, **options))


def test_the_model_is_the_whole_order_of_least_loss_and_its_worth_is_nested() -> None:
    assert best_setting(table(), (2.0, 3.0), n_splits=4) in ((3.0, 3), (3.0, 5))
    x, folds = np.array([2, 3, 5]), ("a", "b")

    def curve(cutoff: float, loss: list[list[float]], accuracy: list[list[float]]) -> Curve:
        score = np.array(accuracy)
        scores = dict.fromkeys(("accuracy", "balanced_accuracy", "roc_auc"), score)
        scores["loss"] = np.array(loss)
        return Curve(name="accuracy", x=x, scores=scores, folds=folds, cutoff=cutoff)

    near = curve(2.0, [[0, 0], [0.2, 0.5], [0.3, 0.5]], [[1, 1], [0.7, 0.1], [0.9, 0.1]])
    far = curve(3.0, [[0, 0], [0.6, 0.4], [0.6, 0.4]], [[1, 1], [0.1, 0.6], [0.1, 0.9]])
    chosen = nested_choice([far, near], columns())
    assert chosen is not None
    # order ends at 3 and 5 columns: each fold's own least loss, of equal ones the fewest columns
    assert chosen.values.tolist() == [[0.7, 0.6]]
    assert (chosen["cutoff"].tolist(), chosen["n_columns"].tolist()) == ([[2, 3]], [[3, 3]])
    assert nested_choice([replace(far, cutoff=None)], columns()) is None


# ---------------------------------------------------------------- tables


def test_the_table_of_results_holds_every_number_and_gives_it_back(
    whole: Analysis, tmp_path: Path
) -> None:
    write_folder(tmp_path / "results", whole, {})
    with (tmp_path / "results" / "results.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert tuple(lines[0]) == LINE
    assert {line["curve"] for line in lines} == {c.name for c in whole.results}
    assert len(lines) == sum(v.size for c in whole.results for v in c.scores.values())
    for curve in whole.results:
        own = [
            line
            for line in lines
            if (line["curve"], line["variant"]) == (curve.name, curve.variant)
            and line["cutoff"] == str(curve.cutoff or "")
            and line["n_columns"] == str(curve.n_columns or "")
        ]
        for score, values in curve.scores.items():
            found = np.array([float(line["value"]) for line in own if line["score"] == score])
            np.testing.assert_array_equal(found.reshape(values.shape), values)


def test_text_of_a_table_is_written_as_it_is(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", [{"column": "+ 3-body", "accuracy": -0.5}])
    assert (tmp_path / "t.csv").read_text() == "column,accuracy\n+ 3-body,-0.5\n"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: "{", r"a.json:1: not JSON: .*; learn again"),
        (lambda f: "[]", "JSON, but not an analysis with the format"),
        (
            lambda f: json.dumps({**f, "format_version": 3}),
            "analysis of format version 3; this program reads versions 1 and 2",
        ),
        (
            lambda f: json.dumps({k: v for k, v in f.items() if k != "cutoff"}),
            "the field cutoff of Analysis is missing; learn again",
        ),
        (
            lambda f: json.dumps({**f, "n_active": "many"}),
            "n_active: a whole number is needed, got",
        ),
        (
            lambda f: json.dumps({**f, "results": [{**f["results"][0], "folds": ["s0"]}]}),
            "results.0: 3 folds need as many names, got 1",
        ),
        (
            lambda f: json.dumps({**f, "results": [{**f["results"][0], "x": [1]}]}),
            "results.0: scores of the curve 'accuracy' must have one shape .* with 1 points",
        ),
        (
            lambda f: json.dumps({**f, "format_version": 1, "pca": {"x": 1}}),
            "pca is not what version 1 of an analysis holds .*; learn again",
        ),
    ],
)
def test_files_that_are_no_analyses_say_what_is_wrong(
    whole: Analysis, tmp_path: Path, edit, message: str
) -> None:
    write_analysis(tmp_path / "a.json", whole)
    text = edit(json.loads((tmp_path / "a.json").read_text(encoding="utf-8")))
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError, match=message):
        read_analysis(tmp_path / "a.json")


def test_missing_files_and_other_bytes_say_so(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"analysis.json.*cannot be read"):
        read_analysis(tmp_path)
    (tmp_path / "a.json").write_bytes(b"\x80\x04\x95")  # how a pickle begins
    with pytest.raises(FileFormatError, match="not JSON: not UTF-8 text"):
        read_analysis(tmp_path / "a.json")


# ---------------------------------------------------------------- the real liquid


@pytest.mark.slow
@pytest.mark.parametrize(
    ("transform", "pair", "plateau"), [("ace1", 0.883, 0.929), ("paper", 0.791, 0.911)]
)
def test_a1_and_b1_say_most_with_the_transform_of_the_authors(
    ka_liquid, transform, pair, plateau
) -> None:
    """The fixed pair beside all 20 radial features, each sample left out in turn."""
    labels, glasses = ka_liquid
    described = labelled_rows(labels, centres=None, provenance={})
    ace = am.ACEDescriptor(
        cutoff=4.0, species=("A", "B"), max_order=1, n_max=10, distance_transform=transform
    )
    X = ace.transform(am.Sites.concatenate(sample_sites(described, glasses)))
    y, groups = described.label.astype(int), described.sample
    found = {}
    for name, columns in (("pair", [0, 10]), ("plateau", list(range(20)))):
        curve = accuracy_curve(X[:, columns], y, groups, n_columns=[len(columns)], n_splits=10)
        found[name] = float(curve.mean[0]), float(curve.error[0])
    for name, expected in (("pair", pair), ("plateau", plateau)):
        mean, error = found[name]
        print(f"{transform} {name}: {mean:.3f} ± {error:.3f}")
        assert abs(mean - expected) <= error < 0.03
    picks, _ = forward_selection(Candidates.of(X, y, groups, n_steps=2, n_splits=10))
    assert picks.labels == ("column 11", "column 1")  # B1, then A1


@pytest.mark.slow
def test_kob_andersen_is_told_by_b1_and_a1(ka_liquid) -> None:
    """Figs. 3 to 7, thermal KA at r_cut 4, from ten configurations; the printed transform."""
    labels, glasses = ka_liquid
    species = ("A", "B")
    described = labelled_rows(labels, centres=None, provenance={})
    sites = am.Sites.concatenate(sample_sites(described, glasses))
    ace = am.ACEDescriptor(cutoff=4.0, species=species, max_order=2, distance_transform="paper")
    found = replace(
        described,
        features={4.0: ace.transform(sites)},
        columns=Columns(
            names=ace.get_feature_names_out().tolist(),
            order=ace.fit().basis_.order,
            z=ace.basis_.z,
            n=ace.basis_.n,
            l=ace.basis_.l,
        ),
        provenance={},
    )
    settings = AnalysisSettings(
        parts=tuple(
            p
            for p in ALL_PARTS
            if p not in ("learning", "model", "nested_selection", "permutation")
        ),
        n_columns=(1, 10, 20, 174),
        n_resamples=10,
        n_stability_steps=2,
        log_target=False,
    )
    made = analyse(found, settings=settings)
    (grouped,), (random,) = made.curves("accuracy", "grouped"), made.curves("accuracy", "random")
    np.testing.assert_allclose(grouped.mean, [0.61, 0.68, 0.92, 0.92], atol=0.02)
    assert (np.abs(random.mean - grouped.mean) < 0.02).all()
    two_body = made.curves("selection")[0]
    assert two_body.labels[:2] == ("B1", "A1")
    alone = made.curves("single_columns")[1]
    assert alone.mean.max() > two_body.mean[0] + 0.02
    runs = made.curves("stability")[0]
    stable = dict(zip(runs.labels, np.isfinite(runs.values).mean(axis=1), strict=True))
    assert min(stable["A1"], stable["B1"]) > 0.8
    logistic, svm = made.curves("classifiers")
    assert np.abs(logistic.mean - svm.mean).max() < 0.01
    pca, ard = made.curve("pca"), made.curve("ard")
    assert pca is not None
    assert ard is not None
    assert pca.mean[19] < grouped.mean[2] - 0.02
    assert ard.mean[2] > ard.mean[1] + 0.2
    (known,) = made.curves("thresholds")  # denser where nothing moves
    assert (np.abs(known["mean_inactive"]) > np.abs(known["mean_active"])).all()
