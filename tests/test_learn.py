"""Classifiers and accuracy curves: planted answers come out, and nothing leaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.integrate import quad
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import amorphace as am
from amorphace.core.errors import FileFormatError, InputError
from amorphace.dataset.label_thermal import majority_species, thermal_labels
from amorphace.dataset.table import Columns, Table
from amorphace.dataset.zarr_table import read_table, write_table
from amorphace.learn import newton
from amorphace.learn.analysis import analyse
from amorphace.learn.bundle import AnalysisSettings, summarize
from amorphace.learn.curves import accuracy_curve
from amorphace.learn.logistic import STRENGTHS, fit_best, fit_classifier
from amorphace.learn.model import LinearModel
from amorphace.learn.points import default_columns
from amorphace.learn.results import Curve
from amorphace.learn.splits import inner_folds, split


def samples(n_samples: int, per_sample: int) -> np.ndarray:
    return np.repeat(np.arange(n_samples), per_sample)


def logistic_data(
    n: int, weights: list[float], seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels drawn from eq. 11 with known weights: X, y and the probabilities."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, len(weights)))
    p = expit(X @ np.array(weights))
    return X, (rng.random(n) < p).astype(int), p


def two_species_columns() -> Columns:
    """Orders and species of the reference basis: 10 A, 10 B, 154 of order 2, 400 of order 3."""
    order = [1] * 20 + [2] * 154 + [3] * 400
    z = np.zeros((574, 3), dtype=int)
    z[:20, 1:] = -1
    z[20:174, 2] = -1
    z[10:20, 0] = 1
    n = np.where(z < 0, -1, 1)
    return Columns(names=[f"c{k}" for k in range(574)], order=order, z=z, n=n, l=n)


# ---------------------------------------------------------------- folds


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=5, max_size=9),
    n_splits=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_grouped_folds_never_share_a_sample(sizes: list[int], n_splits: int, seed: int) -> None:
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)) * 7, sizes))
    groups = np.repeat(groups, 2)
    y = np.tile([0, 1], len(groups) // 2)
    made = split(y, groups, n_splits=n_splits)
    assert len(made) == n_splits
    for fold in made:
        assert not set(groups[fold.train]) & set(groups[fold.test])
        assert sorted([*fold.train, *fold.test]) == list(range(len(y)))
    assert sorted(np.concatenate([fold.test for fold in made])) == list(range(len(y)))


@pytest.mark.parametrize("sizes", [[10, 20, 30, 40], [40, 30, 20, 10], [20, 20, 20, 20]])
def test_fold_k_tests_sample_k_whatever_the_sizes_of_the_samples(sizes: list[int]) -> None:
    groups = np.repeat([3, 5, 8, 9], sizes)
    y = np.arange(len(groups)) % 2
    for labels in (y, None):
        made = split(labels, groups, n_splits=4)
        assert [set(groups[fold.test]) for fold in made] == [{3}, {5}, {8}, {9}]
    pairs = split(y, groups, n_splits=2)
    assert [set(groups[fold.test]) for fold in pairs] == [{3, 5}, {8, 9}]


def test_random_folds_keep_the_share_of_labels_and_follow_the_seed() -> None:
    y, groups = np.arange(100) % 4 // 3, samples(2, 50)
    first, again, other = (
        split(y, groups, n_splits=5, folds="random", seed=seed) for seed in (3, 3, 4)
    )
    assert [y[fold.test].sum() for fold in first] == [5] * 5
    assert all(np.array_equal(a.test, b.test) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a.test, b.test) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(
    ("y", "groups", "options", "text"),
    [
        (
            [0, 1] * 3,
            [0, 0, 1, 1, 2, 2],
            {},
            r"5 folds grouped by sample need at least 5 samples, got 3; add samples, use fewer "
            r"folds \(n_splits, --folds\), at most 3, or random folds",
        ),
        ([0, 1, 0, 1], [0, 0, 1, 1], {"n_splits": 1}, "n_splits must be at least 2, got 1"),
        (
            [0, 0, 1, 1],
            [0, 0, 1, 1],
            {"n_splits": 2},
            "the train part of fold 1 of 2 holds only label .; every part needs both",
        ),
        (
            [0, 0, 0, 1, 0, 1],
            [0, 0, 1, 1, 2, 2],
            {"n_splits": 3},
            "the test part of fold 1 of 3 holds only label 0",
        ),
        (
            [0, 0, 0, 1],
            [0, 0, 1, 1],
            {"folds": "random", "n_splits": 2},
            "2 random folds need at least 2 sites of each label, got 1",
        ),
        ([0, 1], [0, 1], {"folds": "loose", "n_splits": 2}, "must be 'grouped' or 'random'"),
    ],
)
def test_folds_that_cannot_be_made_say_what_to_do(y, groups, options, text) -> None:
    with pytest.raises(InputError, match=text):
        split(np.array(y), np.array(groups), **{"n_splits": 5, **options})


# ---------------------------------------------------------------- the fit


def test_the_fit_is_where_the_gradient_of_loss_and_penalty_vanishes() -> None:
    X, y, _ = logistic_data(300, [1.0, -2.0, 0.0, 0.5], seed=1)
    X = X * [1, 10, 1e-3, 1] + [0, 5, 0, 100]
    for strength in (100.0, 1.0, 0.01):
        fit = fit_best(X, y, (), [strength])
        Z = (X - X.mean(axis=0)) / X.std(axis=0)
        residual = expit(Z @ fit.weights + fit.intercept) - y
        np.testing.assert_allclose(Z.T @ residual + fit.strength * fit.weights, 0, atol=1e-3)
        assert abs(residual.sum()) < 1e-3
        np.testing.assert_allclose(fit.decision(X), Z @ fit.weights + fit.intercept)


def test_a_fit_does_not_depend_on_the_path_that_led_to_it() -> None:
    X, y, _ = logistic_data(200, [1.0, -2.0, 0.0, 0.5], seed=2)
    folds = split(y, samples(4, 50), n_splits=4)
    led = fit_best(X, y, folds, [1e4, 10.0, 0.1])
    alone = fit_best(X, y, (), [led.strength])
    assert led.strength < 1e4
    np.testing.assert_allclose(led.weights, alone.weights, rtol=1e-4)


def test_planted_weights_are_recovered() -> None:
    X, y, _ = logistic_data(20_000, [1.0, -2.0, 0.0], seed=3)
    fit = fit_best(X, y, (), [1e-3])
    np.testing.assert_allclose(fit.weights / fit.scale, [1.0, -2.0, 0.0], atol=0.08)


def test_constant_columns_have_no_weight() -> None:
    X, y, _ = logistic_data(100, [2.0, 1.0], seed=4)
    padded = np.column_stack([np.full(100, -7.3), X, np.zeros(100)])
    bare = fit_best(X, y, (), [1.0])
    fit = fit_best(padded, y, (), [1.0])
    np.testing.assert_allclose(fit.weights[[0, 3]], 0, atol=1e-20)
    np.testing.assert_allclose(fit.weights[1:3], bare.weights, rtol=1e-6)


def test_separable_labels_and_more_columns_than_sites_are_no_trouble() -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(30, 80))
    y = (X[:, 0] > 0).astype(int)
    fit = fit_best(X, y, (), STRENGTHS[-1:])
    assert ((fit.decision(X) > 0) == y).all()


def test_a_fit_that_does_not_converge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, _ = logistic_data(100, [2.0, 1.0], seed=6)
    monkeypatch.setattr(newton, "MAX_STEPS", 1)
    with pytest.raises(InputError, match="100 sites on 2 columns does not converge at strength"):
        fit_best(X, y, (), [1e-3])


@pytest.mark.parametrize("seed", range(2))
def test_the_strength_chosen_is_that_of_a_grid_search_over_a_pipeline(seed: int) -> None:
    weights = [2.0, -1.0, 0.5] + [0.0] * (3 + 10 * seed)
    X, y, _ = logistic_data(120, weights, seed=seed)
    groups = samples(8, 15)
    folds = inner_folds(y, groups, n_splits=4, folds="grouped", seed=0)
    strengths = [1e3, 1e2, 10.0, 1.0, 0.1, 0.01]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000, tol=1e-8)),
        {"logisticregression__C": [1 / s for s in strengths]},
        scoring="neg_log_loss",
        cv=[(fold.train, fold.test) for fold in folds],
    ).fit(X, y)
    best = 1 / search.best_params_["logisticregression__C"]
    assert fit_best(X, y, folds, strengths).strength == pytest.approx(best)


# ---------------------------------------------------------------- curves


def bayes_accuracy(weight: float) -> float:
    """Accuracy of the best guess when P(active) = sigma(weight x), x standard normal."""

    def integrand(x: float) -> float:
        return expit(weight * abs(x)) * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)

    return quad(integrand, -10, 10)[0]


def test_accuracy_rises_to_the_best_possible_when_the_planted_column_enters() -> None:
    X, y, p = logistic_data(4000, [0.0, 0.0, 0.0, 3.0, 0.0, 0.0], seed=7)
    best = bayes_accuracy(3.0)
    assert np.maximum(p, 1 - p).mean() == pytest.approx(best, abs=0.01)
    curve = accuracy_curve(
        X, y, samples(10, 400), n_columns=[1, 2, 3, 4, 5, 6], strengths=[10.0, 0.1]
    )
    error = 0.5 / np.sqrt(4000)
    np.testing.assert_allclose(curve.mean[:3], 0.5, atol=4 * error)
    np.testing.assert_allclose(curve.mean[3:], best, atol=4 * error)
    assert (curve["roc_auc"][3:] > curve["accuracy"][3:]).all()


def test_random_features_know_nothing() -> None:
    rng = np.random.default_rng(8)
    y = np.tile([0, 1], 500)
    curve = accuracy_curve(rng.normal(size=(1000, 30)), y, samples(10, 100), n_columns=[3, 30])
    np.testing.assert_allclose(curve.mean, 0.5, atol=4 * 0.5 / np.sqrt(1000))
    np.testing.assert_allclose(curve["roc_auc"].mean(axis=1), 0.5, atol=0.08)


def test_features_that_only_name_the_sample_help_random_folds_alone() -> None:
    rng = np.random.default_rng(9)
    groups = samples(10, 60)
    tendency = np.where(np.arange(10) % 2, 0.9, 0.1)
    y = (rng.random(600) < tendency[groups]).astype(int)
    X = np.eye(10)[groups]
    options = {"n_columns": [10], "strengths": [1.0]}
    honest = accuracy_curve(X, y, groups, folds="grouped", **options).mean[0]
    leaky = accuracy_curve(X, y, groups, folds="random", **options).mean[0]
    assert honest < 0.6
    assert leaky > 0.85


def test_neither_strength_nor_scaling_ever_sees_the_test_rows() -> None:
    X, y, _ = logistic_data(400, [1.0, -1.0] + [0.0] * 20, seed=10)
    groups = samples(10, 40)
    curve = accuracy_curve(X, y, groups, n_columns=[2, 22])
    assert len(np.unique(curve["strength"])) > 1  # there is a choice to be made
    for k, fold in enumerate(split(y, groups, n_splits=5)[:2]):
        X_other, y_other = X.copy(), y.copy()
        X_other[fold.test] *= 1e3
        y_other[fold.test] = 1 - y[fold.test]
        other = accuracy_curve(X_other, y_other, groups, n_columns=[2, 22])
        np.testing.assert_array_equal(other["strength"][:, k], curve["strength"][:, k])
        # weights are the same too: with rows stretched a thousandfold the intercept is all that
        # can change a side, and the labels are turned round
        np.testing.assert_allclose(other["accuracy"][:, k], 1 - curve["accuracy"][:, k], atol=0.05)


def test_only_leading_columns_are_used() -> None:
    X, y, _ = logistic_data(200, [1.0, -1.0, 2.0], seed=11)
    groups = samples(5, 40)
    other = X.copy()
    other[:, 2] = np.random.default_rng(0).normal(size=200) * 1e6
    a, b = (accuracy_curve(M, y, groups, n_columns=[2], strengths=[1.0]) for M in (X, other))
    np.testing.assert_array_equal(a["accuracy"], b["accuracy"])


def test_balanced_accuracy_is_not_fooled_by_rare_active_sites() -> None:
    rng = np.random.default_rng(12)
    y = (np.arange(500) % 10 == 0).astype(int)
    curve = accuracy_curve(rng.normal(size=(500, 1)), y, samples(5, 100), strengths=[1.0])
    assert curve.mean[0] == 0.9
    assert curve["balanced_accuracy"].mean() == 0.5


def test_the_result_does_not_depend_on_the_number_of_processes() -> None:
    X, y, _ = logistic_data(300, [1.0, -1.0, 0.0, 0.0], seed=13)
    groups, seen = samples(6, 50), []
    one = accuracy_curve(X, y, groups, strengths=[10.0, 1.0])
    two = accuracy_curve(
        X, y, groups, strengths=[1.0, 10.0], n_jobs=2, progress=lambda *a: seen.append(a)
    )
    for name in ("accuracy", "balanced_accuracy", "roc_auc", "strength"):
        np.testing.assert_array_equal(one[name], two[name])
    total = 5 * len(one.x)
    assert seen == [(k, total) for k in range(1, total + 1)]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"y": [-1] * 20}, r"labels must be 1 \(active\) or 0 \(inactive\), got -1; give the lab"),
        ({"y": [0, 1] * 3}, r"got \(20, 2\), \(6,\) and \(20,\)"),
        ({"X": np.full((20, 2), np.inf)}, r"X\[0, 0\] is inf; features must be finite"),
        ({"n_columns": [0]}, "n_columns must be whole numbers from 1 to 2"),
        ({"n_columns": [3]}, "n_columns must be whole numbers from 1 to 2"),
        ({"n_columns": [1.5]}, "n_columns must be whole numbers from 1 to 2"),
        ({"strengths": [1.0, -1.0]}, "strengths must be positive numbers"),
        ({"strengths": []}, "strengths must be positive numbers"),
        ({"n_jobs": 0}, "n_jobs must be a number of processes"),
        ({"groups": samples(4, 5)}, "5 folds grouped by sample need at least 5 samples, got 4"),
        (
            {"groups": samples(2, 10), "n_splits": 2},
            r"needs at least 2 samples to train on \(3 in all\), got 1; add samples",
        ),
        ({"columns": two_species_columns()}, "X has 2 columns, `columns` describes 574"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused(change, text) -> None:
    X, groups = np.random.default_rng(0).normal(size=(20, 2)), samples(5, 4)
    given = {"X": X, "y": [0, 1] * 10, "groups": groups, **change}
    with pytest.raises(InputError, match=text):
        accuracy_curve(given.pop("X"), given.pop("y"), given.pop("groups"), **given)


def test_default_points_hold_every_boundary_of_the_reference_basis() -> None:
    columns = two_species_columns()
    points = default_columns(columns.order, columns.z)
    assert {1, 2, 3, 5, 10, 11, 20, 174, 574} <= set(points)
    assert len(points) == 20
    polymer = default_columns([1] * 20 + [2] * 204 + [3] * 897, np.zeros((1121, 3)))
    assert {1, 2, 3, 5, 10, 20, 224, 1121} <= set(polymer)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 80), min_size=1, max_size=4), kinds=st.integers(1, 3))
def test_default_points_ascend_and_end_with_all_columns(sizes: list[int], kinds: int) -> None:
    order = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    z = np.sort(np.arange(len(order)) % kinds)[:, None]
    points = default_columns(order, z)
    assert list(points) == sorted(set(points))
    assert points[0] == 1
    assert points[-1] == len(order)
    assert set(np.cumsum(sizes)) <= set(points)


# ---------------------------------------------------------------- tables of curves


def labelled_table() -> Table:
    """At cutoff 2 the features are noise, at cutoff 3 the last column knows the label."""
    rng = np.random.default_rng(14)
    label = np.tile([0, 1, -1], 100)
    noise = rng.normal(size=(300, 3))
    telling = noise.copy()
    telling[:, 2] = label + rng.normal(size=300) * 0.3
    noise[label < 0] = telling[label < 0] = 1e9  # rows not selected must not matter
    z = [[0, -1], [1, -1], [0, 0]]
    return Table(
        sample=samples(10, 30),
        particle_id=np.arange(300),
        species=["A"] * 300,
        label=label,
        features={2.0: noise, 3.0: telling},
        columns=Columns(names=["A1", "B1", "A1·A1 l=0"], order=[1, 1, 2], z=z, n=z, l=z),
        sample_names=[f"s{k}" for k in range(10)],
    )


def curves_of(table: Table, progress=None, cutoffs=None) -> tuple[Curve, ...]:
    only = AnalysisSettings(parts=("accuracy",), cutoffs=cutoffs)
    return analyse(table, settings=only, progress=progress).curves("accuracy")


def test_curves_come_one_for_each_cutoff_from_the_labelled_sites(tmp_path: Path) -> None:
    write_table(tmp_path / "t.zarr", labelled_table())
    seen: list[tuple[str, int, int]] = []
    noise, telling = curves_of(read_table(tmp_path / "t.zarr"), progress=lambda *a: seen.append(a))
    assert (noise.cutoff, telling.cutoff) == (2.0, 3.0)
    assert telling.x.tolist() == [1, 2, 3]
    assert telling.labels == ("A1", "B1", "A1·A1 l=0")
    assert telling.folds == tuple(f"s{k}" for k in range(10))
    assert telling.mean[2] > 0.9
    assert max(noise.mean.max(), telling.mean[:2].max()) < 0.65
    assert len(seen) == 60  # points, folds, cutoffs
    assert seen[-1] == ("accuracy", 2000, 2000)
    (only,) = curves_of(labelled_table(), cutoffs=(3.0,))
    np.testing.assert_array_equal(only["accuracy"], telling["accuracy"])
    made = analyse(labelled_table(), settings=AnalysisSettings(parts=("accuracy",)))
    *_, last = summarize(made)
    assert last["accuracy"] == pytest.approx(np.mean(telling.values[2]))
    assert last["accuracy_std"] == pytest.approx(np.std(telling.values[2], ddof=1))
    assert (last["cutoff"], last["n_columns"], last["last_column"]) == (3.0, 3, "A1·A1 l=0")


# ---------------------------------------------------------------- the fitted model


def small_model() -> tuple[LinearModel, np.ndarray, np.ndarray]:
    X, y, _ = logistic_data(200, [1.0, -2.0], seed=15)
    X = X * [0.01, 3] + [5, -40]
    model = fit_classifier(
        X, y, samples(5, 40), names=["A1", "B1"], settings={"cutoff": 4.0}, strengths=[10.0, 0.1]
    )
    return model, X, y


def test_the_classifier_is_the_pipeline_of_scikit_learn_in_raw_units() -> None:
    model, X, y = small_model()
    peer = make_pipeline(
        StandardScaler(), LogisticRegression(C=1 / model.strength, tol=1e-9, max_iter=1000)
    ).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), peer.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    np.testing.assert_allclose(model.mean, X.mean(axis=0))
    np.testing.assert_allclose(model.scale, X.std(axis=0))


def test_the_classifier_chooses_its_strength_by_grouped_folds() -> None:
    X, y, _ = logistic_data(100, [1.0] + [0.0] * 30, seed=16)
    groups = samples(5, 20)
    names = [f"c{k}" for k in range(31)]
    model = fit_classifier(X, y, groups, names=names, settings={})
    folds = split(y, groups, n_splits=5)
    assert model.strength == fit_best(X, y, folds, STRENGTHS).strength
    assert model.strength not in (max(STRENGTHS), min(STRENGTHS))


numbers = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=30, deadline=None)
@given(
    data=st.data(),
    names=st.lists(st.text(st.characters(codec="utf-8")), max_size=4),
    intercept=numbers,
)
def test_a_model_comes_back_from_json_as_it_was(
    data: st.DataObject, names: list[str], intercept: float, tmp_path_factory
) -> None:
    weights, mean, scale = (
        data.draw(hnp.arrays(np.float64, len(names), elements=numbers)) for _ in range(3)
    )
    model = LinearModel(
        names=tuple(names),
        weights=weights,
        intercept=intercept,
        mean=mean,
        scale=scale,
        strength=0.1,
        settings={"cutoff": 4.0, "species": ["A", "B"]},
        version="0.1.0",
    )
    path = tmp_path_factory.mktemp("model") / "model.json"
    model.to_json(path)
    back = LinearModel.from_json(path)
    for name in ("names", "intercept", "strength", "settings", "version"):
        assert getattr(back, name) == getattr(model, name)
    for name in ("weights", "mean", "scale"):
        np.testing.assert_array_equal(getattr(back, name), getattr(model, name))


def test_a_model_is_text_that_a_person_can_read(tmp_path: Path) -> None:
    model, X, _ = small_model()
    model.to_json(tmp_path / "a.json")
    model.to_json(tmp_path / "b.json")
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.json").read_text(encoding="utf-8")
    assert '"format": "amorphace linear classifier"' in text
    back = LinearModel.from_json(tmp_path / "a.json")
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    with pytest.raises(InputError, match=r"needs features of shape \(n_sites, 2\), got \(200, 1\)"):
        back.predict_proba(X[:, :1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"m.json:1: not JSON: .*; fit again"),
        ("[]", "m.json: JSON, but not a model with the format"),
        ('{"format": "amorphace linear classifier", "format_version": 2}', "format version 2"),
        (
            '{"format": "amorphace linear classifier", "format_version": 1}',
            "the field names of LinearModel is missing; fit again",
        ),
        (
            '{"format": "amorphace linear classifier", "format_version": 1, "names": ["a"], '
            '"weights": [1, 2], "mean": [0], "scale": [1], "intercept": 0, "strength": 1, '
            '"settings": {}, "version": "0"}',
            r"m.json: weights must have shape \(1,\), got \(2,\); fit again",
        ),
        (
            '{"format": "amorphace linear classifier", "format_version": 1, "names": ["a"], '
            '"weights": [NaN], "mean": [0], "scale": [1], "intercept": 0, "strength": 1, '
            '"settings": {}, "version": "0"}',
            "m.json: weights must be finite; fit again",
        ),
    ],
)
def test_files_that_are_no_models_say_what_is_wrong(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(FileFormatError, match=message):
        LinearModel.from_json(tmp_path / "m.json")


def test_a_missing_model_and_bytes_that_are_no_text_say_so(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"cannot be read .*; check the name"):
        LinearModel.from_json(tmp_path / "m.json")
    (tmp_path / "m.json").write_bytes(b"\x80\x04\x95")  # how a pickle begins
    with pytest.raises(FileFormatError, match="not JSON: not UTF-8 text; fit again"):
        LinearModel.from_json(tmp_path / "m.json")


def test_a_classifier_needs_names_and_both_labels() -> None:
    X, y, _ = logistic_data(50, [1.0, -2.0], seed=17)
    with pytest.raises(InputError, match="2 columns need as many names, got 1"):
        fit_classifier(X, y, samples(5, 10), names=["A1"], settings={})
    with pytest.raises(InputError, match="all 50 sites have label 1; both labels are needed"):
        fit_classifier(X, np.ones(50), samples(5, 10), names=["A1", "B1"], settings={})


# ---------------------------------------------------------------- the real liquid


@pytest.mark.slow
def test_thermal_kob_andersen_needs_to_know_the_b_particles(shared: Path) -> None:
    """Fig. 3, thermal KA panel at r_cut 4; expected values from shared/data/README.md."""
    folder = shared / "data" / "ka_T0.44"
    species, activity, glasses = ("A", "B"), [], []
    for k in range(1, 11):
        name = f"sample_{k:02d}"
        before = am.read(folder / f"{name}.initial.dump", species=species)
        ends = am.iread(folder / f"{name}.endpoints.dump.gz", species=species)
        activity.append(np.mean([am.d2min(before, after, cutoff=2.5) for after in ends], axis=0))
        glasses.append(am.read(folder / f"{name}.inherent.dump", species=species))
    sites = am.Sites.concatenate([am.Sites(glass) for glass in glasses])
    majority = sites.species == majority_species(sites.species)
    label = thermal_labels(np.concatenate(activity), sites.sample, majority=majority)
    ace = am.ACEDescriptor(cutoff=4.0, species=species, max_order=1, n_max=10)
    rows = np.flatnonzero(label >= 0)
    X = ace.transform(sites[rows])
    curve = accuracy_curve(X, label[rows], sites.sample[rows], n_columns=[10, 11, 20])
    assert len(rows) == 3280
    np.testing.assert_allclose(curve.mean, [0.65, 0.84, 0.91], atol=0.05)
    assert curve.mean[2] > curve.mean[1] > curve.mean[0] + 0.1
