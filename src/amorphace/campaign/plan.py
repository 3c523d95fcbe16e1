"""The plan of an experiment: its units, each after those that it reads."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from amorphace.ace.features import Features
from amorphace.campaign import estimates
from amorphace.campaign.glass import INHERENT_TOLERANCE
from amorphace.campaign.inherent import InherentParameters, InherentStructure
from amorphace.campaign.last_units import ALL, Units, ids, last_units
from amorphace.campaign.measure import (
    MeasureShear,
    MeasureShearParameters,
    MeasureThermal,
    MeasureThermalParameters,
)
from amorphace.campaign.own_plan import own_units
from amorphace.campaign.prepare import Prepare, PrepareParameters
from amorphace.campaign.relax import Lag, LagParameters, Relax, RelaxParameters
from amorphace.campaign.replica import Replica, ReplicaParameters
from amorphace.campaign.shear import ShearParameters, ShearRun
from amorphace.campaign.simulated import Simulated
from amorphace.config import Experiment, OwnExperiment
from amorphace.config.experiment import part
from amorphace.config.sections import AnyExperiment, EventRule
from amorphace.core.digest import sha256
from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Kind, Unit, unique
from amorphace.simulate.models import EmbeddedAtom

P = TypeVar("P")


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan(Graph):
    """The units of an experiment; nothing in it depends on where or how it runs.

    Attributes
    ----------
    experiment : AnyExperiment
    """

    experiment: AnyExperiment

    def one(self, *kinds: type[Kind[Any, Any]]) -> Unit[Any, Any]:
        """The one unit of any of these kinds."""
        (unit,) = (u for kind in kinds for u in self.of_kind(kind))
        return unit

    def side_by_side(self, unit: Unit[Any, Any]) -> bool:
        """Whether a unit shares a device with others of its kind."""
        return self.experiment.run.engine == "batch" and isinstance(unit.kind, Simulated)

    def on_gpu(self, unit: Unit[Any, Any]) -> bool:
        """Whether the hours of a unit are those of a GPU, and of no core."""
        return self.side_by_side(unit) and self.experiment.run.device != "cpu"

    def cores_of(self, unit: Unit[Any, Any], cores: int) -> int:
        """Units that share a device take half of the processors: what is ready gathers."""
        if self.side_by_side(unit):
            return max(1, cores // 2)
        return super().cores_of(unit, cores)


def store_path(file: str | Path, experiment: AnyExperiment) -> Path:
    """The store of an experiment file: beside it, NAME.store when not given."""
    place = Path(file)
    return place.parent / (experiment.run.store or f"{place.stem}.store")


def experiment_key(file: str | Path, store: Store) -> str:
    """Name of an experiment file in its store: files of one name in two folders stay apart."""
    place = Path(file)
    way = os.path.relpath(place.resolve(), store.path.resolve())
    return f"{place.stem}-{hashlib.sha256(way.encode()).hexdigest()[:8]}"


def sample_names(n: int) -> tuple[str, ...]:
    """Names of the samples.

    Examples
    --------
    >>> sample_names(2)
    ('sample_01', 'sample_02')
    """
    width = max(2, len(str(n)))
    return tuple(f"sample_{k:0{width}d}" for k in range(1, n + 1))


def make_plan(experiment: Experiment | OwnExperiment) -> Plan:
    """All units of an experiment."""
    if isinstance(experiment, OwnExperiment):
        units, links = own_units(experiment)
        return Plan(units=unique(units), links=links, experiment=experiment)
    potential = experiment.glass().potential
    units = (_thermal if experiment.protocol == "thermal" else _shear)(experiment)
    return Plan(
        units=unique(units),
        cores_per_unit=experiment.run.cores_per_unit,
        at_once=1 if experiment.run.engine == "lammps" else None,
        files=(potential.file,) if isinstance(potential, EmbeddedAtom) else (),
        experiment=experiment,
    )


def _prepared(experiment: Experiment) -> Units:
    """A prepared sample each."""
    given, cost = experiment.preparation, estimates.preparing(experiment)
    return [
        Unit(
            kind=Prepare(),
            name=name,
            parameters=PrepareParameters(
                model=experiment.glass().with_file(sha256),
                preparation=experiment.how_prepared(),
                attempts=given.attempts,
                crystal_limit=given.crystal_limit,
                seed=experiment.experiment.seed,
                sample=k,
            ),
            cost=cost,
            disk=estimates.configurations(given.n_particles, 2),
        )
        for k, name in enumerate(sample_names(given.n_samples))
    ]


def _of_each(
    kind: Kind[P, Any], parameters: P, read: Units, *, role: str = "start", cost: float, disk: int
) -> Units:
    """A unit for each of those that are read, all with the same parameters."""
    return [
        Unit(
            kind=kind,
            name=unit.name,
            parameters=parameters,
            inputs={role: (unit.id,)},
            cost=cost,
            disk=disk,
        )
        for unit in read
    ]


def _inherent(experiment: Experiment, starts: Units, tolerance: float) -> Units:
    """The inherent structure of each sample."""
    given = experiment.preparation
    parameters = InherentParameters(
        model=starts[0].parameters.model,
        force_tolerance=tolerance,
        crystal_limit=given.crystal_limit,
    )
    cost = estimates.minimising(experiment, given.n_samples)
    disk = estimates.configurations(given.n_particles)
    return _of_each(InherentStructure(), parameters, starts, cost=cost, disk=disk)


def _thermal(experiment: Experiment) -> Units:
    """prepare, inherent, relax, lag, replica, measure, label, describe, learn."""
    given, thermal = experiment.preparation, experiment.thermal
    assert thermal is not None
    model, n = experiment.glass().with_file(sha256), given.n_particles
    lag = None if thermal.lag == "tau_alpha" else float(thermal.lag)
    running = estimates.running(experiment)
    falling = estimates.minimising(experiment, given.n_samples * thermal.replicas)
    starts = _prepared(experiment)
    rest = _inherent(experiment, starts, INHERENT_TOLERANCE)
    relaxation = RelaxParameters(
        model=model,
        lag=lag,
        longest_lag=lag or thermal.longest_lag,
        wavenumber=thermal.wavenumber,
    )
    relax = _of_each(Relax(), relaxation, starts, cost=2 * running, disk=estimates.SMALL)
    lags = [
        Unit(
            kind=Lag(),
            name=ALL,
            parameters=LagParameters(model=model),
            inputs={"relax": ids(relax)},
            disk=estimates.SMALL,
        )
    ][: lag is None]
    replicas = [
        [
            Unit(
                kind=Replica(),
                name=f"{start.name}, replica {r + 1}",
                parameters=ReplicaParameters(
                    model=model,
                    lag=lag,
                    quench=thermal.quench_ends,
                    temperature=given.temperature,
                    seed=experiment.experiment.seed,
                    sample=k,
                    replica=r,
                ),
                inputs={"start": (start.id,), "relax": (relax[k].id,)}
                | ({"lag": ids(lags)} if lags else {}),
                cost=running + falling * thermal.quench_ends,
                disk=estimates.SMALL + estimates.VECTOR * n * (1 + thermal.quench_ends),
            )
            for r in range(thermal.replicas)
        ]
        for k, start in enumerate(starts)
    ]
    seen = [
        Unit(
            kind=MeasureThermal(),
            name=start.name,
            parameters=MeasureThermalParameters(
                model=model,
                quench=thermal.quench_ends,
                d2min_cutoff=experiment.label.d2min_cutoff,
            ),
            inputs={"reference": (reference.id,), "replicas": ids(runs)},
            cost=estimates.OBSERVATION * n * thermal.replicas,
            disk=estimates.SMALL + 16 * n,
        )
        for start, reference, runs in zip(
            starts, rest if thermal.quench_ends else starts, replicas, strict=True
        )
    ]
    last = last_units(
        experiment,
        model,
        rest if experiment.describe.positions == "inherent" else starts,
        seen,
        features=part(experiment.describe, Features),
        sites=estimates.table_sites(experiment),
    )
    return [*starts, *rest, *relax, *lags, *(u for runs in replicas for u in runs), *seen, *last]


def _shear(experiment: Experiment) -> Units:
    """prepare, inherent, shear, measure, label, describe, learn."""
    given, sheared, protocol = experiment.preparation, experiment.shear, experiment.how_sheared()
    assert sheared is not None
    model, n = experiment.glass().with_file(sha256), given.n_particles
    data = protocol.last_step - protocol.first_step
    starts = _prepared(experiment)
    rest = _inherent(experiment, starts, protocol.force_tolerance)
    runs = _of_each(
        ShearRun(),
        ShearParameters(model=model, shear=protocol, crystal_limit=given.crystal_limit),
        rest,
        cost=estimates.shearing(experiment),
        disk=estimates.configurations(n, 2) + 12 * n * data,
    )
    seen = _of_each(
        MeasureShear(),
        MeasureShearParameters(d2min_cutoff=experiment.label.d2min_cutoff),
        runs,
        role="shear",
        cost=estimates.OBSERVATION * n * data,
        disk=estimates.SMALL + 4 * n * data,
    )
    last = last_units(
        experiment,
        model,
        runs,
        seen,
        rule=part(sheared, EventRule),
        features=part(experiment.describe, Features),
        sites=estimates.table_sites(experiment),
    )
    return [*starts, *rest, *runs, *seen, *last]
