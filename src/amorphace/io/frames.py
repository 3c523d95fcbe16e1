"""What the formats share: choosing and finding a frame, and errors that name the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import FileFormatError, InputError
from amorphace.io.text import Lines, open_lines

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where a frame stands in its file.

    Attributes
    ----------
    offset : int
        First byte of its text, unpacked; or the number of the frame, in formats that have one.
    line : int
        Lines of text before it.
    """

    offset: int
    line: int = 0


@dataclass(frozen=True, eq=False)
class Mark:
    """A frame of a trajectory, without its positions.

    Attributes
    ----------
    place : Place
    step : int
    n_particles : int
    species : ndarray of str of shape (n_particles,) or None
        None where it was not asked for.
    """

    place: Place
    step: int
    n_particles: int
    species: NDArray[np.str_] | None = None


Fail = Callable[[str, int | None], FileFormatError]
"""Makes the error for a message and the row it is about (None: the whole frame)."""


def pick(frames: Iterable[T], frame: int, path: Path) -> T:
    """Frame number `frame`, from the end if negative; no more frames are kept than that takes.

    Raises
    ------
    FileFormatError
        If there are fewer frames.
    """
    count = 0
    last: deque[T] = deque(maxlen=max(-frame, 1))
    for count, one in enumerate(frames, start=1):
        last.append(one)
        if count == frame + 1:
            return one
    if frame >= 0 or count < -frame:
        raise no_such_frame(path, frame, count)
    return last[0]


def no_such_frame(path: Path, frame: int, count: int) -> FileFormatError:
    """The error for a frame beyond the `count` that a file holds."""
    return FileFormatError(
        path, f"has no frame {frame}: it holds {count}, numbered 0 to {count - 1} or -{count} to -1"
    )


def guarded(path: Path, what: str, load: Callable[[], T]) -> T:
    """What `load` returns; whatever another package raises on a damaged file, as one error.

    Raises
    ------
    FileFormatError
        "`what`, or is damaged", with the first line of the other package's message.
    """
    try:
        return load()
    except Exception as e:
        reason = str(e).splitlines()[0] if str(e) else type(e).__name__
        raise FileFormatError(path, f"{what}, or is damaged ({reason}); make it again") from None


@contextmanager
def located(fail: Fail) -> Iterator[None]:
    """Errors about a frame that do not say which file they are about get their place by `fail`.

    Numbers too large to compute with become infinite here without a warning: the checks of
    Configuration find and name them.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            yield
        except FileFormatError:
            raise
        except InputError as e:
            raise fail(str(e), None) from None


def placed_frames(
    path: Path, read: Callable[[Lines, bytes], T], what: str
) -> Iterator[tuple[Place, T]]:
    """The frames of a text file, and where they stand.

    Parameters
    ----------
    path : Path
    read : callable
        Called as read(lines, first line of a frame); takes the rest of the frame.
    what : str
        What the file should be, for the error of an empty one.

    Raises
    ------
    FileFormatError
        If the file is empty, or as `read`.
    """
    with open_lines(path) as lines:
        first = lines.next_word_line()
        if first is None:
            raise FileFormatError(path, f"the file is empty; expected {what}")
        while first is not None:
            place = Place(lines.offset - len(first), lines.number - 1)
            yield place, read(lines, first)
            first = lines.next_word_line()


def frames_at(
    path: Path, read: Callable[[Lines, bytes], T], places: Iterable[Place]
) -> Iterator[T]:
    """The frames of a text file at known places, without those between."""
    with open_lines(path) as lines:
        for place in places:
            lines.go(place.offset, place.line)
            yield read(lines, (lines.take(1) or [b""])[0])
