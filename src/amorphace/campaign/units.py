"""Units of work: kind, parameters, inputs; named by a digest of what determines the result.

A graph is units in an order in which they can be done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

REVISIONS = {
    "prepare": 2,
    "relax": 1,
    "lag": 1,
    "inherent": 1,
    "replica": 1,
    "measure": 2,
    "shear": 1,
    "label": 1,
    "describe": 3,
    "learn": 1,
    "wait": 1,
}
"""The kinds of units; a number is raised when the same parameters come to give another result."""

DIGITS = 16
"""Hexadecimal digits of a digest that stand in a unit's name."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One piece of an experiment: a pure function of its parameters and inputs.

    Attributes
    ----------
    kind : str
        A key of `REVISIONS`.
    name : str
        For people: "sample 3, replica 12". Not part of the digest.
    parameters : mapping of str to JSON value
        Numbers and seeds that the result depends on.
    inputs : mapping of str to tuple of str
        Identifiers of the units that it reads, by role.
    cost : float
        Estimated seconds on one core. Not part of the digest.

    Examples
    --------
    >>> unit = Unit(kind="prepare", name="sample 1", parameters={"seed": 1})
    >>> unit.id
    'prepare-07caf5b3b0ee6489'
    """

    kind: str
    name: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cost: float = 0.0

    @cached_property
    def id(self) -> str:
        """Kind and digest, "prepare-0123456789abcdef": the unit's name on disk."""
        content = {
            "kind": self.kind,
            "revision": REVISIONS[self.kind],
            "parameters": self.parameters,
            "inputs": self.inputs,
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return f"{self.kind}-{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}"

    @property
    def needs(self) -> tuple[str, ...]:
        """Identifiers of all units that it reads."""
        return tuple(dict.fromkeys(i for ids in self.inputs.values() for i in ids))

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "kind": self.kind,
            "name": self.name,
            "parameters": dict(self.parameters),
            "inputs": {role: list(ids) for role, ids in self.inputs.items()},
            "cost": self.cost,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Unit:
        """The unit of a JSON object that `to_dict` made."""
        inputs = {role: tuple(ids) for role, ids in value["inputs"].items()}
        return cls(**{**value, "inputs": inputs})


class Graph:
    """Units, every one after those that it reads: what an engine carries out.

    Attributes
    ----------
    units : tuple of Unit
    """

    units: tuple[Unit, ...]

    @property
    def cores_per_unit(self) -> int:
        """Cores of the units that the LAMMPS command runs."""
        return 1

    @property
    def files(self) -> tuple[str, ...]:
        """Files that units know by the digest of their content: the store keeps copies."""
        return ()

    def by_id(self) -> dict[str, Unit]:
        """The units by identifier."""
        return {u.id: u for u in self.units}

    def of_kind(self, kind: str) -> tuple[Unit, ...]:
        """The units of a kind, in their order."""
        return tuple(u for u in self.units if u.kind == kind)
