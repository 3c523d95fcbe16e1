"""Two-body excess entropy of a particle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amorphace.baselines.local import REACH, summed
from amorphace.core.checks import check_positive
from amorphace.core.configuration import Configuration
from amorphace.core.neighbors import check_cutoff, iter_neighbors

STEP = 0.25
"""Of the integral over r, in units of the smoothing."""


def excess_entropy(
    configuration: Configuration,
    sites: NDArray[np.int64],
    species: Sequence[str],
    cutoff: float,
    smoothing: float = 0.12,
) -> NDArray[np.float64]:
    """s2 = -2 pi sum_z rho_z int_0^cutoff [g_z ln g_z - g_z + 1] r^2 dr, in units of k_B.

    g_z(r) = sum over neighbours j of species z of G(r - r_ij) / (4 pi r^2 rho_z), with G a
    normalised Gaussian of standard deviation `smoothing`: the pair correlation that one particle
    sees.

    Parameters
    ----------
    configuration : Configuration
    sites : ndarray of int
        Rows of the particles.
    species : sequence of str
    cutoff, smoothing : float
        In units of sigma.

    Returns
    -------
    ndarray of shape (n_sites,)
        Negative, the more ordered the surroundings the more so; zero where g is one.

    Raises
    ------
    InputError
        If a length is not positive or a particle is of no such species.

    References
    ----------
    P. M. Piaggi and M. Parrinello, J. Chem. Phys. 147, 114112 (2017).
    """
    cutoff, width = check_cutoff(cutoff), check_positive("smoothing", smoothing, "sigma")
    kind = configuration.species_index(species)
    density = np.bincount(kind, minlength=len(species)) / configuration.volume
    density = density[:, None]
    n = max(2, int(np.ceil(cutoff / (STEP * width))))
    r = (np.arange(n) + 0.5) * cutoff / n
    out = np.empty(len(sites))
    for rows, near in iter_neighbors(configuration, cutoff + REACH * width, sites, block_size=256):
        bell = np.exp(-((near.distances[:, None] - r) ** 2) / (2 * width**2))
        bell /= np.sqrt(2 * np.pi) * width * 4 * np.pi * r**2
        with np.errstate(divide="ignore", invalid="ignore"):
            g = summed(bell, near, kind, len(species)) / density
            g[np.isnan(g)] = 1.0  # there are no particles of the species
            log = np.where(g > 0, g * np.log(g), 0.0)
        inside = (density * (log - g + 1) * r**2).sum(axis=1)
        out[rows] = -2 * np.pi * inside.sum(axis=1) * cutoff / n
    return out
