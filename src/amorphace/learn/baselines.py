"""What the expansion adds to what others describe an environment by, on the same folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.baselines.families import Baseline
from amorphace.learn.curves import accuracy_curve
from amorphace.learn.logistic import STRENGTHS
from amorphace.learn.results import Curve

SCORES = ("accuracy", "roc_auc")


def compare_baselines(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    families: Iterable[Baseline],
    *,
    n_splits: int = 5,
    n_inner_splits: int = 4,
    strengths: Sequence[float] = STRENGTHS,
    n_jobs: int = 1,
) -> Curve:
    """Accuracy of logistic regression on the features and on every family, and the difference.

    All are fitted and scored as in `accuracy_curve`, on the same grouped folds. Of a family that
    is one quantity at several lengths, each fold takes the length with the least log-loss inside
    its training rows.

    Parameters
    ----------
    X : array_like of shape (n_sites, n_columns)
        Features of the expansion.
    y : array_like of shape (n_sites,)
        1 active, 0 inactive.
    groups : array_like of shape (n_sites,)
        The sample of each site.
    families : iterable of Baseline
        Of the same sites.
    n_splits, n_inner_splits, strengths, n_jobs
        As in `accuracy_curve`.

    Returns
    -------
    Curve
        "baselines", a point for the expansion, called "ACE", and for each family, at the number of
        its columns: accuracy and ROC-AUC on the test rows, and "added", the accuracy of the
        expansion less its own in the same fold, whose error is `half_width`.

    Raises
    ------
    InputError
        As `accuracy_curve`.
    """

    def scored(values: ArrayLike) -> Curve:
        values = np.asarray(values)
        return accuracy_curve(
            values,
            y,
            groups,
            n_columns=[values.shape[1]],
            n_splits=n_splits,
            n_inner_splits=n_inner_splits,
            strengths=strengths,
            n_jobs=n_jobs,
        )

    whole = scored(X)
    labels, sizes = ["ACE"], [np.shape(X)[1]]
    scores = {name: [whole[name][0]] for name in SCORES}
    for family in families:
        if family.choose_one:
            alone = [scored(column[:, None]) for column in family.values.T]
            found = _by_loss(alone)
        else:
            curve = scored(family.values)
            found = {name: curve[name][0] for name in SCORES}
        labels.append(family.name)
        sizes.append(1 if family.choose_one else family.values.shape[1])
        for name in SCORES:
            scores[name].append(found[name])
    made = {name: np.array(rows) for name, rows in scores.items()}
    added = made["accuracy"][0] - made["accuracy"]
    return Curve(
        name="baselines",
        x=np.array(sizes),
        scores={**made, "added": added},
        labels=tuple(labels),
        folds=whole.folds,
    )


def _by_loss(alone: Sequence[Curve]) -> dict[str, NDArray[np.float64]]:
    """Scores of the curve with the least loss in each fold."""
    best = np.argmin([curve["loss"][0] for curve in alone], axis=0)
    folds = np.arange(len(best))
    return {name: np.array([curve[name][0] for curve in alone])[best, folds] for name in SCORES}
