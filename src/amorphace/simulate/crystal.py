"""Crystals in a liquid or a glass, found by bond order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SimulationError

BOND_RANGE = 1.42
"""Neighbours of the bond order, in units of rho^(-1/3): between the first and second shell of fcc
and hcp (1.12, 1.59) and around the two inner ones of bcc (1.09, 1.26, next 1.78)."""
COHERENCE = 0.7
"""Normalised q6(i).q6(j) above which a bond is solid-like (ten Wolde et al. 1996)."""
SOLID_BONDS = 7
"""Solid-like bonds that a crystal-like particle has at least, of 12 or 14 in a crystal."""


def crystal_fraction(configuration: Configuration) -> float:
    """Share of particles with at least 7 bonds of q6(i).q6(j) / |q6(i)||q6(j)| > 0.7.

    Neighbours are those within 1.42 rho^(-1/3). All particles count, whatever their species. Near
    1 in fcc, hcp and bcc crystals with thermal noise, below 0.01 in glasses: icosahedra, whose
    neighbours are not icosahedra alike oriented, do not count.

    Parameters
    ----------
    configuration : Configuration
        Thermal or at rest, wrapped or not.

    Raises
    ------
    SimulationError
        If freud is not installed.
    InputError
        If there are no particles or the cell is thinner than two such distances.

    References
    ----------
    P. R. ten Wolde, M. J. Ruiz-Montero, D. Frenkel, J. Chem. Phys. 104, 9932 (1996).
    """
    try:
        import freud
    except ImportError as error:
        raise SimulationError(
            f"crystals are found by freud, which cannot be loaded ({error}); install it with: "
            "pip install amorphace[sim]"
        ) from error
    if not len(configuration):
        raise InputError("no particles: their crystal-like share is not defined")
    reach = BOND_RANGE * configuration.number_density ** (-1 / 3)
    thickness = configuration.heights.min()
    if not 2 * reach < thickness:
        raise InputError(
            f"the cell is {thickness:.3g} thick, bond order needs more than {2 * reach:.3g}: give "
            "a configuration of more particles"
        )
    box = freud.box.Box.from_box_lengths_and_angles(*_lengths_and_angles(configuration.cell))
    # fractional coordinates: the box may be a rotated or mirrored copy, which changes no bond order
    places = box.make_absolute(configuration.wrapped().fractional())
    order = freud.order.SolidLiquid(l=6, q_threshold=COHERENCE, solid_threshold=SOLID_BONDS)
    with freud.parallel.NumThreads(1):
        order.compute((box, places), neighbors={"r_max": reach, "exclude_ii": True})
    return float(np.mean(order.num_connections >= SOLID_BONDS))


def _lengths_and_angles(cell: NDArray[np.float64]) -> list[float]:
    """|a|, |b|, |c| and the angles between b and c, a and c, a and b, in radians."""
    a, b, c = cell / np.linalg.norm(cell, axis=1, keepdims=True)
    return [*np.linalg.norm(cell, axis=1), *np.arccos([b @ c, a @ c, a @ b])]
