"""Arrays of a table, checked and read-only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import InputError


def row_index(rows: ArrayLike, n: int) -> NDArray[np.int64]:
    """Rows as indices from 0, checked."""
    index = np.asarray(rows)
    if index.dtype == bool:
        if index.shape != (n,):
            raise InputError(f"the mask must have shape ({n},), got {index.shape}")
        return np.flatnonzero(index)
    if index.ndim != 1 or (index.size and not np.issubdtype(index.dtype, np.integer)):
        raise InputError("rows must be a mask or a list of row indices")
    if index.size and not (index.min() >= 0 and index.max() < n):
        bad = index[(index < 0) | (index >= n)][0]
        raise InputError(f"row {bad} is outside the table, whose rows are 0 to {n - 1}")
    return index.astype(np.int64)


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
