# type: ignore  (kernels are in Warp's language)
"""FENE bonds: V(r) = -K R0^2/2 ln(1 - (r/R0)^2) + 4 (r^-12 - r^-6) + 1, the last two below 2^(1/6).

A bond longer than LAMMPS' limit of 1 - (r/R0)^2 = 0.1 pulls as at that limit; one longer than
twice R0 is broken.
"""

from typing import Any

import warp as wp

wp.set_module_options({"enable_backward": False})

STIFFEST = 0.1
"""Least 1 - (r/R0)^2 that the force of a bond is computed with."""
BROKEN = 4.0
"""(r/R0)^2 beyond which a bond is broken."""


@wp.func
def _slack(r2: Any, extension: Any):
    return wp.max(type(r2)(1.0) - r2 / (extension * extension), type(r2)(wp.static(STIFFEST)))


@wp.func
def bond_force(r2: Any, stiffness: Any, extension: Any):
    """Force over separation."""
    p = -stiffness / _slack(r2, extension)
    u3 = type(r2)(1.0) / (r2 * r2 * r2)
    if u3 > type(r2)(0.5):
        p += type(r2)(48.0) * u3 * (u3 - type(r2)(0.5)) / r2
    return p


@wp.func
def bond_energy(r2: Any, stiffness: Any, extension: Any):
    e = type(r2)(-0.5) * stiffness * extension * extension * wp.log(_slack(r2, extension))
    u3 = type(r2)(1.0) / (r2 * r2 * r2)
    if u3 > type(r2)(0.5):
        e += type(r2)(4.0) * u3 * (u3 - type(r2)(1.0)) + type(r2)(1.0)
    return e


@wp.func
def is_broken(r2: Any, extension: Any):
    return r2 > type(r2)(wp.static(BROKEN)) * extension * extension
