"""shear: athermal quasistatic shear, and the non-affine displacements of its data steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from amorphace.campaign.health import checked, health_entry
from amorphace.campaign.inherent import InherentStructure
from amorphace.campaign.simulated import Engines, Simulated
from amorphace.campaign.stretch import ignore
from amorphace.core.configuration import Configuration
from amorphace.core.records import write_record
from amorphace.dataset.sheared import DataStep
from amorphace.runs.job import Job
from amorphace.runs.unit import Outcome, Role
from amorphace.simulate.crystal import crystal_fraction
from amorphace.simulate.engine import OpenEngine
from amorphace.simulate.health import Health, Tolerances
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.models import GlassModel
from amorphace.simulate.shear import Shear, ShearState, shear_steps, start_shear, strained


@dataclass(frozen=True, kw_only=True)
class ShearParameters:
    """Parameters of `ShearRun`."""

    model: GlassModel
    shear: Shear
    crystal_limit: float


@dataclass(frozen=True)
class ShearResults:
    """Small results of `ShearRun`."""

    first_step: int
    n_data_steps: int
    most_attempts: int


ROWS = ("strain", "energy", "stress", "displacement", "fmax", "attempts")
"""Columns kept of every step; displacement: root mean square of the non-affine one."""


@dataclass(frozen=True, eq=False)
class Sheared:
    """What a shear run has given so far.

    A step moves every particle with the strain and then by its non-affine displacement, which is
    kept in single precision, measured from where the steps before put the particle: so the
    configurations of all data steps follow from the first one, and rounding does not add up.

    Attributes
    ----------
    increment : float
        Strain of a data step.
    first_step : int
        Steps before the data.
    steps : ndarray of shape (n_steps, len(ROWS))
        Of every step.
    start, end : Configuration
        Before the first data step and after the last one; the glass before these.
    moved : ndarray of float32 of shape (n_data_steps, n, 3)
        Non-affine displacements.
    """

    increment: float
    first_step: int
    steps: NDArray[np.float64]
    start: Configuration
    end: Configuration
    moved: NDArray[np.float32]

    def __len__(self) -> int:
        """Data steps."""
        return len(self.moved)

    def data_steps(self) -> Iterator[DataStep]:
        """The data steps in their order."""
        before = self.start
        for k, moved in enumerate(self.moved):
            affine = strained(before, self.increment)
            after = affine.replace(positions=affine.positions + moved)
            step = self.first_step + k + 1
            yield DataStep(step, float(self.steps[step - 1, 0]), before, after)
            before = after


@dataclass(frozen=True, eq=False)
class Shearing:
    """How far a shear run has come: a checkpoint."""

    state: ShearState
    run: Sheared
    """What it has given so far."""


def shear_glass(
    model: GlassModel,
    glass: Configuration,
    protocol: Shear,
    *,
    engine: OpenEngine = LammpsEngine,
    found: Shearing | None = None,
    keep: Callable[[Callable[[], Shearing]], object] = ignore,
    report: Callable[[float, float, str], object] = ignore,
) -> Sheared:
    """Shear a glass to the end of the protocol.

    Parameters
    ----------
    model : GlassModel
    glass : Configuration
        An inherent structure.
    protocol : Shear
    engine : callable
        Opens who strains and minimises (`OpenEngine`).
    found : Shearing, optional
        What a call of the function that `keep` was given returned in an earlier run.
    keep, report : callable
        Called after every step: what makes the checkpoint; steps done, in all, and in words.

    Raises
    ------
    SimulationError
        If a minimisation does not converge.
    """
    rows = list(found.run.steps) if found else []
    moved = list(found.run.moved) if found else []
    start, end = (found.run.start, found.run.end) if found else (glass, glass)

    def so_far() -> Sheared:
        return Sheared(
            increment=protocol.increment,
            first_step=protocol.first_step,
            steps=np.array(rows),
            start=start,
            end=end,
            moved=np.array(moved, dtype=np.float32).reshape(-1, len(glass), 3),
        )

    begin = found.state if found else start_shear(glass)
    for step in shear_steps(model, begin, protocol, engine=engine):
        if step.step > protocol.first_step:
            if not moved:
                start = end = step.before
            affine = strained(end, protocol.increment)
            moved.append((step.after.positions - affine.positions).astype(np.float32))
            end = affine.replace(positions=affine.positions + moved[-1])
        away = float(np.sqrt((step.displacement**2).sum(axis=1).mean()))
        fmax = float(step.health.fmax or 0.0)
        row = (step.strain, step.energy, step.stress, away, fmax, step.attempts)
        rows.append(np.array(row, dtype=float))
        state = step.state
        keep(lambda state=state: Shearing(state, so_far()))
        report(step.step, protocol.last_step, f"strain {step.strain:.4f}, stress {step.stress:.3f}")
    return so_far()


class ShearRun(Simulated[ShearParameters, Sheared]):
    """Quasistatic shear of a sample."""

    name = "shear"
    parameters = ShearParameters
    limits = ("shear.retries",)
    results = ShearResults
    record = Sheared
    inputs: ClassVar = {"start": Role()}

    def simulate(self, job: Job[ShearParameters], engines: Engines) -> Outcome:
        """See `shear_glass`."""
        p = job.parameters
        glass = job.input("start").load(InherentStructure)
        run = shear_glass(
            p.model.with_file(job.store.file),
            glass,
            p.shear,
            engine=engines.whole,
            found=job.resume(Shearing, lambda s: len(s.run.end) == len(glass)),
            keep=job.checkpoint,
            report=job.report,
        )
        fmax, attempts = (run.steps[:, ROWS.index(name)].max() for name in ("fmax", "attempts"))
        health = health_entry(
            "shear",
            Health(fmax=float(fmax), crystal=crystal_fraction(run.end)),
            Tolerances(fmax=p.shear.force_tolerance, crystal=p.crystal_limit),
        )
        write_record(job.folder, run)
        return checked(ShearResults(run.first_step, len(run.moved), int(attempts)), health)

    def sentence(self, outcome: Outcome) -> str:
        """Steps and attempts."""
        r: ShearResults = outcome.results
        return f"{r.n_data_steps} data steps, at most {r.most_attempts} attempts at a step"
