"""Text files of particles: lines that know their number, and numbers as text."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import FileFormatError, InputError
from amorphace.io.packing import Packing, unpacked

LONGEST_LINE = 1 << 20
"""Bytes."""
BLOCK = 1 << 17
"""Bytes read at once."""
CHUNK = 1 << 16
"""Lines of a frame in one piece of text."""
BLANK_LINES = 1000
"""Between two frames, or at the end."""
SQUEEZED = 100
"""Times that a packed file may grow. Texts of particles grow three- to tenfold."""
FREE = 1 << 20
"""Bytes that a packed file may always unpack to."""


class Lines:
    """The lines of a text file, read from first to last; counts them.

    Attributes
    ----------
    path : Path
    number : int
        Number of the line read last, counted from 1.
    """

    def __init__(self, path: Path, file: io.BufferedReader) -> None:
        self.path = path
        self.number = 0
        self._file = file
        self._unpacked = 0
        self._packing: Packing | None = None
        try:
            self._stream, self._packing = unpacked(file)
        except (InputError, OSError) as e:
            raise FileFormatError(path, f"cannot be read: {e}") from None

    def take(self, n: int) -> list[bytes]:
        """The next `n` lines with their ends; fewer where the file ends.

        Raises
        ------
        FileFormatError
            If a line is too long, or the file is packed, and cut, damaged or grows too much.
        """
        lines: list[bytes] = []
        read = partial(self._stream.readline, LONGEST_LINE)
        while len(lines) < n and (line := self._tried(read)):
            self._took(len(line), 1, len(line))
            lines.append(line)
        return lines

    def take_text(self, n: int) -> tuple[list[bytes], int]:
        """The next `n` lines in pieces of `CHUNK` lines, and how many they are; see `take`."""
        pieces: list[bytes] = []
        before = self.number
        for start in range(0, n, CHUNK):
            text = self._text(min(CHUNK, n - start))
            if not text:
                break
            pieces.append(text)
        return pieces, self.number - before

    def _text(self, n: int) -> bytes:
        """The next `n` lines, read by blocks."""
        blocks: list[bytes] = []
        begun = 0  # bytes of the line in which the last block ends
        while n > 0 and (block := self._tried(self._stream.peek)):
            ends = block.count(b"\n")
            if ends >= n:
                letters = np.frombuffer(block, dtype=np.uint8)
                block = block[: int(np.flatnonzero(letters == ord("\n"))[n - 1]) + 1]
            ends = min(ends, n)
            self._took(len(block), ends, begun + (block.find(b"\n") + 1 or len(block)))
            begun = len(block) - block.rfind(b"\n") - 1 + (0 if ends else begun)
            n -= ends
            blocks.append(self._stream.read(len(block)))
        self.number += begun > 0
        return b"".join(blocks)

    def _tried(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except Exception as e:  # each packing has errors of its own
            raise self._unreadable(e) from None

    def _took(self, size: int, lines: int, longest: int) -> None:
        """Count bytes and lines, of which the first, as far as it is known, is the longest."""
        if longest >= LONGEST_LINE:
            raise FileFormatError(
                self.path,
                f"the line is longer than {LONGEST_LINE >> 20} MiB; this is no text of "
                "particles, or it is damaged",
                self.number + 1,
            )
        self.number += lines
        self._check_growth(size)

    def _check_growth(self, size: int) -> None:
        self._unpacked += size
        if self._packing is None or self._unpacked < FREE:
            return
        if self._unpacked > SQUEEZED * self._file.tell():
            raise self.error(
                f"the file unpacks to more than {SQUEEZED} times its size, which particles do "
                f"not; if it is right, unpack it with: {self._packing.name} -d {self.path.name}"
            )

    def _unreadable(self, error: Exception) -> FileFormatError:
        reason = (isinstance(error, OSError) and error.strerror) or str(error) or repr(error)
        if self._packing is None:
            return FileFormatError(self.path, f"cannot be read: {reason}")
        name = self._packing.name
        return FileFormatError(
            self.path,
            f"the {name} file is cut or damaged ({reason}); make it again, or unpack what is "
            f"whole with: {name} -dc {self.path.name}",
            self.number + 1,
        )

    def next_word_line(self) -> bytes | None:
        """The next line that is not blank; None at the end of the file.

        Raises
        ------
        FileFormatError
            If there are too many blank lines, or as `take`.
        """
        for _ in range(BLANK_LINES):
            lines = self.take(1)
            if not lines:
                return None
            if lines[0].strip():
                return lines[0]
        raise self.error(f"{BLANK_LINES} blank lines stand where a frame should begin; remove them")

    def error(self, message: str) -> FileFormatError:
        """An error at the line read last."""
        return FileFormatError(self.path, message, self.number)


@contextmanager
def open_lines(path: Path) -> Iterator[Lines]:
    """The lines of a file, plain or packed, told apart by the first bytes.

    Raises
    ------
    FileFormatError
        If the file cannot be opened.
    """
    with open_binary(path) as file:
        yield Lines(path, file)


def open_binary(path: Path) -> io.BufferedReader:
    """The file, opened to read.

    Raises
    ------
    FileFormatError
        If it is not there, is a folder, or may not be read.
    """
    if path.is_dir():
        raise FileFormatError(path, "is a folder; name a file in it")
    try:
        return io.BufferedReader(path.open("rb", buffering=0), BLOCK)
    except FileNotFoundError:
        raise FileFormatError(path, "no such file") from None
    except OSError as e:
        raise FileFormatError(path, f"cannot be read: {e.strerror}") from None


def brief(value: object, width: int = 60) -> str:
    """A value as it stands in an error, cut to `width`."""
    line = str(value).replace("\n", " ")
    return line if len(line) <= width else f"{line[:width]}..."


def shown(text: bytes, width: int = 60) -> str:
    """Bytes of a file as they stand in an error, cut to `width`."""
    return repr(brief(text.decode(errors="replace").strip(), width))


def text_rows(columns: Iterable[NDArray[Any]]) -> bytes:
    """Columns of equal length as lines of text; floats with all their digits.

    Examples
    --------
    >>> import numpy as np
    >>> text_rows([np.array([1, 2]), np.array(["A", "B"]), np.array([0.1, np.nan])])
    b'1 A 0.1\\n2 B nan\\n'
    """
    words = [
        column.tolist() if column.dtype.kind == "U" else map(repr, column.tolist())
        for column in columns
    ]
    return "".join(f"{' '.join(row)}\n" for row in zip(*words, strict=True)).encode()


def reprs(values: Iterable[float]) -> str:
    """Numbers with all their digits, one space between them."""
    return " ".join(repr(float(value)) for value in values)
