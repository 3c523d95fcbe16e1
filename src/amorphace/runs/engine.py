"""The loop that carries a graph out: claim, submit, collect, wherever units are executed.

The store alone remembers. Whatever ends a program, and whenever, the next one finds the units
that were finished and the checkpoints of those that were not. Several programs on one store share
the work: each claims what it does, and looks now and then for what the others finished.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from amorphace.runs.claims import LIMIT, Claims
from amorphace.runs.execute import Report
from amorphace.runs.frontier import Frontier, Shard
from amorphace.runs.meta import outcome_of
from amorphace.runs.scratch import Failure
from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Outcome, Unit
from amorphace.runs.watching import Watch

MOST = 3
"""Times that a unit may lose its process, or be found damaged, before it counts as failed."""
POLL = 0.5
"""Seconds between two looks at what is running."""


class What(Enum):
    """What may happen to a unit."""

    FOUND = "found"
    STARTED = "started"
    FINISHED = "finished"
    DROPPED = "dropped"
    FAILED = "failed"
    LOST = "lost"
    """It goes on: from a checkpoint, or elsewhere."""
    BLOCKED = "blocked"


@dataclass(frozen=True, eq=False)
class Event:
    """Something that happened to a unit."""

    what: What
    unit: Unit[Any, Any]
    text: str = ""
    """Why, for those that did not go well."""
    outcome: Outcome | None = None
    """Of a unit that this program finished."""
    seconds: float = 0.0
    """How long that took."""


@dataclass(frozen=True, eq=False)
class Ended:
    """A unit that an executor no longer runs."""

    unit: Unit[Any, Any]
    report: Report | None
    """None if the process that did it is gone, or may do no more."""
    guilty: bool = True
    """Whether the process may have gone because of this unit."""
    text: str = "its process ended; it goes on from a checkpoint"
    """What happened to the process."""


class Executor(Protocol):
    """Where units are executed; each that is submitted ends once."""

    @property
    def holds(self) -> bool:
        """Whether those who execute units hold the claims, since they may outlive this program."""
        ...

    def room(self, unit: Unit[Any, Any]) -> bool:
        """Whether a unit may be submitted now, or several of its kind together."""
        ...

    def submit(self, units: Sequence[Unit[Any, Any]]) -> None:
        """Begin units of one kind, soon; they are done together."""
        ...

    def collect(self, seconds: float) -> list[Ended]:
        """Units that ended; waits for the first, but not longer than `seconds`.

        A SetupError if no unit can be done any more: a program is missing, the disk is full.
        """
        ...

    def close(self) -> None:
        """End everything that this executor began."""
        ...


def carry_out(
    graph: Graph,
    store: Store,
    executor: Executor,
    *,
    watch: Callable[[], object] = lambda: None,
    shard: Shard | None = None,
    leave: float | None = None,
    limit: float = LIMIT,
) -> Generator[Event, None, None]:
    """Do all units of a graph that are not in the store yet.

    A unit that fails stops only those that read it. A unit whose process dies goes on from its
    last checkpoint. Units that another program does are waited for. Units that failed before are
    tried again, but not by a shard: it may come late, when others have tried already.

    Parameters
    ----------
    graph : Graph
    store : Store
    executor : Executor
        Closed at the end.
    watch : callable
        Called about twice a second while units run.
    shard : Shard, optional
        Which units come first.
    leave : float, optional
        Seconds without work after which the rest is left to the programs that do it; no limit
        when left out.
    limit : float
        Seconds without a sign of life after which a program on another machine counts as dead.

    Yields
    ------
    Event

    Raises
    ------
    SetupError
        If no unit can be done any more: a program is missing, the disk is full.
    """
    try:
        with Claims(store, limit=limit) as claims:
            yield from _Run(graph, store, executor, claims, shard).events(watch, leave)
    finally:
        executor.close()


class _Run:
    """One program that carries out a graph."""

    def __init__(
        self, graph: Graph, store: Store, executor: Executor, claims: Claims, shard: Shard | None
    ) -> None:
        self._graph, self._store, self._executor, self._claims = graph, store, executor, claims
        self._late = shard is not None
        self._front = Frontier(graph, shard)
        self._watch = Watch(store, claims)
        self._running = 0
        self._lost: Counter[str] = Counter()
        self._damaged: Counter[str] = Counter()

    def events(self, watch: Callable[[], object], leave: float | None) -> Iterator[Event]:
        """Everything that happens, until nothing is left that this program could do."""
        yield from self._begin()
        busy = time.monotonic()
        while self._front.open:
            yield from self._submit()
            if self._running:
                busy = time.monotonic()
            elif not self._front.waits or (leave is not None and time.monotonic() - busy > leave):
                break
            for end in self._executor.collect(POLL):
                self._running -= 1
                yield from self._ended(end)
            watch()
            for unit in self._watch.look(self._front.elsewhere):
                yield from self._seen(unit)

    def _begin(self) -> Iterator[Event]:
        """What earlier programs left."""
        self._store.tidy()
        for file in self._graph.files:
            self._store.keep_file(file)
        for digest, file in self._graph.links.items():
            self._store.link_file(digest, file)
        there, again = self._store.finished(), set[str]()
        for unit in self._graph.units:
            if unit.id not in there:
                continue
            sound = self._store.sound(unit.id)
            if not again.isdisjoint(unit.needs) or (
                sound and self._store.dropped_under_other_limits(unit)
            ):
                again.add(unit.id)
            if sound and unit.id not in again:
                self._front.finish(unit.id)
                yield Event(What.FOUND, unit)
            else:
                self._store.set_aside(unit.id)
        for name in self._store.scratch.begun():
            done = name in self._front.units and name not in self._front.open
            if done and self._claims.free(name):  # killed when it had just written the unit
                self._store.scratch.clear(name)
        for unit, failure in self._store.scratch.failures().items():
            if unit not in self._front.open:
                continue
            if self._late:
                yield from self._failed(self._front.units[unit], failure.message)
            else:
                self._store.scratch.forget_failure(unit)

    def _submit(self) -> Iterator[Event]:
        """Begin whatever can begin."""
        while batch := self._front.next(self._executor.room):
            ours = []
            for unit in batch:
                if self._store.has(unit.id):
                    yield from self._found(unit)
                elif not self._claim(unit.id):
                    self._front.elsewhere.add(unit.id)
                elif self._store.has(unit.id):  # finished just before the claim
                    yield from self._found(unit)
                else:
                    ours.append(unit)
            if ours:
                self._executor.submit(ours)
                self._running += len(ours)
            for unit in ours:
                yield Event(What.STARTED, unit)

    def _claim(self, unit: str) -> bool:
        """Whether a unit is ours to submit: while it is free, where its executor claims it."""
        return self._claims.free(unit) if self._executor.holds else self._claims.take(unit)

    def _found(self, unit: Unit[Any, Any]) -> Iterator[Event]:
        self._claims.release(unit.id)
        self._front.finish(unit.id)
        yield Event(What.FOUND, unit)

    def _ended(self, end: Ended) -> Iterator[Event]:
        """What follows from a unit that ended."""
        unit, report = end.unit, end.report
        if report is None:
            self._lost[unit.id] += end.guilty
            if self._lost[unit.id] < MOST:
                self._front.ready(unit.id)
                if end.guilty or end.text != Ended.text:
                    yield Event(What.LOST, unit, end.text)
                return
            text = f"its process ended {MOST} times (killed, or out of memory?)"
            report = Report(unit=unit.id, error=text)
        if report.held:
            self._front.elsewhere.add(unit.id)
        elif report.damaged in self._front.units and self._damaged[report.damaged] < MOST:
            self._damaged[report.damaged] += 1
            self._claims.release(unit.id)
            self._front.repair(report.damaged)
            yield Event(What.LOST, unit, f"{report.damaged} is damaged; it is made again first")
        elif report.meta is None:
            failure = Failure(unit.name, report.error, report.details)
            self._store.scratch.fail(unit.id, failure)
            self._claims.release(unit.id)
            yield from self._failed(unit, report.error)
        elif report.found:
            yield from self._found(unit)
        else:
            self._claims.release(unit.id)
            self._front.finish(unit.id)
            meta = report.meta
            what = What.DROPPED if meta.dropped else What.FINISHED
            yield Event(what, unit, meta.dropped, outcome_of(unit, meta), meta.seconds)

    def _failed(self, unit: Unit[Any, Any], text: str) -> Iterator[Event]:
        yield Event(What.FAILED, unit, text)
        for blocked in self._front.fail(unit.id):
            yield Event(What.BLOCKED, blocked, "a unit that it reads has failed")

    def _seen(self, unit: str) -> Iterator[Event]:
        """What became of a unit that another program has done with."""
        if self._store.has(unit):
            yield from self._found(self._front.units[unit])
        elif failure := self._store.scratch.failure(unit):
            yield from self._failed(self._front.units[unit], failure.message)
        else:
            self._front.ready(unit)
