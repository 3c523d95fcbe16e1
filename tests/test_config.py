"""Experiment files: presets are valid, and every mistake is named with its key and its range."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amorphace.config import PROTOCOLS, SCALES, Experiment, experiment_text, read_experiment
from amorphace.config.experiment import SECTIONS
from amorphace.core.codec import decode
from amorphace.core.errors import FileFormatError, InputError
from amorphace.simulate.models import MODELS, GlassModel

SMALL = """
[experiment]
name = "a liquid"
[model]
name = "kob-andersen"
[preparation]
n_particles = 300
n_samples = 3
melt_time = 5
quench_time = 20
temperature = 0.7
[thermal]
replicas = 3
"""

TERNARY = """
[model]
name = "ternary"
species = ["A", "B", "C"]
fractions = [0.6, 0.2, 0.2]
masses = [1.0, 1.0, 1.0]
number_density = 1.2
temperature = 0.6
lag = 10.0
citation = "an example"
[model.potential]
epsilon = [[1.0, 1.5, 1.2], [1.5, 0.5, 1.0], [1.2, 1.0, 0.8]]
sigma = [[1.0, 0.8, 0.9], [0.8, 0.88, 0.84], [0.9, 0.84, 0.94]]
cutoff = 2.5
smooth_from = 2.2
"""


def read(folder: Path, text: str):
    file = folder / "a.toml"
    file.write_text(text)
    return read_experiment(file)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("model", MODELS)
def test_presets_of_all_six_cases_are_valid(tmp_path, model, protocol, scale):
    experiment = read(tmp_path, experiment_text(model, protocol, scale))
    assert experiment.protocol == protocol
    assert experiment.glass().name == model
    assert (experiment.preparation.temperature == 0) == (protocol == "shear")


def test_the_paper_scale_holds_the_numbers_of_the_paper(tmp_path):
    thermal = read(tmp_path, experiment_text("kob-andersen", "thermal", "paper"))
    assert thermal.preparation.n_particles == 30_000
    assert thermal.preparation.n_samples == 30
    assert thermal.thermal is not None
    assert thermal.thermal.replicas == 30
    assert thermal.thermal.lag == 5000
    assert thermal.preparation.temperature == 0.44
    assert thermal.preparation.quench_time == 50_000
    assert thermal.describe.cutoffs == (2.0, 2.5, 3.0, 4.0)
    assert (thermal.describe.max_degree, thermal.describe.n_max) == (10, 10)
    assert thermal.describe.distance_transform == "ace1"
    shear = read(tmp_path, experiment_text("bead-spring", "shear", "paper"))
    assert shear.shear is not None
    assert shear.how_sheared().increment == 5e-5
    assert shear.how_sheared().pre_strain == 0.10
    assert shear.shear.strain == 0.01
    assert shear.shear.threshold == 0.6
    assert shear.preparation.quench_time == 500
    assert (shear.describe.max_degree, shear.describe.n_max) == (18, 20)


def test_an_option_of_a_model_reaches_its_potential(tmp_path):
    text = SMALL.replace('"kob-andersen"', '"kob-andersen"\nsigma_ab = 0.88')
    potential = read(tmp_path, text).glass().potential
    assert potential.diameters[0][1] == 0.88
    assert read(tmp_path, SMALL).glass().potential.diameters[0][1] == 0.80


def test_a_new_model_is_its_numbers(tmp_path):
    before, after = SMALL.split('[model]\nname = "kob-andersen"\n')
    glass = read(tmp_path, before + TERNARY + after).glass()
    assert glass.species == ("A", "B", "C")
    assert glass.counts(300) == (180, 60, 60)
    words = [line.split() for line in glass.potential.commands()]
    (pair,) = (w[3:] for w in words if w[:3] == ["pair_coeff", "1", "3"])
    assert [float(x) for x in pair] == [1.2, 0.9]


def test_pressure_and_density_of_the_file_replace_those_of_the_model(tmp_path):
    text = SMALL.replace("melt_time", "number_density = 1.1\nmelt_time")
    assert read(tmp_path, text).glass().number_density == 1.1


MISTAKES = {
    "unknown model": (
        '"kob-andersen"', '"kob"', "unknown model 'kob'; choose one of bead-spring",
    ),
    "unknown option": (
        '"kob-andersen"', '"kob-andersen"\nsgma = 1', "model.sgma: not an option",
    ),
    "temperature below zero": (
        "temperature = 0.7", "temperature = -0.7",
        "preparation: temperature must be a number from 0 to 1e+09, got -0.7",
    ),
    "no temperature": (
        "temperature = 0.7", "temperature = 0", "preparation.temperature must be above 0",
    ),
    "unknown key": (
        "n_samples", "n_sample", "n_sample is unknown to PreparationSection; did you mean n_s",
    ),
    "missing key": (
        "n_samples = 3\n", "", "the field preparation.n_samples of PreparationSection is missing",
    ),
    "a word for a number": (
        "melt_time = 5", 'melt_time = "long"', "melt_time: a number is needed, got 'long'",
    ),
    "neither protocol": (
        "[thermal]\nreplicas = 3", "", "one of the tables [thermal] and [shear]",
    ),
    "both protocols": (
        "[thermal]", "[shear]\n[thermal]", "[thermal] and [shear], and only one",
    ),
    "a lag of no meaning": (
        "replicas = 3", 'lag = "tau"', "thermal.lag: one of 'tau_alpha' is needed, got 'tau'",
    ),
    "not TOML": ("[experiment]", "[experiment", "not TOML"),
    "not a number": (
        "melt_time = 5", "melt_time = nan", "melt_time must be a number from 0 to 1e+12, got nan",
    ),
    "an interval shorter than a step": (
        "[thermal]\nreplicas = 3", "[shear]\nincrement = 1e-3\ninterval = 1e-4",
        "shear: interval must be at least increment, 0.001, got 0.0001",
    ),
    "shear of a liquid": (
        "[thermal]\nreplicas = 3", "[shear]", "must be 0 for a shear experiment",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_file_key_and_range(tmp_path, name):
    old, new, message = MISTAKES[name]
    assert old in SMALL
    with pytest.raises(FileFormatError) as caught:
        read(tmp_path, SMALL.replace(old, new))
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "a.toml"))


COPPER = """
[model]
name = "copper"
species = ["Cu"]
fractions = [1.0]
masses = [63.546]
number_density = 0.08
temperature = 800.0
lag = 1.0
timestep = 0.002
units = "metal"
citation = "an example"
[model.potential]
file = "pots/Cu.alloy"
elements = ["Cu"]
diameters = [[2.5]]
"""


def test_a_potential_file_counts_from_the_folder_of_the_experiment(tmp_path, monkeypatch):
    text = SMALL.replace('[model]\nname = "kob-andersen"\n', COPPER)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    place = tmp_path / "pots" / "Cu.alloy"
    with pytest.raises(FileFormatError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert "model.potential.file: 'pots/Cu.alloy' counts from the folder of the exp" in message
    assert f"there is no file {place}; put it there" in message
    place.parent.mkdir()
    place.touch()
    for name in ("pots/Cu.alloy", str(place)):
        experiment = read(tmp_path, text.replace("pots/Cu.alloy", name))
        assert experiment.glass().potential.commands()[1] == f"pair_coeff * * {place} Cu"
        assert experiment.model["potential"]["file"] == name


def test_particles_that_do_not_divide_into_chains_are_refused(tmp_path):
    text = SMALL.replace("kob-andersen", "bead-spring").replace("300", "310")
    with pytest.raises(FileFormatError, match=r"multiple of the chain length 20 .* use 300 or 320"):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileFormatError, match=r"no\.toml: cannot be read"):
        read_experiment(tmp_path / "no.toml")


def test_unknown_names_of_presets_are_refused():
    with pytest.raises(InputError, match="unknown protocol 'stir'; choose one of thermal, shear"):
        experiment_text("kob-andersen", "stir")
    with pytest.raises(InputError, match="unknown scale 'days'; choose one of minutes, hours"):
        experiment_text("kob-andersen", "thermal", "days")


SHEARED = SMALL.replace("temperature = 0.7", "temperature = 0").partition("[thermal]")[0]
UNUSABLE = {
    "the same cutoff twice": (
        SMALL + "[describe]\ncutoffs = [2, 3.0, 2.0]",
        r"describe: cutoffs must differ, got 2.0, 3.0, 2.0",
    ),
    "r0 beyond a cutoff": (
        SMALL + "[describe]\ncutoffs = [1.0, 4.0]\nr0 = 1.5",
        r"cutoff 1.0 is too short for r0 = 1.5",
    ),
    "a table that nobody can learn from": (
        SMALL + "[describe]\nmax_order = 4\nmax_degree = 60",
        r"max_order 4, max_degree 60 and n_max 10 make about .* sets of channels",
    ),
    "one sample": (
        SMALL.replace("n_samples = 3", "n_samples = 1"), r"at least 3 .* got 1",
    ),
    "two samples": (
        SMALL.replace("n_samples = 3", "n_samples = 2"), r"at least 3 .* got 2",
    ),
    "three samples for two folds": (
        SMALL + "[learn]\nfolds = 2",
        r"n_samples must be at least 4 with learn.folds = 2, got 3: a fold leaves 1 to learn from",
    ),
    "an interval without a step": (
        SHEARED + "[shear]\nincrement = 1e-3\ninterval = 1e-4",
        r"shear: interval must be at least increment",
    ),
    "data without a step": (
        SHEARED + "[shear]\nincrement = 1e-3\nstrain = 1e-4",
        r"shear: strain must hold a step of increment, 0.001, got 0.0001",
    ),
    "a time without an end": (
        SMALL.replace("quench_time = 20", "quench_time = 1e308"),
        r"preparation: quench_time must be a number from 0 to 1e\+12, got 1e\+308",
    ),
    "more steps than can be counted": (
        SMALL.replace('name = "kob-andersen"\n', "").replace("[model]", TERNARY)
        .replace("lag = 10.0", "lag = 10.0\ntimestep = 1e-16"),
        r"preparation.melt_time must be less than 0.1, 1e\+15 steps of 1e-16, got 5",
    ),
    "a command that does not end": (
        SMALL + "[run]\nlammps = \"mpiexec 'lmp\"",
        r"run: lammps must be a command, got .*No closing quotation",
    ),
    "no command": (
        SMALL + '[run]\nlammps = " "', r"run: lammps must be a command in one line",
    ),
    "nothing to label": (
        SMALL.replace('name = "kob-andersen"\n', "").replace("[model]", TERNARY)
        .replace("[0.6, 0.2, 0.2]", "[0.0, 0.5, 0.5]"),
        r"0 of 300 particles are of the first species, A",
    ),
    "one species twice": (
        SMALL.replace('name = "kob-andersen"\n', "").replace("[model]", TERNARY)
        .replace('"C"', '"A"'),
        r"model.species must differ, got A, B, A",
    ),
    "an infinite number": (
        SMALL.replace('name = "kob-andersen"\n', "").replace("[model]", TERNARY)
        .replace("epsilon = [[1.0", "epsilon = [[inf"),
        r"model.potential.epsilon must be a number up to 1e12, got inf",
    ),
    "an infinite option": (
        SMALL.replace("[preparation]", "sigma_ab = inf\n[preparation]"),
        r"model.sigma_ab must be a number above 0 up to 1e\+06, got inf",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_could_only_fail_later_is_refused_when_the_file_is_read(tmp_path, name):
    text, message = UNUSABLE[name]
    with pytest.raises(FileFormatError, match=message):
        read(tmp_path, text)


def test_what_is_executed_is_named():
    text = (
        SMALL
        + """
