"""What the errors say is true: coverage, pairs, chance."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.special import expit

import amorphace as am
from amorphace.dataset.describe import labelled_rows, sample_sites
from amorphace.learn.classifiers import compare_classifiers
from amorphace.learn.curves import accuracy_curve, pca_curve
from amorphace.learn.learning_curve import learning_curve
from amorphace.learn.logistic import fit_best
from amorphace.learn.results import Curve, Gain
from amorphace.learn.selection import Candidates, nested_selection
from amorphace.learn.splits import half_width, jackknife, split


def test_the_interval_widens_for_few_folds() -> None:
    scores = np.array([0.7, 0.8, 0.9, 0.8])
    naive = scores.std(ddof=1) / 2
    assert half_width(scores) == pytest.approx(1.197 * naive, rel=1e-3)
    many = np.resize([0.0, 1.0], 2000)
    assert half_width(many) == pytest.approx(0.5 / np.sqrt(2000), rel=1e-2)
    assert np.isnan(half_width([0.8]))
    assert half_width([0.7, np.nan, 0.9]) == half_width([0.7, 0.9])


def uneven(n_samples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples of 40 sites, in each of which the one column tells more or less."""
    slope = np.repeat(rng.normal(1.2, 0.8, n_samples), 40)
    x, groups = rng.normal(size=40 * n_samples), np.repeat(np.arange(n_samples), 40)
    return x[:, None], (rng.random(len(x)) < expit(slope * x)).astype(int), groups


def left_out_scores(n_samples: int, rng: np.random.Generator) -> list[float]:
    """Accuracy of the nearer mean in each sample, learned from the others."""
    X, y, groups = uneven(n_samples, rng)
    scores = []
    for fold in split(y, groups, n_splits=n_samples):
        x, label = X[fold.train, 0], y[fold.train]
        low, high = x[label == 0].mean(), x[label == 1].mean()
        active = (X[fold.test, 0] > (low + high) / 2) == (high > low)
        scores.append(float((active == y[fold.test]).mean()))
    return scores


def test_two_of_three_intervals_hold_the_true_accuracy() -> None:
    rng, k = np.random.default_rng(0), 6
    drawn = np.array([left_out_scores(k, rng) for _ in range(400)])
    away = abs(drawn.mean(axis=1) - drawn.mean())  # from what as many training samples give
    held = np.mean(away < [half_width(scores) for scores in drawn])
    naive = np.mean(away < drawn.std(axis=1, ddof=1) / np.sqrt(k))
    # of 400 draws the error is 0.023
    assert 0.63 <= held <= 0.75
    assert naive < held - 0.03


def test_gains_are_paired_by_the_samples_that_are_tested() -> None:
    def curve(folds: tuple[str, ...], scores: list[float]) -> Curve:
        return Curve(
            name="accuracy", x=np.array([5]), scores={"accuracy": np.array([scores])}, folds=folds
        )

    one, other = curve(("a", "b", "c"), [0.5, 0.7, 0.9]), curve(("c", "b", "d"), [0.8, 0.6, 0.1])
    gain = Gain.of(one, 5, other)
    assert gain is not None
    assert (gain.mean, gain.n_folds) == (pytest.approx(0.1), 2)
    assert gain.error == pytest.approx(0, abs=1e-12)
    assert Gain.of(one, 4, other) is None
    assert Gain.of(one, 5, curve(("x", "y", "z"), [1, 1, 1])) is None
    nameless = Gain.of(curve((), [0.5, 0.7]), 5, curve((), [0.4, 0.8]))
    assert nameless is not None
    assert nameless.mean == pytest.approx(0)


def test_the_jackknife_knows_the_error_of_a_mean_and_of_weights() -> None:
    rng, k = np.random.default_rng(1), 8
    held = []
    for _ in range(200):
        groups = rng.normal(size=(k, 30)).mean(axis=1)
        left_out = (groups.sum() - groups) / (k - 1)
        held.append(abs(left_out.mean()) < jackknife(left_out))
    assert 0.6 <= np.mean(held) <= 0.76  # of 200 draws the error is 0.033
    assert jackknife(np.zeros((3, 4, 5))).shape == (3, 4)
    assert np.isnan(jackknife(np.ones((3, 1)))).all()


