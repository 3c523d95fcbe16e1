"""The store: a folder that remembers finished units.

    STORE/store.json                   format and version
    STORE/units/ab/KIND-ab..../        a whole unit: what its kind wrote, and meta.json
    STORE/work/KIND-ab..../            an unfinished one: checkpoint.zip, progress.json, claim.N
    STORE/failed/KIND-ab.....json      why a unit could not be finished
    STORE/tmp/                         units that are being written
    STORE/experiments/NAME.json        units of each experiment that ran here
    STORE/files/0123abcd....           files that units read, by the SHA-256 digest of their content
    STORE/links/0123abcd....           links to others, which are the user's
    STORE/log.txt                      what happened when

A unit is written aside and renamed whole. `meta.json` holds what determines the unit, from which
its name follows again; length and digest of every file and folder beside it; and its own digest.
A unit that does not agree is set aside and made again. Everything is data: reading executes
nothing.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from amorphace.core.codec import decode, encode
from amorphace.core.digest import sha256
from amorphace.core.errors import FileFormatError, InputError
from amorphace.core.files import written_aside
from amorphace.core.process import left_by_the_dead, this_process
from amorphace.core.records import read_document, read_json, write_json
from amorphace.runs.meta import Meta, Written, outcome_of, read_meta, size_of, write_meta
from amorphace.runs.scratch import Scratch, entries, json_names
from amorphace.runs.unit import Outcome, Unit

R = TypeVar("R")

FORMAT = "amorphace store"
FORMAT_VERSION = 2


class Damaged(InputError):
    """A unit is not what was written, or gone; it was set aside, to be made again."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        super().__init__(f"the unit {unit} is damaged and was set aside; run again")


