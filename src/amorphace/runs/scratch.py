"""What is known of units that are not finished: checkpoints, progress, failures.

All of it may be lost or damaged at any time: what cannot be read counts as not there.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from amorphace.core.codec import decode, encode
from amorphace.core.errors import FileFormatError
from amorphace.core.process import Process, this_process
from amorphace.core.records import read_archive, read_json, write_archive, write_json

T = TypeVar("T")

STALE = 600.0
"""Seconds without news after which a unit of another machine no longer counts as running."""
CHECKPOINT = "checkpoint.zip"
PROGRESS = "progress.json"


@dataclass(frozen=True)
class Progress:
    """How far an unfinished unit has come, in any unit of work."""

    done: float
    total: float
    text: str
    process: Process
    time: float
    """When that was so, in seconds since 1970 by the clock of that machine."""

    @property
    def alive(self) -> bool:
        """Whether its process still runs; elsewhere, whether its news are recent."""
        if self.process.here:
            return self.process.lives
        return abs(time.time() - self.time) < STALE


@dataclass(frozen=True)
class Failure:
    """Why a unit of some name could not be finished, for people and for developers."""

    name: str
    message: str
    details: str = ""


class Scratch:
    """The part of the store at a path that holds what is not finished."""

    def __init__(self, path: Path) -> None:
        self._work, self._failed = path / "work", path / "failed"

    def folder(self, unit: str) -> Path:
        """Where an unfinished unit keeps its checkpoint and claims."""
        return self._work / unit

    def begun(self) -> list[str]:
        """Identifiers of unfinished units that have begun."""
        return [entry.name for entry in entries(self._work)]

    def read_checkpoint(self, unit: str, kind: type[T]) -> T | None:
        """The last checkpoint; None without one that is whole and of this kind."""
        file = self.folder(unit) / CHECKPOINT
        if file.exists():
            try:
                return read_archive(file, kind)
            except FileFormatError:
                self.drop_checkpoint(unit)
        return None

    def write_checkpoint(self, unit: str, value: object) -> None:
        """Replace the checkpoint of an unfinished unit by a dataclass, in one step."""
        write_archive(self._made(unit) / CHECKPOINT, value)

    def drop_checkpoint(self, unit: str) -> None:
        """Take a checkpoint that is of no use out of the way: the unit starts anew."""
        _remove_file(self.folder(unit) / CHECKPOINT)

    def report(self, unit: str, done: float, total: float, text: str) -> None:
        """Say how far an unfinished unit has come."""
        news = Progress(done, total, text, this_process(), time.time())
        write_json(self._made(unit) / PROGRESS, encode(news))

    def progress(self, unit: str) -> Progress | None:
        """How far an unfinished unit has come; None if it has not begun."""
        file = self.folder(unit) / PROGRESS
        try:
            return decode(Progress, read_json(file), source=file)
        except FileFormatError:
            return None

    def fail(self, unit: str, failure: Failure) -> None:
        """Remember why a unit could not be finished."""
        self._failed.mkdir(parents=True, exist_ok=True)
        write_json(self._failed / f"{unit}.json", encode(failure))

    def failures(self) -> dict[str, Failure]:
        """Why units could not be finished, by identifier."""
        found = {unit: self.failure(unit) for unit in json_names(self._failed)}
        return {unit: failure for unit, failure in found.items() if failure is not None}

    def failure(self, unit: str) -> Failure | None:
        """Why a unit could not be finished; None if nothing is known of that."""
        file = self._failed / f"{unit}.json"
        if not file.exists():
            return None
        try:
            return decode(Failure, read_json(file), source=file)
        except FileFormatError as error:
            return Failure(unit, "unknown", str(error))

    def forget_failure(self, unit: str) -> None:
        """Let a failed unit be tried again."""
        _remove_file(self._failed / f"{unit}.json")

    def clear(self, unit: str) -> None:
        """Forget everything about a unit that is finished."""
        place = self.folder(unit)
        for entry in entries(place):
            _remove_file(Path(entry.path))
        with suppress(OSError):  # not there, or another program claims the unit this moment
            place.rmdir()
        self.forget_failure(unit)

    def _made(self, unit: str) -> Path:
        place = self.folder(unit)
        place.mkdir(parents=True, exist_ok=True)
        return place


def entries(place: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing if it is not there."""
    try:
        with os.scandir(place) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []


def json_names(place: Path) -> list[str]:
    """Names of the files of JSON in a folder, without their ending; no half-written ones."""
    names = [entry.name for entry in entries(place) if not entry.name.startswith(".")]
    return [name.removesuffix(".json") for name in names if name.endswith(".json")]


def _remove_file(path: Path) -> None:
    with suppress(OSError):  # a folder of that name, or one that may not be written
        path.unlink(missing_ok=True)
