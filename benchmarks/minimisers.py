"""How often minimisers end in the minimum that a steepest descent of small steps ends in.

    make bench-minimisers

Writes benchmarks/results/minimisers.json. Liquids: configurations of one trajectory of a
Kob-Andersen liquid, two time units apart. Events: strain steps of glasses quenched from that
trajectory that move a particle more than 0.05, from the place where the minimisation begins.
Steepest descent: overdamped motion by LAMMPS (`fix brownian`, the temperature next to nothing) with
steps of 4e-4 sigma^2/epsilon until the largest force is small, then conjugate gradients;
the first liquids and events once more with half the step, which says how sure the comparison is.
FIRE is LAMMPS', L-BFGS that of `lbfgs.py`. Two ends are one minimum if their energies per particle
differ by less than 1e-8. `--again lbfgs fire` runs these alone: the others' ends stay as they are.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from lbfgs import lbfgs

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
from amorphace.simulate.batch.packed import pack
from amorphace.simulate.shear import strained

FILE = Path(__file__).parent / "results" / "minimisers.json"
MINIMISERS = ("lammps", "descent", "half", "batch", "lbfgs", "fire")
"""By their names in the file; half is the descent with half the step, from the first starts."""
Report = Callable[[str], None]
SEED = 1
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
FIRE_STEP = 2e-3
"""Time step that FIRE begins with; it grows to ten times that, beyond which it flies off."""
CONTROL = 15
"""Starts whose descent is repeated with half the step."""


def moved(state: State, duration: float, seed: int, **temperatures: float) -> State:
    """A liquid after a stage at constant volume."""
    stage = Stage(name="rest", ensemble="nvt", duration=duration, **temperatures)
    return list(run_stage(MODEL, state, stage, seed=seed))[-1].state


def liquids(n: int) -> Iterator[State]:
    """States of one trajectory."""
    state = moved(create(MODEL, n, seed=SEED), 40.0, 1, start=1.0, stop=TEMPERATURE)
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


def by_fire(start: Configuration) -> tuple[float, int]:
    """The same of LAMMPS' FIRE, and its iterations."""
    with LammpsEngine(MODEL, start, sheared=True) as engine:
        engine.commands([f"timestep {FIRE_STEP!r}", "min_style fire", "min_modify norm max"])
        engine.commands([f"minimize 0.0 {TOLERANCE!r} {LONGEST} {10 * LONGEST}"])
        return engine.energy(), int(engine.thermo("step"))


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


def by_batch(starts: list[Configuration], report: Report) -> tuple[list[float], float]:
    """The same of the batch engine, and the mean number of evaluations."""
    device = Minimiser(MODEL, len(starts), len(starts[0]))
    for start in starts:
        device.begin(pack(MODEL, start), TOLERANCE)
    found: dict[int, Any] = {}
    while len(found) < len(starts):
        found |= device.advance(100)
        report(f"batch: {len(found)} of {len(starts)}")
    ends = [found[slot] for slot in range(len(starts))]
    return [end.energy for end in ends], float(np.mean([end.evaluations for end in ends]))


def ends_of(name: str, starts: list[Configuration], report: Report) -> dict[str, Any]:
    """Energies per particle where a minimiser ends, and evaluations of forces where known."""
    if name == "batch":
        energies, evaluations = by_batch(starts, report)
    elif name == "lbfgs":
        found, counts = lbfgs(MODEL, starts, TOLERANCE, report)
        energies, evaluations = found.tolist(), float(counts.mean())
    elif name == "fire":
        pairs = [by_fire(start) for start in starts]
        energies, evaluations = [e for e, _ in pairs], float(np.mean([n for _, n in pairs]))
    else:
        minimise = {"lammps": by_lammps, "descent": by_descent, "half": by_half}[name]
        some = starts[:CONTROL] if name == "half" else starts
        energies, evaluations = [minimise(start) for start in some], None
    report(f"{name}: {len(energies)}")
    return {"energies": energies, "evaluations": evaluations}


def by_half(start: Configuration) -> float:
    """The descent with half the step."""
    return by_descent(start, DESCENT_STEP / 2)


def compare(
    starts: list[Configuration], known: dict[str, Any], again: list[str], report: Report
) -> dict[str, Any]:
    """Numbers of starts from which two minimisers end in the same minimum."""
    ends = {name: ends_of(name, starts, report) for name in again}
    ends = {name: known[name] for name in MINIMISERS if name not in again} | ends
    energies = {name: np.array(ends[name]["energies"]) for name in MINIMISERS}
    assert abs(energies["lammps"][0] - by_lammps(starts[0])) < SAME, "these are other starts"
    same: dict[str, dict[str, int]] = {}
    for name, other in itertools.product(MINIMISERS, ("lammps", "descent")):
        if name != other:
            n = min(len(energies[name]), len(energies[other]))
            gap = np.abs(energies[name][:n] - energies[other][:n])
            same.setdefault(name, {})[other] = int((gap < SAME).sum())
    return {"starts": len(starts), "same": same, "ends": ends}


def keep(found: dict[str, Any]) -> None:
    """Print and write what is there."""
    for what in ("liquids", "events"):
        for name, numbers in found.get(what, {}).get("same", {}).items():
            print(what, name, numbers, found[what]["ends"][name]["evaluations"], flush=True)
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--particles", type=int, default=250)
    parser.add_argument("--liquids", type=int, default=200)
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--again", nargs="*", default=MINIMISERS, choices=MINIMISERS)
    given = parser.parse_args()
    began = time.time()

    def report(text: str) -> None:
        print(f"[{time.time() - began:7.1f} s] {text}", flush=True)

    found: dict[str, Any] = {
        "command": "make bench-minimisers",
        "versions": {name: version(name) for name in ("amorphace", "lammps", "warp-lang")},
        "machine": f"{platform.machine()}, one core",
        "seed": SEED,
        "particles": given.particles,
        "temperature": TEMPERATURE,
    }
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    starts = [state.configuration for state in islice(liquids(given.particles), given.liquids)]
    begun = [start for start, _ in islice(events(given.particles), given.events)]
    report("liquids and events are there")
    for what, all_starts in (("liquids", starts), ("events", begun)):
        ends = known.get(what, {}).get("ends", {})
        found[what] = compare(all_starts, ends, list(given.again), report)
        keep(found)


if __name__ == "__main__":
    main()
