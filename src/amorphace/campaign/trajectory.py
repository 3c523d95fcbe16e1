"""The plan and the units that describe a user's own files: index, features, describe.

An `index` unit finds the frames of a file; a `features` unit reads those that its chunk of the rows
is in, one at a time; `describe` makes one table of the chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.campaign.context import Context
from amorphace.campaign.describing import descriptors_of, joined, piece, settings_of
from amorphace.campaign.sizes import (
    chunk_count,
    feature_seconds,
    joining_seconds,
    n_columns,
)
from amorphace.campaign.sources import remember_source, source
from amorphace.campaign.store import Outcome, Store
from amorphace.campaign.units import Graph, Unit
from amorphace.core.configuration import Configuration
from amorphace.core.sites import Sites
from amorphace.dataset.describe import (
    Sample,
    check_count,
    find_sites,
    is_centre,
    labelled_rows,
    no_centres,
)
from amorphace.dataset.pieces import Layout
from amorphace.dataset.provenance import package_version
from amorphace.dataset.store import read_table
from amorphace.dataset.table import Table
from amorphace.io.files import iread_at, mark_frames
from amorphace.io.frames import Mark, Place

PARTICLE_BYTES = {".gz": 12, ".gsd": 16, ".npz": 36}
"""Bytes of a particle in a file, to guess how many it holds; others are text."""
TEXT_BYTES = 30
"""Bytes of a particle in a text file."""
SCANNED = 5e-9
"""Seconds for each byte of a file that is searched for frames."""


@dataclass(frozen=True)
class Description(Graph):
    """The units that describe files.

    Attributes
    ----------
    units : tuple of Unit
        Every unit after those that it reads; the last one makes the table.
    """

    units: tuple[Unit, ...]

    @property
    def table(self) -> Unit:
        """The unit that makes the table."""
        return self.units[-1]


def plan_description(
    store: Store,
    files: Sequence[Path],
    names: Sequence[str],
    descriptors: Sequence[ACEDescriptor],
    *,
    labels: Path | None = None,
    centres: Sequence[str] | None = None,
    chunks: int = 0,
) -> Description:
    """The units that describe files, which are read once, for their digests.

    Parameters
    ----------
    store : Store
        Remembers where the files are.
    files : sequence of Path
    names : sequence of str
        Of the samples, one for each file.
    descriptors : sequence of ACEDescriptor
        They differ in the cutoff only.
    labels : Path, optional
        A table of labels: then only labelled particles of the last frame of each file.
    centres : sequence of str, optional
        Species of the particles to describe; all when left out.
    chunks : int
        Units that share the work; 0: by the size of the files.

    Raises
    ------
    InputError
        If a file is missing, or the labels are of another number of samples.
    """
    words = settings_of(descriptors)
    species = [str(s) for s in words.pop("species")]
    basis = words | {"cutoffs": [float(d.cutoff) for d in descriptors]}
    wanted = None if centres is None else sorted(set(centres))
    given: dict[str, Any] = {
        "protocol": "files",
        "files": [remember_source(store, path) for path in files],
        "species": species,
        "basis": basis,
        "centres": wanted,
        "labels": remember_source(store, labels) if labels else None,
    }
    if labels:
        known = read_table(labels)
        check_count(known, len(files))
        sites = len(labelled_rows(known, centres=wanted, provenance={}))
    else:
        sites = sum(
            path.stat().st_size / PARTICLE_BYTES.get(path.suffix, TEXT_BYTES) for path in files
        )
    values = sites * n_columns(species, basis) * len(descriptors)
    itemsize = np.dtype(descriptors[0].dtype).itemsize
    count = chunks or chunk_count(values * itemsize)
    index = [
        Unit(
            kind="index",
            name=path.name,
            parameters={
                "protocol": "files",
                "file": digest,
                "species": species,
                "centres": None if labels else wanted,
                "last": labels is not None,
            },
            cost=path.stat().st_size * SCANNED,
        )
        for path, digest in zip(files, given["files"], strict=True)
    ]
    found = {"index": tuple(u.id for u in index)}
    pieces = [
        Unit(
            kind="features",
            name=f"chunk {k + 1} of {count}",
            parameters=given | {"chunk": k, "chunks": count},
            inputs=found,
            cost=feature_seconds(values / count, itemsize),
        )
        for k in range(count)
    ]
    table = Unit(
        kind="describe",
        name="all files",
        parameters=given
        | {
            "names": list(names),
            "file_names": [path.name for path in files],
            "labels_name": labels.name if labels else None,
        },
        inputs=found | {"features": tuple(u.id for u in pieces)},
        cost=joining_seconds(values * itemsize),
    )
    return Description(tuple({u.id: u for u in (*index, *pieces, table)}.values()))


def index(work: Context) -> Outcome:
    """index: where the frames of a file stand, and how many sites each has."""
    p = work.parameters
    with source(work.store, p["file"]) as path:
        size = max(1, path.stat().st_size)
        marks: list[Mark] = []
        sites: list[int] = []
        for mark in mark_frames(path, p["species"], labels=p["centres"] is not None):
            if p["last"]:
                marks.clear()
                sites.clear()
            marks.append(Mark(mark.place, mark.step, mark.n_particles))
            found = mark.species
            sites.append(
                mark.n_particles if found is None else int(is_centre(found, p["centres"]).sum())
            )
            work.report(min(mark.place.offset, size), size, "frames")
    return Outcome(
        arrays={
            "offset": np.array([m.place.offset for m in marks], dtype=np.int64),
            "line": np.array([m.place.line for m in marks], dtype=np.int64),
            "step": np.array([m.step for m in marks], dtype=np.int64),
            "sites": np.array(sites, dtype=np.int64),
        },
        results={"n_frames": len(marks), "n_sites": sum(sites)},
    )


@dataclass(frozen=True, eq=False)
class _Frames:
    """The frames of all files, one after the other.

    Attributes
    ----------
    file : ndarray of int of shape (n_frames,)
    place : tuple of Place
    step, sites : ndarray of int of shape (n_frames,)
    """

    file: NDArray[np.int64]
    place: tuple[Place, ...]
    step: NDArray[np.int64]
    sites: NDArray[np.int64]

    @classmethod
    def of(cls, work: Context) -> _Frames:
        known = [work.store.arrays(unit) for unit in work.unit.inputs["index"]]
        column = {k: np.concatenate([a[k] for a in known]) for k in known[0]}
        return cls(
            file=np.repeat(np.arange(len(known)), [len(a["step"]) for a in known]),
            place=tuple(
                Place(int(offset), int(line))
                for offset, line in zip(column["offset"], column["line"], strict=True)
            ),
            step=column["step"],
            sites=column["sites"],
        )

    def read(self, work: Context, frames: Sequence[int]) -> Iterator[tuple[int, Configuration]]:
        """Some of the frames, in ascending order; each file is opened once."""
        p = work.parameters
        for file, group in groupby(frames, key=lambda f: int(self.file[f])):
            some = list(group)
            with source(work.store, p["files"][file]) as path:
                places = [self.place[f] for f in some]
                yield from zip(some, iread_at(path, p["species"], places), strict=True)


def features(work: Context) -> Outcome:
    """features: those of one chunk of the sites, at every cutoff."""
    p = work.parameters
    descriptors = descriptors_of(p["species"], p["basis"])
    frames = _Frames.of(work)
    if p["labels"] is None:
        return _all_features(work, descriptors, frames)
    table = _labelled(work, {})
    layout = Layout.of(len(table), descriptors)
    rows = layout.rows_of(p["chunk"], p["chunks"])
    own = table.take(np.arange(rows.start, rows.stop))

    def parts() -> Iterator[Sites]:
        for k, configuration in frames.read(work, np.unique(own.sample).tolist()):
            sample = Sample(f"file {k + 1}", configuration)
            yield find_sites(sample, own.take(own.sample == k), own.sample_names[k])

    return piece(work, layout, rows, parts(), descriptors)


def _all_features(work: Context, descriptors: Sequence[ACEDescriptor], frames: _Frames) -> Outcome:
    """Features of rows that are particles of frames; also their ids and species."""
    p = work.parameters
    border = np.concatenate([[0], np.cumsum(frames.sites)])
    if not border[-1]:
        raise no_centres(p["centres"])
    layout = Layout.of(int(border[-1]), descriptors)
    rows = layout.rows_of(p["chunk"], p["chunks"])
    wanted = np.flatnonzero((border[:-1] < rows.stop) & (border[1:] > rows.start)).tolist()
    ids, species = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.str_)]

    def parts() -> Iterator[Sites]:
        for f, configuration in frames.read(work, wanted if len(rows) else []):
            chosen = np.flatnonzero(is_centre(configuration.species, p["centres"]))
            first, last = max(rows.start - border[f], 0), min(rows.stop - border[f], len(chosen))
            sites = Sites(configuration, chosen[first:last])
            ids.append(sites.ids)
            species.append(sites.species)
            yield sites

    made = piece(work, layout, rows, parts(), descriptors)
    later = {
        "particle_id.npy": lambda path: _save(path, np.concatenate(ids)),
        "species.npy": lambda path: _save(path, np.concatenate(species)),
    }
    return Outcome(results=made.results, files=dict(made.files) | later)


def _save(path: Path, array: NDArray[Any]) -> None:
    np.save(path, array, allow_pickle=False)


def describe(work: Context) -> Outcome:
    """describe: the table of all sites, from its chunks."""
    p = work.parameters
    descriptors = descriptors_of(p["species"], p["basis"])
    origin = _provenance(work, descriptors)
    if p["labels"] is not None:
        return joined(work, _labelled(work, origin), descriptors)
    frames = _Frames.of(work)
    chunks = work.unit.inputs["features"]
    number = np.repeat(np.arange(len(frames.step)), frames.sites)
    table = Table(
        sample=number,
        particle_id=np.concatenate([work.store.array(u, "particle_id") for u in chunks]),
        species=np.concatenate([work.store.array(u, "species") for u in chunks]),
        step=frames.step[number],
        sample_names=_frame_names(p["names"], frames.file),
        provenance=origin,
    )
    return joined(work, table, descriptors)


def _frame_names(names: Sequence[str], file: NDArray[np.int64]) -> tuple[str, ...]:
    """The file's name where it has one frame, else with the number of the frame."""
    counts = np.bincount(file, minlength=len(names))
    return tuple(
        f"{name}:{k}" if n > 1 else name
        for name, n in zip(names, counts, strict=True)
        for k in range(n)
    )


def _labelled(work: Context, origin: Mapping[str, Any]) -> Table:
    """The labelled rows."""
    p = work.parameters
    with source(work.store, p["labels"]) as path:
        labels = read_table(path)
        return labelled_rows(labels, centres=p["centres"], provenance=dict(origin))


def _provenance(work: Context, descriptors: Sequence[ACEDescriptor]) -> dict[str, Any]:
    p = work.parameters
    inputs = [*zip(p["file_names"], p["files"], strict=True)]
    if p["labels"] is not None:
        inputs.append((p["labels_name"], p["labels"]))
    return {
        "amorphace": package_version(),
        "command": "amorphace describe",
        "parameters": settings_of(descriptors) | {"cutoffs": list(p["basis"]["cutoffs"])},
        "inputs": [{"name": name, "sha256": digest} for name, digest in inputs],
    }
