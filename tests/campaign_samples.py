"""Plans, programs and faults that the tests of campaigns share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from amorphace.campaign.plan import Plan
from amorphace.campaign.store import Store
from amorphace.campaign.units import Unit
from amorphace.config import Experiment

TABLES = {
    "experiment": {"name": "units that wait"},
    "model": {"name": "kob-andersen"},
    "preparation": {
        "n_particles": 100,
        "n_samples": 1,
        "melt_time": 1,
        "quench_time": 1,
        "temperature": 0,
    },
    "shear": {},
}


def waiting(
    count: int, seconds: float = 0.0, *, failing: tuple[int, ...] = (), chain: int = 0, **run
) -> Plan:
    """Units that wait; every `chain`-th reads those before it, like a sample its replicas."""
    units: list[Unit] = []
    for k in range(count):
        reads = units[k - chain + 1 : k] if chain and k % chain == chain - 1 else []
        units.append(
            Unit(
                kind="wait",
                name=f"number {k}",
                parameters={"seconds": -1.0 if k in failing else seconds, "index": k},
                inputs={"before": tuple(u.id for u in reads)} if reads else {},
                cost=seconds,
            )
        )
    return Plan(Experiment.model_validate(TABLES | {"run": run}), tuple(units))


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something to come true."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.05)


DRIVER = """
import sys
sys.path.insert(0, {tests!r})
from campaign_samples import waiting
from amorphace.campaign.engine import Shard
from amorphace.campaign.local import run_plan
from amorphace.campaign.store import Store

if __name__ == "__main__":
    plan = waiting({count}, {seconds}, chain={chain})
    shard = Shard.parse({shard!r}) if {shard!r} else None
    for event in run_plan(plan, Store({store!r}), workers={workers}, shard=shard):
        print(event.what, event.unit.id, flush=True)
"""


def driver(
    folder: Path,
    store: Path,
    count: int,
    seconds: float,
    *,
    shard: str = "",
    workers: int = 2,
    chain: int = 0,
) -> subprocess.Popen[str]:
    """A program of its own that carries out a plan of waiting units, in its own process group."""
    script = folder / f"driver_{time.monotonic_ns()}.py"
    tests = str(Path(__file__).parent)
    script.write_text(
        DRIVER.format(
            tests=tests, count=count, seconds=seconds, chain=chain, shard=shard,
            store=str(store), workers=workers,
        )
    )  # fmt: skip
    return subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def everything_once(plan: Plan, store: Store) -> None:
    """Each unit is there, whole, and was written once; nothing else is left."""
    assert store.finished() == {u.id for u in plan.units}
    assert all(store.sound(unit, digests=True) for unit in store.finished())
    assert set(store.written().values()) <= {1}
    assert list((store.path / "work").iterdir()) == []
    store.tidy()
    assert not (store.path / "tmp").exists() or not list((store.path / "tmp").iterdir())
    for unit in plan.units:
        assert store.array(unit.id, "index")[0] == unit.parameters["index"]


def children_of(session: int) -> list[int]:
    """Processes of a session that live."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(place.name))
    return found


@contextmanager
def no_orphans() -> Iterator[None]:
    """No process of this program is left at the end that was not there at the beginning."""
    before = set(_descendants(os.getpid()))
    yield
    until(lambda: not set(_descendants(os.getpid())) - before, 30)


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = [int(c) for c in (task / "children").read_text().split()]
        except OSError:
            continue
        for child in children:
            name = Path(f"/proc/{child}/cmdline").read_bytes()
            # one for the whole program: the tracker of multiprocessing's shared memory
            if b"resource_tracker" not in name and b"forkserver" not in name:
                found += [child, *_descendants(child)]
    return found
