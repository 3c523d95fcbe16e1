"""How far predicted probabilities hold, and what every threshold of them finds."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import roc_curve

from amorphace.core.errors import InputError
from amorphace.learn.results import Curve

N_BINS = 10
"""Bins of predicted probability in a calibration curve."""

N_ROC = 101
"""Points of a ROC curve."""


def calibration(p: ArrayLike, y: ArrayLike, *, n_bins: int = N_BINS) -> Curve:
    """How far predicted probabilities agree with observed shares.

    Parameters
    ----------
    p : array_like of shape (n_sites,)
        Predicted probability of being active, of sites the classifier was not fitted to.
    y : array_like of shape (n_sites,)
        1 active, 0 inactive.
    n_bins : int
        Bins of equal width.

    Returns
    -------
    Curve
        "calibration": at the lower end of each bin the share of active sites ("observed"), the
        mean predicted probability ("predicted", NaN in an empty bin, which has no mean), the
        upper end ("to"), the number of sites ("count"). The same at every point: the Brier score,
        mean of (p_i - y_i)^2 (0 is perfect, 1/4 is what p = 1/2 everywhere gives), and the
        expected calibration error sum_b count_b/n |predicted_b - observed_b| ("error").

    Raises
    ------
    InputError
        If a probability lies outside 0 to 1, or lengths differ.

    Examples
    --------
    >>> calibration([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 1])["error"][0].round(6)
    array([0.1])
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
    error = (count[filled] * gap).sum() / len(p)
    scores = {
        "observed": observed,
        "predicted": predicted,
        "to": edges[1:],
        "count": count,
        "brier": np.full(n_bins, ((p - y) ** 2).mean()),
        "error": np.full(n_bins, error),
    }
    return Curve(
        name="calibration",
        x=edges[:-1],
        scores={name: np.array(values, float)[:, None] for name, values in scores.items()},
        of="draws",
    )


def receiver_operating(decision: ArrayLike, y: ArrayLike) -> Curve:
    """Shares of active and inactive sites above every threshold of a decision function.

    Parameters
    ----------
    decision : array_like of shape (n_sites,)
        Larger for sites that are rather active.
    y : array_like of shape (n_sites,)
        1 active, 0 inactive.

    Returns
    -------
    Curve
        "roc": at shares of the inactive sites above a falling threshold, from 0 to 1 in equal
        steps, the share of the active sites above it ("true_positive").

    Examples
    --------
    >>> receiver_operating([-1.0, 2.0, 1.0, 3.0], [0, 0, 1, 1]).mean[[0, -1]]
    array([0.5, 1. ])
    """
    false_positive, true_positive, _ = roc_curve(np.asarray(y), np.asarray(decision))
    grid = np.linspace(0, 1, N_ROC)
    # the highest point above each place of the grid
    last = np.searchsorted(false_positive, grid, side="right") - 1
    found = np.asarray(true_positive)[last][:, None]
    return Curve(name="roc", x=grid, scores={"true_positive": found}, of="draws")
