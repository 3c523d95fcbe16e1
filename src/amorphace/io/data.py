"""LAMMPS data files.

Reading follows https://docs.lammps.org/read_data.html:

    atom style   the word after "Atoms #"; without it, what the number of columns and the tokens
                 themselves leave as the only choice among the styles here
    positions    unwrapped where image flags are there
    box          orthogonal, triclinic (xy xz yz), general triclinic (avec bvec cvec); its corner is
                 moved to the origin
    species      Atom Type Labels where they are, types 1, 2, ... otherwise

Other sections are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError, InputError
from amorphace.io.cells import inside_cell, oriented_cell
from amorphace.io.columns import Columns, chosen_columns
from amorphace.io.frames import located
from amorphace.io.labels import check_words, particle_labels, type_numbers
from amorphace.io.packing import Packing, open_output
from amorphace.io.table import Block, integer, numbers
from amorphace.io.text import Lines, open_lines, reprs, shown, text_rows

STYLES = {
    "atomic": "id type x y z",
    "charge": "id type q x y z",
    **dict.fromkeys(("bond", "angle", "molecular"), "id molecule type x y z"),
    "full": "id molecule type q x y z",
    "sphere": "id type diameter density x y z",
}
IMAGES = ("ix", "iy", "iz")
KINDS = {
    **dict.fromkeys(("id", "type", *IMAGES), int),
    **dict.fromkeys("xyz", float),
}
BOX = ("xlo xhi", "ylo yhi", "zlo zhi", "xy xz yz", "avec", "bvec", "cvec", "abc origin")
"""Lines of the header that hold the box, by what follows their numbers."""


@dataclass
class Header:
    """What stands above the sections, as far as it is wanted."""

    atoms: int | None = None
    box: dict[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class DataFileFrame:
    """The atoms of a data file, not yet parsed, its header, and the labels of its types; see
    `Frame`."""

    atoms: Block
    header: Header
    labels: dict[int, str]

    def columns(self, names: tuple[str, ...]) -> Columns:
        """Columns of the section Atoms."""
        return self.atoms.numbers(chosen_columns(self.atoms.path, names, self.atoms.names))

    def configuration(self, species: tuple[str, ...] | None) -> Configuration:
        """The configuration, parsed."""
        atoms = self.atoms
        words = bool(atoms.n) and integer(atoms.token("type")) is None
        kinds = {k: KINDS[k] for k in atoms.names if k in KINDS} | ({"type": str} if words else {})
        columns = atoms.columns(kinds)
        atoms.check_distinct(columns["id"])
        types, names = (None, columns["type"]) if words else (columns["type"], None)
        if types is not None and set(types.tolist()) <= set(self.labels):
            names = np.array([self.labels[k] for k in types.tolist()], dtype=np.str_)
        found = particle_labels(atoms.n, species, types=types, names=names, fail=atoms.error)
        cell, origin = _cell(self.header, atoms)
        with located(atoms.error):
            positions = atoms.positions(columns, "xyz") - origin
            if "ix" in columns:
                positions = positions + atoms.positions(columns, IMAGES) @ cell
            return Configuration(positions=positions, species=found, cell=cell, ids=columns["id"])


@contextmanager
def data_frames(path: Path) -> Iterator[list[DataFileFrame]]:
    """The one frame of a data file.

    Raises
    ------
    FileFormatError
        If the file is no whole data file of one of the `STYLES`; names the line.
    """
    with open_lines(path) as lines:
        lines.take(1)  # a title
        header, heading = _header(lines)
        atoms, labels = None, {}
        while heading is not None:
            section = heading.split(b"#")[0].split()
            if section == [b"Atoms"]:
                atoms = _atoms(lines, header, heading)
                heading = lines.next_word_line()
            elif section == [b"Atom", b"Type", b"Labels"]:
                labels, heading = _labels(lines)
            else:
                _, heading = _section(lines)
        if atoms is None:
            raise lines.error("the file has no section Atoms; this is no LAMMPS data file, or cut")
    yield [DataFileFrame(atoms, header, labels)]


def write_data(
    path: Path,
    configurations: Iterable[Configuration],
    columns: Columns,
    packing: Packing | None = None,
) -> None:
    """Write a data file of style atomic with labels of its types, particles inside the cell.

    Raises
    ------
    InputError
        If there are several configurations or further columns, which the format cannot hold, a
        cell is not oriented as LAMMPS demands, or a label is not one word.
    """
    first, *others = configurations
    if others or columns:
        what = "columns" if columns else "trajectories"
        raise InputError(f"{path}: LAMMPS data files hold no {what}; write a dump")
    known = type_numbers((), first.species)
    check_words(known, path)
    labels = text_rows([np.arange(1, len(known) + 1), np.array(known, dtype=np.str_)])
    with open_output(path, packing) as file:
        file.write(data_text(first, known, path, before={"Atom Type Labels": labels}))


def data_text(
    configuration: Configuration,
    species: Sequence[str],
    subject: object,
    *,
    before: Mapping[str, bytes] = {},
    after: Mapping[str, bytes] = {},
    molecules: NDArray[np.int64] | None = None,
    header: Sequence[str] = (),
    tilted: bool = False,
) -> bytes:
    """The text of a data file, particles inside the cell.

    Parameters
    ----------
    configuration : Configuration
    species : sequence of str
        Labels of types 1, 2, ....
    subject : object
        What an error is about: a file, or LAMMPS.
    before, after : mapping of str to bytes
        Sections before and after the atoms, each with its lines.
    molecules : ndarray of int of shape (n,), optional
        Makes the atom style "bond"; "atomic" without.
    header : sequence of str
        Further lines of the header.
    tilted : bool
        Whether the tilt is written where it is zero, too.

    Raises
    ------
    InputError
        If the cell is not oriented as LAMMPS demands, a particle is too many cells away, or a
        label is not among the species.
    """
    cell = oriented_cell(configuration.cell, subject)
    inside, turns = inside_cell(configuration)
    tilts = cell[1, 0], cell[2, 0], cell[2, 1]
    lines = ["amorphace", "", f"{len(configuration)} atoms", f"{len(species)} atom types", *header]
    lines += [f"{reprs((0, cell[k, k]))} {axis}lo {axis}hi" for k, axis in enumerate("xyz")]
    lines += [f"{reprs(tilts)} xy xz yz"] if tilted or any(tilts) else []
    named = [] if molecules is None else [molecules]
    types = configuration.species_index(species) + 1
    atoms = text_rows([configuration.ids, *named, types, *inside.T, *turns.T])
    style = "atomic" if molecules is None else "bond"
    head = "".join(f"{line}\n" for line in lines).encode()
    sections = {**before, f"Atoms # {style}": atoms, **after}
    return head + b"".join(b"\n%s\n\n%s" % (k.encode(), text) for k, text in sections.items())


def _header(lines: Lines) -> tuple[Header, bytes | None]:
    """The header, and the heading of the first section."""
    header = Header()
    while (line := lines.next_word_line()) is not None:
        text = line.split(b"#")[0].strip()
        if re.match(rb"[A-Za-z]", text):
            return header, line
        tokens = text.split()
        name = next((k for k in BOX if text.endswith(k.encode())), None)
        if name is not None:
            values = numbers(tokens[: -len(name.split())])
            if values is None or len(values) != (2 if name.endswith("hi") else 3):
                raise lines.error(f"the line of {name} must hold finite numbers, got {shown(line)}")
            header.box[name] = values
        elif tokens[1:] == [b"atoms"]:
            header.atoms = integer(tokens[0])
            if header.atoms is None or header.atoms < 0:
                raise lines.error(f"expected the number of atoms, got {shown(line)}")
    return header, None


def _section(lines: Lines) -> tuple[list[bytes], bytes | None]:
    """The lines of a section, and the heading of the next; headings begin with letters."""
    body: list[bytes] = []
    while (line := lines.next_word_line()) is not None:
        if re.match(rb"\s*[A-Za-z]", line):
            break
        body.append(line)
    return body, line


def _labels(lines: Lines) -> tuple[dict[int, str], bytes | None]:
    """What each type is called."""
    first = lines.number
    body, heading = _section(lines)
    labels: dict[int, str] = {}
    for line in body:
        words = line.split(b"#")[0].split()
        number = integer(words[0]) if len(words) == 2 else None
        if number is None or not words[1].isascii():
            raise FileFormatError(
                lines.path,
                f"a line of Atom Type Labels must be a number and a label, got {shown(line)}",
                first + 1,
            )
        labels[number] = words[1].decode()
    return labels, heading


def _atoms(lines: Lines, header: Header, heading: bytes) -> Block:
    """The lines of the atoms, their columns named."""
    if header.atoms is None:
        raise lines.error("the header gives no number of atoms; this is no LAMMPS data file")
    lines.take(1)  # a blank line
    atoms = Block.take(lines, header.atoms, ())
    if atoms.n < header.atoms:
        raise atoms.error(
            f"the header declares {header.atoms} atoms, but the file ends after {atoms.n}: it is "
            "cut",
            atoms.n,
        )
    if not atoms.n:
        return replace(atoms, names=tuple(STYLES["atomic"].split()))
    tokens = atoms.pieces[0].split(b"\n", 1)[0].split(b"#")[0].split()
    hint = heading.partition(b"#")[2].split()
    if hint and hint[0].decode(errors="replace") not in STYLES:
        raise atoms.error(
            f"atom style {shown(hint[0])} is not read; known are {', '.join(STYLES)}; write a dump"
        )
    styles = [hint[0].decode()] if hint else list(STYLES)
    fitting = {
        (*columns, *images)
        for columns in (tuple(STYLES[style].split()) for style in styles)
        for images in ((), IMAGES)
        if len(columns) + len(images) == len(tokens)
        and (hint or _fits((*columns, *images), tokens))
    }
    if len(fitting) != 1:
        raise atoms.error(
            f"{len(tokens)} columns are of {'no' if not fitting else 'more than one'} atom style "
            f"that is read; say which it is in the heading: Atoms # full (one of "
            f"{', '.join(STYLES)})",
            0,
        )
    return replace(atoms, names=fitting.pop())


def _fits(names: tuple[str, ...], tokens: list[bytes]) -> bool:
    """Whether tokens may be what they are called: counts have no point, charges have."""
    whole = [integer(token) is not None for token in tokens]
    counted = all(whole[names.index(k)] for k in ("id", "molecule", *IMAGES) if k in names)
    measured = any(whole[names.index(k)] for k in ("q", "diameter", "density") if k in names)
    return counted and not measured and b"." not in tokens[names.index("type")]


def _cell(header: Header, atoms: Block) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cell vectors as rows, shape (3, 3), and the corner they start from, shape (3,)."""
    box = header.box
    if {"avec", "bvec", "cvec"} <= set(box):
        return np.array([box[k] for k in BOX[4:7]]), box.get("abc origin", np.zeros(3))
    if not set(BOX[:3]) <= set(box):
        raise atoms.error("the header gives no box: expected lines of xlo xhi, ylo yhi, zlo zhi")
    low, high = np.array([box[k] for k in BOX[:3]]).T
    xy, xz, yz = box.get("xy xz yz", np.zeros(3))
    lx, ly, lz = high - low
    return np.array([[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]]), low
