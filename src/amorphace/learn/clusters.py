"""What a fitted linear model has learned: its cluster functions v1, v2, v3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from amorphace.ace.clusters import ClusterExpansion, cluster_expansion, directions_at
from amorphace.ace.descriptor import ACEDescriptor
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
    models, descriptor = same_settings(models)
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


def same_settings(
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
