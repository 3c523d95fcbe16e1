"""The table on disk: a Zarr v3 group.

    GLASS.zarr              attributes: format, format_version, sample_names, species_names,
                            target_names, cutoffs, column_names, provenance
      sample particle_id species step label        (n_sites,); species: index into species_names
      targets/NAME                                 (n_sites,) float64
      columns/order  columns/z  columns/n  columns/l
      features/CUTOFF                              (n_sites, n_columns), in blocks of rows

Strings live in the attributes (plain JSON), numbers in arrays, so that any Zarr v3 reader opens
the whole of it. Every block is written, blocks of zeros too: a block that is missing is a loss,
and is reported as one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
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
from amorphace.dataset.table import Columns, Table

FORMAT = "amorphace table"
FORMAT_VERSION = 1

BLOCK_BYTES = 8 << 20
"""Size of a block of feature rows: large enough for few files, small enough to read a few rows."""

WRITES = 2
"""Blocks of features that may wait to be written."""

SITE_ROWS = 1 << 16
"""Rows in a block of the arrays that hold one number a site."""


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
            group = create_table(partial, self._sites, self._columns, self._cutoffs)
            shape = len(self._sites), len(self._columns or ())
            self._arrays = {
                c: create_features(group, c, *shape, self._dtype) for c in self._cutoffs
            }
            self._writes: deque[Future[None]] = deque()
            self._stack = stack.pop_all()
        return self

    @property
    def block_rows(self) -> int:
        """Rows in a block on disk; writing whole blocks that begin at multiples is fastest."""
        return min((a.chunks[0] for a in self._arrays.values()), default=1)

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
        if float(cutoff) not in self._arrays:
            raise InputError(f"cutoff {cutoff} is not one of the writer's, {self._cutoffs}")
        array = self._arrays[float(cutoff)]
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
            check_finite(rows, self._columns, start)
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
        """Wait for what is being written, and see that it is all."""
        while self._writes:
            self._writes.popleft().result()
        for cutoff, written in self._written.items():
            if not written.all():
                raise InputError(
                    f"{self._path}: {int((~written).sum())} rows of the features of cutoff "
                    f"{cutoff:g} were never written (first: row {np.argmin(written)}); write "
                    "every row before the writer closes"
                )


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
    group = _open(path)
    attributes = _attributes(path, group)
    try:
        names = np.array(attributes["species_names"], dtype=np.str_)
        return Table(
            sample=_column(path, group, "sample"),
            particle_id=_column(path, group, "particle_id"),
            species=names[_column(path, group, "species")],
            step=_column(path, group, "step"),
            label=_column(path, group, "label"),
            targets={
                name: _column(path, group, f"targets/{name}") for name in attributes["target_names"]
            },
            features={c: _array(path, group, f"features/{c!r}") for c in attributes["cutoffs"]},
            columns=_read_columns(path, group, attributes["column_names"]),
            sample_names=attributes["sample_names"],
            provenance=attributes["provenance"],
        )
    except FileFormatError:
        raise
    except KeyError as error:
        raise FileFormatError(path, f"the attribute {error} is missing; make it again") from None
    except (InputError, IndexError) as error:
        raise FileFormatError(path, f"the table is damaged: {error}; make it again") from None


def check_replaceable(path: str | Path, *, overwrite: bool) -> None:
    """Nothing is at `path`, or a table that may be replaced.

    Raises
    ------
    InputError
        Otherwise.
    """
    place = Path(path)
    if not place.exists():
        return
    if not overwrite:
        raise InputError(f"{path} is there already; choose another path, or ask to overwrite it")
    try:
        _attributes(path, _open(path))
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


def check_finite(rows: NDArray[Any], columns: Columns, start: int) -> None:
    """Features are numbers.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    columns : Columns
    start : int
        Row of the table at which `rows` begin.

    Raises
    ------
    InputError
        Otherwise; names column and row.
    """
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise InputError(
            f"feature {columns.names[column]} of row {start + row} is {rows[row, column]}; "
            "features must be finite numbers"
        )


def block_rows(n_sites: int, n_columns: int, dtype: np.dtype[Any]) -> int:
    """Rows in a block of the features of a table: one file of each cutoff.

    Examples
    --------
    >>> block_rows(10**6, 574, np.dtype("float64")), block_rows(10, 574, np.dtype("float64"))
    (1826, 10)
    """
    rows = max(1, BLOCK_BYTES // max(1, n_columns * dtype.itemsize))
    return min(rows, max(1, n_sites))


def create_features(
    group: zarr.Group, cutoff: float, n_sites: int, n_columns: int, dtype: np.dtype[Any]
) -> zarr.Array[Any]:
    """The array of the features of one cutoff, without its blocks."""
    rows = block_rows(n_sites, n_columns, dtype)
    return _create_array(
        group, f"features/{cutoff!r}", (n_sites, n_columns), dtype, block_rows=rows
    )


def create_table(
    path: Path, sites: Table, columns: Columns | None, cutoffs: Iterable[float]
) -> zarr.Group:
    """A group with all of a table but its features."""
    names, codes = np.unique(sites.species, return_inverse=True)
    attributes = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "sample_names": list(sites.sample_names),
        "species_names": names.tolist(),
        "target_names": list(sites.targets),
        "cutoffs": list(cutoffs),
        "column_names": None if columns is None else list(columns.names),
        "provenance": dict(sites.provenance),
    }
    group = zarr.create_group(store=path, zarr_format=3, attributes=attributes)
    arrays: dict[str, NDArray[Any]] = {
        "sample": sites.sample,
        "particle_id": sites.particle_id,
        "species": codes.astype(np.int32),
        "step": sites.step,
        "label": sites.label,
    }
    arrays |= {f"targets/{name}": value for name, value in sites.targets.items()}
    if columns is not None:
        arrays |= {f"columns/{k}": getattr(columns, k) for k in ("order", "z", "n", "l")}
    for name, value in arrays.items():
        array = _create_array(group, name, value.shape, value.dtype, block_rows=SITE_ROWS)
        array[...] = value
    return group


def _create_array(
    group: zarr.Group, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], *, block_rows: int
) -> zarr.Array[Any]:
    """An array in blocks of rows, all of which are kept on disk.

    Features (arrays of two axes of real numbers) are not compressed: the digits of a real number
    are noise, zstd makes them 4 % smaller and takes five times as long.
    """
    real = np.issubdtype(dtype, np.floating)
    rows = min(block_rows, max(1, shape[0]))
    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=(rows, *(max(1, k) for k in shape[1:])),
        compressors=None if real and len(shape) == 2 else "auto",
        fill_value=np.nan if real else 0,
        config={"write_empty_chunks": True},
    )


def _open(path: str | Path) -> zarr.Group:
    place = Path(path)
    if not place.exists():
        raise FileFormatError(path, "no such table; check the name, or make it with 'label'")
    if not (place / "zarr.json").is_file():
        raise FileFormatError(path, "not a table: a Zarr v3 group holds a file zarr.json")
    try:
        return zarr.open_group(store=place, mode="r", zarr_format=3)
    except Exception as error:  # zarr raises many kinds for a broken zarr.json
        raise FileFormatError(
            path, f"not a readable Zarr v3 group ({error}); make it again"
        ) from None


def _attributes(path: str | Path, group: zarr.Group) -> Mapping[str, Any]:
    """The group's attributes, checked to be a table's."""
    attributes = dict(group.attrs)
    if attributes.get("format") != FORMAT:
        raise FileFormatError(path, f"a Zarr group, but not one with the format {FORMAT!r}")
    if attributes.get("format_version") != FORMAT_VERSION:
        raise FileFormatError(
            path,
            f"a table of format version {attributes.get('format_version')}; this program reads "
            f"version {FORMAT_VERSION}",
        )
    return attributes


def _array(path: str | Path, group: zarr.Group, name: str) -> zarr.Array[Any]:
    """An array of the group with all its blocks on disk."""
    array = group.get(name)
    if not isinstance(array, zarr.Array):
        raise FileFormatError(path, f"the table is incomplete: {name} is missing; make it again")
    lost = array.nchunks - array.nchunks_initialized
    if lost and array.size:
        raise FileFormatError(
            path,
            f"the table is incomplete: {lost} of {array.nchunks} blocks of {name} are missing; "
            "make it again",
        )
    return array


def _column(path: str | Path, group: zarr.Group, name: str) -> NDArray[Any]:
    """An array of the group in memory."""
    return np.asarray(_array(path, group, name)[...])


def _read_columns(path: str | Path, group: zarr.Group, names: list[str] | None) -> Columns | None:
    if names is None:
        return None
    order, z, n, l = (_column(path, group, f"columns/{k}") for k in ("order", "z", "n", "l"))
    return Columns(names=tuple(names), order=order, z=z, n=n, l=l)
