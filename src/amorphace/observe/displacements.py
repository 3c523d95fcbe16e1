"""Displacements in periodic cells of any shape, also where the cell itself has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.bridges import as_configuration
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError

_STEPS = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
"""Of a Minkowski-reduced cell, the lattice vectors that bound its Voronoi cell are among these."""

BY_CHANCE = 30
"""Share of the displacements that an affine map takes up by chance: never so much over n."""

ROUNDING = 1e-12
"""Squared lengths that differ by this fraction count as equal, so that rounding decides nothing."""


def displacements(
    reference: Configuration,
    current: Configuration,
    *,
    unwrapped: bool = False,
    remove_drift: bool = False,
    masses: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """u_i = x_i - F x0_i, with F the map of the reference cell to the current one.

    Where the cell has not changed, F is the identity and u the ordinary displacement; where it
    has, u is the part of it that does not follow the cell. Particles are matched by id.

    Parameters
    ----------
    reference, current : Configuration
        Frames of the same particles; positions wrapped or not.
    unwrapped : bool
        True takes the positions of both frames as unwrapped, so that u may be longer than half
        the cell; False takes the shortest of all periodic images of u.
    remove_drift : bool
        Subtract the mean displacement of all particles, weighted by mass.
    masses : array_like of shape (n,), optional
        Masses in the order of `reference`; equal when left out. Forces between the particles
        conserve the weighted mean, so it is zero but for the noise of a thermostat.

    Returns
    -------
    ndarray of shape (n, 3)
        In units of sigma, in the order of `reference`.

    Raises
    ------
    InputError
        If the frames do not hold the same particles, or the masses are not n positive numbers.

    Examples
    --------
    >>> before = Configuration(positions=[[0.2, 0, 0], [2, 2, 2]], species="A", cell=4.0)
    >>> after = before.replace(positions=[[3.7, 0, 0], [2, 2, 2.5]])
    >>> displacements(before, after)
    array([[-0.5, 0. , 0. ], [ 0. , 0. , 0.5]])
    """
    reference = as_configuration(reference)
    current = as_configuration(current).aligned_to(reference)
    f = cell_map(reference, current, unwrapped=unwrapped)
    u = current.positions - reference.positions @ f
    if not unwrapped:
        u = nearest_image(u, current.cell)
    if remove_drift:
        u = u - np.average(u, axis=0, weights=_weights(masses, len(u))) if len(u) else u
    return u


def unwrap(frames: Iterable[Configuration]) -> Iterator[Configuration]:
    """The frames with unwrapped positions: no particle jumps across the cell between them.

    Each displacement from one frame to the next is taken as its shortest periodic image, so
    particles must not move half the cell between two frames.

    Parameters
    ----------
    frames : iterable of Configuration
        Wrapped or not; the first one is taken as it is. Read one at a time.

    Yields
    ------
    Configuration
        In the particle order of the first frame.

    Raises
    ------
    InputError
        If the frames do not hold the same particles.
    """
    last: Configuration | None = None
    for frame in frames:
        if last is not None:
            frame = frame.aligned_to(last)
            moved = displacements(last, frame)
            frame = frame.replace(positions=last.positions @ cell_map(last, frame) + moved)
        yield frame
        last = frame


def cell_map(
    reference: Configuration, current: Configuration, *, unwrapped: bool = False
) -> NDArray[np.float64]:
    """F, shape (3, 3), such that `x0 @ F` is where a position of the reference cell is carried.

    A lattice has many cells: a box flip (tilt xy less Lx) changes the cell vectors and not the
    system. So two maps are tried, that of the cell vectors as given and that to the current
    lattice vectors nearest to the reference cell; the one that leaves less displacement wins,
    the one as given if both leave the same, as for a single particle. `current` must be in the
    order of `reference`.

    Unwrapped positions tell more: they follow a shear through any number of whole turns, after
    which the cell is back where it was. The lattice map nearest to their own affine map is tried
    too, and wins if it takes up more than by chance: 30 / n of the squared displacements, so that
    30 particles or fewer are never taken for sheared.
    """
    f = _map_of_cells(reference, current)
    if unwrapped and (turned := _map_of_motion(reference, current)) is not None:
        left = [
            np.square(u - u.mean(axis=0)).sum()
            for u in (current.positions - reference.positions @ g for g in (turned, f))
        ]
        return turned if left[0] < (1 - BY_CHANCE / len(reference)) * left[1] else f
    return f


def _map_of_motion(reference: Configuration, current: Configuration) -> NDArray[np.float64] | None:
    """The map between cells of one lattice that is nearest to the affine map of the positions."""
    if len(reference) <= BY_CHANCE:
        return None
    x0, x1 = (c.positions - c.positions.mean(axis=0) for c in (reference, current))
    affine, _, rank, _ = np.linalg.lstsq(x0, x1, rcond=None)
    turns = np.round(reference.cell @ affine @ np.linalg.inv(current.cell))
    if rank < 3 or round(np.linalg.det(turns)) != 1:
        return None
    return _carry(reference.cell, turns @ current.cell)


def _map_of_cells(reference: Configuration, current: Configuration) -> NDArray[np.float64]:
    """The map that the cells tell, and wrapped positions where there are two."""
    if np.array_equal(reference.cell, current.cell):
        return np.eye(3)
    given = _carry(reference.cell, current.cell)
    nearest = reference.cell - nearest_image(reference.cell, current.cell)
    # no determinant by elimination, which divides by a tilt however small
    volume = nearest[0] @ np.cross(nearest[1], nearest[2])
    spans_the_lattice = round(volume / np.linalg.det(current.cell)) == 1
    if not spans_the_lattice or np.allclose(nearest, current.cell, rtol=0, atol=1e-9):
        return given
    flipped = _carry(reference.cell, nearest)
    gain = _spread(reference, current, given) - _spread(reference, current, flipped)
    return flipped if gain > ROUNDING * len(reference) * safe_radius(current.cell) ** 2 else given


def _carry(h0: NDArray[np.float64], h1: NDArray[np.float64]) -> NDArray[np.float64]:
    """F with h0 F = h1."""
    return np.asarray(np.linalg.solve(h0, h1), dtype=np.float64)


def _spread(reference: Configuration, current: Configuration, f: NDArray[np.float64]) -> float:
    """Sum of the squared displacements relative to the first particle's, in sigma^2."""
    u = current.positions - reference.positions @ f
    return float(np.square(nearest_image(u - u[:1], current.cell)).sum())


