"""Potential energy of every particle, where the interaction is one of pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.neighbors import find_neighbors
from amorphace.simulate.models import Chains, GlassModel
from amorphace.simulate.potentials import InversePower, LennardJones


def particle_energies(model: GlassModel, configuration: Configuration) -> NDArray[np.float64]:
    """u_i = 1/2 sum_j V(r_ij), bonds included: half of every pair's energy goes to each of the two.

    The sum over all particles is the energy that the engines have.

    Parameters
    ----------
    model : GlassModel
        Of a pair potential.
    configuration : Configuration
        Of a model with chains: unwrapped, in the order in which the model bonds particles.

    Returns
    -------
    ndarray of shape (n,)
        In the model's unit of energy.

    Raises
    ------
    InputError
        If the potential is not one of pairs, or a particle is of none of the model's species.
    """
    law = model.potential
    if not isinstance(law, LennardJones | InversePower):
        raise InputError(
            f"model {model.name}: energies of particles are known for pair potentials, got "
            f"{type(law).__name__}"
        )
    kind = configuration.species_index(model.species)
    largest = np.max(law.sigma) if isinstance(law, InversePower) else 1.0
    near = find_neighbors(configuration, law.cutoff * float(largest))
    i, j, r = near.centre, near.index, near.distances
    if isinstance(law, LennardJones):
        energy = _lennard_jones(law, r, kind[i], kind[j])
    else:
        energy = _inverse_power(law, r / np.array(law.sigma)[kind[i], kind[j]])
    if model.chains is not None:
        energy[_bonded(model, i, j, len(configuration))] = 0.0
    total = np.bincount(i, energy, minlength=len(configuration)) / 2
    if model.chains is not None:
        bonds = model.bonds(len(configuration))
        x = configuration.positions
        length = np.linalg.norm(x[bonds[:, 1]] - x[bonds[:, 0]], axis=1)
        np.add.at(total, bonds, _bond(model.chains, length)[:, None] / 2)
    return total


def _lennard_jones(
    law: LennardJones, r: NDArray[np.float64], z: NDArray[np.int64], w: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Of pairs of species z and w: shifted to zero at the cutoff (`LennardJones.smoothing`)."""
    epsilon, sigma = np.array(law.epsilon)[z, w], np.array(law.sigma)[z, w]
    c = law.smoothing[:, z, w]

    def work(t: float | NDArray[np.float64]) -> NDArray[np.float64]:
        return c[1] * t + c[2] * t**2 / 2 + c[3] * t**3 / 3 + c[4] * t**4 / 4

    near = np.minimum(r, law.inner)
    here = 4 * epsilon * sigma**12 / near**12 - 4 * epsilon * sigma**6 / near**6
    return here - c[0] + work(law.cutoff - law.inner) - work(np.maximum(r - law.inner, 0))


def _inverse_power(law: InversePower, x: NDArray[np.float64]) -> NDArray[np.float64]:
    c0, c2, c4 = law.smoothing
    energy = law.epsilon * (x**-law.exponent + c0 + c2 * x**2 + c4 * x**4)
    return np.where(x < law.cutoff, energy, 0.0)


def _bonded(
    model: GlassModel, i: NDArray[np.int64], j: NDArray[np.int64], n: int
) -> NDArray[np.bool_]:
    """Which pairs are bonded: they have the energy of the bond alone."""
    bonds = model.bonds(n)
    key = np.concatenate([bonds[:, 0] * n + bonds[:, 1], bonds[:, 1] * n + bonds[:, 0]])
    return np.isin(i * n + j, key)


def _bond(chains: Chains, r: NDArray[np.float64]) -> NDArray[np.float64]:
    """FENE and the repulsive part of a Lennard-Jones of unit size."""
    spring = -chains.stiffness * chains.extension**2 / 2 * np.log(1 - (r / chains.extension) ** 2)
    sixth = np.minimum(r, 2 ** (1 / 6)) ** -6.0
    return spring + 4 * (sixth**2 - sixth) + 1
