"""Many logistic regressions on one matrix at once, by Newton's method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import expit

MAX_STEPS = 200
"""Newton steps after which a fit counts as not converging; a handful is usual."""

MAX_INNER_STEPS = 60
"""Conjugate-gradient steps inside a Newton step; with a fresh factor about five are usual."""

STALE = 6
"""More conjugate-gradient steps than this cost as much as a new factor does."""

FEW = 24
"""With so few columns a new factor costs nothing."""

FORCING = 0.05
"""Each Newton step is solved to at most this part of the gradient, and ever more exactly as the
gradient vanishes: convergence stays superlinear (Eisenstat and Walker, 1996)."""


CONSTANT = 1e-12
"""A column is constant on rows where its spread is less than this part of that on all rows."""


class NotConverged(ArithmeticError):
    """A fit has not reached its tolerance."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Fits j of the same labels on the same columns, each on rows of its own.

    Minimises sum_i m_ij log(1 + exp(-s_i f_ij)) + 1/2 sum_k c_kj theta_kj^2 with
    f = Z theta and s_i = -1, 1 for the labels 0, 1.

    Attributes
    ----------
    Z : ndarray of shape (n_sites, n_columns + 1)
        The last column is 1: the intercept.
    y : ndarray of shape (n_sites,)
    rows : ndarray of shape (n_sites, n_fits)
        m, 1 where a fit uses a site, else 0.
    scale : ndarray of shape (n_columns + 1, n_fits)
        Standard deviation of each column over the rows of each fit, 1 for the intercept; 0 keeps
        the weight of that column at 0.
    """

    Z: NDArray[np.float64]
    y: NDArray[np.float64]
    rows: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(
        cls, Z: NDArray[np.float64], y: NDArray[np.int64], rows: Sequence[NDArray[np.int64]]
    ) -> Problem:
        """One fit for each set of rows; `Z` comes standardised and without the column of ones."""
        members = np.zeros((len(y), len(rows)))
        scale = np.ones((Z.shape[1] + 1, len(rows)))
        for j, chosen in enumerate(rows):
            members[chosen, j] = 1
            std = Z[chosen].std(axis=0)
            constant = (std < CONSTANT) | (np.ptp(Z[chosen], axis=0) == 0)
            scale[:-1, j] = np.where(constant, 0, std)
        with_ones = np.column_stack([Z, np.ones(len(Z))])
        return cls(with_ones, np.asarray(y, dtype=np.float64), members, scale)

    @property
    def start(self) -> NDArray[np.float64]:
        """Zero weights, shape (n_columns + 1, n_fits)."""
        return np.zeros_like(self.scale)

    def objective(
        self, f: NDArray[np.float64], theta: NDArray[np.float64], penalty: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """What is minimised, shape (n_fits,)."""
        loss = np.logaddexp(0, f) - self.y[:, None] * f
        return (self.rows * loss).sum(axis=0) + (penalty * theta**2).sum(axis=0) / 2


class Solver:
    """Newton's method for a `Problem`, at one strength after another.

    All fits share one Cholesky factor, that of their mean Hessian: it solves a single fit exactly
    and is the preconditioner of conjugate gradients for several, whose rows mostly agree. It is
    made anew when the fits have moved away from it. The factor costs n k^2, a step of conjugate
    gradients 4 n k for each fit.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._hessian: NDArray[np.float64] | None = None
        self._stale = True

    def solve(
        self, strength: float, start: NDArray[np.float64], tolerance: float
    ) -> NDArray[np.float64]:
        """Weights and intercept at which the gradient of the mean loss vanishes.

        Parameters
        ----------
        strength : float
            Of the Tikhonov regularisation of the standardised columns.
        start : ndarray of shape (n_columns + 1, n_fits)
        tolerance : float
            Largest component of the gradient of the mean loss, for standardised columns.

        Raises
        ------
        NotConverged
            If it is not reached.
        """
        problem = self.problem
        free = problem.scale > 0
        penalty = strength * problem.scale**2
        penalty[-1] = 0
        unit = np.where(free, 1 / np.where(free, problem.scale, 1), 0) / problem.rows.sum(axis=0)
        theta = np.where(free, start, 0)
        f = problem.Z @ theta
        value = problem.objective(f, theta, penalty)
        factor = None
        for _ in range(MAX_STEPS):
            p = expit(f)
            residual = problem.rows * (p - problem.y[:, None])
            gradient = np.where(free, problem.Z.T @ residual + penalty * theta, 0)
            size = np.abs(gradient * unit).max(axis=0)
            active = np.flatnonzero(size > tolerance)
            if not len(active):
                return theta
            curvature = problem.rows * (p * (1 - p))
            if self._stale:
                self._hessian = _hessian(problem.Z, curvature[:, active].mean(axis=1))
            if factor is None or self._stale:
                factor = _factor(self._hessian, penalty[:, active].mean(axis=1))
            part = _Part(problem.Z, curvature[:, active], penalty[:, active], free[:, active])
            forcing = np.clip(np.sqrt(size[active]), tolerance / size[active] / 4, FORCING)
            step, n_inner = _conjugate_gradients(part, -gradient[:, active], factor, forcing)
            self._stale = n_inner > STALE or len(theta) <= FEW
            direction = np.zeros_like(theta)
            direction[:, active] = step
            theta, f, value = _line_search(problem, penalty, theta, f, value, gradient, direction)
        raise NotConverged(f"gradient {size.max():.2g} after {MAX_STEPS} steps")


