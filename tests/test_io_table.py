"""Columns of numbers and words: the fast path says what the slow one says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amorphace.core.errors import FileFormatError
from amorphace.io.table import Block

NAMES = ("id", "name", "x", "rest")
KINDS = {"id": int, "name": str, "x": float}
SOUND = ["1", "-2", "3.5", "1e5", "-1.5e-3", "0.25", "12", "1E+2", "5.", "-0.0", "007", "1.e5"]
ODD = [
    *("1-2", "1.2.3", "1e", "1e-", "e5", "-", "+", "+5", "--1", "1e5.2", "1e5e3", ".5", "-.5", "."),
    *(
        "nan",
        "inf",
        "-nan",
        "1_0",
        "é",
        "0x1",
        "1e400",
        "1e-400",
        "9" * 20,
        "9" * 400,
        "1,",
        "1e5-3",
    ),
    *("\t", "  ", "\r", "\n", "", "1\x002", "C", "1.5e3.", "1 2", "A", "\x1c", "9007199254740993"),
]


def block_of(text: bytes) -> Block:
    return Block(Path("a"), 1, [text], text.count(b"\n"), NAMES)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """120 lines; a few tokens are odd."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rest = SOUND + ["w", "q"][: rng.integers(3)]
    rows = [
        [str(rng.integers(10**6)), rng.choice(["A", "B"]), rng.choice(SOUND), rng.choice(rest)]
        for _ in range(120)
    ]
    for _ in range(rng.integers(3)):
        rows[rng.integers(120)][rng.integers(4)] = rng.choice(ODD + SOUND)
    return ("\n".join(map(" ".join, rows)) + "\n").encode()


@given(text=tables())
@settings(max_examples=300, deadline=None)
def test_the_fast_path_gives_what_the_slow_one_gives_or_nothing(text: bytes) -> None:
    block = block_of(text)
    fast = block._plain(text, KINDS)
    if fast is None:
        return
    slow = block._columns(text, KINDS, 0)
    for name in KINDS:
        assert fast[name].dtype == slow[name].dtype
        assert fast[name].tobytes() == slow[name].tobytes()


@pytest.mark.parametrize("separator", [b" ", b"\t", b"   "])
@pytest.mark.parametrize("end", [b"\n", b" \n", b"\r\n"])
def test_plain_tables_take_the_fast_path(separator: bytes, end: bytes) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 10.0 ** rng.integers(-300, 300, 1000))
    words = rng.choice(["A", "e", "nan", "Zr", "water_1"], 1000)
    rows = [
        (str(k), w, repr(v), "nan") for k, (w, v) in enumerate(zip(words, x.tolist(), strict=True))
    ]
    text = b"".join(separator.join(t.encode() for t in row) + end for row in rows)
    columns = block_of(text)._plain(text, KINDS)
    assert columns is not None
    assert np.array_equal(columns["id"], np.arange(1000))
    assert np.array_equal(columns["x"], x)  # to the last bit
    assert np.array_equal(columns["name"], words)


DIGITS = st.text("0123456789", min_size=1, max_size=400)
NUMBERS = st.one_of(
    st.builds(repr, st.floats()),
    st.builds("{}{}".format, st.sampled_from(["", "-", "+", "0", "00"]), DIGITS),
    st.builds("{}{}.{}".format, st.sampled_from(["", "-"]), DIGITS | st.just(""), DIGITS),
    st.builds("{}.{}e{}".format, DIGITS, DIGITS | st.just(""), st.integers(-400, 400)),
    st.builds("{}{}".format, DIGITS, st.text("0123456789.eE+-_xnaif()", max_size=5)),
    st.builds(str, st.integers(-(2**65), 2**65)),
)


@given(number=NUMBERS)
@settings(max_examples=400, deadline=None)
def test_a_number_is_the_one_that_python_reads_to_the_last_bit(number: str) -> None:
    for kind in (float, int):
        found = Block(Path("a"), 1, [b"x"], 1, ("x",))._plain(f"{number}\n".encode(), {"x": kind})
        if found is not None:
            assert found["x"].tobytes() == np.array([kind(number)]).tobytes()


def test_a_number_is_never_taken_for_a_word_nor_a_word_for_a_number() -> None:
    row = "{k} A 1.5 2\n"
    for odd in ("1 7 1.5 2\n", "1 0.7182818284590452 1.5 2\n", "1 A A 2\n", "A A 1.5 2\n"):
        rows = [row.format(k=k) for k in range(200)]
        rows[77] = odd
        text = "".join(rows).encode()
        columns = block_of(text)._plain(text, KINDS)
        assert (columns is None) == odd.startswith(("A", "1 A"))
        assert columns is None or columns["name"][77] == odd.split()[1]


@pytest.mark.parametrize(
    ("odd", "message"), [("1 A 1.5", "expected 4 columns"), ("1 A b 2", "x must")]
)
def test_an_error_names_its_line_among_many(odd: str, message: str) -> None:
    lines = ["1 A 1.5 2"] * 200_000
    lines[150_000] = odd
    text = ("\n".join(lines) + "\n").encode()
    cut = text.index(b"\n", 10 * 65536) + 1
    block = Block(Path("a"), 10, [text[:cut], text[cut:]], 200_000, NAMES)
    with pytest.raises(FileFormatError, match=rf"a:150010: .*{message}"):
        block.columns(KINDS)
