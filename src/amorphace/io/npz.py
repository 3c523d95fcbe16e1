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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError
from amorphace.io.columns import Columns, chosen_columns
from amorphace.io.frames import guarded, located
from amorphace.io.labels import particle_labels
from amorphace.io.text import brief, open_binary

KEYS = {"positions": "fiu", "species": "U", "cell": "fiu", "ids": "iu", "step": "iu"}
"""Kinds of numbers (numpy's dtype.kind) under each key."""
NEEDED = ("positions", "cell")
GROWTH, FREE = 100, 1 << 24
"""An array takes at most so many times the bytes of the archive, or so many bytes."""


@dataclass(frozen=True)
class NpzFrame:
    """The arrays whose keys begin with `prefix`, not yet read; see `Frame`."""

    path: Path
    archive: zipfile.ZipFile
    prefix: str

    def columns(self, names: tuple[str, ...]) -> Columns:
        """Arrays that are no part of the configuration."""
        keys = [k.removesuffix(".npy") for k in self.archive.namelist()]
        inside = [key.removeprefix(self.prefix) for key in keys if key.startswith(self.prefix)]
        chosen = chosen_columns(self.path, names, [key for key in inside if key not in KEYS])
        return {k: _array(self.path, self.archive, self.prefix + k, "fiu") for k in chosen}

    def configuration(self, species: tuple[str, ...] | None) -> Configuration:
        """The frame, read and checked."""
        path, archive, prefix = self.path, self.archive, self.prefix
        arrays = {
            key: _array(path, archive, prefix + key, kinds)
            for key, kinds in KEYS.items()
            if key in NEEDED or f"{prefix}{key}.npy" in archive.NameToInfo
        }
        labels = particle_labels(
            len(np.atleast_1d(arrays["positions"])),
            species,
            names=arrays.get("species"),
            fail=self.fail,
        )
        step = arrays.get("step", np.array(0))
        if step.shape != ():
            raise FileFormatError(path, f"{prefix}step must be one integer, got shape {step.shape}")
        with located(self.fail):
            return Configuration(
                positions=arrays["positions"],
                species=labels,
                cell=arrays["cell"],
                ids=arrays.get("ids"),
                step=int(step),
            )

    def fail(self, message: str, row: int | None = None) -> FileFormatError:
        """An error about the frame, or its particle `row`."""
        place = f"frame {self.prefix[:-1]}: " if self.prefix else ""
        where = "" if row is None else f"row {row}: "
        return FileFormatError(self.path, f"{place}{where}{message}")


@contextmanager
def npz_frames(path: Path) -> Iterator[list[NpzFrame]]:
    """The frames of an archive, read when they are asked for.

    Raises
    ------
    FileFormatError
        If the file is no such archive.
    """
    with open_binary(path) as file:
        if file.peek(6)[:6] == np.lib.format.MAGIC_PREFIX:
            raise FileFormatError(path, "is one NumPy array; expected an npz archive of several")
        with guarded(path, "is no npz archive", lambda: zipfile.ZipFile(file)) as archive:
            yield [NpzFrame(path, archive, prefix) for prefix in _prefixes(path, archive)]


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
