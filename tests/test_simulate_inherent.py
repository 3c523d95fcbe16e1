"""Inherent structures are minima, and the nearest ones."""

from __future__ import annotations

import numpy as np
import pytest

from amorphace.core.errors import SimulationError
from amorphace.simulate import MODELS, LammpsEngine, inherent_structure, problems
from simulate_samples import SIZE, glass, liquid

KA = MODELS["kob-andersen"]


@pytest.mark.parametrize("name", MODELS)
def test_forces_vanish_on_every_particle(name: str) -> None:
    found = inherent_structure(MODELS[name], liquid(name).configuration)
    assert found.fmax <= 1e-6
    assert found.health.fmax == found.fmax
    assert problems(found.health) == ()
    with LammpsEngine(MODELS[name], found.configuration) as engine:
        engine.commands(["run 0"])
        forces = engine.forces()
        assert engine.thermo("pe") / SIZE[name] == pytest.approx(found.energy, rel=1e-12)
    assert np.linalg.norm(forces, axis=1).max() < 2e-6


def test_the_energy_falls_and_particles_stay_in_their_cages() -> None:
    start = liquid("kob-andersen").configuration
    found = inherent_structure(KA, start)
    with LammpsEngine(KA, start) as engine:
        engine.commands(["run 0"])
        assert found.energy < engine.thermo("pe") / len(start) - 0.5
    moved = np.linalg.norm(found.configuration.positions - start.positions, axis=1)
    assert 0.05 < np.median(moved) < 0.4


def test_a_minimum_stays_where_it_is() -> None:
    found = glass("kob-andersen")
    again = inherent_structure(KA, found.configuration)
    np.testing.assert_allclose(
        again.configuration.positions, found.configuration.positions, atol=1e-12
    )


def test_a_small_displacement_falls_back_into_the_same_minimum() -> None:
    found = glass("kob-andersen")
    push = 1e-3 * np.random.default_rng(0).standard_normal((len(found.configuration), 3))
    push -= push.mean(axis=0)
    pushed = found.configuration.replace(positions=found.configuration.positions + push)
    again = inherent_structure(KA, pushed)
    assert again.energy == pytest.approx(found.energy, rel=1e-9)
    assert np.abs(again.configuration.positions - found.configuration.positions).max() < 1e-4


def test_a_tolerance_that_cannot_be_reached_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amorphace.simulate.lammps_engine.ROUND", 1)
    with pytest.raises(SimulationError, match=r"stopped with a force of .* where 1e-30 was asked"):
        inherent_structure(KA, glass("kob-andersen").configuration, force_tolerance=1e-30)
