"""Processor time of the parts, kept for each version: `make bench`, then docs/benchmarks.md.

One file of results a version lies in benchmarks/history; `pytest-benchmark compare` sets them
side by side.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packing import packing

import amorphace as am
from amorphace.core.configuration import Configuration
from amorphace.learn.curves import accuracy_curve
from amorphace.simulate.dynamics import Stage, run_stage
from amorphace.simulate.inherent import inherent_structure
from amorphace.simulate.models import MODELS
from amorphace.simulate.preparation import Preparation, prepare
from amorphace.simulate.state import State

STEPS = 500
"""Of molecular dynamics."""


@pytest.fixture(scope="module")
def mixture() -> Configuration:
    return packing(30_000, 1.2, fraction_b=0.2)


@pytest.fixture(scope="module")
def liquid() -> State:
    """2000 particles of the Kob-Andersen mixture, briefly at T = 1."""
    model = MODELS["kob-andersen"]
    warm = Preparation(n_particles=2000, melt_time=5, quench_time=5, temperature=1.0)
    *_, last = prepare(model, warm, seed=1)
    return last.state


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_describe_4000_sites_with_574_features(
    benchmark: Any, mixture: Configuration, dtype: str
) -> None:
    ace = am.ACEDescriptor(species=("A", "B"), dtype=dtype)
    sites = am.Sites(mixture, np.arange(4000))
    assert benchmark(ace.transform, sites).shape == (4000, 574)


def test_d2min_of_30000_particles(benchmark: Any, mixture: Configuration) -> None:
    rng = np.random.default_rng(0)
    after = mixture.replace(positions=mixture.positions + rng.normal(0, 0.1, (len(mixture), 3)))
    assert benchmark(am.d2min, mixture, after, cutoff=2.5).shape == (30_000,)


def test_read_a_dump_of_30000_particles(
    benchmark: Any, mixture: Configuration, tmp_path: Path
) -> None:
    am.write(tmp_path / "glass.dump", mixture)
    read = benchmark(am.read, tmp_path / "glass.dump", species=("A", "B"))
    assert len(read) == len(mixture)


def test_curve_of_accuracy_over_2000_sites_and_200_columns(benchmark: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 200))
    y = (X[:, :20].sum(1) + rng.normal(0, 4, 2000) > 0).astype(int)
    sizes, sample = (1, 5, 20, 100, 200), np.repeat(np.arange(5), 400)
    curve = benchmark.pedantic(accuracy_curve, (X, y, sample), {"n_columns": sizes}, rounds=3)
    assert curve.mean[-1] > 0.6


def test_500_steps_of_2000_particles(benchmark: Any, liquid: State) -> None:
    model = MODELS["kob-andersen"]
    stage = Stage(name="bench", ensemble="nvt", duration=STEPS * model.timestep, start=1.0)
    benchmark.pedantic(lambda: list(run_stage(model, liquid, stage, seed=1)), rounds=5)


def test_inherent_structure_of_2000_particles(benchmark: Any, liquid: State) -> None:
    model = MODELS["kob-andersen"]
    benchmark.pedantic(inherent_structure, (model, liquid.configuration), rounds=1)
