"""The table on disk: a Zarr v3 group.

    GLASS.zarr              attributes: format, format_version, sample_names, species_names,
                            target_names, cutoffs, column_names, provenance, arrays, blocks, digest
      sample particle_id species step label        (n_sites,); species: index into species_names
      targets/NAME                                 (n_sites,) float64
      positions                                    (n_sites, 3) float32, where they are known
      columns/order  columns/z  columns/n  columns/l
      features/CUTOFF                              (n_sites, n_columns), in blocks of rows

Strings live in the attributes (plain JSON), numbers in arrays, so that any Zarr v3 reader opens
the whole of it. Every block is written, blocks of zeros too: a block that is missing is a loss,
and is reported as one. Every block ends with a checksum; `arrays` holds the SHA-256 of each
array's zarr.json, `blocks` that of its checksums in their order, and `digest` that of all other
attributes, so that a changed bit or an exchanged block is noticed. Tables of format version 1 have
none of these.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import zarr
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import FileFormatError, InputError
from amorphace.core.files import written_aside
from amorphace.core.owned import check_free
from amorphace.dataset.arrays import (
    AGAIN,
    StoredArray,
    blocks_digest,
    create_array,
    create_features,
    metadata_digest,
)
from amorphace.dataset.head import TableHead, read_head
from amorphace.dataset.table import SITE_FIELDS, Columns, Table, check_target_name

WRITES = 2
"""Blocks of features that may wait to be written."""

SITE_ROWS = 1 << 16
"""Rows in a block of the arrays that hold one number a site."""

COLUMN_ARRAYS = ("order", "z", "n", "l")


class TableWriter(AbstractContextManager["TableWriter"]):
    """Writes a table whose features never need to be in memory at once.

    The store appears under its name, whole, when the block ends; an exception or Ctrl-C leaves
    nothing behind.

    Parameters
    ----------
    path : str or Path
        Where the store will be; customarily NAME.zarr.
    sites : Table
        All that is known of the sites but their features.
    columns : Columns
        What the columns of the features are.
    cutoffs : iterable of float
        For which there will be features, in units of sigma.
    dtype : dtype-like
        float64 or float32.
    overwrite : bool
        Whether a table that is already at `path` is replaced; nothing else ever is.

    Raises
    ------
    InputError
        If there is something at `path` that may not be replaced, `sites` holds features, or a
        cutoff repeats.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> sites = Table(sample=[0, 0], particle_id=[1, 2], species=["A", "A"], sample_names=["s"])
    >>> columns = Columns(names=["A1"], order=[1], z=[[0]], n=[[1]], l=[[0]])
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "glass.zarr")
    ...     with TableWriter(path, sites, columns=columns, cutoffs=[2.5]) as writer:
    ...         for row in range(2):
    ...             writer.write_features(2.5, row, [[row - 7.0]])
    ...     read_table(path).feature_rows(2.5)
    array([[-7.], [-6.]])
    """

    def __init__(
        self,
        path: str | Path,
        sites: Table,
        *,
        columns: Columns | None,
        cutoffs: Iterable[float],
        dtype: Any = np.float64,
        overwrite: bool = False,
    ) -> None:
        self._cutoffs = tuple(float(c) for c in cutoffs)
        if len(set(self._cutoffs)) != len(self._cutoffs):
            raise InputError(f"cutoffs must differ, got {self._cutoffs}")
        if sites.features:
            raise InputError("the sites of a TableWriter hold no features; it writes them itself")
        if self._cutoffs and columns is None:
            raise InputError("features need `columns`, which say what they are")
        check_replaceable(path, overwrite=overwrite)
        self._path, self._sites, self._columns = Path(path), sites, columns
        self._dtype = np.dtype(dtype)
        self._written = {c: np.zeros(len(sites), dtype=bool) for c in self._cutoffs}

    def __enter__(self) -> TableWriter:
        with ExitStack() as stack:
            partial = stack.enter_context(written_aside(self._path, folder=True))
            self._thread = stack.enter_context(ThreadPoolExecutor(1))
            self._folder, self._group = partial, zarr.create_group(store=partial, zarr_format=3)
            shape = len(self._sites), len(self._columns or ())
            self._features = {
                c: create_features(self._group, c, *shape, self._dtype) for c in self._cutoffs
            }
            self._writes: deque[Future[None]] = deque()
            self._stack = stack.pop_all()
        return self

    @property
    def block_rows(self) -> int:
        """Rows in a block on disk; writing whole blocks that begin at multiples is fastest."""
        return min((a.chunks[0] for a in self._features.values()), default=1)

    def write_features(self, cutoff: float, start: int, block: ArrayLike) -> None:
        """Write the rows `start`, `start` + 1, ... of one cutoff, while the caller goes on.

        Parameters
        ----------
        cutoff : float
            In units of sigma; one of those the writer was made with.
        start : int
        block : array_like of shape (n_rows, n_columns)

        Raises
        ------
        InputError
            If the block does not fit the table or holds a value that is not finite.
        """
        if float(cutoff) not in self._features:
            raise InputError(f"cutoff {cutoff} is not one of the writer's, {self._cutoffs}")
        array = self._features[float(cutoff)]
        rows = np.array(block, dtype=self._dtype)  # a copy: the caller's may change meanwhile
        stop = start + len(rows)
        if (
            rows.ndim != 2
            or rows.shape[1] != array.shape[1]
            or not 0 <= start <= stop <= len(self._sites)
        ):
            raise InputError(
                f"a block of shape {rows.shape} at row {start} does not fit features of shape "
                f"{array.shape}"
            )
        if self._columns is not None:
            _check_finite(rows, self._columns, start)
        if len(rows):
            # in a thread: while the caller computes the next ones, and Ctrl-C leaves a write that
            # is waited for before the folder goes
            if len(self._writes) == WRITES:
                self._writes.popleft().result()
            self._writes.append(self._thread.submit(array.__setitem__, slice(start, stop), rows))
        self._written[float(cutoff)][start:stop] = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._stack.callback(self._complete)  # called first: the last in the stack
        self._stack.__exit__(kind, error, traceback)

    def _complete(self) -> None:
        """Wait for what is being written, see that it is all, and write all that is small."""
        while self._writes:
            self._writes.popleft().result()
        for cutoff, written in self._written.items():
            if not written.all():
                raise InputError(
                    f"{self._path}: {int((~written).sum())} rows of the features of cutoff "
                    f"{cutoff:g} were never written (first: row {np.argmin(written)}); write "
                    "every row before the writer closes"
                )
        sites, columns = self._sites, self._columns
        names, codes = np.unique(sites.species, return_inverse=True)
        small: dict[str, NDArray[Any]] = {name: getattr(sites, name) for name in SITE_FIELDS}
        small |= {"species": codes.astype(np.int32)}
        small |= {f"targets/{name}": value for name, value in sites.targets.items()}
        if sites.positions is not None:
            small["positions"] = sites.positions
        if columns is not None:
            small |= {f"columns/{k}": getattr(columns, k) for k in COLUMN_ARRAYS}
        arrays = list(self._features.values())
        for name, value in small.items():
            array = create_array(self._group, name, value.shape, value.dtype, block_rows=SITE_ROWS)
            array[...] = value
            arrays.append(array)
        head = TableHead(
            sample_names=sites.sample_names,
            species_names=tuple(names.tolist()),
            target_names=tuple(sites.targets),
            cutoffs=self._cutoffs,
            column_names=None if columns is None else columns.names,
            provenance=sites.provenance,
            arrays={array.path: metadata_digest(self._folder, array.path) for array in arrays},
            blocks={array.path: blocks_digest(self._folder, array) for array in arrays},
        )
        self._group.attrs.put(head.attributes())


def write_table(path: str | Path, table: Table, *, overwrite: bool = False) -> None:
    """Write a table as a Zarr v3 group, whole or not at all.

    Parameters
    ----------
    path : str or Path
    table : Table
        Features on disk are copied block by block.
    overwrite : bool
        Whether a table that is already at `path` is replaced; nothing else ever is.

    Raises
    ------
    InputError
        If there is something at `path` that may not be replaced.
    """
    sites = table.without_features()
    dtypes = [array.dtype for array in table.features.values()]
    writer = TableWriter(
        path,
        sites,
        columns=table.columns,
        cutoffs=table.cutoffs,
        dtype=np.result_type(*dtypes) if dtypes else np.float64,
        overwrite=overwrite,
    )
    with writer:
        for cutoff in table.cutoffs:
            start = 0
            for block in table.feature_blocks(cutoff, writer.block_rows):
                writer.write_features(cutoff, start, block)
                start += len(block)


def read_table(path: str | Path) -> Table:
    """Read a table; its features stay on disk until rows are asked for.

    Raises
    ------
    FileFormatError
        If there is no store, it is not a table, or parts of it are missing.
    """
    head = read_head(path)

    told = head.arrays, head.blocks

    def stored(name: str) -> StoredArray:
        digests = (known if known is None else known.get(name, "") for known in told)
        return StoredArray(path, name, *digests)

    try:
        for name in head.target_names:
            check_target_name(name)
        columns = None
        if head.column_names is not None:
            order, z, n, l = (stored(f"columns/{k}")[:] for k in COLUMN_ARRAYS)
            columns = Columns(names=head.column_names, order=order, z=z, n=n, l=l)
        site = {name: stored(name)[:] for name in SITE_FIELDS}
        site["species"] = _chosen(np.array(head.species_names, dtype=np.str_), site["species"])
        return Table(
            **site,
            targets={name: stored(f"targets/{name}")[:] for name in head.target_names},
            features={c: stored(f"features/{c!r}") for c in head.cutoffs},
            columns=columns,
            positions=stored("positions")[:] if "positions" in (head.arrays or {}) else None,
            sample_names=head.sample_names,
            provenance=head.provenance,
        )
    except FileFormatError:
        raise
    except InputError as error:
        raise FileFormatError(path, f"the table is damaged: {error}; {AGAIN}") from None


def _chosen(names: NDArray[np.str_], codes: NDArray[Any]) -> NDArray[np.str_]:
    """The species of sites."""
    if codes.size and not (codes.min() >= 0 and codes.max() < len(names)):
        raise InputError(f"a species has no name: species_names holds {len(names)} names")
    return names[codes]


def check_replaceable(
    path: str | Path, *, overwrite: bool, inputs: Iterable[str | Path] = ()
) -> None:
    """Nothing is at `path`, or a table that may be replaced, and is none of the inputs.

    Raises
    ------
    InputError
        Otherwise.
    """
    check_free(path, overwrite=overwrite, inputs=inputs)
    place = Path(path)
    if not place.exists():
        return
    try:
        read_head(path)
    except FileFormatError as error:
        raise InputError(
            f"{error}. Only tables are overwritten; choose another path, or remove it yourself"
        ) from None
    for file in place.rglob("*"):
        # zarr.json, ARRAY/zarr.json, and blocks ARRAY/c/0/1
        if not (
            file.is_dir() or file.name == "zarr.json" or "c" in file.relative_to(place).parts[:-1]
        ):
            raise InputError(
                f"{path} is a table, but {file.relative_to(place)} in it is no part of one and "
                "would be lost; move it away, or choose another path"
            )


def _check_finite(rows: NDArray[Any], columns: Columns, start: int) -> None:
    """Features, of the rows from `start`, are numbers."""
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise InputError(
            f"feature {columns.names[column]} of row {start + row} is {rows[row, column]}; "
            "features must be finite numbers"
        )
