"""Files of JSON, TOML and records; whatever is wrong is a `FileFormatError` that names the file."""

from __future__ import annotations

import errno
import io
import json
import tomllib
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from amorphace.core.codec import decode, encode
from amorphace.core.errors import FileFormatError
from amorphace.core.files import text_written_aside, written_aside

T = TypeVar("T")

RECORD = "record.json"
"""The JSON of a record in a folder or archive; each array lies beside it, in FIELD.npy."""
DIGITS = 300
"""Of a whole number in JSON, at most: all of them are smaller than the largest float."""
LETTERS = 10_000
"""Of a line of TOML, at most: the time that a key takes grows with the square of its dots."""
LARGEST = 1 << 20
"""Bytes of a file of TOML."""


def read_json(path: str | Path, *, again: str = "") -> Any:
    """The JSON value in a file.

    Parameters
    ----------
    path : str or Path
    again : str
        What to do where the file cannot be used, such as "fit again".

    Raises
    ------
    FileFormatError
        If it cannot be read, is not JSON, or holds a number or a depth beyond reason.
    """
    return _parse(path, _content(path), again)


def write_json(path: str | Path, value: Any) -> None:
    """Write a JSON value to a file, whole or not at all; see `written_aside`."""
    with text_written_aside(path) as stream:
        stream.write(_text(value))


def read_document(
    path: str | Path, *, what: str, name: str, version: int, again: str
) -> dict[str, Any]:
    """The fields of a JSON file of ours, but for its format, which is checked.

    Parameters
    ----------
    path : str or Path
    what : str
        In words, such as "a model".
    name, version : str, int
        What its fields "format" and "format_version" say.
    again : str
        What to do where the file cannot be used, such as "fit again".

    Raises
    ------
    FileFormatError
        If the file is missing, is not JSON, or has another format.
    """
    found = read_json(path, again=again)
    if not isinstance(found, dict) or found.get("format") != name:
        raise FileFormatError(path, f"JSON, but not {what} with the format {name!r}; {again}")
    if found.get("format_version") != version:
        raise FileFormatError(
            path,
            f"{what} of format version {found.get('format_version')}; this program reads version "
            f"{version}; {again}",
        )
    return {k: v for k, v in found.items() if k not in ("format", "format_version")}


def read_toml(path: str | Path, *, what: str) -> dict[str, Any]:
    """The tables of a TOML file, which is to be `what`, such as "an experiment file".

    Raises
    ------
    FileFormatError
        If it cannot be read, is not TOML, or holds a line, a number or a depth beyond reason.
    """
    content = _content(path, most=LARGEST + 1)
    if len(content) > LARGEST:
        raise FileFormatError(path, f"larger than {LARGEST} bytes; give {what}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise FileFormatError(path, f"not UTF-8 text; give {what}") from None
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LETTERS:
            raise FileFormatError(path, f"a line of {len(line)} letters; give {what}", number)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FileFormatError(path, f"not TOML: {error}") from None
    except RecursionError:
        raise FileFormatError(path, f"not usable: nested too deeply; give {what}") from None
    except (ValueError, OverflowError):
        raise FileFormatError(path, f"not usable: a number beyond reason; give {what}") from None


def write_record(folder: Path, value: Any) -> None:
    """Write a dataclass into a folder: record.json, and FIELD.npy for each array in it."""
    arrays: dict[str, NDArray[Any]] = {}
    fields = encode(value, arrays)
    for name, array in arrays.items():
        file = folder / f"{name}.npy"
        try:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        except OSError as error:  # numpy says neither why it came out short, nor where
            raise OSError(error.errno or errno.EIO, str(error), str(file)) from None
    write_json(folder / RECORD, fields)


def read_record(folder: Path, kind: type[T]) -> T:
    """The dataclass of type `kind` that `write_record` wrote into a folder.

    Raises
    ------
    FileFormatError
        If a file is missing or damaged, or holds something else.
    """
    value = read_json(folder / RECORD)
    arrays: dict[str, NDArray[Any]] = {}
    for file in folder.glob("*.npy"):
        try:
            arrays[file.stem] = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError, MemoryError) as error:
            raise FileFormatError(file, f"not a whole array ({error})") from None
    return decode(kind, value, arrays, source=folder / RECORD)


def write_archive(path: Path, value: Any) -> None:
    """Write a dataclass to one file, a zip of what `write_record` writes; whole or not at all."""
    arrays: dict[str, NDArray[Any]] = {}
    text = _text(encode(value, arrays))
    with written_aside(path) as partial, ZipFile(partial, "x") as archive:
        archive.writestr(RECORD, text)
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(
                    stream, np.ascontiguousarray(array), allow_pickle=False  # type: ignore[arg-type]
                )  # fmt: skip


def read_archive(path: Path, kind: type[T]) -> T:
    """The dataclass of type `kind` that `write_archive` wrote to a file.

    Raises
    ------
    FileFormatError
        If the file is missing or damaged, or holds something else.
    """
    try:
        with ZipFile(path) as archive:
            text = archive.read(RECORD)
            arrays = {
                name.removesuffix(".npy"): np.lib.format.read_array(
                    io.BytesIO(archive.read(name)), allow_pickle=False
                )
                for name in archive.namelist()
                if name != RECORD
            }
    except (
        OSError, ValueError, OverflowError, RuntimeError, MemoryError,
        EOFError, KeyError, BadZipFile,
    ) as error:  # fmt: skip
        raise FileFormatError(path, f"not a whole archive ({error})") from None
    return decode(kind, _parse(path, text, ""), arrays, source=path)


def _content(path: str | Path, most: int = -1) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(most)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise FileFormatError(path, f"cannot be read ({reason}); check the name") from None


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _parse(path: str | Path, content: bytes, again: str) -> Any:
    """The JSON value of a text; the one place that knows what a parser may raise."""
    end = f"; {again}" if again else ""
    try:
        return _JSON.decode(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise FileFormatError(path, f"not JSON: not UTF-8 text{end}") from None
    except json.JSONDecodeError as error:
        raise FileFormatError(path, f"not JSON: {error.msg}{end}", error.lineno) from None
    except RecursionError:
        raise FileFormatError(path, f"not usable: JSON nested too deeply{end}") from None
    except (ValueError, OverflowError, MemoryError) as error:
        raise FileFormatError(path, f"not usable: {error}{end}") from None


def _whole(text: str) -> int:
    if len(text) > DIGITS:
        raise ValueError(f"a whole number of {len(text)} digits")
    return int(text)


def _constant(text: str) -> None:
    """NaN, which other writers of JSON use where `encode` writes null."""
    if text != "NaN":
        raise ValueError(f"the number {text} is not finite")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"the number {text[:30]} is not finite")
    return value


_JSON = json.JSONDecoder(parse_int=_whole, parse_float=_finite, parse_constant=_constant)
