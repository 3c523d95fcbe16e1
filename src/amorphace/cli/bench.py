"""`amorphace bench-engine`: how fast the engines are on this machine."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from amorphace.cli.shared import STORES, app, command_line, show
from amorphace.core.errors import InputError, SetupError
from amorphace.core.process import processor_name
from amorphace.runs.execute import programs_here


@app.command("bench-engine", rich_help_panel=STORES)
def bench_engine(
    device: Annotated[str, typer.Option(help="Of the batch: cuda, cuda:1, or cpu.")] = "cuda",
    sizes: Annotated[
        str, typer.Option(help="Systems x particles, with commas.")
    ] = "1x4096,30x4096,1x32768,30x32768",
    steps: Annotated[int, typer.Option(help="Of each run.", min=20)] = 1000,
    precision: Annotated[str, typer.Option(help="mixed, double, or both.")] = "both",
    others: Annotated[
        bool,
        typer.Option(help="LAMMPS, and OpenMM where it is installed, one system at a time."),
    ] = True,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A JSON file for the numbers.")
    ] = None,
) -> None:
    """Atom-steps a second of Kob-Andersen liquids, and the drift of their energy.

    Example: amorphace bench-engine --device cpu --sizes 1x1000,4x1000 --steps 100
    """
    try:
        from amorphace.simulate.batch.devices import device_name
        from amorphace.simulate.batch.speed import batch_speed, lammps_speed, openmm_speed
    except ImportError as error:
        raise SetupError(f"{error.name} is missing: install amorphace[gpu]") from None
    if precision not in ("mixed", "double", "both"):
        raise InputError(f"--precision must be mixed, double or both, got {precision!r}")
    pairs = [_size(text) for text in sizes.split(",")]
    found = []
    for systems, particles in pairs:
        for kind in ("mixed", "double") if precision == "both" else (precision,):
            found.append(batch_speed(systems, particles, steps, device=device, precision=kind))
    each = sorted({n for _, n in pairs}) if others else []
    found += [lammps_speed(n, min(steps, 200)) for n in each]
    if find_spec("openmm"):
        found += [openmm_speed(n, steps, device=device) for n in each]
    table = RichTable("engine", "on", "precision", "systems x particles", "atom-steps/s", "drift")
    for s in found:
        table.add_row(
            s.engine, s.device, s.precision, f"{s.systems} x {s.particles}", f"{s.rate:.3g}",
            f"{s.drift:.1e}",
        )  # fmt: skip
    show(table)
    if output is not None:
        kept = {
            "command": command_line(),
            "programs": programs_here(("lammps", "warp-lang", "openmm")),
            "device": f"one core of {processor_name()}" if device == "cpu" else device_name(device),
            "seed": 0,
            "speeds": [{**vars(s), "rate": s.rate} for s in found],
        }
        output.write_text(json.dumps(kept, indent=1) + "\n")
        show(f"{output}: written")


def _size(text: str) -> tuple[int, int]:
    """Systems and particles of "30x4096"."""
    systems, _, particles = text.partition("x")
    if systems.isdecimal() and particles.isdecimal() and int(systems) > 0 and int(particles) > 0:
        return int(systems), int(particles)
    raise InputError(f"a size is systems x particles, such as 30x4096; got {text!r}")
