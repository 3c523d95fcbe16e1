"""Models of glass formers: what particles there are and how they interact, as numbers.

A model is one frozen dataclass. Another pair-potential glass is one more of them:

>>> ternary = GlassModel(
...     name="ternary",
...     species=("A", "B", "C"),
...     fractions=(0.6, 0.2, 0.2),
...     masses=(1.0, 1.0, 1.0),
...     potential=LennardJones(
...         epsilon=((1.0, 1.5, 1.2), (1.5, 0.5, 1.0), (1.2, 1.0, 0.8)),
...         sigma=((1.0, 0.8, 0.9), (0.8, 0.88, 0.84), (0.9, 0.84, 0.94)),
...         cutoff=2.5,
...         smooth_from=2.2,
...     ),
...     number_density=1.2,
...     temperature=0.6,
...     lag=10.0,
...     citation="an example",
... )
>>> ternary.counts(1000)
(600, 200, 200)

A metallic glass is the same with `EmbeddedAtom(file=..., elements=...)` as its potential,
`units="metal"` and a time step in picoseconds. A polydisperse glass is many species;
`docs/new_model.md` makes one of either kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import InputError
from amorphace.simulate.potentials import Chains, EmbeddedAtom, InversePower, LennardJones

BOLTZMANN = {"lj": 1.0, "metal": 8.617343e-5}
"""Boltzmann's constant in each system of units (metal: eV/K, to LAMMPS' digits)."""


@dataclass(frozen=True, kw_only=True)
class GlassModel:
    """A glass former.

    Parameters
    ----------
    name : str
        As on the command line.
    species : tuple of str
        Labels; the first is the majority species.
    fractions : tuple of float
        Number fractions of the species; they add up to 1.
    masses : tuple of float
    potential : LennardJones, InversePower or EmbeddedAtom
    number_density : float
        Particles per volume: of a simulation at constant volume, and of the start of one at
        constant pressure.
    pressure : float, optional
        If given, the model is prepared at this pressure instead of at a fixed density.
    chains : Chains, optional
        Bonds along consecutive particles.
    melt_temperature, temperature : float
        Of the melt and of the supercooled liquid in the paper.
    lag : float
        Structural relaxation time at `temperature` in the paper.
    timestep : float
    units : {"lj", "metal"}
        Units of everything here and of every time, temperature and pressure used with the
        model: reduced, or Angstrom, picosecond, eV, Kelvin, bar.
    citation : str
        Where the numbers come from.

    Raises
    ------
    InputError
        If the numbers of species, fractions, masses and interactions disagree, or one of them
        is out of range.
    """

    name: str
    species: tuple[str, ...]
    fractions: tuple[float, ...]
    masses: tuple[float, ...]
    potential: LennardJones | InversePower | EmbeddedAtom
    number_density: float
    temperature: float
    lag: float
    citation: str
    pressure: float | None = None
    chains: Chains | None = None
    melt_temperature: float = 1.0
    timestep: float = 0.005
    units: Literal["lj", "metal"] = "lj"

    def __post_init__(self) -> None:
        n = len(self.species)
        for name in ("fractions", "masses"):
            if len(getattr(self, name)) != n:
                raise InputError(
                    f"model {self.name}: {n} species need {n} {name}, got {getattr(self, name)}"
                )
        if len(self.potential.diameters) != n:
            raise InputError(
                f"model {self.name}: {n} species need {n} x {n} interactions, "
                f"got {len(self.potential.diameters)} rows"
            )
        if not np.isclose(sum(self.fractions), 1.0) or min(self.fractions) < 0:
            raise InputError(
                f"model {self.name}: fractions must be positive and add up to 1, "
                f"got {self.fractions}"
            )
        positive = {
            "masses": min(self.masses),
            "number_density": self.number_density,
            "temperature": self.temperature,
            "melt_temperature": self.melt_temperature,
            "lag": self.lag,
            "timestep": self.timestep,
        }
        for name, value in positive.items():
            if not value > 0:
                raise InputError(f"model {self.name}: {name} must be positive, got {value}")

    @property
    def majority(self) -> str:
        """The species that is labelled."""
        return self.species[0]

    def with_file(self, place: Callable[[str], object]) -> GlassModel:
        """The model with what `place` makes of its potential's file, if it has one."""
        if not isinstance(self.potential, EmbeddedAtom):
            return self
        return replace(
            self, potential=replace(self.potential, file=str(place(self.potential.file)))
        )

    def counts(self, n_particles: int) -> tuple[int, ...]:
        """Particles of each species, by largest remainder.

        Raises
        ------
        InputError
            If there are too few particles, or they do not divide into chains.
        """
        if n_particles < 2:
            raise InputError(f"n_particles must be at least 2, got {n_particles}")
        if self.chains is not None and n_particles % self.chains.length:
            length = self.chains.length
            below = n_particles // length * length
            raise InputError(
                f"n_particles must be a multiple of the chain length {length} of model "
                f"{self.name}, got {n_particles}; use {max(below, length)} or {below + length}"
            )
        exact = n_particles * np.array(self.fractions)
        count = np.floor(exact + 1e-9).astype(int)
        late = np.argsort(count - exact, kind="stable")[: n_particles - count.sum()]
        count[late] += 1
        return tuple(int(c) for c in count)

    def labels(self, n_particles: int) -> NDArray[np.str_]:
        """Species label of every particle, shape (n_particles,), the first species first."""
        return np.repeat(np.array(self.species, dtype=np.str_), self.counts(n_particles))

    def bonds(self, n_particles: int) -> NDArray[np.int64]:
        """Rows of bonded pairs, shape (n_bonds, 2); none for a model without chains."""
        if self.chains is None:
            return np.empty((0, 2), dtype=np.int64)
        first = np.arange(n_particles - 1)
        first = first[(first + 1) % self.chains.length != 0]
        return np.stack([first, first + 1], axis=1)

    def boltzmann(self) -> float:
        """Boltzmann's constant in the units of the model."""
        return BOLTZMANN[self.units]


