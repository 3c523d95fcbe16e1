"""A system as it lies in a slot: made of a configuration, and made into one, off the device.

Whoever asks for something packs and unpacks in a thread of his own; the one that launches copies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State

ORDER_EDGE = 1.5
"""Edge, in sigma, of the cells in whose order particles lie in memory."""


@dataclass(frozen=True, eq=False)
class Packed:
    """Particles in the order of memory.

    Attributes
    ----------
    like : Configuration
        The system as it came.
    order : ndarray of int64 of shape (n,)
        Place k of memory holds particle `order[k]` of the configuration.
    cell : ndarray of shape (3, 3)
    place : ndarray of shape (n, 4)
        Fractional coordinates, not wrapped, and the species.
    velocity : ndarray of shape (n, 3)
    bonded : ndarray of int32 of shape (n, 2)
        The places of the particles that one is bonded to; -1 for none.
    """

    like: Configuration
    order: NDArray[np.int64]
    cell: NDArray[np.float64]
    place: NDArray[np.float64]
    velocity: NDArray[np.float64]
    bonded: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.order)

    def as_it_came(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows in the order of the configuration."""
        found = np.empty_like(rows)
        found[self.order] = rows
        return found

    def configuration(self) -> Configuration:
        """The particles, unwrapped."""
        positions = self.as_it_came(self.place)[:, :3] @ self.cell
        return self.like.replace(positions=positions, cell=self.cell)

    def state(self) -> State:
        """Configuration and velocities."""
        return State(self.configuration(), self.as_it_came(self.velocity))


def pack(
    model: GlassModel,
    configuration: Configuration,
    velocities: NDArray[np.float64] | None = None,
) -> Packed:
    """A system for a slot; at rest without velocities."""
    n, s = len(configuration), configuration.fractional()
    order = _in_space(s, configuration)
    place = np.empty((n, 4))
    place[:, :3], place[:, 3] = s[order], configuration.species_index(model.species)[order]
    return Packed(
        like=configuration,
        order=order,
        cell=configuration.cell,
        place=place,
        velocity=np.zeros((n, 3)) if velocities is None else velocities[order],
        bonded=_bonded(model, order),
    )


def _in_space(s: NDArray[np.float64], configuration: Configuration) -> NDArray[np.int64]:
    """The order that puts particles near each other in the box near each other in memory."""
    cells = np.clip(configuration.heights / ORDER_EDGE, 1, 40).astype(np.int64)
    x, y, z = np.minimum(((s - np.floor(s)) * cells).astype(np.int64), cells - 1).T
    key = (z * cells[1] + y) * cells[0] + x
    return np.argsort(key.astype(np.uint16), kind="stable")


def _bonded(model: GlassModel, order: NDArray[np.int64]) -> NDArray[np.int32]:
    """Bond partners of every particle in the order of memory, shape (n, 2)."""
    partner = np.full((len(order), 2), -1, dtype=np.int64)
    if model.chains is None:
        return partner.astype(np.int32)
    first, second = model.bonds(len(order)).T
    partner[first, 0], partner[second, 1] = second, first
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order], place[-1] = np.arange(len(order)), -1
    return place[partner[order]].astype(np.int32)
