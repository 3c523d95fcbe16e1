"""How an experiment stands: units by kind, what runs, what failed and why, time left."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from amorphace.campaign.plan import Plan
from amorphace.campaign.store import Progress, Store
from amorphace.campaign.units import Unit

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
    """How an experiment stands.

    Attributes
    ----------
    kinds : tuple of KindStatus
    running : tuple of (Unit, Progress)
    failures : tuple of (Unit, str)
    dropped : tuple of (Unit, str)
        Runs that may not be used, without those that rest on others of them.
    """

    kinds: tuple[KindStatus, ...]
    running: tuple[tuple[Unit, Progress], ...]
    failures: tuple[tuple[Unit, str], ...]
    dropped: tuple[tuple[Unit, str], ...]

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


def find_status(plan: Plan, store: Store) -> Status:
    """How an experiment stands, from its store; nothing is changed.

    Parameters
    ----------
    plan : Plan
    store : Store
    """
    there = store.finished()
    failures = store.failures()
    metas = {u.id: store.meta(u.id) for u in plan.units if u.id in there}
    progress = {
        u.id: p
        for u in plan.units
        if u.id not in there and (p := store.progress(u.id)) is not None and p.alive
    }
    kinds = []
    for kind in dict.fromkeys(u.kind for u in plan.units):
        units = plan.of_kind(kind)
        done = [u for u in units if u.id in there]
        pace = _pace([(u.cost, metas[u.id]) for u in done])
        left = sum(
            u.cost * pace * (1 - _share(progress.get(u.id))) for u in units if u.id not in there
        )
        kinds.append(
            KindStatus(
                kind=kind,
                total=len(units),
                done=len(done),
                dropped=sum(metas[u.id]["outcome"] == "dropped" for u in done),
                failed=sum(u.id in failures for u in units if u.id not in there),
                running=sum(u.id in progress for u in units),
                seconds_left=left,
            )
        )
    known = plan.by_id()
    dropped = {i for i, m in metas.items() if m["outcome"] == "dropped"}
    return Status(
        kinds=tuple(kinds),
        running=tuple((known[i], p) for i, p in progress.items()),
        failures=tuple((known[i], m) for i, m in failures.items() if i in known and i not in there),
        dropped=tuple(
            (u, metas[u.id]["dropped"])
            for u in plan.units
            if u.id in dropped and not any(i in dropped for i in u.needs)
        ),
    )


def estimate(plan: Plan) -> float:
    """Estimated seconds on one core of a whole plan."""
    return sum(u.cost for u in plan.units)


def _pace(timed: list[tuple[float, dict[str, Any]]]) -> float:
    """Seconds taken for each estimated one."""
    ratios = [m["versions"]["seconds"] / c for c, m in timed if c > 0 and m["outcome"] == "whole"]
    return statistics.median(ratios) if len(ratios) >= LEAST_TIMED else 1.0


def _share(progress: Progress | None) -> float:
    return 0.0 if progress is None or not progress.total else progress.done / progress.total
