"""Faults of campaigns: killed programs, two of them on one store, units that fail or are damaged.

Each ends complete after a rerun; no unit that was whole is computed twice, none is lost or
corrupt, and no process is left behind.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter

import pytest

from amorphace.campaign.claims import Claims
from amorphace.campaign.local import run_plan
from amorphace.campaign.status import find_status
from amorphace.campaign.store import Store

from campaign_samples import (
    children_of,
    driver,
    everything_once,
    no_orphans,
    until,
    waiting,
)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


def pids(store: Store) -> list[int]:
    """Processes that work on units now."""
    found = []
    for unit in store.begun():
        try:
            text = (store.path / "work" / unit / "progress.json").read_text()
        except OSError:
            continue
        progress = store.progress(unit)
        if progress and progress.alive:
            found.append(json.loads(text)["pid"])
    return found


def test_ten_thousand_units_need_no_more_looks_than_one_each(store, monkeypatch):
    """Nothing is searched through again for each unit: the cost of a plan grows with its length."""
    looks = Counter()
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda place: looks.update([str(place)]) or real(place))
    plan = waiting(300, chain=10)
    assert sum(e.what == "finished" for e in run_plan(plan, store, workers=1)) == 300
    shelves = {str(p) for p in (store.path / "units").iterdir()}
    assert sum(n for place, n in looks.items() if place in shelves) <= 2 * 256
    everything_once(plan, store)


def test_a_killed_worker_costs_only_the_unit_that_it_did(store):
    plan = waiting(6, 0.6)
    killed: list[int] = []

    def kill_one() -> None:
        found = pids(store)
        if not killed and found:
            os.kill(found[0], signal.SIGKILL)
            killed.append(found[0])

    with no_orphans():
        events = Counter(e.what for e in run_plan(plan, store, workers=2, watch=kill_one))
    assert killed
    assert events["lost"] == 1
    assert events["finished"] == 6
    everything_once(plan, store)


def test_a_unit_that_kills_its_process_every_time_fails_and_takes_no_other_with_it(store):
    plan = waiting(4, 1.5)
    victim = plan.units[0]

    def kill_it() -> None:
        progress = store.progress(victim.id)
        if progress and progress.alive:
            file = store.path / "work" / victim.id / "progress.json"
            os.kill(json.loads(file.read_text())["pid"], signal.SIGKILL)

    events = list(run_plan(plan, store, workers=2, watch=kill_it))
    assert Counter(e.what for e in events)["lost"] == 2
    assert [(e.unit.id, e.text) for e in events if e.what == "failed"] == [
        (victim.id, "its process ended 3 times (killed, or out of memory?)")
    ]
    assert store.finished() == {u.id for u in plan.units[1:]}
    assert sum(e.what == "finished" for e in run_plan(plan, store, workers=2)) == 1
    everything_once(plan, store)


def test_a_unit_that_always_fails_stops_only_those_that_read_it(store):
    plan = waiting(8, failing=(1,), chain=4)
    for _ in range(2):
        events = Counter((e.what, e.unit.parameters["index"]) for e in run_plan(plan, store))
        assert {k for k in events if k[0] in ("failed", "blocked")} == {
            ("failed", 1),
            ("blocked", 3),
        }
        assert store.failure(plan.units[1].id) == "unit 1 is to fail"
    assert len(store.finished()) == 6
    assert [u.name for u, _ in find_status(plan, store).failures] == ["number 1"]
    assert set(store.written().values()) == {1}


def test_a_unit_that_fails_elsewhere_has_failed_here_too(store):
    plan = waiting(3, failing=(0,), chain=3)
    bad = plan.units[0]
    with Claims(store) as other:
        assert other.take(bad.id)

        def fail() -> None:
            if len(store.finished()) == 1 and bad.id not in store.failures():
                store.fail(bad, "it failed there")
                other.release(bad.id)

        events = {e.unit.id: e for e in run_plan(plan, store, workers=1, watch=fail)}
    assert (events[bad.id].what, events[bad.id].text) == ("failed", "it failed there")
    assert events[plan.units[2].id].what == "blocked"


@pytest.mark.parametrize("damage", ["truncated", "no description", "empty"])
def test_a_truncated_unit_folder_is_made_again(store, damage):
    plan = waiting(3)
    list(run_plan(plan, store, workers=1))
    place = store.folder(plan.units[0].id)
    if damage == "truncated":
        (place / "index.npy").write_bytes((place / "index.npy").read_bytes()[:-4])
    else:
        (place / "meta.json").unlink()
    if damage == "empty":
        (place / "index.npy").unlink()
    events = [(e.what, e.unit.name) for e in run_plan(plan, store, workers=1)]
    assert [e for e in events if e[0] != "found"] == [
        ("started", "number 0"),
        ("finished", "number 0"),
    ]
    assert all(store.sound(u, digests=True) for u in store.finished())
    assert store.written() == Counter({u.id: 1 for u in plan.units}) + Counter([plan.units[0].id])


def test_two_drivers_on_one_store_share_the_work_and_both_end_complete(store, tmp_path):
    plan = waiting(40, 0.2, chain=10)
    runs = [driver(tmp_path, store.path, 40, 0.2, workers=1, chain=10) for _ in range(2)]
    outs = [run.communicate(timeout=120)[0] for run in runs]
    finished = Counter(line for out in outs for line in out.splitlines() if "finished" in line)
    for run, out in zip(runs, outs, strict=True):
        assert run.returncode == 0, out
        assert {line.split()[1] for line in out.splitlines()} == {u.id for u in plan.units}
        assert out.count("finished") > 3
    assert finished == Counter({f"finished {u.id}": 1 for u in plan.units})
    everything_once(plan, store)
    assert not [p for run in runs for p in children_of(run.pid)]


@pytest.mark.parametrize("whole", [True, False], ids=["driver and workers", "driver alone"])
def test_a_killed_driver_leaves_its_claims_to_the_next(store, tmp_path, whole):
    plan = waiting(12, 0.5)
    run = driver(tmp_path, store.path, 12, 0.5)
    until(lambda: len(store.finished()) >= 3)
    (os.killpg if whole else os.kill)(run.pid, signal.SIGKILL)
    run.wait()
    begin = time.monotonic()
    events = Counter(e.what for e in run_plan(plan, store, workers=2))
    assert events["found"] >= 3
    assert time.monotonic() - begin < 60
    until(lambda: not children_of(run.pid), 20)
    assert store.finished() == {u.id for u in plan.units}
    assert all(store.sound(u, digests=True) for u in store.finished())
    run.communicate()


def test_a_killed_shard_is_replaced_by_the_other_one(store, tmp_path):
    plan = waiting(16, 0.4)
    shards = [driver(tmp_path, store.path, 16, 0.4, shard=f"{k}/2", workers=1) for k in (1, 2)]
    until(lambda: len(store.finished()) >= 4)
    os.killpg(shards[0].pid, signal.SIGKILL)
    out, _ = shards[1].communicate(timeout=120)
    shards[0].communicate()
    assert shards[1].returncode == 0, out
    everything_once(plan, store)


def test_a_shard_that_never_comes_and_one_that_runs_twice_change_nothing(store, tmp_path):
    plan = waiting(12, 0.1)
    runs = [driver(tmp_path, store.path, 12, 0.1, shard="2/5", workers=1) for _ in range(2)]
    for run in runs:
        out, _ = run.communicate(timeout=120)
        assert run.returncode == 0, out
    everything_once(plan, store)


KILLS = 50


@pytest.mark.slow
def test_fifty_kills_at_random_lose_nothing(store, tmp_path):
    """kill -9 of a driver, its workers, or both, while two shards share a store."""
    count, seconds = 600, 0.25
    plan = waiting(count, seconds, chain=20)
    chance, kills = random.Random(11), 0
    runs: dict[int, subprocess.Popen[str]] = {}
    while kills < KILLS:
        for k in (1, 2):
            if k not in runs or runs[k].poll() is not None:
                if k in runs:
                    runs[k].communicate()
                runs[k] = driver(
                    tmp_path, store.path, count, seconds, shard=f"{k}/2", workers=1, chain=20
                )
        time.sleep(chance.uniform(0.2, 3.0))
        shard = runs[chance.choice([1, 2])]
        workers = [p for p in children_of(shard.pid) if p != shard.pid]
        victim = chance.choice(["driver", "worker", "both"])
        if victim == "worker" and workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
        elif victim == "driver":
            shard.kill()
        else:
            os.killpg(shard.pid, signal.SIGKILL)
        kills += 1
    last = driver(tmp_path, store.path, count, seconds, workers=2, chain=20)
    out, _ = last.communicate(timeout=600)
    for run in runs.values():
        run.communicate(timeout=600)
    assert last.returncode == 0, out
    assert store.finished() == {u.id for u in plan.units}
    assert all(store.sound(u, digests=True) for u in store.finished())
    again = [unit for unit, times in store.written().items() if times > 1]
    print(f"{kills} kills, {count} units, 0 lost, {len(again)} written twice")
    assert not again
    until(lambda: not [p for run in (last, *runs.values()) for p in children_of(run.pid)])
