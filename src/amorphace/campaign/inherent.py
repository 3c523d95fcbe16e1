"""inherent: the inherent structure of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from amorphace.campaign.health import checked, health_entry
from amorphace.campaign.prepare import Prepare
from amorphace.campaign.simulated import Engines, Simulated
from amorphace.core.configuration import Configuration
from amorphace.core.records import write_record
from amorphace.runs.job import Job
from amorphace.runs.unit import Outcome, Role
from amorphace.simulate.crystal import crystal_fraction
from amorphace.simulate.health import Health, Tolerances
from amorphace.simulate.inherent import inherent_structure
from amorphace.simulate.models import GlassModel


@dataclass(frozen=True, kw_only=True)
class InherentParameters:
    """Parameters of `InherentStructure`."""

    model: GlassModel
    force_tolerance: float
    crystal_limit: float


@dataclass(frozen=True)
class InherentResults:
    """Small results of `InherentStructure`: energy per particle, largest force left."""

    energy: float
    fmax: float


class InherentStructure(Simulated[InherentParameters, Configuration]):
    """The inherent structure of a sample."""

    name = "inherent"
    parameters = InherentParameters
    results = InherentResults
    record = Configuration
    inputs: ClassVar = {"start": Role()}

    def simulate(self, job: Job[InherentParameters], engines: Engines) -> Outcome:
        """See `inherent_structure`."""
        p = job.parameters
        start = job.input("start").load(Prepare).state.configuration
        found = inherent_structure(
            p.model.with_file(job.store.file),
            start,
            force_tolerance=p.force_tolerance,
            engine=engines.whole,
        )
        crystal = crystal_fraction(found.configuration)
        health = health_entry(
            "inherent structure",
            Health(fmax=found.fmax, longest_bond=found.health.longest_bond, crystal=crystal),
            Tolerances(fmax=p.force_tolerance, crystal=p.crystal_limit),
        )
        write_record(job.folder, found.configuration)
        return checked(InherentResults(found.energy, found.fmax), health)

    def sentence(self, outcome: Outcome) -> str:
        """Energy and largest force."""
        r: InherentResults = outcome.results
        return f"energy {r.energy:.4f}, largest force {r.fmax:.1e}"
