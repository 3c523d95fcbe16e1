"""Extended XYZ, the format that ASE and OVITO share.

Files that either writes are read, if the box is periodic. OVITO reads every file written here;
ASE reads those whose labels are chemical symbols and refuses others (KeyError: 'A').

ASE parses the comment line. Its words are

    Lattice       the cell vectors one after the other
    Origin        corner of the cell (OVITO's word), moved to the origin on reading
    pbc           "T T T"; only periodic boxes are read
    Timestep      the step; `step` is read too
    Properties    species:S:1:pos:R:3:id:I:1 and further columns, in any order on reading

`species` holds the labels, "A" or "Si", as they are: OVITO makes them the particle types. (ASE
itself makes them elements, and keeps 8 decimals on writing; the table of atoms is therefore read
and written here, with all digits.) Where species is missing, Z gives the
chemical symbols. Rows are numbered 1, 2, ... where id is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError
from amorphace.io.columns import Columns
from amorphace.io.frames import located, pick, text_frames
from amorphace.io.labels import check_words, particle_labels
from amorphace.io.text import (
    Block,
    Lines,
    integer,
    open_output,
    reprs,
    shown,
    text_rows,
)

DEFAULT_PROPERTIES = "species:S:1:pos:R:3"
POSITION = ("pos0", "pos1", "pos2")
PROPERTY = re.compile(r"([^:]+):([SRIL]):([1-9][0-9]{0,2})")
TYPES = {"S": str, "R": float, "I": int, "L": bool}
KINDS: dict[str, type] = {"species": str, "Z": int, "id": int, **dict.fromkeys(POSITION, float)}
"""Columns with a meaning here, and what their tokens are; others are ignored."""
STEP_WORDS = ("timestep", "step")


@dataclass(frozen=True)
class RawFrame:
    """A frame as it stands in the file, nothing parsed but the number of atoms."""

    path: Path
    number: int  # of the comment line in the file
    comment: bytes
    rows: list[bytes]


def iread_extxyz(path: Path, species: tuple[str, ...] | None) -> Iterator[Configuration]:
    """The frames of an extended XYZ file, one at a time.

    Raises
    ------
    FileFormatError
        If the file is not a whole, periodic extended XYZ file; names the line.
    """
    for frame in _raw_frames(path):
        yield _configuration(frame, species)


def read_extxyz(path: Path, species: tuple[str, ...] | None, frame: int) -> Configuration:
    """One frame of an extended XYZ file; the others are passed over unparsed.

    Raises
    ------
    FileFormatError
        If the file is not a whole, periodic extended XYZ file, or holds fewer frames.
    """
    found = pick(_raw_frames(path), frame, path)
    return _configuration(found, species)


def write_extxyz(
    path: Path, configurations: Iterable[Configuration], columns: Columns, *, packed: bool
) -> None:
    """Write labels, positions, ids and further columns, with all digits; any cell.

    Raises
    ------
    InputError
        If a label is not one word.
    """
    further = "".join(f":{k}:{'R' if v.dtype.kind == 'f' else 'I'}:1" for k, v in columns.items())
    with open_output(path, packed=packed) as file:
        for c in configurations:
            check_words(set(c.species.tolist()), path)
            file.write(
                f'{len(c)}\nLattice="{reprs(c.cell.ravel())}" '
                f"Properties={DEFAULT_PROPERTIES}:id:I:1{further} "
                f'Timestep={c.step} pbc="T T T"\n'.encode()
            )
            file.write(text_rows([c.species, *c.positions.T, c.ids, *columns.values()]))


def _raw_frames(path: Path) -> Iterator[RawFrame]:
    """The frames of a file, unparsed."""
    return text_frames(path, _raw_frame, "extended XYZ")


def _raw_frame(lines: Lines, count: bytes) -> RawFrame:
    tokens = count.split()
    n = integer(tokens[0]) if len(tokens) == 1 else None
    if n is None or n < 0:
        raise lines.error(
            f"expected the number of atoms of a frame, got {shown(count)}; either this is no XYZ "
            "file, or the frame above holds more lines than it declares"
        )
    comment = lines.take(1)
    number = lines.number
    rows = lines.take(n)
    if not comment or len(rows) < n:
        raise FileFormatError(
            lines.path,
            f"the frame declares {n} atoms, but the file ends after {len(rows)}; it is cut "
            "(whole frames before it can be read with frame= or iread)",
            lines.number + 1,
        )
    return RawFrame(lines.path, number, comment[0], rows)


def _configuration(frame: RawFrame, species: tuple[str, ...] | None) -> Configuration:
    """The frame, parsed."""
    info, properties = _comment(frame)
    atoms = Block(frame.path, frame.number + 1, frame.rows, tuple(properties))
    cell, origin, step = _cell(info, atoms), _origin(info, atoms), _step(info, atoms)
    columns = atoms.columns(_wanted(properties, atoms))
    if "id" in columns:
        atoms.check_distinct(columns["id"])
    labels = particle_labels(
        len(atoms.lines), species, names=_names(columns, atoms), fail=atoms.error
    )
    positions = atoms.positions(columns, POSITION)
    with located(atoms.error):
        return Configuration(
            positions=positions - origin,
            species=labels,
            cell=cell,
            ids=columns.get("id"),
            step=step,
        )


def _wanted(properties: Mapping[str, type], atoms: Block) -> dict[str, type]:
    """The columns to read, and what their tokens are."""
    kinds = {name: kind for name, kind in properties.items() if name in KINDS}
    if not set(POSITION) <= set(kinds) or any(KINDS[name] is not kinds[name] for name in kinds):
        raise atoms.error(
            "expected Properties with pos:R:3, and species:S:1, Z:I:1 and id:I:1 where they are, "
            f"got the columns {' '.join(properties)}"
        )
    return kinds


def _comment(frame: RawFrame) -> tuple[dict[str, Any], dict[str, type]]:
    """The words of the comment line, and what every token of an atom's line is called and is."""
    from ase.io.extxyz import key_val_str_to_dict

    try:
        info = key_val_str_to_dict(frame.comment.decode())
    except Exception as e:  # whatever ASE raises on a garbled line
        raise FileFormatError(
            frame.path,
            f"{shown(frame.comment)} is no comment line of extended XYZ ({e})".replace("\n", " "),
            frame.number,
        ) from None
    properties = str(info.get("Properties", DEFAULT_PROPERTIES))
    triples = PROPERTY.findall(properties)
    names = [name if n == "1" else f"{name}{k}" for name, _, n in triples for k in range(int(n))]
    if ":".join(map(":".join, triples)) != properties or len(set(names)) < len(names):
        raise FileFormatError(
            frame.path,
            "Properties must be NAME:TYPE:COLUMNS for each property, TYPE one of S R I L, got "
            f"{shown(properties.encode())}",
            frame.number,
        )
    kinds = [TYPES[kind] for _, kind, n in triples for _ in range(int(n))]
    return info, dict(zip(names, kinds, strict=True))


