"""Damaged files, seeded, and the children that read them.

A case is one mutant of one file of a sample. It is *read*, *refused* (our error, in a sentence of
bounded length), or a failure: any other exception, other values than the sample's where the
format has checksums, more than `SECONDS`, or more than `MEMORY` bytes. Cases are done by few
long-lived child processes; one that dies or hangs is replaced.

    python tests/fuzzing.py FORMAT NUMBER FOLDER    the mutant of one case, and how it is read
"""

from __future__ import annotations

import json
import os
import queue
import re
import resource
import select
import shutil
import subprocess
import sys
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

SECONDS = 10.0
MEMORY = 2 << 30
MESSAGE = 2000
"""Characters of an error, at most: it is a sentence, not the damaged file."""


class Format(NamedTuple):
    """A kind of file.

    `make(folder)` writes a small sample and says where: a file, or a folder of which one file is
    damaged in each case. `read(path)` reads all of it. What `read` returns must be equal for the
    sample and for every mutant that is read; formats without checksums return None.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], Any]


class Case(NamedTuple):
    """How a case ended: "read", "refused", or what went wrong."""

    format: str
    number: int
    outcome: str
    text: str


NUMBER = re.compile(rb"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
ABSURD = (
    *("0", "-1", "1", "7", "1e400", "-1e400", "1e308", "1e-308", "0.5", "-0.0", "nan", "NaN"),
    *("inf", "-Infinity", "127", "32768", "2147483648", "4294967296", "1000000000000"),
    *("9223372036854775808", "18446744073709551615", "9" * 400, "9" * 5000, "1" + "0" * 400),
    *("0x10", "1_000", "true", "null", '""', '"text"', "[]", "{}", "[1, 2]", "[[1.5]]", "1 2"),
)
WORDS = (
    b"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n999999999999\nITEM: BOX BOUNDS pp pp pp\n0 1\n",
    b'3\nLattice="1 0 0 0 1 0 0 0 1" Properties=species:S:1:pos:R:3\nA 0 0 0\n',
    b'{"format": "amorphace analysis", "format_version": 1}',
    b"[experiment]\nname = 1\n[[model]]\n",
    b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (10**12,), }",
    b"PK\x03\x04\x14\x00\x00\x00\x00\x00",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    b"\x28\xb5\x2f\xfd\xe0\x00\x00\x00\x00\x00\x10\x00\x00\x01\x00\x00",
    b"cos\nsystem\n(S'true'\ntR.",
    b"sample,particle_id\n1,2\n",
    "\ufeff\u202e\N{SNOWMAN}é".encode(),
    b"\x00" * 64,
    b"\xff" * 8,
)


def mutant(rng: np.random.Generator, original: bytes) -> bytes:
    """The bytes of a file with one kind of damage."""
    kind = KINDS[rng.integers(len(KINDS))]
    return kind(rng, original)


def _place(rng: np.random.Generator, data: bytes) -> int:
    return int(rng.integers(len(data) + 1))


def _span(rng: np.random.Generator, data: bytes) -> tuple[int, int]:
    first = _place(rng, data)
    length = int(min(len(data), 2.0 ** rng.uniform(0, 1 + np.log2(1 + len(data)))))
    return first, min(len(data), first + length)


def flipped(rng: np.random.Generator, data: bytes) -> bytes:
    """One bit."""
    return _with_bits(rng, data, 1)


def rotten(rng: np.random.Generator, data: bytes) -> bytes:
    """Several bits."""
    return _with_bits(rng, data, int(rng.integers(2, 30)))


def _with_bits(rng: np.random.Generator, data: bytes, count: int) -> bytes:
    changed = bytearray(data)
    for bit in rng.integers(8 * len(data), size=count if data else 0):
        changed[bit // 8] ^= 1 << int(bit % 8)
    return bytes(changed)


def cut(rng: np.random.Generator, data: bytes) -> bytes:
    """The beginning or the end."""
    place = _place(rng, data)
    return data[:place] if rng.random() < 0.8 else data[place:]


def doubled(rng: np.random.Generator, data: bytes) -> bytes:
    """A slice twice, or very often."""
    first, last = _span(rng, data)
    times = 1 if rng.random() < 0.8 else min(1000, 300_000 // max(1, last - first))
    return data[:last] + data[first:last] * times + data[last:]


def removed(rng: np.random.Generator, data: bytes) -> bytes:
    """A slice is missing."""
    first, last = _span(rng, data)
    return data[:first] + data[last:]


def swapped(rng: np.random.Generator, data: bytes) -> bytes:
    """Two slices have changed places."""
    a, b, c, d = sorted(_place(rng, data) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def counted(rng: np.random.Generator, data: bytes) -> bytes:
    """A number is replaced by an absurd one, or by no number."""
    found = list(NUMBER.finditer(data))
    if not found:
        return overwritten(rng, data)
    place = found[rng.integers(len(found))]
    word = ABSURD[rng.integers(len(ABSURD))].encode()
    return data[: place.start()] + word + data[place.end() :]


def overwritten(rng: np.random.Generator, data: bytes) -> bytes:
    """Four or eight bytes are a large, small or negative binary number."""
    size = int(rng.choice([4, 8]))
    place = max(0, _place(rng, data) - size) // size * size
    number = int(rng.choice([0, 1, 255, 2**31 - 1, 2**24, -1, 10**9]))
    if size == 8 and rng.random() < 0.5:
        number *= 2**31
    word = number.to_bytes(size, "little", signed=number < 2 ** (8 * size - 1))
    return data[:place] + word + data[place + size :]


def inserted(rng: np.random.Generator, data: bytes) -> bytes:
    """Text of another format, somewhere or in place of everything."""
    word = WORDS[rng.integers(len(WORDS))]
    place = _place(rng, data)
    return word if rng.random() < 0.1 else data[:place] + word + data[place:]


def lengthened(rng: np.random.Generator, data: bytes) -> bytes:
    """A token, a line, or blanks without end."""
    letter = [b"a", b" ", b"\n", b".", b"1", b'"', b"=", b"\t", b"\x00", b"1 ", b"a.", b"-"]
    word = letter[rng.integers(len(letter))] * int(rng.choice([300, 10_000, 200_000]))
    place = _place(rng, data)
    return data[:place] + word + data[place:]


def nested(rng: np.random.Generator, data: bytes) -> bytes:
    """Brackets without end, in place of a number or anywhere."""
    opening, closing = [(b"[", b"]"), (b'{"a":', b"}"), (b"(", b")")][rng.integers(3)]
    depth = int(rng.choice([50, 2_000, 100_000]))
    word = opening * depth + b"1" + (closing * depth if rng.random() < 0.7 else b"")
    found = list(NUMBER.finditer(data))
    if found and rng.random() < 0.7:
        place = found[rng.integers(len(found))]
        return data[: place.start()] + word + data[place.end() :]
    place = _place(rng, data)
    return data[:place] + word + data[place:]


def retyped(rng: np.random.Generator, data: bytes) -> bytes:
    """A value anywhere in a JSON text is of another kind, missing, or elsewhere."""
    try:
        tree = json.loads(data)
    except ValueError:
        return counted(rng, data)
    places: list[tuple[Any, Any]] = []

    def visit(node: Any) -> None:
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in items:
            places.append((node, key))
            if isinstance(value, dict | list):
                visit(value)

    if not isinstance(tree, dict | list):
        return counted(rng, data)
    visit(tree)
    if not places:
        return counted(rng, data)
    node, key = places[rng.integers(len(places))]
    choice = rng.random()
    if choice < 0.15:
        del node[key]
    elif choice < 0.3:
        other, place = places[rng.integers(len(places))]
        node[key] = json.loads(json.dumps(other[place]))
    elif choice < 0.4 and isinstance(node[key], dict | list):
        node[key] = type(node[key])()
    else:
        marked = "\N{SNOWMAN} here"
        node[key] = marked
        absurd = ABSURD[rng.integers(len(ABSURD))]
        return json.dumps(tree).replace(json.dumps(marked), absurd).encode()
    return json.dumps(tree).encode()


KINDS = (
    *(flipped, flipped, rotten, cut, doubled, removed, swapped, counted, counted, retyped, retyped),
    *(overwritten, inserted, lengthened, nested),
)


def files_of(sample: Path) -> list[Path]:
    """The files of a sample, in a fixed order."""
    if sample.is_file():
        return [sample]
    return sorted(p for p in sample.rglob("*") if p.is_file())


def damage(name: str, number: int, sample: Path) -> Path:
    """Damage one file of the sample as the case says; the file."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), number])
    files = files_of(sample)
    file = files[rng.integers(len(files))]
    file.write_bytes(mutant(rng, file.read_bytes()))
    return file


