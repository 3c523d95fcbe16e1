"""The isoconfigurational ensemble: velocities, reversibility, displacements, frames."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amorphace.core.errors import InputError
from amorphace.simulate import (
    MODELS,
    State,
    derive_seed,
    finish_replica,
    geometric_times,
    isoconfigurational,
    problems,
    replica_stage,
    run_replica,
    run_stage,
    start_replica,
    temperature,
    thermal_velocities,
    trajectory,
)
from simulate_samples import hot, liquid

KA, WAHNSTROM = MODELS["kob-andersen"], MODELS["wahnstrom"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 10.0))
def test_velocities_have_the_temperature_and_no_momentum(seed: int, warm: float) -> None:
    c = hot("wahnstrom").configuration
    v = thermal_velocities(WAHNSTROM, c, warm, seed=seed)
    assert temperature(WAHNSTROM, State(c, v)) == pytest.approx(warm, rel=1e-12)
    m = np.where(c.species == "A", 1.0, 0.5)
    assert np.abs(m @ v).max() < 1e-11 * np.sqrt(warm)


def test_light_particles_are_faster_by_the_root_of_two() -> None:
    """Equipartition: <m v^2> is the same for both species."""
    c = hot("wahnstrom").configuration
    v2 = [(thermal_velocities(WAHNSTROM, c, 1.0, seed=s) ** 2).sum(axis=1) for s in range(40)]
    mean = np.mean(v2, axis=0)
    ratio = mean[c.species == "B"].mean() / mean[c.species == "A"].mean()
    assert ratio == pytest.approx(2.0, rel=5 * 2 / np.sqrt(3 * 125 * 40))


def test_a_name_keeps_seeds_of_different_uses_apart() -> None:
    numbers = [(s, n, k) for s in range(5) for n in range(10) for k in range(3)]
    seeds = {derive_seed(s, use, n, k) for use in ("prepare", "replica") for s, n, k in numbers}
    assert len(seeds) == 2 * len(numbers)
    assert all(1 <= s < 900_000_000 for s in seeds)
    assert derive_seed(1, 2) == derive_seed(1, 2, 0) == 696810413  # numbers alone do not


@pytest.mark.parametrize("warm", [-0.1, float("nan")])
def test_a_temperature_below_zero_is_refused(warm: float) -> None:
    with pytest.raises(InputError, match="temperature must be zero or more"):
        thermal_velocities(KA, hot("kob-andersen").configuration, warm, seed=1)


def test_the_engine_measures_the_temperature_that_was_asked_for() -> None:
    state = start_replica(KA, liquid("kob-andersen").configuration, 0.5, seed=1)
    (chunk,) = run_stage(KA, state, replica_stage(0.1), seed=0)
    assert chunk.record.temperature[0] == pytest.approx(0.5, rel=1e-12)


def test_reversed_velocities_lead_back_to_the_start() -> None:
    state = liquid("kob-andersen")
    (there,) = run_stage(KA, state, replica_stage(0.5), seed=0)
    turned = State(there.state.configuration, -there.state.velocities)
    (back,) = run_stage(KA, turned, replica_stage(0.5), seed=0)
    gone = there.state.configuration.positions - state.configuration.positions
    left = back.state.configuration.positions - state.configuration.positions
    assert np.abs(gone).max() > 0.3
    assert np.abs(left).max() < 1e-8  # rounding, grown by chaos over half a time unit


def test_replicas_share_the_start_and_differ_by_their_seed() -> None:
    start = liquid("kob-andersen").configuration
    one, two = isoconfigurational(KA, start, temperature=0.7, lag=1.0, seeds=(1, 2))
    again = run_replica(KA, start, temperature=0.7, lag=1.0, seed=2)
    assert again.end.positions.tobytes() == two.end.positions.tobytes()
    assert not np.allclose(one.end.positions, two.end.positions)
    moved = np.linalg.norm(one.end.positions - start.positions, axis=1)
    assert 0.05 < moved.mean() < 0.5  # rattling in the cage; wrapping would give half a cell
    assert problems(one.health) == ()
    assert one.health.temperature is not None


def test_replicas_stream() -> None:
    """The first is there before the second is begun, however many there will be."""
    start = liquid("kob-andersen").configuration
    endless = isoconfigurational(KA, start, temperature=0.7, lag=0.1, seeds=itertools.count())
    assert [next(endless).seed, next(endless).seed] == [0, 1]


def test_a_replica_in_chunks_is_the_same_after_an_interruption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("amorphace.simulate.dynamics.CHUNK", 20_000)
    start = start_replica(KA, liquid("kob-andersen").configuration, 0.7, seed=3)
    whole = list(run_stage(KA, start, replica_stage(1.0), seed=3))
    assert len(whole) == 3
    rest = list(run_stage(KA, whole[0].state, replica_stage(1.0), seed=3, first_chunk=1))
    replica = finish_replica(KA, [whole[0], *rest], lag=1.0, seed=3)
    np.testing.assert_array_equal(replica.end.positions, whole[-1].state.configuration.positions)
    assert (
        replica.health.energy_drift
        == finish_replica(KA, whole, lag=1.0, seed=3).health.energy_drift
    )
    with pytest.raises(InputError, match="needs its 3 chunks in order, got 2"):
        finish_replica(KA, rest, lag=1.0, seed=3)


def test_frames_come_at_the_times_asked_for_and_move_on() -> None:
    start = liquid("kob-andersen")
    frames = list(trajectory(KA, start, (0.1, 0.3, 1.0)))
    assert [t for t, _ in frames] == pytest.approx([0.1, 0.3, 1.0], rel=1e-12)
    moved = [
        np.square(s.configuration.positions - start.configuration.positions).mean()
        for _, s in frames
    ]
    assert moved == sorted(moved)


def test_a_trajectory_can_be_taken_up_at_any_frame() -> None:
    (_, first), (_, second) = trajectory(KA, liquid("kob-andersen"), (0.2, 0.4))
    ((_, again),) = trajectory(KA, first, (0.2,))
    assert again.velocities.tobytes() == second.velocities.tobytes()


def test_a_trajectory_stops_when_the_caller_does() -> None:
    frames = trajectory(KA, liquid("kob-andersen"), geometric_times(0.05, ratio=2.0))
    assert [round(t, 3) for t, _ in itertools.islice(frames, 3)] == [0.05, 0.1, 0.2]
    frames.close()  # type: ignore[attr-defined]


def test_times_must_increase() -> None:
    with pytest.raises(InputError, match=r"at least one time step 0\.005, got 0\.1 after 0\.1"):
        list(trajectory(KA, liquid("kob-andersen"), (0.1, 0.1)))
    with pytest.raises(InputError, match="ratio above 1"):
        next(geometric_times(1.0, ratio=1.0))
