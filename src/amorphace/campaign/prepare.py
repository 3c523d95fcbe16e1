"""prepare: a liquid or a glass; an unsound one is made again from another seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amorphace.campaign.health import health_entry, numbers_of
from amorphace.campaign.simulated import Engines, Simulated
from amorphace.campaign.stretch import ignore
from amorphace.core.configuration import Configuration
from amorphace.core.errors import SetupError, SimulationError
from amorphace.core.records import write_record
from amorphace.runs.job import Job
from amorphace.runs.unit import Cores, Dropped, Outcome
from amorphace.simulate.crystal import crystal_fraction
from amorphace.simulate.dynamics import Record, step_count
from amorphace.simulate.engine import OpenMover
from amorphace.simulate.health import Health, Tolerances
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.models import GlassModel
from amorphace.simulate.preparation import (
    Preparation,
    Progress,
    preparation_health,
    preparation_steps,
    prepare,
)
from amorphace.simulate.state import State, derive_seed


@dataclass(frozen=True, kw_only=True)
class PrepareParameters:
    """Parameters of `Prepare`."""

    model: GlassModel
    preparation: Preparation
    attempts: int
    crystal_limit: float
    seed: int
    sample: int


@dataclass(frozen=True)
class PrepareResults:
    """Small results of `Prepare`."""

    seed: int
    density: float
    stages: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A sample.

    Attributes
    ----------
    state : State
    records : tuple of Record
        Of every stage.
    """

    state: State
    records: tuple[Record, ...]


def configuration_of(sample: Prepared | Configuration) -> Configuration:
    """That of a sample, or of what has no velocities: an inherent structure, or one of a file."""
    return sample.state.configuration if isinstance(sample, Prepared) else sample


@dataclass(frozen=True, eq=False)
class Attempt:
    """How far the attempts at a sample have come: a checkpoint.

    Attributes
    ----------
    number : int
        From 0.
    messages : tuple of str
        What was wrong with those before.
    progress : Progress
    """

    number: int
    messages: tuple[str, ...]
    progress: Progress


@dataclass(frozen=True, eq=False)
class SoundSample:
    """A sample that passed all checks.

    Attributes
    ----------
    seed : int
    end : Progress
    health : tuple of mapping
        See `health_entry`.
    messages : tuple of str
        What was wrong with attempts before.
    """

    seed: int
    end: Progress
    health: tuple[Mapping[str, Any], ...]
    messages: tuple[str, ...]


def prepare_sound(
    model: GlassModel,
    way: Preparation,
    *,
    seeds: Sequence[int],
    crystal_limit: float,
    engine: OpenMover = LammpsEngine,
    found: Attempt | None = None,
    keep: Callable[[Attempt], object] = ignore,
    report: Callable[[float, float, str], object] = ignore,
) -> SoundSample:
    """Prepare a sample from the first of the seeds with which it comes out sound.

    Parameters
    ----------
    model : GlassModel
    way : Preparation
    seeds : sequence of int
    crystal_limit : float
        Share of crystal-like particles above which a sample is unsound.
    engine : callable
        Opens who moves the particles (`OpenMover`).
    found : Attempt, optional
        What `keep` was given by an earlier run.
    keep, report : callable
        Called after every chunk: where it stands; time steps done, in all, and in words.

    Raises
    ------
    Dropped
        If no seed gives a sound sample.
    """
    messages = () if found is None else found.messages
    for number in range(found.number if found else 0, len(seeds)):
        end = found.progress if found and found.number == number else None
        try:
            chunks = prepare(model, way, seed=seeds[number], progress=end, engine=engine)
            for end in chunks:
                keep(Attempt(number, messages, end))
                report(*_stand(model, way, end))
            assert end is not None
            health = _health(model, way, end, crystal_limit)
            wrong = "; ".join(f"{h['what']}: {text}" for h in health for text in h["problems"])
            if not wrong:
                return SoundSample(seeds[number], end, health, messages)
        except SetupError:
            raise
        except SimulationError as error:
            wrong = str(error)
        messages = (*messages, f"seed {seeds[number]}: {wrong}")
    raise Dropped("; ".join(messages))


def _stand(model: GlassModel, way: Preparation, progress: Progress) -> tuple[float, float, str]:
    """Time steps done and in all, and in words."""
    stages, records = way.stages(model), progress.records
    done = sum(step_count(model, r.time[-1]) for r in records)
    name = stages[min(progress.stage, len(stages) - 1)].name if stages else "creation"
    level = f", T = {records[-1].temperature[-1]:.3f}" if records else ""
    return done, preparation_steps(model, way), f"{name}{level}"


def _health(
    model: GlassModel, way: Preparation, end: Progress, crystal_limit: float
) -> tuple[dict[str, Any], ...]:
    found = preparation_health(model, way, end)
    stages = zip(way.stages(model), found, strict=True)
    whole = Health(crystal=crystal_fraction(end.state.configuration))
    return (
        *(health_entry(stage.name, h) for stage, h in stages),
        health_entry("end", whole, Tolerances(crystal=crystal_limit)),
    )


class Prepare(Simulated[PrepareParameters, Prepared]):
    """A sample of the liquid or of the glass."""

    name = "prepare"
    revision = 2
    parameters = PrepareParameters
    limits = ("attempts",)
    results = PrepareResults
    record = Prepared
    cores = Cores.COMMAND

    def simulate(self, job: Job[PrepareParameters], engines: Engines) -> Outcome:
        """See `prepare_sound`."""
        p = job.parameters
        model = p.model.with_file(job.store.file)
        n = p.preparation.n_particles
        sound = prepare_sound(
            model,
            p.preparation,
            seeds=[derive_seed(p.seed, "prepare", p.sample, k) for k in range(p.attempts)],
            crystal_limit=p.crystal_limit,
            engine=engines.mover,
            found=job.resume(Attempt, lambda a: len(a.progress.state.configuration) == n),
            keep=lambda attempt: job.checkpoint(lambda: attempt),
            report=job.report,
        )
        state = sound.end.state
        write_record(job.folder, Prepared(state, sound.end.records))
        return Outcome(
            results=PrepareResults(
                seed=sound.seed,
                density=state.configuration.number_density,
                stages=tuple(s.name for s in p.preparation.stages(model)),
            ),
            health=sound.health,
            attempts=sound.messages,
        )

    def sentence(self, outcome: Outcome) -> str:
        """Seed, density, temperature and pressure."""
        r: PrepareResults = outcome.results
        numbers = numbers_of(outcome)
        text = f"seed {r.seed}, density {r.density:.4f}"
        if "temperature" in numbers:
            text += f", T = {numbers['temperature']['mean']:.3f}"
        if "pressure" in numbers:
            text += f", p = {numbers['pressure']['mean']:.2f}"
        tried = len(outcome.attempts)
        return text + (f", after {tried} unsound attempts" if tried else "")
