"""Cells of LAMMPS and HOOMD: their one orientation, particles inside them, the box of a dump."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError, InputError
from amorphace.io.table import numbers
from amorphace.io.text import shown

ROUNDING = 1e-12
"""A component of a cell vector below this fraction of its length is a rounded zero."""
FARTHEST = 512
"""Cells away at which image flags of LAMMPS' usual build begin anew."""


def oriented_cell(cell: NDArray[np.float64], subject: object) -> NDArray[np.float64]:
    """The cell vectors as rows, shape (3, 3), with a along x and b in the xy plane.

    Raises
    ------
    InputError
        If the cell is oriented otherwise, by more than rounding.
    """
    lower = np.tril(cell)
    lengths = np.linalg.norm(cell, axis=1, keepdims=True)
    if (np.abs(cell - lower) > ROUNDING * lengths).any() or (np.diag(cell) <= 0).any():
        raise InputError(
            f"{subject}: the cell {cell.tolist()} must have a along +x, b in the xy plane with "
            "y > 0, and c with z > 0; rotate the configuration"
            f"{', or write .xyz, which takes any cell' if isinstance(subject, Path) else ''}"
        )
    return lower


def inside_cell(configuration: Configuration) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Positions inside the cell, shape (n, 3), and the cell vectors taken off, shape (n, 3).

    Raises
    ------
    InputError
        If a particle is farther away than LAMMPS counts.
    """
    turns = np.floor(configuration.fractional()).astype(np.int64)
    if len(far := np.flatnonzero(np.abs(turns).max(axis=1, initial=0) >= FARTHEST)):
        raise InputError(
            f"particle id {configuration.ids[far[0]]} lies {np.abs(turns[far[0]]).max()} cells "
            f"away, LAMMPS counts less than {FARTHEST}: wrap the positions into the cell"
        )
    return configuration.positions - turns @ configuration.cell, turns


def read_box(
    path: Path, heading: int, words: list[str], rows: list[bytes]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cell vectors as rows, shape (3, 3), and the corner they start from, shape (3,).

    Parameters
    ----------
    path : Path
    heading : int
        Number of the line ITEM: BOX BOUNDS.
    words : list of str
        What follows in it.
    rows : list of bytes
        The three lines after it.

    Raises
    ------
    FileFormatError
        If they are no periodic box; names the line.
    """
    shape = [word for word in words if not set(word) <= set("pfsm")]
    flags = [word for word in words if set(word) <= set("pfsm")]
    widths = {(): 2, ("xy", "xz", "yz"): 3, ("abc", "origin"): 4}
    if len(flags) not in (0, 3) or tuple(shape) not in widths or words != shape + flags:
        raise FileFormatError(
            path,
            "expected ITEM: BOX BOUNDS, then nothing, xy xz yz or abc origin, then three flags "
            f"such as pp, got {' '.join(words)}",
            heading,
        )
    if not set("".join(flags)) <= {"p"}:
        raise FileFormatError(
            path,
            f"the boundaries are {' '.join(flags)}: only periodic boxes (pp pp pp) are supported",
            heading,
        )
    width = widths[tuple(shape)]
    box = np.array([_box_row(path, heading + k, row, width) for k, row in enumerate(rows, 1)])
    if width == 4:  # rows "ax ay az ox", "bx by bz oy", "cx cy cz oz"
        return box[:, :3], box[:, 3]
    return _bounded(path, heading, box)


def _box_row(path: Path, line: int, row: bytes, width: int) -> NDArray[np.float64]:
    values = numbers(row.split())
    if values is None or len(values) != width:
        raise FileFormatError(
            path, f"the box bounds must be {width} finite numbers, got {shown(row)}", line
        )
    return values


def _bounded(
    path: Path, heading: int, box: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows "lo hi tilt" of the bounding box; the tilts are xy, xz, yz."""
    xy, xz, yz = box[:, 2] if box.shape[1] == 3 else (0.0, 0.0, 0.0)
    x, y = (0.0, xy, xz, xy + xz), (0.0, yz)
    with np.errstate(over="ignore", invalid="ignore"):  # an infinite box is found below
        lo = box[:, 0] - (min(x), min(y), 0.0)
        hi = box[:, 1] - (max(x), max(y), 0.0)
        lx, ly, lz = hi - lo
    flat = np.flatnonzero(~(hi > lo))
    if len(flat):
        axis = int(flat[0])
        raise FileFormatError(
            path,
            f"the box has no extent along {'xyz'[axis]}: it goes from {lo[axis]} to {hi[axis]}",
            heading + 1 + axis,
        )
    return np.array([[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]]), lo
