"""Regression of propensity or D2min over all particles, judged on whole samples left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.core.codec import decode, encode
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.records import read_json, write_json
from amorphace.dataset.particles import particle_columns
from amorphace.dataset.table import Table
from amorphace.dataset.thermal import majority_species
from amorphace.learn.coarse import LENGTHS, coarse_grained, coarse_names
from amorphace.learn.parallel import Progress
from amorphace.learn.regression import correlations

STRENGTHS = (1e2, 3e2, 1e3, 3e3, 1e4, 3e4)
"""Of the ridge, from which one is chosen inside the training samples; with some thousand
particles a sample and a hundred correlated columns the best lies between."""

LONE_STRENGTH = 1e3
"""Taken where there is a single training sample, inside which nothing can be left out."""

CONSTANT = 1e-12
"""Spread of a standardised column below which it is rounding."""

MAX_DRAWS = 8
"""Sets of training samples at each point of a learning curve, at most."""


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
    """

    score: PropensityScore
    curve: PropensityCurve | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


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


@dataclass(frozen=True, eq=False, kw_only=True)
class ExtraRows:
    """Further rows to learn from, which belong to samples but are never tested on.

    For example end points of the runs read backwards in time: equilibrium dynamics is
    reversible, so that a run from its end to its start is one more run, from one more
    configuration.

    Attributes
    ----------
    X : array_like of shape (n_rows, n_columns)
    y : array_like of shape (n_rows,)
    groups : array_like of shape (n_rows,)
        The sample they belong to: they are left out together with it.
    configuration : array_like of int of shape (n_rows,)
        Rows of equal number are of one configuration, from whose mean y is measured.
    weights : sequence of float
        Of a row, compared with a row of a sample itself, to choose from: the target of a single
        run is noisier than the mean over many.
    """

    X: ArrayLike
    y: ArrayLike
    groups: ArrayLike
    configuration: ArrayLike
    weights: Sequence[float] = (0.0, 0.03, 0.1, 0.3)


