"""What the paper's statements ask for beside the analysis of a case: the same with another choice.

Used by results.py and choices.py, on what results.py ran; nothing is simulated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from amorphace.campaign.describe import DescribeShear, DescribeThermal
from amorphace.campaign.label import LabelThermal
from amorphace.campaign.learn import Learn
from amorphace.campaign.measure import MeasureThermal, measure_isoconfigurational
from amorphace.campaign.measure_ends import MeasureEnds
from amorphace.campaign.plan import Plan, make_plan, store_path
from amorphace.campaign.prepare import configuration_of
from amorphace.config import read_experiment
from amorphace.core.configuration import Configuration
from amorphace.core.sites import Sites
from amorphace.dataset.describe import Sample, describe_columns, labelled_rows, sample_sites
from amorphace.dataset.ensembles import Mobility, masses_by_species, measure_sample
from amorphace.dataset.files import ends_of
from amorphace.dataset.label_thermal import isoconfigurational_table
from amorphace.dataset.table import Table
from amorphace.learn.curves import accuracy_curve
from amorphace.learn.fit import labelled_sites
from amorphace.learn.points import order_ends
from amorphace.learn.results import Curve
from amorphace.learn.splits import MOST_FOLDS
from amorphace.report.claims import CUTOFFS
from amorphace.report.readings.others import CHOICE, SINGLE_RUNS, WEIGHT
from amorphace.runs.execute import do_units
from amorphace.runs.store import Store
from amorphace.runs.unit import Unit

WEIGHTS = (1.0, 2.0)
"""Of l in the degree, either side of the usual one."""
Key = tuple[str, str, str]
"""What differs in an experiment file: table, key, value as TOML."""


def with_key(text: str, table: str, key: str, value: str) -> str:
    """An experiment file with one key set, in its place where it stands there."""
    if f"[{table}]\n" not in text:
        text += f"\n[{table}]\n"
    head, rest = text.split(f"[{table}]\n", 1)
    changed, n = re.subn(rf"^(# )?{key} = .*$", f"{key} = {value}", rest, count=1, flags=re.M)
    if not n:
        changed = f"{key} = {value}\n{rest}"
    return f"{head}[{table}]\n{changed}"


def planned(name: str, folder: Path, key: Key | None = None) -> tuple[Plan, Store]:
    """The plan of a case, with another value of a key if one is given, and the case's store."""
    text = (folder / f"{name}.toml").read_text(encoding="utf-8")
    file = folder / f"{name}.choice.toml"
    file.write_text(text if key is None else with_key(text, *key), encoding="utf-8")
    experiment = read_experiment(file)
    file.unlink()
    return make_plan(experiment), Store(store_path(folder / f"{name}.toml", experiment))


def described(name: str, folder: Path, key: Key | None = None) -> Table:
    """The described table of a case, or of the same with another value of a key."""
    plan, store = planned(name, folder, key)
    for unit in plan.units:
        if not isinstance(unit.kind, Learn):
            (report,) = do_units(store, [unit])
            if report.error:
                raise RuntimeError(report.error)
    return store.load(plan.one(DescribeThermal, DescribeShear))


def by_order(table: Table, cutoff: float, variant: str) -> Curve:
    """Accuracy with all features up to each correlation order, on the folds of the analysis."""
    sites = labelled_sites(table, cutoff)
    ends = order_ends(sites.columns)
    found = accuracy_curve(
        sites.X,
        sites.y,
        sites.groups,
        n_columns=list(ends.values()),
        n_splits=min(MOST_FOLDS, len(np.unique(sites.groups))),
    )
    names = [fold.split(" + ") for fold in found.folds]
    return Curve(
        name=CHOICE,
        variant=variant,
        x=np.array(list(ends)),
        scores={"accuracy": found["accuracy"]},
        folds=tuple(" + ".join(table.sample_names[int(k)] for k in fold) for fold in names),
        cutoff=cutoff,
    )


def other_weights(name: str, folder: Path) -> Iterator[Curve]:
    """Accuracy with features of other degree weights."""
    cutoff = CUTOFFS["shear" if name.endswith("shear") else "thermal"]
    for weight in WEIGHTS:
        table = described(name, folder, ("describe", "degree_weight", f"{weight}"))
        yield by_order(table, cutoff, f"{WEIGHT} {weight:g}")


def single_runs(name: str, folder: Path) -> Curve:
    """Accuracy in a thermal case whose labels are of one run from each sample, the first."""
    plan, store = planned(name, folder)
    rule, of_table = plan.one(LabelThermal).parameters, plan.one(DescribeThermal)
    measured = (*plan.of_kind(MeasureEnds), *plan.of_kind(MeasureThermal))
    labels = isoconfigurational_table(
        [first_run(plan, store, unit) for unit in measured if not store.meta(unit.id).dropped],
        fraction=rule.fraction,
        majority=rule.model.majority,
    )
    rows, cutoff = labelled_rows(labels, centres=None, provenance={}), CUTOFFS["thermal"]
    places = dict(zip(rule.samples, of_table.inputs["reference"], strict=True))
    glasses = [Sample(n, configuration(plan, store, places[n])) for n in labels.sample_names]
    (ace,) = replace(of_table.parameters.features, cutoffs=(cutoff,)).descriptors(
        rule.model.species
    )
    X = ace.transform(Sites.concatenate(sample_sites(rows, glasses)))
    table = replace(rows, features={cutoff: X}, columns=describe_columns(ace))
    return by_order(table, cutoff, SINGLE_RUNS)


def first_run(
    plan: Plan, store: Store, unit: Unit[Any, Any]
) -> tuple[str, Configuration, Mobility]:
    """Who moved in the first sound run of a sample: its name, its start, and that."""
    p, start = unit.parameters, configuration(plan, store, *unit.inputs["reference"])
    if isinstance(unit.kind, MeasureEnds):
        ends = ends_of(
            store.linked_file(p.file), p.species, start, own=p.own, lag=p.lag, order=p.order
        )
        seen, _ = measure_sample(
            unit.name,
            start,
            [next(ends)],
            cutoff=p.d2min_cutoff,
            power=p.power,
            normalize=p.normalize,
            unwrapped=p.unwrapped,
            masses=masses_by_species(p.species, p.masses),
        )
        return unit.name, start, seen
    sound = next(i for i in unit.inputs["replicas"] if not store.meta(i).dropped)
    run = store.load(plan.by_id[sound])
    end = start.replace(positions=run.inherent if p.quench else run.end)
    return unit.name, start, measure_isoconfigurational(p.model, start, [end], p.d2min_cutoff)


def configuration(plan: Plan, store: Store, unit: str) -> Configuration:
    """That of a prepared sample, an inherent structure, or a file."""
    return configuration_of(store.load(plan.by_id[unit]))
