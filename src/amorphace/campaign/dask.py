"""Execution on Dask: workers of a scheduler that runs, or that are started as jobs of a queue.

Over the wire go the name of `do_held_unit_at` and its arguments, text and numbers alone, and what
it returns, JSON values. Dask itself packs them with pickle.
"""

from __future__ import annotations

import asyncio
import queue
import signal
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from distributed import Client, Future, LocalCluster, Security
from distributed.comm.core import connect
from distributed.scheduler import KilledWorker

from amorphace.campaign.claims import LIMIT, Claims
from amorphace.campaign.engine import Ended, Event, carry_out
from amorphace.campaign.store import Store
from amorphace.campaign.units import Graph, Unit
from amorphace.campaign.work import WIDE, cores_of, do_unit_at
from amorphace.config.sections import ClusterSection, TLSSection
from amorphace.core.errors import InputError, SetupError

AHEAD = 2
"""Units in flight for each worker: it does not wait for the next, and the scheduler keeps few."""
CENSUS = 2.0
"""Seconds between two counts of the workers."""
CORES = "cores"
"""Resource of a worker of which a unit takes as many as it has processes."""
HERE = "127.0.0.1"
STAGGER = "5m"
"""Workers of limited lifetime end within this time of each other."""


def run_on_dask(
    plan: Graph,
    store: Store,
    client: Client,
    *,
    command: str | None = None,
    watch: Callable[[], object] = lambda: None,
    expected: int = 0,
    limit: float = LIMIT,
) -> Generator[Event, None, None]:
    """Do all units of a plan that are not in the store yet, on the workers of a Dask cluster.

    Parameters
    ----------
    plan : Graph
    store : Store
        On a file system that the workers see under the same path.
    client : distributed.Client
    command : str, optional
        The LAMMPS command.
    watch, limit
        See `carry_out`.
    expected : int
        Workers that may come: so many units are in flight from the beginning.

    Yields
    ------
    Event

    Raises
    ------
    SetupError
        If LAMMPS is missing, the disk is full, the scheduler is lost, or no worker fits.
    """
    pool = DaskPool(
        client,
        store,
        command=command,
        cores_per_unit=plan.cores_per_unit,
        expected=expected,
        limit=limit,
    )
    yield from carry_out(plan, store, pool, watch=watch, limit=limit)


class DaskPool:
    """Units in flight on a Dask cluster; the parameters are those of `run_on_dask`."""

    def __init__(
        self,
        client: Client,
        store: Store,
        *,
        command: str | None = None,
        cores_per_unit: int = 1,
        expected: int = 0,
        limit: float = LIMIT,
    ) -> None:
        self._limit = limit
        self._client, self._path, self._command = client, str(store.path.resolve()), command
        self._cores_per_unit, self._expected = cores_per_unit, expected
        self._units: dict[Future, Unit] = {}
        self._done: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._counted = float("-inf")
        self._workers = 0
        self._declared = False

    holds = True
    """Workers hold the claims: they finish what they are doing when this program is gone."""

    @property
    def running(self) -> int:
        """Units in flight."""
        return len(self._units)

    def room(self, unit: Unit) -> bool:
        """Whether a unit may be submitted now."""
        if self._client.status != "running":
            return False
        self._count_workers()
        return len(self._units) < AHEAD * max(self._workers, self._expected, 1)

    def _count_workers(self) -> None:
        if time.monotonic() - self._counted < CENSUS:
            return
        self._counted = time.monotonic()
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        self._workers = len(workers)
        cores = [w["resources"].get(CORES, 0) for w in workers]
        self._declared = bool(cores) and min(cores) > 0
        for worker in workers:
            if worker["nthreads"] != 1:
                raise SetupError(
                    f"the Dask worker {worker['name']} has {worker['nthreads']} threads, but a "
                    "simulation needs a process of its own; start workers with --nthreads 1"
                )
        if workers and self._cores_per_unit > max(1, *cores, 0):
            raise SetupError(
                f"run.cores_per_unit is {self._cores_per_unit}, but no Dask worker has so many; "
                f'start workers with --resources "{CORES}={self._cores_per_unit}"'
            )

    def submit(self, unit: Unit) -> None:
        """Hand a unit to the scheduler."""
        wide = unit.kind in WIDE
        need = self._cores_per_unit if wide else cores_of(unit, self._cores_per_unit)
        key = f"{unit.kind}-{uuid.uuid4().hex}"
        future = self._client.submit(
            do_held_unit_at,
            self._path,
            unit.to_dict(),
            self._command,
            self._cores_per_unit if wide else 1,
            key,
            self._limit,
            key=key,
            pure=False,
            resources={CORES: need} if need > 1 or self._declared else None,
        )
        self._units[future] = unit
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
        found = []
        for future in futures:
            unit = self._units.pop(future, None)
            if unit is not None:
                found.append(Ended(unit, self._report(future), guilty=False))
        return found

    def _report(self, future: Future) -> dict[str, Any] | None:
        """What a unit gave; None if scheduler and client lost sight of it."""
        if future.status == "error":
            error = future.exception()
            many = isinstance(error, KilledWorker)
            text = "its workers ended again and again (killed, or out of memory?)"
            return {"error": text if many else str(error), "details": repr(error), "stop": ""}
        if future.status != "finished":
            return None
        try:
            return future.result(timeout="60s")
        except Exception:
            return None  # the worker is gone with it; the store has the unit

    def close(self) -> None:
        """Take back what has not begun; workers finish what they are doing."""
        with suppress(Exception):
            if self._client.status == "running":
                self._client.cancel(list(self._units), force=True)
        self._units.clear()


