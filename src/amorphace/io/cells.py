"""The one orientation of a cell that LAMMPS and HOOMD can write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import InputError

ROUNDING = 1e-12
"""A component of a cell vector below this fraction of its length is a rounded zero."""


def oriented_cell(cell: NDArray[np.float64], path: Path) -> NDArray[np.float64]:
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
            f"{path}: the cell {cell.tolist()} cannot be written in this format, which needs a "
            "along +x, b in the xy plane with y > 0, and c with z > 0; rotate it, or write .xyz, "
            "which takes any cell"
        )
    return lower
