"""Health numbers and the sentences about them."""

from __future__ import annotations

import numpy as np
import pytest

from amorphace.simulate import MODELS, Health, Plateau, Tolerances, longest_bond, plateau, problems
from simulate_samples import hot


def test_a_plateau_has_no_drift_and_a_ramp_has_half_its_height() -> None:
    assert plateau(np.full(10, 3.0)) == Plateau(3.0, 0.0)
    level = plateau(np.linspace(0, 1, 1001))
    assert level is not None
    assert level.mean == pytest.approx(0.5)
    assert level.drift == pytest.approx(0.5, abs=1e-3)


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
    sound = Health(energy_drift=1e-4, longest_bond=1.08, fmax=1e-6, temperature=Plateau(0.6, 0.01))
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
    ],
)
def test_what_is_wrong_is_said(health: Health, sentence: str) -> None:
    (found,) = problems(health)
    assert found.startswith(sentence)


def test_tolerances_can_be_chosen() -> None:
    assert problems(Health(fmax=1e-3), Tolerances(fmax=1e-2)) == ()
