"""Parts of `on_device.sh`: how fast minima and shear are on a device, and what bytes it gives.

    python benchmarks/on_device.py {digest,minima,shear} DEVICE SIZES [OUTPUT]
    python benchmarks/on_device.py keep STORE FILE MEGABYTES

SIZES are systems x particles, with commas. `digest` prints a digest of the positions after 200
steps of dynamics and after a minimum, the same in every run on a device. `minima` and `shear`
start from Kob-Andersen liquids at T = 0.8 and write a JSON file: seconds by the clock on the wall,
evaluations of forces, and strain steps of 5e-5 of all samples a second, after the first of each.
`keep` packs finished units of a store into a tar file, whole, as many as fit: what is learnt first,
then events and D2min, then configurations and displacements. Unpacked, they are a store again.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from amorphace import Configuration
from amorphace.runs.store import Store
from amorphace.simulate import Motion, Shear, kob_andersen, shear_steps, start_shear
from amorphace.simulate.batch.crew import Crew
from amorphace.simulate.batch.minimise import Minimiser, Minimum
from amorphace.simulate.batch.packed import pack
from amorphace.simulate.batch.speed import ROUND, ROUNDS, lattice, thermal

MODEL = kob_andersen()
TOLERANCE = 1e-5
STEPS = 10
"""Strain steps of each sample."""
KEPT = ("learn", "label", "describe", "measure", "inherent", "shear", "prepare")
"""Kinds of units of a shear experiment, those first that are kept first."""


def liquids(systems: int, particles: int, crew: Crew) -> list[Any]:
    """States of liquids that were lattices, moved side by side."""

    def melt(k: int) -> Any:
        state = lattice(MODEL, particles, seed=k)
        for _ in range(ROUNDS):
            with crew(MODEL, state.configuration, state.velocities) as engine:
                engine.move(ROUND)
                state = thermal(engine.state())
        return state

    return done(crew, [partial(melt, k) for k in range(systems)])


def done(crew: Crew, works: list[Callable[[], Any]]) -> list[Any]:
    """What pieces of work give, in their order; the first that fails is raised."""
    found = dict(crew.run(works))
    for end in found.values():
        if isinstance(end, Exception):
            raise end
    return [found[k] for k in range(len(works))]


def minima(starts: list[Configuration], device: str) -> tuple[list[Minimum], float]:
    """Minima of systems side by side, and seconds."""
    machine = Minimiser(MODEL, len(starts), len(starts[0]), device=device)
    machine.begin(pack(MODEL, starts[0]), 1e300)  # kernels are loaded
    machine.advance()
    packed = [pack(MODEL, start) for start in starts]
    began, found = time.perf_counter(), dict[int, Any]()
    slots = [machine.begin(system, TOLERANCE) for system in packed]
    while len(found) < len(starts):
        found |= machine.advance()
    return [found[slot] for slot in slots], time.perf_counter() - began


def time_minima(systems: int, particles: int, device: str) -> dict[str, Any]:
    """Speed of minimisation."""
    states = liquids(systems, particles, Crew(device))
    ends, seconds = minima([state.configuration for state in states], device)
    evaluations = sum(end.evaluations for end in ends)
    return {
        "seconds": seconds,
        "evaluations": evaluations,
        "particles a second": evaluations * particles / seconds,
        "largest force": max(end.fmax for end in ends),
    }


def time_shear(systems: int, particles: int, device: str) -> dict[str, Any]:
    """Speed of quasistatic shear."""
    crew = Crew(device)
    states = liquids(systems, particles, crew)
    glasses, _ = minima([state.configuration for state in states], device)
    begins: list[float] = []
    way = Shear(pre_strain=0.0, strain=STEPS * 5e-5, force_tolerance=TOLERANCE)

    def sheared(glass: Configuration) -> int:
        for step in shear_steps(MODEL, start_shear(glass), way, engine=crew):
            if step.step == 1:
                begins.append(time.perf_counter())
        return way.last_step - 1

    steps = done(crew, [partial(sheared, end.packed.configuration()) for end in glasses])
    seconds = time.perf_counter() - min(begins)
    return {"seconds": seconds, "sample-steps a second": sum(steps) / seconds}


def digest(systems: int, particles: int, device: str) -> str:
    """Of where dynamics and minima end."""
    crew, found = Crew(device), hashlib.sha256()

    def moved(state: Any, seed: int) -> Any:
        with crew(MODEL, state.configuration, state.velocities) as engine:
            engine.move(Motion(steps=200, temperatures=(0.6, 0.5), seed=seed))
            there = engine.configuration()
            engine.minimise(1e-3)
            return there, engine.configuration()

    states = liquids(systems, particles, crew)
    for pair in done(crew, [partial(moved, s, k + 1) for k, s in enumerate(states)]):
        for configuration in pair:
            found.update(configuration.positions.tobytes())
    return found.hexdigest()


def keep(path: str, file: str, megabytes: float) -> None:
    """Pack a store: all but its units, and of these as many as fit."""
    store, left = Store(path, create=False), megabytes * 1e6
    with tarfile.open(file, "w") as tar:
        for entry in sorted(store.path.iterdir()):
            if entry.name not in ("units", "tmp", "work"):
                tar.add(entry, f"{store.path.name}/{entry.name}")
        for unit in sorted(store.finished(), key=lambda unit: (KEPT.index(kind_of(unit)), unit)):
            folder = store.folder(unit)
            size = sum(f.stat().st_size + 1024 for f in folder.rglob("*"))
            if size < left:
                left -= size
                tar.add(folder, str(folder.relative_to(store.path.parent)))
                print("kept", unit)


def kind_of(unit: str) -> str:
    """Of a unit's identifier."""
    return unit.partition("-")[0]


def main() -> None:
    """See the head of this file."""
    if sys.argv[1] == "keep":
        keep(sys.argv[2], sys.argv[3], float(sys.argv[4]))
        return
    what, device, sizes, *output = sys.argv[1:]
    rows = []
    for size in sizes.split(","):
        systems, particles = map(int, size.split("x"))
        if what == "digest":
            print(size, digest(systems, particles, device), flush=True)
            continue
        timed = {"minima": time_minima, "shear": time_shear}[what]
        rows.append({"systems": systems, "particles": particles})
        rows[-1] |= timed(systems, particles, device)
        print(rows[-1], flush=True)
        for path in output:
            Path(path).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
