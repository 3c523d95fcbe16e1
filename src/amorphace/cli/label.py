"""`amorphace label`: who moved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from amorphace.cli.samples import sample_names
from amorphace.cli.shared import (
    ListOptions,
    OutputOption,
    OverwriteOption,
    SpeciesOption,
    app,
    command_line,
    progress_bar,
    show,
)
from amorphace.core.errors import InputError


@app.command(cls=ListOptions)
def label(
    initial: Annotated[
        list[Path], typer.Argument(help="Initial configurations, one a sample (last frame each).")
    ],
    endpoints: Annotated[
        list[Path],
        typer.Option(help="End points: for each sample one file, a frame for each run."),
    ],
    species: SpeciesOption,
    output: OutputOption,
    cutoff: Annotated[float, typer.Option(help="Cutoff of D2min, in units of sigma.")] = 2.5,
    fraction: Annotated[
        float, typer.Option(help="Of the majority species: most active, and least active.")
    ] = 0.05,
    majority: Annotated[
        str | None, typer.Option(help="Species to label; the most frequent when left out.")
    ] = None,
    power: Annotated[
        float, typer.Option(help="Propensity: mean |u|^power; 1 absolute, 2 squared.")
    ] = 1.0,
    normalize: Annotated[
        bool, typer.Option("--normalize", help="D2min per neighbour instead of the sum.")
    ] = False,
    unwrapped: Annotated[
        bool,
        typer.Option(
            "--unwrapped", help="Positions are unwrapped: keep displacements beyond half a cell."
        ),
    ] = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Who moved: D2min and propensity of every particle, labels of the extreme ones.

    Averages over the end points of runs that start at one configuration with different
    velocities (isoconfigurational ensemble). The most and the least active --fraction of the
    majority species in each sample become the active (1) and inactive (0) particles.

    Example: amorphace label s1.initial.dump s2.initial.dump --endpoints s1.ends.dump
    s2.ends.dump --species A B -o labels.zarr
    """
    from amorphace.core.outputs import refuse_inputs
    from amorphace.dataset.isoconfigurational import (
        ThermalSample,
        label_thermal,
        summarize_samples,
    )
    from amorphace.dataset.provenance import provenance
    from amorphace.dataset.store import check_replaceable, write_table
    from amorphace.io import iread, read

    if len(initial) != len(endpoints):
        raise InputError(
            f"{len(initial)} initial configurations need as many --endpoints files, got "
            f"{len(endpoints)}; give one for each sample, in the same order"
        )
    refuse_inputs(output, [*initial, *endpoints])
    check_replaceable(output, overwrite=overwrite)
    origin = provenance(
        command_line(),
        {
            "cutoff": cutoff,
            "fraction": fraction,
            "majority": majority,
            "power": power,
            "normalize": normalize,
            "unwrapped": unwrapped,
            "species": list(species),
        },
        [*initial, *endpoints],
    )
    names = sample_names(initial)
    with progress_bar("samples") as bar:
        task = bar.add_task("label", total=len(initial))

        def samples() -> Iterator[ThermalSample]:
            for name, start, ends in zip(names, initial, endpoints, strict=True):
                bar.update(task, description=f"label {name}")
                yield ThermalSample(name, read(start, tuple(species)), iread(ends, tuple(species)))
                bar.advance(task)

        table = label_thermal(
            samples(),
            cutoff=cutoff,
            fraction=fraction,
            majority=majority,
            power=power,
            normalize=normalize,
            unwrapped=unwrapped,
            provenance=origin,
        )
    write_table(output, table, overwrite=overwrite)
    rows = RichTable("sample", "particles", "active", "inactive", "D2min-propensity correlation")
    for s in summarize_samples(table, majority):
        rows.add_row(
            s.name, str(s.n_particles), str(s.n_active), str(s.n_inactive), f"{s.correlation:.3f}"
        )
    show(rows)
    show(f"{output}: {int((table.label >= 0).sum())} labelled of {len(table)} particles")
