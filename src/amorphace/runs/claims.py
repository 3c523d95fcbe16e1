"""Claims: who works on a unit, so that programs that share a store share the work.

    STORE/work/NAME/claim.3     the process, and its start; touched while it lives

A claim is a file that only one program can create. A dead owner on the same machine is seen by
its process, one on another machine by a claim that has not been touched for a while. Such a claim
is never moved or removed by others: whoever creates the file of the next number takes over, and
the highest number counts. A claim only saves work: units are written whole by whoever makes them,
and the first stays.

Whoever ends with its unit holds the claim: a program that runs its own processes, which end with
it; or a worker of Dask, which goes on when the program that gave it the unit is gone.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from amorphace.core.codec import decode, encode
from amorphace.core.errors import FileFormatError, SetupError
from amorphace.core.process import Process, this_process
from amorphace.core.records import read_json
from amorphace.runs.store import Store

BEAT = 15.0
"""Seconds between two touches of a claim."""
LIMIT = 120.0
"""Seconds without a touch after which an owner on another machine counts as dead."""
NAME = "claim."


@dataclass(frozen=True)
class Owner:
    """Who holds a claim."""

    process: Process
    task: str = ""
    """What the process does the unit for, where somebody sees to it that it is done by one process
    at a time; empty where nobody does."""


class Claims:
    """The claims of this program; close it, or use it in a with block.

    A claim is on a unit, or on anything else that one program at a time should do, by any name
    that a folder may have.

    Parameters
    ----------
    store : Store
    limit, beat : float
        See `LIMIT` and `BEAT`.
    task : str
        See `Owner`. A claim for the same task is taken over, since its owner is known to be gone.
    """

    def __init__(
        self, store: Store, *, limit: float = LIMIT, beat: float = BEAT, task: str = ""
    ) -> None:
        self._store, self._limit, self._beat = store, limit, beat
        self._owner = Owner(this_process(), task)
        self._held: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def take(self, name: str) -> bool:
        """Claim something; whether it is ours now. A SetupError if the disk is full."""
        if name in self._held:
            return True
        place = self._store.scratch.folder(name)
        number = max(_numbers(place), default=-1)
        if number >= 0 and self._lives(place / f"{NAME}{number}"):
            return False
        file = place / f"{NAME}{number + 1}"
        if not self._create(file):
            return False
        if not self._alone(place, number + 1):
            file.unlink(missing_ok=True)
            return False
        with self._lock:
            self._held[name] = file
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_touching, daemon=True)
            self._thread.start()
        return True

    def _alone(self, place: Path, number: int) -> bool:
        """Whether nobody claimed the same at the same moment, from another look at the folder."""
        others = _numbers(place) - {number}
        return not any(k > number or self._lives(place / f"{NAME}{k}") for k in others)

    def free(self, name: str) -> bool:
        """Whether nobody who lives holds a unit."""
        place = self._store.scratch.folder(name)
        number = max(_numbers(place), default=-1)
        return number < 0 or not self._lives(place / f"{NAME}{number}")

    def release(self, name: str) -> None:
        """Give up a claim; what the work left beside it stays, but for claims of the dead."""
        with self._lock:
            file = self._held.pop(name, None)
        if file is None:
            return
        own = int(file.name.removeprefix(NAME))
        for number in sorted(k for k in _numbers(file.parent) if k <= own):
            with suppress(OSError):
                file.with_name(f"{NAME}{number}").unlink(missing_ok=True)
        with suppress(OSError):  # not empty: a checkpoint waits there; or gone with its unit
            file.parent.rmdir()

    def close(self) -> None:
        """Give up all claims."""
        self._end.set()
        for name in list(self._held):
            self.release(name)

    def _create(self, file: Path) -> bool:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            stream = file.open("x", encoding="utf-8")
        except (FileExistsError, FileNotFoundError):  # the folder may go with a finished unit
            return False
        try:
            with stream:
                json.dump(encode(self._owner), stream)
        except OSError as error:
            file.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise SetupError(
                    f"the disk of {self._store.path} is full; free some room and run again"
                ) from error
            raise
        return True

    def _lives(self, file: Path) -> bool:
        """Whether the owner of a claim still works."""
        if not file.is_file():
            return not file.exists()  # given up this moment: the next look tells; or a folder
        try:
            owner = decode(Owner, read_json(file), source=file)
        except FileFormatError:
            return self._fresh(file)  # being written, or its writer was killed at that moment
        if owner.task and owner.task == self._owner.task:
            return False
        return owner.process.lives if owner.process.here else self._fresh(file)

    def _fresh(self, file: Path) -> bool:
        """Whether a claim was touched of late, by the clock of the file system.

        A time in the future is that of a clock that was put back since.
        """
        clock = self._store.path / "clock"
        try:
            clock.touch()
            age = clock.stat().st_mtime - file.stat().st_mtime
        except FileNotFoundError:
            return True
        return -2 * self._beat < age < self._limit

    def _keep_touching(self) -> None:
        while not self._end.wait(self._beat):
            with self._lock:
                files = list(self._held.values())
            for file in files:
                with suppress(OSError):  # finished a moment ago, or the disk is away for a while
                    os.utime(file)


def _numbers(place: Path) -> set[int]:
    """The numbers of the claims in a folder."""
    try:
        names = os.listdir(place)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    numbers = {name.removeprefix(NAME) for name in names if name.startswith(NAME)}
    return {int(n) for n in numbers if n.isdecimal() and n.isascii() and len(n) < 10}
