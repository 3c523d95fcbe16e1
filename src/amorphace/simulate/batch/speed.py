"""How fast an engine is: atom-steps a second, and what the energy does meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from amorphace.core.configuration import Configuration
from amorphace.simulate.batch.crew import Crew
from amorphace.simulate.batch.forces import Precision
from amorphace.simulate.batch.openmm import energies, openmm_context
from amorphace.simulate.engine import Motion, OpenMover
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.models import GlassModel, kob_andersen
from amorphace.simulate.state import State, thermal_velocities

TEMPERATURE = 0.8
ROUNDS, ROUND = 8, Motion(steps=60)
"""Runs from the lattice, each with new velocities: the heat of the lattice goes."""
RECORDS = 20
"""Looks at the energy in a run of OpenMM; a few hundred steps of the others have as many."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What was measured.

    Attributes
    ----------
    engine : {"batch", "lammps", "openmm"}
    device, precision : str
    systems, particles, steps : int
    seconds : float
        By the clock on the wall, of a GPU; of the processor otherwise.
    drift : float
        Largest change of the total energy per particle.
    """

    engine: Literal["batch", "lammps", "openmm"]
    device: str
    precision: str
    systems: int
    particles: int
    steps: int
    seconds: float
    drift: float

    @property
    def rate(self) -> float:
        """Atom-steps a second."""
        return self.systems * self.particles * self.steps / self.seconds


def lattice(model: GlassModel, n: int, *, seed: int) -> State:
    """The species at random on a simple cubic lattice with random vacancies."""
    rng = np.random.default_rng(seed)
    edge, m = (n / model.number_density) ** (1 / 3), int(np.ceil(n ** (1 / 3) - 1e-9))
    sites = np.stack(np.meshgrid(*[np.arange(m)] * 3, indexing="ij"), -1).reshape(-1, 3)
    places = sites[rng.permutation(len(sites))[:n]] * (edge / m)
    labels = rng.permutation(model.labels(n))
    start = Configuration(positions=places, species=labels, cell=edge)
    return thermal(State(start, np.zeros_like(places)))


def batch_speed(
    systems: int, particles: int, steps: int, *, device: str, precision: Precision = "mixed"
) -> Speed:
    """Speed of the batch: so many Kob-Andersen liquids at constant energy."""
    crew = Crew(device, precision)

    def all_of(starts: Sequence[State], motion: Motion) -> list[tuple[State, Any]]:
        works: list[Callable[[], tuple[State, Any]]] = [
            partial(_moved, crew, start, motion) for start in starts
        ]
        found = dict(crew.run(works))
        for end in found.values():
            if isinstance(end, Exception):
                raise end
        return [found[k] for k in range(systems)]  # type: ignore[misc]

    states = [lattice(kob_andersen(), particles, seed=k) for k in range(systems)]
    for _ in range(ROUNDS):
        states = [thermal(state) for state, _ in all_of(states, ROUND)]
    clock = time.process_time if device == "cpu" else time.perf_counter
    began = clock()
    ends = all_of(states, Motion(steps=steps))
    seconds = clock() - began
    drift = max(_drift(rows, particles) for _, rows in ends)
    return Speed(
        engine="batch", device=device, precision=precision, systems=systems,
        particles=particles, steps=steps, seconds=seconds, drift=drift,
    )  # fmt: skip


def lammps_speed(particles: int, steps: int) -> Speed:
    """Speed of LAMMPS in this process, on one thread: one system."""
    state = lattice(kob_andersen(), particles, seed=0)
    for _ in range(ROUNDS):
        state = thermal(_moved(LammpsEngine, state, ROUND)[0])
    began = time.process_time()
    _, rows = _moved(LammpsEngine, state, Motion(steps=steps))
    return Speed(
        engine="lammps", device="one core", precision="double", systems=1, particles=particles,
        steps=steps, seconds=time.process_time() - began, drift=_drift(rows, particles),
    )  # fmt: skip


def openmm_speed(particles: int, steps: int, *, device: str) -> Speed:
    """Speed of OpenMM: one system, on one thread of a processor or in mixed precision on a GPU.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    model, state = kob_andersen(), lattice(kob_andersen(), particles, seed=0)
    context = openmm_context(model, state, device=device)
    for _ in range(ROUNDS):
        context.setVelocities(state.velocities)
        context.getIntegrator().step(ROUND.steps)
    context.setVelocities(state.velocities)
    clock = time.process_time if device == "cpu" else time.perf_counter
    total = [energies(context)[1]]
    began = clock()
    for _ in range(RECORDS):
        context.getIntegrator().step(steps // RECORDS)
        total.append(energies(context)[1])
    return Speed(
        engine="openmm", device=device, precision="mixed", systems=1, particles=particles,
        steps=steps // RECORDS * RECORDS, seconds=clock() - began,
        drift=float(np.abs(np.subtract(total, total[0])).max() / particles),
    )  # fmt: skip


def _moved(engine: OpenMover, start: State, motion: Motion) -> tuple[State, Any]:
    with engine(kob_andersen(), start.configuration, start.velocities) as opened:
        rows = opened.move(motion)
        return opened.state(), rows


def thermal(state: State) -> State:
    """The same places with new velocities."""
    here = state.configuration
    return State(here, thermal_velocities(kob_andersen(), here, TEMPERATURE, seed=1))


def _drift(rows: Any, particles: int) -> float:
    return float(np.abs(rows[:, 4] - rows[0, 4]).max() / particles)
