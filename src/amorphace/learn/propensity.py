"""Regression of propensity or D2min over all particles, judged on whole samples left out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike

from amorphace.core.errors import InputError
from amorphace.learn.ard import correlations
from amorphace.learn.parallel import Progress
from amorphace.learn.regression import PropensityCurve, PropensityScore
from amorphace.learn.ridge import STRENGTHS, ExtraRows, RidgeProblem

MAX_DRAWS = 8
"""Sets of training samples at each point of a learning curve, at most."""


def propensity_score(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    target: str,
    inputs: str = "",
    log: bool = False,
    samples: Sequence[str] | None = None,
    strengths: Sequence[float] = STRENGTHS,
    extra: ExtraRows | None = None,
    unseen: ArrayLike | None = None,
) -> PropensityScore:
    """Correlation of target and prediction in every sample, by a ridge that has not seen it.

    In every sample the target is measured from its mean, in units of its standard deviation:
    what is predicted is the order inside a configuration. Columns are standardised by the
    training samples; the strength is the one with the least squared error on training samples
    left out in turn. The test sample takes part in neither.

    Parameters
    ----------
    X : array_like of shape (n_sites, n_columns)
    y : array_like of shape (n_sites,)
    groups : array_like of shape (n_sites,)
        The sample of each site.
    target, inputs : str
        Names of what is predicted, and from what.
    log : bool
        Predict the logarithm of y instead, and correlate with it.
    samples : sequence of str, optional
        Names of the samples, in sorted order of `groups`; their numbers when left out.
    strengths : sequence of float
        To choose from; one strength is taken as it is.
    extra : ExtraRows, optional
        Further rows to learn from.
    unseen : array_like, optional
        Samples (values of `groups`) that are tested and never learned from. When left out, each
        sample is tested, learned from all others.

    Returns
    -------
    PropensityScore

    Raises
    ------
    InputError
        If the data is not usable, there are fewer than 2 samples, or log is asked for and a
        target is not positive.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, groups = rng.normal(size=(600, 3)), np.repeat([0, 1, 2], 200)
    >>> score = propensity_score(X, X[:, 1] + 0.1 * rng.normal(size=600), groups, target="d2min")
    >>> score.pearson.round(2).tolist()
    [0.99, 0.99, 0.99]
    """
    problem = RidgeProblem.of(X, y, groups, strengths, extra, log)
    n_all = len(problem.labels)
    names = [str(k) for k in problem.labels] if samples is None else list(samples)
    if len(names) != n_all:
        raise InputError(f"{n_all} samples need as many names, got {len(names)}")
    splits = _splits(problem, unseen)
    found = [(test, problem.fit(train)) for test, train in splits]
    pearson, spearman = np.array([problem.correlation(test, theta) for test, (theta, _) in found]).T
    rows = np.concatenate([problem.rows[test] for test, _ in found])
    predicted = np.concatenate([problem.X[problem.rows[k]] @ theta for k, (theta, _) in found])
    measured = np.asarray(y, dtype=np.float64)[rows]
    return PropensityScore(
        target=target,
        log=log,
        inputs=inputs,
        head="ridge",
        n_columns=problem.X.shape[1],
        samples=tuple(names[test] for test, _ in splits),
        pearson=pearson,
        spearman=spearman,
        strength=np.array([strength for _, (_, strength) in found]),
        pooled=correlations(predicted, np.log(measured) if log else measured)[0],
        n_train=len(splits[0][1]),
    )


def _splits(problem: RidgeProblem, unseen: ArrayLike | None) -> list[tuple[int, list[int]]]:
    """Each sample that is tested, and those that are learned from."""
    every = range(len(problem.labels))
    if unseen is None:
        return [(test, [k for k in every if k != test]) for test in every]
    tested = np.isin(problem.labels, np.asarray(unseen))
    train = np.flatnonzero(~tested).tolist()
    if not tested.any() or not train:
        raise InputError(
            f"of {len(tested)} samples {int(tested.sum())} are unseen; at least one is needed to "
            "learn from, and one to test on"
        )
    return [(test, train) for test in np.flatnonzero(tested).tolist()]


def propensity_curve(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    target: str,
    inputs: str = "",
    log: bool = False,
    n_train: Sequence[int] | None = None,
    strengths: Sequence[float] = STRENGTHS,
    extra: ExtraRows | None = None,
    unseen: ArrayLike | None = None,
    n_draws: int = MAX_DRAWS,
    seed: int = 0,
    progress: Progress | None = None,
) -> PropensityCurve:
    """The scores of `propensity_score` against the number of training samples.

    Parameters
    ----------
    X, y, groups, target, inputs, log, strengths, extra, unseen
        As for `propensity_score`.
    n_train : sequence of int, optional
        1 to all other samples when left out. With a single training sample, inside which no
        strength can be chosen, the strength is `LONE_STRENGTH` (or the only one given).
    n_draws : int
        Sets of training samples drawn for each test sample and point.
    seed : int
        Of the draws.
    progress : callable, optional
        Called as progress(done, total) after every test sample of every point.

    Returns
    -------
    PropensityCurve

    Raises
    ------
    InputError
        As `propensity_score`; also if a number of training samples is not possible.
    """
    problem = RidgeProblem.of(X, y, groups, strengths, extra, log)
    splits = _splits(problem, unseen)
    most, n_all = len(splits[0][1]), len(splits)
    points = list(range(1, most + 1)) if n_train is None else [int(k) for k in n_train]
    if not points or not all(1 <= k <= most for k in points):
        raise InputError(
            f"n_train must be numbers from 1 to {most}, the samples that can be learned from; got "
            f"{points}"
        )
    rng = np.random.default_rng(seed)
    pearson, spearman = np.empty((2, len(points), n_all))
    for p, m in enumerate(points):
        for t, (test, others) in enumerate(splits):
            scores = [
                problem.correlation(test, problem.fit(train)[0])
                for train in _draws(others, m, n_draws, rng)
            ]
            pearson[p, t], spearman[p, t] = np.mean(scores, axis=0)
            if progress is not None:
                progress(p * n_all + t + 1, len(points) * n_all)
    return PropensityCurve(
        target=target,
        log=log,
        inputs=inputs,
        head="ridge",
        n_train=np.array(points, dtype=np.int64),
        pearson=pearson,
        spearman=spearman,
    )


def extrapolated(curve: PropensityCurve, n_train: int) -> tuple[float, float]:
    """Where a learning curve goes: the correlation that so many training samples would give.

    By least squares of a - b/n and of a - b/sqrt(n) to the mean over the samples tested, from two
    training samples on. The two are a range and no interval: a curve says little of what is far
    beyond its end.

    Parameters
    ----------
    curve : PropensityCurve
    n_train : int
        Training samples, beyond the end of the curve.

    Returns
    -------
    low, high : float
        Of the two laws.

    Raises
    ------
    InputError
        With fewer than three points.
    """
    n, r = curve.n_train, curve.pearson.mean(axis=1)
    n, r = n[n > 1], r[n > 1]
    if len(n) < 3:
        raise InputError(f"a curve goes somewhere from 3 points on, got {len(n)} of 2 samples on")
    ends = []
    for power in (1.0, 0.5):
        slope, limit = np.polyfit(n**-power, r, 1)
        ends.append(float(limit + slope * n_train**-power))
    return min(ends), max(ends)


def _draws(
    others: Sequence[int], m: int, n_draws: int, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Different sets of m of the samples, at most n_draws of them."""
    if comb(len(others), m) <= n_draws:
        return list(combinations(others, m))
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < n_draws:
        drawn[tuple(sorted(rng.choice(others, m, replace=False).tolist()))] = None
    return list(drawn)
