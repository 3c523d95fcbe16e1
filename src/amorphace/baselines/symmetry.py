"""Symmetry functions of Behler and Parrinello, as softness was first learned from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amorphace.baselines.local import summed
from amorphace.core.configuration import Configuration
from amorphace.core.neighbors import iter_neighbors

CENTRES = 20
"""Radial functions of a species, as many as ACE has."""
LENGTHS = (1.0, 1.5, 2.5)
"""xi of the angular functions, in units of sigma."""
SHARPNESS = (1, 2, 4, 16)
"""zeta."""
SIGNS = (-1, 1)
"""lambda."""


def smooth_end(r: NDArray[np.float64], cutoff: float) -> NDArray[np.float64]:
    """f(r) = [cos(pi r / cutoff) + 1] / 2 below the cutoff, zero beyond."""
    return np.where(r < cutoff, (np.cos(np.pi * r / cutoff) + 1) / 2, 0.0)


def radial_functions(
    configuration: Configuration, sites: NDArray[np.int64], species: Sequence[str], cutoff: float
) -> NDArray[np.float64]:
    """G_z(mu) = sum over neighbours j of species z of exp(-(r_ij - mu)^2 / 2 d^2) f(r_ij).

    mu takes `CENTRES` values up to the cutoff, d apart.

    Returns
    -------
    ndarray of shape (n_sites, n_species, CENTRES)

    Raises
    ------
    InputError
        If the cutoff is not positive or a particle is of no such species.

    References
    ----------
    J. Behler and M. Parrinello, Phys. Rev. Lett. 98, 146401 (2007); E. D. Cubuk et al., Phys. Rev.
    Lett. 114, 108001 (2015).
    """
    kind = configuration.species_index(species)
    d = cutoff / CENTRES
    mu = np.arange(1, CENTRES + 1) * d
    out = np.empty((len(sites), len(species), CENTRES))
    for rows, near in iter_neighbors(configuration, cutoff, sites):
        r = near.distances[:, None]
        out[rows] = summed(
            np.exp(-((r - mu) ** 2) / (2 * d**2)) * smooth_end(r, cutoff), near, kind, len(species)
        )
    return out


def angular_functions(
    configuration: Configuration, sites: NDArray[np.int64], species: Sequence[str], cutoff: float
) -> NDArray[np.float64]:
    """Psi = sum over pairs j < k of neighbours of species z <= z' of
    exp(-(r_ij^2 + r_ik^2 + r_jk^2) / xi^2) 2^(1 - zeta) (1 + lambda cos theta)^zeta f f.

    theta is the angle at the site, f that of both neighbours (`smooth_end`).

    Returns
    -------
    ndarray of shape (n_sites, n_pairs_of_species, n_functions)
        Functions in the order of xi (`LENGTHS`), zeta (`SHARPNESS`), lambda (`SIGNS`), the last
        fastest.

    Raises, references
        As `radial_functions`.
    """
    kind = configuration.species_index(species)
    first, second = np.triu_indices(len(species))
    number = np.zeros((len(species),) * 2, dtype=np.int64)
    number[first, second] = number[second, first] = np.arange(len(first))
    out = np.zeros((len(sites), len(first), len(LENGTHS) * len(SHARPNESS) * len(SIGNS)))
    for rows, near in iter_neighbors(configuration, cutoff, sites):
        f = smooth_end(near.distances, cutoff)
        for row, begin, end in zip(rows, near.first[:-1], near.first[1:], strict=True):
            j, k = np.triu_indices(end - begin, 1)
            if not len(j):
                continue
            x, r = near.vectors[begin:end], near.distances[begin:end]
            dot, ff = (x @ x.T)[j, k], f[begin:end][j] * f[begin:end][k]
            cosine = dot / (r[j] * r[k])
            perimeter = 2 * (r[j] ** 2 + r[k] ** 2 - dot)  # r_ij^2 + r_ik^2 + r_jk^2
            radial = np.exp(-perimeter / np.square(LENGTHS)[:, None]) * ff
            angle = np.stack([2 * ((1 + s * cosine) / 2) ** z for z in SHARPNESS for s in SIGNS])
            z = kind[near.index[begin:end]]
            pair = number[z[j], z[k]]
            for p in range(len(first)):
                same = pair == p
                out[row, p] = (radial[:, same] @ angle[:, same].T).ravel()
    return out
