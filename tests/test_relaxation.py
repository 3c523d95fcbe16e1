"""Mean squared displacement, self-intermediate scattering and the relaxation time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amorphace import Configuration, InputError
from amorphace.observe.displacements import unwrap
from amorphace.observe.relaxation import (
    mean_squared_displacement,
    relaxation_time,
    self_intermediate_scattering,
)

N = 4000
STATISTICS = 5 / np.sqrt(3 * N)
"""Five standard errors of a mean over the components of N particles with unit variance."""
EXACT = 1e-12
"""Relative: a few roundings of numbers near 1."""


def still(n: int = N, length: float = 10.0) -> Configuration:
    x = np.random.default_rng(0).uniform(0, length, size=(n, 3))
    return Configuration(positions=x, species=["A", "A", "A", "B"] * (n // 4), cell=length)


def moved(start: Configuration, u: np.ndarray, step: int = 0) -> Configuration:
    return Configuration(
        positions=start.positions + u, species=start.species, cell=start.cell, step=step
    )


def gauss(size: float, seed: int = 1, n: int = N) -> np.ndarray:
    return size * np.random.default_rng(seed).normal(size=(n, 3))


# --- mean squared displacement -----------------------------------------------------------------


def test_ballistic_motion_grows_as_the_time_squared():
    start, v = still(), gauss(0.3)
    v -= v.mean(axis=0)
    times = np.array([0, 0.5, 1, 2])
    msd = mean_squared_displacement(start, [moved(start, t * v) for t in times])
    np.testing.assert_allclose(msd, np.square(v).sum(axis=1).mean() * times**2, rtol=EXACT)


def test_drift_is_not_diffusion():
    start, u = still(), gauss(0.2)
    u -= u.mean(axis=0)
    expected = np.square(u).sum(axis=1).mean()
    frame = moved(start, u + np.array([0.3, 0, 0]))
    assert mean_squared_displacement(start, [frame])[0] == pytest.approx(expected, rel=EXACT)
    with_drift = mean_squared_displacement(start, [frame], remove_drift=False)[0]
    assert with_drift == pytest.approx(expected + 0.09, rel=EXACT)


def test_only_the_selected_species_counts():
    start = still()
    u = np.where((start.species == "B")[:, None], [0, 0, 0.9], [0, 0, 0])
    keep = {"remove_drift": False}
    assert mean_squared_displacement(start, [moved(start, u)], where=start.species == "A", **keep)[
        0
    ] == pytest.approx(0)
    found = mean_squared_displacement(start, [moved(start, u)], where=start.species == "B", **keep)
    assert found[0] == pytest.approx(0.81)


def test_long_walks_need_unwrapped_positions():
    start = still(n=400)
    walk = np.cumsum(np.random.default_rng(3).normal(size=(60, 400, 3)), axis=0)
    walk -= walk.mean(axis=1, keepdims=True)
    frames = [moved(start, u).wrapped() for u in walk]
    expected = np.square(walk).sum(axis=2).mean(axis=1)
    assert mean_squared_displacement(start, frames)[-1] < 0.5 * expected[-1]
    unwrapped = list(unwrap([start, *frames]))[1:]
    found = mean_squared_displacement(start, unwrapped, unwrapped=True)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_time_origins_average_all_pairs_of_frames_equally_far_apart():
    start = still(n=40)
    walk = 0.2 * np.cumsum(np.random.default_rng(4).normal(size=(5, 40, 3)), axis=0)
    frames = [moved(start, u, step=10 * (k + 1)) for k, u in enumerate(walk)]
    found = mean_squared_displacement(start, iter(frames), time_origins=True, remove_drift=False)
    path = np.concatenate([np.zeros((1, 40, 3)), walk])
    expected = [
        np.mean([np.square(path[k + lag] - path[k]).sum(axis=1).mean() for k in range(6 - lag)])
        for lag in range(1, 6)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_time_origins_need_equally_spaced_frames():
    start = still(n=4)
    frames = [moved(start, gauss(0.1, n=4), step=step) for step in (10, 20, 40)]
    with pytest.raises(InputError, match="first two are 10 steps apart, steps 20 and 40 are 20"):
        mean_squared_displacement(start, frames, time_origins=True)
    assert mean_squared_displacement(start, frames[:2], time_origins=True).shape == (2,)


def test_no_frames_give_no_values_and_no_particles_are_an_error():
    start = still(n=4)
    assert mean_squared_displacement(start, []).shape == (0,)
    assert mean_squared_displacement(start, [], time_origins=True).shape == (0,)
    with pytest.raises(InputError, match="no particle is selected"):
        mean_squared_displacement(start, [start], where=start.species == "C")


# --- self-intermediate scattering --------------------------------------------------------------


def test_scattering_is_one_at_zero_wavenumber_and_without_motion():
    start = still(n=400)
    frames = [moved(start, gauss(s, n=400)) for s in (0.0, 0.1, 1.0)]
    assert (self_intermediate_scattering(start, frames, 0.0) == 1).all()
    assert self_intermediate_scattering(start, frames, 7.2)[0] == 1


@pytest.mark.parametrize("q", [1.0, 3.0, 7.2])
def test_gaussian_displacements_scatter_as_a_gaussian(q):
    """exp(-q^2 s^2 / 2), s the spread along one direction."""
    start = still()
    spread = np.array([0.05, 0.1, 0.2])
    frames = [moved(start, gauss(s)) for s in spread]
    found = self_intermediate_scattering(start, frames, q)
    np.testing.assert_allclose(found, np.exp(-((q * spread) ** 2) / 2), atol=STATISTICS)


def test_scattering_is_the_mean_phase_over_all_directions():
    """The slow way: exp(i q.u) over many directions of q."""
    start, u = still(n=40), gauss(0.3, n=40)
    directions = np.random.default_rng(5).normal(size=(20000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    expected = np.cos(4.0 * directions @ u.T).mean()
    found = self_intermediate_scattering(start, [moved(start, u)], 4.0, remove_drift=False)[0]
    assert found == pytest.approx(expected, abs=5 * np.sqrt(0.5 / 20000))


def test_scattering_selects_species_and_averages_time_origins():
    start = still(n=40)
    u = np.where((start.species == "B")[:, None], [0, 0, 0.5], [0, 0, 0])
    frames = [moved(start, k * u, step=k) for k in (1, 2)]
    found = [
        self_intermediate_scattering(
            start, frames, 3.0, where=start.species == s, time_origins=True, remove_drift=False
        )
        for s in "AB"
    ]
    np.testing.assert_allclose(found[0], 1)
    np.testing.assert_allclose(found[1], [np.sin(1.5) / 1.5, np.sin(3.0) / 3.0], rtol=EXACT)


@pytest.mark.parametrize("q", [-1.0, np.nan, np.inf])
def test_wavenumber_is_checked(q):
    with pytest.raises(InputError, match="wavenumber must be a number not below 0"):
        self_intermediate_scattering(still(n=4), [], q)


# --- relaxation time ---------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.floats(0.5, 5000), st.floats(0.4, 1.5))
def test_relaxation_time_of_stretched_exponentials(tau, beta):
    """Samples 3 % apart: the curve is straight between them to the square of that."""
    t = np.concatenate([[0], np.geomspace(0.01, 1e5, 550)])
    assert relaxation_time(t, np.exp(-((t / tau) ** beta))) == pytest.approx(tau, rel=5e-4)


def test_relaxation_time_is_exact_where_fs_is_linear_in_log_t():
    t = np.array([1.0, 10, 100, 1000])
    fs = 1 - np.log10(t) / 4
    assert relaxation_time(t, fs) == pytest.approx(10 ** (4 * (1 - 1 / np.e)), rel=EXACT)
    assert relaxation_time(t, fs, level=0.5) == 100.0
    assert relaxation_time(t, fs, level=0.6) == pytest.approx(10**1.6, rel=EXACT)


def test_the_first_crossing_counts():
    t = np.array([1.0, 2, 4, 8, 16])
    assert relaxation_time(t, [0.9, 0.5, 0.2, 0.6, 0.1], level=0.35) == pytest.approx(2**1.5)


def test_the_time_unit_is_that_of_the_times():
    t = np.geomspace(0.1, 100, 60)
    fs = np.exp(-t / 7)
    assert relaxation_time(200 * t, fs) == pytest.approx(200 * relaxation_time(t, fs), rel=EXACT)


@pytest.mark.parametrize(
    ("times", "fs", "text"),
    [
        ([1, 10, 5000], [0.9, 0.7, 0.52], "falls only to 0.52 by time 5000 .* 0.3679: run longer"),
        ([0, 10], [1, 0.1], "0.1 at the first positive time 10, already below 0.3679: sample sho"),
        ([10, 20], [0.2, 0.1], "0.2 at the first positive time 10"),
        ([0, 1, 1], [1, 0.5, 0.1], "times must ascend"),
        ([-1, 1], [1, 0.1], "not be negative"),
        ([1, 2], [1, np.nan], "must be finite"),
        ([1, 2], [1], r"got shapes \(2,\) and \(1,\)"),
        ([], [], "two lists of equal length"),
    ],
)
def test_curves_without_a_relaxation_time_say_why(times, fs, text):
    with pytest.raises(InputError, match=text):
        relaxation_time(times, fs)


def test_level_is_checked():
    with pytest.raises(InputError, match=r"level must lie between 0 and 1, got 1\.5"):
        relaxation_time([1, 2], [1, 0.1], level=1.5)
