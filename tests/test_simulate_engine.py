"""Protocols run on any engine: one of numpy beside LAMMPS gives the same physics."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from amorphace.core.configuration import Configuration
from amorphace.simulate import (
    Engine,
    GlassModel,
    LammpsEngine,
    LennardJones,
    Motion,
    OpenEngine,
    Shear,
    State,
    create,
    inherent_structure,
    replicas,
    shear_steps,
    start_shear,
)
from amorphace.simulate.engine import record_steps

CUTOFF = 2 ** (1 / 6)
"""The minimum of the potential: where it is cut, the force is zero."""
SOFT = GlassModel(
    name="repulsive",
    species=("A", "B"),
    fractions=(0.5, 0.5),
    masses=(1.0, 0.5),
    potential=LennardJones(
        epsilon=((1.0, 1.5), (1.5, 0.5)), sigma=((1.0, 1.0), (1.0, 1.0)), cutoff=CUTOFF
    ),
    number_density=1.1,
    temperature=0.5,
    lag=1.0,
    citation="an example",
)
EPSILON = np.array([[1.0, 1.5], [1.5, 0.5]])


class NumpyEngine:
    """All pairs at once; the nearest image is the one that counts."""

    def __init__(
        self,
        model: GlassModel,
        configuration: Configuration,
        velocities: NDArray[np.float64] | None = None,
        *,
        sheared: bool = False,
    ) -> None:
        assert model is SOFT
        self.model, self.like = model, configuration
        kind = configuration.species_index(model.species)
        self.pair = np.triu_indices(len(kind), 1)
        self.epsilon = EPSILON[kind[self.pair[0]], kind[self.pair[1]]]
        self.mass = np.array(model.masses)[kind][:, None]
        self.v = np.zeros((len(kind), 3)) if velocities is None else velocities.copy()
        self.place(configuration)

    def __enter__(self) -> NumpyEngine:
        return self

    def __exit__(self, *_: object) -> None: ...

    def place(self, configuration: Configuration) -> None:
        self.x, self.cell = configuration.positions.copy(), configuration.cell

    def forces(self, x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Potential energy and forces; sigma_xy is left in `sigma_xy`."""
        i, j = self.pair
        apart = x[i] - x[j]
        for k in (2, 1, 0):  # the cell is triangular
            apart -= np.round(apart[:, k] / self.cell[k, k])[:, None] * self.cell[k]
        r2 = (apart**2).sum(axis=1)
        sixth = np.where(r2 < CUTOFF**2, r2**-3.0, 0.5)  # 1/2: at the cutoff
        energy = (4 * self.epsilon * (sixth**2 - sixth + 0.25)).sum()
        pull = (24 * self.epsilon * (2 * sixth**2 - sixth) / r2)[:, None] * apart
        f = np.zeros_like(x)
        np.add.at(f, i, pull)
        np.add.at(f, j, -pull)
        self.sigma_xy = -(apart[:, 0] * pull[:, 1]).sum() / abs(np.linalg.det(self.cell))
        return float(energy), f

    def move(self, motion: Motion) -> NDArray[np.float64]:
        assert motion.temperatures is None
        rows, dt = [self.row(0)], self.model.timestep
        _, f = self.forces(self.x)
        for step in range(1, motion.steps + 1):
            self.v += dt / 2 * f / self.mass
            self.x += dt * self.v
            _, f = self.forces(self.x)
            self.v += dt / 2 * f / self.mass
            if step % record_steps(motion.steps) == 0:
                rows.append(self.row(step))
        return np.array(rows)

    def row(self, step: int) -> list[float]:
        twice, potential = float((self.mass * self.v**2).sum()), self.forces(self.x)[0]
        volume = abs(np.linalg.det(self.cell))
        return [step, twice / (3 * len(self.x) - 3), 0.0, potential, potential + twice / 2, volume]

    def minimise(self, force_tolerance: float) -> float:
        def negative(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            energy, f = self.forces(x.reshape(-1, 3))
            return energy, -f.ravel()

        limits = {"gtol": force_tolerance / 2, "ftol": 0.0, "maxiter": 5000}
        self.x = minimize(negative, self.x.ravel(), jac=True, method="L-BFGS-B", options=limits).x
        self.x = self.x.reshape(-1, 3)
        return float(np.linalg.norm(self.forces(self.x)[1], axis=1).max())

    def push_apart(self, seed: int) -> None:
        """Hot, after the deepest overlaps have been minimised away."""
        self.minimise(1e-3)
        self.v = np.random.default_rng(seed).standard_normal(self.x.shape) / np.sqrt(self.mass)

    def configuration(self) -> Configuration:
        return self.like.replace(positions=self.x, cell=self.cell)

    def state(self) -> State:
        return State(self.configuration(), self.v)

    def energy(self) -> float:
        return self.forces(self.x)[0] / len(self.x)

    def stress(self) -> float:
        self.forces(self.x)
        return self.sigma_xy


ENGINES: tuple[OpenEngine, ...] = (LammpsEngine, NumpyEngine)


@cache
def resting() -> Configuration:
    """A glass at rest of 60 particles, by LAMMPS."""
    hot = create(SOFT, 60, seed=1).configuration
    return inherent_structure(SOFT, hot).configuration


def test_a_replica_moves_alike_on_both() -> None:
    ends = [
        next(replicas(SOFT, resting(), temperature=0.1, lag=0.2, seeds=(1,), engine=e))
        for e in ENGINES
    ]
    assert np.abs(ends[0].end.positions - resting().positions).max() > 0.01
    np.testing.assert_allclose(ends[0].end.positions, ends[1].end.positions, atol=1e-10)
    assert ends[0].health.energy_drift == pytest.approx(ends[1].health.energy_drift, abs=1e-9)


def test_inherent_structures_are_the_same_minimum() -> None:
    (shaken,) = replicas(SOFT, resting(), temperature=0.1, lag=0.2, seeds=(1,))
    found = [inherent_structure(SOFT, shaken.end, engine=e) for e in ENGINES]
    assert max(f.fmax for f in found) <= 1e-6
    assert found[0].energy == pytest.approx(found[1].energy, abs=1e-10)


def test_shear_goes_through_the_same_states() -> None:
    runs = [
        list(
            shear_steps(SOFT, start_shear(resting()), Shear(pre_strain=2e-3, strain=2e-4), engine=e)
        )
        for e in ENGINES
    ]
    assert len(runs[0]) == len(runs[1]) == 8
    for one, two in zip(*runs, strict=True):
        assert one.strain == two.strain
        assert one.energy == pytest.approx(two.energy, abs=1e-9)
        assert one.stress == pytest.approx(two.stress, abs=1e-4)


def test_a_liquid_is_made_by_either() -> None:
    for engine in ENGINES:
        state = create(SOFT, 60, seed=2, engine=engine)
        opened: Engine = engine(SOFT, state.configuration)
        with opened:
            assert opened.minimise(1e-5) <= 1e-5
            assert opened.energy() < 10.0
