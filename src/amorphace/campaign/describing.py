"""Units that describe the labelled sites of an experiment: features, describe.

A `features` unit computes one chunk of the rows, from the configurations that these rows are in;
`describe` makes one table of the chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.campaign.context import Context, unit_provenance
from amorphace.campaign.store import Outcome
from amorphace.core.configuration import Configuration
from amorphace.core.sites import Sites
from amorphace.dataset.describe import Sample, find_sites, labelled_rows
from amorphace.dataset.mechanical import event_sites
from amorphace.dataset.pieces import Layout, join_pieces, write_piece
from amorphace.dataset.store import read_table
from amorphace.dataset.table import Table

PIECE = "features.zarr"
"""The folder of a chunk in its unit."""
NOT_SETTINGS = ("cutoff", "n_jobs")
"""Words of the descriptor that are not the same for all features of a table."""


def features(work: Context) -> Outcome:
    """features: those of one chunk of the labelled sites, at every cutoff."""
    p = work.parameters
    descriptors = descriptors_of(work.model.species, p["basis"])
    table = _labelled(work, {})
    layout = Layout.of(len(table), descriptors)
    rows = layout.rows_of(p["chunk"], p["chunks"])
    find = _before_events if p["protocol"] == "shear" else _in_samples
    parts = find(work, table.take(np.arange(rows.start, rows.stop)))
    return piece(work, layout, rows, parts, descriptors)


def piece(
    work: Context,
    layout: Layout,
    rows: range,
    parts: Iterator[Sites],
    descriptors: Sequence[ACEDescriptor],
) -> Outcome:
    """One chunk of the rows, whose sites come in parts."""
    progress = counted(work, len(rows) * len(descriptors))
    write = partial(
        write_piece,
        layout=layout,
        rows=rows,
        parts=parts,
        descriptors=descriptors,
        progress=progress,
    )
    return Outcome(results={"n_sites": len(rows), "first": rows.start}, files={PIECE: write})


def describe(work: Context) -> Outcome:
    """describe: the table of the labelled sites, from its chunks."""
    basis = work.parameters["basis"]
    descriptors = descriptors_of(work.model.species, basis)
    origin = unit_provenance(work, cutoffs=basis["cutoffs"], **settings_of(descriptors))
    return joined(work, _labelled(work, origin), descriptors)


def joined(work: Context, table: Table, descriptors: Sequence[ACEDescriptor]) -> Outcome:
    """The table whose features are in the inputs "features"."""
    pieces = [work.store.folder(unit) / PIECE for unit in work.unit.inputs["features"]]
    layout = Layout.of(len(table), descriptors)
    return Outcome(
        results={"n_sites": len(table), "n_columns": len(layout.columns)},
        files={"table.zarr": partial(join_pieces, sites=table, layout=layout, pieces=pieces)},
    )


def descriptors_of(species: Sequence[str], basis: Mapping[str, Any]) -> list[ACEDescriptor]:
    """A descriptor for each cutoff, of one thread."""
    words = {k: v for k, v in basis.items() if k != "cutoffs"}
    return [
        ACEDescriptor(cutoff=c, species=tuple(species), n_jobs=1, **words).fit()
        for c in basis["cutoffs"]
    ]


def settings_of(descriptors: Sequence[ACEDescriptor]) -> dict[str, Any]:
    """The words that descriptors of several cutoffs have in common."""
    return {k: v for k, v in descriptors[0].get_params().items() if k not in NOT_SETTINGS}


def counted(work: Context, total: int) -> Callable[[int], None]:
    """Reports how many features of sites are done."""
    done = [0]

    def progress(n: int) -> None:
        done[0] += n
        work.report(done[0], total, "features")

    return progress


def _labelled(work: Context, origin: dict[str, Any]) -> Table:
    """The rows of the table."""
    labels = read_table(work.store.folder(work.input("label")) / "labels.zarr")
    return replace(labelled_rows(labels, centres=None, provenance={}), provenance=origin)


def _in_samples(work: Context, rows: Table) -> Iterator[Sites]:
    """Sites of the most and the least mobile particles, sample by sample."""
    units = dict(zip(work.parameters["samples"], work.unit.inputs["reference"], strict=True))
    for k in np.unique(rows.sample):
        name = rows.sample_names[k]
        sample = Sample(name, work.configuration(work.intact(units[name])))
        yield find_sites(sample, rows.take(rows.sample == k), name)


def _before_events(work: Context, rows: Table) -> Iterator[Sites]:
    """Sites in the configurations before events, event by event; only these are read."""
    units = dict(zip(work.parameters["samples"], work.unit.inputs["shear"], strict=True))

    def find(name: str, step: int) -> Configuration:
        unit, read = work.intact(units[name]), work.store.array
        (k,) = np.flatnonzero(read(unit, "event_step") == step)
        return Configuration(
            positions=read(unit, "event_positions")[k],
            species=read(unit, "species"),
            cell=read(unit, "event_cell")[k],
        )

    return event_sites(rows, find)
