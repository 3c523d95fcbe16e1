"""The isoconfigurational ensemble: velocities, reversibility, displacements."""

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
    geometric_times,
    problems,
    replica_stage,
    replicas,
    run_stage,
    start_replica,
    temperature,
    thermal_velocities,
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
    one, two = replicas(KA, start, temperature=0.7, lag=1.0, seeds=(1, 2))
    (again,) = replicas(KA, start, temperature=0.7, lag=1.0, seeds=(2,))
    assert again.end.positions.tobytes() == two.end.positions.tobytes()
    assert not np.allclose(one.end.positions, two.end.positions)
    moved = np.linalg.norm(one.end.positions - start.positions, axis=1)
    assert 0.05 < moved.mean() < 0.5  # rattling in the cage; wrapping would give half a cell
    assert problems(one.health) == ()
    assert one.health.temperature is not None


def test_replicas_stream() -> None:
    """The first is there before the second is begun, however many there will be."""
    start = liquid("kob-andersen").configuration
    endless = replicas(KA, start, temperature=0.7, lag=0.1, seeds=itertools.count())
    assert [next(endless).seed, next(endless).seed] == [0, 1]


def test_a_replica_in_chunks_is_the_same_after_an_interruption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("amorphace.simulate.dynamics.CHUNK", 20_000)
    c = liquid("kob-andersen").configuration
    start, stage = start_replica(KA, c, 0.7, seed=3), replica_stage(1.0)
    first, *_ = run_stage(KA, start, stage, seed=3)
    *_, last = run_stage(KA, first.state, stage, seed=3, first_chunk=1)
    assert (first.index, last.index, last.count) == (0, 2, 3)
    (whole,) = replicas(KA, c, temperature=0.7, lag=1.0, seeds=(3,))
    np.testing.assert_array_equal(whole.end.positions, last.state.configuration.positions)


def test_geometric_times_grow_by_a_ratio_above_one() -> None:
    assert list(itertools.islice(geometric_times(0.5, ratio=2.0), 3)) == [0.5, 1.0, 2.0]
    with pytest.raises(InputError, match="ratio above 1"):
        next(geometric_times(1.0, ratio=1.0))
