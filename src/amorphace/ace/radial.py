"""Radial basis R_n(r) = E(x) P_n(x) on a transformed distance x(r) (eq. 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.checks import check_positive
from amorphace.core.errors import InputError
from amorphace.core.neighbors import check_cutoff

TRANSFORMS = ("ace1", "paper")
LONGEST = 1000
"""Cutoff over r0: beyond it x(r) is 1, within a part in 10^9, at all distances but the shortest."""


@dataclass(frozen=True)
class RadialBasis:
    """Cutoff and distance transform of the radial functions.

    Parameters
    ----------
    cutoff : float
        r_cut, in units of sigma.
    distance_transform : {"ace1", "paper"}
        "ace1": Y(r) = y(r / r0), the Agnesi transform of ACEpotentials.jl, which the authors'
        program is built on; "paper": Y(r) = y(r / r_cut), the formula as printed. Both are
        steepest at r0; they span different spaces.
    r0 : float
        Where resolution is greatest, in units of sigma.

    Raises
    ------
    InputError
        If a length is not positive, the transform has another name, or r0 is less than a
        thousandth of the cutoff or 2^(1/3) of it and more, where no `a` makes "paper" steepest.
    """

    cutoff: float
    distance_transform: str = "ace1"
    r0: float = 1.0

    def __post_init__(self) -> None:
        check_cutoff(self.cutoff)
        check_positive("r0", self.r0, "sigma")
        if self.r0 < self.cutoff / LONGEST:
            raise InputError(
                f"cutoff {self.cutoff:g} is more than {LONGEST} times r0 = {self.r0:g}: no "
                "function would tell distances apart; both are in units of sigma"
            )
        if self.distance_transform not in TRANSFORMS:
            raise InputError(
                f"distance_transform must be 'ace1' or 'paper', got {self.distance_transform!r}"
            )
        if min(self.r0 / self.cutoff, 2) ** 3 >= 2:
            raise InputError(
                f"cutoff {self.cutoff} is too short for r0 = {self.r0}: it must be more than "
                f"{self.r0 * 2 ** (-1 / 3):.4g}"
            )

    @property
    def scale(self) -> float:
        """Length that divides r in Y(r): r0 ("ace1") or r_cut ("paper")."""
        return self.cutoff if self.distance_transform == "paper" else self.r0

    @property
    def a(self) -> float:
        """a = 3 (2 - s0^3) / (s0^4 (s0^3 + 10)) makes |dY/dr| largest at s0 = r0 / scale."""
        s0 = self.r0 / self.scale
        return 3 * (2 - s0**3) / (s0**4 * (s0**3 + 10))

    @property
    def y_cut(self) -> float:
        """Y(r_cut)."""
        return float(self._y(np.float64(self.cutoff)))

    def x(self, r: ArrayLike) -> NDArray[np.float64]:
        """x(r) = 1 - (Y(r) - Y(r_cut)) / (Y(0) - Y(r_cut)) (1 - (r / r_cut)^4).

        Rises from x(0) = 0 to x(r_cut) = 1, where x' = 0.
        """
        r = np.asarray(r, dtype=np.float64)
        drop = (self._y(r) - self.y_cut) / (1 - self.y_cut)
        return 1 - drop * (1 - (r / self.cutoff) ** 4)

    def _y(self, r: NDArray[np.float64] | np.float64) -> NDArray[np.float64] | np.float64:
        """y(s) = (1 + s^3) / (1 + s^3 + a s^4), y(0) = 1."""
        s = r / self.scale
        return (1 + s**3) / (1 + s**3 + self.a * s**4)

    def evaluate(self, r: ArrayLike, n_functions: int) -> NDArray[np.float64]:
        """R_n(r) = E(x) P_n(x), n = 1, 2, ..., with E(x) = x - 1 (eq. 3).

        Parameters
        ----------
        r : array_like of shape (...)
            Distances up to the cutoff, in units of sigma.
        n_functions : int

        Returns
        -------
        ndarray of shape (..., n_functions)
        """
        x = self.x(r)
        return (x - 1)[..., None] * orthonormal_legendre(x, n_functions)


def orthonormal_legendre(x: NDArray[np.float64], n_functions: int) -> NDArray[np.float64]:
    """P_n(x) = sqrt(2n - 1) Legendre_{n-1}(2x - 1), n = 1, 2, ..., orthonormal on [0, 1]."""
    L = np.polynomial.legendre.legvander(2 * x - 1, n_functions - 1)
    norms = np.sqrt(2 * np.arange(n_functions, dtype=np.float64) + 1)
    return np.asarray(L.reshape(*np.shape(x), n_functions) * norms, dtype=np.float64)
