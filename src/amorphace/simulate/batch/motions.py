# type: ignore  (kernels are in Warp's language)
"""How each system moves, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass

import warp as wp

from amorphace.simulate.batch.state import Slots
from amorphace.simulate.engine import THERMOSTAT_STEPS

wp.set_module_options({"enable_backward": False})


@dataclass(frozen=True, kw_only=True)
class Path:
    """A stretch of dynamics of one system.

    Attributes
    ----------
    steps : int
    temperatures : tuple of float, optional
        Of the thermostat at its beginning and end; constant energy without.
    pressure : float, optional
        Of the barostat; constant volume without.
    seed : int
    damping : float
        Damping time of the thermostat, in time steps.
    longest_move : float
        Of a particle in a step; 0 for no limit.
    """

    steps: int
    temperatures: tuple[float, float] | None = None
    pressure: float | None = None
    seed: int = 0
    damping: float = THERMOSTAT_STEPS
    longest_move: float = 0.0


@wp.struct
class Motions:
    """What kernels see of the paths of all systems."""

    timestep: wp.float64
    step: wp.array(dtype=wp.int32)
    """Steps done."""
    steps: wp.array(dtype=wp.int32)
    seed: wp.array(dtype=wp.int32)
    begin: wp.array(dtype=wp.float64)
    end: wp.array(dtype=wp.float64)
    friction: wp.array(dtype=wp.float64)
    """Zero without a thermostat."""
    longest: wp.array(dtype=wp.float64)


def no_motions(slots: Slots) -> Motions:
    """Those of empty slots."""
    m = Motions()
    m.timestep = slots.model.timestep
    for name in ("step", "steps", "seed"):
        setattr(m, name, slots.zeros(slots.slots, wp.int32))
    for name in ("begin", "end", "friction", "longest"):
        setattr(m, name, slots.zeros(slots.slots, wp.float64))
    return m


def set_path(slots: Slots, m: Motions, slot: int, path: Path) -> None:
    """A slot is at the beginning of a path."""
    begin, end = path.temperatures or (0.0, 0.0)
    friction = 1 / (path.damping * slots.model.timestep) if path.temperatures else 0.0
    for array, value in (
        (m.step, 0), (m.steps, path.steps), (m.seed, path.seed), (m.begin, begin), (m.end, end),
        (m.friction, friction), (m.longest, path.longest_move),
    ):  # fmt: skip
        slots.assign(array, slot, value)
