"""Models of glass in experiment files: a named one with its option, or all numbers of a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amorphace.core.checks import Limits
from amorphace.core.codec import decode
from amorphace.core.errors import InputError
from amorphace.simulate.models import (
    MODELS,
    EmbeddedAtom,
    GlassModel,
    InversePower,
    LennardJones,
    find_model,
    kob_andersen,
    wahnstrom,
)

OPTIONS = {"kob-andersen": ("sigma_ab", kob_andersen), "wahnstrom": ("mass_a", wahnstrom)}
"""The one option that a named model may have, and who makes the model from it."""

TOLD_BY = {"file": EmbeddedAtom, "exponent": InversePower}
"""Potentials other than Lennard-Jones', by a key that tells them."""


def model_of(table: Mapping[str, Any]) -> GlassModel:
    """The model that a table [model] asks for.

    Parameters
    ----------
    table : mapping
        `name` of a known model and its option, or all fields of `GlassModel`, with a
        `potential` of Lennard-Jones (`epsilon`, `sigma`, ...), an inverse power (`exponent`,
        `sigma`, ...) or an embedded-atom `file`.

    Raises
    ------
    InputError
        If a key is missing, unknown or out of range.
    """
    if "potential" in table:
        return _new_model(table)
    options = dict(table)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise InputError(f"model.name: expected one of {', '.join(MODELS)}")
    model = find_model(name)
    if not options:
        return model
    option, make = OPTIONS.get(name, ("", find_model))
    for key, value in options.items():
        if key != option:
            known = f"name and {option}" if option else "name"
            raise InputError(f"model.{key}: not an option of {name}, which takes {known}")
        Limits(above=0, most=1e6).check(f"model.{key}", value)
    return make(**{key: float(value) for key, value in options.items()})


def _new_model(table: Mapping[str, Any]) -> GlassModel:
    """A model by its numbers."""
    _check_finite(table, "model")
    names, potential = table.get("species"), table["potential"]
    if isinstance(names, list) and len(set(map(str, names))) < len(names):
        raise InputError(f"model.species must differ, got {', '.join(map(str, names))}")
    keys = potential if isinstance(potential, Mapping) else ()
    kind = next((kind for key, kind in TOLD_BY.items() if key in keys), LennardJones)
    decode(kind, potential, source="model.potential")
    return decode(GlassModel, table, source="model")


def _check_finite(value: Any, where: str) -> None:
    """No number of a model is infinite, or none at all."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _check_finite(inner, f"{where}.{key}")
    elif isinstance(value, list):
        for inner in value:
            _check_finite(inner, where)
    elif isinstance(value, int | float) and not abs(value) <= 1e12:
        raise InputError(f"{where} must be a number up to 1e12, got {value}")
