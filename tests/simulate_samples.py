"""Small liquids and glasses that several test files share; each is made once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from amorphace.simulate import (
    MODELS,
    GlassModel,
    Inherent,
    Preparation,
    Stage,
    State,
    create,
    inherent_structure,
    prepare,
    run_stage,
)

SIZE = {"kob-andersen": 250, "wahnstrom": 250, "bead-spring": 260}


@cache
def hot(name: str) -> State:
    """A liquid right after its creation."""
    return create(MODELS[name], SIZE[name], seed=1)


@cache
def liquid(name: str) -> State:
    """A warm liquid after a few time units at constant volume."""
    state = hot(name)
    for chunk in run_stage(
        MODELS[name],
        state,
        Stage(name="warm", ensemble="nvt", duration=5.0, start=1.0, stop=0.7),
        seed=2,
    ):
        state = chunk.state
    return state


def trajectory(model: GlassModel, state: State, times: Iterable[float]) -> Iterator[State]:
    """States at increasing times of one trajectory at constant energy."""
    before = 0.0
    for time in times:
        stage = Stage(name="trajectory", ensemble="nve", duration=time - before)
        *_, chunk = run_stage(model, state, stage, seed=0)
        before, state = time, chunk.state
        yield state


@cache
def glass(name: str) -> Inherent:
    """The inherent structure of a liquid cooled to T = 0."""
    model = MODELS[name]
    preparation = Preparation(
        n_particles=SIZE[name], melt_time=2.0, quench_time=10.0, temperature=0.0
    )
    *_, last = prepare(model, preparation, seed=3)
    return inherent_structure(model, last.state.configuration)
