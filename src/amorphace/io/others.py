"""Further formats, read through ASE: POSCAR, CIF, ASE's trajectories, GROMACS, AtomEye.

Lengths are ASE's (Angstrom), labels are chemical symbols, and particles keep their order. The
formats are named one by one, since ASE knows some that can execute code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError
from amorphace.io.columns import Columns, chosen_columns
from amorphace.io.frames import NumberedFrame, guarded, located
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


@dataclass(frozen=True)
class AseFrame(NumberedFrame):
    """Frame `k` of a file as ASE read it; see `Frame`."""

    atoms: Any

    def columns(self, names: tuple[str, ...]) -> Columns:
        """Numbers that ASE found beside the particles."""
        held = self.atoms.arrays.items()
        plain = {k: v for k, v in held if v.ndim == 1 and v.dtype.kind in "fiu"}
        return {name: plain[name] for name in chosen_columns(self.path, names, list(plain))}

    def configuration(self, species: tuple[str, ...] | None) -> Configuration:
        """The frame, checked to be periodic."""
        atoms = self.atoms
        if not all(atoms.pbc):
            raise self.fail(f"only periodic boxes are supported, got pbc {atoms.pbc.tolist()}")
        symbols = guarded(self.path, "has no chemical symbols", atoms.get_chemical_symbols)
        names = np.array(symbols, dtype=np.str_)
        with located(self.fail):
            return Configuration(
                positions=atoms.positions,
                species=particle_labels(len(atoms), species, names=names, fail=self.fail),
                cell=np.asarray(atoms.cell),
            )


@contextmanager
def ase_frames(path: Path) -> Iterator[Iterator[AseFrame]]:
    """The frames of a file that ASE reads.

    Raises
    ------
    FileFormatError
        If ASE cannot read it.
    """
    yield (AseFrame(path, k, atoms) for k, atoms in enumerate(_frames(path)))


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
