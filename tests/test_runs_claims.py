"""Claims: of all programs that share a store, one works on a unit, and a dead one loses it."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from amorphace.core.files import text_written_aside
from amorphace.core.process import this_process
from amorphace.runs.claims import Claims
from amorphace.runs.store import Store

from toy_kinds import waiting

UNIT = waiting(1).units[0].id

OWNER = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from amorphace.core.files import written_aside
from amorphace.runs.claims import Claims
from amorphace.runs.store import Store
from amorphace.runs.unit import Outcome
from toy_kinds import Small, waiting

store, unit = Store({{store!r}}), waiting(1).units[0]
with Claims(store) as claims, store.writing(unit.id) as folder:
    assert claims.take(unit.id)
    store.scratch.report(unit.id, 1, 2, "inside")
    with written_aside(store.path.parent / "a.txt") as partial:
        partial.write_text("inside")
        print("ready", flush=True)
        sys.stdin.readline()
        (folder / "a.txt").write_text("whole")
        store.commit(unit, folder, Outcome(results=Small(0, 0.0)))
"""


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


def claim_by(store: Store, number: int = 0, **owner) -> Path:
    """A claim of another program."""
    mine = this_process()
    content = {"host": mine.host, "pid": mine.pid, "start": mine.start} | owner
    place = store.scratch.folder(UNIT)
    place.mkdir(parents=True, exist_ok=True)
    file = place / f"claim.{number}"
    file.write_text(json.dumps({"process": content, "task": ""}))
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
        (file,) = store.scratch.folder(UNIT).iterdir()
        os.utime(file, (1, 1))
        limit = time.monotonic() + 20
        while file.stat().st_mtime < 2:
            assert time.monotonic() < limit
            time.sleep(0.02)


def test_a_claim_that_its_writer_could_not_finish_becomes_free_with_time(store):
    file = claim_by(store)
    file.write_text("")
    with Claims(store) as claims:
        assert not claims.take(UNIT)
        os.utime(file, (1, 1))
        assert claims.take(UNIT)


def _take_all(path: Path, units: list[str], gate, out) -> None:
    claims = Claims(Store(path))
    gate.wait()
    out.put([u for u in units if claims.take(u)])
    gate.wait()


def test_of_many_programs_that_claim_at_once_one_wins(store):
    """Both where nobody was, and where a dead owner's claim is taken over."""
    units, processes = [f"wait-{k:016d}" for k in range(60)], 3
    dead = claim_by(store, pid=2**22 + 1, start="1").read_text()
    for unit in units[30:]:
        store.scratch.folder(unit).mkdir()
        (store.scratch.folder(unit) / "claim.0").write_text(dead)
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


def test_a_claim_of_the_future_is_that_of_a_clock_that_was_put_back(store):
    file = claim_by(store, host="elsewhere", pid=1)
    soon = time.time() + 20
    os.utime(file, (soon, soon))
    with Claims(store) as claims:
        assert not claims.take(UNIT)  # clocks may differ a little
        later = time.time() + 3600
        os.utime(file, (later, later))
        assert claims.take(UNIT)


@pytest.mark.parametrize("content", ["{", "[]", '{"process": 1}', "[" * 100_000, "1" * 5000])
def test_a_claim_that_means_nothing_becomes_free_with_time(store, content):
    file = claim_by(store)
    file.write_text(content)
    with Claims(store) as claims:
        assert not claims.take(UNIT)
        os.utime(file, (1, 1))
        assert claims.take(UNIT)


@pytest.mark.parametrize("name", ["claim.0", "claim.7"])
def test_a_folder_in_the_place_of_a_claim_claims_nothing(store, name):
    (store.scratch.folder(UNIT) / name).mkdir(parents=True)
    with Claims(store) as claims:
        assert claims.free(UNIT)
        assert claims.take(UNIT)


def test_claims_of_the_dead_go_with_the_claim_that_took_over(store):
    """Of whatever is done again and again under one name, no folder of dead claims stays."""
    for number in range(3):
        claim_by(store, number, pid=2**22 + 1, start="1")
    with Claims(store) as claims:
        assert claims.take(UNIT)
        claims.release(UNIT)
    assert store.scratch.begun() == []


def test_anything_can_be_claimed_by_its_name(store):
    with Claims(store) as first, Claims(store) as second:
        assert first.take("results-a-0123")
        assert not second.take("results-a-0123")
        assert second.take("results-a-4567")


def test_who_claims_from_an_old_look_does_not_win_beside_another_one(store, monkeypatch):
    """Two others came between look and claim; what was seen is gone with the first of them."""
    claim_by(store, 4, pid=2**22 + 1, start="1")
    with Claims(store) as late, Claims(store) as second:
        create = late._create

        def meanwhile(file: Path) -> bool:
            with Claims(store) as first:
                assert first.take(UNIT)
            assert second.take(UNIT)
            return create(file)

        monkeypatch.setattr(late, "_create", meanwhile)
        assert not late.take(UNIT)
        assert not late.free(UNIT)


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
def test_a_living_owner_or_writer_in_a_container_is_not_taken_for_dead(store, tmp_path):
    """Containers that share a machine's name have process numbers of their own."""
    script = tmp_path / "owner.py"
    script.write_text(OWNER.format(store=str(store.path)))
    words = ["unshare", "-p", "-f", "--mount-proc", sys.executable, str(script)]
    inside = subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    with inside:
        assert inside.stdout is not None
        if inside.stdout.readline() != "ready\n":
            pytest.skip("unshare is not allowed here")
        store.tidy()
        with Claims(store) as claims:
            assert not claims.take(UNIT)
        assert store.scratch.progress(UNIT).alive
        assert len(list((store.path / "tmp").iterdir())) == 1
        with text_written_aside(tmp_path / "a.txt") as stream:
            stream.write("outside")
        inside.communicate("go on\n", timeout=60)
    assert inside.returncode == 0
    assert store.has(waiting(1).units[0].id)
    assert (tmp_path / "a.txt").read_text() == "inside"
