"""Purification: the constant sparse matrix T with B_pure = T B (eq. 13).

A purified feature sums over ordered tuples of distinct neighbours. Moebius inversion over the set
partitions of its factors removes the tuples with repeated neighbours; in every block of a partition
the factors sit on one neighbour, where their product stays in the span of the basis:
R_n1 R_n2 = sum_k c_k R_k, because E has power 1 and n starts at 1, and Y Y = sum_LM g 3j Y_LM.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import product
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from amorphace.ace.angular import Y00, gaunt_factor, real_3j
from amorphace.ace.basis import Basis, Channel
from amorphace.ace.coupling import couplings
from amorphace.ace.radial import orthonormal_legendre

Partition = tuple[tuple[int, ...], ...]
Moment = tuple[tuple[int, tuple[int, ...], int], ...]
"""A lower-order feature with products of radial functions in its channels: (z, ns, L) for each."""


@lru_cache(maxsize=32)
def purification(basis: Basis) -> tuple[csr_array, tuple[Channel, ...]]:
    """T, and the order-1 channels that it needs beyond the basis.

    Returns
    -------
    T : sparse array of shape (n_columns, n_columns + n_extra)
        B_pure = T @ [B, B_extra]. The identity inside an order; otherwise it touches only lower
        orders. n_extra is 0 as long as n_max >= max_degree.
    extra : tuple of channels (z, n, 0)
        Order-1 features n > n_max, to be appended to B.
    """
    P, Q, extra = factored_purification(basis)
    identity = csr_array(
        (np.ones(len(basis)), (np.arange(len(basis)), np.arange(len(basis)))),
        shape=(len(basis), len(basis) + len(extra)),
    )
    return csr_array(identity + P @ Q), extra


@lru_cache(maxsize=32)
def factored_purification(basis: Basis) -> tuple[csr_array, csr_array, tuple[Channel, ...]]:
    """T = [1, 0] + P Q: many features share the same moments of the lower orders.

    Returns
    -------
    P : sparse array of shape (n_columns, n_moments)
    Q : sparse array of shape (n_moments, n_columns + n_extra)
        Moments: lower-order features in which products R_n1 R_n2 stand for R_n.
    extra : tuple of channels (z, n, 0)
    """
    column: dict[tuple[Channel, ...], int] = {}
    for k in range(len(basis)):
        column.setdefault(basis.channels(k), k)
    extra: list[Channel] = []
    moments: dict[Moment, int] = {}
    P, Q = _Entries(), _Entries()
    for row in range(len(basis)):
        for moment, weight in _corrections(basis.channels(row), int(basis.copy[row])):
            if moment not in moments:
                moments[moment] = len(moments)
                for channels, c in _expanded(moment):
                    if channels not in column:
                        column[channels] = len(basis) + len(extra)
                        extra.append(channels[0])
                    Q.add(moments[moment], column[channels], c)
            P.add(row, moments[moment], weight)
    return (
        P.array((len(basis), len(moments))),
        Q.array((len(moments), len(basis) + len(extra))),
        tuple(extra),
    )


class _Entries:
    """Entries of a sparse array, in the order of adding; equal places add up."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.values: list[float] = []

    def add(self, row: int, column: int, value: float) -> None:
        self.rows.append(row)
        self.columns.append(column)
        self.values.append(value)

    def array(self, shape: tuple[int, int]) -> csr_array:
        out = csr_array((self.values, (self.rows, self.columns)), shape=shape, dtype=np.float64)
        out.sum_duplicates()
        return out


def _corrections(channels: tuple[Channel, ...], copy: int) -> Iterator[tuple[Moment, float]]:
    """Moments and coefficients that purify one feature: one a partition with equal species."""
    zs, ns, ls = zip(*channels, strict=True)
    same = tuple(channels.index(c) for c in channels)
    for partition in set_partitions(len(channels))[:-1]:
        if any(len({zs[t] for t in block}) > 1 for block in partition):
            continue
        sign = prod((-1) ** (len(b) - 1) * factorial(len(b) - 1) for b in partition)
        products = [(zs[block[0]], tuple(sorted(ns[t] for t in block))) for block in partition]
        for Ls, per_copy in _angular_part(ls, same, partition):
            if per_copy[copy] != 0.0:
                moment = sorted((z, n, L) for (z, n), L in zip(products, Ls, strict=True))
                yield tuple(moment), sign * per_copy[copy]


