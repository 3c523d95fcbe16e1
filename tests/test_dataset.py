"""The table of sites: in memory, on disk, and its thermal labels."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError, InputError, InputWarning
from amorphace.core.files import text_written_aside, written_aside
from amorphace.core.process import Process, machine, process_start, this_process
from amorphace.dataset import arrays
from amorphace.dataset.arrays import StoredArray
from amorphace.dataset.export import export_csv, export_npz
from amorphace.dataset.label_thermal import (
    ThermalSample,
    label_thermal,
    majority_species,
    thermal_labels,
)
from amorphace.dataset.provenance import provenance, sha256
from amorphace.dataset.table import Columns, Table
from amorphace.dataset.zarr_table import TableWriter, read_table, write_table

SITE_FIELDS = ("sample", "particle_id", "species", "step", "label")


def radial_columns(width: int) -> Columns:
    """`width` radial columns of one species."""
    n = np.arange(1, width + 1)[:, None]
    zero = np.zeros_like(n)
    return Columns(names=[f"A{k}" for k in n[:, 0]], order=np.ones(width), z=zero, n=n, l=zero)


def small_table(n: int = 7, width: int = 3, cutoffs: tuple[float, ...] = (2.0, 4.0)) -> Table:
    rng = np.random.default_rng(n)
    return Table(
        sample=np.arange(n) % 2,
        particle_id=np.arange(n) + 10,
        species=["A"] * (n - n // 3) + ["B"] * (n // 3),
        step=np.full(n, 5),
        label=np.arange(n) % 3 - 1,
        targets={"d2min": rng.random(n), "propensity": rng.random(n)},
        features={c: rng.normal(size=(n, width)) for c in cutoffs},
        columns=radial_columns(width),
        sample_names=["one", "zwei ü"],
        provenance={"command": "label", "parameters": {"fraction": 0.05}},
    )


def assert_same(a: Table, b: Table) -> None:
    for name in SITE_FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    assert list(a.targets) == list(b.targets)
    for name, value in a.targets.items():
        np.testing.assert_array_equal(value, b.targets[name])
    assert a.cutoffs == b.cutoffs
    for cutoff in a.cutoffs:
        np.testing.assert_array_equal(a.feature_rows(cutoff), b.feature_rows(cutoff))
        assert a.features[cutoff].dtype == b.features[cutoff].dtype
    assert (a.columns is None) == (b.columns is None)
    if a.columns is not None and b.columns is not None:
        assert a.columns.names == b.columns.names
        for name in ("order", "z", "n", "l"):
            np.testing.assert_array_equal(getattr(a.columns, name), getattr(b.columns, name))
    assert a.sample_names == b.sample_names
    assert a.provenance == b.provenance


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    n, width = draw(st.integers(0, 9)), draw(st.integers(1, 4))
    names = draw(st.lists(words, min_size=1, max_size=3))
    whole = st.integers(-(2**63), 2**63 - 1)
    real = st.floats(width=64)
    targets = draw(st.lists(st.from_regex(r"[A-Za-z]\w{0,4}", fullmatch=True), unique_by=str.lower))
    cutoffs = draw(st.lists(st.floats(0.5, 9), unique=True, max_size=2))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    finite = st.floats(-1e6, 1e6, width=32)
    return Table(
        sample=draw(hnp.arrays(np.int64, n, elements=st.integers(0, len(names) - 1))),
        particle_id=draw(hnp.arrays(np.int64, n, elements=whole)),
        species=draw(
            st.lists(st.text(st.sampled_from("ABé·"), min_size=1), min_size=n, max_size=n)
        ),
        step=draw(hnp.arrays(np.int64, n, elements=whole)),
        label=draw(hnp.arrays(np.int8, n, elements=st.integers(-1, 1))),
        targets={t: draw(hnp.arrays(np.float64, n, elements=real)) for t in targets},
        features={c: draw(hnp.arrays(dtype, (n, width), elements=finite)) for c in cutoffs},
        columns=radial_columns(width) if cutoffs or draw(st.booleans()) else None,
        sample_names=names,
        provenance=draw(st.dictionaries(words, json_values, max_size=3)),
    )


# ---------------------------------------------------------------- in memory


def test_labelled_keeps_the_active_and_inactive_rows_only() -> None:
    table = small_table()
    labelled = table.labelled()
    assert labelled.label.tolist() == [0, 1, 0, 1]
    assert labelled.particle_id.tolist() == [11, 12, 14, 15]
    np.testing.assert_array_equal(labelled.feature_rows(4.0), table.feature_rows(4.0)[[1, 2, 4, 5]])


def test_take_keeps_the_order_asked_for_and_repeats_rows() -> None:
    table = small_table()
    taken = table.take([5, 0, 5])
    assert taken.particle_id.tolist() == [15, 10, 15]
    np.testing.assert_array_equal(taken.targets["d2min"], table.targets["d2min"][[5, 0, 5]])


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([7], "row indices must lie from 0 to 6, got 7"),
        ([-1], "row indices must lie from 0 to 6, got -1"),
        ([True, False], r"the mask must have shape \(7,\), got \(2,\)"),
        ([0.5], "expected a mask, or a list of row indices, got"),
    ],
)
def test_rows_that_are_not_there_are_refused(rows: list[float], text: str) -> None:
    with pytest.raises(InputError, match=text):
        small_table().take(rows)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"label": [2] * 7}, r"label must be 1 \(active\), 0 \(inactive\) or -1"),
        ({"label": [300] * 7}, "label must be whole numbers that fit int8"),
        ({"sample": [0, 1, 2, 0, 0, 0, 0]}, "sample 2 has no name: sample_names holds 2 names"),
        ({"particle_id": [1.5] * 7}, "particle_id must be whole numbers that fit int64"),
        ({"particle_id": [np.nan] * 7}, "particle_id must be whole numbers"),
        ({"step": [1]}, r"step must have shape \(7,\), got \(1,\)"),
        ({"targets": {"a/b": np.zeros(7)}}, "target name 'a/b': use letters"),
        ({"columns": None}, "a table with features needs `columns`"),
        ({"features": {2.0: np.zeros((7, 2))}}, r"cutoff 2.0 must have shape \(7, 3\)"),
        ({"provenance": "label"}, "provenance must be a mapping, got 'label'"),
        ({"provenance": {"x": np.zeros(2)}}, "provenance must hold JSON values only"),
        ({"provenance": {"x": float("nan")}}, "provenance must hold JSON values only"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(change: dict, text: str) -> None:
    with pytest.raises(InputError, match=text):
        replace(small_table(), **change)


def test_a_table_cannot_be_changed() -> None:
    table = small_table()
    with pytest.raises(ValueError, match="read-only"):
        table.label[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        table.features[2.0][0] = 1


def test_missing_features_name_those_that_are_there() -> None:
    with pytest.raises(InputError, match="no features of cutoff 3 in the table; there are: 2, 4"):
        small_table().feature_rows(3)


def test_columns_know_where_orders_and_neighbour_species_begin() -> None:
    order = [1] * 20 + [2] * 5 + [3] * 2
    z = [[0, -1, -1]] * 10 + [[1, -1, -1]] * 10 + [[0, 0, -1]] * 5 + [[0, 0, 1]] * 2
    columns = Columns(names=["c"] * 27, order=order, z=z, n=z, l=z)
    assert columns.order_starts() == {1: 0, 2: 20, 3: 25}
    assert columns.species_starts() == (0, 10)
    with pytest.raises(InputError, match=r"n of the columns must have shape \(27, 3\)"):
        Columns(names=["c"] * 27, order=order, z=z, n=np.zeros((27, 2)), l=z)


# ---------------------------------------------------------------- on disk


@settings(max_examples=12, deadline=None)
@given(table=tables())
def test_a_table_comes_back_from_disk_as_it_was(
    table: Table, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("store") / "t.zarr"
    write_table(path, table)
    assert_same(table, read_table(path))
    assert_same(table.take(table.label >= 0), read_table(path).labelled())


def test_the_store_is_plain_zarr_v3_with_features_by_cutoff(tmp_path: Path) -> None:
    table = small_table()
    write_table(tmp_path / "t.zarr", table)
    metadata = json.loads((tmp_path / "t.zarr" / "zarr.json").read_text())
    assert metadata["zarr_format"] == 3
    assert metadata["attributes"]["provenance"] == table.provenance
    assert metadata["attributes"]["sample_names"] == ["one", "zwei ü"]
    group = zarr.open_group(tmp_path / "t.zarr", mode="r")
    features = group["features/4.0"]
    assert isinstance(features, zarr.Array)
    np.testing.assert_array_equal(features[:], table.features[4.0])


def test_features_stay_on_disk_until_rows_are_asked_for(tmp_path: Path) -> None:
    table = small_table(50)
    write_table(tmp_path / "t.zarr", table)
    back = read_table(tmp_path / "t.zarr")
    assert isinstance(back.features[4.0], StoredArray)
    rows = np.array([40, 3, 3])
    np.testing.assert_array_equal(back.feature_rows(4.0, rows), table.features[4.0][rows])
    mask = np.arange(50) % 7 == 0
    np.testing.assert_array_equal(back.feature_rows(4.0, mask), table.features[4.0][mask])
    np.testing.assert_array_equal(
        np.concatenate(list(back.feature_blocks(2.0, 8))), table.features[2.0]
    )


def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_table(tmp_path / f"{name}.zarr", small_table())
        export_npz(tmp_path / f"{name}.npz", small_table())
        export_csv(tmp_path / f"{name}.csv", small_table(), cutoff=2.0)
    for suffix in ("zarr", "npz", "csv"):
        assert sha256(tmp_path / f"a.{suffix}") == sha256(tmp_path / f"b.{suffix}")
    write_table(tmp_path / "c.zarr", replace(small_table(), provenance={}))
    assert sha256(tmp_path / "a.zarr") != sha256(tmp_path / "c.zarr")


@settings(max_examples=10, deadline=None)
@given(data=st.data(), n=st.integers(1, 30))
def test_a_table_streamed_in_any_blocks_is_the_table(
    data: st.DataObject, n: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    table = small_table(n, 2, (2.0,))
    cuts = sorted(data.draw(st.sets(st.integers(1, n), max_size=4)) | {0, n})
    spans = data.draw(st.permutations(list(pairwise(cuts))))
    path = tmp_path_factory.mktemp("stream") / "t.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "BLOCK_BYTES", 4 * 2 * 8)  # four rows in a block on disk
        with TableWriter(
            path, table.without_features(), columns=table.columns, cutoffs=[2.0]
        ) as writer:
            assert writer.block_rows == min(4, n)
            for start, stop in spans:
                writer.write_features(2.0, start, table.features[2.0][start:stop])
    assert_same(table, read_table(path))


def streaming(path: Path, *, overwrite: bool = False) -> TableWriter:
    table = small_table()
    return TableWriter(
        path,
        table.without_features(),
        columns=table.columns,
        cutoffs=[2.0],
        overwrite=overwrite,
    )


def test_a_writer_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), streaming(tmp_path / "t.zarr") as writer:  # noqa: PT012
        writer.write_features(2.0, 0, np.zeros((3, 3)))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_rows_never_written_are_an_error_and_no_store(tmp_path: Path) -> None:
    text = r"2 rows of the features of cutoff 2 were never written \(first: row 3\)"
    with pytest.raises(InputError, match=text), streaming(tmp_path / "t.zarr") as writer:  # noqa: PT012
        writer.write_features(2.0, 0, np.zeros((3, 3)))
        writer.write_features(2.0, 5, np.zeros((2, 3)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("cutoff", "start", "block", "text"),
    [
        (3.0, 0, np.zeros((1, 3)), r"cutoff 3.0 is not one of the writer's, \(2.0,\)"),
        (2.0, 5, np.zeros((3, 3)), r"a block of shape \(3, 3\) at row 5 does not fit"),
        (2.0, -1, np.zeros((1, 3)), "at row -1 does not fit"),
        (2.0, 0, np.zeros((1, 2)), r"does not fit features of shape \(7, 3\)"),
        (2.0, 4, [[0, np.nan, 0]], "feature A2 of row 4 is nan; features must be finite"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(
    tmp_path: Path, cutoff: float, start: int, block: np.ndarray, text: str
) -> None:
    with pytest.raises(InputError, match=text), streaming(tmp_path / "t.zarr") as writer:
        writer.write_features(cutoff, start, block)
    assert list(tmp_path.iterdir()) == []


WRITES_FOREVER = """
import signal, sys, time
import numpy as np
from amorphace.dataset.arrays import StoredArray
from amorphace.dataset.zarr_table import TableWriter
from amorphace.dataset.table import Columns, Table
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts deaf to it
n = 40_000
sites = Table(sample=np.zeros(n), particle_id=np.arange(n), species=["A"] * n, sample_names=["s"])
one = np.zeros((64, 1))
columns = Columns(names=["A"] * 64, order=np.ones(64), z=one, n=one + 1, l=one)
block = np.random.default_rng(0).normal(size=(2000, 64))
with TableWriter(sys.argv[1], sites, columns=columns, cutoffs=[4.0], overwrite=True) as writer:
    writer.write_features(4.0, 0, block)
    print("writing", flush=True)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        writer.write_features(4.0, 0, block)
