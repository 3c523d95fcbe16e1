"""Execution on Dask: units in flight on the workers of a scheduler.

Over the wire go the name of `do_held` and its arguments, text and numbers alone, and what it
returns, JSON values. Dask itself packs them with pickle.
"""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from distributed import Client, Future, get_worker
from distributed.scheduler import KilledWorker

from amorphace.core.codec import decode, encode
from amorphace.core.errors import SetupError
from amorphace.runs.claims import LIMIT, Claims
from amorphace.runs.engine import Ended
from amorphace.runs.execute import Report, Task, do_task
from amorphace.runs.scratch import Failure
from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Unit

AHEAD = 2
"""Tasks in flight for each worker: it does not wait for the next, and the scheduler keeps few."""
CENSUS = 2.0
"""Seconds between two counts of the workers."""
CORES = "cores"
"""Resource of a worker of which a unit takes as many as it has processes."""


class DaskPool:
    """Tasks in flight on a Dask cluster, whose workers see the store under the same path.

    A worker that can do no unit, since a program is missing there or its disk is full, is ended,
    and others do what it had. Where the scheduler is lost, no worker fits, or none is left that
    can do a unit, a SetupError is raised.

    Parameters
    ----------
    graph : Graph
    store : Store
    client : Client
    settings : dataclass or None
        See `Job`.
    expected : int
        Workers that may come: so many tasks are in flight from the beginning.
    limit : float
        See `Claims`.
    """

    def __init__(
        self,
        graph: Graph,
        store: Store,
        client: Client,
        *,
        settings: Any = None,
        expected: int = 0,
        limit: float = LIMIT,
    ) -> None:
        self._graph, self._store, self._client = graph, store, client
        self._settings, self._expected, self._limit = settings, expected, limit
        self._tasks: dict[Future, list[Unit[Any, Any]]] = {}
        self._done: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._counted = float("-inf")
        self._workers = 0
        self._bad: dict[str, str] = {}
        self._declared = False

    holds = True
    """Workers hold the claims: they finish what they are doing when this program is gone."""

    def room(self, unit: Unit[Any, Any]) -> bool:
        """Whether a unit may be submitted now, or several of its kind together."""
        if self._client.status != "running":
            return False
        self._count_workers()
        return len(self._tasks) < AHEAD * max(self._workers, self._expected, 1)

    def _count_workers(self) -> None:
        if time.monotonic() - self._counted < CENSUS:
            return
        self._counted = time.monotonic()
        found = self._client.scheduler_info(n_workers=-1)["workers"]
        workers = [worker for address, worker in found.items() if address not in self._bad]
        self._workers = len(workers)
        cores = [w["resources"].get(CORES, 0) for w in workers]
        self._declared = bool(cores) and min(cores) > 0
        for worker in workers:
            if worker["nthreads"] != 1:
                raise SetupError(
                    f"the Dask worker {worker['name']} has {worker['nthreads']} threads, but a "
                    "unit needs a process of its own; start workers with --nthreads 1"
                )
        need = self._graph.cores_per_unit
        if workers and need > max(1, *cores, 0):
            raise SetupError(
                f"run.cores_per_unit is {need}, but no Dask worker has so many; "
                f'start workers with --resources "{CORES}={need}"'
            )

    def submit(self, units: Sequence[Unit[Any, Any]]) -> None:
        """Hand units to the scheduler, as one task."""
        each = self._graph.cores_per_unit
        need = self._graph.cores_of(units[0], each)
        key = f"{units[0].kind.name}-{uuid.uuid4().hex}"
        future = self._client.submit(
            do_held,
            encode(Task.of(self._store, units, self._settings, each)),
            key,
            self._limit,
            key=key,
            pure=False,
            resources={CORES: need} if need > 1 or self._declared else None,
        )
        self._tasks[future] = list(units)
        future.add_done_callback(self._done.put)

    def collect(self, seconds: float) -> list[Ended]:
        """Units that ended; waits for the first, but not longer than `seconds`."""
        if self._client.status in ("closing", "closed"):
            raise SetupError(
                "the Dask scheduler is lost; what is finished stays: run again when it is back"
            )
        futures = []
        with suppress(queue.Empty):
            futures.append(self._done.get(timeout=seconds))
            while True:
                futures.append(self._done.get_nowait())
        units = {future: self._tasks.pop(future) for future in futures if future in self._tasks}
        return [end for future, them in units.items() for end in self._ended(future, them)]

    def _ended(self, future: Future, units: list[Unit[Any, Any]]) -> Iterator[Ended]:
        """What became of the units of a task."""
        text, given = "", None
        if future.status == "error":
            error = future.exception()
            text = f"{type(error).__name__}: {error}"
            if isinstance(error, KilledWorker):
                text = "its workers ended again and again (killed, or out of memory?)"
        elif future.status == "finished":
            with suppress(Exception):  # the worker is gone with it; the store has the units
                given = future.result(timeout="60s")
        for unit in units:
            report = Report(unit=unit.id, error=text) if text else None
            lost = Ended.text
            if given is not None:
                report = decode(Report, given["reports"][unit.id], source="a worker")
                if report.stop:
                    self._set_aside(given["worker"], report.stop)
                    lost = f"the worker {given['worker']} is set aside: {report.stop}"
                    report = None
            yield Ended(unit, report, guilty=False, text=lost)

    def _set_aside(self, worker: str, reason: str) -> None:
        """End a worker that can do no unit; a SetupError if it was the last."""
        if worker not in self._bad:
            self._bad[worker] = reason
            self._client.retire_workers([worker])
        self._counted = float("-inf")
        self._count_workers()
        if not self._workers and len(self._bad) >= self._expected:
            raise SetupError(f"no worker is left that can do a unit; the last one: {reason}")

    def close(self) -> None:
        """Take back what has not begun; workers finish what they are doing."""
        with suppress(Exception):
            if self._client.status == "running":
                self._client.cancel(list(self._tasks), force=True)
        self._tasks.clear()


def do_held(task: Mapping[str, Any], key: str, limit: float) -> dict[str, Any]:
    """`do_task` by a process that holds the claims of its units.

    The scheduler knows it under a key, which it has done by one worker at a time, and by another
    one only when the first is gone. What comes back is "worker", its address, and "reports", an
    encoded `Report` for each unit. A failure is in the store before the claim is given back.
    """
    given = decode(Task, dict(task))
    worker = get_worker().address
    try:
        store = Store(given.store, create=False)
    except (OSError, ValueError):
        return {"worker": worker, "reports": {r["unit"]: r for r in do_task(task)}}  # says why
    reports = {i: encode(Report(unit=i, held=True)) for i in given.ids}
    with Claims(store, limit=limit, task=key) as claims:
        pairs = zip(given.ids, given.units, strict=True)
        ours = {unit: value for unit, value in pairs if claims.take(unit)}
        part = replace(given, ids=tuple(ours), units=tuple(ours.values()))
        for report in do_task(encode(part)):
            unit = report["unit"]
            reports[unit] = report
            if report["error"] and not (report["stop"] or report["damaged"]):
                name = str(ours[unit]["name"])
                store.scratch.fail(unit, Failure(name, report["error"], report["details"]))
    return {"worker": worker, "reports": reports}