[run]
lammps = "mpiexec -n 8 lmp"
[cluster]
kind = "slurm"
jobs = 2
options = { cores = 1, scheduler_options = { preload = "a.py" } }
"""
    )
    found = decode(Experiment, tomllib.loads(text)).programs
    assert found[0] == "run.lammps = 'mpiexec -n 8 lmp'"
    assert "cluster.options.scheduler_options = {'preload': 'a.py'}" in found
    assert decode(Experiment, tomllib.loads(SMALL)).programs == ()


# ---------------------------------------------------------------- any file at all


def toml(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float):
        return str(value)
    return json.dumps(value) if isinstance(value, bool | int) else value.isoformat()


NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(-3, 70), st.floats(), st.floats(0, 5)
)
WORDS = st.one_of(st.text(max_size=8), st.sampled_from(["paper", "tau_alpha", "steps", "A", "lmp"]))
LEAVES = st.one_of(NUMBERS, WORDS, st.booleans(), st.datetimes(), st.dates(), st.times())
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
WHOLE = tomllib.loads(SMALL)
NEW_MODEL = WHOLE | {"model": tomllib.loads(TERNARY)["model"]}
AT_REST = {k: v for k, v in WHOLE.items() if k != "thermal"} | {
    "preparation": WHOLE["preparation"] | {"temperature": 0}, "shear": {}, "run": {},
    "cluster": {"kind": "slurm", "jobs": 2}, "label": {}, "describe": {}, "learn": {},
}  # fmt: skip


@st.composite
def changes(draw) -> tuple[dict[str, Any], list[str]]:
    """An experiment in which keys have any values, and these keys."""
    tables = {k: dict(v) for k, v in draw(st.sampled_from([WHOLE, NEW_MODEL, AT_REST])).items()}
    changed = []
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from([*tables]))
        known = [f.name for f in fields(SECTIONS.get(name, GlassModel))]
        key = draw(st.one_of(st.sampled_from(known), WORDS))
        tables[name][key] = draw(VALUES)
        changed += [name, key]
    return tables, changed


@given(changes())
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_read_or_refused_with_the_name_of_a_key(tmp_path, case):
    tables, changed = case
    text = "\n".join(
        f"[{name}]\n" + "\n".join(f"{toml(key)} = {toml(value)}" for key, value in table.items())
        for name, table in tables.items()
    )
    try:
        json.dumps(read(tmp_path, text).to_dict(), allow_nan=False)
    except FileFormatError as error:
        said = str(error).removeprefix(str(tmp_path / "a.toml"))
        assert any(word in said for word in changed if word), said


@given(st.dictionaries(WORDS | st.sampled_from([*SECTIONS, "model"]), VALUES, max_size=5))
def test_any_tables_at_all_are_refused_in_one_sentence(tables):
    with pytest.raises(FileFormatError, match=r"^a\.toml: ."):
        decode(Experiment, tables, source="a.toml")


def test_one_large_thermal_sample_is_enough_and_a_small_or_sheared_one_is_not(tmp_path):
    text = experiment_text("kob-andersen", "thermal", "paper")
    one = re.sub(r"n_samples = \d+", "n_samples = 1", text)
    assert read(tmp_path, one).preparation.n_samples == 1
    few = re.sub(r"n_particles = \d+", "n_particles = 1000", one)
    with pytest.raises(FileFormatError, match="or, of thermal ones, so many particles that blocks"):
        read(tmp_path, few)
    sheared = experiment_text("kob-andersen", "shear", "paper")
    with pytest.raises(FileFormatError, match=r"n_samples must be at least 3 .* got 1"):
        read(tmp_path, re.sub(r"n_samples = \d+", "n_samples = 1", sheared))
