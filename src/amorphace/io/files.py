"""read, iread, read_columns, write: which format a file is in, what formats share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError, InputError
from amorphace.core.files import written_aside
from amorphace.io.columns import Columns, checked_columns
from amorphace.io.data import data_frames, write_data
from amorphace.io.dump import dump_frames, write_dump
from amorphace.io.extxyz import extxyz_frames, write_extxyz
from amorphace.io.frames import Frame, pick
from amorphace.io.hoomd import gsd_frames, write_gsd
from amorphace.io.labels import declared_species
from amorphace.io.mdanalysis import TRAJECTORIES, mdanalysis_frames
from amorphace.io.npz import npz_frames, write_npz
from amorphace.io.others import FORMATS as OTHERS
from amorphace.io.others import ase_frames
from amorphace.io.packing import Packing, packing_of_name
from amorphace.io.plausible import check_frame
from amorphace.io.text import open_lines

Order = Literal["id", "file"]


@dataclass(frozen=True)
class Format:
    """What a file can be in."""

    name: str
    suffixes: tuple[str, ...]
    packable: bool
    """Whether it may be packed."""
    frames: Callable[[Path], AbstractContextManager[Iterable[Frame]]]


DUMP = Format("LAMMPS dump", (".dump", ".lammpstrj"), True, dump_frames)
EXTXYZ = Format("extended XYZ", (".xyz", ".extxyz"), True, extxyz_frames)
DATA = Format("LAMMPS data", (".data", ".lmp"), True, data_frames)
GSD = Format("GSD", (".gsd",), False, gsd_frames)
NPZ = Format("NumPy archive", (".npz",), False, npz_frames)
ASE = Format("through ASE", tuple(OTHERS), False, ase_frames)
MDANALYSIS = Format("through MDAnalysis", TRAJECTORIES, False, mdanalysis_frames)
WRITTEN = (DUMP, EXTXYZ, DATA, GSD, NPZ)
FORMATS = (*WRITTEN, ASE, MDANALYSIS)
POSCAR = ("POSCAR", "CONTCAR")
"""What the names of VASP's files begin with."""
FIRST_LINES = (b"ITEM: TIMESTEP", b"ITEM: UNITS", b"ITEM: TIME")
"""What a dump begins with."""


def read(
    path: str | os.PathLike[str],
    species: str | Sequence[str] | None = None,
    *,
    frame: int = -1,
    order: Order = "id",
) -> Configuration:
    """One frame of a file.

    The format follows from the suffix: LAMMPS text dump (.dump, .lammpstrj, a name with "dump" in
    it, or any other name if the file begins with ITEM: TIMESTEP), extended XYZ (.xyz, .extxyz),
    LAMMPS data (.data, .lmp), GSD (.gsd), NumPy archive (.npz); through ASE, in Angstrom: POSCAR
    (.vasp, or a name that begins so), CIF (.cif), ASE's trajectories (.traj), GROMACS (.gro) and
    AtomEye (.cfg); through MDAnalysis, which `amorphace[mdanalysis]` installs: XTC (.xtc), DCD
    (.dcd) and H5MD (.h5md), which tell no species. Text of the first three may be packed: .gz,
    .bz2, .xz, and .zst from Python 3.14 on.

    Parameters
    ----------
    path : str or path-like
    species : str or sequence of str, optional
        Labels of the species, in the order of LAMMPS types 1, 2, .... Labels that stand in the
        file itself (an element column, type names) are used as they are, if all of them are
        declared. When left out: the labels in the file, or "A", "B", ... for types 1, 2, ....
    frame : int
        Which frame, counted from 0, or from the end if negative; the last when left out.
    order : {"id", "file"}
        Frames of dumps and of LAMMPS's XYZ files without ids are matched with no others, since
        LAMMPS changes the order of its particles. "file" says that the rows of this file, where
        it has no ids, are the same particles in every frame.

    Returns
    -------
    Configuration
        Positions in the units of the file (sigma), unwrapped where the file tells how, with the
        corner of the cell at the origin. Particles in the order of the file.

    Raises
    ------
    FileFormatError
        If the file is not there, of no known format, not whole, not periodic in three dimensions,
        or does not hold the frame; names the file and, for text, the line.
    InputError
        If `species` is not a list of different labels, or `order` is another word.

    Warns
    -----
    UserWarning
        If positions look like scaled ones, or the cell has another shape than the particles.

    Examples
    --------
    >>> import tempfile
    >>> glass = Configuration(positions=[[0, 0, 0], [1, 1, 1]], species=["A", "B"], cell=3.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "glass.dump"
    ...     write(path, glass, d2min=[0.1, 0.7])
    ...     read(path, species=("A", "B")).species
    array(['A', 'B'], dtype='<U1')
    """
    file = Path(path)
    format_ = _format_to_read(file)
    _check_order(order)
    labels = declared_species(species)
    with format_.frames(file) as frames:
        found = pick(frames, int(frame), file).configuration(labels)
    return check_frame(file, found, by_row=order == "file")


