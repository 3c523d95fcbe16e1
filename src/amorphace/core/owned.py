"""Files and folders that this program writes among those of its user: it replaces only its own.

A file is the program's own as long as a list in its folder holds its name with its SHA-256 digest.
What is in no list, was changed or moved since, or is an input of the same command is the user's.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from amorphace.core.digest import sha256
from amorphace.core.errors import InputError
from amorphace.core.files import text_written_aside, written_aside

LIST = ".amorphace.json"
"""List of a folder that is filled as a whole: path to the digests that may have been left there."""
FILES = ".amorphace.sha256"
"""List of single files, in the format of sha256sum. Lines are only ever added, so that several
programs may write to one folder."""
SHOWN = 3
"""Files of the user that an error names."""


@contextmanager
def owned_file(
    path: str | Path, *, overwrite: bool, inputs: Iterable[str | Path] = ()
) -> Iterator[None]:
    """A block that writes the file `path`, which then counts as written by this program.

    The block is not entered where `check_file` raises, which has the same parameters.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "scored.xyz")
    ...     for text in ("first", "second"):
    ...         with owned_file(file, overwrite=True):
    ...             _ = file.write_text(text)
    ...     file.read_text()
    'second'
    """
    check_file(path, overwrite=overwrite, inputs=inputs)
    yield
    target = Path(path).resolve()
    with suppress(OSError), open(target.parent / FILES, "ab") as stream:
        stream.write(_line(target))


def check_file(path: str | Path, *, overwrite: bool, inputs: Iterable[str | Path] = ()) -> None:
    """Nothing is at `path`, or a file that may be replaced.

    Parameters
    ----------
    path : str or Path
    overwrite : bool
        Whether a file may be replaced that this program wrote there earlier; no other ever is.
    inputs : iterable of str or Path
        What the file is made from: never replaced.

    Raises
    ------
    InputError
        Otherwise.
    """
    target = Path(path).resolve()
    if target.is_dir():
        raise InputError(f"{path} is a folder, which is not overwritten; choose another name")
    check_free(path, overwrite=overwrite, inputs=inputs)
    if target.exists() and (
        not target.is_file() or _line(target) not in _lines(target.parent / FILES)
    ):
        raise InputError(
            f"{path} is not what amorphace wrote there; it may be yours, and is not "
            "overwritten: choose another name, or remove it yourself"
        )


def check_free(path: str | Path, *, overwrite: bool, inputs: Iterable[str | Path] = ()) -> None:
    """Nothing is at `path`, or what is to be replaced, and is none of the inputs by another name.

    Whether it is the program's own is another question.

    Raises
    ------
    InputError
        Otherwise.
    """
    for given in inputs:
        if Path(path).exists() and Path(given).exists() and Path(path).samefile(given):
            raise InputError(f"{path} is an input of this command; choose another name for -o")
    if Path(path).exists() and not overwrite:
        raise InputError(
            f"{path} is there already; choose another path (-o), or overwrite it (--overwrite)"
        )


def _line(file: Path) -> bytes:
    return f"{sha256(file)}  ".encode() + os.fsencode(file.name).replace(b"\n", rb"\n") + b"\n"


def _lines(listing: Path) -> set[bytes]:
    with suppress(OSError), listing.open("rb") as stream:
        return set(stream)
    return set()


def is_made_from(path: str | Path, made_from: str) -> bool:
    """Whether `owned_folder` filled a folder from this, and every file is as it was left."""
    before, files = _read_list(Path(path) / LIST)
    place = Path(path).resolve()
    same = bool(made_from) and before == made_from
    return same and all(_found(place, name) in digests for name, digests in files.items())


@contextmanager
def owned_folder(path: str | Path, *, made_from: str = "") -> Iterator[Path]:
    """A folder to fill, whose files then take the places of those that were written before.

    Files of the user stay as they are. Files of an earlier call that are not made again are
    removed; files that are the same as before are not touched. An exception in the block leaves
    `path` as it was.

    Parameters
    ----------
    path : str or Path
        The folder to make, or to bring up to date; it may be a link to one.
    made_from : str
        A digest of all that the files follow from, for `is_made_from`.

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
        _take_over(aside, target, str(path), made_from)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _take_over(new: Path, target: Path, shown: str, made_from: str) -> None:
    """Move the files of `new` to their places in `target`."""
    made = {p.relative_to(new).as_posix(): sha256(p) for p in new.rglob("*") if p.is_file()}
    _, ours = _read_list(target / LIST)
    there = {name: _found(target, name) for name in ours.keys() | made}
    theirs = sorted(n for n, d in made.items() if there[n] not in (None, d, *ours.get(n, ())))
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
    _write_list(target, {n: [digest] for n, digest in made.items()}, made_from)


def _found(folder: Path, name: str) -> str | None:
    """Digest of what is at a place of the folder; None: it is free, "": no file of ours."""
    place = folder
    for part in PurePosixPath(name).parts:
        if (place.is_symlink() and place != folder) or (place.exists() and not place.is_dir()):
            return ""
        place /= part
    if place.is_symlink() or (place.exists() and not place.is_file()):
        return ""
    return sha256(place) if place.exists() else None


def _write_list(folder: Path, files: Mapping[str, list[str]], made_from: str = "") -> None:
    text = json.dumps({"made_from": made_from, "files": dict(sorted(files.items()))}, indent=0)
    with suppress(OSError, ValueError):
        if (folder / LIST).read_text(encoding="utf-8") == text:
            return
    with text_written_aside(folder / LIST) as stream:
        stream.write(text)


def _read_list(file: Path) -> tuple[str, dict[str, list[str]]]:
    """What the files were made from, and the list; empty where there is none, or none of ours."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return str(found.get("made_from", "")), {
            name: [str(digest) for digest in digests]
            for name, digests in found["files"].items()
            if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", {}
