"""Who carries a protocol out: what an engine has to be able to do.

Protocols (creation, stages, replicas, inherent structures, shear) say what is done and are written
against `Engine` alone; `LammpsEngine` is one. Another needs the same few methods and is handed to a
protocol as `engine=`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State

THERMOSTAT_STEPS = 400
"""Damping time of the thermostat, in time steps."""
BAROSTAT_STEPS = 1000
"""Damping time of the barostat, in time steps."""
SOFT_STEPS = 3000
"""Steps of the soft push-off."""
SOFT_HEIGHT = 150.0
"""Height of the soft repulsion at its end, in units of the melt's k_B T."""
HARD_STEPS = 2000
"""Steps of limited motion under the model's own forces."""
LONGEST_MOVE = 0.05
"""Of a particle in one step of limited motion, in units of the largest diameter."""


def record_steps(steps: int) -> int:
    """Steps between two records of a run: a hundred records, or fewer of a short run."""
    return max(20, -(-steps // 100))


@dataclass(frozen=True, kw_only=True)
class Motion:
    """A stretch of molecular dynamics, by velocity Verlet.

    Attributes
    ----------
    steps : int
    temperatures : tuple of float, optional
        At its beginning and its end, of a Langevin thermostat; constant energy without.
    pressure : float, optional
        Of a barostat that scales the cell; constant volume without.
    seed : int
        Of the thermostat.
    """

    steps: int
    temperatures: tuple[float, float] | None = None
    pressure: float | None = None
    seed: int = 0


class Mover(Protocol):
    """What creation and molecular dynamics need; a context that frees what it holds."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...

    def push_apart(self, seed: int) -> None:
        """Make a hot liquid of particles at random places.

        `SOFT_STEPS` under a soft repulsion that grows from the melt's k_B T to `SOFT_HEIGHT` of
        it, then `HARD_STEPS` under the model's forces in which no particle moves farther than
        `LONGEST_MOVE`; a thermostat of this seed keeps the temperature of the melt.
        """
        ...

    def move(self, motion: Motion) -> NDArray[np.float64]:
        """Integrate.

        Returns
        -------
        ndarray of shape (n_records + 1, 6)
            At the start and every `record_steps`: step, temperature, pressure, potential and
            total energy of the whole system, volume.
        """
        ...

    def state(self) -> State:
        """Configuration, unwrapped and in the order it came in, and velocities."""
        ...


class Engine(Mover, Protocol):
    """A model's particles and all that can be done to them; energies and forces are those after
    what was done last."""

    def place(self, configuration: Configuration) -> None:
        """Put the same particles and the cell elsewhere; only where the engine was opened to
        shear."""
        ...

    def minimise(self, force_tolerance: float) -> float:
        """Fall into the minimum that steepest descent ends in; the largest force that is left.

        The caller decides whether that will do.
        """
        ...

    def configuration(self) -> Configuration:
        """The particles, unwrapped, in the order they came in."""
        ...

    def energy(self) -> float:
        """Potential energy per particle."""
        ...

    def stress(self) -> float:
        """Shear stress sigma_xy."""
        ...


class OpenMover(Protocol):
    """How a creation or a stage opens who moves its particles."""

    def __call__(
        self,
        model: GlassModel,
        configuration: Configuration,
        velocities: NDArray[np.float64] | None = None,
    ) -> Mover: ...


class OpenEngine(Protocol):
    """How a protocol opens an engine; one for shear takes tilted cells, and its forces depend on
    positions only and not on what was done before, to the last bit."""

    def __call__(
        self,
        model: GlassModel,
        configuration: Configuration,
        velocities: NDArray[np.float64] | None = None,
        *,
        sheared: bool = False,
    ) -> Engine: ...
