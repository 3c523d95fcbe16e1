"""Units of work, their kinds, and graphs of them.

A unit is a pure function of its parameters and inputs, named by a digest of these. Its kind is a
class that owns everything about it; a new kind is one file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from enum import Enum
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from amorphace.core.codec import decode, encode
from amorphace.core.digest import digest_of
from amorphace.core.errors import InputError
from amorphace.core.records import read_record

if TYPE_CHECKING:
    from amorphace.runs.job import Job

P = TypeVar("P")
R = TypeVar("R", covariant=True)
K = TypeVar("K", bound="Kind[Any, Any]")

DIGITS = 16
"""Hexadecimal digits of a digest that stand in a unit's name."""


class Cores(Enum):
    """How many cores a unit takes."""

    ONE = "one"
    COMMAND = "command"
    """As many as the program that it calls is given: `Graph.cores_per_unit`."""
    ALL = "all"
    """All that there are; such a unit runs alone."""


@dataclass(frozen=True)
class Role:
    """What a unit reads under one name."""

    some: bool = False
    """Whether dropped inputs are left out; otherwise the unit is dropped with the first of them."""
    digests: bool = True
    """Whether the digests of their files are compared before the unit is done. Where a unit reads
    only a few of its inputs, `Input.folder` compares them when it is asked for."""


class Dropped(Exception):
    """A result that may not be used, by its physics; the text says why.

    It is kept like every other result. Whatever else a unit raises is a failure: nothing is kept,
    and the unit is tried again.
    """


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """What a unit came to, beside the files in its folder."""

    results: Any = field(default_factory=dict)
    """Small ones: a dataclass or mapping, of the type that the kind declares."""
    health: tuple[Mapping[str, Any], ...] = ()
    """What was checked: "what" it was, "problems" found, and the numbers."""
    dropped: str = ""
    """Why the result may not be used; empty for a sound one."""
    attempts: tuple[str, ...] = ()
    """What was wrong with attempts before this one."""


class Kind(ABC, Generic[P, R]):
    """A kind of unit: a class that is named at the top level of a module, without a state.

    `P` is the frozen dataclass of its parameters, `R` what `load` gives.
    """

    name: ClassVar[str]
    """Of letters, digits and "_": the first part of a unit's identifier."""
    revision: ClassVar[int] = 1
    """Raised when the same parameters come to give another result."""
    parameters: ClassVar[type]
    """A frozen dataclass."""
    limits: ClassVar[tuple[str, ...]] = ()
    """Names of parameters on which no sound result depends, "shear.retries" of one inside another:
    whoever allows more gets more sound results. They are no part of a unit's name. What was dropped
    under other limits is done again, with all that reads it."""
    results: ClassVar[Any] = Mapping[str, Any]
    """Type of `Outcome.results`: a dataclass, or a mapping."""
    record: ClassVar[type | None] = None
    """The dataclass that `do` writes to the folder by `write_record`, if it does."""
    inputs: ClassVar[Mapping[str, Role]] = {}
    cores: ClassVar[Cores] = Cores.ONE
    at_once: ClassVar[int] = 1
    """Units of this kind that are done together where so many are ready: see `do_many`."""
    programs: ClassVar[tuple[str, ...]] = ()
    """Packages whose versions are kept with a result."""

    @abstractmethod
    def do(self, job: Job[P]) -> Outcome:
        """Do a unit: read `job`, write into `job.folder`; `Dropped` if it may not be used."""

    def do_many(self, jobs: Sequence[Job[P]]) -> Iterator[tuple[Job[P], Outcome | Exception]]:
        """Do several units; each is given back when it ends, in any order, or what it raised."""
        for job in jobs:
            try:
                yield job, self.do(job)
            except Exception as error:
                yield job, error

    def sentence(self, outcome: Outcome) -> str:
        """A finished unit in one line of the log."""
        return "done"

    def load(self, folder: Path) -> R:
        """What `do` wrote into the folder of a unit.

        Raises
        ------
        InputError
            If this kind writes no record.
        FileFormatError
            If a file is missing or damaged.
        """
        if self.record is None:
            raise InputError(f"a unit of the kind {self.name} writes no record")
        return read_record(folder, self.record)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not hasattr(cls, "name"):
            return  # what several kinds share
        if not is_dataclass(getattr(cls, "parameters", None)):
            raise TypeError(f"{cls.__name__} needs a dataclass `parameters`")
        if not cls.name.replace("_", "").isalnum():
            raise TypeError(f"{cls.name!r} is no name of a kind; use letters, digits and _")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


def reference_to(value: object) -> str:
    """Where another process finds the class of a value: "module:name"."""
    return f"{type(value).__module__}:{type(value).__qualname__}"


def class_at(reference: str) -> Any:
    """The class that `reference_to` named; an InputError where there is none."""
    module, _, name = reference.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"{reference!r} is no kind of unit or settings: {error}") from None


