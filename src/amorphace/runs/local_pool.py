"""Execution on this machine: a process for each processor, replaced when it dies."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import (
    connection,
    get_all_start_methods,
    get_context,
    parent_process,
    set_start_method,
)
from typing import Any

from amorphace.core.checks import count_threads
from amorphace.core.codec import decode, encode
from amorphace.core.errors import InputError, SetupError
from amorphace.runs.engine import POLL, Ended
from amorphace.runs.execute import Report, Task, do_task
from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Unit

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Set to 1 for the workers: processes share the processors, and sums keep their order."""
QUICK = 1.0
"""Estimated seconds below which units may queue behind each other at a process."""
AHEAD = 4
"""Quick units in flight for each process: it does not wait for the next."""
PEEK = 2.0
"""Seconds between two looks for units that ended before others that they are done with."""


class LocalPool:
    """Worker processes on this machine.

    Parameters
    ----------
    graph : Graph
    store : Store
    cores : int
        Processors to use; 0 is all that this process may use.
    settings : dataclass or None
        See `Job`.

    Raises
    ------
    InputError
        If a unit needs more processors than there are.
    """

    def __init__(self, graph: Graph, store: Store, cores: int = 0, *, settings: Any = None) -> None:
        cores = cores or count_threads(-1)
        if graph.cores_per_unit > cores:
            raise InputError(
                f"run.cores_per_unit is {graph.cores_per_unit}, but only {cores} processors are "
                "used here; give --workers, or run on another machine"
            )
        self._graph, self._store = graph, store
        self._cores, self._settings = cores, settings
        self._workers = [_Worker() for _ in range(cores)]

    holds = False
    """The program holds the claims: its processes end with it."""

    def room(self, unit: Unit[Any, Any]) -> bool:
        """Whether a unit may be submitted now, or several of its kind together."""
        return self._choose(unit) is not None

    def submit(self, units: Sequence[Unit[Any, Any]]) -> None:
        """Begin units on the process with the least to do."""
        worker = self._choose(units[0])
        assert worker is not None
        worker.submit(Task.of(self._store, units, self._settings, self._cores), list(units))

    def _choose(self, unit: Unit[Any, Any]) -> _Worker | None:
        """The process for a unit; None if it must wait."""
        need = self._need(unit)
        worker = min(self._workers, key=lambda w: len(w.tasks))
        used = sum(self._need(units[0]) for w in self._workers for units in w.doing)
        if not worker.tasks:
            return worker if used + need <= self._cores else None
        queued = [unit, *(u for units in worker.tasks.values() for u in units)]
        quick = all(self._need(u) == 1 and u.cost < QUICK for u in queued)
        return worker if quick and len(queued) <= AHEAD and used <= self._cores else None

    def _need(self, unit: Unit[Any, Any]) -> int:
        return self._graph.cores_of(unit, self._cores)

    def collect(self, seconds: float) -> list[Ended]:
        """Units that ended; waits for the first, but not longer than `seconds`."""
        futures = [f for w in self._workers for f in w.tasks]
        if not futures:
            time.sleep(seconds)
        wait(futures, timeout=seconds, return_when=FIRST_COMPLETED)
        ends = [end for worker in self._workers for end in worker.ended(self._store)]
        for end in ends:
            if end.report is not None and end.report.stop:
                raise SetupError(end.report.stop)
        return ends

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
    """One process, begun with its first task: a pool of one, so that a death concerns it alone."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._peeked = 0.0
        self.tasks: dict[Future[list[dict[str, Any]]], list[Unit[Any, Any]]] = {}

    @property
    def doing(self) -> list[list[Unit[Any, Any]]]:
        """The units that are being done together, if there are any."""
        return [units for units in list(self.tasks.values())[:1] if units]

    def submit(self, task: Task, units: list[Unit[Any, Any]]) -> None:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, get_context("spawn"), initializer=_begin_worker, initargs=(os.getpid(),)
            )
        try:
            with _one_thread():  # the first task begins the process
                future = self._pool.submit(do_task, encode(task))
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        self.tasks[future] = units

    def ended(self, store: Store) -> list[Ended]:
        """Units that ended. Of those whose process died, the first task was being done."""
        found = self._early(store)
        for future in [f for f in self.tasks if f.done()]:
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                found += [
                    Ended(unit, None, guilty=k == 0)
                    for k, units in enumerate(self.tasks.values())
                    for unit in units
                ]
                self.tasks.clear()
                for process in self.end():
                    process.join()
                break
            if error is not None:
                raise error
            left = {unit.id: unit for unit in self.tasks.pop(future)}
            reports = [decode(Report, r, source="a worker") for r in future.result()]
            found += [Ended(left[r.unit], r) for r in reports if r.unit in left]
        return found

    def _early(self, store: Store) -> list[Ended]:
        """Units that are in the store while others that they are done with are not."""
        if time.monotonic() - self._peeked < PEEK:
            return []
        self._peeked = time.monotonic()
        found: list[Ended] = []
        for units in (us for future, us in self.tasks.items() if len(us) > 1 and not future.done()):
            for unit in [u for u in units if store.has(u.id)]:
                units.remove(unit)
                found.append(Ended(unit, Report(unit=unit.id, meta=store.meta(unit.id))))
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


@contextmanager
def _one_thread() -> Iterator[None]:
    """The environment of a worker, for processes that begin meanwhile."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin_worker(parent: int) -> None:
    """End with the parent, however it ends; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if "fork" in get_all_start_methods():
        # locks then leave nothing that is missed when the process is killed; none begins here
        set_start_method("fork", force=True)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    program = parent_process()
    while program is not None and os.getppid() == parent:
        connection.wait([program.sentinel], timeout=POLL)
    os._exit(1)