def _expanded(moment: Moment) -> Iterator[tuple[tuple[Channel, ...], float]]:
    """The features, by channels, and coefficients that add up to a moment."""
    for ks in product(*(range(1, sum(ns) + 1) for _, ns, _ in moment)):
        value = prod(
            float(radial_product(ns)[k - 1]) for (_, ns, _), k in zip(moment, ks, strict=True)
        )
        if value != 0.0:
            yield tuple(sorted((z, k, L) for (z, _, L), k in zip(moment, ks, strict=True))), value


@cache
def radial_product(ns: tuple[int, ...]) -> NDArray[np.float64]:
    """c_k with R_n1 ... R_ns = sum_k c_k R_k, k = 1 .. n1 + ... + ns.

    c_k = int_0^1 (x - 1)^(s-1) P_n1 ... P_ns P_k dx, by Gauss-Legendre quadrature, exact. Where
    one of the polynomials has a higher degree than all others together, c_k is zero.
    """
    n_out = sum(ns)
    t, w = np.polynomial.legendre.leggauss(n_out + 1)
    x, w = (t + 1) / 2, w / 2
    P = orthonormal_legendre(x, n_out)
    c = (w * (x - 1) ** (len(ns) - 1) * np.prod(P[:, [n - 1 for n in ns]], axis=1)) @ P
    largest, others = max(ns) - 1, sum(ns) - len(ns) - (max(ns) - 1)
    degree = np.arange(n_out)
    c[degree + others + len(ns) - 1 < largest] = 0.0
    return c


@cache
def _angular_part(
    ls: tuple[int, ...], same: tuple[int, ...], partition: Partition
) -> tuple[tuple[tuple[int, ...], NDArray[np.float64]], ...]:
    """Degrees of the merged factors, and the coefficient of their invariant for every copy."""
    tensors = couplings(ls, same).tensors
    out = []
    for Ls in product(*(_merged_degrees(tuple(ls[t] for t in block)) for block in partition)):
        if sum(Ls) % 2 or 2 * max(Ls) > sum(Ls):
            continue
        subscripts, operands = ["z" + "abcd"[: len(ls)]], [tensors]
        for block, L, out_letter in zip(partition, Ls, "ABC", strict=False):
            subscripts.append("".join("abcd"[t] for t in block) + out_letter)
            operands.append(_harmonic_product(tuple(ls[t] for t in block), L))
        expression = ",".join(subscripts) + "->z" + "ABC"[: len(Ls)]
        out.append((Ls, _project(np.einsum(expression, *operands, optimize=True), Ls)))
    return tuple(out)


def _project(tensors: NDArray[np.float64], Ls: tuple[int, ...]) -> NDArray[np.float64]:
    """Coefficient of the one invariant of these degrees in each tensor, shape (count,)."""
    if len(Ls) == 1:
        return tensors[:, 0] * Y00  # order 1 carries no Y_00
    if len(Ls) == 2:
        return np.einsum("zmm->z", tensors) / (2 * Ls[0] + 1)
    return np.einsum("zabc,abc->z", tensors, real_3j(Ls[0], Ls[1], Ls[2]))


def _merged_degrees(ls: tuple[int, ...]) -> tuple[int, ...]:
    """Degrees L in the product of harmonics of degrees `ls`, all at one direction."""
    if len(ls) == 1:
        return ls
    return tuple(
        sorted(
            {
                L
                for inner in _merged_degrees(ls[:-1])
                for L in range(abs(inner - ls[-1]), inner + ls[-1] + 1, 2)
            }
        )
    )


@cache
def _harmonic_product(ls: tuple[int, ...], L: int) -> NDArray[np.float64]:
    """H with Y_l1m1 ... Y_lsms = sum_LM H[m1, ..., ms, M] Y_LM."""
    if len(ls) == 1:
        return np.eye(2 * L + 1)
    inner_degrees = [k for k in _merged_degrees(ls[:-1]) if abs(k - ls[-1]) <= L <= k + ls[-1]]
    return np.sum(
        [
            np.tensordot(
                _harmonic_product(ls[:-1], k),
                gaunt_factor(k, ls[-1], L) * real_3j(k, ls[-1], L),
                axes=(-1, 0),
            )
            for k in inner_degrees
        ],
        axis=0,
    )


@cache
def set_partitions(N: int) -> tuple[Partition, ...]:
    """All partitions of 0 .. N-1 into blocks; singletons alone come last."""
    if N == 1:
        return (((0,),),)
    out: list[Partition] = []
    for smaller in set_partitions(N - 1):
        for k in range(len(smaller)):
            out.append((*smaller[:k], (*smaller[k], N - 1), *smaller[k + 1 :]))
        out.append((*smaller, (N - 1,)))
    return tuple(sorted(out, key=len))
