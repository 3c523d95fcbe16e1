"""Functions that observe, without a runner."""

from __future__ import annotations

import json

import numpy as np
import pytest

from amorphace.campaign.health import health_entry
from amorphace.campaign.measure import measure_isoconfigurational
from amorphace.core.configuration import Configuration
from amorphace.simulate import Health, Plateau
from amorphace.simulate.models import wahnstrom


def test_drift_is_that_of_the_centre_of_mass():
    """One light and one heavy particle that recoil from each other leave the rest at rest."""
    x = 1.1 * np.stack(np.meshgrid(*[np.arange(4)] * 3), axis=-1).reshape(-1, 3)[:40]
    start = Configuration(positions=x, species=["A"] * 20 + ["B"] * 20, cell=4.4)
    heavy, light = wahnstrom(mass_a=2.0).masses
    end = x.copy()
    end[5] += [0.1 / heavy, 0, 0]
    end[25] -= [0.1 / light, 0, 0]
    seen = measure_isoconfigurational(
        wahnstrom(mass_a=2.0), start, [start.replace(positions=end)], 2.5
    )
    moved = np.zeros(40)
    moved[[5, 25]] = 0.1 / heavy, 0.1 / light
    assert seen.propensity == pytest.approx(moved, abs=1e-12)


def test_what_was_checked_is_json_whatever_was_measured() -> None:
    level = Plateau(float("nan"), float("inf"))
    entry = health_entry("end", Health(energy_drift=float("nan"), fmax=1e-6, pressure=level))
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry
    assert entry["numbers"] == {
        "energy_drift": "nan", "fmax": 1e-6, "pressure": {"mean": "nan", "drift": "inf"}
    }  # fmt: skip
