"""Tables of features: which sites of which configurations, written block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.sites import Sites
from amorphace.dataset.plausible import check_positions, warn
from amorphace.dataset.table import Columns, Table
from amorphace.dataset.zarr_table import TableWriter

if TYPE_CHECKING:
    from amorphace.ace.descriptor import ACEDescriptor

BLOCK_BYTES = 32 << 20
"""Features that are computed, gathered and written at a time; a few times as much is in memory."""


@dataclass(frozen=True)
class Sample:
    """A configuration with the name that it has in tables."""

    name: str
    configuration: Configuration


def all_sites(
    samples: Sequence[Sample], *, centres: Sequence[str] | None, provenance: dict[str, Any]
) -> tuple[Table, Sites]:
    """Every particle of every sample, or those of some species.

    Parameters
    ----------
    samples : sequence of Sample
    centres : sequence of str, optional
        Species of the particles to describe; all when left out.
    provenance : dict

    Returns
    -------
    Table, Sites
        Equal rows.

    Raises
    ------
    InputError
        If no particle is chosen.
    """
    parts = [
        Sites(c, None if centres is None else np.isin(c.species, list(centres)))
        for c in (s.configuration for s in samples)
    ]
    if not any(map(len, parts)):
        raise InputError(f"no particle is of species {', '.join(centres or ())}")
    sites, n = Sites.concatenate(parts), list(map(len, parts))
    table = Table(
        sample=np.repeat(np.arange(len(samples)), n),
        particle_id=sites.ids,
        species=sites.species,
        step=np.repeat([s.configuration.step for s in samples], n),
        sample_names=tuple(s.name for s in samples),
        provenance=provenance,
    )
    return table, sites


def check_count(labels: Table, count: int) -> None:
    """As many configurations as labelled samples.

    Raises
    ------
    InputError
        Otherwise.
    """
    if count != len(labels.sample_names):
        raise InputError(
            f"the labels are of {len(labels.sample_names)} samples "
            f"({', '.join(labels.sample_names[:3])}, ...), but {count} configurations were "
            "given; give one for each, in the same order"
        )


def labelled_rows(
    labels: Table, *, centres: Sequence[str] | None, provenance: dict[str, Any]
) -> Table:
    """The labelled particles, those of a sample side by side, without features.

    Raises
    ------
    InputError
        If there are none of the wanted species.
    """
    chosen = labels.label >= 0
    if centres is not None:
        chosen &= np.isin(labels.species, list(centres))
    table = labels.take(chosen)
    if not len(table):
        raise InputError("the labels hold no active or inactive particle of the wanted species")
    table = table.take(np.argsort(table.sample, kind="stable"))
    origin = provenance | {"labels": dict(labels.provenance)}
    return replace(table.without_features(), provenance=origin)


def find_sites(configuration: Configuration, rows: Table, name: str) -> Sites:
    """The particles of some rows of a table, found by id in their configuration.

    Parameters
    ----------
    configuration : Configuration
    rows : Table
        Of one sample.
    name : str
        Of the configuration, for errors.

    Raises
    ------
    InputError
        If a particle is missing or has another species, or the configuration is that of another
        sample.

    Warns
    -----
    InputWarning
        If the particles are not where they were labelled.
    """
    labelled = rows.sample_names[rows.sample[0]] if len(rows) else ""
    index = configuration.rows_of(rows.particle_id)
    if (index < 0).any():
        raise InputError(
            f"{name} holds no particle id {rows.particle_id[index < 0][0]} of sample {labelled}; "
            "give the configurations that the labels were made with, in their order"
        )
    if (configuration.species[index] != rows.species).any():
        raise InputError(
            f"species of {name} differ from those of sample {labelled} in the table; use the same "
            "species list for both"
        )
    warn(check_positions(name, labelled, configuration, index, rows.positions))
    return Sites(configuration, index)


def sample_sites(table: Table, samples: Sequence[Sample]) -> Iterator[Sites]:
    """The sites of the rows of a table, sample by sample.

    Parameters
    ----------
    table : Table
        Its samples side by side, as `labelled_rows` gives them.
    samples : sequence of Sample
        One for each sample of the table, in its order.

    Raises
    ------
    InputError
        As `check_count` and `find_sites`.
    """
    check_count(table, len(samples))
    for k, sample in enumerate(samples):
        yield find_sites(sample.configuration, table.take(table.sample == k), sample.name)


def event_sites(table: Table, find: Callable[[str, int], Configuration]) -> Iterator[Sites]:
    """The sites of rows of a sheared set, event by event.

    Parameters
    ----------
    table : Table
        Any rows of the table of a sheared set, in its order.
    find : callable
        The configuration before the event of a sample at a step, called with the sample's name
        and the step.

    Raises
    ------
    InputError
        As `find_sites`.
    """
    for rows in _events_of(table) if len(table) else []:
        name, step = table.sample_names[table.sample[rows[0]]], int(table.step[rows[0]])
        yield find_sites(find(name, step), table.take(rows), f"sample {name}, step {step}")


def _events_of(table: Table) -> list[NDArray[np.int64]]:
    """Rows of every event: stretches of one sample and step."""
    key = np.stack([table.sample, table.step], axis=1)
    return np.split(np.arange(len(table)), np.flatnonzero((key[1:] != key[:-1]).any(axis=1)) + 1)


def describe_columns(descriptor: ACEDescriptor) -> Columns:
    """The columns of a descriptor."""
    basis = descriptor.fit().basis_
    return Columns(
        names=tuple(descriptor.get_feature_names_out()),
        order=basis.order,
        z=basis.z,
        n=basis.n,
        l=basis.l,
    )


def write_features(
    path: str | Path,
    table: Table,
    sites: Sites,
    descriptors: Sequence[ACEDescriptor],
    *,
    overwrite: bool = False,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Write the table with the features of each descriptor: one for each cutoff, alike otherwise.

    Parameters
    ----------
    path : str or Path
        The Zarr group; it appears whole or not at all.
    table, sites : Table, Sites
        Equal rows; fastest where those of a configuration stand side by side.
    descriptors : sequence of ACEDescriptor
        They differ in the cutoff only.
    overwrite : bool
    progress : callable, optional
        Called with the number of sites done since the last call.

    Raises
    ------
    InputError
        If something that may not be replaced is at `path`, or as `ACEDescriptor.transform`.
    """
    columns = describe_columns(descriptors[0])
    dtype = np.dtype(descriptors[0].dtype)
    with TableWriter(
        path,
        table,
        columns=columns,
        cutoffs=[d.cutoff for d in descriptors],
        dtype=dtype,
        overwrite=overwrite,
    ) as writer:
        # whole blocks of the store: no block on disk is written twice
        blocks = max(1, BLOCK_BYTES // (writer.block_rows * len(columns) * dtype.itemsize))
        rows = min(writer.block_rows * blocks, max(1, len(sites)))
        buffer = np.empty((rows, len(columns)), dtype)
        for descriptor in descriptors:
            for start in range(0, len(sites), rows):
                some = sites[start : start + rows]
                features = descriptor.transform(some, out=buffer[: len(some)], progress=progress)
                writer.write_features(descriptor.cutoff, start, features)
