"""Interactions of models, as numbers."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import InputError

Matrix = tuple[tuple[float, ...], ...]

EAM_STYLES = ("eam/alloy", "eam/fs")
ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9]*", re.ASCII)
"""What an element may be: it stands unquoted in an input of LAMMPS, where "$" and a new line begin
commands."""


def _check_symmetric(name: str, rows: Matrix) -> None:
    ragged = any(len(row) != len(rows) for row in rows)
    if ragged or not np.array_equal(rows, np.transpose(rows)):
        raise InputError(f"{name} must be a symmetric matrix, got {rows}")


@dataclass(frozen=True, kw_only=True)
class LennardJones:
    """V(r) = 4 epsilon [(sigma/r)^12 - (sigma/r)^6], zero at and beyond the cutoff.

    Parameters
    ----------
    epsilon, sigma : tuple of tuples, shape (n_species, n_species)
        Symmetric matrices of well depths and diameters.
    cutoff : float
        The same for all pairs, in units of length.
    smooth_from : float, optional
        Where the force begins to go smoothly to zero (LAMMPS `lj/smooth`); left out, the
        potential is truncated and shifted (`lj/cut`).
    """

    epsilon: Matrix
    sigma: Matrix
    cutoff: float
    smooth_from: float | None = None

    def __post_init__(self) -> None:
        for name in ("epsilon", "sigma"):
            _check_symmetric(name, getattr(self, name))
        if self.smooth_from is not None and not 0 < self.smooth_from < self.cutoff:
            raise InputError(
                f"smooth_from must lie between 0 and the cutoff {self.cutoff}, "
                f"got {self.smooth_from}"
            )

    @property
    def diameters(self) -> Matrix:
        """Distances that the push-off opens between pairs of species."""
        return self.sigma

    @property
    def inner(self) -> float:
        """Up to where the law holds as it stands: `smooth_from`, or the cutoff."""
        return self.cutoff if self.smooth_from is None else self.smooth_from

    @property
    def smoothing(self) -> NDArray[np.float64]:
        """c0, ... c4 of every pair, shape (5, n_species, n_species).

        With t = r - inner the force beyond `inner` is c1 + c2 t + c3 t^2 + c4 t^3, which goes on
        with value and slope of the law's and ends with both zero at the cutoff; c0 is the energy
        of the law at `inner`, before any shift. Without smoothing all but c0 are zero.
        """
        epsilon, sigma, r = np.array(self.epsilon), np.array(self.sigma), self.inner
        a, b = 4 * epsilon * sigma**12, 4 * epsilon * sigma**6
        c = np.zeros((5, *a.shape))
        c[0] = a / r**12 - b / r**6
        if (t := self.cutoff - r) > 0:
            c[1] = 12 * a / r**13 - 6 * b / r**7
            c[2] = -156 * a / r**14 + 42 * b / r**8
            c[3] = -(3 * c[1] + 2 * c[2] * t) / t**2
            c[4] = (2 * c[1] + c[2] * t) / t**3
        return c

    def commands(self) -> list[str]:
        """The LAMMPS commands that define the interaction.

        The energy is shifted to zero at the cutoff in either case: without the shift
        `lj/smooth` jumps there and a minimisation cannot converge.
        """
        if self.smooth_from is None:
            lines = [f"pair_style lj/cut {self.cutoff:.17g}"]
        else:
            lines = [f"pair_style lj/smooth {self.smooth_from:.17g} {self.cutoff:.17g}"]
        n = len(self.sigma)
        lines += [
            f"pair_coeff {i + 1} {j + 1} {self.epsilon[i][j]:.17g} {self.sigma[i][j]:.17g}"
            for i in range(n)
            for j in range(i, n)
        ]
        return [*lines, "pair_modify shift yes"]


@dataclass(frozen=True, kw_only=True)
class InversePower:
    """V(r) = epsilon [(sigma/r)^n + c0 + c2 (r/sigma)^2 + c4 (r/sigma)^4], zero beyond the cutoff.

    The even powers make energy, force and its slope vanish at the cutoff (Ninarello, Berthier and
    Coslovich, Phys. Rev. X 7, 021039 (2017), whose n is 12 and whose cutoff is 1.25).

    Parameters
    ----------
    sigma : tuple of tuples, shape (n_species, n_species)
        Symmetric matrix of diameters.
    cutoff : float
        In units of the diameter of the pair.
    exponent : int
        n, even.
    epsilon : float

    Raises
    ------
    InputError
        If the diameters are not a symmetric matrix, or the exponent is not even and positive.
    """

    sigma: Matrix
    cutoff: float = 1.25
    exponent: int = 12
    epsilon: float = 1.0

    def __post_init__(self) -> None:
        _check_symmetric("sigma", self.sigma)
        if self.exponent < 2 or self.exponent % 2:
            raise InputError(f"exponent must be even and positive, got {self.exponent}")

    @property
    def diameters(self) -> Matrix:
        """Distances that the push-off opens between pairs of species."""
        return self.sigma

    @property
    def smoothing(self) -> tuple[float, float, float]:
        """c0, c2 and c4."""
        n, x = self.exponent, self.cutoff
        c0, c2, c4 = -(n + 2) * (n + 4) / 8, n * (n + 4) / 4, -n * (n + 2) / 8
        return c0 * x**-n, c2 * x ** -(n + 2), c4 * x ** -(n + 4)

    def commands(self) -> list[str]:
        """The LAMMPS commands that define the interaction."""
        c0, c2, c4 = (f"({c:.17g})" for c in self.smoothing)
        energy = f"{self.epsilon:.17g}*(x^(-{self.exponent})+{c0}+{c2}*x^2+{c4}*x^4)"
        n, sizes = len(self.sigma), self.sigma
        largest = self.cutoff * max(map(max, sizes))
        return [
            f"pair_style lepton {largest:.17g}",
            *(
                f'pair_coeff {i + 1} {j + 1} "{energy};x=r/{sizes[i][j]:.17g}" '
                f"{self.cutoff * sizes[i][j]:.17g}"
                for i in range(n)
                for j in range(i, n)
            ),
        ]


@dataclass(frozen=True, kw_only=True)
class EmbeddedAtom:
    """An embedded-atom potential from a file.

    Parameters
    ----------
    file : str
        Path of the potential file; a name alone may be one that LAMMPS knows.
    elements : tuple of str
        The file's element for each species of the model.
    diameters : tuple of tuples, shape (n_species, n_species)
        Distances that the push-off opens between pairs of species, in Angstrom.
    style : {"eam/alloy", "eam/fs"}
        Format of the file.

    Raises
    ------
    InputError
        If the diameters are not a symmetric matrix with a row for each element, or a text is
        not what may stand in an input of LAMMPS.
    """

    file: str
    elements: tuple[str, ...]
    diameters: Matrix
    style: Literal["eam/alloy", "eam/fs"] = "eam/alloy"

    def __post_init__(self) -> None:
        _check_symmetric("diameters", self.diameters)
        if len(self.elements) != len(self.diameters):
            raise InputError(
                f"{len(self.diameters)} rows of diameters need as many elements, "
                f"got {self.elements}"
            )
        for element in self.elements:
            if not ELEMENT.fullmatch(element):
                raise InputError(
                    f"elements must be letters and digits, such as Cu, got {element!r}"
                )
        if self.style not in EAM_STYLES:
            raise InputError(f"style must be one of {', '.join(EAM_STYLES)}, got {self.style!r}")
        if not self.file.isprintable():
            raise InputError(f"file must be a path in one line, got {self.file!r}")

    def commands(self) -> list[str]:
        """The LAMMPS commands that define the interaction, wherever LAMMPS runs."""
        file = Path(self.file)
        place = shlex.quote(str(file.absolute() if file.exists() else file))
        return [
            f"pair_style {self.style}",
            f"pair_coeff * * {place} {' '.join(self.elements)}",
        ]


@dataclass(frozen=True, kw_only=True)
class Chains:
    """Linear chains with FENE springs: V(r) = -K R0^2/2 ln(1 - (r/R0)^2) + WCA.

    Parameters
    ----------
    length : int
        Monomers of a chain.
    stiffness, extension : float
        K, in units of epsilon/sigma^2, and R0, in units of sigma.
    bond_length : float
        Bond length of the random walks that a melt starts from.
    """

    length: int = 20
    stiffness: float = 30.0
    extension: float = 1.5
    bond_length: float = 0.97

    def commands(self) -> list[str]:
        """The LAMMPS commands that define the bonds."""
        return [
            "bond_style fene",
            f"bond_coeff 1 {self.stiffness:.17g} {self.extension:.17g} 1.0 1.0",
        ]
