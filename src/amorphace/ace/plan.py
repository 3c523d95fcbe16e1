"""The columns as flat arrays of integers and coefficients, for a kernel to execute.

Python plans, the kernel executes; a step of the plan is a few integers and no pointer, so that
kernels for other machines can run the same plan. With L = l_max:

projection   component (z, l, n, m) of A sits at offset[z, l] + n (2l + 1) + m, n from 0; there are
             n_radial[l] radial functions for each l. The kernel accumulates
             sum_j E T_n(2x - 1) q_lm (Chebyshev polynomials T, harmonics q of unit leading
             coefficient); `legendre` and `harmonic_norm` turn that into A.
pairs        T_M = sum_m1,m2 3j(l1 l2 L; m1 m2 M) A_1 A_2, by small programs shared by all pairs
             of channels with equal (l1, l2, L)
features     order 1: A / Y_00; order 2: A . A; order 3: T . A; order 4: weights times T . T
purification moments (sparse sums of features), then features += sparse sums of moments
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from amorphace.ace.angular import Y00, real_3j
from amorphace.ace.basis import Basis, Channel
from amorphace.ace.coupling import couplings
from amorphace.ace.purification import factored_purification

Pair = tuple[Channel, Channel, int]
"""Two channels coupled to degree L."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Flat arrays (int32 and float64); the module's text says what they mean.

    Attributes
    ----------
    n_species, n_columns, n_values : int
        n_values counts the columns and the extra order-1 features behind them.
    n_radial : ndarray of shape (l_max + 1,)
    legendre : ndarray of shape (n, n)
        P_n = sum_k legendre[n, k] T_k.
    harmonic_norm : ndarray of shape ((l_max + 1)^2,)
    order1 : ndarray of shape (n, 2)
        Component, value.
    order2 : ndarray of shape (n, 4)
        Component, component, 2l + 1, value.
    program_start, program_dim, program_count, program_term, program_coefficient
        Coupling program p makes program_dim[p] sums; each has its number of terms in
        program_count and its terms (m1, m2) in program_term, all one after the other.
    pairs : ndarray of shape (n, 4)
        Component, component, program, slot: where T is kept (-1: used at once and forgotten).
    pair_dots : ndarray of shape (n, 2), pair_dot_start : ndarray of shape (n_pairs + 1,)
        Component, value: order-3 features T . A of each pair.
    trees : ndarray of shape (n, 3), tree_start : ndarray of shape (n_order4 + 1,)
        Slot, slot, 2L + 1, and tree_weight: order-4 features.
    order4 : ndarray of shape (n_order4,)
        Value.
    moment_start, moment_index, moment_weight; correction_start, correction_index,
    correction_weight
        Compressed rows of the two sparse arrays of `factored_purification`, sorted by length so
        that loops of one length follow each other.
    correction_value : ndarray of shape (n_corrected,)
        The value that each row of corrections changes.
    """

    n_species: int
    n_columns: int
    n_values: int
    n_slots: int
    n_radial: NDArray[np.int32]
    legendre: NDArray[np.float64]
    harmonic_norm: NDArray[np.float64]
    order1: NDArray[np.int32]
    order2: NDArray[np.int32]
    program_start: NDArray[np.int32]
    program_dim: NDArray[np.int32]
    program_count: NDArray[np.int32]
    program_term: NDArray[np.int32]
    program_coefficient: NDArray[np.float64]
    pairs: NDArray[np.int32]
    pair_dot_start: NDArray[np.int32]
    pair_dots: NDArray[np.int32]
    tree_start: NDArray[np.int32]
    trees: NDArray[np.int32]
    tree_weight: NDArray[np.float64]
    order4: NDArray[np.int32]
    moment_start: NDArray[np.int32]
    moment_index: NDArray[np.int32]
    moment_weight: NDArray[np.float64]
    correction_value: NDArray[np.int32]
    correction_start: NDArray[np.int32]
    correction_index: NDArray[np.int32]
    correction_weight: NDArray[np.float64]

    def arrays(self) -> dict[str, NDArray[np.int32] | NDArray[np.float64]]:
        """The arrays by name."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: v for k, v in values.items() if isinstance(v, np.ndarray)}


