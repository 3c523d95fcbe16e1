"""How firm forward selection is: other samples, and columns that say nothing (paper, Fig. 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns
from amorphace.learn.forward import ForwardFold
from amorphace.learn.logistic import STRENGTHS
from amorphace.learn.parallel import Progress, run_all
from amorphace.learn.results import Curve
from amorphace.learn.selection import SelectionData
from amorphace.learn.splits import Fold, split

ALPHA = 0.05
"""A column carries something where chance reaches its gain in no more than this share of draws."""


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
    n_inner_splits: int = 4,
    strengths: Sequence[float] = STRENGTHS,
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
    X, y, groups, candidates, columns, n_splits, n_inner_splits, strengths, scope
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
    data = SelectionData.of(X, y, groups, candidates, columns, n_steps, strengths)
    samples = np.unique(data.groups)
    if len(samples) < 3:
        raise InputError(
            f"the stability of a selection needs at least 3 samples to draw from, got "
            f"{len(samples)}; add samples"
        )
    outer = split(data.y, data.groups, n_splits=n_splits)
    runs = [
        *_bootstrap(samples, n_resamples, seed),
        *(np.unique(data.groups[fold.train]) for fold in outer),
    ]
    picked = run_all(
        _picks,
        [(data, run, n_splits, n_inner_splits) for run in runs],
        n_jobs=n_jobs,
        progress=progress,
    )
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
            x=data.chosen[ordered] + 1,
            scores={"place": part},
            labels=data.labels(ordered),
            variant=scope,
            of="draws",
        )
        for name, part in parts.items()
    )
    return drawn, left_out


def permutation_test(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    picks: Sequence[int],
    *,
    candidates: Sequence[int] | None = None,
    n_splits: int = 5,
    n_permutations: int = 19,
    strength: float = 1.0,
    seed: int = 0,
    scope: str = "",
    columns: Columns | None = None,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Curve:
    """How many picks of `forward_selection` carry anything.

    At each step the columns that are not picked yet change places among the sites of a sample, all
    together: they keep what they know of each other, and know nothing of labels and picks. The
    best of them then raises the accuracy as chance does, with the choice among many and on the
    folds that choose, as it is for the pick.

    Parameters
    ----------
    X, y, groups, candidates, n_splits, scope, columns
        As in `forward_selection`.
    picks : sequence of int
        Columns in order, all of them candidates. The test ends after the first that chance does
        as well as.
    n_permutations : int
        Draws at each step; 19 can show one in twenty.
    strength : float
        Of the Tikhonov regularisation.
    seed, n_jobs, progress
        As in `selection_stability`.

    Returns
    -------
    Curve
        "permutation", of the variant `scope`: at each step, labelled by the pick, its accuracy,
        the largest of the draws ("chance"), and the share of all draws, itself counted, that do
        as well ("p"). The leading points with p of at most `ALPHA` carry something.

    Raises
    ------
    InputError
        As `forward_selection`.
    """
    data = SelectionData.of(X, y, groups, candidates, columns, len(picks), [strength])
    outer = split(data.y, data.groups, n_splits=n_splits)
    order = [int(np.flatnonzero(data.chosen == k)[0]) for k in picks]
    lines: list[tuple[float, float, float]] = []
    for step, pick in enumerate(order):
        draws = [[seed, step, k] for k in range(n_permutations)]
        tasks = [(data, outer, order[:step], pick, draw) for draw in [None, *draws]]
        observed, *chance = run_all(_best_of_step, tasks, n_jobs=n_jobs)
        p = (1 + sum(c >= observed - 1e-12 for c in chance)) / (1 + n_permutations)
        lines.append((observed, max(chance), p))
        if progress is not None:
            progress(step + 1, len(order))
        if p > ALPHA:
            break
    accuracy, chance, p = np.array(lines).T[:, :, None]
    return Curve(
        name="permutation",
        x=np.arange(1, len(lines) + 1),
        scores={"accuracy": accuracy, "chance": chance, "p": p},
        labels=data.labels(order[: len(lines)]),
        variant=scope,
        of="draws",
    )


def _best_of_step(
    data: SelectionData,
    outer: Sequence[Fold],
    picks: Sequence[int],
    pick: int,
    draw: Sequence[int] | None,
) -> float:
    """Mean accuracy of the picks and one more: the next pick, or the best of permuted columns."""
    X, left = data.X, np.array([pick])
    if draw is not None:
        left = np.setdiff1d(np.arange(X.shape[1]), picks)
        rng, rows = np.random.default_rng(draw), np.arange(len(X))
        for sample in np.unique(data.groups):
            own = np.flatnonzero(data.groups == sample)
            rows[own] = rng.permutation(own)
        X = X.copy()
        X[:, left] = X[np.ix_(rows, left)]
    scores = []
    for fold in outer:
        part = ForwardFold(X, data.y, fold, data.strengths[0])
        for k in picks:
            part.accuracy(np.array([k]))
            part.pick(k)
        scores.append(part.accuracy(left))
    return float(np.mean(scores, axis=0).max())


def _bootstrap(samples: NDArray[Any], n: int, seed: int) -> Iterator[NDArray[Any]]:
    """Samples drawn with replacement, at least two of them different."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        drawn = rng.choice(samples, len(samples))
        while len(np.unique(drawn)) < 2:
            drawn = rng.choice(samples, len(samples))
        yield drawn


def _picks(
    data: SelectionData, samples: NDArray[Any], n_splits: int, n_inner_splits: int
) -> list[int]:
    """Picks among the sites of these samples, which may repeat."""
    rows = np.concatenate([np.flatnonzero(data.groups == sample) for sample in samples])
    part = data.take(rows)
    folds = split(part.y, part.groups, n_splits=min(n_splits, len(np.unique(samples))))
    return part.path(folds, n_inner_splits).picks
