"""The pair correlation function g(r), by species."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.neighbors import check_cutoff, iter_neighbors


@dataclass(frozen=True, eq=False, kw_only=True)
class PairCorrelation:
    """g(r) of the particles of two species, or of one.

    Attributes
    ----------
    species : tuple of str of length 2
    r : ndarray of shape (n_bins,)
        Middles of the bins, in the unit of the positions.
    g : ndarray of shape (n_bins,)
        1 where neighbours stand as often as at random places.
    """

    species: tuple[str, str]
    r: NDArray[np.float64]
    g: NDArray[np.float64]


def pair_correlation(
    configuration: Configuration, *, reach: float = 4.0, width: float = 0.05
) -> tuple[PairCorrelation, ...]:
    """g_ab(r) = n_ab(r) V / (N_a N_b v(r)) of every pair of species.

    n_ab(r) is the number of pairs of a particle of a and one of b (periodic images included, a
    particle and its own image too) at a distance in the bin around r, and v(r) the volume of the
    shell.

    Parameters
    ----------
    configuration : Configuration
    reach : float
        Where g(r) ends, in the unit of the positions.
    width : float
        Of a bin, about: there is a whole number of them.

    Returns
    -------
    tuple of PairCorrelation
        Species in ascending order of their labels: (A, A), (A, B), (B, B).

    Raises
    ------
    InputError
        If `reach` or `width` is not positive, or there is no particle.
    """
    reach, width = check_cutoff(reach), check_cutoff(width)
    if not len(configuration):
        raise InputError("g(r) needs particles, and the configuration holds none")
    labels, of = np.unique(configuration.species, return_counts=True)
    n_bins = max(1, round(reach / width))
    edges = np.linspace(0, reach, n_bins + 1)
    counts = pair_counts(configuration, reach, n_bins)
    shell = 4 / 3 * np.pi * np.diff(edges**3)
    return tuple(
        PairCorrelation(
            species=(str(labels[a]), str(labels[b])),
            r=(edges[1:] + edges[:-1]) / 2,
            g=counts[a, b] * configuration.volume / (float(of[a]) * of[b] * shell),
        )
        for a, b in combinations_with_replacement(range(len(labels)), 2)
    )


def pair_counts(
    configuration: Configuration,
    reach: float,
    n_bins: int,
    sites: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Pairs by distance in bins of equal width from 0 to `reach`, periodic images included.

    Parameters
    ----------
    configuration : Configuration
    reach : float
        In the unit of the positions.
    n_bins : int
    sites : ndarray of int, optional
        The first particle of each pair is one of these; all particles when left out.

    Returns
    -------
    ndarray of shape (n_species, n_species, n_bins)
        By the species of the first and of the second particle, in ascending order of labels.

    Raises
    ------
    InputError
        If `reach` is not positive or spans too many neighbours, or two particles lie on top of
        each other.
    """
    labels, kind = np.unique(configuration.species, return_inverse=True)
    n = len(labels)
    counts = np.zeros(n * n * n_bins, dtype=np.int64)
    for _, block in iter_neighbors(configuration, reach, sites):
        pair = n * kind[block.sites[block.centre]] + kind[block.index]
        place = np.minimum((block.distances * (n_bins / reach)).astype(int), n_bins - 1)
        counts += np.bincount(n_bins * pair + place, minlength=counts.size)
    return counts.reshape(n, n, n_bins)
