# type: ignore  (kernels are in Warp's language)
"""Systems of one model side by side, each in a slot of its own.

A slot holds up to `size` particles; systems differ in their number of particles, box, temperature
and progress. Nothing of one slot is read for another, and every sum runs in an order that depends
on its own system alone: what a system does is the same to the last bit whatever runs beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import warp as wp
from numpy.typing import NDArray

from amorphace.core.errors import SimulationError
from amorphace.simulate.batch.boxes import Box, Fixed, cell_of, fixed_point, six_numbers
from amorphace.simulate.batch.packed import Packed
from amorphace.simulate.models import GlassModel

wp.set_module_options({"enable_backward": False})

IDLE, RUNNING, WAITING, CROWDED_CELL, CROWDED_ROW, ON_TOP, BROKEN_BOND, BLOWN_UP = range(8)
"""What a slot may be; the last five are what goes wrong."""
CROWDED = (CROWDED_CELL, CROWDED_ROW)
"""Lists that are too short."""
WRONG = {
    CROWDED_CELL: "too many particles in one cell of its neighbour list, and no memory for more",
    CROWDED_ROW: "too many neighbours of one particle, and no memory for more",
    ON_TOP: "two particles are at the same place",
    BROKEN_BOND: "a bond is broken",
    BLOWN_UP: "a particle moves too far in one step",
}
PARTIAL = 256
"""Partial sums of a system."""

Sums = wp.types.vector(length=8, dtype=wp.float64)
"""Potential energy, virial xx yy zz xy xz yz, kinetic energy."""


@wp.struct
class Systems:
    """What kernels see of all systems; particle k of slot b stands at b * size + k."""

    size: wp.int32
    count: wp.array(dtype=wp.int32)
    status: wp.array(dtype=wp.int32)
    box: wp.array(dtype=Box)
    place: wp.array(dtype=wp.vec4d)
    """Fractional coordinates, not wrapped, and the species."""
    fixed: wp.array(dtype=Fixed)
    velocity: wp.array(dtype=wp.vec3d)
    force: wp.array(dtype=wp.vec3d)
    bonded: wp.array(dtype=wp.vec2i)
    """The particles that one is bonded to; -1 for none."""
    inverse_mass: wp.array(dtype=wp.float64)
    """Of each species."""


@wp.func
def lives(x: Systems, b: int, k: int):
    """Whether a slot runs and has such a particle."""
    return x.status[b] == wp.static(RUNNING) and k < x.count[b]


@wp.kernel
def quantise(x: Systems):
    b, k = wp.tid()
    if k < x.count[b]:
        i = b * x.size + k
        x.fixed[i] = fixed_point(x.place[i])


@wp.kernel
def sum_parts(x: Systems, values: wp.array(dtype=Sums), part: wp.array2d(dtype=Sums)):
    b, t = wp.tid()
    total = Sums()
    k = int(t)
    while k < x.count[b]:
        total += values[b * x.size + k]
        k += wp.static(PARTIAL)
    part[b, t] = total


@wp.kernel
def sum_systems(part: wp.array2d(dtype=Sums), total: wp.array(dtype=Sums)):
    b = wp.tid()
    z = Sums()
    for t in range(part.shape[1]):
        z += part[b, t]
    total[b] = z


class Slots:
    """Systems of one model on a device.

    Parameters
    ----------
    model : GlassModel
    slots : int
        Systems at a time.
    size : int
        Particles that a slot holds.
    device : str
        Of Warp: "cpu", "cuda" or "cuda:1".
    """

    def __init__(self, model: GlassModel, slots: int, size: int, device: str) -> None:
        self.model, self.slots, self.size, self.device = model, slots, size, device
        n = slots * size
        x = self.data = Systems()
        x.size = size
        x.count, x.status = self.zeros(slots, wp.int32), self.zeros(slots, wp.int32)
        x.box = self.zeros(slots, Box)
        x.place, x.fixed = self.zeros(n, wp.vec4d), self.zeros(n, Fixed)
        x.velocity, x.force = self.zeros(n, wp.vec3d), self.zeros(n, wp.vec3d)
        x.bonded = self.zeros(n, wp.vec2i)
        x.inverse_mass = self.array(1 / np.array(model.masses), wp.float64)
        self._parts, self.totals = self.zeros((slots, PARTIAL), Sums), self.zeros(slots, Sums)
        self._packed: dict[int, Packed] = {}

    def zeros(self, shape: int | tuple[int, ...], dtype: Any) -> Any:
        """An array of zeros on the device."""
        return wp.zeros(shape, dtype=dtype, device=self.device)

    def array(self, values: Any, dtype: Any) -> Any:
        """A copy of values on the device."""
        return wp.array(np.ascontiguousarray(values), dtype=dtype, device=self.device)

    def launch(self, kernel: Any, dim: int | tuple[int, ...], inputs: list[Any]) -> None:
        """Launch a kernel on the device."""
        wp.launch(kernel, dim=dim, inputs=inputs, device=self.device)

    def on_particles(self, kernel: Any, *inputs: Any) -> None:
        """Launch a kernel with a thread for every particle."""
        self.launch(kernel, (self.slots, self.size), [self.data, *inputs])

    def on_systems(self, kernel: Any, *inputs: Any) -> None:
        """Launch a kernel with a thread for every slot."""
        self.launch(kernel, self.slots, [self.data, *inputs])

    def put(self, slot: int, packed: Packed) -> None:
        """Fill a slot, and set it running."""
        assert len(packed) <= self.size, "a slot is too small"
        self._packed[slot] = packed
        for name in ("place", "velocity", "bonded"):
            self.write(name, slot, getattr(packed, name))
        self.assign(self.data.count, slot, len(packed))
        self.assign(self.data.box, slot, six_numbers(packed.cell))
        self.assign(self.data.status, slot, RUNNING)

    def write(self, name: str, slot: int, rows: NDArray[Any]) -> None:
        """Rows of a slot's particles, in the order of memory."""
        target = getattr(self.data, name)
        source = wp.array(rows, dtype=target.dtype, device="cpu", copy=False)
        wp.copy(target, source, dest_offset=slot * self.size, count=len(rows))

    def assign(self, target: Any, slot: int, value: Any) -> None:
        """Set a slot's value in an array of all slots."""
        source = wp.array(np.asarray([value]), dtype=target.dtype, device="cpu")
        wp.copy(target, source, dest_offset=slot, count=1)

    def read(self, name: str, slot: int) -> NDArray[Any]:
        """Rows of a slot's particles, in the order of memory."""
        source, n = getattr(self.data, name), len(self._packed[slot])
        rows = wp.empty(n, dtype=source.dtype, device="cpu")
        wp.copy(rows, source, src_offset=slot * self.size, count=n)
        wp.synchronize_device(self.device)
        return rows.numpy()

    def take(self, slot: int) -> Packed:
        """The system of a slot as it is now."""
        return replace(
            self._packed[slot],
            cell=cell_of(self.data.box.numpy()[slot]),
            place=self.read("place", slot),
            velocity=self.read("velocity", slot),
        )

    def status(self) -> NDArray[np.int32]:
        """What each slot is, shape (slots,)."""
        return self.data.status.numpy().copy()

    @contextmanager
    def only(self, slot: int) -> Iterator[None]:
        """Others than this one wait."""
        before = self.status()
        self.data.status.assign(np.where(before == RUNNING, WAITING, before))
        self.assign(self.data.status, slot, before[slot])
        yield
        now = self.status()
        self.data.status.assign(np.where(now == WAITING, RUNNING, now))

    def free(self, slot: int) -> None:
        """Empty a slot."""
        self.assign(self.data.status, slot, IDLE)
        self.assign(self.data.count, slot, 0)

    def sums(self, values: Any) -> NDArray[np.float64]:
        """Totals of eight numbers of each particle, shape (slots, 8); in a fixed order."""
        self.launch(sum_parts, (self.slots, PARTIAL), [self.data, values, self._parts])
        self.launch(sum_systems, self.slots, [self._parts, self.totals])
        return self.totals.numpy().copy()


def check(status: int) -> None:
    """Raise what is wrong with a slot.

    Raises
    ------
    SimulationError
    """
    if status in WRONG:
        raise SimulationError(
            f"{WRONG[status]}; go on from an earlier state with a smaller time step"
        )
