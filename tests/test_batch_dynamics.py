"""Molecular dynamics of many systems side by side, against LAMMPS and against each other."""

from __future__ import annotations

import resource
import threading
from functools import partial

import numpy as np
import pytest

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SetupError, SimulationError
from amorphace.simulate import (
    MODELS,
    LammpsEngine,
    Motion,
    State,
    create,
    longest_bond,
    replicas,
)
from amorphace.simulate.creation import _random_places
from batch_samples import DEVICE, all_moved, same, smaller, states
from simulate_samples import SIZE, hot, liquid

wp = pytest.importorskip("warp")

from amorphace.simulate.batch.crew import Crew
from amorphace.simulate.batch.dynamics import Dynamics
from amorphace.simulate.batch.motions import Path
from amorphace.simulate.batch.packed import pack

LAMMPS = 1e-10
"""Of positions and velocities after some steps: forces differ in their last digits."""


def moved(model, start: State, path: Path, **options):
    """State and rows of one system by itself."""
    (found,) = all_moved(model, [(start, path)], **options)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_twenty_steps_at_constant_energy_are_those_of_lammps(name):
    model, start = MODELS[name], liquid(name)
    state, rows = moved(model, start, Path(steps=20), precision="double")
    with LammpsEngine(model, start.configuration, start.velocities) as engine:
        expected = engine.move(Motion(steps=20))
        there = engine.state()
    far = state.configuration.positions - there.configuration.positions
    assert np.abs(far).max() < LAMMPS
    assert np.abs(state.velocities - there.velocities).max() < LAMMPS
    assert np.abs(rows - expected).max() < LAMMPS * len(far)


def test_single_precision_conserves_energy_as_well_as_double_precision():
    model, start = MODELS["kob-andersen"], liquid("kob-andersen")
    drift = {}
    for precision in ("mixed", "double"):
        _, rows = moved(model, start, Path(steps=200), precision=precision)
        drift[precision] = np.abs(rows[:, 4] - rows[0, 4]).max() / len(start.configuration)
    # the time step is what moves the energy
    assert drift["mixed"] < 1.1 * drift["double"] + 1e-6
    assert drift["double"] < 2e-3


@pytest.mark.slow
def test_a_thermostat_keeps_temperature_and_energy_of_a_liquid_of_lammps():
    model, start = MODELS["kob-andersen"], liquid("kob-andersen")
    path = Path(steps=6000, temperatures=(0.7, 0.7), seed=1, damping=100)
    _, ours = moved(model, start, path)
    with LammpsEngine(model, start.configuration, start.velocities) as engine:
        theirs = engine.move(Motion(steps=6000, temperatures=(0.7, 0.7), seed=1))
    # of 250 particles, over some 50 times of the thermostat
    assert abs(ours[20:, 1].mean() - 0.7) < 0.04
    assert abs(ours[20:, 3].mean() - theirs[20:, 3].mean()) < 0.08 * len(start.configuration)


def test_a_ramp_ends_at_its_last_temperature_and_the_centre_of_mass_rests():
    model, start = MODELS["wahnstrom"], liquid("wahnstrom")
    path = Path(steps=600, temperatures=(0.7, 0.1), seed=3, damping=50)
    state, rows = moved(model, start, path)
    assert rows[-6:, 1].mean() < 0.25
    mass = np.array(model.masses)[start.configuration.species_index(model.species)]
    assert np.abs(mass @ state.velocities).max() < 1e-10


def test_a_barostat_drives_a_liquid_to_its_pressure():
    model, start = MODELS["kob-andersen"], smaller()
    ways = (
        Path(steps=200, temperatures=(0.7, 0.7), pressure=pressure, seed=2, damping=100)
        for pressure in (0.0, 40.0)
    )
    loose, dense = all_moved(model, [(start, way) for way in ways])
    for state, rows in (loose, dense):
        assert state.configuration.volume == pytest.approx(rows[-1, 5], rel=1e-9)
    begin = start.configuration.volume
    assert dense[1][-1, 5] < 0.9 * begin < begin < loose[1][-1, 5]
    assert dense[1][-1, 2] == pytest.approx(40, rel=0.3)


