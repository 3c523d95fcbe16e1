"""Logistic regression with Tikhonov regularisation (paper, eq. 11 and Results)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.preprocessing import StandardScaler

from amorphace.core.digest import package_version
from amorphace.core.errors import InputError
from amorphace.learn.checks import check_both, check_data, check_strengths
from amorphace.learn.leverage import Leverage
from amorphace.learn.model import LinearModel
from amorphace.learn.newton import NotConverged, Problem, Solver
from amorphace.learn.splits import Fold, Folds, inner_folds

STRENGTHS = (1e4, 1e3, 1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-3)
"""Regularisation strengths from which one is chosen. With some thousand sites a few radial
columns want the weakest, hundreds of columns want 1 to 100."""

TOLERANCE = 1e-6
"""Largest component of the gradient of the mean loss at which a fit has converged. Newton steps
converge quadratically: a hundred times less costs about one step."""

SEARCH_TOLERANCE = 1e-5
"""The same while strengths, ten times apart, are compared."""


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """P(active) = sigma(weights . (x - mean) / scale + intercept).

    Attributes
    ----------
    mean, scale : ndarray of shape (n_columns,)
        Of the training rows; a constant column has scale 1 and, to rounding, weight 0.
    weights : ndarray of shape (n_columns,)
        Of the standardised columns.
    intercept, strength : float
    loss : float
        Log-loss of a site left out, by which the strength was chosen; NaN where it was given.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercept: float
    strength: float
    loss: float = np.nan

    def decision(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Log-odds of being active, shape (n_sites,)."""
        return (X - self.mean) / self.scale @ self.weights + self.intercept


def _solve(
    solver: Solver, strength: float, start: NDArray[np.float64], tolerance: float
) -> NDArray[np.float64]:
    try:
        return solver.solve(strength, start, tolerance)
    except NotConverged as error:
        n_sites, n_columns = solver.problem.Z.shape
        raise InputError(
            f"logistic regression of {n_sites} sites on {n_columns - 1} columns does not converge "
            f"at strength {strength:g} ({error}); leave out the weakest strengths"
        ) from None


def fit_best(
    X: NDArray[Any],
    y: NDArray[np.int64],
    folds: Sequence[Fold],
    strengths: Sequence[float],
) -> LogisticFit:
    """A fit to all rows at the strength with the least log-loss on the rows left out.

    Minimises sum_i log(1 + exp(-s_i f(x_i))) + strength/2 |weights|^2 with s_i = -1, 1 for the
    labels 0, 1 and f linear in the standardised columns; scikit-learn's C is 1/strength. Newton's
    method with a Cholesky factor (`Solver`): for hundreds of strongly correlated columns it needs
    a few steps where gradient methods need hundreds.

    The log-loss, summed over the folds, and not the accuracy decides: it is smooth in the
    strength, so that the choice does not hang on a few sites; see `least_loss`. The fits of the
    folds are made together, each begun where the one before it ended, and their mean is where
    the fit to all rows begins.

    Parameters
    ----------
    X : ndarray of shape (n_sites, n_columns)
    y : ndarray of shape (n_sites,)
        Labels 0 and 1, both present.
    folds : sequence of Fold
        Of these rows; not needed for one strength.
    strengths : sequence of float

    Raises
    ------
    InputError
        If a fit does not converge.
    """
    ordered = sorted(strengths, reverse=True)
    X = np.asarray(X, dtype=np.float64)
    scaled = StandardScaler().fit(X)
    Z = np.asarray(scaled.transform(X))
    whole = Solver(Problem.of(Z, y, [np.arange(len(y))]))
    strength, start, loss = ordered[0], whole.problem.start, np.nan
    if len(ordered) > 1:
        parts = Solver(Problem.of(Z, y, [fold.train for fold in folds]))
        thetas = [parts.problem.start]

        def loss_left_out(strength: float) -> float:
            thetas.append(_solve(parts, strength, thetas[-1], SEARCH_TOLERANCE))
            return _loss_left_out(parts.problem, thetas[-1], folds)

        best, least = least_loss(ordered, loss_left_out)
        strength, start = ordered[best], thetas[best + 1].mean(axis=1, keepdims=True)
        loss = least / sum(len(fold.test) for fold in folds)
    theta = _solve(whole, strength, start, TOLERANCE)[:, 0]
    return LogisticFit(
        mean=np.asarray(scaled.mean_),
        scale=np.asarray(scaled.scale_),
        weights=theta[:-1],
        intercept=float(theta[-1]),
        strength=float(strength),
        loss=loss,
    )


def least_loss(strengths: Sequence[float], loss: Callable[[float], float]) -> tuple[int, float]:
    """Which strength has the least loss, and this loss; of equal ones the first.

    They are tried from strong to weak, until the loss has risen twice in a row.
    """
    losses: list[float] = []
    for strength in strengths:
        losses.append(loss(strength))
        if len(losses) > 2 and losses[-1] > losses[-2] > losses[-3]:
            break
    best = int(np.argmin(losses))
    return best, losses[best]


def _loss_left_out(problem: Problem, theta: NDArray[np.float64], folds: Sequence[Fold]) -> float:
    """Log-loss of each fold's fit on its test rows, summed over folds."""
    return sum(
        _total_log_loss(problem.Z[fold.test] @ theta[:, j], problem.y[fold.test])
        for j, fold in enumerate(folds)
    )


def _total_log_loss(decision: NDArray[np.float64], y: NDArray[Any]) -> float:
    """sum_i log(1 + exp(-s_i f_i)), s_i = -1, 1 for the labels 0, 1."""
    return float(np.logaddexp(0, np.where(y == 1, -decision, decision)).sum())


def fit_classifier(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    names: Sequence[str],
    settings: Mapping[str, Any],
    centres: Sequence[str] = (),
    strengths: Sequence[float] = STRENGTHS,
    n_splits: int = 5,
    folds: Folds = "grouped",
    seed: int = 0,
) -> LinearModel:
    """A classifier fitted to all sites, its strength chosen by cross-validation.

    Parameters
    ----------
    X : array_like of shape (n_sites, n_columns)
    y : array_like of shape (n_sites,)
        1 active, 0 inactive.
    groups : array_like of shape (n_sites,)
        The sample of each site.
    names : sequence of str of length n_columns
    settings : mapping of str to JSON value
        The descriptor's, so that the features can be computed again.
    centres : sequence of str
        Species of the sites.
    strengths : sequence of float
        To choose from; one strength is taken as it is.
    n_splits : int
        Folds for the choice.
    folds : {"grouped", "random"}
    seed : int
        Of random folds.

    Raises
    ------
    InputError
        If the data is not usable or there are too few samples.
    """
    X, y, groups = check_data(X, y, groups)
    strengths = check_strengths(strengths)
    if len(names) != X.shape[1]:
        raise InputError(f"{X.shape[1]} columns need as many names, got {len(names)}")
    check_both(y)
    inner: tuple[Fold, ...] = ()
    if len(strengths) > 1:
        inner = inner_folds(y, groups, n_splits=n_splits, folds=folds, seed=seed)
    fit = fit_best(X, y, inner, strengths)
    weights = fit.weights / fit.scale
    return LinearModel(
        names=tuple(names),
        weights=weights,
        intercept=float(fit.intercept - weights @ fit.mean),
        mean=fit.mean,
        scale=fit.scale,
        strength=fit.strength,
        settings=settings,
        version=package_version(),
        centres=tuple(centres),
        leverage=Leverage.of((X - fit.mean) / fit.scale, fit.strength),
    )
