"""Doing units of one kind, in any process: one after the other, or many at a time."""

from __future__ import annotations

import errno
import platform
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from traceback import format_exception
from typing import Any

from amorphace.core.codec import decode, encode
from amorphace.core.digest import package_version
from amorphace.core.errors import AmorphaceError, SetupError
from amorphace.runs.job import Job
from amorphace.runs.meta import Meta
from amorphace.runs.store import Damaged, Store
from amorphace.runs.unit import Cores, Dropped, Outcome, Unit, class_at, reference_to

FULL = (errno.ENOSPC, errno.EDQUOT)
LEAST_ROOM = 1 << 20
"""Bytes below which a disk counts as full."""
PROGRAMS = ("amorphace", "numpy")
"""Packages whose versions are kept with every result."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of a unit that somebody was to do."""

    unit: str
    meta: Meta | None = None
    """What is known of it, if it is finished."""
    found: bool = False
    """Whether it was finished before."""
    held: bool = False
    """Whether a living process is at it."""
    error: str = ""
    """Why it could not be done, for its user."""
    details: str = ""
    """The same for developers."""
    stop: str = ""
    """Why no other unit could be done by this process either, where that is so."""
    damaged: str = ""
    """The input that was set aside, if it could not be done for that."""


def do_units(
    store: Store, units: Sequence[Unit[Any, Any]], *, settings: Any = None, n_jobs: int = 1
) -> Iterator[Report]:
    """Do units of one kind and write them to the store, each as soon as it is done.

    A result that may not be used, or that rests on one, is a result too: it is written as dropped,
    with the reason. A unit that is in the store by now is left as it is.

    Parameters
    ----------
    store : Store
    units : sequence of Unit
        Their inputs must be finished.
    settings, n_jobs
        See `Job`.

    Yields
    ------
    Report
        For each unit, in the order in which they end.
    """
    with ExitStack() as stack:
        jobs = []
        for unit in units:
            if store.has(unit.id) and store.sound(unit.id):
                yield Report(unit=unit.id, meta=store.meta(unit.id), found=True)
                continue
            try:
                folder = stack.enter_context(store.writing(unit.id))
            except OSError as error:
                yield _failed(store, unit, error)
                continue
            job = Job(unit=unit, folder=folder, store=store, settings=settings, n_jobs=n_jobs)
            try:
                _check_inputs(job)
                job.report(0, 1, "starting")
            except Exception as error:
                yield _ended(job, error, 0.0)
            else:
                jobs.append(job)
        last = time.perf_counter()
        for job, outcome in _outcomes(jobs):
            now = time.perf_counter()
            yield _ended(job, outcome, now - last)
            last = time.perf_counter()


def _outcomes(jobs: list[Job[Any]]) -> Iterator[tuple[Job[Any], Outcome | Exception]]:
    """What each job came to, or what it raised; no job is left out."""
    left = {job.unit.id: job for job in jobs}
    missing: Exception = RuntimeError("its kind did not give it back")
    try:
        for job, outcome in jobs[0].unit.kind.do_many(jobs) if jobs else ():
            del left[job.unit.id]
            yield job, outcome
    except Exception as error:
        missing = error
    for job in left.values():
        yield job, missing


def _check_inputs(job: Job[Any]) -> None:
    """Compare the digests of inputs; a unit that rests on a dropped one is dropped with it."""
    for name, role in job.unit.kind.inputs.items():
        for found in job.inputs(name):
            if found.dropped and not role.some:
                raise Dropped(found.dropped)
            if role.digests and not found.dropped:
                job.verified(found.id)


def _ended(job: Job[Any], outcome: Outcome | Exception, seconds: float) -> Report:
    """Write what a job came to."""
    unit, store = job.unit, job.store
    try:
        if isinstance(outcome, Dropped):
            shutil.rmtree(job.folder)
            job.folder.mkdir()
            outcome = Outcome(dropped=str(outcome))
        if isinstance(outcome, Exception):
            raise outcome
        meta = store.commit(
            unit, job.folder, outcome, seconds=seconds, settings=job.settings,
            programs=programs_here(unit.kind.programs),
        )  # fmt: skip
        return Report(unit=unit.id, meta=meta)
    except Exception as error:
        return _failed(store, unit, error)


def _failed(store: Store, unit: Unit[Any, Any], error: Exception) -> Report:
    ours = isinstance(error, AmorphaceError)
    return Report(
        unit=unit.id,
        error=str(error) if ours else f"{type(error).__name__}: {error}",
        details="".join(format_exception(error)),
        stop=_hopeless(error, store.path),
        damaged=error.unit if isinstance(error, Damaged) else "",
    )


def _hopeless(error: Exception, path: Path) -> str:
    """What would befall every other unit too; empty if only this one is concerned."""
    if isinstance(error, SetupError):
        return str(error)
    if not isinstance(error, OSError):
        return ""
    # numpy does not say why a file came out short
    if error.errno in FULL or shutil.disk_usage(path).free < LEAST_ROOM:
        file = f" (writing {error.filename})" if error.filename else ""
        return (
            f"the disk of {path} is full{file}; free some room and run again: what is finished "
            "stays, what is not goes on from its checkpoint"
        )
    return ""


def programs_here(further: tuple[str, ...]) -> dict[str, str]:
    """Versions of what makes results here, and of further packages."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    return found | {package: package_version(package) for package in (*PROGRAMS, *further)}


@dataclass(frozen=True)
class Task:
    """Units for another process: only JSON values are sent, and come back."""

    store: str
    ids: tuple[str, ...]
    units: tuple[Any, ...]
    """As `Unit.to_dict` gives them."""
    settings: Any
    """With the name of their type."""
    n_jobs: int

    @classmethod
    def of(cls, store: Store, units: Sequence[Unit[Any, Any]], settings: Any, cores: int) -> Task:
        """The task of these units, by so many cores where their kind takes all.

        The path of the store must hold in the other process.
        """
        given = {"type": reference_to(settings), "value": encode(settings)}
        return cls(
            store=str(store.path.resolve()),
            ids=tuple(unit.id for unit in units),
            units=tuple(unit.to_dict() for unit in units),
            settings=None if settings is None else given,
            n_jobs=cores if units[0].kind.cores is Cores.ALL else 1,
        )


def do_task(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`do_units` in another process: an encoded `Task` comes, encoded `Report`s go."""
    given = decode(Task, dict(task))
    try:
        settings = given.settings
        if settings is not None:
            settings = decode(class_at(settings["type"]), settings["value"], source="settings")
        units, store = [Unit.from_dict(u) for u in given.units], Store(given.store, create=False)
        return [encode(r) for r in do_units(store, units, settings=settings, n_jobs=given.n_jobs)]
    except Exception as error:  # of the store itself, or a kind that is not installed here
        why, text = f"this process cannot do such units: {error}", "".join(format_exception(error))
        return [encode(Report(unit=i, error=why, details=text, stop=why)) for i in given.ids]
