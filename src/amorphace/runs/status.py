"""How a graph stands: units by kind, what runs, what failed and why, time left."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amorphace.core.errors import FileFormatError
from amorphace.core.records import read_json
from amorphace.runs.meta import META
from amorphace.runs.scratch import Progress
from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Unit

LEAST_TIMED = 3
"""Finished units of a kind from which its speed is taken; with fewer, the estimate stands."""


@dataclass(frozen=True)
class KindStatus:
    """How many units of one kind there are, and what became of them."""

    kind: str
    total: int
    done: int
    """Finished, those that were dropped too."""
    dropped: int
    failed: int
    running: int
    seconds_left: float
    """On one core."""


@dataclass(frozen=True)
class Status:
    """How a graph stands."""

    kinds: tuple[KindStatus, ...]
    running: tuple[tuple[Unit[Any, Any], Progress], ...]
    failures: tuple[tuple[Unit[Any, Any], str], ...]
    dropped: tuple[tuple[Unit[Any, Any], str], ...]
    """Results that may not be used, and why, without those that rest on others of them."""

    @property
    def total(self) -> int:
        """Units in all."""
        return sum(k.total for k in self.kinds)

    @property
    def done(self) -> int:
        """Finished units."""
        return sum(k.done for k in self.kinds)

    @property
    def seconds_left(self) -> float:
        """On one core."""
        return sum(k.seconds_left for k in self.kinds)


def find_status(graph: Graph, store: Store) -> Status:
    """How a graph stands, from its store; nothing is changed."""
    known = graph.by_id
    there = {
        unit: finished
        for unit in store.finished()
        if unit in known and (finished := _finished(store.folder(unit))) is not None
    }
    failures = {
        unit: failure.message
        for unit, failure in store.scratch.failures().items()
        if unit in known and unit not in there
    }
    progress = {
        unit: found
        for unit in store.scratch.begun()
        if unit in known and unit not in there
        and (found := store.scratch.progress(unit)) is not None and found.alive
    }  # fmt: skip
    dropped = {unit: why for unit, (why, _) in there.items() if why}
    kinds = []
    for kind in graph.kinds:
        units = graph.of_kind(kind)
        done = [u for u in units if u.id in there]
        pace = _pace([(u.cost, there[u.id]) for u in done])
        kinds.append(
            KindStatus(
                kind=kind.name,
                total=len(units),
                done=len(done),
                dropped=sum(u.id in dropped for u in done),
                failed=sum(u.id in failures for u in units),
                running=sum(u.id in progress for u in units),
                seconds_left=sum(
                    u.cost * pace * (1 - _share(progress.get(u.id)))
                    for u in units
                    if u.id not in there
                ),
            )
        )
    return Status(
        kinds=tuple(kinds),
        running=tuple((known[i], p) for i, p in progress.items()),
        failures=tuple((known[i], text) for i, text in failures.items()),
        dropped=tuple(
            (u, dropped[u.id])
            for u in graph.units
            if u.id in dropped and not any(i in dropped for i in u.needs)
        ),
    )


@dataclass(frozen=True)
class Sharing:
    """What an experiment has in common with another one, of some name, on the store."""

    name: str
    units: int
    total: int
    """All units of this experiment."""
    done: int
    """Units in common that are finished."""


def find_sharing(graph: Graph, store: Store, own: str) -> tuple[Sharing, ...]:
    """What a graph, in the store under its `own` name, shares with each other experiment there."""
    units, there = set(graph.by_id), store.finished()
    return tuple(
        Sharing(name, len(common), len(units), len(common & there))
        for name, others in store.experiments().items()
        if name != own and (common := units & others)
    )


def estimate(graph: Graph) -> float:
    """Estimated seconds on one core of a whole graph."""
    return sum(u.cost for u in graph.units)


def _finished(folder: Path) -> tuple[str, float] | None:
    """Why a finished unit was dropped, if it was, and its seconds: there are many of them."""
    try:
        found = read_json(folder / META)
        return str(found["dropped"]), float(found["seconds"])
    except (FileFormatError, KeyError, TypeError, ValueError):
        return None


def _pace(timed: list[tuple[float, tuple[str, float]]]) -> float:
    """Seconds taken for each estimated one."""
    ratios = [seconds / cost for cost, (dropped, seconds) in timed if cost > 0 and not dropped]
    return statistics.median(ratios) if len(ratios) >= LEAST_TIMED else 1.0


def _share(progress: Progress | None) -> float:
    return 0.0 if progress is None or not progress.total else progress.done / progress.total
