"""Sequential forward selection of columns, and how firm its picks are (paper, Fig. 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.blas import one_blas_thread
from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns
from amorphace.learn.folds import Folds, split
from amorphace.learn.forward import ForwardFold
from amorphace.learn.logistic import check_data
from amorphace.learn.parallel import Progress, run_all

DIGITS = 12
"""Mean accuracies that agree to so many digits are equal: the order of a sum does not decide."""


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


def forward_selection(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    candidates: Sequence[int] | None = None,
    n_steps: int = 20,
    columns: Columns | None = None,
    n_splits: int = 5,
    folds: Folds = "grouped",
    strength: float = 1.0,
    seed: int = 0,
    scope: str = "",
    progress: Progress | None = None,
) -> Selection:
    """Greedy selection: at each step the column that raises the accuracy most is added.

    The accuracy is the mean over folds of logistic regression on the picks and the candidate,
    standardised by the training rows, as in scikit-learn's `SequentialFeatureSelector` (forward).
    The fits of all candidates are made together, each warm from the picks so far; see
    `fit_bordered`. Of equal candidates the first in standard order is taken.

    Parameters
    ----------
    X : array_like of shape (n_sites, n_columns)
    y : array_like of shape (n_sites,)
        1 active, 0 inactive.
    groups : array_like of shape (n_sites,)
        The sample of each site.
    candidates : sequence of int, optional
        Columns to choose from; all when left out.
    n_steps : int
        Picks, or as many as there are candidates.
    columns : Columns, optional
        What the columns are; without, column k is called "column k" (from 1).
    n_splits, folds, seed
        As in `split`.
    strength : float
        Of the Tikhonov regularisation, the same in every fit (scikit-learn's C is 1/strength).
    scope : str
        What the candidates are, for the result.
    progress : callable, optional
        Called as progress(done, total) after every step.

    Raises
    ------
    InputError
        If the data is not usable, there are fewer samples than folds, or a setting has no
        meaning.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, groups = rng.normal(size=(400, 6)), np.repeat(np.arange(10), 40)
    >>> forward_selection(X, X[:, 4] + X[:, 2] / 2 > 0, groups, n_steps=2).indices.tolist()
    [4, 2]
    """
    X, y, groups = check_data(X, y, groups)
    chosen = _check_candidates(candidates, X.shape[1])
    names = _column_names(columns, X.shape[1])
    if n_steps < 1:
        raise InputError(f"n_steps must be at least 1, got {n_steps}")
    if not (np.isfinite(strength) and strength > 0):
        raise InputError(f"strength must be a positive number, got {strength}")
    n_steps = min(n_steps, len(chosen))
    among = np.asarray(X[:, chosen], dtype=np.float64)
    parts = [
        ForwardFold(among, y, fold, strength)
        for fold in split(y, groups, n_splits=n_splits, folds=folds, seed=seed)
    ]
    left, picks = np.arange(len(chosen)), []
    accuracy = np.empty((n_steps, n_splits))
    first = np.empty((len(chosen), n_splits))
    for step in range(n_steps):
        with one_blas_thread():  # sums, and with them the picks, on any machine the same
            scores = np.stack([part.accuracy(left) for part in parts], axis=1)
        if step == 0:
            first = scores
        best = int(np.argmax(scores.mean(axis=1).round(DIGITS)))
        accuracy[step] = scores[best]
        picks.append(int(left[best]))
        for part in parts:
            part.pick(picks[-1])
        left = np.delete(left, best)
        if progress is not None:
            progress(step + 1, n_steps)
    indices = chosen[picks]
    return Selection(
        indices=indices,
        names=tuple(names[k] for k in indices),
        accuracy=accuracy,
        candidates=chosen,
        candidate_names=tuple(names[k] for k in chosen),
        first_accuracy=first,
        twins=tuple(names[chosen[k]] for k in _twins(first)),
        strength=float(strength),
        scope=scope,
        folds=folds,
    )


def selection_stability(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    candidates: Sequence[int] | None = None,
    n_steps: int = 5,
    n_resamples: int = 20,
    columns: Columns | None = None,
    n_splits: int = 5,
    strength: float = 1.0,
    seed: int = 0,
    scope: str = "",
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> SelectionStability:
    """How firm the first picks of `forward_selection` are.

    It is repeated on samples drawn with replacement (copies of a sample stay in one fold), and
    without the samples of each fold. Columns are strongly correlated, so that a pick often has
    understudies that would do as well.

    Parameters
    ----------
    X, y, groups, candidates, columns, n_splits, strength, scope
        As in `forward_selection`; runs with fewer different samples than folds take fewer folds.
    n_steps : int
        Picks of each run.
    n_resamples : int
        Bootstrap runs.
    seed : int
        Of the bootstrap.
    n_jobs : int
        Processes; -1 is all processors. The result does not depend on it.
    progress : callable, optional
        Called as progress(done, total) after every run.

    Raises
    ------
    InputError
        As `forward_selection`; also with fewer than 3 samples.
    """
    X, y, groups = check_data(X, y, groups)
    samples = np.unique(groups)
    if len(samples) < 3:
        raise InputError(
            f"the stability of a selection needs at least 3 samples to draw from, got "
            f"{len(samples)}; add samples"
        )
    runs = [*_bootstrap(samples, n_resamples, seed), *_left_out(y, groups, n_splits)]
    chosen = _check_candidates(candidates, X.shape[1])
    names = _column_names(columns, X.shape[1])
    X = X[:, chosen]
    found = run_all(
        _picks,
        [(X, y, groups, run, n_steps, n_splits, strength) for run in runs],
        n_jobs=n_jobs,
        progress=progress,
    )
    picked = [tuple(names[chosen[k]] for k in indices) for indices in found]
    drawn, left_out = picked[:n_resamples], picked[n_resamples:]
    count = Counter(name for run in drawn for name in run)
    first = Counter(run[0] for run in drawn)
    place = {name: k for k, name in enumerate(names)}
    ordered = sorted({n for run in picked for n in run}, key=lambda n: (-count[n], place[n]))
    return SelectionStability(
        names=tuple(ordered),
        frequency=np.array([count[name] / max(n_resamples, 1) for name in ordered]),
        first=np.array([first[name] / max(n_resamples, 1) for name in ordered]),
        bootstrap=tuple(drawn),
        left_out=tuple(left_out),
        n_steps=min(n_steps, len(chosen)),
        scope=scope,
    )


def _twins(first: NDArray[np.float64]) -> NDArray[np.int64]:
    """Candidates whose mean accuracy is within one standard error of the best one's, best first."""
    mean = first.mean(axis=1).round(DIGITS)
    best = int(np.argmax(mean))
    error = first[best].std(ddof=1) / np.sqrt(first.shape[1])
    order = np.argsort(-mean, kind="stable")
    return order[mean[order] >= mean[best] - error]


def _bootstrap(samples: NDArray[Any], n: int, seed: int) -> Iterator[NDArray[Any]]:
    """Samples drawn with replacement, at least two of them different."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        drawn = rng.choice(samples, len(samples))
        while len(np.unique(drawn)) < 2:
            drawn = rng.choice(samples, len(samples))
        yield drawn


def _left_out(y: NDArray[np.int64], groups: NDArray[Any], n_splits: int) -> Iterator[NDArray[Any]]:
    """The samples that remain without each fold."""
    for fold in split(y, groups, n_splits=n_splits):
        yield np.unique(groups[fold.train])


def _picks(
    X: NDArray[Any],
    y: NDArray[np.int64],
    groups: NDArray[Any],
    samples: NDArray[Any],
    n_steps: int,
    n_splits: int,
    strength: float,
) -> list[int]:
    """Picks among the sites of these samples, which may repeat."""
    rows = np.concatenate([np.flatnonzero(groups == sample) for sample in samples])
    n_splits = min(n_splits, len(np.unique(samples)))
    selection = forward_selection(
        X[rows], y[rows], groups[rows], n_steps=n_steps, n_splits=n_splits, strength=strength
    )
    return selection.indices.tolist()


def _check_candidates(candidates: Sequence[int] | None, n_columns: int) -> NDArray[np.int64]:
    """Column indices, ascending."""
    if candidates is None:
        return np.arange(n_columns)
    chosen = np.unique(np.asarray(candidates, dtype=np.int64))
    if not len(chosen) or chosen[0] < 0 or chosen[-1] >= n_columns:
        raise InputError(
            f"candidates must be column indices from 0 to {n_columns - 1}, at least one; got "
            f"{list(candidates)}"
        )
    return chosen


def _column_names(columns: Columns | None, n_columns: int) -> tuple[str, ...]:
    if columns is None:
        return tuple(f"column {k + 1}" for k in range(n_columns))
    if len(columns) != n_columns:
        raise InputError(f"X has {n_columns} columns, `columns` describes {len(columns)}")
    return columns.names
