"""Numbers that a user gives: of the right kind, and in a range that has a meaning."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a number may be: a part of its type, `Annotated[float, Limits(above=0, most=1)]`."""

    least: float = -sys.float_info.max
    most: float = sys.float_info.max
    above: float | None = None
    """In the place of `least`: the number is larger."""

    def __str__(self) -> str:
        closed = self.above is None
        low = f"from {self.least:g}" if closed else f"above {self.above:g}"
        if self.most == sys.float_info.max:
            return f"a number {low}{' on' if closed else ''}"
        return f"a number {low} {'to' if closed else 'up to'} {self.most:g}"

    def check(self, name: str, value: Any) -> None:
        """An InputError if the value is no finite number within the limits."""
        low = is_number(value) and (
            value >= self.least if self.above is None else value > self.above
        )
        if not low or value > self.most:
            raise InputError(f"{name} must be {self}, got {value!r}")


def check_fields(value: Any) -> None:
    """An InputError if a field of a dataclass is beyond the `Limits` of its type; None is not."""
    for name, limits in _limits_of(type(value)).items():
        found = getattr(value, name)
        for number in found if isinstance(found, tuple) else (found,):
            if number is not None and not isinstance(number, str):
                limits.check(name, number)


@cache
def _limits_of(kind: type) -> dict[str, Limits]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: limits for name, hint in hints.items() if (limits := limits_in(hint))}


def limits_in(hint: Any) -> Limits | None:
    """The limits in a type, also where it is one of several, or that of the items of a tuple."""
    if isinstance(hint, Limits):
        return hint
    inner = (*getattr(hint, "__metadata__", ()), *get_args(hint))
    return next((found for one in inner if (found := limits_in(one))), None)


def chosen_rows(where: ArrayLike, n: int, what: str, *, least: int = 0) -> NDArray[np.int64]:
    """Indices from a mask, shape (n,), or from a list of them, shape (n_chosen,).

    An InputError if it is neither, or an index is not from `least` to n - 1; where that is
    negative, such ones count from the end.
    """
    chosen = np.asarray(where)
    if chosen.dtype == bool:
        if chosen.shape != (n,):
            raise InputError(f"the mask must have shape ({n},), got {chosen.shape}")
        return np.flatnonzero(chosen)
    if chosen.ndim != 1 or (chosen.size and not np.issubdtype(chosen.dtype, np.integer)):
        raise InputError(f"expected a mask, or a list of {what} indices, got {where!r}")
    outside = chosen[(chosen < least) | (chosen >= n)]
    if len(outside):
        range_ = f"{least} to {n - 1}{' (negative ones count from the end)' if least else ''}"
        raise InputError(f"{what} indices must lie from {range_}, got {outside[0]}")
    return chosen.astype(np.int64)


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
