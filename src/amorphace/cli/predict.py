"""`amorphace predict`: a fitted model's score for every particle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amorphace.cli import options
from amorphace.cli.shared import app, progress_bar, show

OUTSIDE = 0.01
"""Share of particles outside of what was learned that is worth a warning."""


@app.command(cls=options.ListOptions)
def predict(
    model: Annotated[Path, typer.Argument(help="A fitted model (JSON).")],
    file: Annotated[
        Path, typer.Argument(help="Configuration or trajectory: dump, extended XYZ, GSD, npz.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="NAME.xyz or NAME.dump (also with .gz); NAME.gsd, NAME.npz."
        ),
    ],
    species: Annotated[
        list[str] | None,
        typer.Option(help="Species labels, in the order of LAMMPS types; the model's."),
    ] = None,
    centres: Annotated[
        list[str] | None,
        typer.Option(help="Species that get a score; those the model was fitted to."),
    ] = None,
    n_jobs: options.Jobs = -1,
    overwrite: options.Overwrite = False,
) -> None:
    """Where a model expects rearrangements: a score for every particle, as a column.

    Every frame of the file is written with the columns "score", which OVITO colours by, and
    "rigidity", how firm the score is; particles that the model has not learned about (other
    species) have NaN. A glass outside of what was learned is warned about.

    Example: amorphace predict model.json glass.dump -o scored.xyz
    """
    from amorphace.core.owned import owned_file
    from amorphace.io import iread
    from amorphace.learn.model import LinearModel
    from amorphace.learn.predict import model_descriptor, write_scores

    fitted = LinearModel.from_json(model)
    model_descriptor(fitted)  # says what the model lacks before a file is read
    labels = tuple(species or fitted.settings["species"])
    with (
        owned_file(output, overwrite=overwrite, inputs=[model, file]),
        progress_bar("frames") as bar,
    ):
        task = bar.add_task("predict", total=None)
        written = write_scores(
            output,
            fitted,
            iread(file, labels),
            centres=centres,
            n_jobs=n_jobs,
            progress=lambda n: bar.advance(task, n),
        )
    frames = "frame" if written.n_frames == 1 else "frames"
    show(f"{output}: {written.n_scores} scores in {written.n_frames} {frames}")
    share = written.n_outside / max(written.n_scores, 1)
    if share > OUTSIDE:
        show(
            f"warning: {share:.1%} of the scored particles lie outside of what the model learned "
            "from (leverage beyond the largest of its training sites): is this the same glass, "
            "prepared in the same way, in the same units?"
        )
