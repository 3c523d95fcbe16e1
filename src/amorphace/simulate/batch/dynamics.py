# type: ignore  (kernels are in Warp's language)
"""Molecular dynamics of all systems, each with its own temperature, pressure and number of steps.

Velocity Verlet in its leapfrog form: velocities are kept half a step behind. The thermostat is
Langevin's, with friction and noise in the middle of the drift (BAOA). The barostat is stochastic
cell rescaling: every `SWEEP` steps the logarithm of the volume moves by
(b / tau) (P - P0) t + sqrt(2 k T b t / (V tau)) xi, with b the compressibility, tau the damping
time and t the time since (Bernetti and Bussi, J. Chem. Phys. 153, 114107 (2020)). Both are without
memory: a chunk of a run needs nothing but positions, velocities, the cell and a seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import warp as wp
from numpy.typing import NDArray

from amorphace.core.errors import SimulationError
from amorphace.simulate.batch.boxes import Box, fixed_point, fractional
from amorphace.simulate.batch.forces import Forces, Precision
from amorphace.simulate.batch.laws import largest_cutoff
from amorphace.simulate.batch.lists import Neighbours
from amorphace.simulate.batch.motions import Motions, Path, no_motions, set_path
from amorphace.simulate.batch.neighbours import Lists, box_moved, watch
from amorphace.simulate.batch.packed import Packed
from amorphace.simulate.batch.pushoff import SoftForces
from amorphace.simulate.batch.recorded import Recorded
from amorphace.simulate.batch.state import (
    BLOWN_UP,
    RUNNING,
    Slots,
    Sums,
    Systems,
    check,
    lives,
    quantise,
)
from amorphace.simulate.engine import BAROSTAT_STEPS, record_steps
from amorphace.simulate.models import GlassModel

wp.set_module_options({"enable_backward": False})

SWEEP = 10
"""Steps between two moves of the barostat."""
COMPRESSIBILITY = 0.05
"""b of the barostat, in units of sigma^3/epsilon: a liquid's. Only its ratio to tau matters."""
LONGEST_STEP = 1.0
"""Sigma that a particle may go in a step before its system counts as blown up."""
SKIN = 0.4
"""By which lists reach farther than the interaction, in sigma."""
CROWD, RANDOM = 1.7, 4.0
"""Neighbours that rows have room for at first, in units of the mean at the model's density: in a
liquid, which may become denser, and among particles at random places."""


@wp.kernel
def integrate(x: Systems, y: Lists, m: Motions):
    """Kick by the force, drift; friction and noise in the middle of the drift."""
    b, k = wp.tid()
    if not lives(x, b, k):
        return
    i = b * x.size + k
    s = x.place[i]
    im = x.inverse_mass[wp.int32(s[3])]
    half = wp.float64(0.5)
    v = x.velocity[i] + m.timestep * im * x.force[i]
    longest = m.longest[b]
    if longest > wp.float64(0.0):
        far = wp.length(v) * m.timestep
        if far > longest:
            v = v * (longest / far)
    d = m.timestep * v
    if m.friction[b] > wp.float64(0.0):
        c = wp.exp(-m.friction[b] * m.timestep)
        share = wp.float64(m.step[b] + 1) / wp.float64(m.steps[b])
        t = m.begin[b] + share * (m.end[b] - m.begin[b])
        noise = wp.sqrt((wp.float64(1.0) - c * c) * t * im)
        r = wp.rand_init(wp.int32(wp.rand_init(m.seed[b], m.step[b])), k)
        g = wp.vec3d(wp.float64(wp.randn(r)), wp.float64(wp.randn(r)), wp.float64(wp.randn(r)))
        slow = c * v + noise * g
        d = half * m.timestep * (v + slow)
        v = slow
    if not (wp.dot(d, d) < wp.static(LONGEST_STEP**2)):
        x.status[b] = wp.static(BLOWN_UP)
        return
    x.velocity[i] = v
    e = fractional(x.box[b], d)
    s = wp.vec4d(s[0] + e[0], s[1] + e[1], s[2] + e[2], s[3])
    x.place[i] = s
    x.fixed[i] = fixed_point(s)
    watch(x, y, b, i)


@wp.kernel
def tick(x: Systems, m: Motions):
    b = wp.tid()
    if x.status[b] == wp.static(RUNNING):
        m.step[b] = m.step[b] + 1


