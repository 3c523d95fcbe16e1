"""measure: who moved, D2min and propensity of every particle, from end points in files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from amorphace.campaign.given import Given, noted
from amorphace.core.records import write_record
from amorphace.dataset.ensembles import Ensemble, Mobility, masses_by_species, measure_sample
from amorphace.dataset.files import ends_of
from amorphace.dataset.label_thermal import majority_species
from amorphace.io.files import Order
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
        """See `measure_sample`."""
        p, start = job.parameters, job.input("reference").load(Given)
        with noted() as doubts:
            frames = ends_of(
                job.store.linked_file(p.file), p.species, start,
                own=p.own, lag=p.lag, order=p.order,
            )  # fmt: skip
            seen, ensemble = measure_sample(
                job.unit.name,
                start,
                frames,
                cutoff=p.d2min_cutoff,
                power=p.power,
                normalize=p.normalize,
                unwrapped=p.unwrapped,
                masses=masses_by_species(p.species, p.masses),
            )
        chosen = start.species == majority_species(start.species, p.majority)
        write_record(job.folder, seen)
        correlation = seen.correlation(chosen)
        return Outcome(results=MeasureEndsResults(ensemble, correlation, tuple(doubts)))

    def sentence(self, outcome: Outcome) -> str:
        """End points and correlation."""
        r: MeasureEndsResults = outcome.results
        return (
            f"{len(r.ensemble.ends)} end points, D2min-propensity correlation {r.correlation:.3f}"
        )
