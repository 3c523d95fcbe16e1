"""The features in plain numpy: slow and readable, what the kernel is compared with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amorphace.ace.angular import Y00, real_harmonics
from amorphace.ace.basis import Basis, Channel
from amorphace.ace.coupling import couplings
from amorphace.ace.purification import purification
from amorphace.ace.radial import RadialBasis
from amorphace.core.neighbors import Neighbors


def evaluate(
    basis: Basis,
    radial: RadialBasis,
    neighbors: Neighbors,
    neighbor_species: NDArray[np.int64],
    *,
    purify: bool = True,
) -> NDArray[np.float64]:
    """Features of every site (eqs. 3-9, 13).

    Parameters
    ----------
    basis : Basis
    radial : RadialBasis
    neighbors : Neighbors
        Within the cutoff of `radial`.
    neighbor_species : ndarray of shape (n_pairs,)
        Species index z of each neighbour.
    purify : bool
        Sum over tuples of distinct neighbours (eq. 13).

    Returns
    -------
    ndarray of shape (n_sites, n_columns)
        An isolated site has zeros, since the empty sum is zero.
    """
    T, extra = purification(basis) if purify else (None, ())
    columns = [(basis.channels(k), int(basis.copy[k])) for k in range(len(basis))]
    columns += [((channel,), 0) for channel in extra]
    n_functions = max(n for channels, _ in columns for _, n, _ in channels)
    A = _density_projections(neighbors, neighbor_species, radial, basis, n_functions)
    B = np.empty((len(neighbors.sites), len(columns)))
    for k, (channels, copy) in enumerate(columns):
        B[:, k] = _invariant(A, channels, copy)
    return B if T is None else np.ascontiguousarray((T @ B.T).T)


def _density_projections(
    neighbors: Neighbors,
    neighbor_species: NDArray[np.int64],
    radial: RadialBasis,
    basis: Basis,
    n_functions: int,
) -> NDArray[np.float64]:
    """A_znlm = sum_j R_n(r_j) Y_lm(r_j) [z_j = z] (eqs. 2 and 4), shape (z, sites, n, lm)."""
    R = radial.evaluate(neighbors.distances, n_functions)
    Y = real_harmonics(neighbors.vectors, basis.l_max)
    A = np.zeros((basis.n_species, len(neighbors.sites), n_functions, Y.shape[1]))
    for z in range(basis.n_species):
        R_z = R * (neighbor_species == z)[:, None]
        for site, (a, b) in enumerate(zip(neighbors.first[:-1], neighbors.first[1:], strict=True)):
            A[z, site] = R_z[a:b].T @ Y[a:b]
    return A


def _invariant(
    A: NDArray[np.float64], channels: tuple[Channel, ...], copy: int
) -> NDArray[np.float64]:
    """B = sum_m C_m1..mN A_1m1 ... A_NmN (eqs. 7-9), shape (sites,)."""
    if len(channels) == 1:
        z, n, _ = channels[0]
        return A[z, :, n - 1, 0] / Y00  # eq. 7 has no Y_00
    same = tuple(channels.index(c) for c in channels)
    B = couplings(tuple(l for _, _, l in channels), same).tensors[copy][None]
    for z, n, l in reversed(channels):
        B = np.einsum("s...m,sm->s...", B, A[z, :, n - 1, l * l : (l + 1) ** 2])
    return B
