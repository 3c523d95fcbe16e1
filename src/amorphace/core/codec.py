"""The one codec: frozen dataclasses as JSON values, with their arrays inside or aside, and back.

A field is a number, text, truth value, enum, Literal, numpy array or dtype, another dataclass,
a tuple, list or mapping of these, or a union such as `float | None`. What is read is checked
against the declared types.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import FileFormatError, InputError


def encode(value: Any, arrays: dict[str, NDArray[Any]] | None = None, *, name: str = "") -> Any:
    """A JSON value: dataclasses and mappings as objects, tuples and arrays as lists, NaN as null.

    Where `arrays` are given, arrays are put aside there by the name of their field, which the JSON
    then holds. The whole has the name "".

    Raises
    ------
    InputError
        If a number is infinite or a value is of a kind that no record holds.

    Examples
    --------
    >>> encode((np.array([1.5, np.nan]), "A1"))
    [[1.5, None], 'A1']
    """
    inner = f"{name}." if name else ""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: encode(getattr(value, f.name), arrays, name=f"{inner}{f.name}")
            for f in fields(value)
            if f.init
        }
    if isinstance(value, Mapping):
        return {str(k): encode(v, arrays, name=f"{inner}{k}") for k, v in value.items()}
    if isinstance(value, np.ndarray):
        if arrays is None:
            return encode(value.tolist(), name=name)
        if "/" in name or "\0" in name or name.startswith("."):
            raise InputError(f"{name!r} is no name for the file of an array")
        arrays[name] = value
        return name
    if isinstance(value, list | tuple):
        return [encode(v, arrays, name=f"{inner}{k}") for k, v in enumerate(value)]
    if isinstance(value, Enum):
        return encode(value.value, name=name)
    if isinstance(value, np.generic):
        return encode(value.item(), name=name)
    if isinstance(value, np.dtype):
        return value.str
    if isinstance(value, float):
        if np.isinf(value):
            raise InputError(f"{name or 'a number'} is infinite, which JSON cannot hold")
        return None if np.isnan(value) else value
    if value is None or isinstance(value, bool | int | str):
        return value
    raise InputError(f"{name or 'the value'}: no record holds a {type(value).__name__}")


def decode(
    kind: Any,
    value: Any,
    arrays: Mapping[str, NDArray[Any]] | None = None,
    *,
    source: str | Path = "record",
    again: str = "",
) -> Any:
    """The value of the declared type that `encode` made this JSON value of.

    A field that is not given has its default.

    Parameters
    ----------
    kind : type
        One of those that a field may have.
    value : JSON value
    arrays : mapping of str to ndarray, optional
        Those that were put aside.
    source, again : str
        For errors: where the value comes from, and what to do, such as "fit again".

    Raises
    ------
    FileFormatError
        If a field is missing or unknown, or a value is of another type; it names the field.

    Examples
    --------
    >>> decode(tuple[float | None, ...], [1, None])
    (1.0, None)
    """
    end = f"; {again}" if again else ""
    try:
        return _Decoder(arrays or {}).decode(kind, value, "")
    except _Wrong as error:
        raise FileFormatError(source, f"{error}{end}") from None
    except RecursionError:
        raise FileFormatError(source, f"nested too deeply for a record{end}") from None


class _Wrong(Exception):
    """What is wrong with a value, and where."""


class _Decoder:
    """Values by their declared types; `where` is the way to a value, such as "samples.3.tau"."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = arrays

    def decode(self, kind: Any, value: Any, where: str) -> Any:
        origin, inner = get_origin(kind), get_args(kind)
        if kind is Any or isinstance(kind, TypeVar):
            return value
        if hasattr(origin, "__value__"):  # NDArray, where it is an alias of its own kind
            return self.decode(origin.__value__[inner], value, where)
        if origin in (Union, types.UnionType):
            return self._first(inner, value, where)
        if origin is Literal:
            if not any(value == option and type(value) is type(option) for option in inner):
                raise _wrong(where, f"one of {', '.join(map(repr, inner))}", value)
            return value
        if origin is tuple:
            return self._tuple(inner, value, where)
        if origin is np.ndarray:
            return self._array(get_args(inner[1])[0], value, where)
        if origin is np.dtype or kind is np.dtype:
            return _made(np.dtype, _is(str, value, where), where)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            entries = _is(dict, value, where)
            return {k: self.decode(inner[1], v, _join(where, k)) for k, v in entries.items()}
        if isinstance(origin, type) and issubclass(origin, Sequence):
            entries = _is(list, value, where)
            return [self.decode(inner[0], v, _join(where, k)) for k, v in enumerate(entries)]
        if is_dataclass(kind):
            return self._dataclass(kind, _is(dict, value, where), where)
        if kind is float:
            return _float(value, where)
        if kind is type(None):
            return _is(type(None), value, where)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return _made(kind, value, where)
        if kind is int and isinstance(value, float) and value.is_integer():
            return int(value)
        return _is(dict if kind is Mapping else kind, value, where)

    def _first(self, options: tuple[Any, ...], value: Any, where: str) -> Any:
        """The value by the first of several types that it is of."""
        if value is None and type(None) in options:
            return None
        wrong = []
        for option in options:
            try:
                return self.decode(option, value, where)
            except _Wrong as error:
                wrong += [] if option is type(None) else [str(error)]
        raise _Wrong("; or ".join(wrong))

    def _tuple(self, inner: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
        n = len(_is(list, value, where))
        kinds = (inner[0],) * n if len(inner) == 2 and inner[1] is Ellipsis else inner
        if len(kinds) != n:
            raise _wrong(where, f"a list of {len(inner)}", value)
        return tuple(self.decode(kinds[k], value[k], _join(where, k)) for k in range(n))

    def _dataclass(self, kind: Any, value: Mapping[str, Any], where: str) -> Any:
        hints = _hints(kind)
        own = {f.name: f for f in fields(kind) if f.init}
        for name in value:
            if name not in own:
                near = get_close_matches(str(name), own, 1)
                raise _Wrong(
                    f"the field {_join(where, name)} is unknown to {kind.__name__}"
                    f"{f'; did you mean {near[0]}?' if near else ''}"
                )
        for name, f in own.items():
            if name not in value and f.default is MISSING and f.default_factory is MISSING:
                raise _Wrong(f"the field {_join(where, name)} of {kind.__name__} is missing")
        given = {n: self.decode(hints[n], v, _join(where, n)) for n, v in value.items()}
        try:
            return kind(**given)
        except (TypeError, ValueError, ArithmeticError) as error:  # of its own checks
            raise _Wrong(f"{where}: {error}" if where else str(error)) from None

    def _array(self, dtype: Any, value: Any, where: str) -> NDArray[Any]:
        """An array, from aside or from a list."""
        if isinstance(value, str):
            found = self._arrays.get(value)
            if found is None:
                raise _Wrong(f"{where}: the array {value!r} is missing")
            if dtype is not Any and not np.issubdtype(found.dtype, dtype):
                raise _wrong(where, f"an array of {dtype.__name__}", found.dtype)
            return found
        given = _is(list, value, where)
        try:
            if dtype is np.float64:  # null becomes NaN
                return np.array(given, dtype=np.float64)
            array = np.array(given, dtype=None if dtype is Any else dtype)
            same = np.array_equal(array, np.array(given))
        except (TypeError, ValueError, OverflowError) as error:
            raise _Wrong(f"{where}: not an array of numbers ({error})") from None
        if not same or array.dtype == object:
            raise _wrong(where, f"an array of {getattr(dtype, '__name__', 'numbers')}", given)
        return array


_hints = cache(get_type_hints)


def _join(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)


def _float(value: Any, where: str) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(where, "a number", value)
    try:
        return float(value)
    except OverflowError:
        raise _wrong(where, "a number below 1e308", "a larger one") from None


def _is(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        names = {int: "a whole number", str: "text", dict: "an object", list: "a list"}
        raise _wrong(where, names.get(kind, getattr(kind, "__name__", str(kind))), value)
    return value


def _made(kind: Any, value: Any, where: str) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise _wrong(where, f"a {kind.__name__}", value) from None


def _wrong(where: str, expected: str, value: Any) -> _Wrong:
    given = repr(value)
    given = given if len(given) <= 60 else f"{given[:57]}..."
    return _Wrong(f"{where}: {expected} is needed, got {given}".removeprefix(": "))
