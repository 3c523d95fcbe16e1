"""Classifiers, components, learning curves, ARD regression, distributions: planted answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.linear_model import ARDRegression
from sklearn.metrics import auc, roc_auc_score

from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns, Table
from amorphace.learn import classifiers, logistic, newton
from amorphace.learn.ard import ard_curve, fit_ard
from amorphace.learn.classifiers import compare_classifiers
from amorphace.learn.curves import accuracy_curve, pca_curve
from amorphace.learn.distributions import distribution, radial_distributions
from amorphace.learn.fit import descriptor_settings, fit_model, labelled_sites
from amorphace.learn.learning_curve import learning_curve
from amorphace.learn.logistic import fit_best
from amorphace.learn.newton import Problem, Solver
from amorphace.learn.probabilities import calibration, receiver_operating
from amorphace.learn.splits import split


def samples(n_samples: int, per_sample: int) -> np.ndarray:
    return np.repeat(np.arange(n_samples), per_sample)


def drawn(n: int, weights: list[float], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Normal columns, and labels drawn from eq. 11 with these weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, len(weights)))
    return X, (rng.random(n) < expit(X @ np.array(weights))).astype(int)


# ---------------------------------------------------------------- fits made together


def test_fits_made_together_are_the_fits_made_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-9)
    X, y = drawn(240, [2.0, -1.0, 0.5] + [0.0] * 30, seed=1)
    X[:, 5:] += X[:, :1]  # strongly correlated
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    rows = [np.delete(np.arange(240), np.arange(k * 60, (k + 1) * 60)) for k in range(4)]
    together = Solver(Problem.of(Z, y, rows))
    theta = together.problem.start
    for strength in (100.0, 1.0, 0.01):
        theta = together.solve(strength, theta, 1e-9)
        for j, chosen in enumerate(rows):
            alone = fit_best(X[chosen], y[chosen], (), [strength])
            f = together.problem.Z @ theta[:, j]
            # the gradient of the mean loss is 1e-9, the least curvature 1e-4 at strength 0.01
            np.testing.assert_allclose(f[chosen], alone.decision(X[chosen]), atol=1e-4)


def test_more_columns_than_sites_are_no_trouble_for_fits_made_together() -> None:
    X, y = drawn(40, [2.0] + [0.0] * 99, seed=2)
    rows = [np.arange(0, 30), np.arange(10, 40)]
    solver = Solver(Problem.of(X, y, rows))
    theta = solver.solve(0.01, solver.problem.start, 1e-8)
    for j, chosen in enumerate(rows):
        assert (((solver.problem.Z @ theta[:, j]) > 0) == y)[chosen].all()


def test_a_column_that_is_constant_in_one_fit_has_no_weight_there() -> None:
    X, y = drawn(100, [1.0, 1.0], seed=3)
    X[:50, 1] = 0.0
    solver = Solver(Problem.of(X, y, [np.arange(50), np.arange(100)]))
    theta = solver.solve(0.1, solver.problem.start, 1e-8)
    assert theta[1, 0] == 0.0
    assert abs(theta[1, 1]) > 0.1


def test_conjugate_gradients_take_over_where_the_factor_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = drawn(200, [2.0] * 3 + [0.0] * 30, seed=4)
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-9)
    fresh = fit_best(X, y, (), [0.1])
    monkeypatch.setattr(newton, "STALE", 1000)
    monkeypatch.setattr(newton, "FEW", 0)
    kept = fit_best(X, y, (), [0.1])
    np.testing.assert_allclose(kept.weights, fresh.weights, atol=1e-6)


# ---------------------------------------------------------------- classifiers


def test_a_support_vector_machine_agrees_with_logistic_regression() -> None:
    X, y = drawn(1000, [3.0, -2.0, 0.0, 0.0], seed=5)
    seen: list[tuple[int, int]] = []
    scores = compare_classifiers(
        X,
        y,
        samples(10, 100),
        n_columns=[1, 4],
        n_inner_splits=2,
        strengths=[10.0, 1.0],
        svm_strengths=[100.0, 10.0],
        progress=lambda *a: seen.append(a),
    )
    logistic, svm, *more = scores
    assert (logistic.variant, svm.variant, logistic.x.tolist()) == ("logistic", "svm", [1, 4])
    assert np.abs(logistic.mean - svm.mean).max() < 0.015
    assert [(c.name, c.variant, c.n_columns) for c in more] == [
        (name, kind, n)
        for n in (1, 4)
        for name, kind in (("roc", "logistic"), ("calibration", "logistic"), ("roc", "svm"))
    ]
    assert logistic.mean[1] > logistic.mean[0] + 0.05
    assert seen[-1] == (20, 20)
    curve = accuracy_curve(
        X, y, samples(10, 100), n_columns=[4], n_inner_splits=2, strengths=[10.0, 1.0]
    )
    np.testing.assert_array_equal(logistic["accuracy"][1], curve["accuracy"][0])
    np.testing.assert_array_equal(logistic["roc_auc"][1], curve["roc_auc"][0])


def test_probabilities_drawn_from_the_model_are_calibrated() -> None:
    X, y = drawn(4000, [2.0, -1.0], seed=6)
    found = compare_classifiers(
        X, y, samples(8, 500), n_inner_splits=2, strengths=[1.0], svm_strengths=[100.0]
    )
    (c,) = (curve for curve in found if curve.name == "calibration")
    p = expit(X @ [2.0, -1.0])
    assert c["brier"] == pytest.approx(((p - y) ** 2).mean(), abs=0.003)
    assert c["error"].max() < 4 * 0.5 / np.sqrt(400)
    assert c["count"].sum() == 4000


def test_calibration_counts_what_it_says() -> None:
    c = calibration([0.05, 0.15, 0.95, 1.0], [0, 1, 1, 1], n_bins=5)
    assert c["count"][:, 0].tolist() == [2, 0, 0, 0, 2]
    np.testing.assert_allclose(c["predicted"][[0, 4], 0], [0.1, 0.975])
    np.testing.assert_allclose(c.mean[[0, 4]], [0.5, 1.0])
    assert np.isnan(c["predicted"][1:4]).all()  # an empty bin has no mean
    assert c["error"] == pytest.approx((0.4 + 0.025) / 2)
    assert c["brier"] == pytest.approx((0.05**2 + 0.85**2 + 0.05**2) / 4)


def test_the_area_under_the_roc_curve_is_the_chance_that_active_sites_rank_higher() -> None:
    rng = np.random.default_rng(3)
    y = np.arange(3000) % 2
    decision = rng.normal(size=3000) + 1.5 * y
    curve = receiver_operating(decision, y)
    area = auc(curve.x, curve.mean)
    assert area == pytest.approx(roc_auc_score(y, decision), abs=0.005)
    assert (np.diff(curve.mean) >= 0).all()
    assert curve.mean[-1] == 1
    perfect = receiver_operating(y, y)
    assert (perfect.values == 1).all()


@pytest.mark.parametrize(
    ("p", "y", "text"),
    [
        ([0.5, 1.2], [0, 1], "probabilities must lie from 0 to 1"),
        ([0.5], [0, 1], r"got \(1,\), \(2,\)"),
        ([], [], "must have the same shape"),
    ],
)
def test_what_is_no_probability_is_refused(p, y, text) -> None:
    with pytest.raises(InputError, match=text):
        calibration(p, y)


def test_a_support_vector_machine_that_does_not_converge_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(classifiers, "SVM_STEPS", 1)
    X, y = drawn(100, [1.0, 1.0], seed=7)
    with pytest.raises(InputError, match="support vector machine of 80 sites on 2 columns does no"):
        compare_classifiers(X, y, samples(10, 10), strengths=[1.0], svm_strengths=[1e-3])


# ---------------------------------------------------------------- principal components


def test_components_of_large_variance_need_not_be_those_that_tell() -> None:
    rng = np.random.default_rng(8)
    loud, quiet = rng.normal(size=(2, 600))
    X = np.column_stack([loud + 0.3 * quiet, loud - 0.3 * quiet, loud, loud + 0.0])
    y = (quiet > 0).astype(int)
    curve = pca_curve(X, y, samples(6, 100), n_components=[1, 2], strengths=[1.0])
    assert curve.mean[0] < 0.6
    assert curve.mean[1] > 0.95
    assert (curve.name, curve.labels) == ("pca", ("PC 1", "PC 2"))


def test_components_are_those_of_the_standardised_training_rows() -> None:
    X, y = drawn(300, [1.0, -1.0, 0.5, 0.0], seed=9)
    X = X @ np.random.default_rng(0).normal(size=(4, 4)) * [1, 100, 1e-3, 1]
    groups = samples(6, 50)
    curve = pca_curve(X, y, groups, n_components=[2], strengths=[1.0], n_splits=2)
    for f, fold in enumerate(split(y, groups, n_splits=2)):
        mean, std = X[fold.train].mean(axis=0), X[fold.train].std(axis=0)
        pca = PCA(2).fit((X[fold.train] - mean) / std)
        train, test = (pca.transform((X[rows] - mean) / std) for rows in (fold.train, fold.test))
        fit = fit_best(train, y[fold.train], (), [1.0])
        assert curve["accuracy"][0, f] == ((fit.decision(test) > 0) == y[fold.test]).mean()


def test_components_are_as_many_as_columns_and_no_more() -> None:
    X, y = drawn(100, [1.0, 1.0, 0.0], seed=10)
    curve = pca_curve(X, y, samples(5, 20), strengths=[1.0])
    assert curve.x.tolist() == [1, 2, 3]
    with pytest.raises(InputError, match="n_components must be whole numbers from 1 to 3"):
        pca_curve(X, y, samples(5, 20), n_components=[4])


# ---------------------------------------------------------------- learning curves


def test_more_samples_teach_more_and_the_training_rows_flatter() -> None:
    X, y = drawn(600, [1.5, -1.5] + [0.0] * 30, seed=11)
    groups = samples(6, 100)
    curve = learning_curve(X, y, groups, points=[1, 4], n_splits=3, strengths=[1.0], n_draws=2)
    assert curve.labels == ("1", "4")
    assert curve.x.tolist() == [100, 400]
    assert curve["test"].mean(axis=1)[1] > curve["test"].mean(axis=1)[0] + 0.02
    assert (curve["train"].mean(axis=1) > curve["test"].mean(axis=1)).all()
    whole = accuracy_curve(X, y, groups, n_columns=[32], n_splits=3, strengths=[1.0])
    np.testing.assert_array_equal(curve["test"][1], whole["accuracy"][0])
    assert curve.n_columns == 32


def test_a_share_of_the_sites_keeps_every_label() -> None:
    X, y = drawn(400, [1.5, -1.5], seed=12)
    curve = learning_curve(
        X, y, samples(5, 80), vary="sites", points=[0.1, 1.0], strengths=[10.0, 1.0], n_draws=2
    )
    np.testing.assert_allclose(curve.x, [32, 320], atol=1)
    assert curve.labels == ("4", "4")
    assert curve.variant == "sites"


def test_one_sample_chooses_its_strength_by_random_folds_and_default_points_end_with_all() -> None:
    X, y = drawn(160, [1.5, -1.5], seed=13)
    curve = learning_curve(X, y, samples(8, 20), n_splits=4, strengths=[10.0, 1.0], n_draws=1)
    assert curve.labels == ("1", "2", "3", "4", "6")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"points": [5]}, "points must be whole numbers of samples from 1 to 4"),
        ({"points": [1.5]}, "points must be whole numbers of samples from 1 to 4"),
        ({"points": []}, "points must be whole numbers of samples from 1 to 4"),
        ({"vary": "sites", "points": [0.0]}, "points must be shares of the sites, above 0 to 1"),
        ({"vary": "cells"}, "vary must be 'samples' or 'sites', got 'cells'"),
        ({"n_draws": 0}, "n_draws must be at least 1, got 0"),
    ],
)
def test_learning_curves_without_meaning_are_refused(options, text) -> None:
    X, y = drawn(50, [1.0], seed=14)
    with pytest.raises(InputError, match=text):
        learning_curve(X, y, samples(5, 10), **options)


# ---------------------------------------------------------------- ARD regression


@pytest.mark.parametrize("shape", [(200, 12), (30, 40)])
def test_the_weights_are_those_of_scikit_learn(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(15)
    X = rng.normal(size=shape) + rng.normal(size=(shape[0], 1))
    t = X[:, 0] - 2 * X[:, 3] + 0.3 * rng.normal(size=shape[0])
    fit = fit_ard(X, 5 + 100 * t)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    peer = ARDRegression().fit(Z, (t - t.mean()) / t.std())
    scale = 100 * t.std()
    # both stop when the weights change by 1e-3 in all; the steps before are the same
    np.testing.assert_allclose(fit.weights / scale, peer.coef_, atol=1e-6)
    expected = 5 + 100 * t.mean() + scale * (Z @ peer.coef_)
    np.testing.assert_allclose(fit.predict(X), expected, atol=1e-6 * scale * len(t))
    assert fit.n_steps == peer.n_iter_


def test_columns_without_relevance_are_left_out_and_planted_ones_found() -> None:
    rng = np.random.default_rng(16)
    X = rng.normal(size=(500, 30))
    fit = fit_ard(X, 3 * X[:, 4] - X[:, 7] + 0.5 * rng.normal(size=500))
    assert abs(fit.weights[4] / fit.scale[4] - 3) < 0.1
    assert abs(fit.weights[7] / fit.scale[7] + 1) < 0.1
    others = np.delete(fit.weights, [4, 7])
    assert (others == 0).sum() > 15


def test_the_correlation_rises_when_the_planted_column_enters() -> None:
    rng = np.random.default_rng(17)
    X = rng.normal(size=(600, 4))
    t = np.exp(X[:, 2] + 0.3 * rng.normal(size=600))
    options = {"n_columns": [2, 3, 4], "n_splits": 3}
    plain = ard_curve(X, t, samples(6, 100), **options)
    log = ard_curve(X, t, samples(6, 100), log_target=True, name="d2", **options)
    best = 1 / np.sqrt(1.09)  # correlation of a + noise with a, noise of variance 0.09
    np.testing.assert_allclose(log["pearson"][1:].mean(axis=1), best, atol=0.02)
    assert np.nanmax(np.abs(log["pearson"][0])) < 0.3
    assert (plain["pearson"][1:].mean(axis=1) < log["pearson"][1:].mean(axis=1)).all()
    assert (plain["spearman"][1:].mean(axis=1) > plain["pearson"][1:].mean(axis=1)).all()
    assert (log.variant, log.x.tolist()) == ("log d2", [2, 3, 4])
    assert (log["n_kept"][1:] >= 1).all()


def test_a_target_that_does_not_vary_has_no_correlation() -> None:
    X = np.random.default_rng(18).normal(size=(60, 3))
    curve = ard_curve(X, np.full(60, 2.5), samples(6, 10), n_columns=[3], n_splits=3)
    assert np.isnan(curve["pearson"]).all()
    np.testing.assert_allclose(fit_ard(X, np.full(60, 2.5)).predict(X), 2.5)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"t": -np.ones(20), "log_target": True}, "the logarithm needs a positive target, got -1"),
        ({"t": np.full(20, np.nan)}, "the target is nan at row 0; leave out the particles"),
        ({"X": np.full((20, 2), np.inf)}, r"X\[0, 0\] is inf; features must be finite"),
        ({"t": np.ones(3)}, r"got \(20, 2\), \(3,\) and \(20,\)"),
        ({"groups": np.zeros(3)}, r"got \(20, 2\), \(20,\) and \(3,\)"),
        ({"groups": samples(2, 10)}, "5 folds grouped by sample need at least 5 samples, got 2"),
        ({"n_columns": [3]}, "n_columns must be whole numbers from 1 to 2"),
    ],
)
def test_targets_that_cannot_be_learned_are_refused(change, text) -> None:
    X = np.random.default_rng(19).normal(size=(20, 2))
    given = {"X": X, "t": X[:, 0], "groups": samples(10, 2), **change}
    with pytest.raises(InputError, match=text):
        ard_curve(given.pop("X"), given.pop("t"), given.pop("groups"), **given)


def test_folds_of_a_target_keep_samples_whole_or_ignore_them() -> None:
    groups = samples(4, 5)
    for fold in split(None, groups, n_splits=4):
        assert not set(groups[fold.train]) & set(groups[fold.test])
    mixed = split(None, groups, n_splits=4, folds="random", seed=1)
    assert any(set(groups[fold.train]) & set(groups[fold.test]) for fold in mixed)
    with pytest.raises(InputError, match="21 folds need at least 21 sites, got 20"):
        split(None, groups, n_splits=21, folds="random")


# ---------------------------------------------------------------- distributions


def test_two_normal_distributions_are_told_apart_as_theory_says() -> None:
    rng = np.random.default_rng(20)
    y = np.tile([0, 1], 10_000)
    d, known = distribution(rng.normal(size=20_000) - 1.0 * y, y)
    assert known["accuracy"] == pytest.approx(norm.cdf(0.5), abs=0.01)
    assert known["auc"] == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.01)
    assert known["threshold"] == pytest.approx(-0.5, abs=0.2)
    means = (known["mean_active"], known["mean_inactive"])
    assert means == pytest.approx((-1.0, 0.0), abs=0.05)
    width = d["to"][:, 0] - d.x
    assert d["active"][:, 0] @ width == pytest.approx(1)
    assert d["inactive"][:, 0] @ width == pytest.approx(1)
    assert (known["n_active"], known["n_inactive"]) == (10_000, 10_000)


def test_a_column_that_decides_is_split_between_the_classes() -> None:
    _, known = distribution([3.0, 1.0, 4.0, 2.0], [1, 0, 1, 0])
    assert (known["threshold"], known["accuracy"], known["auc"]) == (2.5, 1.0, 1.0)
    _, flat = distribution([1.0, 1.0, 1.0], [1, 0, 1])
    assert (flat["accuracy"], flat["auc"]) == (0.5, 0.5)


def two_species_table(**changes) -> Table:
    rng = np.random.default_rng(21)
    label = np.tile([0, 1, -1, 1, 0], 20)
    X = rng.normal(size=(100, 3)) + label[:, None] * [0.0, 5.0, 0.0]
    z = [[0], [1], [0]]
    fields = {
        "sample": samples(5, 20),
        "particle_id": np.arange(100),
        "species": ["A"] * 99 + ["B"],
        "label": label,
        "features": {2.0: X},
        "columns": Columns(names=["A1", "B1", "A2"], order=[1] * 3, z=z, n=[[1], [1], [2]], l=z),
        "sample_names": [f"s{k}" for k in range(5)],
        "provenance": {"parameters": {"species": ["A", "B"], "n_max": 2, "cutoffs": [2.0]}},
    }
    return Table(**{**fields, **changes})


def test_the_first_radial_column_of_every_species_is_shown_for_labelled_sites() -> None:
    a, b, known, larger = radial_distributions(two_species_table(), 2.0)
    assert (a.variant, b.variant, known.labels) == ("A1", "B1", ("A1", "B1"))
    assert known["accuracy"][1] == 1.0
    assert known["accuracy"][0] < 0.8
    assert known["n_active"][0] + known["n_inactive"][0] == 80
    assert (larger.name, larger.labels) == ("magnitudes", ("A1", "B1"))
    other, *_ = radial_distributions(two_species_table(), 2.0, ["A2"])
    assert (other.variant, other.cutoff) == ("A2", 2.0)
    with pytest.raises(InputError, match="no column 'C1' in the table; its first are A1, B1, A2"):
        radial_distributions(two_species_table(), 2.0, ["C1"])
    with pytest.raises(InputError, match="all 100 sites have label 1; both labels are needed"):
        radial_distributions(two_species_table(label=np.ones(100)), 2.0)


# ---------------------------------------------------------------- the fitted model


def test_a_model_knows_the_descriptor_and_the_species_it_was_fitted_to() -> None:
    table = two_species_table()
    model = fit_model(table, 2.0, 2, strengths=[1.0])
    assert model.names == ("A1", "B1")
    assert model.settings == {"species": ["A", "B"], "n_max": 2, "cutoff": 2.0}
    assert model.settings == descriptor_settings(table, 2.0)
    assert model.centres == ("A", "B")
    sites = labelled_sites(table, 2.0)
    right = (model.decision_function(sites.X[:, :2]) > 0) == sites.y
    assert right.mean() > 0.95
    for n in (0, 4):
        with pytest.raises(InputError, match=f"n_columns must be from 1 to 3, .* got {n}"):
            fit_model(table, 2.0, n)
