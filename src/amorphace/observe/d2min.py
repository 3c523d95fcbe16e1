"""D2min: how far the neighbours of a particle moved apart from any affine map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from amorphace.core.configuration import Configuration
from amorphace.core.neighbors import Neighbors, iter_neighbors
from amorphace.core.sites import Sites
from amorphace.observe.displacements import cell_map, displacements, nearest_image, safe_radius

FLAT = 1e-12
"""A direction counts as not spanned by the neighbours when their squared extent along it is below
this share of the largest one."""

BLOCK = 512
"""Sites evaluated at once: the separations of a block stay in the processor's cache."""


@overload
def d2min(
    reference: Configuration,
    current: Configuration,
    cutoff: float = ...,
    *,
    where: ArrayLike | None = ...,
    unwrapped: bool = ...,
    normalize: bool = ...,
    return_map: Literal[False] = ...,
) -> NDArray[np.float64]: ...
@overload
def d2min(
    reference: Configuration,
    current: Configuration,
    cutoff: float = ...,
    *,
    where: ArrayLike | None = ...,
    unwrapped: bool = ...,
    normalize: bool = ...,
    return_map: Literal[True],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def d2min(
    reference: Configuration,
    current: Configuration,
    cutoff: float = 2.5,
    *,
    where: ArrayLike | None = None,
    unwrapped: bool = False,
    normalize: bool = False,
    return_map: bool = False,
) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
    """D2min(i) = min over J of sum_j |d1_ij - J d0_ij|^2 (Falk and Langer 1998, eq. 2.11).

    j runs over every periodic image within `cutoff` of i in the reference; d0 is its separation
    there and d1 its separation in the current configuration: of all periodic images the one
    closest to F d0, with F the map of the reference cell to the current one (`cell_map`).

    Parameters
    ----------
    reference, current : Configuration
        Frames of the same particles, matched by id; positions wrapped or not.
    cutoff : float
        In units of sigma.
    where : array_like, optional
        A mask of shape (n,) or particle indices of the reference; all particles when left out.
    unwrapped : bool
        Take the positions of both frames as unwrapped: d1 then follows the two particles, also
        where one has moved half the cell relative to the other and a nearer image stands in, and
        F follows a shear that has brought the cell back by whole turns.
    normalize : bool
        Divide by the number of neighbours. The paper's threshold of 0.6 is for the sum.
    return_map : bool
        Return J too.

    Returns
    -------
    residual : ndarray of shape (n_sites,)
        In units of sigma^2, in the order of the reference, or of `where` if it lists indices.
    J : ndarray of shape (n_sites, 3, 3)
        Local deformation gradient, d1 = J d0; only with `return_map`.

    Raises
    ------
    InputError
        If the frames do not hold the same particles, the cutoff is not positive, two particles
        of the reference lie on top of each other, or `where` is neither mask nor indices.

    Notes
    -----
    Neighbours that lie in one plane, on one line or are missing do not determine J. Of all J with
    the least residual such a particle gets the one of smallest norm: zero along the directions
    that its neighbours do not span, hence J = 0 for an isolated particle. The residual stays that
    of the fit: zero where there are no neighbours (the empty sum, and the empty mean too) and
    for up to three neighbours in independent directions, since some J fits them exactly; a flat
    system gets its two-dimensional D2min. OVITO flags such particles and gives them zero.

    For many frames after one reference, find its neighbours once: `prepare` and `fit_affine`.

    References
    ----------
    M. L. Falk and J. S. Langer, Phys. Rev. E 57, 7192 (1998): the paper's ref. 32.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(0, 4, size=(40, 3))
    >>> before = Configuration(positions=x, species="A", cell=4.0)
    >>> shear = np.array([[1, 0, 0], [0.1, 1, 0], [0, 0, 1]])
    >>> after = before.replace(positions=x @ shear, cell=4 * shear)
    >>> bool(d2min(before, after, cutoff=1.5).max() < 1e-25)
    True
    """
    prepared = prepare(reference, cutoff, where=where)
    residual, J = fit_affine(prepared, current, unwrapped=unwrapped, normalize=normalize)
    return (residual, J) if return_map else residual


@dataclass(frozen=True, eq=False)
class D2minReference:
    """A reference configuration with its neighbours found; `prepare` makes it.

    Attributes
    ----------
    configuration : Configuration
    cutoff : float
        In units of sigma.
    sites : ndarray of shape (n_sites,)
        Particle indices at which D2min is evaluated.
    """

    configuration: Configuration
    cutoff: float
    sites: NDArray[np.int64]
    _blocks: tuple[_Block, ...]


def prepare(
    reference: Configuration, cutoff: float = 2.5, *, where: ArrayLike | None = None
) -> D2minReference:
    """Find the neighbours of a reference once, for many current configurations.

    Parameters
    ----------
    reference, cutoff, where
        As for `d2min`.

    Raises
    ------
    InputError
        As `d2min`.
    """
    sites = Sites(reference, where).index
    blocks = iter_neighbors(reference, cutoff, sites, block_size=BLOCK)
    return D2minReference(reference, float(cutoff), sites, tuple(map(_block, blocks)))


def fit_affine(
    prepared: D2minReference,
    current: Configuration,
    *,
    unwrapped: bool = False,
    normalize: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`d2min` and J of a prepared reference.

    Parameters
    ----------
    prepared : D2minReference
    current : Configuration
        The same particles, matched by id.
    unwrapped, normalize : bool
        As for `d2min`.

    Returns
    -------
    residual : ndarray of shape (n_sites,)
    J : ndarray of shape (n_sites, 3, 3)

    Raises
    ------
    InputError
        If `current` does not hold the particles of the reference.

    Notes
    -----
    With u the displacement that does not follow the cell, d1 = F d0 + (u_j - u_i). F d0 is
    affine, so fitting G to u_j - u_i leaves the same residual and J = F + G. The residual is
    summed from u_j - u_i - G d0, never from differences of large sums.
    """
    reference = prepared.configuration
    current = current.aligned_to(reference)
    u = displacements(reference, current, unwrapped=unwrapped)
    F = cell_map(reference, current, unwrapped=unwrapped).T
    residual = np.empty(len(prepared.sites))
    J = np.empty((len(prepared.sites), 3, 3))
    safe = np.inf if unwrapped else safe_radius(current.cell)
    start = 0
    for block in prepared._blocks:
        rows = slice(start, start + len(block.counts))
        residual[rows], G = _fit(block, u, current.cell, safe)
        if normalize:
            residual[rows] /= np.maximum(block.counts, 1)
        J[rows] = F @ block.span + G
        start = rows.stop
    return residual, J


@dataclass(frozen=True, eq=False)
class _Block:
    """Pairs of some sites, and M = sum_j d0_j d0_j^T of each site.

    Attributes
    ----------
    first : ndarray of shape (n_sites + 1,)
        Where each site's pairs begin.
    centre, index : ndarray of shape (n_pairs,)
        Particle indices of the two ends of each pair.
    d0 : ndarray of shape (n_pairs, 3)
        Separations in the reference, in units of sigma.
    inverse : ndarray of shape (n_sites, 3, 3)
        Pseudo-inverse of M.
    span : ndarray of shape (n_sites, 3, 3)
        Projector on the directions that the neighbours span, nearly always the identity.
    """

    first: NDArray[np.int64]
    centre: NDArray[np.int64]
    index: NDArray[np.int64]
    d0: NDArray[np.float64]
    inverse: NDArray[np.float64]
    span: NDArray[np.float64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of neighbours of each site, shape (n_sites,)."""
        return np.diff(self.first)


def _block(neighbors: Neighbors) -> _Block:
    d0 = neighbors.vectors
    M = _outer_sums(d0, d0, neighbors.first)
    extent, axes = np.linalg.eigh(M)
    spanned = extent > FLAT * extent[:, -1:]
    inverse = np.divide(1, extent, out=np.zeros_like(extent), where=spanned)
    return _Block(
        first=neighbors.first,
        centre=neighbors.sites[neighbors.centre],
        index=neighbors.index,
        d0=d0,
        inverse=np.einsum("nak,nk,nbk->nab", axes, inverse, axes),
        span=np.einsum("nak,nk,nbk->nab", axes, spanned, axes),
    )


def _fit(
    block: _Block, u: NDArray[np.float64], cell: NDArray[np.float64], safe: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """min over G of sum_j |u_j - u_i - G d0_ij|^2, and G, of each site."""
    d0 = block.d0
    w = np.take(u, block.index, axis=0) - np.take(u, block.centre, axis=0)
    far = np.einsum("pd,pd->p", w, w) >= safe**2  # the others are their own shortest image
    if far.any():
        w[far] = nearest_image(w[far], cell)
    G = _outer_sums(w, d0, block.first) @ block.inverse
    w -= np.einsum("pab,pb->pa", np.repeat(G, block.counts, axis=0), d0)
    return _segment_sums(np.einsum("pd,pd->p", w, w), block.first), G


def _outer_sums(
    a: NDArray[np.float64], b: NDArray[np.float64], first: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sums of a b^T over rows first[k] to first[k+1], shape (n_segments, 3, 3).

    Row k of a sparse matrix holds one component of a along its segment: its product with b sums
    without an array of outer products.
    """
    pair, shape = np.arange(len(a)), (len(first) - 1, len(a))
    rows = [csr_array((np.ascontiguousarray(a[:, k]), pair, first), shape) @ b for k in range(3)]
    return np.stack(rows, axis=1)


def _segment_sums(values: NDArray[np.float64], first: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums over values first[k] to first[k+1]; zero where there are none."""
    sums = np.zeros(len(first) - 1)
    filled = np.flatnonzero(np.diff(first))
    if len(filled):
        sums[filled] = np.add.reduceat(values, first[filled])
    return sums