"""


def interrupted_writer(path: Path, how: signal.Signals) -> None:
    """Start a writer in another process and stop it amid its blocks."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITES_FOREVER, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        time.sleep(0.1)
        writer.send_signal(how)
    assert writer.returncode == -how


def test_ctrl_c_amid_the_blocks_leaves_nothing_behind(tmp_path: Path) -> None:
    interrupted_writer(tmp_path / "t.zarr", signal.SIGINT)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_no_store_and_the_next_one_clears_up(tmp_path: Path) -> None:
    path = tmp_path / "t.zarr"
    interrupted_writer(path, signal.SIGKILL)
    assert len(list(tmp_path.iterdir())) == 1  # the partial folder, hidden
    with pytest.raises(FileFormatError, match=r"t.zarr: no such table; check the name"):
        read_table(path)
    write_table(path, small_table())
    assert [p.name for p in tmp_path.iterdir()] == ["t.zarr"]
    assert_same(small_table(), read_table(path))


def test_a_writer_killed_while_overwriting_leaves_the_old_table(tmp_path: Path) -> None:
    path = tmp_path / "t.zarr"
    write_table(path, small_table())
    interrupted_writer(path, signal.SIGKILL)
    assert_same(small_table(), read_table(path))


def test_a_table_is_overwritten_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "t.zarr"
    write_table(path, small_table(5))
    with pytest.raises(
        InputError,
        match=r"is there already; choose another path .-o., or overwrite it \(--overwrite",
    ):
        write_table(path, small_table(6))
    assert_same(small_table(5), read_table(path))
    write_table(path, small_table(6), overwrite=True)
    assert_same(small_table(6), read_table(path))
    write_table(path, read_table(path), overwrite=True)  # a table onto the store it is read from
    assert_same(small_table(6), read_table(path))
    assert [p.name for p in tmp_path.iterdir()] == ["t.zarr"]


