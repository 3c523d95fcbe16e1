"""`amorphace label`: who moved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from amorphace.cli import options
from amorphace.cli.samples import show_lengths, show_pairs
from amorphace.cli.shared import FILES, Json, app, command_line, progress_bar, show, show_json


@app.command(cls=options.ListOptions, rich_help_panel=FILES)
def label(
    initial: Annotated[list[Path], typer.Argument(help="Initial configurations, one a sample.")],
    species: options.Species,
    output: options.Output,
    endpoints: Annotated[
        list[Path] | None,
        typer.Option(
            help="End points: for each sample one file, a frame for each run. When left out, the "
            "other frames of the initial files."
        ),
    ] = None,
    frame: options.Frame = None,
    lag: options.Lag = None,
    cutoff: Annotated[float, typer.Option(help="Cutoff of D2min, in units of sigma.")] = 2.5,
    sigma: options.Sigma = None,
    fraction: options.Fraction = 0.05,
    majority: options.Majority = None,
    power: Annotated[
        float, typer.Option(help="Propensity: mean |u|^power; 1 absolute, 2 squared.")
    ] = 1.0,
    normalize: Annotated[
        bool, typer.Option("--normalize", help="D2min per neighbour instead of the sum.")
    ] = False,
    unwrapped: options.Unwrapped = False,
    masses: options.Masses = None,
    n_jobs: options.Jobs = -1,
    order: options.Order = "id",
    overwrite: options.Overwrite = False,
    json: Json = False,
) -> None:
    """Who moved: D2min and propensity of every particle, labels of the extreme ones.

    Averages over the end points of runs that start at one configuration with different
    velocities (isoconfigurational ensemble). The most and the least active --fraction of the
    majority species in each sample become the active (1) and inactive (0) particles.

    Initial files and end points are matched by their names where these tell. Of a trajectory that
    holds start and ends, give the file alone with --frame, and --lag for ends at one time.

    Example: amorphace label s1.initial.dump s2.initial.dump --endpoints s1.ends.dump
    s2.ends.dump --species A,B -o labels.zarr
    """
    from amorphace.dataset.ensembles import masses_by_species
    from amorphace.dataset.files import ends_of, sample_names, scaled, start_of, unit
    from amorphace.dataset.label_thermal import ThermalSample, label_thermal, summarize_samples
    from amorphace.dataset.plausible import check_repeated
    from amorphace.dataset.provenance import provenance
    from amorphace.dataset.zarr_table import check_replaceable, write_table

    inputs = [*initial, *(endpoints or [])]
    check_replaceable(output, overwrite=overwrite, inputs=inputs)
    weights = masses_by_species(species, masses)
    names = sample_names(initial)
    ends = _ends(initial, endpoints, names, frame)
    first = start_of(initial[0], species, frame, order)
    length = unit(sigma, first, majority)
    reach = scaled(cutoff, length)
    origin = provenance(
        command_line(),
        {
            "cutoff": reach,
            "sigma": length,
            "frame": frame,
            "lag": lag,
            "fraction": fraction,
            "majority": majority,
            "power": power,
            "normalize": normalize,
            "unwrapped": unwrapped,
            "masses": masses,
            "species": list(species),
        },
        inputs,
    )
    digests = [(entry["name"], entry["sha256"]) for entry in origin["inputs"]]
    check_repeated(digests[: len(initial)], "the initial configurations")
    check_repeated(digests[len(initial) :], "the end points")
    show_lengths(names[0], first, [reach], length)
    with progress_bar("samples", "label", len(initial)) as bar:

        def samples() -> Iterator[ThermalSample]:
            for name, path, end in zip(names, initial, ends, strict=True):
                bar(description=f"label {name}")
                start = start_of(path, species, frame, order)
                frames = ends_of(end, species, start, own=endpoints is None, lag=lag, order=order)
                yield ThermalSample(name, start, frames)
                bar(advance=1)

        table = label_thermal(
            samples(),
            cutoff=reach,
            fraction=fraction,
            majority=majority,
            power=power,
            normalize=normalize,
            unwrapped=unwrapped,
            masses=weights,
            n_jobs=n_jobs,
            provenance=origin,
        )
    write_table(output, table, overwrite=overwrite)
    rows = RichTable("sample", "particles", "active", "inactive", "D2min-propensity correlation")
    found = summarize_samples(table, majority)
    for s in found:
        rows.add_row(
            s.name, str(s.n_particles), str(s.n_active), str(s.n_inactive), f"{s.correlation:.3f}"
        )
    show(rows)
    show(f"{output}: {int((table.label >= 0).sum())} labelled of {len(table)} particles")
    if json:
        show_json({"samples": found, "file": str(output)})


def _ends(
    initial: list[Path], endpoints: list[Path] | None, names: list[str], frame: int | None
) -> list[Path]:
    """The file of end points of each initial configuration; shows which."""
    from amorphace.dataset.files import check_ends_given, paired

    check_ends_given(endpoints, frame)
    if endpoints is None:
        return initial
    ends, by = paired([str(path) for path in initial], endpoints, "end points (--endpoints)")
    show_pairs(["start", "end points"], zip(names, initial, ends, strict=True), by)
    return ends
