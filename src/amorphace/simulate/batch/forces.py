# type: ignore  (kernels are in Warp's language)
"""Forces, energies and virials of all systems, in single or double precision.

Every particle gathers from its own row: no sum depends on the order in which threads run. In
single precision the separation is that of fixed-point positions, and forces are added in single
precision; energies and virials are added in double precision in either case.
"""

from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import warp as wp
from numpy.typing import NDArray

from amorphace.simulate.batch.bonds import bond_energy, bond_force, is_broken
from amorphace.simulate.batch.boxes import (
    load,
    load_four,
    load_wide,
    separation,
    single,
)
from amorphace.simulate.batch.laws import (
    C0,
    C1,
    C2,
    C3,
    C4,
    ENERGY_6,
    ENERGY_12,
    EVEN_2,
    EVEN_4,
    FORCE_6,
    FORCE_12,
    INNER,
    OUTER,
    SHIFT,
    START,
    Laws,
    SingleLaws,
    laws,
)
from amorphace.simulate.batch.lists import Neighbours
from amorphace.simulate.batch.neighbours import Lists
from amorphace.simulate.batch.state import BROKEN_BOND, Slots, Sums, Systems, lives
from amorphace.simulate.potentials import InversePower

Precision = Literal["mixed", "double"]


class Kernels(NamedTuple):
    """Those of one precision and one form of the potential."""

    forces: Any
    with_energies: Any
    """Forces, and the energy of every particle."""
    measure: Any


@cache
def pair_kernels(precision: Precision, exponent: int) -> Kernels:
    """Kernels for Lennard-Jones (exponent 0) or inverse powers of this even exponent."""
    wide, power, half = precision == "double", exponent > 0, exponent // 2
    real = wp.float64 if wide else wp.float32
    vec3 = wp.vec3d if wide else wp.vec3f
    tables = Laws if wide else SingleLaws
    module = wp.get_module(f"amorphace_forces_{precision}_{exponent}")
    module.options.update({"enable_backward": False, "fast_math": not wide, "fuse_fp": True})

    if wide:

        @wp.func
        def position(x: Systems, i: int):
            return load_wide(x.place, i)

        @wp.func
        def box_of(x: Systems, b: int):
            return x.box[b]

    else:

        @wp.func
        def position(x: Systems, i: int):
            return load(x.fixed, i)

        @wp.func
        def box_of(x: Systems, b: int):
            return single(x.box[b])

    @wp.func
    def powers(u: real):
        p = real(1.0)
        for _ in range(half):
            p = p * u
        return p

    @wp.func
    def pair(d: vec3, w: int, z: tables):
        """Force of a pair over its separation."""
        r2 = wp.dot(d, d)
        c = z.near[w]
        p = real(0.0)
        if r2 < c[wp.static(OUTER)] and r2 > real(0.0):
            u = real(1.0) / r2
            if wp.static(power):
                p = c[wp.static(FORCE_12)] * powers(u) * u
                p -= real(2.0) * z.far[w, wp.static(EVEN_2)]
                p -= real(4.0) * z.far[w, wp.static(EVEN_4)] * r2
            else:
                u3 = u * u * u
                p = u3 * (c[wp.static(FORCE_12)] * u3 - c[wp.static(FORCE_6)]) * u
                if r2 >= c[wp.static(INNER)]:
                    r = wp.sqrt(r2)
                    t = r - z.far[w, wp.static(START)]
                    p = z.far[w, wp.static(C3)] + t * z.far[w, wp.static(C4)]
                    p = z.far[w, wp.static(C1)] + t * (z.far[w, wp.static(C2)] + t * p)
                    p = p / r
        return p

    @wp.func
    def energy(d: vec3, w: int, z: tables):
        """Energy of a pair."""
        r2 = wp.dot(d, d)
        c = z.near[w]
        e = real(0.0)
        if r2 < c[wp.static(OUTER)] and r2 > real(0.0):
            u = real(1.0) / r2
            if wp.static(power):
                e = z.far[w, wp.static(ENERGY_12)] * powers(u) - z.far[w, wp.static(SHIFT)]
                e += r2 * (z.far[w, wp.static(EVEN_2)] + r2 * z.far[w, wp.static(EVEN_4)])
            else:
                u3 = u * u * u
                e = z.far[w, wp.static(ENERGY_12)] * u3 - z.far[w, wp.static(ENERGY_6)]
                e = u3 * e - z.far[w, wp.static(SHIFT)]
                if r2 >= c[wp.static(INNER)]:
                    t = wp.sqrt(r2) - z.far[w, wp.static(START)]
                    e = z.far[w, wp.static(C3)] / real(3.0) + t * z.far[w, wp.static(C4)] / real(
                        4.0
                    )
                    e = z.far[w, wp.static(C2)] / real(2.0) + t * e
                    e = z.far[w, wp.static(C0)] - t * (z.far[w, wp.static(C1)] + t * e)
        return e

    def of_forces(energies: bool):
        @wp.kernel(module=module)
        def forces(x: Systems, y: Lists, z: tables, each: wp.array(dtype=wp.float64)):
            b, k = wp.tid()
            if not lives(x, b, k):
                return
            i = b * x.size + k
            h = box_of(x, b)
            a = position(x, i)
            row = wp.int32(a[3]) * z.species
            f = vec3()
            e = wp.float64(0.0)
            for m in range((y.length[i] + 3) >> 2):
                j = load_four(y.fours, m * y.total + i)
                q0 = position(x, j[0])
                q1 = position(x, j[1])
                q2 = position(x, j[2])
                q3 = position(x, j[3])
                d0 = separation(a, q0, h)
                d1 = separation(a, q1, h)
                d2 = separation(a, q2, h)
                d3 = separation(a, q3, h)
                w0 = row + wp.int32(q0[3])
                w1 = row + wp.int32(q1[3])
                w2 = row + wp.int32(q2[3])
                w3 = row + wp.int32(q3[3])
                f += pair(d0, w0, z) * d0
                f += pair(d1, w1, z) * d1
                f += pair(d2, w2, z) * d2
                f += pair(d3, w3, z) * d3
                if wp.static(energies):
                    e += wp.float64(energy(d0, w0, z)) + wp.float64(energy(d1, w1, z))
                    e += wp.float64(energy(d2, w2, z)) + wp.float64(energy(d3, w3, z))
            bonded = x.bonded[i]
            for n in range(2):
                if bonded[n] >= 0:
                    d = separation(a, position(x, b * x.size + bonded[n]), h)
                    r2 = wp.dot(d, d)
                    f += bond_force(r2, z.stiffness, z.extension) * d
                    if wp.static(energies):
                        e += wp.float64(bond_energy(r2, z.stiffness, z.extension))
                    if is_broken(r2, z.extension):
                        x.status[b] = wp.static(BROKEN_BOND)
            x.force[i] = wp.vec3d(f)
            if wp.static(energies):
                each[i] = wp.float64(0.5) * e

        return forces

    @wp.kernel(module=module)
    def measure(x: Systems, y: Lists, z: tables, kick: wp.array(dtype=wp.float64),
                out: wp.array(dtype=Sums)):  # fmt: skip
        b, k = wp.tid()
        if not lives(x, b, k):
            return
        i = b * x.size + k
        h = box_of(x, b)
        a = position(x, i)
        kind = wp.int32(a[3])
        e = wp.float64(0.0)
        v = wp.spatial_vectord()
        bonded = x.bonded[i]
        for m in range(y.length[i] + 2):
            j = int(-1)
            chain = m >= y.length[i]
            if chain:
                j = bonded[m - y.length[i]]
                if j >= 0:
                    j += b * x.size
            else:
                j = y.fours[(m >> 2) * y.total + i][m & 3]
            if j >= 0:
                q = position(x, j)
                d = separation(a, q, h)
                p = real(0.0)
                if chain:
                    r2 = wp.dot(d, d)
                    p = bond_force(r2, z.stiffness, z.extension)
                    e += wp.float64(bond_energy(r2, z.stiffness, z.extension))
                else:
                    w = kind * z.species + wp.int32(q[3])
                    p = pair(d, w, z)
                    e += wp.float64(energy(d, w, z))
                v += wp.spatial_vectord(
                    wp.float64(p * d[0] * d[0]), wp.float64(p * d[1] * d[1]),
                    wp.float64(p * d[2] * d[2]), wp.float64(p * d[0] * d[1]),
                    wp.float64(p * d[0] * d[2]), wp.float64(p * d[1] * d[2]),
                )  # fmt: skip
        c = wp.float64(0.5)
        im = x.inverse_mass[kind]
        speed = x.velocity[i] + kick[b] * im * x.force[i]
        kinetic = c * wp.dot(speed, speed) / im
        out[i] = Sums(
            c * e, c * v[0], c * v[1], c * v[2], c * v[3], c * v[4], c * v[5], kinetic
        )  # fmt: skip

    return Kernels(of_forces(False), of_forces(True), measure)


