"""The plan of an experiment: its units, each after those that it reads."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amorphace.campaign.sizes import basis_of, describing_seconds
from amorphace.campaign.store import Store
from amorphace.campaign.units import Graph, Unit
from amorphace.config import Experiment
from amorphace.dataset.provenance import sha256
from amorphace.simulate.dynamics import step_count
from amorphace.simulate.models import EmbeddedAtom, GlassModel
from amorphace.simulate.preparation import preparation_steps

RATES = {"kob-andersen": 1.5e6, "wahnstrom": 1.3e6, "bead-spring": 3.0e6}
"""Atom-steps a second on one core, for estimates; other models count as Kob-Andersen's."""
STRAIN_STEP = {"kob-andersen": 6e-5, "wahnstrom": 1.2e-4, "bead-spring": 1.3e-4}
"""Seconds of a quasistatic step, for each particle."""
MINIMISATION = 1e-3
"""Seconds of a minimisation from a liquid, for each particle."""
OBSERVATION = 2e-5
"""Seconds of D2min of one configuration, for each particle."""
FITS = 60.0
"""Seconds of the analysis."""
TAUS = 5.0
"""Relaxation times that the longest stage of a preparation is taken to last, for estimates."""
INHERENT_TOLERANCE = 1e-6
"""Force tolerance of inherent structures of liquids."""


@dataclass(frozen=True)
class Plan(Graph):
    """The units of an experiment.

    Attributes
    ----------
    experiment : Experiment
    units : tuple of Unit
        Every unit after those that it reads.
    """

    experiment: Experiment
    units: tuple[Unit, ...]

    @property
    def cores_per_unit(self) -> int:
        """Cores of the units that the LAMMPS command runs."""
        return self.experiment.run.cores_per_unit

    @property
    def files(self) -> tuple[str, ...]:
        """The file of the potential, if it is in one."""
        potential = self.experiment.glass().potential
        return (potential.file,) if isinstance(potential, EmbeddedAtom) else ()


def store_path(file: str | Path, experiment: Experiment) -> Path:
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


def make_plan(experiment: Experiment) -> Plan:
    """All units of an experiment.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    Plan
        Nothing in it depends on where or how it runs.
    """
    chain = _thermal if experiment.protocol == "thermal" else _shear
    units = chain(experiment)
    return Plan(experiment, tuple({u.id: u for u in units}.values()))


def _prepared(experiment: Experiment) -> list[Unit]:
    """A prepared sample each."""
    model, way, given = experiment.glass(), experiment.how_prepared(), experiment.preparation
    steps = preparation_steps(model, way) * given.n_particles
    return [
        Unit(
            kind="prepare",
            name=name,
            parameters={
                "model": _numbers(model),
                "preparation": asdict(way),
                "attempts": given.attempts,
                "crystal_limit": given.crystal_limit,
                "seed": experiment.experiment.seed,
                "sample": k,
            },
            cost=steps / _rate(model),
        )
        for k, name in enumerate(sample_names(given.n_samples))
    ]


def _inherent(experiment: Experiment, starts: list[Unit], tolerance: float) -> list[Unit]:
    """The inherent structure of each sample."""
    given = experiment.preparation
    return [
        Unit(
            kind="inherent",
            name=start.name,
            parameters={
                "model": start.parameters["model"],
                "force_tolerance": tolerance,
                "crystal_limit": given.crystal_limit,
            },
            inputs={"start": (start.id,)},
            cost=MINIMISATION * given.n_particles,
        )
        for start in starts
    ]


