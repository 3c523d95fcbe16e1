"""Arrays of a table, checked and read-only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import InputError


def frozen(value: Any, dtype: Any, shape: tuple[int, ...], what: str) -> NDArray[Any]:
    """A read-only copy with the dtype, of the expected shape, no value changed by the cast."""
    given = np.asarray(value)
    if given.size == 0 and 0 in shape:
        given = given.reshape(shape)
    if given.shape != shape:
        raise InputError(f"{what} must have shape {shape}, got {given.shape}")
    with np.errstate(invalid="ignore"):  # a NaN is found by the comparison below
        array = np.array(given, dtype=dtype)
    if np.issubdtype(dtype, np.integer) and not np.array_equal(array, given):
        raise InputError(f"{what} must be whole numbers that fit {np.dtype(dtype)}")
    array.setflags(write=False)
    return array


def read_only_view(value: Any) -> NDArray[np.floating[Any]]:
    """The same numbers without a copy; whole numbers become float64."""
    array = np.asarray(value)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    view = array.view()
    view.setflags(write=False)
    return view


def changes(values: NDArray[Any]) -> NDArray[np.int64]:
    """Places where a value differs from the one before it; the first place is one."""
    return np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])[: len(values)])
