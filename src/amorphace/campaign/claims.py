"""Claims: who works on a unit, so that programs that share a store share the work.

    STORE/work/KIND-ab..../claim.3     host, process and its start; touched while it lives

A claim is a file that only one program can create. A dead owner on the same machine is seen by
its process, one on another machine by a claim that has not been touched for a while. Such a claim
is never moved or removed: whoever creates the file of the next number takes the unit over, and
the highest number counts. A claim only saves work: units are written whole by whoever makes them,
and the first stays.

Whoever ends with its unit holds the claim: a program that runs its own processes, which end with
it; or a worker of Dask, which goes on when the program that gave it the unit is gone.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from amorphace.campaign.store import Store
from amorphace.core.errors import SetupError

BEAT = 15.0
"""Seconds between two touches of a claim."""
LIMIT = 120.0
"""Seconds without a touch after which an owner on another machine counts as dead."""
NAME = "claim"


@dataclass(frozen=True)
class Owner:
    """The process that holds a claim.

    Attributes
    ----------
    host : str
        Machine, and the name space of its process numbers.
    pid : int
    start : str
        When the process began, as its system says it: process numbers come again.
    task : str
        What the process does the unit for, where somebody sees to it that it is done by one
        process at a time; empty where nobody does.
    """

    host: str
    pid: int
    start: str
    task: str = ""


class Claims:
    """The claims of this program on units of a store; close it, or use it in a with block.

    Parameters
    ----------
    store : Store
    limit, beat : float
        Seconds: see `LIMIT` and `BEAT`.
    task : str
        See `Owner`. A claim for the same task is taken over, since its owner is known to be gone.
    """

    def __init__(
        self, store: Store, *, limit: float = LIMIT, beat: float = BEAT, task: str = ""
    ) -> None:
        self._store, self._limit, self._beat = store, limit, beat
        self._owner = replace(this_process(), task=task)
        self._held: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def take(self, unit: str) -> bool:
        """Claim a unit; whether it is ours now.

        Raises
        ------
        SetupError
            If the disk is full.
        """
        if unit in self._held:
            return True
        number, place = self._highest(unit)
        if number >= 0 and self._lives(place / f"{NAME}.{number}"):
            return False
        file = place / f"{NAME}.{number + 1}"
        if not self._create(file):
            return False
        with self._lock:
            self._held[unit] = file
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_touching, daemon=True)
            self._thread.start()
        return True

    def free(self, unit: str) -> bool:
        """Whether nobody who lives holds a unit."""
        number, place = self._highest(unit)
        return number < 0 or not self._lives(place / f"{NAME}.{number}")

    def release(self, unit: str) -> None:
        """Give up a claim; what the work left beside it stays."""
        with self._lock:
            file = self._held.pop(unit, None)
        if file is None:
            return
        try:
            file.unlink(missing_ok=True)
            file.parent.rmdir()
        except OSError:
            pass  # not empty: a checkpoint waits there; or gone with the finished unit

    def close(self) -> None:
        """Give up all claims."""
        self._end.set()
        for unit in list(self._held):
            self.release(unit)

    def _highest(self, unit: str) -> tuple[int, Path]:
        """Number of the claim that counts, -1 without one, and the folder of the unit."""
        place = self._store.path / "work" / unit
        try:
            names = os.listdir(place)
        except FileNotFoundError:
            return -1, place
        head = f"{NAME}."
        numbers = [n[len(head) :] for n in names if n.startswith(head)]
        return max((int(n) for n in numbers if n.isdigit()), default=-1), place

    def _create(self, file: Path) -> bool:
        text = json.dumps(asdict(self._owner)).encode()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            place = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except (FileExistsError, FileNotFoundError):  # the folder may go with a finished unit
            return False
        try:
            os.write(place, text)
        except OSError as error:
            file.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise SetupError(
                    f"the disk of {self._store.path} is full; free some room and run again"
                ) from error
            raise
        finally:
            os.close(place)
        return True

    def _lives(self, file: Path) -> bool:
        """Whether the owner of a claim still works."""
        try:
            owner = Owner(**json.loads(file.read_bytes()))
        except FileNotFoundError:
            return True  # given up this moment; the next look tells
        except (ValueError, TypeError):
            return self._fresh(file)  # being written, or its writer was killed at that moment
        if owner.task and owner.task == self._owner.task:
            return False
        if owner.host == self._owner.host:
            return process_start(owner.pid) == owner.start
        return self._fresh(file)

    def _fresh(self, file: Path) -> bool:
        """Whether a claim was touched of late, by the clock of the file system."""
        clock = self._store.path / "clock"
        try:
            clock.touch()
            return clock.stat().st_mtime - file.stat().st_mtime < self._limit
        except FileNotFoundError:
            return True

    def _keep_touching(self) -> None:
        while not self._end.wait(self._beat):
            with self._lock:
                files = list(self._held.values())
            for file in files:
                try:
                    os.utime(file)
                except OSError:
                    continue  # finished a moment ago, or the file system is away for a while


def this_process() -> Owner:
    """Who this process is."""
    return Owner(machine(), os.getpid(), process_start(os.getpid()))


def machine() -> str:
    """Name of this machine; containers that share it see other process numbers."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}".strip()


def process_start(pid: int) -> str:
    """When a process of this machine began; empty if it does not run."""
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        try:
            # the name of the program, in parentheses, may hold spaces
            fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    try:
        found = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return found.stdout.strip()