@wp.kernel
def kick(x: Systems, m: Motions, share: wp.float64, wanted: wp.array(dtype=wp.int32)):
    b, k = wp.tid()
    if wanted[b] != 0 and lives(x, b, k):
        i = b * x.size + k
        im = x.inverse_mass[wp.int32(x.place[i][3])]
        x.velocity[i] = x.velocity[i] + share * m.timestep * im * x.force[i]


@wp.kernel
def momenta(x: Systems, out: wp.array(dtype=Sums)):
    b, k = wp.tid()
    if lives(x, b, k):
        i = b * x.size + k
        mass = wp.float64(1.0) / x.inverse_mass[wp.int32(x.place[i][3])]
        p = mass * x.velocity[i]
        out[i] = Sums(
            p[0], p[1], p[2], mass, wp.float64(0.0), wp.float64(0.0), wp.float64(0.0),
            wp.float64(0.0),
        )  # fmt: skip


@wp.kernel
def slow_down(x: Systems, total: wp.array(dtype=Sums), wanted: wp.array(dtype=wp.int32)):
    """Take the motion of the centre of mass away."""
    b, k = wp.tid()
    if wanted[b] != 0 and lives(x, b, k):
        p = total[b]
        i = b * x.size + k
        x.velocity[i] = x.velocity[i] - wp.vec3d(p[0], p[1], p[2]) / p[3]


@wp.kernel
def rescale(x: Systems, factor: wp.array(dtype=wp.float64)):
    b, k = wp.tid()
    if factor[b] != wp.float64(1.0) and lives(x, b, k):
        i = b * x.size + k
        x.velocity[i] = x.velocity[i] / factor[b]


@wp.kernel
def rescale_boxes(x: Systems, factor: wp.array(dtype=wp.float64)):
    b = wp.tid()
    if x.status[b] == wp.static(RUNNING):
        x.box[b] = Box(factor[b] * x.box[b])


