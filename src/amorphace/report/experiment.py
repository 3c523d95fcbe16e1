"""A report's content from the plan and the store of an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from amorphace.campaign.plan import Plan, sample_names
from amorphace.campaign.results import dropped_samples, health_summary
from amorphace.campaign.store import Store
from amorphace.campaign.units import Unit
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.store import read_table
from amorphace.dataset.table import ACTIVE, Table
from amorphace.learn.bundle import read_analysis
from amorphace.learn.model import LinearModel
from amorphace.report.assemble import assemble, make_snapshot
from amorphace.report.content import (
    HealthLine,
    Relaxation,
    ReportContent,
    Snapshot,
    StressStrain,
)

SCORE = "The score is that of the model fitted to the labelled particles of all samples."


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
    (learned,) = plan.of_kind("learn")
    meta = store.meta(learned.id)
    if meta["outcome"] == "dropped":
        raise InputError(f"the experiment has no result to show: {meta['dropped']}")
    experiment = plan.experiment
    model = experiment.glass()
    analysis = read_analysis(store.folder(learned.id) / "analysis")
    dropped = dropped_samples(plan, store)
    snapshot = _snapshot(plan, store, analysis.model)
    return assemble(
        experiment.experiment.name,
        analysis,
        snapshots=() if snapshot is None else (snapshot,),
        model=model.name,
        protocol=experiment.protocol,
        summary=tuple(_summary(plan, store)),
        provenance=_provenance(plan, meta, command),
        warnings=tuple(f"Not used: {line}." for line in dropped),
        health=_health(plan, store),
        relaxation=tuple(_relaxation(plan, store)),
        stress_strain=tuple(_stress_strain(plan, store)),
        correlations=_correlations(plan, store),
    )


def _correlations(plan: Plan, store: Store) -> tuple[float, ...]:
    """Of D2min with propensity, one a sample; () for shear."""
    if plan.experiment.protocol == "shear":
        return ()
    (label,) = plan.of_kind("label")
    return tuple(s["correlation"] for s in store.meta(label.id)["results"]["samples"])


def _summary(plan: Plan, store: Store) -> Iterator[str]:
    """What was run, in sentences."""
    experiment, model = plan.experiment, plan.experiment.glass()
    given = experiment.preparation
    yield (
        f"{given.n_samples} samples of {given.n_particles} particles of the model {model.name} "
        f"({model.citation})."
    )
    if experiment.thermal is not None:
        correlations = _correlations(plan, store)
        lag = experiment.thermal.lag
        if lag == "tau_alpha":
            (unit,) = plan.of_kind("lag")
            lag = f"{store.meta(unit.id)['results']['lag']:.1f} (tau_alpha, measured)"
        yield (
            f"At T = {given.temperature:g}, {experiment.thermal.replicas} runs from each "
            f"configuration over a time of {lag}."
        )
        yield (
            "Isoconfigurational D2min and propensity correlate at "
            f"{np.mean(correlations):.3f} on average over {len(correlations)} samples "
            f"({min(correlations):.3f} to {max(correlations):.3f})."
        )
        return
    assert experiment.shear is not None
    (label,) = plan.of_kind("label")
    found = store.meta(label.id)["results"]["samples"]
    yield (
        f"Quenched to rest and sheared in steps of {experiment.shear.increment:g}: data over "
        f"{experiment.shear.strain:g} after {experiment.shear.pre_strain:g}."
    )
    yield (
        f"{sum(s['n_events'] for s in found)} localised events; "
        f"{sum(s['n_avalanches'] for s in found)} collective ones are left out."
    )


def _provenance(plan: Plan, meta: dict[str, Any], command: str) -> dict[str, Any]:
    versions = {k: v for k, v in meta["versions"].items() if k != "seconds"}
    if "command" in versions:  # of LAMMPS; the user's own is another
        versions["engine"] = versions.pop("command")
    return {
        "command": command,
        "seed": plan.experiment.experiment.seed,
        **versions,
        "experiment": plan.experiment.model_dump(mode="json", exclude_none=True, exclude={"run"}),
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


def _sound(store: Store, units: tuple[Unit, ...]) -> list[tuple[str, Unit]]:
    """Names of samples with their units, without the dropped ones."""
    names = sample_names(len(units))
    return [
        (name, unit)
        for name, unit in zip(names, units, strict=True)
        if store.meta(unit.id)["outcome"] == "whole"
    ]


def _relaxation(plan: Plan, store: Store) -> Iterator[Relaxation]:
    for name, unit in _sound(store, plan.of_kind("relax")):
        times = np.array(store.array(unit.id, "times"))
        early, late = (np.array(store.array(unit.id, f"fs_{w}")) for w in ("early", "late"))
        yield Relaxation(
            name=name,
            time=times,
            fs=(early + late) / 2,
            wavenumber=unit.parameters["wavenumber"],
            tau=store.meta(unit.id)["results"]["tau"],
        )


def _stress_strain(plan: Plan, store: Store) -> Iterator[StressStrain]:
    for name, unit in _sound(store, plan.of_kind("shear")):
        strain, energy, stress = np.array(store.array(unit.id, "steps")).T[:3]
        steps = np.array(store.array(unit.id, "event_step"))
        yield StressStrain(
            name=name, strain=strain, stress=stress, energy=energy, events=strain[steps - 1]
        )


def _snapshot(plan: Plan, store: Store, model: LinearModel | None) -> Snapshot | None:
    """A configuration to look at: the first sample, or the largest localised event."""
    (label,) = plan.of_kind("label")
    labels = read_table(store.folder(label.id) / "labels.zarr")
    if plan.experiment.protocol == "thermal":
        seen = _sound(store, plan.of_kind("measure"))
        name, measured = seen[0]
        reference = store.meta(measured.id)["inputs"]["reference"][0]
        start = _configuration(store, reference)
        return make_snapshot(
            name,
            start,
            labels=labels,
            sample=labels.sample_names.index(name),
            model=model,
            protocol="thermal",
            caption="The configuration that the runs start from"
            + (", at its inherent structure" if measured.parameters["quench"] else "")
            + f"; D2min and propensity are isoconfigurational averages. {SCORE}",
        )
    k = _largest_event(labels)
    name = labels.sample_names[int(labels.sample[k])]
    step = int(labels.step[k])
    sheared = dict(_sound(store, plan.of_kind("shear")))[name].id
    event = int(np.flatnonzero(store.array(sheared, "event_step") == step)[0])
    before = Configuration(
        positions=store.array(sheared, "event_positions")[event],
        species=store.array(sheared, "species"),
        cell=store.array(sheared, "event_cell")[event],
        step=step,
    )
    rows = labels.take((labels.sample == labels.sample[k]) & (labels.step == step))
    shown = make_snapshot(
        f"{name}, step {step}",
        before,
        labels=replace(rows, targets={}),
        sample=int(labels.sample[k]),
        model=model,
        protocol="shear",
        caption="The configuration before a localised event; D2min of the step that it happens in. "
        + SCORE,
    )
    d2min = np.array(store.array(sheared, "event_d2min")[event])
    return replace(shown, columns={"d2min": d2min, **shown.columns})


def _largest_event(labels: Table) -> int:
    """A row of the event with the most active sites."""
    keys = np.stack([labels.sample, labels.step], axis=1)[labels.label == ACTIVE]
    events, counts = np.unique(keys, axis=0, return_counts=True)
    sample, step = events[np.argmax(counts)]
    return int(np.flatnonzero((labels.sample == sample) & (labels.step == step))[0])


def _configuration(store: Store, unit: str) -> Configuration:
    a = store.arrays(unit)
    return Configuration(positions=a["positions"], species=a["species"], cell=a["cell"])
