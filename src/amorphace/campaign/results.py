"""What comes out of an experiment: sentences for the log, files for the reader."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amorphace.campaign.plan import Plan
from amorphace.campaign.store import Store
from amorphace.campaign.units import Unit
from amorphace.core.files import text_written_aside, written_aside


def sentence(unit: Unit, meta: Mapping[str, Any]) -> str:
    """One line of the log on a finished unit."""
    r = meta["results"]
    numbers = {k: v for h in meta["health"] for k, v in h["numbers"].items()}
    if unit.kind == "prepare":
        text = f"seed {r['seed']}, density {r['density']:.4f}"
        if "temperature" in numbers:
            text += f", T = {numbers['temperature']['mean']:.3f}"
        if "pressure" in numbers:
            text += f", p = {numbers['pressure']['mean']:.2f}"
        tried = len(meta["attempts"])
        return text + (f", after {tried} unsound attempts" if tried else "")
    if unit.kind == "relax":
        tau = "not reached" if r["tau"] is None else f"{r['tau']:.1f}"
        return f"tau_alpha {tau}, aging {numbers.get('aging', 0):.3f}"
    if unit.kind == "lag":
        return f"{r['lag']:.1f} from {r['n_samples']} samples"
    if unit.kind == "inherent":
        return f"energy {r['energy']:.4f}, largest force {r['fmax']:.1e}"
    if unit.kind == "replica":
        return f"lag {r['lag']:.1f}, energy drift {numbers.get('energy_drift', 0):.1e}"
    if unit.kind == "measure":
        return f"{r['n_replicas']} replicas, D2min-propensity correlation {r['correlation']:.3f}"
    if unit.kind == "shear":
        return f"{r['n_events']} events, at most {r['most_attempts']} attempts at a step"
    if unit.kind == "label":
        return f"{r['n_labelled']} labelled sites in {len(r['samples'])} samples"
    if unit.kind == "describe":
        return f"{r['n_sites']} sites, {r['n_columns']} columns"
    if unit.kind == "learn":
        best = r["best"]
        return (
            f"accuracy {best['accuracy']:.3f} ± {best['accuracy_std']:.3f} with "
            f"{best['n_columns']} columns at cutoff {best['cutoff']:g}"
        )
    return "done"


def dropped_samples(plan: Plan, store: Store) -> list[str]:
    """Runs that were not used, and why."""
    found = []
    for unit in plan.units:
        meta = store.meta(unit.id)
        if meta["outcome"] == "dropped":
            found.append(f"{unit.kind} of {unit.name}: {meta['dropped']}")
    return found


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


def health_summary(plan: Plan, store: Store) -> tuple[HealthSummary, ...]:
    """Everything that was checked, the worst of all runs of a kind."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for unit in plan.units:
        for entry in store.meta(unit.id)["health"]:
            for check in entry["checks"]:
                key = (unit.kind, entry["what"], check["quantity"])
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


def write_results(plan: Plan, store: Store, folder: Path) -> Iterator[str]:
    """Copy the analysis out of the store, and say what was dropped.

    Parameters
    ----------
    plan : Plan
        All of its units are finished.
    store : Store
    folder : Path
        Replaced, whole.

    Yields
    ------
    str
        Lines to show.
    """
    (learned,) = plan.of_kind("learn")
    (described,) = plan.of_kind("describe")
    meta = store.meta(learned.id)
    with written_aside(folder, folder=True) as partial:
        partial.mkdir()
        if meta["outcome"] == "whole":
            shutil.copytree(store.folder(learned.id) / "analysis", partial, dirs_exist_ok=True)
            shutil.copytree(store.folder(described.id) / "table.zarr", partial / "table.zarr")
        with text_written_aside(partial / "health.json") as stream:
            summary = [asdict(line) for line in health_summary(plan, store)]
            dropped = dropped_samples(plan, store)
            json.dump({"checks": summary, "dropped": dropped}, stream, indent=1)
    for line in dropped_samples(plan, store):
        yield f"not used: {line}"
    yield f"{folder}: the labelled table, the analysis and the health checks"
