"""How firm forward selection is: other samples, and columns that say nothing (paper, Fig. 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import InputError
from amorphace.learn.checks import check_strengths
from amorphace.learn.forward import ForwardFold
from amorphace.learn.parallel import Progress, run_all
from amorphace.learn.results import Curve
from amorphace.learn.selection import FIRST_STRENGTH, Candidates
from amorphace.learn.splits import split

ALPHA = 0.05
"""A column carries something where chance reaches its gain in no more than this share of draws."""


def selection_stability(
    data: Candidates,
    *,
    n_resamples: int = 20,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> tuple[Curve, Curve]:
    """How firm the first picks of `forward_selection` are.

    It is repeated on samples drawn with replacement (copies of a sample stay in one fold), and
    without the samples of each fold. Columns are strongly correlated, so that a pick often has
    understudies that would do as well.

    Parameters
    ----------
    data : Candidates
        Runs with fewer different samples than folds take fewer folds.
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
        "stability", of the variant `data.scope`: as which pick each bootstrap run picks a column,
        from 1 on (NaN where it does not), labelled by its name, the most frequent first.
    Curve
        "left_out": the same for the runs without the samples of a fold.

    Raises
    ------
    InputError
        As `forward_selection`; also with fewer than 3 samples.
    """
    samples = np.unique(data.groups)
    if len(samples) < 3:
        raise InputError(
            f"the stability of a selection needs at least 3 samples to draw from, got "
            f"{len(samples)}; add samples"
        )
    runs = [
        *_bootstrap(samples, n_resamples, seed),
        *(np.unique(data.groups[fold.train]) for fold in data.folds),
    ]
    picked = run_all(
        _picks,
        [(data, run) for run in runs],
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
            variant=data.scope,
            of="draws",
        )
        for name, part in parts.items()
    )
    return drawn, left_out


def permutation_test(
    data: Candidates,
    selection: Curve,
    *,
    n_permutations: int = 19,
    strength: float = FIRST_STRENGTH,
    seed: int = 0,
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
    data : Candidates
    selection : Curve
        Their selection. The test ends after the first pick that chance does as well as.
    n_permutations : int
        Draws at each step; 19 can show one in twenty.
    strength : float
        Of the Tikhonov regularisation.
    seed, n_jobs, progress
        As in `selection_stability`.

    Returns
    -------
    Curve
        "permutation", of the variant `data.scope`: at each step, labelled by the pick, its
        accuracy, the largest of the draws ("chance"), and the share of all draws, itself counted,
        that do as well ("p"). The leading points with p of at most `ALPHA` carry something.

    Raises
    ------
    InputError
        As `forward_selection`.
    """
    data = replace(data, strengths=check_strengths([strength]))
    names = data.labels(range(len(data.chosen)))
    order = [names.index(name) for name in selection.labels]
    lines: list[tuple[float, float, float]] = []
    for step, pick in enumerate(order):
        draws = [[seed, step, k] for k in range(n_permutations)]
        tasks = [(data, order[:step], pick, draw) for draw in [None, *draws]]
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
        variant=data.scope,
        of="draws",
    )


def _best_of_step(
    data: Candidates, picks: Sequence[int], pick: int, draw: Sequence[int] | None
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
    for fold in data.folds:
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


def _picks(data: Candidates, samples: NDArray[Any]) -> list[int]:
    """Picks among the sites of these samples, which may repeat."""
    rows = np.concatenate([np.flatnonzero(data.groups == sample) for sample in samples])
    part = data.take(rows)
    n_splits = min(data.n_splits, len(np.unique(samples)))
    return part.path(split(part.y, part.groups, n_splits=n_splits)).picks
