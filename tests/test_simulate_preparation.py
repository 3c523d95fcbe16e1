"""From nothing to a liquid: densities, bonds, temperatures, and runs that can be taken up."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from amorphace.core.errors import InputError, SimulationError
from amorphace.simulate import (
    MODELS,
    Chains,
    Preparation,
    Progress,
    Record,
    Stage,
    chunk_bounds,
    create,
    held_pressure,
    paper_shear,
    paper_thermal,
    preparation_health,
    preparation_steps,
    prepare,
    problems,
    run_stage,
    scale_to_density,
    stage_health,
    temperature,
)
from amorphace.simulate.creation import random_walks
from amorphace.simulate.dynamics import second_half
from simulate_samples import SIZE, hot, liquid

KA, POLYMER = MODELS["kob-andersen"], MODELS["bead-spring"]


def last(progress):
    *_, end = progress
    return end


def same(one: Progress, other: Progress) -> bool:
    """Whether two preparations ended in the same bytes."""
    pairs = [
        (one.state.configuration.positions, other.state.configuration.positions),
        (one.state.configuration.cell, other.state.configuration.cell),
        (one.state.velocities, other.state.velocities),
        *(
            (getattr(a, f.name), getattr(b, f.name))
            for a, b in zip(one.records, other.records, strict=True)
            for f in fields(Record)
        ),
    ]
    return all(a.tobytes() == b.tobytes() for a, b in pairs)


@pytest.mark.parametrize("name", MODELS)
def test_a_created_liquid_has_the_density_and_no_overlaps(name: str) -> None:
    model, c = MODELS[name], hot(name).configuration
    assert c.number_density == pytest.approx(model.number_density, rel=1e-12)
    assert tuple((c.species == s).sum() for s in model.species) == model.counts(SIZE[name])
    tree = cKDTree(c.wrapped().positions, boxsize=np.diag(c.cell))
    nearest = tree.query(c.wrapped().positions, k=2)[0][:, 1]
    assert nearest.min() > 0.65  # 0.8 is the smallest diameter; random placement gives 0.05


def test_a_created_melt_keeps_its_bonds() -> None:
    c = hot("bead-spring").configuration
    i, j = POLYMER.bonds(len(c)).T
    bonds = np.linalg.norm(c.positions[i] - c.positions[j], axis=1)
    assert bonds.max() < 1.2
    assert bonds.mean() == pytest.approx(0.97, abs=0.02)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 30))
def test_random_walks_have_equal_bonds_and_no_folds(seed: int, length: int) -> None:
    walk = random_walks(Chains(length=length), 5, 6.0, np.random.default_rng(seed))
    bonds = np.linalg.norm(np.diff(walk, axis=1), axis=2)
    np.testing.assert_allclose(bonds, 0.97, rtol=1e-12)
    folds = np.linalg.norm(walk[:, 2:] - walk[:, :-2], axis=2)
    assert (folds > 1.02).all()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    one, again, other = (create(KA, 60, seed=s) for s in (4, 4, 5))
    assert one.configuration.positions.tobytes() == again.configuration.positions.tobytes()
    assert one.velocities.tobytes() == again.velocities.tobytes()
    assert not np.allclose(one.configuration.positions, other.configuration.positions)


@pytest.mark.parametrize("name", ["kob-andersen", "bead-spring"])
def test_an_interrupted_preparation_ends_in_the_same_bytes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amorphace.simulate.dynamics.CHUNK", 20_000)
    monkeypatch.setattr("amorphace.simulate.dynamics.BAROSTAT_TIMES", 0)
    model = MODELS[name]
    plan = Preparation(
        n_particles=100,
        melt_time=1.0,
        quench_time=3.0,
        temperature=0.6,
        hold_npt=1.0,
        hold_nvt=1.0,
    )
    whole = list(prepare(model, plan, seed=9))
    assert len(whole) == 1 + 1 + 3 + 1 + 1 + (model.pressure is None)
    for progress in whole[:-1]:
        assert same(last(prepare(model, plan, seed=9, progress=progress)), whole[-1])
    assert not same(last(prepare(model, plan, seed=8, progress=whole[0])), whole[-1])
    assert list(prepare(model, plan, seed=9, progress=whole[-1])) == []


def test_a_thermostat_brings_the_liquid_to_its_temperature() -> None:
    stage = Stage(name="hold", ensemble="nvt", duration=20.0, start=0.7)
    chunk = last(run_stage(KA, liquid("kob-andersen"), stage, seed=1))
    late = chunk.record.temperature[30:].mean()
    # 750 degrees of freedom, fluctuation 0.036, over some ten damping times
    assert late == pytest.approx(0.7, abs=0.05)
    assert problems(stage_health(KA, stage, chunk.state, chunk.record)) == ()


def test_a_barostat_brings_the_melt_to_its_pressure() -> None:
    stage = Stage(name="melt", ensemble="npt", duration=40.0, start=1.0, pressure=1.0)
    chunk = last(run_stage(POLYMER, hot("bead-spring"), stage, seed=1))
    assert chunk.record.pressure[40:].mean() == pytest.approx(1.0, abs=0.35)
    density = SIZE["bead-spring"] / chunk.record.volume[40:].mean()
    assert density == pytest.approx(0.91, abs=0.03)  # p = 1, T = 1
    assert chunk.state.configuration.volume == pytest.approx(chunk.record.volume[-1], rel=1e-12)


def test_energy_is_conserved_without_a_thermostat() -> None:
    stage = Stage(name="free", ensemble="nve", duration=20.0)
    chunk = last(run_stage(KA, liquid("kob-andersen"), stage, seed=1))
    health = stage_health(KA, stage, chunk.state, chunk.record)
    assert health.energy_drift is not None
    assert 0 < health.energy_drift < 1e-3
    assert np.ptp(chunk.record.potential) > 10 * health.energy_drift


def test_halving_the_time_step_quarters_the_energy_error() -> None:
    """Velocity Verlet is of second order."""
    stage = Stage(name="free", ensemble="nve", duration=2.0)
    error = []
    for timestep in (0.004, 0.002):
        model = replace(KA, timestep=timestep)
        chunk = last(run_stage(model, liquid("kob-andersen"), stage, seed=1))
        error.append(chunk.record.total.std())
    assert error[0] / error[1] == pytest.approx(4.0, rel=0.35)


def test_a_quench_to_zero_ends_cold() -> None:
    plan = Preparation(n_particles=60, melt_time=0.0, quench_time=40.0, temperature=0.0)
    progress = last(prepare(KA, plan, seed=1))
    assert temperature(KA, progress.state) < 0.1
    assert progress.records[0].potential[-1] < progress.records[0].potential[0] - 1.0


def test_a_mixture_is_held_at_the_pressure_of_the_liquid_at_the_target_temperature() -> None:
    """Kob-Andersen at T = 0.5 and density 1.2 has P = 3.8, and 0.3 more so soon after a ramp;
    the mean of the ramp's second half is 6.2. Density scatters by 0.0025 between seeds."""
    plan = Preparation(
        n_particles=250,
        melt_time=1.0,
        quench_time=15.0,
        temperature=0.5,
        pressure_time=15.0,
        hold_npt=12.0,
        hold_nvt=0.05,
    )
    progress = last(prepare(KA, plan, seed=2))
    assert [s.name for s in plan.stages(KA)] == [
        "melt", "quench", "pressure", "hold-npt", "hold-nvt",
    ]  # fmt: skip
    health = preparation_health(KA, plan, progress)
    measured, held = held_pressure(KA, plan, progress), health[3].pressure
    assert health[2].pressure is None
    assert measured.mean == pytest.approx(4.1, abs=0.5)
    assert 0.01 < measured.error < 0.15
    assert held.mean == pytest.approx(measured.mean, abs=4 * np.hypot(held.error, measured.error))
    volume = [r.volume for r in progress.records]
    assert 250 / second_half(volume[3]).mean() == pytest.approx(1.2, abs=0.008)
    assert np.ptp(volume[2]) == 0
    np.testing.assert_allclose(volume[4], 250 / 1.2, rtol=1e-12)


