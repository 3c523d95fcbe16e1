"""Files of a user that units read: known by their contents, found by where they were given last.

    STORE/sources/SHA256.json    place of a file (from the store's folder), its length and time

The name of a unit holds the digest of what a file contains. Where the file lies is looked up when
the unit is done, so that it may be moved between two runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amorphace.campaign.store import Store
from amorphace.core.errors import InputError
from amorphace.core.files import text_written_aside
from amorphace.dataset.provenance import sha256


def remember_source(store: Store, path: Path) -> str:
    """The digest of a file or folder, whose place units find from now on.

    Raises
    ------
    InputError
        If there is nothing at `path`.
    """
    before = _stamp(path) if path.exists() else []
    digest = sha256(path)
    place = store.path / "sources"
    place.mkdir(exist_ok=True)
    way = os.path.relpath(path.resolve(), store.path.resolve())
    with text_written_aside(place / f"{digest}.json") as stream:
        json.dump({"path": way, "stamp": before}, stream)
    return digest


@contextmanager
def source(store: Store, digest: str) -> Iterator[Path]:
    """Where a file or folder with these contents lies; it must not change meanwhile.

    Raises
    ------
    InputError
        If it is not there any more, or has other contents.
    """
    known = store.path / "sources" / f"{digest}.json"
    try:
        found = json.loads(known.read_text(encoding="utf-8"))
        path = Path(os.path.normpath(store.path.resolve() / found["path"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{known}: the place of an input cannot be read; run the command again"
        ) from None
    if not path.exists():
        raise InputError(
            f"{path} is not there any more; run the command again with its new place: finished "
            "chunks stay"
        )
    begin = _stamp(path)
    if (path.is_dir() or begin != found["stamp"]) and sha256(path) != digest:
        raise _changed(path)
    yield path
    if not path.exists() or _stamp(path) != begin:
        raise _changed(path)


def _changed(path: Path) -> InputError:
    return InputError(
        f"{path} has changed since the command began; run it again: chunks of the new contents "
        "are computed anew"
    )


def _stamp(path: Path) -> list[int]:
    """Length and time of the last change."""
    known = path.stat()
    return [known.st_size, known.st_mtime_ns]
