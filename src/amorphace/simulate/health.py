"""Numbers that tell whether a simulation can be trusted, and what is wrong when it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.simulate.models import GlassModel

SHORTEST_SERIES = 20
"""Values from which the spread of a series is known well enough to judge its drift."""
BLOCKS = 10
"""Stretches of a series whose means tell the error of its mean."""
QUANTITIES = {
    "energy_drift": (
        "drift of the energy per particle at constant energy (epsilon)",
        "the energy per particle drifted by {value:.2g} (at most {limit:.2g})",
    ),
    "longest_bond": (
        "longest bond (sigma)",
        "the longest bond measures {value:.3g} (at most {limit:.3g})",
    ),
    "fmax": (
        "largest force after minimisation (epsilon/sigma)",
        "the largest force after minimisation is {value:.2g} (at most {limit:.2g})",
    ),
    "crystal": (
        "share of crystal-like particles",
        "{value:.1%} of the particles are crystal-like (at most {limit:.1%})",
    ),
    "aging": (
        "change of Fs(q, t) between two windows",
        "it was not in equilibrium: Fs changed by {value:.2g} between two windows "
        "(at most {limit:.2g})",
    ),
    "temperature": (
        "relative drift of the temperature between halves",
        "the temperature drifted by {drift:.2g} around {mean:.3g} (at most {limit:.0%})",
    ),
    "pressure": (
        "drift of the pressure between halves, over its spread",
        "the pressure drifted by {drift:.2g} around {mean:.3g}, its spread is {spread:.2g} "
        "(at most {limit:.2g} times that)",
    ),
}
"""What each field of `Health` is in words, and what is said where it is above its limit."""


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


@dataclass(frozen=True, kw_only=True)
class Health:
    """What was measured of one run; None where a quantity does not apply.

    Attributes
    ----------
    energy_drift : float or None
        Of the energy per particle of a run at constant energy (`energy_drift`).
    longest_bond : float or None
        In units of length, at the end of the run.
    fmax : float or None
        Largest force on a particle after the last minimisation.
    temperature, pressure : Plateau or None
    crystal : float or None
        Share of crystal-like particles (`crystal_fraction`).
    aging : float or None
        Largest change of Fs(q, t) from one window of a run to the next (`aging`).
    """

    energy_drift: float | None = None
    longest_bond: float | None = None
    fmax: float | None = None
    temperature: Plateau | None = None
    pressure: Plateau | None = None
    crystal: float | None = None
    aging: float | None = None


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """Above which numbers a run is not used.

    Attributes
    ----------
    energy_drift : float
        Sound runs of 240 particles over 10 time units show about 2e-4 at time step 0.005.
    longest_bond : float
        FENE bonds break at 1.5; sound ones stay below 1.2.
    fmax : float
        Force tolerance of the minimisations.
    temperature : float
        Relative drift between the halves of a run at constant temperature.
    pressure : float
        Drift between the halves of a run over the spread within them. It has no scale of its
        own: the mean may be zero. Of 32 stretches of liquids of 240 particles 30 stayed below
        0.6, and two, soon after a quench, at 0.7 and 1.8; a ramp reaches 3.5.
    crystal : float
        Quenched glasses of the three models show up to 0.005, Kob-Andersen liquids at T = 0.44
        up to 0.009.
    aging : float
        With windows of one origin and three relaxation times each, one run of 1000
        Kob-Andersen particles at T = 0.6 changed by 0.10 in equilibrium, by 0.36 after a quench.
    """

    energy_drift: float = 1e-3
    longest_bond: float = 1.4
    fmax: float = 1e-5
    temperature: float = 0.1
    pressure: float = 2.0
    crystal: float = 0.1
    aging: float = 0.25


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


def health_record(health: Health) -> dict[str, Any]:
    """Health numbers as JSON values; what does not apply is left out."""
    return {name: _to_json(value) for name, value in asdict(health).items() if value is not None}


def read_health(record: Mapping[str, Any]) -> Health:
    """The Health that `health_record` wrote.

    Raises
    ------
    InputError
        If the record holds something else.
    """
    known = {f.name for f in fields(Health)}
    try:
        values = {name: _from_json(value) for name, value in record.items()}
    except (TypeError, ValueError) as error:
        raise InputError(f"not a health record: {error}; remove the unit and run again") from error
    if unknown := sorted(set(values) - known):
        raise InputError(
            f"not a health record: it holds {unknown[0]!r}, known are {', '.join(sorted(known))}"
        )
    return Health(**values)


@dataclass(frozen=True)
class Check:
    """One quantity of a run beside its limit.

    Attributes
    ----------
    quantity : str
        In words, with its unit.
    value, limit : float
        Measured, and the most that is allowed.
    ok : bool
    text : str
        What is wrong, if it is not ok.
    """

    quantity: str
    value: float
    limit: float
    ok: bool
    text: str


def checks(health: Health, tolerances: Tolerances | None = None) -> tuple[Check, ...]:
    """Every quantity that was measured, beside its limit; NaN is never ok."""
    limit = Tolerances() if tolerances is None else tolerances
    found = []
    for name, (quantity, text) in QUANTITIES.items():
        value, most = getattr(health, name), getattr(limit, name)
        if isinstance(value, Plateau):
            made = text.format(
                drift=value.drift, mean=value.mean, spread=_spread(value), limit=most
            )
            scale = value.mean if name == "temperature" else _spread(value)
            value = abs(value.drift) / scale if scale else float(value.drift != 0)
        elif value is not None:
            made = text.format(value=value, limit=most)
        else:
            continue
        found.append(Check(quantity, float(value), float(most), bool(value <= most), made))
    return tuple(found)


def problems(health: Health, tolerances: Tolerances | None = None) -> tuple[str, ...]:
    """What is wrong with a run, one sentence each; empty for a sound one."""
    return tuple(check.text for check in checks(health, tolerances) if not check.ok)


def _spread(level: Plateau) -> float:
    """Infinite where it is not known: a short series is not judged, NaN in it is."""
    return np.inf if level.spread is None else level.spread


def _to_json(value: Any) -> Any:
    """Numbers that JSON does not know as text."""
    if isinstance(value, dict):
        return {k: _to_json(v) for k, v in value.items() if v is not None}
    return value if np.isfinite(value) else str(float(value))


def _from_json(value: Any) -> Any:
    if isinstance(value, dict):
        return Plateau(**{k: float(v) for k, v in value.items()})
    return float(value)
