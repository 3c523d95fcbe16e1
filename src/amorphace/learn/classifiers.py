"""Logistic regression and a linear support vector machine on the same folds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from amorphace.core.errors import InputError
from amorphace.learn.checks import check_data, check_strengths
from amorphace.learn.curves import SCORES, scores_of
from amorphace.learn.logistic import STRENGTHS, fit_best, least_loss
from amorphace.learn.parallel import Progress, run_all
from amorphace.learn.points import column_points
from amorphace.learn.probabilities import calibration, receiver_operating
from amorphace.learn.results import Curve
from amorphace.learn.splits import Fold, Folds, fold_names, inner_of_all, split

SVM_STRENGTHS = (1e4, 1e3, 1e2, 1e1, 1e0)
"""Regularisation strengths (1/C) of the support vector machine from which one is chosen."""

SVM_STEPS = 20_000
"""Steps after which a support vector machine counts as not converging."""

Classifier = Literal["logistic", "svm"]


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
) -> tuple[Curve, ...]:
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
    tuple of Curve
        "classifiers" of the variants "logistic" and "svm", with the scores of `accuracy_curve`,
        at `n_columns`; for each of these also a "roc" and, of logistic regression, a
        "calibration", both over all sites, each left out once.

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
    truth = [y[fold.test] for fold in outer]
    scores = np.empty((len(points), len(kinds), 4, n_splits))
    more: list[Curve] = []
    for k, (n, kind) in enumerate((n, kind) for n in points for kind in kinds):
        decisions, used = zip(*made[k * n_splits : (k + 1) * n_splits], strict=True)
        pairs = zip(truth, decisions, used, strict=True)
        scores[k // 2, k % 2] = np.array([(*scores_of(t, d), s) for t, d, s in pairs]).T
        pooled, labels = np.concatenate(decisions), np.concatenate(truth)
        found = [receiver_operating(pooled, labels)]
        if kind == "logistic":
            found.append(calibration(expit(pooled), labels))
        more += [replace(curve, variant=kind, n_columns=n) for curve in found]
    names = fold_names(groups, outer, folds)
    return (
        *(
            Curve(
                name="classifiers",
                x=np.array(points),
                scores={score: scores[:, k, s] for s, score in enumerate(SCORES[:4])},
                folds=names,
                variant=kind,
            )
            for k, kind in enumerate(kinds)
        ),
        *more,
    )


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

    def loss(strength: float) -> float:
        total = 0.0
        for fold in folds:
            f = _svm_decision(X[fold.train], y[fold.train], X[fold.test], strength, seed)
            total += float((np.maximum(0, 1 - np.where(y[fold.test] == 1, f, -f)) ** 2).sum())
        return total

    return strengths[least_loss(strengths, loss)[0]]


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
                f"not converge at strength {strength:g}; leave out the weakest "
                "strengths of the SVM (svm_strengths)"
            ) from None
    return np.asarray(svm.decision_function(scaled.transform(test)))
