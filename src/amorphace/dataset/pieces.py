"""Features of a table in pieces that separate processes write, and the table made of them.

A piece is a Zarr group with the features of a range of rows: the arrays `features/CUTOFF` of the
whole table, with the blocks of these rows alone. A range begins and ends at borders of blocks, so
that no block (one file) has two writers. The blocks of all pieces, under the names that they have,
are those of the table: it is put together by links, and nothing is computed or written again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.core.errors import InputError
from amorphace.core.sites import Sites
from amorphace.dataset.describe import describe_columns
from amorphace.dataset.store import block_rows, check_finite, create_features, create_table
from amorphace.dataset.table import Columns, Table


@dataclass(frozen=True)
class Layout:
    """How the features of a table lie on disk.

    Attributes
    ----------
    n_sites : int
    columns : Columns
    cutoffs : tuple of float
    dtype : dtype

    Examples
    --------
    >>> columns = Columns(names=["A1"], order=[1], z=[[0]], n=[[1]], l=[[0]])
    >>> layout = Layout(3_000_000, columns, (2.5,), np.dtype("float64"))
    >>> layout.block_rows, [layout.rows_of(k, 2) for k in range(2)]
    (1048576, [range(0, 1048576), range(1048576, 3000000)])
    """

    n_sites: int
    columns: Columns
    cutoffs: tuple[float, ...]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, n_sites: int, descriptors: Sequence[ACEDescriptor]) -> Layout:
        """The layout of the features of descriptors that differ in the cutoff only."""
        return cls(
            n_sites,
            describe_columns(descriptors[0]),
            tuple(float(d.cutoff) for d in descriptors),
            np.dtype(descriptors[0].dtype),
        )

    @property
    def block_rows(self) -> int:
        """Rows in a block."""
        return block_rows(self.n_sites, len(self.columns), self.dtype)

    @property
    def block_bytes(self) -> int:
        """Bytes of a block on disk; the last one is filled up."""
        return self.block_rows * len(self.columns) * self.dtype.itemsize

    def blocks_of(self, chunk: int, chunks: int) -> range:
        """The blocks of one of so many chunks, from 0; with few blocks some chunks are empty."""
        n_blocks = -(-self.n_sites // self.block_rows)
        return range(chunk * n_blocks // chunks, (chunk + 1) * n_blocks // chunks)

    def rows_of(self, chunk: int, chunks: int) -> range:
        """The rows of one of so many chunks, from 0."""
        blocks = self.blocks_of(chunk, chunks)
        first, last = (min(b * self.block_rows, self.n_sites) for b in (blocks.start, blocks.stop))
        return range(first, last)

    def create(self, group: zarr.Group) -> dict[float, zarr.Array[Any]]:
        """The arrays of all cutoffs, without their blocks."""
        return {
            c: create_features(group, c, self.n_sites, len(self.columns), self.dtype)
            for c in self.cutoffs
        }


def write_piece(
    path: Path,
    layout: Layout,
    rows: range,
    parts: Iterable[Sites],
    descriptors: Sequence[ACEDescriptor],
    *,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Compute and write the features of a range of rows; each block is written once.

    In memory are one part, and one block for each cutoff.

    Parameters
    ----------
    path : Path
        Of the piece, a Zarr group that is made.
    layout : Layout
        Of the whole table.
    rows : range
        As of `Layout.rows_of`.
    parts : iterable of Sites
        The sites of the rows in their order, those of one configuration at a time.
    descriptors : sequence of ACEDescriptor
        One for each cutoff.
    progress : callable, optional
        Called with the number of sites done since the last call, of each cutoff.

    Raises
    ------
    InputError
        As `ACEDescriptor.transform`; if a feature is not finite, or the parts do not hold as many
        sites as there are rows.
    """
    arrays = layout.create(zarr.create_group(store=path, zarr_format=3))
    buffers = {c: _Buffer(array, layout, rows) for c, array in arrays.items()}
    for sites in parts:
        for descriptor in descriptors:
            blocks = descriptor.iter_blocks(sites, block_size=layout.block_rows, in_order=True)
            for _, features in blocks:
                buffers[float(descriptor.cutoff)].add(features)
                if progress is not None:
                    progress(len(features))
    for buffer in buffers.values():
        buffer.close()


class _Buffer:
    """Rows of one cutoff on their way to disk, by whole blocks."""

    def __init__(self, array: zarr.Array[Any], layout: Layout, rows: range) -> None:
        self._array, self._layout, self._rows = array, layout, rows
        self._block = np.empty((min(layout.block_rows, len(rows)), array.shape[1]), layout.dtype)
        self._start, self._filled = rows.start, 0

    def add(self, features: NDArray[Any]) -> None:
        start = self._start + self._filled
        if start + len(features) > self._rows.stop:
            raise InputError(f"more sites than rows {self._rows.start} to {self._rows.stop - 1}")
        check_finite(features, self._layout.columns, start)
        while len(features):
            taken = min(len(features), len(self._block) - self._filled)
            self._block[self._filled : self._filled + taken] = features[:taken]
            self._filled += taken
            features = features[taken:]
            if self._filled == len(self._block):
                self._flush()

    def close(self) -> None:
        self._flush()
        if self._start != self._rows.stop:
            raise InputError(
                f"{self._start - self._rows.start} sites for the rows {self._rows.start} to "
                f"{self._rows.stop - 1}"
            )

    def _flush(self) -> None:
        if self._filled:
            stop = self._start + self._filled
            self._array[self._start : stop] = self._block[: self._filled]
            self._start, self._filled = stop, 0


def join_pieces(path: Path, sites: Table, layout: Layout, pieces: Sequence[Path]) -> None:
    """The table whose features are in pieces: their files, linked, or copied where that fails.

    Parameters
    ----------
    path : Path
        Of the table, a Zarr group that is made.
    sites : Table
        All that is known of the sites but their features.
    layout : Layout
    pieces : sequence of Path
        Chunk 0, chunk 1, ..., as `write_piece` made them.

    Raises
    ------
    InputError
        If a block is missing or is not as long as it should be.
    """
    arrays = layout.create(create_table(path, sites, layout.columns, layout.cutoffs))
    for cutoff, array in arrays.items():
        folder = f"features/{cutoff!r}"
        for piece, name in _block_names(array, layout, pieces):
            block = piece / folder / name
            if not block.is_file() or block.stat().st_size != layout.block_bytes:
                raise InputError(
                    f"{block}: a block of {layout.block_bytes} bytes was expected; remove this "
                    "piece and make it again"
                )
            target = path / folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(block, target)
        if array.nchunks_initialized != array.nchunks:
            raise InputError(
                f"{path}: {array.nchunks - array.nchunks_initialized} of {array.nchunks} blocks "
                f"of {folder} are in no piece; give all pieces of the table"
            )


def _block_names(
    array: zarr.Array[Any], layout: Layout, pieces: Sequence[Path]
) -> Iterator[tuple[Path, str]]:
    """The file of each block, and the piece that holds it."""
    encode = array.metadata.encode_chunk_key
    for k, piece in enumerate(pieces):
        for block in layout.blocks_of(k, len(pieces)):
            yield piece, encode((block, 0))


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under another name, or, on file systems without hard links, a copy."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(source, target)
