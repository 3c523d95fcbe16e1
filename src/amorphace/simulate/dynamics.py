"""Molecular dynamics in stages and chunks, each a function of a state and a seed.

The thermostat is Langevin's: it has no memory, so a chunk needs nothing but positions,
velocities, the cell and its own seed. At constant pressure a Nose-Hoover barostat moves the
cell; its rate starts from zero in every chunk, which is never shorter than a few of its
damping times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import InputError, SimulationError
from amorphace.simulate.engine import BAROSTAT_STEPS, Motion, OpenMover
from amorphace.simulate.health import Health
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.measures import energy_drift, longest_bond, plateau
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State, derive_seed

CHUNK = 30_000_000
"""Atom-steps of a chunk: half a minute on one core."""
CHUNK_SHARE = 0.01
"""A chunk is at least this share of its stage."""
BAROSTAT_TIMES = 5
"""Damping times that the shortest chunk at constant pressure has."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of molecular dynamics.

    Parameters
    ----------
    name : str
    ensemble : {"nve", "nvt", "npt"}
    duration : float
        In units of time of the model.
    start, stop : float, optional
        Temperatures between which the thermostat moves linearly; `stop` equals `start` when
        left out. Neither goes with "nve".
    pressure : float, optional
        For "npt".
    pressure_of : str, optional
        For "npt" instead of a number: the name of the earlier stage of a preparation whose
        measured pressure is kept.
    density : float, optional
        Number density to which the cell is scaled at the beginning.

    Raises
    ------
    InputError
        If a number is out of range or does not go with the ensemble.
    """

    name: str
    ensemble: Literal["nve", "nvt", "npt"]
    duration: float
    start: float | None = None
    stop: float | None = None
    pressure: float | None = None
    pressure_of: str | None = None
    density: float | None = None

    def __post_init__(self) -> None:
        if self.stop is None:
            object.__setattr__(self, "stop", self.start)
        if self.ensemble not in ("nve", "nvt", "npt"):
            raise InputError(
                f"stage {self.name}: ensemble must be nve, nvt or npt, got {self.ensemble!r}"
            )
        if not (np.isfinite(self.duration) and self.duration > 0):
            raise InputError(f"stage {self.name}: duration must be positive, got {self.duration}")
        warm = [t for t in (self.start, self.stop) if t is not None]
        if (self.ensemble == "nve") == bool(warm):
            raise InputError(
                f"stage {self.name}: {self.ensemble} "
                f"{'takes no' if self.ensemble == 'nve' else 'needs a'} temperature"
            )
        if any(not (np.isfinite(t) and t >= 0) for t in warm):
            raise InputError(f"stage {self.name}: temperatures must be zero or more, got {warm}")
        given = (self.pressure is not None) + (self.pressure_of is not None)
        if given != (self.ensemble == "npt"):
            raise InputError(f"stage {self.name}: a pressure goes with npt, and npt needs one")
        if self.density is not None and not self.density > 0:
            raise InputError(f"stage {self.name}: density must be positive, got {self.density}")


@dataclass(frozen=True, eq=False)
class Record:
    """Thermodynamic values along a run, each an array: at its start and about 100 to a chunk.

    Attributes
    ----------
    time : ndarray
        Since the beginning of the stage.
    temperature, pressure : ndarray
    potential, total : ndarray
        Energies per particle.
    volume : ndarray
    """

    time: NDArray[np.float64]
    temperature: NDArray[np.float64]
    pressure: NDArray[np.float64]
    potential: NDArray[np.float64]
    total: NDArray[np.float64]
    volume: NDArray[np.float64]

    @classmethod
    def concatenate(cls, parts: Sequence[Record]) -> Record:
        """The parts one after another."""
        return cls(*(np.concatenate([getattr(p, f) for p in parts]) for f in cls.__annotations__))


@dataclass(frozen=True, eq=False)
class Chunk:
    """One finished piece of a stage.

    Attributes
    ----------
    index, count : int
        This piece, from 0, and how many the stage has.
    state : State
        At the end of the piece.
    record : Record
    """

    index: int
    count: int
    state: State
    record: Record


def step_count(model: GlassModel, duration: float) -> int:
    """Time steps of a duration, at least one."""
    return max(1, round(duration / model.timestep))


def chunk_bounds(model: GlassModel, stage: Stage, n_particles: int) -> list[int]:
    """Steps at which the chunks of a stage begin and end, from 0; they depend on nothing else."""
    steps = step_count(model, stage.duration)
    least = BAROSTAT_TIMES * BAROSTAT_STEPS if stage.ensemble == "npt" else 1
    size = max(CHUNK // n_particles, int(np.ceil(CHUNK_SHARE * steps)), least)
    return [*range(0, steps, size), steps]


def run_stage(
    model: GlassModel,
    state: State,
    stage: Stage,
    *,
    seed: int,
    first_chunk: int = 0,
    engine: OpenMover = LammpsEngine,
) -> Iterator[Chunk]:
    """Run a stage, chunk by chunk.

    To go on after an interruption, give the state of the last chunk that was kept and the
    index of the next: the result is the same to the last bit.

    Parameters
    ----------
    model : GlassModel
    state : State
        At the beginning of chunk `first_chunk`.
    stage : Stage
    seed : int
        Of the thermostat; each chunk draws from a seed of its own derived from it.
    first_chunk : int
    engine : callable
        Opens who does it (`OpenMover`): LAMMPS in this process, on one thread, when left out;
        `open_lammps("mpiexec -n 8 lmp")` runs that command beside it.

    Yields
    ------
    Chunk

    Raises
    ------
    SimulationError
        If LAMMPS fails.
    FileFormatError
        If a file that it writes is missing or cut.
    """
    bounds = chunk_bounds(model, stage, len(state.configuration))
    if not 0 <= first_chunk < len(bounds):
        raise InputError(
            f"stage {stage.name} has {len(bounds) - 1} chunks, cannot begin at {first_chunk}"
        )
    if first_chunk == 0 and stage.density is not None:
        state = scale_to_density(state, stage.density)
    for index in range(first_chunk, len(bounds) - 1):
        with engine(model, state.configuration, state.velocities) as opened:
            rows = opened.move(_motion(stage, bounds, index, seed))
            state = opened.state()
        rows[:, 0] += bounds[index] - rows[0, 0]
        record = _record(model, len(state.configuration), rows[min(index, 1) :])
        if not np.isfinite(record.total).all():
            raise SimulationError(
                f"stage {stage.name}: the energy is not a number after step {bounds[index + 1]}; "
                "go on from an earlier state with a smaller time step"
            )
        yield Chunk(index, len(bounds) - 1, state, record)


def stage_health(model: GlassModel, stage: Stage, state: State, record: Record) -> Health:
    """Health numbers of a finished stage; its plateaus are those of its second half."""
    constant = stage.ensemble == "nve"
    steady = constant or stage.start == stage.stop
    return Health(
        energy_drift=energy_drift(record.total) if constant else None,
        longest_bond=longest_bond(model, state.configuration),
        temperature=plateau(second_half(record.temperature)) if steady else None,
        pressure=plateau(second_half(record.pressure)) if steady else None,
    )


def second_half(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a stage is judged and measured by: its second half."""
    return series[len(series) // 2 :]


def scale_to_density(state: State, density: float) -> State:
    """The same particles, bonds included, scaled to another number density."""
    old = state.configuration
    factor = (old.number_density / density) ** (1 / 3)
    new = old.replace(positions=old.positions * factor, cell=old.cell * factor)
    return State(new, state.velocities)


def _motion(stage: Stage, bounds: Sequence[int], index: int, seed: int) -> Motion:
    """Chunk `index` of a stage whose chunks have these bounds."""
    begin, end = bounds[index : index + 2]
    if stage.start is None or stage.stop is None:
        return Motion(steps=end - begin)
    if stage.ensemble == "npt" and stage.pressure is None:
        raise InputError(
            f"stage {stage.name} keeps the pressure measured in stage {stage.pressure_of}; give it "
            "as a number to run the stage alone"
        )
    t0, t1 = (stage.start + x / bounds[-1] * (stage.stop - stage.start) for x in (begin, end))
    own = derive_seed(seed, index)
    return Motion(steps=end - begin, temperatures=(t0, t1), pressure=stage.pressure, seed=own)


def _record(model: GlassModel, n: int, rows: NDArray[np.float64]) -> Record:
    step, temperature, pressure, potential, total, volume = rows.T
    return Record(step * model.timestep, temperature, pressure, potential / n, total / n, volume)
