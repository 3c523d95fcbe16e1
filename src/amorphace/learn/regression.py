"""Bayesian regression with automatic relevance determination (paper, Fig. 7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.folds import Folds


@dataclass(frozen=True, eq=False, kw_only=True)
class CorrelationCurve:
    """Correlation of a predicted with the measured quantity, one for every fold.

    Attributes
    ----------
    n_columns : ndarray of int of shape (n_points,)
        How many leading columns the regression may use, ascending.
    pearson, spearman : ndarray of shape (n_points, n_folds)
        On the test rows of each fold; NaN where the prediction is constant, which has none.
    n_kept : ndarray of int of shape (n_points, n_folds)
        Columns that were found relevant.
    order : tuple of int of length n_points
        Correlation order of the last column used; () when columns are not known.
    last_column : tuple of str of length n_points
        Its name; () when columns are not known.
    cutoff : float, optional
        Of the features, in units of sigma.
    target : str
        What is predicted, for example "d2min".
    log_target : bool
        Whether the logarithm of the target is predicted (and correlated with).
    folds : {"grouped", "random"}
    """

    n_columns: NDArray[np.int64]
    pearson: NDArray[np.float64]
    spearman: NDArray[np.float64]
    n_kept: NDArray[np.int64]
    order: tuple[int, ...] = ()
    last_column: tuple[str, ...] = ()
    cutoff: float | None = None
    target: str = "d2min"
    log_target: bool = False
    folds: Folds = "grouped"
