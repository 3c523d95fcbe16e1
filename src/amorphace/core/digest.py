"""Digests of files, of folders, and of JSON values."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from amorphace.core.errors import InputError

BLOCK = 1 << 20
"""Bytes read at a time."""


def digest_of(value: Any) -> str:
    """SHA-256 digest of a JSON value; the order of its keys does not matter.

    Examples
    --------
    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def sha256(path: str | Path, known: dict[tuple[int, ...], str] | None = None) -> str:
    """SHA-256 digest of a file, or of a folder: the names and digests of all files in it.

    Parameters
    ----------
    path : str or Path
    known : dict, optional
        Digests of files by device, number, length and time: a file that has several names is read
        once. Files that are read are added.

    Raises
    ------
    InputError
        If there is nothing at `path`.
    """
    place = Path(path)
    digest = hashlib.sha256()
    if place.is_dir():
        for file in sorted(p for p in place.rglob("*") if p.is_file()):
            own = sha256(file, known)
            digest.update(f"{file.relative_to(place).as_posix()}\0{own}\n".encode())
    elif place.is_file():
        found = place.stat()
        key = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
        if known is not None and key in known:
            return known[key]
        with place.open("rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
        if known is not None:
            known[key] = digest.hexdigest()
    else:
        raise InputError(f"{path}: no such file or folder; check the name")
    return digest.hexdigest()
