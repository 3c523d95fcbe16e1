# type: ignore  (kernels are in Warp's language)
"""Interactions as tables that kernels read.

A pair of species has one row. Below `smooth_from` the energy is that of the potential, shifted;
above, the force is a cubic polynomial of r - smooth_from that ends smoothly at the cutoff.
"""

from __future__ import annotations

import numpy as np
import warp as wp
from numpy.typing import NDArray

from amorphace.core.errors import InputError
from amorphace.simulate.batch.state import Slots
from amorphace.simulate.models import GlassModel
from amorphace.simulate.potentials import InversePower, LennardJones

wp.set_module_options({"enable_backward": False})

FORCE_12, FORCE_6, INNER, OUTER = range(4)
"""Columns of `near`: coefficients of the force, squared distances where the laws change."""
ENERGY_12, ENERGY_6, SHIFT, C0, C1, C2, C3, C4, START, EVEN_2, EVEN_4 = range(11)
"""Columns of `far`."""


@wp.struct
class Laws:
    """Pair tables in double precision, and the bonds of chains."""

    species: wp.int32
    near: wp.array(dtype=wp.vec4d)
    far: wp.array2d(dtype=wp.float64)
    stiffness: wp.float64
    extension: wp.float64


@wp.struct
class SingleLaws:
    """The same in single precision."""

    species: wp.int32
    near: wp.array(dtype=wp.vec4f)
    far: wp.array2d(dtype=wp.float32)
    stiffness: wp.float32
    extension: wp.float32


def pair_tables(model: GlassModel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`near`, shape (pairs, 4), and `far`, shape (pairs, 11), of all ordered pairs of species.

    Raises
    ------
    InputError
        If the batch engine does not know the potential.
    """
    law = model.potential
    if isinstance(law, LennardJones):
        return _lennard_jones(law)
    if isinstance(law, InversePower):
        return _inverse_power(law)
    raise InputError(
        f"model {model.name}: the batch engine has pair potentials only, got "
        f"{type(law).__name__}; use the LAMMPS engine"
    )


def largest_cutoff(model: GlassModel) -> float:
    """The largest distance at which particles interact, bonds aside."""
    return float(np.sqrt(pair_tables(model)[0][:, OUTER].max()))


def _lennard_jones(law: LennardJones) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    epsilon, sigma, t = np.ravel(law.epsilon), np.ravel(law.sigma), law.cutoff - law.inner
    a, b = 4 * epsilon * sigma**12, 4 * epsilon * sigma**6
    c = law.smoothing.reshape(5, -1)
    far = np.zeros((len(a), 11))
    far[:, ENERGY_12], far[:, ENERGY_6], far[:, START] = a, b, law.inner
    far[:, C1 : C4 + 1] = c[1:].T
    far[:, SHIFT] = c[0] - (c[1] * t + c[2] * t**2 / 2 + c[3] * t**3 / 3 + c[4] * t**4 / 4)
    far[:, C0] = c[0] - far[:, SHIFT]
    borders = np.full_like(a, law.inner**2), np.full_like(a, law.cutoff**2)
    return np.transpose([12 * a, 6 * b, *borders]), far


def _inverse_power(law: InversePower) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sigma, n = np.ravel(law.sigma), law.exponent
    reach = law.cutoff * sigma
    far = np.zeros((len(sigma), 11))
    far[:, ENERGY_12] = law.epsilon * sigma**n
    constant, square, fourth = law.smoothing
    far[:, SHIFT] = -law.epsilon * constant
    far[:, EVEN_2], far[:, EVEN_4] = (
        law.epsilon * square / sigma**2,
        law.epsilon * fourth / sigma**4,
    )
    far[:, START] = reach
    near = np.transpose([n * far[:, ENERGY_12], np.zeros_like(reach), reach**2, reach**2])
    return near, far


def laws(slots: Slots, *, single: bool) -> Laws | SingleLaws:
    """The tables of the slots' model on their device."""
    near, far = pair_tables(slots.model)
    x = SingleLaws() if single else Laws()
    x.near = slots.array(near, wp.vec4f if single else wp.vec4d)
    x.far = slots.array(far, wp.float32 if single else wp.float64)
    return bonds_of(slots, x)


def bonds_of(slots: Slots, x: Laws | SingleLaws) -> Laws | SingleLaws:
    """The same with the number of species and the bonds of the slots' model."""
    x.species = len(slots.model.species)
    if slots.model.chains is not None:
        x.stiffness = slots.model.chains.stiffness
        x.extension = slots.model.chains.extension
    return x
