"""The kernel's Python face: one configuration, any of its sites."""

from __future__ import annotations

import atexit
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.ace import _kernel
from amorphace.ace.basis import Basis
from amorphace.ace.plan import build_plan
from amorphace.ace.radial import RadialBasis
from amorphace.core.configuration import Configuration
from amorphace.core.errors import AmorphaceError, InputError
from amorphace.core.neighbors import COINCIDENT, cell_grid, touching_error

STAGES: tuple[str, ...] = tuple(_kernel.stages)
MAX_L = 24


def backends() -> list[str]:
    """Builds of the kernel that this processor can run, the chosen one first."""
    return _kernel.backends()


def compiler() -> str:
    """The compiler's version."""
    return _kernel.compiler


def peak_rate(dtype: str = "float64") -> float:
    """Measured multiply-adds of one thread, in 1e9 floating-point operations a second."""
    return _kernel.peak("", dtype == "float64")


@lru_cache(maxsize=64)
def _kernel_plan(basis: Basis, radial: RadialBasis, purify: bool) -> Any:
    if basis.l_max > MAX_L:
        raise InputError(
            f"max_degree {basis.max_degree} needs angular degrees up to {basis.l_max}; at most "
            f"{MAX_L} are possible: lower max_degree or raise degree_weight"
        )
    plan = build_plan(basis, purify)
    return _kernel.Plan(
        plan.arrays(),
        plan.n_species,
        plan.n_columns,
        plan.n_values,
        plan.n_slots,
        radial.cutoff,
        radial.scale,
        radial.a,
        float(radial.y_cut),
    )


atexit.register(_kernel_plan.cache_clear)  # plans must end before the kernel that made them


class Evaluator:
    """Features of the sites of one configuration; the cell grid is built once.

    Parameters
    ----------
    basis : Basis
    radial : RadialBasis
    configuration : Configuration
    species : ndarray of int of shape (n_particles,)
        Species index of every particle.
    purify : bool
    n_threads : int
    backend : str
        Name of a build (see `backends`); the best one when empty.
    measure : bool
        Add up the time of each stage, over all threads, in `seconds`.

    Raises
    ------
    InputError
        If the cutoff spans too many neighbours (see `check_reach`).
    """

    def __init__(
        self,
        basis: Basis,
        radial: RadialBasis,
        configuration: Configuration,
        species: NDArray[np.int64],
        *,
        purify: bool = True,
        n_threads: int = 1,
        backend: str = "",
        measure: bool = False,
    ) -> None:
        self.configuration = configuration
        self.cutoff = radial.cutoff
        self.n_threads = n_threads
        self.backend = backend
        self.measure = measure
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._plan = _kernel_plan(basis, radial, purify)
        self._grid = cell_grid(configuration, radial.cutoff, species, basis.n_species)

    def by_place(self, sites: NDArray[np.int64]) -> NDArray[np.int64]:
        """Order in which `sites` lie near each other: blocks of it share their neighbours."""
        return self._grid.by_cell(np.ascontiguousarray(sites, dtype=np.int64))

    def evaluate(
        self,
        sites: NDArray[np.int64],
        out: NDArray[Any],
        rows: NDArray[np.int64] | None = None,
    ) -> NDArray[Any]:
        """Fill rows of `out`, of shape (n, n_columns) and dtype float64 or float32.

        Parameters
        ----------
        sites : ndarray of shape (n_sites,)
            Particle indices.
        out : ndarray of shape (n, n_columns)
            C-contiguous.
        rows : ndarray of shape (n_sites,), optional
            The row for each site; 0, 1, ... when left out.

        Raises
        ------
        InputError
            If two particles lie on top of each other.
        AmorphaceError
            If there is not memory enough for one thread.
        """
        run = _kernel.evaluate64 if out.dtype == np.float64 else _kernel.evaluate32
        places = np.arange(len(sites)) if rows is None else rows
        try:
            touching, seconds = run(
                self._plan,
                self._grid,
                np.ascontiguousarray(sites, dtype=np.int64),
                np.ascontiguousarray(places, dtype=np.int64),
                out,
                self.n_threads,
                COINCIDENT,
                self.backend,
                self.measure,
            )
        except MemoryError as error:
            raise AmorphaceError(
                f"no memory for the neighbours within cutoff {self.cutoff:g} on {self.n_threads} "
                "threads; use fewer threads, or a machine with more memory"
            ) from error
        if touching >= 0:
            raise touching_error(self.configuration, self._grid, touching)
        for stage, s in zip(STAGES, seconds, strict=True):
            self.seconds[stage] += s
        return out
