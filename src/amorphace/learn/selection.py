"""Sequential forward selection of columns, and how firm its picks are (paper, Fig. 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.folds import Folds


@dataclass(frozen=True, eq=False, kw_only=True)
class Selection:
    """Columns in the order in which forward selection picks them.

    Attributes
    ----------
    indices : ndarray of int of shape (n_steps,)
        Into the columns of the table.
    names : tuple of str of length n_steps
    accuracy : ndarray of shape (n_steps, n_folds)
        Of the columns picked so far, on the test rows of each fold. The picks maximise its mean
        over these very folds, so that it is a little optimistic.
    candidates : ndarray of int of shape (n_candidates,)
        Columns that could be picked, ascending.
    candidate_names : tuple of str of length n_candidates
    first_accuracy : ndarray of shape (n_candidates, n_folds)
        Of every candidate alone.
    twins : tuple of str
        Candidates, best first, whose mean accuracy alone is within one standard error (between
        folds) of the first pick's; the first pick is one of them.
    strength : float
        Of the Tikhonov regularisation.
    scope : str
        What the candidates are, for example "order 1".
    cutoff : float, optional
        Of the features, in units of sigma.
    folds : {"grouped", "random"}
    """

    indices: NDArray[np.int64]
    names: tuple[str, ...]
    accuracy: NDArray[np.float64]
    candidates: NDArray[np.int64]
    candidate_names: tuple[str, ...]
    first_accuracy: NDArray[np.float64]
    twins: tuple[str, ...]
    strength: float
    scope: str = ""
    cutoff: float | None = None
    folds: Folds = "grouped"

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean accuracy over the folds, shape (n_steps,)."""
        return self.accuracy.mean(axis=1)

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation of the accuracy between folds (n - 1), shape (n_steps,)."""
        return self.accuracy.std(axis=1, ddof=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class SelectionStability:
    """How often a column is among the first picks when samples are drawn again or left out.

    Attributes
    ----------
    names : tuple of str of length n_picked
        Columns that any run picked, the most frequent first.
    frequency : ndarray of shape (n_picked,)
        Share of the bootstrap runs in which the column is among the first `n_steps` picks.
    first : ndarray of shape (n_picked,)
        Share of the bootstrap runs in which it is the very first.
    bootstrap : tuple of tuple of str, shape (n_bootstrap, n_steps)
        Picks of each run on as many samples as there are, drawn with replacement.
    left_out : tuple of tuple of str, shape (n_left_out, n_steps)
        Picks of each run without the samples of one fold.
    n_steps : int
    scope : str
        What the candidates are, for example "order 1".
    cutoff : float, optional
        Of the features, in units of sigma.
    """

    names: tuple[str, ...]
    frequency: NDArray[np.float64]
    first: NDArray[np.float64]
    bootstrap: tuple[tuple[str, ...], ...]
    left_out: tuple[tuple[str, ...], ...]
    n_steps: int
    scope: str = ""
    cutoff: float | None = None
