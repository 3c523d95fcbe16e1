"""The units that every plan ends with: label, describe and learn, over all samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amorphace.ace.features import Features
from amorphace.campaign import estimates
from amorphace.campaign.describe import DescribeParameters, DescribeShear, DescribeThermal
from amorphace.campaign.label import (
    LabelShear,
    LabelShearParameters,
    LabelThermal,
    LabelThermalParameters,
)
from amorphace.campaign.learn import Learn, LearnParameters
from amorphace.config.sections import AnyExperiment
from amorphace.runs.unit import Kind, Unit

Units = Sequence[Unit[Any, Any]]
ALL = "all samples"


def last_units(
    experiment: AnyExperiment,
    rule: LabelThermalParameters | LabelShearParameters,
    samples: Units,
    measured: Units,
    *,
    features: Features,
    sites: float,
    described: Units | None = None,
) -> Units:
    """Labels, the table of the labelled sites, and its analysis.

    Parameters
    ----------
    experiment : AnyExperiment
    rule : LabelThermalParameters or LabelShearParameters
        The protocol, and which particles are active.
    samples, measured : sequence of Unit
        Configurations or sheared ones, and who moved in them.
    features : Features
    sites : float
        Rows of the table, as they are estimated.
    described : sequence of Unit, optional
        The configurations that are described instead.
    """
    thermal = isinstance(rule, LabelThermalParameters)
    role, label_kind = ("reference", LabelThermal()) if thermal else ("shear", LabelShear())
    label = _unit(label_kind, rule, {role: ids(samples), "measure": ids(measured)})
    inputs = {"label": (label.id,), role: ids(described or samples)}
    numbers = sites * features.n_columns(len(rule.model.species)) * len(features.cutoffs)
    table = _unit(
        DescribeThermal() if thermal else DescribeShear(),
        DescribeParameters(model=rule.model, samples=rule.samples, features=features),
        inputs,
        cost=numbers * (estimates.FEATURE + estimates.WRITTEN * features.itemsize),
        disk=estimates.SMALL + int(numbers * features.itemsize),
    )
    learned = _unit(
        Learn(),
        LearnParameters(
            model=rule.model,
            folds=experiment.learn.folds,
            full=experiment.learn.full,
            seed=experiment.experiment.seed,
            samples=rule.samples,
        ),
        {"table": (table.id,), **inputs},
        cost=estimates.FITS,
        disk=estimates.ANALYSIS,
    )
    return [label, table, learned]


def _unit(
    kind: Kind[Any, Any],
    parameters: Any,
    inputs: dict[str, tuple[str, ...]],
    *,
    cost: float = 0.0,
    disk: int = estimates.SMALL,
) -> Unit[Any, Any]:
    return Unit(kind=kind, name=ALL, parameters=parameters, inputs=inputs, cost=cost, disk=disk)


def ids(units: Units) -> tuple[str, ...]:
    """Identifiers of units."""
    return tuple(unit.id for unit in units)
