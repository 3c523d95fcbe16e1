"""Digests of files, of folders, of JSON values; which program this is."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from amorphace.core.errors import InputError


def digest_of(value: Any) -> str:
    """SHA-256 digest of a JSON value; the order of its keys does not matter.

    Examples
    --------
    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def sha256(path: str | Path) -> str:
    """SHA-256 digest of a file, or of a folder: the names and digests of all files in it.

    Raises
    ------
    InputError
        If there is nothing at `path`.
    """
    place = Path(path)
    if place.is_dir():
        digest = hashlib.sha256()
        for file in sorted(p for p in place.rglob("*") if p.is_file()):
            digest.update(f"{file.relative_to(place).as_posix()}\0{sha256(file)}\n".encode())
        return digest.hexdigest()
    if not place.is_file():
        raise InputError(f"{path}: no such file or folder; check the name")
    with place.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def program_digest() -> str:
    """SHA-256 digest of the files that this program consists of; equal for equal programs."""
    place = Path(__file__).parents[1]
    files = sorted(p for p in place.rglob("*") if p.is_file() and p.parent.name != "__pycache__")
    return digest_of({p.relative_to(place).as_posix(): sha256(p) for p in files})


@cache
def package_version(package: str = "amorphace") -> str:
    """Version of a package; "not installed" where it is none, or runs from a folder."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
