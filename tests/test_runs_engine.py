"""The engine: what begins, in which order, what follows from each end; in this process alone."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest

from amorphace.core.codec import encode
from amorphace.core.errors import InputError
from amorphace.core.process import this_process
from amorphace.runs import engine, watching
from amorphace.runs.claims import Claims, Owner
from amorphace.runs.engine import What, carry_out
from amorphace.runs.frontier import Frontier, Shard
from amorphace.runs.pruning import find_leftovers, remove
from amorphace.runs.scratch import Failure
from amorphace.runs.status import find_sharing, find_status
from amorphace.runs.store import Damaged, Store
from amorphace.runs.unit import Cores, Graph, Kind, Outcome, Unit

from runs_samples import Inline, everything_there, run_inline, told
from toy_kinds import (
    Averaging,
    Crowd,
    Gathering,
    Mean,
    Together,
    Tries,
    Trying,
    Wait,
    Waiting,
    waiting,
)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(engine, "POLL", 0.01)
    monkeypatch.setattr(watching, "LOOK", 0.02)


def test_units_are_done_after_those_that_they_read_and_found_afterwards(store):
    graph = waiting(8, chain=4)
    events = run_inline(graph, store)
    ended = [u for _, u in told(events, What.FINISHED)]
    assert ended.index("number 3") > max(ended.index(f"number {k}") for k in range(3))
    assert next(e.outcome.results.index for e in events if e.what is What.FINISHED) == 0
    everything_there(graph, store)
    assert {e.what for e in run_inline(graph, store)} == {What.FOUND}


def test_what_a_process_left_that_was_killed_just_after_its_unit_is_cleared(store):
    graph = waiting(2)
    run_inline(graph, store)
    dead, alive = (store.scratch.folder(unit.id) for unit in graph.units)
    for place in (dead, alive):
        place.mkdir()
    owner = Owner(replace(this_process(), start="long ago"))
    (dead / "claim.0").write_text(json.dumps(encode(owner)))
    with Claims(store) as claims:
        assert claims.take(alive.name)
        assert {e.what for e in run_inline(graph, store)} == {What.FOUND}
        assert store.scratch.begun() == [alive.name]
    everything_there(graph, store)


def test_a_unit_that_fails_stops_only_those_that_read_it_and_is_tried_again(store):
    graph = waiting(8, failing=(1,), chain=4)
    for _ in range(2):
        events = run_inline(graph, store)
        assert told(events, What.FAILED, What.BLOCKED) == [
            ("failed", "number 1"),
            ("blocked", "number 3"),
        ]
        assert store.scratch.failure(graph.units[1].id).message == "unit 1 is to fail"
    assert len(store.finished()) == 6
    assert [u.name for u, _ in find_status(graph, store).failures] == ["number 1"]


def test_a_long_chain_is_blocked_whole():
    units = [Unit(kind=Waiting(), name="0", parameters=Wait(0))]
    for k in range(1, 3000):
        reads = {"before": (units[-1].id,)}
        units.append(Unit(kind=Waiting(), name=f"{k}", parameters=Wait(k), inputs=reads))
    front = Frontier(Graph(tuple(units)), None)
    assert len(list(front.fail(units[0].id))) == 2999
    assert not front.open


@pytest.mark.parametrize("end", ["hiccup", "fail"])
def test_only_physics_drops_a_unit_and_everything_else_is_tried_again(store, end):
    """A short dump or a lost process says nothing about the glass."""
    graph = waiting(2, failing=(0,), ends=end)
    for _ in range(2):
        events = run_inline(graph, store)
        assert told(events, What.FAILED, What.DROPPED) == [("failed", "number 0")]
        assert not store.has(graph.units[0].id)


def test_a_dropped_unit_is_a_result_with_its_reason(store):
    graph = waiting(4, failing=(0,), ends="drop", chain=4)
    events = run_inline(graph, store)
    reasons = [(e.unit.name, e.text) for e in events if e.what is What.DROPPED]
    assert reasons == [("number 0", "too hot"), ("number 3", "too hot")]
    assert [(u.name, why) for u, why in find_status(graph, store).dropped] == [
        ("number 0", "too hot")
    ]
    assert {e.what for e in run_inline(graph, store)} == {What.FOUND}


def trying(tries: int) -> Graph:
    """Units that come out sound at their first, second and third try, and what counts these."""
    units = tuple(
        Unit(kind=Trying(), name=f"number {k}", parameters=Tries(k, tries)) for k in (1, 2, 3)
    )
    all_ = {"all": tuple(u.id for u in units)}
    return Graph((*units, Unit(kind=Gathering(), name="all", parameters=Mean(), inputs=all_)))


def test_what_was_dropped_under_other_limits_is_done_again_with_what_reads_it_and_nothing_else(
    store,
):
    few, more = trying(1), trying(2)
    assert few.by_id.keys() == more.by_id.keys()
    run_inline(few, store)
    assert store.outcome(few.units[-1]).results == {"sound": 1}
    assert told(run_inline(more, store), What.STARTED) == [
        ("started", "number 2"), ("started", "number 3"), ("started", "all"),
    ]  # fmt: skip
    assert store.outcome(more.units[-1]).results == {"sound": 2}
    assert told(run_inline(few, store), What.STARTED) == [
        ("started", "number 3"), ("started", "all"),
    ]  # fmt: skip
    assert store.outcome(few.units[-1]).results == {"sound": 2}


def test_a_damaged_unit_is_made_again(store):
    graph = waiting(3)
    run_inline(graph, store)
    (store.folder(graph.units[1].id) / "index.npy").write_bytes(b"short")
    events = run_inline(graph, store)
    assert told(events, What.FINISHED) == [("finished", "number 1")]
    everything_there(graph, store)


@pytest.mark.parametrize("lost", [False, True], ids=["flipped bit", "lost"])
def test_a_damaged_input_is_made_again_in_the_same_run(store, lost):
    """Lengths agree, so that only the unit that reads it notices."""
    graph = waiting(8, chain=4)
    run_inline(Graph(graph.units[:3]), store)
    file = store.folder(graph.units[1].id) / "index.npy"
    if not lost:
        file.write_bytes(file.read_bytes()[:-1] + b"\1")
    events = []
    for event in carry_out(graph, store, Inline(graph, store)):
        if lost and event.what is What.STARTED and event.unit is graph.units[3]:
            store.set_aside(graph.units[1].id)
            lost = False
        events.append(event)
    assert told(events, What.FAILED, What.BLOCKED) == []
    assert [(e.unit.name, e.text) for e in events if e.what is What.LOST] == [
        ("number 3", f"{graph.units[1].id} is damaged; it is made again first")
    ]
    assert ("finished", "number 1") in told(events, What.FINISHED)
    everything_there(graph, store)


def test_an_input_that_is_damaged_again_and_again_is_a_failure(store, monkeypatch):
    graph = waiting(4, chain=4)

    def rot(unit: str) -> None:
        raise Damaged(unit)

    monkeypatch.setattr(Store, "verified", lambda store, unit: rot(unit))
    events = run_inline(graph, store)
    ((failed),) = [e for e in events if e.what is What.FAILED]
    assert failed.unit.name == "number 3"
    assert failed.text == f"the unit {graph.units[0].id} is damaged and was set aside; run again"


def test_a_unit_that_loses_its_process_three_times_fails(store):
    graph = waiting(3)
    for times, what in ((2, What.FINISHED), (3, What.FAILED)):
        shop = Store(store.path.with_name(f"{times}.store"))
        lose = Counter({graph.units[0].id: times})
        events = list(carry_out(graph, shop, Inline(graph, shop, lose=lose)))
        ends = [e for e in events if e.unit is graph.units[0]]
        assert [e.what for e in ends if e.what is What.LOST] == [What.LOST] * 2
        assert ends[-1].what is what
    assert ends[-1].text.startswith("its process ended 3 times")


# ---------------------------------------------------------------- order and room


@dataclass(frozen=True)
class Size:
    index: int


class Ranked(Kind[Size, Any]):
    """Takes as many cores as the command is given."""

    name = "ranked"
    parameters = Size
    cores = Cores.COMMAND

    def do(self, job) -> Outcome:
        return Outcome()


def test_a_free_core_is_used_though_the_first_unit_needs_more(store):
    """12 cores: a replica on 8 leaves four for the small ones behind the next replica."""
    replicas = [Unit(kind=Ranked(), name=f"replica {k}", parameters=Size(k)) for k in range(2)]
    small = [Unit(kind=Waiting(), name=f"small {k}", parameters=Wait(k)) for k in range(5)]
    graph = Graph((*replicas, *small), cores_per_unit=8)
    pool = Inline(graph, store, cores=12)
    front = Frontier(graph, None)
    while batch := front.next(pool.room):
        pool.submit(batch)
    assert pool.begun == [["replica 0"], ["small 0"], ["small 1"], ["small 2"], ["small 3"]]


def test_a_unit_that_takes_all_cores_runs_alone(store):
    graph = waiting(5)
    last = Unit(kind=Averaging(), name="all", parameters=Mean(), inputs={
        "first": (graph.units[0].id,), "all": (graph.units[0].id,)})  # fmt: skip
    whole = Graph((*graph.units, last))
    pool = Inline(whole, store)
    events = list(carry_out(whole, store, pool))
    assert pool.begun[-1] == ["all"]
    assert told(events, What.FINISHED)[-1] == ("finished", "all")


def test_units_of_a_kind_that_are_done_together_are_given_together(store):
    units = [Unit(kind=Crowd(), name=f"{k}", parameters=Together(k, fails=k == 3))
             for k in range(11)]  # fmt: skip
    graph = Graph((*waiting(2).units, *units))
    pool = Inline(graph, store, cores=4)
    events = list(carry_out(graph, store, pool))
    assert sorted(map(len, pool.begun)) == [1, 1, 3, 8]
    assert told(events, What.FAILED) == [("failed", "3")]
    done = {e.unit.name: e.outcome.results for e in events if e.what is What.FINISHED}
    assert done["0"] == {"many": 8}
    assert done["10"] == {"many": 3}
    assert len(done) == 12


def test_a_graph_may_allow_fewer_units_together_than_their_kind(store):
    units = [Unit(kind=Crowd(), name=f"{k}", parameters=Together(k)) for k in range(5)]
    pool = Inline(Graph(tuple(units), at_once=2), store, cores=4)
    list(carry_out(Graph(tuple(units), at_once=2), store, pool))
    assert sorted(map(len, pool.begun)) == [1, 2, 2]


# ---------------------------------------------------------------- several programs


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "a/b", "1/4/2", "-1/4", "", "²/3"])
def test_a_shard_that_is_none_is_named(text):
    with pytest.raises(InputError, match="a shard is i/n with i from 1 to n"):
        Shard.parse(text)


def test_a_shard_begins_with_its_own_units_and_ends_with_those_of_others(store):
    graph = waiting(12)
    events = run_inline(graph, store, cores=1, shard=Shard(2, 3))
    order = [e.unit.parameters.index for e in events if e.what is What.STARTED]
    assert order[:4] == [1, 4, 7, 10]
    assert sorted(order) == list(range(12))
    everything_there(graph, store)


def test_a_shard_that_comes_late_does_not_try_again_what_failed(store):
    """Only a run by itself does: at 32 tasks a unit that fails after a day would cost a month."""
    graph = waiting(4, failing=(1,), chain=4)
    for index in (1, 2, 3):
        events = run_inline(graph, store, shard=Shard(index, 3))
        assert told(events, What.FAILED, What.BLOCKED) == [
            ("failed", "number 1"),
            ("blocked", "number 3"),
        ]
        started = told(events, What.STARTED)
        assert ("started", "number 1") in started if index == 1 else not started
    assert ("started", "number 1") in told(run_inline(graph, store), What.STARTED)


def test_work_that_another_program_holds_is_left_to_it_when_asked(store):
    graph = waiting(3)
    with Claims(store) as other:
        assert other.take(graph.units[1].id)
        events = run_inline(graph, store, leave=0.0)
    assert {u for _, u in told(events, What.FINISHED)} == {"number 0", "number 2"}
    assert {e.what for e in run_inline(graph, store)} == {What.FOUND, What.STARTED, What.FINISHED}
    everything_there(graph, store)


def test_a_unit_that_fails_elsewhere_has_failed_here_too(store):
    graph = waiting(3, failing=(0,), chain=3)
    bad = graph.units[0]
    with Claims(store) as other:
        assert other.take(bad.id)

        def fail() -> None:
            if len(store.finished()) == 1 and bad.id not in store.scratch.failures():
                store.scratch.fail(bad.id, Failure(bad.name, "it failed there"))
                other.release(bad.id)

        events = {e.unit.id: e for e in run_inline(graph, store, watch=fail)}
    assert (events[bad.id].what, events[bad.id].text) == (What.FAILED, "it failed there")
    assert events[graph.units[2].id].what is What.BLOCKED


def test_a_unit_whose_owner_gave_it_up_is_taken_over(store):
    graph = waiting(2)
    with Claims(store) as other:
        assert other.take(graph.units[0].id)

        def give_up() -> None:
            if len(store.finished()) == 1:
                other.release(graph.units[0].id)

        events = run_inline(graph, store, watch=give_up)
    assert told(events, What.FINISHED) == [("finished", "number 1"), ("finished", "number 0")]


CALLS = ("stat", "lstat", "listdir", "scandir", "open", "utime", "mkdir", "unlink")


@pytest.fixture
def calls(monkeypatch) -> Counter[str]:
    """Counts the calls to a file system, but for those to /proc."""
    import io

    seen: Counter[str] = Counter()

    def counted(name: str, real):
        def call(path=".", *args, **words):
            if not str(path).startswith("/proc"):
                seen[name] += 1
            return real(path, *args, **words)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, counted(name, getattr(os, name)))
    monkeypatch.setattr(io, "open", counted("open", io.open))
    return seen


def test_64_programs_that_wait_for_64_units_make_a_hundred_calls_a_second_at_most(
    store, calls, monkeypatch
):
    monkeypatch.setattr(watching, "LOOK", 1.0)
    graph = waiting(64)
    now = 1000.0
    monkeypatch.setattr(watching.time, "monotonic", lambda: now)
    shards, seconds = 4, 120
    with Claims(store) as other:
        assert all(other.take(u.id) for u in graph.units)
        for unit in graph.units:  # as if of another machine, which costs the most
            file = store.scratch.folder(unit.id) / "claim.0"
            file.write_text(file.read_text().replace('"host": "', '"host": "not '))
        watches = [watching.Watch(store, Claims(store)) for _ in range(shards)]
        elsewhere = {u.id for u in graph.units}
        calls.clear()
        for _ in range(2 * seconds):
            now += 0.5
            for watch in watches:
                assert not list(watch.look(elsewhere))
    assert 0 < sum(calls.values()) * 64 / shards / seconds < 130, calls


def test_two_programs_look_often(store, monkeypatch):
    monkeypatch.setattr(watching, "LOOK", 1.0)
    now = 1000.0
    monkeypatch.setattr(watching.time, "monotonic", lambda: now)
    watch, seen = watching.Watch(store, Claims(store)), 0
    for _ in range(200):
        now += 0.1
        seen += bool(list(watch.look({"wait-0", "wait-1"})))
    assert 12 <= seen <= 30


# ---------------------------------------------------------------- status and pruning


def test_the_status_counts_by_kind_and_knows_the_time_left(store):
    graph = waiting(6, failing=(0,), ends="drop")
    graph = Graph(tuple(Unit(kind=u.kind, name=u.name, parameters=u.parameters, cost=10.0)
                        for u in graph.units))  # fmt: skip
    with Claims(store):
        run_inline(Graph(graph.units[:4]), store)
        store.scratch.report(graph.units[4].id, 1, 4, "waiting")
    ((kind),) = find_status(graph, store).kinds
    assert (kind.kind, kind.total, kind.done, kind.dropped, kind.running) == ("wait", 6, 4, 1, 1)
    assert kind.seconds_left < 1.0  # three took next to no time
    assert [(u.name, p.text) for u, p in find_status(graph, store).running] == [
        ("number 4", "waiting")
    ]


DAMAGES = ["{", "[" * 100_000, "[1]", '{"dropped": ""}', '{"dropped": "", "seconds": "x"}']


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_status_survives_damaged_units(store, damage):
    graph = waiting(2)
    run_inline(graph, store)
    (store.folder(graph.units[0].id) / "meta.json").write_text(damage)
    assert find_status(graph, store).done == 1


@pytest.mark.slow
def test_a_status_of_many_thousand_units_takes_seconds(store):
    count = 10_000
    graph = waiting(count)
    run_inline(Graph(graph.units[:1]), store)
    meta = (store.folder(graph.units[0].id) / "meta.json").read_text()
    for unit in graph.units[1:]:
        store.folder(unit.id).mkdir(parents=True)
        (store.folder(unit.id) / "meta.json").write_text(meta)
    begin = time.monotonic()
    assert find_status(graph, store).done == count
    took = time.monotonic() - begin
    print(f"{took:.2f} s for {count} units")
    assert took < 5.0


def test_experiments_that_share_units_are_told(store):
    graph = waiting(4)
    run_inline(Graph(graph.units[:2]), store)
    store.register("own", [u.id for u in graph.units])
    store.register("other", [u.id for u in graph.units[1:3]])
    store.register("stranger", ["wait-0"])
    ((found),) = find_sharing(graph, store, "own")
    assert (found.name, found.units, found.total, found.done) == ("other", 2, 4, 1)


def test_what_nobody_needs_is_found_and_removed(store):
    graph = waiting(4)
    run_inline(graph, store)
    needed = {u.id for u in graph.units[:2]}
    (store.folder(graph.units[0].id) / "index.npy").unlink()
    store.scratch.report("wait-0", 1, 2, "old")
    with Claims(store) as claims:
        claims.take("wait-1")
        store.scratch.fail("wait-2", Failure("2", "hot"))
        (store.path / "tmp" / "wait-3.elsewhere-1-1-00").mkdir()
        os.utime(store.path / "tmp" / "wait-3.elsewhere-1-1-00", (1, 1))
        found = find_leftovers(store, needed)
        assert Counter(left.why for left in found) == {
            "not needed": 2, "damaged": 1, "unfinished and not needed": 1, "old failure": 1,
            "half written": 1,
        }  # fmt: skip
        remove(store, found)
        assert not find_leftovers(store, needed)
        assert store.scratch.begun() == ["wait-1"]
    assert store.finished() == {graph.units[1].id}
