"""Real spherical harmonics and the 3j symbols that couple them."""

from __future__ import annotations

from functools import cache
from math import factorial, pi, sqrt

import numpy as np
from numpy.typing import NDArray

Y00 = 1 / sqrt(4 * pi)


def real_harmonics(vectors: NDArray[np.float64], l_max: int) -> NDArray[np.float64]:
    """Real Y_lm of the directions of `vectors`, orthonormal on the sphere.

    Y_lm is sqrt(2) (-1)^m times the real part (m > 0) or the imaginary part (of Y_l|m|, m < 0) of
    the complex harmonic with Condon-Shortley phase; Y_00 = 1 / sqrt(4 pi).

    Parameters
    ----------
    vectors : ndarray of shape (n, 3)
        Of any length but zero.
    l_max : int

    Returns
    -------
    ndarray of shape (n, (l_max + 1)^2)
        Column l^2 + l + m holds Y_lm.
    """
    x, y, z = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).T
    Y = np.empty((len(vectors), (l_max + 1) ** 2))
    c, s = np.ones_like(x), np.zeros_like(x)  # Re, Im of (x + iy)^m
    Q_mm = np.full_like(x, Y00)  # normalised Legendre function, over sin^m
    for m in range(l_max + 1):
        if m > 0:
            c, s = c * x - s * y, c * y + s * x
            Q_mm = Q_mm * sqrt((2 * m + 1) / (2 * m))
        Q, Q_below = Q_mm, np.zeros_like(x)
        for l in range(m, l_max + 1):
            if l > m:
                a = sqrt((4 * l * l - 1) / (l * l - m * m))
                b = sqrt(((l - 1) ** 2 - m * m) / (4 * (l - 1) ** 2 - 1))
                Q, Q_below = a * (z * Q - b * Q_below), Q
            Y[:, l * l + l + m] = Q * c * (sqrt(2) if m else 1)
            if m:
                Y[:, l * l + l - m] = Q * s * sqrt(2)
    return Y


@cache
def wigner_3j(l1: int, l2: int, l3: int) -> NDArray[np.float64]:
    """The 3j symbols (l1 l2 l3; m1 m2 m3), shape (2 l1 + 1, 2 l2 + 1, 2 l3 + 1).

    Racah's formula in exact integers; one rounding at the end.
    """
    w = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))
    if not abs(l1 - l2) <= l3 <= l1 + l2:
        return w
    f = factorial
    triangle = f(l1 + l2 - l3) * f(l1 - l2 + l3) * f(-l1 + l2 + l3)
    for m1 in range(-l1, l1 + 1):
        for m2 in range(max(-l2, -l3 - m1), min(l2, l3 - m1) + 1):
            m3 = -m1 - m2
            low = max(0, l2 - l3 - m1, l1 - l3 + m2)
            high = min(l1 + l2 - l3, l1 - m1, l2 + m2)
            common = f(l1 + l2 + l3 + 1)  # a common denominator keeps the sum in integers
            total = 0
            for k in range(low, high + 1):
                denominator = (
                    f(k) * f(l1 + l2 - l3 - k) * f(l1 - m1 - k) * f(l2 + m2 - k)
                    * f(l3 - l2 + m1 + k) * f(l3 - l1 - m2 + k)
                )  # fmt: skip
                total += (-1) ** k * common**3 // denominator
            square = (
                triangle * f(l1 + m1) * f(l1 - m1) * f(l2 + m2) * f(l2 - m2) * f(l3 + m3)
                * f(l3 - m3)
            )  # fmt: skip
            root = sqrt(square * total * total / common**7)
            sign = (-1) ** (l1 - l2 - m3) * (1 if total >= 0 else -1)
            w[l1 + m1, l2 + m2, l3 + m3] = sign * root
    w.setflags(write=False)
    return w


@cache
def _complex_to_real(l: int) -> NDArray[np.complex128]:
    """U with Y_real = U Y_complex, shape (2l + 1, 2l + 1)."""
    U = np.zeros((2 * l + 1, 2 * l + 1), dtype=complex)
    U[l, l] = 1
    for m in range(1, l + 1):
        U[l + m, l + m], U[l + m, l - m] = (-1) ** m / sqrt(2), 1 / sqrt(2)
        U[l - m, l + m], U[l - m, l - m] = (-1) ** m / (1j * sqrt(2)), -1 / (1j * sqrt(2))
    return U


@cache
def real_3j(l1: int, l2: int, l3: int) -> NDArray[np.float64]:
    """The 3j symbols between real harmonics: sum_m 3j A A A has the same value in both bases.

    For l1 + l2 + l3 odd they are purely imaginary; the imaginary part stands for them, which is
    again a rotation-invariant coupling.
    """
    w = np.einsum(
        "abc,xa,yb,zc->xyz",
        wigner_3j(l1, l2, l3),
        *(_complex_to_real(l).conj() for l in (l1, l2, l3)),
        optimize=True,
    )
    out = np.ascontiguousarray(w.real if (l1 + l2 + l3) % 2 == 0 else w.imag)
    out[np.abs(out) < 1e-15] = 0.0
    out.setflags(write=False)
    return out


def gaunt_factor(l1: int, l2: int, l3: int) -> float:
    """g = sqrt((2 l1 + 1)(2 l2 + 1)(2 l3 + 1) / 4 pi) 3j(l1 l2 l3; 0 0 0).

    Integral of three real harmonics = g * real_3j.
    """
    three_j = float(wigner_3j(l1, l2, l3)[l1, l2, l3])
    return sqrt((2 * l1 + 1) * (2 * l2 + 1) * (2 * l3 + 1) / (4 * pi)) * three_j
