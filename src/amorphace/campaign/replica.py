"""replica: a run of the isoconfigurational ensemble, and the inherent structure of its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from amorphace.campaign.glass import INHERENT_TOLERANCE
from amorphace.campaign.health import checked, health_entry, numbers_of
from amorphace.campaign.prepare import Prepare
from amorphace.campaign.simulated import Engines, Simulated
from amorphace.campaign.stretch import Stretch, run_stretch
from amorphace.core.records import write_record
from amorphace.runs.job import Job
from amorphace.runs.unit import Cores, Outcome, Role
from amorphace.simulate.dynamics import stage_health, step_count
from amorphace.simulate.health import Tolerances
from amorphace.simulate.inherent import inherent_structure
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import derive_seed
from amorphace.simulate.thermal import replica_stage, start_replica


@dataclass(frozen=True, kw_only=True)
class ReplicaParameters:
    """Parameters of `Replica`; without a lag it is that of the unit `lag`."""

    model: GlassModel
    lag: float | None
    quench: bool
    temperature: float
    seed: int
    sample: int
    replica: int
    force_tolerance: float = INHERENT_TOLERANCE


@dataclass(frozen=True)
class ReplicaResults:
    """Small results of `Replica`."""

    lag: float
    seed: int
    temperature: float


@dataclass(frozen=True, eq=False)
class Ends:
    """Positions at the end, unwrapped, of shape (n, 3), and those at rest if they were wanted."""

    end: NDArray[np.float64]
    inherent: NDArray[np.float64] | None


class Replica(Simulated[ReplicaParameters, Ends]):
    """A run with velocities of its own."""

    name = "replica"
    revision = 2
    parameters = ReplicaParameters
    results = ReplicaResults
    record = Ends
    inputs: ClassVar = {"start": Role(), "relax": Role(), "lag": Role()}
    """A liquid that still ages has no replicas: with `relax` they are dropped."""
    cores = Cores.COMMAND

    def simulate(self, job: Job[ReplicaParameters], engines: Engines) -> Outcome:
        """The stage of a replica, from its velocities to its inherent structure."""
        p, model = job.parameters, job.parameters.model.with_file(job.store.file)
        lag = p.lag or float(job.input("lag").results["lag"])
        start = job.input("start").load(Prepare).state.configuration
        seed = derive_seed(p.seed, "replica", p.sample, p.replica)
        stage, steps = replica_stage(lag), step_count(model, lag)
        found = job.resume(Stretch, lambda s: len(s.state.configuration) == len(start))
        state, record = run_stretch(
            model,
            found or Stretch(start_replica(model, start, p.temperature, seed=seed)),
            stage,
            seed=seed,
            engine=engines.mover,
            keep=lambda stretch: job.checkpoint(lambda: stretch),
            report=lambda share: job.report(share * steps, steps, f"replica {p.replica + 1}"),
        )
        health = [health_entry("replica", stage_health(model, stage, state, record))]
        end, inherent = state.configuration, None
        if p.quench:
            rest = inherent_structure(
                model, end, force_tolerance=p.force_tolerance, engine=engines.whole
            )
            inherent = rest.configuration.positions
            limits = Tolerances(fmax=p.force_tolerance)
            health.append(health_entry("its inherent structure", rest.health, limits))
        write_record(job.folder, Ends(end.positions, inherent))
        return checked(ReplicaResults(lag, seed, float(record.temperature.mean())), *health)

    def sentence(self, outcome: Outcome) -> str:
        """Lag and drift."""
        drift = numbers_of(outcome).get("energy_drift", 0)
        return f"lag {outcome.results.lag:.1f}, energy drift {drift:.1e}"
