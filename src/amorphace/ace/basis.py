"""Which columns the expansion has, in which order, and what they are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

from amorphace.ace.coupling import count_invariants
from amorphace.core.checks import check_positive, check_whole, is_number
from amorphace.core.errors import InputError

Channel = tuple[int, int, int]
"""(z, n, l): species index from 0, radial index from 1, angular degree."""
MAX_ORDER = 4
MAX_SETS = 200_000
"""Sets of channels; beyond that a basis takes minutes to count, and a site a megabyte."""


@dataclass(frozen=True, eq=False)
class Basis:
    """The columns as integer tables; one row a column, -1 where a channel is unused.

    Attributes
    ----------
    n_species, max_order, n_max : int
    max_degree, degree_weight : float
    sort : str
    order : ndarray of shape (n_columns,)
        Correlation order N; body order is N + 1.
    z, n, l : ndarray of shape (n_columns, max_order)
        Channels (species index, radial index, angular degree), sorted.
    copy : ndarray of shape (n_columns,)
        Which of the independent invariants of these channels, from 0.
    """

    n_species: int
    max_order: int
    max_degree: float
    n_max: int
    degree_weight: float
    sort: str
    order: NDArray[np.int64]
    z: NDArray[np.int64]
    n: NDArray[np.int64]
    l: NDArray[np.int64]
    copy: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.order)

    @property
    def l_max(self) -> int:
        """Largest angular degree."""
        return max(int(self.l.max()), 0)

    def channels(self, column: int) -> tuple[Channel, ...]:
        """Channels (z, n, l) of a column."""
        N = self.order[column]
        return tuple(
            zip(
                self.z[column, :N].tolist(),
                self.n[column, :N].tolist(),
                self.l[column, :N].tolist(),
                strict=True,
            )
        )

    def names(self, species: Sequence[str]) -> list[str]:
        """Column names: A1, A1·B2 l=3, A1·A1·B2 l=1,1,2; #2 marks a second invariant.

        Parameters
        ----------
        species : sequence of str of length n_species
        """
        gap = "_" if any(label[-1:].isdigit() for label in species) else ""
        names = []
        for column in range(len(self)):
            channels = self.channels(column)
            name = "·".join(f"{species[z]}{gap}{n}" for z, n, _ in channels)
            if len(channels) == 2:
                name += f" l={channels[0][2]}"
            elif len(channels) > 2:
                name += " l=" + ",".join(str(l) for _, _, l in channels)
            names.append(name + (f" #{self.copy[column] + 1}" if self.copy[column] else ""))
        return names


def check_basis(
    n_species: int, max_order: int, max_degree: float, n_max: int, degree_weight: float, sort: str
) -> None:
    """Raise InputError where a word of the basis has no meaning."""
    if n_species < 1:
        raise InputError("species must name at least one label")
    check_whole("max_order", max_order, MAX_ORDER)
    check_whole("n_max", n_max)
    if not (is_number(max_degree) and max_degree >= 1):
        raise InputError(f"max_degree must be a number of 1 or more, got {max_degree!r}")
    check_positive("degree_weight", degree_weight)
    if sort not in ("lexicographic", "degree"):
        raise InputError(f"sort must be 'lexicographic' or 'degree', got {sort!r}")
    sets = _rough_size(n_species, max_order, max_degree, n_max, degree_weight)
    if sets > MAX_SETS:
        raise InputError(
            f"max_order {max_order}, max_degree {max_degree:g} and n_max {n_max:g} make about "
            f"{sets:.0e} sets of channels, more than {MAX_SETS}; lower one of them"
        )


def _rough_size(
    n_species: int, max_order: int, max_degree: float, n_max: int, degree_weight: float
) -> float:
    """Sets of channels to choose columns from, roughly: the volume of all degrees in the budget."""
    D, w = min(float(max_degree), 1e6), min(max(degree_weight, 1e-6), 1e6)
    z, count = n_species, n_species * min(float(n_max), 1e9)
    for N in range(2, max_order + 1):
        angular = D ** (2 * N) / factorial(2 * N) / w**N
        count += z**N / factorial(N) * max(D**N / factorial(N), angular)
    return count


def build_basis(
    n_species: int,
    max_order: int,
    max_degree: float,
    n_max: int,
    degree_weight: float = 1.5,
    sort: str = "lexicographic",
) -> Basis:
    """All columns up to `max_order`.

    Order 1 takes n <= n_max; order N >= 2 takes sum_t (n_t + degree_weight l_t) <= max_degree.

    Raises
    ------
    InputError
        If a word has no meaning, for example a negative degree.
    """
    check_basis(n_species, max_order, max_degree, n_max, degree_weight, sort)
    return _build(n_species, max_order, max_degree, n_max, degree_weight, sort)


@lru_cache(maxsize=32)
def _build(
    n_species: int, max_order: int, max_degree: float, n_max: int, degree_weight: float, sort: str
) -> Basis:
    table: list[tuple[tuple[Channel, ...], int]] = [
        (((z, n, 0),), 0) for z in range(n_species) for n in range(1, n_max + 1)
    ]
    available = [
        (z, n, l)
        for z in range(n_species)
        for n in range(1, int(max_degree) + 1 if max_order > 1 else 1)
        for l in range(int(max_degree / degree_weight) + 1)
        if n + degree_weight * l <= max_degree + 1e-9
    ]
    for N in range(2, max_order + 1):
        for channels in _multisets(available, N, max_degree, degree_weight):
            ls = tuple(c[2] for c in channels)
            if sum(ls) % 2 or 2 * max(ls) > sum(ls):
                continue
            same = tuple(channels.index(c) for c in channels)
            table += [(channels, copy) for copy in range(_cached_count(ls, same))]
    if sort == "degree":
        table.sort(
            key=lambda row: (
                len(row[0]),
                tuple(z for z, _, _ in row[0]),
                sum(n + degree_weight * l for _, n, l in row[0]),
                row,
            )
        )
    cells = np.full((3, len(table), max_order), -1, dtype=np.int64)
    for row, (channels, _) in enumerate(table):
        cells[:, row, : len(channels)] = np.array(channels).T
    return Basis(
        n_species=n_species,
        max_order=max_order,
        max_degree=max_degree,
        n_max=n_max,
        degree_weight=degree_weight,
        sort=sort,
        order=np.array([len(c) for c, _ in table], dtype=np.int64),
        z=cells[0],
        n=cells[1],
        l=cells[2],
        copy=np.array([k for _, k in table], dtype=np.int64),
    )


@cache
def _cached_count(ls: tuple[int, ...], same: tuple[int, ...]) -> int:
    return count_invariants(ls, same)


def _multisets(
    available: list[Channel], N: int, budget: float, degree_weight: float, first: int = 0
) -> Iterator[tuple[Channel, ...]]:
    """Sorted N-tuples of channels whose degrees sum to at most the budget, lexicographically."""
    for k in range(first, len(available)):
        _, n, l = available[k]
        left = budget - (n + degree_weight * l)
        if left < N - 1 - 1e-9:  # every further channel has degree 1 or more
            continue
        if N == 1:
            yield (available[k],)
            continue
        for rest in _multisets(available, N - 1, left, degree_weight, k):
            yield (available[k], *rest)
