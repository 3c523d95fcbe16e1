"""A system does the same to the last bit alone, among others, beside a broken one, and resumed."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pytest

from amorphace.core.errors import SimulationError
from amorphace.simulate import (
    MODELS,
    Shear,
    ShearState,
    Stage,
    State,
    run_stage,
    shear_steps,
    start_shear,
)
from batch_samples import DEVICE, all_moved, minima, same, smaller, tilted
from simulate_samples import liquid

pytest.importorskip("warp")

from amorphace.simulate.batch.crew import Crew
from amorphace.simulate.batch.motions import Path

ROUGH, FINER = 4.0, 1.0
"""Largest forces at which a fall from a liquid ends soon, and one that goes on from there."""


def cubic_and_tilted(name: str) -> list[State]:
    """A liquid in both cells, and one of another number of particles where there is one."""
    start = liquid(name)
    both = [start, State(tilted(start.configuration), start.velocities)]
    return [*both, smaller()] if name == "kob-andersen" else both


def heap(name: str) -> State:
    """All particles at one place."""
    start = liquid(name)
    there = start.configuration.replace(positions=np.zeros((len(start.velocities), 3)))
    return State(there, start.velocities)


@pytest.mark.parametrize("precision", ["mixed", "double"])
@pytest.mark.parametrize("name", MODELS)
def test_dynamics(name, precision):
    model, starts = MODELS[name], cubic_and_tilted(name)
    paths = [
        Path(steps=33, temperatures=(0.7, 0.6), pressure=2.0, seed=7),
        Path(steps=24, temperatures=(0.9, 0.9), seed=8),
        Path(steps=28),
    ]
    systems = list(zip(starts, paths, strict=False))
    fast = State(starts[0].configuration, np.full_like(starts[0].velocities, 1e4))
    poisons = [(fast, Path(steps=60)), (heap(name), Path(steps=60))]
    among = all_moved(model, [poisons[0], *systems, poisons[1]], precision=precision, size=300)
    assert "a particle moves too far in one step; go on from an earlier state" in str(among[0])
    assert "two particles are at the same place" in str(among[-1])
    for system, found in zip(systems, among[1:-1], strict=True):
        (alone,) = all_moved(model, [system], precision=precision)
        assert same(found, alone)


@cache
def fallen(name: str):
    """Ends of falls, side by side in slots that are too large; the first began as a heap."""
    starts = [start.configuration for start in (heap(name), *cubic_and_tilted(name))]
    return minima(MODELS[name], starts, ROUGH, size=300)


@pytest.mark.parametrize("name", MODELS)
def test_minima(name):
    wrong, *among = fallen(name)
    assert isinstance(wrong, SimulationError)
    assert "two particles are at the same place" in str(wrong)
    for start, found in zip(cubic_and_tilted(name), among, strict=True):
        (alone,) = minima(MODELS[name], [start.configuration], ROUGH)
        assert found.packed.place.tobytes() == alone.packed.place.tobytes()
        assert (found.energy, found.stress, found.evaluations) == (
            alone.energy, alone.stress, alone.evaluations,
        )  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_shear_goes_on_at_each_systems_own_pace(name):
    model, ended = MODELS[name], []
    cubic, *others = [start_shear(end.packed.configuration()) for end in fallen(name)[1:]]

    def sheared(state: ShearState, steps: int, crew: Crew):
        way = Shear(pre_strain=0.0, increment=1e-3, strain=steps * 1e-3, force_tolerance=FINER)
        found = list(shear_steps(model, state, way, engine=crew))
        ended.append((state, steps))
        return found

    works = [(cubic, 3), (cubic, 1), *((state, 2) for state in others)]
    bad, crew = start_shear(heap(name).configuration), Crew(DEVICE)
    found = dict(crew.run([partial(sheared, *work, crew) for work in [*works, (bad, 1)]]))
    assert "two particles are at the same place" in str(found.pop(len(works)))
    assert ended.index((cubic, 1)) < ended.index((cubic, 3))
    for k, work in enumerate(works):
        alone = sheared(*work, Crew(DEVICE))
        resumed = list(sheared(alone[0].state, work[1], Crew(DEVICE)))
        pairs = [*zip(found[k], alone, strict=True), *zip(resumed, alone[1:], strict=True)]
        for a, b in pairs:
            assert a.after.positions.tobytes() == b.after.positions.tobytes()
            assert (a.energy, a.stress) == (b.energy, b.stress)


@pytest.mark.parametrize("name", MODELS)
def test_a_run_taken_up_at_a_chunk(name, monkeypatch):
    monkeypatch.setattr("amorphace.simulate.dynamics.CHUNK", 250 * 12)
    monkeypatch.setattr("amorphace.simulate.dynamics.BAROSTAT_TIMES", 0)
    model, crew = MODELS[name], Crew(DEVICE)
    stage = Stage(
        name="rest", ensemble="npt", duration=36 * model.timestep, start=0.6, pressure=1.0
    )
    for start in cubic_and_tilted(name)[:2]:
        chunks = list(run_stage(model, start, stage, seed=5, engine=crew))
        assert len(chunks) >= 3
        begin = chunks[0].state
        *_, again = run_stage(model, begin, stage, seed=5, first_chunk=1, engine=crew)
        a, b = chunks[-1].state, again.state
        assert a.configuration.positions.tobytes() == b.configuration.positions.tobytes()
        assert a.velocities.tobytes() == b.velocities.tobytes()
