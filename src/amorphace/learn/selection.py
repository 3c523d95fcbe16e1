"""Sequential forward selection of columns, and what it is worth (paper, Fig. 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.blas import one_blas_thread
from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns
from amorphace.learn.checks import check_data, check_strengths
from amorphace.learn.forward import ForwardFold
from amorphace.learn.logistic import STRENGTHS, fit_best
from amorphace.learn.parallel import Progress, run_all
from amorphace.learn.points import check_candidates, column_names
from amorphace.learn.results import Curve
from amorphace.learn.splits import Fold, fold_names, inner_folds, split

DIGITS = 12
"""Mean accuracies that agree to so many digits are equal: the order of a sum does not decide."""

FIRST_STRENGTH = 1.0
"""At which single columns are compared, before there is anything to choose a strength with."""


@dataclass(frozen=True, eq=False)
class Path:
    """Picks in order; accuracy and strength at each step, accuracy of single columns, by fold."""

    picks: list[int]
    accuracy: NDArray[np.float64]
    strength: NDArray[np.float64]
    first: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Columns to select from, and by which folds a selection is judged; made by `of`.

    Attributes
    ----------
    X : ndarray of shape (n_sites, n_candidates)
    y, groups : ndarray of shape (n_sites,)
    chosen : ndarray of shape (n_candidates,)
        Place of the candidates among all columns.
    names : tuple of str
        Of all columns.
    n_steps, n_splits, n_inner_splits, strengths, pairs, scope
        As in `of`.
    """

    X: NDArray[np.float64]
    y: NDArray[np.int64]
    groups: NDArray[Any]
    chosen: NDArray[np.int64]
    names: tuple[str, ...]
    n_steps: int
    n_splits: int
    n_inner_splits: int
    strengths: tuple[float, ...]
    pairs: bool
    scope: str

    @classmethod
    def of(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike,
        *,
        candidates: Sequence[int] | None = None,
        n_steps: int = 20,
        columns: Columns | None = None,
        n_splits: int = 5,
        n_inner_splits: int = 4,
        strengths: Sequence[float] = STRENGTHS,
        pairs: bool = False,
        scope: str = "",
    ) -> Candidates:
        """Some columns of a table.

        Parameters
        ----------
        X : array_like of shape (n_sites, n_columns)
        y : array_like of shape (n_sites,)
            1 active, 0 inactive.
        groups : array_like of shape (n_sites,)
            The sample of each site.
        candidates : sequence of int, optional
            Columns to choose from; all when left out.
        n_steps : int
            Picks, or as many as there are candidates.
        columns : Columns, optional
            What the columns are; without, column k is called "column k" (from 1).
        n_splits, n_inner_splits, strengths
            As in `accuracy_curve`.
        pairs : bool
            Whether the first two picks are the best of all pairs: columns that say nothing alone
            may say much together. The one that is better alone stands first.
        scope : str
            What the candidates are, for the result.

        Raises
        ------
        InputError
            If the data is not usable, or a setting has no meaning.
        """
        X, y, groups = check_data(X, y, groups)
        chosen = check_candidates(candidates, X.shape[1])
        if n_steps < 1:
            raise InputError(f"n_steps must be at least 1, got {n_steps}")
        return cls(
            X=np.asarray(X[:, chosen], dtype=np.float64),
            y=y,
            groups=groups,
            chosen=chosen,
            names=column_names(columns, X.shape[1]),
            n_steps=min(n_steps, len(chosen)),
            n_splits=n_splits,
            n_inner_splits=n_inner_splits,
            strengths=check_strengths(strengths),
            pairs=pairs,
            scope=scope,
        )

    @property
    def folds(self) -> tuple[Fold, ...]:
        """Grouped by sample."""
        return split(self.y, self.groups, n_splits=self.n_splits)

    def labels(self, picks: Sequence[int]) -> tuple[str, ...]:
        """Names of candidates."""
        return tuple(self.names[self.chosen[k]] for k in picks)

    def take(self, rows: NDArray[np.int64]) -> Candidates:
        """The same of some sites."""
        return replace(self, X=self.X[rows], y=self.y[rows], groups=self.groups[rows])

    def inner(self, fold: Fold) -> tuple[tuple[Fold, ...], tuple[float, ...]]:
        """Folds of the training rows and strengths to choose from; one where none can be made."""
        if len(self.strengths) > 1:
            y, groups, n = self.y[fold.train], self.groups[fold.train], self.n_inner_splits
            try:
                made = inner_folds(y, groups, n_splits=n)
                return made, self.strengths
            except InputError:
                return (), (FIRST_STRENGTH,)
        return (), self.strengths

    def path(self, outer: Sequence[Fold], progress: Progress | None = None) -> Path:
        """The picks that these folds want."""
        start, *others = self.strengths
        start = FIRST_STRENGTH if others else start
        parts = [ForwardFold(self.X, self.y, fold, start) for fold in outer]
        inner = [self.inner(fold) for fold in outer]
        left = np.arange(self.X.shape[1])
        picks: list[int] = []
        accuracy, strength = np.empty((2, self.n_steps, len(outer)))
        first = np.empty((len(left), len(outer)))
        forced: list[int] = []
        for step in range(self.n_steps):
            with one_blas_thread():  # sums, and with them the picks, on any machine the same
                scores = np.stack([part.accuracy(left) for part in parts], axis=1)
                if step == 0:
                    first = scores
                    forced = _best_pair(parts, scores) if self.pairs and self.n_steps > 1 else []
                mean = scores.mean(axis=1).round(DIGITS)
                best = forced.pop(0) if forced else int(left[np.argmax(mean)])
                picks.append(best)
                for f, part in enumerate(parts):
                    part.pick(best)
                    found = self.judge(outer[f], picks, *inner[f])
                    accuracy[step, f], strength[step, f] = found
                    part.strength = found[1]
            left = left[left != best]
            if progress is not None:
                progress(step + 1, self.n_steps)
        return Path(picks, accuracy, strength, first)

    def judge(
        self, fold: Fold, picks: Sequence[int], inner: Sequence[Fold], strengths: Sequence[float]
    ) -> tuple[float, float]:
        """Accuracy of these columns on the test rows, and the strength chosen."""
        X, y = self.X[:, list(picks)], self.y
        fit = fit_best(X[fold.train], y[fold.train], inner, strengths)
        return float(((fit.decision(X[fold.test]) > 0) == y[fold.test]).mean()), fit.strength


