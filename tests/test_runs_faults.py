"""Faults: killed programs, two of them on one store, units that kill their process, full disks.

Each ends complete after a rerun; no unit that was whole is computed twice, none is lost or
corrupt, and no process is left behind.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from amorphace.core.errors import InputError, SetupError
from amorphace.runs.engine import What
from amorphace.runs.execute import do_units
from amorphace.runs.local_pool import ONE_THREAD, LocalPool
from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Unit

from runs_samples import (
    Twice,
    children_of,
    driver,
    everything_there,
    no_orphans,
    run_here,
    told,
    until,
)
from toy_kinds import Crowd, Fill, Filling, Together, waiting


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


def pids(store: Store) -> list[int]:
    """Processes that work on units now."""
    found = [store.scratch.progress(unit) for unit in store.scratch.begun()]
    return [p.process.pid for p in found if p is not None and p.alive]


def test_a_killed_worker_costs_only_the_unit_that_it_did(store):
    graph = waiting(5, 0.6)
    killed: list[int] = []
    here = os.environ.get("OMP_NUM_THREADS")

    def kill_one() -> None:
        found = pids(store)
        if not killed and found:
            os.kill(found[0], signal.SIGKILL)
            killed.append(found[0])

    with no_orphans():
        events = Counter(e.what for e in run_here(graph, store, cores=2, watch=kill_one))
    assert killed
    assert events[What.LOST] == 1
    assert events[What.FINISHED] == 5
    assert os.environ.get("OMP_NUM_THREADS") == here
    everything_there(graph, store)


def test_a_unit_that_kills_its_process_every_time_fails_and_takes_no_other_with_it(store):
    graph = waiting(4, failing=(0,), ends="die")
    events = list(run_here(graph, store, cores=2))
    assert len(told(events, What.LOST)) == 2
    assert [(e.unit.name, e.text) for e in events if e.what is What.FAILED] == [
        ("number 0", "its process ended 3 times (killed, or out of memory?)")
    ]
    assert store.finished() == {u.id for u in graph.units[1:]}


def test_units_that_are_done_together_are_known_one_by_one_and_survive_a_kill(store):
    units = [Unit(kind=Crowd(), name=f"{k}", parameters=Together(k, 1.0)) for k in range(6)]
    graph, twice, killed = Graph(tuple(units)), Twice(store), []

    def kill() -> None:
        twice.look()
        if not killed and len(store.finished()) >= 2:
            killed.extend(pids(store)[:1])
            os.kill(killed[0], signal.SIGKILL)

    events = list(run_here(graph, store, cores=1, watch=kill))
    assert killed
    ends = [e.what for e in events if e.what in (What.FINISHED, What.FOUND)]
    assert len(ends) == 6
    assert store.finished() == {u.id for u in units}
    assert not twice.again


def test_two_programs_on_one_store_share_the_work_and_both_end_complete(store, tmp_path):
    graph = waiting(30, 0.2, chain=10)
    runs = [driver(tmp_path, store.path, 30, 0.2, workers=1, chain=10) for _ in range(2)]
    outs = [run.communicate(timeout=120)[0] for run in runs]
    finished = Counter(line for out in outs for line in out.splitlines() if "finished" in line)
    for run, out in zip(runs, outs, strict=True):
        assert run.returncode == 0, out
        assert {line.split()[1] for line in out.splitlines()} == {u.id for u in graph.units}
        assert out.count("finished") > 3
    assert finished == Counter({f"finished {u.id}": 1 for u in graph.units})
    everything_there(graph, store)
    # Python's own tracker of resources ends some milliseconds after the program
    until(lambda: not [p for run in runs for p in children_of(run.pid)], seconds=5.0)


@pytest.mark.parametrize(
    "whole",
    [True, pytest.param(False, marks=pytest.mark.slow)],
    ids=["driver and workers", "driver alone"],
)
def test_a_killed_driver_leaves_its_claims_to_the_next(store, tmp_path, whole):
    graph = waiting(10, 0.5)
    run = driver(tmp_path, store.path, 10, 0.5)
    until(lambda: len(store.finished()) >= 2)
    (os.killpg if whole else os.kill)(run.pid, signal.SIGKILL)
    run.wait()
    begin = time.monotonic()
    events = Counter(e.what for e in run_here(graph, store, cores=2))
    assert events[What.FOUND] >= 2
    assert time.monotonic() - begin < 60
    until(lambda: not children_of(run.pid), 20)
    assert store.finished() == {u.id for u in graph.units}
    assert all(store.sound(u, digests=True) for u in store.finished())
    run.communicate()


@pytest.mark.slow
def test_a_killed_shard_is_replaced_by_the_other_one(store, tmp_path):
    graph = waiting(16, 0.4)
    shards = [driver(tmp_path, store.path, 16, 0.4, shard=f"{k}/2", workers=1) for k in (1, 2)]
    until(lambda: len(store.finished()) >= 4)
    os.killpg(shards[0].pid, signal.SIGKILL)
    out, _ = shards[1].communicate(timeout=120)
    shards[0].communicate()
    assert shards[1].returncode == 0, out
    everything_there(graph, store)


@pytest.mark.slow
def test_a_shard_that_never_comes_and_one_that_runs_twice_change_nothing(store, tmp_path):
    graph = waiting(12, 0.1)
    runs = [driver(tmp_path, store.path, 12, 0.1, shard="2/5", workers=1) for _ in range(2)]
    for run in runs:
        out, _ = run.communicate(timeout=120)
        assert run.returncode == 0, out
    everything_there(graph, store)


THREADS = """
import sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.pool import ThreadPool
from pathlib import Path
import os
from amorphace.runs.local_pool import _begin_worker

