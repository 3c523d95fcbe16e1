"""Voronoi cells in a periodic configuration, and bond order weighted by their faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from amorphace.ace.angular import real_harmonics
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError

ORDERS = (4, 6)
MARGIN = 3.0
"""Images that are looked at first lie so far outside of the cell, in units of rho^(-1/3)."""
SMALL = 1e-6
"""A face below this area, in units of rho^(-2/3), is an edge or a corner that rounding opened."""


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces of the Voronoi cells of all particles, each once for either side.

    Attributes
    ----------
    centre, other : ndarray of int of shape (n_faces,)
        Rows of the particles on both sides; images of one particle share several faces.
    vector : ndarray of shape (n_faces, 3)
        From one to the other.
    area : ndarray of shape (n_faces,)
    """

    centre: NDArray[np.int64]
    other: NDArray[np.int64]
    vector: NDArray[np.float64]
    area: NDArray[np.float64]


def voronoi_cells(
    configuration: Configuration, sites: NDArray[np.int64], species: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Volumes, faces and bond order of Voronoi cells.

    The volume is the sum over faces of area times distance over 6, and q_l^2 is 4 pi / (2 l + 1)
    sum_m |sum over faces of (area / total area) Y_lm|^2, so that no cutoff decides.

    Parameters
    ----------
    configuration : Configuration
        Any cell; a particle's own images are neighbours, too.
    sites : ndarray of int
        Rows of the particles.
    species : sequence of str

    Returns
    -------
    volume : ndarray of shape (n_sites,)
        In sigma^3.
    faces : ndarray of shape (n_sites, n_species)
        How many a cell shares with particles of each species, not counting what rounding opened.
    order : ndarray of shape (n_sites, 2)
        q4 and q6.

    Raises
    ------
    InputError
        If there is no particle, or one is of no such species.

    References
    ----------
    W. Mickel, S. C. Kapfer, G. E. Schroeder-Turk, K. Mecke, J. Chem. Phys. 138, 044501 (2013).
    """
    kind = configuration.species_index(species)
    if not len(configuration):
        raise InputError("the configuration holds no particle; give one that does")
    found, n = voronoi_faces(configuration), len(configuration)
    distance = np.linalg.norm(found.vector, axis=1)
    volume = np.bincount(found.centre, found.area * distance / 6, minlength=n).astype(np.float64)
    count = np.zeros((n, len(species)))
    whole = found.area > SMALL * configuration.number_density ** (-2 / 3)
    np.add.at(count, (found.centre[whole], kind[found.other[whole]]), 1)
    surface = np.bincount(found.centre, found.area, minlength=n)
    Y = real_harmonics(found.vector, max(ORDERS)) * found.area[:, None]
    mean = np.zeros((n, Y.shape[1]))
    np.add.at(mean, found.centre, Y)
    mean /= surface[:, None]
    order = [
        np.sqrt(4 * np.pi / (2 * l + 1) * (mean[:, l * l : (l + 1) ** 2] ** 2).sum(axis=1))
        for l in ORDERS
    ]
    return volume[sites], count[sites], np.stack(order, axis=1)[sites]


def voronoi_faces(configuration: Configuration) -> Faces:
    """The faces between all particles and their periodic images."""
    unit = configuration.number_density ** (-1 / 3)
    margin, n = MARGIN * unit, len(configuration)
    while True:
        places, row = _padded(configuration, margin)
        cells = Voronoi(places)
        pair, area, far = _ridges(cells, n)
        # a cell is right if no image that was left out comes as near as twice its farthest corner
        if 2 * far <= margin:
            break
        margin = 2 * far if np.isfinite(far) else 2 * margin
    both, areas = np.concatenate([pair, pair[:, ::-1]]), np.concatenate([area, area])
    mine = both[:, 0] < n
    i, j = both[mine].T
    return Faces(row[i], row[j], places[j] - places[i], areas[mine])


def _padded(
    configuration: Configuration, margin: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The particles inside the cell, then images up to `margin` outside, and the row of each."""
    s = configuration.fractional() % 1.0
    h, near = configuration.cell, margin / configuration.heights
    places, rows = [s @ h], [np.arange(len(s))]
    turns = [range(-int(np.ceil(x)), int(np.ceil(x)) + 1) for x in near]
    for turn in product(*turns):
        if turn != (0, 0, 0):
            image = s + turn
            inside = ((image >= -near) & (image <= 1 + near)).all(axis=1)
            places.append(image[inside] @ h)
            rows.append(np.flatnonzero(inside))
    return np.concatenate(places), np.concatenate(rows)


def _ridges(cells: Voronoi, n: int) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Pairs of points that share a face with one of the first `n`, its area, and how far the
    corners of these lie from their points."""
    chosen = np.flatnonzero((cells.ridge_points < n).any(axis=1))
    pair = cells.ridge_points[chosen].astype(np.int64)
    corners = [cells.ridge_vertices[k] for k in chosen]
    size = np.array([len(c) for c in corners])
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    flat = np.concatenate(corners)
    if (flat < 0).any():
        return pair, np.zeros(len(pair)), np.inf
    following = np.roll(flat, -1)
    following[first + size - 1] = flat[first]
    centre = np.repeat(pair.min(axis=1), size)  # one of the first n
    points, vertices = np.asarray(cells.points), np.asarray(cells.vertices)
    here, there = (vertices[k] - points[centre] for k in (flat, following))
    area = np.linalg.norm(np.add.reduceat(np.cross(here, there), first), axis=1) / 2
    return pair, area, float(np.linalg.norm(here, axis=1).max())
