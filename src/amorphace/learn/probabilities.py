"""How far predicted probabilities hold, and what every threshold of them finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_curve

from amorphace.core.errors import InputError

N_BINS = 10
"""Bins of predicted probability in a calibration curve."""

N_ROC = 101
"""Points of a ROC curve."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Calibration:
    """Predicted probability of being active against the observed share, on rows left out.

    Attributes
    ----------
    edges : ndarray of shape (n_bins + 1,)
        Of the bins of predicted probability, 0 to 1.
    predicted, observed : ndarray of shape (n_bins,)
        Mean predicted probability and share of active sites in each bin; NaN in an empty one,
        which has no mean.
    count : ndarray of int of shape (n_bins,)
        Sites in each bin.
    brier : float
        Mean of (p_i - y_i)^2: 0 is perfect, 1/4 is what p = 1/2 everywhere gives.
    expected_calibration_error : float
        sum_b count_b/n |predicted_b - observed_b|.
    """

    edges: NDArray[np.float64]
    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    count: NDArray[np.int64]
    brier: float
    expected_calibration_error: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Roc:
    """How many active and inactive sites lie above a falling threshold, on rows left out.

    Attributes
    ----------
    false_positive : ndarray of shape (n_points,)
        Share of the inactive sites above it, from 0 to 1 in equal steps.
    true_positive : ndarray of shape (n_points,)
        Share of the active sites above it.
    """

    false_positive: NDArray[np.float64]
    true_positive: NDArray[np.float64]


def calibration(p: ArrayLike, y: ArrayLike, *, n_bins: int = N_BINS) -> Calibration:
    """How far predicted probabilities agree with observed shares.

    Parameters
    ----------
    p : array_like of shape (n_sites,)
        Predicted probability of being active, of sites the classifier was not fitted to.
    y : array_like of shape (n_sites,)
        1 active, 0 inactive.
    n_bins : int
        Bins of equal width.

    Raises
    ------
    InputError
        If a probability lies outside 0 to 1, or lengths differ.

    Examples
    --------
    >>> round(calibration([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 1]).expected_calibration_error, 6)
    0.1
    """
    p, y = np.asarray(p, dtype=np.float64), np.asarray(y)
    if p.ndim != 1 or p.shape != y.shape or not len(p):
        raise InputError(f"p and y must have the same shape (n_sites,), got {p.shape}, {y.shape}")
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("probabilities must lie from 0 to 1")
    edges = np.linspace(0, 1, n_bins + 1)
    place = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, n_bins - 1)
    count = np.bincount(place, minlength=n_bins)
    with np.errstate(invalid="ignore"):  # an empty bin has no mean
        predicted = np.bincount(place, p, n_bins) / count
        observed = np.bincount(place, y, n_bins) / count
    filled = count > 0
    gap = np.abs(predicted - observed)[filled]
    return Calibration(
        edges=edges,
        predicted=predicted,
        observed=observed,
        count=count.astype(np.int64),
        brier=float(((p - y) ** 2).mean()),
        expected_calibration_error=float((count[filled] * gap).sum() / len(p)),
    )


def receiver_operating(decision: ArrayLike, y: ArrayLike) -> Roc:
    """Shares of active and inactive sites above every threshold of a decision function.

    Parameters
    ----------
    decision : array_like of shape (n_sites,)
        Larger for sites that are rather active.
    y : array_like of shape (n_sites,)
        1 active, 0 inactive.

    Examples
    --------
    >>> receiver_operating([-1.0, 2.0, 1.0, 3.0], [0, 0, 1, 1]).true_positive[[0, -1]]
    array([0.5, 1. ])
    """
    false_positive, true_positive, _ = roc_curve(np.asarray(y), np.asarray(decision))
    grid = np.linspace(0, 1, N_ROC)
    # the highest point above each place of the grid
    last = np.searchsorted(false_positive, grid, side="right") - 1
    return Roc(false_positive=grid, true_positive=np.asarray(true_positive)[last])
