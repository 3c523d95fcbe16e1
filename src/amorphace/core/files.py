"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO

from amorphace.core.errors import InputError
from amorphace.core.process import left_by_the_dead, this_process


@contextmanager
def written_aside(path: str | Path, *, folder: bool = False) -> Iterator[Path]:
    """A path beside `path` to write a file (or folder) to, renamed to `path` at the end.

    An exception in the block, Ctrl-C included, removes what was written and leaves `path` as it
    was. What a killed process left beside `path` is removed by the next writer on that machine.

    Parameters
    ----------
    path : str or Path
        The file or folder to make. One that is there is replaced.
    folder : bool
        Whether a folder is made; a file never replaces a folder, nor a folder a file.

    Yields
    ------
    Path
        Where to write, under a name that nobody can foresee; nothing is there yet.

    Raises
    ------
    InputError
        If the folder that `path` lies in does not exist, something of the other kind is at
        `path`, or this process already writes `path`.
    OSError
        With the name of `path`, if the disk is full.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with written_aside(Path(folder, "a.txt")) as partial:
    ...         _ = partial.write_text("whole")
    ...     [p.name for p in Path(folder).iterdir()]
    ['a.txt']
    """
    try:
        circle = (target := Path(path).resolve()).is_symlink()
    except (RuntimeError, OSError):  # of Python 3.12 and earlier
        circle = True
    if circle:
        raise InputError(f"{path}: a link that leads in a circle; remove it")
    if not target.parent.is_dir():
        raise InputError(f"{path}: the folder {target.parent} does not exist; create it first")
    own = this_process().stamp
    if _remove_abandoned(target, own):
        raise InputError(f"{path}: this process is already writing it; close that writer first")
    if target.exists() and target.is_dir() != folder:
        kind = "folder" if target.is_dir() else "file"
        raise InputError(f"{path} is a {kind}, which is not overwritten; choose another path")
    partial = target.with_name(f"{_prefix(target)}{own}-{secrets.token_hex(6)}")
    try:
        yield partial
        if folder and target.exists():
            _replace_folder(partial, target)
        else:
            os.replace(partial, target)
    except BaseException as error:
        _remove(partial)
        if isinstance(error, OSError) and error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


@contextmanager
def text_written_aside(path: str | Path) -> Iterator[IO[str]]:
    """A UTF-8 stream whose text becomes the file `path` at the end; see `written_aside`."""
    with written_aside(path) as partial, partial.open("x", encoding="utf-8", newline="") as stream:
        yield stream


LONGEST = 150
"""Bytes of a name that still leave room for the rest of the name of a partial write."""


def _prefix(target: Path) -> str:
    """What the names of partial writes of `target` begin with."""
    name = os.fsencode(target.name)
    if len(name) <= LONGEST:
        return f".{target.name}.partial-"
    return f".{sha256(name).hexdigest()}.partial-"


def _replace_folder(new: Path, target: Path) -> None:
    """Put `new` in the place of the folder `target`: a folder cannot be replaced in one step."""
    old = new.with_name(f"{new.name}.old")
    os.rename(target, old)
    os.rename(new, target)
    shutil.rmtree(old)


LARGE = 1 << 29
"""Bytes of a folder that a process of its own removes, so that Ctrl-C ends a program at once."""


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    elif sum(p.lstat().st_size for p in path.rglob("*")) < LARGE:
        shutil.rmtree(path, ignore_errors=True)
    else:
        program = "import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)"
        words = [sys.executable, "-I", "-c", program, str(path)]
        os.posix_spawn(sys.executable, words, os.environ, setpgroup=0)


def _remove_abandoned(target: Path, own: str) -> bool:
    """Remove what the dead left of `target`; whether the process `own` is writing it."""
    prefix, mine = _prefix(target), False
    lefts = [name for name in os.listdir(target.parent) if name.startswith(prefix)]
    for name in sorted(lefts, reverse=True):  # NAME.old before NAME
        left = target.with_name(name)
        stamp = name.removeprefix(prefix).removesuffix(".old")
        mine |= stamp.startswith(own)
        if not left_by_the_dead(stamp):
            continue
        if name.endswith(".old") and not target.exists():
            with suppress(FileNotFoundError):  # another writer was faster
                os.rename(left, target)  # killed between the two renames of _replace_folder
        else:
            _remove(left)
    return mine
