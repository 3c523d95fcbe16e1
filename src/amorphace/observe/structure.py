"""Lengths and numbers of one configuration, by which input is recognised as what it should be.

All are measured from the particles alone, in whatever unit their positions have.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.neighbors import (
    check_cutoff,
    count_neighbors,
    find_neighbors,
    nearest_distances,
)
from amorphace.observe.pair_correlation import pair_counts

CENTRES = 2000
"""Particles that a distribution or a median is sampled at."""
NEAR, FAR = 0.5, 3.0
"""Between which g(r) is measured, in units of the median distance of nearest neighbours."""
BIN = 0.005
"""Width of its bins, in the same units."""
SHARP, SMOOTH = 0.02, 0.10
"""Gaussian widths, in the same units: one shows the peaks, the other one shell as one peak."""
PEAK = 0.5
"""A peak is at least so high, in units of the highest."""


def nearest_pair(configuration: Configuration) -> float:
    """Least distance of two particles, periodic images included.

    Zero where two particles lie on top of each other; of a single particle, the distance to its
    own nearest image.

    Raises
    ------
    InputError
        If the configuration holds no particle.
    """
    return float(nearest_distances(_filled(configuration)).min())


def median_neighbours(configuration: Configuration, cutoff: float) -> float:
    """Median number of neighbours with 0 < r < cutoff, periodic images included.

    Over all particles, or 2,000 of them drawn at random (the same in every call).

    Parameters
    ----------
    configuration : Configuration
    cutoff : float
        In the unit of the positions.

    Raises
    ------
    InputError
        If the configuration holds no particle or the cutoff is not positive.
    """
    cutoff = check_cutoff(cutoff)
    return float(np.median(count_neighbors(_filled(configuration), cutoff, _some(configuration))))


def first_peak(configuration: Configuration, species: str | None = None) -> float:
    """Distance of the highest peak of g(r) in the first shell, to about half a per cent.

    Parameters
    ----------
    configuration : Configuration
    species : str, optional
        Of both particles of a pair; all pairs when left out. In a mixture of sizes the peaks of
        its pairs then stand side by side and the highest one counts, so that the diameter of one
        species is had by naming it.

    Returns
    -------
    float
        In the unit of the positions. Periodic images count as neighbours: a single particle is
        a crystal whose first peak is its nearest image. Random places have no peak, and get some
        distance near that of nearest neighbours.

    Raises
    ------
    InputError
        If no particle is of the species, or most lie on top of each other.
    """
    shape = _RadialShape(configuration, species)
    sharp, end = shape.smoothed(SHARP), shape.shell_end()
    k = int(np.argmax(sharp[:end]))
    return shape.distance(k)


def first_minimum(configuration: Configuration, species: str | None = None) -> float:
    """Distance that ends the first shell: the first minimum of g(r) after its first peak.

    g(r) is smoothed with a Gaussian of a tenth of the distance of nearest neighbours, so that
    the peaks of a mixture's pairs, and the two nearest shells of a body-centred crystal, are one
    shell. Where g(r) is zero behind the shell (a crystal at rest, a molecule in a vacuum) the
    place is in that gap, at most 0.4 nearest distances beyond the shell.

    Parameters
    ----------
    configuration, species
        As for `first_peak`.

    Returns
    -------
    float
        In the unit of the positions: about 1.4 sigma in a dense liquid.

    Raises
    ------
    InputError
        As `first_peak`.
    """
    shape = _RadialShape(configuration, species)
    return shape.distance(shape.shell_end())


def connected_clusters(
    configuration: Configuration, chosen: ArrayLike, distance: float
) -> NDArray[np.int64]:
    """Number of the cluster of every chosen particle, shape (n,); -1 of the others.

    Two chosen particles closer than `distance` are in one cluster, through the boundaries of
    the cell too.

    Parameters
    ----------
    configuration : Configuration
    chosen : array_like of bool, shape (n,)
    distance : float
        In the unit of the positions.

    Raises
    ------
    InputError
        If the distance is not positive or two particles lie on top of each other.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sites = np.flatnonzero(chosen)
    number = np.full(len(configuration), -1)
    if len(sites):
        row = number.copy()
        row[sites] = np.arange(len(sites))
        near = find_neighbors(configuration, distance, sites)
        pairs = np.stack([near.centre, row[near.index]])[:, row[near.index] >= 0]
        bonds = coo_array((np.ones(pairs.shape[1]), pairs), shape=(len(sites), len(sites)))
        number[sites] = connected_components(bonds, directed=False)[1]
    return number


