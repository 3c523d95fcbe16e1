"""What an experiment will take before it runs: cores, hours, disk, by a model of its units.

Hours come from the costs of the plan, which hold for one core of the machine they were measured
on; disk from the arrays that each kind of unit keeps.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from amorphace.campaign.plan import Plan
from amorphace.campaign.sizes import EVENT_STEPS, table_bytes
from amorphace.campaign.units import Unit
from amorphace.campaign.work import cores_of

VECTOR = 24
"""Bytes of a position of a particle."""
LABEL = 4
"""Bytes of the species of a particle."""
SMALL = 10_000
"""Bytes of meta.json and short arrays."""
ANALYSIS = 5_000_000
"""Bytes of an analysis."""


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


def budget(plan: Plan) -> tuple[KindBudget, ...]:
    """What a plan takes, by kind of unit."""
    ranks = plan.cores_per_unit
    found = []
    for kind in dict.fromkeys(u.kind for u in plan.units):
        units = plan.of_kind(kind)
        hours = [u.cost / 3600 for u in units]
        cores = cores_of(units[0], ranks)
        found.append(
            KindBudget(
                kind=kind,
                units=len(units),
                cores=cores,
                core_hours=sum(hours),
                longest_hours=max(hours) / cores,
                disk=sum(_disk(plan, u) for u in units),
            )
        )
    return tuple(found)


def wall_hours(plan: Plan, cores: int) -> float:
    """Hours that a plan takes on so many cores: units in the order of the plan, as they can begin.

    A unit on several cores counts as that much faster.
    """
    ranks = plan.cores_per_unit
    units = plan.by_id()
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
        while ready and (need := min(cores, cores_of(units[ready[0][1]], ranks))) <= free:
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


def _disk(plan: Plan, unit: Unit) -> int:
    """Bytes that a unit keeps."""
    n = plan.experiment.preparation.n_particles
    configuration = n * (VECTOR + LABEL)
    if unit.kind == "prepare":
        return SMALL + configuration + n * VECTOR
    if unit.kind == "inherent":
        return SMALL + configuration
    if unit.kind == "replica":
        return SMALL + n * VECTOR * (2 if unit.parameters["quench"] else 1)
    if unit.kind == "measure":
        return SMALL + n * 16
    if unit.kind == "shear":
        protocol = plan.experiment.how_sheared()
        steps = protocol.last_step - protocol.first_step
        event = n * (2 * VECTOR + 8)
        return int(SMALL + configuration + n * 8 + steps * n * 4 + EVENT_STEPS * steps * event)
    if unit.kind == "describe":
        return SMALL + table_bytes(plan.experiment)
    return ANALYSIS if unit.kind == "learn" else SMALL
