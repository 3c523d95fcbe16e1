"""Commands replace what the program itself wrote, and nothing else."""

from __future__ import annotations

import shutil

import pytest

import amorphace as am
from amorphace.core.errors import InputError
from amorphace.core.owned import owned_file
from amorphace.learn.model import LinearModel
from test_cli import ensemble, labels, run  # noqa: F401  (fixtures)

SPECIES = ["--species", "A", "B"]
QUICK = ["--folds", 3, "--n-columns", 5, "--n-jobs", 1]


@pytest.fixture
def model(tmp_path):
    settings = am.ACEDescriptor(cutoff=2.0, species=("A", "B"), max_order=1).get_params()
    path = tmp_path / "model.json"
    LinearModel(
        names=["A1"], weights=[1.0], intercept=0.0, mean=[0.0], scale=[1.0], strength=1.0,
        settings=settings, version="0",
    ).to_json(path)  # fmt: skip
    return path


def test_a_file_is_replaced_as_long_as_it_is_what_the_program_wrote(tmp_path):
    path = tmp_path / "out.txt"

    def write(text, overwrite=True):
        with owned_file(path, overwrite=overwrite):
            path.write_text(text)

    write("one", overwrite=False)
    with pytest.raises(InputError, match=r"out.txt is there already; choose another path .-o., or"):
        write("two", overwrite=False)
    write("two")
    path.write_text("by hand")
    with pytest.raises(InputError, match=r"out.txt is not what amorphace wrote there; it may be"):
        write("three")
    assert path.read_text() == "by hand"
    path.write_text("two")
    moved = tmp_path / "moved.txt"
    path.rename(moved)
    with pytest.raises(InputError, match=r"moved.txt is not what"), owned_file(moved, overwrite=1):
        pass


def test_an_input_is_not_replaced_under_any_of_its_names(tmp_path):
    path, link = tmp_path / "in.txt", tmp_path / "link.txt"
    with owned_file(path, overwrite=False):
        path.write_text("data")
    link.symlink_to(path)
    for name in (path, link, tmp_path / "." / "in.txt"):
        with (
            pytest.raises(InputError, match="is an input of this command; choose another name"),
            owned_file(name, overwrite=True, inputs=[path]),
        ):
            pass


@pytest.fixture(scope="module")
def results(ensemble, labels):  # noqa: F811
    """What learn makes of a small table, in the folder of a thesis."""
    folder = ensemble / "work"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years")
    starts = sorted(ensemble.glob("*.initial.dump"))
    basis = ["--max-order", 1, "--n-max", 3, "--cutoff", 1.5]
    small = ensemble / "small.zarr"
    assert run("describe", *starts, "--labels", labels, *SPECIES, *basis, "-o", small) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run("learn", small, "-o", ".", *QUICK) == 2
        assert run("learn", small, "-o", ".", "--overwrite", *QUICK) == 0
    return folder


def test_learn_spares_what_it_did_not_write(ensemble, results, capsys):  # noqa: F811
    assert (results / "thesis.txt").read_text() == "years"
    summary = (results / "summary.json").read_text()
    (results / "summary.json").write_text("changed by hand")
    assert run("learn", ensemble / "small.zarr", "-o", results, "--overwrite", *QUICK) == 2
    assert "summary.json would be replaced, but amorphace did not write" in capsys.readouterr().err
    assert (results / "summary.json").read_text() == "changed by hand"
    (results / "summary.json").write_text(summary)


def test_export_changes_neither_its_input_nor_a_file_of_the_user(
    ensemble, labels, tmp_path, capsys  # noqa: F811
):  # fmt: skip
    start = tmp_path / "s1.dump"
    shutil.copy(ensemble / "s1.initial.dump", start)
    before = start.read_bytes()
    words = ["export", labels, "--configuration", start, "--sample", 2]
    for more in ([], ["--overwrite"]):
        assert run(*words, "-o", start, *more) == 2
    assert "is an input" in capsys.readouterr().err
    assert start.read_bytes() == before
    for name in ("mine.xyz", "mine.csv", "mine.npz"):
        (tmp_path / name).write_text("mine")
        assert run(*words, "-o", tmp_path / name, "--overwrite") == 2
        assert "not what amorphace wrote" in capsys.readouterr().err
        assert (tmp_path / name).read_text() == "mine"
    assert run(*words, "-o", tmp_path / "a.csv") == 0
    assert run(*words, "-o", tmp_path / "a.csv") == 2
    assert run(*words, "-o", tmp_path / "a.csv", "--overwrite") == 0