def test_the_pressure_is_measured_for_a_fifth_of_the_hold_where_a_model_has_none() -> None:
    mixture = {s.name: s for s in paper_thermal(KA).stages(KA)}
    assert (mixture["pressure"].ensemble, mixture["pressure"].duration) == ("nvt", 10_000)
    assert (mixture["pressure"].start, mixture["pressure"].stop) == (0.44, 0.44)
    polymer = replace(paper_thermal(POLYMER), hold_npt=10.0).stages(POLYMER)
    assert [s.name for s in polymer] == ["melt", "quench", "hold-npt"]
    assert polymer[-1].pressure == 1.0
    begun = Progress(0, 0, liquid("bead-spring"), ())
    assert held_pressure(POLYMER, paper_thermal(POLYMER), begun) is None


def test_a_stage_that_keeps_a_measured_pressure_does_not_run_alone() -> None:
    stage = paper_thermal(KA).stages(KA)[3]
    with pytest.raises(InputError, match="hold-npt keeps the pressure measured in stage pressure"):
        list(run_stage(KA, liquid("kob-andersen"), stage, seed=1))


@settings(max_examples=20, deadline=None)
@given(st.floats(0.5, 2.0))
def test_scaling_changes_the_density_and_nothing_else(density: float) -> None:
    state = hot("kob-andersen")
    scaled = scale_to_density(state, density)
    assert scaled.configuration.number_density == pytest.approx(density, rel=1e-12)
    np.testing.assert_allclose(
        scaled.configuration.fractional(), state.configuration.fractional(), atol=1e-12
    )


