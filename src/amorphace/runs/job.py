"""What the work of a unit sees: its parameters, its inputs, its folder, its checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from amorphace.core.errors import InputError
from amorphace.runs.store import Damaged, Store
from amorphace.runs.unit import Kind, Unit

P = TypeVar("P")
R = TypeVar("R")
T = TypeVar("T")

CHECKPOINT_SECONDS = 10.0
"""Least time between two checkpoints: what a kill may cost, beside the piece under way."""
REPORT_SECONDS = 1.0
"""Least time between two reports of progress."""


@dataclass(frozen=True)
class Input:
    """A finished unit that another one reads."""

    id: str
    kind: str
    """Name of its kind."""
    results: Any
    """Its small results, as JSON."""
    dropped: str
    """Why it may not be used; empty for a sound one."""
    _verified: Callable[[str], Path] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Where its files lie; their digests have been compared.

        Raises
        ------
        Damaged
            If a file is not what was written: the input is set aside, and the next run makes it.
        """
        return self._verified(self.id)

    def load(self, *kinds: type[Kind[Any, R]]) -> R:
        """What it wrote, by that of these kinds which it is of; an InputError if it is of none."""
        for kind in kinds:
            if kind.name == self.kind:
                return kind().load(self.folder)
        names = " or ".join(kind.name for kind in kinds)
        raise InputError(f"the input {self.id} is no unit of the kind {names}")


@dataclass(eq=False, kw_only=True)
class Job(Generic[P]):
    """One unit at work."""

    unit: Unit[P, Any]
    folder: Path
    """An empty folder of its own to write to: it becomes the unit, whole, when the work is done."""
    store: Store
    settings: Any = None
    """A dataclass or None: how the program wants its units to be done, by which command or engine.
    The runner hands it on; no identifier depends on it."""
    n_jobs: int = 1
    """Processors that this unit may use."""
    _checkpoint: float = field(default_factory=time.monotonic)
    _report: float = float("-inf")
    _compared: dict[str, Path] = field(default_factory=dict)

    @property
    def parameters(self) -> P:
        """Those of the unit."""
        return self.unit.parameters

    def inputs(self, role: str) -> tuple[Input, ...]:
        """All inputs of a role, in their order; of a role with `some`, look at `dropped`."""
        found = []
        for unit in self.unit.inputs.get(role, ()):
            try:
                meta = self.store.meta(unit)
            except InputError:
                self.store.set_aside(unit)
                raise Damaged(unit) from None
            found.append(Input(unit, meta.kind, meta.results, meta.dropped, self.verified))
        return tuple(found)

    def input(self, role: str) -> Input:
        """The one input of a role."""
        (found,) = self.inputs(role)
        return found

    def verified(self, unit: str) -> Path:
        """The folder of a finished unit, the digests of its files compared once for this job."""
        if unit not in self._compared:
            self._compared[unit] = self.store.verified(unit)
        return self._compared[unit]

    def resume(self, kind: type[T], fits: Callable[[T], bool] = lambda _: True) -> T | None:
        """The last checkpoint; None at the first start.

        A checkpoint that is damaged, of another kind, or for which `fits` says no (arrays of
        another number of particles) is set aside: the unit starts anew.
        """
        found = self.store.scratch.read_checkpoint(self.unit.id, kind)
        if found is None or fits(found):
            return found
        self.store.scratch.drop_checkpoint(self.unit.id)
        return None

    def checkpoint(self, make: Callable[[], object]) -> None:
        """Keep the dataclass that `make` gives, if the last checkpoint is old enough."""
        if time.monotonic() - self._checkpoint >= CHECKPOINT_SECONDS:
            self.store.scratch.write_checkpoint(self.unit.id, make())
            self._checkpoint = time.monotonic()

    def report(self, done: float, total: float, text: str) -> None:
        """Say how far the work has come, if the last report is old enough."""
        if time.monotonic() - self._report >= REPORT_SECONDS:
            self.store.scratch.report(self.unit.id, done, total, text)
            self._report = time.monotonic()
