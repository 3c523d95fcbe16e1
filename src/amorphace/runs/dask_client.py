"""Clients of clusters of Dask: of one that runs, or of one that is started as jobs of a queue.

What a cluster is like says Dask's own configuration: its files and environment variables, or
`Cluster.config` and `Cluster.options`, which are handed on as they are.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import dask.config
from distributed import Client, LocalCluster, Security
from distributed.comm.core import connect

from amorphace.core.errors import InputError, SetupError
from amorphace.runs.cluster import Cluster
from amorphace.runs.dask_pool import CORES

HERE = "127.0.0.1"
TLS = "distributed.comm.tls.ca-file"
"""Where Dask's configuration names the authority of its certificates."""
QUIET = ("--no-dashboard", "--dashboard-address", f"{HERE}:0")
"""Options of a worker: no page of its own that others could open."""


@contextmanager
def connected(
    address: str, config: Mapping[str, Any] | None = None, *, patience: float = 20.0
) -> Iterator[Client]:
    """A client of a scheduler that runs; it counts as lost after `patience` seconds.

    Raises
    ------
    SetupError
        If nobody answers there, or who answers does not accept the certificates.
    """
    with configured(config or {}):
        try:
            security = _security()
            asyncio.run(_reach(address, security, patience))
            client = Client(address, security=security, set_as_default=False, timeout=patience)
        except (OSError, ValueError, TypeError) as error:
            raise SetupError(
                f"no Dask scheduler answers at {address!r}: {error}; give the address that "
                '"dask scheduler" shows, such as tcp://10.0.0.1:8786, and for tls:// its '
                "certificates in Dask's configuration (distributed.comm.tls)"
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
def started(cluster: Cluster, cores_per_unit: int = 1) -> Iterator[Client]:
    """A client of a cluster that is started here, and ends at the end.

    Raises
    ------
    SetupError
        If it cannot be started.
    InputError
        See `make_cluster`.
    """
    with configured(cluster.config):
        try:
            made = make_cluster(cluster, cores_per_unit)
        except (OSError, RuntimeError) as error:
            raise SetupError(f"the Dask cluster does not start: {error}") from None
        try:
            if cluster.kind != "local":
                made.adapt(minimum_jobs=1, maximum_jobs=cluster.jobs)
            with Client(made, security=_security(), set_as_default=False, timeout="60s") as client:
                yield client
        finally:
            with suppress(Exception):
                made.close(timeout=10)


def workers_of(cluster: Cluster, cores_per_unit: int = 1) -> int:
    """Workers of a cluster at its largest; an InputError if a job has fewer cores than a unit."""
    cores = int(_word(cluster, "cores") or 1)
    if cores < cores_per_unit:
        raise InputError(
            f"a job of the cluster has {cores} cores, less than run.cores_per_unit, "
            f"{cores_per_unit}; give a job as many cores as a unit needs (cluster.options.cores)"
        )
    return cores // cores_per_unit * cluster.jobs


def make_cluster(cluster: Cluster, cores_per_unit: int = 1) -> Any:
    """The cluster itself: one thread a worker, a worker for `cores_per_unit` cores.

    Raises
    ------
    InputError
        If a job has fewer cores than a unit, an option is not known, or workers of a queue would
        listen on every network of their nodes.
    """
    workers = workers_of(cluster, cores_per_unit)
    security = _security()
    tls: dict[str, Any] = {} if security is None else {"security": security, "protocol": "tls"}
    given = dict(cluster.options)
    if cluster.kind == "local":
        given.pop("cores", None)
        words: dict[str, Any] = {
            "n_workers": workers,
            "threads_per_worker": 1,
            "processes": True,
            "dashboard_address": f"{HERE}:0",
            "worker_dashboard_address": f"{HERE}:0",
            "resources": {CORES: cores_per_unit},
        }
        if not {"interface", "host"} & given.keys():
            words["host"] = HERE
        return LocalCluster(**(words | tls | given))
    if not _word(cluster, "interface") and security is None:
        raise InputError(
            "cluster: workers of a queue would listen on every network of their nodes; give the "
            'network that they share, such as cluster.options.interface = "ib0", or certificates '
            "in cluster.config (distributed.comm.tls)"
        )
    own = {
        "processes": workers // cluster.jobs,
        "job_name": "amorphace",
        "scheduler_options": {"dashboard_address": f"{HERE}:0"}
        | given.pop("scheduler_options", {}),
        "worker_extra_args": [
            *(given.pop("worker_extra_args", None) or _word(cluster, "worker-extra-args") or []),
            *("--nthreads", "1", "--resources", f"{CORES}={cores_per_unit}", *QUIET),
        ],
    }
    try:
        return _queues()[cluster.kind](**(own | tls | given))
    except (TypeError, ValueError) as error:
        raise InputError(f"cluster: dask-jobqueue does not accept this: {error}") from None


def _word(cluster: Cluster, name: str) -> Any:
    """An option of a cluster, from the file or from Dask's configuration."""
    given = cluster.options.get(name)
    return given if given is not None else dask.config.get(f"jobqueue.{cluster.kind}.{name}", None)


def configured(config: Mapping[str, Any]) -> dask.config.set:
    """Dask's configuration with these words over it, each of which leaves its neighbours alone."""
    return dask.config.set(dask.config.merge(dask.config.config, dict(config)))


def _security() -> Security | None:
    """The certificates of Dask's configuration, if there are any."""
    return Security(require_encryption=True) if dask.config.get(TLS) else None


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
