"""Packed files: gzip, bzip2, xz, and zstd where Python has it (3.14 and later)."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from amorphace.core.errors import InputError


def _zstd(file: BinaryIO, mode: str) -> Any:
    try:
        from compression.zstd import ZstdFile  # type: ignore[import-not-found]
    except ImportError:
        raise InputError(
            "zstd needs Python 3.14 or later; unpack the file with: zstd -d NAME"
        ) from None
    return ZstdFile(file, mode)


@dataclass(frozen=True)
class Packing:
    """A way to pack a file.

    Attributes
    ----------
    name : str
        The program that unpacks it.
    suffix : str
    magic : bytes
        What a packed file begins with.
    around : callable
        around(file, mode) is a file that packs or unpacks on the way to `file`.
    """

    name: str
    suffix: str
    magic: bytes
    around: Callable[[Any, Any], Any]


PACKINGS = (
    # no name and no time in the header: the same text gives the same bytes
    Packing("gzip", ".gz", b"\x1f\x8b", lambda f, mode: gzip.GzipFile("", mode, 9, f, 0)),
    Packing("bzip2", ".bz2", b"BZh", lambda f, m: bz2.BZ2File(f, m)),
    Packing("xz", ".xz", b"\xfd7zXZ\x00", lzma.LZMAFile),
    Packing("zstd", ".zst", b"\x28\xb5\x2f\xfd", _zstd),
)


def packing_of_name(path: Path) -> Packing | None:
    """How a file of this name is packed; None if it is not."""
    return next((p for p in PACKINGS if path.suffix.lower() == p.suffix), None)


def unpacked(file: io.BufferedReader) -> tuple[io.BufferedReader, Packing | None]:
    """A stream of what is in the file, and how it is packed, told by its first bytes."""
    begin = file.peek(8)
    for packing in PACKINGS:
        if begin.startswith(packing.magic):
            # by few bytes: what is whole before a damage can be read
            return io.BufferedReader(packing.around(_Sips(file), "rb")), packing
    return file, None


SIP = 4096
"""Bytes: a hundred times as much, unpacked, is less than the longest line."""


class _Sips(io.RawIOBase):
    """A file that is read little by little, however much a decompressor asks for: how far it has
    been read then tells what was unpacked (Python 3.12 and later ask gzip files for 128 KiB).
    """

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(memoryview(buffer)[:SIP])


@contextmanager
def open_output(path: Path, packing: Packing | None) -> Iterator[BinaryIO]:
    """A file to write bytes to; the same text gives the same bytes, packed or not."""
    with path.open("wb") as file:
        if packing is None:
            yield file
        else:
            with packing.around(file, "wb") as squeezed:
                yield squeezed
