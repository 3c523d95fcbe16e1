"""The units of an experiment on files of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from amorphace.ace.features import Features
from amorphace.campaign import estimates
from amorphace.campaign.given import Given, GivenParameters, GivenSteps
from amorphace.campaign.last_units import Units, last_units
from amorphace.campaign.measure import MeasureShear, MeasureShearParameters
from amorphace.campaign.measure_ends import MeasureEnds, MeasureEndsParameters
from amorphace.config.experiment import part
from amorphace.config.own import OwnExperiment, OwnSample
from amorphace.config.sections import EventRule
from amorphace.core.digest import sha256
from amorphace.dataset.files import scaled
from amorphace.dataset.plausible import check_repeated
from amorphace.runs.unit import Unit

LINE = 40
"""Bytes of a particle in a file."""


class Digests(dict[Path, str]):
    """Files, and the digests of their contents, each of which is read once."""

    def __missing__(self, path: Path) -> str:
        self[path] = sha256(path)
        return self[path]


def own_units(experiment: OwnExperiment) -> tuple[Units, dict[str, str]]:
    """The units of an experiment on files, and where the files lie, by digest.

    Raises
    ------
    InputError
        If a file is given twice, or as `OwnExperiment.samples`.
    """
    samples, digests = experiment.samples(), Digests()
    known = [(str(s.start), digests[s.start]) for s in samples]
    check_repeated(known, "the files")
    make = _thermal if experiment.protocol == "thermal" else _sheared
    units = make(experiment, samples, digests)
    return units, {digest: str(path) for path, digest in digests.items()}


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
            file=digests[path],
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
    check_repeated([(str(path), digests[path]) for path, _ in ends], "the end points")
    seen = [
        Unit(
            kind=MeasureEnds(),
            name=start.name,
            parameters=MeasureEndsParameters(
                file=digests[path],
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
    last = last_units(
        experiment,
        experiment.glass(),
        starts,
        seen,
        features=own_features(experiment),
        sites=_sites(experiment, samples),
        described=described,
    )
    return [*starts, *described, *seen, *last]


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
    last = last_units(
        experiment,
        experiment.glass(),
        runs,
        seen,
        rule=replace(rule, threshold=scaled(rule.threshold, sigma**2)),
        features=own_features(experiment),
        sites=_sites(experiment, samples),
    )
    return [*runs, *seen, *last]


def _sites(experiment: OwnExperiment, samples: Sequence[OwnSample]) -> float:
    """Rows of the table, as they are estimated."""
    particles = sum(s.start.stat().st_size for s in samples) / LINE
    return particles * 2 * experiment.label.fraction