def _names(columns: Mapping[str, NDArray[Any]], atoms: Block) -> NDArray[np.str_] | None:
    """Labels that the file gives, from species or else from atomic numbers, shape (n,)."""
    if "species" in columns or "Z" not in columns:
        return columns.get("species")
    from ase.data import chemical_symbols

    z = columns["Z"]
    beyond = np.flatnonzero((z < 0) | (z >= len(chemical_symbols)))
    if len(beyond):
        row = int(beyond[0])
        raise atoms.error(f"Z {z[row]} is no atomic number", row)
    return np.array(chemical_symbols)[z]


def _cell(info: Mapping[str, Any], atoms: Block) -> NDArray[np.float64]:
    """Rows are the cell vectors, shape (3, 3)."""
    pbc = info.get("pbc", True)
    if "Lattice" not in info or not np.all(pbc):
        got = f"pbc={pbc}" if "Lattice" in info else "no Lattice"
        raise atoms.error(
            f"the comment line says {got}: only periodic boxes are supported "
            '(Lattice="ax ay az bx by bz cx cy cz" and pbc="T T T")'
        )
    return np.asarray(info["Lattice"], dtype=np.float64).T  # ASE's parser transposes


def _origin(info: Mapping[str, Any], atoms: Block) -> NDArray[np.float64]:
    """The corner of the cell, shape (3,)."""
    origin = np.asarray(info.get("Origin", (0.0, 0.0, 0.0)))
    if origin.shape != (3,) or origin.dtype.kind not in "if" or not np.isfinite(origin).all():
        raise atoms.error(f"Origin must be three finite numbers, got {info['Origin']}")
    return origin.astype(np.float64)


def _step(info: Mapping[str, Any], atoms: Block) -> int:
    for key, value in info.items():
        if key.lower() in STEP_WORDS:
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
                raise atoms.error(f"{key} must be an integer, got {value}")
            return int(value)
    return 0
