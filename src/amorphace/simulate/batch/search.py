# type: ignore  (kernels are in Warp's language)
"""Conjugate gradients of all systems, each with a line search of its own.

The path is that of LAMMPS (`min_style cg`, `line quadratic`, `norm max`), step by step: Polak and
Ribiere's directions, a first trial that moves no coordinate more than `LONGEST_MOVE`, then the
minimum of the parabola through slopes, or half the move where the energy does not fall enough.
Every evaluation of forces takes each system one trial further.
"""

from __future__ import annotations

import warp as wp

from amorphace.simulate.batch.boxes import fixed_point, fractional
from amorphace.simulate.batch.neighbours import Lists, watch
from amorphace.simulate.batch.state import PARTIAL, RUNNING, Slots, Systems, lives

wp.set_module_options({"enable_backward": False})

AT_REST, TRIAL, PARABOLA, TURN, OVER = range(5)
"""What a system's last evaluation was, or what follows from it: the first one; a trial along the
direction; the minimum of the parabola; a new direction; no more."""
LONGEST_MOVE = 0.1
"""Of a coordinate in a trial, in sigma."""
FALL = 0.4
"""Share of the fall of the energy by its slope that a trial has to bring."""
CURVED = 0.1
"""Relative error of the energy by its slopes up to which a parabola is trusted."""
NOTHING = 1e-8
"""Change of the energy of a system that is none."""
FLAT = 1e-28
"""Slope that is none."""
ROUND = 500_000
"""Atom-iterations after which directions are begun anew."""
SHORTEST_ROUND = 100
STALLS = 4
"""New beginnings in a row that may bring nothing."""
LONGEST = 200_000
"""Evaluations after which a minimisation has failed."""

Products = wp.types.vector(length=6, dtype=wp.float64)
"""Energy, f f, f g, f h, and the largest f f of a particle and component of h."""


@wp.struct
class Searches:
    """The line searches of all systems."""

    tolerance: wp.array(dtype=wp.float64)
    phase: wp.array(dtype=wp.int32)
    old: wp.array(dtype=wp.vec3d)
    """Forces at the beginning of the line."""
    way: wp.array(dtype=wp.vec3d)
    """Its direction."""
    origin: wp.array(dtype=wp.vec4d)
    alpha: wp.array(dtype=wp.float64)
    """How far along the line a system is."""
    trial: wp.array(dtype=wp.float64)
    """The last trial; what follows is measured from the one before it."""
    before: wp.array(dtype=wp.float64)
    slope: wp.array(dtype=wp.float64)
    energy: wp.array(dtype=wp.float64)
    first_slope: wp.array(dtype=wp.float64)
    first_energy: wp.array(dtype=wp.float64)
    longest: wp.array(dtype=wp.float64)
    """Largest alpha of the line."""
    square: wp.array(dtype=wp.float64)
    """f f at the beginning of the line."""
    beta: wp.array(dtype=wp.float64)
    now: wp.array(dtype=wp.float64)
    """Energy of the last evaluation."""
    force: wp.array(dtype=wp.float64)
    """Largest force of the last evaluation."""
    turns: wp.array(dtype=wp.int32)
    evaluations: wp.array(dtype=wp.int32)
    stalls: wp.array(dtype=wp.int32)
    least_force: wp.array(dtype=wp.float64)
    least_energy: wp.array(dtype=wp.float64)


@wp.func
def at_work(x: Systems, c: Searches, b: int):
    return x.status[b] == wp.static(RUNNING) and c.phase[b] != wp.static(OVER)


