"""What the work of a unit sees: its parameters, its inputs in the store, its checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.campaign.store import Store
from amorphace.campaign.units import Unit
from amorphace.config import model_of
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.provenance import provenance
from amorphace.simulate.health import Health, Tolerances, checks, health_record
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State

CHECKPOINT_SECONDS = 10.0
"""Least time between two checkpoints: what a kill may cost, beside the piece under way."""
REPORT_SECONDS = 1.0
"""Least time between two reports of progress."""


class Dropped(Exception):
    """A run that may not be used, or rests on one; the text says why."""


@dataclass(eq=False)
class Context:
    """One unit at work.

    Attributes
    ----------
    unit : Unit
    store : Store
    command : str or None
        The LAMMPS command; the library in this process when None.
    n_jobs : int
        Processors that this unit may use.
    digests : dict
        Of files of inputs that were compared; see `sha256`.
    """

    unit: Unit
    store: Store
    command: str | None = None
    n_jobs: int = 1
    _checkpoint: float = field(default_factory=time.monotonic)
    _report: float = float("-inf")
    digests: dict[tuple[int, ...], str] = field(default_factory=dict)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Those of the unit."""
        return self.unit.parameters

    @property
    def model(self) -> GlassModel:
        """The model of glass.

        Raises
        ------
        InputError
            If the file of its potential is not in the store.
        """
        numbers = dict(self.parameters["model"])
        potential = dict(numbers["potential"])
        if "sha256" in potential:
            potential["file"] = str(self.store.file(potential.pop("sha256")))
        return model_of(numbers | {"potential": potential})

    def input(self, role: str) -> str:
        """The one input of a role, if it is sound.

        Raises
        ------
        Dropped
            If that run may not be used.
        """
        (unit,) = self.unit.inputs[role]
        meta = self.store.meta(unit)
        if meta["outcome"] == "dropped":
            raise Dropped(meta["dropped"])
        return unit

    def inputs(self, role: str) -> list[str]:
        """The sound inputs of a role; the dropped ones are left out."""
        return [u for u in self.unit.inputs[role] if self.store.meta(u)["outcome"] == "whole"]

    def results(self, unit: str) -> Mapping[str, Any]:
        """Small results of an input."""
        return self.store.meta(unit)["results"]

    def configuration(self, unit: str, name: str = "positions") -> Configuration:
        """The configuration that an input ended in."""
        arrays = self.store
        return Configuration(
            positions=arrays.array(unit, name),
            species=arrays.array(unit, "species"),
            cell=arrays.array(unit, "cell"),
        )

    def state(self, unit: str) -> State:
        """Configuration and velocities that an input ended in."""
        return State(self.configuration(unit), np.array(self.store.array(unit, "velocities")))

    def resume(self) -> tuple[dict[str, NDArray[Any]], Any] | None:
        """The last checkpoint: arrays and values; None at the first start."""
        return self.store.read_checkpoint(self.unit.id)

    def checkpoint(self, make: Callable[[], tuple[Mapping[str, NDArray[Any]], Any]]) -> None:
        """Keep the checkpoint that `make` gives, if the last one is old enough."""
        if time.monotonic() - self._checkpoint >= CHECKPOINT_SECONDS:
            self.store.write_checkpoint(self.unit.id, *make())
            self._checkpoint = time.monotonic()

    def report(self, done: float, total: float, text: str) -> None:
        """Say how far the work has come, if the last report is old enough."""
        if time.monotonic() - self._report >= REPORT_SECONDS:
            self.store.report(self.unit.id, done, total, text)
            self._report = time.monotonic()


def compare_digests(store: Store, unit: str, known: dict[tuple[int, ...], str]) -> None:
    """Set a unit aside if a file of it is not what was written; adds to `known` of `sha256`.

    Raises
    ------
    InputError
        If it was; it is made again by the next run.
    """
    if not store.sound(unit, digests=True, known=known):
        store.set_aside(unit)
        raise InputError(f"its input {unit} is damaged and was set aside; run again")


def unit_provenance(work: Context, **parameters: Any) -> dict[str, Any]:
    """Where a result of an experiment comes from."""
    return provenance(
        "run", {"unit": work.unit.id, "model": dict(work.parameters["model"])} | parameters
    )


def health_entry(what: str, health: Health, tolerances: Tolerances | None = None) -> dict[str, Any]:
    """What was checked of a run, as JSON: numbers, each beside its limit, what is wrong."""
    found = checks(health, tolerances)
    return {
        "what": what,
        "numbers": health_record(health),
        "checks": [
            {"quantity": c.quantity, "value": finite(c.value), "limit": c.limit, "ok": c.ok}
            for c in found
        ],
        "problems": [c.text for c in found if not c.ok],
    }


def finite(value: float) -> float | None:
    """The number, or None where JSON has none for it."""
    return value if math.isfinite(value) else None


def configuration_arrays(configuration: Configuration) -> dict[str, NDArray[Any]]:
    """Arrays that `Context.configuration` reads."""
    return {
        "positions": configuration.positions,
        "species": configuration.species,
        "cell": configuration.cell,
    }
