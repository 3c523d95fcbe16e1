"""Functions that observe, without a runner."""

from __future__ import annotations

import numpy as np
import pytest

from amorphace.campaign.measure import measure_isoconfigurational
from amorphace.core.configuration import Configuration
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
