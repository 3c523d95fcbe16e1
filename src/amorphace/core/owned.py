"""Folders that this program fills beside its user: it replaces what it wrote itself, nothing else.

A folder keeps a list of the files that the program wrote, with their SHA-256 digests. A file that
is not in the list, or that someone changed since, belongs to the user.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from amorphace.core.errors import InputError
from amorphace.core.files import text_written_aside, written_aside

LIST = ".amorphace.json"
"""The list, in the folder: path to the digests that the program may have left there."""
SHOWN = 3
"""Files of the user that an error names."""


@contextmanager
def owned_folder(path: str | Path) -> Iterator[Path]:
    """A folder to fill, whose files then take the places of those that were written before.

    Files of the user stay as they are. Files of an earlier call that are not made again are
    removed; files that are the same as before are not touched. An exception in the block leaves
    `path` as it was.

    Parameters
    ----------
    path : str or Path
        The folder to make, or to bring up to date; it may be a link to one.

    Yields
    ------
    Path
        An empty folder in which to write.

    Raises
    ------
    InputError
        If the folder that `path` lies in does not exist, `path` is no folder, or a file or link of
        the user stands where a new one belongs: then nothing is changed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     for text in ("first", "second"):
    ...         with owned_folder(Path(place, "results")) as new:
    ...             _ = (new / "a.txt").write_text(text)
    ...     _ = Path(place, "results", "notes.txt").write_text("mine")
    ...     with owned_folder(Path(place, "results")) as new:
    ...         pass
    ...     sorted(p.name for p in Path(place, "results").iterdir())
    ['.amorphace.json', 'notes.txt']
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_dir():
        raise InputError(f"{path} is a file, which is not overwritten; choose another folder")
    aside = target.with_name(f".{target.name}.new")
    with written_aside(aside, folder=True) as partial:
        partial.mkdir()
        yield partial
    try:
        _take_over(aside, target, str(path))
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def digest_of(file: Path) -> str:
    """SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _take_over(new: Path, target: Path, shown: str) -> None:
    """Move the files of `new` to their places in `target`."""
    made = {p.relative_to(new).as_posix(): digest_of(p) for p in new.rglob("*") if p.is_file()}
    ours = _read_list(target / LIST)
    there = {name: _found(target, name) for name in ours.keys() | made}
    theirs = sorted(
        name
        for name, digest in made.items()
        if there[name] is not None and there[name] not in (digest, *ours.get(name, ()))
    )
    if theirs:
        more = f" and {len(theirs) - SHOWN} more" if len(theirs) > SHOWN else ""
        raise InputError(
            f"{shown}: {', '.join(theirs[:SHOWN])}{more} would be replaced, but amorphace did not "
            "write what is there now; move it away, or choose another folder"
        )
    target.mkdir(exist_ok=True)
    gone = [n for n in ours if n not in made and there[n] in ours[n]]
    changed = [n for n, digest in made.items() if there[n] != digest]
    if changed or gone:
        # whoever is interrupted from here on finds its own files again
        _write_list(target, {n: [*ours.get(n, ()), *made.get(n, "").split()] for n in there})
    for name in gone:
        (target / name).unlink()
        for folder in list((target / name).parents)[: name.count("/")]:
            with suppress(OSError):  # others' files are in it
                folder.rmdir()
    for name in changed:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(new / name, target / name)
    if changed or ours != {n: [digest] for n, digest in made.items()}:
        _write_list(target, {n: [digest] for n, digest in made.items()})


def _found(folder: Path, name: str) -> str | None:
    """Digest of what is at a place of the folder; None: it is free, "": no file of ours."""
    place = folder
    for part in PurePosixPath(name).parts:
        if (place.is_symlink() and place != folder) or (place.exists() and not place.is_dir()):
            return ""
        place /= part
    if place.is_symlink() or place.is_dir():
        return ""
    return digest_of(place) if place.exists() else None


def _write_list(folder: Path, files: Mapping[str, list[str]]) -> None:
    with text_written_aside(folder / LIST) as stream:
        json.dump({"files": dict(sorted(files.items()))}, stream, indent=0)


def _read_list(file: Path) -> dict[str, list[str]]:
    """The list; empty where there is none, or none of ours."""
    try:
        files = json.loads(file.read_text(encoding="utf-8"))["files"]
        return {
            name: [str(digest) for digest in digests]
            for name, digests in files.items()
            if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
