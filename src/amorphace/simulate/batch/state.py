# type: ignore  (kernels are in Warp's language)
"""Systems of one model side by side, each in a slot of its own.

A slot holds up to `size` particles; systems differ in their number of particles, box, temperature
and progress. Nothing of one slot is read for another, and every sum runs in an order that depends
on its own system alone: what a system does is the same to the last bit whatever runs beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import warp as wp
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import SimulationError
from amorphace.simulate.batch.boxes import Box, Fixed, cell_of, fixed_point, six_numbers
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
ORDER_EDGE = 1.5
"""Edge, in sigma, of the cells in whose order particles lie in memory."""
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
        self._orders: dict[int, NDArray[np.int64]] = {}

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

    def put(
        self,
        slot: int,
        configuration: Configuration,
        velocities: NDArray[np.float64] | None = None,
    ) -> None:
        """Fill a slot, and set it running."""
        n = len(configuration)
        assert n <= self.size, "a slot is too small"
        s = configuration.fractional()
        order = self._orders[slot] = _in_space(s, configuration)
        place = np.empty((n, 4))
        place[:, :3], place[:, 3] = s, configuration.species_index(self.model.species)
        self.write("place", slot, place[order])
        speed = np.zeros((n, 3)) if velocities is None else velocities
        self.write("velocity", slot, speed[order])
        self.write("bonded", slot, _bonded(self.model, order))
        self.assign(self.data.count, slot, n)
        self.assign(self.data.box, slot, six_numbers(configuration.cell))
        self.assign(self.data.status, slot, RUNNING)

    def write(self, name: str, slot: int, rows: NDArray[Any]) -> None:
        """Rows of a slot's particles, in the order of memory."""
        target = getattr(self.data, name)
        source = wp.array(np.ascontiguousarray(rows), dtype=target.dtype, device="cpu")
        wp.copy(target, source, dest_offset=slot * self.size, count=len(rows))

    def assign(self, target: Any, slot: int, value: Any) -> None:
        """Set a slot's value in an array of all slots."""
        source = wp.array(np.asarray([value]), dtype=target.dtype, device="cpu")
        wp.copy(target, source, dest_offset=slot, count=1)

    def read(self, name: str, slot: int) -> NDArray[Any]:
        """Rows of a slot's particles, in the order in which they came."""
        source, order = getattr(self.data, name), self._orders[slot]
        rows = wp.empty(len(order), dtype=source.dtype, device="cpu")
        wp.copy(rows, source, src_offset=slot * self.size, count=len(order))
        wp.synchronize_device(self.device)
        found = np.empty_like(rows.numpy())
        found[order] = rows.numpy()
        return found

    def box(self, slot: int) -> NDArray[np.float64]:
        """The six numbers of a slot's box."""
        return self.data.box.numpy()[slot].copy()

    def configuration(self, slot: int, like: Configuration) -> Configuration:
        """The particles of a slot, unwrapped, in the order in which they came."""
        cell = cell_of(self.box(slot))
        return like.replace(positions=self.read("place", slot)[:, :3] @ cell, cell=cell)

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


def _in_space(s: NDArray[np.float64], configuration: Configuration) -> NDArray[np.int64]:
    """The order that puts particles near each other in the box near each other in memory."""
    cells = np.clip(configuration.heights / ORDER_EDGE, 1, 40).astype(np.int64)
    x, y, z = np.minimum(((s - np.floor(s)) * cells).astype(np.int64), cells - 1).T
    key = (z * cells[1] + y) * cells[0] + x
    return np.argsort(key.astype(np.uint16), kind="stable")


def _bonded(model: GlassModel, order: NDArray[np.int64]) -> NDArray[np.int32]:
    """Bond partners of every particle in the order of memory, shape (n, 2)."""
    partner = np.full((len(order), 2), -1, dtype=np.int64)
    first, second = model.bonds(len(order)).T
    partner[first, 0], partner[second, 1] = second, first
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order], place[-1] = np.arange(len(order)), -1
    return place[partner[order]].astype(np.int32)
