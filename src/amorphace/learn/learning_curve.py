"""Accuracy against the amount of training data (paper, Fig. 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vary = Literal["samples", "sites"]


@dataclass(frozen=True, eq=False, kw_only=True)
class LearningCurve:
    """Accuracy on the training rows and on the test rows, one for every fold.

    Attributes
    ----------
    n_samples : ndarray of int of shape (n_points,)
        Samples trained on.
    n_sites : ndarray of shape (n_points,)
        Sites trained on, mean over folds and draws.
    train, test : ndarray of shape (n_points, n_folds)
        Mean over the draws of training data.
    n_columns : int
        How many leading columns the classifier uses.
    vary : {"samples", "sites"}
        Whether whole samples are left out of the training data, or sites of every sample.
    cutoff : float, optional
        Of the features, in units of sigma.
    """

    n_samples: NDArray[np.int64]
    n_sites: NDArray[np.float64]
    train: NDArray[np.float64]
    test: NDArray[np.float64]
    n_columns: int
    vary: Vary = "samples"
    cutoff: float | None = None
