"""What a fitted linear model has learned: its cluster functions, and what each part contributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.ace.clusters import ClusterExpansion, cluster_expansion, directions_at
from amorphace.ace.descriptor import ACEDescriptor
from amorphace.ace.purification import purification
from amorphace.core.errors import InputError
from amorphace.learn.model import LinearModel
from amorphace.learn.predict import model_columns, model_descriptor


@dataclass(frozen=True, eq=False, kw_only=True)
class ClusterCurve:
    """A cluster function along one distance, for every model.

    Attributes
    ----------
    species : tuple of str
        Of the neighbours: one for v1, three for v3.
    r : ndarray of shape (n_r,)
        In units of sigma.
    v : ndarray of shape (n_models, n_r)
        In log-odds.
    """

    species: tuple[str, ...]
    r: NDArray[np.float64]
    v: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the models, shape (n_r,)."""
        return self.v.mean(axis=0)

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation between the models, shape (n_r,); zero for a single model."""
        return self.v.std(axis=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class ClusterMap:
    """v2 over two of its three variables, for every model.

    Attributes
    ----------
    species : tuple of str
        Of the two neighbours.
    x, y : ndarray of shape (n_x,), (n_y,)
        r1 and r2 (in units of sigma), or r and the angle (in degrees).
    v : ndarray of shape (n_models, n_x, n_y)
        In log-odds.
    """

    species: tuple[str, ...]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    v: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the models, shape (n_x, n_y)."""
        return self.v.mean(axis=0)

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation between the models, shape (n_x, n_y); zero for a single model."""
        return self.v.std(axis=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class ClusterFunctions:
    """v1, v2 and v3 of models fitted on the folds of one data set.

    Attributes
    ----------
    cutoff : float
        In units of sigma.
    n_models : int
    angle : float
        Between the two neighbours of `v2_distance`, in degrees.
    triple_angle : float
        Between any two of the three neighbours of `v3`, in degrees.
    v1 : tuple of ClusterCurve
        v1(r; z), one for each species.
    v2_distance : tuple of ClusterMap
        v2(r1, r2) at the fixed angle, one for each pair of species.
    v2_angle : tuple of ClusterMap
        v2(r, r, angle), one for each pair of species.
    v3 : tuple of ClusterCurve
        v3(r, r, r) at the fixed angle, one for each three species.

    v2 and v3 are () where the models have no columns of that order.
    """

    cutoff: float
    n_models: int
    angle: float
    triple_angle: float
    v1: tuple[ClusterCurve, ...]
    v2_distance: tuple[ClusterMap, ...]
    v2_angle: tuple[ClusterMap, ...]
    v3: tuple[ClusterCurve, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Contributions:
    """What each part of a model adds to the log-odds of the sites of a table.

    A part is all columns of one order (`species` is ()), or of one order and one set of species
    of the neighbours.

    Attributes
    ----------
    names : tuple of str of length n_parts
        "order 1", "order 1: A", ....
    order : tuple of int of length n_parts
        Correlation order N; the body order is N + 1.
    species : tuple of tuple of str of length n_parts
        Of the neighbours, sorted; () for a whole order.
    variance : ndarray of shape (n_parts, n_models)
        Of the sum of theta_k B_k over the columns of the part.
    mean_abs : ndarray of shape (n_parts, n_models)
        Mean magnitude of its deviation from the mean.
    share : ndarray of shape (n_parts, n_models)
        Covariance with the log-odds over the variance of the log-odds: the shares of all orders
        add up to 1, and so do those of all parts with species. May be negative.
    """

    names: tuple[str, ...]
    order: tuple[int, ...]
    species: tuple[tuple[str, ...], ...]
    variance: NDArray[np.float64]
    mean_abs: NDArray[np.float64]
    share: NDArray[np.float64]


def cluster_functions(
    models: LinearModel | Sequence[LinearModel],
    *,
    r_min: float = 0.7,
    n_r: int = 120,
    n_map: int = 45,
    angle: float = 60.0,
    triple_angle: float = 60.0,
) -> ClusterFunctions:
    """v1, v2 and v3 of linear models on grids of distances and angles (eq. 13).

    Models of impure features are read through their weights of purified ones; columns that a
    model leaves out have the weight zero.

    Parameters
    ----------
    models : LinearModel or sequence of LinearModel
        For example one a fold, whose spread is the error of the functions; all fitted with the
        same settings of the descriptor.
    r_min : float
        Where the grids of distances begin, in units of sigma: nearer there are no neighbours,
        and what a model says there is extrapolation. They end at the cutoff.
    n_r, n_map : int
        Points of a curve, and along each axis of a map.
    angle : float
        Between the two neighbours of the maps v2(r1, r2), in degrees.
    triple_angle : float
        Between any two of the three neighbours of v3, in degrees; at most 120.

    Returns
    -------
    ClusterFunctions

    Raises
    ------
    InputError
        If there are no models, their settings differ, they have columns of order 4, or the grid
        has no meaning.
    """
    models, descriptor = _same_settings(models)
    cutoff = float(descriptor.cutoff)
    if not (0 <= r_min < cutoff and n_r >= 2 and n_map >= 2):
        raise InputError(
            f"the grids need 0 <= r_min < cutoff and at least 2 points; got r_min {r_min}, cutoff "
            f"{cutoff:g}, n_r {n_r}, n_map {n_map}"
        )
    expansions = [_expansion(model, descriptor) for model in models]
    species = tuple(models[0].settings["species"])
    orders = {term.order for term in expansions[0].terms}
    r, axis = np.linspace(r_min, cutoff, n_r), np.linspace(r_min, cutoff, n_map)
    theta, between = np.linspace(0.0, 180.0, n_map), np.radians(angle)
    u = directions_at(*[np.radians(triple_angle)] * 3)
    pairs, triples = (
        tuple(combinations_with_replacement(range(len(species)), k)) if k in orders else ()
        for k in (2, 3)
    )

    def labels(*z: int) -> tuple[str, ...]:
        return tuple(species[k] for k in z)

    def stack(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.stack(values)

    return ClusterFunctions(
        cutoff=cutoff,
        n_models=len(models),
        angle=float(angle),
        triple_angle=float(triple_angle),
        v1=tuple(
            ClusterCurve(species=labels(z), r=r, v=stack([e.v1(r, z) for e in expansions]))
            for z in range(len(species))
        ),
        v2_distance=tuple(
            ClusterMap(
                species=labels(a, b),
                x=axis,
                y=axis,
                v=stack([e.v2(axis[:, None], axis, between, a, b) for e in expansions]),
            )
            for a, b in pairs
        ),
        v2_angle=tuple(
            ClusterMap(
                species=labels(a, b),
                x=axis,
                y=theta,
                v=stack(
                    [
                        e.v2(axis[:, None], axis[:, None], np.radians(theta), a, b)
                        for e in expansions
                    ]
                ),
            )
            for a, b in pairs
        ),
        v3=tuple(
            ClusterCurve(
                species=labels(a, b, c),
                r=r,
                v=stack([e.v3(r, r, r, u, a, b, c) for e in expansions]),
            )
            for a, b, c in triples
        ),
    )


def contributions(models: LinearModel | Sequence[LinearModel], X: ArrayLike) -> Contributions:
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
    Contributions

    Raises
    ------
    InputError
        If X has other columns than the models, fewer than two sites, or the models have
        different columns or settings; if impure models lack columns that their conversion needs.
    """
    models, descriptor = _same_settings(models)
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
    return Contributions(
        names=tuple(
            f"order {order}" + (f": {'·'.join(kinds)}" if kinds else "") for order, kinds in parts
        ),
        order=tuple(order for order, _ in parts),
        species=tuple(kinds for _, kinds in parts),
        variance=variance,
        mean_abs=mean_abs,
        share=share,
    )


def _same_settings(
    models: LinearModel | Sequence[LinearModel],
) -> tuple[tuple[LinearModel, ...], ACEDescriptor]:
    """The models, and the descriptor they share."""
    models = (models,) if isinstance(models, LinearModel) else tuple(models)
    if not models:
        raise InputError("no models to read; give at least one")
    descriptor = model_descriptor(models[0])
    for model in models[1:]:
        words, own = descriptor.get_params(), model_descriptor(model).get_params()
        differing = [name for name in words if words[name] != own[name]]
        if differing:
            raise InputError(
                f"the models differ in {', '.join(differing)}; their functions cannot be compared: "
                "give models fitted with the same settings"
            )
    return models, descriptor


def _expansion(model: LinearModel, descriptor: ACEDescriptor) -> ClusterExpansion:
    """The cluster functions of one model, with weight zero for columns it leaves out."""
    theta = np.zeros(len(descriptor.basis_))
    theta[model_columns(model, descriptor)] = model.weights
    return cluster_expansion(
        descriptor.basis_, descriptor.radial_, theta, purified=descriptor.purify
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