def propensity_inputs(
    configuration: Configuration,
    descriptor: ACEDescriptor,
    *,
    lengths: Sequence[float] = LENGTHS,
    where: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Features of particles beside the averages of these features over their neighbours.

    Parameters
    ----------
    configuration : Configuration
    descriptor : ACEDescriptor
        Of a few tens of columns, for example the radial ones (max_order=1).
    lengths : sequence of float
        Of the weights exp(-r/length), in units of sigma; see `coarse_grained`.
    where : array_like, optional
        Mask or indices of the particles wanted; all when left out.

    Returns
    -------
    ndarray of shape (n_sites, n_features * (1 + n_lengths * n_species))
        Named by `input_names`.

    Raises
    ------
    InputError
        As `ACEDescriptor.transform` and `coarse_grained`.
    """
    B = descriptor.transform(configuration)
    species = tuple(str(label) for label in np.asarray(descriptor.species).ravel())
    own = B if where is None else B[np.asarray(where)]
    averages = coarse_grained(configuration, B, lengths=lengths, species=species, where=where)
    return np.hstack([own, averages])


def input_names(descriptor: ACEDescriptor, lengths: Sequence[float] = LENGTHS) -> list[str]:
    """Names of the columns of `propensity_inputs`."""
    names = descriptor.get_feature_names_out().tolist()
    species = [str(label) for label in np.asarray(descriptor.species).ravel()]
    return names + coarse_names(names, species, lengths)


def table_inputs(
    table: Table,
    configurations: Iterable[Configuration],
    descriptor: ACEDescriptor,
    *,
    target: str = "d2min",
    centres: str | None = None,
    lengths: Sequence[float] = LENGTHS,
    progress: Callable[[int], object] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """X, y and groups of a regression, from a labelled table and its configurations.

    Parameters
    ----------
    table : Table
        Targets of all particles of a species, as `label_thermal` makes it.
    configurations : iterable of Configuration
        One a sample of the table, in the same order (for example inherent structures); taken one
        at a time.
    descriptor, lengths
        As for `propensity_inputs`.
    target : str
        Which target of the table.
    centres : str, optional
        Species whose particles are predicted; the most frequent one when left out.
    progress : callable, optional
        Called with 1 after each configuration.

    Returns
    -------
    X : ndarray of shape (n_sites, n_columns)
    y : ndarray of shape (n_sites,)
    groups : ndarray of shape (n_sites,)
        Index into `table.sample_names`.

    Raises
    ------
    InputError
        If the table lacks the target, the numbers of samples differ, or a particle of the table
        is not in its configuration.
    """
    if target not in table.targets:
        known = ", ".join(table.targets) or "none"
        raise InputError(f"the table has no target {target!r}; there are: {known}")
    chosen = majority_species(table.species) if centres is None else centres
    X, y, groups = [], [], []
    given = 0
    for given, configuration in enumerate(configurations, start=1):
        if given > len(table.sample_names):
            break
        values = particle_columns(table, configuration, given - 1)[target]
        where = (configuration.species == chosen) & np.isfinite(values)
        X.append(propensity_inputs(configuration, descriptor, lengths=lengths, where=where))
        y.append(values[where])
        groups.append(np.full(int(where.sum()), given - 1))
        if progress is not None:
            progress(1)
    if given != len(table.sample_names):
        raise InputError(
            f"the table is of {len(table.sample_names)} samples, but {given} or more "
            "configurations were given; give one for each, in the same order"
        )
    return np.concatenate(X), np.concatenate(y), np.concatenate(groups)


def propensity_predictions(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    strengths: Sequence[float] = STRENGTHS,
    extra: ExtraRows | None = None,
) -> NDArray[np.float64]:
    """Every particle's target, predicted by a ridge that has not seen its sample.

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
    strengths : sequence of float
        To choose from; one strength is taken as it is.
    extra : ExtraRows, optional
        Further rows to learn from.

    Returns
    -------
    ndarray of shape (n_sites,)
        In standard deviations of the target in a sample.

    Raises
    ------
    InputError
        If the data is not usable, or there are fewer than 2 samples.
    """
    problem = _Problem.of(X, y, groups, strengths, extra)
    return problem.predictions()[0]


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
) -> PropensityScore:
    """Correlation of target and prediction in every sample, learned from all the others.

    Parameters
    ----------
    X, y, groups, strengths, extra
        As for `propensity_predictions`.
    target, inputs : str
        Names of what is predicted, and from what.
    log : bool
        Predict the logarithm of y instead, and correlate with it.
    samples : sequence of str, optional
        Names of the samples, in sorted order of `groups`; their numbers when left out.

    Returns
    -------
    PropensityScore

    Raises
    ------
    InputError
        As `propensity_predictions`; also if log is asked for and a target is not positive.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, groups = rng.normal(size=(600, 3)), np.repeat([0, 1, 2], 200)
    >>> score = propensity_score(X, X[:, 1] + 0.1 * rng.normal(size=600), groups, target="d2min")
    >>> score.pearson.round(2).tolist()
    [0.99, 0.99, 0.99]
    """
    problem = _Problem.of(X, _logarithm(y) if log else y, groups, strengths, extra, log)
    predicted, strength = problem.predictions()
    pearson, spearman = problem.correlations(predicted)
    names = [str(k) for k in problem.labels] if samples is None else list(samples)
    if len(names) != len(problem.labels):
        raise InputError(f"{len(problem.labels)} samples need as many names, got {len(names)}")
    return PropensityScore(
        target=target,
        log=log,
        inputs=inputs,
        head="ridge",
        n_columns=problem.X.shape[1],
        samples=tuple(names),
        pearson=pearson,
        spearman=spearman,
        strength=strength,
    )


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
    n_draws: int = MAX_DRAWS,
    seed: int = 0,
    progress: Progress | None = None,
) -> PropensityCurve:
    """The scores of `propensity_score` against the number of training samples.

    Parameters
    ----------
    X, y, groups, target, inputs, log, strengths, extra
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
    problem = _Problem.of(X, _logarithm(y) if log else y, groups, strengths, extra, log)
    n_all = len(problem.labels)
    points = list(range(1, n_all)) if n_train is None else [int(k) for k in n_train]
    if not points or not all(1 <= k < n_all for k in points):
        raise InputError(
            f"n_train must be numbers from 1 to {n_all - 1}, one less than the samples there "
            f"are; got {points}"
        )
    rng = np.random.default_rng(seed)
    pearson, spearman = np.empty((2, len(points), n_all))
    for p, m in enumerate(points):
        for test in range(n_all):
            others = [k for k in range(n_all) if k != test]
            scores = [
                problem.correlation(test, problem.fit(train)[0])
                for train in _draws(others, m, n_draws, rng)
            ]
            pearson[p, test], spearman[p, test] = np.mean(scores, axis=0)
            if progress is not None:
                progress(p * n_all + test + 1, len(points) * n_all)
    return PropensityCurve(
        target=target,
        log=log,
        inputs=inputs,
        head="ridge",
        n_train=np.array(points, dtype=np.int64),
        pearson=pearson,
        spearman=spearman,
    )


@dataclass(frozen=True, eq=False)
class _Moments:
    """Sums over the rows of one or several samples: all that a ridge needs to know of them.

    Attributes
    ----------
    n, x, y, xx, xy, yy : float or ndarray
        Sums of 1, x, y, x x^T, x y, y^2.
    """

    n: float
    x: NDArray[np.float64]
    y: float
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]
    yy: float

    @classmethod
    def of(cls, X: NDArray[np.float64], y: NDArray[np.float64]) -> _Moments:
        """The sums over rows."""
        return cls(float(len(X)), X.sum(axis=0), float(y.sum()), X.T @ X, X.T @ y, float(y @ y))

    def __add__(self, other: _Moments) -> _Moments:
        return _Moments(
            *(getattr(self, k) + getattr(other, k) for k in ("n", "x", "y", "xx", "xy", "yy"))
        )

    def weighted(self, w: float) -> _Moments:
        """The same rows, each counted w times."""
        return _Moments(*(w * getattr(self, k) for k in ("n", "x", "y", "xx", "xy", "yy")))

    def squared_error(self, theta: NDArray[np.float64], b: float) -> float:
        """sum (y - b - theta . x)^2."""
        quadratic = theta @ self.xx @ theta + self.yy + self.n * b**2
        return float(quadratic - 2 * (b * self.y + theta @ self.xy - b * (theta @ self.x)))

    def ridges(self, strengths: Sequence[float]) -> list[tuple[NDArray[np.float64], float]]:
        """theta and intercept of a ridge on standardised columns, one for each strength."""
        mean, y_mean = self.x / self.n, self.y / self.n
        C = self.xx - np.outer(mean, self.x)
        scale = np.sqrt((C.diagonal() / self.n).clip(0))
        scale = np.where(scale > CONSTANT, scale, np.inf)  # a constant column has no weight
        d, V = np.linalg.eigh(C / np.outer(scale, scale))
        c = V.T @ ((self.xy - mean * self.y) / scale)
        thetas = [V @ (c / (d.clip(0) + strength)) / scale for strength in strengths]
        return [(theta, float(y_mean - theta @ mean)) for theta in thetas]


