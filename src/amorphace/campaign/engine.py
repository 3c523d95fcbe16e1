"""The loop that carries a plan out: claim, submit, collect, wherever units are executed.

The store alone remembers. Whatever ends a program, and whenever, the next one finds the units
that were finished and the checkpoints of those that were not. Several programs on one store share
the work: each claims what it does, and looks now and then for what the others finished.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from amorphace.campaign.claims import LIMIT, Claims
from amorphace.campaign.store import Store
from amorphace.campaign.units import Graph, Unit
from amorphace.campaign.work import WIDE
from amorphace.core.errors import InputError, SetupError

LOST_PROCESSES = 3
"""Times that a unit may lose its process before it counts as failed."""
POLL = 0.5
"""Seconds between two looks at what is running."""
LOOK = 1.0
"""Seconds between two looks for what other programs finished."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a unit.

    Attributes
    ----------
    what : {"found", "started", "finished", "dropped", "failed", "lost", "blocked"}
    unit : Unit
    text : str
        Why, for those that did not go well.
    meta : dict
        What is known of a finished unit.
    """

    what: str
    unit: Unit
    text: str = ""
    meta: dict[str, Any] | None = None


@dataclass(frozen=True)
class Ended:
    """A unit that an executor no longer runs.

    Attributes
    ----------
    unit : Unit
    report : dict or None
        What `do_unit_at` gave; None if the process that did it is gone. With "found" another
        process had finished the unit; with "held" alone another one is at it.
    guilty : bool
        Whether the process may have gone because of this unit.
    """

    unit: Unit
    report: dict[str, Any] | None
    guilty: bool = True


class Executor(Protocol):
    """Where units are executed."""

    @property
    def holds(self) -> bool:
        """Whether those who execute units hold the claims, since they may outlive this program."""
        ...

    @property
    def running(self) -> int:
        """Units in flight."""
        ...

    def room(self, unit: Unit) -> bool:
        """Whether a unit may be submitted now."""
        ...

    def submit(self, unit: Unit) -> None:
        """Begin a unit, soon."""
        ...

    def collect(self, seconds: float) -> list[Ended]:
        """Units that ended; waits for the first, but not longer than `seconds`."""
        ...

    def close(self) -> None:
        """End everything that this executor began."""
        ...


@dataclass(frozen=True)
class Shard:
    """One of several programs that share a plan: number `index` of `count`, from 1.

    Examples
    --------
    >>> Shard.parse("3/64")
    Shard(index=3, count=64)
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that "i/n" names.

        Raises
        ------
        InputError
            If it names none.
        """
        first, _, second = text.partition("/")
        if first.isdigit() and second.isdigit() and 1 <= int(first) <= int(second):
            return cls(int(first), int(second))
        raise InputError(f"a shard is i/n with i from 1 to n, such as 3/64; got {text!r}")


class _Frontier:
    """Which units of a plan are open, which of them can begin, and in which order.

    A shard begins with every `count`-th unit; those of others follow, each shard from a place of
    its own.
    """

    def __init__(self, plan: Graph, shard: Shard | None) -> None:
        self.units = plan.by_id()
        n = len(self.units)
        self._rank = {
            unit: _rank(k, n, shard) if shard else (0, k) for k, unit in enumerate(self.units)
        }
        self._missing = {i: len(u.needs) for i, u in self.units.items()}
        self._readers: dict[str, list[str]] = {}
        for unit in self.units.values():
            for needed in unit.needs:
                self._readers.setdefault(needed, []).append(unit.id)
        self.open = set(self.units)
        self.elsewhere: set[str] = set()
        self._ready: list[tuple[tuple[int, int], str]] = []
        self._wide: list[tuple[tuple[int, int], str]] = []
        for unit, missing in self._missing.items():
            if not missing:
                self.ready(unit)

    def ready(self, unit: str) -> None:
        """A unit can begin, or begin again."""
        self.elsewhere.discard(unit)
        heap = self._wide if self.units[unit].kind in WIDE else self._ready
        heapq.heappush(heap, (self._rank[unit], unit))

    def next(self, executor: Executor) -> Unit | None:
        """The next unit to begin now; wide ones run alone."""
        for heap in (self._ready, self._wide):
            while heap:
                unit = self.units[heap[0][1]]
                if unit.id not in self.open:
                    heapq.heappop(heap)
                elif executor.room(unit):
                    heapq.heappop(heap)
                    return unit
                else:
                    return None
        return None

    @property
    def waits(self) -> bool:
        """Whether units that others do, or that find no room yet, may still come."""
        return bool(self.elsewhere) or any(i in self.open for _, i in self._ready + self._wide)

    def finish(self, unit: str) -> None:
        """A unit is in the store: what reads it may begin."""
        if unit not in self.open:
            return
        self.open.remove(unit)
        self.elsewhere.discard(unit)
        for reader in self._readers.get(unit, ()):
            self._missing[reader] -= 1
            if not self._missing[reader] and reader in self.open:
                self.ready(reader)

    def fail(self, unit: str) -> Iterator[Unit]:
        """A unit will not come; those that read it, and theirs."""
        self.open.discard(unit)
        self.elsewhere.discard(unit)
        for reader in self._readers.get(unit, ()):
            if reader in self.open:
                self.open.remove(reader)
                yield self.units[reader]
                yield from self.fail(reader)


def _rank(k: int, n: int, shard: Shard) -> tuple[int, int]:
    if k % shard.count == shard.index - 1:
        return 0, k
    return 1, (k - n * (shard.index - 1) // shard.count) % n


def carry_out(
    plan: Graph,
    store: Store,
    executor: Executor,
    *,
    watch: Callable[[], object] = lambda: None,
    shard: Shard | None = None,
    leave: float | None = None,
    limit: float = LIMIT,
) -> Generator[Event, None, None]:
    """Do all units of a plan that are not in the store yet.

    A unit that fails stops only those that read it. A unit whose process dies goes on from its
    last checkpoint. Units that another program does are waited for.

    Parameters
    ----------
    plan : Graph
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
        If LAMMPS is missing or the disk is full: no other unit could be done either.
    """
    try:
        with Claims(store, limit=limit) as claims:
            yield from _carry_out(plan, store, executor, claims, watch, shard, leave)
    finally:
        executor.close()


def _carry_out(
    plan: Graph,
    store: Store,
    executor: Executor,
    claims: Claims,
    watch: Callable[[], object],
    shard: Shard | None,
    leave: float | None,
) -> Iterator[Event]:
    store.tidy()
    for file in plan.files:
        store.keep_file(file)
    front = _Frontier(plan, shard)
    for unit in _finished(plan, store):
        front.finish(unit.id)
        yield Event("found", unit)
    for unit in store.failures():
        if unit in front.open:
            store.forget_failure(unit)
    lost: Counter[str] = Counter()
    busy = looked = time.monotonic()
    while front.open:
        while (unit := front.next(executor)) is not None:
            whose = _claim(unit.id, store, claims, executor.holds)
            if whose == "ours":
                executor.submit(unit)
                yield Event("started", unit)
            elif whose == "nobody's":
                front.finish(unit.id)
                yield Event("found", unit)
            else:
                front.elsewhere.add(unit.id)
        if executor.running:
            busy = time.monotonic()
        elif not front.waits or (leave is not None and time.monotonic() - busy > leave):
            break
        for end in executor.collect(POLL):
            yield from _ended(end, store, claims, front, lost)
        watch()
        if front.elsewhere and time.monotonic() - looked > LOOK:
            looked = time.monotonic()
            yield from _look(store, claims, front)


def _claim(unit: str, store: Store, claims: Claims, held: bool) -> str:
    """Whose a unit that can begin is: "ours" from now on, another's, "nobody's" when finished.

    Where those who execute units claim them (`held`), it is ours to submit while it is free.
    """
    if store.has(unit):
        claims.release(unit)
        return "nobody's"
    if not (claims.free(unit) if held else claims.take(unit)):
        return "another's"
    if store.has(unit):  # finished just before the claim
        claims.release(unit)
        return "nobody's"
    return "ours"


def _ended(
    end: Ended, store: Store, claims: Claims, front: _Frontier, lost: Counter[str]
) -> Iterator[Event]:
    """What follows from a unit that ended."""
    unit, report = end.unit, end.report
    if report is None:
        lost[unit.id] += end.guilty
        if lost[unit.id] < LOST_PROCESSES:
            front.ready(unit.id)
            if end.guilty:
                yield Event("lost", unit, "its process ended; it goes on from a checkpoint")
            return
        text = f"its process ended {LOST_PROCESSES} times (killed, or out of memory?)"
        report = dict[str, Any](error=text, details="", stop="")
    if report.get("held"):
        front.elsewhere.add(unit.id)
        return
    if report.get("stop"):
        raise SetupError(report["stop"])
    if "meta" in report:
        meta = report["meta"]
        claims.release(unit.id)
        front.finish(unit.id)
        if report.get("found"):
            yield Event("found", unit)
            return
        what = "dropped" if meta["outcome"] == "dropped" else "finished"
        yield Event(what, unit, meta["dropped"], meta)
        return
    store.fail(unit, report["error"], report["details"])
    claims.release(unit.id)
    yield from _failed(unit, report["error"], front)


def _failed(unit: Unit, text: str, front: _Frontier) -> Iterator[Event]:
    yield Event("failed", unit, text)
    for blocked in front.fail(unit.id):
        yield Event("blocked", blocked, "a unit that it reads has failed")


def _look(store: Store, claims: Claims, front: _Frontier) -> Iterator[Event]:
    """What became of the units that other programs do."""
    for unit in sorted(front.elsewhere):
        if store.has(unit):
            front.finish(unit)
            yield Event("found", front.units[unit])
        elif claims.free(unit):
            text = store.failure(unit)
            if text is None:
                front.ready(unit)
            else:
                yield from _failed(front.units[unit], text, front)


def _finished(plan: Graph, store: Store) -> Iterator[Unit]:
    """Units that are in the store; damaged ones are taken out of it."""
    there = store.finished()
    found = [u for u in plan.units if u.id in there]
    sound = []
    for unit in found:
        if store.sound(unit.id):
            sound.append(unit)
        else:
            store.set_aside(unit.id)
    store.index_missing(u.id for u in sound)
    yield from sound