@dataclass(eq=False)
class _Runner:
    """A system under way."""

    path: Path
    n: int
    """Particles."""
    done: int = 0
    rows: list[list[float]] = field(default_factory=list)

    @property
    def every(self) -> int:
        return record_steps(self.path.steps)

    def next_stop(self) -> int:
        """Steps to the next moment at which something has to be done."""
        stops = [self.path.steps, (self.done // self.every + 1) * self.every]
        if self.path.pressure is not None:
            stops.append((self.done // SWEEP + 1) * SWEEP)
        return min(stops) - self.done

    @property
    def due(self) -> bool:
        """Whether its thermodynamic values are to be taken."""
        return self.done % self.every == 0 or self.done == self.path.steps

    @property
    def sweeps(self) -> bool:
        """Whether its barostat moves."""
        return self.path.pressure is not None and self.done > 0 and self.done % SWEEP == 0


class Dynamics:
    """A device on which systems of one model move.

    Parameters
    ----------
    model : GlassModel
    slots, size : int
        Systems at a time; particles that each may have.
    precision : {"mixed", "double"}
    device : str
    soft : bool
        Whether they are only driven apart, by the push-off's soft repulsion.
    """

    def __init__(
        self,
        model: GlassModel,
        slots: int,
        size: int,
        *,
        precision: Precision = "mixed",
        device: str = "cpu",
        soft: bool = False,
    ) -> None:
        self.slots = Slots(model, slots, size, device)
        cutoff = float(np.max(model.potential.diameters)) if soft else largest_cutoff(model)
        crowd = RANDOM if soft else CROWD
        self.neighbours = Neighbours(self.slots, cutoff, SKIN, model.number_density, crowd)
        m = self.motions = no_motions(self.slots)
        if soft:
            self.forces = SoftForces(self.slots, self.neighbours, m)
        else:
            self.forces = Forces(self.slots, self.neighbours, precision)
        self._half = self.slots.array(np.full(slots, model.timestep / 2), wp.float64)
        self._runners: dict[int, _Runner] = {}
        self._new: set[int] = set()
        self._step = Recorded(device, self._one_step)

    @property
    def room(self) -> int:
        """Further systems that may begin."""
        return self.slots.slots - len(self._runners)

    def begin(self, packed: Packed, path: Path) -> int:
        """Begin with another system; the slot that it takes."""
        slot = next(b for b in range(self.slots.slots) if b not in self._runners)
        self.neighbours.put(slot, packed)
        self.slots.put(slot, packed)
        set_path(self.slots, self.motions, slot, path)
        self._runners[slot] = _Runner(path, len(packed))
        self._new.add(slot)
        return slot

    def advance(self) -> dict[int, tuple[Packed, NDArray[np.float64]] | Exception]:
        """Move on to the next moment at which a system has something to be done.

        Returns
        -------
        dict
            By slot, systems that ended: they and rows as of `Mover.move`, or what went wrong.
        """
        s = self.slots
        if self._new:
            s.on_particles(quantise)
        self._refresh()
        self._grow()
        if self._new:
            s.on_particles(kick, self.motions, -0.5, self._mask(self._new))
            self._new = set()
        ended = self._look()
        if self._runners:
            n = min(r.next_stop() for r in self._runners.values())
            s.on_particles(integrate, self.neighbours.data, self.motions)
            s.on_systems(tick, self.motions)
            self._step(n - 1)
            for runner in self._runners.values():
                runner.done += n
        return ended

    def _refresh(self) -> None:
        self.neighbours.refresh()
        self.forces.compute()

    def _grow(self) -> None:
        """Longer lists for systems that stopped for want of them; they catch up with the others."""
        while crowded := self.neighbours.grow():
            self._step.forget()
            self._refresh()
            steps = self.motions.step.numpy().copy()
            for slot in crowded:
                with self.slots.only(slot):
                    self._step(self._runners[slot].done - int(steps[slot]))
                    self._refresh()

    def _one_step(self) -> None:
        self._refresh()
        self.slots.on_particles(integrate, self.neighbours.data, self.motions)
        self.slots.on_systems(tick, self.motions)

    def _look(self) -> dict[int, tuple[Packed, NDArray[np.float64]] | Exception]:
        """Do what is due at this moment."""
        s, runners = self.slots, self._runners
        sums, boxes, status = self.forces.measure(self._half), s.data.box.numpy(), s.status()
        factor = np.ones(s.slots)
        for slot, runner in runners.items():
            if status[slot] == RUNNING and (runner.due or runner.sweeps):
                row = self._row(slot, sums[slot], boxes[slot])
                if runner.due:
                    runner.rows.append(row)
                if runner.sweeps and runner.done < runner.path.steps:
                    factor[slot] = _breathe(runner, row)
        last = {b for b, r in runners.items() if r.done == r.path.steps}
        if last:
            s.on_particles(kick, self.motions, 0.5, self._mask(last))
        calm = {b for b, r in runners.items() if r.due and r.path.temperatures is not None}
        if calm:
            s.on_particles(momenta, self.forces.each)
            s.sums(self.forces.each)
            s.on_particles(slow_down, s.totals, self._mask(calm))
        ended = {b: self._take(b, status[b]) for b in list(runners) if self._over(b, status[b])}
        if (factor != 1.0).any():
            factors = s.array(factor, wp.float64)
            s.on_particles(rescale, factors)
            s.on_systems(rescale_boxes, factors)
            s.on_systems(box_moved, self.neighbours.data)
            self._refresh()
        return ended

    def _over(self, slot: int, status: int) -> bool:
        runner = self._runners[slot]
        return status != RUNNING or runner.done == runner.path.steps

    def _take(self, slot: int, status: int) -> tuple[Packed, NDArray[np.float64]] | Exception:
        """What became of a system that ended; its slot is free."""
        runner = self._runners.pop(slot)
        try:
            check(status)
            return self.slots.take(slot), np.array(runner.rows)
        except SimulationError as error:
            return error
        finally:
            self.slots.free(slot)

    def _row(self, slot: int, sums: NDArray[np.float64], box: NDArray[np.float64]) -> list[float]:
        """Step, temperature, pressure, potential and total energy, volume."""
        runner, volume = self._runners[slot], float(np.prod(box[:3]))
        temperature = 2 * sums[7] / (3 * (runner.n - 1))
        pressure = (2 * sums[7] + sums[1:4].sum()) / (3 * volume)
        return [runner.done, temperature, pressure, sums[0], sums[0] + sums[7], volume]

    def _mask(self, slots: set[int]):
        return self.slots.array([b in slots for b in range(self.slots.slots)], wp.int32)


def _breathe(runner: _Runner, row: list[float]) -> float:
    """By what the edges of a box grow in a sweep of the barostat."""
    _, _, pressure, _, _, volume = row
    path = runner.path
    share = runner.done / path.steps
    begin, end = path.temperatures or (row[1], row[1])
    heat = begin + share * (end - begin)
    rate = COMPRESSIBILITY * SWEEP / BAROSTAT_STEPS
    xi = np.random.default_rng((path.seed, runner.done)).standard_normal()
    move = rate * (pressure - path.pressure) + np.sqrt(2 * heat * rate / volume) * xi
    return float(np.exp(np.clip(move, -0.05, 0.05) / 3))
