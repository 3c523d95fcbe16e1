"""GSD, the format of HOOMD-blue, through gsd.hoomd.

HOOMD's box is centred on the origin and its positions are wrapped, with images beside them; here
the corner of the cell is at the origin and positions are unwrapped. GSD holds positions and boxes
in single precision: a file written here gives them back to about 1e-7 of the box. Type names are
the species labels. The format knows no ids; they are written as log/particles/id, and a file from
elsewhere, without them, has its particles numbered 1, 2, ..., since HOOMD writes them in the order
of their tags. Further columns are written as log/particles/NAME, which OVITO shows as particle
properties.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError, InputError
from amorphace.io.cells import oriented_cell
from amorphace.io.columns import Columns, chosen_columns
from amorphace.io.frames import Fail, NumberedFrame, guarded, located
from amorphace.io.labels import particle_labels, type_numbers
from amorphace.io.text import open_binary

if TYPE_CHECKING:
    from gsd.hoomd import Frame

IDS = "particles/id"


@dataclass(frozen=True)
class GsdFrame(NumberedFrame):
    """Frame `k` of an open file, not yet read; see `Frame`."""

    trajectory: Any

    def columns(self, names: tuple[str, ...]) -> Columns:
        """Columns of log/particles."""
        found = self.load()
        log = {k.removeprefix("particles/"): v for k, v in found.log.items() if k != IDS}
        columns = {k: np.asarray(log[k]) for k in chosen_columns(self.path, names, list(log))}
        for name, column in columns.items():
            if column.shape != (found.particles.N,) or column.dtype.kind not in "fiu":
                raise FileFormatError(
                    self.path, f"log/particles/{name} is no number for each particle"
                )
        return columns

    def configuration(self, species: tuple[str, ...] | None) -> Configuration:
        """The frame, read and checked."""
        frame = self.load()
        if frame.configuration.dimensions == 2:
            raise self.fail(
                "the system is two-dimensional (configuration/dimensions = 2), and neighbours, "
                "features and D2min are those of three dimensions; give a three-dimensional system"
            )
        _check_arrays(frame, self.fail)
        particles = frame.particles
        names = np.array([*particles.types, ""])[particles.typeid]
        with located(self.fail):
            h = _cell_of_box(frame.configuration.box)
            centred = np.asarray(particles.position, dtype=np.float64)
            return Configuration(
                positions=centred + particles.image @ h + 0.5 * h.sum(axis=0),
                species=particle_labels(len(centred), species, names=names, fail=self.fail),
                cell=h,
                ids=frame.log.get(IDS),
                step=int(frame.configuration.step),
            )

    def load(self) -> Any:
        """What gsd reads."""

        def load() -> Any:
            # gsd fills what a frame leaves out, for as many particles as a damaged file may claim
            for frame in {0, self.k}:
                name = "particles/N"
                claimed = self.trajectory.file.chunk_exists(frame=frame, name=name)
                if claimed and self.trajectory.file.read_chunk(frame=frame, name=name)[0] > size:
                    raise ValueError("it claims more particles than it has bytes")
            return self.trajectory[self.k]

        size = self.path.stat().st_size
        return guarded(self.path, f"frame {self.k} cannot be read", load)


@contextmanager
def gsd_frames(path: Path) -> Iterator[list[GsdFrame]]:
    """The frames of a GSD file, read when they are asked for.

    Raises
    ------
    FileFormatError
        If the file is no GSD file of particles in a periodic box.
    """
    import gsd.hoomd

    open_binary(path).close()  # says what is wrong with a path that cannot be opened
    with guarded(path, "is no GSD file", lambda: gsd.hoomd.open(str(path), "r")) as trajectory:
        if not len(trajectory):
            raise FileFormatError(path, "holds no frame")
        yield [GsdFrame(path, k, trajectory) for k in range(len(trajectory))]


def write_gsd(path: Path, configurations: Iterable[Configuration], columns: Columns) -> None:
    """Write frames in single precision, as HOOMD does.

    Types are numbered as in a dump: the sorted labels of the first frame, then later ones.

    Raises
    ------
    InputError
        If a cell is not oriented as HOOMD demands, a label is not ASCII, or the step is negative.
    """
    import gsd.hoomd

    known: tuple[str, ...] = ()
    with gsd.hoomd.open(str(path), "w") as trajectory:
        for configuration in configurations:
            known = type_numbers(known, configuration.species)
            trajectory.append(_gsd_frame(configuration, known, columns, path))


def _gsd_frame(
    configuration: Configuration, known: tuple[str, ...], columns: Columns, path: Path
) -> Frame:
    import gsd.hoomd

    if not all(label.isascii() for label in known):
        raise InputError(f"{path}: species labels of a GSD file must be ASCII, got {known}")
    if configuration.step < 0:
        raise InputError(f"{path}: a GSD file cannot hold the negative step {configuration.step}")
    h = oriented_cell(configuration.cell, path)
    inside, images = _wrapped(configuration)
    frame: Any = gsd.hoomd.Frame()
    frame.configuration.step = configuration.step
    frame.configuration.box = _box_of_cell(h)
    frame.particles.N = len(configuration)
    frame.particles.types = list(known) or ["A"]
    frame.particles.typeid = configuration.species_index(known)
    frame.particles.position = (inside - 0.5) @ h
    frame.particles.image = images
    frame.log = {IDS: configuration.ids} | {f"particles/{k}": v for k, v in columns.items()}
    return frame


def _wrapped(configuration: Configuration) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Positions in units of the cell vectors, in [0, 1), and images; both of shape (n, 3)."""
    s = configuration.fractional()
    image = np.floor(s)
    s = s - image
    image, s = image + (s >= 1), np.where(s >= 1, 0.0, s)  # -1e-17 rounds up to 1
    return s, image.astype(np.int32)


