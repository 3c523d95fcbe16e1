"""Limited-memory BFGS without a line search, many systems at a time, with the forces of the batch.

The product minimises by conjugate gradients; this stands beside them in `minimisers.py`. Directions
are those of Nocedal (Math. Comp. 35, 773 (1980)) with `MEMORY` pairs; a step moves no particle more
than `LONGEST`, the whole step shortened. The guard: where a step ends with the energy rising along
it, by more than half the slope that it began with, the system goes back to the secant minimum.
Without that a plastic event throws it far away.
"""

# pyright: basic  (kernels are in Warp's language)
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import warp as wp
from numpy.typing import NDArray

from amorphace import Configuration
from amorphace.simulate import GlassModel
from amorphace.simulate.batch.forces import Forces
from amorphace.simulate.batch.laws import largest_cutoff
from amorphace.simulate.batch.lists import Neighbours
from amorphace.simulate.batch.minimise import SKIN
from amorphace.simulate.batch.neighbours import Lists, watch
from amorphace.simulate.batch.packed import pack
from amorphace.simulate.batch.state import IDLE, Slots, Systems, lives, quantise

MEMORY = 6
LONGEST = 0.03
"""Sigma."""
FIRST = 2e-3
"""Sigma^2/epsilon: step along the force where nothing is known."""
RISE, TURNS_BACK = 0.5, 8
"""Slope at the end of a step, in units of that at its beginning, that turns it back; times in a
row."""
ITERATIONS = 20_000


@wp.kernel
def look(x: Systems, y: Lists):
    b, k = wp.tid()
    if lives(x, b, k):
        watch(x, y, b, b * x.size + k)


class Surface:
    """Energies and forces of systems of one size that are displaced from where they begin."""

    def __init__(self, model: GlassModel, starts: list[Configuration]) -> None:
        n = len(starts[0])
        s = self.slots = Slots(model, len(starts), n, "cpu")
        self.lists = Neighbours(s, largest_cutoff(model), SKIN, model.number_density)
        self._forces = Forces(s, self.lists, "double")
        self._each = s.zeros(len(starts) * n, wp.float64)
        for slot, start in enumerate(starts):
            packed = pack(model, start)
            s.put(slot, packed)
            self.lists.put(slot, packed)
        self._begin = s.data.place.numpy().reshape(-1, n, 4).copy()
        self._inverse = np.linalg.inv([start.cell for start in starts])

    def __call__(self, moves: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Energies, shape (systems,), and forces, shape (systems, n, 3), in memory's order."""
        s = self.slots
        here = self._begin.copy()
        here[..., :3] += moves @ self._inverse
        s.data.place.assign(here.reshape(-1, 4))
        s.on_particles(quantise)
        s.on_particles(look, self.lists.data)
        self.lists.refresh()
        assert not self.lists.grow(), "lists are long enough for a liquid that falls"
        self._forces.compute(self._each)
        energies = self._each.numpy().reshape(len(moves), -1).sum(axis=1)
        return energies, s.data.force.numpy().reshape(moves.shape).copy()


def lbfgs(
    model: GlassModel,
    starts: list[Configuration],
    tolerance: float,
    report: Callable[[str], None],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Energies per particle of the minima of systems of one size, and evaluations of forces."""
    surface, b, n = Surface(model, starts), len(starts), len(starts[0])
    u, move = np.zeros((b, n, 3)), np.zeros((b, n, 3))
    s, y = np.zeros((MEMORY, b, n, 3)), np.zeros((MEMORY, b, n, 3))
    rho, gamma = np.zeros((MEMORY, b)), np.full(b, FIRST)
    before, turns = np.zeros((b, n, 3)), np.zeros(b, dtype=int)
    energy, evaluations = np.full(b, np.nan), np.zeros(b, dtype=int)
    for number in range(ITERATIONS):
        e, force = surface(u)
        open_ = np.isnan(energy)
        evaluations += open_
        ended = open_ & (np.linalg.norm(force, axis=2).max(axis=1) <= tolerance)
        energy[ended] = e[ended] / n
        for slot in np.flatnonzero(ended):
            surface.slots.assign(surface.slots.data.status, int(slot), IDLE)
        if not np.isnan(energy).any():
            break
        old, new = -_dot(before, move), -_dot(force, move)
        change = before - force
        curve = new - old
        sound = curve > 1e-8 * np.sqrt(_dot(move, move) * _dot(change, change))
        slot = number % MEMORY
        s[slot], y[slot] = move, change
        rho[slot] = np.divide(1, curve, where=sound, out=np.zeros(b))
        np.divide(curve, _dot(change, change), where=sound, out=gamma)
        before = force
        back = (new > RISE * np.abs(old)) & (turns < TURNS_BACK) & (number > 0)
        turns = np.where(back, turns + 1, 0)
        step = _direction(force, s, y, rho, gamma, slot)
        uphill = _dot(step, force) <= 0
        rho[:, uphill] = 0
        step[uphill] = FIRST * force[uphill]
        longest = np.linalg.norm(step, axis=2).max(axis=1)
        step *= np.minimum(1, LONGEST / np.maximum(longest, 1e-300))[:, None, None]
        secant = np.clip(-old / np.where(curve > 0, curve, 1), 0.1, 1) - 1
        move = np.where(back[:, None, None], secant[:, None, None] * move, step)
        move[~np.isnan(energy)] = 0
        u += move
        if number % 100 == 99:
            report(f"L-BFGS: {int((~np.isnan(energy)).sum())} of {b} after {number + 1}")
    return energy, evaluations


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Products of each system, shape (systems,)."""
    return np.einsum("bni,bni->b", a, b)


def _direction(
    force: NDArray[np.float64],
    s: NDArray[np.float64],
    y: NDArray[np.float64],
    rho: NDArray[np.float64],
    gamma: NDArray[np.float64],
    newest: int,
) -> NDArray[np.float64]:
    """The two loops; a pair whose rho is 0 counts for nothing."""
    q, alpha = force.copy(), np.zeros_like(rho)
    order = [(newest - k) % MEMORY for k in range(MEMORY)]
    for k in order:
        alpha[k] = rho[k] * _dot(s[k], q)
        q -= alpha[k][:, None, None] * y[k]
    q *= gamma[:, None, None]
    for k in reversed(order):
        q += (alpha[k] - rho[k] * _dot(y[k], q))[:, None, None] * s[k]
    return q