def do_held_unit_at(
    path: str, unit: dict[str, Any], command: str | None, n_jobs: int, task: str, limit: float
) -> dict[str, Any]:
    """`do_unit_at` by a process that holds the claim of the unit.

    Parameters
    ----------
    path, unit, command, n_jobs
        See `do_unit_at`.
    task : str
        Key under which the scheduler knows it; it has a key done by one worker at a time, and by
        another one only when the first is gone.
    limit : float
        See `carry_out`.

    Returns
    -------
    dict
        As of `do_unit_at`; "held" alone if a living process is at the unit, "found" beside "meta"
        if it was finished before. A failure is in the store before the claim is given back.
    """
    store, doing = Store(path), Unit.from_dict(unit)
    with Claims(store, limit=limit, task=task) as claims:
        if not claims.take(doing.id):
            return {"held": True}
        found = store.has(doing.id) and store.sound(doing.id)
        report = do_unit_at(path, unit, command, n_jobs)
        if "meta" in report:
            return report | {"found": found}
        if not report["stop"]:
            store.fail(doing, report["error"], report["details"])
        return report


def security_of(tls: TLSSection | None) -> Security | None:
    """The certificates of a table [cluster.tls], for scheduler, workers and client."""
    if tls is None:
        return None
    own = {
        f"tls_{who}_{what}": value
        for who in ("client", "scheduler", "worker")
        for what, value in (("cert", tls.cert), ("key", tls.key))
        if value is not None
    }
    return Security(require_encryption=True, tls_ca_file=tls.ca_file, **own)


@contextmanager
def connected(
    address: str, tls: TLSSection | None = None, *, patience: float = 20.0
) -> Iterator[Client]:
    """A client of a scheduler that runs; it counts as lost after `patience` seconds.

    Raises
    ------
    SetupError
        If nobody answers there, or who answers does not accept the certificates.
    """
    security = security_of(tls)
    try:
        asyncio.run(_reach(address, security, patience))
        client = Client(address, security=security, set_as_default=False, timeout=patience)
    except (OSError, ValueError, TypeError) as error:
        raise SetupError(
            f"no Dask scheduler answers at {address!r}: {error}; give the address that "
            '"dask scheduler" shows, such as tcp://10.0.0.1:8786, and for tls:// its certificates '
            "in a table [cluster.tls]"
        ) from None
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=5)


