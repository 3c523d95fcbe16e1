"""A ridge on standardised columns from sums over samples, its strength chosen inside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import InputError
from amorphace.learn.ard import correlations
from amorphace.learn.checks import check_strengths, check_target

STRENGTHS = (1e2, 3e2, 1e3, 3e3, 1e4, 3e4)
"""Of the ridge, from which one is chosen inside the training samples; with some thousand
particles a sample and a hundred correlated columns the best lies between."""

LONE_STRENGTH = 1e3
"""Taken where there is a single training sample, inside which nothing can be left out."""

CONSTANT = 1e-12
"""Spread of a standardised column below which it is rounding."""


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


@dataclass(frozen=True, eq=False)
class Moments:
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
    def of(cls, X: NDArray[np.float64], y: NDArray[np.float64]) -> Moments:
        """The sums over rows."""
        return cls(float(len(X)), X.sum(axis=0), float(y.sum()), X.T @ X, X.T @ y, float(y @ y))

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            *(getattr(self, k) + getattr(other, k) for k in ("n", "x", "y", "xx", "xy", "yy"))
        )

    def weighted(self, w: float) -> Moments:
        """The same rows, each counted w times."""
        return Moments(*(w * getattr(self, k) for k in ("n", "x", "y", "xx", "xy", "yy")))

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
class RidgeProblem:
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
    own, extra : tuple of Moments
        Of each sample, and of the extra rows that belong to it.
    strengths, weights : tuple of float
        To choose from.
    """

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    labels: NDArray[Any]
    rows: tuple[NDArray[np.int64], ...]
    own: tuple[Moments, ...]
    extra: tuple[Moments, ...]
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
        log: bool,
    ) -> RidgeProblem:
        """From what `propensity_score` is given."""
        X, target, sample = check_target(X, y, groups, log=log)
        labels, number = np.unique(sample, return_inverse=True)
        if len(labels) < 2:
            raise InputError(
                "a regression is judged on samples it has not seen, so at least 2 are needed; got "
                f"{len(labels)}"
            )
        strengths = check_strengths(strengths)[::-1]
        B = np.asarray(X, dtype=np.float64)
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
        own = tuple(Moments.of(B[part], target[part]) for part in rows)
        more: tuple[Moments, ...] = ()
        if extra is not None:
            more = _extra_moments(extra, labels, units, mean, scale, log)
        return cls(
            X=B,
            y=target,
            labels=labels,
            rows=rows,
            own=own,
            extra=more,
            strengths=strengths,
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

    def _moments(self, train: Sequence[int], weight: float) -> Moments:
        total = self.own[train[0]]
        for k in train[1:]:
            total = total + self.own[k]
        if weight > 0:
            for k in train:
                total = total + self.extra[k].weighted(weight)
        return total

    def correlation(self, test: int, theta: NDArray[np.float64]) -> tuple[float, float]:
        """Pearson and Spearman correlation in a sample."""
        rows = self.rows[test]
        return correlations(self.X[rows] @ theta, self.y[rows])


def _extra_moments(
    extra: ExtraRows,
    labels: NDArray[Any],
    units: Sequence[float],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    log: bool,
) -> tuple[Moments, ...]:
    """Sums over the extra rows of every sample; targets in the unit of the sample's own."""
    B, target, sample = check_target(extra.X, extra.y, extra.groups, log=log, what="extra rows: ")
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
    _, place = np.unique(configuration, return_inverse=True)
    target = target - (np.bincount(place, target) / np.bincount(place))[place]
    B = (B - mean) / scale
    return tuple(
        Moments.of(B[sample == label], target[sample == label] / unit)
        for label, unit in zip(labels, units, strict=True)
    )
