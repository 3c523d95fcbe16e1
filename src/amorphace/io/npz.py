"""NumPy archives, without pickle; exact in both directions.

Keys of a file with one configuration:

    positions    float64 (n, 3), in units of sigma, corner of the cell at the origin
    species      str (n,), labels
    cell         float64 (3, 3), rows are the cell vectors
    ids          int64 (n,)
    step         int64 ()
    NAME         int64 or float64 (n,), a further column

A trajectory has the same keys behind the number of the frame: "0/positions", "1/positions", ...
Where species, ids or step are missing, the particles are all of one species, are numbered 1, 2,
..., and the step is 0.
"""

from __future__ import annotations

import math
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError
from amorphace.io.columns import Columns, chosen_columns
from amorphace.io.frames import guarded, located, no_such_frame
from amorphace.io.labels import particle_labels
from amorphace.io.text import brief, open_binary

KEYS = {"positions": "fiu", "species": "U", "cell": "fiu", "ids": "iu", "step": "iu"}
"""Kinds of numbers (numpy's dtype.kind) under each key."""
NEEDED = ("positions", "cell")
GROWTH, FREE = 100, 1 << 24
"""An array takes at most so many times the bytes of the archive, or so many bytes."""


def iread_npz(path: Path, species: tuple[str, ...] | None) -> Iterator[Configuration]:
    """The frames of an archive, one at a time.

    Raises
    ------
    FileFormatError
        If the file is no such archive.
    """
    with _opened(path) as archive:
        for prefix in _prefixes(path, archive):
            yield _configuration(path, archive, prefix, species)


def read_npz(path: Path, species: tuple[str, ...] | None, frame: int) -> Configuration:
    """One frame of an archive.

    Raises
    ------
    FileFormatError
        If the file is no such archive, or holds fewer frames.
    """
    with _opened(path) as archive:
        prefixes = _prefixes(path, archive)
        if not -len(prefixes) <= frame < len(prefixes):
            raise no_such_frame(path, frame, len(prefixes))
        return _configuration(path, archive, prefixes[frame], species)


def npz_columns(path: Path, names: tuple[str, ...], frame: int) -> Columns:
    """Columns of one frame of an archive; all further ones if none is named.

    Raises
    ------
    FileFormatError
        If a column is not there or holds no numbers, or as `read_npz`.
    """
    with _opened(path) as archive:
        prefixes = _prefixes(path, archive)
        if not -len(prefixes) <= frame < len(prefixes):
            raise no_such_frame(path, frame, len(prefixes))
        prefix = prefixes[frame]
        keys = [k.removesuffix(".npy") for k in archive.namelist() if k.startswith(prefix)]
        held = [key.removeprefix(prefix) for key in keys if key.removeprefix(prefix) not in KEYS]
        chosen = chosen_columns(path, names, held)
        return {name: _array(path, archive, prefix + name, "fiu") for name in chosen}


def write_npz(
    path: Path, configurations: Iterable[Configuration], columns: Columns, *, single: bool
) -> None:
    """Write the arrays of each configuration; `single` leaves out the number of the frame."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for k, c in enumerate(configurations):
            arrays = {
                "positions": c.positions,
                "species": c.species,
                "cell": c.cell,
                "ids": c.ids,
                "step": np.int64(c.step),
                **columns,
            }
            for name, array in arrays.items():
                member = f"{name}.npy" if single else f"{k}/{name}.npy"
                with archive.open(member, "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with open_binary(path) as file:
        if file.peek(6)[:6] == np.lib.format.MAGIC_PREFIX:
            raise FileFormatError(path, "is one NumPy array; expected an npz archive of several")
        with guarded(path, "is no npz archive", lambda: zipfile.ZipFile(file)) as archive:
            yield archive


def _prefixes(path: Path, archive: zipfile.ZipFile) -> list[str]:
    """What stands before the keys of each frame."""
    keys = {name.removesuffix(".npy") for name in archive.namelist()}
    if "positions" in keys:
        return [""]
    frames = sum(key.endswith("/positions") for key in keys)
    prefixes = [f"{k}/" for k in range(frames)]
    if not frames or not all(f"{prefix}positions" in keys for prefix in prefixes):
        raise FileFormatError(
            path,
            f"expected the keys {', '.join(KEYS)}, or 0/positions and so on for a trajectory, "
            f"got {brief(', '.join(sorted(keys)[:8])) or 'none'}",
        )
    return prefixes


def _configuration(
    path: Path, archive: zipfile.ZipFile, prefix: str, species: tuple[str, ...] | None
) -> Configuration:
    arrays = {
        key: _array(path, archive, prefix + key, kinds)
        for key, kinds in KEYS.items()
        if key in NEEDED or f"{prefix}{key}.npy" in archive.NameToInfo
    }

    def fail(message: str, row: int | None = None) -> FileFormatError:
        place = f"frame {prefix[:-1]}: " if prefix else ""
        return FileFormatError(path, f"{place}{'' if row is None else f'row {row}: '}{message}")

    labels = particle_labels(
        len(np.atleast_1d(arrays["positions"])), species, names=arrays.get("species"), fail=fail
    )
    step = arrays.get("step", np.array(0))
    if step.shape != ():
        raise FileFormatError(path, f"{prefix}step must be one integer, got shape {step.shape}")
    with located(fail):
        return Configuration(
            positions=arrays["positions"],
            species=labels,
            cell=arrays["cell"],
            ids=arrays.get("ids"),
            step=int(step),
        )


def _array(path: Path, archive: zipfile.ZipFile, key: str, kinds: str) -> NDArray[Any]:
    member = archive.NameToInfo.get(f"{key}.npy")
    if member is None:
        raise FileFormatError(path, f"has no key {key}; expected {', '.join(KEYS)}")
    broken = f"{key} is no plain array"
    shape, dtype = guarded(path, broken, lambda: _header(archive, member))
    if dtype.kind not in kinds:
        wanted = {"U": "text", "iu": "integers"}.get(kinds, "numbers")
        raise FileFormatError(path, f"{key} must hold {wanted}, got dtype {brief(dtype)}")
    size = math.prod(shape) * dtype.itemsize
    if size > max(FREE, GROWTH * path.stat().st_size):
        raise FileFormatError(
            path,
            f"{key} claims {size:.3g} bytes, more than {GROWTH} times those of the file; it is "
            "damaged, make it again",
        )
    found = guarded(path, broken, lambda: _content(archive, member))
    if dtype.kind == "U" and found.size and dtype.itemsize:
        letters = found.reshape(-1).view(np.dtype(np.uint32).newbyteorder(dtype.byteorder))
        if letters.max() > sys.maxunicode:
            raise FileFormatError(path, f"{key} holds what is no text; the file is damaged")
    return found


def _header(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of an array."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        return shape, dtype


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
        if file.read(1):
            raise ValueError("bytes follow the array")
        return array
