"""What was measured of a simulation beside what is allowed, and what is wrong, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from amorphace.simulate.measures import Plateau


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
    found = (
        _check(
            "drift of the energy per particle at constant energy (epsilon)",
            health.energy_drift,
            limit.energy_drift,
            "the energy per particle drifted by {value:.2g} (at most {limit:.2g})",
        ),
        _check(
            "longest bond (sigma)",
            health.longest_bond,
            limit.longest_bond,
            "the longest bond measures {value:.3g} (at most {limit:.3g})",
        ),
        _check(
            "largest force after minimisation (epsilon/sigma)",
            health.fmax,
            limit.fmax,
            "the largest force after minimisation is {value:.2g} (at most {limit:.2g})",
        ),
        _check(
            "share of crystal-like particles",
            health.crystal,
            limit.crystal,
            "{value:.1%} of the particles are crystal-like (at most {limit:.1%})",
        ),
        _check(
            "change of Fs(q, t) between two windows",
            health.aging,
            limit.aging,
            "it was not in equilibrium: Fs changed by {value:.2g} between two windows "
            "(at most {limit:.2g})",
        ),
        _drift_check(
            "relative drift of the temperature between halves",
            health.temperature,
            None if health.temperature is None else health.temperature.mean,
            limit.temperature,
            "the temperature drifted by {drift:.2g} around {mean:.3g} (at most {limit:.0%})",
        ),
        _drift_check(
            "drift of the pressure between halves, over its spread",
            health.pressure,
            None if health.pressure is None else health.pressure.spread,
            limit.pressure,
            "the pressure drifted by {drift:.2g} around {mean:.3g}, its spread is {scale:.2g} "
            "(at most {limit:.2g} times that)",
        ),
    )
    return tuple(check for check in found if check is not None)


def problems(health: Health, tolerances: Tolerances | None = None) -> tuple[str, ...]:
    """What is wrong with a run, one sentence each; empty for a sound one."""
    return tuple(check.text for check in checks(health, tolerances) if not check.ok)


def _check(quantity: str, value: float | None, limit: float, text: str) -> Check | None:
    if value is None:
        return None
    said = text.format(value=value, limit=limit)
    return Check(quantity, float(value), float(limit), bool(value <= limit), said)


def _drift_check(
    quantity: str, level: Plateau | None, scale: float | None, limit: float, text: str
) -> Check | None:
    """The drift of a plateau in units of a scale."""
    if level is None:
        return None
    # the spread of a short series is not known: it is not judged, NaN in it is
    scale = np.inf if scale is None else scale
    value = abs(level.drift) / scale if scale else float(level.drift != 0)
    said = text.format(drift=level.drift, mean=level.mean, scale=scale, limit=limit)
    return Check(quantity, float(value), float(limit), bool(value <= limit), said)