def _box_of_cell(h: NDArray[np.float64]) -> list[float]:
    """[Lx, Ly, Lz, xy, xz, yz] with b = (xy Ly, Ly, 0) and c = (xz Lz, yz Lz, Lz)."""
    lx, ly, lz = np.diag(h)
    return [lx, ly, lz, h[1, 0] / ly, h[2, 0] / lz, h[2, 1] / lz]


def _cell_of_box(box: NDArray[np.float32]) -> NDArray[np.float64]:
    """Rows are the cell vectors, shape (3, 3); the inverse of `_box_of_cell`."""
    lx, ly, lz, xy, xz, yz = np.asarray(box, dtype=np.float64)
    return np.array([[lx, 0, 0], [xy * ly, ly, 0], [xz * lz, yz * lz, lz]])


def _check_arrays(frame: Any, fail: Fail) -> None:
    """What a frame holds must have the shapes and types of GSD's schema, which gsd trusts."""
    n = int(frame.particles.N)
    expected = {
        "configuration/step": (frame.configuration.step, (), "iu"),
        "configuration/box": (frame.configuration.box, (6,), "f"),
        "particles/position": (frame.particles.position, (n, 3), "f"),
        "particles/image": (frame.particles.image, (n, 3), "iu"),
        "particles/typeid": (frame.particles.typeid, (n,), "iu"),
        f"log/{IDS}": (frame.log.get(IDS, np.arange(n)), (n,), "iu"),
    }
    for name, (array, shape, kinds) in expected.items():
        if np.shape(array) != shape or np.asarray(array).dtype.kind not in kinds:
            wanted = "floats" if kinds == "f" else "integers"
            raise fail(
                f"{name} must be {wanted} of shape {shape}, got {np.asarray(array).dtype} of shape "
                f"{np.shape(array)}",
                None,
            )
    if n and frame.particles.typeid.max() >= len(frame.particles.types):
        raise fail(
            f"type {frame.particles.typeid.max()} has no name in {frame.particles.types}", None
        )
