"""Minimisation and quasistatic shear of many systems side by side, against LAMMPS."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from amorphace.core.errors import SimulationError
from amorphace.simulate import MODELS, Shear, inherent_structure, shear_steps, start_shear
from batch_samples import DEVICE, smaller, tilted
from simulate_samples import glass, liquid

wp = pytest.importorskip("warp")

from amorphace.simulate.batch.crew import Crew
from amorphace.simulate.batch.minimise import Minimiser
from amorphace.simulate.batch.packed import pack

EVENT = 0.05
"""Sigma: a step that moves a particle farther was no elastic one."""


def minima(model, configurations, tolerance=1e-6):
    """Where each of several systems ends, side by side; what went wrong is given back too."""
    device = Minimiser(model, len(configurations), max(map(len, configurations)), device=DEVICE)
    for configuration in configurations:
        device.begin(pack(model, configuration), tolerance)
    found = {}
    while len(found) < len(configurations):
        found |= device.advance()
    return [found[slot] for slot in range(len(configurations))]


@pytest.mark.parametrize("name", ["kob-andersen", "wahnstrom"])
def test_a_liquid_falls_into_the_minimum_of_lammps(name):
    model, start = MODELS[name], tilted(liquid(name).configuration)
    (ours,) = minima(model, [start])
    theirs = inherent_structure(model, start)
    assert ours.fmax <= 1e-6
    assert abs(ours.energy - theirs.energy) < 1e-10
    far = ours.packed.configuration().positions - theirs.configuration.positions
    assert np.abs(far).max() < 1e-5


def test_a_polymer_falls_as_deep_as_in_lammps():
    model, start = MODELS["bead-spring"], liquid("bead-spring").configuration
    (ours,) = minima(model, [start], tolerance=1e-4)
    # the force jumps at the cutoff: minima lie close together where a pair sits there
    assert abs(ours.energy - inherent_structure(model, start, force_tolerance=1e-4).energy) < 1e-4


@pytest.mark.parametrize(
    ("name", "increment"),
    [
        ("kob-andersen", 0.02),
        *(pytest.param(name, 1e-3, marks=pytest.mark.slow) for name in MODELS),
    ],
)
def test_shear_goes_through_the_events_of_lammps(name, increment):
    model, start = MODELS[name], start_shear(glass(name).configuration)
    protocol = Shear(pre_strain=0.0, increment=increment, strain=0.08)
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


def test_a_shear_run_taken_up_at_a_step_is_the_same_to_the_last_bit():
    model, start = MODELS["kob-andersen"], start_shear(glass("kob-andersen").configuration)
    protocol = Shear(pre_strain=0.0, increment=1e-3, strain=5e-3)
    crew = Crew(DEVICE)
    steps = list(shear_steps(model, start, protocol, engine=crew))
    *_, again = shear_steps(model, steps[1].state, protocol, engine=Crew(DEVICE))
    assert again.after.positions.tobytes() == steps[-1].after.positions.tobytes()
    assert (again.energy, again.stress) == (steps[-1].energy, steps[-1].stress)


def test_systems_that_are_sheared_together_go_on_alone():
    model, crew = MODELS["kob-andersen"], Crew(DEVICE)
    start = start_shear(glass("kob-andersen").configuration)
    order = []

    def shear(strain):
        protocol = Shear(pre_strain=0.0, increment=1e-3, strain=abs(strain))
        steps = list(shear_steps(model, start, protocol, engine=crew))
        order.append(len(steps))
        return steps[-1].after.positions

    found = dict(crew.run([partial(shear, x) for x in (4e-3, 1e-3, 2e-3)]))
    assert order == [1, 2, 4]
    for k, strain in enumerate((4e-3, 1e-3, 2e-3)):
        assert found[k].tobytes() == shear(strain).tobytes()


def test_a_minimum_is_the_same_to_the_last_bit_alone_and_among_others():
    model = MODELS["kob-andersen"]
    first, other = liquid("kob-andersen").configuration, smaller().configuration
    among = minima(model, [other, first, tilted(first)], tolerance=1e-1)
    (alone,) = minima(model, [first], tolerance=1e-1)
    assert among[1].packed.place.tobytes() == alone.packed.place.tobytes()
    assert (among[1].energy, among[1].evaluations) == (alone.energy, alone.evaluations)


def test_a_minimum_is_the_same_to_the_last_bit_when_lists_had_to_grow(monkeypatch):
    model, start = MODELS["kob-andersen"], glass("kob-andersen").configuration
    (roomy,) = minima(model, [start])
    monkeypatch.setattr("amorphace.simulate.batch.neighbours.DEPTH", 3)
    (grown,) = minima(replace(model, number_density=0.4), [start])
    assert grown.packed.place.tobytes() == roomy.packed.place.tobytes()
    assert (grown.energy, grown.evaluations) == (roomy.energy, roomy.evaluations)


def test_a_system_whose_forces_break_fails_alone():
    model, start = MODELS["kob-andersen"], glass("kob-andersen").configuration
    heap = start.replace(positions=np.zeros_like(start.positions))
    wrong, right = minima(model, [heap, start], tolerance=1e-5)
    assert isinstance(wrong, SimulationError)
    assert "two particles are at the same place" in str(wrong)
    assert right.fmax <= 1e-5


@pytest.mark.slow
def test_a_minimisation_that_cannot_end_stops():
    model, start = MODELS["kob-andersen"], glass("kob-andersen").configuration
    (found,) = minima(model, [start], tolerance=0.0)
    assert 0 < found.fmax < 1e-8


def test_energy_and_stress_are_those_of_the_place_where_a_system_was_put():
    model, start = MODELS["kob-andersen"], tilted(liquid("kob-andersen").configuration)
    with Crew(DEVICE)(model, start, sheared=True) as engine:
        hot = engine.energy()
        assert engine.minimise(1e-3) <= 1e-3
        assert engine.energy() < hot
        engine.place(start)
        assert engine.energy() == hot
        assert np.array_equal(engine.configuration().positions, start.positions)
