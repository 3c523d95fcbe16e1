"""The store: units are whole or absent, whatever happened to the process that wrote them."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amorphace.campaign.store import Outcome, Store
from amorphace.campaign.units import Unit
from amorphace.core.errors import FileFormatError, InputError

UNIT = Unit(kind="prepare", name="sample_01", parameters={"seed": 1, "time": 0.1})
RESULT = Outcome(arrays={"positions": np.arange(6.0).reshape(2, 3)}, results={"seed": 7})


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


def test_a_written_unit_is_read_again(store):
    store.write(UNIT, RESULT, {"amorphace": "0"})
    assert store.finished() == {UNIT.id}
    assert store.sound(UNIT.id, digests=True)
    assert store.meta(UNIT.id)["results"] == {"seed": 7}
    assert store.meta(UNIT.id)["parameters"] == UNIT.parameters
    assert np.array_equal(store.array(UNIT.id, "positions"), RESULT.arrays["positions"])


def test_the_digest_depends_on_what_determines_the_result_and_on_nothing_else():
    same = Unit(kind="prepare", name="other", parameters={"time": 0.1, "seed": 1}, cost=3.0)
    assert same.id == UNIT.id
    others = [
        Unit(kind="inherent", name="", parameters=UNIT.parameters),
        Unit(kind="prepare", name="", parameters={"seed": 2, "time": 0.1}),
        Unit(kind="prepare", name="", parameters=UNIT.parameters, inputs={"start": (UNIT.id,)}),
    ]
    assert len({UNIT.id, *(u.id for u in others)}) == 4


@given(
    st.dictionaries(
        st.text(max_size=5), st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_a_unit_keeps_its_digest_through_json(parameters):
    unit = Unit(kind="prepare", name="a", parameters=parameters, inputs={"start": ("prepare-00",)})
    assert Unit.from_dict(json.loads(json.dumps(unit.to_dict()))).id == unit.id


def test_a_failed_write_leaves_nothing(store):
    def stop(path: Path) -> None:
        path.write_text("half")
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        store.write(UNIT, Outcome(files={"table.zarr": stop}), {})
    assert store.finished() == set()
    assert list((store.path / "tmp").iterdir()) == []


@pytest.mark.parametrize("damage", ["truncate", "remove", "change", "meta"])
def test_a_damaged_unit_is_found_and_set_aside(store, damage):
    store.write(UNIT, RESULT, {})
    file = store.folder(UNIT.id) / "positions.npy"
    content = file.read_bytes()
    if damage == "truncate":
        file.write_bytes(content[:-8])
    elif damage == "remove":
        file.unlink()
    elif damage == "change":
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        (store.folder(UNIT.id) / "meta.json").write_text("{")
    assert not store.sound(UNIT.id, digests=True)
    store.set_aside(UNIT.id)
    assert store.finished() == set()
    store.write(UNIT, RESULT, {})
    assert store.sound(UNIT.id, digests=True)


def test_of_two_writers_the_first_stays_and_nothing_is_left_over(store):
    store.write(UNIT, RESULT, {"writer": 1})
    store.write(UNIT, RESULT, {"writer": 2})
    assert store.meta(UNIT.id)["versions"] == {"writer": 1}
    assert list((store.path / "tmp").iterdir()) == []


def test_a_checkpoint_comes_back_exactly(store):
    values = {"stage": 2, "messages": ["a"], "x": 0.1}
    arrays = {"v": np.random.default_rng(0).normal(size=(5, 3))}
    assert store.read_checkpoint(UNIT.id) is None
    store.write_checkpoint(UNIT.id, arrays, values)
    again, read = store.read_checkpoint(UNIT.id)
    assert read == values
    assert np.array_equal(again["v"], arrays["v"])
    store.write(UNIT, RESULT, {})
    assert store.read_checkpoint(UNIT.id) is None


def test_a_truncated_checkpoint_counts_as_none(store):
    store.write_checkpoint(UNIT.id, {"v": np.zeros(100)}, 1)
    file = store.work(UNIT.id) / "checkpoint.npz"
    file.write_bytes(file.read_bytes()[:300])
    assert store.read_checkpoint(UNIT.id) is None


def test_what_a_killed_writer_left_is_tidied(store):
    process = multiprocessing.get_context("spawn").Process(target=_die_writing, args=(store.path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(list((store.path / "tmp").iterdir())) == 1
    assert store.finished() == set()
    store.tidy()
    assert list((store.path / "tmp").iterdir()) == []


def _die_writing(path: Path) -> None:
    def die(_: Path) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    Store(path).write(UNIT, Outcome(arrays=RESULT.arrays, files={"table.zarr": die}), {})


def test_progress_tells_whether_its_process_lives(store):
    assert store.progress(UNIT.id) is None
    store.report(UNIT.id, 1, 4, "quench")
    found = store.progress(UNIT.id)
    assert found is not None
    assert (found.done, found.total, found.text, found.alive) == (1, 4, "quench", True)
    news = json.loads((store.work(UNIT.id) / "progress.json").read_text())
    news["pid"] = 2**22 + 1  # above the largest process number
    (store.work(UNIT.id) / "progress.json").write_text(json.dumps(news))
    assert store.progress(UNIT.id).alive is False


def test_a_store_of_another_version_is_refused_and_left_alone(store):
    head = store.path / "store.json"
    head.write_text(json.dumps({"format": "amorphace store", "format_version": 99}))
    before = head.read_bytes()
    with pytest.raises(FileFormatError, match="a store of version 99, this program reads and wri"):
        Store(store.path)
    assert head.read_bytes() == before


def test_a_store_that_another_program_makes_at_this_moment_is_joined(tmp_path):
    place = tmp_path / "a.store"
    place.mkdir()
    (place / ".store.json.partial-elsewhere-7").write_text("{")
    Store(place)
    assert (place / "store.json").exists()


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="is there already and is no store"):
        Store(tmp_path)
    with pytest.raises(InputError, match="there is no store yet"):
        Store(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()
