"""Arrays and cells that are given, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import InputError

FLAT_CELL = 1e-9
"""A cell with |volume| below this fraction of |a||b||c| spans no volume."""

FAR = 1e8
"""Cells; a coordinate farther away is rounded by more than 1e-8 of the cell, which moves particles
by as much as separates two that lie on top of each other."""

MANY, EDGE = 30, 1e-7
"""Particles that show how a cell is meant, and how far outside (in cells) they count as inside."""


def host_array(values: Any) -> NDArray[np.float64]:
    """Numbers on the host as float64, from a tensor of torch or an array of CuPy too."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    elif hasattr(values, "__cuda_array_interface__"):
        values = values.get()
    return np.array(values, dtype=np.float64, order="C")


def check_resolved(
    positions: NDArray[np.float64], cell: NDArray[np.float64], ids: NDArray[np.int64]
) -> None:
    """Raise InputError where rounding of a coordinate is not small against the cell, or where the
    cell's vectors are its columns: only then does it hold all particles, and as rows it does not.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        s = positions @ np.linalg.inv(cell)
    if not (np.abs(s) <= FAR).all():
        away = np.abs(s).max(axis=1)
        k = np.flatnonzero(~(away <= FAR))[0]
        raise InputError(
            f"the position of particle id {ids[k]} (row {k}) is {positions[k]}, about "
            f"{away[k]:.2g} cells away: at most {FAR:.0e} can be resolved; wrap the positions, or "
            "check the cell and the units"
        )
    outside = len(s) >= MANY and not np.array_equal(cell, cell.T) and not _within(s)
    if outside and _within(positions @ np.linalg.inv(cell.T)):
        raise InputError(
            f"the cell {cell.tolist()} holds all particles if its vectors are the columns, and not "
            "if they are the rows, as is expected here: give its transpose"
        )


def _within(s: NDArray[np.float64]) -> bool:
    return bool((s > -EDGE).all() and (s < 1 + EDGE).all())


def cell_heights(cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances between opposite faces of a cell, shape (3,)."""
    return 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)


def cell_rows(cell: ArrayLike) -> NDArray[np.float64]:
    """Cell vectors as rows, shape (3, 3), checked."""
    h = np.array(cell, dtype=np.float64)
    if h.shape in ((), (3,)):
        h = np.diag(np.broadcast_to(h, 3)).copy()
    if h.shape != (3, 3):
        raise InputError(f"cell must have shape (3, 3), (3,) or (), got {h.shape}")
    lengths = np.linalg.norm(h, axis=1)
    if not np.isfinite(h).all() or not abs(np.linalg.det(h)) > FLAT_CELL * lengths.prod():
        raise InputError(
            f"the cell {h.tolist()} is degenerate: its three vectors must be finite and span "
            "a volume"
        )
    return h
