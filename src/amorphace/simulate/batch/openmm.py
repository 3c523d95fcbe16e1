"""OpenMM beside the engines: the same liquid, one system at a time.

It is imported where it is installed, and only to be timed. Length, energy, mass and time of its
system of units (nm, kJ/mol, Da, ps) belong together as sigma, epsilon, mass and tau do.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from amorphace.simulate.batch.laws import (
    C0,
    C1,
    C2,
    C3,
    C4,
    ENERGY_6,
    ENERGY_12,
    SHIFT,
    START,
    largest_cutoff,
    pair_tables,
)
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State

ENERGY = (
    "select(step(r - start(s1, s2)), outer, inner);"
    "inner = (a(s1, s2) * u - b(s1, s2)) * u - shift(s1, s2); u = r^(-6);"
    "outer = c0(s1, s2) - t * (c1(s1, s2) + t * (c2(s1, s2) / 2"
    " + t * (c3(s1, s2) / 3 + t * c4(s1, s2) / 4))); t = r - start(s1, s2)"
)
"""Of a pair: Lennard-Jones, shifted, and the polynomial that ends it smoothly; see `laws`."""
COLUMNS = {
    "a": ENERGY_12, "b": ENERGY_6, "shift": SHIFT, "start": START,
    "c0": C0, "c1": C1, "c2": C2, "c3": C3, "c4": C4,
}  # fmt: skip


def openmm_context(model: GlassModel, state: State, *, device: str) -> Any:
    """A system of a Lennard-Jones mixture that moves at constant energy.

    Parameters
    ----------
    model : GlassModel
    state : State
        In a cubic cell.
    device : str
        "cpu", on one thread, or "cuda", in mixed precision.

    Returns
    -------
    openmm.Context

    Raises
    ------
    ImportError
        If OpenMM is not installed.
    openmm.OpenMMException
        If it has no such platform here.
    """
    mm, here = import_module("openmm"), state.configuration
    kinds, table = here.species_index(model.species), pair_tables(model)[1]
    system, force = mm.System(), mm.CustomNonbondedForce(ENERGY)
    force.addPerParticleParameter("s")
    n = len(model.species)
    for name, column in COLUMNS.items():
        values = mm.Discrete2DFunction(n, n, table[:, column].tolist())
        force.addTabulatedFunction(name, values)
    for kind in kinds.tolist():
        system.addParticle(model.masses[kind])
        force.addParticle([kind])
    force.setNonbondedMethod(mm.CustomNonbondedForce.CutoffPeriodic)
    force.setCutoffDistance(largest_cutoff(model))
    system.addForce(force)
    system.setDefaultPeriodicBoxVectors(*[mm.Vec3(*row) for row in here.cell.tolist()])
    cuda = device != "cpu"
    platform = mm.Platform.getPlatformByName("CUDA" if cuda else "CPU")
    options = {"Precision": "mixed"} if cuda else {"Threads": "1"}
    context = mm.Context(system, mm.VerletIntegrator(model.timestep), platform, options)
    context.setPositions(here.positions)
    context.setVelocities(state.velocities)
    return context


def energies(context: Any) -> tuple[float, float]:
    """Potential and total energy of the system."""
    found = context.getState(getEnergy=True)
    parts = found.getPotentialEnergy(), found.getKineticEnergy()
    potential, kinetic = (float(part / part.unit) for part in parts)
    return potential, potential + kinetic


def forces(context: Any) -> np.ndarray:
    """On every particle, shape (n, 3)."""
    found = context.getState(getForces=True).getForces(asNumpy=True)
    return np.asarray(found / found.unit)
