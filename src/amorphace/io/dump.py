"""LAMMPS text dumps.

Reading follows https://docs.lammps.org/dump.html and https://docs.lammps.org/Howto_triclinic.html:

    positions    xu yu zu, xsu ysu zsu, x y z, xs ys zs: the first triple that is there; the last
                 two are unwrapped where ix iy iz are there
    box          orthogonal, triclinic (bounding box and tilt factors xy xz yz), general triclinic
                 (abc origin); its corner is moved to the origin
    identity     id; where it is missing rows are numbered 1, 2, ..., and the configuration is not
                 `identified`: LAMMPS writes particles in the order in which it holds them, which
                 it changes while it runs
    species      typelabel or element, and type, as in `labels.particle_labels`; a type that is
                 no number is a label

Other columns are ignored, and columns may stand in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError
from amorphace.io.cells import oriented_cell, read_box
from amorphace.io.columns import Columns, chosen_columns
from amorphace.io.frames import located, text_frames
from amorphace.io.labels import check_words, particle_labels, type_numbers
from amorphace.io.packing import Packing, open_output
from amorphace.io.table import Block, integer, numbers
from amorphace.io.text import Lines, reprs, shown, text_rows

UNWRAPPED, UNWRAPPED_SCALED = ("xu", "yu", "zu"), ("xsu", "ysu", "zsu")
WRAPPED, SCALED = ("x", "y", "z"), ("xs", "ys", "zs")
TRIPLES = (UNWRAPPED, UNWRAPPED_SCALED, WRAPPED, SCALED)
IMAGES = ("ix", "iy", "iz")
KINDS: dict[str, type] = {
    **dict.fromkeys((name for triple in TRIPLES for name in triple), float),
    **dict.fromkeys(("id", "type", *IMAGES), int),
    **dict.fromkeys(("typelabel", "element"), str),
}
"""Columns with a meaning here, and what their tokens are; others are ignored."""

SECTIONS = {"UNITS": 1, "TIME": 1, "TIMESTEP": 1, "NUMBER OF ATOMS": 1, "BOX BOUNDS": 3}
"""Lines that follow each heading before the atoms."""
NEEDED = ("TIMESTEP", "NUMBER OF ATOMS", "BOX BOUNDS")


@dataclass(frozen=True)
class DumpFrame:
    """A frame as it stands in the file, its atoms not yet parsed; see `Frame`."""

    step: int
    cell: NDArray[np.float64]
    origin: NDArray[np.float64]
    atoms: Block

    def columns(self, names: tuple[str, ...]) -> Columns:
        """Columns of numbers."""
        atoms = self.atoms
        plain = [k for k in atoms.names if not atoms.n or numbers([atoms.token(k)]) is not None]
        return atoms.numbers(chosen_columns(atoms.path, names, atoms.names, plain))

    def configuration(self, species: tuple[str, ...] | None) -> Configuration:
        """The frame, parsed."""
        atoms = self.atoms
        triple = next(t for t in TRIPLES if set(t) <= set(atoms.names))
        images = [name for name in IMAGES if name in atoms.names and triple in (WRAPPED, SCALED)]
        if len(images) in (1, 2):
            raise atoms.error(
                f"ITEM: ATOMS has {' '.join(images)} without the others of ix iy iz; dump all "
                "three, or none"
            )
        names = next((k for k in ("typelabel", "element") if k in atoms.names), None)
        wanted = [k for k in atoms.names if k in (*triple, *images, "id", "type", names)]
        kinds = {name: KINDS[name] for name in wanted}
        if "type" in kinds and atoms.n and integer(atoms.token("type")) is None:
            kinds["type"], names = str, "type"
        columns = atoms.columns(kinds)
        if "id" in columns:
            atoms.check_distinct(columns["id"])
        labels = particle_labels(
            atoms.n,
            species,
            types=None if names == "type" else columns.get("type"),
            names=None if names is None else columns[names],
            fail=atoms.error,
        )
        xyz = atoms.positions(columns, triple)
        with located(atoms.error):
            xyz = xyz @ self.cell if triple in (SCALED, UNWRAPPED_SCALED) else xyz - self.origin
            if images:
                xyz = xyz + atoms.positions(columns, images) @ self.cell
            return Configuration(
                positions=xyz,
                species=labels,
                cell=self.cell,
                ids=columns.get("id"),
                step=self.step,
                identified="id" in columns,
            )


def dump_frames(path: Path) -> AbstractContextManager[Iterator[DumpFrame]]:
    """The frames of a dump.

    Raises
    ------
    FileFormatError
        If the file is not a whole, periodic dump; names the line.
    """
    return text_frames(path, _raw_frame, "a LAMMPS dump")


def write_dump(
    path: Path,
    configurations: Iterable[Configuration],
    columns: Columns,
    packing: Packing | None = None,
) -> None:
    """Write id, type, element, positions and further columns; positions with all their digits.

    Types 1, 2, ... are the labels of the first frame in sorted order; a label that comes later
    takes the next number. The element column keeps the labels themselves. Positions are called
    x y z where all particles are inside the cell, and xu yu zu otherwise. The x and y edges of a
    triclinic cell may change in the last digit, since LAMMPS stores their bounding box.

    Raises
    ------
    InputError
        If a cell is not oriented as LAMMPS demands, or a label is not one word.
    """
    known: tuple[str, ...] = ()
    with open_output(path, packing) as file:
        for configuration in configurations:
            known = type_numbers(known, configuration.species)
            check_words(known, path)
            file.write(_header(configuration, columns, path).encode())
            file.write(
                text_rows(
                    [
                        *([configuration.ids] if configuration.identified else []),
                        configuration.species_index(known) + 1,
                        configuration.species,
                        *configuration.positions.T,
                        *columns.values(),
                    ]
                )
            )


def _header(configuration: Configuration, columns: Columns, path: Path) -> str:
    """Everything above the atoms of a frame."""
    h = oriented_cell(configuration.cell, path)
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = h
    x, y = (0.0, xy, xz, xy + xz), (0.0, yz)
    bounds = [(min(x), lx + max(x)), (min(y), ly + max(y)), (0.0, lz)]
    orthogonal = xy == xz == yz == 0
    rows = bounds if orthogonal else [(*b, t) for b, t in zip(bounds, (xy, xz, yz), strict=True)]
    s = configuration.fractional()
    names = WRAPPED if ((s >= 0) & (s <= 1)).all() else UNWRAPPED
    identity = ("id",) if configuration.identified else ()
    lines = [
        "ITEM: TIMESTEP",
        str(configuration.step),
        "ITEM: NUMBER OF ATOMS",
        str(len(configuration)),
        f"ITEM: BOX BOUNDS {'' if orthogonal else 'xy xz yz '}pp pp pp",
        *map(reprs, rows),
        f"ITEM: ATOMS {' '.join((*identity, 'type', 'element', *names, *columns))}",
    ]
    return "".join(f"{line}\n" for line in lines)


def _raw_frame(lines: Lines, heading: bytes) -> DumpFrame:
    """The frame that begins with `heading`."""
    sections: dict[str, tuple[int, list[str], list[bytes]]] = {}
    while (name := _section(lines, heading)) != "ATOMS":
        if name in sections:
            raise lines.error(f"ITEM: {name} stands twice in one frame")
        number, words = lines.number, _words_after(heading, name, lines)
        body = lines.take(SECTIONS[name])
        sections[name] = number, words, body
        heading = (lines.take(1) or [b""])[0]
        if len(body) < SECTIONS[name] or not heading:
            raise lines.error("the file ends inside the header of a frame; it is cut")
    for name in NEEDED:
        if name not in sections:
            raise lines.error(f"the frame has no ITEM: {name} before its ITEM: ATOMS")
    columns = _words_after(heading, "ATOMS", lines)
    step, n = _header_integer(lines, sections, "TIMESTEP"), _atoms(lines, sections)
    cell, origin = read_box(lines.path, *sections["BOX BOUNDS"])
    _check_column_names(columns, lines)
    return DumpFrame(step, cell, origin, _atom_lines(lines, n, tuple(columns), step))


def _section(lines: Lines, heading: bytes) -> str:
    """Which section a heading opens."""
    words = heading.split()
    if words[:1] != [b"ITEM:"]:
        raise lines.error(
            f"expected a line that begins with ITEM:, got {shown(heading)}; either this is no "
            "LAMMPS text dump, or a frame does not hold as many lines as it declares"
        )
    text = b" ".join(words[1:])
    for name in (*SECTIONS, "ATOMS"):
        if text == name.encode():
            return name
        if name in ("BOX BOUNDS", "ATOMS") and text.startswith(f"{name} ".encode()):
            return name
    raise lines.error(
        f"{shown(heading)} is no section of a dump of atoms; expected one of "
        f"{', '.join(SECTIONS)} and ATOMS"
    )


def _words_after(heading: bytes, name: str, lines: Lines) -> list[str]:
    """What follows the name of a section in its heading."""
    try:
        words = heading.decode().split()[1:]
    except UnicodeDecodeError:
        raise lines.error(f"{shown(heading)} is not UTF-8 text") from None
    return words[len(name.split()) :]


def _header_integer(
    lines: Lines, sections: dict[str, tuple[int, list[str], list[bytes]]], name: str
) -> int:
    number, _, (line,) = sections[name]
    tokens = line.split()
    value = integer(tokens[0]) if len(tokens) == 1 else None
    if value is None:
        raise FileFormatError(
            lines.path, f"ITEM: {name} must be an integer, got {shown(line)}", number + 1
        )
    return value


def _atoms(lines: Lines, sections: dict[str, tuple[int, list[str], list[bytes]]]) -> int:
    n = _header_integer(lines, sections, "NUMBER OF ATOMS")
    if n < 0:
        raise FileFormatError(
            lines.path,
            f"ITEM: NUMBER OF ATOMS must not be negative, got {n}",
            sections["NUMBER OF ATOMS"][0] + 1,
        )
    return n


def _atom_lines(lines: Lines, n: int, names: tuple[str, ...], step: int) -> Block:
    """The lines of the atoms; they must be as many as declared."""
    atoms = Block.take(lines, n, names)
    found = atoms.find(b"ITEM:")
    if found < n:
        what = "the file ends" if found == atoms.n else "the next frame begins"
        raise atoms.error(
            f"the frame of step {step} declares {n} atoms, but {what} after {found}; it is cut "
            "or garbled (whole frames before it can be read with frame= or iread)",
            found,
        )
    return atoms


def _check_column_names(names: list[str], lines: Lines) -> None:
    known = [name for name in names if name in KINDS]
    twice = {name for name in known if known.count(name) > 1}
    if twice:
        raise lines.error(f"column {min(twice)} stands twice in ITEM: ATOMS")
    if not any(set(triple) <= set(names) for triple in TRIPLES):
        raise lines.error(
            "ITEM: ATOMS has no positions: expected columns x y z, xs ys zs, xu yu zu or "
            f"xsu ysu zsu, got {' '.join(names) or 'none'}; add them to the dump command"
        )
