"""Distributions of a column over active and inactive sites (paper, Fig. 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, kw_only=True)
class Distribution:
    """Histograms of one column for active and for inactive sites, in bins they share.

    Attributes
    ----------
    column : str
    edges : ndarray of shape (n_bins + 1,)
        In units of the column.
    active, inactive : ndarray of shape (n_bins,)
        Densities: the sum over bins of density times width is 1 for each.
    n_active, n_inactive : int
        Sites in each histogram.
    mean_active, mean_inactive : float
    threshold : float
        At which the two are told apart best.
    accuracy : float
        Of that threshold, on the same sites; balanced: the mean of the shares of active and of
        inactive sites that lie on their side of it.
    auc : float
        Probability that an active site has a larger value than an inactive one (half for equal
        ones), or a smaller value, whichever is more.
    cutoff : float, optional
        Of the features, in units of sigma.
    """

    column: str
    edges: NDArray[np.float64]
    active: NDArray[np.float64]
    inactive: NDArray[np.float64]
    n_active: int
    n_inactive: int
    mean_active: float
    mean_inactive: float
    threshold: float
    accuracy: float
    auc: float
    cutoff: float | None = None