@lru_cache(maxsize=16)
def build_plan(basis: Basis, purify: bool) -> Plan:
    """The plan of a basis, made once a setting."""
    if purify:
        P, Q, extra = factored_purification(basis)
        by_length = np.argsort(np.diff(Q.indptr), kind="stable")
        P, Q = csr_array(P[:, by_length]), csr_array(Q[by_length])
    else:
        P, Q, extra = csr_array((len(basis), 0)), csr_array((0, len(basis))), ()
    columns = [(basis.channels(k), int(basis.copy[k])) for k in range(len(basis))]
    columns += [((channel,), 0) for channel in extra]
    corrected = np.argsort(np.diff(P.indptr), kind="stable")
    corrected = corrected[np.diff(P.indptr)[corrected] > 0]
    P = csr_array(P[corrected])
    layout = _Layout(basis.n_species, basis.l_max, [c for channels, _ in columns for c in channels])

    order1 = [(layout.component(c[0]), k) for k, (c, _) in enumerate(columns) if len(c) == 1]
    order2 = [
        (layout.component(c[0]), layout.component(c[1]), 2 * c[0][2] + 1, k)
        for k, (c, _) in enumerate(columns)
        if len(c) == 2
    ]
    order2.sort(key=lambda row: (row[2], row))
    programs, slots = _Programs(), {}
    pairs, dots = [], []
    triples = {k: c for k, (c, _) in enumerate(columns) if len(c) == 3}
    for pair, served in sorted(_cover(triples), key=lambda row: _degrees(row[0])):
        pairs.append((*map(layout.component, pair[:2]), programs.number(pair), -1))
        dots.append([(layout.component(c), k) for k, c in served])
    order4, tree_rows, tree_weights = [], [], []
    for k, (channels, copy) in enumerate(columns):
        if len(channels) != 4:
            continue
        same = tuple(channels.index(c) for c in channels)
        coupling = couplings(tuple(c[2] for c in channels), same)
        rows, weights = [], []
        for tree, weight in zip(coupling.trees, coupling.weights[copy], strict=True):
            if weight == 0.0:
                continue
            L = tree[-1]
            row = []
            for pair in ((channels[0], channels[1], L), (channels[2], channels[3], L)):
                if pair not in slots:
                    slots[pair] = sum(2 * p[2] + 1 for p in slots)
                    number = programs.number(pair)
                    pairs.append((*map(layout.component, pair[:2]), number, slots[pair]))
                    dots.append([])
                row.append(slots[pair])
            rows.append((*row, 2 * L + 1))
            weights.append(float(weight) * sqrt(2 * L + 1))
        order4.append(k)
        tree_rows.append(rows)
        tree_weights.append(weights)
    return Plan(
        n_species=basis.n_species,
        n_columns=len(basis),
        n_values=len(columns),
        n_slots=sum(2 * p[2] + 1 for p in slots),
        n_radial=np.array(layout.n_radial, dtype=np.int32),
        legendre=chebyshev_to_legendre(layout.n_radial[0]),
        harmonic_norm=_harmonic_norms(basis.l_max),
        order1=_table(order1, 2),
        order2=_table(order2, 4),
        program_start=programs.starts(),
        program_dim=np.array([2 * L + 1 for _, _, L in programs.numbers], dtype=np.int32),
        program_count=np.array([len(t) for t in programs.terms()], dtype=np.int32),
        program_term=_table([mm for t in programs.terms() for mm in t], 2),
        program_coefficient=np.array(programs.coefficients(), dtype=np.float64),
        pairs=_table(pairs, 4),
        pair_dot_start=_starts(dots),
        pair_dots=_table([row for rows in dots for row in rows], 2),
        tree_start=_starts(tree_rows),
        trees=_table([row for rows in tree_rows for row in rows], 3),
        tree_weight=np.array([w for ws in tree_weights for w in ws], dtype=np.float64),
        order4=np.array(order4, dtype=np.int32),
        moment_start=Q.indptr.astype(np.int32),
        moment_index=Q.indices.astype(np.int32),
        moment_weight=Q.data.astype(np.float64),
        correction_value=corrected.astype(np.int32),
        correction_start=P.indptr.astype(np.int32),
        correction_index=P.indices.astype(np.int32),
        correction_weight=P.data.astype(np.float64),
    )


class _Layout:
    """Where each component of A sits."""

    def __init__(self, n_species: int, l_max: int, channels: Sequence[Channel]) -> None:
        self.n_radial = [
            max((n for _, n, l in channels if l == degree), default=0)
            for degree in range(l_max + 1)
        ]
        sizes = [n * (2 * l + 1) for l, n in enumerate(self.n_radial)] * n_species
        self.offset = np.cumsum([0, *sizes])[:-1].reshape(n_species, l_max + 1)

    def component(self, channel: Channel) -> int:
        z, n, l = channel
        return int(self.offset[z, l]) + (n - 1) * (2 * l + 1)