@pytest.mark.slow
def test_a_barostat_keeps_the_density_of_lammps():
    model, start = MODELS["bead-spring"], liquid("bead-spring")
    path = Path(steps=2000, temperatures=(0.7, 0.7), pressure=1.0, seed=1, damping=100)
    state, ours = moved(model, start, path)
    with LammpsEngine(model, start.configuration, start.velocities) as engine:
        theirs = engine.move(Motion(steps=2000, temperatures=(0.7, 0.7), pressure=1.0, seed=1))
    n = len(start.configuration)
    assert abs(n / ours[50:, 5].mean() - n / theirs[50:, 5].mean()) < 0.03
    assert abs(n / ours[50:, 5].mean() - model.number_density) > 0.04  # where both began
    assert abs(state.configuration.volume - ours[-1, 5]) < 1e-9 * ours[-1, 5]
    assert longest_bond(model, state.configuration) < 1.2


@pytest.mark.slow
@pytest.mark.parametrize(("name", "pressure"), [("bead-spring", 1.0), ("kob-andersen", 5.0)])
def test_long_runs_give_temperature_energy_pressure_and_density_of_lammps(name, pressure):
    model, start = MODELS[name], liquid(name)
    n, steps, seeds = len(start.configuration), 20_000, range(1, 9)
    heat = (0.8, 0.8)
    paths = [Path(steps=steps, temperatures=heat, pressure=pressure, seed=s) for s in seeds]
    ours = [rows for _, rows in all_moved(model, [(start, path) for path in paths])]
    theirs = []
    for seed in seeds:
        with LammpsEngine(model, start.configuration, start.velocities) as engine:
            motion = Motion(steps=steps, temperatures=heat, pressure=pressure, seed=seed)
            theirs.append(engine.move(motion))
    # temperature of LAMMPS' thermostat is off by the square of the time step
    for column, scale, slack in ((1, 1, 0.01), (2, 1, 0.05), (3, n, 0.02), (5, n, 0.003)):
        a, b = (np.array([r[20:, column].mean() / scale for r in runs]) for runs in (ours, theirs))
        error = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(seeds))
        assert abs(a.mean() - b.mean()) < 4 * error + slack


def test_a_push_off_drives_particles_apart_and_keeps_bonds():
    model, n = MODELS["bead-spring"], SIZE["bead-spring"]
    edge = (n / model.number_density) ** (1 / 3)
    places = _random_places(model, n, edge, 3)
    start = Configuration(positions=places, species=model.labels(n), cell=edge)
    path = Path(steps=800, temperatures=(1.0, 1.0), seed=4, damping=100, longest_move=0.05)
    soft, _ = moved(model, State(start, np.zeros((n, 3))), path, soft=True)
    hard, rows = moved(model, soft, path)
    s = hard.configuration.fractional()
    apart = s[:, None] - s
    apart = np.linalg.norm((apart - np.rint(apart)) @ hard.configuration.cell, axis=2)
    assert apart[np.triu_indices(n, 1)].min() > 0.7
    assert longest_bond(model, hard.configuration) < 1.3
    assert np.abs(np.diff(rows[:, 1])).max() < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_liquid_made_by_the_batch_has_the_energy_of_one_made_by_lammps(name):
    made = create(MODELS[name], SIZE[name], seed=3, engine=Crew(DEVICE)).configuration
    energies = []
    for configuration in (made, hot(name).configuration):
        with Crew(DEVICE)(MODELS[name], configuration) as engine:
            energies.append(engine.energy())
    assert abs(energies[0] - energies[1]) < 0.3


