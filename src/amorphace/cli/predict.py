"""`amorphace predict`: a model's score for every particle."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from amorphace.cli import options
from amorphace.cli.shared import FILES, Json, app, progress_bar, show, show_json
from amorphace.core.errors import InputError


def _show_models(wanted: bool) -> None:
    """The models that come with amorphace, and what each is worth."""
    if not wanted:
        return
    from amorphace.front.predictor import load_model, shipped_models

    rows = RichTable("model", "glass", "accuracy ± 68 %", "samples", "species", "peak of g(r)")
    for name in shipped_models():
        known = load_model(name)
        first = known.scores[0]
        rows.add_row(
            name,
            known.card.title,
            f"{first.mean:.3f} ± {first.error:.3f}",
            str(first.n),
            ",".join(known.model.settings["species"]),
            f"{known.card.peak:.3f}",
        )
    show(rows)
    raise typer.Exit


@app.command(cls=options.ListOptions, rich_help_panel=FILES)
def predict(
    model: Annotated[
        str, typer.Argument(help="Name of a model that comes with amorphace, or a file (JSON).")
    ],
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
    rename: Annotated[
        list[str] | None,
        typer.Option(help="Labels of the file, as the model calls them: Cu=A,Zr=B."),
    ] = None,
    sigma: Annotated[
        str | None,
        typer.Option(
            help="The model's unit of length in that of the file: a number, or auto, by the first "
            "peaks of the majority's g(r)."
        ),
    ] = None,
    models: Annotated[
        bool,
        typer.Option(
            "--list", help="Show the models by name.", callback=_show_models, is_eager=True
        ),
    ] = False,
    n_jobs: options.Jobs = -1,
    json: Json = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Where a model expects rearrangements: a score for every particle, as a column.

    Every frame of the file is written with the columns "score", which OVITO colours by, and
    "rigidity", how firm the score is; particles that the model has not learned about (other
    species) have NaN. A glass outside of what was learned is warned about.

    Example: amorphace predict kob-andersen glass.dump -o scored.xyz
    """
    from amorphace.core.owned import owned_file
    from amorphace.front.predictor import load_model
    from amorphace.io import iread
    from amorphace.learn.predict import model_descriptor
    from amorphace.learn.scored import write_scores

    known = load_model(model)
    model_descriptor(known.model)  # says what the model lacks before a file is read
    own = known.model.settings["species"]
    names = _labels(own, rename or [])
    inputs = [file, *([Path(model)] if Path(model).is_file() else [])]
    with (
        owned_file(output, overwrite=overwrite, inputs=inputs),
        progress_bar("frames", "predict") as bar,
    ):
        frames = iread(file, species or names)
        first = next(frames, None)
        if first is None:
            raise InputError(f"{file} holds no frame")
        length = 1.0 if sigma is None else known.sigma(first, sigma, names)
        written = write_scores(
            output,
            known.model,
            chain([first], frames),
            centres=centres,
            species=names,
            sigma=length,
            n_jobs=n_jobs,
            progress=lambda n: bar(advance=n),
        )
    unit = "" if length == 1 else f"; sigma is {length:g}"
    count = f"{written.n_frames} frame{'s' if written.n_frames > 1 else ''}"
    show(f"{output}: {written.n_scores} scores in {count}{unit}")
    for worth in known.scores:
        show(f"on samples left out: {worth}")
    for doubt in known.unlike(written.n_outside, written.n_scores):
        show(f"warning: {doubt}")
    if json:
        show_json(
            {
                "file": str(output),
                "n_frames": written.n_frames,
                "n_scores": written.n_scores,
                "n_outside": written.n_outside,
                "on_samples_left_out": known.scores,
            }
        )


def _labels(own: list[str], rename: list[str]) -> tuple[str, ...]:
    """What the file calls each of the model's species: "Cu=A" says that A is Cu there."""
    names = {label: label for label in own}
    for word in rename:
        label, _, known = word.partition("=")
        if not label or not known:
            raise InputError(f"--rename {word}: give pairs of labels, the file's first: Cu=A")
        if known not in names:
            raise InputError(
                f"--rename {word}: the model has no species {known}; there are {', '.join(own)}"
            )
        names[known] = label
    return tuple(names.values())
