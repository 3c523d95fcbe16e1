"""Doing one unit, in any process."""

from __future__ import annotations

import errno
import platform
import shutil
import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from traceback import format_exception
from typing import Any

import numpy as np

from amorphace.campaign.context import Context, Dropped, compare_digests
from amorphace.campaign.store import Outcome, Store
from amorphace.campaign.units import Unit
from amorphace.core.errors import AmorphaceError, InputError, SetupError, SimulationError

PIECE = 0.5
"""Seconds between two reports of a unit that waits."""


def wait(work: Context) -> Outcome:
    """wait: nothing, for so many seconds; measures and tests what carries the units.

    Negative seconds are a unit that always fails.
    """
    seconds, index = work.parameters["seconds"], work.parameters["index"]
    if seconds < 0:
        raise InputError(f"unit {index} is to fail")
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        work.report(seconds - left, seconds, "waiting")
        time.sleep(min(left, PIECE))
    return Outcome(arrays={"index": np.array([index])}, results={"index": index})


WIDE = ("describe", "learn")
"""Kinds that use several processors themselves."""
RANKED = ("prepare", "relax", "replica")
"""Kinds that the LAMMPS command runs, with all the cores of a unit."""
FULL = (errno.ENOSPC, errno.EDQUOT)
LEAST_ROOM = 1 << 20
"""Bytes below which a disk counts as full."""


def work_of(kind: str) -> Callable[[Context], Outcome]:
    """What is done for a kind of unit; simulation and analysis are loaded with their first unit."""
    if kind == "wait":
        return wait
    from amorphace.campaign import describing, making, measuring

    return {
        "prepare": making.make_sample,
        "relax": making.relax,
        "lag": making.choose_lag,
        "inherent": making.find_inherent,
        "replica": making.run_replica,
        "measure": measuring.measure,
        "shear": making.shear,
        "label": _label,
        "describe": describing.describe,
        "learn": measuring.learn,
    }[kind]


def _label(work: Context) -> Outcome:
    from amorphace.campaign.measuring import label_moved, label_sheared

    return (label_sheared if work.parameters["protocol"] == "shear" else label_moved)(work)


def cores_of(unit: Unit, cores_per_unit: int) -> int:
    """Cores that a unit uses."""
    return cores_per_unit if unit.kind in RANKED else 1


def do_unit(
    store: Store, unit: Unit, *, command: str | None = None, n_jobs: int = 1
) -> dict[str, Any]:
    """Do a unit and write it to the store; what is known of it then.

    A run that may not be used, or that rests on one, is a result too: it is written as dropped,
    with the reason. A unit that is in the store by now is left as it is.

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
    if store.has(unit.id) and store.sound(unit.id):
        return store.meta(unit.id)
    work = Context(unit, store, command=command, n_jobs=n_jobs)
    for each in unit.needs:
        compare_digests(store, each, work.digests)
    begin = time.perf_counter()
    work.report(0, 1, "starting")
    try:
        outcome = work_of(unit.kind)(work)
        store.write(unit, outcome, _versions(command), begin=begin, known=work.digests)
    except SetupError:
        raise
    except (Dropped, SimulationError) as reason:
        dropped = Outcome(dropped=str(reason))
        store.write(unit, dropped, _versions(command), begin=begin)
    return store.meta(unit.id)


def do_unit_at(path: str, unit: dict[str, Any], command: str | None, n_jobs: int) -> dict[str, Any]:
    """`do_unit` for another process, where only data can be sent and come back.

    Returns
    -------
    dict
        "meta", what is known of the finished unit; or "error", why it could not be done, its
        "details", and "stop": why no other unit could be done either, where that is so.
    """
    try:
        return {"meta": do_unit(Store(path), Unit.from_dict(unit), command=command, n_jobs=n_jobs)}
    except Exception as error:
        return {
            "error": str(error)
            if isinstance(error, AmorphaceError)
            else f"{type(error).__name__}: {error}",
            "details": "".join(format_exception(error)),
            "stop": _hopeless(error, path),
        }


def _hopeless(error: Exception, path: str) -> str:
    """What would befall every other unit too; empty if only this one is concerned."""
    if isinstance(error, SetupError):
        return str(error)
    # numpy does not say why a file came out short
    full = isinstance(error, OSError) and (
        error.errno in FULL or shutil.disk_usage(path).free < LEAST_ROOM
    )
    if full:
        return (
            f"the disk of {path} is full; free some room and run again: what is finished stays, "
            "what is not goes on from its checkpoint"
        )
    return ""


def _versions(command: str | None) -> dict[str, Any]:
    """What made a unit."""
    return _programs() | {"command": command or "the Python package's LAMMPS"}


@cache
def _programs() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in ("amorphace", "numpy", "scikit-learn", "lammps"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
