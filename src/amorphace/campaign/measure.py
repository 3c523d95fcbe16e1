"""measure: who moved, D2min and propensity of every particle, from what a simulation kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from amorphace.campaign.given import Frames, Given, GivenSteps
from amorphace.campaign.inherent import InherentStructure
from amorphace.campaign.prepare import Prepare, configuration_of
from amorphace.campaign.replica import Replica
from amorphace.campaign.shear import Sheared, ShearRun
from amorphace.campaign.stretch import ignore
from amorphace.core.configuration import Configuration
from amorphace.core.records import write_record
from amorphace.dataset.ensembles import Mobility
from amorphace.observe.d2min import d2min
from amorphace.observe.propensity import isoconfigurational
from amorphace.runs.job import Input, Job
from amorphace.runs.unit import Dropped, Kind, Outcome, Role
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import masses

LEAST_REPLICAS = 2
"""Sound runs below which a sample has no isoconfigurational average."""


@dataclass(frozen=True, kw_only=True)
class MeasureThermalParameters:
    """Parameters of `MeasureThermal`."""

    model: GlassModel
    quench: bool
    d2min_cutoff: float


@dataclass(frozen=True)
class MeasureThermalResults:
    """Small results of `MeasureThermal`; correlation: of D2min with propensity."""

    n_replicas: int
    n_dropped: int
    correlation: float


def measure_isoconfigurational(
    model: GlassModel, start: Configuration, ends: Iterable[Configuration], cutoff: float
) -> Mobility:
    """D2min and propensity of every particle, averaged over end points.

    Parameters
    ----------
    model : GlassModel
        Its masses weigh the drift.
    start : Configuration
    ends : iterable of Configuration
        Unwrapped.
    cutoff : float
        Of D2min, in units of sigma.
    """
    seen = isoconfigurational(start, ends, cutoff, unwrapped=True, masses=masses(model, start))
    return Mobility(seen.d2min, seen.propensity)


def reference_of(found: Input) -> Configuration:
    """The configuration of a reference: a sample, its inherent structure, or one from a file."""
    return configuration_of(found.load(InherentStructure, Given, Prepare))


class MeasureThermal(Kind[MeasureThermalParameters, Mobility]):
    """D2min and propensity of a sample, averaged over its sound replicas."""

    name = "measure"
    parameters = MeasureThermalParameters
    results = MeasureThermalResults
    record = Mobility
    inputs: ClassVar = {"reference": Role(), "replicas": Role(some=True)}

    def do(self, job: Job[MeasureThermalParameters]) -> Outcome:
        """See `measure_isoconfigurational`."""
        p = job.parameters
        asked = job.inputs("replicas")
        replicas = [i for i in asked if not i.dropped]
        if len(replicas) < LEAST_REPLICAS:
            raise Dropped(f"only {len(replicas)} of {len(asked)} replicas are sound")
        start = reference_of(job.input("reference"))

        def ends() -> Iterator[Configuration]:
            for k, replica in enumerate(replicas):
                job.report(k, len(replicas), "D2min and propensity")
                found = replica.load(Replica)
                positions = found.inherent if p.quench else found.end
                assert positions is not None
                yield start.replace(positions=positions)

        seen = measure_isoconfigurational(p.model, start, ends(), p.d2min_cutoff)
        majority = start.species == p.model.species[0]
        correlation = seen.correlation(majority)
        write_record(job.folder, seen)
        return Outcome(
            results=MeasureThermalResults(len(replicas), len(asked) - len(replicas), correlation)
        )

    def sentence(self, outcome: Outcome) -> str:
        """Replicas and correlation."""
        r: MeasureThermalResults = outcome.results
        return f"{r.n_replicas} replicas, D2min-propensity correlation {r.correlation:.3f}"


@dataclass(frozen=True, kw_only=True)
class MeasureShearParameters:
    """Parameters of `MeasureShear`."""

    d2min_cutoff: float


@dataclass(frozen=True)
class MeasureShearResults:
    """Small results of `MeasureShear`: the largest D2min of all particles and steps."""

    largest: float


@dataclass(frozen=True, eq=False)
class StepD2min:
    """D2min of every particle in every data step, of shape (n_data_steps, n)."""

    d2min: NDArray[np.float32]


def sheared_of(found: Input) -> Sheared | Frames:
    """The strain steps of a shear run, or those of a file."""
    return found.load(ShearRun, GivenSteps)


def measure_steps(
    run: Sheared | Frames, cutoff: float, *, report: Callable[[float, float, str], Any] = ignore
) -> StepD2min:
    """D2min of every particle in every data step of a shear run.

    Parameters
    ----------
    run : Sheared or Frames
    cutoff : float
        In units of sigma.
    report : callable
        Called after every step: steps done, in all, and in words.
    """
    found = np.empty((len(run), len(run.start)), dtype=np.float32)
    for k, step in enumerate(run.data_steps()):
        found[k] = d2min(step.before, step.after, cutoff)
        report(k + 1, len(found), "D2min")
    return StepD2min(found)


class MeasureShear(Kind[MeasureShearParameters, StepD2min]):
    """D2min of the data steps of a shear run."""

    name = "measure"
    parameters = MeasureShearParameters
    results = MeasureShearResults
    record = StepD2min
    inputs: ClassVar = {"shear": Role()}

    def do(self, job: Job[MeasureShearParameters]) -> Outcome:
        """See `measure_steps`."""
        run = sheared_of(job.input("shear"))
        seen = measure_steps(run, job.parameters.d2min_cutoff, report=job.report)
        write_record(job.folder, seen)
        return Outcome(results=MeasureShearResults(float(seen.d2min.max())))

    def sentence(self, outcome: Outcome) -> str:
        """The largest D2min."""
        return f"largest D2min of a step {outcome.results.largest:.2f}"
