"""Claims: of all programs that share a store, one works on a unit, and a dead one loses it."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from amorphace.campaign.claims import Claims, machine, process_start
from amorphace.campaign.engine import Shard
from amorphace.campaign.local import run_plan
from amorphace.campaign.store import Store
from amorphace.core.errors import InputError

from campaign_samples import everything_once, waiting

UNIT = "wait-0000000000000000"


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


def claim_by(store: Store, number: int = 0, **owner) -> Path:
    """A claim of another program."""
    content = {"host": machine(), "pid": os.getpid(), "start": process_start(os.getpid())} | owner
    file = store.work(UNIT) / f"claim.{number}"
    file.write_text(json.dumps(content))
    return file


def test_a_unit_belongs_to_one_program_until_it_is_given_back(store):
    with Claims(store) as first, Claims(store) as second:
        assert first.take(UNIT)
        assert first.take(UNIT)
        assert not second.take(UNIT)
        assert not second.free(UNIT)
        first.release(UNIT)
        assert second.free(UNIT)
        assert second.take(UNIT)
    assert list((store.path / "work").iterdir()) == []


def test_a_dead_owner_on_this_machine_loses_its_claim_at_once(store):
    claim_by(store, pid=2**22 + 1, start="1")
    with Claims(store) as claims:
        assert claims.take(UNIT)


def test_a_process_number_that_came_again_is_not_the_owner(store):
    claim_by(store, start="1")
    with Claims(store) as claims:
        assert claims.take(UNIT)


def test_an_owner_elsewhere_keeps_its_claim_while_it_touches_it(store):
    file = claim_by(store, host="elsewhere", pid=1)
    with Claims(store, limit=120.0) as claims:
        assert not claims.take(UNIT)
        old = time.time() - 121
        os.utime(file, (old, old))
        assert claims.take(UNIT)


def test_a_claim_is_touched_while_it_is_held(store):
    with Claims(store, beat=0.05) as claims:
        claims.take(UNIT)
        (file,) = store.work(UNIT).iterdir()
        os.utime(file, (1, 1))
        limit = time.monotonic() + 20
        while file.stat().st_mtime < 2:
            assert time.monotonic() < limit
            time.sleep(0.02)


def test_a_claim_that_its_writer_could_not_finish_becomes_free_with_time(store):
    file = store.work(UNIT) / "claim.0"
    file.touch()
    with Claims(store) as claims:
        assert not claims.take(UNIT)
        os.utime(file, (1, 1))
        assert claims.take(UNIT)


def _take_all(path: Path, units: list[str], gate, out) -> None:
    claims = Claims(Store(path))
    gate.wait()
    out.put([u for u in units if claims.take(u)])
    gate.wait()


@pytest.mark.parametrize("stale", [False, True], ids=["new", "taken over from a dead owner"])
def test_of_many_programs_that_claim_at_once_one_wins(store, stale):
    units, processes = [f"wait-{k:016d}" for k in range(100)], 4
    if stale:
        dead = json.dumps({"host": machine(), "pid": 2**22 + 1, "start": "1"})
        for unit in units:
            (store.work(unit) / "claim.0").write_text(dead)
    spawn = multiprocessing.get_context("spawn")
    gate, out = spawn.Barrier(processes), spawn.Queue()
    runs = [
        spawn.Process(target=_take_all, args=(store.path, units, gate, out))
        for _ in range(processes)
    ]
    for run in runs:
        run.start()
    won = Counter(unit for _ in runs for unit in out.get(timeout=60))
    for run in runs:
        run.join()
    assert won == Counter(units)


def _hold(path: Path, out) -> None:
    assert Claims(Store(path)).take(UNIT)
    out.put(True)
    signal.pause()


def test_a_killed_owner_leaves_nothing_that_stays_claimed(store):
    spawn = multiprocessing.get_context("spawn")
    out = spawn.Queue()
    owner = spawn.Process(target=_hold, args=(store.path, out))
    owner.start()
    out.get(timeout=60)
    with Claims(store) as claims:
        assert not claims.take(UNIT)
        owner.kill()
        owner.join()
        assert claims.take(UNIT)
        store.write_checkpoint(UNIT, {}, 1)
    assert store.read_checkpoint(UNIT) == ({}, 1)


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "a/b", "1/4/2", "-1/4", ""])
def test_a_shard_that_is_none_is_named(text):
    with pytest.raises(InputError, match="a shard is i/n with i from 1 to n"):
        Shard.parse(text)


def test_a_shard_begins_with_its_own_units_and_ends_with_those_of_others(store):
    plan = waiting(12)
    events = list(run_plan(plan, store, workers=1, shard=Shard(2, 3)))
    order = [e.unit.parameters["index"] for e in events if e.what == "started"]
    assert order[:4] == [1, 4, 7, 10]
    assert sorted(order) == list(range(12))
    everything_once(plan, store)


def test_work_that_another_program_holds_is_left_to_it_when_asked(store):
    plan = waiting(3)
    with Claims(store) as other:
        assert other.take(plan.units[1].id)
        events = list(run_plan(plan, store, workers=1, leave=0.0))
    assert {e.unit.parameters["index"] for e in events if e.what == "finished"} == {0, 2}
    assert {e.what for e in run_plan(plan, store, workers=1)} == {"found", "started", "finished"}
    everything_once(plan, store)
