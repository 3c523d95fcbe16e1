"""What comes out of an experiment: sentences for the log, files for the reader."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amorphace.campaign.plan import Plan
from amorphace.campaign.store import Store
from amorphace.campaign.units import Unit
from amorphace.core.files import text_written_aside, written_aside

COPIED = ("accuracy.csv", "summary.json", "analysis.json", "model.json")
"""Files of the analysis that the reader finds in the folder of results."""


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


def health_lines(plan: Plan, store: Store) -> Iterator[tuple[Unit, Mapping[str, Any]]]:
    """Everything that was checked, with the unit it was checked on."""
    for unit in plan.units:
        for entry in store.meta(unit.id)["health"]:
            yield unit, entry


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
        for name in COPIED:
            source = store.folder(learned.id) / name
            if source.exists():
                shutil.copy2(source, partial / name)
        if meta["outcome"] == "whole":
            shutil.copytree(store.folder(described.id) / "table.zarr", partial / "table.zarr")
        with text_written_aside(partial / "health.json") as stream:
            lines = [
                {"unit": u.id, "name": u.name, "kind": u.kind, **e}
                for u, e in health_lines(plan, store)
            ]
            json.dump({"checks": lines, "dropped": dropped_samples(plan, store)}, stream, indent=1)
    for line in dropped_samples(plan, store):
        yield f"not used: {line}"
    yield f"{folder}: the labelled table, the analysis and the health checks"
