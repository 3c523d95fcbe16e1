"""A user's own files described in chunks: the same table however the work is divided."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

import amorphace as am
from amorphace.campaign import trajectory
from amorphace.campaign.pruning import find_leftovers
from amorphace.campaign.store import Store, size_of
from amorphace.campaign.trajectory import Description, plan_description
from amorphace.campaign.work import do_unit
from amorphace.core.errors import InputError
from amorphace.dataset.describe import Sample, all_sites, labelled_sites, write_features
from amorphace.dataset.pieces import Layout, join_pieces, write_piece
from amorphace.dataset.store import read_table, write_table
from amorphace.dataset.table import Table
from test_cli import run

from campaign_samples import children_of, until
from test_ace_features import glass

SPECIES = ("A", "B")
CUTOFFS = (1.5,)
FORMATS = ("dump", "dump.gz", "xyz", "gsd", "npz")
FRAMES = 7
BLOCK_BYTES = 14_000
"""Blocks of a few rows, so that small tables have many."""


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr("amorphace.dataset.store.BLOCK_BYTES", BLOCK_BYTES)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


def descriptors() -> list[am.ACEDescriptor]:
    words = {"species": SPECIES, "max_order": 2, "max_degree": 5, "n_max": 5}
    return [am.ACEDescriptor(cutoff=c, n_jobs=1, **words).fit() for c in CUTOFFS]


def frames(count: int = FRAMES, n: int = 64) -> list[am.Configuration]:
    """Frames of a trajectory with as many particles, but other species and cells."""
    return [replace(glass(k, n=n), step=100 * k) for k in range(count)]


def plan(store: Store, *files: Path, **words) -> Description:
    return plan_description(store, files, [f.name for f in files], descriptors(), **words)


def carried_out(store: Store, plan: Description) -> Path:
    """Do every unit; where the table is."""
    for unit in plan.units:
        assert do_unit(store, unit)["outcome"] == "whole"
    return store.folder(plan.table.id) / "table.zarr"


def blocks(table: Path) -> dict[str, bytes]:
    """Every file of a table but its attributes."""
    return {
        str(p.relative_to(table)): p.read_bytes()
        for p in sorted(table.rglob("*"))
        if p.is_file() and p != table / "zarr.json"
    }


def attributes(table: Path) -> dict:
    """What a table says of itself, but for the command that made it."""
    found = json.loads((table / "zarr.json").read_text())
    found["attributes"]["provenance"].pop("command")
    return found


@pytest.mark.parametrize(
    ("suffix", "centres", "divisions"),
    [
        ("dump", None, (1, 3, 7)),
        ("dump", ("B",), (3,)),
        ("dump.gz", None, (7,)),
        ("xyz", None, (7,)),
        ("xyz", ("B",), (3,)),
        ("gsd", None, (7,)),
        ("npz", ("B",), (7,)),
    ],
)
def test_the_table_of_a_trajectory_is_that_of_one_process(
    store, tmp_path, suffix, centres, divisions
):
    file = tmp_path / f"run.{suffix}"
    am.write(file, frames())
    whole = tmp_path / "whole.zarr"
    samples = [Sample(f"{file.name}:{k}", c) for k, c in enumerate(am.iread(file, SPECIES))]
    write_features(whole, *all_sites(samples, centres=centres, provenance={}), descriptors())
    tables = [
        carried_out(store, plan(store, file, chunks=chunks, centres=centres))
        for chunks in divisions
    ]
    assert Layout.of(len(read_table(whole)), descriptors()).blocks_of(0, 1).stop > 4
    assert [blocks(table) for table in tables] == [blocks(whole)] * len(divisions)
    assert read_table(tables[-1]).sample_names == read_table(whole).sample_names


def test_labelled_particles_are_described_in_the_last_frame_of_each_file(store, tmp_path):
    files = [tmp_path / f"s{k}.dump" for k in range(3)]
    for k, file in enumerate(files):
        am.write(file, [glass(90, n=50), glass(k, n=64)])
    rng = np.random.default_rng(3)
    ends = [am.read(file, SPECIES) for file in files]
    labels = Table(
        sample=np.repeat([2, 0, 1], 64),
        particle_id=np.concatenate([ends[k].ids for k in (2, 0, 1)]),
        species=np.concatenate([ends[k].species for k in (2, 0, 1)]),
        label=rng.integers(-1, 2, 192),
        sample_names=["one", "two", "three"],
        provenance={"command": "label"},
    )
    write_table(tmp_path / "labels.zarr", labels)
    whole = tmp_path / "whole.zarr"
    table, sites = labelled_sites(
        [Sample(f.name, c) for f, c in zip(files, ends, strict=True)], labels, centres=None,
        provenance={},
    )  # fmt: skip
    write_features(whole, table, sites, descriptors())
    for chunks in (4,):
        made = carried_out(
            store, plan(store, *files, labels=tmp_path / "labels.zarr", chunks=chunks)
        )
        assert blocks(made) == blocks(whole)
    origin = read_table(made).provenance
    assert [i["name"] for i in origin["inputs"]] == [*(f.name for f in files), "labels.zarr"]
    assert origin["labels"] == {"command": "label"}
    with pytest.raises(InputError, match="the labels are of 3 samples"):
        plan(store, files[0], labels=tmp_path / "labels.zarr")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_chunk_reads_only_the_frames_that_its_rows_are_in(store, tmp_path, monkeypatch, suffix):
    file = tmp_path / f"run.{suffix}"
    am.write(file, frames(8))
    made = plan(store, file, chunks=4)
    read: list[int] = []
    for name in ("dump._raw_frame", "extxyz._raw_frame", "hoomd._frame", "npz._configuration"):
        where = f"amorphace.io.{name}"
        module, _, function = where.rpartition(".")
        real = getattr(sys.modules[module], function)
        monkeypatch.setattr(where, lambda *a, real=real: read.append(1) or real(*a))
    do_unit(store, made.units[0])
    assert len(read) == 8
    for unit in made.of_kind("features"):
        read.clear()
        rows = do_unit(store, unit)["results"]
        first, last = rows["first"] // 64, (rows["first"] + rows["n_sites"] - 1) // 64
        assert len(read) == last - first + 1 <= 4
    read.clear()
    do_unit(store, made.table)
    assert read == []


def test_a_chunk_is_written_block_by_block_and_each_block_once(store, tmp_path, monkeypatch):
    file = tmp_path / "run.dump"
    am.write(file, frames(4, n=7))
    monkeypatch.setattr("amorphace.dataset.store.BLOCK_BYTES", 5000)  # several frames in a block
    made = plan(store, file, chunks=2)
    shapes = []
    real = zarr.Array.__setitem__
    monkeypatch.setattr(
        zarr.Array, "__setitem__", lambda a, k, v: shapes.append(np.shape(v)) or real(a, k, v)
    )
    do_unit(store, made.units[0])
    for unit in made.of_kind("features"):
        do_unit(store, unit)
    rows = Layout.of(28, descriptors()).block_rows
    assert 7 < rows < 28
    assert [s[0] for s in shapes] == [rows, 28 - rows]


def test_the_files_of_a_table_are_those_of_its_chunks(store, tmp_path, monkeypatch):
    file = tmp_path / "run.dump"
    am.write(file, frames())
    made = plan(store, file, chunks=3)
    table = carried_out(store, made)
    own = list((table / "features").rglob("c/*/*"))
    assert own
    assert all(p.stat().st_nlink == 2 for p in own)

    real = os.link

    def no_links(source, target):
        if "c" in Path(target).parts:
            raise OSError("no links here")
        real(source, target)

    monkeypatch.setattr(os, "link", no_links)
    pieces = [store.folder(u.id) / "features.zarr" for u in made.of_kind("features")]
    known = read_table(table)
    layout = Layout.of(len(known), descriptors())
    join_pieces(tmp_path / "copy.zarr", known.without_features(), layout, pieces)
    assert blocks(tmp_path / "copy.zarr") == blocks(table)
    assert all(p.stat().st_nlink == 1 for p in (tmp_path / "copy.zarr").rglob("c/*/*"))


def test_each_block_is_read_once_to_put_the_table_together(store, tmp_path, monkeypatch):
    file = tmp_path / "run.dump"
    am.write(file, frames())
    made = plan(store, file, chunks=3)
    for unit in made.units[:-1]:
        do_unit(store, unit)
    opened: list[Path] = []
    real = Path.open
    monkeypatch.setattr(Path, "open", lambda p, *a, **k: opened.append(p) or real(p, *a, **k))
    do_unit(store, made.table)
    monkeypatch.undo()
    read = Counter(p.name for p in opened if "features" in p.parts and "c" in p.parts)
    table = store.folder(made.table.id) / "table.zarr"
    assert read == Counter(p.name for p in (table / "features").rglob("c/*/*"))
    assert store.sound(made.table.id, digests=True)


def test_a_pruned_table_frees_what_its_chunks_do_not_hold(store, tmp_path):
    file = tmp_path / "run.dump"
    am.write(file, frames())
    made = plan(store, file, chunks=3)
    table = carried_out(store, made)
    units = set(made.by_id())
    shared = sum(p.stat().st_size for p in (table / "features").rglob("c/*/*"))
    (alone,) = find_leftovers(store, units - {made.table.id})
    assert alone.size == size_of(store.folder(made.table.id)) - shared
    everything = sum(left.size for left in find_leftovers(store, set()))
    assert everything == size_of(store.path / "units") - shared


def test_a_missing_block_and_sites_that_do_not_fill_the_rows_are_named(store, tmp_path):
    file = tmp_path / "run.dump"
    am.write(file, frames())
    made = plan(store, file, chunks=3)
    table = read_table(carried_out(store, made))
    layout = Layout.of(len(table), descriptors())
    pieces = [store.folder(u.id) / "features.zarr" for u in made.of_kind("features")]
    with pytest.raises(InputError, match="a block of 14000 bytes was expected; remove this piece"):
        join_pieces(tmp_path / "a.zarr", table.without_features(), layout, pieces[::-1])
    sites = [am.Sites(glass(0, n=10))]
    with pytest.raises(InputError, match="10 sites for the rows 0 to 27"):
        write_piece(tmp_path / "b.zarr", layout, range(28), sites, descriptors())
    with pytest.raises(InputError, match="more sites than rows 0 to 6"):
        write_piece(tmp_path / "c.zarr", layout, range(7), sites, descriptors())


@pytest.mark.parametrize("damage", ["truncated", "gone", "other bytes"])
def test_a_damaged_chunk_is_made_again(store, tmp_path, damage):
    file = tmp_path / "run.dump"
    am.write(file, frames())
    made = plan(store, file, chunks=3)
    whole = blocks(carried_out(store, made))
    unit = made.of_kind("features")[1]
    block = next(store.folder(unit.id).rglob("features/1.5/c/*/0"))
    shutil.rmtree(store.folder(made.table.id))
    if damage == "gone":
        block.unlink()
    else:
        block.write_bytes(block.read_bytes()[:-8] + (b"" if damage == "truncated" else b"12345678"))
    with pytest.raises(InputError, match="is damaged and was set aside; run again"):
        do_unit(store, made.table)
    assert blocks(carried_out(store, made)) == whole


def test_a_moved_file_is_found_again_and_a_changed_one_is_another(store, tmp_path):
    file, moved = tmp_path / "run.dump", tmp_path / "elsewhere.dump"
    am.write(file, frames())
    made = plan(store, file, chunks=2)
    first, second = made.of_kind("features")
    for unit in (made.units[0], first):
        do_unit(store, unit)
    file.rename(moved)
    with pytest.raises(InputError, match=r"run\.dump is not there any more; run the command again"):
        do_unit(store, second)
    again = plan(store, moved, chunks=2)
    assert [u.id for u in again.units[:-1]] == [u.id for u in made.units[:-1]]
    do_unit(store, second)
    am.write(moved, frames()[::-1])
    third = plan(store, moved, chunks=3).of_kind("features")[0]
    assert third.id not in {u.id for u in made.units}
    am.write(moved, frames())
    with pytest.raises(InputError, match=r"elsewhere\.dump has changed since the command began"):
        carried_out(store, plan_of_other_contents(store, moved))
    os.utime(moved, (1, 1))  # its time alone says nothing
    assert len(read_table(carried_out(store, again))) == FRAMES * 64


def plan_of_other_contents(store: Store, file: Path) -> Description:
    """A plan for a file that is then written anew."""
    whole = file.read_bytes()
    am.write(file, frames(2))
    made = plan(store, file)
    file.write_bytes(whole)
    return made


def test_a_file_that_changes_while_it_is_read_gives_no_chunk(store, tmp_path, monkeypatch):
    file = tmp_path / "run.dump"
    am.write(file, frames())
    made = plan(store, file, chunks=2)
    do_unit(store, made.units[0])
    real = trajectory.iread_at

    def and_change(*words):
        yield from real(*words)
        os.utime(file, (1, 1))

    monkeypatch.setattr(trajectory, "iread_at", and_change)
    with pytest.raises(InputError, match="has changed since the command began"):
        do_unit(store, made.of_kind("features")[0])


def test_species_that_no_particle_has_are_named(store, tmp_path):
    file = tmp_path / "run.dump"
    am.write(file, frames())
    made = plan(store, file, centres=["C"])
    do_unit(store, made.units[0])
    with pytest.raises(InputError, match="no particle is of species C"):
        do_unit(store, made.units[1])


WORDS = ["--species", *SPECIES, "--max-order", 2, "--max-degree", 5, "--n-max", 5, "--cutoff", 1.5]


def test_the_command_gives_the_same_table_with_a_store_and_without(tmp_path, capsys, monkeypatch):
    monkeypatch.undo()
    file, one, two = (tmp_path / name for name in ("run.dump", "one.zarr", "two.zarr"))
    am.write(file, frames())
    assert run("describe", file, *WORDS, "-o", one, "--n-jobs", 1) == 0
    stored = ["describe", file, *WORDS, "-o", two, "--store", tmp_path / "s", "--workers", 1]
    assert run(*stored) == 0
    assert "448 sites, 35 columns at cutoffs 1.5" in capsys.readouterr().out
    assert blocks(two) == blocks(one)
    assert attributes(two) == attributes(one)
    assert all(p.stat().st_nlink == 1 for p in two.rglob("c/*/*"))
    assert run(*stored) == 0  # it is there already, and whole
    assert run("describe", file, *WORDS, "-o", one, "--store", tmp_path / "s") == 2
    assert "one.zarr is there already" in capsys.readouterr().err
    assert run("describe", file, *WORDS, "-o", tmp_path / "t.zarr", "--workers", 2) == 2
    assert "--workers: only with --store DIR" in capsys.readouterr().err
    both = ["--shard", "1/2", "--scheduler", "tcp://127.0.0.1:1"]
    assert run(*stored, *both) == 2
    assert "--shard and --scheduler are two ways" in capsys.readouterr().err


def described(file: Path, output: Path, store: Path, *words: object) -> subprocess.Popen[str]:
    """The command with the paper's columns, in its own process group."""
    return subprocess.Popen(
        [
            Path(sys.executable).with_name("amorphace"), "describe", file, "--species", "A", "B",
            "-o", output, "--store", store, "--chunks", "12", *map(str, words),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def long_run(tmp_path_factory) -> tuple[Path, dict[str, bytes]]:
    """A trajectory whose table has 200 MB, and that table."""
    folder = tmp_path_factory.mktemp("long")
    rng, side = np.random.default_rng(5), 12
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3), -1).reshape(-1, 3)
    labels = rng.choice(SPECIES, len(grid))
    file = folder / "run.dump"
    am.write(
        file,
        (
            am.Configuration(
                positions=grid + rng.uniform(-0.2, 0.2, grid.shape),
                species=labels,
                cell=float(side),
                step=k,
            )
            for k in range(26)
        ),
    )
    whole = described(file, folder / "whole.zarr", folder / "whole.store", "--workers", 2)
    out, _ = whole.communicate(timeout=300)
    assert whole.returncode == 0, out
    return file, blocks(folder / "whole.zarr")


