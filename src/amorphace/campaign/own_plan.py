"""The units of an experiment on files of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from amorphace.ace.features import Features
from amorphace.campaign import estimates
from amorphace.campaign.describe import DescribeParameters, DescribeShear, DescribeThermal
from amorphace.campaign.given import Given, GivenParameters, GivenSteps
from amorphace.campaign.label import (
    LabelShear,
    LabelShearParameters,
    LabelThermal,
    LabelThermalParameters,
)
from amorphace.campaign.learn import Learn, LearnParameters
from amorphace.campaign.measure import MeasureShear, MeasureShearParameters
from amorphace.campaign.measure_ends import MeasureEnds, MeasureEndsParameters
from amorphace.config.experiment import part
from amorphace.config.own import OwnExperiment, OwnSample
from amorphace.config.sections import AnyExperiment, EventRule
from amorphace.core.digest import sha256
from amorphace.dataset.files import scaled
from amorphace.dataset.plausible import check_repeated
from amorphace.runs.unit import Unit

Units = Sequence[Unit[Any, Any]]

LINE = 40
"""Bytes of a particle in a file."""


class Digests:
    """Files, and the digests of their contents."""

    def __init__(self) -> None:
        self._known: dict[Path, str] = {}

    def of(self, path: Path) -> str:
        """The digest of a file, which is read once."""
        place = path.resolve()
        if place not in self._known:
            self._known[place] = sha256(place)
        return self._known[place]

    def links(self) -> dict[str, str]:
        """Where the files lie, by their digests."""
        return {digest: str(path) for path, digest in self._known.items()}


def own_units(experiment: OwnExperiment) -> tuple[Units, dict[str, str]]:
    """The units of an experiment on files, and where the files lie, by digest.

    Raises
    ------
    InputError
        If a file is given twice, or as `OwnExperiment.samples`.
    """
    samples, digests = experiment.samples(), Digests()
    known = [(str(s.start), digests.of(s.start)) for s in samples]
    check_repeated(known, "the files")
    make = _thermal if experiment.protocol == "thermal" else _sheared
    return make(experiment, samples, digests), digests.links()


def own_features(experiment: OwnExperiment) -> Features:
    """The features, their lengths in the unit of the files."""
    features, sigma = part(experiment.describe, Features), experiment.data.sigma
    return replace(
        features,
        cutoffs=tuple(scaled(cutoff, sigma) for cutoff in features.cutoffs),
        r0=scaled(features.r0, sigma),
    )


def _given(
    experiment: OwnExperiment,
    kind: Given | GivenSteps,
    name: str,
    path: Path,
    frame: int | None,
    digests: Digests,
) -> Unit[Any, Any]:
    """A configuration, or sheared frames, of a file."""
    data, n = experiment.data, path.stat().st_size // LINE
    cutoffs = (scaled(experiment.label.d2min_cutoff, data.sigma), *own_features(experiment).cutoffs)
    return Unit(
        kind=kind,
        name=name,
        parameters=GivenParameters(
            file=digests.of(path),
            species=data.species,
            frame=frame,
            order=data.order,
            cutoffs=tuple(dict.fromkeys(cutoffs)),
        ),
        cost=estimates.OBSERVATION * n,
        disk=estimates.configurations(n),
    )


def _thermal(experiment: OwnExperiment, samples: Sequence[OwnSample], digests: Digests) -> Units:
    """given, measure, label, describe, learn."""
    data, kind = experiment.data, Given()
    starts = [_given(experiment, kind, s.name, s.start, data.frame, digests) for s in samples]
    described = starts
    if data.inherent is not None and experiment.describe.positions == "inherent":
        described = [
            _given(experiment, kind, f"{s.name}, inherent", s.inherent, -1, digests)
            for s in samples
            if s.inherent is not None
        ]
    ends = [(s.ends or s.start, s.ends in (None, s.start)) for s in samples]
    check_repeated([(str(path), digests.of(path)) for path, _ in ends], "the end points")
    seen = [
        Unit(
            kind=MeasureEnds(),
            name=start.name,
            parameters=MeasureEndsParameters(
                file=digests.of(path),
                own=own,
                species=data.species,
                lag=data.lag,
                order=data.order,
                d2min_cutoff=scaled(experiment.label.d2min_cutoff, data.sigma),
                power=data.power,
                normalize=data.normalize,
                unwrapped=data.unwrapped,
                masses=data.masses,
                majority=data.majority,
            ),
            inputs={"reference": (start.id,)},
            cost=estimates.OBSERVATION * path.stat().st_size / LINE,
            disk=estimates.SMALL + 16 * path.stat().st_size // LINE,
        )
        for start, (path, own) in zip(starts, ends, strict=True)
    ]
    label = Unit(
        kind=LabelThermal(),
        name="all samples",
        parameters=LabelThermalParameters(
            model=experiment.glass(),
            samples=tuple(s.name for s in samples),
            fraction=experiment.label.fraction,
        ),
        inputs={"reference": ids(starts), "measure": ids(seen)},
        disk=estimates.SMALL,
    )
    inputs = {"label": (label.id,), "reference": ids(described)}
    table = _table(experiment, samples, DescribeThermal(), inputs)
    return [*starts, *described, *seen, label, table, learned(experiment, table, inputs)]


def _sheared(experiment: OwnExperiment, samples: Sequence[OwnSample], digests: Digests) -> Units:
    """steps, measure, label, describe, learn."""
    sigma, rule = experiment.data.sigma, part(experiment.events or EventRule(), EventRule)
    runs = [_given(experiment, GivenSteps(), s.name, s.start, None, digests) for s in samples]
    seen = [
        Unit(
            kind=MeasureShear(),
            name=run.name,
            parameters=MeasureShearParameters(
                d2min_cutoff=scaled(experiment.label.d2min_cutoff, sigma)
            ),
            inputs={"shear": (run.id,)},
            cost=run.cost,
            disk=run.disk,
        )
        for run in runs
    ]
    label = Unit(
        kind=LabelShear(),
        name="all samples",
        parameters=LabelShearParameters(
            model=experiment.glass(),
            samples=tuple(s.name for s in samples),
            rule=replace(rule, threshold=scaled(rule.threshold, sigma**2)),
        ),
        inputs={"shear": ids(runs), "measure": ids(seen)},
        disk=estimates.SMALL,
    )
    inputs = {"label": (label.id,), "shear": ids(runs)}
    table = _table(experiment, samples, DescribeShear(), inputs)
    return [*runs, *seen, label, table, learned(experiment, table, inputs)]


def _table(
    experiment: OwnExperiment,
    samples: Sequence[OwnSample],
    kind: DescribeThermal | DescribeShear,
    inputs: dict[str, tuple[str, ...]],
) -> Unit[Any, Any]:
    """The table of features."""
    features = own_features(experiment)
    sites = sum(s.start.stat().st_size for s in samples) / LINE * 2 * experiment.label.fraction
    size = int(sites * features.n_columns(len(experiment.data.species)) * len(features.cutoffs))
    return Unit(
        kind=kind,
        name="all samples",
        parameters=DescribeParameters(
            model=experiment.glass(), samples=tuple(s.name for s in samples), features=features
        ),
        inputs=inputs,
        cost=size * (estimates.FEATURE + features.itemsize * estimates.WRITTEN),
        disk=estimates.SMALL + size * features.itemsize,
    )


def learned(
    experiment: AnyExperiment, table: Unit[Any, Any], judged: dict[str, tuple[str, ...]]
) -> Unit[Any, Any]:
    """The analysis of a table, and of all particles of the configurations that it comes from."""
    return Unit(
        kind=Learn(),
        name="all samples",
        parameters=LearnParameters(
            model=table.parameters.model,
            folds=experiment.learn.folds,
            full=experiment.learn.full,
            seed=experiment.experiment.seed,
            samples=table.parameters.samples,
        ),
        inputs={"table": (table.id,), **judged},
        cost=estimates.FITS,
        disk=estimates.ANALYSIS,
    )


def ids(units: Units) -> tuple[str, ...]:
    """Identifiers of units."""
    return tuple(unit.id for unit in units)
