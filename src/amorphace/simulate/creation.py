"""From nothing to a hot liquid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import SimulationError
from amorphace.simulate.engine import OpenMover
from amorphace.simulate.health import Health, problems
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.measures import longest_bond
from amorphace.simulate.models import Chains, GlassModel
from amorphace.simulate.state import State, derive_seed, thermal_velocities

CHAIN_GAP = 1.02
"""Least distance of second neighbours along a chain when it is made."""
ATTEMPTS = 3
"""Push-offs from different seeds before a creation has failed."""


def create(
    model: GlassModel, n_particles: int, *, seed: int, engine: OpenMover = LammpsEngine
) -> State:
    """A hot liquid from nothing: random placement, then two push-offs.

    Particles (or random walks) are placed at random and driven apart by a soft repulsion that
    grows, then moved a little at a time under the model's forces. The liquid is hot but not yet
    equilibrated.

    Parameters
    ----------
    model : GlassModel
    n_particles : int
    seed : int
        Of places, velocities and thermostat.
    engine : callable
        Opens who does it (`OpenMover`).

    Returns
    -------
    State
        At the model's melt temperature and number density.

    Raises
    ------
    SimulationError
        If the particles cannot be driven apart.
    """
    labels = model.labels(n_particles)
    edge = (n_particles / model.number_density) ** (1 / 3)
    for attempt in range(ATTEMPTS):
        own = derive_seed(seed, attempt)
        start = Configuration(
            positions=_random_places(model, n_particles, edge, own), species=labels, cell=edge
        )
        with engine(model, start) as opened:
            opened.push_apart(own)
            pushed = opened.state().configuration
        if not problems(Health(longest_bond=longest_bond(model, pushed))):
            speed = thermal_velocities(model, pushed, model.melt_temperature, seed=own)
            return State(pushed, speed)
    raise SimulationError(
        f"{ATTEMPTS} attempts left bonds of {longest_bond(model, pushed):.3g}; lower the number "
        f"density of model {model.name} ({model.number_density})"
    )


def _random_places(model: GlassModel, n: int, edge: float, seed: int) -> NDArray[np.float64]:
    """Places at random in a cubic cell, or random walks that start at random."""
    rng = np.random.default_rng(seed)
    if model.chains is None:
        return rng.random((n, 3)) * edge
    return random_walks(model.chains, n // model.chains.length, edge, rng).reshape(n, 3)


def random_walks(
    chains: Chains, n_chains: int, edge: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Chains of constant bond length whose second neighbours do not overlap.

    Returns
    -------
    ndarray of shape (n_chains, length, 3)
        Unwrapped.
    """
    walk = np.empty((n_chains, chains.length, 3))
    walk[:, 0] = rng.random((n_chains, 3)) * edge
    for k in range(1, chains.length):
        open_ends = np.arange(n_chains)
        while len(open_ends):
            way = rng.standard_normal((len(open_ends), 3))
            way *= chains.bond_length / np.linalg.norm(way, axis=1, keepdims=True)
            walk[open_ends, k] = walk[open_ends, k - 1] + way
            if k == 1:
                break
            gap = np.linalg.norm(walk[open_ends, k] - walk[open_ends, k - 2], axis=1)
            open_ends = open_ends[gap <= CHAIN_GAP]
    return walk