def finished(store: Store) -> set[str]:
    return {i for i in store.finished() if i.startswith("features-")}


@pytest.mark.slow
def test_a_killed_program_goes_on_with_the_chunks_that_are_left(long_run, tmp_path):
    file, whole = long_run
    output, store = tmp_path / "a.zarr", Store(tmp_path / "a.store")
    for least in (2, 5):
        program = described(file, output, store.path, "--workers", 2)
        until(lambda least=least: len(finished(store)) >= least)
        os.killpg(program.pid, signal.SIGKILL)
        program.communicate()
        assert not output.exists()
    assert len(finished(store)) < 12
    last = described(file, output, store.path, "--workers", 2)
    out, _ = last.communicate(timeout=300)
    assert last.returncode == 0, out
    assert blocks(output) == whole
    assert set(store.written().values()) == {1}
    until(lambda: not children_of(last.pid))


@pytest.mark.slow
def test_two_shards_share_the_chunks_of_a_trajectory(long_run, tmp_path):
    file, whole = long_run
    output, place = tmp_path / "a.zarr", tmp_path / "a.store"
    shards = [described(file, output, place, "--workers", 1, "--shard", f"{k}/2") for k in (1, 2)]
    outs = [shard.communicate(timeout=300)[0] for shard in shards]
    store = Store(place, create=False)
    for shard, out in zip(shards, outs, strict=True):
        assert shard.returncode == 0, out
        assert out.count("features of chunk") > 1
    assert sum(out.count("features of chunk") for out in outs) == 12
    assert set(Counter(store.written()).values()) == {1}
    assert blocks(output) == whole
    late = described(file, output, store.path, "--shard", "2/2")
    out, _ = late.communicate(timeout=100)
    assert late.returncode == 0, out
    assert "features of chunk" not in out


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Dask's, when its parts are killed
def test_workers_of_a_scheduler_describe_a_trajectory(long_run, tmp_path):
    from test_campaign_dask import parts

    file, whole = long_run
    output, store = tmp_path / "a.zarr", Store(tmp_path / "a.store")
    with parts(tmp_path) as cluster:
        program = described(file, output, store.path, "--scheduler", cluster.address)
        out, _ = program.communicate(timeout=300)
    assert program.returncode == 0, out
    assert len(finished(store)) == 12
    assert blocks(output) == whole


@pytest.mark.slow
def test_memory_of_a_chunk_does_not_grow_with_the_trajectory(store, tmp_path):
    import tracemalloc

    peaks = []
    for count in (8, 80):
        file = tmp_path / f"run{count}.dump"
        am.write(file, frames(count))
        made = plan(store, file, chunks=count // 4)
        do_unit(store, made.units[0])
        do_unit(store, made.units[1])
        tracemalloc.start()
        begin = time.monotonic()
        do_unit(store, made.units[2])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert time.monotonic() - begin < 60
    assert peaks[1] < 1.5 * peaks[0] + 100_000
