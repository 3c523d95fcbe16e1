"""Single files that this program writes among those of its user, and which of them it may replace.

The folder of such a file keeps a list of digests, in the format of sha256sum. A file is the
program's own as long as its digest stands there beside its name. One that is not in the list, that
someone changed or moved since, or that is an input of the same command, is the user's and stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from amorphace.core.errors import InputError
from amorphace.core.owned import digest_of

LIST = ".amorphace.sha256"
"""The list: a line for each file at the time it was written. Lines are only ever added, so that
several programs may write to one folder."""


@contextmanager
def owned_file(
    path: str | Path, *, overwrite: bool, inputs: Iterable[str | Path] = ()
) -> Iterator[None]:
    """A block that writes the file `path`, which then counts as written by this program.

    The block is not entered where `check_file` raises.

    Parameters
    ----------
    path, overwrite, inputs
        As for `check_file`.

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
    with suppress(OSError), open(target.parent / LIST, "ab") as stream:
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
    refuse_inputs(path, inputs)
    if target.is_dir():
        raise InputError(f"{path} is a folder, which is not overwritten; choose another name")
    if target.exists():
        if not overwrite:
            raise InputError(f"{path} is there already; choose another -o or give --overwrite")
        if not target.is_file() or _line(target) not in _lines(target.parent / LIST):
            raise InputError(
                f"{path} is not what amorphace wrote there; it may be yours, and is not "
                "overwritten: choose another name, or remove it yourself"
            )


def refuse_inputs(path: str | Path, inputs: Iterable[str | Path]) -> None:
    """An output is none of the files and folders that it is made from, under whatever name.

    Raises
    ------
    InputError
        Otherwise.
    """
    place = Path(path)
    for given in inputs:
        if place.exists() and Path(given).exists() and place.samefile(given):
            raise InputError(f"{path} is an input of this command; choose another name for -o")


def _line(file: Path) -> bytes:
    name = os.fsencode(file.name).replace(b"\n", rb"\n")
    return digest_of(file).encode() + b"  " + name + b"\n"


def _lines(listing: Path) -> set[bytes]:
    with suppress(OSError), listing.open("rb") as stream:
        return set(stream)
    return set()