def iread(
    path: str | os.PathLike[str],
    species: str | Sequence[str] | None = None,
    *,
    order: Order = "id",
) -> Iterator[Configuration]:
    """All frames of a file, one in memory at a time.

    Parameters and errors are those of `read`. A damaged frame raises when it is reached.

    Yields
    ------
    Configuration
    """
    file = Path(path)
    _check_order(order)
    return _each(file, _format_to_read(file), declared_species(species), by_row=order == "file")


def _each(
    path: Path, format_: Format, species: tuple[str, ...] | None, *, by_row: bool
) -> Iterator[Configuration]:
    with format_.frames(path) as frames:
        for frame in frames:
            yield check_frame(path, frame.configuration(species), by_row=by_row)


def _check_order(order: str) -> None:
    if order not in ("id", "file"):
        raise InputError(f'order must be "id" or "file", got {order!r}')


def read_columns(
    path: str | os.PathLike[str], *names: str, frame: int = -1
) -> dict[str, NDArray[np.int64] | NDArray[np.float64]]:
    """Numbers that stand beside the particles of one frame, in the order of `read`.

    Parameters
    ----------
    path : str or path-like
    *names : str
        Columns of the file, such as "score", or "vx", "vy" and "vz"; when left out all those of
        numbers that `read` does not use.
    frame : int
        As for `read`.

    Returns
    -------
    dict of str to ndarray of shape (n,)
        Integers or floats.

    Raises
    ------
    FileFormatError
        If the file has no such column, or it holds no numbers; or as `read`.

    Examples
    --------
    >>> import tempfile
    >>> glass = Configuration(positions=[[0, 0, 0], [1, 1, 1]], species=["A", "B"], cell=3.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "glass.xyz"
    ...     write(path, glass, score=[0.1, 0.7])
    ...     read_columns(path, "score")["score"]
    array([0.1, 0.7])
    """
    file = Path(path)
    with _format_to_read(file).frames(file) as frames:
        return dict(pick(frames, int(frame), file).columns(names))


