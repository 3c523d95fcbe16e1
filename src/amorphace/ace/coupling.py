"""Rotation-invariant, permutation-symmetric couplings of any order (eqs. 6-9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from amorphace.ace.angular import real_3j

RANK_TOLERANCE = 1e-8
"""A symmetrised coupling whose new part is shorter than this depends on those before it."""


@dataclass(frozen=True, eq=False)
class Coupling:
    """Independent invariants of one tuple of angular degrees.

    Attributes
    ----------
    tensors : ndarray of shape (count, 2 l1 + 1, ..., 2 lN + 1)
        B = sum_m tensor[m1, ..., mN] A_m1 ... A_mN. Orthonormal and symmetric in equal channels
        for N >= 3; the unit matrix for N = 2 (eq. 8), one for N = 1.
    trees : tuple of tuple of int
        Intermediate degrees of the coupling trees ((1 2) 3 ...) (N-1 N), for N >= 4.
    weights : ndarray of shape (count, n_trees)
        `tensors` is the symmetrised sum of weights times trees.
    """

    tensors: NDArray[np.float64]
    trees: tuple[tuple[int, ...], ...]
    weights: NDArray[np.float64]


def count_invariants(ls: Sequence[int], pattern: Sequence[int] | None = None) -> int:
    """How many independent rotation and reflection invariants a product of channels has.

    The multiplicity of weight M = 0 less that of M = 1 in the product of symmetric powers, in
    exact integers.

    Parameters
    ----------
    ls : sequence of int
        Angular degree of each factor, any number of them.
    pattern : sequence of int, optional
        Factors with equal numbers are the same channel; all differ when left out.

    Examples
    --------
    >>> count_invariants((2, 2, 2, 2)), count_invariants((1, 1, 1, 1), (0, 0, 0, 0))
    (5, 1)
    """
    if sum(ls) % 2:
        return 0
    same = range(len(ls)) if pattern is None else pattern
    powers = Counter(zip(same, ls, strict=True))
    weights: Counter[int] = Counter({0: 1})
    for (_, l), k in sorted(powers.items()):
        power = _symmetric_power_weights(l, k)
        new: Counter[int] = Counter()
        for (m1, c1), (m2, c2) in product(weights.items(), power):
            new[m1 + m2] += c1 * c2
        weights = new
    return weights[0] - weights[1]


@cache
def _symmetric_power_weights(l: int, k: int) -> tuple[tuple[int, int], ...]:
    """Weights M and their multiplicities in the k-th symmetric power of degree l."""
    ways: Counter[tuple[int, int]] = Counter({(0, 0): 1})  # (factors used, M)
    for m in range(-l, l + 1):
        new: Counter[tuple[int, int]] = Counter()
        for (used, M), c in ways.items():
            for more in range(k - used + 1):
                new[used + more, M + more * m] += c
        ways = new
    return tuple((M, c) for (used, M), c in sorted(ways.items()) if used == k)


@cache
def couplings(ls: tuple[int, ...], pattern: tuple[int, ...]) -> Coupling:
    """An orthonormal basis of the invariant couplings of the channels.

    Parameters
    ----------
    ls : tuple of int
        Angular degrees, one a factor.
    pattern : tuple of int
        Factors with equal numbers are the same channel.
    """
    none = np.empty((0, 0))
    if len(ls) == 1:
        return Coupling(np.ones((1, 1))[: ls[0] == 0], (), none)
    if len(ls) == 2:
        return Coupling(np.eye(2 * ls[0] + 1)[None][: ls[0] == ls[1]], (), none)
    if len(ls) == 3:
        return Coupling(real_3j(*ls)[None][: count_invariants(ls, pattern)], (), none)
    trees, tensors, rows = [], [], []
    degrees = _trees_degrees(ls) if sum(ls) % 2 == 0 else []  # odd ones change sign in a mirror
    for tree in degrees:
        tensor = _tree_tensor(ls, tree)
        trees.append(tree)
        rest = _symmetrised(tensor, pattern)
        row = np.zeros(len(degrees))
        row[len(trees) - 1] = 1.0
        for _ in range(2):  # twice is enough
            for other, other_row in zip(tensors, rows, strict=True):
                overlap = np.vdot(other, rest)
                rest, row = rest - overlap * other, row - overlap * other_row
        length = np.linalg.norm(rest)
        if length > RANK_TOLERANCE:
            tensors.append(rest / length)
            rows.append(row / length)
    shape = tuple(2 * l + 1 for l in ls)
    return Coupling(
        np.array(tensors).reshape(len(tensors), *shape),
        tuple(trees),
        np.array(rows).reshape(len(rows), len(trees)),
    )


def _trees_degrees(ls: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Intermediate degrees of ((l1 l2)L l3)L' ... (l_N-1 l_N)L'."""
    partial: list[tuple[tuple[int, ...], int]] = [((), ls[0])]
    for l in ls[1:-2]:
        partial = [
            ((*seen, L), L) for seen, last in partial for L in range(abs(last - l), last + l + 1)
        ]
    a, b = ls[-2:]
    return [seen for seen, L in partial if abs(a - b) <= L <= a + b]


def _tree_tensor(ls: tuple[int, ...], tree: tuple[int, ...]) -> NDArray[np.float64]:
    """The normalised tensor of one coupling tree."""
    tensor, last = np.eye(2 * ls[0] + 1), ls[0]
    for l, L in zip(ls[1:-2], tree, strict=True):
        tensor = np.tensordot(tensor, real_3j(last, l, L) * sqrt(2 * L + 1), axes=(-1, 0))
        last = L
    return np.tensordot(tensor, real_3j(ls[-2], ls[-1], last), axes=(-1, 2))


def _symmetrised(tensor: NDArray[np.float64], pattern: tuple[int, ...]) -> NDArray[np.float64]:
    """Mean over the exchanges of equal channels."""
    groups = [[k for k, p in enumerate(pattern) if p == q] for q in dict.fromkeys(pattern)]
    images = []
    for choice in product(*(permutations(g) for g in groups)):
        axes = list(range(len(pattern)))
        for group, permuted in zip(groups, choice, strict=True):
            for k, p in zip(group, permuted, strict=True):
                axes[k] = p
        images.append(tensor.transpose(axes))
    return np.mean(images, axis=0)