def test_a_melt_can_be_compressed_before_a_quench_at_constant_volume() -> None:
    plan = Preparation(
        n_particles=100,
        melt_time=0.0,
        quench_time=1.0,
        temperature=0.5,
        quench_at="volume",
        quench_density=1.04,
    )
    progress = last(prepare(POLYMER, plan, seed=1))
    assert progress.state.configuration.number_density == pytest.approx(1.04, rel=1e-12)


def test_the_papers_numbers() -> None:
    thermal = {s.name: s for s in paper_thermal(KA).stages(KA)}
    assert thermal["quench"].duration == 50_000
    assert (thermal["quench"].start, thermal["quench"].stop) == (1.0, 0.44)
    assert thermal["hold-npt"].ensemble == "npt"
    assert (thermal["hold-npt"].pressure, thermal["hold-npt"].pressure_of) == (None, "pressure")
    assert thermal["hold-nvt"].density == 1.2
    polymer = {s.name: s for s in paper_thermal(POLYMER).stages(POLYMER)}
    assert list(polymer) == ["melt", "quench"]
    assert polymer["quench"].duration == 100_000
    assert polymer["quench"].pressure == 1.0
    assert paper_thermal(POLYMER).n_particles == 30_000
    shear = paper_shear(KA).stages(KA)[-1]
    assert (shear.duration, shear.stop, shear.ensemble) == (500, 0.0, "nvt")


def test_steps_of_a_preparation_add_up() -> None:
    plan = Preparation(n_particles=60, melt_time=1.0, quench_time=2.0, temperature=0.5)
    assert preparation_steps(KA, plan) == 5000 + 200 + 400


