"""`amorphace export`: a table for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amorphace.cli import options
from amorphace.cli.shared import FILES, app, show
from amorphace.core.errors import InputError


@app.command(rich_help_panel=FILES)
def export(
    table: Annotated[Path, typer.Argument(help="A table that label or describe wrote.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="NAME.npz, NAME.csv, NAME.xyz or NAME.dump.")
    ],
    cutoff: Annotated[
        float | None, typer.Option(help="For CSV: add the features of this cutoff.")
    ] = None,
    configuration: Annotated[
        Path | None, typer.Option(help="For particle files: the sample's configuration.")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(help="For particle files: which sample, from 1; by its name, or 1.", min=1),
    ] = None,
    order: options.Order = "id",
    overwrite: options.Overwrite = False,
) -> None:
    """A table as npz or CSV, or its per-particle columns as a file that OVITO opens.

    Example: amorphace export labels.zarr --configuration s1.inherent.dump --sample 1 -o s1.xyz
    """
    from amorphace.core.owned import owned_file
    from amorphace.dataset.export import export_csv, export_npz
    from amorphace.dataset.files import matched
    from amorphace.dataset.particles import particle_columns
    from amorphace.dataset.zarr_table import read_table
    from amorphace.io import read, write

    data = read_table(table)
    inputs = [table, *([configuration] if configuration else [])]
    with owned_file(output, overwrite=overwrite, inputs=inputs):
        if output.suffix == ".npz":
            export_npz(output, data)
        elif output.suffix == ".csv":
            export_csv(output, data, cutoff=cutoff)
        elif configuration is None:
            raise InputError(
                f"{output}: a particle file needs --configuration FILE, which holds the positions "
                "of the sample; or choose a name that ends in .npz or .csv"
            )
        else:
            names = tuple(dict.fromkeys(data.provenance.get("parameters", {}).get("species", ())))
            places, _ = matched(data.sample_names, [configuration], "--configuration")
            place = places[0] if sample is None else sample - 1
            frame = read(configuration, names or None, order=order)
            write(output, frame, **particle_columns(data, frame, place))
    show(f"{output}: written")
