"""The comment line of extended XYZ: ASE's and OVITO's words, and atooms'."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import FileFormatError
from amorphace.io.text import brief, shown

DEFAULT_PROPERTIES = "species:S:1:pos:R:3"
TYPES = {"S": str, "R": float, "I": int, "L": bool}
MOST_FIELDS = 5000
WIDTH = re.compile(r"[1-9][0-9]{0,2}")
ALIASES = {"position": "pos", "positions": "pos", "element": "species"}
"""What other programs call columns, and their names here."""
ATOOMS_WIDTHS = {"position": 3, "pos": 3, "position_unfolded": 3, "velocity": 3, "vel": 3}
"""Tokens of a column; one where it is not here."""
ATOOMS_ALIASES = {
    "position": "pos",
    "position_unfolded": "pos",
    "id": "species",
    "name": "species",
    **{axis: f"pos{k}" for k, axis in enumerate("xyz")},
}
STEP_WORDS = ("step", "timestep")

Blame = Callable[[str], FileFormatError]


@dataclass(frozen=True)
class Comment:
    """What a comment line says.

    Attributes
    ----------
    cell : ndarray of shape (3, 3)
        Rows are the cell vectors.
    origin : ndarray of shape (3,)
        The corner of the cell.
    step : int
    columns : dict of str to type
        What every token of an atom's line is called and is; pos0, pos1, pos2 are its position.
    ordered : bool
        Whether rows stay the same particles in every frame. LAMMPS, which alone calls the step
        Timestep, changes them.
    """

    cell: NDArray[np.float64]
    origin: NDArray[np.float64]
    step: int
    columns: dict[str, type]
    ordered: bool


def parse_comment(line: bytes, fail: Blame) -> Comment:
    """Read a comment line.

    Parameters
    ----------
    line : bytes
    fail : callable
        Makes the error from a message.

    Raises
    ------
    FileFormatError
        If the line is garbled or gives no periodic box.
    """
    if b"Lattice" not in line and b"Properties" not in line and re.search(rb"\bcell *[:=]", line):
        return _atooms(line, fail)
    from ase.io.extxyz import key_val_str_to_dict

    try:
        info = key_val_str_to_dict(line.decode())
    except Exception as e:  # whatever ASE raises on a garbled line
        reason = brief(e, 200)
        raise fail(f"{shown(line)} is no comment line of extended XYZ ({reason})") from None
    step, ordered = _step(info, fail)
    return Comment(
        cell=_cell(info, fail),
        origin=_origin(info, fail),
        step=step,
        columns=_properties(str(info.get("Properties", DEFAULT_PROPERTIES)), fail),
        ordered=ordered,
    )


def _properties(properties: str, fail: Blame) -> dict[str, type]:
    words = properties.split(":")
    fields = list(zip(words[::3], words[1::3], words[2::3], strict=False))
    plain = all(name and kind in TYPES and WIDTH.fullmatch(n) for name, kind, n in fields)
    columns = None
    if plain and len(words) % 3 == 0 and len(fields) <= MOST_FIELDS:
        given = {name for name, _, _ in fields}
        columns = _columns([(_known(k, given), TYPES[t], int(n)) for k, t, n in fields])
    if columns is None:
        raise fail(
            "Properties must be NAME:TYPE:COLUMNS for each property, TYPE one of S R I L, got "
            f"{shown(properties.encode())}"
        )
    return columns


def _known(name: str, given: Iterable[str]) -> str:
    """The name here of another program's column, where that is not there too."""
    known = ALIASES.get(name, name)
    return name if known in given else known


def _columns(fields: list[tuple[str, type, int]]) -> dict[str, type] | None:
    """Each token's name and kind; fields of several tokens are numbered from 0.

    None if one stands twice.
    """
    tokens = [
        (name if n == 1 else f"{name}{k}", kind) for name, kind, n in fields for k in range(n)
    ]
    return dict(tokens) if len(dict(tokens)) == len(tokens) else None


def _cell(info: Mapping[str, Any], fail: Blame) -> NDArray[np.float64]:
    """Rows are the cell vectors, shape (3, 3)."""
    pbc = info.get("pbc", True)
    if "Lattice" not in info or not np.all(pbc):
        got = f"pbc={brief(pbc)}" if "Lattice" in info else "no Lattice"
        raise fail(
            f"the comment line says {got}: only periodic boxes are supported "
            '(Lattice="ax ay az bx by bz cx cy cz" and pbc="T T T")'
        )
    return np.asarray(info["Lattice"], dtype=np.float64).T  # ASE's parser transposes


def _origin(info: Mapping[str, Any], fail: Blame) -> NDArray[np.float64]:
    """The corner of the cell, shape (3,)."""
    origin = np.asarray(info.get("Origin", (0.0, 0.0, 0.0)))
    if origin.shape != (3,) or origin.dtype.kind not in "if" or not np.isfinite(origin).all():
        raise fail(f"Origin must be three finite numbers, got {brief(info['Origin'])}")
    return origin.astype(np.float64)


def _step(info: Mapping[str, Any], fail: Blame) -> tuple[int, bool]:
    """The step, and whether its name tells that the program keeps the order of its particles.

    Where Step stands too, Timestep is a length of time (atooms).
    """
    found = {key.lower(): (key, value) for key, value in info.items() if key.lower() in STEP_WORDS}
    for word, (key, value) in sorted(found.items()):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            raise fail(f"{key} must be an integer, got {brief(value)}")
        return int(value), word == "step"
    return 0, True


def _atooms(line: bytes, fail: Blame) -> Comment:
    """The comment line of atooms: step:10 columns:species,position dt:0.001 cell:6.0,6.0,6.0."""
    text = re.sub(r" *([:=,]) *", r"\1", line.decode(errors="replace").replace("\t", " "))
    info = dict(
        re.split("[:=]", word, maxsplit=1) for word in text.split() if re.search("[:=]", word)
    )
    try:
        step = int(info.get("step", "0"))
        edges = [float(edge) for edge in info["cell"].strip(",").split(",")]
    except (KeyError, ValueError):
        step, edges = 0, []
    if len(edges) == 2:
        raise fail(f"the cell {info['cell']} is two-dimensional; give a three-dimensional system")
    if len(edges) != 3 or not all(np.isfinite(edges)):
        raise fail(
            f"{shown(line)} is no comment line of atooms: expected words such as step:10 "
            "columns:species,position cell:6.0,6.0,6.0"
        )
    names = info.get("columns", "species,position").strip(",").split(",")
    fields = []
    for name in names:
        known = ATOOMS_ALIASES.get(name, name)
        fields.append((known, str if known == "species" else float, ATOOMS_WIDTHS.get(name, 1)))
    columns = _columns(fields)
    if columns is None:
        raise fail(f"a column stands twice among {brief(','.join(names))}")
    return Comment(np.diag(edges), np.zeros(3), step, columns, ordered=True)
