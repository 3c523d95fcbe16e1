"""What an experiment will take before it runs: cores, hours, disk, by a model of its units.

Hours come from the costs of the plan, which hold for one core of the machine they were measured
on; disk from what each kind of unit keeps.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from amorphace.runs.unit import Graph


@dataclass(frozen=True)
class KindBudget:
    """What the units of one kind take.

    Attributes
    ----------
    kind : str
    units : int
    cores : int
        Of a unit.
    core_hours : float
        Of all.
    longest_hours : float
        Of the longest unit, on its cores.
    disk : int
        Bytes of all.
    """

    kind: str
    units: int
    cores: int
    core_hours: float
    longest_hours: float
    disk: int


def budget(plan: Graph) -> tuple[KindBudget, ...]:
    """What a plan takes, by kind of unit."""
    found = []
    for kind in plan.kinds:
        units = plan.of_kind(kind)
        hours = [u.cost / 3600 for u in units]
        cores = plan.cores_of(units[0], 1)
        found.append(
            KindBudget(
                kind=kind.name,
                units=len(units),
                cores=cores,
                core_hours=sum(hours),
                longest_hours=max(hours) / cores,
                disk=sum(u.disk for u in units),
            )
        )
    return tuple(found)


def wall_hours(plan: Graph, cores: int) -> float:
    """Hours that a plan takes on so many cores: units in the order of the plan, as they can begin.

    A unit on several cores counts as that much faster.
    """
    units = plan.by_id
    order = {i: k for k, i in enumerate(units)}
    missing = {i: len(u.needs) for i, u in units.items()}
    readers: dict[str, list[str]] = {}
    for unit in units.values():
        for needed in unit.needs:
            readers.setdefault(needed, []).append(unit.id)
    ready = [(order[i], i) for i, n in missing.items() if not n]
    heapq.heapify(ready)
    running: list[tuple[float, int, str, int]] = []
    now, free = 0.0, cores
    while ready or running:
        while ready and (need := min(cores, plan.cores_of(units[ready[0][1]], 1))) <= free:
            k, unit = heapq.heappop(ready)
            free -= need
            heapq.heappush(running, (now + units[unit].cost / need, k, unit, need))
        now, _, unit, need = heapq.heappop(running)
        free += need
        for reader in readers.get(unit, ()):
            missing[reader] -= 1
            if not missing[reader]:
                heapq.heappush(ready, (order[reader], reader))
    return now / 3600
