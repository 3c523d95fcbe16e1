"""What may be written beside the particles: one number for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import FileFormatError, InputError
from amorphace.io.text import brief

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


def chosen_columns(
    path: Path, names: Sequence[str], held: Sequence[str], further: Sequence[str] | None = None
) -> list[str]:
    """The columns to read: those asked for, or all that have no meaning of their own.

    Parameters
    ----------
    path : Path
    names : sequence of str
        Those asked for; none for all.
    held : sequence of str
        What the file holds.
    further : sequence of str, optional
        What of it may be asked for without naming it; all when left out.

    Raises
    ------
    FileFormatError
        If the file does not hold one.
    """
    if not names:
        return [name for name in (held if further is None else further) if name not in RESERVED]
    missing = [name for name in names if name not in held]
    if missing:
        raise FileFormatError(
            path, f"has no column {missing[0]!r}; it has {brief(', '.join(held), 200) or 'none'}"
        )
    return list(names)


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
