"""The results of an experiment, copied out of its store for a reader."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

from amorphace.campaign.describe import TABLE, DescribeShear, DescribeThermal
from amorphace.campaign.health import dropped_lines, health_summary
from amorphace.campaign.learn import ANALYSIS, Learn
from amorphace.campaign.plan import Plan
from amorphace.core.codec import encode
from amorphace.core.digest import digest_of, program_digest
from amorphace.core.records import write_json
from amorphace.runs.store import Store


def made_from(plan: Plan, store: Store) -> str:
    """A digest of all that the results of an experiment follow from: its file, units, program."""
    units = {unit.id: store.meta(unit.id).dropped for unit in plan.units}
    given = encode(plan.experiment)
    return digest_of({"program": program_digest(), "experiment": given, "units": units})


def copy_out(plan: Plan, store: Store, folder: Path) -> None:
    """Copy table and analysis, if there are any, out of the store, and write what was checked.

    Parameters
    ----------
    plan : Plan
        All of its units are finished.
    store : Store
    folder : Path
        An empty one.

    Raises
    ------
    Damaged
        If a unit is not what was written: it is set aside.
    """
    checks = [asdict(line) for line in health_summary(plan, store)]
    write_json(folder / "health.json", {"checks": checks, "dropped": dropped_lines(plan, store)})
    learned, described = plan.one(Learn), plan.one(DescribeThermal, DescribeShear)
    if not store.meta(learned.id).dropped:
        shutil.copytree(store.verified(learned.id) / ANALYSIS, folder, dirs_exist_ok=True)
        shutil.copytree(store.verified(described.id) / TABLE, folder / TABLE)
