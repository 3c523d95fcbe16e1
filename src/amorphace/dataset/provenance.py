"""Where a table comes from: version, command, parameters and the digests of the input files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from amorphace.core.errors import InputError
from amorphace.dataset.table import json_value

BLOCK = 1 << 20
"""Bytes read at a time."""


def provenance(
    command: str, parameters: Mapping[str, Any], inputs: Iterable[str | Path] = ()
) -> dict[str, Any]:
    """What a table was made with, and from which files.

    It holds no date, no folder and no host name: equal inputs give equal bytes wherever and
    whenever they are used.

    Parameters
    ----------
    command : str
        What made the table, for example "label".
    parameters : mapping of str to JSON value
    inputs : iterable of str or Path
        Files, or folders such as a Zarr group.

    Returns
    -------
    dict
        "amorphace" (version), "command", "parameters", "inputs" (a list of "name", "sha256").

    Raises
    ------
    InputError
        If an input does not exist or a parameter is not a JSON value.

    Examples
    --------
    >>> provenance("label", {"fraction": 0.05})["parameters"]
    {'fraction': 0.05}
    """
    return {
        "amorphace": package_version(),
        "command": command,
        "parameters": json_value(dict(parameters), "parameters"),
        "inputs": [{"name": Path(path).name, "sha256": sha256(path)} for path in inputs],
    }


def package_version() -> str:
    """Version of amorphace; "unknown" where it runs from a folder and is not installed."""
    try:
        return version("amorphace")
    except PackageNotFoundError:
        return "unknown"


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
