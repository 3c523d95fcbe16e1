"""Units that observe, label and learn: measure, label, learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from joblib import parallel_config

from amorphace.campaign.context import Context, Dropped, unit_provenance
from amorphace.campaign.store import Outcome
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.isoconfigurational import isoconfigurational_table, summarize_samples
from amorphace.dataset.mechanical import (
    Event,
    MechanicalSet,
    ShearedSample,
    label_mechanical,
)
from amorphace.dataset.store import read_table, write_table
from amorphace.learn.analysis import AnalysisSettings, analyse
from amorphace.learn.folder import write_folder
from amorphace.learn.summary import summarize
from amorphace.observe.propensity import isoconfigurational
from amorphace.simulate.state import masses

LEAST_REPLICAS = 2
"""Sound runs below which a sample has no isoconfigurational average."""


def measure(work: Context) -> Outcome:
    """measure: D2min and propensity of a sample, averaged over its sound replicas."""
    p = work.parameters
    replicas = work.inputs("replicas")
    asked = len(work.unit.inputs["replicas"])
    if len(replicas) < LEAST_REPLICAS:
        raise Dropped(f"only {len(replicas)} of {asked} replicas are sound")
    start = work.configuration(work.input("reference"))
    name = "end_inherent" if p["quench"] else "end"

    def ends() -> Iterator[Configuration]:
        for k, replica in enumerate(replicas):
            work.report(k, len(replicas), "D2min and propensity")
            yield start.replace(positions=work.store.array(replica, name))

    heavy = masses(work.model, start)
    seen = isoconfigurational(start, ends(), p["d2min_cutoff"], unwrapped=True, masses=heavy)
    majority = start.species == work.model.species[0]
    correlation = float(np.corrcoef(seen.d2min[majority], seen.propensity[majority])[0, 1])
    return Outcome(
        arrays={"d2min": seen.d2min, "propensity": seen.propensity},
        results={"n_replicas": len(replicas), "n_dropped": asked - len(replicas),
                 "correlation": correlation},
    )  # fmt: skip


def label_moved(work: Context) -> Outcome:
    """label, thermal: the most and the least mobile particles of the majority species."""
    p = work.parameters
    names, starts, d2, moved, correlation = [], [], [], [], {}
    for name, reference, seen in _sound_samples(work, "reference", "measure"):
        names.append(name)
        starts.append(work.configuration(reference))
        d2.append(work.store.array(seen, "d2min"))
        moved.append(work.store.array(seen, "propensity"))
        correlation[name] = work.results(seen)["correlation"]
    if not names:
        raise Dropped("no sample is sound")
    table = isoconfigurational_table(
        names, starts, d2, moved, fraction=p["fraction"], majority=work.model.species[0],
        provenance=unit_provenance(work),
    )  # fmt: skip
    summary = [asdict(s) for s in summarize_samples(table, work.model.species[0])]
    return Outcome(
        results={"samples": summary, "n_labelled": int((table.label >= 0).sum())},
        files={"labels.zarr": partial(write_table, table=table)},
    )


def label_sheared(work: Context) -> Outcome:
    """label, shear: particles of localised events, and those that moved least."""
    labels = _mechanical_set(work)
    return Outcome(
        results={
            "samples": [asdict(s) for s in labels.summary],
            "n_labelled": len(labels.table),
        },
        files={"labels.zarr": partial(write_table, table=labels.table)},
    )


def _mechanical_set(work: Context) -> MechanicalSet:
    p = work.parameters
    samples = [
        part
        for name, unit in _sound_samples(work, "shear")
        for part in sheared_intervals(name, work.store.arrays(unit), p.get("interval"))
    ]
    if not samples:
        raise Dropped("no sample is sound")
    return label_mechanical(
        samples,
        threshold=p["threshold"],
        largest_event=p["largest_event"],
        events=p["events"],
        majority=work.model.species[0],
        provenance=unit_provenance(work),
    )


def sheared_intervals(
    name: str, a: Mapping[str, Any], interval: float | None = None
) -> Iterator[ShearedSample]:
    """The samples in the arrays `a` of a shear unit: one for each interval, or for all strain."""
    ids = np.arange(1, len(a["species"]) + 1)
    events = [
        Event(
            step=int(step),
            strain=float(a["steps"][step - 1, 0]),
            before=Configuration(positions=x, species=a["species"], cell=cell, ids=ids),
            d2min=d2,
        )
        for step, x, cell, d2 in zip(
            a["event_step"], a["event_positions"], a["event_cell"], a["event_d2min"], strict=True
        )
    ]
    if interval is None:
        yield ShearedSample(name, a["species"], ids, a["maximum"], tuple(events))
        return
    strain, seen = a["steps"][:, 0], len(a["d2min"])
    first, length = len(strain) - seen, round(interval / strain[0])
    for k, start in enumerate(range(0, seen, length)):
        stop = min(start + length, seen)
        mine = tuple(e for e in events if first + start < e.step <= first + stop)
        highest = np.max([*a["d2min"][start:stop], *(e.d2min for e in mine)], axis=0)
        yield ShearedSample(name, a["species"], ids, highest, mine, k)


def _sound_samples(work: Context, *roles: str) -> Iterator[tuple[str, ...]]:
    """Name and inputs of each sample whose inputs are all sound."""
    sound = {role: set(work.inputs(role)) for role in roles}
    columns = [work.unit.inputs[role] for role in roles]
    for name, *units in zip(work.parameters["samples"], *columns, strict=True):
        if all(u in sound[role] for u, role in zip(units, roles, strict=True)):
            yield (name, *units)


def learn(work: Context) -> Outcome:
    """learn: the analysis of the labelled table."""
    p = work.parameters
    table = read_table(work.store.folder(work.input("table")) / "table.zarr")
    settings = (AnalysisSettings if p["full"] else AnalysisSettings.quick)(
        n_splits=p["folds"], seed=p["seed"]
    )
    # threads: a process that is killed leaves no others behind
    with parallel_config(backend="threading"):
        analysis = analyse(
            table,
            settings=settings,
            n_jobs=work.n_jobs,
            progress=lambda part, done, total: work.report(done, total, part.replace("_", " ")),
        )
    if not analysis.accuracy:
        raise InputError("; ".join(analysis.warnings))
    best = max((asdict(s) for s in summarize(analysis.accuracy)), key=lambda s: s["accuracy"])
    return Outcome(
        results={"best": best, "warnings": list(analysis.warnings)},
        files={
            "analysis": lambda path: write_folder(path, analysis, unit_provenance(work)),
        },
    )
