"""Health numbers and the sentences about them."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SimulationError
from amorphace.io import read
from amorphace.simulate import (
    MODELS,
    Health,
    Plateau,
    Tolerances,
    aging,
    crystal_fraction,
    energy_drift,
    longest_bond,
    plateau,
    problems,
)
from simulate_samples import glass, hot, liquid

CRYSTALS = {
    "fcc": ((1, 1, 1), ((0, 0, 0), (1 / 2, 1 / 2, 0), (1 / 2, 0, 1 / 2), (0, 1 / 2, 1 / 2))),
    "hcp": (
        (1, np.sqrt(3), np.sqrt(8 / 3)),
        ((0, 0, 0), (1 / 2, 1 / 2, 0), (1 / 2, 5 / 6, 1 / 2), (0, 1 / 3, 1 / 2)),
    ),
    "bcc": ((1, 1, 1), ((0, 0, 0), (1 / 2, 1 / 2, 1 / 2))),
}
"""Edges of a cell and fractional positions in it."""


def crystal(kind: str, noise: float = 0.0, density: float = 1.2) -> Configuration:
    """At least 400 particles; thermal noise in units of rho^(-1/3), along each axis."""
    edges, motif = np.array(CRYSTALS[kind][0]), np.array(CRYSTALS[kind][1])
    turns = np.ceil((400 / len(motif) / np.prod(edges)) ** (1 / 3) / edges * edges.max()).astype(
        int
    )
    corners = np.array(list(product(*map(range, turns))))
    x = (corners[:, None] + motif).reshape(-1, 3) * edges
    scale = (len(x) / np.prod(turns * edges) / density) ** (1 / 3)
    shake = np.random.default_rng(0).normal(0, noise * density ** (-1 / 3), x.shape)
    return Configuration(positions=x * scale + shake, species="A", cell=turns * edges * scale)


def icosahedra(n: int = 5, apart: float = 2.6) -> Configuration:
    """Close icosahedra of 13, each turned at random; neighbours by density reach to 1.57."""
    golden = (1 + np.sqrt(5)) / 2
    signs = product((-1, 1), (-golden, golden))
    corners = np.array([v for s, t in signs for v in ((0, s, t), (s, t, 0), (t, 0, s))])
    ball = np.vstack([[0, 0, 0], 1.1 * corners / np.linalg.norm(corners[0])])
    rng = np.random.default_rng(5)
    x = [
        ball @ np.linalg.qr(rng.normal(size=(3, 3)))[0] + apart * np.array(corner)
        for corner in product(range(n), repeat=3)
    ]
    return Configuration(positions=np.vstack(x), species="A", cell=n * apart)


# ---------------------------------------------------------------- plateaus and bonds


def test_a_plateau_has_no_drift_and_a_ramp_has_half_its_height() -> None:
    assert plateau(np.full(10, 3.0)) == Plateau(3.0, 0.0)
    assert plateau(np.full(20, 3.0)) == Plateau(3.0, 0.0, 0.0, 0.0)
    level = plateau(np.linspace(0, 1, 1001))
    assert level is not None
    assert level.mean == pytest.approx(0.5)
    assert level.drift == pytest.approx(0.5, abs=1e-3)
    assert level.spread == pytest.approx(0.5 / np.sqrt(12), abs=1e-3)


def test_the_error_of_a_plateau_is_the_scatter_of_its_means() -> None:
    levels = [plateau(correlated(1000, 5, seed)) for seed in range(100)]
    errors = [level.error for level in levels if level and level.error]
    scatter = np.std([level.mean for level in levels if level])
    assert np.mean(errors) == pytest.approx(scatter, rel=0.2)


def test_one_value_is_no_plateau() -> None:
    assert plateau([1.0]) is None


def test_longest_bond_is_found_and_mixtures_have_none() -> None:
    c = hot("bead-spring").configuration
    x = c.positions.copy()
    x[:20, 0] += 50.0  # a whole chain moves: no bond changes
    assert longest_bond(MODELS["bead-spring"], c.replace(positions=x)) == pytest.approx(
        longest_bond(MODELS["bead-spring"], c)
    )
    x[19, 0] += 7.0
    assert longest_bond(MODELS["bead-spring"], c.replace(positions=x)) > 6.0  # type: ignore[operator]
    assert longest_bond(MODELS["kob-andersen"], hot("kob-andersen").configuration) is None


def test_a_sound_run_has_no_problems() -> None:
    sound = Health(
        energy_drift=1e-4,
        longest_bond=1.08,
        fmax=1e-6,
        temperature=Plateau(0.6, 0.01),
        pressure=Plateau(0.0, 0.05, 0.2),
        crystal=0.004,
        aging=0.08,
    )
    assert problems(sound) == ()
    assert problems(Health()) == ()


@pytest.mark.parametrize(
    ("health", "sentence"),
    [
        (Health(energy_drift=0.02), "the energy per particle drifted by 0.02 (at most 0.001)"),
        (Health(energy_drift=float("nan")), "the energy per particle drifted by nan"),
        (Health(longest_bond=1.47), "the longest bond measures 1.47 (at most 1.4)"),
        (Health(fmax=1e-3), "the largest force after minimisation is 0.001 (at most 1e-05)"),
        (Health(temperature=Plateau(0.5, -0.1)), "the temperature drifted by -0.1 around 0.5"),
        (
            Health(pressure=Plateau(5.0, -0.9, 0.2)),
            "the pressure drifted by -0.9 around 5, its spread is 0.2 (at most 2 times that)",
        ),
        (Health(pressure=Plateau(5.0, float("nan"))), "the pressure drifted by nan"),
        (Health(crystal=0.25), "25.0% of the particles are crystal-like (at most 10.0%)"),
        (Health(aging=0.5), "it was not in equilibrium: Fs changed by 0.5 between two windows"),
    ],
)
def test_what_is_wrong_is_said(health: Health, sentence: str) -> None:
    (found,) = problems(health)
    assert found.startswith(sentence)


def test_tolerances_can_be_chosen() -> None:
    assert problems(Health(fmax=1e-3), Tolerances(fmax=1e-2)) == ()


def correlated(n: int, memory: float, seed: int) -> NDArray[np.float64]:
    """A stationary series that forgets over `memory` values."""
    keep = np.exp(-1 / memory)
    kicks = np.random.default_rng(seed).normal(size=n)
    out = [kicks[0]]
    for kick in kicks[1:]:
        out.append(keep * out[-1] + np.sqrt(1 - keep**2) * kick)
    return np.array(out)


def test_energy_fluctuations_are_no_drift_but_a_slope_and_a_number_that_is_none_are() -> None:
    noise = 2e-4 * correlated(100, 1, 0)
    noise[0] = 2e-3  # E(0) is no mean
    assert energy_drift(noise) < 1e-4
    assert energy_drift(noise + np.linspace(0, 4e-3, 100)) == pytest.approx(2e-3, rel=0.05)
    assert energy_drift([5.0, 4.0]) == 1.0
    assert energy_drift([5.0]) == 0.0
    assert np.isnan(energy_drift([1.0, 2.0, np.nan, 3.0]))


def test_the_pressure_of_a_steady_run_is_sound_and_that_of_a_ramp_is_not() -> None:
    for seed in range(200):
        assert not problems(Health(pressure=plateau(correlated(100, 2.5, seed))))
    assert problems(Health(pressure=plateau(np.linspace(0, 1, 100) + 0.05 * correlated(100, 1, 0))))


def test_the_pressure_of_a_short_series_is_not_judged() -> None:
    assert not problems(Health(pressure=plateau(np.arange(19.0))))
    assert problems(Health(pressure=plateau(np.arange(20.0))))


# ---------------------------------------------------------------- crystals


@pytest.mark.parametrize("kind", CRYSTALS)
def test_crystals_are_crystal_like_also_when_warm(kind: str) -> None:
    assert crystal_fraction(crystal(kind)) == 1.0
    assert crystal_fraction(crystal(kind, noise=0.05)) > 0.99
    assert crystal_fraction(crystal(kind, noise=0.08)) > 0.9


@pytest.mark.parametrize("name", MODELS)
def test_liquids_and_glasses_are_not(name: str) -> None:
    assert crystal_fraction(liquid(name).configuration) < 0.02
    assert crystal_fraction(glass(name).configuration) < 0.02


def test_icosahedra_do_not_count() -> None:
    assert crystal_fraction(icosahedra()) < 0.01


def test_a_real_supercooled_liquid_is_not_crystal_like(shared: Path) -> None:
    for kind in ("initial", "inherent"):
        c = read(shared / f"data/ka_T0.44/sample_01.{kind}.dump", species=("A", "B"))
        assert crystal_fraction(c) < 0.01


def test_half_a_crystal_counts_half() -> None:
    solid = crystal("fcc")
    x = solid.positions.copy()
    molten = solid.fractional()[:, 2] % 1.0 < 0.5
    x[molten] += np.random.default_rng(0).normal(0, 0.3, (int(molten.sum()), 3))
    assert 0.2 < crystal_fraction(solid.replace(positions=x)) < 0.55


def test_the_crystal_share_depends_on_neither_cell_nor_orientation_nor_density() -> None:
    c = crystal("hcp", noise=0.1)
    share = crystal_fraction(c)
    assert 0.3 < share < 0.95
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]  # a reflection too
    a, b, d = c.cell
    flipped = np.stack([a, b + a, d - 2 * a])
    for other in (
        c.replace(positions=c.positions @ turn, cell=c.cell @ turn),
        c.replace(positions=c.positions + 7 * a, cell=flipped),
        c.replace(positions=1.3 * c.positions, cell=1.3 * c.cell),
    ):
        assert crystal_fraction(other) == pytest.approx(share, abs=0.005)  # positions are float32


def test_crystals_that_cannot_be_looked_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"the cell is 2 thick, bond order needs more than 3\.94"):
        crystal_fraction(Configuration(positions=np.eye(3), species="A", cell=2.0))
    with pytest.raises(InputError, match="no particles"):
        crystal_fraction(Configuration(positions=np.empty((0, 3)), species=[], cell=5.0))
    monkeypatch.setitem(sys.modules, "freud", None)
    with pytest.raises(SimulationError, match=r"found by freud, .* pip install amorphace\[sim\]"):
        crystal_fraction(crystal("fcc"))


# ---------------------------------------------------------------- aging


def test_aging_is_the_largest_change_of_fs_over_the_common_times() -> None:
    assert aging([0.9, 0.5, 0.2], [0.9, 0.7, 0.1]) == pytest.approx(0.2)
    assert aging([0.9, 0.5], [0.9, 0.5, 0.1]) == 0.0


def test_aging_of_nothing_or_of_no_numbers_is_refused() -> None:
    with pytest.raises(InputError, match=r"Fs of two windows at the same times, got shapes \(0,\)"):
        aging([], [0.5])
    with pytest.raises(InputError, match="needs finite numbers"):
        aging([np.nan], [0.5])
