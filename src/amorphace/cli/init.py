"""`amorphace init`: an experiment file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from amorphace.cli.shared import EXPERIMENTS, app, show
from amorphace.core.errors import InputError


@app.command(rich_help_panel=EXPERIMENTS)
def init(
    model: Annotated[
        Literal["kob-andersen", "wahnstrom", "bead-spring"], typer.Argument(help="The glass.")
    ],
    protocol: Annotated[Literal["thermal", "shear"], typer.Argument(help="What disturbs it.")],
    scale: Annotated[
        Literal["minutes", "hours", "overnight", "paper"],
        typer.Option(help="How long it takes on two cores; paper is for a cluster or a GPU."),
    ] = "minutes",
    engine: Annotated[
        Literal["lammps", "batch"],
        typer.Option(help="lammps, or batch: all samples side by side on one GPU."),
    ] = "lammps",
    cluster: Annotated[
        Literal["slurm"] | None, typer.Option(help="The file, and a job array, for a cluster.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The file; with --cluster, the folder of what it writes."
        ),
    ] = None,
) -> None:
    """An experiment file for one of the paper's cases, on standard output or in a file.

    With --cluster, the file and a script that submits it go to a folder.

    Example: amorphace init kob-andersen thermal --scale minutes -o ka.toml
    """
    from amorphace.config import experiment_text
    from amorphace.core.files import text_written_aside

    text = experiment_text(model, protocol, scale, engine)
    if cluster is None and output is None:
        sys.stdout.write(text)
    elif cluster is None and output is not None:
        if output.exists():
            raise InputError(f"{output} is there already; give another name with -o")
        with text_written_aside(output) as stream:
            stream.write(text)
        show(f"{output}: written; carry it out by: amorphace run {output}")
    else:
        from amorphace.config.job_array import write_cluster_files

        name = f"{model}-{protocol}"
        for file in write_cluster_files(output or Path(), name, text, cluster or ""):
            show(f"{file}: written")
