"""Inherent structures: the nearest minimum of the potential energy."""

from __future__ import annotations

from dataclasses import dataclass

from amorphace.core.configuration import Configuration
from amorphace.core.errors import SimulationError
from amorphace.simulate.engine import OpenEngine
from amorphace.simulate.health import Health
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.measures import longest_bond
from amorphace.simulate.models import GlassModel


@dataclass(frozen=True, eq=False)
class Inherent:
    """A minimum of the potential energy.

    Attributes
    ----------
    configuration : Configuration
    energy : float
        Potential energy per particle.
    fmax : float
        Largest force on a particle.
    health : Health
    """

    configuration: Configuration
    energy: float
    fmax: float
    health: Health


def inherent_structure(
    model: GlassModel,
    configuration: Configuration,
    *,
    force_tolerance: float = 1e-6,
    engine: OpenEngine = LammpsEngine,
) -> Inherent:
    """The inherent structure of a configuration: the minimum at constant volume that steepest
    descent ends in.

    Parameters
    ----------
    model : GlassModel
    configuration : Configuration
        Its positions may be unwrapped and stay so.
    force_tolerance : float
        On the largest force on a particle.
    engine : callable
        Opens who does it (`OpenEngine`).

    Returns
    -------
    Inherent

    Raises
    ------
    SimulationError
        If the forces do not come below the tolerance.
    """
    with engine(model, configuration) as opened:
        fmax = opened.minimise(force_tolerance)
        if fmax > force_tolerance:
            raise SimulationError(
                f"the minimisation stopped with a force of {fmax:.2g} where {force_tolerance:.2g} "
                "was asked for; start from another configuration or allow a larger force"
            )
        relaxed, energy = opened.configuration(), opened.energy()
    health = Health(fmax=fmax, longest_bond=longest_bond(model, relaxed))
    return Inherent(relaxed, energy, fmax, health)
