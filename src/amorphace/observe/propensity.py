"""Isoconfigurational averages: over many runs that start at one configuration with different
velocities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.sites import Sites
from amorphace.observe.d2min import d2min
from amorphace.observe.displacements import displacements


@dataclass(frozen=True, eq=False, kw_only=True)
class Isoconfigurational:
    """Averages over end points.

    Attributes
    ----------
    sites : ndarray of shape (n_sites,)
        Particle indices in the reference.
    d2min : ndarray of shape (n_sites,)
        Mean D2min, in units of sigma^2.
    propensity : ndarray of shape (n_sites,)
        Mean |u|^power, in units of sigma^power.
    n_endpoints : int
    cutoff : float
        Of D2min, in units of sigma.
    power : float
    normalize : bool
        Whether D2min is per neighbour.
    """

    sites: NDArray[np.int64]
    d2min: NDArray[np.float64]
    propensity: NDArray[np.float64]
    n_endpoints: int
    cutoff: float
    power: float
    normalize: bool


def propensity(
    reference: Configuration,
    endpoints: Iterable[Configuration],
    *,
    power: float = 1,
    remove_drift: bool = True,
    masses: ArrayLike | None = None,
    unwrapped: bool = False,
) -> NDArray[np.float64]:
    """p_i = < |u_i|^power > over the end points: the dynamic propensity.

    Parameters
    ----------
    reference : Configuration
        The common start.
    endpoints : iterable of Configuration
        Read one at a time and matched by id; wrap it in a progress bar to see it advance.
    power : float
        1 for the absolute displacement, 2 for the squared one.
    remove_drift, masses, unwrapped
        As for `displacements`. The drift of equal masses is the plain mean of all particles.

    Returns
    -------
    ndarray of shape (n,)
        In units of sigma^power, in the order of the reference.

    Raises
    ------
    InputError
        If there are no end points, power is not positive, or an end point does not hold the
        particles of the reference.

    References
    ----------
    A. Widmer-Cooper and P. Harrowell, Phys. Rev. Lett. 96, 185701 (2006): the paper's ref. 33.

    Examples
    --------
    >>> start = Configuration(positions=[[0, 0, 0], [1, 1, 1.0]], species="A", cell=4.0)
    >>> ends = [start.replace(positions=[[0, 0, s], [1, 1, 1.0]]) for s in (0.1, 0.3)]
    >>> propensity(start, ends, remove_drift=False).round(6)
    array([0.2, 0. ])
    """
    power = _check_power(power)
    moved = (
        displacements(reference, end, unwrapped=unwrapped, remove_drift=remove_drift, masses=masses)
        for end in endpoints
    )
    return _mean(np.linalg.norm(u, axis=1) ** power for u in moved)[0]


def isoconfigurational(
    reference: Configuration,
    endpoints: Iterable[Configuration],
    cutoff: float = 2.5,
    *,
    where: ArrayLike | None = None,
    unwrapped: bool = False,
    normalize: bool = False,
    power: float = 1,
    remove_drift: bool = True,
    masses: ArrayLike | None = None,
    n_jobs: int | None = None,
) -> Isoconfigurational:
    """< D2min > and `propensity` over the end points, in one pass.

    Parameters
    ----------
    reference : Configuration
        The common start.
    endpoints : iterable of Configuration
        Read one at a time and matched by id; wrap it in a progress bar to see it advance.
    cutoff, where, unwrapped, normalize, n_jobs
        As for `d2min`; `where` and `unwrapped` hold for the propensity as well.
    power, remove_drift, masses
        As for `propensity`. The drift is that of all particles, whatever `where` selects.

    Returns
    -------
    Isoconfigurational

    Raises
    ------
    InputError
        If there are no end points, or as `d2min` and `propensity`.
    """
    power = _check_power(power)
    sites = Sites(reference, where).index

    def observe(end: Configuration) -> NDArray[np.float64]:
        u = displacements(
            reference, end, unwrapped=unwrapped, remove_drift=remove_drift, masses=masses
        )
        moved = np.linalg.norm(u[sites], axis=1) ** power
        residual = d2min(
            reference,
            end,
            cutoff,
            where=sites,
            unwrapped=unwrapped,
            normalize=normalize,
            n_jobs=n_jobs,
        )
        return np.stack([residual, moved])

    (d2, moved), count = _mean(map(observe, endpoints))
    return Isoconfigurational(
        sites=sites,
        d2min=d2,
        propensity=moved,
        n_endpoints=count,
        cutoff=float(cutoff),
        power=power,
        normalize=normalize,
    )


def _mean(values: Iterable[NDArray[np.float64]]) -> tuple[NDArray[np.float64], int]:
    """Mean over the end points, and how many there were."""
    total, count = None, 0
    for value in values:
        total = value if total is None else total + value
        count += 1
    if total is None:
        raise InputError(
            "no end points: an isoconfigurational average needs at least one; check that the "
            "file holds frames and that the iterator was not used up before"
        )
    return total / count, count


def _check_power(power: float) -> float:
    if not (isinstance(power, (int, float, np.number)) and np.isfinite(power) and power > 0):
        raise InputError(
            f"power must be a positive number (2 for the squared displacement, 1 for the "
            f"absolute one), got {power!r}"
        )
    return float(power)
