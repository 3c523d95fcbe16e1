"""Minimisation and quasistatic shear of many systems side by side, against LAMMPS."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from amorphace.simulate import MODELS, Shear, inherent_structure, shear_steps, start_shear
from batch_samples import DEVICE, minima, tilted
from simulate_samples import glass, liquid

wp = pytest.importorskip("warp")

from amorphace.simulate.batch.crew import Crew

EVENT = 0.05
"""Sigma: a step that moves a particle farther was no elastic one."""


@pytest.mark.parametrize(
    "name", ["kob-andersen", pytest.param("wahnstrom", marks=pytest.mark.slow)]
)
def test_a_liquid_falls_into_the_minimum_of_lammps(name):
    model, start = MODELS[name], tilted(liquid(name).configuration)
    (ours,) = minima(model, [start])
    theirs = inherent_structure(model, start)
    assert ours.fmax <= 1e-6
    assert abs(ours.energy - theirs.energy) < 1e-10
    far = ours.packed.configuration().positions - theirs.configuration.positions
    assert np.abs(far).max() < 1e-5


@pytest.mark.slow
def test_a_polymer_falls_as_deep_as_in_lammps():
    model, start = MODELS["bead-spring"], liquid("bead-spring").configuration
    (ours,) = minima(model, [start], tolerance=1e-4)
    # the force jumps at the cutoff: minima lie close together where a pair sits there
    assert abs(ours.energy - inherent_structure(model, start, force_tolerance=1e-4).energy) < 1e-4


@pytest.mark.parametrize(
    ("name", "increment", "strain"),
    [
        ("kob-andersen", 0.02, 0.06),
        *(pytest.param(name, 2e-3, 0.1, marks=pytest.mark.slow) for name in MODELS),
    ],
)
def test_shear_goes_through_the_events_of_lammps(name, increment, strain):
    model, start = MODELS[name], start_shear(glass(name).configuration)
    protocol = Shear(pre_strain=0.0, increment=increment, strain=strain)
    ours = list(shear_steps(model, start, protocol, engine=Crew(DEVICE)))
    theirs = list(shear_steps(model, start, protocol))
    energies = np.array([(a.energy, b.energy) for a, b in zip(ours, theirs, strict=True)])
    events = [k for k, step in enumerate(theirs) if np.abs(step.displacement).max() > EVENT]
    apart = np.abs(np.diff(energies, axis=1)[:, 0]) > 1e-6
    fork = int(apart.argmax()) if apart.any() else len(apart)
    assert sum(k < fork for k in events) >= 2
    assert np.abs(np.diff(energies[:fork], axis=1)).max() < 1e-9
    stresses = np.array([(a.stress, b.stress) for a, b in zip(ours, theirs, strict=True)])
    assert np.abs(np.diff(stresses[:fork], axis=1)).max() < 1e-4


def test_a_minimum_is_the_same_to_the_last_bit_when_lists_had_to_grow(monkeypatch):
    model, start = MODELS["kob-andersen"], glass("kob-andersen").configuration
    (roomy,) = minima(model, [start])
    monkeypatch.setattr("amorphace.simulate.batch.lists.DEPTH", 3)
    (grown,) = minima(replace(model, number_density=0.4), [start])
    assert grown.packed.place.tobytes() == roomy.packed.place.tobytes()
    assert (grown.energy, grown.evaluations) == (roomy.energy, roomy.evaluations)


@pytest.mark.slow
def test_a_minimisation_that_cannot_end_stops():
    model, start = MODELS["kob-andersen"], glass("kob-andersen").configuration
    (found,) = minima(model, [start], tolerance=0.0)
    assert 0 < found.fmax < 1e-8


def test_energy_and_stress_are_those_of_the_place_where_a_system_was_put():
    model, start = MODELS["kob-andersen"], tilted(liquid("kob-andersen").configuration)
    with Crew(DEVICE)(model, start, sheared=True) as engine:
        hot = engine.energy()
        assert engine.minimise(1.0) <= 1.0
        assert engine.energy() < hot
        engine.place(start)
        assert engine.energy() == hot
        assert np.array_equal(engine.configuration().positions, start.positions)
