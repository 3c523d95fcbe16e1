"""How many leading columns: at which numbers curves have points, where orders end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns

RADIAL_POINTS = (1, 2, 3, 5, 10, 20, 50, 100)
"""Numbers of columns of one species at which the radial part of a curve has points."""

POINTS_PER_ORDER = 5
"""Points, log-spaced, from the first column of a higher order to its last."""

SELECTION_ORDERS = 2
"""Fig. 5 considers two- and three-body terms only."""


def default_columns(order: ArrayLike, z: ArrayLike) -> tuple[int, ...]:
    """Numbers of columns at which a curve has points.

    In the radial part 1, 2, 3, 5, 10, ... and all columns of every species of neighbour; in each
    higher order `POINTS_PER_ORDER` log-spaced ones, of which the last is all columns of the order.

    Parameters
    ----------
    order : array_like of int of shape (n_columns,)
        Correlation order of every column.
    z : array_like of int of shape (n_columns, max_order)
        Species index of every channel; -1 where unused.

    Examples
    --------
    >>> default_columns([1] * 6 + [2] * 20, [[0, -1]] * 3 + [[1, -1]] * 3 + [[0, 0]] * 20)
    (1, 2, 3, 4, 5, 6, 8, 11, 14, 19, 26)
    """
    order, z = np.asarray(order), np.asarray(z)
    block = np.where(order == 1, z[:, 0], -1)
    starts = np.flatnonzero((np.diff(order, prepend=-1) != 0) | (np.diff(block, prepend=-2) != 0))
    points: set[int] = set()
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        if order[start] == 1:
            points |= {int(start) + k for k in RADIAL_POINTS if start + k < end}
        else:
            spaced = np.geomspace(max(start, 1), end, POINTS_PER_ORDER + 1)[1:]
            points |= {int(k) for k in np.rint(spaced)}
        points.add(int(end))
    return tuple(sorted(points))


def column_points(
    n_columns: Sequence[int] | None,
    columns: Columns | None,
    n_all: int,
    name: str = "n_columns",
) -> tuple[int, ...]:
    """Numbers of columns, ascending, checked."""
    if columns is not None and len(columns) != n_all:
        raise InputError(f"X has {n_all} columns, `columns` describes {len(columns)}")
    if n_columns is None:
        if columns is not None:
            return default_columns(columns.order, columns.z)
        return default_columns(np.ones(n_all, dtype=int), np.zeros((n_all, 1), dtype=int))
    points = tuple(sorted({int(k) for k in n_columns}))
    if not points or points[0] < 1 or points[-1] > n_all or set(points) != set(n_columns):
        raise InputError(
            f"{name} must be whole numbers from 1 to {n_all}, the columns there are; got "
            f"{list(n_columns)}"
        )
    return points


def last_columns(columns: Columns | None, points: Sequence[int]) -> tuple[str, ...]:
    """Name of the last of so many leading columns; () where they are not known."""
    return () if columns is None else tuple(columns.names[k - 1] for k in points)


def order_ends(columns: Columns) -> dict[int, int]:
    """How many columns there are up to the end of each correlation order."""
    orders = np.asarray(columns.order)
    return {int(n): int(np.flatnonzero(orders == n)[-1]) + 1 for n in np.unique(orders)}


class Scope(NamedTuple):
    """Candidates of forward selection: what they are, how many columns, pairs first or not."""

    name: str
    n_columns: int
    pairs: bool = False


def scopes(columns: Columns, *, pairs: bool = False) -> tuple[Scope, ...]:
    """Candidates of forward selection; with `pairs`, those of order 1 from the best pair too."""
    n_first = int((columns.order <= 1).sum())
    n_both = int((columns.order <= SELECTION_ORDERS).sum())
    found = [Scope("order 1", n_first)]
    if n_both > n_first:
        found.append(Scope(f"orders 1 to {SELECTION_ORDERS}", n_both))
    if pairs:
        found.append(Scope("order 1, pairs first", n_first, pairs=True))
    return tuple(scope for scope in found if scope.n_columns)


def check_candidates(candidates: Sequence[int] | None, n_columns: int) -> NDArray[np.int64]:
    """Column indices, ascending."""
    if candidates is None:
        return np.arange(n_columns)
    chosen = np.unique(np.asarray(candidates, dtype=np.int64))
    if not len(chosen) or chosen[0] < 0 or chosen[-1] >= n_columns:
        raise InputError(
            f"candidates must be column indices from 0 to {n_columns - 1}, at least one; got "
            f"{list(candidates)}"
        )
    return chosen


def column_names(columns: Columns | None, n_columns: int) -> tuple[str, ...]:
    """Names of all columns; "column 1", ... where they are not known."""
    if columns is None:
        return tuple(f"column {k + 1}" for k in range(n_columns))
    if len(columns) != n_columns:
        raise InputError(f"X has {n_columns} columns, `columns` describes {len(columns)}")
    return columns.names