def test_predict_changes_neither_its_inputs_nor_a_file_of_the_user(
    ensemble, model, tmp_path, capsys  # noqa: F811
):  # fmt: skip
    glass = tmp_path / "glass.dump"
    shutil.copy(ensemble / "s1.initial.dump", glass)
    mine = tmp_path / "mine.dump"
    shutil.copy(glass, mine)
    for output in (glass, model, mine):
        before = output.read_bytes()
        assert run("predict", model, glass, "-o", output, "--overwrite") == 2
        assert output.read_bytes() == before
    assert "not what amorphace wrote" in capsys.readouterr().err
    for _ in range(2):
        assert run("predict", model, glass, "-o", tmp_path / "new.xyz", "--overwrite") == 0


@pytest.mark.parametrize("name", ["scored.gsd", "scored.npz", "scored.xyz.gz", "dump.scored"])
def test_predict_writes_the_formats_that_it_names(ensemble, model, tmp_path, name):  # noqa: F811
    glass = ensemble / "s1.initial.dump"
    assert run("predict", model, glass, "-o", tmp_path / name) == 0
    assert len(am.read(tmp_path / name)) == 64


def test_predict_names_the_formats_where_it_knows_none(ensemble, model, tmp_path, capsys):  # noqa: F811
    out = tmp_path / "scored.csv"
    assert run("predict", model, ensemble / "s1.initial.dump", "-o", out) == 2
    error = capsys.readouterr().err
    assert f"{out}: scores are not written in this format; choose one of .xyz" in error
    assert "partial" not in error


def test_a_table_is_replaced_unless_it_is_an_input_or_holds_a_file_of_the_user(
    ensemble, labels, tmp_path, capsys  # noqa: F811
):  # fmt: skip
    start = ensemble / "s1.initial.dump"
    out = tmp_path / "features.zarr"
    words = ["describe", start, *SPECIES, "--max-order", 1, "--cutoff", 1.5, "--overwrite"]
    for _ in range(2):
        assert run(*words, "-o", out) == 0
    (out / "notes.txt").write_text("mine")
    assert run(*words, "-o", out) == 2
    assert "is a table, but notes.txt in it is no part of one" in capsys.readouterr().err
    assert (out / "notes.txt").read_text() == "mine"
    assert run(*words, "--labels", labels, "-o", labels) == 2
    assert "labels.zarr is an input of this command" in capsys.readouterr().err
    ends = ensemble / "s1.ends.dump.gz"
    assert run("label", start, "--endpoints", ends, *SPECIES, "-o", start, "--overwrite") == 2
    assert "is an input of this command" in capsys.readouterr().err


def test_report_spares_files_of_the_user_and_its_inputs(results, tmp_path, capsys):
    page = tmp_path / "page.html"
    page.write_text("mine")
    for output in (page, results / "analysis.json", results / "thesis.txt"):
        before = output.read_bytes()
        assert run("report", results, "--overwrite", "-o", output) == 2
        assert "not what amorphace wrote" in capsys.readouterr().err
        assert output.read_bytes() == before


def test_a_wrong_word_is_refused_before_anything_is_computed(labels, tmp_path, capsys):  # noqa: F811
    out = tmp_path / "out"
    assert run("learn", labels, "-o", out, "--target", "d2mn") == 2
    assert "has no such target; there are: d2min, propensity" in capsys.readouterr().err
    for words, text in (
        (["--protocol", "therm"], "'therm' is not one of 'thermal', 'shear'"),
        (["--companion-protocol", "x"], "'x' is not one of 'thermal', 'shear'"),
        (["--model", "ka"], "choose one of bead-spring, kob-andersen, wahnstrom;"),
    ):
        assert run("report", tmp_path / "none", *words, "-o", out) == 2
        assert text in " ".join(capsys.readouterr().err.replace("│", " ").split())