@pytest.mark.parametrize("precision", ["mixed", "double"])
def test_lists_grow_for_a_system_that_overflows_them_and_nothing_else_changes(
    precision, monkeypatch
):
    model, first = MODELS["kob-andersen"], liquid("kob-andersen")
    starts = [
        (smaller(), Path(steps=50, temperatures=(1.0, 1.0), seed=8)),
        (first, Path(steps=60, temperatures=(0.7, 0.7), pressure=60.0, seed=9)),
        (first, Path(steps=40)),
    ]
    roomy = all_moved(model, starts, precision=precision)
    monkeypatch.setattr("amorphace.simulate.batch.dynamics.CROWD", 0.65)
    monkeypatch.setattr("amorphace.simulate.batch.lists.DEPTH", 5)
    device = Dynamics(model, 3, SIZE["kob-andersen"], device=DEVICE, precision=precision)
    for start, path in starts:
        device.begin(pack(model, start.configuration, start.velocities), path)
    lists, grown, found = device.neighbours.data, [], {}
    while len(found) < 3:
        found |= states(device.advance())
        grown.append((lists.rows, lists.depth))
    # at the beginning for lack of rows, and of cells on the way, as the second is compressed
    assert grown[0] == (50, 10)
    assert grown[-1] == (50, 20)
    assert all(same(found[slot], roomy[slot]) for slot in range(3))


def test_a_system_whose_lists_find_no_memory_fails_alone(monkeypatch):
    model, good = MODELS["kob-andersen"], liquid("kob-andersen")
    here = good.configuration
    dense = here.replace(positions=0.9 * here.positions, cell=0.9 * here.cell)
    path = Path(steps=20)
    lists = Dynamics(model, 2, len(here), device=DEVICE).neighbours
    monkeypatch.setattr("amorphace.simulate.batch.lists.LARGEST_ARRAY", len(lists.data.fours))
    monkeypatch.setattr("amorphace.simulate.batch.dynamics.CROWD", 0.95)
    wrong, right = all_moved(model, [(State(dense, good.velocities), path), (good, path)])
    assert isinstance(wrong, SimulationError)
    assert "too many neighbours of one particle, and no memory for more" in str(wrong)
    assert same(right, moved(model, good, path))


def test_memory_that_a_device_has_not_is_no_reason_to_end():
    before = resource.getrlimit(resource.RLIMIT_AS)
    device = Dynamics(MODELS["kob-andersen"], 1, 250, device="cpu")
    resource.setrlimit(resource.RLIMIT_AS, (2**33, before[1]))
    try:
        with pytest.raises(MemoryError):
            device.neighbours.longer(device.neighbours.data.fours, 2**30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_a_bond_that_is_torn_is_an_error():
    model, start = MODELS["bead-spring"], liquid("bead-spring").configuration
    places = start.positions.copy()
    places[0] += 3.1
    torn = State(start.replace(positions=places), np.zeros_like(places))
    assert "a bond is broken" in str(moved(model, torn, Path(steps=20)))


def test_pieces_of_work_share_a_device_and_each_fails_alone(monkeypatch):
    model, first = MODELS["kob-andersen"], liquid("kob-andersen").configuration
    crew, threads = Crew(DEVICE), set()

    def packed(*system):
        threads.add(threading.get_ident())
        return pack(*system)

    monkeypatch.setattr("amorphace.simulate.batch.engine.pack", packed)

    def replica(seed, engine=crew):
        if seed == 2:
            raise ValueError("no such seed")
        (run,) = replicas(model, first, temperature=0.7, lag=0.2, seeds=[seed], engine=engine)
        return run.end.positions

    found = dict(crew.run([partial(replica, seed) for seed in range(4)]))
    assert sorted(found) == [0, 1, 2, 3]
    assert str(found[2]) == "no such seed"
    # each packs its own system; the thread that launches does not
    assert len(threads) == 3
    assert threading.get_ident() not in threads
    for seed in (0, 1, 3):
        assert found[seed].tobytes() == replica(seed, Crew(DEVICE)).tobytes()


def test_a_device_that_is_not_there_and_a_model_in_other_units_are_refused():
    with pytest.raises(SetupError, match=r"finds no device 'cuda:77' \(cpu.*engine = \"lammps\""):
        Crew("cuda:77")
    model = MODELS["kob-andersen"]
    metal = type(model)(**{**vars(model), "units": "metal"})
    with pytest.raises(InputError, match=r"units 'metal', the batch engine has reduced ones only"):
        Crew(DEVICE)(metal, liquid("kob-andersen").configuration)
