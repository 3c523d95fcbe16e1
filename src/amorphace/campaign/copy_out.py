"""The results of an experiment, copied out of its store for a reader."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

from amorphace.campaign.describe import TABLE, DescribeShear, DescribeThermal
from amorphace.campaign.health import dropped_lines, health_summary
from amorphace.campaign.learn import ANALYSIS, Learn
from amorphace.campaign.plan import Plan
from amorphace.core.records import write_json
from amorphace.runs.store import Store


def copy_out(plan: Plan, store: Store, folder: Path) -> str:
    """Copy table and analysis out of the store, and write what was checked.

    Parameters
    ----------
    plan : Plan
        All of its units are finished.
    store : Store
    folder : Path
        An empty one.

    Returns
    -------
    str
        Why the experiment has no result, since its simulations may not be used; else empty.

    Raises
    ------
    Damaged
        If a unit is not what was written: it is set aside.
    """
    checks = [asdict(line) for line in health_summary(plan, store)]
    write_json(folder / "health.json", {"checks": checks, "dropped": dropped_lines(plan, store)})
    learned, described = plan.one(Learn), plan.one(DescribeThermal, DescribeShear)
    if why := store.meta(learned.id).dropped:
        return why
    shutil.copytree(store.verified(learned.id) / ANALYSIS, folder, dirs_exist_ok=True)
    shutil.copytree(store.verified(described.id) / TABLE, folder / TABLE)
    return ""
