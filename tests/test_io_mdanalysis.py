"""Trajectories that MDAnalysis writes come back; they need amorphace[mdanalysis]."""

from __future__ import annotations

import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import amorphace as am
from amorphace.core.errors import FileFormatError

SINGLE = 1e-6
"""Of positions below 10, in single precision."""
XTC = 0.00051
"""XTC keeps three decimals."""
CELL = np.array([[5.0, 0.0, 0.0], [0.5, 6.0, 0.0], [-0.25, 0.125, 7.0]])


def frames(n: int = 20) -> list[am.Configuration]:
    rng = np.random.default_rng(0)
    x = rng.random((n, 3)) @ CELL
    return [
        am.Configuration(positions=x + 0.1 * k, species=["A", "B"] * (n // 2), cell=CELL, step=k)
        for k in range(3)
    ]


def written(path: Path, glasses: list[am.Configuration], *, cell: bool = True) -> Path:
    """By MDAnalysis itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mda = pytest.importorskip("MDAnalysis")
        pytest.importorskip("h5py")
        from MDAnalysis.lib.mdamath import triclinic_box

        universe = mda.Universe.empty(len(glasses[0]), trajectory=True)
        options = {"positions": True} if path.suffix == ".h5md" else {}
        with mda.Writer(str(path), len(glasses[0]), convert_units=False, **options) as writer:
            for k, glass in enumerate(glasses):
                universe.trajectory.ts.frame = k
                universe.atoms.positions = glass.positions
                universe.trajectory.ts.dimensions = triclinic_box(*glass.cell) if cell else None
                writer.write(universe.atoms)
    return path


@pytest.mark.parametrize(("name", "error"), [("a.xtc", XTC), ("a.dcd", SINGLE), ("a.h5md", SINGLE)])
def test_trajectories_come_back(name: str, error: float, tmp_path: Path) -> None:
    path = written(tmp_path / name, frames())
    found = list(am.iread(path))
    assert len(found) == 3
    for one, two in zip(found, frames(), strict=True):
        np.testing.assert_allclose(one.positions, two.positions, atol=error)
        np.testing.assert_allclose(one.cell, two.cell, atol=3 * SINGLE)
    assert found[1].ids.tolist() == list(range(1, 21))
    assert am.read(path, frame=0).positions[0, 0] == found[0].positions[0, 0]
    assert set(am.read(path, species="Ni").species.tolist()) == {"Ni"}
    assert os.listdir(tmp_path) == [name]  # nothing is left beside it


def test_labels_of_another_file_make_a_mixture(tmp_path: Path) -> None:
    path, first = written(tmp_path / "a.xtc", frames()), frames()[0]
    with pytest.raises(FileFormatError, match=r"\.xtc files tell no species; .*replace\(frame"):
        am.read(path, species=("A", "B"))
    mixture = replace(am.read(path), species=first.species)
    assert (mixture.species == "B").sum() == 10


def test_a_trajectory_without_a_cell_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.dcd", frames(), cell=False)
    with pytest.raises(FileFormatError, match=r"frame 2: has no cell; only periodic boxes"):
        am.read(path)


def test_columns_are_not_there(tmp_path: Path) -> None:
    path = written(tmp_path / "a.dcd", frames())
    assert am.read_columns(path) == {}
    with pytest.raises(FileFormatError, match="has no column 'score'; it has none"):
        am.read_columns(path, "score")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of its own
@pytest.mark.parametrize("name", ["a.xtc", "a.dcd", "a.h5md"])
def test_a_cut_trajectory_is_refused(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, frames())
    whole = path.read_bytes()
    for length in (0, 3, 100, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(FileFormatError, match=rf"is no \{path.suffix} traj|has no"):
            am.read(path)


def test_missing_mdanalysis_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.xtc").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "MDAnalysis.coordinates.core", None)
    with pytest.raises(FileFormatError, match=r"\.xtc files are read by .*amorphace\[mdanalysis\]"):
        am.read(tmp_path / "a.xtc")
