"""A stage of molecular dynamics that goes on from where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from amorphace.simulate.dynamics import Record, Stage, run_stage
from amorphace.simulate.engine import OpenMover
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State


def ignore(*_: object) -> None:
    """Keep nothing, report nothing."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """How far a stage has come.

    Attributes
    ----------
    state : State
    chunk : int
        The next one.
    record : Record or None
        Of the chunks before.
    """

    state: State
    chunk: int = 0
    record: Record | None = None


def run_stretch(
    model: GlassModel,
    stretch: Stretch,
    stage: Stage,
    *,
    seed: int,
    engine: OpenMover = LammpsEngine,
    keep: Callable[[Stretch], object] = ignore,
    report: Callable[[float], object] = ignore,
) -> tuple[State, Record]:
    """Run a stage to its end.

    Parameters
    ----------
    model : GlassModel
    stretch : Stretch
        Its beginning, or what `keep` was given by an earlier run: the result is the same to the
        last bit.
    stage : Stage
    seed : int
    engine : callable
        Opens who moves the particles (`OpenMover`).
    keep : callable
        Called between two chunks.
    report : callable
        Called after each chunk with the share that is done.

    Raises
    ------
    SimulationError
        If a simulation fails.
    """
    for chunk in run_stage(
        model,
        stretch.state,
        stage,
        seed=seed,
        first_chunk=stretch.chunk,
        engine=engine,
    ):
        parts = [chunk.record] if stretch.record is None else [stretch.record, chunk.record]
        stretch = Stretch(chunk.state, chunk.index + 1, Record.concatenate(parts))
        if stretch.chunk < chunk.count:
            keep(stretch)
        report(stretch.chunk / chunk.count)
    assert stretch.record is not None
    return stretch.state, stretch.record
