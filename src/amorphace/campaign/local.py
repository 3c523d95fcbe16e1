"""Execution on this machine: one process for each processor, each with a LAMMPS of its own."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from typing import Any

from amorphace.campaign.claims import LIMIT
from amorphace.campaign.engine import POLL, Ended, Event, Shard, carry_out
from amorphace.campaign.store import Store
from amorphace.campaign.units import Graph, Unit
from amorphace.campaign.work import WIDE, cores_of, do_unit_at
from amorphace.core.errors import InputError

__all__ = ["Event", "LocalPool", "run_plan"]

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Set to 1 for the workers: processes share the processors, and sums keep their order."""
QUICK = 1.0
"""Estimated seconds below which units may queue behind each other at a process."""
AHEAD = 4
"""Quick units in flight for each process: it does not wait for the next."""


def run_plan(
    plan: Graph,
    store: Store,
    *,
    workers: int = 0,
    command: str | None = None,
    watch: Callable[[], object] = lambda: None,
    shard: Shard | None = None,
    leave: float | None = None,
    limit: float = LIMIT,
) -> Generator[Event, None, None]:
    """Do all units of a plan that are not in the store yet, on this machine.

    Parameters
    ----------
    plan : Graph
    store : Store
    workers : int
        Processors to use; 0 is all that this process may use.
    command : str, optional
        The LAMMPS command.
    watch, shard, leave, limit
        See `carry_out`.

    Yields
    ------
    Event

    Raises
    ------
    SetupError
        If LAMMPS is missing or the disk is full: no other unit could be done either.
    InputError
        If a unit needs more processors than there are.
    """
    pool = LocalPool(
        store,
        workers or _processors(),
        command=command,
        cores_per_unit=plan.cores_per_unit,
    )
    yield from carry_out(plan, store, pool, watch=watch, shard=shard, leave=leave, limit=limit)


class LocalPool:
    """Worker processes of this machine, each replaced when it dies.

    Parameters
    ----------
    store : Store
    cores : int
        Processors to use.
    command : str, optional
        The LAMMPS command.
    cores_per_unit : int
        Processors that the command uses.
    """

    def __init__(
        self, store: Store, cores: int, *, command: str | None = None, cores_per_unit: int = 1
    ) -> None:
        if cores_per_unit > cores:
            raise InputError(
                f"run.cores_per_unit is {cores_per_unit}, but only {cores} processors are used "
                "here; give --workers, or run on another machine"
            )
        self._path, self._cores, self._command = str(store.path), cores, command
        self._cores_per_unit = cores_per_unit
        self._workers = [_Worker() for _ in range(cores)]

    holds = False
    """The program holds the claims: its processes end with it."""

    @property
    def running(self) -> int:
        """Units in flight."""
        return sum(len(w.units) for w in self._workers)

    def room(self, unit: Unit) -> bool:
        """Whether a unit may be submitted now."""
        return self._choose(unit) is not None

    def submit(self, unit: Unit) -> None:
        """Begin a unit on the process with the least to do."""
        worker = self._choose(unit)
        assert worker is not None
        n_jobs = self._cores if unit.kind in WIDE else 1
        worker.submit(unit, self._path, self._command, n_jobs)

    def _choose(self, unit: Unit) -> _Worker | None:
        """The process for a unit; None if it must wait."""
        need = self._need(unit)
        worker = min(self._workers, key=lambda w: len(w.units))
        used = sum(self._need(u) for w in self._workers for u in list(w.units.values())[:1])
        if not worker.units:
            return worker if used + need <= self._cores else None
        queued = [self._need(u) == 1 and u.cost < QUICK for u in (unit, *worker.units.values())]
        return worker if all(queued) and len(queued) <= AHEAD and used <= self._cores else None

    def _need(self, unit: Unit) -> int:
        return self._cores if unit.kind in WIDE else cores_of(unit, self._cores_per_unit)

    def collect(self, seconds: float) -> list[Ended]:
        """Units that ended; waits for the first, but not longer than `seconds`."""
        futures = [f for w in self._workers for f in w.units]
        if not futures:
            time.sleep(seconds)
        wait(futures, timeout=seconds, return_when=FIRST_COMPLETED)
        return [end for worker in self._workers for end in worker.ended()]

    def close(self) -> None:
        """End all processes; what they were doing goes on from its checkpoint another time."""
        limit = time.monotonic() + 3.0
        begun = [p for w in self._workers for p in w.end()]
        for process in begun:
            process.join(max(0.0, limit - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()


class _Worker:
    """One process, begun with its first unit: a pool of one, so that a death concerns it alone."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self.units: dict[Future[dict[str, Any]], Unit] = {}

    def submit(self, unit: Unit, path: str, command: str | None, n_jobs: int) -> None:
        if self._pool is None:
            os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
            self._pool = ProcessPoolExecutor(
                1,
                mp_context=get_context("spawn"),
                initializer=_begin_worker,
                initargs=(os.getpid(),),
            )
        try:
            future = self._pool.submit(do_unit_at, path, unit.to_dict(), command, n_jobs)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        self.units[future] = unit

    def ended(self) -> list[Ended]:
        """Units that ended. Of those whose process died, the first was being done."""
        found = []
        for future in [f for f in self.units if f.done()]:
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                found += [
                    Ended(unit, None, guilty=k == 0) for k, unit in enumerate(self.units.values())
                ]
                self.units.clear()
                for process in self.end():
                    process.join()
                break
            unit = self.units.pop(future)
            if error is not None:
                raise error
            found.append(Ended(unit, future.result()))
        return found

    def end(self) -> list[Any]:
        """Stop the process; it may take a moment."""
        if self._pool is None:
            return []
        processes = list((self._pool._processes or {}).values())
        for process in processes:
            process.terminate()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = None
        return processes


def _begin_worker(parent: int) -> None:
    """End with the parent, however it ends; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    program = parent_process()
    while program is not None and os.getppid() == parent:
        connection.wait([program.sentinel], timeout=POLL)
    os._exit(1)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
