"""Reading a linear model: cluster functions v1, v2, v3 of the weights of purified features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import pi, prod

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import spsolve_triangular
from scipy.special import eval_legendre

from amorphace.ace.angular import real_3j, real_harmonics
from amorphace.ace.basis import Basis
from amorphace.ace.purification import purification
from amorphace.ace.radial import RadialBasis
from amorphace.core.errors import InputError

MAX_READABLE_ORDER = 3


@dataclass(frozen=True, eq=False)
class Term:
    """All columns with the same species and angular degrees.

    Attributes
    ----------
    z, l : tuple of int of length N
        Species index and angular degree of every channel.
    n : ndarray of int of shape (n_terms, N)
        Radial index of every channel, from 1.
    theta : ndarray of shape (n_terms,)
        Weights of the purified features.
    """

    z: tuple[int, ...]
    l: tuple[int, ...]
    n: NDArray[np.int64]
    theta: NDArray[np.float64]

    @property
    def order(self) -> int:
        """Correlation order N."""
        return len(self.z)


@dataclass(frozen=True, eq=False)
class ClusterExpansion:
    """theta . B_pure = sum_i v1(i) + sum_{i<j} v2(i, j) + sum_{i<j<k} v3(i, j, k).

    The sums run over distinct neighbours of the centre (eq. 13). Made by `cluster_expansion`.
    Distances are in units of sigma, and v is in units of theta . B: log-odds for a logistic
    model. Arguments broadcast against each other. A cluster with a neighbour at or beyond the
    cutoff has v = 0, since that neighbour does not count.

    Attributes
    ----------
    radial : RadialBasis
    n_species : int
    terms : tuple of Term
    """

    radial: RadialBasis
    n_species: int
    terms: tuple[Term, ...]

    def v1(self, r: ArrayLike, z: int = 0) -> NDArray[np.float64]:
        """v1(r; z) = sum_n theta R_n(r).

        Parameters
        ----------
        r : array_like of shape (...)
        z : int
            Species index of the neighbour.

        Returns
        -------
        ndarray of shape (...)

        Raises
        ------
        InputError
            If a distance is negative or a species index is out of range.
        """
        (flat,), shape = _flat(r)
        return self._sum([flat], (z,), lambda l, order: np.float64(1)).reshape(shape)

    def v2(
        self, r1: ArrayLike, r2: ArrayLike, angle: ArrayLike, z1: int = 0, z2: int = 0
    ) -> NDArray[np.float64]:
        """v2 = sum theta (2l+1)/(4 pi) P_l(cos angle) (R_n1(r1) R_n2(r2) + the same exchanged).

        A column counts in each of the two assignments of its channels to the neighbours in which
        the species match; both for two equal channels.

        Parameters
        ----------
        r1, r2 : array_like of shape (...)
        angle : array_like of shape (...)
            Between the two neighbours, seen from the centre, in radians.
        z1, z2 : int
            Species indices of the neighbours.

        Returns
        -------
        ndarray of shape (...)

        Raises
        ------
        InputError
            As `v1`.
        """
        (a, b, t), shape = _flat(r1, r2, angle)

        def invariant(l: tuple[int, ...], order: tuple[int, ...]) -> NDArray[np.float64]:
            return (2 * l[0] + 1) / (4 * pi) * eval_legendre(l[0], np.cos(t))

        return self._sum([a, b], (z1, z2), invariant).reshape(shape)

    def v3(
        self,
        r1: ArrayLike,
        r2: ArrayLike,
        r3: ArrayLike,
        directions: ArrayLike,
        z1: int = 0,
        z2: int = 0,
        z3: int = 0,
    ) -> NDArray[np.float64]:
        """v3 = sum theta sum over the 6 assignments of R_n1 R_n2 R_n3 sum_m 3j Y_l1 Y_l2 Y_l3.

        Parameters
        ----------
        r1, r2, r3 : array_like of shape (...)
        directions : array_like of shape (..., 3, 3)
            From the centre to each of the three neighbours, of any length but zero; see
            `directions_at` for given angles.
        z1, z2, z3 : int
            Species indices of the neighbours.

        Returns
        -------
        ndarray of shape (...)

        Raises
        ------
        InputError
            As `v1`; also if `directions` has another shape or holds a zero vector.
        """
        u = np.asarray(directions, dtype=np.float64)
        if u.shape[-2:] != (3, 3) or not (np.linalg.norm(u, axis=-1) > 0).all():
            raise InputError(
                "directions must hold three vectors that are not zero for every cluster, shape "
                f"(..., 3, 3); got shape {u.shape}"
            )
        shape = np.broadcast_shapes(*map(np.shape, (r1, r2, r3)), u.shape[:-2])
        r = [np.broadcast_to(np.asarray(x, float), shape).ravel() for x in (r1, r2, r3)]
        u = np.broadcast_to(u, (*shape, 3, 3)).reshape(-1, 3, 3)
        l_max = max((max(term.l) for term in self.terms if term.order == 3), default=0)
        Y = [real_harmonics(u[:, t], l_max) for t in range(3)]

        def invariant(l: tuple[int, ...], order: tuple[int, ...]) -> NDArray[np.float64]:
            a, b, c = (Y[s][:, k * k : (k + 1) ** 2] for s, k in zip(order, l, strict=True))
            return np.einsum("abc,pa,pb,pc->p", real_3j(l[0], l[1], l[2]), a, b, c, optimize=True)

        return self._sum(r, (z1, z2, z3), invariant).reshape(shape)

    def _sum(
        self,
        r: Sequence[NDArray[np.float64]],
        z: tuple[int, ...],
        invariant: Callable[[tuple[int, ...], tuple[int, ...]], NDArray[np.float64] | np.float64],
    ) -> NDArray[np.float64]:
        """Sum over the columns of one order and the assignments of channels to neighbours."""
        if not all(0 <= k < self.n_species for k in z):
            raise InputError(
                f"species indices must lie between 0 and {self.n_species - 1}, got {z}"
            )
        terms = [term for term in self.terms if term.order == len(z)]
        n_functions = max((int(term.n.max()) for term in terms), default=1)
        R = [self._radial_functions(x, n_functions) for x in r]
        total = np.zeros(len(r[0]))
        for term in terms:
            for order in permutations(range(term.order)):
                if tuple(z[s] for s in order) == term.z:
                    columns = prod(R[s][:, term.n[:, t] - 1] for t, s in enumerate(order))
                    total += (columns @ term.theta) * invariant(term.l, order)
        return total

    def _radial_functions(self, r: NDArray[np.float64], n_functions: int) -> NDArray[np.float64]:
        """R_n(r), zero from the cutoff on, shape (n, n_functions)."""
        if not (r >= 0).all():
            raise InputError(f"distances must not be negative, got {r[~(r >= 0)][0]}")
        inside = r < self.radial.cutoff
        R = np.zeros((len(r), n_functions))
        R[inside] = self.radial.evaluate(r[inside], n_functions)
        return R


def cluster_expansion(
    basis: Basis, radial: RadialBasis, weights: ArrayLike, *, purified: bool = True
) -> ClusterExpansion:
    """The cluster functions of a linear model of all columns of a basis.

    Parameters
    ----------
    basis : Basis
    radial : RadialBasis
    weights : array_like of shape (n_columns,)
        Of the raw, unscaled features; zero where a column is not used.
    purified : bool
        Whether the model was fitted to purified features; otherwise the weights are converted by
        theta_pure = T^-T theta (`pure_weights`).

    Returns
    -------
    ClusterExpansion

    Raises
    ------
    InputError
        If there is not one finite weight for every column, or the basis has columns of order 4.

    Examples
    --------
    >>> from amorphace.ace.basis import build_basis
    >>> model = cluster_expansion(build_basis(1, 1, 2, 2), RadialBasis(2.0), [1.0, 0.0])
    >>> model.v1([0.0, 2.0]).tolist()  # R_1 = x - 1
    [-1.0, 0.0]
    """
    theta = np.asarray(weights, dtype=np.float64)
    if theta.shape != (len(basis),) or not np.isfinite(theta).all():
        raise InputError(
            f"the {len(basis)} columns need as many finite weights, got shape {theta.shape}"
        )
    if basis.max_order > MAX_READABLE_ORDER:
        raise InputError(
            "cluster functions are v1, v2 and v3, of columns of order 1 to 3; the model has order "
            f"{basis.max_order}: fit it with max_order=3"
        )
    columns = [basis.channels(k) for k in range(len(basis))]
    if not purified:
        theta, extra = pure_weights(basis, theta)
        _, channels = purification(basis)
        columns += [(channel,) for channel in channels]
        theta = np.concatenate([theta, extra])
    groups: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = {}
    for k, channels in enumerate(columns):
        z, _, l = zip(*channels, strict=True)
        groups.setdefault((z, l), []).append(k)
    return ClusterExpansion(
        radial=radial,
        n_species=basis.n_species,
        terms=tuple(
            Term(z, l, np.array([[n for _, n, _ in columns[k]] for k in rows]), theta[rows])
            for (z, l), rows in groups.items()
        ),
    )


def pure_weights(
    basis: Basis, weights: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """theta_pure = T^-T theta: theta . B = theta_pure . B_pure + theta_extra . B_extra.

    Parameters
    ----------
    basis : Basis
    weights : array_like of shape (n_columns,)
        theta, of impure features.

    Returns
    -------
    theta_pure : ndarray of shape (n_columns,)
    theta_extra : ndarray of shape (n_extra,)
        Of the order-1 features that `purification` needs beyond the basis.
    """
    T, extra = purification(basis)
    square, beyond = T[:, : len(basis)].T.tocsr(), T[:, len(basis) :]
    # T is lower triangular where columns stand by order, as they always do
    for name in ("indices", "indptr"):  # SciPy 1.15 solves with no others
        setattr(square, name, getattr(square, name).astype(np.int32))
    theta_pure = spsolve_triangular(square, np.asarray(weights, dtype=np.float64), lower=False)
    return theta_pure, -(beyond.T @ theta_pure) if extra else np.empty(0)


def directions_at(
    angle12: ArrayLike, angle13: ArrayLike, angle23: ArrayLike
) -> NDArray[np.float64]:
    """Three unit vectors with the given angles between them, in radians.

    Parameters
    ----------
    angle12, angle13, angle23 : array_like of shape (...)

    Returns
    -------
    ndarray of shape (..., 3, 3)
        The first along z, the second in the plane of x and z.

    Raises
    ------
    InputError
        If no three directions have these angles.

    Examples
    --------
    >>> u = directions_at(np.pi / 3, np.pi / 3, np.pi / 3)
    >>> (u @ u.T).round(12).tolist()
    [[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]]
    """
    a, b, c = np.broadcast_arrays(*(np.asarray(x, float) for x in (angle12, angle13, angle23)))
    slack = 1e-9
    possible = (
        (np.minimum(np.minimum(a, b), c) >= 0)
        & (a <= b + c + slack)
        & (b <= a + c + slack)
        & (c <= a + b + slack)
        & (a + b + c <= 2 * pi + slack)
    )
    if not possible.all():
        bad = tuple(np.degrees(x[~possible][0]).round(2).tolist() for x in (a, b, c))
        raise InputError(
            f"no three directions have the angles {bad} (degrees): none may exceed the sum of the "
            "two others, nor all three 360 together"
        )
    u = np.zeros((*a.shape, 3, 3))
    u[..., 0, 2] = 1
    u[..., 1, 0], u[..., 1, 2] = np.sin(a), np.cos(a)
    # where 1 and 2 are parallel the azimuth of 3 is free: zero
    scale = np.sin(a) * np.sin(b)
    dihedral = np.divide(
        np.cos(c) - np.cos(a) * np.cos(b), scale, out=np.ones_like(scale), where=scale > 1e-12
    ).clip(-1, 1)
    u[..., 2, 0] = np.sin(b) * dihedral
    u[..., 2, 1] = np.sin(b) * np.sqrt(1 - dihedral**2)
    u[..., 2, 2] = np.cos(b)
    return u


def _flat(*values: ArrayLike) -> tuple[list[NDArray[np.float64]], tuple[int, ...]]:
    """The values broadcast and flattened, and their common shape."""
    arrays = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in values))
    return [a.ravel() for a in arrays], arrays[0].shape
