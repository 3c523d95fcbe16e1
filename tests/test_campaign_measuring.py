"""Units that observe, on inputs that are written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from amorphace.campaign.context import configuration_arrays
from amorphace.campaign.plan import make_plan
from amorphace.campaign.store import Outcome, Store
from amorphace.campaign.work import do_unit
from amorphace.config import Experiment
from amorphace.core.configuration import Configuration


def test_drift_is_that_of_the_centre_of_mass(tmp_path):
    """One light and one heavy particle that recoil from each other leave the rest at rest."""
    tables = {
        "experiment": {"name": "drift"},
        "model": {"name": "wahnstrom"},
        "preparation": {
            "n_particles": 40, "n_samples": 1, "melt_time": 1, "quench_time": 1, "temperature": 1,
        },
        "thermal": {"replicas": 2},
    }  # fmt: skip
    plan = make_plan(Experiment.model_validate(tables))
    unit = next(u for u in plan.units if u.kind == "measure")
    x = 1.1 * np.stack(np.meshgrid(*[np.arange(4)] * 3), axis=-1).reshape(-1, 3)[:40]
    start = Configuration(positions=x, species=["A"] * 20 + ["B"] * 20, cell=4.4)
    end = x.copy()
    end[5] += [0.1, 0, 0]
    end[25] -= [0.2, 0, 0]
    store = Store(tmp_path)
    for one in plan.units:
        if one.id in unit.inputs["reference"]:
            store.write(one, Outcome(arrays=configuration_arrays(start)), {})
        if one.id in unit.inputs["replicas"]:
            store.write(one, Outcome(arrays={"end_inherent": end}), {})
    do_unit(store, unit)
    moved = np.zeros(40)
    moved[[5, 25]] = 0.1, 0.2
    assert store.array(unit.id, "propensity") == pytest.approx(moved, abs=1e-12)