async def _reach(address: str, security: Security | None, patience: float) -> None:
    """Open a connection and close it: a `Client` that cannot connect takes long to give up."""
    words = security.get_connection_args("client") if security else {}
    link = await connect(address, timeout=patience, **words)
    await link.close()


@contextmanager
def started(section: ClusterSection, cores_per_unit: int = 1) -> Iterator[Client]:
    """A client of a cluster that is started here, and ends at the end.

    Raises
    ------
    SetupError
        If it cannot be started.
    """
    try:
        cluster = make_cluster(section, cores_per_unit)
    except (OSError, RuntimeError) as error:
        raise SetupError(f"the Dask cluster does not start: {error}") from None
    try:
        if section.kind != "local":
            cluster.adapt(minimum_jobs=1, maximum_jobs=section.jobs)
        with Client(
            cluster, security=security_of(section.tls), set_as_default=False, timeout="60s"
        ) as client:
            yield client
    finally:
        with suppress(Exception):
            cluster.close(timeout=10)


def workers_of(section: ClusterSection, cores_per_unit: int = 1) -> int:
    """Workers of a cluster at its largest.

    Raises
    ------
    InputError
        If a job has fewer cores than a unit.
    """
    each = section.cores // cores_per_unit
    if each < 1:
        raise InputError(
            f"cluster.cores is {section.cores}, less than run.cores_per_unit, {cores_per_unit}; "
            "give a job as many cores as a unit needs"
        )
    return each * section.jobs


def make_cluster(section: ClusterSection, cores_per_unit: int = 1) -> Any:
    """The cluster of a table [cluster]: one thread a worker, a worker for `cores_per_unit` cores.

    Raises
    ------
    InputError
        If a job has fewer cores than a unit, or an option is not known.
    """
    workers = workers_of(section, cores_per_unit)
    tls: dict[str, Any] = {}
    if section.tls is not None:
        tls = {"security": security_of(section.tls), "protocol": "tls"}
    if section.kind == "local":
        place: dict[str, Any] = {"interface": section.interface} if section.interface else {}
        page: dict[str, Any] = {"dashboard_address": f"{HERE}:0"}
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host=None if place else section.host or HERE,
            resources={CORES: cores_per_unit},
            **(page | place | tls | section.options),
        )
    kinds = _queues()
    words: dict[str, Any] = {
        "walltime": _walltime(section),
        "queue": section.queue,
        "interface": section.interface,
    } | tls
    place = {"host": section.host} if section.host else {}
    try:
        return kinds[section.kind](
            cores=section.cores,
            processes=section.cores // cores_per_unit,
            memory=section.memory,
            job_name="amorphace",
            scheduler_options={"dashboard_address": f"{HERE}:0", **place},
            worker_extra_args=[*_worker_words(section), "--resources", f"{CORES}={cores_per_unit}"],
            **{k: v for k, v in words.items() if v is not None},
            **section.options,
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"cluster: dask-jobqueue does not accept this: {error}") from None


def _queues() -> dict[str, Any]:
    """The clusters of dask-jobqueue, whose import would keep Ctrl-C to itself."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        from dask_jobqueue.lsf import LSFCluster
        from dask_jobqueue.pbs import PBSCluster
        from dask_jobqueue.slurm import SLURMCluster
    finally:
        signal.signal(signal.SIGINT, handler)
    return {"slurm": SLURMCluster, "pbs": PBSCluster, "lsf": LSFCluster}


def _walltime(section: ClusterSection) -> str | None:
    """The time of a job; LSF counts hours and minutes."""
    given = section.walltime
    if given and section.kind == "lsf" and given.count(":") == 2:
        return given.rpartition(":")[0]
    return given


def _worker_words(section: ClusterSection) -> list[str]:
    """Options of each worker: the last of two values of one counts."""
    words = ["--nthreads", "1"]
    if section.lifetime:
        words += ["--lifetime", section.lifetime, "--lifetime-stagger", STAGGER]
    return words
