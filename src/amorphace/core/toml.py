"""Files of TOML; whatever is wrong with one is a `FileFormatError` that names it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from amorphace.core.errors import FileFormatError

LONGEST = 10_000
"""Letters of a line: the time that a key takes grows with the square of its dots."""
LARGEST = 1 << 20
"""Bytes of a file."""


def read_toml(path: str | Path, *, what: str) -> dict[str, Any]:
    """The tables of a TOML file.

    Parameters
    ----------
    path : str or Path
    what : str
        In words, such as "an experiment file".

    Raises
    ------
    FileFormatError
        If it cannot be read, is not TOML, or holds a line, a number or a depth beyond reason.
    """
    try:
        if Path(path).stat().st_size > LARGEST:
            raise FileFormatError(path, f"larger than {LARGEST} bytes; give {what}")
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise FileFormatError(path, f"cannot be read ({error.strerror}); check the name") from None
    except UnicodeDecodeError:
        raise FileFormatError(path, f"not UTF-8 text; give {what}") from None
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST:
            raise FileFormatError(path, f"a line of {len(line)} letters; give {what}", number)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FileFormatError(path, f"not TOML: {error}") from None
    except RecursionError:
        raise FileFormatError(path, f"not usable: nested too deeply; give {what}") from None
    except (ValueError, OverflowError):
        raise FileFormatError(path, f"not usable: a number beyond reason; give {what}") from None