@pytest.mark.parametrize("what", ["folder", "file", "group"])
def test_nothing_but_a_table_is_ever_overwritten(tmp_path: Path, what: str) -> None:
    path = tmp_path / "precious"
    if what == "file":
        path.write_text("thesis")
    elif what == "folder":
        path.mkdir()
        (path / "thesis").write_text("thesis")
    else:
        zarr.create_group(store=path, zarr_format=3)
    before = sha256(path)
    with pytest.raises(InputError, match="Only tables are overwritten; choose another path"):
        write_table(path, small_table(), overwrite=True)
    assert sha256(path) == before


def test_foreign_and_damaged_stores_are_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"a.zarr: no such table"):
        read_table(tmp_path / "a.zarr")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileFormatError, match=r"empty: not a table: a Zarr v3 group holds a file"):
        read_table(tmp_path / "empty")
    zarr.create_group(store=tmp_path / "other", zarr_format=3)
    with pytest.raises(FileFormatError, match=r"other: no Zarr group with the format"):
        read_table(tmp_path / "other")
    newer = {"format": "amorphace table", "format_version": 9}
    zarr.create_group(store=tmp_path / "new", zarr_format=3, attributes=newer)
    with pytest.raises(FileFormatError, match=r"version 9; this program reads versions 1 and 2"):
        read_table(tmp_path / "new")
    newer["format_version"] = 1
    zarr.create_group(store=tmp_path / "bare", zarr_format=3, attributes=newer)
    with pytest.raises(FileFormatError, match=r"sample_names of TableHead is missing; make it"):
        read_table(tmp_path / "bare")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "zarr.json").write_text("{")
    with pytest.raises(FileFormatError, match=r"broken/zarr.json:1: not JSON: .*; make it again"):
        read_table(tmp_path / "broken")