class Store:
    """A folder of finished units; made when it is not there, unless `create` is false.

    What is known of units that are not finished is in its `scratch`.

    Raises
    ------
    InputError
        If something else is at `path`, or nothing and `create` is false.
    FileFormatError
        If the store is of another version.
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        self.scratch = Scratch(self.path)
        head = self.path / "store.json"
        if not head.exists():
            if self.path.is_symlink() and not self.path.exists():
                raise InputError(f"{path} is a link that leads nowhere; remove it")
            # nothing is in it but for the first file of a store that is being made
            empty = all(e.name.startswith(".store.json.") for e in entries(self.path))
            ours = not self.path.exists() or (self.path.is_dir() and empty)
            if not ours and not head.exists():
                raise InputError(f"{path} is there already and is no store; give it another folder")
            if not create:
                raise InputError(f"{path}: there is no store yet; run the experiment first")
            self.path.mkdir(parents=True, exist_ok=True)
            write_json(head, {"format": FORMAT, "format_version": FORMAT_VERSION})
        again = "nothing was changed: use the program that made it, or another folder for the store"
        read_document(head, what="a store", name=FORMAT, version=FORMAT_VERSION, again=again)

    def folder(self, unit: str) -> Path:
        """Where a finished unit lies."""
        digest = unit.rpartition("-")[2]
        return self.path / f"units/{digest[:2]}/{unit}"

    def finished(self) -> set[str]:
        """Identifiers of all finished units."""
        return {
            unit.name
            for shelf in entries(self.path / "units")
            for unit in entries(Path(shelf.path))
            if not unit.name.startswith(".")
        }

    def has(self, unit: str) -> bool:
        """Whether a unit is there; `sound` tells more."""
        return self.folder(unit).exists()

    def meta(self, unit: str) -> Meta:
        """What is known of a finished unit, see `read_meta`; an InputError if it is not there."""
        if not self.has(unit):
            raise InputError(f"unit {unit} is not finished; run the experiment")
        return read_meta(self.folder(unit))

    def outcome(self, unit: Unit[Any, Any]) -> Outcome:
        """What a finished unit came to, its results of the type that its kind declares."""
        return outcome_of(unit, self.meta(unit.id))

    def load(self, unit: Unit[Any, R]) -> R:
        """What a finished unit wrote, as its kind loads it; see `Kind.load`."""
        return unit.kind.load(self.folder(unit.id))

    def sound(self, unit: str, *, digests: bool = False) -> bool:
        """Whether a unit is there with every file as long as it was (or with equal digests)."""
        try:
            files = self.meta(unit).files
            place = self.folder(unit)
            return all(
                size_of(place / name) == written.bytes
                and not (digests and sha256(place / name) != written.sha256)
                for name, written in files.items()
            )
        except (InputError, OSError):
            return False

    def dropped_under_other_limits(self, unit: Unit[Any, Any]) -> bool:
        """Whether a finished unit was dropped, and might be sound under its limits of now."""
        if not unit.kind.limits:
            return False
        meta = self.meta(unit.id)
        return bool(meta.dropped) and meta.parameters != encode(unit.parameters)

    def verified(self, unit: str) -> Path:
        """The folder of a finished unit, the digests of all its files compared: else `Damaged`."""
        if not self.sound(unit, digests=True):
            self.set_aside(unit)
            raise Damaged(unit)
        return self.folder(unit)

    def set_aside(self, unit: str) -> None:
        """Take a damaged unit out of the way."""
        away = self._partial(unit)
        away.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(self.folder(unit), away)
        except FileNotFoundError:
            return
        shutil.rmtree(away, ignore_errors=True)

    @contextmanager
    def writing(self, unit: str) -> Iterator[Path]:
        """An empty folder to write a unit to; removed at the end, unless `commit` took it."""
        partial = self._partial(unit)
        partial.mkdir(parents=True)
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def commit(
        self,
        unit: Unit[Any, Any],
        partial: Path,
        outcome: Outcome,
        *,
        seconds: float = 0.0,
        programs: Mapping[str, str] | None = None,
        settings: Any = None,
    ) -> Meta:
        """Make a folder of `writing` the unit; what another process wrote in the meantime stays.

        What is given beside is described in `Meta`; that of the unit in the store comes back.
        """
        meta = Meta(
            kind=unit.kind.name,
            revision=unit.kind.revision,
            name=unit.name,
            parameters=encode(unit.parameters),
            limits=unit.kind.limits,
            inputs=unit.inputs,
            dropped=outcome.dropped,
            attempts=outcome.attempts,
            health=outcome.health,
            results=encode(outcome.results),
            programs=programs or {},
            settings=encode(settings),
            seconds=seconds,
            files={
                name: Written(size_of(partial / name), sha256(partial / name))
                for name in sorted(os.listdir(partial))
            },
        )
        outcome_of(unit, meta)  # its results must be of the type that the kind declares
        write_meta(partial, meta)
        ours = self._place(partial, unit.id)
        self.scratch.clear(unit.id)
        return meta if ours else self.meta(unit.id)

    def _place(self, partial: Path, unit: str) -> bool:
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

    def _partial(self, unit: str) -> Path:
        """A name of this process's own to write to."""
        return self.path / "tmp" / f"{unit}.{this_process().stamp}-{secrets.token_hex(6)}"

    def register(self, name: str, units: Iterable[str]) -> None:
        """Remember which units an experiment consists of."""
        place = self.path / "experiments"
        place.mkdir(exist_ok=True)
        write_json(place / f"{name}.json", {"units": list(units)})

    def unregister(self, name: str) -> None:
        """Forget an experiment; its units stay."""
        (self.path / "experiments" / f"{name}.json").unlink(missing_ok=True)

    def experiments(self) -> dict[str, frozenset[str]]:
        """The units of each experiment that ran on this store, by its name."""
        found = {}
        for name in sorted(json_names(self.path / "experiments")):
            file = self.path / "experiments" / f"{name}.json"
            try:
                units = decode(dict[str, list[str]], read_json(file), source=file)["units"]
            except (FileFormatError, KeyError):
                raise FileFormatError(
                    file, "no list of units; run that experiment again, or remove the file"
                ) from None
            found[name] = frozenset(units)
        return found

    def keep_file(self, path: str | Path) -> None:
        """Copy a file that units read, under the digest of its content."""
        place = self.path / "files" / sha256(path)
        if not place.is_file() or sha256(place) != place.name:
            place.parent.mkdir(exist_ok=True)
            with written_aside(place) as partial:
                shutil.copyfile(path, partial)

    def file(self, digest: str) -> Path:
        """The file of that content; an InputError if it was not kept."""
        place = self.path / "files" / digest
        if not place.is_file():
            raise InputError(f"{place}: no such file; run the experiment again, which copies it")
        return place

    def link_file(self, digest: str, path: str | Path) -> None:
        """Remember where a file of that content lies: it may be large, and is not copied."""
        place, target = self.path / "links" / digest, Path(path).resolve()
        if place.is_symlink() and place.readlink() == target:
            return
        aside = self._partial(digest)
        for folder in (place.parent, aside.parent):
            folder.mkdir(exist_ok=True)
        aside.symlink_to(target)
        os.replace(aside, place)

    def linked_file(self, digest: str) -> Path:
        """Where the file of that content lies; an InputError if it is gone or has changed."""
        place = self.path / "links" / digest
        if not place.is_file() or sha256(place) != digest:
            raise InputError(f"{place.resolve()} is gone or has changed; run the experiment again")
        return place.resolve()

    def log(self, line: str) -> None:
        """Add a line to the log, with the time of day."""
        with (self.path / "log.txt").open("a", encoding="utf-8") as stream:
            stream.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {' '.join(line.split())}\n")

    def tidy(self) -> None:
        """Remove what processes of this machine that no longer run left half written."""
        for entry in entries(self.path / "tmp"):
            if half_written_by_the_dead(entry.name):
                shutil.rmtree(entry.path, ignore_errors=True)


def half_written_by_the_dead(name: str) -> bool:
    """Whether a folder in tmp/ is of a process that could be looked up here and runs no more."""
    return left_by_the_dead(name.partition(".")[2])