@dataclass(frozen=True, eq=False)
class _Problem:
    """Checked data, and what a ridge needs to know of every sample.

    Attributes
    ----------
    X : ndarray of shape (n_sites, n_columns)
        Standardised by all rows, which keeps the sums exact and changes no result.
    y : ndarray of shape (n_sites,)
        From the mean of each sample, in units of its standard deviation.
    labels : ndarray of shape (n_samples,)
    rows : tuple of ndarray
        Of each sample.
    own, extra : tuple of _Moments
        Of each sample, and of the extra rows that belong to it.
    strengths, weights : tuple of float
        To choose from.
    """

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    labels: NDArray[Any]
    rows: tuple[NDArray[np.int64], ...]
    own: tuple[_Moments, ...]
    extra: tuple[_Moments, ...]
    strengths: tuple[float, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike,
        strengths: Sequence[float],
        extra: ExtraRows | None,
        log: bool = False,
    ) -> _Problem:
        B, target, sample = _checked(X, y, groups)
        labels, number = np.unique(sample, return_inverse=True)
        if len(labels) < 2:
            raise InputError(
                "a regression is judged on samples it has not seen, so at least 2 are needed; got "
                f"{len(labels)}"
            )
        if not len(strengths) or not all(np.isfinite(s) and s > 0 for s in strengths):
            raise InputError(f"strengths must be positive numbers, at least one; got {strengths}")
        mean, scale = B.mean(axis=0), B.std(axis=0)
        scale[scale == 0] = 1
        B = (B - mean) / scale
        rows = tuple(np.flatnonzero(number == k) for k in range(len(labels)))
        target = target.copy()
        units = []
        for k, part in enumerate(rows):
            units.append(float(target[part].std()))
            if not units[k] > 0:
                raise InputError(
                    f"the target is the same for all particles of sample {labels[k]}; there is "
                    "nothing to predict"
                )
            target[part] = (target[part] - target[part].mean()) / units[k]
        own = tuple(_Moments.of(B[part], target[part]) for part in rows)
        more: tuple[_Moments, ...] = ()
        if extra is not None:
            more = _extra_moments(extra, labels, units, mean, scale, log)
        return cls(
            X=B,
            y=target,
            labels=labels,
            rows=rows,
            own=own,
            extra=more,
            strengths=tuple(sorted(float(s) for s in strengths)),
            weights=(0.0,) if extra is None else tuple(float(w) for w in extra.weights),
        )

    def fit(self, train: Sequence[int]) -> tuple[NDArray[np.float64], float]:
        """theta and strength of the ridge on some samples, its settings chosen inside them."""
        if len(train) == 1:
            middle = len(self.strengths) > 1
            choice = (
                self.weights[len(self.weights) // 2],
                LONE_STRENGTH if middle else self.strengths[0],
            )
        else:
            choice = self._choice(train)
        ((theta, _),) = self._moments(train, choice[0]).ridges([choice[1]])
        return theta, choice[1]

    def _choice(self, train: Sequence[int]) -> tuple[float, float]:
        """Weight of the extra rows and strength with the least error on samples left out."""
        choices = [(w, s) for w in self.weights for s in self.strengths]
        if len(choices) == 1:
            return choices[0]
        errors = np.zeros((len(self.weights), len(self.strengths)))
        for i, weight in enumerate(self.weights):
            for left_out in train:
                moments = self._moments([k for k in train if k != left_out], weight)
                for j, fit in enumerate(moments.ridges(self.strengths)):
                    errors[i, j] += self.own[left_out].squared_error(*fit)
        return choices[int(errors.argmin())]

    def _moments(self, train: Sequence[int], weight: float) -> _Moments:
        total = self.own[train[0]]
        for k in train[1:]:
            total = total + self.own[k]
        if weight > 0:
            for k in train:
                total = total + self.extra[k].weighted(weight)
        return total

    def predictions(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Prediction of every row from the other samples, and the strength for each sample."""
        predicted, strengths = np.empty(len(self.y)), np.empty(len(self.labels))
        for test, rows in enumerate(self.rows):
            theta, strengths[test] = self.fit([k for k in range(len(self.labels)) if k != test])
            predicted[rows] = self.X[rows] @ theta
        return predicted, strengths

    def correlation(self, test: int, theta: NDArray[np.float64]) -> tuple[float, float]:
        """Pearson and Spearman correlation in a sample."""
        rows = self.rows[test]
        return correlations(self.X[rows] @ theta, self.y[rows])

    def correlations(
        self, predicted: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pearson and Spearman correlation in every sample."""
        pairs = [correlations(predicted[rows], self.y[rows]) for rows in self.rows]
        pearson, spearman = np.array(pairs).T
        return pearson, spearman


def _extra_moments(
    extra: ExtraRows,
    labels: NDArray[Any],
    units: Sequence[float],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    log: bool,
) -> tuple[_Moments, ...]:
    """Sums over the extra rows of every sample; targets in the unit of the sample's own."""
    B, target, sample = _checked(extra.X, extra.y, extra.groups, "extra rows: ")
    configuration = np.asarray(extra.configuration)
    if B.shape[1] != len(mean) or configuration.shape != target.shape:
        raise InputError(
            f"extra rows need the {len(mean)} columns of X and a configuration for each row; got "
            f"X {B.shape}, configuration {configuration.shape}"
        )
    if not np.isin(sample, labels).all():
        unknown = sample[~np.isin(sample, labels)][0]
        raise InputError(f"extra rows belong to sample {unknown}, which has no rows of its own")
    if not len(extra.weights) or not all(np.isfinite(w) and w >= 0 for w in extra.weights):
        raise InputError(f"weights of extra rows must not be negative; got {extra.weights}")
    target = _logarithm(target) if log else target.copy()
    _, place = np.unique(configuration, return_inverse=True)
    target -= (np.bincount(place, target) / np.bincount(place))[place]
    B = (B - mean) / scale
    return tuple(
        _Moments.of(B[sample == label], target[sample == label] / unit)
        for label, unit in zip(labels, units, strict=True)
    )


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


def _logarithm(y: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(y, dtype=np.float64)
    if not (values > 0).all():
        raise InputError(
            f"the logarithm needs positive targets, got {values[~(values > 0)][0]}; predict the "
            "target itself"
        )
    return np.log(values)


def _checked(
    X: ArrayLike, y: ArrayLike, groups: ArrayLike, what: str = ""
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[Any]]:
    """X, y and groups as arrays of finite numbers with equal rows."""
    B, target = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    sample = np.asarray(groups)
    if B.ndim != 2 or B.shape[1] == 0 or target.shape != (len(B),) or sample.shape != (len(B),):
        raise InputError(
            f"{what}X must have shape (n_sites, n_columns), y and groups (n_sites,); got "
            f"{B.shape}, {target.shape} and {sample.shape}"
        )
    if not np.isfinite(B).all() or not np.isfinite(target).all():
        raise InputError(
            f"{what}X and y must be finite numbers; leave out the particles that were not measured"
        )
    return B, target, sample
