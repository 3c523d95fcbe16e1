"""Structural relaxation: mean squared displacement, self-intermediate scattering, tau_alpha."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.sites import Sites
from amorphace.observe.displacements import displacements


def mean_squared_displacement(
    reference: Configuration,
    frames: Iterable[Configuration],
    *,
    where: ArrayLike | None = None,
    time_origins: bool = False,
    unwrapped: bool = False,
    remove_drift: bool = True,
    masses: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """MSD_k = mean over particles of |u_i|^2, from the reference to each frame.

    Parameters
    ----------
    reference : Configuration
        The frame of time zero.
    frames : iterable of Configuration
        Later ones, matched by id; read one at a time unless `time_origins` keeps them all.
    where : array_like, optional
        A mask of shape (n,) or particle indices of the reference; all particles when left out.
    time_origins : bool
        Average over all pairs of frames that lie equally far apart, the reference counting as
        the first frame. The frames must be equally spaced; long lags have few pairs. F frames
        make F (F - 1) / 2 pairs, each of one pass over the particles: the time grows with F^2.
    unwrapped, remove_drift, masses
        As for `displacements`. Wrapped frames of a long run go through `unwrap` first, since a
        particle that moved half the cell has a nearer image. The drift is that of all particles.

    Returns
    -------
    ndarray of shape (n_frames,)
        In units of sigma^2.

    Raises
    ------
    InputError
        If no particle is selected, frames do not hold the same particles, or, with
        `time_origins`, their steps are not equally spaced.

    Examples
    --------
    >>> x = np.array([[0, 0, 0], [1, 1, 1.0]])
    >>> v = np.array([[0.1, 0, 0], [-0.1, 0, 0]])
    >>> start = Configuration(positions=x, species="A", cell=4.0)
    >>> later = [start.replace(positions=x + t * v) for t in (1, 2, 3)]
    >>> mean_squared_displacement(start, later).round(12)
    array([0.01, 0.04, 0.09])
    """
    moved = partial(displacements, unwrapped=unwrapped, remove_drift=remove_drift, masses=masses)
    return _correlate(reference, frames, where, time_origins, moved, _mean_square)


def self_intermediate_scattering(
    reference: Configuration,
    frames: Iterable[Configuration],
    wavenumber: float,
    *,
    where: ArrayLike | None = None,
    time_origins: bool = False,
    unwrapped: bool = False,
    remove_drift: bool = True,
    masses: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Fs(q, t_k) = mean over particles of sin(q |u_i|) / (q |u_i|), from the reference on.

    This is the mean of exp(i q.u) over all directions of q.

    Parameters
    ----------
    reference, frames, where, time_origins, unwrapped, remove_drift, masses
        As for `mean_squared_displacement`.
    wavenumber : float
        q, in units of 1/sigma; about 7.2 at the first peak of the structure factor of the A
        particles in the Kob-Andersen mixture. At q = 0, Fs = 1.

    Returns
    -------
    ndarray of shape (n_frames,)

    Raises
    ------
    InputError
        If q is negative or not finite, or as `mean_squared_displacement`.
    """
    if not (np.isfinite(wavenumber) and wavenumber >= 0):
        raise InputError(
            f"wavenumber must be a number not below 0 (in units of 1/sigma), got {wavenumber!r}"
        )
    moved = partial(displacements, unwrapped=unwrapped, remove_drift=remove_drift, masses=masses)
    return _correlate(
        reference, frames, where, time_origins, moved, partial(_mean_phase, wavenumber)
    )


