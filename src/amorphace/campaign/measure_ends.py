"""measure: who moved, D2min and propensity of every particle, from end points in files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from amorphace.campaign.given import Given, Order, noted
from amorphace.campaign.measure import Mobility
from amorphace.core.errors import InputError
from amorphace.core.records import write_record
from amorphace.dataset.ensembles import End, Ensemble, check_ends, watched
from amorphace.dataset.files import ends_of
from amorphace.dataset.label_thermal import majority_species, particle_masses
from amorphace.observe.propensity import isoconfigurational
from amorphace.runs.job import Job
from amorphace.runs.unit import Kind, Outcome, Role


@dataclass(frozen=True, kw_only=True)
class MeasureEndsParameters:
    """Parameters of `MeasureEnds`; file: digest of its content, lengths in its unit."""

    file: str
    own: bool
    """Whether the start is a frame of the file."""
    species: tuple[str, ...]
    lag: int | None
    order: Order
    d2min_cutoff: float
    power: float
    normalize: bool
    unwrapped: bool
    masses: tuple[float, ...] | None
    majority: str | None


@dataclass(frozen=True)
class MeasureEndsResults:
    """Small results of `MeasureEnds`; correlation: of D2min with propensity."""

    ensemble: Ensemble
    correlation: float
    doubts: tuple[str, ...]


class MeasureEnds(Kind[MeasureEndsParameters, Mobility]):
    """D2min and propensity of a sample, averaged over the end points in a file."""

    name = "measure"
    parameters = MeasureEndsParameters
    results = MeasureEndsResults
    record = Mobility
    inputs: ClassVar = {"reference": Role()}

    def do(self, job: Job[MeasureEndsParameters]) -> Outcome:
        """See `isoconfigurational`."""
        p, start = job.parameters, job.input("reference").load(Given)
        weights = None if p.masses is None else dict(zip(p.species, p.masses, strict=True))
        ends: list[End] = []
        with noted() as doubts:
            frames = ends_of(
                job.store.linked_file(p.file), p.species, start,
                own=p.own, lag=p.lag, order=p.order,
            )  # fmt: skip
            try:
                seen = isoconfigurational(
                    start,
                    watched(start, frames, ends, unwrapped=p.unwrapped),
                    p.d2min_cutoff,
                    power=p.power,
                    normalize=p.normalize,
                    unwrapped=p.unwrapped,
                    masses=particle_masses(start, weights),
                )
            except InputError as error:
                raise InputError(f"sample {job.unit.name}: {error}") from error
        ensemble = Ensemble.of(job.unit.name, start, ends)
        doubts += check_ends(ensemble, start.cell)
        chosen = start.species == majority_species(start.species, p.majority)
        write_record(job.folder, Mobility(seen.d2min, seen.propensity))
        with np.errstate(invalid="ignore"):
            correlation = np.corrcoef(seen.d2min[chosen], seen.propensity[chosen])[0, 1]
        return Outcome(results=MeasureEndsResults(ensemble, float(correlation), tuple(doubts)))

    def sentence(self, outcome: Outcome) -> str:
        """End points and correlation."""
        r: MeasureEndsResults = outcome.results
        return (
            f"{len(r.ensemble.ends)} end points, D2min-propensity correlation {r.correlation:.3f}"
        )
