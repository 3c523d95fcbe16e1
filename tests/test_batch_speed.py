"""What is said of the speed of the engines, and of what experiments take on a device."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest
from typer.testing import CliRunner

from amorphace.campaign.budget import budget
from amorphace.campaign.devices import (
    CONSUMER,
    CPU,
    H100,
    H200,
    device_called,
    device_in_words,
    device_of,
)
from amorphace.campaign.plan import make_plan
from amorphace.cli import app
from amorphace.config import experiment_text, read_experiment
from amorphace.config.sections import RunSection
from amorphace.core.errors import InputError
from amorphace.simulate import MODELS, LammpsEngine
from batch_samples import DEVICE
from simulate_samples import liquid

pytest.importorskip("warp")


def said(*words: object) -> str:
    """Output of a command that ends well."""
    result = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def test_both_engines_are_timed_and_conserve_energy_alike(tmp_path, monkeypatch):
    monkeypatch.setattr("amorphace.simulate.batch.speed.ROUNDS", 3)
    file = tmp_path / "a.json"
    text = said(
        "bench-engine", "--device", DEVICE, "--sizes", "2x170", "--steps", 20, "-o", file
    )  # fmt: skip
    assert "2 x 170" in text
    kept = json.loads(file.read_text())
    assert kept["seed"] == 0
    assert kept["device"].startswith("one core of ") == (DEVICE == "cpu")
    assert kept["programs"]["warp-lang"] != "not installed"
    rows = kept["speeds"]
    there = [("openmm", "mixed")] if find_spec("openmm") else []
    assert [(r["engine"], r["precision"]) for r in rows] == [
        ("batch", "mixed"), ("batch", "double"), ("lammps", "double"), *there,
    ]  # fmt: skip
    assert all(r["drift"] < 5e-3 for r in rows)
    assert rows[0]["drift"] == pytest.approx(rows[1]["drift"], rel=0.1)
    assert all(r["rate"] > 0 for r in rows)


def test_openmm_is_given_the_liquid_of_the_engines():
    pytest.importorskip("openmm")
    from amorphace.simulate.batch.openmm import energies, forces, openmm_context

    model, start = MODELS["kob-andersen"], liquid("kob-andersen")
    context = openmm_context(model, start, device=DEVICE)
    with LammpsEngine(model, start.configuration) as engine:
        engine.commands(["run 0 post no"])
        exact = engine.forces()
        # in single precision
        assert np.abs(forces(context) - exact).max() < 3e-5 * np.abs(exact).max()
        assert energies(context)[0] == pytest.approx(engine.thermo("pe"), rel=1e-6)


def test_a_size_that_is_none_is_named():
    result = CliRunner().invoke(app, ["bench-engine", "--sizes", "30"])
    assert isinstance(result.exception, InputError)
    assert "a size is systems x particles, such as 30x4096; got '30'" in str(result.exception)


def test_the_papers_cases_on_one_gpu(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text(
        said("init", "kob-andersen", "thermal", "--scale", "paper", "--engine", "batch")
    )
    found = read_experiment(file)
    assert (found.run.engine, found.run.device) == ("batch", "cuda")
    assert found.preparation.n_samples == 4
    assert found.preparation.n_particles == 30_000
    assert (found.thermal.replicas, found.thermal.lag) == (30, 5000)
    text = said("run", file, "--dry-run")
    assert "GPU hours" in text
    assert "of one core to measure, describe and learn" in text
    assert "on 64 cores" not in text
    plan = make_plan(found)
    kinds = {k.kind: k for k in budget(plan)}
    assert (kinds["replica"].core_hours, kinds["measure"].gpu_hours) == (0, 0)
    assert kinds["measure"].core_hours > 0
    # 64 of 120 runs side by side take more than half of the time of all
    replica = kinds["replica"]
    assert replica.longest_hours == pytest.approx(64 / 120 * replica.gpu_hours)
    shear = experiment_text("wahnstrom", "shear", "paper", "batch")
    assert "n_samples = 30" in shear
    with pytest.raises(InputError, match="unknown engine 'gpu'; choose one of lammps, batch"):
        experiment_text("wahnstrom", "shear", "paper", "gpu")


def test_estimates_go_by_the_device_at_hand():
    for name, device in (
        ("NVIDIA H200", H200),
        ("NVIDIA H100 80GB HBM3", H100),
        ("NVIDIA GeForce RTX 4090", CONSUMER),
        ("", H200),
    ):
        assert device_called(name) is device
    away = RunSection(engine="batch", device="cuda:99")
    assert device_of(away) is H200
    basis = "by the rates of a prototype, shear and minima extrapolated"
    assert device_in_words(away) == f"one H200, {basis} (no device cuda:99 is here)"
    assert CONSUMER.minima.seconds(30_000, 30) > 3 * H200.minima.seconds(30_000, 30)


def test_hours_of_the_batch_on_a_processor_are_core_hours(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text(experiment_text("kob-andersen", "shear", "minutes", "batch"))
    found = read_experiment(file, run={"device": "cpu"})
    assert device_of(found.run) is CPU
    kinds = budget(make_plan(found))
    assert sum(k.gpu_hours for k in kinds) == 0
    text = said("run", file, "--device", "cpu", "--dry-run")
    assert "GPU" not in text
    assert "on one core, by the rates of amorphace bench-engine:" in text
