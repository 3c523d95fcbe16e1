"""Cross-validation folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

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
    y: NDArray[np.int64],
    groups: NDArray[Any],
    *,
    n_splits: int,
    folds: Folds = "grouped",
    seed: int = 0,
) -> tuple[Fold, ...]:
    """Folds of which every row is tested in exactly one.

    Parameters
    ----------
    y : ndarray of shape (n_sites,)
        Labels 0 and 1.
    groups : ndarray of shape (n_sites,)
        The sample of each site.
    n_splits : int
    folds : {"grouped", "random"}
        "grouped" keeps the sites of a sample together: neighbours share most of their
        environment, so that a test site beside a training site is half known. "random" ignores
        samples and keeps the share of both labels.
    seed : int
        Of the random folds; grouped ones have no randomness.

    Returns
    -------
    tuple of Fold of length n_splits

    Raises
    ------
    InputError
        If there are too few samples, or a fold holds only one of the two labels.
    """
    if n_splits < 2:
        raise InputError(f"n_splits must be at least 2, got {n_splits}")
    rows = np.zeros(len(y))
    if folds == "grouped":
        _check_samples(groups, n_splits)
        pairs = GroupKFold(n_splits).split(rows, y, groups)
    elif folds == "random":
        _check_labels(y, n_splits)
        shuffled = StratifiedKFold(n_splits, shuffle=True, random_state=seed)
        pairs = shuffled.split(rows, y)
    else:
        raise InputError(f"folds must be 'grouped' or 'random', got {folds!r}")
    made = tuple(Fold(train=train, test=test) for train, test in pairs)
    for k, fold in enumerate(made):
        for part, where in (("train", fold.train), ("test", fold.test)):
            if len(np.unique(y[where])) < 2:
                raise InputError(
                    f"the {part} part of fold {k + 1} of {n_splits} holds only label "
                    f"{y[where][0]}; every part needs both: balance the labels in each sample, or "
                    "use fewer folds"
                )
    return made


def split_targets(
    groups: NDArray[Any], *, n_splits: int, folds: Folds = "grouped", seed: int = 0
) -> tuple[Fold, ...]:
    """Folds for a continuous target, as `split` makes them but without a look at labels.

    Raises
    ------
    InputError
        If there are too few samples or sites.
    """
    if n_splits < 2:
        raise InputError(f"n_splits must be at least 2, got {n_splits}")
    rows = np.zeros(len(groups))
    if folds == "grouped":
        _check_samples(groups, n_splits)
        pairs = GroupKFold(n_splits).split(rows, groups=groups)
    elif folds == "random":
        if len(rows) < n_splits:
            raise InputError(f"{n_splits} folds need at least {n_splits} sites, got {len(rows)}")
        pairs = KFold(n_splits, shuffle=True, random_state=seed).split(rows)
    else:
        raise InputError(f"folds must be 'grouped' or 'random', got {folds!r}")
    return tuple(Fold(train=train, test=test) for train, test in pairs)


def _check_samples(groups: NDArray[Any], n_splits: int) -> None:
    n = len(np.unique(groups))
    if n < n_splits:
        raise InputError(
            f"{n_splits} folds grouped by sample need at least {n_splits} samples, got {n}; add "
            f"samples, use fewer folds (n_splits={max(n, 2)}) or random folds (folds='random')"
        )


def _check_labels(y: NDArray[np.int64], n_splits: int) -> None:
    least = min(int((y == 0).sum()), int((y == 1).sum()))
    if least < n_splits:
        raise InputError(
            f"{n_splits} random folds need at least {n_splits} sites of each label, got {least}; "
            "label more sites or use fewer folds"
        )