def nearest_image(vectors: ArrayLike, cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shortest of all periodic images of each vector, for cells of any shape.

    Parameters
    ----------
    vectors : array_like of shape (n, 3)
        In units of sigma.
    cell : ndarray of shape (3, 3)
        Rows are the cell vectors.

    Returns
    -------
    ndarray of shape (n, 3)

    Notes
    -----
    A vector is its own shortest image if no lattice vector bounding the Voronoi cell shortens
    it. In a Minkowski-reduced cell those have components -1, 0 and 1, so single steps end at
    the shortest image; after rounding, nearly always at once.

    Examples
    --------
    >>> nearest_image([[2.9, 0, 0]], 3 * np.eye(3)).round(12)
    array([[-0.1, 0. , 0. ]])
    """
    h = reduced_cell(cell)
    v = np.array(vectors, dtype=np.float64)
    v -= np.round(v @ np.linalg.inv(h)) @ h
    open_rows = np.flatnonzero(np.einsum("nd,nd->n", v, v) >= safe_radius(cell) ** 2)
    while len(open_rows):
        tried = v[open_rows, None, :] + _STEPS @ h
        length = np.einsum("nsd,nsd->ns", tried, tried)
        best = length.argmin(axis=1)
        here = len(_STEPS) // 2
        rows = np.arange(len(best))
        shorter = length[rows, best] < (1 - ROUNDING) * length[:, here]
        v[open_rows[shorter]] = tried[rows, best][shorter]
        open_rows = open_rows[shorter]
    return v


def safe_radius(cell: NDArray[np.float64]) -> float:
    """Half the shortest lattice vector: any shorter vector is its own shortest image."""
    return float(np.linalg.norm(reduced_cell(cell), axis=1).min()) / 2


def reduced_cell(cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """A Minkowski-reduced cell of the same lattice, rows from short to long.

    |a| <= |b| <= |c|, and neither b + i a nor c + i a + j b is shorter than b and c, for i and j
    in -1, 0, 1: in three dimensions these conditions are the whole of Minkowski's.

    Examples
    --------
    >>> reduced_cell(np.array([[3.0, 0, 0], [7.0, 3, 0], [0, 0, 2]])).tolist()
    [[0.0, 0.0, 2.0], [3.0, 0.0, 0.0], [1.0, 3.0, 0.0]]
    """
    return _reduced(np.ascontiguousarray(cell, dtype=np.float64).tobytes())


@lru_cache(maxsize=64)
def _reduced(cell: bytes) -> NDArray[np.float64]:
    """Kept, since every frame of a trajectory may have the same cell; read-only."""
    h = np.frombuffer(cell).reshape(3, 3).copy()
    while True:
        h = h[np.argsort(np.linalg.norm(h, axis=1), kind="stable")]
        for k in (1, 2):
            shortest = _shortest_of_class(h, k)
            if shortest @ shortest < (1 - ROUNDING) * (h[k] @ h[k]):
                h[k] = shortest
                break
        else:
            h.setflags(write=False)
            return h


def _shortest_of_class(h: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """The shortest one tried of row k and its sums with multiples of the rows before it."""
    v = h[k].copy()  # reduced at once by rounding, so that a long tilt needs few turns
    for row in h[:k][::-1]:
        v -= np.round(v @ row / (row @ row)) * row
    steps = _STEPS[_STEPS[:, k:].any(axis=1) == 0]
    sums = steps[:, :k] @ h[:k]
    tried = np.concatenate([h[k] + sums, v + sums])
    return tried[np.einsum("sd,sd->s", tried, tried).argmin()]


def _weights(masses: ArrayLike | None, n: int) -> NDArray[np.float64] | None:
    """Masses as an array of shape (n,), checked; None for equal ones."""
    if masses is None:
        return None
    m = np.asarray(masses, dtype=np.float64)
    if m.shape != (n,) or not (np.isfinite(m) & (m > 0)).all():
        raise InputError(
            f"masses must be {n} positive numbers, one for each particle of the reference, "
            f"got an array of shape {m.shape}"
            + (f" with smallest value {m.min():.6g}" if m.size else "")
        )
    return m
