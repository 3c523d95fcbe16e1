"""given, steps: configurations and sheared frames from files of one's own."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.records import write_record
from amorphace.dataset.files import start_of
from amorphace.dataset.plausible import check_neighbours, check_spacing
from amorphace.dataset.sheared import DataStep
from amorphace.io import iread
from amorphace.io.files import Order
from amorphace.runs.job import Job
from amorphace.runs.unit import Kind, Outcome

R = TypeVar("R")


@contextmanager
def noted() -> Iterator[list[str]]:
    """What is warned about in the block, in the list when it ends."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield found
    found += dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, UserWarning))


@dataclass(frozen=True, kw_only=True)
class GivenParameters:
    """Parameters of `Given`; file: digest of its content."""

    file: str
    species: tuple[str, ...]
    frame: int | None
    order: Order
    cutoffs: tuple[float, ...] = ()
    """For which neighbours are counted, to see whether they are in the unit of the file."""


@dataclass(frozen=True)
class GivenResults:
    """Small results of `Given` and `GivenSteps`."""

    n_particles: int
    doubts: tuple[str, ...]


class _FromFile(Kind[GivenParameters, R]):
    """What is read of a file, and what is doubtful about it."""

    parameters = GivenParameters
    results = GivenResults

    @abstractmethod
    def read(self, path: Path, parameters: GivenParameters) -> tuple[R, Configuration]:
        """What is kept, and the first configuration."""

    def do(self, job: Job[GivenParameters]) -> Outcome:
        """See `read`."""
        with noted() as doubts:
            found, first = self.read(job.store.linked_file(job.parameters.file), job.parameters)
        doubts += check_spacing(job.unit.name, first)
        doubts += check_neighbours(job.unit.name, first, job.parameters.cutoffs)
        write_record(job.folder, found)
        return Outcome(results=GivenResults(len(first), tuple(doubts)))

    def sentence(self, outcome: Outcome) -> str:
        """Particles."""
        return f"{outcome.results.n_particles} particles"


class Given(_FromFile[Configuration]):
    """A configuration from a file."""

    name = "given"
    record = Configuration

    def read(self, path: Path, parameters: GivenParameters) -> tuple[Configuration, Configuration]:
        """See `start_of`."""
        found = start_of(path, parameters.species, parameters.frame, parameters.order)
        return found, found


@dataclass(frozen=True, eq=False)
class Frames:
    """Sheared frames, each a strain step after the one before.

    Attributes
    ----------
    start : Configuration
        The first frame.
    positions : ndarray of shape (n_frames, n, 3)
    cells : ndarray of shape (n_frames, 3, 3)
    """

    start: Configuration
    positions: NDArray[np.float64]
    cells: NDArray[np.float64]

    first_step: ClassVar[int] = 0
    increment: ClassVar[float] = float("nan")

    def __len__(self) -> int:
        """Strain steps."""
        return len(self.positions) - 1

    def data_steps(self) -> Iterator[DataStep]:
        """The steps in their order; strain is the largest shear of the cell since the first."""
        frames = [
            self.start.replace(positions=x, cell=h)
            for x, h in zip(self.positions, self.cells, strict=True)
        ]
        for k in range(len(self)):
            strain = np.linalg.solve(self.cells[0], self.cells[k + 1]) - np.eye(3)
            yield DataStep(k + 1, float(abs(strain).max()), frames[k], frames[k + 1])


def read_steps(path: Path, species: Sequence[str], order: Order) -> Frames:
    """Sheared frames of a file.

    Raises
    ------
    InputError
        If there are fewer than two, or particles come or go.
    """
    frames = list(iread(path, tuple(species), order=order))
    if len(frames) < 2:
        raise InputError(
            f"{path} holds {len(frames)} frame; sheared frames are at least two, a strain step "
            "apart, each at rest"
        )
    start = frames[0]
    frames = [start, *(frame.aligned_to(start) for frame in frames[1:])]
    return Frames(
        start, np.array([f.positions for f in frames]), np.array([f.cell for f in frames])
    )


class GivenSteps(_FromFile[Frames]):
    """Sheared frames from a file."""

    name = "steps"
    record = Frames

    def read(self, path: Path, parameters: GivenParameters) -> tuple[Frames, Configuration]:
        """See `read_steps`."""
        found = read_steps(path, parameters.species, parameters.order)
        return found, found.start