@wp.kernel
def product_parts(x: Systems, c: Searches, energy: wp.array(dtype=wp.float64),
                  part: wp.array2d(dtype=Products), turning: wp.bool):  # fmt: skip
    b, t = wp.tid()
    if not at_work(x, c, b) or (turning and c.phase[b] != wp.static(TURN)):
        return
    e = wp.float64(0.0)
    ff = wp.float64(0.0)
    fg = wp.float64(0.0)
    fh = wp.float64(0.0)
    largest = wp.float64(0.0)
    longest = wp.float64(0.0)
    k = int(t)
    while k < x.count[b]:
        i = b * x.size + k
        f = x.force[i]
        h = c.way[i]
        square = wp.dot(f, f)
        e += energy[i]
        ff += square
        fg += wp.dot(f, c.old[i])
        fh += wp.dot(f, h)
        largest = wp.max(largest, square)
        longest = wp.max(longest, wp.max(wp.abs(h[0]), wp.max(wp.abs(h[1]), wp.abs(h[2]))))
        k += wp.static(PARTIAL)
    part[b, t] = Products(e, ff, fg, fh, largest, longest)


@wp.func
def add_up(part: wp.array2d(dtype=Products), b: int):
    z = Products()
    for t in range(wp.static(PARTIAL)):
        p = part[b, t]
        z = Products(
            z[0] + p[0], z[1] + p[1], z[2] + p[2], z[3] + p[3], wp.max(z[4], p[4]),
            wp.max(z[5], p[5]),
        )  # fmt: skip
    return z


@wp.kernel
def judge(x: Systems, c: Searches, part: wp.array2d(dtype=Products)):
    """What follows from an evaluation: another trial, or a new direction, or the end."""
    b = wp.tid()
    if not at_work(x, c, b):
        return
    z = add_up(part, b)
    e = z[0]
    slope = z[3]
    half = wp.float64(0.5)
    one = wp.float64(1.0)
    c.evaluations[b] = c.evaluations[b] + 1
    c.now[b] = e
    c.force[b] = wp.sqrt(z[4])
    phase = c.phase[b]
    failed = bool(False)
    if phase == wp.static(AT_REST):
        c.beta[b] = wp.float64(0.0)
        c.square[b] = z[1]
        c.phase[b] = wp.where(c.force[b] <= c.tolerance[b], wp.static(OVER), wp.static(TURN))
        begin_anew(c, b)
        return
    change = slope - c.slope[b]
    arrived = phase == wp.static(PARABOLA) and e - c.first_energy[b] < wp.static(NOTHING)
    if phase == wp.static(TRIAL):
        if wp.abs(slope) < wp.static(FLAT) or wp.abs(change) < wp.static(FLAT):
            failed = True
        else:
            step = c.trial[b] - c.before[b]
            error = one - (half * step * (slope + c.slope[b]) + e) / c.energy[b]
            best = c.trial[b] - step * slope / change
            inside = best > wp.float64(0.0) and best < c.longest[b]
            if wp.abs(error) <= wp.static(CURVED) and inside:
                c.alpha[b] = best
                c.phase[b] = wp.static(PARABOLA)
                return
    if not arrived and not failed:
        ideal = wp.float64(-wp.static(FALL)) * c.trial[b] * c.first_slope[b]
        arrived = e - c.first_energy[b] <= ideal
        if not arrived:
            if ideal >= wp.float64(-wp.static(NOTHING)):
                failed = True
            else:
                c.slope[b] = slope
                c.energy[b] = e
                c.before[b] = c.trial[b]
                c.trial[b] = half * c.trial[b]
                c.alpha[b] = c.trial[b]
                c.phase[b] = wp.static(TRIAL)
                return
    if failed:
        # back to the beginning of the line, and down the force from there
        c.alpha[b] = wp.float64(0.0)
        c.phase[b] = wp.static(AT_REST)
        return
    if c.force[b] <= c.tolerance[b]:
        c.phase[b] = wp.static(OVER)
        return
    turns = c.turns[b] + 1
    c.turns[b] = turns
    c.beta[b] = wp.max(wp.float64(0.0), (z[1] - z[2]) / c.square[b])
    if turns % (3 * x.count[b]) == 0:
        c.beta[b] = wp.float64(0.0)
    c.square[b] = z[1]
    c.phase[b] = wp.static(TURN)
    if turns % wp.max(wp.static(ROUND) / x.count[b], wp.static(SHORTEST_ROUND)) == 0:
        c.phase[b] = wp.static(AT_REST)