def judge(known: Format, value: Any, sample: Path) -> tuple[str, str]:
    """How a damaged sample is read."""
    from amorphace.core.errors import AmorphaceError

    try:
        found = known.read(sample)
    except AmorphaceError as error:
        text = str(error)
        return ("refused" if len(text) <= MESSAGE else "long message"), text[:MESSAGE]
    except BaseException as error:
        steps = traceback.extract_tb(error.__traceback__)[-12:]
        way = " ".join(f"{Path(s.filename).name}:{s.lineno}" for s in steps)
        return type(error).__name__, f"{error!s:.200}\n  by {way}"
    return ("read", "") if found == value else ("other values", f"{found!r:.300}")


def fuzz(formats: Iterable[str], numbers: Iterable[int], *, workers: int = 2) -> list[Case]:
    """Do the cases of these numbers of every format.

    Returns
    -------
    list of Case
        By format and number.
    """
    formats = list(formats)
    todo: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
    for number in numbers:
        for name in formats:
            todo.put((name, number))
    with TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        for name in formats:
            (Path(folder) / name).mkdir()
            _formats()[name].make(Path(folder) / name)
        parts = [pool.submit(_work, folder, todo) for _ in range(workers)]
        return sorted(case for part in parts for case in part.result())


def _work(folder: str, todo: queue.SimpleQueue[tuple[str, int]]) -> list[Case]:
    """Have a child do cases until none is left."""
    cases: list[Case] = []
    child = None
    while not todo.empty():
        with suppress(queue.Empty):
            name, number = todo.get_nowait()
            child = child or _Child(folder)
            outcome, text = child.do(name, number)
            cases.append(Case(name, number, outcome, text))
            if not child.lives:
                child = None
    if child is not None:
        child.stop()
    return cases


