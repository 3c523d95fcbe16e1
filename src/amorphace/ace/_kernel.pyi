"""The C++ evaluation of the cluster expansion; evaluator.py is its Python face."""

from typing import Any

from numpy.typing import NDArray

from amorphace.core._cells import CellGrid

compiler: str
stages: tuple[str, ...]

class Plan:
    def __init__(
        self,
        arrays: dict[str, NDArray[Any]],
        n_species: int,
        n_columns: int,
        n_values: int,
        n_slots: int,
        cutoff: float,
        scale: float,
        a: float,
        y_cut: float,
    ) -> None: ...

def evaluate64(
    plan: Plan,
    grid: CellGrid,
    sites: NDArray[Any],
    rows: NDArray[Any],
    out: NDArray[Any],
    n_threads: int,
    coincident: float,
    name: str,
    measure: bool,
) -> tuple[int, list[float]]: ...
def evaluate32(
    plan: Plan,
    grid: CellGrid,
    sites: NDArray[Any],
    rows: NDArray[Any],
    out: NDArray[Any],
    n_threads: int,
    coincident: float,
    name: str,
    measure: bool,
) -> tuple[int, list[float]]: ...
def peak(name: str, wide: bool) -> float: ...
def backends() -> list[str]: ...
