# type: ignore  (kernels are in Warp's language)
"""Lists of neighbours, one row for each particle, made anew for a system when it needs it.

A list is full: each pair stands in both rows, so that forces need no atomic additions. Rows are
stored in fours, the last filled up with the particle itself. Cells are half as wide as the list
reaches, and sorted by particle, so that the order in a row depends on the system alone.

A list made at fractional positions s0 in a box H0 holds every pair closer than the cutoff r as
long as no particle has gone farther than u since, where (r + 2 u) |H0 H^-1| = reach.
"""

from __future__ import annotations

import warp as wp

from amorphace.simulate.batch.boxes import (
    Box,
    Fixed,
    Four,
    heights,
    load,
    separation,
    single,
    store_four,
    stretch,
)
from amorphace.simulate.batch.state import (
    CROWDED_CELL,
    CROWDED_ROW,
    ON_TOP,
    RUNNING,
    Systems,
    lives,
)

wp.set_module_options({"enable_backward": False})

FINEST = 1.5
"""Cells of a system, in units of those that it has at the expected density."""


@wp.struct
class Lists:
    """What kernels see of the lists of all systems."""

    cutoff: wp.float64
    rows: wp.int32
    """Fours that a row holds."""
    depth: wp.int32
    """Particles that a cell holds."""
    cells: wp.int32
    """Cells of a slot."""
    share: wp.float64
    """Cells for each particle of a system, at most."""
    total: wp.int32
    """Particles of all slots."""
    reach: wp.array(dtype=wp.float64)
    grid: wp.array(dtype=wp.vec3i)
    number: wp.array(dtype=wp.int32)
    """Particles in each cell."""
    bucket: wp.array(dtype=Fixed)
    fours: wp.array(dtype=Four)
    length: wp.array(dtype=wp.int32)
    made: wp.array(dtype=Fixed)
    made_box: wp.array(dtype=Box)
    room: wp.array(dtype=wp.float32)
    """Squared distance that a particle may have gone since."""
    stale: wp.array(dtype=wp.int32)
    any: wp.array(dtype=wp.int32)


@wp.func
def cell_index(u: wp.uint32, n: int):
    return wp.int32((wp.uint64(u) * wp.uint64(n)) >> wp.uint64(32))


@wp.func
def outdate(y: Lists, b: int):
    """A system needs a new list; whoever finds so writes the same."""
    y.stale[b] = 1
    y.any[0] = 1


@wp.func
def watch(x: Systems, y: Lists, b: int, i: int):
    """Ask for a new list if a particle has left its room."""
    d = separation(x.fixed[i], y.made[i], single(x.box[b]))
    if not (wp.dot(d, d) <= y.room[b]):
        outdate(y, b)


@wp.func
def set_room(x: Systems, y: Lists, b: int):
    """How far particles may have gone, in the box as it is."""
    half = wp.float64(0.5)
    u = half * (y.reach[b] / stretch(y.made_box[b], x.box[b]) - y.cutoff)
    if u <= wp.float64(0.0):
        outdate(y, b)
        u = wp.float64(0.0)
    y.room[b] = wp.float32(u * u)


@wp.func
def some(x: wp.float64):
    """Whole cells along an edge, whatever a broken system says."""
    return wp.clamp(wp.int32(x), 1, 1000)


@wp.func
def most_cells(n: int, share: wp.float64):
    """Cells of a system of n particles, at most: the same in a slot of any size."""
    return wp.max(125, wp.int32(wp.float64(n) * share))


@wp.kernel
def begin(x: Systems, y: Lists):
    b = wp.tid()
    if y.stale[b] != 0 and x.status[b] == wp.static(RUNNING):
        h = wp.float64(2.0) * heights(x.box[b]) / y.reach[b]
        g = wp.vec3i(some(h[0]), some(h[1]), some(h[2]))
        while g[0] * g[1] * g[2] > most_cells(x.count[b], y.share):
            g = wp.vec3i(wp.max(g[0] - 1, 1), wp.max(g[1] - 1, 1), wp.max(g[2] - 1, 1))
        y.grid[b] = g


@wp.kernel
def clear(x: Systems, y: Lists):
    b, c = wp.tid()
    if y.stale[b] != 0:
        y.number[b * y.cells + c] = 0


