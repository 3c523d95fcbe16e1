"""Files that are cut, claim what they do not hold, or unpack to more than memory holds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter

import gsd.hoomd
import numpy as np
import pytest

import amorphace as am
from amorphace.core.errors import FileFormatError
from test_io_files import a_glass, same_particles

PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress
}  # fmt: skip


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("suffix", [".dump", ".xyz"])
def test_a_file_cut_within_its_last_number_is_refused(
    suffix: str, packing: str, tmp_path: Path
) -> None:
    am.write(tmp_path / f"whole{suffix}", a_glass())
    text = (tmp_path / f"whole{suffix}").read_bytes()
    for left in range(1, 3 if suffix == ".xyz" else 15):
        path = tmp_path / f"a{suffix}{packing}"
        path.write_bytes(PACK[packing](text[:-left]))
        with pytest.raises(
            FileFormatError, match=r":\d+: (the last line has no line end|expected)"
        ):
            am.read(path)


@pytest.mark.parametrize("packing", [".gz", ".bz2", ".xz"])
def test_a_packed_file_is_read_written_and_named_where_it_is_cut(
    packing: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a.dump{packing}"
    am.write(path, a_glass(n=200))
    first = path.read_bytes()
    assert same_particles(am.read(path), a_glass(n=200))
    am.write(path, a_glass(n=200))
    assert path.read_bytes() == first
    path.write_bytes(first[:-30])
    with pytest.raises(FileFormatError, match=r"the \w+ file is cut or damaged .* -dc a\.dump"):
        am.read(path)
    path.write_bytes(first[:20] + b"\xff\x00" + first[22:])
    with pytest.raises(FileFormatError, match=r"the \w+ file is cut or damaged"):
        am.read(path)


HEAD = b"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n%d\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\n"
EMPTY = HEAD % 0 + b"ITEM: ATOMS id x y z\n"
XYZ = b'%d\nLattice="9 0 0 0 9 0 0 0 9"\n'
BOMBS = {  # what comes first, what then comes for gigabytes, and the text
    "one line.dump": (b"ITEM: TIMESTEP\n", b"0" * 2**16, r":2: the line is longer than 1 MiB"),
    "first line.xyz": (b"", b"1" * 2**16, r":1: the line is longer than 1 MiB"),
    "comment.xyz": (b"1\n", b"a" * 2**16, r":2: the line is longer than 1 MiB"),
    "an atom.dump": (HEAD % 1 + b"ITEM: ATOMS id x y z\n", b"1 " * 2**15, "100 times its size"),
    "atoms.dump": (HEAD % 10**9 + b"ITEM: ATOMS x y z\n", b"1 2 3\n" * 2**13, "100 times its size"),
    "atoms.xyz": (XYZ % 10**9, b"A 2 3 1\n" * 2**13, "unpacks to more than 100 times its size"),
    "blanks.dump": (EMPTY, b"\n" * 2**16, r":1009: 1000 blank lines stand where a frame should"),
    "blanks.xyz": (b"", b"\n" * 2**16, r":1000: 1000 blank lines"),
    "frames.dump": (b"", EMPTY * 2**10, "unpacks to more than 100 times its size"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_unpacks_to_gigabytes_is_refused_at_once(name: str, tmp_path: Path) -> None:
    first, then, text = BOMBS[name]
    path = tmp_path / f"{name}.gz"
    squeezed = gzip.compress(then * (2**24 // len(then)))  # 16 MB
    path.write_bytes(gzip.compress(first) + squeezed * 200)
    begin, before = perf_counter(), getrusage(RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileFormatError, match=text):
        am.read(path)
    assert perf_counter() - begin < 10
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 500_000  # kB


def test_a_long_word_in_a_comment_takes_no_time(tmp_path: Path) -> None:
    for word in ("a" * 100_000, "a:" * 50_000, "pos:R:3:" * 12_500, "a:R:999:" * 12_500):
        (tmp_path / "a.xyz").write_text(
            f'1\nLattice="9 0 0 0 9 0 0 0 9" Properties={word}\nA 1 2 3\n'
        )
        begin = perf_counter()
        with pytest.raises(FileFormatError, match=r"a\.xyz:2: Properties must be NAME") as error:
            am.read(tmp_path / "a.xyz")
        assert perf_counter() - begin < 2
        assert len(str(error.value)) < 300


@pytest.mark.parametrize("n", [10**6, 10**12, 2**63 - 1, 10**30])
def test_a_number_of_atoms_is_not_believed(n: int, tmp_path: Path) -> None:
    (tmp_path / "a.dump").write_bytes(HEAD % n + b"ITEM: ATOMS id x y z\n1 2 3 4\n")
    (tmp_path / "a.xyz").write_bytes(XYZ % n + b"A 1 2 3\n")
    for name in ("a.dump", "a.xyz"):
        with pytest.raises(
            FileFormatError, match=r"ends after 1; it is cut|must be an integer|expec"
        ):
            am.read(tmp_path / name)


@pytest.mark.parametrize("id", ["1.2", "18446744073709551615", "9223372036854775808", "1e3", "x"])
def test_an_id_that_is_no_integer_is_refused(id: str, tmp_path: Path) -> None:
    (tmp_path / "a.dump").write_bytes(HEAD % 1 + b"ITEM: ATOMS id x y z\n%s 1 2 3\n" % id.encode())
    (tmp_path / "a.xyz").write_text(
        f'1\nLattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3:id:I:1\nA 1 2 3 {id}\n'
    )
    for name in ("a.dump", "a.xyz"):
        with pytest.raises(FileFormatError, match=r"column id must hold integers of at most 64 b"):
            am.read(tmp_path / name)


def test_ids_of_more_than_64_bits_are_refused_in_binary_files(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz",
        positions=np.eye(2, 3),
        cell=9.0,
        ids=np.array([1, 2**64 - 1], dtype=np.uint64),
    )
    frame = gsd.hoomd.Frame()
    frame.configuration.box = [9, 9, 9, 0, 0, 0]
    frame.particles.N = 2
    frame.particles.position = np.eye(2, 3)
    frame.log = {"particles/id": np.array([1, 2**64 - 1], dtype=np.uint64)}
    with gsd.hoomd.open(str(tmp_path / "a.gsd"), "w") as file:
        file.append(frame)
    for name in ("a.npz", "a.gsd"):
        with pytest.raises(
            FileFormatError, match=r"ids must be whole numbers below 2\^63, got 1844"
        ):
            am.read(tmp_path / name)


def npy(shape: str, descr: str = "<f8", body: bytes = b"") -> bytes:
    """An array whose header claims a shape."""
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + body


CELL = npy("(3, 3)", body=np.eye(3).tobytes())
CLAIMS = {
    "no array": (b"positions", r"positions is no plain array, or is damaged \(.*magic string"),
    "nothing": (b"", r"positions is no plain array, or is damaged"),
    "terabytes": (npy("(1000000000000, 3)"), r"positions claims 2\.4e\+13 bytes, more than 100 "),
    "more than numbers hold": (npy("(10**40, 3)"), r"positions is no plain array"),
    "negative": (npy("(-1, 3)"), r"positions is no plain array"),
    "too short": (npy("(5, 3)", body=bytes(24)), r"positions is no plain array, or is damaged"),
    "objects": (npy("(5, 3)", "|O"), r"positions must hold numbers, got dtype object"),
    "long words": (npy("(5, 3)", "<U100000000"), r"positions must hold numbers, got dtype <U1"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_member_of_an_archive_that_is_no_array_is_named(name: str, tmp_path: Path) -> None:
    content, text = CLAIMS[name]
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("positions.npy", content)
        archive.writestr("cell.npy", CELL)
    with pytest.raises(FileFormatError, match=rf"a\.npz: {text}") as error:
        am.read(tmp_path / "a.npz")
    assert "allow_pickle" not in str(error.value)


def test_an_archive_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    zeros = io.BytesIO()
    with zipfile.ZipFile(zeros, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("positions.npy", npy("(10000000, 3)") + bytes(240_000_000))
        archive.writestr("cell.npy", CELL)
    (tmp_path / "a.npz").write_bytes(zeros.getvalue())
    with pytest.raises(
        FileFormatError, match=r"positions claims 2\.4e\+08 bytes, more than 100 ti"
    ):
        am.read(tmp_path / "a.npz")


def test_an_object_of_python_is_refused_without_advice_to_load_it(tmp_path: Path) -> None:
    for content in (b"cos\nsystem\n(S'true'\ntR.", b"\x80\x04N."):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(FileFormatError, match=r"a\.npz: is no npz archive") as error:
            am.read(tmp_path / "a.npz")
        assert "pickle" not in str(error.value)
