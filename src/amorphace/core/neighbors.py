"""Neighbours in a periodic cell, any shape, any cutoff."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from amorphace.core.checks import check_positive
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
    """The cutoff as a float.

    Raises
    ------
    InputError
        If it is not a positive finite number.
    """
    return check_positive("cutoff", cutoff, "sigma")


def check_reach(configuration: Configuration, cutoff: float) -> float:
    """The cutoff as a float, once it is known how many neighbours it will have.

    Raises
    ------
    InputError
        If it is not positive, or so large for the cell that units must have been mixed up.
    """
    cutoff = check_cutoff(cutoff)
    heights = 1 / np.linalg.norm(np.linalg.inv(configuration.cell), axis=0)
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
        Neighbours of each site in ascending order of particle index.

    Raises
    ------
    InputError
        If the cutoff is not positive or spans more than 100,000 neighbours or images of the
        cell, or two particles lie on top of each other.
    """
    blocks = list(iter_neighbors(configuration, cutoff, sites, block_size=None))
    return blocks[0]


def iter_neighbors(
    configuration: Configuration,
    cutoff: float,
    sites: NDArray[np.int64] | None = None,
    *,
    block_size: int | None = 1024,
) -> Iterator[Neighbors]:
    """As `find_neighbors`, for `block_size` sites at a time (all at once for None)."""
    cutoff = check_reach(configuration, cutoff)
    centres = np.arange(len(configuration)) if sites is None else np.asarray(sites, dtype=np.int64)
    wrapped = configuration.wrapped().positions
    image_of, images = _images(wrapped, configuration.cell, cutoff)
    tree = KDTree(images)
    size = max(len(centres), 1) if block_size is None else block_size
    for start in range(0, max(len(centres), 1), size):
        block = centres[start : start + size]
        # a hair more than the cutoff: the exact test below decides
        near = KDTree(wrapped[block]).sparse_distance_matrix(
            tree, cutoff * (1 + 1e-9), output_type="ndarray"
        )
        row, which = near["i"].astype(np.int64), near["j"].astype(np.int64)
        # np.take: three times as fast as an index for rows of three
        vectors = np.take(images, which, axis=0) - np.take(wrapped, block[row], axis=0)
        r = np.sqrt(np.einsum("pd,pd->p", vectors, vectors))
        other = image_of[which]
        itself = (r <= COINCIDENT) & (other == block[row])
        touching = np.flatnonzero((r <= COINCIDENT) & ~itself)
        if len(touching):
            i, j = block[row[touching[0]]], other[touching[0]]
            raise InputError(
                f"particles id {configuration.ids[i]} and id {configuration.ids[j]} lie on top of "
                f"each other (distance {r[touching[0]]:.3g}); remove one of them"
            )
        keep = np.flatnonzero((r < cutoff) & ~itself)
        order = keep[_order(row[keep], other[keep], r[keep], which[keep])]
        yield Neighbors(
            sites=block,
            first=np.concatenate([[0], np.cumsum(np.bincount(row[keep], minlength=len(block)))]),
            index=other[order],
            vectors=np.take(vectors, order, axis=0),
            distances=r[order],
        )


def count_neighbors(
    configuration: Configuration, cutoff: float, sites: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Number of periodic images with r < cutoff of each site, itself left out, shape (n_sites,).

    Raises
    ------
    InputError
        If the cutoff is not positive.
    """
    cutoff = check_cutoff(cutoff)
    wrapped = configuration.wrapped().positions
    tree = KDTree(_images(wrapped, configuration.cell, cutoff)[1])
    inside = np.nextafter(cutoff, 0)
    return tree.query_ball_point(wrapped[sites], inside, return_length=True) - 1


def nearest_distances(
    configuration: Configuration, sites: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Distance of each site to its nearest periodic image, shape (n_sites,).

    Zero where another particle lies on top of it; never more than the shortest vector of the
    lattice, at which a particle meets itself.
    """
    wrapped = configuration.wrapped().positions
    centres = wrapped if sites is None else wrapped[sites]
    nearest = np.full(len(centres), np.inf)
    cutoff = 1.2 * (configuration.volume / max(len(configuration), 1)) ** (1 / 3)
    while len(alone := np.flatnonzero(np.isinf(nearest))):
        tree = KDTree(_images(wrapped, configuration.cell, cutoff)[1])
        nearest[alone] = tree.query(centres[alone], k=2, distance_upper_bound=cutoff)[0][:, 1]
        cutoff *= 2
    return nearest


def _order(
    row: NDArray[np.int64],
    other: NDArray[np.int64],
    r: NDArray[np.float64],
    which: NDArray[np.int64],
) -> NDArray[np.int64]:
    """By row, then particle index; images of one particle by distance, then by image."""
    key = row * (other.max(initial=0) + 1) + other
    order = np.argsort(key)
    once = np.diff(key[order]) > 0
    return order if once.all() else np.lexsort((which, r, key))


def _images(
    wrapped: NDArray[np.float64], cell: NDArray[np.float64], cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All images of the particles within the cutoff of the cell: particle index, position."""
    inverse = np.linalg.inv(cell)
    reach = cutoff * np.linalg.norm(inverse, axis=0)  # cutoff / height, along a, b, c
    n = np.ceil(reach).astype(int)
    s = wrapped @ inverse
    shifts = np.stack(np.meshgrid(*(np.arange(-k, k + 1) for k in n), indexing="ij"), axis=-1)
    index, place = [], []
    for shift in shifts.reshape(-1, 3):
        moved = s + shift
        close = ((moved > -reach - 1e-9) & (moved < 1 + reach + 1e-9)).all(axis=1)
        index.append(np.flatnonzero(close))
        place.append(wrapped[close] + shift @ cell)
    return np.concatenate(index), np.concatenate(place)
