"""What is checked of every simulation: as JSON in its unit, and the worst of all of a kind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Outcome
from amorphace.simulate.health import Health, Tolerances, checks


def health_entry(what: str, health: Health, tolerances: Tolerances | None = None) -> dict[str, Any]:
    """What was checked of a run, as JSON: numbers, each beside its limit, what is wrong."""
    found = checks(health, tolerances)
    return {
        "what": what,
        "numbers": _record(asdict(health)),
        "checks": [
            {
                "quantity": c.quantity,
                "value": c.value if math.isfinite(c.value) else None,
                "limit": c.limit,
                "ok": c.ok,
            }
            for c in found
        ],
        "problems": [c.text for c in found if not c.ok],
    }


def _record(value: Any) -> Any:
    """JSON values; what does not apply is left out, numbers that JSON does not know are text."""
    if isinstance(value, dict):
        return {k: _record(v) for k, v in value.items() if v is not None}
    return value if math.isfinite(value) else str(float(value))


def checked(results: Any, *health: Mapping[str, Any]) -> Outcome:
    """The outcome of a simulation, which may not be used where its health entries find it wrong."""
    wrong = "; ".join(text for entry in health for text in entry["problems"])
    return Outcome(results=results, health=health, dropped=wrong)


def numbers_of(outcome: Outcome) -> dict[str, Any]:
    """The numbers that were checked of a unit, the last of each."""
    return {k: v for entry in outcome.health for k, v in entry["numbers"].items()}


@dataclass(frozen=True)
class HealthSummary:
    """One quantity over all runs of a kind.

    Attributes
    ----------
    kind, what, quantity : str
        Kind of unit, the part of it that was checked, and the quantity with its unit.
    worst, limit : float or None
        The largest value, and the most that is allowed.
    n_runs, n_bad : int
    """

    kind: str
    what: str
    quantity: str
    worst: float | None
    limit: float
    n_runs: int
    n_bad: int


def health_summary(graph: Graph, store: Store) -> tuple[HealthSummary, ...]:
    """Everything that was checked, the worst of all runs of a kind."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for unit in graph.units:
        for entry in store.meta(unit.id).health:
            for check in entry["checks"]:
                key = (unit.kind.name, entry["what"], check["quantity"])
                found.setdefault(key, []).append(check)
    return tuple(
        HealthSummary(
            *key,
            worst=max((c["value"] for c in checks if c["value"] is not None), default=None),
            limit=checks[0]["limit"],
            n_runs=len(checks),
            n_bad=sum(not c["ok"] for c in checks),
        )
        for key, checks in found.items()
    )


def dropped_lines(graph: Graph, store: Store) -> list[str]:
    """Units that may not be used, and why."""
    return [
        f"{unit.kind.name} of {unit.name}: {why}"
        for unit in graph.units
        if (why := store.meta(unit.id).dropped)
    ]


def doubts(graph: Graph, store: Store) -> tuple[str, ...]:
    """What is probably not what was meant in files that were given, a sentence each."""
    found = [store.meta(unit.id).results for unit in graph.units]
    return tuple(dict.fromkeys(text for r in found for text in r.get("doubts", ())))