def _thermal(experiment: Experiment) -> list[Unit]:
    """prepare, inherent, relax, lag, replica, measure, label, describe, learn."""
    model, given, thermal = experiment.glass(), experiment.preparation, experiment.thermal
    assert thermal is not None
    numbers, n = _numbers(model), given.n_particles
    lag = None if thermal.lag == "tau_alpha" else float(thermal.lag)
    guess = lag or max(given.quench_time, given.hold_nvt, given.hold_npt) / TAUS
    starts = _prepared(experiment)
    rest = _inherent(experiment, starts, INHERENT_TOLERANCE)
    relax = [
        Unit(
            kind="relax",
            name=start.name,
            parameters={
                "model": numbers,
                "lag": lag,
                "longest_lag": thermal.longest_lag,
                "wavenumber": thermal.wavenumber,
            },
            inputs={"start": (start.id,)},
            cost=2 * step_count(model, guess) * n / _rate(model),
        )
        for start in starts
    ]
    wait = Unit(
        kind="lag",
        name="all samples",
        parameters={"model": numbers},
        inputs={"relax": tuple(r.id for r in relax)},
    )
    shared = [] if lag else [wait]
    waits = {} if lag else {"lag": (wait.id,)}
    own = {"seed": experiment.experiment.seed, "temperature": given.temperature}
    replicas = [
        [
            Unit(
                kind="replica",
                name=f"{start.name}, replica {r + 1}",
                parameters={
                    "model": numbers,
                    "lag": lag,
                    "quench": thermal.quench_ends,
                    "force_tolerance": INHERENT_TOLERANCE,
                    "sample": k,
                    "replica": r,
                    **own,
                },
                inputs={
                    "start": (start.id,),
                    "relax": (relax[k].id,),
                    **waits,
                },
                cost=step_count(model, guess) * n / _rate(model)
                + (MINIMISATION * n if thermal.quench_ends else 0),
            )
            for r in range(thermal.replicas)
        ]
        for k, start in enumerate(starts)
    ]
    reference = rest if thermal.quench_ends else starts
    seen = [
        Unit(
            kind="measure",
            name=start.name,
            parameters={
                "model": numbers,
                "quench": thermal.quench_ends,
                "d2min_cutoff": experiment.label.d2min_cutoff,
            },
            inputs={"reference": (ref.id,), "replicas": tuple(r.id for r in runs)},
            cost=OBSERVATION * n * thermal.replicas,
        )
        for start, ref, runs in zip(starts, reference, replicas, strict=True)
    ]
    described = rest if experiment.describe.positions == "inherent" else starts
    units = [*starts, *rest, *relax, *shared, *(r for runs in replicas for r in runs), *seen]
    inputs = {
        "reference": tuple(u.id for u in described),
        "measure": tuple(u.id for u in seen),
    }
    label = Unit(
        kind="label",
        name="all samples",
        parameters={
            "protocol": "thermal",
            "model": numbers,
            "samples": list(sample_names(len(starts))),
            "fraction": experiment.label.fraction,
        },
        inputs=inputs,
    )
    return [*units, label, *_described(experiment, label, "reference")]


def _shear(experiment: Experiment) -> list[Unit]:
    """prepare, inherent, shear, label, describe, learn."""
    model, given, sheared = experiment.glass(), experiment.preparation, experiment.shear
    assert sheared is not None
    protocol = experiment.how_sheared()
    numbers = _numbers(model)
    starts = _prepared(experiment)
    rest = _inherent(experiment, starts, sheared.force_tolerance)
    second = STRAIN_STEP.get(model.name, STRAIN_STEP["wahnstrom"])
    runs = [
        Unit(
            kind="shear",
            name=start.name,
            parameters={
                "model": numbers,
                "shear": asdict(protocol),
                "d2min_cutoff": experiment.label.d2min_cutoff,
                "threshold": sheared.threshold,
                "crystal_limit": given.crystal_limit,
            },
            inputs={"start": (start.id,)},
            cost=protocol.last_step * given.n_particles * second,
        )
        for start in rest
    ]
    inputs = {"shear": tuple(u.id for u in runs)}
    label = Unit(
        kind="label",
        name="all samples",
        parameters={
            "protocol": "shear",
            "model": numbers,
            "samples": list(sample_names(len(starts))),
            "threshold": sheared.threshold,
            "largest_event": sheared.largest_event,
            "events": sheared.events,
        }
        | ({} if sheared.interval is None else {"interval": sheared.interval}),
        inputs=inputs,
    )
    return [*starts, *rest, *runs, label, *_described(experiment, label, "shear")]


def _described(experiment: Experiment, label: Unit, role: str) -> list[Unit]:
    """describe and learn; the sites are in configurations of the inputs `role`."""
    table = Unit(
        kind="describe",
        name="all samples",
        parameters=dict(label.parameters) | {"basis": basis_of(experiment)},
        inputs={"label": (label.id,), role: label.inputs[role]},
        cost=describing_seconds(experiment),
    )
    analysis = Unit(
        kind="learn",
        name="all samples",
        parameters={
            "model": label.parameters["model"],
            "protocol": experiment.protocol,
            "seed": experiment.experiment.seed,
            **experiment.learn.model_dump(mode="json"),
        },
        inputs={"table": (table.id,)},
        cost=FITS,
    )
    return [table, analysis]


def _numbers(model: GlassModel) -> dict[str, Any]:
    """All numbers of a model, as the table [model] of an experiment file gives them.

    Of a potential in a file the digest of its content stands in the place of its name.
    """
    numbers = _without_none(asdict(model))
    if isinstance(model.potential, EmbeddedAtom):
        numbers["potential"]["sha256"] = sha256(numbers["potential"].pop("file"))
    return numbers


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, tuple | list):
        return [_without_none(v) for v in value]
    return value


def _rate(model: GlassModel) -> float:
    return RATES.get(model.name, RATES["kob-andersen"])
