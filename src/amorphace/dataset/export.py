"""The table as npz and as CSV, for programs that do not read Zarr."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.files import text_written_aside, written_aside
from amorphace.dataset.table import SITE_FIELDS, Table

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingImports]


def export_npz(path: str | Path, table: Table) -> None:
    """Write a table as a numpy archive; `numpy.load` reads it without pickle.

    Its keys are sample, particle_id, species, step, label, target_NAME, features_CUTOFF,
    columns_names, columns_order, columns_z, columns_n, columns_l, sample_names and provenance
    (a JSON text). Features pass through memory block by block, and equal tables give equal bytes.

    Parameters
    ----------
    path : str or Path
        The file appears whole or not at all; one that is there is replaced.
    table : Table
    """
    with written_aside(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name in SITE_FIELDS:
            _add(archive, name, getattr(table, name))
        for name, value in table.targets.items():
            _add(archive, f"target_{name}", value)
        for cutoff, value in table.features.items():
            shape = (len(table), len(table.columns or ()))
            blocks = table.feature_blocks(cutoff)
            _add_blocks(archive, f"features_{cutoff!r}", value.dtype, shape, blocks)
        if table.columns is not None:
            _add(archive, "columns_names", np.array(table.columns.names, dtype=np.str_))
            for name in ("order", "z", "n", "l"):
                _add(archive, f"columns_{name}", getattr(table.columns, name))
        _add(archive, "sample_names", np.array(table.sample_names, dtype=np.str_))
        text = json.dumps(table.provenance, sort_keys=True, ensure_ascii=False)
        _add(archive, "provenance", np.array(text))


def export_csv(path: str | Path, table: Table, *, cutoff: float | None = None) -> None:
    """Write a table as CSV: one line a site, after one line of names.

    Numbers are written so that reading them gives the same float64. The columns are sample
    (its name), particle_id, species, step, label, the targets and, for a `cutoff`, the features
    under their names.

    Parameters
    ----------
    path : str or Path
        The file appears whole or not at all; one that is there is replaced.
    table : Table
    cutoff : float, optional
        Whose features are written, in units of sigma; none when left out.

    Raises
    ------
    InputError
        If the table holds no features of that cutoff.
    """
    if cutoff is not None:
        table.feature_rows(cutoff, slice(0, 0))
    names = () if cutoff is None or table.columns is None else table.columns.names
    columns = _site_columns(table)
    with text_written_aside(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*columns, *names])
        for start in range(0, len(table), 1024):
            part = slice(start, start + 1024)
            site = zip(*(c[part].tolist() for c in columns.values()), strict=True)
            if cutoff is None:
                writer.writerows(site)
            else:
                features = table.feature_rows(cutoff, part).tolist()
                writer.writerows((*s, *f) for s, f in zip(site, features, strict=True))


def to_pandas(table: Table, *, cutoff: float | None = None) -> DataFrame:
    """A table as a pandas.DataFrame, with the columns of `export_csv`.

    Parameters
    ----------
    table : Table
    cutoff : float, optional
        Whose features become columns too, in units of sigma; none when left out.

    Raises
    ------
    ImportError
        If pandas is not installed.
    InputError
        If the table holds no features of that cutoff.
    """
    try:
        from pandas import DataFrame, concat  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ImportError("to_pandas needs the package pandas: pip install pandas") from None

    sites = DataFrame(_site_columns(table))
    if cutoff is None or table.columns is None:
        return sites
    features = DataFrame(table.feature_rows(cutoff), columns=list(table.columns.names))
    return concat([sites, features], axis=1)


def _site_columns(table: Table) -> dict[str, NDArray[Any]]:
    """What is known of the sites but for their features, by name."""
    sample = np.array(table.sample_names, dtype=np.str_)[table.sample]
    fields = {name: getattr(table, name) for name in SITE_FIELDS[1:]}
    return {"sample": sample} | fields | dict(table.targets)


def _add(archive: zipfile.ZipFile, name: str, value: NDArray[Any]) -> None:
    _add_blocks(archive, name, value.dtype, value.shape, [value])


def _add_blocks(
    archive: zipfile.ZipFile,
    name: str,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    blocks: Iterable[NDArray[Any]],
) -> None:
    """One array of the archive. (ZipFile.open by name dates every member 1980.)"""
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
        np.lib.format.write_array_header_2_0(stream, header)
        for block in blocks:
            stream.write(np.ascontiguousarray(block, dtype=dtype).tobytes())
