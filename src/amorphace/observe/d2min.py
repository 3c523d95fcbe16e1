"""D2min: how far the neighbours of a particle moved apart from any affine map."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.bridges import as_configuration
from amorphace.core.checks import count_threads
from amorphace.core.configuration import Configuration
from amorphace.core.neighbors import COINCIDENT, cell_grid, touching_error
from amorphace.core.sites import Sites
from amorphace.observe import _d2min
from amorphace.observe.displacements import cell_map, displacements, reduced_cell, safe_radius


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
    n_jobs: int | None = ...,
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
    n_jobs: int | None = ...,
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
    n_jobs: int | None = None,
) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
    """D2min(i) = min over J of sum_j |d1_ij - J d0_ij|^2 (Falk and Langer 1998, eq. 2.11).

    j runs over every periodic image within `cutoff` of i in the reference; d0 is its separation
    there and d1 its separation in the current configuration: of all periodic images the one
    closest to F d0, with F the map of the reference cell to the current one (`cell_map`).

    Parameters
    ----------
    reference, current : Configuration
        Frames of the same particles, matched by id; positions wrapped or not. Atoms of other
        packages are taken as they are, in the order that they have (see `as_configuration`).
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
    n_jobs : int, optional
        Threads; None is 1, -1 is all processors. The result does not depend on it.

    Returns
    -------
    residual : ndarray of shape (n_sites,)
        In units of sigma^2, in the order of the reference, or of `where` if it lists indices.
    J : ndarray of shape (n_sites, 3, 3)
        Local deformation gradient, d1 = J d0; only with `return_map`.

    Raises
    ------
    InputError
        If the frames do not hold the same particles, the cutoff is not positive or spans too many
        neighbours, two particles of the reference lie on top of each other, `where` is neither
        mask nor indices, or n_jobs has no meaning.

    Notes
    -----
    Neighbours that lie in one plane, on one line or are missing do not determine J. Of all J with
    the least residual such a particle gets the one of smallest norm: zero along the directions
    that its neighbours do not span, hence J = 0 for an isolated particle. The residual stays that
    of the fit: zero where there are no neighbours (the empty sum, and the empty mean too) and
    for up to three neighbours in independent directions, since some J fits them exactly; a flat
    system gets its two-dimensional D2min. OVITO flags such particles and gives them zero.

    With u the displacement that does not follow the cell, d1 = F d0 + (u_j - u_i). F d0 is
    affine, so fitting G to u_j - u_i leaves the same residual and J = F + G. The residual is
    summed from u_j - u_i - G d0, never from differences of large sums.

    A strain of the cell is affine and leaves no trace, whichever of the cells that span the
    strained lattice is given: a tilt beyond half the width may have been replaced by that to the
    other side. In quasistatic shear, elastic steps of 5e-5 stay below 1e-2, events reach 1 to 30.

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
    reference, current = as_configuration(reference), as_configuration(current)
    sites = Sites(reference, where).index
    grid = cell_grid(reference, cutoff)
    current = current.aligned_to(reference)
    reduced = reduced_cell(current.cell)
    residual, J, touching = _d2min.d2min(
        grid,
        sites,
        displacements(reference, current, unwrapped=unwrapped),
        np.ascontiguousarray(cell_map(reference, current, unwrapped=unwrapped).T),
        reduced,
        np.linalg.inv(reduced),
        np.inf if unwrapped else safe_radius(current.cell),
        COINCIDENT,
        normalize,
        count_threads(n_jobs),
    )
    if touching >= 0:
        raise touching_error(reference, grid, touching)
    return (residual, J) if return_map else residual
