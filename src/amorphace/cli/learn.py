"""`amorphace learn`: does structure tell who moves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as RichTable

from amorphace.cli import options
from amorphace.cli.samples import analysed, files_of
from amorphace.cli.shared import FILES, Json, app, command_line, show, show_json
from amorphace.core.errors import InputError


@app.command(cls=options.ListOptions, rich_help_panel=FILES)
def learn(
    table: Annotated[Path, typer.Argument(help="A table that describe wrote with --labels.")],
    output: options.Output,
    cutoff: Annotated[
        list[float] | None, typer.Option(help="Cutoffs to use; all in the table.")
    ] = None,
    n_columns: Annotated[
        list[int] | None, typer.Option(help="Numbers of leading columns; a fitting choice.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(help="Folds of the cross-validation; left out, one a sample, up to ten."),
    ] = None,
    blocks: Annotated[
        int | None,
        typer.Option(
            help="Blocks of each sample that take the place of samples in the folds; by themselves "
            "where there are fewer than three samples.",
            min=3,
        ),
    ] = None,
    full: options.Full = False,
    random_folds: Annotated[
        bool,
        typer.Option(
            "--random-folds",
            help="Beside them, folds that mix the sites of all samples (too good).",
        ),
    ] = False,
    target: Annotated[
        str, typer.Option(help="Of the regression: d2min or propensity, not binarised.")
    ] = "d2min",
    seed: options.Seed = 0,
    labels: Annotated[
        Path | None,
        typer.Option(help="What label wrote: D2min and propensity of all particles."),
    ] = None,
    configuration: Annotated[
        list[Path] | None,
        typer.Option(
            help="With --labels, the configurations that were described: the score of every "
            "particle of a sample left out is compared with what it did."
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="Above the figure.")] = "",
    n_jobs: options.Jobs = -1,
    overwrite: options.Overwrite = False,
    json: Json = False,
) -> None:
    """Does structure tell who moves: the paper's analysis, cross-validated.

    Accuracy of logistic regression (standardised columns, Tikhonov strength chosen inside the
    training folds, samples kept whole) against the number of columns; support vector machine and
    calibration; columns in order of forward selection and of principal components; Bayesian
    regression of the target; distributions of the first columns. With --full also random folds,
    the stability of the selection and learning curves.

    Writes a folder: analysis.json, results.csv (all its numbers in one table, a line a number),
    summary.json, accuracy.png and accuracy.pdf (the paper's figure 3), and model.json, the
    classifier fitted to all samples, at the cutoff and body order with the least log-loss on
    samples left out.

    With --labels and --configuration, also what others report: correlation of the score with
    D2min and propensity over all particles of the majority species, not the extremes alone, in
    each sample, by a model that has not seen it. Of sheared samples the configurations are
    trajectories, a strain step a frame: the rank of the core of every localised event among all
    particles, from the configurations up to 1 % of strain before it.

    Example: amorphace learn table.zarr -o results
    """
    from dataclasses import replace

    from amorphace.core.owned import check_free, owned_folder
    from amorphace.dataset.blocks import in_blocks
    from amorphace.dataset.provenance import provenance
    from amorphace.dataset.zarr_table import read_table
    from amorphace.learn.bundle import QUICK, AnalysisSettings, summarize, write_folder
    from amorphace.learn.conclusions import conclusions
    from amorphace.learn.fit import labelled_sites, recorded_species, unseen_models
    from amorphace.learn.splits import MOST_FOLDS, split
    from amorphace.report.content import ReportContent
    from amorphace.report.figures import draw, save_figure
    from amorphace.report.panels import panels

    if (labels is None) != (not configuration):
        raise InputError("--labels and --configuration are needed together; give both or neither")
    check_free(output, overwrite=overwrite, inputs=[table])
    data = in_blocks(read_table(table), blocks)
    if target not in data.targets:
        known = ", ".join(data.targets) or "none"
        raise InputError(f"--target {target}: {table} has no such target; there are: {known}")
    settings = replace(
        AnalysisSettings() if full else QUICK,
        cutoffs=tuple(cutoff) if cutoff else None,
        n_columns=tuple(n_columns) if n_columns else None,
        n_splits=folds or MOST_FOLDS,
        target=target,
        seed=seed,
    )
    if random_folds and not full:
        settings = replace(settings, parts=(*settings.parts, "random_folds"))
    sites = labelled_sites(data, (settings.cutoffs or data.cutoffs or (0.0,))[0])
    if folds is not None:  # asked for in so many words: fewer will not do
        split(sites.y, sites.groups, n_splits=folds)
    analysis = analysed(data, settings, n_jobs)
    curves = analysis.curves("accuracy", "grouped")
    if not curves:
        raise InputError("; ".join(analysis.warnings))
    if labels is not None and analysis.model is not None:
        from amorphace.campaign.given import read_steps
        from amorphace.campaign.learn import all_scores
        from amorphace.dataset.label_shear import is_of_events
        from amorphace.io import read

        known, names = read_table(labels), recorded_species(data)
        files, sheared = files_of(known, configuration or []), is_of_events(known)
        models = unseen_models(data, analysis.model, n_splits=analysis.n_splits)
        given = (read_steps(f, names, "id") if sheared else read(f, names or None) for f in files)
        curve = all_scores(models, data, known, given)
        analysis = replace(analysis, results=(*analysis.results, curve))
    parameters = {
        "folds": folds,
        "blocks": blocks,
        "full": full,
        "random_folds": random_folds,
        "seed": seed,
    }
    origin = provenance(command_line(), parameters, [table])
    with owned_folder(output) as folder:
        write_folder(folder, analysis, origin)
        accuracy = panels(ReportContent(title=title, analysis=analysis))["figure-3-accuracy"]
        save_figure(draw(accuracy, title=title), folder / "accuracy")
        written = sorted(path.name for path in folder.iterdir())
    rows = RichTable("columns", "order", "last column", title="accuracy ± 68 % of its mean")
    for curve in curves:
        rows.add_column(f"cutoff {curve.cutoff:g}")
    for p, n in enumerate(curves[0].x):
        scores = (f"{c.mean[p]:.3f} ± {c.error[p]:.3f}" for c in curves)
        order = analysis.columns.order[n - 1]
        rows.add_row(str(n), str(order), curves[0].labels[p], *scores)
    show(rows)
    for selection in analysis.curves("selection"):
        pairs = zip(selection.labels[:4], selection.mean, strict=False)
        first = ", ".join(f"{name} {score:.3f}" for name, score in pairs)
        show(f"forward selection among {selection.variant}: {first}")
    for note in analysis.notes:
        show(note)
    for warning in analysis.warnings:
        show(f"warning: {warning}")
    show(f"{output}: {', '.join(written)}")
    said = tuple(conclusions(analysis))
    for sentence in said:
        show(sentence)
    if json:
        show_json(
            {
                "conclusions": said,
                "accuracy": tuple(summarize(analysis)),
                "warnings": analysis.warnings,
                "notes": analysis.notes,
                "files": [str(output / name) for name in written],
            }
        )
