"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from amorphace.core.errors import FileFormatError, InputError


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
        Where to write; nothing is there yet.

    Raises
    ------
    InputError
        If the folder that `path` lies in does not exist, something of the other kind is at
        `path`, or this process already writes `path`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with written_aside(Path(folder, "a.txt")) as partial:
    ...         _ = partial.write_text("whole")
    ...     [p.name for p in Path(folder).iterdir()]
    ['a.txt']
    """
    target = Path(path).resolve()
    if not target.parent.is_dir():
        raise InputError(f"{path}: the folder {target.parent} does not exist; create it first")
    _remove_abandoned(target)
    if target.exists() and target.is_dir() != folder:
        kind = "folder" if target.is_dir() else "file"
        raise InputError(f"{path} is a {kind}, which is not overwritten; choose another path")
    partial = target.with_name(f"{_prefix(target)}{os.getpid()}")
    if partial.exists():
        raise InputError(f"{path}: this process is already writing it; close that writer first")
    try:
        yield partial
        if folder and target.exists():
            _replace_folder(partial, target)
        else:
            os.replace(partial, target)
    except BaseException:
        _remove(partial)
        raise


@contextmanager
def text_written_aside(path: str | Path) -> Iterator[IO[str]]:
    """A UTF-8 stream whose text becomes the file `path` at the end; see `written_aside`."""
    with written_aside(path) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def read_json(
    path: str | Path, *, what: str, name: str, version: int, again: str
) -> dict[str, Any]:
    """The JSON object of a file of ours, its format checked.

    Parameters
    ----------
    path : str or Path
    what : str
        In words, such as "a model".
    name : str
        What its field "format" says.
    version : int
        What its field "format_version" says.
    again : str
        What to do where the file cannot be used, such as "fit again".

    Raises
    ------
    FileFormatError
        If the file is missing, is not JSON, or has another format.
    """
    try:
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise FileFormatError(path, f"cannot be read ({error.strerror}); check the name") from None
    except json.JSONDecodeError as error:
        raise FileFormatError(path, f"not JSON: {error.msg}; {again}", error.lineno) from None
    except UnicodeDecodeError:
        raise FileFormatError(path, f"not JSON: not UTF-8 text; give {what} file") from None
    if not isinstance(fields, dict) or fields.get("format") != name:
        raise FileFormatError(path, f"JSON, but not {what} with the format {name!r}")
    if fields.get("format_version") != version:
        raise FileFormatError(
            path,
            f"{what} of format version {fields.get('format_version')}; this program reads version "
            f"{version}",
        )
    return fields


def _prefix(target: Path) -> str:
    """What the names of partial writes of `target` on this machine begin with."""
    return f".{target.name}.partial-{socket.gethostname()}-"


def _replace_folder(new: Path, target: Path) -> None:
    """Put `new` in the place of the folder `target`: a folder cannot be replaced in one step."""
    old = new.with_name(f"{new.name}.old")
    os.rename(target, old)
    os.rename(new, target)
    shutil.rmtree(old)


LARGE = 1 << 29
"""Bytes of a folder that a process of its own removes, so that Ctrl-C ends a program at once."""


def _remove(path: Path) -> None:
    if not path.is_dir():
        path.unlink(missing_ok=True)
    elif sum(p.stat().st_size for p in path.rglob("*")) < LARGE:
        shutil.rmtree(path, ignore_errors=True)
    else:
        program = "import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)"
        words = [sys.executable, "-I", "-c", program, str(path)]
        os.posix_spawn(sys.executable, words, os.environ, setpgroup=0)


def _remove_abandoned(target: Path) -> None:
    """Remove partial writes of `target` whose process on this machine lives no more."""
    prefix = _prefix(target)
    for left in sorted(target.parent.iterdir(), reverse=True):  # NAME.old before NAME
        pid = left.name.removeprefix(prefix).removesuffix(".old")
        if not left.name.startswith(prefix) or not pid.isdigit() or alive(int(pid)):
            continue
        if left.name.endswith(".old") and not target.exists():
            os.rename(left, target)  # killed between the two renames of _replace_folder
        else:
            _remove(left)


def alive(pid: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, and belongs to someone else
        return True
    return True
