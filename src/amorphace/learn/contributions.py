"""What each part of a fitted linear model contributes to its log-odds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.ace.purification import purification
from amorphace.core.errors import InputError
from amorphace.learn.clusters import same_settings
from amorphace.learn.model import LinearModel
from amorphace.learn.predict import model_columns
from amorphace.learn.results import Curve


def contributions(models: LinearModel | Sequence[LinearModel], X: ArrayLike) -> Curve:
    """What every order, and every set of neighbour species, adds to the log-odds of sites.

    A part is p_i = sum_k theta_k B_ki over its columns; variance is that of p over the sites,
    and share is cov(p, f) / var(f) with f the sum of all parts. Only purified features tell the
    body orders apart: models of impure ones are read through theta_pure and T B.

    Parameters
    ----------
    models : LinearModel or sequence of LinearModel
        With the same settings and the same columns.
    X : array_like of shape (n_sites, n_columns)
        The features that the models were fitted to.

    Returns
    -------
    Curve
        "contributions", one column of scores a model. A point is all columns of one order,
        labelled "order 1", or of one order and one set of species of the neighbours, labelled
        "order 2: A·B"; x is the order N, the body order is N + 1. Scores: "share", whose sum over
        all orders is 1, and so is that over all parts with species (it may be negative);
        "variance"; "mean_abs", the mean magnitude of the deviation from the mean.

    Raises
    ------
    InputError
        If X has other columns than the models, fewer than two sites, or the models have
        different columns or settings; if impure models lack columns that their conversion needs.
    """
    models, descriptor = same_settings(models)
    if any(model.names != models[0].names for model in models):
        raise InputError("the models have different columns; fit all to the same ones")
    B = np.asarray(X, dtype=np.float64)
    if B.ndim != 2 or B.shape[1] != len(models[0].names) or len(B) < 2:
        raise InputError(
            f"X must have at least 2 sites and the {len(models[0].names)} columns of the models, "
            f"got shape {B.shape}"
        )
    columns = model_columns(models[0], descriptor)
    theta = np.stack([model.weights for model in models], axis=1)
    if not descriptor.purify:
        B, theta = _purified(descriptor, columns, B, theta)
    basis, species = descriptor.basis_, tuple(models[0].settings["species"])
    keys = [
        (int(basis.order[k]), tuple(sorted(species[z] for z in basis.z[k, : basis.order[k]])))
        for k in columns
    ]
    parts: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for row, (order, kinds) in enumerate(keys):
        parts.setdefault((order, ()), []).append(row)
        parts.setdefault((order, kinds), []).append(row)
    B = B - B.mean(axis=0)
    total = B @ theta
    scale = (total**2).mean(axis=0)
    variance, mean_abs, share = (np.empty((len(parts), len(models))) for _ in range(3))
    for p, rows in enumerate(parts.values()):
        part = B[:, rows] @ theta[rows]
        variance[p] = (part**2).mean(axis=0)
        mean_abs[p] = abs(part).mean(axis=0)
        share[p] = np.divide(
            (part * total).mean(axis=0), scale, out=np.zeros_like(scale), where=scale > 0
        )
    return Curve(
        name="contributions",
        x=np.array([order for order, _ in parts]),
        scores={"share": share, "variance": variance, "mean_abs": mean_abs},
        labels=tuple(
            f"order {order}" + (f": {'·'.join(kinds)}" if kinds else "") for order, kinds in parts
        ),
        cutoff=float(descriptor.cutoff),
        of="models",
    )


def _purified(
    descriptor: ACEDescriptor,
    columns: NDArray[np.int64],
    B: NDArray[np.float64],
    theta: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """B_pure = T B and theta_pure = T^-T theta of all columns of an impure descriptor."""
    T, extra = purification(descriptor.basis_)
    if extra or not np.array_equal(np.sort(columns), np.arange(len(descriptor.basis_))):
        raise InputError(
            "the parts of a model of impure features need all columns of the descriptor, with "
            "n_max >= max_degree; fit to purified features (purify=True)"
        )
    square = T.toarray()[np.ix_(columns, columns)]
    return B @ square.T, np.linalg.solve(square.T, theta)
