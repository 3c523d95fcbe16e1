import csv
import io
import json
import re
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import typer

import amorphace as am
from amorphace import cli
from amorphace.ace.features import Features
from amorphace.config import experiment_text
from amorphace.dataset.zarr_table import read_table
from amorphace.learn.bundle import read_analysis
from amorphace.learn.model import LinearModel

from test_ace_features import glass

SPECIES = ["--species", "A", "B"]
BASIS = ["--max-order", "2", "--max-degree", "5", "--n-max", "5"]


def run(*words):
    """Exit code of the command line, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["amorphace", *map(str, words)])
        try:
            cli.main()
        except SystemExit as end:
            return end.code or 0
    return 0


def write_ensemble(folder: Path, count: int, ends: str = "ends.dump") -> None:
    """Glasses in which particles near many B move far, in four runs each."""
    rng = np.random.default_rng(8)
    ace = am.ACEDescriptor(cutoff=2.0, species=("A", "B"), max_order=1)
    for k in range(count):
        g = glass(k, n=64)
        near_b = -ace.transform(g)[:, 10]
        size = 0.02 + 0.1 * (near_b > np.median(near_b))
        moved = [
            g.replace(positions=g.positions + size[:, None] * rng.normal(size=(64, 3)))
            for _ in range(4)
        ]
        am.write(folder / f"s{k}.initial.dump", g)
        am.write(folder / f"s{k}.{ends}", moved)


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble")
    write_ensemble(folder, 6, "ends.dump.gz")
    return folder


@pytest.fixture(scope="module")
def labels(ensemble):
    path = ensemble / "labels.zarr"
    starts = sorted(ensemble.glob("*.initial.dump"))
    ends = sorted(ensemble.glob("*.ends.dump.gz"))
    options = ["--cutoff", 1.6, "--fraction", 0.2, "-o", path]
    assert run("label", *starts, "--endpoints", *ends, *SPECIES, *options) == 0
    return path


@pytest.fixture(scope="module")
def table(ensemble, labels):
    path = ensemble / "table.zarr"
    starts = sorted(ensemble.glob("*.initial.dump"))
    words = ["--labels", labels, *SPECIES, *BASIS, "--cutoff", 1.5, 2.0, "-o", path]
    assert run("describe", *starts, *words) == 0
    return path


def test_label_finds_who_moved_and_says_how_it_was_done(labels):
    data = read_table(labels)
    assert len(data) == 6 * 64
    for k in range(6):
        in_sample = data.sample == k
        active = in_sample & (data.label == 1)
        assert active.sum() == (in_sample & (data.label == 0)).sum() > 0
        others = in_sample & (data.label != 1) & (data.species == "A")
        assert data.targets["d2min"][active].min() >= data.targets["d2min"][others].max()
    assert set(data.species[data.label >= 0]) == {"A"}
    origin = data.provenance
    assert origin["parameters"]["fraction"] == 0.2
    assert origin["command"].startswith("amorphace label")
    assert len(origin["inputs"]) == 12


def test_the_drift_is_taken_off_with_the_masses_of_the_species(ensemble, tmp_path, capsys):
    start = am.read(ensemble / "s0.initial.dump", species=("A", "B"))
    ends = list(am.iread(ensemble / "s0.ends.dump.gz", species=("A", "B")))
    files = [ensemble / "s0.initial.dump", "--endpoints", ensemble / "s0.ends.dump.gz", *SPECIES]
    out, words = tmp_path / "labels.zarr", ["--cutoff", 1.6, "--fraction", 0.2]
    assert run("label", *files, *words, "--masses", 2, 0.5, "--n-jobs", 2, "-o", out) == 0
    masses = np.where(start.species == "A", 2.0, 0.5)
    expected = am.propensity(start, ends, masses=masses)
    found = read_table(out)
    np.testing.assert_allclose(found.targets["propensity"], expected, rtol=1e-12)
    assert abs(am.propensity(start, ends) - expected).max() > 1e-6
    assert found.provenance["parameters"]["masses"] == [2.0, 0.5]
    capsys.readouterr()
    for given, text in (
        ([2], "masses (--masses) must be one for each of the species A, B, in their order; got 1"),
        ([2, 0], "masses must be 64 positive numbers"),
    ):
        other = tmp_path / "other.zarr"
        assert run("label", *files, *words, "--masses", *given, "-o", other) == 2
        assert text in " ".join(capsys.readouterr().err.split())


def test_describe_gives_each_labelled_particle_its_own_features(ensemble, table):
    data = read_table(table)
    assert data.cutoffs == (1.5, 2.0)
    basis = {"max_order": 2, "max_degree": 5, "n_max": 5, "dtype": "float32"}
    ace = am.ACEDescriptor(cutoff=2.0, species=("A", "B"), **basis)
    assert data.columns.names == tuple(ace.get_feature_names_out())
    g = am.read(ensemble / "s3.initial.dump", species=("A", "B"))
    rows = data.sample == 3
    mask = np.isin(g.ids, data.particle_id[rows])
    X = dict(zip(g.ids[mask], ace.transform(am.Sites(g, mask)), strict=True))
    for row in np.flatnonzero(rows):
        np.testing.assert_array_equal(data.feature_rows(2.0)[row], X[data.particle_id[row]])


@pytest.fixture(scope="module")
def learned(table, labels, ensemble):
    """What learn makes of the table: its words, its folder, and what it says."""
    out, starts = ensemble / "results", sorted(ensemble.glob("s*.initial.dump"))
    words = ["learn", table, "-o", out, "--folds", 3, "--n-columns", 1, 5, 6, 10, "--n-jobs", 1]
    words += ["--labels", labels, "--configuration", *starts]
    said = io.StringIO()
    with redirect_stdout(said):
        assert run(*words) == 0
    return words, out, " ".join(said.getvalue().split())


def test_learn_writes_numbers_and_figure(learned, capsys):
    words, out, said = learned
    assert {p.name for p in out.iterdir()} >= {
        "analysis.json", "results.csv", "summary.json", "model.json", "accuracy.png",
        "accuracy.pdf",
    }  # fmt: skip
    analysis = read_analysis(out)
    assert analysis.curves("selection")[0].labels[0] == "B1"
    assert "Only 40 active sites" in analysis.warnings[1]
    assert list(analysis.warnings) == json.loads((out / "summary.json").read_text())["warnings"]
    model = LinearModel.from_json(out / "model.json")
    assert am.ACEDescriptor(**model.settings).get_feature_names_out()[
        : len(model.names)
    ].tolist() == list(model.names)
    assert model.centres == ("A",)
    summary = json.loads((out / "summary.json").read_text())
    best = {(s["cutoff"], s["n_columns"]): s["accuracy"] for s in summary["accuracy"]}
    assert best[2.0, 6] > best[2.0, 5] + 0.1  # the first B column decides
    assert summary["provenance"]["parameters"]["folds"] == 3
    with open(out / "results.csv") as stream:
        lines = [line for line in csv.DictReader(stream) if line["curve"] == "accuracy"]
    assert len(lines) == 2 * 4 * 3 * 5  # cutoffs, points, folds, scores
    assert "cutoff" in said
    assert run(*words) == 2
    assert "is there already" in capsys.readouterr().err


def test_learn_compares_the_score_with_what_all_particles_did(learned, tmp_path, capsys):
    words, out, said = learned
    asked = [tmp_path if word == out else word for word in words[: words.index("--configuration")]]
    assert run(*asked) == 2
    assert "--labels and --configuration are needed together" in capsys.readouterr().err
    assert "samples left out, the score correlates with d2min: Spearman 0." in said
    assert "Accuracy 0." in said
    assert "0.5 is chance; 80 labelled particles, the most and the least mobile of 6" in said
    (curve,) = read_analysis(out).curves("everyone")
    assert set(curve.labels) == {"d2min", "propensity"}


def test_json_alone_is_on_standard_output(ensemble, tmp_path, capsys):
    starts, ends = sorted(ensemble.glob("*.initial.dump")), sorted(ensemble.glob("*.ends.dump.gz"))
    words = ["--cutoff", 1.6, "--fraction", 0.2, "-o", tmp_path / "labels.zarr", "--json"]
    assert run("label", *starts, "--endpoints", *ends, *SPECIES, *words) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [s["name"] for s in found["samples"]] == [f"s{k}" for k in range(6)]
    assert "files matched by name" in err
    assert run("export", tmp_path / "labels.zarr", "-o", tmp_path / "labels.npz") == 0
    assert "written" in capsys.readouterr().out  # the next command speaks as ever


def test_the_program_says_its_version_and_groups_its_commands(capsys):
    assert run("--version") == 0
    assert re.fullmatch(r"amorphace \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)
    assert run("-h") == 0
    out = capsys.readouterr().out
    _, _, groups = out.partition("─ Your files")
    words = ["predict", "analyse", "label", "Experiments", "init", "Stores", "prune"]
    places = [groups.index(f" {word} ") for word in words]
    assert places == sorted(places)
    assert "--install-completion" in out
    assert run("label", "-h") == 0


def test_init_writes_the_file_that_it_is_given(tmp_path, capsys):
    file = tmp_path / "ka.toml"
    assert run("init", "kob-andersen", "thermal", "-o", file) == 0
    assert f"carry it out by: amorphace run {file}" in " ".join(capsys.readouterr().out.split())
    assert file.read_text() == experiment_text("kob-andersen", "thermal")
    assert run("init", "kob-andersen", "shear", "-o", file) == 2
    assert "is there already; give another name with -o" in capsys.readouterr().err


def test_export_puts_columns_beside_particles(ensemble, labels, tmp_path):
    start = ensemble / "s1.initial.dump"
    xyz = tmp_path / "s1.xyz"
    assert run("export", labels, "--configuration", start, "--sample", 2, "-o", xyz) == 0
    assert "d2min:R:1" in xyz.read_text().splitlines()[1]
    assert run("export", labels, "-o", tmp_path / "labels.csv") == 0
    assert run("export", labels, "-o", tmp_path / "labels.npz") == 0
    data = read_table(labels)
    with np.load(tmp_path / "labels.npz") as archive:
        assert any(np.array_equal(archive[k], data.targets["d2min"]) for k in archive)


def test_options_of_describe_are_the_fields_of_its_features(ensemble, tmp_path):
    (command,) = (
        c for c in typer.main.get_command(cli.app).commands.values() if c.name == "describe"
    )
    options = {p.name: p.default for p in command.params}
    for f in fields(Features):
        assert f.name == "cutoffs" or options[f.name] == f.default
    words = [*SPECIES, *BASIS, "--cutoff", "2.1", "--r0", "2.05", "--dtype", "float64"]
    assert run("describe", ensemble / "s0.initial.dump", *words, "-o", tmp_path / "f.zarr") == 0
    table = read_table(tmp_path / "f.zarr")
    assert table.feature_rows(2.1).dtype == np.float64
    assert table.provenance["parameters"]["r0"] == 2.05


def test_describe_without_labels_takes_every_frame(ensemble, tmp_path):
    path = tmp_path / "features.zarr"
    words = [*SPECIES, *BASIS, "--cutoff", 1.5, "--centres", "B", "-o", path]
    assert run("describe", ensemble / "s0.ends.dump.gz", *words) == 0
    data = read_table(path)
    assert data.sample_names == ("s0:0", "s0:1", "s0:2", "s0:3")
    assert set(data.species) == {"B"}


def test_info_names_the_kernel(capsys):
    assert run("info") == 0
    out = capsys.readouterr().out
    assert "kernel" in out
    assert "portable" in out


@pytest.mark.parametrize("command", ["label", "describe", "learn", "export", "info"])
def test_help_teaches_by_an_example(command, capsys):
    assert run(command, "--help") == 0
    assert command == "info" or f"amorphace {command}" in " ".join(capsys.readouterr().out.split())


def broken(folder, name, edit):
    lines = (folder / "s0.initial.dump").read_text().splitlines(keepends=True)
    (folder / name).write_text("".join(edit(lines)))
    return folder / name


MISTAKES = {
    "truncated dump": (lambda lines: lines[:-3], [], r"bad.dump:\d+"),
    "garbled dump": (lambda lines: [*lines[:12], "1 A what\n", *lines[13:]], [], "bad.dump:13"),
    "NaN positions": (
        lambda lines: [*lines[:9], " ".join([*lines[9].split()[:2], "nan nan nan\n"]), *lines[10:]],
        [],
        "bad.dump:10",
    ),
    "zero cutoff": (lambda lines: lines, ["--cutoff", "0"], "a number above 0, got 0"),
    "negative cutoff": (lambda lines: lines, ["--cutoff", "-1"], "a number above 0, got -1"),
    "species not declared": (lambda lines: lines, ["--species", "A"], "species"),
    "degenerate cell": (
        lambda lines: [*lines[:5], "0 0\n", *lines[6:]] if "xy" not in lines[4]
        else [*lines[:5], "0 0 0\n", *lines[6:]],
        [],
        "bad.dump",
    ),
    "particles on top of each other": (
        lambda lines: [
            *lines[:10],
            " ".join([lines[10].split()[0], *lines[9].split()[1:]]) + "\n",
            *lines[11:],
        ],
        [],
        "lie on top of each other",
    ),
    "no such file": (None, [], "missing.dump"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(ensemble, tmp_path, capsys, mistake):
    edit, words, text = MISTAKES[mistake]
    path = tmp_path / "missing.dump" if edit is None else broken(ensemble, "bad.dump", edit)
    out = tmp_path / "out.zarr"
    species = [] if "--species" in words else SPECIES
    assert run("describe", path, *species, *BASIS, *words, "-o", out) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(text, error), error
    assert list(tmp_path.iterdir()) == []


def test_end_points_of_other_particles_are_refused(ensemble, tmp_path, capsys):
    g = glass(0, n=64)
    fewer = am.Configuration(
        positions=g.positions[1:], species=g.species[1:], cell=g.cell, ids=g.ids[1:]
    )
    am.write(tmp_path / "ends.dump", fewer)
    out = tmp_path / "out.zarr"
    start = ensemble / "s0.initial.dump"
    assert run("label", start, "--endpoints", tmp_path / "ends.dump", *SPECIES, "-o", out) == 2
    error = capsys.readouterr().err
    assert "sample s0" in error
    assert "first: id 1" in error
    assert not out.exists()


def test_unequal_numbers_of_files_are_refused(ensemble, tmp_path, capsys):
    start = ensemble / "s0.initial.dump"
    ends = [ensemble / "s0.ends.dump.gz"] * 2
    assert run("label", start, "--endpoints", *ends, *SPECIES, "-o", tmp_path / "x.zarr") == 2
    error = capsys.readouterr().err
    assert "1 initial configurations need as many files of end points (--endpoints), got 2" in error


def test_fewer_samples_than_folds_are_refused(table, tmp_path, capsys):
    assert run("learn", table, "-o", tmp_path / "r", "--folds", 9, "--n-jobs", 1) == 2
    error = capsys.readouterr().err
    assert "9" in error
    assert "6" in error
    assert not (tmp_path / "r").exists()


def test_a_usage_error_exits_with_2_from_the_shell():
    code = "import sys; sys.argv[0] = 'amorphace'; from amorphace.cli import main; main()"
    end = subprocess.run(
        [sys.executable, "-c", code, "describe", "--cutof", "3"], capture_output=True, text=True
    )
    assert end.returncode == 2
    assert "--cutoff" in end.stderr or "No such option" in end.stderr
