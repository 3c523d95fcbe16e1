"""Neighbours in a periodic cell, any shape, any cutoff."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amorphace.core import _cells
from amorphace.core.checks import check_positive, check_whole
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError

COINCIDENT = 1e-6
"""Two particles closer than this, in units of sigma, lie on top of each other."""

MOST_NEIGHBORS = 100_000
"""Within a cutoff of 27 sigma at a density of 1.2: more is a mistake in units."""


@dataclass(frozen=True, eq=False)
class Neighbors:
    """Neighbours of some sites; those of site k are rows first[k] to first[k+1].

    Attributes
    ----------
    sites : ndarray of shape (n_sites,)
        Particle indices of the centres.
    first : ndarray of shape (n_sites + 1,)
        Where each site's neighbours begin.
    index : ndarray of shape (n_pairs,)
        Particle index of each neighbour; periodic images count as distinct neighbours.
    vectors : ndarray of shape (n_pairs, 3)
        From the centre to the neighbour, in units of sigma.
    distances : ndarray of shape (n_pairs,)
        Their lengths.
    """

    sites: NDArray[np.int64]
    first: NDArray[np.int64]
    index: NDArray[np.int64]
    vectors: NDArray[np.float64]
    distances: NDArray[np.float64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of neighbours of each site, shape (n_sites,)."""
        return np.diff(self.first)

    @property
    def centre(self) -> NDArray[np.int64]:
        """Row in `sites` of each pair's centre, shape (n_pairs,)."""
        return np.repeat(np.arange(len(self.sites)), self.counts)


def check_cutoff(cutoff: float) -> float:
    """The cutoff as a float; an InputError if it is not a positive finite number."""
    return check_positive("cutoff", cutoff, "sigma")


def check_reach(configuration: Configuration, cutoff: float) -> float:
    """The cutoff as a float, once it is known how many neighbours it will have.

    An InputError if it is not positive, or so large for the cell that units must be mixed up.
    """
    cutoff = check_cutoff(cutoff)
    heights = configuration.heights
    with np.errstate(over="ignore"):
        neighbors = 4 / 3 * np.pi * np.float64(cutoff) ** 3 * configuration.number_density
        images = np.prod(np.maximum(2 * cutoff / heights, 1))
    if max(neighbors, images) > MOST_NEIGHBORS:
        raise InputError(
            f"about {neighbors:.2g} neighbours and {images:.2g} images of the cell lie within "
            f"cutoff {cutoff:g} of a particle, at most {MOST_NEIGHBORS:,} are possible: the cell "
            f"has heights {', '.join(f'{h:.4g}' for h in heights)} and holds "
            f"{len(configuration)} particles; are cell and cutoff both in units of sigma?"
        )
    return cutoff


def cell_grid(
    configuration: Configuration,
    cutoff: float,
    species: NDArray[np.int64] | None = None,
    n_species: int = 1,
) -> _cells.CellGrid:
    """The particles sorted into a periodic grid of cells, in which neighbours are found.

    Species are indices below `n_species`, shape (n,); all the same when left out. The cutoff is
    checked by `check_reach`.
    """
    kinds = np.zeros(len(configuration)) if species is None else species
    cutoff = check_reach(configuration, cutoff)
    return _cells.CellGrid(
        configuration.positions, kinds.astype(np.int32), n_species, configuration.cell, cutoff
    )


def find_neighbors(
    configuration: Configuration, cutoff: float, sites: NDArray[np.int64] | None = None
) -> Neighbors:
    """Every periodic image with 0 < r < cutoff of the sites, however small the cell.

    Parameters
    ----------
    configuration : Configuration
    cutoff : float
        In units of sigma.
    sites : ndarray of int, optional
        Particle indices of the centres; all particles when left out.

    Returns
    -------
    Neighbors
        Neighbours of each site in ascending order of particle index, images of one particle in
        ascending order of distance.

    Raises
    ------
    InputError
        If the cutoff is not positive or spans more than 100,000 neighbours or images of the
        cell, or two particles lie on top of each other.
    """
    centres = np.arange(len(configuration)) if sites is None else sites
    return _neighbors(configuration, cell_grid(configuration, cutoff), centres)


def iter_neighbors(
    configuration: Configuration,
    cutoff: float,
    sites: NDArray[np.int64] | None = None,
    *,
    block_size: int = 1024,
) -> Iterator[tuple[NDArray[np.int64], Neighbors]]:
    """As `find_neighbors`, for some sites at a time that lie near each other.

    Yields
    ------
    rows : ndarray of shape (n_block,)
        Of `sites`; at most `block_size`.
    neighbors : Neighbors
        Of `sites[rows]`.
    """
    centres = np.arange(len(configuration)) if sites is None else np.asarray(sites, dtype=np.int64)
    grid = cell_grid(configuration, cutoff)
    order = grid.by_cell(centres)
    for start in range(0, len(order), check_whole("block_size", block_size)):
        rows = order[start : start + block_size]
        yield rows, _neighbors(configuration, grid, centres[rows])


def _neighbors(
    configuration: Configuration, grid: _cells.CellGrid, sites: NDArray[np.int64]
) -> Neighbors:
    sites = np.ascontiguousarray(sites, dtype=np.int64)
    first, index, vectors, distances, touching = grid.pairs(sites, COINCIDENT)
    if touching >= 0:
        raise touching_error(configuration, grid, touching)
    return Neighbors(sites, first, index, vectors, distances)


def touching_error(configuration: Configuration, grid: _cells.CellGrid, site: int) -> InputError:
    """What to raise where another particle lies on top of a site."""
    _, index, _, distances, _ = grid.pairs(np.array([site]), -1.0)
    r, other = min((r, j) for r, j in zip(distances, index, strict=True) if j != site)
    i, j = sorted((configuration.ids[site], configuration.ids[other]))
    return InputError(
        f"particles id {i} and id {j} lie on top of each other (distance {r:.3g}); remove one of "
        "them"
    )


def count_neighbors(
    configuration: Configuration, cutoff: float, sites: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Number of periodic images with r < cutoff of each site, itself left out, shape (n_sites,).

    The cutoff is checked by `check_reach`.
    """
    return np.diff(_all_within(configuration, cutoff, sites)[0]) - 1


def nearest_distances(
    configuration: Configuration, sites: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Distance of each site to its nearest periodic image, shape (n_sites,).

    Zero where another particle lies on top of it; never more than the shortest vector of the
    lattice, at which a particle meets itself.
    """
    centres = np.arange(len(configuration)) if sites is None else np.asarray(sites)
    nearest = np.full(len(centres), np.inf)
    edge = np.linalg.norm(configuration.cell, axis=1).min()
    cutoff = min(1.2 * (configuration.volume / max(len(configuration), 1)) ** (1 / 3), 1.01 * edge)
    while len(alone := np.flatnonzero(np.isinf(nearest))):
        first, r = _all_within(configuration, cutoff, centres[alone])
        order = np.lexsort((r, np.repeat(np.arange(len(alone)), np.diff(first))))
        met = np.diff(first) > 1
        nearest[alone[met]] = r[order][first[:-1][met] + 1]  # the first one is the site itself
        cutoff *= 2
    return nearest


def _all_within(
    configuration: Configuration, cutoff: float, sites: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where each site's distances begin, and the distances, its own of zero among them."""
    grid = cell_grid(configuration, cutoff)
    first, _, _, r, _ = grid.pairs(np.ascontiguousarray(sites, dtype=np.int64), -1.0)
    return first, r
