"""Cross-validation folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from amorphace.core.errors import InputError

Folds = Literal["grouped", "random"]


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
            f"{len(samples)}; add samples, use fewer folds (n_splits={max(len(samples), 2)}) or "
            "random folds (folds='random')"
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
