"""What the formats share: what a frame is, choosing one, and errors that name the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError, InputError
from amorphace.io.columns import Columns
from amorphace.io.text import Lines, open_lines

T = TypeVar("T")


Fail = Callable[[str, int | None], FileFormatError]
"""Makes the error for a message and the row it is about (None: the whole frame)."""


class Frame(Protocol):
    """A frame as it stands in a file, its particles not yet parsed.

    Both methods raise a FileFormatError that names the place where the file is not what it should
    be.
    """

    def configuration(self, species: tuple[str, ...] | None) -> Configuration:
        """The frame, its species labelled as declared."""
        ...

    def columns(self, names: tuple[str, ...]) -> Columns:
        """Numbers beside the particles; all further ones that the file holds if none is named."""
        ...


@dataclass(frozen=True)
class NumberedFrame:
    """What frames that are found by their number have in common."""

    path: Path
    k: int

    def fail(self, message: str, row: int | None = None) -> FileFormatError:
        """An error about the frame, or its particle `row`."""
        place = "" if row is None else f", particle {row}"
        return FileFormatError(self.path, f"frame {self.k}{place}: {message}")


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
        numbers = f"numbered 0 to {count - 1} or -{count} to -1"
        raise FileFormatError(path, f"has no frame {frame}: it holds {count}, {numbers}")
    return last[0]


def guarded(path: Path, what: str, load: Callable[[], T]) -> T:
    """What `load` returns; whatever another package raises on a damaged file, as one error.

    Raises
    ------
    FileFormatError
        "`what`, or is damaged", with the first line of the other package's message.
    """
    try:
        return load()
    except FileFormatError:
        raise
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


@contextmanager
def text_frames(path: Path, read: Callable[[Lines, bytes], T], what: str) -> Iterator[Iterator[T]]:
    """The frames of a text file.

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
        yield _frames(lines, first, read)


def _frames(lines: Lines, first: bytes | None, read: Callable[[Lines, bytes], T]) -> Iterator[T]:
    while first is not None:
        yield read(lines, first)
        first = lines.next_word_line()
