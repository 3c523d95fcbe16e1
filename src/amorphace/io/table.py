"""Columns of a text table as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import all_differ
from amorphace.core.errors import FileFormatError
from amorphace.io import _table
from amorphace.io.text import Lines, shown


@dataclass(frozen=True)
class Block:
    """One line for each particle of a frame.

    Attributes
    ----------
    path : Path
    first : int
        Number of the first line in the file.
    pieces : list of bytes
        The lines, some at a time.
    n : int
        How many lines there are.
    names : tuple of str
        What each token of a line is.
    """

    path: Path
    first: int
    pieces: list[bytes]
    n: int
    names: tuple[str, ...]

    @classmethod
    def take(cls, lines: Lines, n: int, names: tuple[str, ...]) -> Block:
        """The next `n` lines of a file, or as many as it still holds.

        Raises
        ------
        FileFormatError
            If the last one has no line end.
        """
        first = lines.number + 1
        pieces, taken = lines.take_text(n)
        if 0 < taken == n and not pieces[-1].endswith(b"\n"):
            raise lines.error(
                "the last line has no line end: the file is cut within its last number, or was "
                "written so; if it is whole, add a line end"
            )
        return cls(lines.path, first, pieces, taken, names)

    def error(self, message: str, row: int | None = None) -> FileFormatError:
        """An error at the line of particle `row`, or, without one, at the line before all."""
        line = self.first - 1 if row is None else self.first + row
        return FileFormatError(self.path, message, line)

    def find(self, word: bytes) -> int:
        """The first line that begins with a word; the number of lines where none does."""
        before = 0
        for piece in self.pieces:
            if word[-1:] not in piece:  # one letter is found much faster than several
                before += piece.count(b"\n")
                continue
            place = 0 if piece.startswith(word) else piece.find(b"\n" + word) + 1
            if place or piece.startswith(word):
                return before + piece.count(b"\n", 0, place)
            before += piece.count(b"\n")
        return self.n

    def token(self, name: str) -> bytes:
        """What the first line has in a column; nothing if it is too short."""
        tokens = self.pieces[0][: self.pieces[0].find(b"\n")].split()
        k = self.names.index(name)
        return tokens[k] if k < len(tokens) else b""

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
        start = 0
        for piece in self.pieces:
            columns = self._plain(piece, kinds) or self._columns(piece, kinds, start)
            for name in kinds:
                parts[name].append(columns[name])
            start += piece.count(b"\n")
        return {name: np.concatenate(part) for name, part in parts.items()}

    def _plain(self, piece: bytes, kinds: Mapping[str, type]) -> dict[str, NDArray[Any]] | None:
        """The wanted columns of a piece; None where a token is not plainly what it should be."""
        letters = "".join(_LETTER[kinds[name]] if name in kinds else "-" for name in self.names)
        found = _table.columns(piece, letters)
        if found is None:
            return None
        arrays = [np.array(c[1], dtype=np.str_)[c[0]] if isinstance(c, tuple) else c for c in found]
        return dict(zip((name for name in self.names if name in kinds), arrays, strict=True))

    def _columns(
        self, piece: bytes, kinds: Mapping[str, type], start: int
    ) -> dict[str, NDArray[Any]]:
        """The wanted columns of one piece, token by token."""
        lines = piece.split(b"\n")[:-1]
        rows = [line.split() for line in lines]
        expected = len(self.names)
        for k, row in enumerate(rows):
            if len(row) != expected:
                raise self.error(
                    f"expected {expected} columns ({' '.join(self.names)}), got {len(row)}: "
                    f"{shown(lines[k])}",
                    start + k,
                )
        tokens = dict(zip(self.names, zip(*rows, strict=True), strict=False))
        return {
            name: self._convert(tokens.get(name, ()), name, kind, start)
            for name, kind in kinds.items()
        }

    def numbers(self, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns of numbers: int64 where all tokens are integers, float64 otherwise.

        Raises
        ------
        FileFormatError
            If a token is no number; names the line.
        """
        found: dict[str, NDArray[Any]] = {}
        for name in names:
            try:
                found |= self.columns({name: int})
            except FileFormatError:
                found |= self.columns({name: float})
        return found

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
        finite = np.isfinite(xyz)
        if not finite.all():
            bad = int(np.flatnonzero(~finite.all(axis=1))[0])
            raise self.error(
                f"the position {xyz[bad].tolist()} is not finite; every coordinate must be "
                "a finite number",
                bad,
            )
        return xyz

    def check_distinct(self, ids: NDArray[np.int64]) -> None:
        """Ids must differ.

        Raises
        ------
        FileFormatError
            If one stands twice; names the second line.
        """
        if not all_differ(ids):
            order = np.argsort(ids, kind="stable")
            again = np.flatnonzero(np.diff(ids[order]) == 0)
            row = int(order[again + 1].min())
            first = int(np.flatnonzero(ids == ids[row])[0])
            raise self.error(
                f"particle id {ids[row]} stands twice, first in line {self.first + first}; "
                "ids must differ",
                row,
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
    if max(map(len, tokens), default=0) > 30:  # Python takes long over them, and not the longest
        raise ValueError
    return np.fromiter(map(int, tokens), np.int64, len(tokens))


def _words(tokens: Sequence[bytes]) -> NDArray[np.str_]:
    word = {token: token.decode() for token in set(tokens)}
    if any("\0" in w for w in word.values()):  # numpy drops it at the end of a word
        raise ValueError
    if any(len(w) > LONGEST_WORD for w in word.values()):
        raise ValueError
    return np.array([word[token] for token in tokens], dtype=np.str_)


LONGEST_WORD = 100
"""Letters of a label."""
_CONVERT: dict[type, Callable[[Sequence[bytes]], NDArray[Any]]] = {
    float: _floats,
    int: _integers,
    str: _words,
}
_LETTER = {float: "f", int: "i", str: "s"}
_CALLED = {
    float: "numbers",
    int: "integers of at most 64 bits",
    str: f"words of UTF-8 text, of at most {LONGEST_WORD} letters",
}


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
    return int(_integers([token])[0]) if _fits(token, int) else None
