"""Programs and schedulers of Dask that are killed while simulations are under way.

Each ends complete after a rerun; no unit is computed twice, and no process is left behind.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from amorphace.campaign import dask
from amorphace.campaign.claims import Claims
from amorphace.campaign.local import run_plan
from amorphace.campaign.plan import Plan, make_plan
from amorphace.campaign.store import Store
from amorphace.config import read_experiment
from test_campaign import LONGER, amorphace, contents
from test_campaign_dask import Parts, parts

from campaign_samples import everything_once, no_orphans, until, waiting

pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask's, when its parts are killed

DRIVER = """
import sys
sys.path.insert(0, {tests!r})
from campaign_samples import waiting
from amorphace.campaign import dask
from amorphace.campaign.store import Store

plan = waiting({count}, {seconds}, chain={chain})
with dask.connected({address!r}) as client:
    for event in dask.run_on_dask(plan, Store({store!r}), client):
        print(event.what, event.unit.id, flush=True)
"""


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


def driver(
    folder: Path, address: str, store: Store, count: int, seconds: float, chain: int = 0
) -> subprocess.Popen[str]:
    """A program of its own that has a plan of waiting units done on Dask."""
    script = folder / f"driver_{time.monotonic_ns()}.py"
    tests = str(Path(__file__).parent)
    words = {"tests": tests, "count": count, "seconds": seconds, "chain": chain}
    script.write_text(DRIVER.format(address=address, store=str(store.path), **words))
    return subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def at_work(store: Store) -> dict[str, int]:
    """Units whose claim a process holds, and which."""
    found = {}
    for unit in store.begun():
        for file in sorted((store.path / "work" / unit).glob("claim.*")):
            try:
                found[unit] = json.loads(file.read_text())["pid"]
            except (OSError, ValueError):
                continue
    return found


def test_a_worker_holds_the_claim_of_its_unit_and_a_second_one_leaves_it(store):
    unit = waiting(1).units[0]
    words = (str(store.path), unit.to_dict(), None, 1)
    with Claims(store) as other:
        assert other.take(unit.id)
        assert dask.do_held_unit_at(*words, "task", 120.0) == {"held": True}
        assert not store.has(unit.id)
    report = dask.do_held_unit_at(*words, "task", 120.0)
    assert (report["meta"]["outcome"], report["found"]) == ("whole", False)
    assert dask.do_held_unit_at(*words, "another task", 120.0)["found"]
    assert store.written() == Counter([unit.id])


def test_a_claim_for_the_same_task_is_of_a_worker_that_is_gone(store):
    with Claims(store, task="a") as gone, Claims(store, task="b") as other:
        assert gone.take("wait-0")
        assert not other.take("wait-0")
        with Claims(store, task="a") as next_one:
            assert next_one.take("wait-0")
        gone.release("wait-0")
        assert other.take("wait-0")


def test_a_unit_that_fails_on_a_worker_is_known_before_its_claim_is_free(store):
    unit = waiting(1, failing=(0,)).units[0]
    report = dask.do_held_unit_at(str(store.path), unit.to_dict(), None, 1, "task", 120.0)
    assert report["error"] == store.failure(unit.id) == "unit 0 is to fail"
    with Claims(store) as claims:
        assert claims.free(unit.id)


@pytest.mark.slow
def test_a_killed_driver_leaves_the_units_of_living_workers_to_them(store, tmp_path):
    """The next driver on the scheduler waits for them, though other workers have nothing to do."""
    plan = waiting(4, 5.0, chain=4)
    with no_orphans(), parts(tmp_path) as cluster:
        first = driver(tmp_path, cluster.address, store, 4, 5.0, chain=4)
        until(lambda: len(at_work(store)) == 2)
        first.kill()
        first.communicate()
        begun = at_work(store)
        assert set(begun.values()) == {w.pid for w in cluster.workers}
        cluster.workers += [cluster.worker() for _ in range(2)]
        seen: Counter[str] = Counter()

        def look() -> None:
            for unit, pid in begun.items():
                with suppress(OSError, ValueError):
                    news = json.loads((store.path / "work" / unit / "progress.json").read_text())
                    seen["theirs" if news["pid"] == pid else "another's"] += 1

        with dask.connected(cluster.address) as client:
            until(lambda: len(client.nthreads()) == 4)
            events = [
                (e.what, e.unit.id) for e in dask.run_on_dask(plan, store, client, watch=look)
            ]
        assert set(seen) == {"theirs"}
        assert {u for what, u in events if what == "found"} == set(begun)
        assert {u for what, u in events if what == "finished"} == {u.id for u in plan.units} - set(
            begun
        )
    everything_once(plan, store)


def prepared(folder: Path, protocol: str) -> tuple[Path, Plan, Store]:
    folder.mkdir(parents=True)
    file = folder / "a.toml"
    file.write_text(LONGER[protocol])
    return file, make_plan(read_experiment(file)), Store(folder / "a.store")


def undisturbed(folder: Path, protocol: str) -> tuple[Plan, Store]:
    _, plan, whole = prepared(folder, protocol)
    for event in run_plan(plan, whole, workers=2):
        assert event.what in ("started", "finished"), event.text
    return plan, whole


def simulating(store: Store) -> bool:
    """Whether two workers are at units, one of them a simulation that has reported."""
    begun = at_work(store)
    return len(begun) == 2 and any(
        unit.startswith(("prepare", "shear", "replica")) and store.progress(unit) for unit in begun
    )


def killed_drivers(file: Path, cluster: Parts, store: Store, waits: list[float]) -> int:
    """Drivers one after the other on one scheduler, each killed; how many were."""
    killed = 0
    for seconds in waits:
        run = amorphace("run", file, "--scheduler", cluster.address)
        try:
            until(lambda: simulating(store), 30)
            run.communicate(timeout=seconds)
            break  # it came to the end
        except subprocess.TimeoutExpired:
            os.kill(run.pid, signal.SIGKILL)
            run.communicate()
            killed += 1
    return killed


@pytest.mark.slow
@pytest.mark.parametrize("protocol", LONGER)
def test_simulations_on_dask_survive_the_kills_of_their_drivers(tmp_path, protocol):
    """kill -9 of four drivers, each replaced at once: the same bytes, each unit written once."""
    plan, whole = undisturbed(tmp_path / "whole", protocol)
    file, _, store = prepared(tmp_path / "killed", protocol)
    with no_orphans(), parts(tmp_path) as cluster:
        killed = killed_drivers(file, cluster, store, [0.3, 1.5, 3.0, 0.8])
        with amorphace("run", file, "--scheduler", cluster.address) as run:
            out, _ = run.communicate(timeout=600)
        assert run.returncode == 0, out
        assert "Traceback" not in out
    print(f"{protocol}: {killed} drivers killed, {len(plan.units)} units")
    assert killed >= 2
    assert store.written() == Counter(u.id for u in plan.units)
    assert contents(store) == contents(whole)
    assert not any((store.path / "work").iterdir())
    assert not (store.path / "tmp").exists() or not any((store.path / "tmp").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("protocol", LONGER)
def test_a_scheduler_killed_under_simulations_is_named_and_its_workers_end(tmp_path, protocol):
    plan, whole = undisturbed(tmp_path / "whole", protocol)
    file, _, store = prepared(tmp_path / "killed", protocol)
    with no_orphans():
        for attempt in ("first", "second"):
            (tmp_path / attempt).mkdir()
            with parts(tmp_path / attempt) as cluster:
                run = amorphace("run", file, "--scheduler", cluster.address)
                until(lambda: simulating(store), 60)
                before = store.finished()
                cluster.scheduler.kill()
                out, _ = run.communicate(timeout=120)
                assert run.returncode == 2, out
                assert "the Dask scheduler is lost; what is finished stays" in out
                assert "Traceback" not in out
                assert before <= store.finished()
                # nobody kills the workers: they notice, and end by themselves
                until(lambda cluster=cluster: all(w.poll() is not None for w in cluster.workers))
        with amorphace("run", file, "--workers", 2) as run:
            out, _ = run.communicate(timeout=600)
        assert run.returncode == 0, out
    assert store.written() == Counter(u.id for u in plan.units)
    assert contents(store) == contents(whole)
    assert not any((store.path / "work").iterdir())
