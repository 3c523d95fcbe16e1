"""The store: units are whole or absent, whatever happened to the process that wrote them."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from amorphace.core.errors import FileFormatError, InputError
from amorphace.core.process import Process, machine
from amorphace.core.records import write_record
from amorphace.runs.execute import do_units
from amorphace.runs.job import Job
from amorphace.runs.scratch import CHECKPOINT, PROGRESS, Failure
from amorphace.runs.store import Damaged, Store
from amorphace.runs.unit import Kind, Outcome, Role, Unit

from toy_kinds import (
    Averaging,
    Count,
    Counted,
    Counting,
    Mean,
    Small,
    Wait,
    Waited,
    Waiting,
    waiting,
)

UNIT = waiting(1).units[0]
RESULT = Outcome(results=Small(0, 0.5), health=({"what": "end", "problems": []},))


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


def write(store: Store, unit: Unit = UNIT, outcome: Outcome = RESULT, index: int = 0) -> None:
    with store.writing(unit.id) as folder:
        write_record(folder, Waited(np.array([index])))
        store.commit(unit, folder, outcome, seconds=2.0, programs={"numpy": "0"})


def test_a_written_unit_is_read_again_with_the_types_of_its_kind(store):
    write(store)
    assert store.finished() == {UNIT.id}
    assert store.sound(UNIT.id, digests=True)
    assert store.load(UNIT).index.tolist() == [0]
    found = store.outcome(UNIT)
    assert (found.results, found.health) == (RESULT.results, RESULT.health)
    meta = store.meta(UNIT.id)
    assert (meta.id, meta.seconds, meta.programs) == (UNIT.id, 2.0, {"numpy": "0"})
    assert list((store.path / "tmp").iterdir()) == []


def test_results_of_another_type_than_the_kind_declares_are_not_written(store):
    with pytest.raises(FileFormatError, match="the field more is unknown to Small"):
        write(store, outcome=Outcome(results={"index": 1, "mean": 2, "more": 3}))
    assert store.finished() == set()


def test_a_failed_write_leaves_nothing(store):
    def fail() -> None:
        with store.writing(UNIT.id) as folder:
            (folder / "half").write_text("half")
            raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        fail()
    assert store.finished() == set()
    assert list((store.path / "tmp").iterdir()) == []


def change_meta(store: Store, **fields) -> None:
    file = store.folder(UNIT.id) / "meta.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


DAMAGES = {
    "truncated array": lambda s, f: f.write_bytes(f.read_bytes()[:-8]),
    "lost array": lambda s, f: f.unlink(),
    "flipped bit": lambda s, f: f.write_bytes(f.read_bytes()[:-1] + b"\1"),
    "array is a folder": lambda s, f: [f.unlink(), f.mkdir()],
    "meta cut": lambda s, f: (f.parent / "meta.json").write_text("{"),
    "meta lost": lambda s, f: (f.parent / "meta.json").unlink(),
    "meta a folder": lambda s, f: [(m := f.parent / "meta.json").unlink(), m.mkdir()],
    "meta deep": lambda s, f: (f.parent / "meta.json").write_text("[" * 100_000),
    "meta a list": lambda s, f: (f.parent / "meta.json").write_text("[]"),
    "no files": lambda s, f: change_meta(s, files={}),
    "files a list": lambda s, f: change_meta(s, files=[]),
    "files of numbers": lambda s, f: change_meta(s, files=[1]),
    "a file outside": lambda s, f: change_meta(s, files={"/usr": {"bytes": 1, "sha256": ""}}),
    "a changed number": lambda s, f: change_meta(s, seconds=3.0),
    "more fields": lambda s, f: change_meta(s, more=1),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_unit_is_found_set_aside_and_made_again(store, damage):
    write(store)
    DAMAGES[damage](store, store.folder(UNIT.id) / "index.npy")
    assert not store.sound(UNIT.id, digests=True)
    with pytest.raises(Damaged, match=f"{UNIT.id} is damaged and was set aside; run again"):
        store.verified(UNIT.id)
    assert store.finished() == set()
    assert list((store.path / "tmp").iterdir()) == []
    write(store)
    assert store.verified(UNIT.id) == store.folder(UNIT.id)


def test_a_unit_under_the_name_of_another_one_is_not_that_one(store):
    write(store)
    other = waiting(2).units[1]
    store.folder(other.id).parent.mkdir(exist_ok=True)
    os.rename(store.folder(UNIT.id), store.folder(other.id))
    with pytest.raises(FileFormatError, match=f"it describes {UNIT.id}, not {other.id}; run the"):
        store.meta(other.id)
    assert not store.sound(other.id, digests=True)
    ((report),) = do_units(store, [other])
    assert report.meta is not None
    assert store.load(other).index.tolist() == [1]


def test_of_two_writers_the_first_stays_and_nothing_is_left_over(store):
    write(store, index=1)
    write(store, index=2)
    assert store.load(UNIT).index.tolist() == [1]
    assert list((store.path / "tmp").iterdir()) == []


def test_a_damaged_unit_makes_room_for_a_whole_one(store):
    write(store, index=1)
    (store.folder(UNIT.id) / "index.npy").unlink()
    write(store, index=2)
    assert store.load(UNIT).index.tolist() == [2]


def test_an_unfinished_unit_is_named(store):
    with pytest.raises(InputError, match=f"unit {UNIT.id} is not finished; run the experiment"):
        store.meta(UNIT.id)


# ---------------------------------------------------------------- what is not finished


@dataclass(frozen=True, eq=False)
class Other:
    """A checkpoint of another kind."""

    sums: NDArray[np.float64]
    step: int


def test_a_checkpoint_comes_back_exactly_and_goes_with_the_finished_unit(store):
    sums = np.random.default_rng(0).normal(size=100)
    assert store.scratch.read_checkpoint(UNIT.id, Counted) is None
    store.scratch.write_checkpoint(UNIT.id, Counted(sums))
    found = store.scratch.read_checkpoint(UNIT.id, Counted)
    assert found is not None
    assert found.sums.tobytes() == sums.tobytes()
    write(store)
    assert store.scratch.begun() == []


def huge() -> bytes:
    """An archive whose array claims 8 TB."""
    import io
    from zipfile import ZipFile

    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        archive.writestr("record.json", '{"sums": "sums"}')
        head = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n"
        archive.writestr("sums.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little")
                         + head.encode())  # fmt: skip
    return out.getvalue()


BAD_CHECKPOINTS = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[:300]),
    "empty": lambda file: file.write_bytes(b""),
    "flipped": lambda file: file.write_bytes(file.read_bytes()[:150] + b"\xff"
                                             + file.read_bytes()[151:]),
    "8 TB": lambda file: file.write_bytes(huge()),
}  # fmt: skip


@pytest.mark.parametrize("damage", [*BAD_CHECKPOINTS, "another kind", "another length"])
def test_a_checkpoint_that_does_not_fit_is_set_aside_and_the_unit_starts_anew(store, damage):
    unit = Unit(kind=Counting(), name="count", parameters=Count(5))
    store.scratch.write_checkpoint(unit.id, Counted(np.arange(3.0)))
    file = store.scratch.folder(unit.id) / CHECKPOINT
    if damage == "another kind":
        store.scratch.write_checkpoint(unit.id, Other(np.arange(3.0), 1))
    elif damage == "another length":
        store.scratch.write_checkpoint(unit.id, Counted(np.arange(9.0)))
    else:
        BAD_CHECKPOINTS[damage](file)
    ((report),) = do_units(store, [unit])
    assert (report.error, report.meta.results) == ("", {"began": 0})
    assert not file.exists()


def test_a_unit_goes_on_from_its_checkpoint(store):
    unit = Unit(kind=Counting(), name="count", parameters=Count(5))
    store.scratch.write_checkpoint(unit.id, Counted(np.array([1.0, 2.0])))
    ((report),) = do_units(store, [unit])
    assert report.meta.results == {"began": 2}
    assert store.load(unit).sums[:2].tolist() == [1.0, 2.0]


def test_progress_tells_whether_its_process_lives(store):
    assert store.scratch.progress(UNIT.id) is None
    store.scratch.report(UNIT.id, 1, 4, "quench")
    found = store.scratch.progress(UNIT.id)
    assert (found.done, found.total, found.text, found.alive) == (1, 4, "quench", True)
    file = store.scratch.folder(UNIT.id) / PROGRESS
    news = json.loads(file.read_text())

    def alive(seconds: float = 0.0, **process) -> bool:
        changed = {"process": news["process"] | process, "time": time.time() + seconds}
        file.write_text(json.dumps(news | changed))
        return store.scratch.progress(UNIT.id).alive

    assert not alive(pid=2**22 + 1)  # above the largest process number
    assert not alive(start="1")  # a process number that came again
    assert alive(host="elsewhere", pid=2**22 + 1)
    assert not alive(-601, host="elsewhere")
    assert not alive(601, host="elsewhere")
    for text in ("{", "[]", '{"pid": 1}', "[" * 100_000):
        file.write_text(text)
        assert store.scratch.progress(UNIT.id) is None


def test_a_failure_is_told_until_it_is_forgotten(store):
    store.scratch.fail(UNIT.id, Failure("number 0", "too hot", "details"))
    assert store.scratch.failures() == {UNIT.id: Failure("number 0", "too hot", "details")}
    (store.path / "failed" / f"{UNIT.id}.json").write_text("{")
    assert store.scratch.failure(UNIT.id).message == "unknown"
    store.scratch.forget_failure(UNIT.id)
    assert store.scratch.failures() == {}


# ---------------------------------------------------------------- what killed writers leave


def _die_writing(path: Path) -> None:
    with Store(path).writing(UNIT.id) as folder:
        (folder / "half").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_writer_left_is_tidied_and_nothing_else(store):
    process = multiprocessing.get_context("spawn").Process(target=_die_writing, args=(store.path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(list((store.path / "tmp").iterdir())) == 1
    others = {
        "elsewhere": Process("elsewhere", 2**22 + 1, "1"),
        "another name space": Process(f"{machine()}0", 2**22 + 1, "1"),
    }
    for who in others.values():
        (store.path / "tmp" / f"{UNIT.id}.{who.stamp}-00").mkdir()
    with store.writing(UNIT.id) as mine:
        store.tidy()
        left = set((store.path / "tmp").iterdir())
        assert mine in left
        assert len(left) == 3


# ---------------------------------------------------------------- inputs


class Late(Kind[Mean, None]):
    """Reads one input, after it was done for a while."""

    name = "late"
    parameters = Mean
    inputs = {"first": Role(digests=False)}  # noqa: RUF012

    def do(self, job: Job[Mean]) -> Outcome:
        return Outcome(results={"index": int(job.input("first").load(Waiting).index[0])})


def reader(kind: type[Kind], store: Store, *, ends: str = "") -> tuple[Unit, list[Unit]]:
    """A unit, and those that it reads, which are done."""
    read = [Unit(kind=Waiting(), name=f"{k}", parameters=Wait(k, end=ends if k == 0 else ""))
            for k in range(3)]  # fmt: skip
    list(do_units(store, read))
    inputs = {"first": (read[0].id,)}
    if kind is Averaging:
        inputs["all"] = tuple(u.id for u in read)
    return Unit(kind=kind(), name="reader", parameters=Mean(), inputs=inputs), read


@pytest.mark.parametrize("kind", [Averaging, Late])
def test_a_damaged_input_is_found_before_it_is_used(store, kind):
    unit, read = reader(kind, store)
    file = store.folder(read[0].id) / "index.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    ((report),) = do_units(store, [unit])
    assert "is damaged and was set aside; run again" in report.error
    assert not report.stop
    assert not store.has(unit.id)
    assert not store.has(read[0].id)


def test_a_unit_is_dropped_with_its_input_or_leaves_it_out_as_its_roles_say(store):
    unit, read = reader(Averaging, store, ends="drop")
    ((report),) = do_units(store, [unit])
    assert report.meta.dropped == "too hot"
    sound = Unit(
        kind=Averaging(), name="reader", parameters=Mean(),
        inputs={"all": tuple(u.id for u in read), "first": (read[1].id,)},
    )  # fmt: skip
    ((report),) = do_units(store, [sound], n_jobs=3)
    assert report.meta.results == {"mean": 1.5, "n_jobs": 3}


def test_an_input_of_another_kind_is_refused(store):
    unit, _ = reader(Late, store)
    wrong = Unit(kind=Late(), name="wrong", parameters=Mean(), inputs={"first": (unit.id,)})
    list(do_units(store, [unit]))
    ((report),) = do_units(store, [wrong])
    assert f"the input {unit.id} is no unit of the kind wait" in report.error


# ---------------------------------------------------------------- the folder itself


def test_a_store_of_another_version_is_refused_and_left_alone(store):
    head = store.path / "store.json"
    head.write_text(json.dumps({"format": "amorphace store", "format_version": 1}))
    before = head.read_bytes()
    with pytest.raises(
        FileFormatError,
        match="a store of format version 1; this program reads version 2; nothing was changed: use",
    ):
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


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    (tmp_path / "a.store").symlink_to(tmp_path / "gone")
    (tmp_path / "b.store").symlink_to(tmp_path / "b.store")
    for name in ("a.store", "b.store"):
        with pytest.raises(InputError, match=f"{name} is a link that leads nowhere; remove it"):
            Store(tmp_path / name)


def test_experiments_are_remembered_by_name(store):
    store.register("a", ["wait-1", "wait-2"])
    store.register("b", ["wait-2"])
    assert store.experiments() == {"a": {"wait-1", "wait-2"}, "b": {"wait-2"}}
    store.unregister("a")
    (store.path / "experiments" / "b.json").write_text('{"units": [1]}')
    with pytest.raises(FileFormatError, match=r"b\.json: no list of units; run that experiment"):
        store.experiments()


def test_a_file_that_units_read_is_kept_by_its_content(store, tmp_path):
    potential = tmp_path / "Cu.eam"
    potential.write_text("numbers")
    store.keep_file(potential)
    ((kept),) = (store.path / "files").iterdir()
    kept.write_text("other")
    store.keep_file(potential)
    assert store.file(kept.name).read_text() == "numbers"
    with pytest.raises(InputError, match="no such file; run the experiment again, which copies"):
        store.file("0" * 64)