def write(
    path: str | os.PathLike[str],
    configuration: Configuration | Iterable[Configuration],
    **columns: ArrayLike,
) -> None:
    """Write a configuration, or a trajectory, in the format that the suffix names.

    The file appears whole, at the end; when anything fails, a file that was there stays as it is.

    Parameters
    ----------
    path : str or path-like
        Ends in .dump, .lammpstrj, .xyz, .extxyz, .data, .lmp (these also with .gz, .bz2, .xz or
        .zst), .gsd or .npz.
    configuration : Configuration or iterable of Configuration
        An iterable is written as a trajectory, one frame in memory at a time.
    **columns : array_like of shape (n,)
        Numbers beside each particle of a single configuration, under their names: integers,
        booleans (written as 0 and 1) or floats (NaN allowed).

    Raises
    ------
    InputError
        If the suffix is unknown, there is no configuration, a column does not fit, the format
        cannot hold the cell or the labels, or the file cannot be written.

    Notes
    -----
    Labels and ids are kept in every format, the step in all but data files. Positions and cell
    are kept exactly, but for the last digit of a triclinic cell in a dump and of positions outside
    the cell in a data file; GSD holds single precision.
    """
    file = Path(path)
    format_ = _format_by_name(file)
    if format_ not in WRITTEN:
        raise InputError(f"{file}: {_unknown_suffix(file, WRITTEN)}")
    single = isinstance(configuration, Configuration)
    if columns and not single:
        raise InputError(
            f"{file}: columns ({', '.join(columns)}) are written beside a single configuration, "
            f"got a {type(configuration).__name__}; write one file for each frame"
        )
    checked = checked_columns(columns, len(configuration)) if single else {}
    if file.is_dir():
        raise InputError(f"{file}: is a folder; name a file to write")
    frames = _checked_frames(file, [configuration] if single else configuration)
    writer = _writer(format_, packing_of_name(file), single=single)
    try:
        with written_aside(file) as aside:
            try:
                writer(aside, frames, checked)
            except InputError as e:
                if str(aside) not in str(e):
                    raise
                raise InputError(str(e).replace(str(aside), str(file))) from None
    except OSError as e:
        # an error about another folder is the caller's own, raised by the iterable
        if e.filename is not None and Path(e.filename).parent != file.resolve().parent:
            raise
        raise InputError(f"{file}: cannot be written: {e.strerror or e}") from None


def _writer(
    format_: Format, packing: Packing | None, *, single: bool
) -> Callable[[Path, Iterable[Configuration], Columns], None]:
    if format_ is DUMP:
        return partial(write_dump, packing=packing)
    if format_ is DATA:
        return partial(write_data, packing=packing)
    if format_ is EXTXYZ:
        return partial(write_extxyz, packing=packing)
    return write_gsd if format_ is GSD else partial(write_npz, single=single)


def _checked_frames(path: Path, configurations: Iterable[Configuration]) -> Iterator[Configuration]:
    """The configurations of a trajectory, checked to be some."""
    wanted = f"{path}: expected a Configuration or an iterable of Configurations"
    if not isinstance(configurations, Iterable):
        raise InputError(f"{wanted}, got a {type(configurations).__name__}")
    k = -1
    for k, configuration in enumerate(configurations):
        if not isinstance(configuration, Configuration):
            raise InputError(f"{wanted}, got a {type(configuration).__name__} as number {k}")
        if abs(configuration.step) >= 2**63:
            raise InputError(f"{path}: step {configuration.step} does not fit 64 bits")
        yield configuration
    if k < 0:
        raise InputError(f"{wanted}, got an empty one; nothing is written")


def _format_by_name(path: Path) -> Format | None:
    """The format that a name tells."""
    packed = packing_of_name(path) is not None
    name = path.stem if packed else path.name
    suffix = Path(name).suffix.lower()
    for format_ in FORMATS:
        if suffix in format_.suffixes and (format_.packable or not packed):
            return format_
    if name.startswith(POSCAR) and not packed:
        return ASE
    return DUMP if "dump" in name.lower() else None


def _format_to_read(path: Path) -> Format:
    """The format of a file that is there, by its name or else by how it begins."""
    format_ = _format_by_name(path)
    with open_lines(path) as lines:  # says what is wrong with a path that cannot be opened
        if format_ is not None:
            return format_
        if (lines.take(1) or [b""])[0].startswith(FIRST_LINES):
            return DUMP
    raise FileFormatError(path, _unknown_suffix(path))


def _unknown_suffix(path: Path, formats: Sequence[Format] = FORMATS) -> str:
    known = "; ".join(
        f"{f.name} ({', '.join(f.suffixes)}{', also packed' if f.packable else ''})"
        for f in formats
    )
    suffix = "".join(path.suffixes[-2:] if packing_of_name(path) else path.suffixes[-1:])
    return f"the suffix {suffix!r} names no format; known are: {known}"
