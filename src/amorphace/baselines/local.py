"""Densities, coordination numbers and the tetrahedrality of a particle's neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.neighbors import Neighbors, find_neighbors, iter_neighbors

REACH = 4.0
"""Standard deviations at which a Gaussian is cut: 3e-4 of its height."""


def summed(
    values: NDArray[np.float64], near: Neighbors, kind: NDArray[np.int64], n_species: int
) -> NDArray[np.float64]:
    """Sums over the neighbours of each site, for each of their species.

    Parameters
    ----------
    values : ndarray of shape (n_pairs, n_columns)
    near : Neighbors
    kind : ndarray of shape (n_particles,)
        Species of every particle, from 0.
    n_species : int

    Returns
    -------
    ndarray of shape (n_sites, n_species, n_columns)
        Zero where there is no neighbour.
    """
    total = np.zeros((len(near.sites) * n_species, values.shape[1]))
    place = near.centre * n_species + kind[near.index]
    order = np.argsort(place, kind="stable")
    first = np.flatnonzero(np.diff(place[order], prepend=-1))
    if len(order):
        total[place[order[first]]] = np.add.reduceat(values[order], first)
    return total.reshape(len(near.sites), n_species, -1)


def local_density(
    configuration: Configuration,
    sites: NDArray[np.int64],
    species: Sequence[str],
    lengths: ArrayLike,
) -> NDArray[np.float64]:
    """rho_z(w) = sum over neighbours j of species z of exp(-r_ij^2 / 2 w^2) / (2 pi w^2)^(3/2).

    Parameters
    ----------
    configuration : Configuration
    sites : ndarray of int
        Rows of the particles.
    species : sequence of str
    lengths : array_like of shape (n_lengths,)
        w, in units of sigma.

    Returns
    -------
    ndarray of shape (n_sites, n_species, n_lengths)
        Per sigma^3; the particle itself does not count.

    Raises
    ------
    InputError
        If a length is not positive or a particle is of no such species.
    """
    w = np.asarray(lengths, dtype=np.float64)
    if w.ndim != 1 or not (w.size and np.isfinite(w).all() and (w > 0).all()):
        raise InputError(f"lengths must be positive numbers, got {w.tolist()}")
    kind = configuration.species_index(species)
    out = np.empty((len(sites), len(species), len(w)))
    for rows, near in iter_neighbors(configuration, REACH * float(w.max()), sites):
        bell = np.exp(-(near.distances[:, None] ** 2) / (2 * w**2)) / (2 * np.pi * w**2) ** 1.5
        out[rows] = summed(bell, near, kind, len(species))
    return out


def coordination(
    configuration: Configuration,
    sites: NDArray[np.int64],
    species: Sequence[str],
    reach: float,
) -> NDArray[np.float64]:
    """Number of neighbours of each species closer than `reach`, shape (n_sites, n_species).

    Raises
    ------
    InputError
        If the reach is not positive or a particle is of no such species.
    """
    kind = configuration.species_index(species)
    near = find_neighbors(configuration, reach, sites)
    return summed(np.ones((len(near.index), 1)), near, kind, len(species))[:, :, 0]


def tetrahedrality(configuration: Configuration, sites: NDArray[np.int64]) -> NDArray[np.float64]:
    """q = 1 - 3/8 sum over pairs of the four nearest neighbours of (cos psi + 1/3)^2.

    One for a regular tetrahedron; zero on average where directions are random.

    Returns
    -------
    ndarray of shape (n_sites,)

    Raises
    ------
    InputError
        If the configuration holds no particle.

    References
    ----------
    P.-L. Chau and A. J. Hardwick, Mol. Phys. 93, 511 (1998); J. R. Errington and P. G.
    Debenedetti, Nature 409, 318 (2001).
    """
    if not len(configuration):
        raise InputError("the configuration holds no particle; give one that does")
    q = np.empty(len(sites))
    reach, left = 1.5 * configuration.number_density ** (-1 / 3), np.arange(len(sites))
    while len(left):
        near = find_neighbors(configuration, reach, np.asarray(sites)[left])
        enough = near.counts >= 4
        order = np.lexsort((near.distances, near.centre))
        four = order[near.first[:-1][enough][:, None] + np.arange(4)]
        u = near.vectors[four] / near.distances[four][:, :, None]
        cosine = np.einsum("sid,sjd->sij", u, u)[:, *np.triu_indices(4, 1)]
        q[left[enough]] = 1 - 3 / 8 * ((cosine + 1 / 3) ** 2).sum(axis=1)
        left, reach = left[~enough], 1.5 * reach
    return q
