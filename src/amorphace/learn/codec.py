"""Frozen dataclasses of numbers and arrays as JSON values, and back by their declared types."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from amorphace.core.errors import InputError


def encode(value: Any) -> Any:
    """A JSON value: dataclasses and mappings as objects, arrays as lists, NaN as null.

    Raises
    ------
    InputError
        If a number is infinite, which JSON cannot hold.

    Examples
    --------
    >>> encode((np.array([1.5, np.nan]), "A1"))
    [[1.5, None], 'A1']
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return encode(value.tolist())
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, float):
        if np.isinf(value):
            raise InputError("an infinite number cannot be kept as JSON")
        return None if np.isnan(value) else value
    return value


def decode(kind: Any, value: Any) -> Any:
    """The value of the declared type that `encode` made this JSON value of.

    Parameters
    ----------
    kind : type
        A dataclass, float, int, bool, str, NDArray, tuple[X, ...], Mapping, X | None or Literal.
    value : JSON value

    Raises
    ------
    KeyError, TypeError, ValueError
        If a field is missing or the value is of another kind.

    Examples
    --------
    >>> decode(tuple[float | None, ...], [1, None])
    (1.0, None)
    """
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if hasattr(origin, "__value__"):  # NDArray, where it is an alias of its own kind
        return decode(origin.__value__[get_args(kind)], value)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        return decode(next(option for option in inner if option is not type(None)), value)
    if origin is Literal:
        if value not in inner:
            raise ValueError(f"{value!r} is none of {', '.join(map(repr, inner))}")
        return value
    if origin is tuple:
        return tuple(decode(inner[0], item) for item in _checked(value, list))
    if origin is np.ndarray:
        return _array(value, get_args(inner[1])[0])
    if origin is not None and issubclass(origin, Mapping):
        return dict(_checked(value, dict))
    if is_dataclass(kind):
        return _dataclass(kind, _checked(value, dict))
    if kind is float:
        return np.nan if value is None else float(_checked(value, int | float))
    return _checked(value, kind)


def _dataclass(kind: Any, value: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    missing = [f.name for f in fields(kind) if f.name not in value]
    if missing:
        raise KeyError(f"the field {missing[0]!r} of {kind.__name__} is missing")
    return kind(**{f.name: decode(hints[f.name], value[f.name]) for f in fields(kind)})


def _array(value: Any, dtype: Any) -> Any:
    given = _checked(value, list)
    if dtype is np.float64:  # None becomes NaN
        return np.array(given, dtype=np.float64)
    array = np.array(given, dtype=dtype)
    if not np.array_equal(array, np.array(given)):
        raise ValueError(f"whole numbers are needed, got {given}")
    return array


def _checked(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        name = getattr(kind, "__name__", str(kind))
        raise TypeError(f"{name} is needed, got {value!r}")
    return value
