"""Folds of a cross-validation, and the error of what they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t
from sklearn.model_selection import KFold, StratifiedKFold

from amorphace.core.errors import InputError

Folds = Literal["grouped", "random"]

MOST_FOLDS = 10
"""Up to so many samples each is left out in turn; more are left out in so many groups."""

LEVEL = 0.6827
"""Of every interval that is given: that of one standard deviation of a normal distribution."""

SHARED = 0.0
"""How much of n_test/n_train counts in `half_width`: 1 is the correction for folds that learn from
mostly the same sites. Scores of whole samples left out differ by the sample that is tested: 68 %
intervals from 3 to 5 of the ten samples of the Kob-Andersen liquid at T = 0.44 hold the mean in 65
to 74 % of all draws with 0 and in 84 to 88 % with 1, whether with 1, 11, 20, 174 or 574 columns."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to learn from and rows to test on.

    Attributes
    ----------
    train, test : ndarray of int
        Row indices, ascending, without a common row.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def split(
    y: NDArray[np.int64] | None,
    groups: NDArray[Any],
    *,
    n_splits: int,
    folds: Folds = "grouped",
    seed: int = 0,
) -> tuple[Fold, ...]:
    """Folds of which every row is tested in exactly one.

    Parameters
    ----------
    y : ndarray of shape (n_sites,), optional
        Labels 0 and 1; left out for a target that has no classes.
    groups : ndarray of shape (n_sites,)
        The sample of each site.
    n_splits : int
    folds : {"grouped", "random"}
        "grouped" keeps the sites of a sample together: neighbours share most of their
        environment, so that a test site beside a training site is half known. The samples are
        tested in ascending order, as equal numbers of them in each fold as they allow: which
        samples fold k tests does not depend on their sites, and tables of the same samples can
        be compared fold by fold. "random" ignores samples and keeps the share of both labels.
    seed : int
        Of the random folds; grouped ones have no randomness.

    Returns
    -------
    tuple of Fold of length n_splits

    Raises
    ------
    InputError
        If there are too few samples or sites, or a fold holds only one of the two labels.

    Examples
    --------
    >>> groups = np.array([7, 7, 7, 7, 3, 5, 5])
    >>> [groups[fold.test].tolist() for fold in split(None, groups, n_splits=3)]
    [[3], [5, 5], [7, 7, 7, 7]]
    """
    if n_splits < 2:
        raise InputError(f"n_splits must be at least 2, got {n_splits}")
    if folds == "grouped":
        tests = _by_sample(groups, n_splits)
    elif folds == "random":
        tests = _at_random(y, len(groups), n_splits, seed)
    else:
        raise InputError(f"folds must be 'grouped' or 'random', got {folds!r}")
    rows = np.arange(len(groups))
    made = tuple(Fold(train=np.setdiff1d(rows, test), test=test) for test in tests)
    if y is not None:
        _check_labels(y, made)
    return made


def _by_sample(groups: NDArray[Any], n_splits: int) -> list[NDArray[np.int64]]:
    samples = np.unique(groups)
    if len(samples) < n_splits:
        raise InputError(
            f"{n_splits} folds grouped by sample need at least {n_splits} samples, got "
            f"{len(samples)}; add samples, use fewer folds (n_splits, --folds), at most "
            f"{max(len(samples), 2)}, or random folds (folds='random')"
        )
    parts = np.array_split(samples, n_splits)
    return [np.flatnonzero(np.isin(groups, part)) for part in parts]


def _at_random(
    y: NDArray[np.int64] | None, n_sites: int, n_splits: int, seed: int
) -> list[NDArray[np.int64]]:
    rows = np.zeros(n_sites)
    if y is None:
        if n_sites < n_splits:
            raise InputError(f"{n_splits} folds need at least {n_splits} sites, got {n_sites}")
        shuffled = KFold(n_splits, shuffle=True, random_state=seed)
    else:
        least = min(int((y == 0).sum()), int((y == 1).sum()))
        if least < n_splits:
            raise InputError(
                f"{n_splits} random folds need at least {n_splits} sites of each label, got "
                f"{least}; label more sites or use fewer folds"
            )
        shuffled = StratifiedKFold(n_splits, shuffle=True, random_state=seed)
    return [test for _, test in shuffled.split(rows, y)]