def forward_selection(data: Candidates, *, progress: Progress | None = None) -> tuple[Curve, Curve]:
    """Greedy selection: at each step the column that raises the accuracy most is added.

    The accuracy is the mean over folds of logistic regression on the picks and the candidate,
    standardised by the training rows, as in scikit-learn's `SequentialFeatureSelector` (forward).
    The fits of all candidates are made together, each warm from the picks so far, at the strength
    that the picks so far want; see `fit_bordered`. Of equal candidates the first in standard
    order is taken. What the picks reach is then a fit of its own, its strength chosen inside the
    training rows as in `accuracy_curve`.

    Parameters
    ----------
    data : Candidates
    progress : callable, optional
        Called as progress(done, total) after every step.

    Returns
    -------
    Curve
        "selection", of the variant `data.scope`: accuracy of the columns picked so far on the test
        rows and the strength chosen, at their number, labelled by the pick. The picks maximise
        the accuracy over these very folds, so that it is optimistic; see `nested_selection`.
    Curve
        "single_columns": accuracy of every candidate alone, at its place among the columns from 1
        on, labelled by its name. See `twins`.

    Raises
    ------
    InputError
        If there are fewer samples than folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, groups = rng.normal(size=(400, 6)), np.repeat(np.arange(10), 40)
    >>> data = Candidates.of(X, X[:, 4] + X[:, 2] / 2 > 0, groups, n_steps=2)
    >>> forward_selection(data)[0].labels
    ('column 5', 'column 3')
    """
    folds = data.folds
    path, tests = data.path(folds, progress), fold_names(data.groups, folds, "grouped")
    selection = Curve(
        name="selection",
        x=np.arange(1, data.n_steps + 1),
        scores={"accuracy": path.accuracy, "strength": path.strength},
        labels=data.labels(path.picks),
        folds=tests,
        variant=data.scope,
    )
    alone = Curve(
        name="single_columns",
        x=data.chosen + 1,
        scores={"accuracy": path.first},
        labels=data.labels(range(len(data.chosen))),
        folds=tests,
        variant=data.scope,
    )
    return selection, alone


def nested_selection(
    data: Candidates, *, n_jobs: int = 1, progress: Progress | None = None
) -> Curve:
    """What forward selection is worth on samples that take no part in it.

    In every fold the selection is made anew inside the training samples, by `n_inner_splits` folds
    of their own; the test samples judge what it picked.

    Parameters
    ----------
    data : Candidates
    n_jobs : int
        Processes; -1 is all processors. The result does not depend on it.
    progress : callable, optional
        Called as progress(done, total) after every fold.

    Returns
    -------
    Curve
        "nested_selection", as "selection"; its points have no labels, since folds pick their own
        columns.

    Raises
    ------
    InputError
        As `forward_selection`; also with fewer than 3 samples.
    """
    tasks = [(data, fold) for fold in data.folds]
    accuracy, strength = np.stack(run_all(_nested, tasks, n_jobs=n_jobs, progress=progress), axis=2)
    return Curve(
        name="nested_selection",
        x=np.arange(1, data.n_steps + 1),
        scores={"accuracy": accuracy, "strength": strength},
        folds=fold_names(data.groups, data.folds, "grouped"),
        variant=data.scope,
    )


def twins(alone: Curve) -> tuple[str, ...]:
    """Columns whose mean accuracy alone is within one standard error of the best one's, best first.

    Parameters
    ----------
    alone : Curve
        "single_columns" of `forward_selection`; the standard error is that between folds.
    """
    mean = alone.mean.round(DIGITS)
    best = int(np.argmax(mean))
    error = alone.values[best].std(ddof=1) / np.sqrt(alone.values.shape[1])
    order = np.argsort(-mean, kind="stable")
    return tuple(alone.labels[k] for k in order[mean[order] >= mean[best] - error])


def _best_pair(parts: Sequence[ForwardFold], alone: NDArray[np.float64]) -> list[int]:
    """The two columns that reach most together, the one that is better alone first."""
    n = len(alone)
    mean = np.full((n, n), -1.0)
    for a in range(n - 1):
        others = np.arange(a + 1, n)
        mean[a, others] = np.mean([part.accuracy(others, beside=a) for part in parts], axis=0)
    a, b = divmod(int(np.argmax(mean.round(DIGITS))), n)
    single = alone.mean(axis=1).round(DIGITS)
    return [a, b] if single[a] >= single[b] else [b, a]


def _nested(data: Candidates, fold: Fold) -> tuple[list[float], list[float]]:
    """Accuracy and strength on the test rows, of what the training rows pick."""
    train, n = data.take(fold.train), data.n_inner_splits
    folds = inner_folds(train.y, train.groups, n_splits=n)
    picks = train.path(folds).picks
    inner = data.inner(fold)
    found = [data.judge(fold, picks[: k + 1], *inner) for k in range(len(picks))]
    accuracy, strength = zip(*found, strict=True)
    return list(accuracy), list(strength)
