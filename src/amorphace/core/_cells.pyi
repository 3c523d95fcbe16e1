"""The list of cells; neighbors.py is its Python face."""

from numpy import float64, int32, int64
from numpy.typing import NDArray

class CellGrid:
    def __init__(
        self,
        positions: NDArray[float64],
        species: NDArray[int32],
        n_species: int,
        cell: NDArray[float64],
        cutoff: float,
    ) -> None: ...
    def by_cell(self, sites: NDArray[int64]) -> NDArray[int64]: ...
    def pairs(
        self, sites: NDArray[int64], coincident: float
    ) -> tuple[NDArray[int64], NDArray[int64], NDArray[float64], NDArray[float64], int]: ...
