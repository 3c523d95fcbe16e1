"""Forward selection: the picks of the slow way, found by the fast one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns
from amorphace.learn import forward
from amorphace.learn.curves import accuracy_curve
from amorphace.learn.forward import fit_bordered
from amorphace.learn.logistic import fit_best
from amorphace.learn.results import Curve
from amorphace.learn.selection import (
    Candidates,
    forward_selection,
    nested_selection,
    twins,
)
from amorphace.learn.splits import split
from amorphace.learn.stability import ALPHA, permutation_test, selection_stability


def correlated(
    n: int, weights: list[float], seed: int, *, n_samples: int = 8
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns that share a part, labels drawn from eq. 11, and samples of unequal size."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, len(weights))) + 0.7 * rng.normal(size=(n, 1))
    y = (rng.random(n) < expit(X @ np.array(weights))).astype(int)
    return X * 10.0 ** rng.integers(-3, 3, len(weights)), y, rng.integers(0, n_samples, n)


def picked(selection: Curve) -> list[int]:
    """Columns that were picked, of columns that have no names."""
    return [int(name.removeprefix("column ")) - 1 for name in selection.labels]


@pytest.mark.parametrize("seed", range(3))
def test_the_picks_are_those_of_scikit_learn(seed: int) -> None:
    X, y, groups = correlated(230, [1.0, -1.0, 0.0, 0.6, 0.0, -0.3, 0.0], seed)
    folds = [(fold.train, fold.test) for fold in split(y, groups, n_splits=5)]
    peer = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8, max_iter=1000))
    found, _ = forward_selection(Candidates.of(X, y, groups, n_steps=4, strengths=[1.0]))
    for n in (1, 2, 4):
        search = SequentialFeatureSelector(peer, n_features_to_select=n, cv=folds).fit(X, y)
        support = set(np.flatnonzero(search.get_support()).tolist())
        assert set(picked(found)[:n]) == support


def test_the_accuracy_of_a_step_is_that_of_a_fit_to_the_picks() -> None:
    X, y, groups = correlated(200, [1.0, -1.0, 0.0, 0.6], 5)
    found, _ = forward_selection(Candidates.of(X, y, groups, n_steps=3, strengths=[0.3]))
    for step in range(3):
        picks = picked(found)[: step + 1]
        for f, fold in enumerate(split(y, groups, n_splits=5)):
            fit = fit_best(X[np.ix_(fold.train, picks)], y[fold.train], (), [0.3])
            right = (fit.decision(X[np.ix_(fold.test, picks)]) > 0) == y[fold.test]
            assert found.values[step, f] == right.mean()


def test_bordered_fits_are_the_fits_of_base_and_column_together() -> None:
    X, y, _ = correlated(150, [2.0, -1.0, 0.0, 0.6], 6)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    base = np.vstack([np.ones(150), Z[:, :2].T])
    theta = fit_bordered(base, Z[:, 2:].T, y.astype(float), np.zeros(3), 0.1)
    for j in range(2):
        fit = fit_best(Z[:, [0, 1, 2 + j]], y, (), [0.1])
        # both stop at a gradient of 1e-6 of the mean loss, whose curvature is of order 0.1
        np.testing.assert_allclose(theta[j], [fit.intercept, *fit.weights], atol=1e-4)


def test_the_column_that_decides_is_picked_first_and_its_copy_is_a_twin() -> None:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(400, 6))
    y = (X[:, 3] + 0.4 * X[:, 1] > 0).astype(int)
    X = np.column_stack([X, X[:, 3]])
    columns = names(7)
    groups = np.arange(400) % 10
    found, alone = forward_selection(
        Candidates.of(X, y, groups, n_steps=2, columns=columns, scope="all")
    )
    assert found.labels == ("c3", "c1")  # of equal columns the first, though the last is as good
    assert twins(alone) == ("c3", "c6")
    assert found.variant == alone.variant == "all"
    assert found.mean[1] > 0.95 > found.mean[0]


def names(n: int) -> Columns:
    z = [[0]] * n
    return Columns(names=[f"c{k}" for k in range(n)], order=[1] * n, z=z, n=z, l=z)


def test_only_candidates_are_picked_and_no_more_than_there_are() -> None:
    X, y, groups = correlated(200, [3.0, -1.0, 0.0, 0.6], 8)
    found, alone = forward_selection(
        Candidates.of(X, y, groups, candidates=[3, 1], n_steps=9, columns=names(4))
    )
    assert sorted(found.labels) == ["c1", "c3"]
    assert alone.x.tolist() == [2, 4]
    assert alone.labels == ("c1", "c3")
    assert alone.values.shape == (2, 5)


def test_a_column_that_is_constant_in_the_training_rows_tells_nothing() -> None:
    X, y, groups = correlated(200, [3.0, 0.0], 9)
    spike = np.where(groups == 0, np.random.default_rng(0).normal(size=200) * 1e9, 7.0)
    with_spike = np.column_stack([X, np.full(200, -3.3), spike])
    found, _ = forward_selection(
        Candidates.of(with_spike, y, groups, candidates=[0, 2, 3], n_steps=3)
    )
    assert picked(found)[0] == 0
    alone, _ = forward_selection(Candidates.of(X, y, groups, n_steps=1))
    fold = next(f for f, s in enumerate(split(y, groups, n_splits=5)) if 0 in groups[s.test])
    assert found.values[2, fold] == alone.values[0, fold]


def test_blocks_of_candidates_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, groups = correlated(200, [1.0, -1.0, 0.0, 0.6, 0.2], 10)
    whole, _ = forward_selection(Candidates.of(X, y, groups, n_steps=4))
    monkeypatch.setattr(forward, "BLOCK_VALUES", 1)
    one_by_one, _ = forward_selection(Candidates.of(X, y, groups, n_steps=4))
    assert whole.labels == one_by_one.labels
    np.testing.assert_array_equal(whole.values, one_by_one.values)


def test_separable_labels_at_a_weak_strength_converge() -> None:
    X, _, groups = correlated(100, [1.0, 1.0], 11)
    y = (X[:, 0] > np.median(X[:, 0])).astype(int)
    found, _ = forward_selection(Candidates.of(X, y, groups, n_steps=2, strengths=[1e-6]))
    assert found.mean[0] > 0.95


def test_a_fit_that_does_not_converge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, groups = correlated(100, [1.0, 1.0], 12)
    monkeypatch.setattr(forward, "MAX_STEPS", 1)
    with pytest.raises(InputError, match=r"does not converge at strength 1; choose a larger"):
        forward_selection(Candidates.of(X, y, groups, strengths=[1.0]))


def test_twenty_picks_of_twenty_columns_score_as_twenty_columns_do() -> None:
    X, y, groups = correlated(400, [1.0, -0.5] + [0.0] * 6, 13)
    X /= X.std(axis=0)
    found, _ = forward_selection(Candidates.of(X, y, groups, n_steps=8))
    curve = accuracy_curve(X, y, groups, n_columns=[8])
    np.testing.assert_array_equal(found["strength"][-1], curve["strength"][0])
    np.testing.assert_array_equal(found["accuracy"][-1], curve["accuracy"][0])
    assert len(np.unique(found["strength"])) > 1  # there was a choice


def test_a_pair_that_says_nothing_alone_is_found_by_looking_at_pairs() -> None:
    rng = np.random.default_rng(14)
    loud, quiet = rng.normal(size=(2, 600))
    X = np.column_stack([rng.normal(size=600), 5 * loud + quiet, 5 * loud, 0.4 * quiet])
    X[:, 3] += rng.normal(size=600)
    y, groups = (quiet > 0).astype(int), np.arange(600) % 6
    greedy, alone = forward_selection(Candidates.of(X, y, groups, n_steps=2, columns=names(4)))
    both, _ = forward_selection(
        Candidates.of(X, y, groups, n_steps=2, columns=names(4), pairs=True)
    )
    assert alone.mean[[1, 2]].max() < 0.6
    assert greedy.labels[0] == "c3"
    assert set(both.labels) == {"c1", "c2"}
    assert both.mean[1] > 0.95 > greedy.mean[1] + 0.1
    assert both.labels[0] == "c1"  # the better of the two, if barely


# ---------------------------------------------------------------- what a selection is worth


def test_shuffled_labels_flatter_a_selection_but_not_a_nested_one() -> None:
    rng = np.random.default_rng(15)
    X, y, groups = rng.normal(size=(240, 30)), np.arange(240) % 2, np.arange(240) // 2 % 6
    options = {"n_steps": 4, "strengths": [1.0], "n_splits": 6}
    flattered, _ = forward_selection(Candidates.of(X, y, groups, **options))
    nested = nested_selection(Candidates.of(X, y, groups, **options))
    assert nested.folds == flattered.folds == tuple("012345")
    assert nested.x.tolist() == [1, 2, 3, 4]
    assert (flattered.mean[2:] > 0.5 + 2 * flattered.error[2:]).all()
    # four correlated points: each within 3 half-widths, which a mean of six leaves in 2 %
    assert (abs(nested.mean - 0.5) < 3 * nested.error).all()


def test_a_nested_selection_finds_what_is_there() -> None:
    X, y, groups = correlated(400, [3.0, 0.0, -3.0, 0.0], 16)
    found = nested_selection(Candidates.of(X, y, groups, n_steps=2, n_inner_splits=3))
    whole = accuracy_curve(X, y, groups, n_columns=[4])
    assert found.mean[1] > whole.mean[0] - 0.03


def test_a_test_sample_takes_no_part_in_the_selection_that_it_judges() -> None:
    X, y, groups = correlated(300, [1.0, 0.8, 0.6, 0.4, 0.2], 17, n_samples=5)
    found = nested_selection(Candidates.of(X, y, groups, n_steps=2, strengths=[1.0]))
    for k, fold in enumerate(split(y, groups, n_splits=5)[:2]):
        turned = y.copy()
        turned[fold.test] = 1 - y[fold.test]
        other = nested_selection(Candidates.of(X, turned, groups, n_steps=2, strengths=[1.0]))
        np.testing.assert_allclose(other.values[:, k], 1 - found.values[:, k])


def test_as_many_columns_carry_something_as_were_planted() -> None:
    rng = np.random.default_rng(18)
    X, groups = rng.normal(size=(500, 8)), np.arange(500) % 5
    y = (rng.random(500) < expit(2 * X[:, 6] - 1.5 * X[:, 1])).astype(int)
    data = Candidates.of(X, y, groups, n_steps=5, strengths=[1.0])
    selection, _ = forward_selection(data)
    found = permutation_test(data, selection)
    assert (found["p"][:, 0] <= ALPHA).tolist() == [True, True, False]
    assert found.labels == ("column 7", "column 2", selection.labels[2])
    np.testing.assert_allclose(found["accuracy"][:2, 0], selection.mean[:2])
    assert (found["chance"][0] < 0.6).all()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"n_steps": 0}, "n_steps must be at least 1, got 0"),
        ({"strengths": [0.0]}, "strengths must be positive numbers"),
        ({"candidates": [2]}, "candidates must be column indices from 0 to 1, at least one"),
        ({"candidates": []}, "candidates must be column indices from 0 to 1, at least one"),
        ({"columns": names(3)}, "X has 2 columns, `columns` describes 3"),
        ({"n_splits": 9}, "9 folds grouped by sample need at least 9 samples, got 8"),
        ({"X": np.full((100, 2), np.nan)}, r"X\[0, 0\] is nan; features must be finite"),
    ],
)
def test_selections_that_cannot_be_made_say_why(change, text) -> None:
    X, y, groups = correlated(100, [1.0, 1.0], 14)
    given = {"X": X, **change}
    with pytest.raises(InputError, match=text):
        forward_selection(Candidates.of(given.pop("X"), y, groups, **given))


# ---------------------------------------------------------------- stability


def test_a_decisive_column_is_picked_in_every_run_and_its_near_copies_share() -> None:
    rng = np.random.default_rng(15)
    shared = rng.normal(size=600)
    near = shared[:, None] + 0.5 * rng.normal(size=(600, 3))
    decisive = rng.normal(size=600)
    X = np.column_stack([near, decisive, rng.normal(size=600)])
    y = (2 * decisive + shared > 0).astype(int)
    groups = np.arange(600) % 8
    data = Candidates.of(X, y, groups, n_steps=2, columns=names(5), scope="five")
    found, left_out = selection_stability(data, n_resamples=8)
    assert found.labels[0] == "c3"
    frequency = np.isfinite(found.values).mean(axis=1)
    share = dict(zip(found.labels, frequency, strict=True))
    assert share["c3"] == 1.0
    assert max(share.get(f"c{k}", 0) for k in range(3)) < 1  # no one of the three is firm
    assert frequency.sum() == pytest.approx(2)
    assert (found.values[0] == 1).all()
    assert (found.values.shape[1], left_out.values.shape[1]) == (8, 5)
    for runs in (found, left_out):
        assert (np.sort(runs.values, axis=0)[:2] == [[1], [2]]).all()
        assert runs.variant == "five"


def picks_of(runs: Curve) -> list[dict[str, float]]:
    """Columns that each run picks, and when."""
    return [
        {name: step for name, step in zip(runs.labels, run, strict=True) if step > 0}
        for run in runs.values.T.tolist()
    ]


def test_the_same_seed_draws_the_same_samples() -> None:
    X, y, groups = correlated(240, [0.3, 0.3, 0.3, 0.2], 16)
    data = Candidates.of(X, y, groups, n_steps=2)
    one, again, other = (selection_stability(data, n_resamples=5, seed=seed) for seed in (3, 3, 4))
    assert picks_of(one[0]) == picks_of(again[0])
    assert picks_of(one[0]) != picks_of(other[0])
    assert picks_of(one[1]) == picks_of(other[1])  # in which nothing is random


def test_two_samples_have_no_stability() -> None:
    X, y, groups = correlated(100, [1.0, 1.0], 17, n_samples=2)
    with pytest.raises(InputError, match="needs at least 3 samples to draw from, got 2"):
        selection_stability(Candidates.of(X, y, groups))
