"""Quasistatic shear: equilibrium at every step, thermodynamics, flips, and restarts."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SimulationError
from amorphace.simulate import (
    MODELS,
    LammpsEngine,
    Preparation,
    Shear,
    ShearState,
    ShearStep,
    inherent_structure,
    prepare,
    shear_steps,
    start_shear,
)
from amorphace.simulate.shear import strained
from simulate_samples import glass

KA = MODELS["kob-andersen"]


def tilted(c: Configuration, strain: float) -> Configuration:
    """The same particles in a cell tilted by hand, with no flip."""
    map_ = np.array([[1, 0, 0], [strain, 1, 0], [0, 0, 1.0]])
    return c.replace(positions=c.positions @ map_, cell=c.cell @ map_)


@cache
def near_the_flip(name: str) -> ShearState:
    """A glass whose cell is tilted to just below half its width."""
    c = tilted(glass(name).configuration, 0.4998)
    return start_shear(inherent_structure(MODELS[name], c, force_tolerance=1e-5).configuration)


@cache
def first_steps() -> list[ShearStep]:
    start = start_shear(glass("kob-andersen").configuration)
    return list(shear_steps(KA, start, Shear(pre_strain=0.0, strain=1e-3)))


def energy_of(c: Configuration) -> float:
    with LammpsEngine(KA, c) as engine:
        engine.commands(["run 0"])
        return engine.thermo("pe")


def test_every_step_ends_at_mechanical_equilibrium() -> None:
    assert len(first_steps()) == 20
    for step in first_steps():
        assert step.health.fmax is not None
        assert step.health.fmax <= 1e-5


def test_the_work_of_the_stress_is_the_energy_gained() -> None:
    """dE = sigma_xy V dgamma between events: the energy is continuous and the stress its slope."""
    steps = first_steps()
    assert max(np.abs(s.displacement).max() for s in steps) < 0.05, "an event: choose a seed"
    volume = steps[0].after.volume / len(steps[0].after)
    for one, two in itertools.pairwise(steps):
        work = (one.stress + two.stress) / 2 * volume * 5e-5
        assert two.energy - one.energy == pytest.approx(work, abs=1e-9, rel=1e-3)


def test_stress_grows_with_strain_like_a_solid() -> None:
    steps = first_steps()
    modulus = (steps[-1].stress - steps[0].stress) / (steps[-1].strain - steps[0].strain)
    assert 5.0 < modulus < 40.0


def test_one_step_follows_the_last_and_strain_counts_up() -> None:
    steps = first_steps()
    np.testing.assert_allclose([s.strain for s in steps], 5e-5 * np.arange(1, 21), rtol=1e-12)
    for one, two in itertools.pairwise(steps):
        assert one.after is two.before
        moved = two.after.positions - strained(two.before, 5e-5).positions
        np.testing.assert_array_equal(moved, two.displacement)


def test_the_centre_of_mass_moves_with_the_strain_only() -> None:
    for step in first_steps():
        assert np.abs(step.displacement.mean(axis=0)).max() < 1e-12


def test_elastic_shear_is_reversible() -> None:
    forth = first_steps()[:5]
    turned = ShearState(forth[-1].after, -forth[-1].displacement, 0)
    back = list(shear_steps(KA, turned, Shear(increment=-5e-5, pre_strain=0.0, strain=2.5e-4)))
    start = glass("kob-andersen").configuration
    assert len(back) == 5
    np.testing.assert_allclose(back[-1].after.cell, start.cell, atol=1e-12)
    assert np.abs(back[-1].after.positions - start.positions).max() < 1e-5


@given(st.floats(-0.1, 0.1), st.floats(-0.49, 0.49))
def test_a_strained_cell_keeps_its_volume_and_tilts_at_most_half(
    increment: float, before: float
) -> None:
    c = Configuration(
        positions=[[1, 2, 3]], species="A", cell=[[7, 0, 0], [7 * before, 7, 0], [0, 0, 7]]
    )
    after = strained(c, increment)
    assert after.volume == pytest.approx(c.volume, rel=1e-12)
    assert abs(after.cell[1, 0]) <= 3.5 + 1e-9
    turns = (after.cell[1, 0] - 7 * (before + increment)) / 7
    assert turns == pytest.approx(round(turns), abs=1e-9)


def test_flipping_the_cell_leaves_the_energy_exact() -> None:
    c = tilted(near_the_flip("kob-andersen").configuration, 0.001)
    flipped = strained(c, 0.0)
    assert flipped.cell[1, 0] < 0 < c.cell[1, 0]
    assert energy_of(flipped) == pytest.approx(energy_of(c), rel=1e-13)


def test_shear_goes_on_smoothly_across_a_flip() -> None:
    steps = list(shear_steps(KA, near_the_flip("kob-andersen"), Shear(pre_strain=0, strain=5e-4)))
    tilts = np.array([s.after.cell[1, 0] for s in steps])
    assert tilts[0] > 0 > tilts[-1]
    curvature = np.abs(np.diff([s.energy for s in steps], n=2))
    assert curvature.max() < 1e-6  # modulus * increment^2 / density is 5e-8


@pytest.mark.parametrize("name", MODELS)
def test_an_interrupted_run_ends_in_the_same_bytes(name: str) -> None:
    model, protocol = MODELS[name], Shear(pre_strain=0.0, strain=6e-4)
    whole = list(shear_steps(model, near_the_flip(name), protocol))
    assert len(whole) == 12
    for k in (0, 3, 4, 8):
        rest = list(shear_steps(model, whole[k].state, protocol))
        assert [s.step for s in rest] == list(range(k + 2, 13))
        for one, two in zip(rest, whole[k + 1 :], strict=True):
            assert one.after.positions.tobytes() == two.after.positions.tobytes()
            assert one.after.cell.tobytes() == two.after.cell.tobytes()
            assert (one.energy, one.stress) == (two.energy, two.stress)


def test_the_extrapolated_start_finds_the_same_states_sooner() -> None:
    protocol = Shear(pre_strain=0.0, strain=3e-4)
    plain = start_shear(glass("kob-andersen").configuration)
    for step in first_steps()[:6]:
        (alone,) = itertools.islice(shear_steps(KA, plain, protocol), 1)
        assert step.energy == pytest.approx(alone.energy, rel=1e-11)
        plain = ShearState(alone.after, np.zeros_like(alone.displacement), alone.step)


def test_after_an_event_the_next_step_starts_from_the_affine_map() -> None:
    start = start_shear(glass("kob-andersen").configuration)
    careful = Shear(pre_strain=0.0, strain=5e-5, largest_guess=1e-12)
    (step,) = shear_steps(KA, start, careful)
    assert np.abs(step.displacement).max() > 1e-6
    assert not step.state.guess.any()


def test_a_step_that_does_not_converge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ITERATIONS", "ROUND", "SHORTEST_ROUND"):
        monkeypatch.setattr(f"amorphace.simulate.lammps_engine.{name}", 1)
    start = start_shear(glass("kob-andersen").configuration)
    with pytest.raises(SimulationError, match=r"shear step 1: a force of .* after 2 retries"):
        next(iter(shear_steps(KA, start, Shear(retries=2))))


def test_data_are_taken_in_the_papers_steps_after_larger_ones() -> None:
    protocol = Shear()
    assert (protocol.increment, protocol.first_step, protocol.last_step) == (5e-5, 200, 400)
    assert protocol.strain_after(200) == pytest.approx(0.10, rel=1e-12)
    assert protocol.strain_after(400) == pytest.approx(0.11, rel=1e-12)


@given(st.floats(0, 0.5), st.floats(1e-4, 0.1), st.sampled_from((5e-5, -1e-4)))
def test_the_pre_strain_is_divided_evenly_into_steps_no_larger_than_asked_for(
    pre_strain: float, largest: float, increment: float
) -> None:
    protocol = Shear(increment=increment, pre_strain=pre_strain, pre_increment=largest, strain=1e-3)
    steps = [protocol.increment_of(k + 1) for k in range(protocol.last_step)]
    n = protocol.first_step
    assert all(abs(x) <= largest * (1 + 1e-8) for x in steps[:n])
    assert sum(steps[:n]) == pytest.approx(np.copysign(pre_strain, increment), rel=1e-9, abs=1e-12)
    assert set(steps[n:]) == {increment}
    assert protocol.strain_after(len(steps)) == pytest.approx(sum(steps), rel=1e-9)


def pre_strained(c: Configuration, pre_increment: float, pre_strain: float) -> list[ShearStep]:
    protocol = Shear(pre_strain=pre_strain, pre_increment=pre_increment, strain=0.0)
    return list(shear_steps(KA, start_shear(c), protocol))


def test_stress_and_energy_after_the_pre_strain_do_not_depend_on_its_steps() -> None:
    """Without an event the glass is in one and the same minimum."""
    start = glass("kob-andersen").configuration
    fine, coarse = (pre_strained(start, x, 0.0025)[-1] for x in (5e-5, 5e-4))
    assert (fine.step, coarse.step) == (50, 5)
    assert coarse.stress == pytest.approx(fine.stress, abs=1e-5)
    assert coarse.energy == pytest.approx(fine.energy, abs=1e-8)


def test_the_first_data_step_starts_from_the_guess_scaled_to_its_strain() -> None:
    start = start_shear(glass("kob-andersen").configuration)
    one, two = shear_steps(KA, start, Shear(pre_strain=5e-4, strain=5e-5))
    np.testing.assert_allclose(one.state.guess, one.displacement / 10, rtol=1e-9)
    np.testing.assert_array_equal(two.state.guess, two.displacement)


def test_a_run_taken_up_in_the_pre_strain_ends_in_the_same_bytes() -> None:
    start = start_shear(glass("kob-andersen").configuration)
    protocol = Shear(pre_strain=3e-3, strain=2e-4)
    whole = list(shear_steps(KA, start, protocol))
    assert len(whole) == 10
    for k in (2, 5, 7):
        *_, last = shear_steps(KA, whole[k].state, protocol)
        assert last.after.positions.tobytes() == whole[-1].after.positions.tobytes()
        assert (last.strain, last.energy, last.stress) == (
            whole[-1].strain, whole[-1].energy, whole[-1].stress,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"increment": 0.0}, "increment must lie between 0 and 0.1, got 0.0"),
        ({"pre_increment": 0.5}, "pre_increment must lie between 0 and 0.1, got 0.5"),
        ({"strain": -1.0}, "strain must be a number from 0 to 10, got -1.0"),
        ({"force_tolerance": 0.0}, "force_tolerance must be a number above 0 up to 1, got 0.0"),
    ],
)
def test_a_protocol_that_makes_no_sense_is_refused(arguments: dict, text: str) -> None:
    with pytest.raises(InputError, match=text):
        Shear(**arguments)


@pytest.mark.slow
def test_plastic_flow_has_the_stress_and_energy_that_small_steps_give() -> None:
    """Over the second half of the strain, within the scatter along it."""
    plan = Preparation(n_particles=120, melt_time=5.0, quench_time=20.0, temperature=0.0)
    *_, last = prepare(KA, plan, seed=1)
    at_rest = inherent_structure(KA, last.state.configuration).configuration
    half = []
    for pre_increment in (5e-5, 5e-4):
        run = pre_strained(at_rest, pre_increment, 0.06)
        half.append(np.array([(s.stress, s.energy) for s in run[len(run) // 2 :]]))
    assert max(np.abs(s.displacement).max() for s in run) > 0.1, "no event: choose a seed"
    difference = np.abs(half[1].mean(axis=0) - half[0].mean(axis=0))
    assert (difference < half[0].std(axis=0)).all()


@pytest.mark.slow
def test_events_stand_out_and_the_stress_is_serrated() -> None:
    from amorphace.observe.d2min import d2min

    largest, stress = [], []
    start = start_shear(glass("kob-andersen").configuration)
    for step in shear_steps(KA, start, Shear(pre_strain=0.0, strain=0.1)):
        largest.append(d2min(step.before, step.after, cutoff=2.5).max())
        stress.append(step.stress)
    largest = np.array(largest)
    assert (largest > 0.6).sum() >= 3
    between = ((largest > 1e-2) & (largest < 0.6)).mean()
    assert between < 0.02
    drops = np.diff(stress)
    assert drops.min() < -20 * np.median(np.abs(drops))
