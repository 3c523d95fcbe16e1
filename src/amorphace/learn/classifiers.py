"""Logistic regression beside a linear support vector machine, and how far probabilities hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.folds import Folds

Classifier = Literal["logistic", "svm"]


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
class ClassifierScore:
    """Scores of one classifier on the leading columns, one for every fold.

    Attributes
    ----------
    classifier : {"logistic", "svm"}
    n_columns : int
        How many leading columns it uses.
    accuracy, balanced_accuracy, roc_auc : ndarray of shape (n_folds,)
        On the test rows of each fold.
    strength : ndarray of shape (n_folds,)
        Of the Tikhonov regularisation (1/C), chosen inside the training rows.
    calibration : Calibration, optional
        Of the probabilities; None for a support vector machine, which has none.
    cutoff : float, optional
        Of the features, in units of sigma.
    folds : {"grouped", "random"}
    """

    classifier: Classifier
    n_columns: int
    accuracy: NDArray[np.float64]
    balanced_accuracy: NDArray[np.float64]
    roc_auc: NDArray[np.float64]
    strength: NDArray[np.float64]
    calibration: Calibration | None = None
    cutoff: float | None = None
    folds: Folds = "grouped"
