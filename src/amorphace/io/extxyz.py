"""Extended XYZ, the format that ASE and OVITO share.

Files that either writes are read, if the box is periodic. OVITO reads every file written here;
ASE reads those whose labels are chemical symbols and refuses others (KeyError: 'A').

ASE parses the comment line. Its words are

    Lattice       the cell vectors one after the other
    Origin        corner of the cell (OVITO's word), moved to the origin on reading
    pbc           "T T T"; only periodic boxes are read
    Timestep      the step; `Step` is read too, and then is the step
    Properties    species:S:1:pos:R:3:id:I:1 and further columns, in any order on reading

`species` holds the labels, "A" or "Si", as they are: OVITO makes them the particle types. (ASE
itself makes them elements, and keeps 8 decimals on writing; the table of atoms is therefore read
and written here, with all digits.) Where species is missing, a column `type` of words or numbers
gives the labels, and Z the chemical symbols. Rows are numbered 1, 2, ... where id is missing; a
frame with a Timestep and no id is LAMMPS's, and is not `identified`, since LAMMPS changes the order
of its particles. The XYZ files of atooms (step:10 columns:species,position cell:6.0,6.0,6.0) are
read, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.io.columns import Columns, chosen_columns
from amorphace.io.comments import DEFAULT_PROPERTIES, Comment, parse_comment
from amorphace.io.frames import located, text_frames
from amorphace.io.labels import check_words, particle_labels
from amorphace.io.packing import Packing, open_output
from amorphace.io.table import Block, integer
from amorphace.io.text import Lines, brief, reprs, shown, text_rows

POSITION = ("pos0", "pos1", "pos2")
KINDS: dict[str, tuple[type, ...]] = {
    "species": (str,),
    "type": (int, str),
    "Z": (int,),
    "id": (int,),
    **dict.fromkeys(POSITION, (float,)),
}
"""Columns with a meaning here, and what their tokens may be; others are ignored."""


@dataclass(frozen=True)
class XyzFrame:
    """A frame as it stands in the file, its atoms not yet parsed; see `Frame`."""

    comment: Comment
    atoms: Block

    def columns(self, names: tuple[str, ...]) -> Columns:
        """Columns of numbers; a property of several tokens is as many: velo:R:3 is velo0, velo1,
        velo2."""
        atoms, kinds = self.atoms, self.comment.columns
        plain = [k for k in atoms.names if kinds[k] in (int, float) and k not in POSITION]
        return atoms.numbers(chosen_columns(atoms.path, names, atoms.names, plain))

    def configuration(self, species: tuple[str, ...] | None) -> Configuration:
        """The frame, parsed."""
        comment, atoms = self.comment, self.atoms
        kinds = {name: kind for name, kind in comment.columns.items() if name in KINDS}
        if not set(POSITION) <= set(kinds) or any(kinds[name] not in KINDS[name] for name in kinds):
            raise atoms.error(
                "expected Properties with pos:R:3, and species:S:1, type:I:1, Z:I:1 and id:I:1 "
                f"where they are, got the columns {brief(' '.join(comment.columns), 200)}"
            )
        columns = atoms.columns(kinds)
        if "id" in columns:
            atoms.check_distinct(columns["id"])
        types, names = _types(columns), _names(columns, atoms)
        labels = particle_labels(atoms.n, species, types=types, names=names, fail=atoms.error)
        positions = atoms.positions(columns, POSITION)
        with located(atoms.error):
            return Configuration(
                positions=positions - comment.origin,
                species=labels,
                cell=comment.cell,
                ids=columns.get("id"),
                step=comment.step,
                identified=comment.ordered or "id" in columns,
            )


def extxyz_frames(path: Path) -> AbstractContextManager[Iterator[XyzFrame]]:
    """The frames of an extended XYZ file.

    Raises
    ------
    FileFormatError
        If the file is not a whole, periodic extended XYZ file; names the line.
    """
    return text_frames(path, _raw_frame, "extended XYZ")


def write_extxyz(
    path: Path,
    configurations: Iterable[Configuration],
    columns: Columns,
    packing: Packing | None = None,
) -> None:
    """Write labels, positions, ids and further columns, with all digits; any cell.

    Raises
    ------
    InputError
        If a label is not one word.
    """
    further = "".join(f":{k}:{'R' if v.dtype.kind == 'f' else 'I'}:1" for k, v in columns.items())
    with open_output(path, packing) as file:
        for c in configurations:
            check_words(set(c.species.tolist()), path)
            ids, named = ([c.ids], ":id:I:1") if c.identified else ([], "")
            file.write(
                f'{len(c)}\nLattice="{reprs(c.cell.ravel())}" '
                f"Properties={DEFAULT_PROPERTIES}{named}{further} "
                f'Timestep={c.step} pbc="T T T"\n'.encode()
            )
            file.write(text_rows([c.species, *c.positions.T, *ids, *columns.values()]))


def _raw_frame(lines: Lines, count: bytes) -> XyzFrame:
    tokens = count.split()
    n = integer(tokens[0]) if len(tokens) == 1 else None
    if n is None or n < 0:
        raise lines.error(
            f"expected the number of atoms of a frame, got {shown(count)}; either this is no XYZ "
            "file, or the frame above holds more lines than it declares"
        )
    line = lines.take(1)
    comment = parse_comment(line[0], lines.error) if line else None
    atoms = Block.take(lines, n, tuple(comment.columns) if comment else ())
    if comment is None or atoms.n < n:
        raise atoms.error(
            f"the frame declares {n} atoms, but the file ends after {atoms.n}; it is cut "
            "(whole frames before it can be read with frame= or iread)",
            atoms.n,
        )
    return XyzFrame(comment, atoms)


def _types(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.int64] | None:
    """Numbers of the types, where nothing else gives labels, shape (n,)."""
    given = columns.get("type")
    return (
        given
        if "species" not in columns and given is not None and given.dtype.kind == "i"
        else None
    )


def _names(columns: Mapping[str, NDArray[Any]], atoms: Block) -> NDArray[np.str_] | None:
    """Labels that the file gives, from species, type or else atomic numbers, shape (n,)."""
    for name in ("species", "type"):
        if name in columns and columns[name].dtype.kind == "U":
            return columns[name]
    if "Z" not in columns:
        return None
    from ase.data import chemical_symbols

    z = columns["Z"]
    beyond = np.flatnonzero((z < 0) | (z >= len(chemical_symbols)))
    if len(beyond):
        row = int(beyond[0])
        raise atoms.error(f"Z {z[row]} is no atomic number", row)
    return np.array(chemical_symbols)[z]
