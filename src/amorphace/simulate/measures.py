"""Numbers that tell whether a simulation can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.simulate.models import GlassModel

SHORTEST_SERIES = 20
"""Values from which the spread of a series is known well enough to judge its drift."""
BLOCKS = 10
"""Stretches of a series whose means tell the error of its mean."""


@dataclass(frozen=True)
class Plateau:
    """A quantity that should have stopped changing.

    Attributes
    ----------
    mean : float
        Over the whole run.
    drift : float
        Mean of the second half minus mean of the first.
    spread : float or None
        Standard deviation about the means of the two halves; None for a short series.
    error : float or None
        Standard error of the mean, from the scatter of ten blocks; None for a short series.
    """

    mean: float
    drift: float
    spread: float | None = None
    error: float | None = None


def plateau(values: ArrayLike) -> Plateau | None:
    """Mean with its error, drift and spread of a series; None if it has fewer than two values."""
    series = np.asarray(values, dtype=float)
    if len(series) < 2:
        return None
    half = len(series) // 2
    first, second = series[:half], series[half:]
    spread = float(np.sqrt((first.var() + second.var()) / 2))
    known = len(series) >= SHORTEST_SERIES
    return Plateau(
        mean=float(series.mean()),
        drift=float(second.mean() - first.mean()),
        spread=spread if known else None,
        error=_mean_error(series) if known else None,
    )


def _mean_error(series: NDArray[np.float64]) -> float:
    """Standard error of the mean of a correlated series, from the means of its blocks."""
    means = [block.mean() for block in np.array_split(series, BLOCKS)]
    return float(np.std(means, ddof=1) / np.sqrt(BLOCKS))


def energy_drift(total: ArrayLike) -> float:
    """|mean of E / N over the second half - mean over the first| of a run at constant energy.

    Means, because the integrator makes E(t) fluctuate by up to 1e-3 at 1000 particles and more
    at fewer; the first value does not count, since E(0) lies off the mean of these fluctuations.

    Parameters
    ----------
    total : array_like of shape (n_records,)
        Total energy per particle; of a run of one record the drift is zero.
    """
    series = np.asarray(total, dtype=float)
    level = plateau(series[1:] if len(series) > 2 else series)
    return 0.0 if level is None else abs(level.drift)


def longest_bond(model: GlassModel, configuration: Configuration) -> float | None:
    """Length of the longest bond; None for a model without chains.

    Particles of a configuration of unwrapped positions are bonded without periodic images.
    """
    if model.chains is None:
        return None
    first, second = model.bonds(len(configuration)).T
    apart = configuration.positions[second] - configuration.positions[first]
    return float(np.linalg.norm(apart, axis=1).max())


def aging(early: ArrayLike, late: ArrayLike) -> float:
    """max over t of |Fs_late(q, t) - Fs_early(q, t)|: zero, but for noise, in equilibrium.

    Parameters
    ----------
    early, late : array_like of shape (n_times,)
        Fs(q, t) at the same times since the beginning of an earlier and a later window of one
        run. Of windows of different length the times that both have count, from the first on.

    Raises
    ------
    InputError
        If one of them is empty or no list of finite numbers.
    """
    first, second = np.asarray(early, dtype=float), np.asarray(late, dtype=float)
    n = min(first.size, second.size)
    if not (first.ndim == second.ndim == 1 and n):
        raise InputError(
            f"aging needs Fs of two windows at the same times, got shapes {first.shape} and "
            f"{second.shape}"
        )
    change = np.abs(second[:n] - first[:n])
    if not np.isfinite(change).all():
        raise InputError("aging needs finite numbers, got Fs that is not one")
    return float(change.max())
