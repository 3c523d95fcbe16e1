"""What a fitted linear model has learned: its cluster functions v1, v2, v3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from amorphace.ace.clusters import ClusterExpansion, cluster_expansion, directions_at
from amorphace.ace.descriptor import ACEDescriptor
from amorphace.core.errors import InputError
from amorphace.learn.model import LinearModel
from amorphace.learn.predict import model_columns, model_descriptor
from amorphace.learn.results import Curve

ANGLE = 60.0
"""Between the neighbours of the maps v2(r1, r2), and any two of the three of v3, in degrees."""


def cluster_functions(
    models: LinearModel | Sequence[LinearModel],
    *,
    r_min: float = 0.7,
    n_r: int = 120,
    n_map: int = 45,
) -> tuple[Curve, ...]:
    """v1, v2 and v3 of linear models on grids of distances and angles (eq. 13).

    Models of impure features are read through their weights of purified ones; columns that a
    model leaves out have the weight zero.

    Parameters
    ----------
    models : LinearModel or sequence of LinearModel
        For example one a fold; all fitted with the same settings of the descriptor.
    r_min : float
        Where the grids of distances begin, in units of sigma: nearer there are no neighbours,
        and what a model says there is extrapolation. They end at the cutoff.
    n_r, n_map : int
        Points of a curve, and along each axis of a map.

    Returns
    -------
    tuple of Curve
        In log-odds, one column of scores a model: "v1", v1(r; z) for each species (which is the
        variant, such as "A"); "v2_distance", v2(r1, r2) at `ANGLE` for each pair of species
        ("A·B"), x and y being the distances; "v2_angle", v2(r, r, angle), y being the angle in
        degrees; "v3", v3(r, r, r) at `ANGLE` for each three species. v2 and v3 are left out where
        the models have no columns of that order. Distances are in units of sigma.

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
    degrees, between = np.linspace(0.0, 180.0, n_map), np.radians(ANGLE)
    u = directions_at(*[between] * 3)
    first = np.repeat(axis, n_map)

    def curve(
        name: str,
        z: tuple[int, ...],
        value: Callable[[ClusterExpansion], NDArray[np.float64]],
        second: NDArray[np.float64] | None = None,
    ) -> Curve:
        found = np.stack([value(e).ravel() for e in expansions], axis=1)
        return Curve(
            name=name,
            x=r if second is None else first,
            y=None if second is None else np.tile(second, n_map),
            scores={"v": found},
            variant="·".join(species[k] for k in z),
            cutoff=cutoff,
            of="models",
        )

    def sets(size: int) -> Iterable[tuple[int, ...]]:
        kinds = range(len(species)) if size == 1 or size in orders else ()
        return combinations_with_replacement(kinds, size)

    column = axis[:, None]
    made = [curve("v1", z, lambda e, z=z: e.v1(r, *z)) for z in sets(1)]
    made += [
        curve("v2_distance", z, lambda e, z=z: e.v2(column, axis, between, *z), axis)
        for z in sets(2)
    ]
    made += [
        curve("v2_angle", z, lambda e, z=z: e.v2(column, column, np.radians(degrees), *z), degrees)
        for z in sets(2)
    ]
    made += [curve("v3", z, lambda e, z=z: e.v3(r, r, r, u, *z)) for z in sets(3)]
    return tuple(made)


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
