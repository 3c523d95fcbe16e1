"""Numbers that tell whether a simulation can be trusted, and what is wrong when it cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amorphace.core.configuration import Configuration
from amorphace.simulate.models import GlassModel


@dataclass(frozen=True)
class Plateau:
    """A quantity that should have stopped changing.

    Attributes
    ----------
    mean : float
        Over the whole run.
    drift : float
        Mean of the second half minus mean of the first.
    """

    mean: float
    drift: float


@dataclass(frozen=True, kw_only=True)
class Health:
    """What was measured of one run; None where a quantity does not apply.

    Attributes
    ----------
    energy_drift : float or None
        Largest |E(t) - E(0)| / N of a run at constant energy.
    longest_bond : float or None
        In units of length, at the end of the run.
    fmax : float or None
        Largest force on a particle after the last minimisation.
    temperature, pressure : Plateau or None
    """

    energy_drift: float | None = None
    longest_bond: float | None = None
    fmax: float | None = None
    temperature: Plateau | None = None
    pressure: Plateau | None = None


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """Above which numbers a run is not used.

    Attributes
    ----------
    energy_drift : float
        Ten times what a sound run shows over 80 time units at time step 0.005.
    longest_bond : float
        FENE bonds break at 1.5; sound ones stay below 1.2.
    fmax : float
        Force tolerance of the minimisations.
    temperature : float
        Relative drift between the halves of a run at constant temperature.
    """

    energy_drift: float = 1e-3
    longest_bond: float = 1.4
    fmax: float = 1e-5
    temperature: float = 0.1


def plateau(values: ArrayLike) -> Plateau | None:
    """Mean and drift of a series; None if it has fewer than two values."""
    series = np.asarray(values, dtype=float)
    if len(series) < 2:
        return None
    half = len(series) // 2
    drift = series[-half:].mean() - series[:half].mean()
    return Plateau(float(series.mean()), float(drift))


def longest_bond(model: GlassModel, configuration: Configuration) -> float | None:
    """Length of the longest bond; None for a model without chains.

    Particles of a configuration of unwrapped positions are bonded without periodic images.
    """
    if model.chains is None:
        return None
    first, second = model.bonds(len(configuration)).T
    apart = configuration.positions[second] - configuration.positions[first]
    return float(np.linalg.norm(apart, axis=1).max())


def problems(health: Health, tolerances: Tolerances | None = None) -> tuple[str, ...]:
    """What is wrong with a run, one sentence each; empty for a sound one."""
    limit = Tolerances() if tolerances is None else tolerances
    found = []
    for name, text in (
        ("energy_drift", "the energy per particle drifted by {value:.2g} (at most {limit:.2g})"),
        ("longest_bond", "the longest bond measures {value:.3g} (at most {limit:.3g})"),
        ("fmax", "the largest force after minimisation is {value:.2g} (at most {limit:.2g})"),
    ):
        value, most = getattr(health, name), getattr(limit, name)
        if value is not None and not value <= most:
            found.append(text.format(value=value, limit=most))
    level = health.temperature
    if level is not None and not abs(level.drift) <= limit.temperature * level.mean:
        found.append(
            f"the temperature drifted by {level.drift:.2g} around {level.mean:.3g} "
            f"(at most {limit.temperature:.0%})"
        )
    return tuple(found)
