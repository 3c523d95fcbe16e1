# type: ignore  (kernels are in Warp's language)
"""Boxes and separations on the device.

A box is its six numbers lx, ly, lz, xy, xz, yz. Positions are fractional. For the pair loop in
single precision they are copied to 32-bit fixed point: differences of whole numbers wrap by
themselves, so that the nearest image costs nothing in a tilted box either, and a separation is
exact to 2^-32 of the box, which a single-precision position is not.
"""

from __future__ import annotations

import numpy as np
import warp as wp
from numpy.typing import NDArray

wp.config.log_level = wp.LOG_ERROR
wp.set_module_options({"enable_backward": False})

Box = wp.types.vector(length=6, dtype=wp.float64)
"""lx, ly, lz, xy, xz, yz."""
Fixed = wp.types.vector(length=4, dtype=wp.uint32)
"""Fractional coordinates in units of 2^-32, and the species or the number of the particle."""
Four = wp.types.vector(length=4, dtype=wp.int32)
STEPS = 4294967296.0
"""Steps of a fixed-point coordinate in a box."""


def six_numbers(cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """lx, ly, lz, xy, xz, yz of a lower triangular cell, whose rows are the cell vectors."""
    return cell[(0, 1, 2, 1, 2, 2), (0, 1, 2, 0, 0, 1)]


def cell_of(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cell of six numbers, shape (3, 3)."""
    cell = np.diag(box[:3])
    cell[(1, 2, 2), (0, 0, 1)] = box[3:]
    return cell


@wp.func
def cartesian(h: Box, s: wp.vec3d):
    return wp.vec3d(h[0] * s[0] + h[3] * s[1] + h[4] * s[2], h[1] * s[1] + h[5] * s[2], h[2] * s[2])


@wp.func
def fractional(h: Box, d: wp.vec3d):
    z = d[2] / h[2]
    y = (d[1] - h[5] * z) / h[1]
    return wp.vec3d((d[0] - h[3] * y - h[4] * z) / h[0], y, z)


@wp.func
def volume(h: Box):
    return h[0] * h[1] * h[2]


@wp.func
def heights(h: Box):
    """Distances between opposite faces."""
    bc = wp.vec3d(h[1] * h[2], -h[3] * h[2], h[3] * h[5] - h[4] * h[1])
    ac = wp.sqrt(h[2] * h[2] + h[5] * h[5])
    return wp.vec3d(volume(h) / wp.length(bc), h[1] * h[2] / ac, h[2])


@wp.func
def stretch(old: Box, new: Box):
    """A bound on how much longer a separation of fixed fractional coordinates was in the old box.

    The map from new to old is upper triangular; its norm is at most 1 and the Frobenius norm of
    what it adds to the identity.
    """
    one = wp.float64(1.0)
    x = old[0] / new[0]
    y = old[1] / new[1]
    z = old[2] / new[2]
    xy = (old[3] - x * new[3]) / new[1]
    yz = (old[5] - y * new[5]) / new[2]
    xz = (old[4] - x * new[4] - xy * new[5]) / new[2]
    a = wp.vec3d(x - one, y - one, z - one)
    b = wp.vec3d(xy, xz, yz)
    return one + wp.sqrt(wp.dot(a, a) + wp.dot(b, b))


@wp.func
def fix(x: wp.float64):
    return wp.uint32(wp.int64(wp.floor((x - wp.floor(x)) * wp.float64(STEPS))))


@wp.func
def fixed_point(s: wp.vec4d):
    return Fixed(fix(s[0]), fix(s[1]), fix(s[2]), wp.uint32(wp.int32(s[3])))


@wp.func
def single(h: Box):
    """A box in units of the fixed-point step, in single precision."""
    c = wp.float64(1.0 / STEPS)
    return wp.spatial_vectorf(
        wp.float32(h[0] * c),
        wp.float32(h[1] * c),
        wp.float32(h[2] * c),
        wp.float32(h[3] * c),
        wp.float32(h[4] * c),
        wp.float32(h[5] * c),
    )


@wp.func
def separation(a: Fixed, b: Fixed, h: wp.spatial_vectorf):
    """From b to a, nearest image, in single precision."""
    x = wp.float32(wp.int32(a[0] - b[0]))
    y = wp.float32(wp.int32(a[1] - b[1]))
    z = wp.float32(wp.int32(a[2] - b[2]))
    return wp.vec3f(h[0] * x + h[3] * y + h[4] * z, h[1] * y + h[5] * z, h[2] * z)


@wp.func
def separation(a: wp.vec4d, b: wp.vec4d, h: Box):  # noqa: F811
    """From b to a, nearest image, in double precision."""
    x = a[0] - b[0]
    y = a[1] - b[1]
    z = a[2] - b[2]
    return cartesian(h, wp.vec3d(x - wp.rint(x), y - wp.rint(y), z - wp.rint(z)))


# 16 and 32 bytes at a time: the compiler does not join loads of components by itself
@wp.func_native("""
#if defined(__CUDA_ARCH__)
    const uint4 t = __ldg(reinterpret_cast<const uint4*>(x.data) + i);
    return wp::vec_t<4, wp::uint32>(t.x, t.y, t.z, t.w);
#else
    return x.data[i];
#endif
""")
def load(x: wp.array(dtype=Fixed), i: int) -> Fixed: ...


@wp.func_native("""
#if defined(__CUDA_ARCH__)
    const double2* t = reinterpret_cast<const double2*>(x.data) + 2 * i;
    const double2 a = __ldg(t), b = __ldg(t + 1);
    return wp::vec_t<4, double>(a.x, a.y, b.x, b.y);
#else
    return x.data[i];
#endif
""")
def load_wide(x: wp.array(dtype=wp.vec4d), i: int) -> wp.vec4d: ...


@wp.func_native("""
#if defined(__CUDA_ARCH__)
    const int4 t = __ldg(reinterpret_cast<const int4*>(x.data) + i);
    return wp::vec_t<4, wp::int32>(t.x, t.y, t.z, t.w);
#else
    return x.data[i];
#endif
""")
def load_four(x: wp.array(dtype=Four), i: int) -> Four: ...


@wp.func_native("""
#if defined(__CUDA_ARCH__)
    reinterpret_cast<int4*>(x.data)[i] = make_int4(a, b, c, d);
#else
    x.data[i] = wp::vec_t<4, wp::int32>(a, b, c, d);
#endif
""")
def store_four(x: wp.array(dtype=Four), i: int, a: int, b: int, c: int, d: int): ...