@wp.kernel
def fill(x: Systems, y: Lists):
    b, k = wp.tid()
    if y.stale[b] == 0 or not lives(x, b, k):
        return
    i = b * x.size + k
    a = x.fixed[i]
    g = y.grid[b]
    c = (cell_index(a[2], g[2]) * g[1] + cell_index(a[1], g[1])) * g[0] + cell_index(a[0], g[0])
    c += b * y.cells
    at = wp.atomic_add(y.number, c, 1)
    if at < y.depth:
        y.bucket[c * y.depth + at] = Fixed(a[0], a[1], a[2], wp.uint32(i))
    else:
        x.status[b] = wp.static(CROWDED_CELL)


@wp.kernel
def sort(x: Systems, y: Lists):
    """Order each cell by particle: the order in which it was filled changes from run to run."""
    b, k = wp.tid()
    if y.stale[b] == 0:
        return
    c = b * y.cells + k
    first = c * y.depth
    for m in range(1, wp.min(y.number[c], y.depth)):
        p = y.bucket[first + m]
        at = int(m - 1)
        while at >= 0:
            q = y.bucket[first + at]
            if q[3] > p[3]:
                y.bucket[first + at + 1] = q
                at -= 1
            else:
                break
        y.bucket[first + at + 1] = p


@wp.func
def wrapped(c: int, n: int):
    """A cell at most two beyond the end of n."""
    return (c + 2 * n) % n


@wp.kernel
def build(x: Systems, y: Lists):
    b, k = wp.tid()
    if y.stale[b] == 0 or not lives(x, b, k):
        return
    i = b * x.size + k
    a = load(x.fixed, i)
    y.made[i] = a
    bonded = x.bonded[i]
    h = single(x.box[b])
    # a little farther: separations are rounded to single precision
    reach = wp.float32(y.reach[b]) * 1.00001
    g = y.grid[b]
    cx = cell_index(a[0], g[0])
    cy = cell_index(a[1], g[1])
    cz = cell_index(a[2], g[2])
    # in a small box a cell is met once although five would go around it
    nx = wp.min(g[0], 5)
    ny = wp.min(g[1], 5)
    nz = wp.min(g[2], 5)
    m = int(0)
    j0 = int(i)
    j1 = int(i)
    j2 = int(i)
    for dz in range(nz):
        z = wrapped(cz + dz - 2, g[2])
        for dy in range(ny):
            row = (z * g[1] + wrapped(cy + dy - 2, g[1])) * g[0] + b * y.cells
            for dx in range(nx):
                c = row + wrapped(cx + dx - 2, g[0])
                for at in range(wp.min(y.number[c], y.depth)):
                    q = load(y.bucket, c * y.depth + at)
                    d = separation(a, q, h)
                    j = wp.int32(q[3])
                    other = j - b * x.size
                    apart = j != i and other != bonded[0] and other != bonded[1]
                    if wp.dot(d, d) < reach * reach and apart:
                        t = m & 3
                        if t == 3 and m < 4 * y.rows:
                            store_four(y.fours, (m >> 2) * y.total + i, j0, j1, j2, j)
                        j0 = wp.where(t == 0, j, wp.where(t == 3, i, j0))
                        j1 = wp.where(t == 1, j, wp.where(t == 3, i, j1))
                        j2 = wp.where(t == 2, j, wp.where(t == 3, i, j2))
                        m += 1
                        if wp.dot(d, d) == wp.float32(0.0):
                            x.status[b] = wp.static(ON_TOP)
    if (m & 3) != 0 and m < 4 * y.rows:
        store_four(y.fours, (m >> 2) * y.total + i, j0, j1, j2, i)
    if m > 4 * y.rows:
        x.status[b] = wp.static(CROWDED_ROW)
        m = 4 * y.rows
    y.length[i] = m


@wp.kernel
def end(x: Systems, y: Lists):
    b = wp.tid()
    if y.stale[b] != 0:
        y.stale[b] = 0
        y.any[0] = 0
        y.made_box[b] = x.box[b]
        if x.status[b] == wp.static(RUNNING):
            set_room(x, y, b)


@wp.kernel
def box_moved(x: Systems, y: Lists):
    b = wp.tid()
    if x.status[b] == wp.static(RUNNING):
        set_room(x, y, b)
