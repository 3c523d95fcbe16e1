"""From nothing to a melt, and from a melt to a supercooled liquid or a glass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from amorphace.core.checks import Limits, check_fields
from amorphace.core.errors import InputError
from amorphace.simulate.creation import ATTEMPTS, create
from amorphace.simulate.dynamics import (
    Record,
    Stage,
    run_stage,
    second_half,
    stage_health,
    step_count,
)
from amorphace.simulate.engine import HARD_STEPS, SOFT_STEPS, OpenMover
from amorphace.simulate.health import Health
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.measures import Plateau, plateau
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State, derive_seed

LONGEST = 1e12
"""Of a time; beyond it neither step counts nor lives suffice."""
Time = Annotated[float, Limits(least=0, most=LONGEST)]
Density = Annotated[float, Limits(least=1e-4, most=100)]
MEASURED_SHARE = 0.2
"""Of `hold_npt`: the time over which its pressure is measured. After a slow ramp the liquid is
about one relaxation time behind its temperature; at the paper's scale this is two of them."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How a liquid or a glass is made: particles, temperatures and durations.

    Durations are in the model's unit of time; one of zero leaves its stage out.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    n_particles: Annotated[int, Limits(least=1, most=1e8)]
    """Particles of a sample."""
    melt_temperature: Annotated[float, Limits(above=0, most=1e9)] | None = None
    """The model's own when left out."""
    melt_time: Time
    """At the melt temperature."""
    quench_time: Time
    """From the melt temperature to `temperature`, linearly in time."""
    quench_at: Literal["pressure", "volume"] | None = None
    """What the quench keeps; pressure for a model with one, when left out."""
    quench_density: Density | None = None
    """Number density to which the cell is scaled before the quench."""
    temperature: Annotated[float, Limits(least=0, most=1e9)]
    """At the end of the quench; 0 for a glass at rest."""
    hold_npt: Time = 0.0
    """Then, at constant pressure. The pressure is the model's own, or, for a model of fixed
    density, the one measured in a stage before it; such a model is then scaled back."""
    pressure_time: Annotated[float, Limits(above=0, most=LONGEST)] | None = None
    """Of that stage, at constant volume; a fifth of `hold_npt` when left out. The pressure is
    averaged over its second half."""
    hold_nvt: Time = 0.0
    """Then, at constant volume."""

    def __post_init__(self) -> None:
        check_fields(self)

    def stages(self, model: GlassModel) -> tuple[Stage, ...]:
        """The stages of molecular dynamics that follow the creation."""
        melt = model.melt_temperature if self.melt_temperature is None else self.melt_temperature
        free = model.pressure is not None
        squeezed = free if self.quench_at is None else self.quench_at == "pressure"
        if squeezed and not free:
            raise InputError(f"model {model.name} has no pressure to quench at; give it one")
        pressure, cold = model.pressure, self.temperature
        density = {
            "quench": self.quench_density,
            "hold-nvt": None if free else model.number_density,
        }
        measured = self.hold_npt > 0 and not free
        given = self.pressure_time
        watched = MEASURED_SHARE * self.hold_npt if given is None else given
        plan = (
            (self.melt_time, "melt", melt, melt, pressure),
            (self.quench_time, "quench", melt, cold, pressure if squeezed else None),
            (watched if measured else 0.0, "pressure", cold, cold, None),
            (self.hold_npt, "hold-npt", cold, cold, "pressure" if measured else pressure),
            (self.hold_nvt, "hold-nvt", cold, cold, None),
        )
        return tuple(
            Stage(
                name=name,
                ensemble="nvt" if p is None else "npt",
                duration=duration,
                start=start,
                stop=stop,
                pressure=None if isinstance(p, str) else p,
                pressure_of=p if isinstance(p, str) else None,
                density=density.get(name),
            )
            for duration, name, start, stop, p in plan
            if duration > 0
        )


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a preparation has come; all that is needed to go on.

    Attributes
    ----------
    stage, chunk : int
        The next stage and the next chunk of it.
    state : State
    records : tuple of Record
        One for every stage that has begun.
    """

    stage: int
    chunk: int
    state: State
    records: tuple[Record, ...]


def paper_thermal(model: GlassModel, *, n_particles: int = 30_000) -> Preparation:
    """The paper's way to the supercooled liquid: 100000 time units at constant pressure for a
    model with one, else 50000 at constant volume followed by two holds as long."""
    if model.pressure is not None:
        return Preparation(
            n_particles=n_particles,
            melt_time=2_000.0,
            quench_time=100_000.0,
            temperature=model.temperature,
        )
    return Preparation(
        n_particles=n_particles,
        melt_time=1_000.0,
        quench_time=50_000.0,
        temperature=model.temperature,
        hold_npt=50_000.0,
        hold_nvt=50_000.0,
    )


def paper_shear(model: GlassModel, *, n_particles: int = 30_000) -> Preparation:
    """The paper's way to the glass: the same melt, then 500 time units to T = 0.

    A model of fixed density is quenched at constant volume: NVE integration and a thermostat that
    takes the heat out, since NVE alone cannot cool. A melt at a pressure is quenched at that
    pressure: at constant volume the polymer ends under tension and opens a cavity.

    Measured with 1000 particles (the radius is that of the largest sphere without a centre):

    ==============================  =======  ========  ==============  ======
    quench                          density  pressure  energy at rest  radius
    ==============================  =======  ========  ==============  ======
    Kob-Andersen                    1.200    -1.3      -7.618          0.84
    polymer at p = 1                1.099    1.0       13.360          0.85
    polymer at the melt's volume    0.913    -2.5      13.658          2.86
    polymer, quench_density=1.04    1.040    -2.9      13.410          0.86
    ==============================  =======  ========  ==============  ======
    """
    return replace(
        paper_thermal(model, n_particles=n_particles),
        quench_time=500.0,
        temperature=0.0,
        hold_npt=0.0,
        hold_nvt=0.0,
    )


def prepare(
    model: GlassModel,
    preparation: Preparation,
    *,
    seed: int,
    progress: Progress | None = None,
    engine: OpenMover = LammpsEngine,
) -> Iterator[Progress]:
    """Create and run all stages, chunk by chunk; the last value holds the prepared state.

    Parameters
    ----------
    model : GlassModel
    preparation : Preparation
    seed : int
    progress : Progress, optional
        Where an earlier run was interrupted; the result is the same to the last bit.
    engine : callable
        Opens who does it (see `run_stage`).

    Yields
    ------
    Progress
        After the creation and after every chunk.

    Raises
    ------
    SimulationError
        If LAMMPS fails or the creation does.
    """
    stages = preparation.stages(model)
    if progress is None:
        start = create(model, preparation.n_particles, seed=seed, engine=engine)
        progress = Progress(0, 0, start, ())
        yield progress
    for index in range(progress.stage, len(stages)):
        stage = _at_measured_pressure(stages[index], stages, progress.records)
        for chunk in run_stage(
            model,
            progress.state,
            stage,
            seed=derive_seed(seed, ATTEMPTS + index),
            first_chunk=progress.chunk,
            engine=engine,
        ):
            done = progress.records[index:]
            record = Record.concatenate([*done, chunk.record])
            last = chunk.index + 1 == chunk.count
            progress = Progress(
                index + last,
                0 if last else chunk.index + 1,
                chunk.state,
                (*progress.records[:index], record),
            )
            yield progress


def preparation_steps(model: GlassModel, preparation: Preparation) -> int:
    """Time steps of the creation and of all stages: times particles, the cost."""
    stages = preparation.stages(model)
    return SOFT_STEPS + HARD_STEPS + sum(step_count(model, s.duration) for s in stages)


def preparation_health(
    model: GlassModel, preparation: Preparation, progress: Progress
) -> tuple[Health, ...]:
    """Health numbers of every finished stage; the longest bond is that of the last state.

    The stage in which a pressure is measured is not judged by it: there a liquid catches up with
    its temperature, and in a large one the least change stands out.
    """
    stages = preparation.stages(model)
    measuring = {s.pressure_of for s in stages}
    found = []
    for stage, record in zip(stages[: progress.stage], progress.records, strict=False):
        health = stage_health(model, stage, progress.state, record)
        found.append(replace(health, pressure=None) if stage.name in measuring else health)
    return tuple(found)


def held_pressure(
    model: GlassModel, preparation: Preparation, progress: Progress
) -> Plateau | None:
    """The pressure measured for the hold of a model of fixed density, with its standard error;
    None before it is measured, and where none is."""
    stages = preparation.stages(model)
    measuring = {s.pressure_of for s in stages}
    for stage, record in zip(stages[: progress.stage], progress.records, strict=False):
        if stage.name in measuring:
            return plateau(second_half(record.pressure))
    return None


def _at_measured_pressure(
    stage: Stage, stages: Sequence[Stage], records: Sequence[Record]
) -> Stage:
    """The stage with the pressure that an earlier one measured, where it keeps that."""
    if stage.pressure_of is None:
        return stage
    source = [s.name for s in stages].index(stage.pressure_of)
    measured = float(second_half(records[source].pressure).mean())
    return replace(stage, pressure=measured, pressure_of=None)