@wp.func
def begin_anew(c: Searches, b: int):
    """Count new beginnings that brought neither a lower energy nor a smaller force."""
    lower = c.now[b] < c.least_energy[b] - wp.float64(1e-12) * wp.abs(c.least_energy[b])
    if lower or c.force[b] < wp.float64(0.5) * c.least_force[b]:
        c.stalls[b] = 0
    else:
        c.stalls[b] = c.stalls[b] + 1
    c.least_energy[b] = wp.min(c.least_energy[b], c.now[b])
    c.least_force[b] = wp.min(c.least_force[b], c.force[b])
    if c.stalls[b] > wp.static(STALLS) or c.evaluations[b] > wp.static(LONGEST):
        c.phase[b] = wp.static(OVER)


@wp.kernel
def turn(x: Systems, c: Searches):
    """A new direction, from where a system is."""
    b, k = wp.tid()
    if lives(x, b, k) and c.phase[b] == wp.static(TURN):
        i = b * x.size + k
        f = x.force[i]
        if c.beta[b] == wp.float64(0.0):
            c.way[i] = f
        else:
            c.way[i] = f + c.beta[b] * c.way[i]
        c.old[i] = f
        c.origin[i] = x.place[i]


@wp.kernel
def aim(x: Systems, c: Searches, part: wp.array2d(dtype=Products)):
    """The first trial along a new direction."""
    b = wp.tid()
    if not at_work(x, c, b) or c.phase[b] != wp.static(TURN):
        return
    z = add_up(part, b)
    slope = z[3]
    longest = z[5]
    if slope <= wp.float64(0.0):
        # not downhill: down the force instead, in the next evaluation at the same place
        c.phase[b] = wp.static(AT_REST)
        c.alpha[b] = wp.float64(0.0)
        return
    alpha = wp.min(wp.float64(1.0), wp.float64(wp.static(LONGEST_MOVE)) / longest)
    c.alpha[b] = alpha
    c.trial[b] = alpha
    c.longest[b] = alpha
    c.before[b] = wp.float64(0.0)
    c.slope[b] = slope
    c.first_slope[b] = slope
    c.energy[b] = z[0]
    c.first_energy[b] = z[0]
    c.phase[b] = wp.static(TRIAL)


@wp.kernel
def go(x: Systems, y: Lists, c: Searches):
    """To the place along the line."""
    b, k = wp.tid()
    if not lives(x, b, k) or c.phase[b] == wp.static(OVER):
        return
    i = b * x.size + k
    s = c.origin[i]
    e = fractional(x.box[b], c.alpha[b] * c.way[i])
    s = wp.vec4d(s[0] + e[0], s[1] + e[1], s[2] + e[2], s[3])
    x.place[i] = s
    x.fixed[i] = fixed_point(s)
    watch(x, y, b, i)


COUNTERS = ("phase", "turns", "evaluations", "stalls")
SCALARS = (
    "tolerance", "alpha", "trial", "before", "slope", "energy", "first_slope", "first_energy",
    "longest", "square", "beta", "now", "force", "least_force", "least_energy",
)  # fmt: skip


def no_searches(slots: Slots) -> Searches:
    """Those of empty slots."""
    c, n = Searches(), slots.slots * slots.size
    for names, kind in ((COUNTERS, wp.int32), (SCALARS, wp.float64)):
        for name in names:
            setattr(c, name, slots.zeros(slots.slots, kind))
    c.old, c.way = slots.zeros(n, wp.vec3d), slots.zeros(n, wp.vec3d)
    c.origin = slots.zeros(n, wp.vec4d)
    return c