@pytest.mark.parametrize(
    ("lost", "text"),
    [
        ("label/c/0", "1 of 1 blocks of label are missing; make it again"),
        ("features/4.0/c/0/0", "1 of 1 blocks of features/4.0 are missing"),
        ("columns/z/zarr.json", "columns/z is missing; make it again"),
    ],
)
def test_a_store_with_a_lost_part_is_never_read_as_zeros(
    tmp_path: Path, lost: str, text: str
) -> None:
    path = tmp_path / "t.zarr"
    table = small_table()
    write_table(path, replace(table, features={4.0: np.zeros((7, 3))}))
    (path / lost).unlink()
    with pytest.raises(FileFormatError, match=text):
        read_table(path)


# ---------------------------------------------------------------- files


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="stop"), text_written_aside(path) as stream:  # noqa: PT012
        stream.write("half")
        raise RuntimeError("stop")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_never_replaces_a_folder(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with pytest.raises(InputError, match="results is a folder, which is not overwritten"):
        export_csv(tmp_path / "results", small_table())
    with pytest.raises(InputError, match=r"the folder .*nowhere does not exist; create it first"):
        export_csv(tmp_path / "nowhere" / "a.csv", small_table())


def test_one_process_does_not_write_a_path_twice_at_once(tmp_path: Path) -> None:
    with written_aside(tmp_path / "a") as partial:
        partial.write_text("first")
        with pytest.raises(InputError, match="this process is already writing it"):
            written_aside(tmp_path / "a").__enter__()
    assert (tmp_path / "a").read_text() == "first"


def test_only_partial_writes_of_dead_processes_of_this_machine_are_removed(tmp_path: Path) -> None:
    parent = os.getppid()
    owners = {
        "dead": Process(machine(), 2**22 + 1, "1"),  # above the largest process number
        "number came again": Process(machine(), parent, "1"),
        "our own number came again": Process(machine(), os.getpid(), "1"),
        "living": Process(machine(), parent, process_start(parent)),
        "other machine": Process("elsewhere", 2**22 + 1, "1"),
        "other name space": Process(f"{socket.gethostname()} pid:[1]", 2**22 + 1, "1"),
    }
    left = {who: tmp_path / f".a.partial-{owner.stamp}-00" for who, owner in owners.items()}
    for path in left.values():
        path.write_text("part")
    with text_written_aside(tmp_path / "a") as stream:
        stream.write("whole")
    stay = {left[who] for who in ("living", "other machine", "other name space")}
    assert set(tmp_path.iterdir()) == stay | {tmp_path / "a"}


def test_a_process_that_the_system_hides_is_not_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As /proc mounted with hidepid hides those of other users."""
    other = Process(machine(), 2**22 + 1, "1")
    left = tmp_path / f".a.partial-{other.stamp}-00"
    left.write_text("part")

    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert other.lives
    with text_written_aside(tmp_path / "a") as stream:
        stream.write("whole")
    assert left.exists()


def test_the_name_of_a_partial_write_cannot_be_foreseen(tmp_path: Path) -> None:
    """So that nobody plants a link there, which would be written through and become the file."""
    names = set()
    for _ in range(3):
        with written_aside(tmp_path / "a") as partial:
            names.add(partial.name.removeprefix(f".a.partial-{this_process().stamp}-"))
            partial.write_text("whole")
    assert len(names) == 3
    assert all(len(name) == 12 for name in names)


def test_a_name_as_long_as_a_file_system_allows_is_written(tmp_path: Path) -> None:
    with text_written_aside(tmp_path / ("ü" * 127)) as stream:
        stream.write("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["ü" * 127]


def test_a_link_that_leads_in_a_circle_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(InputError, match=r"a: a link that leads in a circle"):
        written_aside(tmp_path / "a").__enter__()


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match=r"No space left.*a\.txt"),
        written_aside(tmp_path / "a.txt"),
        open("/dev/full", "wb", buffering=0) as full,
    ):
        full.write(b"1")


def test_a_large_folder_is_removed_by_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amorphace.core.files.LARGE", 10)
    with (  # noqa: PT012
        pytest.raises(KeyboardInterrupt),
        written_aside(tmp_path / "t.zarr", folder=True) as partial,
    ):
        partial.mkdir()
        (partial / "block").write_bytes(bytes(100))
        raise KeyboardInterrupt
    limit = time.monotonic() + 20
    while any(tmp_path.iterdir()):
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_a_folder_set_aside_by_a_killed_process_is_put_back(tmp_path: Path) -> None:
    dead = Process(machine(), 2**22 + 1, "1")
    old = tmp_path / f".t.zarr.partial-{dead.stamp}-00.old"
    write_table(tmp_path / "t.zarr", small_table())
    (tmp_path / "t.zarr").rename(old)
    with pytest.raises(InputError, match="stop"), written_aside(tmp_path / "t.zarr", folder=True):
        raise InputError("stop")
    assert_same(small_table(), read_table(tmp_path / "t.zarr"))


# ---------------------------------------------------------------- export and provenance


def test_npz_opens_without_pickle_and_holds_everything(tmp_path: Path) -> None:
    table = small_table()
    write_table(tmp_path / "t.zarr", table)
    export_npz(tmp_path / "t.npz", read_table(tmp_path / "t.zarr"))
    with np.load(tmp_path / "t.npz", allow_pickle=False) as archive:
        for name in SITE_FIELDS:
            np.testing.assert_array_equal(archive[name], getattr(table, name))
        np.testing.assert_array_equal(archive["features_4.0"], table.features[4.0])
        np.testing.assert_array_equal(archive["target_d2min"], table.targets["d2min"])
        assert archive["columns_names"].tolist() == ["A1", "A2", "A3"]
        assert archive["columns_n"].tolist() == [[1], [2], [3]]
        assert archive["sample_names"].tolist() == ["one", "zwei ü"]
        assert json.loads(str(archive["provenance"])) == table.provenance


def test_csv_gives_back_every_number_exactly(tmp_path: Path) -> None:
    table = small_table()
    export_csv(tmp_path / "t.csv", table, cutoff=4.0)
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert [float(line["A2"]) for line in lines] == table.features[4.0][:, 1].tolist()
    assert [float(line["d2min"]) for line in lines] == table.targets["d2min"].tolist()
    assert [line["sample"] for line in lines][:2] == ["one", "zwei ü"]
    export_csv(tmp_path / "t.csv", table)
    header = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "sample,particle_id,species,step,label,d2min,propensity"
    with pytest.raises(InputError, match="no features of cutoff 9"):
        export_csv(tmp_path / "u.csv", table, cutoff=9)
    assert not (tmp_path / "u.csv").exists()


def test_provenance_knows_the_bytes_of_its_inputs_and_no_date(tmp_path: Path) -> None:
    (tmp_path / "a.dump").write_bytes(b"abc")
    made = provenance("label", {"cutoffs": (2.0, 4.0)}, [tmp_path / "a.dump"])
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2
    assert made["inputs"] == [{"name": "a.dump", "sha256": digest}]
    assert made["parameters"] == {"cutoffs": [2.0, 4.0]}
    assert made["command"] == "label"
    assert made == provenance("label", {"cutoffs": (2.0, 4.0)}, [tmp_path / "a.dump"])
    with pytest.raises(InputError, match="no such file or folder; check the name"):
        provenance("label", {}, [tmp_path / "b.dump"])
    with pytest.raises(InputError, match="parameters must hold JSON values only"):
        provenance("label", {"x": object()})


def test_the_digest_of_a_folder_sees_names_and_contents(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "x").write_text("1")
    (tmp_path / "b" / "x").write_text("2")
    (tmp_path / "c" / "y").write_text("1")
    assert len({sha256(tmp_path / name) for name in ("a", "b", "c")}) == 3


# ---------------------------------------------------------------- thermal labels


def thermal_labels_slowly(activity, sample, majority, fraction):
    """One site after another: how many majority sites of its sample come before it?"""
    label = []
    for i in range(len(activity)):
        mates = [j for j in range(len(activity)) if sample[j] == sample[i] and majority[j]]
        k = min(max(1, round(fraction * len(mates))), len(mates) // 2)
        before = sum((activity[j], j) < (activity[i], i) for j in mates)
        if not majority[i]:
            label.append(-1)
        else:
            label.append(0 if before < k else 1 if before >= len(mates) - k else -1)
    return label


@settings(max_examples=80, deadline=None)
@given(
    data=st.data(),
    sizes=st.lists(st.integers(2, 12), min_size=1, max_size=3),
    fraction=st.floats(0.01, 0.5),
)
def test_thermal_labels_agree_with_counting(
    data: st.DataObject, sizes: list[int], fraction: float
) -> None:
    sample = np.repeat(np.arange(len(sizes)), sizes)
    majority = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(sample), max_size=len(sample)))
    )
    for k in range(len(sizes)):
        majority[np.flatnonzero(sample == k)[:2]] = True
    activity = np.array(
        data.draw(st.lists(st.integers(0, 5), min_size=len(sample), max_size=len(sample)))
    )
    order = data.draw(st.permutations(range(len(sample))))
    sample, majority, activity = sample[order], majority[order], activity[order]
    label = thermal_labels(activity, sample, majority=majority, fraction=fraction)
    assert label.tolist() == thermal_labels_slowly(activity, sample, majority, fraction)
    for k in range(len(sizes)):
        here = label[sample == k]
        assert (here == 1).sum() == (here == 0).sum() >= 1


def test_five_percent_of_the_majority_of_each_sample_are_active() -> None:
    rng = np.random.default_rng(1)
    species = np.where(np.arange(4096) < 3277, "A", "B")
    activity = np.tile(rng.random(4096), 2) * np.repeat([1, 1000], 4096)
    sample = np.repeat([0, 1], 4096)
    majority = np.tile(species == majority_species(species), 2)
    label = thermal_labels(activity, sample, majority=majority)
    assert [(label[sample == k] == 1).sum() for k in (0, 1)] == [164, 164]  # not all in sample 1
    assert (label[~majority] == -1).all()
    chosen = (sample == 0) & majority
    assert activity[chosen & (label == 1)].min() >= activity[chosen & (label != 1)].max()


def test_among_equally_active_particles_the_later_rows_count_as_more_active() -> None:
    activity = np.tile([0.0, 1.0], 100)
    label = thermal_labels(activity, np.zeros(200), majority=np.ones(200), fraction=0.1)
    assert np.flatnonzero(label == 0).tolist() == list(range(0, 40, 2))
    assert np.flatnonzero(label == 1).tolist() == list(range(161, 200, 2))


def test_unmeasured_minority_particles_do_not_matter() -> None:
    label = thermal_labels([1, 2, np.nan], [0, 0, 0], majority=[1, 1, 0])
    assert label.tolist() == [0, 1, -1]


@pytest.mark.parametrize(
    ("activity", "sample", "majority", "fraction", "text"),
    [
        ([1, 2], [0, 0], [1, 1], 0.0, "fraction must be above 0 and at most 0.5, got 0"),
        ([1, 2], [0, 0], [1, 1], 0.51, "fraction must be above 0 and at most 0.5, got 0.51"),
        ([1, np.nan], [0, 0], [1, 1], 0.5, r"the activity of row 1 is not a number \(1 such"),
        ([1, 2, 3], [0, 0, 7], [1, 1, 0], 0.5, "sample 7 has 0 majority particles"),
        ([1, 2, 3], [0, 0, 7], [1, 1, 1], 0.5, "sample 7 has 1 majority particles"),
        ([], [], [], 0.5, "no sites to label"),
        ([1, 2], [0], [1, 1], 0.5, r"of one length, got shapes \(2,\), \(1,\) and \(2,\)"),
    ],
)
def test_labels_that_cannot_be_given_are_refused(activity, sample, majority, fraction, text):
    with pytest.raises(InputError, match=text):
        thermal_labels(activity, sample, majority=majority, fraction=fraction)


def test_a_species_without_a_mass_is_refused() -> None:
    start = Configuration(positions=2 * np.eye(3) + 1, species=["A", "A", "B"], cell=5.0)
    sample = ThermalSample("s", start, [start.replace(positions=start.positions + 0.1)])
    with (
        pytest.warns(InputWarning, match="reaches .* neighbours"),
        pytest.raises(InputError, match="sample s: species B not declared"),
    ):
        label_thermal([sample], masses={"A": 1.0})


def test_the_majority_species_of_nothing_is_not_defined() -> None:
    assert majority_species(["B", "A", "B", "A"]) == "A"
    with pytest.raises(InputError, match="no particles"):
        majority_species([])