def curves_of_shuffled_labels(rng: np.random.Generator) -> list[Curve]:
    """Every curve, of columns that say nothing but which sample a site is of."""
    n_samples, per_sample = 5, 40
    groups = np.repeat(np.arange(n_samples), per_sample)
    X = rng.normal(size=(len(groups), 6)) + rng.normal(size=(n_samples, 1))[groups]
    y = np.concatenate([rng.permutation(np.arange(per_sample) % 2) for _ in range(n_samples)])
    data = (X, y, groups)
    options = {"n_splits": n_samples, "n_inner_splits": 2, "strengths": [10.0, 0.1]}
    return [
        accuracy_curve(*data, n_columns=[1, 6], **options),
        pca_curve(*data, n_components=[1, 4], **options),
        learning_curve(*data, points=[2, 4], n_draws=1, **options),
        *compare_classifiers(*data, svm_strengths=[100.0], **options)[:2],
        nested_selection(Candidates.of(*data, n_steps=3, **options)),
        nested_selection(Candidates.of(*data, n_steps=3, pairs=True, **options)),
    ]


def test_shuffled_labels_are_chance_for_every_curve() -> None:
    rng = np.random.default_rng(2)
    drawn = [curves_of_shuffled_labels(rng) for _ in range(3)]
    mean = np.array([np.concatenate([c.mean for c in curves]) for curves in drawn])
    error = np.array([np.concatenate([c.error for c in curves]) for curves in drawn])
    # of 3 x 200 sites a mean has the error 0.02; of 14 points one is beyond 3 in 4 %
    assert abs(mean.mean(axis=0) - 0.5).max() < 3 * 0.5 / np.sqrt(3 * 200)
    held = np.mean(abs(mean - 0.5) < error)
    assert held >= 0.4  # of 42 intervals, those of one draw much alike


@pytest.mark.slow
def test_intervals_of_samples_of_the_real_liquid_hold_its_accuracy(ka_liquid) -> None:
    """Thermal KA at T = 0.44, 20 radial columns: draws of 3, 4 and 5 of the ten samples."""
    labels, glasses = ka_liquid
    ace = am.ACEDescriptor(cutoff=4.0, species=("A", "B"), max_order=1, n_max=10)
    table = labelled_rows(labels, centres=None, provenance={})
    X = [ace.transform(sites) for sites in sample_sites(table, glasses)]
    y = [table.label[table.sample == k] for k in range(len(glasses))]
    shares = {k: coverage(X, y, k) for k in (3, 4, 5)}
    print(shares)
    assert 0.6 <= np.mean(list(shares.values())) <= 0.75, shares


def coverage(X: list[np.ndarray], y: list[np.ndarray], k: int) -> float:
    """Share of intervals from k samples, each left out in turn, that hold the mean of all.

    k of N samples drawn without replacement are nearer to the mean of all than k of infinitely
    many: deviations are divided by sqrt((N - k)/(N - 1)).
    """
    n = len(X)
    found: dict[tuple[tuple[int, ...], int], float] = {}
    for train in combinations(range(n), k - 1):
        rows = [X[j] for j in train], [y[j] for j in train]
        fit = fit_best(np.concatenate(rows[0]), np.concatenate(rows[1]), (), [1.0])
        for test in set(range(n)) - set(train):
            found[train, test] = float(((fit.decision(X[test]) > 0) == y[test]).mean())
    truth = np.mean(list(found.values()))
    held = []
    for drawn in combinations(range(n), k):
        scores = [found[tuple(j for j in drawn if j != test), test] for test in drawn]
        away = abs(np.mean(scores) - truth) / np.sqrt((n - k) / (n - 1))
        held.append(away < half_width(scores))
    return float(np.mean(held))
