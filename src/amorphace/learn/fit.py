"""Fit a classifier to a table, and know which features it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns, Table
from amorphace.learn.checks import check_both
from amorphace.learn.logistic import STRENGTHS, fit_best, fit_classifier
from amorphace.learn.model import LinearModel
from amorphace.learn.points import order_ends
from amorphace.learn.results import Curve
from amorphace.learn.splits import inner_folds, split


@dataclass(frozen=True, eq=False)
class LabelledSites:
    """The labelled rows of a table at one cutoff.

    Attributes
    ----------
    X : ndarray of shape (n_sites, n_columns)
    y, groups : ndarray of shape (n_sites,)
        Label (1 active, 0 inactive) and sample.
    rows : ndarray of shape (n_sites,)
        Of the table.
    columns : Columns
    """

    X: NDArray[Any]
    y: NDArray[np.int64]
    groups: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: Columns


def labelled_sites(table: Table, cutoff: float) -> LabelledSites:
    """Features, labels and samples of the labelled rows.

    Raises
    ------
    InputError
        If the table holds no features, not those of the cutoff, or no sites of both labels.
    """
    if not table.cutoffs or table.columns is None:
        raise InputError("the table holds no features; describe its sites first")
    if not (table.label >= 0).any():
        raise InputError("the table holds no labelled sites; label them first")
    rows = np.flatnonzero(table.label >= 0)
    y = table.label[rows].astype(np.int64)
    check_both(y)
    return LabelledSites(
        X=table.feature_rows(cutoff, rows).astype(np.float64, copy=False),
        y=y,
        groups=table.sample[rows],
        rows=rows,
        columns=table.columns,
    )


def descriptor_settings(table: Table, cutoff: float) -> dict[str, Any]:
    """Constructor words of the `ACEDescriptor` that made the features of a cutoff.

    They come from the table's provenance; {"cutoff": cutoff} alone where it does not say.

    Examples
    --------
    >>> table = Table(sample=[0], particle_id=[1], species=["A"], sample_names=["s"],
    ...               provenance={"parameters": {"cutoffs": [2.0, 4.0], "species": ["A"]}})
    >>> descriptor_settings(table, 4.0)
    {'species': ['A'], 'cutoff': 4.0}
    """
    recorded: Mapping[str, Any] = table.provenance.get("parameters", {})
    settings = {key: value for key, value in recorded.items() if key != "cutoffs"}
    return settings | {"cutoff": float(cutoff)}


def recorded_species(table: Table) -> tuple[str, ...]:
    """Labels that species indices of the columns stand for; () where the table does not say."""
    return tuple(str(label) for label in table.provenance.get("parameters", {}).get("species", ()))


def fit_model(
    table: Table,
    cutoff: float,
    n_columns: int | None = None,
    *,
    strengths: Sequence[float] = STRENGTHS,
    n_splits: int = 5,
) -> LinearModel:
    """A classifier fitted to all labelled sites of a table.

    Parameters
    ----------
    table : Table
    cutoff : float
        Of the features, in units of sigma.
    n_columns : int, optional
        How many leading columns to use; all when left out.
    strengths : sequence of float
        To choose from; one strength is taken as it is.
    n_splits : int
        Folds for the choice of the strength, which keep samples whole.

    Returns
    -------
    LinearModel
        Its `settings` are the constructor words of the descriptor, its `centres` the species of
        the labelled sites.

    Raises
    ------
    InputError
        If the table is not described and labelled, `n_columns` is not from 1 to the number of
        columns, or the sites are not fit for learning (see `fit_classifier`).
    """
    sites = labelled_sites(table, cutoff)
    n = len(sites.columns) if n_columns is None else n_columns
    if not 1 <= n <= len(sites.columns):
        raise InputError(
            f"n_columns must be from 1 to {len(sites.columns)}, the columns there are; got {n}"
        )
    return fit_classifier(
        sites.X[:, :n],
        sites.y,
        sites.groups,
        names=sites.columns.names[:n],
        settings=descriptor_settings(table, cutoff),
        centres=tuple(np.unique(table.species[sites.rows]).tolist()),
        strengths=strengths,
        n_splits=n_splits,
    )


def unseen_models(table: Table, model: LinearModel, *, n_splits: int) -> dict[str, LinearModel]:
    """A model like this one for each sample, by name, fitted to the folds without it.

    Parameters
    ----------
    table : Table
        Labelled, with features of the cutoff in the model's settings.
    model : LinearModel
        Says which columns, and how strong the regularisation is.
    n_splits : int
        Folds that keep samples whole; the samples of a fold share a model.
    """
    labelled = table.labelled()
    cutoff, n = float(model.settings["cutoff"]), len(model.names)
    made: dict[str, LinearModel] = {}
    for fold in split(labelled.label.astype(np.int64), labelled.sample, n_splits=n_splits):
        own = fit_model(labelled.take(fold.train), cutoff, n, strengths=[model.strength])
        made |= {table.sample_names[k]: own for k in np.unique(labelled.sample[fold.test])}
    return made


def best_setting(table: Table, cutoffs: Sequence[float], *, n_splits: int) -> tuple[float, int]:
    """Cutoff and number of columns with the least log-loss on samples left out.

    Only whole correlation orders count, so that a model can be read as cluster functions; of
    equal ones the fewest columns.

    Parameters
    ----------
    table : Table
    cutoffs : sequence of float
        To choose from.
    n_splits : int
        Folds for the choice, as in `fit_model`.
    """
    found = []
    for cutoff in cutoffs:
        sites = labelled_sites(table, cutoff)
        folds = inner_folds(sites.y, sites.groups, n_splits=n_splits)
        for n in order_ends(sites.columns).values():
            fit = fit_best(sites.X[:, :n], sites.y, folds, STRENGTHS)
            found.append((round(fit.loss, 12), n, float(cutoff)))
    _, n_columns, cutoff = min(found)
    return cutoff, n_columns


def nested_choice(curves: Sequence[Curve], columns: Columns) -> Curve | None:
    """What a model is worth whose cutoff and columns are chosen as `best_setting` does.

    In every fold the setting is the one with the least log-loss inside the training samples; its
    score on the test samples took part in no choice.

    Parameters
    ----------
    curves : sequence of Curve
        "accuracy", one a cutoff, on the same folds.
    columns : Columns

    Returns
    -------
    Curve, optional
        "model", with a single point: accuracy, balanced accuracy, ROC-AUC, and the cutoff and
        number of columns chosen in each fold. None where no curve has a whole order.
    """
    ends = order_ends(columns).values()
    points = [
        (int(n), float(c.cutoff), {k: v[p] for k, v in c.scores.items()})
        for c in curves
        if c.cutoff is not None and "loss" in c.scores
        for p, n in enumerate(c.x)
        if n in ends
    ]
    if not points:
        return None
    points.sort(key=lambda point: point[:2])
    loss = np.array([scores["loss"] for _, _, scores in points]).round(12)
    best = [points[k] for k in loss.argmin(axis=0)]
    scores = {
        name: np.array([[own[name][f] for f, (_, _, own) in enumerate(best)]])
        for name in ("accuracy", "balanced_accuracy", "roc_auc")
    }
    scores["n_columns"] = np.array([[float(n) for n, _, _ in best]])
    scores["cutoff"] = np.array([[cutoff for _, cutoff, _ in best]])
    return Curve(name="model", x=np.array([1]), scores=scores, folds=curves[0].folds)
