"""Text files of particles: lines that know their number, and columns of tokens as arrays."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import FileFormatError

GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 16
"""Lines split into tokens at a time, so that a million particles never are a million lists."""


class Lines:
    """The lines of a text file, read from first to last; counts them.

    Attributes
    ----------
    path : Path
    number : int
        Number of the line read last, counted from 1.
    """

    def __init__(self, path: Path, stream: io.BufferedReader) -> None:
        self.path = path
        self.number = 0
        self._stream = stream

    def take(self, n: int) -> list[bytes]:
        """The next `n` lines; fewer where the file ends.

        Raises
        ------
        FileFormatError
            If the file is compressed, and cut or damaged.
        """
        with self._readable():
            lines = list(islice(self._stream, n))
        self.number += len(lines)
        return lines

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile) as e:
            raise FileFormatError(
                self.path,
                f"the gzip file is cut or damaged ({e}); make it again, or unpack what is whole "
                f"with: gzip -dc {self.path.name}",
                self.number + 1,
            ) from None
        except OSError as e:
            raise FileFormatError(self.path, f"cannot be read: {e.strerror or e}") from None

    def next_word_line(self) -> bytes | None:
        """The next line that is not blank; None at the end of the file."""
        while lines := self.take(1):
            if lines[0].strip():
                return lines[0]
        return None

    def error(self, message: str) -> FileFormatError:
        """An error at the line read last."""
        return FileFormatError(self.path, message, self.number)


@contextmanager
def open_lines(path: Path) -> Iterator[Lines]:
    """The lines of a file, plain or gzip, told apart by the first bytes.

    Raises
    ------
    FileFormatError
        If the file cannot be opened.
    """
    with open_binary(path) as file:
        packed = file.peek(2)[:2] == GZIP_MAGIC
        # GzipFile alone reads line by line in Python; the buffer around it does so in C
        yield Lines(path, io.BufferedReader(gzip.GzipFile(fileobj=file)) if packed else file)


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
        return path.open("rb")
    except FileNotFoundError:
        raise FileFormatError(path, "no such file") from None
    except OSError as e:
        raise FileFormatError(path, f"cannot be read: {e.strerror}") from None


@contextmanager
def open_output(path: Path, *, packed: bool) -> Iterator[BinaryIO]:
    """A file to write bytes to; the same text gives the same bytes, packed or not."""
    with path.open("wb") as file:
        if packed:
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as squeezed:
                yield squeezed  # type: ignore[misc]
        else:
            yield file


@dataclass(frozen=True)
class Block:
    """One line for each particle of a frame.

    Attributes
    ----------
    path : Path
    first : int
        Number of the first line in the file.
    lines : list of bytes
    names : tuple of str
        What each token of a line is.
    """

    path: Path
    first: int
    lines: list[bytes]
    names: tuple[str, ...]

    def error(self, message: str, row: int | None = None) -> FileFormatError:
        """An error at the line of particle `row`, or, without one, at the line before all."""
        line = self.first - 1 if row is None else self.first + row
        return FileFormatError(self.path, message, line)

    def columns(self, kinds: Mapping[str, type]) -> dict[str, NDArray[Any]]:
        """The wanted columns, each of shape (n,), as int64, float64 or str.

        Parameters
        ----------
        kinds : mapping of str to int, float or str
            Which columns, and what their tokens are.

        Raises
        ------
        FileFormatError
            If a line does not have as many tokens as there are columns, or a token is not what
            it should be; names the line.
        """
        parts: dict[str, list[NDArray[Any]]] = {name: [_empty(kinds[name])] for name in kinds}
        for start in range(0, len(self.lines), CHUNK):
            rows = [line.split() for line in self.lines[start : start + CHUNK]]
            self._check_widths(rows, start)
            tokens = dict(zip(self.names, zip(*rows, strict=True), strict=True))
            for name, kind in kinds.items():
                parts[name].append(self._convert(tokens[name], name, kind, start))
        return {name: np.concatenate(part) for name, part in parts.items()}

    def positions(
        self, columns: Mapping[str, NDArray[Any]], names: Sequence[str]
    ) -> NDArray[np.float64]:
        """Three columns side by side, shape (n, 3), checked to be finite.

        Raises
        ------
        FileFormatError
            If a coordinate is NaN or infinite; names the line.
        """
        xyz = np.stack([columns[name] for name in names], axis=1)
        bad = np.flatnonzero(~np.isfinite(xyz).all(axis=1))
        if len(bad):
            raise self.error(
                f"the position {xyz[bad[0]].tolist()} is not finite; every coordinate must be "
                "a finite number",
                int(bad[0]),
            )
        return xyz

    def check_distinct(self, ids: NDArray[np.int64]) -> None:
        """Ids must differ.

        Raises
        ------
        FileFormatError
            If one stands twice; names the second line.
        """
        order = np.argsort(ids, kind="stable")
        again = np.flatnonzero(np.diff(ids[order]) == 0)
        if len(again):
            row = int(order[again + 1].min())
            first = int(np.flatnonzero(ids == ids[row])[0])
            raise self.error(
                f"particle id {ids[row]} stands twice, first in line {self.first + first}; "
                "ids must differ",
                row,
            )

    def _check_widths(self, rows: list[list[bytes]], start: int) -> None:
        expected = len(self.names)
        if set(map(len, rows)) != {expected}:
            k = next(k for k, row in enumerate(rows) if len(row) != expected)
            raise self.error(
                f"expected {expected} columns ({' '.join(self.names)}), got {len(rows[k])}: "
                f"{shown(self.lines[start + k])}",
                start + k,
            )

    def _convert(
        self, tokens: tuple[bytes, ...], name: str, kind: type, start: int
    ) -> NDArray[Any]:
        try:
            return _CONVERT[kind](tokens)
        except (ValueError, OverflowError):
            k = next(k for k, token in enumerate(tokens) if not _fits(token, kind))
            raise self.error(
                f"column {name} must hold {_CALLED[kind]}, got {shown(tokens[k])}", start + k
            ) from None


def _floats(tokens: Sequence[bytes]) -> NDArray[np.float64]:
    if b"_" in b"".join(tokens):  # Python reads 1_000 as a thousand, no other program does
        raise ValueError
    return np.fromiter(map(float, tokens), np.float64, len(tokens))


def _integers(tokens: Sequence[bytes]) -> NDArray[np.int64]:
    if b"_" in b"".join(tokens):
        raise ValueError
    return np.fromiter(map(int, tokens), np.int64, len(tokens))


def _words(tokens: Sequence[bytes]) -> NDArray[np.str_]:
    word = {token: token.decode() for token in set(tokens)}
    if any("\0" in w for w in word.values()):  # numpy drops it at the end of a word
        raise ValueError
    return np.array([word[token] for token in tokens], dtype=np.str_)


_CONVERT: dict[type, Callable[[Sequence[bytes]], NDArray[Any]]] = {
    float: _floats,
    int: _integers,
    str: _words,
}
_CALLED = {float: "numbers", int: "integers of at most 64 bits", str: "words of UTF-8 text"}


def _fits(token: bytes, kind: type) -> bool:
    try:
        _CONVERT[kind]([token])
    except (ValueError, OverflowError):
        return False
    return True


def _empty(kind: type) -> NDArray[Any]:
    return np.empty(0, dtype={float: np.float64, int: np.int64, str: "U1"}[kind])


def numbers(tokens: Sequence[bytes]) -> NDArray[np.float64] | None:
    """A few finite numbers; None if one of the tokens is none."""
    if not all(_fits(token, float) for token in tokens):
        return None
    values = _floats(tokens)
    return values if np.isfinite(values).all() else None


def integer(token: bytes) -> int | None:
    """An integer of at most 64 bits; None if the token is none."""
    return int(token) if _fits(token, int) else None


def shown(text: bytes, width: int = 60) -> str:
    """Bytes of a file as they stand in an error, cut to `width`."""
    line = text.decode(errors="replace").strip()
    return repr(line if len(line) <= width else f"{line[:width]}...")


def text_rows(columns: Iterable[NDArray[Any]]) -> bytes:
    """Columns of equal length as lines of text; floats with all their digits.

    Examples
    --------
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
