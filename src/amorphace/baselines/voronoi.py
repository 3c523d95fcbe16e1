"""Voronoi cells and bond order, by freud."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SetupError

ORDERS = (4, 6)


def voronoi_cells(
    configuration: Configuration, sites: NDArray[np.int64], species: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Volumes, faces and bond order of Voronoi cells.

    Parameters
    ----------
    configuration : Configuration
        Of more particles than would meet their own images.
    sites : ndarray of int
        Rows of the particles.
    species : sequence of str

    Returns
    -------
    volume : ndarray of shape (n_sites,)
        In sigma^3.
    faces : ndarray of shape (n_sites, n_species)
        How many a cell shares with particles of each species.
    order : ndarray of shape (n_sites, 2)
        q4 and q6, each face weighted by its area, so that no cutoff decides.

    Raises
    ------
    SetupError
        If freud is not installed.
    InputError
        If there are too few particles, or one is of no such species.

    References
    ----------
    W. Mickel, S. C. Kapfer, G. E. Schroeder-Turk, K. Mecke, J. Chem. Phys. 138, 044501 (2013).
    """
    try:
        import freud
    except ImportError as error:
        raise SetupError(
            f"Voronoi cells are found by freud, which cannot be loaded ({error}); install it with: "
            "pip install amorphace[sim]"
        ) from error
    kind = configuration.species_index(species)
    h = configuration.cell
    if len(configuration) < 32:
        raise InputError(
            f"Voronoi cells need 32 particles or more, got {len(configuration)}: give a larger "
            "configuration"
        )
    edges = np.linalg.norm(h, axis=1)
    a, b, c = h / edges[:, None]
    angles = np.arccos([b @ c, a @ c, a @ b])
    box = freud.box.Box.from_box_lengths_and_angles(*edges, *angles)
    # fractional coordinates: the box may be a rotated or mirrored copy, which changes no invariant
    places = box.make_absolute(configuration.wrapped().fractional())
    with freud.parallel.NumThreads(1):
        cells = freud.locality.Voronoi()
        cells.compute((box, places))
        order = []
        for l in ORDERS:
            steinhardt = freud.order.Steinhardt(l=l, weighted=True)
            steinhardt.compute((box, places), neighbors=cells.nlist)
            order.append(np.asarray(steinhardt.particle_order, dtype=np.float64))
    i, j = np.asarray(cells.nlist.query_point_indices), np.asarray(cells.nlist.point_indices)
    faces = np.zeros((len(configuration), len(species)))
    np.add.at(faces, (i, kind[j]), 1)
    volume = np.asarray(cells.volumes, dtype=np.float64)
    return volume[sites], faces[sites], np.stack(order, axis=1)[sites]
