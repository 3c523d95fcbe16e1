"""What may be written beside the particles: one number for each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import InputError

Columns = Mapping[str, NDArray[np.int64] | NDArray[np.float64]]

# fmt: off
RESERVED = frozenset((
    "id", "ids", "type", "types", "element", "species", "symbols", "numbers", "Z", "name",
    "x", "y", "z", "xs", "ys", "zs", "xu", "yu", "zu", "xsu", "ysu", "zsu", "ix", "iy", "iz",
    "pos", "position", "positions", "cell", "Lattice", "step", "move_mask",
))
# fmt: on
"""Names with a meaning of their own in one of the formats."""


def checked_columns(columns: Mapping[str, ArrayLike], n: int) -> Columns:
    """Each column as int64 (integers and booleans) or float64, shape (n,).

    Floats may be NaN or infinite: a particle that was not measured is not an error.

    Raises
    ------
    InputError
        If a name is not an identifier or has a meaning of its own, if a column does not have one
        number for each of the `n` particles, or if integers do not fit 64 bits.

    Examples
    --------
    >>> checked_columns({"moved": [True, False]}, 2)
    {'moved': array([1, 0])}
    """
    return {name: _checked(name, values, n) for name, values in columns.items()}


def _checked(name: str, values: ArrayLike, n: int) -> NDArray[np.int64] | NDArray[np.float64]:
    if not (name.isidentifier() and name.isascii()):
        raise InputError(f"column name {name!r} must be letters, digits and underscores")
    if name in RESERVED:
        raise InputError(
            f"column name {name!r} has a meaning of its own in the files; choose another name"
        )
    column = np.asarray(values)
    if column.shape != (n,):
        raise InputError(
            f"column {name!r} must have one number for each of the {n} particles, got an array "
            f"of shape {column.shape}"
        )
    if column.dtype.kind == "f":
        return column.astype(np.float64)
    if column.dtype.kind not in "biu":
        raise InputError(
            f"column {name!r} must hold integers, floats or booleans, got dtype {column.dtype}"
        )
    if n and column.dtype.kind == "u" and column.max() > np.iinfo(np.int64).max:
        raise InputError(f"column {name!r} holds {column.max()}, which does not fit 64 bits")
    return column.astype(np.int64)
