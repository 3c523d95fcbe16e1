"""Numbers that a user gives: of the right kind, and in a range that has a meaning."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from amorphace.core.errors import InputError

MAX_THREADS = 4096
"""More than there are processors in any one machine."""


def is_number(value: Any) -> bool:
    """Whether it is one finite real number; True and False are none."""
    return (
        isinstance(value, (int, float, np.integer, np.floating))
        and not isinstance(value, bool)
        and bool(abs(value) <= sys.float_info.max)
    )


def check_positive(name: str, value: Any, unit: str = "") -> float:
    """The value as a float; an InputError if it is not one positive finite number."""
    if not (is_number(value) and value > 0):
        unit = f" (in units of {unit})" if unit else ""
        raise InputError(f"{name} must be a positive number{unit}, got {value!r}")
    return float(value)


def check_whole(name: str, value: Any, most: int | None = None) -> int:
    """The value as an int; an InputError if it is no whole number from 1 to `most`, if given."""
    if not (_is_whole(value) and 1 <= value <= (value if most is None else most)):
        range_ = "of 1 or more" if most is None else f"from 1 to {most}"
        raise InputError(f"{name} must be a whole number {range_}, got {value!r}")
    return int(value)


def count_threads(n_jobs: int | None) -> int:
    """Threads that `n_jobs` asks for: None is 1, -1 all processors this process may use.

    An InputError if it is 0, no whole number, or more than MAX_THREADS.
    """
    if n_jobs is None:
        return 1
    if not _is_whole(n_jobs) or n_jobs == 0 or n_jobs > MAX_THREADS:
        raise InputError(
            f"n_jobs must be a whole number up to {MAX_THREADS}, or -1 for all processors; "
            f"got {n_jobs!r}"
        )
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return int(n_jobs) if n_jobs > 0 else max(1, (available or 1) + 1 + int(n_jobs))


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
