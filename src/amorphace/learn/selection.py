"""Sequential forward selection of columns, and how firm its picks are (paper, Fig. 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.blas import one_blas_thread
from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns
from amorphace.learn.forward import ForwardFold
from amorphace.learn.logistic import check_data
from amorphace.learn.parallel import Progress, run_all
from amorphace.learn.results import Curve
from amorphace.learn.splits import Folds, fold_names, split

DIGITS = 12
"""Mean accuracies that agree to so many digits are equal: the order of a sum does not decide."""


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
) -> tuple[Curve, Curve]:
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

    Returns
    -------
    Curve
        "selection", of the variant `scope`: accuracy of the columns picked so far on the test
        rows, at their number, labelled by the pick. The picks maximise its mean over these very
        folds, so that it is a little optimistic.
    Curve
        "single_columns": accuracy of every candidate alone, at its place among the columns from 1
        on, labelled by its name. See `twins`.

    Raises
    ------
    InputError
        If the data is not usable, there are fewer samples than folds, or a setting has no
        meaning.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, groups = rng.normal(size=(400, 6)), np.repeat(np.arange(10), 40)
    >>> forward_selection(X, X[:, 4] + X[:, 2] / 2 > 0, groups, n_steps=2)[0].labels
    ('column 5', 'column 3')
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
    outer = split(y, groups, n_splits=n_splits, folds=folds, seed=seed)
    parts = [ForwardFold(among, y, fold, strength) for fold in outer]
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
    tests = fold_names(groups, outer, folds)
    selection = Curve(
        name="selection",
        x=np.arange(1, n_steps + 1),
        scores={"accuracy": accuracy, "strength": np.full(accuracy.shape, float(strength))},
        labels=tuple(names[k] for k in chosen[picks]),
        folds=tests,
        variant=scope,
    )
    alone = Curve(
        name="single_columns",
        x=chosen + 1,
        scores={"accuracy": first},
        labels=tuple(names[k] for k in chosen),
        folds=tests,
        variant=scope,
    )
    return selection, alone


def twins(alone: Curve) -> tuple[str, ...]:
    """Columns whose mean accuracy alone is within one standard error of the best one's, best first.

    Parameters
    ----------
    alone : Curve
        "single_columns" of `forward_selection`; the standard error is that between folds.
    """
    mean = alone.mean.round(DIGITS)
    best = int(np.argmax(mean))
    error = alone.values[best].std(ddof=1) / np.sqrt(alone.values.shape[1])
    order = np.argsort(-mean, kind="stable")
    return tuple(alone.labels[k] for k in order[mean[order] >= mean[best] - error])


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
) -> tuple[Curve, Curve]:
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

    Returns
    -------
    Curve
        "stability", of the variant `scope`: as which pick each bootstrap run picks a column, from
        1 on (NaN where it does not), labelled by its name, the most frequent first.
    Curve
        "left_out": the same for the runs without the samples of a fold.

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
    picked = [[int(chosen[k]) for k in picks] for picks in found]
    count = Counter(k for run in picked[:n_resamples] for k in run)
    ordered = sorted({k for run in picked for k in run}, key=lambda k: (-count[k], k))
    place = np.full((len(ordered), len(runs)), np.nan)
    for r, run in enumerate(picked):
        for step, k in enumerate(run, start=1):
            place[ordered.index(k), r] = step
    parts = {"stability": place[:, :n_resamples], "left_out": place[:, n_resamples:]}
    drawn, left_out = (
        Curve(
            name=name,
            x=np.array(ordered) + 1,
            scores={"place": part},
            labels=tuple(names[k] for k in ordered),
            variant=scope,
        )
        for name, part in parts.items()
    )
    return drawn, left_out


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
    selection, _ = forward_selection(
        X[rows], y[rows], groups[rows], n_steps=n_steps, n_splits=n_splits, strength=strength
    )
    return [int(name.removeprefix("column ")) - 1 for name in selection.labels]


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
