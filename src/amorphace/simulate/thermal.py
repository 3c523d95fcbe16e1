"""The isoconfigurational ensemble: one configuration, many sets of velocities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.simulate.dynamics import (
    Chunk,
    Command,
    Record,
    Stage,
    run_stage,
    stage_health,
    step_count,
)
from amorphace.simulate.health import Health
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


def run_replica(
    model: GlassModel,
    configuration: Configuration,
    *,
    temperature: float,
    lag: float,
    seed: int,
    command: Command = None,
) -> Replica:
    """One replica from start to end.

    A long one can be run in chunks instead: `run_stage` with `start_replica` and
    `replica_stage`, and `finish_replica` on what it gave.

    Parameters
    ----------
    model : GlassModel
    configuration : Configuration
        Thermal, not its inherent structure.
    temperature : float
    lag : float
        In the model's unit of time.
    seed : int
        Of the velocities.
    command : str or sequence of str, optional
        The LAMMPS command; the library in this process when left out.

    Returns
    -------
    Replica

    Raises
    ------
    SimulationError
        If LAMMPS fails.
    """
    state = start_replica(model, configuration, temperature, seed=seed)
    chunks = list(run_stage(model, state, replica_stage(lag), seed=seed, command=command))
    return finish_replica(model, chunks, lag=lag, seed=seed)


def finish_replica(model: GlassModel, chunks: Sequence[Chunk], *, lag: float, seed: int) -> Replica:
    """The replica that these chunks, all of them, make up."""
    if [c.index for c in chunks] != list(range(chunks[0].count)):
        raise InputError(
            f"a replica needs its {chunks[0].count} chunks in order, got {len(chunks)}"
        )
    state = chunks[-1].state
    record = Record.concatenate([c.record for c in chunks])
    return Replica(
        seed, state.configuration, stage_health(model, replica_stage(lag), state, record)
    )


def isoconfigurational(
    model: GlassModel,
    configuration: Configuration,
    *,
    temperature: float,
    lag: float,
    seeds: Iterable[int] = range(REPLICAS),
    command: Command = None,
) -> Iterator[Replica]:
    """Replicas one after another, so that averages can stream; each is a unit of its own."""
    for seed in seeds:
        yield run_replica(
            model, configuration, temperature=temperature, lag=lag, seed=seed, command=command
        )


def trajectory(
    model: GlassModel, state: State, times: Iterable[float], *, command: Command = None
) -> Iterator[tuple[float, State]]:
    """States at increasing times of one trajectory at constant energy.

    The caller decides when it has seen enough, for example when Fs(q, t) of the frames has
    fallen to 1/e; `times` may therefore be endless (`geometric_times`). Every frame starts from
    the State before, so that a trajectory can be taken up at any of them.

    Parameters
    ----------
    model : GlassModel
    state : State
        At time 0.
    times : iterable of float
        In the model's unit of time; rounded to time steps, each later than the one before.
    command : str or sequence of str, optional
        The LAMMPS command; the library in this process when left out.

    Yields
    ------
    tuple of float and State
        The time, a whole number of time steps, and the state then, unwrapped.

    Raises
    ------
    InputError
        If the times do not increase.
    SimulationError
        If LAMMPS fails.
    """
    done = 0
    for time in times:
        steps = step_count(model, time) - done
        if steps <= 0:
            raise InputError(
                f"times must increase by at least one time step {model.timestep}, got {time} "
                f"after {done * model.timestep}"
            )
        stage = Stage(name="trajectory", ensemble="nve", duration=steps * model.timestep)
        for chunk in run_stage(model, state, stage, seed=0, command=command):
            state = chunk.state
        done += steps
        yield done * model.timestep, state


def geometric_times(first: float, *, ratio: float = 1.25) -> Iterator[float]:
    """first, first ratio, first ratio^2, ... without end."""
    if not (first > 0 and ratio > 1):
        raise InputError(f"first must be positive and ratio above 1, got {first} and {ratio}")
    time = first
    while True:
        yield time
        time *= ratio
