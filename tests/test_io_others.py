"""What ASE writes in its formats is read as ASE reads it."""

from __future__ import annotations

from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest

import amorphace as am
from amorphace.core.errors import FileFormatError, InputError


def glass(seed: int = 0) -> ase.Atoms:
    places = np.random.default_rng(seed).uniform(0, 1, (30, 3))
    cell = [[9, 0, 0], [1, 8, 0], [-1, 2, 7]]
    return ase.Atoms("Cu20Zr10", scaled_positions=places, cell=cell, pbc=True)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.vasp", "vasp"), ("POSCAR", "vasp"), ("CONTCAR_last", "vasp"), ("a.cif", "cif"),
        ("a.traj", "traj"), ("a.gro", "gromacs"), ("a.cfg", "cfg"),
    ],
)  # fmt: skip
def test_particles_are_those_that_ase_finds(name: str, format: str, tmp_path: Path) -> None:
    ase.io.write(tmp_path / name, glass(), format=format)
    there = ase.io.read(tmp_path / name, format=format)
    here = am.read(tmp_path / name)
    assert np.array_equal(here.positions, there.positions)
    assert np.array_equal(here.cell, np.asarray(there.cell))
    assert here.species.tolist() == there.get_chemical_symbols()
    assert here.identified
    assert am.read(tmp_path / name, ("Cu", "Zr")).species.tolist() == here.species.tolist()
    with pytest.raises(FileFormatError, match=r"species 'Zr' is not declared"):
        am.read(tmp_path / name, "Cu")
    with pytest.raises(InputError, match=r"names no format; known are: LAMMPS dump"):
        am.write(tmp_path / name, here)


def test_frames_of_a_trajectory_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.traj"
    frames = [glass(k) for k in range(3)]
    frames[1].set_tags(np.arange(30))
    ase.io.write(path, frames)
    for k in (0, 2, -1):
        assert np.array_equal(am.read(path, frame=k).positions, frames[k].positions)
    assert sum(1 for _ in am.iread(path)) == 3
    with pytest.raises(FileFormatError, match=r"has no frame 3: it holds 3"):
        am.read(path, frame=3)
    assert am.read_columns(path, "tags", frame=1)["tags"].tolist() == list(range(30))


def test_what_is_damaged_or_not_periodic_is_one_line(tmp_path: Path) -> None:
    atoms = glass()
    atoms.pbc = [True, True, False]
    ase.io.write(tmp_path / "open.traj", atoms)
    with pytest.raises(FileFormatError, match=r"frame 0: only periodic boxes are supported"):
        am.read(tmp_path / "open.traj")
    for name in ("a.traj", "a.vasp", "a.gro", "a.cfg", "a.cif"):
        (tmp_path / name).write_bytes(b"ITEM: TIMESTEP\n\x00\xff\n" * 20)
        with pytest.raises(
            FileFormatError, match=rf"{name}: (is no .* file, or is damaged|has no)"
        ):
            am.read(tmp_path / name)
    with pytest.raises(FileFormatError, match=r"b\.traj: no such file"):
        am.read(tmp_path / "b.traj")


@pytest.mark.parametrize("name", ["a.cif", "a.gro", "a.cfg", "POSCAR"])
def test_a_line_without_end_is_refused_at_once(tmp_path, name):
    file = tmp_path / name
    file.write_text("first line\n" + "x" * 600_000)
    with pytest.raises(FileFormatError, match=rf"{name}:2: a line of more than 65536 bytes"):
        am.read(file)