class Forces:
    """Who computes the forces of all systems.

    Parameters
    ----------
    slots : Slots
    neighbours : Neighbours
    precision : {"mixed", "double"}
    """

    def __init__(self, slots: Slots, neighbours: Neighbours, precision: Precision) -> None:
        self.slots, self.neighbours, self.precision = slots, neighbours, precision
        law = slots.model.potential
        exponent = law.exponent if isinstance(law, InversePower) else 0
        self.kernels = pair_kernels(precision, exponent)
        self.laws = laws(slots, single=precision == "mixed")
        self.each = slots.zeros(slots.slots * slots.size, Sums)
        self._on_step = slots.zeros(slots.slots, wp.float64)

    def compute(self, energies: Any = None) -> None:
        """Forces at the positions as they are, with lists that hold for them.

        With an array of doubles, the energy of every particle is written to it.
        """
        kernel = self.kernels.forces if energies is None else self.kernels.with_energies
        self.slots.on_particles(kernel, self.neighbours.data, self.laws, energies)

    def measure(self, kick: Any = None) -> NDArray[np.float64]:
        """Potential energy, virial (xx yy zz xy xz yz) and kinetic energy, shape (slots, 8).

        Velocities are taken as they are, or half a step later: `kick` holds the time by which
        those of each slot lag behind.
        """
        late = self._on_step if kick is None else kick
        s = self.slots
        s.on_particles(self.kernels.measure, self.neighbours.data, self.laws, late, self.each)
        return s.sums(self.each)
