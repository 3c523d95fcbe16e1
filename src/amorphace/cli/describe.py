"""`amorphace describe`: what surrounds each particle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from amorphace.ace.features import Features
from amorphace.cli import options
from amorphace.cli.samples import files_of, show_lengths
from amorphace.cli.shared import FILES, app, command_line, progress_bar, show

CHECKED = 32
"""Configurations whose spacing is looked at, at most."""


@app.command(cls=options.ListOptions, rich_help_panel=FILES)
@options.options_of(Features, "cutoffs")
def describe(
    files: Annotated[
        list[Path],
        typer.Argument(help="Configurations: LAMMPS dump, extended XYZ, GSD or npz."),
    ],
    species: options.Species,
    output: options.Output,
    cutoff: Annotated[
        list[float] | None,
        typer.Option(help="One or more cutoffs, in units of sigma.  [default: 4]"),
    ] = None,
    sigma: options.Sigma = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Labels of these samples: describe the labelled particles only."),
    ] = None,
    centres: Annotated[
        list[str] | None, typer.Option(help="Species of the particles to describe; all.")
    ] = None,
    features: Features = Features(),  # noqa: B008
    sort: Annotated[
        Literal["lexicographic", "degree"], typer.Option(help="Order of the columns.")
    ] = "lexicographic",
    n_jobs: options.Jobs = -1,
    order: options.Order = "id",
    overwrite: options.Overwrite = False,
) -> None:
    """What surrounds each particle: purified ACE features, one table for all cutoffs.

    With --labels, one configuration for each labelled sample (for example its inherent structure;
    the last frame of each file), found by its name, and only labelled particles are described.
    Without, every frame of every file is a sample and all its particles are described.

    Example: amorphace describe glass.dump --species A,B --cutoff 4 --max-degree 10 --n-max 10
    --max-order 3 -o features.zarr
    """
    from amorphace.core.sites import Sites
    from amorphace.dataset.describe import all_sites, labelled_rows, sample_sites, write_features
    from amorphace.dataset.files import read_samples, scaled, unit
    from amorphace.dataset.plausible import check_neighbours, check_repeated, check_spacing, warn
    from amorphace.dataset.provenance import provenance
    from amorphace.dataset.zarr_table import check_replaceable, read_table

    inputs = [*files, *([labels] if labels else [])]
    check_replaceable(output, overwrite=overwrite, inputs=inputs)
    known = None if labels is None else read_table(labels)
    if known is not None:
        files = files_of(known, files)
    samples = read_samples(files, tuple(species), order, last_frame_only=known is not None)
    length = unit(sigma, samples[0].configuration)
    cutoffs = tuple(scaled(c, length) for c in (cutoff or [4.0]))
    features = replace(features, cutoffs=cutoffs, r0=scaled(features.r0, length))
    descriptors = features.descriptors(species, n_jobs=n_jobs, sort=sort)
    settings = {
        k: v for k, v in descriptors[0].get_params().items() if k not in ("cutoff", "n_jobs")
    }
    origin: dict[str, Any] = provenance(
        command_line(),
        settings | {"cutoffs": list(cutoffs)},
        inputs,
    ) | {"sigma": length}
    if known is not None:
        digests = [(entry["name"], entry["sha256"]) for entry in origin["inputs"]]
        check_repeated(digests[: len(files)], "the configurations")
    show_lengths(samples[0].name, samples[0].configuration, cutoffs, length)
    warn(check_neighbours(samples[0].name, samples[0].configuration, cutoffs))
    for sample in samples[:CHECKED]:
        warn(check_spacing(sample.name, sample.configuration))
    if known is None:
        table, sites = all_sites(samples, centres=centres, provenance=origin)
    else:
        table = labelled_rows(known, centres=centres, provenance=origin)
        sites = Sites.concatenate(sample_sites(table, samples))
    with progress_bar("sites", "describe", len(sites) * len(cutoffs)) as bar:
        write_features(
            output,
            table,
            sites,
            descriptors,
            overwrite=overwrite,
            progress=lambda n: bar(advance=n),
        )
    show(
        f"{output}: {len(table)} sites of {len(samples)} samples, {descriptors[0].n_features_out} "
        f"columns at cutoffs {', '.join(f'{c:g}' for c in cutoffs)}"
    )