def relaxation_time(times: ArrayLike, fs: ArrayLike, level: float = 1 / np.e) -> float:
    """tau_alpha: the time at which Fs first falls to `level`, linear in log t between samples.

    Parameters
    ----------
    times : array_like of shape (n_times,)
        Ascending, not negative; a time of zero serves only to begin with.
    fs : array_like of shape (n_times,)
        Fs at these times.
    level : float
        Between 0 and 1.

    Returns
    -------
    float
        In units of `times`. If Fs rises again later, the first crossing counts.

    Raises
    ------
    InputError
        If Fs never falls to the level or is below it from the first time on, if times do not
        ascend, the lengths differ, a value is not finite, or the level is not between 0 and 1.

    Examples
    --------
    >>> t = np.geomspace(0.1, 1000, 200)
    >>> round(relaxation_time(t, np.exp(-t / 38)), 2)
    38.0
    """
    t, f = _check_curve(times, fs, level)
    below = np.flatnonzero(f <= level)
    if not len(below):
        raise InputError(
            f"Fs falls only to {f.min():.4g} by time {t[-1]:.6g} and never to {level:.4g}: "
            "run longer"
        )
    k = below[0]
    if f[k] == level and t[k] > 0:
        return float(t[k])
    if k == 0 or t[k - 1] == 0:
        raise InputError(
            f"Fs is {f[k]:.4g} at the first positive time {t[k]:.6g}, already below "
            f"{level:.4g}: sample shorter times"
        )
    share = (f[k - 1] - level) / (f[k - 1] - f[k])
    return float(t[k - 1] * (t[k] / t[k - 1]) ** share)


def _correlate(
    reference: Configuration,
    frames: Iterable[Configuration],
    where: ArrayLike | None,
    time_origins: bool,
    moved: Callable[[Configuration, Configuration], NDArray[np.float64]],
    reduce: Callable[[NDArray[np.float64]], float],
) -> NDArray[np.float64]:
    """`reduce` of the displacements of the selected particles, for each frame or lag."""
    sites = Sites(reference, where).index
    if not len(sites):
        raise InputError("no particle is selected: an average needs at least one")
    if not time_origins:
        return np.array([reduce(moved(reference, frame)[sites]) for frame in frames])
    trajectory = [reference, *(frame.aligned_to(reference) for frame in frames)]
    _check_spacing(trajectory)
    return np.array(
        [
            np.mean([reduce(moved(*pair)[sites]) for pair in _pairs(trajectory, lag)])
            for lag in range(1, len(trajectory))
        ],
        dtype=np.float64,
    )


def _pairs(
    trajectory: list[Configuration], lag: int
) -> Iterator[tuple[Configuration, Configuration]]:
    """All pairs of frames `lag` apart."""
    return zip(trajectory[:-lag], trajectory[lag:], strict=True)


def _mean_square(u: NDArray[np.float64]) -> float:
    return float(np.mean(np.einsum("nd,nd->n", u, u)))


def _mean_phase(q: float, u: NDArray[np.float64]) -> float:
    """numpy's sinc(x) is sin(pi x) / (pi x), and 1 at x = 0."""
    return float(np.mean(np.sinc(q * np.linalg.norm(u, axis=1) / np.pi)))


def _check_spacing(trajectory: list[Configuration]) -> None:
    steps = np.array([frame.step for frame in trajectory])
    spacing = np.diff(steps)
    uneven = np.flatnonzero(spacing != spacing[:1].sum())
    if len(uneven):
        k = uneven[0]
        raise InputError(
            f"an average over time origins needs equally spaced frames: the first two are "
            f"{spacing[0]} steps apart, steps {steps[k]} and {steps[k + 1]} are {spacing[k]}; "
            "leave out time_origins or give equally spaced frames"
        )


def _check_curve(
    times: ArrayLike, fs: ArrayLike, level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    t, f = np.asarray(times, dtype=np.float64), np.asarray(fs, dtype=np.float64)
    if t.ndim != 1 or t.shape != f.shape or not len(t):
        raise InputError(
            f"times and fs must be two lists of equal length, got shapes {t.shape} and {f.shape}"
        )
    if not (np.isfinite(t).all() and np.isfinite(f).all()):
        raise InputError("times and fs must be finite numbers")
    if t[0] < 0 or (np.diff(t) <= 0).any():
        raise InputError("times must ascend and not be negative; sort them, each once")
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, got {level!r}")
    return t, f
