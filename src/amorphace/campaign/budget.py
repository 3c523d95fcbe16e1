"""What an experiment will take before it runs: cores, hours, disk, by a model of its units.

Hours come from the costs of the plan, which hold for one core of the machine they were measured
on, or for a GPU; disk from what each kind of unit keeps.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

from amorphace.campaign.devices import TOGETHER
from amorphace.campaign.plan import Plan
from amorphace.runs.frontier import Frontier
from amorphace.runs.unit import Graph, Unit


@dataclass(frozen=True)
class KindBudget:
    """What the units of one kind take.

    Attributes
    ----------
    kind : str
    units : int
    cores : int
        Of a unit.
    core_hours, gpu_hours : float
        Of all; one of them is zero.
    longest_hours : float
        Of the longest unit, on its cores or beside others on a device.
    disk : int
        Bytes of all.
    """

    kind: str
    units: int
    cores: int
    core_hours: float
    gpu_hours: float
    longest_hours: float
    disk: int


def budget(plan: Plan) -> tuple[KindBudget, ...]:
    """What a plan takes, by kind of unit."""
    found = []
    for kind in plan.kinds:
        units = plan.of_kind(kind)
        hours, cores = [u.cost / 3600 for u in units], plan.cores_of(units[0], 1)
        gpu, shared = plan.on_gpu(units[0]), plan.side_by_side(units[0])
        found.append(
            KindBudget(
                kind=kind.name,
                units=len(units),
                cores=cores,
                core_hours=0.0 if gpu else sum(hours),
                gpu_hours=sum(hours) if gpu else 0.0,
                longest_hours=sum(hours[:TOGETHER]) if shared else max(hours) / cores,
                disk=sum(u.disk for u in units),
            )
        )
    return tuple(found)


def wall_hours(plan: Graph, cores: int) -> float:
    """Hours that a plan takes on so many cores: units in the order of the plan, as they can begin.

    A unit on several cores counts as that much faster.
    """
    front = Frontier(plan, None)
    running: list[tuple[float, int, str, int]] = []
    now, free = 0.0, cores

    def need(unit: Unit[Any, Any]) -> int:
        return min(cores, plan.cores_of(unit, 1))

    def fits(unit: Unit[Any, Any]) -> bool:
        return need(unit) <= free

    while front.open:
        while batch := front.next(fits):
            for unit in batch:
                free -= need(unit)
                end = now + unit.cost / need(unit)
                heapq.heappush(running, (end, len(running), unit.id, need(unit)))
        now, _, done, cores_freed = heapq.heappop(running)
        free += cores_freed
        front.finish(done)
    return now / 3600
