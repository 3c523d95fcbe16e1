"""read, iread, write: what holds in every format."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amorphace as am
from amorphace.core.errors import FileFormatError, InputError

TEXT = (".dump", ".dump.gz", ".lammpstrj", ".xyz", ".extxyz.gz")
EXACT = (*TEXT, ".npz")
ALL = (*EXACT, ".gsd")
BOUNDING_BOX = 2e-14
"""Half the last digit, twice, of an edge of 60: the box of a dump is a sum, then a difference."""
SINGLE = 3e-7
"""Half the last digit of a float32, times a few roundings (GSD), relative to the largest number."""


@st.composite
def configurations(draw: st.DrawFn, max_size: int = 12) -> am.Configuration:
    """Particles in and out of a triclinic cell of LAMMPS's orientation, ids in no order."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(1, max_size))
    cell = np.diag(rng.uniform(1, 20, 3))
    if draw(st.booleans()):
        cell[1, 0], cell[2, 0], cell[2, 1] = rng.uniform(-15, 15, 3)
    spread = draw(st.sampled_from([1.0, 7.0]))
    return am.Configuration(
        positions=rng.uniform(0.5 - spread / 2, 0.5 + spread / 2, (n, 3)) @ cell,
        species=rng.choice(["A", "B", "Zr", "water_1"], n),
        cell=cell,
        ids=rng.choice(10**12, n, replace=False),
        step=draw(st.integers(0, 2**62)),
    )


def a_glass(n: int = 20, seed: int = 0, step: int = 5) -> am.Configuration:
    rng = np.random.default_rng(seed)
    return am.Configuration(
        positions=rng.uniform(0, 4, (n, 3)),
        species=rng.choice(["A", "B"], n),
        cell=[[4, 0, 0], [0.3, 4, 0], [-0.2, 0.1, 4]],
        ids=rng.permutation(n) + 1,
        step=step,
    )


def same_particles(a: am.Configuration, b: am.Configuration) -> bool:
    return (
        np.array_equal(a.ids, b.ids) and np.array_equal(a.species, b.species) and a.step == b.step
    )


