"""An engine whose system shares a device with others; see `Crew`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.simulate.batch.minimise import Minimum
from amorphace.simulate.batch.motions import Path
from amorphace.simulate.batch.packed import pack
from amorphace.simulate.batch.requests import Fall, Move
from amorphace.simulate.engine import (
    HARD_STEPS,
    LONGEST_MOVE,
    SOFT_STEPS,
    THERMOSTAT_STEPS,
    Motion,
)
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State


class BatchEngine(AbstractContextManager["BatchEngine", None]):
    """One system, an `Engine`: it asks for what it has to do, and waits.

    Parameters
    ----------
    ask : callable
        Takes a `Move` or a `Fall` and gives what came of it.
    model : GlassModel
    configuration : Configuration
    velocities : ndarray of shape (n, 3), optional
        At rest when left out.
    """

    def __init__(
        self,
        ask: Callable[[Move | Fall], Any],
        model: GlassModel,
        configuration: Configuration,
        velocities: NDArray[np.float64] | None = None,
    ) -> None:
        self._ask, self.model = ask, model
        speed = np.zeros((len(configuration), 3)) if velocities is None else velocities
        self._state = State(configuration, speed)
        self._measured: tuple[float, float] | None = None

    def __exit__(self, *_: object) -> None:
        """Nothing is held between two requests."""

    def move(self, motion: Motion) -> NDArray[np.float64]:
        """Integrate, with others."""
        return self._move(
            Path(
                steps=motion.steps,
                temperatures=motion.temperatures,
                pressure=motion.pressure,
                seed=motion.seed,
            )
        )

    def _move(self, path: Path, *, soft: bool = False) -> NDArray[np.float64]:
        before = self._state
        packed = pack(self.model, before.configuration, before.velocities)
        found, rows = self._ask(Move(self.model, packed, path, soft))
        self._state, self._measured = found.state(), None
        return rows

    def push_apart(self, seed: int) -> None:
        """Make a hot liquid of particles at random places."""
        heat = self.model.melt_temperature
        for steps, soft in ((SOFT_STEPS, True), (HARD_STEPS, False)):
            path = Path(
                steps=steps,
                temperatures=(heat, heat),
                seed=seed,
                damping=THERMOSTAT_STEPS / 4,
                longest_move=LONGEST_MOVE * float(np.max(self.model.potential.diameters)),
            )
            self._move(path, soft=soft)

    def place(self, configuration: Configuration) -> None:
        """Put the same particles and the cell elsewhere, at rest."""
        self._state = State(configuration, np.zeros((len(configuration), 3)))
        self._measured = None

    def minimise(self, force_tolerance: float) -> float:
        """Fall into the minimum that conjugate gradients end in, with others."""
        found = self._fall(force_tolerance)
        self.place(found.packed.configuration())
        self._measured = found.energy, found.stress
        return found.fmax

    def configuration(self) -> Configuration:
        """The particles, unwrapped, in the order they came in."""
        return self._state.configuration

    def state(self) -> State:
        """Configuration and velocities."""
        return self._state

    def energy(self) -> float:
        """Potential energy per particle."""
        return self._measure()[0]

    def stress(self) -> float:
        """Shear stress sigma_xy of the forces."""
        return self._measure()[1]

    def _measure(self) -> tuple[float, float]:
        """Energy and stress where the system is: a fall that ends where it begins."""
        if self._measured is None:
            found = self._fall(np.inf)
            self._measured = found.energy, found.stress
        return self._measured

    def _fall(self, tolerance: float) -> Minimum:
        return self._ask(Fall(self.model, pack(self.model, self._state.configuration), tolerance))
