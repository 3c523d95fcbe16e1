"""Logistic regression on given columns and one more, for many candidates at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from amorphace.core.errors import InputError
from amorphace.learn.splits import Fold

TOLERANCE = 1e-6
"""Largest component of the gradient of the mean loss at which a fit has converged."""

MAX_STEPS = 100
"""Newton steps after which a fit counts as not converging; about four are usual."""

BLOCK_VALUES = 400_000
"""Sites times candidates worked on together: arrays that stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """Standardised columns of one fold, and the columns chosen so far (the first is 1).

    Attributes
    ----------
    Z, Z_test : ndarray of shape (n_candidates, n_train), (n_candidates, n_test)
        One row a candidate.
    y, y_test : ndarray of shape (n_train,), (n_test,)
    """

    Z: NDArray[np.float64]
    Z_test: NDArray[np.float64]
    y: NDArray[np.float64]
    y_test: NDArray[np.int64]

    @classmethod
    def of(cls, X: NDArray[np.float64], y: NDArray[np.int64], fold: Fold) -> _Rows:
        train, test = X[fold.train], X[fold.test]
        mean, std = train.mean(axis=0), train.std(axis=0)
        constant = (np.ptp(train, axis=0) == 0) | (std <= 1e-13 * np.abs(mean))
        unit = np.where(constant, 0, 1 / np.where(constant, 1, std))  # such a column tells nothing
        return cls(
            np.ascontiguousarray(((train - mean) * unit).T),
            np.ascontiguousarray(((test - mean) * unit).T),
            y[fold.train].astype(np.float64),
            y[fold.test],
        )

    def chosen(self, picks: list[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows of ones and of the picks, for training and test."""
        return (
            np.vstack([np.ones(len(self.y)), self.Z[picks]]),
            np.vstack([np.ones(len(self.y_test)), self.Z_test[picks]]),
        )


class ForwardFold:
    """The fits of one fold in forward selection, warm from the picks made so far."""

    def __init__(
        self, X: NDArray[np.float64], y: NDArray[np.int64], fold: Fold, strength: float
    ) -> None:
        self._rows = _Rows.of(X, y, fold)
        self.strength = strength
        self._picks: list[int] = []
        self._theta = np.zeros(1)
        self._fits: dict[int, NDArray[np.float64]] = {}

    def accuracy(
        self, candidates: NDArray[np.int64], beside: int | None = None
    ) -> NDArray[np.float64]:
        """On the test rows, of the picks with each candidate added, shape (n_candidates,).

        With `beside`, a candidate whose fit is known, of this one and each other.
        """
        rows = self._rows
        picks, start = self._picks, self._theta
        if beside is not None:
            picks, start = [*picks, beside], self._fits[beside]
        base, base_test = rows.chosen(picks)
        size = max(1, BLOCK_VALUES // len(rows.y))
        scores = np.empty(len(candidates))
        for first in range(0, len(candidates), size):
            block = candidates[first : first + size]
            theta = fit_bordered(base, rows.Z[block], rows.y, start, self.strength)
            f = theta[:, :-1] @ base_test + theta[:, -1:] * rows.Z_test[block]
            scores[first : first + size] = ((f > 0) == rows.y_test).mean(axis=1)
            if beside is None:
                self._fits |= dict(zip(block.tolist(), theta, strict=True))
        return scores

    def pick(self, candidate: int) -> None:
        """Add a column to the picks."""
        self._theta = self._fits[candidate]
        self._picks.append(candidate)
        self._fits = {}


def fit_bordered(
    base: NDArray[np.float64],
    added: NDArray[np.float64],
    y: NDArray[np.float64],
    start: NDArray[np.float64],
    strength: float,
) -> NDArray[np.float64]:
    """Weights of the base columns and of one added column, for every added column.

    Newton's method for all at once. The Hessian of a fit is that of the base, sum_i w_i b_i b_i^T
    with the fit's own w = p (1 - p), bordered by one row for the added column: the base part of
    all fits is one matrix product with the products b_ik b_il.

    Parameters
    ----------
    base : ndarray of shape (n_base, n_sites)
        The first row is 1, the intercept.
    added : ndarray of shape (n_added, n_sites)
    y : ndarray of shape (n_sites,)
        Labels 0 and 1.
    start : ndarray of shape (n_base,)
        Where the weights of the base begin; the added one begins at 0.
    strength : float
        Of the penalty strength/2 |weights|^2, without the intercept.

    Returns
    -------
    ndarray of shape (n_added, n_base + 1)

    Raises
    ------
    InputError
        If a fit does not converge.
    """
    n_base, n_sites = base.shape
    upper: Any = np.triu_indices(n_base)
    products = base[upper[0]] * base[upper[1]]
    penalty = np.full(n_base + 1, strength)
    penalty[0] = 0
    theta = np.zeros((len(added), n_base + 1))
    theta[:, :-1] = start
    active = np.arange(len(added))
    f = theta[:, :-1] @ base
    value = _objective(f, y, theta, penalty)
    for _ in range(MAX_STEPS):
        column, part = added[active], theta[active]
        p = expit(f)
        residual = p - y
        gradient = np.empty_like(part)
        gradient[:, :-1] = residual @ base.T
        gradient[:, -1] = np.einsum("ji,ji->j", residual, column)
        gradient += penalty * part
        going = np.abs(gradient).max(axis=1) > TOLERANCE * n_sites
        if not going.any():
            return theta
        active, column, part = active[going], column[going], part[going]
        f, value, gradient, w = f[going], value[going], gradient[going], (p * (1 - p))[going]
        hessian = _bordered(base, products, upper, column, w) + np.diag(penalty)
        step = -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        slope = np.einsum("jk,jk->j", gradient, step)
        df = step[:, :-1] @ base + step[:, -1:] * column
        t = np.ones((len(active), 1))
        for _ in range(40):
            new, new_f = part + t * step, f + t * df
            new_value = _objective(new_f, y, new, penalty)
            fallen = new_value <= value + 1e-4 * t[:, 0] * slope + 1e-13 * np.abs(value)
            if fallen.all():
                break
            t = np.where(fallen[:, None], t, t / 2)
        theta[active], f, value = new, new_f, new_value
    raise InputError(
        f"logistic regression of {n_sites} sites on {n_base} columns does not converge at strength "
        f"{strength:g}; choose a larger strength"
    )


def _bordered(
    base: NDArray[np.float64],
    products: NDArray[np.float64],
    upper: Any,
    column: NDArray[np.float64],
    w: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Hessians of the loss, shape (n_added, n_base + 1, n_base + 1)."""
    n_base = len(base)
    hessian = np.empty((len(column), n_base + 1, n_base + 1))
    inner = w @ products.T
    hessian[:, upper[0], upper[1]] = inner
    hessian[:, upper[1], upper[0]] = inner
    wc = w * column
    hessian[:, :-1, -1] = hessian[:, -1, :-1] = wc @ base.T
    hessian[:, -1, -1] = np.einsum("ji,ji->j", wc, column)
    return hessian


def _objective(
    f: NDArray[np.float64],
    y: NDArray[np.float64],
    theta: NDArray[np.float64],
    penalty: NDArray[np.float64],
) -> NDArray[np.float64]:
    """sum_i log(1 + exp(f_i)) - y_i f_i + penalty/2 |theta|^2, for every fit."""
    # log(1 + exp(f)) = max(f, 0) + log(1 + exp(-|f|)), faster here than logaddexp
    soft = np.maximum(f, 0) + np.log1p(np.exp(-np.abs(f)))
    return soft.sum(axis=1) - f @ y + (theta**2) @ penalty / 2
