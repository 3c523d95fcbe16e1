"""The C++ evaluation of D2min; d2min.py is its Python face."""

from typing import Any

from numpy import float64, floating, int64
from numpy.typing import NDArray

from amorphace.core._cells import CellGrid

def d2min(
    grid: CellGrid,
    sites: NDArray[int64],
    u: NDArray[float64],
    F: NDArray[float64],
    reduced_cell: NDArray[float64],
    inverse: NDArray[floating[Any]],
    safe: float,
    coincident: float,
    normalize: bool,
    n_threads: int,
) -> tuple[NDArray[float64], NDArray[float64], int]: ...
