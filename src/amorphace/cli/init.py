"""`amorphace init`: an experiment file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from amorphace.cli.shared import app, show


@app.command()
def init(
    model: Annotated[str, typer.Argument(help="kob-andersen, wahnstrom or bead-spring.")],
    protocol: Annotated[str, typer.Argument(help="thermal or shear.")],
    scale: Annotated[
        str,
        typer.Option(help="minutes, hours, overnight (on two cores) or paper (a cluster, a GPU)."),
    ] = "minutes",
    engine: Annotated[
        str, typer.Option(help="lammps, or batch: all samples side by side on one GPU.")
    ] = "lammps",
    cluster: Annotated[
        str | None, typer.Option(help="slurm: the file, and a job array, for a cluster.")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of what --cluster writes.")
    ] = Path(),
) -> None:
    """An experiment file for one of the paper's cases, on standard output.

    With --cluster, the file and a script that submits it go to a folder.

    Example: amorphace init kob-andersen thermal --scale minutes > ka.toml
    """
    from amorphace.config import experiment_text

    text = experiment_text(model, protocol, scale, engine)
    if cluster is None:
        sys.stdout.write(text)
        return
    from amorphace.config.job_array import write_cluster_files

    for file in write_cluster_files(output, f"{model}-{protocol}", text, cluster):
        show(f"{file}: written")
