"""Stored formats: damage is noticed, hostile files are refused, and format 0.1 is read for ever."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amorphace import cli
from amorphace.core.codec import encode
from amorphace.core.configuration import Configuration
from amorphace.core.digest import digest_of
from amorphace.core.errors import FileFormatError, InputError
from amorphace.dataset import arrays
from amorphace.dataset.export import export_npz
from amorphace.dataset.provenance import sha256
from amorphace.dataset.table import Columns, Table
from amorphace.dataset.zarr_table import read_table, write_table
from amorphace.learn.bundle import read_analysis, write_analysis
from amorphace.learn.model import LinearModel
from amorphace.learn.predict import model_columns, model_descriptor, score
from amorphace.learn.regression import read_regression, write_regression
from amorphace.learn.selection import twins

from fuzzing import MEMORY, files_of

GOLDEN = Path(__file__).with_name("golden")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The golden table, written by this version."""
    write_table(tmp_path / "table.zarr", read_table(GOLDEN / "table-0.1.zarr"))
    return tmp_path / "table.zarr"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The golden table, of format 0.1: without checksums."""
    return Path(shutil.copytree(GOLDEN / "table-0.1.zarr", tmp_path / "old.zarr"))


def numbers(path: Path) -> str:
    """All that a table holds, as a digest."""
    target = path.with_name("exported.npz")
    export_npz(target, read_table(path))
    return sha256(target)


# ---------------------------------------------------------------- golden files


def test_a_table_of_format_0_1_is_read() -> None:
    table, k = read_table(GOLDEN / "table-0.1.zarr"), np.arange(12)
    np.testing.assert_array_equal(table.sample, k // 4)
    np.testing.assert_array_equal(table.particle_id, 10 + k)
    np.testing.assert_array_equal(table.step, k // 4 * 100)
    np.testing.assert_array_equal(table.label, np.resize([1, 0, -1, 1, 0, 0], 12))
    assert table.species.tolist() == ["A", "B", "A"] * 4
    np.testing.assert_array_equal(table.targets["d2min"], (k + 1) / 8)
    np.testing.assert_array_equal(table.targets["propensity"], np.where(k % 3 == 1, np.nan, k / 4))
    np.testing.assert_array_equal(table.feature_rows(2.0), -np.add.outer(k, np.arange(13)) / 16)
    np.testing.assert_array_equal(
        table.feature_rows(2.5), np.multiply.outer(k + 1, np.arange(13) - 3.0) / 32
    )
    assert table.columns is not None
    assert table.columns.names[-1] == "B1·B2 l=0"
    assert table.columns.order.tolist() == [1] * 6 + [2] * 7
    assert table.sample_names == ("one", "two", "drei ö")
    assert table.provenance["command"] == "golden"


def test_a_model_of_format_0_1_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    model = LinearModel.from_json(GOLDEN / "model-0.1.json")
    assert model_columns(model, model_descriptor(model)).tolist() == list(range(13))
    assert (model.names[3], model.centres, model.strength) == ("B1", ("A",), 10.0)
    assert model.weights[0] == 0.7738517809517778
    assert model_descriptor(model).distance_transform == "paper"  # as it was made, not the default
    k = np.arange(6)
    glass = Configuration(
        positions=np.stack([0.7 * k, 0.9 * (k % 2), 0.6 * (k * k % 5)], axis=1),
        species=list("AABABA"),
        cell=6.0,
    )
    of_a = [0.4408750380417641, 0.4408750380417641, 0.4594858902777606, 0.4789823252882115]
    np.testing.assert_allclose(score(model, glass)[glass.species == "A"], of_a, rtol=1e-13)
    model.to_json(tmp_path / "m.json")
    known = json.loads((GOLDEN / "model-0.1.json").read_text())
    assert json.loads((tmp_path / "m.json").read_text()) == known | {"leverage": None, "scores": []}


def test_an_analysis_of_format_0_1_is_read_number_by_number(tmp_path: Path) -> None:
    analysis = read_analysis(GOLDEN / "analysis-0.1.json")
    known = json.loads((GOLDEN / "analysis-0.1.json").read_text())
    assert analysis.n_active == 24
    assert encode(analysis.model) == known["model"] | {"leverage": None, "scores": []}
    for folds, part in (("grouped", "accuracy"), ("random", "accuracy_random")):
        for curve, one in zip(analysis.curves("accuracy", folds), known[part], strict=True):
            assert curve.x.tolist() == one["n_columns"] == [1, 2, 5]
            for kind in ("accuracy", "balanced_accuracy", "roc_auc", "strength"):
                assert curve[kind].tolist() == one[kind]
    classifiers = zip(analysis.curves("classifiers"), known["classifiers"], strict=True)
    assert all(c["roc_auc"][0].tolist() == one["roc_auc"] for c, one in classifiers)
    calibrated = [one for one in known["classifiers"] if one["calibration"]]
    for c, one in zip(analysis.curves("calibration"), calibrated, strict=True):
        assert c["observed"][:, 0].tolist() == one["calibration"]["observed"]
        assert c["brier"][0, 0] == one["calibration"]["brier"]
    for selection, one in zip(analysis.curves("selection"), known["selections"], strict=True):
        assert list(selection.labels) == one["names"]
        assert selection.values.tolist() == one["accuracy"]
    for alone, one in zip(analysis.curves("single_columns"), known["selections"], strict=True):
        assert alone.values.tolist() == one["first_accuracy"]
        assert twins(alone) == tuple(one["twins"])
    for runs, one in zip(analysis.curves("stability"), known["stability"], strict=True):
        assert np.isfinite(runs.values).mean(axis=1).tolist() == one["frequency"]
        assert (runs.values == 1).mean(axis=1).tolist() == one["first"]
    for curve, one in zip(analysis.curves("learning"), known["learning"], strict=True):
        assert (curve["test"].tolist(), curve.x.tolist()) == (one["test"], one["n_sites"])
    for curve, one in zip(analysis.curves("ard"), known["ard"], strict=True):
        np.testing.assert_array_equal(curve.values, np.array(one["pearson"], dtype=float))
    for d, one in zip(analysis.curves("distributions"), known["distributions"], strict=True):
        assert [*d.x, d["to"][-1, 0]] == one["edges"]
        assert d["active"][:, 0].tolist() == one["active"]
    pairs = zip(analysis.curves("thresholds"), known["distributions"], strict=True)
    assert all(c["auc"][0, 0] == one["auc"] for c, one in pairs)
    write_analysis(tmp_path, analysis)
    assert encode(read_analysis(tmp_path)) == encode(analysis)


def missing_from(known: Any, written: Any, where: str = "") -> list[str]:
    """Places at which a value is not found again; what was added since is left aside."""
    if isinstance(known, dict) and isinstance(written, dict):
        pairs = [(k, v, written.get(k)) for k, v in known.items()]
    elif isinstance(known, list) and isinstance(written, list) and len(known) == len(written):
        pairs = [(str(k), *both) for k, both in enumerate(zip(known, written, strict=True))]
    else:
        return [] if known == written else [where]
    return [place for k, a, b in pairs for place in missing_from(a, b, f"{where}.{k}")]


def test_a_regression_of_format_0_1_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    regression = read_regression(GOLDEN / "regression-0.1.json")
    known = json.loads((GOLDEN / "regression-0.1.json").read_text())
    assert regression.curve is not None
    assert encode(regression.score) == known["score"] | {"pooled": None, "n_train": 0}
    assert encode(regression.curve) == known["curve"]
    write_regression(tmp_path / "r.json", regression)
    assert missing_from(known, json.loads((tmp_path / "r.json").read_text())) == []


# ---------------------------------------------------------------- checksums of tables


def test_one_flipped_bit_of_a_table_is_noticed_or_harmless(tmp_path: Path) -> None:
    """In every file: in its first and last bytes and one between."""
    table, whole = tmp_path / "table.zarr", read_table(GOLDEN / "table-0.1.zarr")
    write_table(table, replace(whole, features={2.5: whole.features[2.5]}))
    original, rng, noticed = numbers(table), np.random.default_rng(15), 0
    for file in files_of(table):
        content = file.read_bytes()
        for place in (0, int(rng.integers(len(content))), len(content) - 1):
            changed = bytearray(content)
            changed[place] ^= 1 << int(rng.integers(8))
            file.write_bytes(changed)
            try:
                assert numbers(table) == original, f"{file}: bit in byte {place}"
            except FileFormatError:
                noticed += 1
        file.write_bytes(content)
    groups = ("columns", "features", "targets")  # their files say nothing of the table
    assert noticed >= 3 * (len(files_of(table)) - len(groups)) - 1


@pytest.mark.parametrize(
    ("file", "before", "after", "text"),
    [
        ("zarr.json", '"golden"', '"others"', "zarr.json: the attributes are not as they were wr"),
        ("zarr.json", '"d2min",', '"D2min",', "zarr.json: the attributes are not as they were wr"),
        ("zarr.json", '"digest"', '"Digest"', "their digest differs; make it again"),
        ("sample/zarr.json", '"int64"', '"int32"', "damaged: sample/zarr.json is not as it was"),
        ("features/2.5/zarr.json", "12", "13", "features/2.5/zarr.json is not as it was written"),
    ],
)
def test_what_a_table_says_of_itself_has_a_digest(
    table: Path, file: str, before: str, after: str, text: str
) -> None:
    content = (table / file).read_text()
    assert before in content
    (table / file).write_text(content.replace(before, after, 1))
    with pytest.raises(FileFormatError, match=text):
        read_table(table)


def test_damaged_features_are_noticed_when_their_rows_are_read(table: Path) -> None:
    file = table / "features" / "2.5" / "c" / "0" / "0"
    content = bytearray(file.read_bytes())
    content[100] ^= 4
    file.write_bytes(content)
    found = read_table(table)
    found.feature_rows(2.0)
    for rows in (slice(3), np.array([2, 2]), np.arange(12) > 7):
        with pytest.raises(FileFormatError, match=r"features/2.5 cannot be read .*checksum"):
            found.feature_rows(2.5, rows)
    with pytest.raises(FileFormatError, match="make it again"):
        export_npz(table.with_name("t.npz"), found)
    assert not table.with_name("t.npz").exists()
    with pytest.raises(IndexError, match="99"):
        found.feature_rows(2.0, np.array([99]))


def test_two_whole_blocks_that_are_exchanged_are_noticed(tmp_path: Path) -> None:
    """Each of them has the right length and checksum, but not in its place."""
    path, columns = tmp_path / "t.zarr", Columns(names=["A1"], order=[1], z=[[0]], n=[[1]], l=[[0]])
    n = arrays.BLOCK_BYTES // 8 + 1
    sites = Table(sample=[0] * n, particle_id=range(n), species=["A"] * n, sample_names=["s"])
    write_table(path, replace(sites, features={2.0: np.arange(n)[:, None] / 7}, columns=columns))
    folder = path / "features" / "2.0" / "c"
    assert read_table(path).feature_rows(2.0, slice(n - 1, n)) == (n - 1) / 7
    for one, other in (("0/0", "spare"), ("1/0", "0/0"), ("spare", "1/0")):
        (folder / one).rename(folder / other)
    with pytest.raises(FileFormatError, match=r"the blocks of features/2\.0 are not those that"):
        read_table(path)
    edited(path / "zarr.json", without_blocks)  # as tables were written without this digest
    assert read_table(path).feature_rows(2.0, slice(0, 1)) == arrays.BLOCK_BYTES // 8 / 7


def without_blocks(found: dict[str, Any]) -> None:
    told = found["attributes"]
    del told["blocks"], told["digest"]
    told["digest"] = digest_of(told)


# ---------------------------------------------------------------- hostile tables


def edited(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def shaped(**words: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda found: found.update(words)


def blocks(*shape: int) -> Callable[[dict[str, Any]], Any]:
    return lambda found: found["chunk_grid"]["configuration"].update(chunk_shape=shape)


@pytest.mark.parametrize(
    ("array", "change", "text"),
    [
        ("label", shaped(shape=[10**12]), "83333333333 of 83333333334 blocks of label are missing"),
        ("features/2.0", shaped(shape=[12, 10**12]), "blocks of features/2.0 are missing"),
        ("label", blocks(10**12), "no compressed block holds 1000000000000 bytes"),
        ("label", blocks(10**6), "block c/0 holds 12 bytes, 1000000 were expected"),
        ("features/2.0", blocks(12, 10**12), "block c/0/0 holds 1248 bytes, 96000000000000 were"),
        ("label", blocks(0), "label cannot be read"),
        ("label", shaped(shape="12"), "label cannot be read"),
        ("label", shaped(shape=[-12]), "label cannot be read"),
        ("label", shaped(data_type="string"), "label cannot be read"),
        ("label", shaped(data_type="float64x"), "label cannot be read"),
        ("label", shaped(codecs=[]), "label cannot be read"),
        ("label", shaped(codecs=[{"name": "pickle"}]), "label cannot be read"),
        ("label", shaped(codecs=[{"name": "bytes"}, {"name": "gzip"}]), "label cannot be read"),
        ("species", shaped(fill_value=[]), "species cannot be read"),
    ],
)
def test_a_hostile_array_is_refused_before_memory_is_taken(
    old: Path, array: str, change: Callable[[dict[str, Any]], Any], text: str
) -> None:
    edited(old / array / "zarr.json", change)
    with pytest.raises(FileFormatError, match=text):
        read_table(old)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "null", "", "[" * 100_000, '{"shape": ' + "9" * 5000 + "}", "\udcff"],
    ids=["open", "list", "null", "empty", "deep", "long", "bytes"],
)
@pytest.mark.parametrize("file", ["zarr.json", "label/zarr.json", "features/2.5/zarr.json"])
def test_metadata_that_is_none_is_refused_in_a_sentence(old: Path, file: str, text: str) -> None:
    (old / file).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(FileFormatError, match=r"old\.zarr") as caught:
        read_table(old)
    assert len(str(caught.value)) < 2000


def test_a_damaged_table_is_one_line_on_the_terminal(
    old: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (old / "label" / "zarr.json").write_text("{")
    target = old.with_name("t.npz")
    monkeypatch.setattr(sys, "argv", ["amorphace", "export", str(old), "-o", str(target)])
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    assert re.fullmatch(
        r"amorphace: .*old\.zarr: the table is damaged: label cannot be read \(.*\); make it .*\n",
        capsys.readouterr().err,
    )
    assert not target.exists()


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("provenance", "label", "provenance: an object is needed, got 'label'"),
        ("target_names", ["../label"], r"target name '../label': use letters"),
        ("cutoffs", ["2.0"], "cutoffs.0: a number is needed, got '2.0'"),
        ("cutoffs", [None], "features/nan is missing"),
        ("species_names", ["A"], "a species has no name: species_names holds 1 names"),
        ("species_names", "AB", "species_names: a list is needed, got 'AB'"),
        ("column_names", ["A1"], r"order of the columns must have shape \(1,\), got \(13,\)"),
        ("column_names", 13, "column_names: a list is needed, got 13"),
        ("sample_names", [], "sample 0 has no name"),
    ],
)
def test_attributes_of_another_kind_are_named(old: Path, field: str, value: Any, text: str) -> None:
    edited(old / "zarr.json", lambda found: found["attributes"].update({field: value}))
    with pytest.raises(FileFormatError, match=text):
        read_table(old)


def test_a_compressed_block_that_claims_terabytes_takes_no_memory(old: Path) -> None:
    claim = b"\x28\xb5\x2f\xfd\xe0" + (2**42).to_bytes(8, "little") + b"\x01\x00\x00"
    (old / "label" / "c" / "0").write_bytes(claim)
    with pytest.raises(FileFormatError, match=f"block c/0 holds {2**42} bytes, 12 were expected"):
        read_table(old)
    assert MEMORY < 2**42


# ---------------------------------------------------------------- models


@pytest.mark.parametrize(
    ("setting", "value", "text"),
    [
        ("species", 5, "settings of the model: species: a list is needed, got 5; fit again"),
        ("species", [5], "species.0: text is needed, got 5"),
        ("max_order", "2", "max_order: a whole number is needed, got '2'"),
        ("max_order", [2], r"max_order: a whole number is needed, got \[2\]"),
        ("n_max", 3.5, "n_max: a whole number is needed, got 3.5"),
        ("r0", {}, "r0: a number is needed"),
        ("cutoff", "2.0", "cutoff: a number is needed, got '2.0'"),
        ("purify", "yes", "purify: bool is needed, got 'yes'"),
        ("distance_transform", ["paper"], "distance_transform: one of 'paper', 'ace1' is needed"),
        (
            "sort",
            "le" + "." * 10**5,
            r"sort: one of 'lexicographic', 'degree' is needed, got 'le\.+",
        ),
        ("max_degree", True, "max_degree: a number is needed, got True"),
    ],
)
def test_a_setting_of_another_kind_is_named(
    tmp_path: Path, setting: str, value: Any, text: str
) -> None:
    file = Path(shutil.copyfile(GOLDEN / "model-0.1.json", tmp_path / "m.json"))
    edited(file, lambda found: found["settings"].update({setting: value}))
    with pytest.raises(InputError, match=text):
        model_columns(m := LinearModel.from_json(file), model_descriptor(m))


HOSTILE = {
    "deep": "[" * 100_000 + "]" * 100_000,
    "5000 digits": "9" * 5000,
    "10^400": "1" + "0" * 400,
    "1e400": "1e400",
    "text": '"text"',
    "list": "[[1, [2]]]",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    ("name", "field", "read"),
    [
        ("model", "intercept", LinearModel.from_json),
        ("model", "weights", LinearModel.from_json),
        ("model", "settings", LinearModel.from_json),
        ("analysis", "n_active", read_analysis),
        ("analysis", "cutoff", read_analysis),
        ("analysis", "accuracy", read_analysis),
        ("regression", "score", read_regression),
        ("regression", "curve", read_regression),
    ],
)
def test_values_without_sense_are_refused_by_file_and_field(
    tmp_path: Path, name: str, field: str, read: Callable[[Path], Any], value: str
) -> None:
    found = json.loads((GOLDEN / f"{name}-0.1.json").read_text())
    found[field] = "HERE"
    (tmp_path / "a.json").write_text(json.dumps(found).replace('"HERE"', value))
    with pytest.raises(FileFormatError, match=r"a\.json") as caught:
        read(tmp_path / "a.json")
    text = str(caught.value)
    assert len(text) < 2000
    assert "again" in text or "make it with 'amorphace regress'" in text
    assert field in text or "not usable: " in text
