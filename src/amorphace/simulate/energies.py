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
    sigma = np.array(law.sigma)[kind[i], kind[j]]
    if isinstance(law, LennardJones):
        energy = _lennard_jones(law, r, np.array(law.epsilon)[kind[i], kind[j]], sigma)
    else:
        energy = _inverse_power(law, r / sigma)
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
    law: LennardJones,
    r: NDArray[np.float64],
    epsilon: NDArray[np.float64],
    sigma: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Shifted to zero at the cutoff; from `smooth_from` on the force is a cubic of t = r - r_s that
    begins with the slope of the potential's and ends with zero value and slope."""
    a, b = 4 * epsilon * sigma**12, 4 * epsilon * sigma**6
    s = law.cutoff if law.smooth_from is None else law.smooth_from
    here = np.minimum(r, s)
    inner = a / here**12 - b / here**6
    edge = a / s**12 - b / s**6
    end, t = law.cutoff - s, np.maximum(r - s, 0)
    if not end:
        return inner - edge
    c1 = 12 * a / s**13 - 6 * b / s**7
    c2 = -156 * a / s**14 + 42 * b / s**8
    c3, c4 = -(3 * c1 + 2 * c2 * end) / end**2, (2 * c1 + c2 * end) / end**3
    work = c1 * t + c2 * t**2 / 2 + c3 * t**3 / 3 + c4 * t**4 / 4
    whole = c1 * end + c2 * end**2 / 2 + c3 * end**3 / 3 + c4 * end**4 / 4
    return inner - edge + whole - work


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
