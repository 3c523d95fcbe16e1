"""Families of columns are scored on the folds of the expansion."""

from __future__ import annotations

import numpy as np
import pytest

from amorphace.baselines import Baseline
from amorphace.learn.baselines import compare_baselines
from amorphace.learn.curves import accuracy_curve
from amorphace.learn.splits import half_width

HOW = {"n_splits": 5, "n_inner_splits": 3, "strengths": (1.0, 0.1)}


def data(n: int = 600):
    """A label that two columns tell, in ten samples."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 4))
    y = X[:, 0] + X[:, 1] + 0.5 * rng.normal(size=n) > 0
    return X, y.astype(int), np.repeat(np.arange(10), n // 10)


def test_the_same_columns_add_nothing_and_less_columns_know_less() -> None:
    X, y, groups = data()
    families = [Baseline("same", tuple("abcd"), X), Baseline("half", ("a",), X[:, :1])]
    found = compare_baselines(X, y, groups, families, **HOW)
    assert found.labels == ("ACE", "same", "half")
    assert found.x.tolist() == [4, 4, 1]
    assert not found["added"][:2].any()
    assert found["added"][2].mean() > 0.1
    assert found["added"][2].mean() > 3 * half_width(found["added"][2])
    alone = accuracy_curve(X, y, groups, n_columns=[4], **HOW)
    np.testing.assert_array_equal(found["accuracy"][0], alone.values[0])


def test_of_one_quantity_at_several_lengths_the_best_is_chosen_without_the_test_rows() -> None:
    X, y, groups = data()
    lengths = np.column_stack([X[:, 2], X[:, 0] + X[:, 1], X[:, 3]])
    family = Baseline("at lengths", ("1", "2", "3"), lengths, choose_one=True)
    found = compare_baselines(X, y, groups, [family], **HOW)
    best = accuracy_curve(lengths[:, 1:2], y, groups, n_columns=[1], **HOW)
    assert found.x.tolist() == [4, 1]
    np.testing.assert_array_equal(found["accuracy"][1], best.values[0])


def test_of_lengths_that_say_nothing_none_is_chosen_by_the_test_rows() -> None:
    """The best of many would lie above chance if the test rows took part in the choice."""
    X, y, groups = data()
    noise = np.random.default_rng(1).normal(size=(len(y), 40))
    family = Baseline("noise", tuple(map(str, range(40))), noise, choose_one=True)
    found = compare_baselines(X, y, groups, [family], **HOW)
    assert found["accuracy"][1].mean() == pytest.approx(0.5, abs=0.05)
