"""The store: a folder that remembers finished units.

    STORE/store.json                   format and version
    STORE/units/ab/KIND-ab..../        a whole unit: NAME.npy arrays, NAME.zarr folders, meta.json
    STORE/work/KIND-ab..../            an unfinished one: checkpoint.npz, progress.json, claim.N
    STORE/failed/KIND-ab.....json      why a unit could not be finished
    STORE/index/HOST.jsonl             a line for each unit that was written, to look them up fast
    STORE/experiments/NAME.json        units of each experiment file that ran here
    STORE/files/0123abcd....           potentials by the SHA-256 digest of their content
    STORE/log.txt                      what happened when

A unit is written aside and renamed whole. `meta.json` holds the length and the SHA-256 digest of
every other file of the unit; one that does not agree is set aside and made again. Everything is
data (JSON, npy, Zarr): reading executes nothing. The index is never trusted over the folders: a
line counts while the folder has the time that the line gives, and without one meta.json is read.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from amorphace.campaign.units import Unit
from amorphace.core.errors import FileFormatError, InputError
from amorphace.core.files import text_written_aside, written_aside
from amorphace.dataset.provenance import sha256

FORMAT = "amorphace store"
FORMAT_VERSION = 1

LINE = {"unit", "time", "outcome", "dropped", "seconds"}
"""Keys of a line of the index."""
STALE = 600.0
"""Seconds without news after which a unit of another machine no longer counts as running."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """What a unit came to.

    Attributes
    ----------
    arrays : mapping of str to ndarray
    results : mapping of str to JSON value
        Small ones: numbers, names.
    health : tuple of mapping
        What was checked: "what" it was, "problems" found, and the numbers.
    dropped : str
        Why the run may not be used; empty for a sound one.
    attempts : tuple of str
        What was wrong with attempts before this one.
    files : mapping of str to callable
        Writers of further files or folders, called with the path to write to.
    """

    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    health: tuple[Mapping[str, Any], ...] = ()
    dropped: str = ""
    attempts: tuple[str, ...] = ()
    files: Mapping[str, Callable[[Path], object]] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """How far an unfinished unit has come.

    Attributes
    ----------
    done, total : float
        In any unit of work.
    text : str
        What is being done.
    alive : bool
        Whether its process still runs.
    """

    done: float
    total: float
    text: str
    alive: bool


@dataclass(frozen=True)
class Summary:
    """The little that a status needs of a finished unit.

    Attributes
    ----------
    outcome : {"whole", "dropped"}
    dropped : str
        Why the run may not be used.
    seconds : float
        How long it took.
    """

    outcome: str
    dropped: str
    seconds: float


class Store:
    """A folder of finished units; made when it is not there.

    Parameters
    ----------
    path : str or Path
    create : bool
        Whether a store that is not there is made.

    Raises
    ------
    InputError
        If something else is at `path`, or nothing and `create` is false.
    FileFormatError
        If the store is of another version.
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        head = self.path / "store.json"
        if not head.exists():
            if self.path.exists() and not _is_empty(self.path) and not head.exists():
                raise InputError(f"{path} is there already and is no store; give it another folder")
            if not create:
                raise InputError(f"{path}: there is no store yet; run the experiment first")
            self.path.mkdir(parents=True, exist_ok=True)
            _write_json(head, {"format": FORMAT, "format_version": FORMAT_VERSION})
        self._check_version(head)

    def _check_version(self, head: Path) -> None:
        found = _read_json(head)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise FileFormatError(head, f"no {FORMAT}; give the store another folder")
        if found.get("format_version") != FORMAT_VERSION:
            raise FileFormatError(
                head,
                f"a store of version {found.get('format_version')}, this program reads and writes "
                f"version {FORMAT_VERSION}; nothing was changed: use the program that made it, or "
                "give the store another folder",
            )

    def folder(self, unit: str) -> Path:
        """Where a finished unit lies."""
        digest = unit.rpartition("-")[2]
        return self.path / "units" / digest[:2] / unit

    def work(self, unit: str) -> Path:
        """Where an unfinished unit keeps its checkpoint; made when it is not there."""
        place = self.path / "work" / unit
        place.mkdir(parents=True, exist_ok=True)
        return place

    def finished(self) -> set[str]:
        """Identifiers of all finished units."""
        return {unit.name for unit in self._folders()}

    def has(self, unit: str) -> bool:
        """Whether a unit is there; `sound` tells more."""
        return self.folder(unit).exists()

    def meta(self, unit: str) -> dict[str, Any]:
        """What is known of a finished unit.

        Raises
        ------
        InputError
            If the unit is not there.
        FileFormatError
            If its meta.json cannot be read.
        """
        place = self.folder(unit) / "meta.json"
        if not place.exists():
            raise InputError(f"unit {unit} is not finished; run the experiment")
        found = _read_json(place)
        if not isinstance(found, dict) or "files" not in found:
            raise FileFormatError(place, "no description of a unit; run the experiment again")
        return found

    def array(self, unit: str, name: str) -> NDArray[Any]:
        """An array of a finished unit, read from disk when used."""
        return np.load(self.folder(unit) / f"{name}.npy", mmap_mode="r", allow_pickle=False)

    def arrays(self, unit: str) -> dict[str, NDArray[Any]]:
        """All arrays of a finished unit, by name."""
        return {
            p.stem: np.load(p, allow_pickle=False) for p in sorted(self.folder(unit).glob("*.npy"))
        }

    def sound(
        self, unit: str, *, digests: bool = False, known: dict[tuple[int, ...], str] | None = None
    ) -> bool:
        """Whether a unit is there with every file as long as it was (or with equal digests).

        `known` is that of `sha256`.
        """
        try:
            files = self.meta(unit)["files"]
        except (InputError, FileFormatError):
            return False
        place = self.folder(unit)
        for name, written in files.items():
            file = place / name
            if not file.exists() or size_of(file) != written["bytes"]:
                return False
            if digests and sha256(file, known) != written["sha256"]:
                return False
        return True

    def set_aside(self, unit: str) -> None:
        """Take a damaged unit out of the way."""
        place = self.folder(unit)
        if place.exists():
            away = self._scratch(unit)
            away.parent.mkdir(parents=True, exist_ok=True)
            os.rename(place, away)
            shutil.rmtree(away, ignore_errors=True)

    def write(
        self,
        unit: Unit,
        outcome: Outcome,
        versions: Mapping[str, Any],
        *,
        begin: float | None = None,
        known: dict[tuple[int, ...], str] | None = None,
    ) -> None:
        """Write a unit whole; what another process wrote in the meantime stays.

        Parameters
        ----------
        unit : Unit
        outcome : Outcome
        versions : mapping of str to JSON value
            Of programs; also how long it took.
        begin : float, optional
            Of the work, on the clock of `time.perf_counter`: "seconds" then counts to the end of
            the writing, for outcomes whose `files` do the work.
        known : dict, optional
            See `sha256`.
        """
        partial = self._scratch(unit.id)
        try:
            partial.mkdir(parents=True)
            for name, array in outcome.arrays.items():
                np.save(partial / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
            for name, write in outcome.files.items():
                write(partial / name)
            took = {} if begin is None else {"seconds": time.perf_counter() - begin}
            written = sorted(p.name for p in partial.iterdir())
            meta = unit.to_dict() | {
                "id": unit.id,
                "outcome": "dropped" if outcome.dropped else "whole",
                "dropped": outcome.dropped,
                "attempts": list(outcome.attempts),
                "health": [dict(h) for h in outcome.health],
                "results": dict(outcome.results),
                "versions": dict(versions) | took,
                "files": {
                    name: {
                        "bytes": size_of(partial / name),
                        "sha256": sha256(partial / name, known),
                    }
                    for name in written
                },
            }
            _write_json(partial / "meta.json", meta)
            if self._commit(partial, unit.id):
                self._index([self._line(unit.id, meta)])
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(self.path / "work" / unit.id, ignore_errors=True)
        (self.path / "failed" / f"{unit.id}.json").unlink(missing_ok=True)

    def _commit(self, partial: Path, unit: str) -> bool:
        """Rename into place, unless a sound unit is there by now; whether it was renamed."""
        target = self.folder(unit)
        target.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            try:
                os.rename(partial, target)
                return True
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            if self.sound(unit):
                return False
            self.set_aside(unit)
        return False

    def summaries(self, units: Iterable[str]) -> dict[str, Summary]:
        """The little that a status needs of each of these that is finished and readable."""
        wanted, index = set(units), self._read_index()
        found = {}
        for entry in self._folders():
            if entry.name not in wanted:
                continue
            line = index.get(entry.name)
            if line is None or line["time"] != entry.stat().st_mtime_ns:
                try:
                    line = self._line(entry.name, self.meta(entry.name))
                except (FileFormatError, InputError, KeyError, TypeError):
                    continue
            found[entry.name] = Summary(line["outcome"], line["dropped"], line["seconds"])
        return found

    def index_missing(self, units: Iterable[str]) -> None:
        """Add finished units to the index that are not in it."""
        known = self._read_index()
        lines = []
        for unit in units:
            if unit not in known:
                lines.append(self._line(unit, self.meta(unit)))
        self._index(lines)

    def written(self) -> Counter[str]:
        """How often each unit was written, by the index."""
        return Counter(line["unit"] for line in self._index_lines())

    def _line(self, unit: str, meta: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "unit": unit,
            "time": self.folder(unit).stat().st_mtime_ns,
            "outcome": meta["outcome"],
            "dropped": meta["dropped"],
            "seconds": meta["versions"].get("seconds", 0.0),
        }

    def _index(self, lines: list[dict[str, Any]]) -> None:
        """Add lines to this machine's part of the index; a full disk only makes it shorter."""
        if not lines:
            return
        text = "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines)
        try:
            file = self.path / "index" / f"{socket.gethostname()}.jsonl"
            file.parent.mkdir(exist_ok=True)
            with file.open("ab", buffering=0) as stream:
                stream.write(text.encode())
        except OSError:
            return

    def _index_lines(self) -> Iterator[dict[str, Any]]:
        for entry in entries(self.path / "index"):
            with open(entry.path, "rb") as stream:
                for text in stream:
                    try:
                        line = json.loads(text)
                    except ValueError:  # cut short by a kill
                        continue
                    if isinstance(line, dict) and line.keys() >= LINE:
                        yield line

    def _read_index(self) -> dict[str, dict[str, Any]]:
        """The latest line of each unit."""
        found: dict[str, dict[str, Any]] = {}
        for line in self._index_lines():
            known = found.get(line["unit"])
            if known is None or line["time"] >= known["time"]:
                found[line["unit"]] = line
        return found

    def _folders(self) -> Iterator[os.DirEntry[str]]:
        """The folders of finished units."""
        for shelf in entries(self.path / "units"):
            for unit in entries(Path(shelf.path)):
                if not unit.name.startswith("."):
                    yield unit

    def _scratch(self, unit: str) -> Path:
        """A name of this process's own to write to."""
        stamp = f"{socket.gethostname()}-{os.getpid()}-{time.monotonic_ns()}"
        return self.path / "tmp" / f"{unit}.{stamp}"

    def read_checkpoint(self, unit: str) -> tuple[dict[str, NDArray[Any]], Any] | None:
        """Arrays and values of the last checkpoint; None without a readable one."""
        place = self.path / "work" / unit / "checkpoint.npz"
        try:
            with place.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
        except (OSError, ValueError, EOFError, KeyError, BadZipFile):
            return None
        values = json.loads(str(arrays.pop("values")))
        return arrays, values

    def write_checkpoint(self, unit: str, arrays: Mapping[str, NDArray[Any]], values: Any) -> None:
        """Replace the checkpoint of an unfinished unit in one step."""
        with written_aside(self.work(unit) / "checkpoint.npz") as partial, partial.open("wb") as f:
            np.savez(f, values=np.array(json.dumps(values)), **arrays)  # type: ignore[arg-type]

    def report(self, unit: str, done: float, total: float, text: str) -> None:
        """Say how far an unfinished unit has come."""
        news = {
            "done": done,
            "total": total,
            "text": text,
            "time": time.time(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }
        _write_json(self.work(unit) / "progress.json", news)

    def progress(self, unit: str) -> Progress | None:
        """How far an unfinished unit has come; None if it has not begun."""
        try:
            news = _read_json(self.path / "work" / unit / "progress.json")
            own = news["host"] == socket.gethostname()
            lives = alive(news["pid"]) if own else time.time() - news["time"] < STALE
            return Progress(news["done"], news["total"], news["text"], lives)
        except (FileFormatError, KeyError, TypeError):
            return None

    def begun(self) -> list[str]:
        """Identifiers of unfinished units that have begun."""
        return [entry.name for entry in entries(self.path / "work")]

    def fail(self, unit: Unit, message: str, details: str = "") -> None:
        """Remember why a unit could not be finished; `details` are for developers."""
        place = self.path / "failed"
        place.mkdir(parents=True, exist_ok=True)
        _write_json(
            place / f"{unit.id}.json", {"name": unit.name, "message": message, "details": details}
        )

    def failures(self) -> dict[str, str]:
        """Why units could not be finished, by identifier."""
        found = {}
        for entry in entries(self.path / "failed"):
            if entry.name.endswith(".json") and not entry.name.startswith("."):
                try:
                    message = _read_json(Path(entry.path))["message"]
                except (FileFormatError, KeyError, TypeError):
                    message = "unknown"
                found[entry.name.removesuffix(".json")] = str(message)
        return found

    def failure(self, unit: str) -> str | None:
        """Why a unit could not be finished; None if nothing is known of that."""
        try:
            return str(_read_json(self.path / "failed" / f"{unit}.json")["message"])
        except (FileFormatError, KeyError, TypeError):
            return None

    def forget_failure(self, unit: str) -> None:
        """Let a failed unit be tried again."""
        (self.path / "failed" / f"{unit}.json").unlink(missing_ok=True)

    def register(self, name: str, units: Iterable[str]) -> None:
        """Remember which units an experiment consists of."""
        place = self.path / "experiments"
        place.mkdir(exist_ok=True)
        _write_json(place / f"{name}.json", {"units": list(units)})

    def unregister(self, name: str) -> None:
        """Forget an experiment; its units stay."""
        (self.path / "experiments" / f"{name}.json").unlink(missing_ok=True)

    def experiments(self) -> dict[str, frozenset[str]]:
        """The units of each experiment that ran on this store, by its name."""
        found = {}
        for entry in entries(self.path / "experiments"):
            if entry.name.endswith(".json") and not entry.name.startswith("."):
                file = Path(entry.path)
                try:
                    found[file.stem] = frozenset(map(str, _read_json(file)["units"]))
                except (KeyError, TypeError):
                    raise FileFormatError(
                        file, "no list of units; run that experiment again, or remove the file"
                    ) from None
        return dict(sorted(found.items()))

    def keep_file(self, path: str | Path) -> None:
        """Copy a file that units read, under the digest of its content."""
        place = self.path / "files" / sha256(path)
        if not place.is_file() or sha256(place) != place.name:
            place.parent.mkdir(exist_ok=True)
            with written_aside(place) as partial:
                shutil.copyfile(path, partial)

    def file(self, digest: str) -> Path:
        """The file of that content.

        Raises
        ------
        InputError
            If it was not kept.
        """
        place = self.path / "files" / digest
        if not place.is_file():
            raise InputError(f"{place}: no such file; run the experiment again, which copies it")
        return place

    def log(self, line: str) -> None:
        """Add a line to the log, with the time of day."""
        with (self.path / "log.txt").open("a", encoding="utf-8") as stream:
            stream.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {' '.join(line.split())}\n")

    def tidy(self) -> None:
        """Remove what processes of this machine that no longer run left half written."""
        for entry in entries(self.path / "tmp"):
            if left_by_the_dead(entry.name):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_empty(path: Path) -> bool:
    """Whether a folder holds nothing, but for the first file of a store that is being made."""
    return path.is_dir() and all(e.name.startswith(".store.json.") for e in entries(path))


def left_by_the_dead(name: str) -> bool:
    """Whether something half written is of a process of this machine that no longer runs."""
    host, _, rest = name.partition(".")[2].rpartition("-")[0].rpartition("-")
    return host == socket.gethostname() and rest.isdigit() and not alive(int(rest))


def alive(pid: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, and belongs to someone else
        return True
    return True


def entries(place: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing if it is not there."""
    try:
        with os.scandir(place) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    return path.stat().st_size


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileFormatError(path, f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise FileFormatError(path, "not JSON") from None


def _write_json(path: Path, value: Any) -> None:
    with text_written_aside(path) as stream:
        json.dump(value, stream, indent=1, ensure_ascii=False, allow_nan=False)
        stream.write("\n")