def kind_at(reference: str) -> Kind[Any, Any]:
    """The kind that `reference_to` named, in any process; an InputError where there is none."""
    found = class_at(reference)
    if not (isinstance(found, type) and issubclass(found, Kind)):
        raise InputError(f"{reference!r} is no kind of unit")
    return found()


def unit_id(
    kind: str, revision: int, parameters: Any, limits: Sequence[str], inputs: Mapping[str, Any]
) -> str:
    """The name of a unit on disk, from its parameters as JSON and identifiers by role."""
    content = {
        "kind": kind,
        "revision": revision,
        "parameters": _without(parameters, limits),
        "inputs": {role: list(ids) for role, ids in inputs.items()},
    }
    return f"{kind}-{digest_of(content)[:DIGITS]}"


def _without(parameters: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    found = dict(parameters)
    for name in names:
        head, _, rest = name.partition(".")
        inner = found.pop(head)
        if rest:
            found[head] = _without(inner, [rest])
    return found


@dataclass(frozen=True, kw_only=True)
class Unit(Generic[P, R]):
    """One piece of an experiment; its name, limits, cost and disk are no part of its digest.

    Raises
    ------
    InputError
        If the parameters or roles are not those that the kind declares.
    """

    kind: Kind[P, R]
    name: str
    """For people: "sample 3, replica 12"."""
    parameters: P
    """Numbers take their declared type: 2 is 2.0 where a float is declared."""
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Identifiers of the units that it reads, by role."""
    cost: float = 0.0
    """Estimated seconds on one core."""
    disk: int = 0
    """Estimated bytes that it keeps."""

    def __post_init__(self) -> None:
        own, given = self.kind.parameters, self.parameters
        if not isinstance(given, own):
            raise InputError(
                f"a unit of the kind {self.kind.name} needs {own.__name__}, "
                f"got {type(given).__name__}"
            )
        what = f"{self.kind.name} of {self.name}"
        object.__setattr__(self, "parameters", decode(own, encode(given), source=what))
        if self.inputs.keys() - self.kind.inputs.keys():
            raise InputError(
                f"{what}: the roles of its inputs are {', '.join(self.kind.inputs) or 'none'}, "
                f"got {', '.join(self.inputs)}"
            )

    @cached_property
    def id(self) -> str:
        """Kind and digest, "prepare-0123456789abcdef": the unit's name on disk."""
        kind = self.kind
        return unit_id(kind.name, kind.revision, encode(self.parameters), kind.limits, self.inputs)

    @property
    def needs(self) -> tuple[str, ...]:
        """Identifiers of all units that it reads."""
        return tuple(dict.fromkeys(i for ids in self.inputs.values() for i in ids))

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object, for another process."""
        return {
            "kind": reference_to(self.kind),
            "name": self.name,
            "parameters": encode(self.parameters),
            "inputs": {role: list(ids) for role, ids in self.inputs.items()},
            "cost": self.cost,
            "disk": self.disk,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Unit[Any, Any]:
        """The unit of a JSON object that `to_dict` made."""
        kind = kind_at(value["kind"])
        inputs = {role: tuple(ids) for role, ids in value["inputs"].items()}
        parameters = decode(kind.parameters, value["parameters"], source=kind.name)
        return Unit(**{**value, "kind": kind, "inputs": inputs, "parameters": parameters})


@dataclass(frozen=True, eq=False)
class Graph:
    """Units, every one after those that it reads: what an engine carries out."""

    units: tuple[Unit[Any, Any], ...]
    cores_per_unit: int = 1
    """Cores of a unit that calls a program (`Cores.COMMAND`)."""
    at_once: int | None = None
    """Most units that are done together, where fewer than their kind allows."""
    files: tuple[str, ...] = ()
    """Files that units know by the digest of their content: the store keeps copies."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Where further ones lie, by digest: the store keeps links."""

    @cached_property
    def by_id(self) -> Mapping[str, Unit[Any, Any]]:
        """The units by identifier."""
        return {u.id: u for u in self.units}

    @property
    def kinds(self) -> tuple[Kind[Any, Any], ...]:
        """The kinds of units, in the order of their first."""
        return tuple(dict.fromkeys(u.kind for u in self.units))

    def of_kind(self, kind: type[K] | Kind[Any, Any]) -> tuple[Unit[Any, Any], ...]:
        """The units of a kind, in their order."""
        wanted = kind if isinstance(kind, type) else type(kind)
        return tuple(u for u in self.units if type(u.kind) is wanted)

    def cores_of(self, unit: Unit[Any, Any], cores: int) -> int:
        """Cores that a unit takes of so many."""
        wanted = {Cores.ONE: 1, Cores.COMMAND: self.cores_per_unit, Cores.ALL: cores}
        return wanted[unit.kind.cores]


def unique(units: Iterable[Unit[Any, Any]]) -> tuple[Unit[Any, Any], ...]:
    """The units, each once."""
    return tuple({u.id: u for u in units}.values())
