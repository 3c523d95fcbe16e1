"""What a simulation is at one moment: a configuration and velocities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.simulate.models import GlassModel


@dataclass(frozen=True, eq=False)
class State:
    """All that a simulation needs to go on.

    Every chunk of a simulation starts from a State and ends in one, and its thermostat draws
    from a seed of its own, so that a run taken up from a stored State is the same computation
    as one that never stopped.

    Attributes
    ----------
    configuration : Configuration
        Unwrapped positions.
    velocities : ndarray of shape (n, 3)
        In the order of the configuration.
    """

    configuration: Configuration
    velocities: NDArray[np.float64]

    def __post_init__(self) -> None:
        v = np.array(self.velocities, dtype=np.float64, order="C")
        if v.shape != self.configuration.positions.shape or not np.isfinite(v).all():
            raise InputError(
                f"velocities must be {self.configuration.positions.shape} finite numbers, "
                f"got an array of shape {v.shape}"
            )
        v.setflags(write=False)
        object.__setattr__(self, "velocities", v)


def derive_seed(*entropy: int | str) -> int:
    """A seed that LAMMPS accepts (1 to 899999999) out of non-negative integers and names.

    A name keeps seeds of different uses apart: trailing zeros count for nothing, so that
    (seed, 2) and (seed, 2, 0) give the same.
    """
    words = [int.from_bytes(x.encode(), "big") if isinstance(x, str) else x for x in entropy]
    return int(np.random.SeedSequence(words).generate_state(1)[0]) % 899_999_999 + 1


def masses(model: GlassModel, configuration: Configuration) -> NDArray[np.float64]:
    """Mass of every particle, shape (n,)."""
    return np.array(model.masses)[configuration.species_index(model.species)]


def temperature(model: GlassModel, state: State) -> float:
    """Kinetic temperature, 2 E_kin / (3 (n - 1) k_B): the centre of mass does not count."""
    m = masses(model, state.configuration)
    twice = float((m[:, None] * _mass_scale(model) * state.velocities**2).sum())
    return twice / (3 * (len(m) - 1) * model.boltzmann())


def thermal_velocities(
    model: GlassModel, configuration: Configuration, temperature: float, *, seed: int
) -> NDArray[np.float64]:
    """Maxwell-Boltzmann velocities with no net momentum and exactly the given temperature.

    Parameters
    ----------
    model : GlassModel
    configuration : Configuration
    temperature : float
        In units of the model; zero gives particles at rest.
    seed : int
        Non-negative; the same seed gives the same velocities.

    Returns
    -------
    ndarray of shape (n, 3)

    Raises
    ------
    InputError
        If the temperature is negative or not a number.
    """
    if not (np.isfinite(temperature) and temperature >= 0):
        raise InputError(f"temperature must be zero or more, got {temperature}")
    m = masses(model, configuration)[:, None]
    v = np.random.default_rng(seed).standard_normal((len(m), 3)) / np.sqrt(m)
    v -= (m * v).sum(axis=0) / m.sum()
    kinetic = float((m * _mass_scale(model) * v**2).sum()) / (3 * (len(m) - 1))
    return v * np.sqrt(model.boltzmann() * temperature / kinetic)


def _mass_scale(model: GlassModel) -> float:
    """Energy of unit mass and squared velocity (metal: g/mol (Angstrom/ps)^2 in eV)."""
    return 1.0 if model.units == "lj" else 1.0364269e-4
