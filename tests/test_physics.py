"""Literature values of the three glasses, from molecular dynamics of 1000 particles.

Every tolerance has the scatter that was measured beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from amorphace.config.presets import WAVENUMBERS
from amorphace.core.configuration import Configuration
from amorphace.observe.d2min import d2min
from amorphace.observe.propensity import isoconfigurational
from amorphace.observe.relaxation import relaxation_time, self_intermediate_scattering
from amorphace.simulate import (
    MODELS,
    LammpsEngine,
    Preparation,
    Shear,
    ShearState,
    State,
    held_pressure,
    inherent_structure,
    paper_shear,
    plateau,
    prepare,
    replica_stage,
    run_stage,
    scale_to_density,
    shear_steps,
    start_replica,
    start_shear,
    temperature,
    wahnstrom,
)
from amorphace.simulate.dynamics import second_half
from simulate_samples import trajectory

pytestmark = pytest.mark.physics

N = 1000
KA = MODELS["kob-andersen"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """How an equilibrium liquid is made and watched.

    The hold is five relaxation times and more.
    """

    temperature: float
    quench: float
    hold: float
    spacing: float
    lag: float


CASES = {
    "kob-andersen": Case(temperature=0.5, quench=300, hold=400, spacing=4.0, lag=82),
    "wahnstrom": Case(temperature=0.65, quench=150, hold=150, spacing=1.5, lag=18),
    "bead-spring": Case(temperature=0.5, quench=300, hold=300, spacing=3.0, lag=48),
}
TAU = {
    "kob-andersen": (82, 0.45),
    "wahnstrom": (26 / np.sqrt(2), 0.35),
    "bead-spring": (48, 0.60),
}
"""tau_alpha at these temperatures, and three standard errors of it, relative.

26 is for Wahnstrom's masses of 2 and 1. From one time origin to another in one run of 1000
particles tau varies: 80 to 144 (mean 108, deviation 26), 12 to 26 (19, 6), 18 to 83 (44, 22);
averages over the run hold 3.5, 8 and 6 relaxation times. They gave 113, 18.8 and 47.
"""
FRAMES = 100
REPLICAS = 8


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """A liquid, and means over the second half of the time it was held.

    The velocities are scaled to the mean energy of that temperature, so that a run at constant
    energy has the temperature asked for.
    """

    state: State
    potential: float
    pressure: float
    density: float


@cache
def equilibrium(name: str, seed: int = 1) -> Equilibrium:
    model, case = MODELS[name], CASES[name]
    free = model.pressure is not None
    plan = Preparation(
        n_particles=N,
        melt_time=20.0,
        quench_time=case.quench,
        temperature=case.temperature,
        hold_npt=case.hold if free else 0.0,
        hold_nvt=0.0 if free else case.hold,
    )
    *_, last = prepare(model, plan, seed=seed)
    record = last.records[-1]
    late = slice(len(record.time) // 2, None)
    density = N / record.volume[late].mean()
    potential = record.potential[late].mean()
    state = scale_to_density(last.state, density)
    missing = potential - potential_energy(name, state.configuration)
    warm = case.temperature + missing * N / (1.5 * (N - 1))
    speeds = state.velocities * np.sqrt(warm / temperature(model, state))
    return Equilibrium(
        State(state.configuration, speeds), potential, record.pressure[late].mean(), density
    )


def potential_energy(name: str, configuration: Configuration) -> float:
    """Per particle."""
    with LammpsEngine(MODELS[name], configuration) as engine:
        engine.commands(["run 0"])
        return engine.thermo("pe") / len(configuration)


@cache
def relaxation(name: str, seed: int = 1) -> tuple[float, float]:
    """tau_alpha of the A particles, averaged over time origins, and the mean temperature."""
    case, start = CASES[name], equilibrium(name, seed).state
    times = case.spacing * np.arange(1, FRAMES + 1)
    states = list(trajectory(MODELS[name], start, times))
    frames = [replace(s.configuration, step=k + 1) for k, s in enumerate(states)]
    fs = self_intermediate_scattering(
        replace(start.configuration, step=0),
        frames,
        WAVENUMBERS[name],
        where=start.configuration.species == "A",
        time_origins=True,
        unwrapped=True,
    )
    mean = float(np.mean([temperature(MODELS[name], s) for s in states]))
    return relaxation_time(times, fs), mean


@cache
def replicas(name: str, seed: int = 1) -> tuple[tuple[Configuration, NDArray[np.float64]], ...]:
    """Ends and energies of runs of one relaxation time, each with velocities of its own."""
    model, case = MODELS[name], CASES[name]
    liquid = equilibrium(name, seed).state.configuration
    runs = []
    for k in range(REPLICAS):
        start = start_replica(model, liquid, case.temperature, seed=k)
        (chunk,) = run_stage(model, start, replica_stage(case.lag), seed=k)
        runs.append((chunk.state.configuration, chunk.record.total))
    return tuple(runs)


def correlation(name: str, seed: int = 1) -> float:
    """Pearson's, over the particles, of mean D2min and propensity between inherent structures."""
    model = MODELS[name]

    def quenched(c: Configuration) -> Configuration:
        return inherent_structure(model, c, force_tolerance=1e-5).configuration

    start = quenched(equilibrium(name, seed).state.configuration)
    ends = [quenched(end) for end, _ in replicas(name, seed)]
    averages = isoconfigurational(start, ends, cutoff=2.5, unwrapped=True)
    return float(np.corrcoef(averages.d2min, averages.propensity)[0, 1])


