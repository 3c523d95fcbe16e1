"""What a regression of propensity or D2min found, kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.codec import decode, encode
from amorphace.core.records import read_json, write_json


@dataclass(frozen=True, eq=False, kw_only=True)
class PropensityScore:
    """How well a regression predicts the particles of samples it has not seen.

    Attributes
    ----------
    target : str
        What is predicted, for example "d2min".
    log : bool
        Whether its logarithm is predicted, and correlated with.
    inputs : str
        What the columns are, in words.
    head : str
        The regression, "ridge".
    n_columns : int
    samples : tuple of str of length n_samples
        Samples tested.
    pearson, spearman : ndarray of shape (n_samples,)
        Correlation of prediction and target over the particles of each sample.
    strength : ndarray of shape (n_samples,)
        Of the ridge, chosen inside the training samples.
    pooled : float
        Pearson correlation over the particles of all samples together, differences between the
        samples included.
    n_train : int
        Samples that each prediction was learned from; 0 when not known.
    """

    target: str
    log: bool
    inputs: str
    head: str
    n_columns: int
    samples: tuple[str, ...]
    pearson: NDArray[np.float64]
    spearman: NDArray[np.float64]
    strength: NDArray[np.float64] | None = None
    pooled: float = float("nan")
    n_train: int = 0


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
        Of each test sample, learned from `n_train` of the others; means over several draws.
    """

    target: str
    log: bool
    inputs: str
    head: str
    n_train: NDArray[np.int64]
    pearson: NDArray[np.float64]
    spearman: NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Regression:
    """What `amorphace regress` writes.

    Attributes
    ----------
    provenance : mapping
    score : PropensityScore
    curve : PropensityCurve, optional
    others : tuple of PropensityScore
        Of other targets, and of the radial features alone.
    """

    score: PropensityScore
    curve: PropensityCurve | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[PropensityScore, ...] = ()


def write_regression(path: str | Path, regression: Regression) -> None:
    """Write a regression as JSON; the file appears whole or not at all."""
    write_json(path, encode(regression))


def read_regression(path: str | Path) -> Regression:
    """Read a regression.

    Raises
    ------
    FileFormatError
        If the file is missing, is not JSON, or holds no such results.
    """
    again = "make it with 'amorphace regress'"
    return decode(Regression, read_json(path, again=again), source=path, again=again)
