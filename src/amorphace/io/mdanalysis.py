"""Trajectories that MDAnalysis reads: XTC, DCD, H5MD.

They hold positions in single precision in the units of the program that wrote them, and neither
species nor ids: particles are of the one species that is declared, and keep their order. XTC files
are read by C code of MDAnalysis that trusts them: a damaged one may end the process.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError
from amorphace.io.columns import Columns, chosen_columns
from amorphace.io.frames import NumberedFrame, guarded, located
from amorphace.io.labels import particle_labels
from amorphace.io.text import open_binary

TRAJECTORIES = (".xtc", ".dcd", ".h5md")


@dataclass(frozen=True)
class TrajectoryFrame(NumberedFrame):
    """Frame `k` of a trajectory; see `Frame`."""

    step: int
    positions: NDArray[np.float32]
    cell: NDArray[np.float32] | None

    def columns(self, names: tuple[str, ...]) -> Columns:
        """None: nothing stands beside the particles."""
        chosen_columns(self.path, names, [])
        return {}

    def configuration(self, species: tuple[str, ...] | None) -> Configuration:
        """The frame, checked to be periodic."""
        if self.cell is None or not self.cell.any():
            raise self.fail("has no cell; only periodic boxes are supported")
        n = len(self.positions)
        if species is not None and len(species) > 1:
            raise self.fail(
                f"{self.path.suffix} files tell no species; read the file without species=, and "
                "give the labels of another file: dataclasses.replace(frame, species=...)"
            )
        with located(self.fail):
            return Configuration(
                positions=self.positions,
                species=particle_labels(n, species, fail=self.fail),
                cell=self.cell,
                step=self.step,
            )


@contextmanager
def mdanalysis_frames(path: Path) -> Iterator[Iterator[TrajectoryFrame]]:
    """The frames of a trajectory.

    Raises
    ------
    FileFormatError
        If MDAnalysis is not installed or cannot read the file.
    """
    open_binary(path).close()  # says what is wrong with a path that cannot be opened
    broken = f"is no {path.suffix.lower()} trajectory"
    with guarded(path, broken, lambda: _opened(path)) as reader:
        yield _frames(path, reader, broken)


def _frames(path: Path, reader: Any, broken: str) -> Iterator[TrajectoryFrame]:
    rest, k = iter(reader), 0
    while (found := guarded(path, broken, lambda: next(rest, None))) is not None:
        if path.suffix.lower() == ".xtc":
            yield TrajectoryFrame(path, k, int(found.step), found.x, found.box)
        else:
            step = int(found.data.get("step", k))
            cell = found.triclinic_dimensions
            yield TrajectoryFrame(path, k, step, found.positions.copy(), cell)
        k += 1


def _opened(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from MDAnalysis.coordinates.core import reader  # pyright: ignore[reportMissingImports]
            from MDAnalysis.lib.formats.libmdaxdr import XTCFile  # pyright: ignore[reportMissingImports]

            if path.suffix.lower() == ".xtc":
                return XTCFile(str(path))  # the reader leaves files of its own beside it
            return reader(str(path), format=path.suffix[1:].upper(), convert_units=False)
    except ImportError as error:
        raise FileFormatError(
            path,
            f"{path.suffix} files are read by MDAnalysis, which cannot be loaded ({error}); "
            "install it with: pip install amorphace[mdanalysis]",
        ) from None
