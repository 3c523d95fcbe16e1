"""How a graph stands: units by kind, what runs, what failed and why, time left."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from amorphace.runs.meta import Summary, read_summary
from amorphace.runs.scratch import Progress
from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Unit

LEAST_TIMED = 3
"""Finished units of a kind from which its speed is taken; with fewer, the estimate stands."""


@dataclass(frozen=True)
class KindStatus:
    """How the units of one kind stand.

    Attributes
    ----------
    kind : str
    total, done, dropped, failed, running : int
        `done` counts dropped ones too.
    seconds_left : float
        On one core.
    """

    kind: str
    total: int
    done: int
    dropped: int
    failed: int
    running: int
    seconds_left: float


@dataclass(frozen=True)
class Status:
    """How a graph stands.

    Attributes
    ----------
    kinds : tuple of KindStatus
    running : tuple of (Unit, Progress)
    failures : tuple of (Unit, str)
    dropped : tuple of (Unit, str)
        Results that may not be used, without those that rest on others of them.
    """

    kinds: tuple[KindStatus, ...]
    running: tuple[tuple[Unit[Any, Any], Progress], ...]
    failures: tuple[tuple[Unit[Any, Any], str], ...]
    dropped: tuple[tuple[Unit[Any, Any], str], ...]

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
    """How a graph stands, from its store; nothing is changed.

    Parameters
    ----------
    graph : Graph
    store : Store
    """
    known = graph.by_id
    there = {
        unit: summary
        for unit in store.finished()
        if unit in known and (summary := read_summary(store.folder(unit))) is not None
    }
    failures = store.scratch.failures()
    progress = {
        i: p
        for i in store.scratch.begun()
        if i in known
        and i not in there
        and (p := store.scratch.progress(i)) is not None
        and p.alive
    }
    kinds = []
    for kind in graph.kinds:
        units = graph.of_kind(kind)
        done = [u for u in units if u.id in there]
        pace = _pace([(u.cost, there[u.id]) for u in done])
        left = sum(
            u.cost * pace * (1 - _share(progress.get(u.id))) for u in units if u.id not in there
        )
        kinds.append(
            KindStatus(
                kind=kind.name,
                total=len(units),
                done=len(done),
                dropped=sum(bool(there[u.id].dropped) for u in done),
                failed=sum(u.id in failures for u in units if u.id not in there),
                running=sum(u.id in progress for u in units),
                seconds_left=left,
            )
        )
    dropped = {i for i, summary in there.items() if summary.dropped}
    return Status(
        kinds=tuple(kinds),
        running=tuple((known[i], p) for i, p in progress.items()),
        failures=tuple(
            (known[i], f.message) for i, f in failures.items() if i in known and i not in there
        ),
        dropped=tuple(
            (u, there[u.id].dropped)
            for u in graph.units
            if u.id in dropped and not any(i in dropped for i in u.needs)
        ),
    )


@dataclass(frozen=True)
class Sharing:
    """Units that an experiment has in common with another one on the store.

    Attributes
    ----------
    name : str
        The other's.
    units, total, done : int
        In common, all of this experiment, and those in common that are finished.
    """

    name: str
    units: int
    total: int
    done: int


def find_sharing(graph: Graph, store: Store, own: str) -> tuple[Sharing, ...]:
    """What a graph shares with each other experiment that ran on the store.

    Parameters
    ----------
    graph : Graph
    store : Store
    own : str
        Name of this experiment in the store.
    """
    units, there = set(graph.by_id), store.finished()
    return tuple(
        Sharing(name, len(common), len(units), len(common & there))
        for name, others in store.experiments().items()
        if name != own and (common := units & others)
    )


def estimate(graph: Graph) -> float:
    """Estimated seconds on one core of a whole graph."""
    return sum(u.cost for u in graph.units)


def _pace(timed: list[tuple[float, Summary]]) -> float:
    """Seconds taken for each estimated one."""
    ratios = [s.seconds / c for c, s in timed if c > 0 and not s.dropped]
    return statistics.median(ratios) if len(ratios) >= LEAST_TIMED else 1.0


def _share(progress: Progress | None) -> float:
    return 0.0 if progress is None or not progress.total else progress.done / progress.total