@pytest.mark.parametrize("suffix", ALL)
@given(glass=configurations())
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read_back(
    suffix: str, glass: am.Configuration, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("round") / f"glass{suffix}"
    am.write(path, glass)
    back = am.read(path)
    assert same_particles(back, glass)
    if suffix in EXACT:
        assert np.array_equal(back.positions, glass.positions)
        off = np.abs(back.cell - glass.cell).max()
        assert off == 0 if suffix in (".xyz", ".extxyz.gz", ".npz") else off < BOUNDING_BOX
    else:
        scale = np.abs(glass.positions).max() + np.abs(glass.cell).max()
        np.testing.assert_allclose(back.positions, glass.positions, rtol=0, atol=SINGLE * scale)
        np.testing.assert_allclose(back.cell, glass.cell, rtol=0, atol=SINGLE * scale)


@pytest.mark.parametrize("suffix", ALL)
def test_a_trajectory_keeps_its_frames_in_order(suffix: str, tmp_path: Path) -> None:
    frames = [a_glass(n=5 + k, seed=k, step=100 * k) for k in range(4)]
    path = tmp_path / f"run{suffix}"
    am.write(path, iter(frames))
    assert all(same_particles(a, b) for a, b in zip(am.iread(path), frames, strict=True))
    for k in (0, 2, -1, -4):
        assert same_particles(am.read(path, frame=k), frames[k])
    assert same_particles(am.read(path), frames[-1])
    for k in (4, -5):
        with pytest.raises(
            FileFormatError, match=rf"has no frame {k}: it holds 4, numbered 0 to 3"
        ):
            am.read(path, frame=k)


@pytest.mark.parametrize("suffix", ALL)
def test_a_trajectory_of_one_frame_is_read_like_a_configuration(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"run{suffix}"
    am.write(path, [a_glass()])
    assert same_particles(am.read(path, ("A", "B")), a_glass())


@pytest.mark.parametrize("suffix", ALL)
def test_writing_holds_one_frame_in_memory(suffix: str, tmp_path: Path) -> None:
    alive: list[weakref.ref[am.Configuration]] = []

    def frames() -> Iterator[am.Configuration]:
        for k in range(6):
            assert sum(ref() is not None for ref in alive) <= 1
            frame = a_glass(seed=k)
            alive.append(weakref.ref(frame))
            yield frame
            del frame

    am.write(tmp_path / f"run{suffix}", frames())
    assert len(alive) == 6


@pytest.mark.parametrize("suffix", ALL)
def test_one_species_needs_no_declaration_and_an_undeclared_one_is_refused(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"b{suffix}"
    only_b = am.Configuration(positions=np.eye(3), species="B", cell=3.0)
    am.write(path, only_b)
    assert set(am.read(path).species) == {"B"}
    assert set(am.read(path, ("A", "B")).species) == {"B"}  # and not A, its type notwithstanding
    am.write(path, am.Configuration(positions=np.eye(3), species=["A", "B", "C"], cell=3.0))
    with pytest.raises(FileFormatError, match=r"declared"):
        am.read(path, ("A", "B"))


@pytest.mark.parametrize("suffix", ALL)
def test_a_failing_write_leaves_the_old_file_and_nothing_else(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{suffix}"
    am.write(path, a_glass())
    before = path.read_bytes()

    def frames() -> Iterator[am.Configuration]:
        yield a_glass(seed=1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        am.write(path, frames())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


KILLED = """
import os, signal, sys
import numpy as np
import amorphace as am
def frames():
    for k in range(1000):
        if k == 20:
            os.kill(os.getpid(), signal.SIGKILL)
        yield am.Configuration(positions=np.random.rand(500, 3), species="A", cell=1.0, step=k)
am.write(sys.argv[1], frames())
"""


def test_a_killed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "run.dump"
    am.write(path, a_glass())
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert same_particles(am.read(path), a_glass())
    assert len(os.listdir(tmp_path)) == 2  # what the killed process had written, aside
    am.write(path, a_glass(seed=3))
    assert os.listdir(tmp_path) == ["run.dump"]


@pytest.mark.parametrize("suffix", ALL)
def test_a_file_may_be_rewritten_from_itself(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{suffix}"
    am.write(path, [a_glass(seed=k, step=k) for k in range(3)])
    am.write(path, (frame.wrapped() for frame in am.iread(path)))
    assert [frame.step for frame in am.iread(path)] == [0, 1, 2]


@pytest.mark.parametrize("suffix", EXACT)
def test_the_same_configuration_gives_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
    am.write(one, a_glass(), d2min=np.arange(20.0))
    am.write(two, a_glass(), d2min=np.arange(20.0))
    assert one.read_bytes() == two.read_bytes()
    if suffix.endswith(".gz"):  # no time of writing in the header
        assert one.read_bytes()[4:8] == bytes(4)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"d2min": np.zeros(19)}, r"column 'd2min' must have one number for each of the 20 "),
        ({"d2min": np.zeros((20, 2))}, r"'d2min' .* got an array of shape \(20, 2\)"),
        ({"d2min": 1.0}, r"'d2min' .* got an array of shape \(\)"),
        ({"d2min": ["a"] * 20}, r"'d2min' must hold integers, floats or booleans, got dtype <U1"),
        ({"d2min": [None] * 20}, r"got dtype object"),
        ({"type": np.zeros(20)}, r"column name 'type' has a meaning of its own"),
        ({"xu": np.zeros(20)}, r"column name 'xu' has a meaning of its own"),
        ({"d2 min": np.zeros(20)}, r"column name 'd2 min' must be letters, digits"),
        ({"d2:min": np.zeros(20)}, r"column name 'd2:min' must be letters, digits"),
        ({"many": np.full(20, 2**63, dtype=np.uint64)}, r"holds 9223372036854775808, which does"),
    ],
)
@pytest.mark.parametrize("suffix", ALL)
def test_a_column_that_does_not_fit_is_refused(
    suffix: str, columns: dict[str, np.ndarray], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        am.write(tmp_path / f"glass{suffix}", a_glass(), **columns)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("suffix", ALL)
def test_columns_written_come_back(suffix: str, tmp_path: Path) -> None:
    glass, path = a_glass(n=150), tmp_path / f"a{suffix}"
    score = np.where(glass.species == "A", np.linspace(0, 1, 150), np.nan)
    am.write(path, glass, score=score, moved=glass.species == "B", rank=np.arange(150))
    found = am.read_columns(path)
    assert list(found) == ["score", "moved", "rank"]
    assert np.array_equal(found["score"], score, equal_nan=True)
    assert found["score"].dtype == float
    for name, values in (("moved", glass.species == "B"), ("rank", np.arange(150))):
        assert np.array_equal(found[name], values)
        assert found[name].dtype == np.int64
    assert list(am.read_columns(path, "rank", frame=0)) == ["rank"]
    with pytest.raises(FileFormatError, match=r"has no column 'd2mn'; it has .*score"):
        am.read_columns(path, "d2mn")
    with pytest.raises(FileFormatError, match=r"has no frame 1: it holds 1"):
        am.read_columns(path, frame=1)


@pytest.mark.parametrize("suffix", ALL)
def test_columns_do_not_disturb_what_is_read_back(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"glass{suffix}"
    rng = np.random.default_rng(1)
    d2min = np.where(rng.random(20) < 0.3, np.nan, rng.random(20))
    am.write(path, a_glass(), d2min=d2min, moved=d2min > 0.5, forces=-d2min, tags=np.arange(20))
    assert same_particles(am.read(path), a_glass())


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    glass = a_glass()
    with pytest.raises(InputError, match=r"columns \(d2min\) are written beside a single"):
        am.write(tmp_path / "a.dump", [glass], d2min=np.zeros(20))
    with pytest.raises(InputError, match=r"got an empty one; nothing is written"):
        am.write(tmp_path / "a.dump", [])
    with pytest.raises(InputError, match=r"iterable of Configurations, got a int"):
        am.write(tmp_path / "a.dump", 3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"iterable of Configurations, got a str as number 1"):
        am.write(tmp_path / "a.dump", [glass, "glass"])  # type: ignore[list-item]
    with pytest.raises(InputError, match=r"step \d+ does not fit 64 bits"):
        am.write(tmp_path / "a.dump", a_glass(step=2**63))
    with pytest.raises(InputError, match=r"the folder .*nowhere does not exist; create it"):
        am.write(tmp_path / "nowhere" / "a.dump", glass)
    (tmp_path / "folder.dump").mkdir()
    (tmp_path / "folder.dump" / "precious").touch()
    with pytest.raises(InputError, match=r"folder\.dump: is a folder; name a file"):
        am.write(tmp_path / "folder.dump", glass)
    assert os.listdir(tmp_path) == ["folder.dump"]
    assert os.listdir(tmp_path / "folder.dump") == ["precious"]


@pytest.mark.parametrize("suffix", TEXT)
def test_a_label_of_two_words_cannot_stand_in_a_text_file(suffix: str, tmp_path: Path) -> None:
    for label in ("big A", ""):
        glass = am.Configuration(positions=np.eye(3), species=["A", label, "A"], cell=3.0)
        with pytest.raises(InputError, match=rf"label '{label}' is not one word .* or write \.npz"):
            am.write(tmp_path / f"glass{suffix}", glass)
    assert not os.listdir(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr("amorphace.io.files.written_aside", lambda _: nullcontext("/dev/full"))
    monkeypatch.setattr(
        "amorphace.io.files.write_dump", lambda path, *_, **__: Path(path).write_text("1" * 99999)
    )
    with pytest.raises(InputError, match=r"a\.dump: cannot be written: No space left on device"):
        am.write(tmp_path / "a.dump", a_glass())


def test_errors_of_the_callers_own_files_pass_through(tmp_path: Path) -> None:
    def frames() -> Iterator[am.Configuration]:
        yield a_glass()
        (tmp_path / "elsewhere" / "lost").read_text()

    with pytest.raises(FileNotFoundError, match="lost"):
        am.write(tmp_path / "a.dump", frames())
    with pytest.raises(FileFormatError, match=r"lost\.dump: no such file"):
        am.write(tmp_path / "a.dump", am.iread(tmp_path / "lost.dump"))


@pytest.mark.parametrize("name", ["glass.pdb", "glass.pdb.gz", "glass", "glass.gsd.gz", "a.npz.gz"])
def test_an_unknown_suffix_lists_the_known_ones(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    known = r"LAMMPS dump \(.dump, .lammpstrj, also packed\); extended XYZ \(.xyz, .extxyz, "
    with pytest.raises(InputError, match=rf"the suffix .* names no format; known are: {known}"):
        am.write(path, a_glass())
    path.write_text("HEADER\n")
    with pytest.raises(FileFormatError, match=r"names no format; known are"):
        am.read(path)


@pytest.mark.parametrize("name", ["a.dump.000100", "dump.kob.gz", "final_dump.txt", "A.LAMMPSTRJ"])
def test_a_name_with_dump_in_it_is_a_dump(name: str, tmp_path: Path) -> None:
    am.write(tmp_path / name, a_glass())
    assert same_particles(am.read(tmp_path / name), a_glass())


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_dump_is_known_by_its_first_line(pack: type, tmp_path: Path) -> None:
    am.write(tmp_path / "a.dump", a_glass())
    for name in ("trajectory", "trajectory.txt", "trajectory.gz"):
        (tmp_path / name).write_bytes(pack((tmp_path / "a.dump").read_bytes()))
        assert same_particles(am.read(tmp_path / name), a_glass())


@pytest.mark.parametrize("suffix", ALL)
def test_a_file_that_is_not_there_is_one_line(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"lost{suffix}"
    with pytest.raises(FileFormatError) as e:
        am.read(path)
    assert str(e.value) == f"{path}: no such file"
    with pytest.raises(FileFormatError, match="no such file"):
        am.iread(path)  # at once, not when the first frame is asked for
    path.mkdir()
    with pytest.raises(FileFormatError, match=r"is a folder; name a file in it"):
        am.read(path)


@pytest.mark.parametrize("suffix", ALL)
def test_an_empty_file_is_no_configuration(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"empty{suffix}"
    path.touch()
    with pytest.raises(FileFormatError, match=r"empty.*(the file is empty|or is damaged)"):
        am.read(path)


@pytest.mark.parametrize("species", [(), ("A", "A"), ("A", 1), ("A", ""), 3.0])
def test_species_are_different_labels(species: tuple[str, ...], tmp_path: Path) -> None:
    am.write(tmp_path / "a.dump", a_glass())
    with pytest.raises(InputError, match=r"species must"):
        am.read(tmp_path / "a.dump", species)


LIGHT = """
import sys
import amorphace as am
am.read(sys.argv[1])
heavy = {"ase", "gsd", "matplotlib", "sklearn", "lammps", "zarr"} & set(sys.modules)
assert not heavy, heavy
"""


def test_reading_a_dump_loads_no_other_package(tmp_path: Path) -> None:
    am.write(tmp_path / "a.dump", a_glass())
    subprocess.run([sys.executable, "-c", LIGHT, str(tmp_path / "a.dump")], check=True)
