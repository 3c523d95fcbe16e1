"""What is learned from, checked: features, labels or a target, samples, and strengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import InputError

MEASURED = "leave out the particles that were not measured"


def check_data(
    X: ArrayLike, y: ArrayLike, groups: ArrayLike
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[Any]]:
    """X, y and groups as arrays.

    Raises
    ------
    InputError
        If shapes disagree, a feature is not finite, or a label is neither 0 nor 1.
    """
    X, y, groups = _rows(X, np.asarray(y), groups)
    if not np.isin(y, (0, 1)).all():
        other = y[~np.isin(y, (0, 1))][0]
        raise InputError(
            f"labels must be 1 (active) or 0 (inactive), got {other}; give the labelled sites only"
        )
    return X, y.astype(np.int64), groups


def check_both(y: NDArray[Any]) -> None:
    """Raise `InputError` where all sites have the same label."""
    if len(np.unique(y)) < 2:
        raise InputError(
            f"all {len(y)} sites have label {y[0]}; both labels are needed: label active (1) and "
            "inactive (0) sites"
        )


def check_target(
    X: ArrayLike, target: ArrayLike, groups: ArrayLike, *, log: bool = False, what: str = ""
) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any]]:
    """X, a target without classes (or its logarithm) and groups as arrays.

    Parameters
    ----------
    X, target, groups : array_like
    log : bool
    what : str
        Before the text of an error.

    Raises
    ------
    InputError
        If shapes disagree, a number is not finite, or a target has no logarithm.
    """
    X, t, groups = _rows(X, np.asarray(target, dtype=np.float64), groups, what)
    if not np.isfinite(t).all():
        row = np.flatnonzero(~np.isfinite(t))[0]
        raise InputError(f"{what}the target is {t[row]} at row {row}; {MEASURED}")
    if log and not (t > 0).all():
        raise InputError(
            f"{what}the logarithm needs a positive target, got {t.min():g}; predict the target "
            "itself"
        )
    return X, np.log(t) if log else t, groups


def _rows(
    X: ArrayLike, y: NDArray[Any], groups: ArrayLike, what: str = ""
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Arrays with a row for each site, all features finite."""
    X, groups = np.asarray(X), np.asarray(groups)
    if X.ndim != 2 or X.shape[1] == 0 or y.shape != (len(X),) or groups.shape != (len(X),):
        raise InputError(
            f"{what}X must have shape (n_sites, n_columns), y and groups (n_sites,); got "
            f"{X.shape}, {y.shape} and {groups.shape}"
        )
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise InputError(
            f"{what}X[{row}, {column}] is {X[row, column]}; features must be finite numbers"
        )
    return X, y, groups


def check_strengths(strengths: Sequence[float]) -> tuple[float, ...]:
    """The strengths, strongest first; an `InputError` as by `check_positive`."""
    return tuple(sorted(check_positive("strengths", strengths), reverse=True))


def check_positive(name: str, values: Sequence[float]) -> tuple[float, ...]:
    """The values.

    Raises
    ------
    InputError
        If there are none, or one is not a positive finite number.
    """
    if not len(values) or not all(np.isfinite(x) and x > 0 for x in values):
        raise InputError(f"{name} must be positive numbers, at least one, got {values}")
    return tuple(float(x) for x in values)
