"""Regression of propensity or D2min over all particles, judged on whole samples left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, kw_only=True)
class PropensityScore:
    """How well a regression predicts the particles of samples it has not seen.

    Attributes
    ----------
    target : str
        "d2min" or "propensity".
    log : bool
        Whether the logarithm of the target is fitted.
    inputs : str
        What the columns are, in words.
    head : str
        "ridge" or "mlp".
    n_columns : int
    samples : tuple of str of length n_samples
        Samples tested.
    pearson, spearman : ndarray of shape (n_samples,)
        Correlation of prediction and target over the particles of each sample.
    """

    target: str
    log: bool
    inputs: str
    head: str
    n_columns: int
    samples: tuple[str, ...]
    pearson: NDArray[np.float64]
    spearman: NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Numbers and lists only, as JSON holds them."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> PropensityScore:
        """What `to_dict` gave."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, kw_only=True)
class PropensityCurve:
    """Correlation on unseen samples against the number of training samples.

    Attributes
    ----------
    target, log, inputs, head
        As in `PropensityScore`.
    n_train : ndarray of int of shape (n_points,)
        Training samples.
    pearson, spearman : ndarray of shape (n_points, n_samples)
        Of each test sample, learned from `n_train` of the others.
    """

    target: str
    log: bool
    inputs: str
    head: str
    n_train: NDArray[np.int64]
    pearson: NDArray[np.float64]
    spearman: NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Numbers and lists only, as JSON holds them."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> PropensityCurve:
        """What `to_dict` gave."""
        raise NotImplementedError