@dataclass(frozen=True, eq=False)
class _Part:
    """Hessians of some of the fits: H_j v = Z^T (w_j Z v) + c_j v."""

    Z: NDArray[np.float64]
    curvature: NDArray[np.float64]
    penalty: NDArray[np.float64]
    free: NDArray[np.bool_]

    def times(self, v: NDArray[np.float64]) -> NDArray[np.float64]:
        full = self.Z.T @ (self.curvature * (self.Z @ v)) + self.penalty * v
        return np.where(self.free, full, 0)


def _hessian(Z: NDArray[np.float64], curvature: NDArray[np.float64]) -> NDArray[np.float64]:
    """Z^T diag(w) Z."""
    weighted = Z * np.sqrt(curvature)[:, None]
    return weighted.T @ weighted


def _factor(hessian: NDArray[np.float64] | None, penalty: NDArray[np.float64]) -> tuple[Any, Any]:
    """Cholesky factor of the Hessian and the penalty, its diagonal raised where it is singular."""
    assert hessian is not None
    diagonal = np.diagonal(hessian) + penalty
    rise = 0.0
    for _ in range(20):
        matrix = hessian.copy()
        np.fill_diagonal(matrix, diagonal + rise)
        try:
            return cho_factor(matrix, overwrite_a=True, check_finite=False)
        except LinAlgError:
            rise = max(10 * rise, 1e-14 * float(diagonal.max()), 1e-300)
    raise NotConverged("the Hessian is singular")


def _conjugate_gradients(
    part: _Part, right: NDArray[np.float64], factor: tuple[Any, Any], forcing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], int]:
    """x_j with |H_j x_j - right_j| <= forcing_j |right_j|, and the number of steps.

    The norm is that of the inverse of the preconditioner, which knows the columns' scales.
    """
    x, r = np.zeros_like(right), right.copy()
    z = np.where(part.free, cho_solve(factor, r, check_finite=False), 0)
    d, rz = z, (r * z).sum(axis=0)
    goal = forcing**2 * rz
    n_steps = 0
    while n_steps < MAX_INNER_STEPS:
        n_steps += 1
        Hd = part.times(d)
        going = rz > goal
        with np.errstate(divide="ignore", invalid="ignore"):
            a = np.where(going, rz / (d * Hd).sum(axis=0), 0)
        x += a * d
        r -= a * Hd
        z = np.where(part.free, cho_solve(factor, r, check_finite=False), 0)
        new = np.where(going, (r * z).sum(axis=0), rz)
        if (new <= goal).all():
            break
        with np.errstate(divide="ignore", invalid="ignore"):
            b = np.where(going, new / rz, 0)
        d, rz = z + b * d, new
    return x, n_steps


def _line_search(
    problem: Problem,
    penalty: NDArray[np.float64],
    theta: NDArray[np.float64],
    f: NDArray[np.float64],
    value: NDArray[np.float64],
    gradient: NDArray[np.float64],
    direction: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """A step along each direction, halved until the objective falls (Armijo's rule)."""
    slope = (gradient * direction).sum(axis=0)
    df = problem.Z @ direction
    t = np.ones(theta.shape[1])
    rounding = 1e-13 * np.abs(value)
    new_theta, new_f, new = theta, f, value
    for _ in range(40):
        new_theta, new_f = theta + t * direction, f + t * df
        new = problem.objective(new_f, new_theta, penalty)
        fallen = new <= value + 1e-4 * t * slope + rounding
        if fallen.all():
            break
        t = np.where(fallen, t, t / 2)
    return new_theta, new_f, new
