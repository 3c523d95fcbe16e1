"""Units that simulate: prepare, relax, lag, inherent, replica, shear."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.campaign.context import Context, Dropped, configuration_arrays, health_entry
from amorphace.campaign.store import Outcome
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SetupError, SimulationError
from amorphace.observe.events import step_d2min
from amorphace.observe.relaxation import relaxation_time, self_intermediate_scattering
from amorphace.simulate.crystal import crystal_fraction
from amorphace.simulate.dynamics import Record, Stage, run_stage, stage_health, step_count
from amorphace.simulate.health import Health, Tolerances, aging
from amorphace.simulate.inherent import inherent_structure
from amorphace.simulate.preparation import (
    Preparation,
    Progress,
    held_pressure,
    preparation_health,
    preparation_steps,
    prepare,
)
from amorphace.simulate.shear import Shear, ShearState, shear_steps, start_shear
from amorphace.simulate.state import State, derive_seed
from amorphace.simulate.thermal import geometric_times, replica_stage, start_replica

FIRST_TIME = 0.1
"""First time of Fs, in units of time of the model."""
BELOW = 0.3
"""Fs at which a window ends: a little below 1/e, so that the crossing is inside."""


def make_sample(work: Context) -> Outcome:
    """prepare: a liquid or a glass; an unsound one is made again from another seed."""
    p = work.parameters
    model, way = work.model, Preparation(**p["preparation"])
    found = work.resume()
    first, messages = (found[1]["attempt"], found[1]["messages"]) if found else (0, [])
    for attempt in range(first, p["attempts"]):
        start = _read_progress(model.labels(way.n_particles), found) if found else None
        found = None
        seed = derive_seed(p["seed"], p["sample"], attempt)
        try:
            last = _prepare_once(work, way, seed, start, attempt, messages)
        except SetupError:
            raise
        except SimulationError as error:
            messages.append(f"seed {seed}: {error}")
            continue
        end, held = last.state.configuration, held_pressure(model, way, last)
        stages = [s.name for s in way.stages(model)]
        health = [
            health_entry(name, h)
            for name, h in zip(stages, preparation_health(model, way, last), strict=True)
        ]
        whole = Health(crystal=crystal_fraction(end))
        health.append(health_entry("end", whole, Tolerances(crystal=p["crystal_limit"])))
        wrong = [f"{h['what']}: {text}" for h in health for text in h["problems"]]
        if wrong:
            messages.append(f"seed {seed}: {'; '.join(wrong)}")
            continue
        return Outcome(
            arrays=configuration_arrays(end)
            | {"velocities": last.state.velocities}
            | _record_arrays(last.records),
            results={"seed": seed, "stages": stages, "density": end.number_density}
            | ({} if held is None else {"pressure": held.mean, "pressure_error": held.error}),
            health=tuple(health),
            attempts=tuple(messages),
        )
    raise Dropped("; ".join(messages))


def _prepare_once(
    work: Context,
    way: Preparation,
    seed: int,
    start: Progress | None,
    attempt: int,
    messages: list[str],
) -> Progress:
    """One attempt at a preparation, checkpoint by checkpoint."""
    model = work.model
    stages = way.stages(model)
    total = preparation_steps(model, way)
    last = start
    for last in prepare(model, way, seed=seed, progress=start, command=work.command):
        work.checkpoint(partial(_progress_checkpoint, last, attempt, messages))
        done = sum(step_count(model, r.time[-1]) for r in last.records)
        name = stages[min(last.stage, len(stages) - 1)].name if stages else "creation"
        level = f", T = {last.records[-1].temperature[-1]:.3f}" if last.records else ""
        work.report(done, total, f"{name}{level}")
    assert last is not None
    return last


def _progress_checkpoint(
    progress: Progress, attempt: int, messages: list[str]
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    place = {"stage": progress.stage, "chunk": progress.chunk}
    return (
        _state_arrays(progress.state) | _record_arrays(progress.records),
        place | {"attempt": attempt, "messages": messages},
    )


def _state_arrays(state: State) -> dict[str, NDArray[Any]]:
    c = state.configuration
    return {"positions": c.positions, "cell": c.cell, "velocities": state.velocities}


def _read_progress(labels: NDArray[Any], found: tuple[dict[str, Any], Any]) -> Progress:
    arrays, values = found
    state = _state(arrays, labels)
    return Progress(values["stage"], values["chunk"], state, _records(arrays))


def _state(arrays: dict[str, Any], labels: NDArray[Any]) -> State:
    configuration = Configuration(
        positions=arrays["positions"], species=labels, cell=arrays["cell"]
    )
    return State(configuration, arrays["velocities"])


def _record_arrays(records: tuple[Record, ...]) -> dict[str, NDArray[Any]]:
    """Thermodynamic values of all stages: rows of stage, time, temperature, pressure, ..."""
    names = [f.name for f in fields(Record)]
    rows = [
        np.column_stack([np.full(len(r.time), k), *(getattr(r, n) for n in names)])
        for k, r in enumerate(records)
    ]
    return {"thermo": np.concatenate(rows) if rows else np.empty((0, len(names) + 1))}


def _records(arrays: dict[str, Any]) -> tuple[Record, ...]:
    table = arrays["thermo"]
    count = int(table[:, 0].max()) + 1 if len(table) else 0
    return tuple(Record(*table[table[:, 0] == k, 1:].T) for k in range(count))


def _advance(
    work: Context,
    state: State,
    stage: Stage,
    *,
    seed: int,
    kept: dict[str, Any],
    report: tuple[float, float, str],
    first_chunk: int = 0,
    records: tuple[Record, ...] = (),
) -> tuple[State, Record]:
    """Run a stage with a checkpoint after each chunk; `kept` goes into the checkpoint as well.

    `report` is what was done before, the total, and the text, in time steps.
    """
    model = work.model
    before, total, text = report
    for chunk in run_stage(
        model, state, stage, seed=seed, first_chunk=first_chunk, command=work.command
    ):
        state, records = chunk.state, (*records, chunk.record)
        if chunk.index + 1 < chunk.count:
            work.checkpoint(partial(_stage_checkpoint, state, records, chunk.index + 1, kept))
        share = (chunk.index + 1) / chunk.count
        work.report(before + share * step_count(model, stage.duration), total, text)
    return state, Record.concatenate(records)


def _stage_checkpoint(
    state: State, records: tuple[Record, ...], next_chunk: int, kept: dict[str, Any]
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    arrays = {k: v for k, v in kept.items() if isinstance(v, np.ndarray)}
    values = {k: v for k, v in kept.items() if k not in arrays}
    own = _state_arrays(state) | _record_arrays((Record.concatenate(records),))
    return own | arrays, values | {"chunk": next_chunk}


@dataclass
class _Relaxation:
    """How far a relaxation run has come: two windows of one trajectory at constant energy."""

    state: State
    origin: NDArray[np.float64]
    window: int
    frame: int
    times: list[list[float]]
    fs: list[list[float]]
    energy: list[list[float]]


def relax(work: Context) -> Outcome:
    """relax: Fs(q, t) of the majority species in two windows, one after the other.

    A window ends when the lag has passed, or, where the lag is to be measured, when Fs is below
    `BELOW`; the second one is as long as the first.
    """
    p, model = work.parameters, work.model
    source = work.input("start")
    labels = np.array(work.store.array(source, "species"))
    majority = labels == model.species[0]
    found = work.resume()
    if found is None:
        state = work.state(source)
        run = _Relaxation(state, state.configuration.positions, 0, 0, [[], []], [[], []], [[], []])
        chunk, records = 0, ()
    else:
        arrays, v = found
        run = _Relaxation(
            _state(arrays, labels), arrays["origin"], v["window"], v["frame"],
            v["times"], v["fs"], v["energy"],
        )  # fmt: skip
        chunk, records = v["chunk"], _records(arrays)
    longest = p["lag"] or p["longest_lag"]
    while run.window < 2:
        grid = _grid(longest) if run.window == 0 else run.times[0]
        if run.frame == len(grid):
            if run.window == 0 and p["lag"] is None:
                raise Dropped(
                    f"Fs is {run.fs[0][-1]:.2f} after {longest:g}, above 1/e: the liquid is "
                    "slower than thermal.longest_lag allows"
                )
            run = _next_window(run)
            continue
        gap = grid[run.frame] - (grid[run.frame - 1] if run.frame else 0.0)
        stage = Stage(name="relax", ensemble="nve", duration=gap)
        text = f"window {run.window + 1}: t = {grid[run.frame]:.1f}"
        if run.fs[run.window]:
            text += f", Fs = {run.fs[run.window][-1]:.2f}"
        state, record = _advance(
            work, run.state, stage, seed=0, first_chunk=chunk, records=records,
            kept={
                "origin": run.origin, "window": run.window, "frame": run.frame,
                "times": run.times, "fs": run.fs, "energy": run.energy,
            },
            report=(
                step_count(model, run.window * longest + grid[run.frame] - gap),
                step_count(model, 2 * longest),
                text,
            ),
        )  # fmt: skip
        chunk, records = 0, ()
        run = _add_frame(run, state, record, grid[run.frame], majority, p["wavenumber"])
        if run.window == 0 and p["lag"] is None and run.fs[0][-1] < BELOW:
            run = _next_window(run)
    return _relaxation_outcome(work, run)


def _grid(longest: float) -> list[float]:
    """Times of Fs: geometric, and the end."""
    times = []
    for t in geometric_times(min(FIRST_TIME, longest), ratio=1.2):
        if t >= longest * 0.999:
            return [*times, longest]
        times.append(t)
    raise AssertionError("geometric times do not end")


def _next_window(run: _Relaxation) -> _Relaxation:
    """The next window starts where this one ended."""
    run.window, run.frame, run.origin = run.window + 1, 0, run.state.configuration.positions
    return run


def _add_frame(
    run: _Relaxation,
    state: State,
    record: Record,
    time: float,
    majority: NDArray[np.bool_],
    wavenumber: float,
) -> _Relaxation:
    now = state.configuration
    (fs,) = self_intermediate_scattering(
        now.replace(positions=run.origin), [now], wavenumber, where=majority, unwrapped=True
    )
    run.state, run.frame = state, run.frame + 1
    run.times[run.window].append(time)
    run.fs[run.window].append(float(fs))
    run.energy[run.window].append(float(record.total.mean()))
    return run


def _relaxation_outcome(work: Context, run: _Relaxation) -> Outcome:
    times, early, late = (np.array(x) for x in (run.times[0], *run.fs))
    first, second = (np.average(e, weights=np.diff(times, prepend=0.0)) for e in run.energy)
    drift = abs(float(second - first))
    n = int((work.store.array(work.input("start"), "species") == work.model.species[0]).sum())
    health = health_entry("relax", Health(energy_drift=drift, aging=aging(early, late)))
    taus = []
    for fs in (early, late, (early + late) / 2):
        try:
            taus.append(relaxation_time(times, fs))
        except InputError:
            taus.append(None)
    return Outcome(
        arrays={"times": times, "fs_early": early, "fs_late": late},
        results={"tau_early": taus[0], "tau_late": taus[1], "tau": taus[2], "n_majority": n},
        health=(health,),
        dropped="; ".join(health["problems"]),
    )


def choose_lag(work: Context) -> Outcome:
    """lag: the median tau_alpha of the sound samples, a whole number of time steps."""
    runs = work.inputs("relax")
    taus = [work.results(r)["tau"] or work.results(r)["tau_early"] for r in runs]
    taus = [t for t in taus if t is not None]
    if not taus:
        raise Dropped("tau_alpha could not be measured in any sample")
    step = work.model.timestep
    lag = step_count(work.model, float(np.median(taus))) * step
    return Outcome(results={"lag": lag, "tau": taus, "n_samples": len(taus)})


def find_inherent(work: Context) -> Outcome:
    """inherent: the inherent structure of a sample."""
    source = work.input("start")
    found = inherent_structure(
        work.model, work.configuration(source), force_tolerance=work.parameters["force_tolerance"]
    )
    limits = Tolerances(
        fmax=work.parameters["force_tolerance"], crystal=work.parameters["crystal_limit"]
    )
    share = crystal_fraction(found.configuration)
    health = health_entry(
        "inherent structure",
        Health(fmax=found.fmax, longest_bond=found.health.longest_bond, crystal=share),
        limits,
    )
    return Outcome(
        arrays=configuration_arrays(found.configuration),
        results={"energy": found.energy, "fmax": found.fmax},
        health=(health,),
        dropped="; ".join(health["problems"]),
    )


def run_replica(work: Context) -> Outcome:
    """replica: a run of the isoconfigurational ensemble, and the inherent structure of its end."""
    p, model = work.parameters, work.model
    source = work.input("start")
    work.input("relax")  # a liquid that still ages has no replicas
    lag = p["lag"] or work.results(work.input("lag"))["lag"]
    stage = replica_stage(lag)
    steps = step_count(model, lag)
    found = work.resume()
    start = work.configuration(source)
    seed = derive_seed(p["seed"], p["sample"], p["replica"])
    if found is None:
        state = start_replica(model, start, p["temperature"], seed=seed)
        chunk, records = 0, ()
    else:
        state, chunk = _state(found[0], start.species), found[1]["chunk"]
        records = _records(found[0])
    state, record = _advance(
        work, state, stage, seed=seed, first_chunk=chunk, records=records, kept={},
        report=(0, steps, f"replica {p['replica'] + 1}"),
    )  # fmt: skip
    health = [health_entry("replica", stage_health(model, stage, state, record))]
    arrays = {"end": state.configuration.positions}
    if p["quench"]:
        rest = inherent_structure(model, state.configuration, force_tolerance=p["force_tolerance"])
        arrays["end_inherent"] = rest.configuration.positions
        health.append(
            health_entry(
                "its inherent structure", rest.health, Tolerances(fmax=p["force_tolerance"])
            )
        )
    wrong = [text for h in health for text in h["problems"]]
    return Outcome(
        arrays=arrays,
        results={"lag": lag, "seed": seed, "temperature": float(record.temperature.mean())},
        health=tuple(health),
        dropped="; ".join(wrong),
    )


@dataclass
class _Sheared:
    """What a shear run has given so far."""

    rows: list[tuple[float, ...]]
    d2min: list[NDArray[np.float32]]
    maximum: NDArray[np.float64]
    events: list[tuple[int, NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]]


ROWS = (
    "strain",
    "energy",
    "stress",
    "largest_d2min",
    "n_active",
    "displacement",
    "fmax",
    "attempts",
)
"""Columns kept of every step; displacement: root mean square of the non-affine one."""


def shear(work: Context) -> Outcome:
    """shear: athermal quasistatic shear with D2min of every particle in every data step.

    Steps before the data strain keep energy, stress and displacement only. Of an event (a majority
    particle above the threshold) the configuration before the step, D2min and the non-affine
    displacement are kept.
    """
    p, model = work.parameters, work.model
    protocol = Shear(**p["shear"])
    source = work.input("start")
    labels = np.array(work.store.array(source, "species"))
    majority = labels == model.species[0]
    n = len(labels)
    found = work.resume()
    if found is None:
        state, seen = start_shear(work.configuration(source)), _Sheared([], [], np.zeros(n), [])
    else:
        state, seen = _read_sheared(labels, found)
    for step in shear_steps(model, state, protocol):
        state = step.state
        counts = step.step > protocol.first_step
        unknown = np.full(n, np.nan)
        d2 = step_d2min(step.before, step.after, p["d2min_cutoff"]) if counts else unknown
        active = d2 > p["threshold"]
        seen.rows.append(
            (
                step.strain, step.energy, step.stress, float(d2.max()), float(active.sum()),
                float(np.sqrt((step.displacement**2).sum(axis=1).mean())),
                float(step.health.fmax or 0.0), float(step.attempts),
            )
        )  # fmt: skip
        if counts:
            seen.d2min.append(d2.astype(np.float32))
            seen.maximum = np.maximum(seen.maximum, d2)
            if active[majority].any():
                before = step.before
                seen.events.append(
                    (step.step, before.positions, before.cell, d2, step.displacement)
                )
        work.checkpoint(partial(_sheared_checkpoint, state, seen))
        work.report(
            step.step, protocol.last_step,
            f"strain {step.strain:.4f}, stress {step.stress:.3f}, {len(seen.events)} events",
        )  # fmt: skip
    return _shear_outcome(work, state, seen, labels, protocol)


def _sheared_arrays(seen: _Sheared, n: int) -> dict[str, NDArray[Any]]:
    """The arrays of a shear run; the same on disk and in a checkpoint."""
    k = len(seen.events)

    def stack(part: int, shape: tuple[int, ...]) -> NDArray[Any]:
        return np.array([e[part] for e in seen.events]).reshape(k, *shape)

    return {
        "steps": np.array(seen.rows, dtype=np.float64).reshape(-1, len(ROWS)),
        "d2min": np.array(seen.d2min, dtype=np.float32).reshape(-1, n),
        "maximum": seen.maximum,
        "event_step": stack(0, ()).astype(np.int64),
        "event_positions": stack(1, (n, 3)),
        "event_cell": stack(2, (3, 3)),
        "event_d2min": stack(3, (n,)),
        "event_displacement": stack(4, (n, 3)),
    }


def _sheared_checkpoint(state: ShearState, seen: _Sheared) -> tuple[dict[str, NDArray[Any]], Any]:
    c = state.configuration
    own = {"positions": c.positions, "cell": c.cell, "guess": state.guess}
    return _sheared_arrays(seen, len(c)) | own, {"step": state.step}


def _read_sheared(
    labels: NDArray[Any], found: tuple[dict[str, Any], Any]
) -> tuple[ShearState, _Sheared]:
    arrays, values = found
    c = Configuration(positions=arrays["positions"], species=labels, cell=arrays["cell"])
    names = ("event_step", "event_positions", "event_cell", "event_d2min", "event_displacement")
    events = list(zip(*(arrays[n] for n in names), strict=True))
    seen = _Sheared(
        [tuple(row) for row in arrays["steps"].tolist()],
        list(arrays["d2min"]),
        arrays["maximum"],
        [(int(e[0]), *e[1:]) for e in events],
    )
    return ShearState(c, arrays["guess"], values["step"]), seen


def _shear_outcome(
    work: Context, state: ShearState, seen: _Sheared, labels: NDArray[Any], protocol: Shear
) -> Outcome:
    arrays = _sheared_arrays(seen, len(labels))
    table = dict(zip(ROWS, arrays["steps"].T, strict=True))
    share = crystal_fraction(state.configuration)
    health = health_entry(
        "shear",
        Health(fmax=float(table["fmax"].max()), crystal=share),
        Tolerances(fmax=protocol.force_tolerance, crystal=work.parameters["crystal_limit"]),
    )
    return Outcome(
        arrays=arrays | configuration_arrays(state.configuration),
        results={
            "columns": list(ROWS),
            "first_step": protocol.first_step,
            "n_events": len(seen.events),
            "most_attempts": int(table["attempts"].max()),
        },
        health=(health,),
        dropped="; ".join(health["problems"]),
    )