@cache
def glass(seed: int = 1) -> Configuration:
    """A Kob-Andersen glass at rest, quenched ten times faster than the paper's."""
    plan = replace(paper_shear(KA, n_particles=N), melt_time=20.0, quench_time=50.0)
    *_, last = prepare(KA, plan, seed=seed)
    return inherent_structure(KA, last.state.configuration).configuration


@cache
def sheared(seed: int = 1, strain: float = 0.04) -> Sheared:
    """That glass sheared from rest, and what happened in each step."""
    steps = shear_steps(KA, start_shear(glass(seed)), Shear(pre_strain=0.0, strain=strain))
    rows = [(s.stress, s.energy, d2min(s.before, s.after, cutoff=2.5).max()) for s in steps]
    return Sheared(*np.array(rows).T)


@dataclass(frozen=True, eq=False)
class Sheared:
    """Per strain step: stress and energy after it, and the largest D2min in it."""

    stress: NDArray[np.float64]
    energy: NDArray[np.float64]
    largest: NDArray[np.float64]


@pytest.fixture(scope="session", params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    """Each model in turn: what is made of one is used by all tests of it."""
    return request.param


def test_kob_andersen_has_the_energy_and_pressure_of_the_literature() -> None:
    liquid = equilibrium("kob-andersen")
    # measured -6.883 and 3.83; the halves of the hold differ by 0.015 and 0.10
    assert liquid.potential == pytest.approx(-6.88, abs=0.02)
    assert liquid.pressure == pytest.approx(3.8, abs=0.15)


def test_a_mixture_is_held_at_its_own_pressure_and_keeps_its_density() -> None:
    plan = Preparation(
        n_particles=N, melt_time=2.0, quench_time=300.0, temperature=0.5, pressure_time=100.0,
        hold_npt=150.0,
    )  # fmt: skip
    *_, last = prepare(KA, plan, seed=1)
    measured = held_pressure(KA, plan, last)
    # measured 3.73 with an error of 0.03; held at 3.87, density 1.2006, errors of 0.06 and 0.0008
    assert measured.mean == pytest.approx(3.8, abs=3 * measured.error + 0.05)
    held, volume = (second_half(getattr(last.records[-1], f)) for f in ("pressure", "volume"))
    assert held.mean() == pytest.approx(measured.mean, abs=0.2)
    density = plateau(N / volume)
    # dP / d rho is 65: the errors of both
    assert density.mean == pytest.approx(1.2, abs=3 * np.hypot(density.error, measured.error / 65))


def test_the_structure_factor_peaks_at_the_wavenumber_of_fs(name: str) -> None:
    states = trajectory(MODELS[name], equilibrium(name).state, 2.0 * np.arange(1, 31))
    frames = [s.configuration for s in states]
    box, reach = 2 * np.pi / frames[0].cell[0, 0], np.arange(-14, 15)
    q = box * np.stack(np.meshgrid(reach, reach, reach), axis=-1).reshape(-1, 3)
    length = np.linalg.norm(q, axis=1)
    q, length = (a[(length > 6) & (length < 9) & (q[:, 2] >= 0)] for a in (q, length))
    total = np.zeros(len(q))
    for c in frames:
        total += np.abs(np.exp(1j * c.positions[c.species == "A"] @ q.T).sum(axis=0)) ** 2
    near = np.abs(length - WAVENUMBERS[name]) < 0.5
    curve = np.polynomial.Polynomial.fit(length[near], total[near], 2)
    (peak,) = curve.deriv().roots()
    assert peak == pytest.approx(WAVENUMBERS[name], abs=0.1)


def test_the_polymer_has_the_density_of_the_literature() -> None:
    # measured 1.037; the halves of the hold differ by 0.004
    assert equilibrium("bead-spring").density == pytest.approx(1.034, abs=0.005)


def test_the_polymer_has_the_bonds_of_the_literature() -> None:
    c, bonds = equilibrium("bead-spring").state.configuration, MODELS["bead-spring"].bonds(N)
    lengths = np.linalg.norm(np.diff(c.positions[bonds], axis=1)[:, 0], axis=1)
    # six moments of one melt: means 0.9598 to 0.9615, longest 1.037 to 1.048
    assert lengths.mean() == pytest.approx(0.9605, abs=0.003)
    assert 1.02 < lengths.max() < 1.08


def test_liquids_relax_as_fast_as_in_the_literature(name: str) -> None:
    tau, mean = relaxation(name)
    # measured 0.4994, 0.6505, 0.4961: the mean energy is known from half the hold
    assert mean == pytest.approx(CASES[name].temperature, abs=0.008)
    expected, error = TAU[name]
    assert tau == pytest.approx(expected, rel=error)


def test_twice_the_mass_is_sqrt_two_times_the_time() -> None:
    """Masses 2 and 1 instead of 1 and 1/2: the same positions after sqrt(2) times the time."""
    start = equilibrium("wahnstrom").state
    slow = State(start.configuration, start.velocities / np.sqrt(2))
    heavy = replace(wahnstrom(mass_a=2.0), timestep=0.005 * np.sqrt(2))
    (one,) = trajectory(MODELS["wahnstrom"], start, [1.0])
    (two,) = trajectory(heavy, slow, [np.sqrt(2)])
    moved = one.configuration.positions - start.configuration.positions
    assert np.abs(moved).max() > 0.1
    # rounding in a chaotic liquid: 3e-13 were measured
    np.testing.assert_allclose(
        two.configuration.positions, one.configuration.positions, rtol=0, atol=1e-10
    )


def test_the_energy_of_kob_andersen_is_conserved_over_a_relaxation_time() -> None:
    """Velocity Verlet's error of the energy is a fluctuation, per particle as 1 / sqrt(N).

    The 1.1e-4 of 4000 particles is 2.2e-4 here; the trend below it is a tenth of that.
    """
    for _, total in replicas("kob-andersen"):
        half = len(total) // 2
        assert total[1:].std() <= 1.1e-4
        assert np.abs(total - total[0]).max() <= 5e-4
        assert abs(total[half:].mean() - total[1:half].mean()) <= 3e-5


def test_d2min_follows_the_propensity_between_inherent_structures(name: str) -> None:
    # measured 0.951 (Wahnstrom) and 0.942 (polymer) from 8 runs
    assert correlation(name) == pytest.approx(0.95, abs=0.03)


def test_elastic_shear_forth_and_back_restores_energies_and_positions() -> None:
    forth = list(shear_steps(KA, start_shear(glass()), Shear(pre_strain=0.0, strain=1e-3)))
    turned = ShearState(forth[-1].after, -forth[-1].displacement, 0)
    back = list(
        shear_steps(KA, turned, Shear(increment=-5e-5, pre_strain=0.0, strain=len(forth) * 5e-5))
    )
    energies = [s.energy for s in forth[:-1]]
    np.testing.assert_allclose([s.energy for s in back[-2::-1]], energies, rtol=0, atol=1e-9)
    assert np.abs(back[-1].after.positions - glass().positions).max() < 1e-4


def test_the_stress_rises_elastically_and_drops_in_events() -> None:
    run = sheared()
    rise, event = np.diff(run.stress), run.largest[1:] > 0.6
    modulus = np.median(rise[~event]) / 5e-5
    assert 10 < modulus < 30
    assert event.sum() >= 2  # two seeds gave 3 and 2 in 4 % strain
    assert (rise[event] < 0).mean() > 0.9
    assert (np.diff(run.energy)[event] < 0).all()
    assert (rise[~event] > 0).mean() > 0.9


def test_d2min_of_a_step_tells_events_from_elastic_ones() -> None:
    largest = sheared().largest
    elastic = largest < 1e-2
    assert elastic.mean() > 0.95
    assert ((largest >= 1e-2) & (largest <= 0.6)).sum() <= (
        largest > 0.6
    ).sum()  # 2 and 0 steps, 3 and 2 events
