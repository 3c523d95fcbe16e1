"""`amorphace regress`: a ridge over all particles of a species."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from amorphace.cli import options
from amorphace.cli.samples import files_of, show_lengths
from amorphace.cli.shared import FILES, app, command_line, progress_bar, show


@app.command(cls=options.ListOptions, rich_help_panel=FILES)
def regress(
    configurations: Annotated[
        list[Path], typer.Argument(help="One configuration a labelled sample (last frame).")
    ],
    labels: Annotated[Path, typer.Option(help="What label wrote for these samples.")],
    species: options.Species,
    output: options.Output,
    target: Annotated[str, typer.Option(help="'d2min', 'propensity', or another target.")] = (
        "d2min"
    ),
    log: Annotated[bool, typer.Option("--log", help="Predict the logarithm of the target.")] = (
        False
    ),
    centres: Annotated[
        str | None, typer.Option(help="Species whose particles are predicted; the most frequent.")
    ] = None,
    cutoff: Annotated[float, typer.Option(help="Of the features, in units of sigma.")] = 4.0,
    sigma: options.Sigma = None,
    n_max: Annotated[int, typer.Option(help="Radial functions for each species.")] = 10,
    distance_transform: options.Transform = "ace1",
    lengths: Annotated[
        list[float] | None, typer.Option(help="Of the averages, in units of sigma; 0.8, 1.6 and 3.")
    ] = None,
    curve: Annotated[bool, typer.Option(help="Also the learning curve.")] = True,
    n_jobs: options.Jobs = -1,
    order: options.Order = options.BY_ID,
    overwrite: options.Overwrite = False,
) -> None:
    """How much of propensity or D2min is structure: a ridge over all particles of a species.

    Radial features of every particle and their averages over its neighbours, weighted by
    exp(-r/length), for each species; correlation of prediction and target in each sample, learned
    from all the others. Writes JSON.

    Example: amorphace regress s*.inherent.dump --labels labels.zarr --species A,B -o regress.json
    """
    import numpy as np

    from amorphace.ace.descriptor import ACEDescriptor
    from amorphace.core.owned import check_file, owned_file
    from amorphace.dataset.files import scaled, unit
    from amorphace.dataset.label_thermal import majority_species
    from amorphace.dataset.plausible import check_neighbours, warn
    from amorphace.dataset.provenance import provenance
    from amorphace.dataset.zarr_table import read_table
    from amorphace.io import read
    from amorphace.learn.coarse import LENGTHS, table_inputs
    from amorphace.learn.propensity import (
        Regression,
        propensity_curve,
        propensity_score,
        write_regression,
    )

    inputs = [*configurations, labels]
    check_file(output, overwrite=overwrite, inputs=inputs)
    table = read_table(labels)
    chosen = centres or majority_species(table.species)
    files = files_of(table, configurations)
    first = read(files[0], tuple(species))
    length = unit(sigma, first)
    reach = scaled(cutoff, length)
    show_lengths(files[0].name, first, [reach], length)
    warn(check_neighbours(files[0].name, first, [reach]))
    ace = ACEDescriptor(
        cutoff=reach,
        species=tuple(species),
        max_order=1,
        n_max=n_max,
        distance_transform=distance_transform,
        r0=scaled(1.0, length),
        n_jobs=n_jobs,
    )
    scales = tuple(scaled(one, length) for one in lengths or LENGTHS)
    with progress_bar("samples") as bar:
        task = bar.add_task("describe", total=len(configurations))
        regression = table_inputs(
            table,
            (read(path, tuple(species), order=order.value) for path in files),
            ace,
            target=target,
            centres=chosen,
            lengths=scales,
            progress=lambda n: bar.advance(task, n),
        )
    what = f"{ace.n_features_out} radial columns, cutoff {reach:g}, and averages"
    score = propensity_score(
        *regression, target=target, log=log, inputs=what, samples=table.sample_names
    )
    origin = provenance(
        command_line(),
        {
            "cutoff": reach,
            "sigma": length,
            "n_max": n_max,
            "distance_transform": distance_transform,
            "lengths": list(scales),
            "centres": chosen,
        },
        inputs,
    )
    rows = RichTable("sample", "Pearson", "Spearman")
    for name, *values in zip(score.samples, score.pearson, score.spearman, strict=True):
        rows.add_row(name, *(f"{value:.3f}" for value in values))
    rows.add_row("mean", f"{np.mean(score.pearson):.3f}", f"{np.mean(score.spearman):.3f}")
    show(rows)
    learned = None
    if curve:
        with progress_bar("fits") as bar:
            task = bar.add_task("learning curve", total=None)
            learned = propensity_curve(
                *regression,
                target=target,
                log=log,
                inputs=what,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        rows = RichTable("training samples", "Pearson", "Spearman")
        for n, *values in zip(learned.n_train, learned.pearson, learned.spearman, strict=True):
            rows.add_row(str(n), *(f"{value.mean():.3f}" for value in values))
        show(rows)
    with owned_file(output, overwrite=overwrite, inputs=inputs):
        write_regression(output, Regression(score=score, curve=learned, provenance=origin))
    show(f"{output}: written")