class _Programs:
    """Coupling programs, one for each (l1, l2, L)."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[int, int, int], int] = {}

    def number(self, pair: Pair) -> int:
        return self.numbers.setdefault(_degrees(pair), len(self.numbers))

    def terms(self) -> list[list[tuple[int, int]]]:
        """(m1, m2) of the nonzero coefficients of every sum of every program."""
        return [
            list(zip(*(m.tolist() for m in np.nonzero(real_3j(*ls)[:, :, M])), strict=True))
            for ls in self.numbers
            for M in range(2 * ls[2] + 1)
        ]

    def coefficients(self) -> list[float]:
        """Their values, in the same order."""
        sums = (real_3j(*ls)[:, :, M] for ls in self.numbers for M in range(2 * ls[2] + 1))
        return [float(c) for w in sums for c in w[np.nonzero(w)]]

    def starts(self) -> NDArray[np.int32]:
        """First sum and first term of every program, and the totals, shape (n_programs + 1, 2)."""
        sums = [2 * L + 1 for _, _, L in self.numbers]
        terms = [int(np.count_nonzero(real_3j(*ls))) for ls in self.numbers]
        return _table(list(zip(np.cumsum([0, *sums]), np.cumsum([0, *terms]), strict=True)), 2)


def _degrees(pair: Pair) -> tuple[int, int, int]:
    """(l1, l2, L)"""
    first, second, L = pair
    return first[2], second[2], L


def _cover(
    triples: dict[int, tuple[Channel, ...]],
) -> list[tuple[Pair, list[tuple[int, Channel]]]]:
    """Few and cheap pairs that serve all order-3 features, greedily.

    Each of the three pairs of a feature can be coupled first; the third channel then closes it.
    """
    serves: dict[Pair, dict[int, Channel]] = defaultdict(dict)
    for k, (a, b, c) in triples.items():
        for first, second, last in ((a, b, c), (a, c, b), (b, c, a)):
            serves[first, second, last[2]][k] = last
    cost = {pair: np.count_nonzero(real_3j(*_degrees(pair))) for pair in serves}
    heap = [(cost[pair] / len(ks), pair) for pair, ks in serves.items()]
    heapq.heapify(heap)
    open_features, chosen = set(triples), []
    while open_features:
        price, pair = heapq.heappop(heap)
        left = {k: c for k, c in serves[pair].items() if k in open_features}
        if not left:
            continue
        if cost[pair] / len(left) > price:  # some of its features are served by now
            serves[pair] = left
            heapq.heappush(heap, (cost[pair] / len(left), pair))
            continue
        chosen.append((pair, list(left.items())))
        open_features -= left.keys()
    return chosen


def chebyshev_to_legendre(n_functions: int) -> NDArray[np.float64]:
    """M with P_n(x) = sum_k M[n, k] T_k(2x - 1), shape (n_functions, n_functions)."""
    t = np.cos((np.arange(n_functions) + 0.5) * pi / n_functions)
    T = np.cos(np.arange(n_functions)[:, None] * np.arccos(t)[None])
    P = np.polynomial.legendre.legvander(t, n_functions - 1).T
    M = P @ T.T * (2 / n_functions)
    M[:, 0] /= 2
    n, k = np.indices(M.shape)
    M[(k > n) | ((n - k) % 2 == 1)] = 0.0
    return np.asarray(M * np.sqrt(2 * np.arange(n_functions) + 1)[:, None], dtype=np.float64)


def _harmonic_norms(l_max: int) -> NDArray[np.float64]:
    """Y_lm over q_lm = Q_l^m(z) Re or Im (x + iy)^m, where Q_l^m has unit leading coefficient."""
    norms = np.empty((l_max + 1) ** 2)
    for m in range(l_max + 1):
        norm = Y00 * np.prod([sqrt((2 * k + 1) / (2 * k)) for k in range(1, m + 1)])
        norm *= sqrt(2) if m else 1.0
        for l in range(m, l_max + 1):
            if l > m:
                norm *= sqrt((4 * l * l - 1) / (l * l - m * m))
            norms[l * l + l + m] = norms[l * l + l - m] = norm
    return norms


def _table(rows: Sequence[Sequence[int]], width: int) -> NDArray[np.int32]:
    return np.array(rows, dtype=np.int32).reshape(len(rows), width)


def _starts(lists: Sequence[Sequence[object]]) -> NDArray[np.int32]:
    return np.cumsum([0, *map(len, lists)]).astype(np.int32)
