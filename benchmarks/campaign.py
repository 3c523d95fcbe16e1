"""What carries the units: plan, run, status, a cluster of many workers, weak scaling.

python benchmarks/campaign.py             what is quick: plan, run, status
python benchmarks/campaign.py --cluster   200 workers of Dask whose units sleep
python benchmarks/campaign.py --scaling   one and two processes on real units
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from amorphace.campaign.plan import make_plan
from amorphace.config import Experiment
from amorphace.core.codec import decode
from amorphace.core.records import write_record
from amorphace.runs.engine import Event, What
from amorphace.runs.status import find_status
from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Outcome

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from runs_samples import run_here, run_on_dask
from toy_kinds import Small, Waited, waiting

MANY = 10_000
STORED = 100_000
WORKERS, ROUNDS, SLEEP = 200, 10, 4.0


def experiment(n_samples: int = 1) -> Experiment:
    """A small liquid, with samples that are quick and alike."""
    return decode(
        Experiment,
        {
            "experiment": {"name": "benchmark"},
            "model": {"name": "kob-andersen"},
            "preparation": {
                "n_particles": 1000,
                "n_samples": n_samples,
                "melt_time": 20.0,
                "quench_time": 20.0,
                "temperature": 0.8,
            },
            "thermal": {"replicas": 2, "lag": 10.0},
        },
    )


def count(events: Iterable[Event]) -> Counter[What]:
    return Counter(event.what for event in events)


def quick(folder: Path) -> None:
    """Planning, running and looking at many units of no work."""
    begin, cpu = time.perf_counter(), time.process_time()
    plan = waiting(MANY)
    assert len(plan.by_id) == MANY
    print(
        f"plan of {MANY} units: {time.perf_counter() - begin:.2f} s, "
        f"{time.process_time() - cpu:.2f} s of a processor"
    )
    begin = time.perf_counter()
    found = count(run_here(plan, Store(folder / "many"), 2))
    seconds = time.perf_counter() - begin
    assert found[What.FINISHED] == MANY, found
    print(f"run on 2 processes: {MANY / seconds:.0f} units a second")
    plan, store = waiting(STORED), Store(folder / "stored")
    for unit in plan.units:
        index = unit.parameters.index
        with store.writing(unit.id) as place:
            write_record(place, Waited(np.array([index])))
            store.commit(unit, place, Outcome(results=Small(index, index / 2)))
    begin, cpu = time.perf_counter(), time.process_time()
    assert find_status(plan, store).done == STORED
    print(
        f"status of {STORED} units: {time.perf_counter() - begin:.2f} s, "
        f"{time.process_time() - cpu:.2f} s of a processor"
    )


def cluster(folder: Path, workers: int) -> None:
    """Share of the time that the workers of a large cluster do units that sleep."""
    import dask
    from distributed import Client, LocalCluster

    plan = waiting(workers * ROUNDS, SLEEP)
    # many workers that watch the one process that they are in would be most of the work
    own = {
        "distributed.worker.profile.enabled": False,
        "distributed.admin.tick.interval": "1s",
        "distributed.admin.system-monitor.interval": "60s",
        "distributed.admin.system-monitor.gil.enabled": False,
    }
    with (
        dask.config.set(own),
        LocalCluster(
            processes=False,
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as place,
        Client(place, timeout=600) as client,
    ):
        begin, cpu = time.perf_counter(), time.process_time()
        found = count(run_on_dask(plan, Store(folder / "cluster"), client))
        seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    assert found[What.FINISHED] == len(plan.units), found
    busy = len(plan.units) * SLEEP / (workers * seconds)
    print(
        f"{workers} Dask workers in one process, {len(plan.units)} units of {SLEEP:g} s: "
        f"{busy:.1%} busy, {1000 * cpu / len(plan.units):.1f} ms of a processor for each unit"
    )


def scaling(folder: Path) -> None:
    """Twice the samples on twice the processes: the time should stay.

    Kinds that use all processors at once, or join all samples, are left out.
    """
    seconds = {}
    for workers in (1, 2):
        whole = make_plan(experiment(3 * workers))
        kinds = ("prepare", "inherent", "relax", "replica", "measure")
        plan = Graph(tuple(u for u in whole.units if u.kind.name in kinds))
        begin = time.perf_counter()
        count(run_here(plan, Store(folder / f"scaling_{workers}"), workers))
        seconds[workers] = time.perf_counter() - begin
        print(f"{len(plan.units)} units on {workers}: {seconds[workers]:.1f} s")
    print(f"weak scaling from 1 to 2: {seconds[1] / seconds[2]:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--workers", type=int, default=WORKERS, help="of the cluster")
    parser.add_argument("--scaling", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.cluster:
            cluster(Path(folder), given.workers)
        elif given.scaling:
            scaling(Path(folder))
        else:
            quick(Path(folder))


if __name__ == "__main__":
    main()
