"""What the kinds of units share that move particles: who moves them, what becomes of errors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar

from amorphace.campaign.devices import TOGETHER
from amorphace.config.sections import Simulator
from amorphace.core.errors import SetupError, SimulationError
from amorphace.runs.job import Job
from amorphace.runs.meta import Meta
from amorphace.runs.unit import Dropped, Kind, Outcome, Unit
from amorphace.simulate.engine import OpenEngine, OpenMover
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.outside import open_lammps

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Engines:
    """How a unit opens engines: for stages of dynamics, and for minima and shear."""

    mover: OpenMover = LammpsEngine
    whole: OpenEngine = LammpsEngine


class Simulated(Kind[P, R]):
    """A kind of unit that moves particles: by LAMMPS one at a time, by the batch many."""

    at_once = TOGETHER
    programs: ClassVar = ("lammps", "warp-lang")

    @abstractmethod
    def simulate(self, job: Job[P], engines: Engines) -> Outcome:
        """Do a unit by these engines."""

    def do(self, job: Job[P]) -> Outcome:
        """Do a unit by itself."""
        settings = _settings(job)
        if settings.engine == "lammps":
            return self._judged(job, Engines(mover=open_lammps(settings.lammps)))
        ((_, outcome),) = self.do_many([job])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def do_many(self, jobs: Sequence[Job[P]]) -> Iterator[tuple[Job[P], Outcome | Exception]]:
        """Do units side by side where the settings say so, else one after the other."""
        settings = _settings(jobs[0])
        if settings.engine == "lammps":
            yield from super().do_many(jobs)
            return
        try:
            from amorphace.simulate.batch.crew import Crew
        except ImportError as error:
            raise SetupError(
                f'{error.name} is missing: install amorphace[gpu], or take engine = "lammps"'
            ) from None
        crew = Crew(settings.device, settings.precision)
        engines = Engines(crew, crew)
        for number, outcome in crew.run([partial(self._judged, job, engines) for job in jobs]):
            yield jobs[number], outcome

    def _judged(self, job: Job[P], engines: Engines) -> Outcome:
        """A simulation that goes wrong by its physics is a result that may not be used.

        A LAMMPS that is missing, a full disk or a damaged file is none.
        """
        try:
            return self.simulate(job, engines)
        except SetupError:
            raise
        except SimulationError as error:
            raise Dropped(str(error)) from error


def simulated_on_gpu(unit: Unit[Any, Any], made: Meta) -> bool:
    """Whether the time that a unit took is a GPU's."""
    by = made.settings or {}
    simulated = isinstance(unit.kind, Simulated)
    return simulated and by.get("engine") == "batch" and by.get("device") != "cpu"


def _settings(job: Job[Any]) -> Simulator:
    return job.settings if isinstance(job.settings, Simulator) else Simulator()
