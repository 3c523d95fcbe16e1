"""`amorphace report`: what was found, on one page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from amorphace.cli import options
from amorphace.cli.experiments import open_experiment
from amorphace.cli.samples import analysed, show_pairs
from amorphace.cli.shared import FILES, app, command_line, show
from amorphace.core.errors import InputError

if TYPE_CHECKING:
    from amorphace.report.content import ReportContent, Snapshot

Protocol = Literal["thermal", "shear"]


@app.command(cls=options.ListOptions, rich_help_panel=FILES)
def report(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Results (a folder or analysis.json), a described table, or an experiment file; "
            "several are compared."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The page: NAME.html, or NAME.md with its pictures."),
    ] = Path("report.html"),
    labels: Annotated[
        Path | None,
        typer.Option(help="Table with D2min and labels of all particles of the configurations."),
    ] = None,
    configuration: Annotated[
        list[Path] | None, typer.Option(help="Configurations for slices and the 3D view.")
    ] = None,
    sample: Annotated[
        list[int] | None,
        typer.Option(
            help="Which samples of --labels they are, from 1; by their names, or in order."
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Name of the glass, such as kob-andersen.")] = "",
    protocol: Annotated[Protocol | None, typer.Option(help="What moved the particles.")] = None,
    companion: Annotated[
        Path | None,
        typer.Option(help="Results of the other protocol, for the shared panel of figure 4."),
    ] = None,
    companion_protocol: Annotated[
        Protocol | None, typer.Option(help="Name of that protocol.")
    ] = None,
    regression: Annotated[
        list[Path] | None, typer.Option(help="Results of regress: correlations and their curves.")
    ] = None,
    title: Annotated[str, typer.Option(help="Of the page; the model and protocol.")] = "",
    figures: Annotated[
        Path | None, typer.Option(help="Folder for the figures as PDF, SVG and PNG.")
    ] = None,
    order: options.Order = "id",
    n_jobs: options.Jobs = -1,
    open_: options.Open = False,
    overwrite: options.Overwrite = False,
) -> None:
    """What was found, on one page that opens from disk: figures, numbers, a 3D view.

    The page holds everything it shows and needs no network. From a described table the quick
    parts of the analysis are made first; from results nothing is computed.

    Of an experiment file that `amorphace run` has finished, everything is known; add --companion
    OTHER.results for the shared panel of figure 4. Several experiment files, or results, give a
    page with figures 3, 5 and 7 of all: a column for each glass, thermal motion over shear.

    Example: amorphace report results --labels labels.zarr --configuration s1.inherent.dump
    --model kob-andersen --protocol thermal -o report.html
    """
    from amorphace.core.owned import check_file, check_free, owned_file, owned_folder
    from amorphace.learn.bundle import read_analysis
    from amorphace.learn.regression import read_regression
    from amorphace.report.assemble import assemble
    from amorphace.report.document import document, overview
    from amorphace.report.figures import save_figures
    from amorphace.report.measured import propensity_curve
    from amorphace.report.page import write_report
    from amorphace.simulate.models import MODELS

    if model and model not in MODELS:
        raise InputError(
            f"--model {model}: choose one of {', '.join(MODELS)}; name another glass with --title"
        )
    of_one = {
        "--labels": labels, "--configuration": configuration, "--sample": sample, "--model": model,
        "--protocol": protocol, "--companion": companion, "--regression": regression,
    }  # fmt: skip
    inputs = [*sources, *(configuration or []), *(regression or [])]
    inputs += [path for path in (labels, companion) if path is not None]
    check_file(output, overwrite=overwrite, inputs=inputs)
    if figures is not None:
        check_free(figures, overwrite=overwrite)
    if len(sources) > 1:
        if given := [name for name, value in of_one.items() if value]:
            raise InputError(f"{given[0]} goes with one source, got {len(sources)}")
        contents = [_results(source, n_jobs, source.stem) for source in sources]
        shown = overview([assemble(content) for content in contents], title)
    else:
        content = _results(sources[0], n_jobs, title)
        if not content.protocol:  # no experiment, which knows all of this
            content = replace(content, model=model, protocol=protocol or "")
            snapshots = _snapshots(configuration or [], labels, sample, order, content, n_jobs)
            content = replace(content, snapshots=snapshots)
        regressions = [read_regression(path) for path in regression or []]
        curves = [propensity_curve(r.curve) for r in regressions if r.curve is not None]
        content = replace(
            content,
            companion=None if companion is None else read_analysis(companion),
            companion_protocol=companion_protocol or "",
            propensity=tuple(s for r in regressions for s in (r.score, *r.others)),
            curves=(*content.curves, *curves),
        )
        shown = document(assemble(content))
    with owned_file(output, overwrite=overwrite, inputs=inputs):
        write_report(output, shown)
    show(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
    if figures is not None:
        with owned_folder(figures) as folder:
            save_figures(folder, shown.panels)
        show(f"{figures}: {', '.join(shown.panels)} as PNG, PDF and SVG")
    if open_:
        typer.launch(str(output))


def _results(source: Path, n_jobs: int, title: str) -> ReportContent:
    """What a finished experiment gave, or an analysis alone, made if the source is a table."""
    from amorphace.dataset.blocks import in_blocks
    from amorphace.dataset.zarr_table import read_table
    from amorphace.learn.bundle import QUICK, read_analysis
    from amorphace.report.content import ReportContent
    from amorphace.report.experiment import experiment_content

    if source.suffix == ".toml":
        content = experiment_content(*open_experiment(source), command=command_line())
        return replace(content, title=title or content.title)
    if (source / "zarr.json").is_file():
        analysis = analysed(in_blocks(read_table(source)), QUICK, n_jobs)
    else:
        analysis = read_analysis(source)
    return ReportContent(title=title, analysis=analysis)


def _snapshots(
    files: list[Path],
    labels: Path | None,
    samples: list[int] | None,
    order: options.Order,
    content: ReportContent,
    n_jobs: int,
) -> tuple[Snapshot, ...]:
    """One for each configuration, with everything that is known of its particles."""
    assert content.analysis is not None
    model, species = content.analysis.model, content.analysis.species
    unseen = content.analysis.unseen
    from amorphace.dataset.files import matched
    from amorphace.dataset.zarr_table import read_table
    from amorphace.io import read
    from amorphace.report.assemble import make_snapshot

    if samples and len(samples) != len(files):
        raise InputError(
            f"{len(files)} configurations need as many --sample numbers, got {len(samples)}"
        )
    known = None if labels is None else read_table(labels)
    places = [number - 1 for number in samples or range(1, len(files) + 1)]
    if known is not None and files and not samples:
        places, by = matched(known.sample_names, files, "--configuration")
        named = [known.sample_names[k] if k < len(known.sample_names) else k + 1 for k in places]
        show_pairs(["configuration"], zip(named, files, strict=True), by)
    names = known.sample_names if known is not None else ()
    new = [unseen is not None and names[k : k + 1] == (unseen.sample,) for k in places]
    return tuple(
        make_snapshot(
            path.name,
            read(path, species or None, order=order),
            labels=known,
            sample=place,
            model=unseen.model if unseen is not None and is_new else model,
            n_jobs=n_jobs,
            caption=_caption(known is not None, model is not None, is_new),
            protocol=content.protocol,
            diameters=_diameters(content.model, species),
        )
        for path, place, is_new in zip(files, places, new, strict=True)
    )


def _caption(labelled: bool, scored: bool, is_new: bool) -> str:
    parts = []
    if labelled:
        parts.append("D²min, propensity and labels as the table of labels holds them.")
    if scored:
        of = "all samples, this one among them" if not is_new else "the other samples"
        parts.append(f"Score by a model that was fitted to the labelled particles of {of}.")
    return " ".join(parts)


def _diameters(model: str, species: tuple[str, ...]) -> dict[str, float]:
    """Of the spheres, from the model's own lengths where it is one that amorphace makes."""
    from amorphace.simulate.models import MODELS, LennardJones

    glass = MODELS.get(model)
    if glass is None or not isinstance(glass.potential, LennardJones):
        return {}
    sigma = glass.potential.sigma
    return {label: sigma[k][k] for k, label in enumerate(species[: len(sigma)])}
