"""Logistic regression and a linear support vector machine on the same folds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from amorphace.core.errors import InputError
from amorphace.learn.curves import scores_of
from amorphace.learn.folds import Fold, Folds, split
from amorphace.learn.logistic import (
    STRENGTHS,
    check_data,
    check_strengths,
    fit_best,
    inner_of_all,
)
from amorphace.learn.parallel import Progress, run_all
from amorphace.learn.points import column_points
from amorphace.learn.probabilities import Calibration, Roc, calibration, receiver_operating

SVM_STRENGTHS = (1e4, 1e3, 1e2, 1e1, 1e0)
"""Regularisation strengths (1/C) of the support vector machine from which one is chosen."""

SVM_STEPS = 20_000
"""Steps after which a support vector machine counts as not converging."""

Classifier = Literal["logistic", "svm"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassifierScore:
    """Scores of one classifier on the leading columns, one for every fold.

    Attributes
    ----------
    classifier : {"logistic", "svm"}
    n_columns : int
        How many leading columns it uses.
    accuracy, balanced_accuracy, roc_auc : ndarray of shape (n_folds,)
        On the test rows of each fold.
    strength : ndarray of shape (n_folds,)
        Of the Tikhonov regularisation (1/C), chosen inside the training rows.
    calibration : Calibration, optional
        Of the probabilities; None for a support vector machine, which has none.
    cutoff : float, optional
        Of the features, in units of sigma.
    folds : {"grouped", "random"}
    roc : Roc, optional
    """

    classifier: Classifier
    n_columns: int
    accuracy: NDArray[np.float64]
    balanced_accuracy: NDArray[np.float64]
    roc_auc: NDArray[np.float64]
    strength: NDArray[np.float64]
    calibration: Calibration | None = None
    cutoff: float | None = None
    folds: Folds = "grouped"
    roc: Roc | None = None


def compare_classifiers(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    n_columns: Sequence[int] | None = None,
    n_splits: int = 5,
    n_inner_splits: int = 4,
    folds: Folds = "grouped",
    strengths: Sequence[float] = STRENGTHS,
    svm_strengths: Sequence[float] = SVM_STRENGTHS,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> tuple[ClassifierScore, ...]:
    """Logistic regression and a linear support vector machine on the same folds.

    Both see columns standardised by the training rows, and both choose the strength of their
    Tikhonov regularisation inside them, by their own loss: log-loss for logistic regression,
    squared hinge loss sum_i max(0, 1 - s_i f_i)^2 for the support vector machine (scikit-learn's
    `LinearSVC`).

    Parameters
    ----------
    X : array_like of shape (n_sites, n_all_columns)
    y : array_like of shape (n_sites,)
        1 active, 0 inactive.
    groups : array_like of shape (n_sites,)
        The sample of each site.
    n_columns : sequence of int, optional
        How many leading columns to use; all when left out.
    n_splits, n_inner_splits, folds, seed, n_jobs, progress
        As in `accuracy_curve`.
    strengths, svm_strengths : sequence of float
        Of each, to choose from; one strength is taken as it is.

    Returns
    -------
    tuple of ClassifierScore
        Logistic regression and support vector machine for the first of `n_columns`, then for the
        next.

    Raises
    ------
    InputError
        If the data is not usable, there are too few samples, or a fit does not converge.
    """
    X, y, groups = check_data(X, y, groups)
    strengths, svm_strengths = check_strengths(strengths), check_strengths(svm_strengths)
    points = column_points([X.shape[1]] if n_columns is None else n_columns, None, X.shape[1])
    outer = split(y, groups, n_splits=n_splits, folds=folds, seed=seed)
    inner = inner_of_all(y, groups, outer, 2, n_inner_splits, folds, seed)
    kinds: tuple[Classifier, ...] = ("logistic", "svm")
    tasks: list[tuple[int, Classifier, int]] = [
        (n, kind, f) for n in points for kind in kinds for f in range(n_splits)
    ]
    choices = {"logistic": strengths, "svm": svm_strengths}
    made = run_all(
        _decide,
        [(X[:, :n], y, outer[f], inner[f], kind, choices[kind], seed) for n, kind, f in tasks],
        n_jobs=n_jobs,
        progress=progress,
    )
    scores: list[ClassifierScore] = []
    for first in range(0, len(tasks), n_splits):
        n, kind, _ = tasks[first]
        scores.append(_gather(made[first : first + n_splits], y, outer, n, kind, folds))
    return tuple(scores)


def _decide(
    X: NDArray[Any],
    y: NDArray[np.int64],
    fold: Fold,
    inner: Sequence[Fold],
    kind: Classifier,
    strengths: Sequence[float],
    seed: int,
) -> tuple[NDArray[np.float64], float]:
    """Decision function on the test rows, and the chosen strength."""
    train, y_train, test = X[fold.train], y[fold.train], X[fold.test]
    if kind == "logistic":
        fit = fit_best(train, y_train, inner, strengths)
        return fit.decision(test), fit.strength
    strength = _svm_strength(train, y_train, inner, strengths, seed)
    return _svm_decision(train, y_train, test, strength, seed), strength


def _svm_strength(
    X: NDArray[Any],
    y: NDArray[np.int64],
    folds: Sequence[Fold],
    strengths: Sequence[float],
    seed: int,
) -> float:
    """The strength with the least squared hinge loss on the rows left out."""
    if len(strengths) == 1:
        return strengths[0]
    losses: list[float] = []
    for strength in strengths:
        loss = 0.0
        for fold in folds:
            f = _svm_decision(X[fold.train], y[fold.train], X[fold.test], strength, seed)
            loss += float((np.maximum(0, 1 - np.where(y[fold.test] == 1, f, -f)) ** 2).sum())
        losses.append(loss)
        if len(losses) > 2 and losses[-1] > losses[-2] > losses[-3]:
            break
    return strengths[int(np.argmin(losses))]


def _svm_decision(
    train: NDArray[Any],
    y: NDArray[np.int64],
    test: NDArray[Any],
    strength: float,
    seed: int,
) -> NDArray[np.float64]:
    scaled = StandardScaler().fit(train)
    svm = LinearSVC(C=1 / strength, dual="auto", max_iter=SVM_STEPS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            svm.fit(scaled.transform(train), y)
        except ConvergenceWarning:
            raise InputError(
                f"the support vector machine of {len(y)} sites on {train.shape[1]} columns does "
                f"not converge at strength {strength:g}; leave out the weakest svm_strengths"
            ) from None
    return np.asarray(svm.decision_function(scaled.transform(test)))


def _gather(
    made: Sequence[tuple[NDArray[np.float64], float]],
    y: NDArray[np.int64],
    outer: Sequence[Fold],
    n_columns: int,
    kind: Classifier,
    folds: Folds,
) -> ClassifierScore:
    """The scores of all folds, and the calibration over all rows, each left out once."""
    truth = [y[fold.test] for fold in outer]
    decision = [result[0] for result in made]
    scores = np.array([scores_of(t, d) for t, d in zip(truth, decision, strict=True)]).T
    return ClassifierScore(
        classifier=kind,
        n_columns=n_columns,
        accuracy=scores[0],
        balanced_accuracy=scores[1],
        roc_auc=scores[2],
        strength=np.array([strength for _, strength in made]),
        calibration=calibration(expit(np.concatenate(decision)), np.concatenate(truth))
        if kind == "logistic"
        else None,
        folds=folds,
        roc=receiver_operating(np.concatenate(decision), np.concatenate(truth)),
    )
