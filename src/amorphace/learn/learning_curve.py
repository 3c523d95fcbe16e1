"""Accuracy against the amount of training data (paper, Fig. 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import InputError
from amorphace.learn.checks import check_data, check_strengths
from amorphace.learn.logistic import STRENGTHS, fit_best
from amorphace.learn.parallel import Progress, run_all
from amorphace.learn.results import Curve
from amorphace.learn.splits import Fold, fold_names, inner_folds, split

SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
"""Shares of the training sites at which a curve by sites has points."""

Vary = Literal["samples", "sites"]


def learning_curve(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    vary: Vary = "samples",
    points: Sequence[float] | None = None,
    n_draws: int = 3,
    n_splits: int = 5,
    n_inner_splits: int = 4,
    strengths: Sequence[float] = STRENGTHS,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Curve:
    """Accuracy of logistic regression on all columns given, with ever more training data.

    In every fold, grouped by sample, a part of the training data is drawn at random: whole
    samples, or sites of every sample with their share of labels. The strength is chosen inside
    what is drawn, by folds grouped by sample where it holds two samples or more.

    Parameters
    ----------
    X : array_like of shape (n_sites, n_columns)
    y : array_like of shape (n_sites,)
        1 active, 0 inactive.
    groups : array_like of shape (n_sites,)
        The sample of each site.
    vary : {"samples", "sites"}
    points : sequence of float, optional
        Numbers of training samples, or shares of the training sites; all numbers up to 4, then
        every second, or `SHARES`, when left out.
    n_draws : int
        Draws at each point and fold, averaged over; one where nothing is left to chance.
    n_splits, n_inner_splits, strengths, n_jobs, progress
        As in `accuracy_curve`.
    seed : int
        Of the draws.

    Returns
    -------
    Curve
        "learning", of the variant `vary`: accuracy on the test rows ("test") and on the training
        rows ("train"), mean over the draws, at numbers of sites trained on (mean over folds and
        draws), labelled by the number of samples.

    Raises
    ------
    InputError
        If the data is not usable, there are too few samples, or a point has no meaning.
    """
    X, y, groups = check_data(X, y, groups)
    strengths = check_strengths(strengths)
    if n_draws < 1:
        raise InputError(f"n_draws must be at least 1, got {n_draws}")
    outer = split(y, groups, n_splits=n_splits)
    most = min(len(np.unique(groups[fold.train])) for fold in outer)
    shares = _check_points(points, vary, most)
    parts = [
        (p, f, rows)
        for f, fold in enumerate(outer)
        for p, share in enumerate(shares)
        for rows in _draws(fold, y, groups, vary, share, n_draws, [seed, f, p])
    ]
    results = run_all(
        _accuracies,
        [
            (X, y, groups, rows, outer[f].test, strengths, n_inner_splits, seed)
            for _, f, rows in parts
        ],
        n_jobs=n_jobs,
        progress=progress,
    )
    sums, count = np.zeros((3, len(shares), n_splits)), np.zeros((len(shares), n_splits))
    for (p, f, rows), result in zip(parts, results, strict=True):
        sums[:, p, f] += (*result, len(rows))
        count[p, f] += 1
    train, test, n_sites = sums / count
    return Curve(
        name="learning",
        x=n_sites.mean(axis=1),
        scores={"test": test, "train": train},
        labels=tuple(str(most if vary == "sites" else share) for share in shares),
        folds=fold_names(groups, outer, "grouped"),
        variant=vary,
        n_columns=X.shape[1],
    )


def _check_points(
    points: Sequence[float] | None, vary: Vary, most: int
) -> tuple[float, ...] | tuple[int, ...]:
    """Numbers of samples or shares of sites, ascending, checked."""
    if vary == "samples":
        if points is None:
            return tuple(sorted({*range(1, min(4, most) + 1), *range(6, most + 1, 2), most}))
        if not points or any(k != int(k) or not 1 <= k <= most for k in points):
            raise InputError(
                f"points must be whole numbers of samples from 1 to {most}, all that the smallest "
                f"training part holds; got {list(points)}"
            )
        return tuple(sorted({int(k) for k in points}))
    if vary != "sites":
        raise InputError(f"vary must be 'samples' or 'sites', got {vary!r}")
    shares = SHARES if points is None else tuple(sorted({float(share) for share in points}))
    if not shares or not all(0 < share <= 1 for share in shares):
        raise InputError(f"points must be shares of the sites, above 0 to 1; got {list(shares)}")
    return shares


def _draws(
    fold: Fold,
    y: NDArray[np.int64],
    groups: NDArray[Any],
    vary: Vary,
    share: float,
    n_draws: int,
    seed: list[int],
) -> Iterator[NDArray[np.int64]]:
    """Training rows, drawn `n_draws` times; once where all are taken."""
    rng = np.random.default_rng(seed)
    samples = np.unique(groups[fold.train])
    everything = share == (1 if vary == "sites" else len(samples))
    for _ in range(1 if everything else n_draws):
        if everything:
            yield fold.train
        elif vary == "samples":
            drawn = rng.choice(samples, int(share), replace=False)
            yield fold.train[np.isin(groups[fold.train], drawn)]
        else:
            kinds = [fold.train[y[fold.train] == label] for label in (0, 1)]
            sizes = [max(2, round(share * len(kind))) for kind in kinds]
            picked = [
                rng.choice(kind, min(n, len(kind)), replace=False)
                for kind, n in zip(kinds, sizes, strict=True)
            ]
            yield np.sort(np.concatenate(picked))


def _accuracies(
    X: NDArray[Any],
    y: NDArray[np.int64],
    groups: NDArray[Any],
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    strengths: Sequence[float],
    n_inner_splits: int,
    seed: int,
) -> tuple[float, float]:
    """On the training rows and on the test rows."""
    inner = _inner(y[train], groups[train], len(strengths), n_inner_splits, seed)
    fit = fit_best(X[train], y[train], inner, strengths)
    right = ((fit.decision(X) > 0) == y).astype(float)
    return float(right[train].mean()), float(right[test].mean())


def _inner(
    y: NDArray[np.int64], groups: NDArray[Any], n_strengths: int, n_splits: int, seed: int
) -> tuple[Fold, ...]:
    """Grouped folds; random ones where a sample is alone, or a fold would lack a label."""
    if n_strengths == 1:
        return ()
    try:
        return inner_folds(y, groups, n_splits=n_splits)
    except InputError:
        n_least = int(np.bincount(y, minlength=2).min())
        n_splits = max(2, min(n_splits, n_least))
        return inner_folds(y, groups, n_splits=n_splits, folds="random", seed=seed)