def random_displacement(cell: ArrayLike) -> float:
    """Root-mean-square distance of two independent random places, nearest images taken.

    This is what the displacement of a particle looks like when its two frames have nothing to do
    with each other: L / 2 in a cube of edge L, the square root of (a^2 + b^2 + c^2) / 12 in a
    box, and the second moment of the Voronoi cell of the lattice in general, exactly.

    Parameters
    ----------
    cell : array_like of shape (3, 3), (3,) or ()
        As for `Configuration`.

    References
    ----------
    E. S. Barnes and N. J. A. Sloane, SIAM J. Alg. Disc. Meth. 4, 30 (1983).

    Examples
    --------
    >>> random_displacement(10.0)
    5.0
    """
    h = Configuration(positions=np.empty((0, 3)), species="A", cell=cell).cell
    p = _conorms(h)
    volume2 = float(np.linalg.det(h) ** 2)
    first = sum(p.values())
    opposite = [p[0, 1] * p[2, 3], p[0, 2] * p[1, 3], p[0, 3] * p[1, 2]]
    second = sum(x * y for x, y in combinations(opposite, 2))
    third = 0.0
    for k in range(4):
        star = [v for pair, v in p.items() if k in pair]
        third += float(np.prod(star)) * (first - sum(star))
    return float(np.sqrt((first + (2 * second + third) / volume2) / 12))


def _conorms(cell: NDArray[np.float64]) -> dict[tuple[int, int], float]:
    """-v_i . v_j of four vectors that sum to zero, three of which span the lattice, none negative
    (Selling's reduction)."""
    v = np.vstack([-cell.sum(axis=0), cell])
    tiny = 1e-12 * float((cell**2).sum())
    while True:
        p = {(i, j): float(-v[i] @ v[j]) for i, j in combinations(range(4), 2)}
        (i, j), worst = min(p.items(), key=lambda item: item[1])
        if worst >= -tiny:
            return p
        k, m = (x for x in range(4) if x not in (i, j))
        v[k], v[m], v[i] = v[k] + v[i], v[m] + v[i], -v[i]


class _RadialShape:
    """Counts of pairs by distance over 4 pi r^2: g(r) up to a factor."""

    def __init__(self, configuration: Configuration, species: str | None) -> None:
        given = _filled(configuration)
        rows = slice(None) if species is None else given.species == species
        chosen = Configuration(
            positions=given.positions[rows], species="A", cell=given.cell, ids=given.ids[rows]
        )
        if not len(chosen):
            raise InputError(
                f"no particle is of species {species}; the configuration holds "
                f"{', '.join(np.unique(given.species))}"
            )
        sites = _some(chosen)
        scale = float(np.median(nearest_distances(chosen, sites)))
        first, last = round(NEAR / BIN), round(FAR / BIN)
        self.r = (np.arange(first, last) + 0.5) * BIN * scale
        counts = pair_counts(chosen, FAR * scale, last, sites).sum(axis=(0, 1))
        self.g = counts[first:] / self.r**2

    def smoothed(self, width: float) -> NDArray[np.float64]:
        from scipy.ndimage import gaussian_filter1d  # here: what only plans needs none of scipy

        return gaussian_filter1d(self.g, width / BIN, mode="constant")

    def shell_end(self) -> int:
        """Bin of the first minimum behind the first peak."""
        smooth = self.smoothed(SMOOTH)
        rises = np.diff(smooth) > 0
        peaks = np.flatnonzero(np.append(True, rises) & ~np.append(rises, False))
        peak = peaks[smooth[peaks] >= PEAK * smooth.max()][0]
        behind = np.flatnonzero(np.diff(smooth[peak:]) >= 0)
        return int(peak + behind[0]) if len(behind) else len(smooth) - 1

    def distance(self, k: int) -> float:
        return float(self.r[k])


def _filled(configuration: Configuration) -> Configuration:
    if not len(configuration):
        raise InputError("the configuration holds no particle; give one that does")
    return configuration


def _some(configuration: Configuration) -> NDArray[np.int64]:
    n = len(configuration)
    return np.arange(n) if n <= CENTRES else np.random.default_rng(0).permutation(n)[:CENTRES]
