"""label: which particles count as active and which as inactive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from amorphace.campaign.given import Frames
from amorphace.campaign.glass import unit_provenance
from amorphace.campaign.measure import MeasureShear, MeasureThermal, reference_of, sheared_of
from amorphace.campaign.shear import Sheared
from amorphace.config import OwnGlass
from amorphace.config.sections import EventRule
from amorphace.core.codec import decode
from amorphace.dataset.ensembles import Ensemble, check_samples
from amorphace.dataset.label_shear import NoEvent, ShearSummary, label_shear
from amorphace.dataset.label_thermal import (
    SampleSummary,
    doubts_of_labels,
    isoconfigurational_table,
    majority_species,
    summarize_samples,
)
from amorphace.dataset.sheared import Event, ShearedSample, is_event
from amorphace.dataset.table import Table
from amorphace.dataset.zarr_table import read_table, write_table
from amorphace.runs.job import Input, Job
from amorphace.runs.unit import Dropped, Kind, Outcome, Role
from amorphace.simulate.models import GlassModel

LABELS = "labels.zarr"


@dataclass(frozen=True, kw_only=True)
class LabelThermalParameters:
    """Parameters of `LabelThermal`."""

    model: GlassModel | OwnGlass
    samples: tuple[str, ...]
    fraction: float


@dataclass(frozen=True)
class LabelThermalResults:
    """Small results of `LabelThermal`."""

    samples: tuple[SampleSummary, ...]
    n_labelled: int
    doubts: tuple[str, ...] = ()


def samples_of(job: Job[Any]) -> dict[str, Input]:
    """The references or shear runs that a unit reads, by the names of their samples."""
    role = "shear" if "shear" in job.unit.inputs else "reference"
    return dict(zip(job.parameters.samples, job.inputs(role), strict=True))


def labels_of(job: Job[Any]) -> Table:
    """The labels that a unit reads, of either protocol."""
    return read_table(job.input("label").folder / LABELS)


def sound_samples(job: Job[Any]) -> list[tuple[str, Input, Input]]:
    """Name of each sound sample, its reference or shear run, and who moved in it.

    Raises
    ------
    Dropped
        If there are none.
    """
    pairs = zip(samples_of(job).items(), job.inputs("measure"), strict=True)
    sound = [(n, given, seen) for (n, given), seen in pairs if not (given.dropped or seen.dropped)]
    if not sound:
        raise Dropped("no sample is sound")
    return sound


class _Labels:
    """What both kinds of labels share."""

    name = "label"

    def sentence(self, outcome: Outcome) -> str:
        """Sites and samples."""
        r: LabelThermalResults | LabelShearResults = outcome.results
        return f"{r.n_labelled} labelled sites in {len(r.samples)} samples"

    def load(self, folder: Path) -> Table:
        """The table of labels."""
        return read_table(folder / LABELS)


class LabelThermal(_Labels, Kind[LabelThermalParameters, Table]):
    """The most and the least mobile particles of the majority species in each sample."""

    parameters = LabelThermalParameters
    results = LabelThermalResults
    inputs: ClassVar = {"reference": Role(some=True), "measure": Role(some=True)}

    def do(self, job: Job[LabelThermalParameters]) -> Outcome:
        """See `isoconfigurational_table`."""
        p, majority = job.parameters, job.parameters.model.majority
        found = sound_samples(job)
        table = isoconfigurational_table(
            [(name, reference_of(start), seen.load(MeasureThermal)) for name, start, seen in found],
            fraction=p.fraction,
            majority=majority,
            provenance=unit_provenance(job, p.model),
        )
        write_table(job.folder / LABELS, table)
        summary = tuple(summarize_samples(table, majority))
        n_labelled = int((table.label >= 0).sum())
        doubts = _doubts([seen for _, _, seen in found], table, majority)
        return Outcome(results=LabelThermalResults(summary, n_labelled, doubts))


def _doubts(measured: Sequence[Input], table: Table, majority: str | None) -> tuple[str, ...]:
    """What is probably not what was meant, of samples that come from files."""
    found = [seen.results["ensemble"] for seen in measured if "ensemble" in seen.results]
    if not found:
        return ()
    ensembles = [decode(Ensemble, ensemble) for ensemble in found]
    return (*check_samples(ensembles), *doubts_of_labels(table, majority))


@dataclass(frozen=True, kw_only=True)
class LabelShearParameters:
    """Parameters of `LabelShear`."""

    model: GlassModel | OwnGlass
    samples: tuple[str, ...]
    rule: EventRule


@dataclass(frozen=True)
class LabelShearResults:
    """Small results of `LabelShear`; events: steps of each sample, collective ones too."""

    samples: tuple[ShearSummary, ...]
    n_labelled: int
    events: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def sheared_samples(
    name: str,
    run: Sheared | Frames,
    d2min: NDArray[np.floating[Any]],
    *,
    threshold: float,
    majority: str | None,
    interval: float | None = None,
) -> tuple[ShearedSample, ...]:
    """A shear run as samples to label: one for each interval of strain, or for all of it.

    Parameters
    ----------
    name : str
    run : Sheared or Frames
    d2min : ndarray of shape (n_data_steps, n)
    threshold : float
        D2min above which a particle of the majority species makes a step an event.
    majority : str, optional
        The most frequent species when left out.
    interval : float, optional
        Strain over which inactive particles moved least.
    """
    species, ids = run.start.species, run.start.ids
    chosen = species == majority_species(species, majority)
    events = [
        Event(step=s.step, strain=s.strain, before=s.before, d2min=d2.astype(np.float64))
        for s, d2 in zip(run.data_steps(), d2min, strict=True)
        if is_event(d2[chosen], threshold)
    ]
    length = len(d2min) if interval is None else round(interval / run.increment)
    return tuple(
        ShearedSample(
            name=name,
            species=species,
            ids=ids,
            maximum=d2min[start : start + length].max(axis=0).astype(np.float64),
            events=tuple(e for e in events if start < e.step - run.first_step <= start + length),
            interval=k,
        )
        for k, start in enumerate(range(0, len(d2min), length))
    )


class LabelShear(_Labels, Kind[LabelShearParameters, Table]):
    """Labels of sheared samples: particles of localised events, and those that moved least."""

    parameters = LabelShearParameters
    results = LabelShearResults
    inputs: ClassVar = {"shear": Role(some=True), "measure": Role(some=True)}

    def do(self, job: Job[LabelShearParameters]) -> Outcome:
        """See `label_shear`."""
        p, majority = job.parameters, job.parameters.model.majority
        samples = [
            part
            for name, run, seen in sound_samples(job)
            for part in sheared_samples(
                name,
                sheared_of(run),
                seen.load(MeasureShear).d2min,
                threshold=p.rule.threshold,
                majority=majority,
                interval=p.rule.interval,
            )
        ]
        try:
            labels = label_shear(
                samples,
                threshold=p.rule.threshold,
                largest_event=p.rule.largest_event,
                events=p.rule.events,
                majority=majority,
                provenance=unit_provenance(job, p.model),
            )
        except NoEvent as reason:
            raise Dropped(str(reason)) from None
        write_table(job.folder / LABELS, labels.table)
        events = {
            name: tuple(e.step for s in samples if s.name == name for e in s.events)
            for name in dict.fromkeys(s.name for s in samples)
        }
        return Outcome(results=LabelShearResults(labels.summary, len(labels.table), events))
