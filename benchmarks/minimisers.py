"""How often minimisers end in the minimum that a steepest descent of small steps ends in.

    make bench-minimisers

Writes benchmarks/results/minimisers.json. Liquids: configurations of one trajectory of a
Kob-Andersen liquid, two time units apart. Events: strain steps of glasses quenched from that
trajectory that move a particle more than 0.05, from the place where the minimisation begins.
Steepest descent: overdamped motion by LAMMPS (`fix brownian`, the temperature next to nothing) with
steps of 4e-4 sigma^2/epsilon until the largest force is small, then conjugate gradients;
the first liquids and events once more with half the step, which says how sure the comparison is.
Two ends are one minimum if their energies per particle differ by less than 1e-8.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from amorphace import Configuration
from amorphace.simulate import (
    LammpsEngine,
    Shear,
    Stage,
    State,
    create,
    inherent_structure,
    kob_andersen,
    run_stage,
    shear_steps,
    start_shear,
)
from amorphace.simulate.batch.minimise import Minimiser
from amorphace.simulate.shear import strained

RESULTS = Path(__file__).parent / "results"
MODEL = kob_andersen()
TEMPERATURE = 0.55
TOLERANCE = 1e-6
SAME = 1e-8
"""Difference of energies per particle of one minimum."""
EVENT = 0.05
DESCENT_STEP = 4e-4
BLOCK = 250
"""Steps of the descent between two looks at the forces."""
LONGEST = 100_000
SMALL = 0.2
"""Largest force at which conjugate gradients take over from the descent."""
CONTROL = 15
"""Starts whose descent is repeated with half the step."""


def moved(state: State, duration: float, seed: int, **temperatures: float) -> State:
    """A liquid after a stage at constant volume."""
    stage = Stage(name="rest", ensemble="nvt", duration=duration, **temperatures)
    return list(run_stage(MODEL, state, stage, seed=seed))[-1].state


def liquids(n: int) -> Iterator[State]:
    """States of one trajectory."""
    state = moved(create(MODEL, n, seed=1), 40.0, 1, start=1.0, stop=TEMPERATURE)
    seed = 2
    while True:
        state = moved(state, 2.0, seed, start=TEMPERATURE)
        seed += 1
        yield state


def events(n: int) -> Iterator[tuple[Configuration, Configuration]]:
    """Where minimisations begin that end in an event, and where LAMMPS ends."""
    protocol = Shear(pre_strain=0.0, increment=1e-3, strain=0.12, force_tolerance=TOLERANCE)
    for state in islice(liquids(n), 0, None, 20):
        cold = moved(state, 20.0, 7, start=TEMPERATURE, stop=0.01)
        glass = inherent_structure(MODEL, cold.configuration).configuration
        guess = np.zeros_like(glass.positions)
        for step in shear_steps(MODEL, start_shear(glass), protocol):
            if np.linalg.norm(step.displacement, axis=1).max() > EVENT:
                affine = strained(step.before, protocol.increment)
                yield affine.replace(positions=affine.positions + guess), step.after
            guess = step.state.guess


def by_lammps(start: Configuration) -> float:
    """Energy per particle where LAMMPS' conjugate gradients end."""
    with LammpsEngine(MODEL, start, sheared=True) as engine:
        engine.minimise(TOLERANCE)
        return engine.energy()


def by_descent(start: Configuration, step: float = DESCENT_STEP) -> float:
    """The same of a steepest descent of small steps."""
    with LammpsEngine(MODEL, start, sheared=True) as engine:
        engine.commands(
            [f"timestep {step!r}", "fix down all brownian 1e-30 1 gamma_t 1.0", "run 0 post no"]
        )
        for _ in range(0, LONGEST, BLOCK):
            if np.linalg.norm(engine.forces(), axis=1).max() < SMALL:
                break
            engine.commands([f"run {BLOCK} pre no post no"])
        engine.commands(["unfix down"])
        engine.minimise(TOLERANCE)
        return engine.energy()


def by_batch(
    starts: list[Configuration], report: Callable[[str], None]
) -> tuple[list[float], float]:
    """The same of the batch engine, and the mean number of evaluations."""
    device = Minimiser(MODEL, len(starts), len(starts[0]))
    for start in starts:
        device.begin(start, TOLERANCE)
    found: dict[int, Any] = {}
    while len(found) < len(starts):
        found |= device.advance(100)
        report(f"batch: {len(found)} of {len(starts)}")
    ends = [found[slot] for slot in range(len(starts))]
    return [end.energy for end in ends], float(np.mean([end.evaluations for end in ends]))


def compare(starts: list[Configuration], report: Callable[[str], None]) -> dict[str, Any]:
    """Shares of starts from which two minimisers end in the same minimum."""
    energies: dict[str, np.ndarray] = {}
    for name, minimise in (("lammps", by_lammps), ("descent", by_descent)):
        ends = []
        for k, start in enumerate(starts):
            ends.append(minimise(start))
            if k % 10 == 9:
                report(f"{name}: {k + 1} of {len(starts)}")
        energies[name] = np.array(ends)
    batch, evaluations = by_batch(starts, report)
    energies["batch"] = np.array(batch)
    half = [by_descent(start, DESCENT_STEP / 2) for start in starts[:CONTROL]]
    same = {
        f"{a}, {b}": int((np.abs(energies[a] - energies[b]) < SAME).sum())
        for a, b in (("batch", "lammps"), ("batch", "descent"), ("lammps", "descent"))
    }
    control = np.abs(energies["descent"][:CONTROL] - half) < SAME
    return {
        "starts": len(starts),
        "same": same,
        "descent with half the step, same": int(control.sum()),
        "descent with half the step, of": len(half),
        "evaluations of the batch, mean": evaluations,
        "energies": {k: v.tolist() for k, v in energies.items()},
    }


def keep(found: dict[str, Any]) -> None:
    """Print and write what is there."""
    for what in ("liquids", "events"):
        shown = {k: v for k, v in found.get(what, {}).items() if k != "energies"}
        print(what, shown, flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "minimisers.json").write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--particles", type=int, default=250)
    parser.add_argument("--liquids", type=int, default=200)
    parser.add_argument("--events", type=int, default=50)
    given = parser.parse_args()
    began = time.time()

    def report(text: str) -> None:
        print(f"[{time.time() - began:7.1f} s] {text}", flush=True)

    found: dict[str, Any] = {
        "machine": platform.machine(),
        "lammps": version("lammps"),
        "warp-lang": version("warp-lang"),
        "particles": given.particles,
        "temperature": TEMPERATURE,
    }
    starts = [state.configuration for state in islice(liquids(given.particles), given.liquids)]
    report("liquids are there")
    found["liquids"] = compare(starts, report)
    keep(found)
    begun = [start for start, _ in islice(events(given.particles), given.events)]
    report("events are there")
    found["events"] = compare(begun, report)
    keep(found)


if __name__ == "__main__":
    main()
