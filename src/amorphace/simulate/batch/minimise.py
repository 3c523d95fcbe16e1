"""Minimisation of all systems, each with its own end.

All in double precision: in single precision forces of 1e-4 are noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import warp as wp
from numpy.typing import NDArray

from amorphace.core.errors import SimulationError
from amorphace.simulate.batch.forces import Forces
from amorphace.simulate.batch.laws import largest_cutoff
from amorphace.simulate.batch.lists import Neighbours
from amorphace.simulate.batch.packed import Packed
from amorphace.simulate.batch.recorded import Recorded
from amorphace.simulate.batch.search import (
    AT_REST,
    OVER,
    Products,
    aim,
    go,
    judge,
    no_searches,
    product_parts,
    turn,
)
from amorphace.simulate.batch.state import PARTIAL, RUNNING, Slots, check, quantise
from amorphace.simulate.models import GlassModel

SKIN = 0.3
"""By which lists reach farther than the interaction, in sigma."""


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a minimisation ended.

    Attributes
    ----------
    packed : Packed
    energy : float
        Per particle.
    stress : float
        Shear stress sigma_xy.
    fmax : float
        Largest force left.
    evaluations : int
        Of forces, that it took.
    """

    packed: Packed
    energy: float
    stress: float
    fmax: float
    evaluations: int


class Minimiser:
    """A device on which systems of one model fall into their minima.

    Parameters
    ----------
    model : GlassModel
    slots, size : int
        Systems at a time; particles that each may have.
    device : str
    """

    def __init__(self, model: GlassModel, slots: int, size: int, *, device: str = "cpu") -> None:
        self.slots = Slots(model, slots, size, device)
        self.neighbours = Neighbours(self.slots, largest_cutoff(model), SKIN, model.number_density)
        self.forces = Forces(self.slots, self.neighbours, "double")
        self.searches = no_searches(self.slots)
        self._energies = self.slots.zeros(slots * size, wp.float64)
        self._parts = self.slots.zeros((slots, PARTIAL), Products)
        self._falling: set[int] = set()
        self._iterate = Recorded(device, self._iteration)

    @property
    def room(self) -> int:
        """Further systems that may begin."""
        return self.slots.slots - len(self._falling)

    def begin(self, packed: Packed, tolerance: float) -> int:
        """Begin with another system; the slot that it takes."""
        slot = next(b for b in range(self.slots.slots) if b not in self._falling)
        self.neighbours.put(slot, packed)
        self.slots.put(slot, packed)
        c = self.searches
        for array, value in (
            (c.tolerance, tolerance), (c.phase, AT_REST), (c.turns, 0), (c.evaluations, 0),
            (c.stalls, 0), (c.least_energy, np.inf), (c.least_force, np.inf),
        ):  # fmt: skip
            self.slots.assign(array, slot, value)
        self._falling.add(slot)
        self.slots.on_particles(quantise)
        return slot

    def advance(self, evaluations: int = 20) -> dict[int, Minimum | Exception]:
        """Go on for so many evaluations of forces.

        Returns
        -------
        dict
            By slot, systems that ended: their minimum, or what went wrong.
        """
        self._iterate(evaluations)
        if self.neighbours.grow():
            self._iterate.forget()
        status, phase = self.slots.status(), self.searches.phase.numpy()
        over = [b for b in self._falling if status[b] != RUNNING or phase[b] == OVER]
        if not over:
            return {}
        sums = self.forces.measure()
        return {b: self._take(b, status[b], sums[b]) for b in over}

    def _iteration(self) -> None:
        s, c, y = self.slots, self.searches, self.neighbours.data
        self.neighbours.refresh()
        self.forces.compute(self._energies)
        s.launch(product_parts, (s.slots, PARTIAL), [s.data, c, self._energies, self._parts, False])
        s.on_systems(judge, c, self._parts)
        s.on_particles(turn, c)
        s.launch(product_parts, (s.slots, PARTIAL), [s.data, c, self._energies, self._parts, True])
        s.on_systems(aim, c, self._parts)
        s.on_particles(go, y, c)

    def _take(self, slot: int, status: int, sums: NDArray[np.float64]) -> Minimum | Exception:
        c = self.searches
        self._falling.remove(slot)
        try:
            check(status)
            here = self.slots.take(slot)
            fmax, n = float(c.force.numpy()[slot]), int(c.evaluations.numpy()[slot])
            volume = float(np.prod(np.diagonal(here.cell)))
            return Minimum(here, float(sums[0]) / len(here), -float(sums[4]) / volume, fmax, n)
        except SimulationError as error:
            return error
        finally:
            self.slots.free(slot)
