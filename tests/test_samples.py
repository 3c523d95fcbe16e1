"""Files of samples on the command line: which belong together, which frames, words of lists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import amorphace as am
from amorphace.cli.options import ListOptions
from amorphace.core.errors import InputError
from amorphace.dataset.files import matched, sample_names, scaled, unit
from amorphace.dataset.zarr_table import read_table
from test_cli import run
from test_plausible import amorphous, dump, moved


def paths(*names: str) -> list[Path]:
    return [Path(name) for name in names]


@pytest.mark.parametrize(
    ("names", "files", "places", "by"),
    [
        (["s1", "s2", "s10"], paths("s1.i", "s10.i", "s2.i"), [0, 2, 1], "name"),
        (["s1", "s2", "s3"], paths("s3.inherent.dump"), [2], "name"),
        (["a/start_01.d", "a/start_02.d"], paths("b/run_02.d", "b/run_01.d"), [1, 0], "name"),
        (["r1/start.d", "r2/start.d"], paths("r2/ends.d", "r1/ends.d"), [1, 0], "name"),
        (["cold.d", "hot.d"], paths("x.d", "y.d"), [0, 1], "position"),
        (["start.d"], paths("ends.d"), [0], "position"),
    ],
)
def test_files_are_matched_by_what_distinguishes_their_names(names, files, places, by):
    assert matched(names, files, "files") == (places, by)


def test_names_that_tell_of_another_sample_are_refused():
    with pytest.raises(InputError, match=r"end points: s4\.e is of none of the samples s1, s2, as"):
        matched(["s1", "s2"], paths("s1.e", "s4.e"), "end points")
    with pytest.raises(InputError, match=r"s1\.a is one of several of one of the samples s1, s2"):
        matched(["s1", "s2"], paths("s1.a", "s1.b"), "end points")


def test_samples_are_called_by_the_shortest_names_that_differ():
    assert sample_names(paths("a/s1.x.d", "a/s2.x.d")) == ["s1", "s2"]
    assert sample_names(paths("a/s.1.d", "a/s.2.d")) == ["s.1.d", "s.2.d"]
    assert sample_names(paths("a/s.d", "b/s.d")) == ["a/s.d", "b/s.d"]


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Three samples that were given in three different orders."""
    folder = tmp_path_factory.mktemp("three")
    for k in (1, 2, 3):
        start = amorphous(k)
        (folder / f"s{k}.initial.dump").write_text(dump(start))
        ends = [dump(moved(start, j + 5 * k)) for j in range(2)]
        (folder / f"s{k}.ends.dump").write_text("".join(ends))
        (folder / f"s{k}.inherent.dump").write_text(dump(moved(start, k, size=0)))
    starts = [folder / f"s{k}.initial.dump" for k in (2, 1, 3)]
    ends = [folder / f"s{k}.ends.dump" for k in (3, 2, 1)]
    words = ["--species", "A,B", "--fraction", 0.1, "-o", folder / "labels.zarr"]
    assert run("label", *starts, "--endpoints", *ends, *words) == 0
    return folder


def test_end_points_and_configurations_find_their_samples(labelled, tmp_path, capsys):
    labels = read_table(labelled / "labels.zarr")
    assert labels.sample_names == ("s2", "s1", "s3")
    start = am.read(labelled / "s1.initial.dump", ("A", "B"))
    ends = list(am.iread(labelled / "s1.ends.dump", ("A", "B")))
    np.testing.assert_allclose(
        labels.targets["propensity"][labels.sample == 1], am.propensity(start, ends)
    )
    np.testing.assert_allclose(labels.positions[labels.sample == 1], start.positions, rtol=1e-6)
    files = [labelled / f"s{k}.inherent.dump" for k in (1, 3, 2)]
    words = ["--labels", labelled / "labels.zarr", "--species", "A,B", "--max-order", 1]
    assert run("describe", *files, *words, "--cutoff", 2, "-o", tmp_path / "t.zarr") == 0
    out = capsys.readouterr().out
    assert "files matched by name" in out
    assert re.search(r"s2 +│ .*s2\.inherent\.dump", out)
    table = read_table(tmp_path / "t.zarr")
    ace = am.ACEDescriptor(cutoff=2.0, species=("A", "B"), max_order=1)
    glass = am.read(labelled / "s3.inherent.dump", ("A", "B"))
    rows = table.sample == 2
    sites = am.Sites(glass, np.isin(glass.ids, table.particle_id[rows]))
    found = dict(zip(sites.ids.tolist(), ace.transform(sites), strict=True))
    expected = [found[k] for k in table.particle_id[rows].tolist()]
    np.testing.assert_allclose(table.feature_rows(2.0, rows), expected, rtol=1e-5, atol=2e-5)


def test_export_and_regress_find_their_samples(labelled, tmp_path, capsys):
    start = labelled / "s1.initial.dump"
    words = ["export", labelled / "labels.zarr", "--configuration"]
    assert run(*words, start, "-o", tmp_path / "s1.npz.xyz") == 0
    assert run(*words, start, "--sample", 3, "-o", tmp_path / "s3.xyz") == 2
    assert "the configuration is not sample s3 of the labels" in capsys.readouterr().err
    files = [labelled / f"s{k}.inherent.dump" for k in (3, 1)]
    words = ["regress", *files, "--labels", labelled / "labels.zarr", "--species", "A,B"]
    assert run(*words, "-o", tmp_path / "r.json") == 2
    assert "labels are of 3 samples" in capsys.readouterr().err


