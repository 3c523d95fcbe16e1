"""Models that come with the package are made of finished experiments."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import amorphace as am
from amorphace.front.predictor import shipped_models

RUNNING = "glasses at mechanical equilibrium in shear"


@pytest.fixture(scope="module")
def models():
    path = Path(__file__).parents[1] / "examples" / "models.py"
    if not path.is_file():
        pytest.skip("needs examples/ beside tests/")
    spec = importlib.util.spec_from_file_location("models_of_the_package", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


def test_each_model_that_comes_with_the_package_can_be_made_again(models):
    assert set(shipped_models()) <= set(models.CASES)


@pytest.mark.parametrize(
    ("protocol", "last", "structure"),
    [
        ("thermal", "Spearman with propensity", "inherent structures"),
        (
            "shear",
            "rank of an event's core, 2 AUC - 1",
            "glasses at mechanical equilibrium in shear",
        ),
    ],
)
def test_a_finished_experiment_becomes_a_model(
    models, finished, tmp_path, protocol, last, structure
):
    file, _, _ = finished[protocol]
    made = models.Experiment(file.name).make(file.parent)
    assert made.scores[0].name == "accuracy"
    assert made.scores[-1].name == last
    assert all(np.isfinite(score.mean) for score in made.scores)
    assert made.card.structure == structure
    assert {name[0] for name in made.model.names} == {"A", "B"}
    made.save(tmp_path / "model.json")
    assert (tmp_path / "model.json").stat().st_size < models.MOST_BYTES
    again = am.load_model(tmp_path / "model.json")
    assert again.card.title == made.card.title
    assert models.Experiment("none.toml").make(file.parent) is None
