"""Which units of a graph can begin, and which of them comes first."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from amorphace.core.errors import InputError
from amorphace.runs.unit import Cores, Graph, Kind, Unit


@dataclass(frozen=True)
class Shard:
    """One of several programs that share a graph: number `index` of `count`, from 1.

    Examples
    --------
    >>> Shard.parse("3/64")
    Shard(index=3, count=64)
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that "i/n" names; an InputError if it names none."""
        first, _, second = text.partition("/")
        if first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second):
            return cls(int(first), int(second))
        raise InputError(f"a shard is i/n with i from 1 to n, such as 3/64; got {text!r}")


class Frontier:
    """Which units of a graph are open, which of them can begin, and in which order.

    A shard begins with every `count`-th unit; those of others follow, each shard from a place of
    its own. Where the first unit finds no room, a later one that finds some begins; units that
    take all cores run alone, when nothing else can begin.
    """

    def __init__(self, graph: Graph, shard: Shard | None) -> None:
        self.units = graph.by_id
        n = len(self.units)
        self._rank = {
            unit: _rank(k, n, shard) if shard else (0, k) for k, unit in enumerate(self.units)
        }
        self._missing = {i: len(u.needs) for i, u in self.units.items()}
        self._readers: dict[str, list[str]] = {}
        for unit in self.units.values():
            for needed in unit.needs:
                self._readers.setdefault(needed, []).append(unit.id)
        self._at_once = graph.at_once
        self.open = set(self.units)
        """Units that are neither finished nor failed."""
        self.elsewhere: set[str] = set()
        """Those of them that other programs do."""
        self._heaps: dict[Kind[Any, Any], list[tuple[tuple[int, int], str]]] = {}
        for unit, missing in self._missing.items():
            if not missing:
                self.ready(unit)

    def ready(self, unit: str) -> None:
        """A unit can begin, or begin again."""
        self.elsewhere.discard(unit)
        heap = self._heaps.setdefault(self.units[unit].kind, [])
        heapq.heappush(heap, (self._rank[unit], unit))

    def next(self, room: Callable[[Unit[Any, Any]], bool]) -> list[Unit[Any, Any]]:
        """The next units to begin now, of one kind; none if nothing can."""
        heads = sorted(self._heads(), key=lambda found: found[0])
        narrow = [found for found in heads if found[1].kind.cores is not Cores.ALL]
        for _, first in narrow or heads:
            if room(first):
                batch: dict[str, Unit[Any, Any]] = {}
                most = min(first.kind.at_once, self._at_once or first.kind.at_once)
                while len(batch) < most and (unit := self._head(first.kind)):
                    heapq.heappop(self._heaps[first.kind])
                    batch[unit.id] = unit
                return list(batch.values())
        return []

    def _heads(self) -> Iterator[tuple[tuple[int, int], Unit[Any, Any]]]:
        for kind in self._heaps:
            unit = self._head(kind)
            if unit is not None:
                yield self._rank[unit.id], unit

    def _head(self, kind: Kind[Any, Any]) -> Unit[Any, Any] | None:
        """The first open unit of a kind that can begin."""
        heap = self._heaps[kind]
        while heap and (heap[0][1] not in self.open or self._missing[heap[0][1]]):
            heapq.heappop(heap)
        return self.units[heap[0][1]] if heap else None

    @property
    def waits(self) -> bool:
        """Whether units that others do, or that find no room yet, may still come."""
        return bool(self.elsewhere) or any(self._head(kind) for kind in self._heaps)

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

    def repair(self, unit: str) -> None:
        """A unit that was in the store is damaged: it is done again, before those that read it."""
        if unit in self.open:
            return
        self.open.add(unit)
        for reader in self._readers.get(unit, ()):
            self._missing[reader] += 1
        self.ready(unit)

    def fail(self, unit: str) -> Iterator[Unit[Any, Any]]:
        """A unit will not come; those that read it, and theirs."""
        failed = [unit]
        while failed:
            lost = failed.pop()
            self.open.discard(lost)
            self.elsewhere.discard(lost)
            for reader in self._readers.get(lost, ()):
                if reader in self.open:
                    self.open.remove(reader)
                    failed.append(reader)
                    yield self.units[reader]


def _rank(k: int, n: int, shard: Shard) -> tuple[int, int]:
    if k % shard.count == shard.index - 1:
        return 0, k
    return 1, (k - n * (shard.index - 1) // shard.count) % n
