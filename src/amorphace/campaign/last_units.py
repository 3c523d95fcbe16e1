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
from amorphace.config import OwnGlass
from amorphace.config.sections import AnyExperiment, EventRule
from amorphace.runs.unit import Kind, Unit
from amorphace.simulate.models import GlassModel

Units = Sequence[Unit[Any, Any]]
ALL = "all samples"


def last_units(
    experiment: AnyExperiment,
    model: GlassModel | OwnGlass,
    samples: Units,
    measured: Units,
    *,
    rule: EventRule | None = None,
    features: Features,
    sites: float,
    described: Units | None = None,
) -> Units:
    """Labels, the table of the labelled sites, and its analysis.

    Parameters
    ----------
    experiment : AnyExperiment
    model : GlassModel or OwnGlass
    samples, measured : sequence of Unit
        Configurations or sheared ones, one a sample, and who moved in them.
    rule : EventRule, optional
        Which particles of sheared samples are active; of others the most mobile ones are.
    features : Features
    sites : float
        Rows of the table, as they are estimated.
    described : sequence of Unit, optional
        The configurations that are described instead.
    """
    names = tuple(unit.name for unit in samples)
    if rule is None:
        role, label_kind, describe_kind = "reference", LabelThermal(), DescribeThermal()
        active = LabelThermalParameters(
            model=model, samples=names, fraction=experiment.label.fraction
        )
    else:
        role, label_kind, describe_kind = "shear", LabelShear(), DescribeShear()
        active = LabelShearParameters(model=model, samples=names, rule=rule)
    label = _unit(label_kind, active, {role: ids(samples), "measure": ids(measured)})
    inputs = {"label": (label.id,), role: ids(described or samples)}
    numbers = sites * features.n_columns(len(model.species)) * len(features.cutoffs)
    table = _unit(
        describe_kind,
        DescribeParameters(model=model, samples=names, features=features),
        inputs,
        cost=numbers * (estimates.FEATURE + estimates.WRITTEN * features.itemsize),
        disk=estimates.SMALL + int(numbers * features.itemsize),
    )
    learned = _unit(
        Learn(),
        LearnParameters(
            model=model,
            folds=experiment.learn.folds,
            full=experiment.learn.full,
            seed=experiment.experiment.seed,
            samples=names,
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