class _Child:
    """A process that does one case after the other."""

    def __init__(self, folder: str) -> None:
        alone = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        words = [sys.executable, __file__, folder]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            words, stdin=pipe, stdout=pipe, text=True, env=os.environ | alone
        )
        self.lives = True
        self._line(60)

    def _line(self, seconds: float) -> str | None:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        return self.process.stdout.readline() if ready else None

    def do(self, name: str, number: int) -> tuple[str, str]:
        assert self.process.stdin is not None
        print(json.dumps([name, number]), file=self.process.stdin, flush=True)
        line = self._line(SECONDS)
        if line:
            outcome, text = json.loads(line)
            return outcome, text
        self.stop()
        return ("death", "the process ended") if line == "" else ("hang", f"over {SECONDS:g} s")

    def stop(self) -> None:
        self.lives = False
        self.process.kill()
        self.process.communicate()


def _formats() -> dict[str, Format]:
    from fuzz_formats import FORMATS

    return FORMATS


@dataclass
class _Samples:
    """Own copies of the samples, and what reading them gives."""

    source: Path
    folder: Path

    def __post_init__(self) -> None:
        self.values: dict[str, Any] = {}

    def case(self, name: str, number: int) -> tuple[str, str]:
        known = _formats()[name]
        if name not in self.values:
            self.values[name] = known.read(self._fresh(name))
        sample = self._fresh(name)
        damage(name, number, sample)
        return judge(known, self.values[name], sample)

    def _fresh(self, name: str) -> Path:
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.source / name, place, symlinks=True)
        (sample,) = place.iterdir()
        return sample


def _serve(folder: str) -> None:
    """Be a child: cases come as lines, and so do their ends."""
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a reader prints is not an answer
    _formats()
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY,) * 2)
    print("ready", file=answers, flush=True)
    with TemporaryDirectory() as own:
        samples = _Samples(Path(folder), Path(own))
        for line in sys.stdin:
            print(json.dumps(samples.case(*json.loads(line))), file=answers, flush=True)


def _show(name: str, number: int, folder: Path) -> None:
    """Leave the mutant of one case in a folder, and say how it is read."""
    folder.mkdir()
    known = _formats()[name]
    sample = known.make(folder)
    value = known.read(sample)
    print(damage(name, number, sample))
    print(*judge(known, value, sample))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        _serve(sys.argv[1])
    else:
        _show(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
