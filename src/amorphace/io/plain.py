"""Tables of plain numbers and a few words, read at once: the fast path of `Block.columns`.

The tokens are handed, one a line, to scipy's reader of Matrix Market files, which wraps the
fast_float library: a third of the time that Python takes for them. It stops at the first
character of a token that belongs to no number without a word, and knows no lines; so

    inf      stands in front of each line: where it is not in the first column afterwards, and there
             alone, a line has too many tokens or too few
    words    (labels of the species) are replaced by numbers first
    tokens   must be made of digits, signs, points and exponents in the order that numbers have

and whatever does not fit is left to the slow path, which finds out what is wrong and where.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW = 100
"""Lines below which the slow path is as fast."""
MANY_WORDS = 9
"""Different words above which the slow path is as fast."""
EXACT = 2**53
"""Integers up to here are exact as float64."""
LOOKS = 64
"""Lines looked at for words; a word that stands in none of them leads to the slow path."""

NUMBER = re.compile(rb"-?[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?")
DIGITS = b"0123456789"
MARKS = b" .+-eE"
"""What may stand in plain text beside digits, its tokens one space apart."""
PLAIN = DIGITS + MARKS
SPACES = bytes.maketrans(b"\t\r\v\f\n", b"     ")
LINES = bytes.maketrans(b" ", b"\n")


def plain_columns(
    text: bytes, names: tuple[str, ...], kinds: Mapping[str, type]
) -> dict[str, NDArray[Any]] | None:
    """The wanted columns as int64, float64 or str; None where the text is not plain enough.

    Parameters
    ----------
    text : bytes
        Lines with their ends.
    names : tuple of str
        What each token of a line is.
    kinds : mapping of str to int, float or str
        Which columns, and what their tokens are.
    """
    n = text.count(b"\n")
    if n < FEW:
        return None
    words = _words(text, len(names))
    if words is None:
        return None
    spaced = b"\n".join((b"", text)).replace(b"\n", b" inf ").translate(SPACES)
    while b"  " in spaced:
        spaced = spaced.replace(b"  ", b" ")
    counts = []
    for code, word in enumerate(words):
        before = len(spaced)
        for _ in range(2):  # a word beside itself shares the space between
            spaced = spaced.replace(b" %s " % word, b" %.16f " % (code + CODE))
        counts.append((len(spaced) - before) // (CODE_WIDTH - len(word)))
    shape = n, len(names) + 1
    whole = _whole_numbers(spaced, n)
    if whole is None or len(whole) != n * shape[1]:
        return None
    values = _numbers(spaced, len(whole))
    if values is None:
        return None
    table, whole = values.reshape(shape), whole.reshape(shape)
    if np.isinf(table[:, 0]).sum() != n or not np.isfinite(table[:, 1:]).all():
        return None
    if any(count != np.count_nonzero(table == CODE + k) for k, count in enumerate(counts)):
        return None  # a number of the file is the code of a word
    columns: dict[str, NDArray[Any]] = {}
    for name, kind in kinds.items():
        k = 1 + names.index(name)
        column = _column(table[:, k], kind, words)
        if column is None or (kind is int and not whole[:, k].all()):
            return None
        columns[name] = column
    return columns


CODE = 0.7182818284590452
"""Words are numbered from here, with `CODE_WIDTH` letters."""
CODE_WIDTH = 18


def _column(values: NDArray[np.float64], kind: type, words: list[bytes]) -> NDArray[Any] | None:
    if kind is int:
        if not (np.abs(values) < EXACT).all():
            return None
        return values.astype(np.int64)
    code = np.searchsorted(CODE + np.arange(len(words)), values)
    coded = code < len(words)
    coded[coded] = CODE + code[coded] == values[coded]
    if kind is float:
        return None if coded.any() else np.ascontiguousarray(values)
    if not coded.all():
        return None
    used = np.bincount(code, minlength=len(words)) > 0
    return np.array([word.decode() for word, u in zip(words, used, strict=True) if u])[
        (np.cumsum(used) - 1)[code]
    ]


def _words(text: bytes, width: int) -> list[bytes] | None:
    """The words among the tokens of some lines; None if they are many or unusual."""
    found: set[bytes] = set()
    for place in range(0, len(text), max(1, len(text) // LOOKS)):
        begin = text.rfind(b"\n", 0, place) + 1
        found.update(text[begin : text.find(b"\n", begin)].split())
    words = sorted(token for token in found if not NUMBER.fullmatch(token))
    plain = all(re.fullmatch(rb"[!-~]{1,16}", word) for word in words)
    return words if plain and len(words) <= MANY_WORDS and b"inf" not in words else None


def _numbers(spaced: bytes, count: int) -> NDArray[np.float64] | None:
    """The first numbers of tokens between spaces, shape (count,); None if one is none."""
    from scipy.io import mmread

    head = b"%%%%MatrixMarket matrix array real general\n%d 1\n" % (count + 1)
    try:
        return np.asarray(mmread(io.BytesIO(head + spaced.translate(LINES))))[:-1, 0]
    except (ValueError, OverflowError):
        return None


def _whole_numbers(spaced: bytes, n: int) -> NDArray[np.bool_] | None:
    """Which tokens have neither point nor exponent, but for the "inf" at the end.

    None if a token is not in the form of a number, or "inf" stands for more than lines.
    """
    bare = spaced.translate(None, DIGITS)
    if bare.translate(None, MARKS) != b"inf" * (n + 1):
        return None
    if not (_signs_lead(spaced, bare) and _exponents_fit(spaced, bare)):
        return None
    letters = np.frombuffer(bare, dtype=np.uint8)
    token = np.flatnonzero(letters == ord(" "))[:-1]
    marks = [
        np.diff(np.cumsum(m, dtype=np.int32)[token])
        for m in (_of(letters, b"."), _of(letters, b"eE"))
    ]
    return None if any((m > 1).any() for m in marks) else marks[0] + marks[1] == 0


def _of(letters: NDArray[np.uint8], some: bytes) -> NDArray[np.bool_]:
    """Where one of some letters stands."""
    found = letters == some[0]
    for letter in some[1:]:
        found |= letters == letter
    return found


def _signs_lead(spaced: bytes, bare: bytes) -> bool:
    """Whether every sign begins a token or an exponent."""
    if not (b"-" in bare or b"+" in bare):
        return True
    letters = np.frombuffer(spaced, dtype=np.uint8)
    return bool(_of(letters[np.flatnonzero(_of(letters, b"+-")) - 1], b" eE").all())


def _exponents_fit(spaced: bytes, bare: bytes) -> bool:
    """Whether digits follow every exponent, and no point does."""
    if not (b"e" in bare or b"E" in bare):
        return True
    for text, following in ((spaced, DIGITS), (bare, b" ")):
        letters = np.frombuffer(text, dtype=np.uint8)
        e = np.flatnonzero(_of(letters, b"eE"))
        if not _of(letters[e + 1 + _of(letters[e + 1], b"+-")], following).all():
            return False
    return True