def test_one_trajectory_holds_start_and_ends(tmp_path, capsys):
    start = amorphous(1)
    ends = [moved(start, 7, step=100), moved(start, 8, size=0.4, step=200)]
    trajectory, out = tmp_path / "run.dump", tmp_path / "labels.zarr"
    trajectory.write_text(dump(start) + "".join(map(dump, ends)))
    words = ["--species", "A,B", "--overwrite", "-o", out]
    assert run("label", trajectory, *words) == 2
    assert (
        "or, for trajectories that hold start and ends, frame (--frame" in capsys.readouterr().err
    )
    for lag, chosen in (([], ends), (["--lag", 200], ends[1:])):
        assert run("label", trajectory, "--frame", 0, *lag, *words) == 0
        found = read_table(out)
        np.testing.assert_allclose(found.targets["propensity"], am.propensity(start, chosen))
    assert found.provenance["parameters"]["lag"] == 200
    capsys.readouterr()
    assert run("label", trajectory, "--frame", 0, "--lag", 150, *words) == 2
    assert "no frame is 150 steps after the start (step 0)" in capsys.readouterr().err
    assert run("label", trajectory, "--frame", 3, *words) == 2
    assert "has no frame 3: it holds 3" in capsys.readouterr().err
    assert run("label", trajectory, "--frame", 0, "--endpoints", trajectory, *words) == 2
    assert "end point 1 (step 0) is the start itself" in capsys.readouterr().err


def test_sigma_scales_cutoffs_and_is_kept(tmp_path, capsys):
    start = amorphous(1)
    big = am.Configuration(
        positions=2.6 * start.positions, cell=2.6 * start.cell, species=start.species
    )
    for name, glass in (("small", start), ("big", big)):
        (tmp_path / f"{name}.dump").write_text(dump(glass))
        (tmp_path / f"{name}.ends").write_text("")
    rows = {}
    for name, sigma in (("small", 1), ("big", 2.6)):
        out = tmp_path / f"{name}.zarr"
        words = ["--cutoff", 2, "--max-order", 1, "--dtype", "float64", "--species", "A,B"]
        path = tmp_path / f"{name}.dump"
        assert run("describe", path, *words, "--sigma", sigma, "-o", out) == 0
        table = read_table(out)
        assert table.provenance["sigma"] == sigma
        assert table.cutoffs == (2 * sigma,)
        rows[name] = table.feature_rows(2.0 * sigma)
    np.testing.assert_allclose(rows["big"], rows["small"], rtol=1e-9, atol=1e-12)
    assert "warning" not in capsys.readouterr().err
    auto = unit("auto", big)
    assert auto == pytest.approx(2.6 * unit("auto", start), rel=0.02)
    assert scaled(2.5, 2.61) == 6.525
    with pytest.raises(InputError, match=r"sigma \(--sigma\) x: give a length in the unit"):
        unit("x", start)


def test_ties_that_decide_who_is_inactive_are_named(tmp_path, capsys):
    start = amorphous(1)
    (tmp_path / "s.dump").write_text(dump(start))
    (tmp_path / "s.ends").write_text(dump(moved(start, 3)))
    words = ["--species", "A,B", "--cutoff", 1.05, "-o", tmp_path / "l.zarr"]
    ends = (tmp_path / "s.ends").rename(tmp_path / "s.ends.dump")
    assert run("label", tmp_path / "s.dump", "--endpoints", ends, *words) == 0
    out, error = capsys.readouterr()
    assert re.search(r"s: \d+ particles share the D2min 0, and 10 of them are inactive by", error)
    assert "the cutoff 1.05 reaches" in error
    assert re.search(r"s: first peak of g\(r\) at 1\.\d+; median \d neighbours within 1\.05", out)


LISTS = [
    (["--species", "A", "B", "f.dump"], (["A", "B"], [], ["f.dump"])),
    (["--species", "A,B", "plain"], (["A", "B"], [], ["plain"])),
    (["--species=A,B", "plain"], (["A", "B"], [], ["plain"])),
    (["--species", "A", "--species", "B", "--cutoff", "2", "x"], (["A", "B"], [2.0], ["x"])),
    (["f.dump", "--cutoff=2.0", "3.0", "--species", "A"], (["A"], [2.0, 3.0], ["f.dump"])),
    (["--cutoff", "2", "3", "f.dump", "--species", "A"], (["A"], [2.0, 3.0], ["f.dump"])),
    (["--cutoff", "2,3", "f.dump", "--species", "A"], (["A"], [2.0, 3.0], ["f.dump"])),
    (["--species", "A", "B", "--", "C"], (["A", "B"], [], ["C"])),
]


@pytest.mark.parametrize(("words", "expected"), LISTS)
def test_lists_end_where_they_should(words, expected):
    app, seen = typer.Typer(), []

    @app.command(cls=ListOptions)
    def command(
        files: list[Path],
        species: Annotated[list[str], typer.Option()],
        cutoff: Annotated[list[float] | None, typer.Option()] = None,
    ) -> None:
        seen.append((species, cutoff or [], [str(path) for path in files]))

    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert seen == [expected]


def test_a_file_that_is_there_is_no_species(labelled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "glass").write_text(dump(amorphous(1)))
    words = ["--max-order", 1, "--cutoff", 2, "-o", "t.zarr"]
    assert run("describe", *words, "--species", "A", "B", "glass") == 0


def test_brackets_stand_in_help(capsys):
    assert run("run", "--help") == 0
    assert "A table [cluster] in the file" in " ".join(capsys.readouterr().out.split())
