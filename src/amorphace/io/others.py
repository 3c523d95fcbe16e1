"""Further formats, read through ASE: POSCAR, CIF, ASE's trajectories, GROMACS, AtomEye.

Lengths are ASE's (Angstrom), labels are chemical symbols, and particles keep their order. The
formats are named one by one, since ASE knows some that can execute code.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError
from amorphace.io.columns import Columns, chosen_columns
from amorphace.io.frames import guarded, located, pick
from amorphace.io.labels import particle_labels
from amorphace.io.text import open_binary

FORMATS = {
    ".vasp": "vasp",
    ".poscar": "vasp",
    ".cif": "cif",
    ".traj": "traj",
    ".gro": "gromacs",
    ".cfg": "cfg",
}
"""ASE's names of the formats, by suffix."""
BINARY = ("traj",)
LONGEST_LINE = 65_536
"""Bytes of a line of text: ASE reads a word of a CIF file in a time that grows as its square."""


def read_other(path: Path, species: tuple[str, ...] | None, frame: int) -> Configuration:
    """One frame of a file that ASE reads.

    Raises
    ------
    FileFormatError
        If ASE cannot read it, it is not periodic, or it holds fewer frames.
    """
    return pick(iread_other(path, species), frame, path)


def iread_other(path: Path, species: tuple[str, ...] | None) -> Iterator[Configuration]:
    """The frames of a file that ASE reads; see `read_other`."""
    for k, atoms in enumerate(_frames(path)):

        def fail(message: str, row: int | None = None, k: int = k) -> FileFormatError:
            place = "" if row is None else f", particle {row}"
            return FileFormatError(path, f"frame {k}{place}: {message}")

        if not all(atoms.pbc):
            raise fail(f"only periodic boxes are supported, got pbc {atoms.pbc.tolist()}")
        symbols = guarded(path, "has no chemical symbols", atoms.get_chemical_symbols)
        names = np.array(symbols, dtype=np.str_)
        with located(fail):
            yield Configuration(
                positions=atoms.positions,
                species=particle_labels(len(atoms), species, names=names, fail=fail),
                cell=np.asarray(atoms.cell),
            )


def other_columns(path: Path, names: tuple[str, ...], frame: int) -> Columns:
    """Numbers that ASE finds beside the particles of one frame; all of them if none is named.

    Raises
    ------
    FileFormatError
        If a column is not there, or as `read_other`.
    """
    atoms = pick(_frames(path), frame, path)
    plain = {k: v for k, v in atoms.arrays.items() if v.ndim == 1 and v.dtype.kind in "fiu"}
    return {name: plain[name] for name in chosen_columns(path, names, list(plain))}


def _frames(path: Path) -> Iterator[Any]:
    from ase.io import iread

    name = FORMATS.get(path.suffix.lower(), "vasp")
    with open_binary(path) as file:  # says what is wrong with a path that cannot be opened
        number = 0
        while name not in BINARY and (line := file.readline(LONGEST_LINE + 1)):
            number += 1
            if len(line) > LONGEST_LINE:
                raise FileFormatError(
                    path,
                    f"a line of more than {LONGEST_LINE} bytes; no {name} file has one",
                    number,
                )
    frames = guarded(path, f"is no {name} file", lambda: iread(path, ":", format=name))
    while (atoms := guarded(path, f"is no {name} file", lambda: next(frames, None))) is not None:
        yield atoms