def _check_labels(y: NDArray[np.int64], made: tuple[Fold, ...]) -> None:
    for k, fold in enumerate(made, start=1):
        for part, where in (("train", fold.train), ("test", fold.test)):
            if len(np.unique(y[where])) < 2:
                raise InputError(
                    f"the {part} part of fold {k} of {len(made)} holds only label "
                    f"{y[where][0]}; every part needs both: balance the labels in each sample, or "
                    "use fewer folds"
                )


def inner_folds(
    y: NDArray[np.int64],
    groups: NDArray[Any],
    *,
    n_splits: int,
    folds: Folds = "grouped",
    seed: int = 0,
) -> tuple[Fold, ...]:
    """Folds for choosing the strength: `n_splits`, or as many as there are samples.

    Raises
    ------
    InputError
        If fewer than two samples are left to choose the strength with.
    """
    if folds == "grouped":
        n_groups = len(np.unique(groups))
        if n_groups < 2:
            raise InputError(
                "choosing the strength with grouped folds needs at least 2 samples to train on "
                "(3 in all), got 1; add samples, give one strength, or use random folds "
                "(folds='random')"
            )
        n_splits = min(n_splits, n_groups)
    return split(y, groups, n_splits=n_splits, folds=folds, seed=seed)


def inner_of_all(
    y: NDArray[np.int64],
    groups: NDArray[Any],
    outer: Sequence[Fold],
    n_strengths: int,
    n_splits: int,
    folds: Folds = "grouped",
    seed: int = 0,
) -> list[tuple[Fold, ...]]:
    """Folds inside the training rows of each fold; none where there is nothing to choose."""
    if n_strengths == 1:
        return [() for _ in outer]
    return [
        inner_folds(y[fold.train], groups[fold.train], n_splits=n_splits, folds=folds, seed=seed)
        for fold in outer
    ]


def fold_names(groups: NDArray[Any], made: Sequence[Fold], folds: Folds) -> tuple[str, ...]:
    """What each fold tests: its samples, or its number where it mixes them."""
    if folds == "random":
        return tuple(f"fold {k}" for k in range(1, len(made) + 1))
    return tuple(" + ".join(str(g) for g in np.unique(groups[fold.test])) for fold in made)


def half_width(scores: ArrayLike, level: float = LEVEL) -> float:
    """Half-width of the interval that holds the true mean with a probability.

    t SD sqrt(1/K + SHARED n_test/n_train) with Student's t of K - 1 degrees of freedom; K folds of
    equal size have n_test/n_train = 1/(K - 1). Of a difference, give the differences fold by
    fold.

    Parameters
    ----------
    scores : array_like of shape (n_folds,)
        NaN, which has no score, does not count.
    level : float

    Returns
    -------
    float
        NaN with fewer than two scores.

    References
    ----------
    C. Nadeau and Y. Bengio, Machine Learning 52, 239 (2003): the second part of the root.

    Examples
    --------
    >>> round(half_width([0.8, 0.9, 0.7, 0.8]), 3)
    0.049
    """
    values = np.asarray(scores, dtype=np.float64)
    values = values[np.isfinite(values)]
    k = len(values)
    if k < 2:
        return np.nan
    factor = float(t.ppf((1 + level) / 2, k - 1)) * np.sqrt(1 / k + SHARED / (k - 1))
    return float(factor * values.std(ddof=1))


def jackknife(values: ArrayLike, level: float = LEVEL) -> NDArray[np.float64]:
    """Half-width of the interval of what is read of models that each leave out a fold.

    t sqrt((K - 1)/K sum_k (v_k - mean)^2) with Student's t of K - 1 degrees of freedom: the
    models share most of their data, so that they differ less than those of other samples would.

    Parameters
    ----------
    values : array_like of shape (..., n_models)
    level : float

    Returns
    -------
    ndarray of shape (...)
        NaN for a single model.

    References
    ----------
    R. G. Miller, Biometrika 61, 1 (1974).
    """
    v = np.asarray(values, dtype=np.float64)
    k = v.shape[-1]
    if k < 2:
        return np.full(v.shape[:-1], np.nan)
    return float(t.ppf((1 + level) / 2, k - 1)) * np.sqrt(k - 1) * v.std(axis=-1)
