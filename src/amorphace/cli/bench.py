"""`amorphace bench-engine`: how fast the engines are on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from amorphace.cli.shared import STORES, app, show
from amorphace.core.errors import InputError, SetupError


@app.command("bench-engine", rich_help_panel=STORES)
def bench_engine(
    device: Annotated[str, typer.Option(help="Of the batch: cuda, cuda:1, or cpu.")] = "cuda",
    sizes: Annotated[
        str, typer.Option(help="Systems x particles, with commas.")
    ] = "1x4096,30x4096,1x32768,30x32768",
    steps: Annotated[int, typer.Option(help="Of each run.", min=20)] = 1000,
    precision: Annotated[str, typer.Option(help="mixed, double, or both.")] = "both",
    lammps: Annotated[bool, typer.Option(help="LAMMPS beside it, one system at a time.")] = True,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A JSON file for the numbers.")
    ] = None,
) -> None:
    """Atom-steps a second of Kob-Andersen liquids, and the drift of their energy.

    Example: amorphace bench-engine --device cpu --sizes 1x1000,4x1000 --steps 100
    """
    try:
        from amorphace.simulate.batch.speed import batch_speed, lammps_speed
    except ImportError as error:
        raise SetupError(f"{error.name} is missing: install amorphace[gpu]") from None
    if precision not in ("mixed", "double", "both"):
        raise InputError(f"--precision must be mixed, double or both, got {precision!r}")
    pairs = [_size(text) for text in sizes.split(",")]
    found = []
    for systems, particles in pairs:
        for kind in ("mixed", "double") if precision == "both" else (precision,):
            found.append(batch_speed(systems, particles, steps, device=device, precision=kind))
    if lammps:
        found += [lammps_speed(n, min(steps, 200)) for n in sorted({n for _, n in pairs})]
    table = RichTable("engine", "on", "precision", "systems x particles", "atom-steps/s", "drift")
    for s in found:
        table.add_row(
            s.engine, s.device, s.precision, f"{s.systems} x {s.particles}", f"{s.rate:.3g}",
            f"{s.drift:.1e}",
        )  # fmt: skip
    show(table)
    if output is not None:
        output.write_text(json.dumps([{**vars(s), "rate": s.rate} for s in found], indent=1) + "\n")
        show(f"{output}: written")


def _size(text: str) -> tuple[int, int]:
    """Systems and particles of "30x4096"."""
    systems, _, particles = text.partition("x")
    if systems.isdecimal() and particles.isdecimal() and int(systems) > 0 and int(particles) > 0:
        return int(systems), int(particles)
    raise InputError(f"a size is systems x particles, such as 30x4096; got {text!r}")
