"""Execution on this machine: one process for each processor, each with a LAMMPS of its own.

The store alone remembers. Whatever ends the program, and whenever, the next run finds the units
that were finished and the checkpoints of those that were not.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from traceback import format_exception
from typing import Any

from amorphace.campaign.plan import Plan
from amorphace.campaign.store import Store
from amorphace.campaign.units import Unit
from amorphace.campaign.work import WIDE, do_unit_at
from amorphace.core.errors import AmorphaceError, SetupError

LOST_PROCESSES = 3
"""Times that a unit may lose its process before it counts as failed."""
POLL = 0.5
"""Seconds between two looks at what is running."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Set to 1 for the workers: processes share the processors, and sums keep their order."""
FULL = (errno.ENOSPC, errno.EDQUOT)
LEAST_ROOM = 1 << 20
"""Bytes below which a disk counts as full."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a unit.

    Attributes
    ----------
    what : {"found", "started", "finished", "dropped", "failed", "lost", "blocked"}
    unit : Unit
    text : str
        Why, for those that did not go well.
    meta : dict
        What is known of a finished unit.
    """

    what: str
    unit: Unit
    text: str = ""
    meta: dict[str, Any] | None = None


def run_plan(
    plan: Plan,
    store: Store,
    *,
    workers: int = 0,
    command: str | None = None,
    watch: Callable[[], object] = lambda: None,
) -> Iterator[Event]:
    """Do all units of a plan that are not in the store yet.

    A unit that fails stops only those that read it. A process that dies is replaced and its unit
    goes on from the last checkpoint.

    Parameters
    ----------
    plan : Plan
    store : Store
    workers : int
        Processes; 0 is one for each processor that this process may use.
    command : str, optional
        The LAMMPS command.
    watch : callable
        Called about twice a second while units run.

    Yields
    ------
    Event

    Raises
    ------
    SetupError
        If LAMMPS is missing or the disk is full: no other unit could be done either.
    """
    store.tidy()
    count = workers or _processors()
    units = plan.by_id()
    done: set[str] = set()
    for unit in _finished(plan, store):
        done.add(unit.id)
        yield Event("found", unit)
    waiting = {i: u for i, u in units.items() if i not in done}
    for unit in waiting:
        store.forget_failure(unit)
    gone: set[str] = set()
    lost: Counter[str] = Counter()
    pool = _Pool(store, count, command)
    try:
        while waiting or pool.running:
            for unit in _blocked(waiting, gone):
                del waiting[unit.id]
                gone.add(unit.id)
                yield Event("blocked", unit, "a unit that it reads has failed")
            for unit in _ready(waiting, done, pool):
                del waiting[unit.id]
                pool.submit(unit)
                yield Event("started", unit)
            if not pool.running:
                break
            for unit, error, meta in pool.collect(watch):
                if error is None and meta is not None:
                    done.add(unit.id)
                    what = "dropped" if meta["outcome"] == "dropped" else "finished"
                    yield Event(what, unit, meta["dropped"], meta)
                    continue
                if isinstance(error, BrokenProcessPool):
                    lost[unit.id] += 1
                    if lost[unit.id] < LOST_PROCESSES:
                        waiting[unit.id] = unit
                        yield Event("lost", unit, "its process ended; it goes on from a checkpoint")
                        continue
                _stop_if_hopeless(error, store)
                text = _reason(error)
                store.fail(unit, text, "".join(format_exception(error)))
                gone.add(unit.id)
                yield Event("failed", unit, text)
    finally:
        pool.close()


def _finished(plan: Plan, store: Store) -> Iterator[Unit]:
    """Units that are in the store; damaged ones are taken out of it."""
    there = store.finished()
    for unit in plan.units:
        if unit.id in there:
            if store.sound(unit.id):
                yield unit
            else:
                store.set_aside(unit.id)


def _blocked(waiting: dict[str, Unit], gone: set[str]) -> list[Unit]:
    return [u for u in waiting.values() if any(i in gone for i in u.needs)]


def _ready(waiting: dict[str, Unit], done: set[str], pool: _Pool) -> list[Unit]:
    """Units to start now, in the order of the plan; wide ones run alone."""
    room = pool.room
    chosen: list[Unit] = []
    for unit in waiting.values():
        if len(chosen) >= room:
            break
        if all(i in done for i in unit.needs):
            if unit.kind in WIDE:
                if not pool.running and not chosen:
                    return [unit]
                continue
            chosen.append(unit)
    return chosen


def _stop_if_hopeless(error: BaseException | None, store: Store) -> None:
    """Raise what would befall every other unit too."""
    if isinstance(error, SetupError):
        raise error
    # numpy does not say why a file came out short
    full = isinstance(error, OSError) and (
        error.errno in FULL or shutil.disk_usage(store.path).free < LEAST_ROOM
    )
    if full:
        raise SetupError(
            f"the disk of {store.path} is full; free some room and run again: what is finished "
            "stays, what is not goes on from its checkpoint"
        ) from error


def _reason(error: BaseException | None) -> str:
    if isinstance(error, BrokenProcessPool):
        return f"its process ended {LOST_PROCESSES} times (killed, or out of memory?)"
    if isinstance(error, AmorphaceError):
        return str(error)
    return f"{type(error).__name__}: {error}"


class _Pool:
    """Worker processes, replaced when one dies."""

    def __init__(self, store: Store, count: int, command: str | None) -> None:
        self._path, self._count, self._command = str(store.path), count, command
        self._pool: ProcessPoolExecutor | None = None
        self.running: dict[Future[dict[str, Any]], Unit] = {}

    @property
    def room(self) -> int:
        """How many more units may start."""
        alone = any(u.kind in WIDE for u in self.running.values())
        return 0 if alone else self._count - len(self.running)

    def submit(self, unit: Unit) -> None:
        if self._pool is None:
            os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
            self._pool = ProcessPoolExecutor(
                self._count,
                mp_context=get_context("spawn"),
                initializer=_begin_worker,
                initargs=(os.getpid(),),
            )
        n_jobs = self._count if unit.kind in WIDE else 1
        try:
            future = self._pool.submit(
                do_unit_at, self._path, unit.to_dict(), self._command, n_jobs
            )
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        self.running[future] = unit

    def collect(
        self, watch: Callable[[], object]
    ) -> list[tuple[Unit, BaseException | None, dict[str, Any] | None]]:
        """Units that ended, with an error or what is known of them; waits for at least one."""
        ended: set[Future[dict[str, Any]]] = set()
        while not ended:
            ended, _ = wait(self.running, timeout=POLL, return_when=FIRST_COMPLETED)
            watch()
        found = []
        for future in sorted(ended, key=lambda f: self.running[f].id):
            unit = self.running.pop(future)
            error = future.exception()
            found.append((unit, error, None if error else future.result()))
        if any(isinstance(error, BrokenProcessPool) for _, error, _ in found):
            self.close()
        return found

    def close(self) -> None:
        """End all processes; what they were doing goes on from its checkpoint another time."""
        if self._pool is None:
            return
        processes = list((self._pool._processes or {}).values())
        for process in processes:
            process.terminate()
        self._pool.shutdown(wait=False, cancel_futures=True)
        limit = time.monotonic() + 3.0
        for process in processes:
            process.join(max(0.0, limit - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        self._pool = None


def _begin_worker(parent: int) -> None:
    """End with the parent, however it ends; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL)
    os._exit(1)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
