# type: ignore  (kernels are in Warp's language)
"""Particles at random places, driven apart.

The soft repulsion is V(r) = A [1 + cos(pi r / d)] below the diameter d of a pair; A grows with the
steps from the melt's k T to `SOFT_HEIGHT` of it. Bonds act as they always do.
"""

from __future__ import annotations

import numpy as np
import warp as wp
from numpy.typing import NDArray

from amorphace.simulate.batch.bonds import bond_force
from amorphace.simulate.batch.boxes import separation
from amorphace.simulate.batch.laws import Laws, bonds_of
from amorphace.simulate.batch.lists import Neighbours
from amorphace.simulate.batch.motions import Motions
from amorphace.simulate.batch.neighbours import Lists
from amorphace.simulate.batch.state import Slots, Sums, Systems, lives
from amorphace.simulate.engine import SOFT_HEIGHT

wp.set_module_options({"enable_backward": False})


@wp.kernel
def soft_forces(x: Systems, y: Lists, z: Laws, m: Motions, heat: wp.float64,
                diameter: wp.array(dtype=wp.float64)):  # fmt: skip
    b, k = wp.tid()
    if not lives(x, b, k):
        return
    i = b * x.size + k
    h = x.box[b]
    a = x.place[i]
    share = wp.float64(m.step[b]) / wp.float64(m.steps[b])
    height = heat * (wp.float64(1.0) + share * wp.float64(wp.static(SOFT_HEIGHT - 1.0)))
    f = wp.vec3d()
    for n in range(y.length[i]):
        q = x.place[y.fours[(n >> 2) * y.total + i][n & 3]]
        size = diameter[wp.int32(a[3]) * z.species + wp.int32(q[3])]
        d = separation(a, q, h)
        r = wp.length(d)
        if r < size and r > wp.float64(0.0):
            w = wp.float64(wp.static(np.pi)) / size
            f += height * w * wp.sin(w * r) / r * d
    bonded = x.bonded[i]
    for n in range(2):
        if bonded[n] >= 0:
            d = separation(a, x.place[b * x.size + bonded[n]], h)
            f += bond_force(wp.dot(d, d), z.stiffness, z.extension) * d
    x.force[i] = f


@wp.kernel
def motion(x: Systems, kick: wp.array(dtype=wp.float64), out: wp.array(dtype=Sums)):
    b, k = wp.tid()
    if lives(x, b, k):
        i = b * x.size + k
        im = x.inverse_mass[wp.int32(x.place[i][3])]
        v = x.velocity[i] + kick[b] * im * x.force[i]
        kinetic = Sums()
        kinetic[7] = wp.float64(0.5) * wp.dot(v, v) / im
        out[i] = kinetic


class SoftForces:
    """Who computes the soft repulsion of all systems; see `Forces`."""

    def __init__(self, slots: Slots, neighbours: Neighbours, motions: Motions) -> None:
        self.slots, self.neighbours, self._motions = slots, neighbours, motions
        model = slots.model
        self._heat = model.boltzmann() * model.melt_temperature
        self._diameters = slots.array(np.ravel(model.potential.diameters), wp.float64)
        self._laws = bonds_of(slots, Laws())
        self.each = slots.zeros(slots.slots * slots.size, Sums)

    def compute(self) -> None:
        """Forces at the positions as they are."""
        self.slots.on_particles(
            soft_forces,
            self.neighbours.data,
            self._laws,
            self._motions,
            self._heat,
            self._diameters,
        )

    def measure(self, kick) -> NDArray[np.float64]:
        """As `Forces.measure`, but kinetic energies alone."""
        self.slots.on_particles(motion, kick, self.each)
        return self.slots.sums(self.each)