@given(st.integers(2, 100_000), st.floats(0.005, 1e5))
def test_chunks_cover_a_stage_once(n: int, duration: float) -> None:
    stage = Stage(name="s", ensemble="nve", duration=duration)
    bounds = chunk_bounds(KA, stage, n)
    assert bounds[0] == 0
    assert bounds[-1] == max(1, round(duration / 0.005))
    assert len(bounds) <= 101
    assert (np.diff(bounds) > 0).all()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"ensemble": "nph", "duration": 1.0}, "must be nve, nvt or npt, got 'nph'"),
        ({"ensemble": "nve", "duration": -1.0}, "duration must be positive, got -1.0"),
        ({"ensemble": "nve", "duration": 1.0, "start": 1.0}, "nve takes no temperature"),
        ({"ensemble": "nvt", "duration": 1.0}, "nvt needs a temperature"),
        ({"ensemble": "nvt", "duration": 1.0, "start": -0.4}, "temperatures must be zero or more"),
        ({"ensemble": "npt", "duration": 1.0, "start": 1.0}, "npt needs one"),
        ({"ensemble": "nve", "duration": 1.0, "pressure_of": "melt"}, "a pressure goes with npt"),
    ],
)
def test_a_stage_that_makes_no_sense_is_refused(arguments: dict, text: str) -> None:
    with pytest.raises(InputError, match=f"stage s: .*{text}"):
        Stage(name="s", **arguments)


def test_a_negative_temperature_is_refused() -> None:
    with pytest.raises(InputError, match=r"temperature must be a number from 0 .*, got -0\.1"):
        Preparation(n_particles=10, melt_time=1.0, quench_time=1.0, temperature=-0.1)


def test_a_pressure_cannot_be_measured_in_no_time() -> None:
    with pytest.raises(InputError, match=r"pressure_time must be a number above 0 .*, got 0\.0"):
        replace(paper_thermal(KA), pressure_time=0.0)


def test_a_model_without_a_pressure_cannot_be_quenched_at_one() -> None:
    plan = Preparation(
        n_particles=10, melt_time=1.0, quench_time=1.0, temperature=0.1, quench_at="pressure"
    )
    with pytest.raises(InputError, match="model kob-andersen has no pressure to quench at"):
        plan.stages(KA)


def test_a_chunk_that_does_not_exist_is_refused() -> None:
    stage = Stage(name="s", ensemble="nve", duration=1.0)
    with pytest.raises(InputError, match="stage s has 1 chunks, cannot begin at 3"):
        list(run_stage(KA, liquid("kob-andersen"), stage, seed=1, first_chunk=3))


def test_an_overfull_melt_is_an_error() -> None:
    packed = replace(POLYMER, number_density=8.0)
    with pytest.raises(SimulationError, match=r"LAMMPS stopped|lower the number density"):
        create(packed, 40, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "warm", "pressure", "energy"),
    [
        ("kob-andersen", 0.6, 5.2, -6.69),
        ("kob-andersen", 0.55, 4.7, -6.76),
        ("wahnstrom", 0.7, 8.6, None),
    ],
)
def test_mixtures_have_the_measured_pressure_and_energy(
    name: str, warm: float, pressure: float, energy: float | None
) -> None:
    plan = Preparation(
        n_particles=1000, melt_time=10.0, quench_time=40.0, temperature=warm, hold_nvt=80.0
    )
    hold = last(prepare(MODELS[name], plan, seed=1)).records[-1]
    assert hold.pressure[30:].mean() == pytest.approx(
        pressure, abs=0.25
    )  # three times the scatter of samples
    if energy is not None:
        assert hold.potential[30:].mean() == pytest.approx(energy, abs=0.04)


@pytest.mark.slow
def test_the_polymer_has_the_measured_density_and_bonds() -> None:
    plan = Preparation(
        n_particles=1000, melt_time=100.0, quench_time=50.0, temperature=0.6, hold_npt=60.0
    )
    progress = last(prepare(POLYMER, plan, seed=1))
    density = 1000 / progress.records[-1].volume[30:].mean()
    assert density == pytest.approx(1.010, abs=0.006)
    assert progress.records[-1].pressure[30:].mean() == pytest.approx(1.0, abs=0.15)
    health = preparation_health(POLYMER, plan, progress)[-1]
    assert health.longest_bond is not None
    assert 1.0 < health.longest_bond < 1.12
