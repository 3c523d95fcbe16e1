"""`amorphace analyse`: from files of one's own to the page, in one command."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amorphace.ace.features import Features
from amorphace.cli import options
from amorphace.cli.samples import show_lengths, show_pairs
from amorphace.cli.shared import FILES, app, command_line
from amorphace.core.errors import InputError

if TYPE_CHECKING:
    from amorphace.config import OwnExperiment

NAME = "analysis"
"""Of the experiment file, its store and its results, in the folder that is asked for."""


@app.command(cls=options.ListOptions, rich_help_panel=FILES)
@options.options_of(Features, "cutoffs")
def analyse(
    species: options.Species,
    output: options.Output,
    initial: Annotated[
        list[str] | None,
        typer.Argument(help='Initial configurations, one file a sample, or "s*.initial.dump".'),
    ] = None,
    endpoints: Annotated[
        list[Path] | None,
        typer.Option(help="End points: one file a sample, a frame for each run from its start."),
    ] = None,
    inherent: Annotated[
        list[Path] | None,
        typer.Option(help="Inherent structures of the initial configurations; these otherwise."),
    ] = None,
    steps: Annotated[
        list[Path] | None,
        typer.Option(help="Instead: sheared glasses, one file a sample, a frame a strain step."),
    ] = None,
    frame: options.Frame = None,
    lag: options.Lag = None,
    cutoff: Annotated[
        list[float] | None,
        typer.Option(help="Cutoffs of the features, in units of sigma.  [default: 2 2.5 3 4]"),
    ] = None,
    features: Features = Features(),  # noqa: B008
    sigma: options.Sigma = None,
    d2min_cutoff: Annotated[
        float, typer.Option(help="Cutoff of D2min, in units of sigma.", min=0)
    ] = 2.5,
    fraction: options.Fraction = 0.05,
    threshold: Annotated[
        float | None,
        typer.Option(help="With --steps: D2min above which a particle is active.  [default: 0.6]"),
    ] = None,
    majority: options.Majority = None,
    masses: options.Masses = None,
    unwrapped: options.Unwrapped = False,
    order: options.Order = "id",
    folds: Annotated[
        int, typer.Option(help="Folds of the cross-validation; no more than samples.", min=2)
    ] = 10,
    full: options.Full = False,
    seed: options.Seed = 0,
    title: Annotated[str, typer.Option(help="Title of the page.")] = "",
    workers: options.Workers = 0,
    open_: options.Open = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Take these settings in the place of other ones there."),
    ] = False,
) -> None:
    """Your own files, from who moved to the page: label, describe, learn and report in one.

    Give the starts of runs and where the runs ended, or with --steps the frames of sheared
    glasses. Files are matched by their names. The folder gets an experiment file, analysis.toml,
    its store, and analysis.results with the page; the same command goes on where it was
    interrupted, by Ctrl-C or by force, and so does amorphace run.

    Example: amorphace analyse "s*.initial.dump" --endpoints "s*.ends.dump" --species A,B -o out
    """
    from amorphace.cli.run import carry_through
    from amorphace.config.presets import file_text
    from amorphace.core.files import text_written_aside

    given = {"initial": initial, "endpoints": endpoints, "inherent": inherent, "steps": steps}
    chosen = {"frame": frame, "lag": lag, "majority": majority, "masses": masses}
    found = {name: _counted_from(output, words) for name, words in given.items() if words}
    data = {"species": species} | found | {k: v for k, v in chosen.items() if v is not None}
    data |= {"unwrapped": True} if unwrapped else {}
    data |= {"order": order} if order != "id" else {}
    own = {f.name: getattr(features, f.name) for f in fields(features) if f.name != "cutoffs"}
    described = {k: v for k, v in own.items() if v != getattr(Features(), k)}
    tables: dict[str, dict[str, Any]] = {
        "experiment": {"name": title or f"Glass of {' and '.join(species)}", "seed": seed},
        "data": data,
        "label": {"d2min_cutoff": d2min_cutoff, "fraction": fraction},
        "describe": described | ({"cutoffs": cutoff} if cutoff else {}),
        "learn": {"folds": folds, "full": full},
    }
    if threshold is not None:
        tables["events"] = {"threshold": threshold}
    experiment = _checked(tables, output)
    length = _shown(experiment, sigma)
    data |= {"sigma": length} if length != 1 else {}
    text = file_text(f"# {command_line()}", tables)
    file = output / f"{NAME}.toml"
    _without_head = text.partition("\n")[2]
    if file.exists() and file.read_text(encoding="utf-8").partition("\n")[2] != _without_head:
        if not overwrite:
            raise InputError(
                f"{file} has other settings: carry it on as it is (amorphace run {file}), give "
                "another -o, or --overwrite to take these; what both have in common is kept"
            )
        file.unlink()
    if not file.exists():
        output.mkdir(parents=True, exist_ok=True)
        with text_written_aside(file) as stream:
            stream.write(text)
    carry_through(file, workers=workers, open_=open_)


def _counted_from(folder: Path, words: list[Any]) -> list[str]:
    """Paths and patterns of the working directory, from the folder of the experiment file."""
    return [
        str(word) if Path(word).is_absolute() else Path(os.path.relpath(word, folder)).as_posix()
        for word in words
    ]


def _checked(tables: dict[str, dict[str, Any]], folder: Path) -> OwnExperiment:
    """The experiment of these tables, with files that are there and belong together."""
    from amorphace.config import OwnExperiment
    from amorphace.core.codec import decode

    found = decode(OwnExperiment, tables, source="amorphace analyse")
    object.__setattr__(found, "folder", folder.resolve())
    found.samples()
    return found


def _shown(experiment: OwnExperiment, sigma: str | None) -> float:
    """Shows which files belong together and their lengths; the diameter."""
    from amorphace.dataset.files import scaled, start_of, unit

    data, samples = experiment.data, experiment.samples()
    if data.steps is None:
        rows = [[s.name, *(p.name for p in (s.start, s.ends, s.inherent) if p)] for s in samples]
        heads = ["start", "end points", "inherent structure"][: len(rows[0]) - 1]
        show_pairs(heads, rows, experiment.matched_by() or "name")
    frame = 0 if data.steps is not None else data.frame
    first = start_of(samples[0].start, data.species, frame, data.order)
    length = unit(sigma, first, data.majority)
    reaches = {scaled(experiment.label.d2min_cutoff, length): None}
    reaches |= {scaled(cutoff, length): None for cutoff in experiment.describe.cutoffs}
    show_lengths(samples[0].name, first, list(reaches), length)
    return length
