"""The unit that describes the labelled sites of an experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.campaign.context import Context, unit_provenance
from amorphace.campaign.store import Outcome
from amorphace.core.configuration import Configuration
from amorphace.core.sites import Sites
from amorphace.dataset.describe import Sample, find_sites, labelled_rows, write_features
from amorphace.dataset.mechanical import event_sites
from amorphace.dataset.store import read_table
from amorphace.dataset.table import Table

NOT_SETTINGS = ("cutoff", "n_jobs")
"""Words of the descriptor that are not the same for all features of a table."""


def describe(work: Context) -> Outcome:
    """describe: the table of the labelled sites, with their features at every cutoff."""
    p = work.parameters
    descriptors = descriptors_of(work.model.species, p["basis"], work.n_jobs)
    origin = unit_provenance(work, cutoffs=p["basis"]["cutoffs"], **settings_of(descriptors))
    labels = read_table(work.store.folder(work.input("label")) / "labels.zarr")
    table = labelled_rows(labels, centres=None, provenance=origin)
    find = _before_events if p["protocol"] == "shear" else _in_samples
    sites = Sites.concatenate(find(work, table))
    done = [0]

    def progress(n: int) -> None:
        done[0] += n
        work.report(done[0], len(table) * len(descriptors), "features")

    return Outcome(
        results={"n_sites": len(table), "n_columns": descriptors[0].n_features_out},
        files={
            "table.zarr": partial(
                write_features,
                table=table,
                sites=sites,
                descriptors=descriptors,
                progress=progress,
            )
        },
    )


def descriptors_of(
    species: Sequence[str], basis: Mapping[str, Any], n_jobs: int
) -> list[ACEDescriptor]:
    """A descriptor for each cutoff."""
    words = {k: v for k, v in basis.items() if k != "cutoffs"}
    return [
        ACEDescriptor(cutoff=c, species=tuple(species), n_jobs=n_jobs, **words).fit()
        for c in basis["cutoffs"]
    ]


def settings_of(descriptors: Sequence[ACEDescriptor]) -> dict[str, Any]:
    """The words that descriptors of several cutoffs have in common."""
    return {k: v for k, v in descriptors[0].get_params().items() if k not in NOT_SETTINGS}


def _in_samples(work: Context, rows: Table) -> Iterator[Sites]:
    """Sites of the most and the least mobile particles, sample by sample."""
    units = dict(zip(work.parameters["samples"], work.unit.inputs["reference"], strict=True))
    for k, name in enumerate(rows.sample_names):
        sample = Sample(name, work.configuration(units[name]))
        yield find_sites(sample, rows.take(rows.sample == k), name)


def _before_events(work: Context, rows: Table) -> Iterator[Sites]:
    """Sites in the configurations before events, event by event."""
    units = dict(zip(work.parameters["samples"], work.unit.inputs["shear"], strict=True))

    def find(name: str, step: int) -> Configuration:
        unit, read = units[name], work.store.array
        (k,) = (read(unit, "event_step") == step).nonzero()[0]
        return Configuration(
            positions=read(unit, "event_positions")[k],
            species=read(unit, "species"),
            cell=read(unit, "event_cell")[k],
        )

    return event_sites(rows, find)
