"""npz: documented keys, no pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amorphace as am
from amorphace.core.errors import FileFormatError
from test_io_files import a_glass


def test_the_keys_are_those_documented(tmp_path: Path) -> None:
    glass = a_glass(step=7)
    am.write(tmp_path / "a.npz", glass, d2min=np.arange(20.0), moved=np.arange(20) > 3)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert set(archive) == {"positions", "species", "cell", "ids", "step", "d2min", "moved"}
        for key in ("positions", "species", "cell", "ids"):
            assert np.array_equal(archive[key], getattr(glass, key))
        assert archive["step"] == 7
        assert archive["step"].shape == ()
        assert archive["d2min"].tolist() == list(range(20))
        assert archive["moved"].dtype == np.int64
    am.write(tmp_path / "b.npz", [glass, glass])
    with np.load(tmp_path / "b.npz", allow_pickle=False) as archive:
        keys = ("positions", "species", "cell", "ids", "step")
        assert archive.files == [f"{k}/{key}" for k in (0, 1) for key in keys]


def test_positions_and_a_cell_are_enough(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", positions=np.eye(3), cell=3)
    glass = am.read(tmp_path / "a.npz", "Si")
    assert glass.species.tolist() == ["Si"] * 3
    assert glass.ids.tolist() == [1, 2, 3]
    assert glass.step == 0


SOUND = {"positions": np.eye(3), "cell": 3.0, "species": np.array(["A", "A", "B"])}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"positions": None}, r"expected the keys positions, species, cell, ids, step, or 0/pos"),
        ({"cell": None}, r"has no key cell; expected positions, species, cell, ids, step"),
        ({"positions": np.eye(2)}, r"positions must have shape \(n, 3\), got \(2, 2\)"),
        ({"positions": np.array(1.0)}, r"positions must have shape \(n, 3\), got \(\)"),
        ({"positions": np.full((3, 3), np.nan)}, r"every coordinate must be a finite number"),
        ({"positions": np.full((3, 3), "x")}, r"positions must hold numbers, got dtype <U1"),
        ({"positions": np.eye(3) * 1j}, r"positions must hold numbers, got dtype complex128"),
        ({"species": np.arange(3)}, r"species must hold text, got dtype int64"),
        ({"species": np.array(["A"])}, r"3 positions need 3 species labels, got shape \(1,\)"),
        ({"ids": np.array([1, 1, 2])}, r"particle id 1 stands 2 times; ids must differ"),
        ({"ids": np.array([1.0, 2, 3])}, r"ids must hold integers, got dtype float64"),
        ({"step": np.array([1, 2])}, r"step must be one integer, got shape \(2,\)"),
        ({"cell": np.zeros(3)}, r"the cell .* is degenerate"),
        ({"species": np.array(["A", "C", "B"])}, r"row 1: species 'C' is not declared"),
        ({"species": np.array(["A", {}, None])}, r"species must hold text, got dtype object"),
    ],
)
def test_damage_names_the_key(
    damage: dict[str, np.ndarray | None], message: str, tmp_path: Path
) -> None:
    arrays = {k: v for k, v in (SOUND | damage).items() if v is not None}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FileFormatError, match=rf"a\.npz: .*{message}"):
        am.read(tmp_path / "a.npz", ("A", "B"))


def test_damage_in_a_trajectory_names_the_frame(tmp_path: Path) -> None:
    frames = {f"0/{k}": v for k, v in SOUND.items()} | {f"1/{k}": v for k, v in SOUND.items()}
    np.savez(tmp_path / "a.npz", **frames | {"1/cell": np.zeros(3)})
    assert len(am.read(tmp_path / "a.npz", frame=0)) == 3
    with pytest.raises(FileFormatError, match=r"a\.npz: frame 1: the cell .* is degenerate"):
        am.read(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", **{k.replace("1/", "2/"): v for k, v in frames.items()})
    with pytest.raises(FileFormatError, match=r"expected the keys positions, .* or 0/positions"):
        am.read(tmp_path / "b.npz")


def test_one_array_is_no_archive(tmp_path: Path) -> None:
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, np.eye(3))
    with pytest.raises(FileFormatError, match=r"a\.npz: is one NumPy array; expected an npz"):
        am.read(tmp_path / "a.npz")


def outcome(path: Path) -> FileFormatError | None:
    """What is wrong with a file; None if every frame of it is a sound configuration."""
    try:
        frames = list(am.iread(path))
    except FileFormatError as e:
        return e
    assert all(np.isfinite(frame.positions).all() for frame in frames)
    return None


@given(data=st.data(), cut=st.booleans(), suffix=st.sampled_from([".npz", ".gsd"]))
@settings(max_examples=200, deadline=None)
def test_a_damaged_archive_is_whole_or_an_error(
    data: st.DataObject, cut: bool, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("damaged") / f"a{suffix}"
    am.write(path, a_glass(n=3), d2min=[1.0, 2.0, 3.0])
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    if cut:
        del whole[at:]
    else:
        whole[at] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    error = outcome(path)
    assert error is None or (str(path) in str(error) and "\n" not in str(error))


def test_letters_that_no_alphabet_has_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    letters = np.array([65, 2**31], dtype=np.uint32).view("U1")
    np.savez(path, positions=np.eye(3)[:2], species=letters, cell=np.full(3, 9.0))
    with pytest.raises(FileFormatError, match=r"a\.npz: species holds what is no text"):
        am.read(path)
