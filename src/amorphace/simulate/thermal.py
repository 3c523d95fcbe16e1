"""The isoconfigurational ensemble: one configuration, many sets of velocities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.simulate.dynamics import Record, Stage, run_stage, stage_health
from amorphace.simulate.engine import OpenMover
from amorphace.simulate.health import Health
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State, thermal_velocities

REPLICAS = 30
"""Velocity seeds of the isoconfigurational ensemble in the paper."""


@dataclass(frozen=True, eq=False)
class Replica:
    """One trajectory of the ensemble.

    Attributes
    ----------
    seed : int
        Of its velocities.
    end : Configuration
        After the lag, unwrapped: displacements are differences of positions.
    health : Health
    """

    seed: int
    end: Configuration
    health: Health


def start_replica(
    model: GlassModel, configuration: Configuration, temperature: float, *, seed: int
) -> State:
    """The configuration with velocities of its own."""
    return State(configuration, thermal_velocities(model, configuration, temperature, seed=seed))


def replica_stage(lag: float) -> Stage:
    """The stage that a replica runs: constant energy for the lag time."""
    return Stage(name="replica", ensemble="nve", duration=lag)


def replicas(
    model: GlassModel,
    configuration: Configuration,
    *,
    temperature: float,
    lag: float,
    seeds: Iterable[int] = range(REPLICAS),
    engine: OpenMover = LammpsEngine,
) -> Iterator[Replica]:
    """Replicas one after another, so that averages can stream.

    Parameters
    ----------
    model : GlassModel
    configuration : Configuration
        Thermal, not its inherent structure.
    temperature : float
    lag : float
        In the model's unit of time.
    seeds : iterable of int
        One for each replica, of its velocities; may be endless.
    engine : callable
        Opens who does it (see `run_stage`).

    Yields
    ------
    Replica

    Raises
    ------
    SimulationError
        If LAMMPS fails.
    """
    stage = replica_stage(lag)
    for seed in seeds:
        state = start_replica(model, configuration, temperature, seed=seed)
        chunks = list(run_stage(model, state, stage, seed=seed, engine=engine))
        end, record = chunks[-1].state, Record.concatenate([c.record for c in chunks])
        yield Replica(seed, end.configuration, stage_health(model, stage, end, record))


def geometric_times(first: float, *, ratio: float = 1.25) -> Iterator[float]:
    """first, first ratio, first ratio^2, ... without end."""
    if not (first > 0 and ratio > 1):
        raise InputError(f"first must be positive and ratio above 1, got {first} and {ratio}")
    time = first
    while True:
        yield time
        time *= ratio