def work(mark):
    with ThreadPool(2):
        Path(mark).touch()
        time.sleep(60)

if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=_begin_worker,
                               initargs=(os.getpid(),))
    pool.submit(work, sys.argv[1])
    while not Path(sys.argv[1]).exists():
        time.sleep(0.02)
    (process,) = pool._processes.values()
    process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)
"""


def test_a_worker_with_threads_that_is_ended_leaves_no_word_behind(tmp_path):
    """Python's tracker of resources would warn of the locks of the threads."""
    (tmp_path / "program.py").write_text(THREADS)
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py", tmp_path / "mark"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""


def test_more_cores_than_there_are_are_refused(store):
    with pytest.raises(InputError, match=r"run\.cores_per_unit is 8, but only 2 processors are"):
        LocalPool(waiting(1, cores_per_unit=8), store, 2)


def test_the_threads_of_the_program_stay_as_they_were(store, monkeypatch):
    monkeypatch.setenv(ONE_THREAD[0], "7")
    monkeypatch.delenv(ONE_THREAD[1], raising=False)
    list(run_here(waiting(1), store, cores=1))
    assert os.environ[ONE_THREAD[0]] == "7"
    assert ONE_THREAD[1] not in os.environ


# ---------------------------------------------------------------- full disks


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for a few files."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize(
    ("way", "file"),
    [
        ("array", r" \(writing \S+\.(npy|json)\)"),
        ("checkpoint", r" \(writing \S+\.zip\)"),
        ("text", ""),
    ],
)
def test_a_full_disk_stops_the_run_with_the_name_of_the_file_and_loses_nothing(
    small_disk, way, file
):
    store = Store(small_disk / "a.store")
    size = (2 if way == "checkpoint" else 1) << 20
    graph = Graph(tuple(Unit(kind=Filling(), name=f"{k}", parameters=Fill(k, size, way))
                        for k in range(2)))  # fmt: skip
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(5 << 18))
    reports = list(do_units(store, graph.units[:1])) + list(do_units(store, graph.units[1:]))
    assert re.match(f"the disk of {small_disk}/a.store is full{file}; free some", reports[-1].stop)
    assert not list((store.path / "tmp").iterdir())
    before = store.finished()
    ballast.unlink()
    assert all(not r.error for unit in graph.units for r in do_units(store, [unit]))
    assert before <= store.finished() == {u.id for u in graph.units}


def test_a_program_ends_with_a_sentence_when_its_disk_is_full(small_disk):
    store = Store(small_disk / "a.store")
    graph = Graph((Unit(kind=Filling(), name="1", parameters=Fill(1, 4 << 20, "array")),))
    with pytest.raises(SetupError, match=r"the disk of .* is full"):
        list(run_here(graph, store, cores=1))
    assert store.scratch.failures() == {}


# ---------------------------------------------------------------- fifty kills

KILLS = 50


@pytest.mark.slow
def test_fifty_kills_at_random_lose_nothing(store, tmp_path):
    """kill -9 of a driver, its workers, or both, while two shards share a store."""
    count, seconds = 600, 0.25
    graph = waiting(count, seconds, chain=20)
    chance, kills, twice = random.Random(11), 0, Twice(store)
    runs: dict[int, subprocess.Popen[str]] = {}
    while kills < KILLS:
        for k in (1, 2):
            if k not in runs or runs[k].poll() is not None:
                if k in runs:
                    runs[k].communicate()
                runs[k] = driver(
                    tmp_path, store.path, count, seconds, shard=f"{k}/2", workers=1, chain=20
                )
        end = time.monotonic() + chance.uniform(0.2, 3.0)
        while time.monotonic() < end:
            twice.look()
            time.sleep(0.1)
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
    twice.look()
    everything_there(graph, store)
    print(f"{kills} kills, {count} units, 0 lost, {len(twice.again)} written twice")
    assert not twice.again
    until(lambda: not [p for run in (last, *runs.values()) for p in children_of(run.pid)])