def kob_andersen(*, sigma_ab: float = 0.80) -> GlassModel:
    """Kob and Andersen's 80:20 mixture at number density 1.2, smoothed from 2.2 to 2.5.

    Parameters
    ----------
    sigma_ab : float
        0.80 in the work that defines the model; the paper prints 0.88.
    """
    return GlassModel(
        name="kob-andersen",
        species=("A", "B"),
        fractions=(0.8, 0.2),
        masses=(1.0, 1.0),
        potential=LennardJones(
            epsilon=((1.0, 1.5), (1.5, 0.5)),
            sigma=((1.0, sigma_ab), (sigma_ab, 0.88)),
            cutoff=2.5,
            smooth_from=2.2,
        ),
        number_density=1.2,
        temperature=0.44,
        lag=5000.0,
        citation="W. Kob, H. C. Andersen, Phys. Rev. E 51, 4626 (1995)",
    )


def wahnstrom(*, mass_a: float = 1.0) -> GlassModel:
    """Wahnstrom's 50:50 mixture at number density 1.3, smoothed from 2.2 to 2.5.

    Parameters
    ----------
    mass_a : float
        Mass of A, twice that of B. With 2.0 the mass of B is the unit, and every time is
        sqrt(2) longer; structures and energies are the same.
    """
    return GlassModel(
        name="wahnstrom",
        species=("A", "B"),
        fractions=(0.5, 0.5),
        masses=(mass_a, mass_a / 2),
        potential=LennardJones(
            epsilon=((1.0, 1.0), (1.0, 1.0)),
            sigma=((1.0, 11 / 12), (11 / 12, 5 / 6)),
            cutoff=2.5,
            smooth_from=2.2,
        ),
        number_density=1.3,
        temperature=0.58,
        lag=1000.0,
        citation="G. Wahnstrom, Phys. Rev. A 44, 3752 (1991)",
    )


def bead_spring() -> GlassModel:
    """Kremer and Grest's bead-spring polymer, chains of 20, at pressure 1."""
    return GlassModel(
        name="bead-spring",
        species=("A",),
        fractions=(1.0,),
        masses=(1.0,),
        potential=LennardJones(epsilon=((1.0,),), sigma=((1.0,),), cutoff=2.25),
        number_density=0.9,
        pressure=1.0,
        chains=Chains(),
        temperature=0.47,
        lag=1000.0,
        citation="K. Kremer, G. S. Grest, J. Chem. Phys. 92, 5057 (1990)",
    )


MODELS: dict[str, GlassModel] = {
    model.name: model for model in (bead_spring(), kob_andersen(), wahnstrom())
}
"""The models that a name chooses."""


def find_model(name: str) -> GlassModel:
    """The model of that name.

    Raises
    ------
    InputError
        If no model has it.
    """
    if name not in MODELS:
        raise InputError(f"unknown model {name!r}; choose one of {', '.join(MODELS)}")
    return MODELS[name]
