"""Commands on a user's own files: label, describe, learn, export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table as RichTable

from amorphace.cli.carrying import Means, shard_of
from amorphace.cli.shared import (
    JobsOption,
    LeaveOption,
    ListOptions,
    OutputOption,
    OverwriteOption,
    SchedulerOption,
    ShardOption,
    SpeciesOption,
    WorkersOption,
    app,
    command_line,
    progress_bar,
    show,
)
from amorphace.cli.stored import describe_in_store
from amorphace.core.errors import InputError

if TYPE_CHECKING:
    from amorphace.core.configuration import Configuration
    from amorphace.dataset.describe import Sample


@app.command(cls=ListOptions)
def label(
    initial: Annotated[
        list[Path], typer.Argument(help="Initial configurations, one a sample (last frame each).")
    ],
    endpoints: Annotated[
        list[Path],
        typer.Option(help="End points: for each sample one file, a frame for each run."),
    ],
    species: SpeciesOption,
    output: OutputOption,
    cutoff: Annotated[float, typer.Option(help="Cutoff of D2min, in units of sigma.")] = 2.5,
    fraction: Annotated[
        float, typer.Option(help="Of the majority species: most active, and least active.")
    ] = 0.05,
    majority: Annotated[
        str | None, typer.Option(help="Species to label; the most frequent when left out.")
    ] = None,
    power: Annotated[
        float, typer.Option(help="Propensity: mean |u|^power; 1 absolute, 2 squared.")
    ] = 1.0,
    normalize: Annotated[
        bool, typer.Option("--normalize", help="D2min per neighbour instead of the sum.")
    ] = False,
    unwrapped: Annotated[
        bool,
        typer.Option(
            "--unwrapped", help="Positions are unwrapped: keep displacements beyond half a cell."
        ),
    ] = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Who moved: D2min and propensity of every particle, labels of the extreme ones.

    Averages over the end points of runs that start at one configuration with different
    velocities (isoconfigurational ensemble). The most and the least active --fraction of the
    majority species in each sample become the active (1) and inactive (0) particles.

    Example: amorphace label s1.initial.dump s2.initial.dump --endpoints s1.ends.dump
    s2.ends.dump --species A B -o labels.zarr
    """
    from amorphace.dataset.isoconfigurational import (
        ThermalSample,
        label_thermal,
        summarize_samples,
    )
    from amorphace.dataset.provenance import provenance
    from amorphace.dataset.store import check_replaceable, write_table
    from amorphace.io import iread, read

    if len(initial) != len(endpoints):
        raise InputError(
            f"{len(initial)} initial configurations need as many --endpoints files, got "
            f"{len(endpoints)}; give one for each sample, in the same order"
        )
    check_replaceable(output, overwrite=overwrite)
    origin = provenance(
        command_line(),
        {
            "cutoff": cutoff,
            "fraction": fraction,
            "majority": majority,
            "power": power,
            "normalize": normalize,
            "unwrapped": unwrapped,
            "species": list(species),
        },
        [*initial, *endpoints],
    )
    names = _sample_names(initial)
    with progress_bar("samples") as bar:
        task = bar.add_task("label", total=len(initial))

        def samples() -> Iterator[ThermalSample]:
            for name, start, ends in zip(names, initial, endpoints, strict=True):
                bar.update(task, description=f"label {name}")
                yield ThermalSample(name, read(start, tuple(species)), iread(ends, tuple(species)))
                bar.advance(task)

        table = label_thermal(
            samples(),
            cutoff=cutoff,
            fraction=fraction,
            majority=majority,
            power=power,
            normalize=normalize,
            unwrapped=unwrapped,
            provenance=origin,
        )
    write_table(output, table, overwrite=overwrite)
    rows = RichTable("sample", "particles", "active", "inactive", "D2min-propensity correlation")
    for s in summarize_samples(table, majority):
        rows.add_row(
            s.name, str(s.n_particles), str(s.n_active), str(s.n_inactive), f"{s.correlation:.3f}"
        )
    show(rows)
    show(f"{output}: {int((table.label >= 0).sum())} labelled of {len(table)} particles")


@app.command(cls=ListOptions)
def describe(
    files: Annotated[
        list[Path],
        typer.Argument(help="Configurations: LAMMPS dump, extended XYZ, GSD or npz."),
    ],
    species: SpeciesOption,
    output: OutputOption,
    cutoff: Annotated[
        list[float] | None, typer.Option(help="One or more cutoffs, in units of sigma. [4.0]")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Labels of these samples: describe the labelled particles only."),
    ] = None,
    centres: Annotated[
        list[str] | None, typer.Option(help="Species of the particles to describe; all.")
    ] = None,
    max_order: Annotated[int, typer.Option(help="Correlation order N; body order N + 1.")] = 3,
    max_degree: Annotated[float, typer.Option(help="Sum of n + w l, for N of 2 and more.")] = 10,
    n_max: Annotated[int, typer.Option(help="Radial functions of order 1.")] = 10,
    degree_weight: Annotated[float, typer.Option(help="w, the weight of l in the degree.")] = 1.5,
    purify: Annotated[bool, typer.Option(help="Sum over distinct neighbours only.")] = True,
    distance_transform: Annotated[
        str, typer.Option(help="'paper': y(r / r_cut); 'ace1': y(r / r0).")
    ] = "paper",
    r0: Annotated[float, typer.Option(help="Where resolution is greatest, in sigma.")] = 1.0,
    sort: Annotated[str, typer.Option(help="'lexicographic' or 'degree'.")] = "lexicographic",
    dtype: Annotated[str, typer.Option(help="'float64' or 'float32'.")] = "float64",
    n_jobs: JobsOption = -1,
    overwrite: OverwriteOption = False,
    store: Annotated[
        Path | None,
        typer.Option(help="Folder of finished chunks: an interrupted run goes on from there."),
    ] = None,
    workers: WorkersOption = None,
    shard: ShardOption = None,
    leave: LeaveOption = None,
    scheduler: SchedulerOption = None,
    chunks: Annotated[
        int, typer.Option(help="With --store: units of work; 0 is by the size of the files.", min=0)
    ] = 0,
) -> None:
    """What surrounds each particle: purified ACE features, one table for all cutoffs.

    With --labels, one configuration for each labelled sample in the same order (for example its
    inherent structure; the last frame of each file), and only labelled particles are described.
    Without, every frame of every file is a sample and all its particles are described.

    With --store, a long trajectory is described in chunks, by --workers processes of this machine,
    by the workers of a Dask --scheduler, or by several programs that each have a --shard. None
    holds more than a chunk, and the same command goes on after any interruption. The table is the
    same; the store can be removed when it is there.

    Example: amorphace describe glass.dump --species A B --cutoff 4 --max-degree 10 --n-max 10
    --max-order 3 -o features.zarr
    """
    from amorphace.ace.descriptor import ACEDescriptor
    from amorphace.dataset.describe import all_sites, labelled_sites, write_features
    from amorphace.dataset.provenance import provenance
    from amorphace.dataset.store import check_replaceable, read_table

    cutoffs = cutoff or [4.0]
    descriptors = [
        ACEDescriptor(
            cutoff=c,
            species=tuple(species),
            max_order=max_order,
            max_degree=max_degree,
            n_max=n_max,
            degree_weight=degree_weight,
            purify=purify,
            distance_transform=distance_transform,
            r0=r0,
            sort=sort,
            dtype=dtype,
            n_jobs=n_jobs,
        ).fit()
        for c in cutoffs
    ]
    if store is not None:
        if n_jobs != -1:
            raise InputError("--n-jobs is for one process; with --store give --workers")
        describe_in_store(
            output,
            files,
            _sample_names(files),
            descriptors,
            store_path=store,
            means=Means(workers or 0, shard_of(shard, scheduler), leave, scheduler),
            labels=labels,
            centres=centres,
            chunks=chunks,
            overwrite=overwrite,
        )
        return
    _refuse_without_store(workers=workers, shard=shard, leave=leave, scheduler=scheduler,
                          chunks=chunks or None)  # fmt: skip
    check_replaceable(output, overwrite=overwrite)
    settings = {
        k: v for k, v in descriptors[0].get_params().items() if k not in ("cutoff", "n_jobs")
    }
    origin = provenance(
        command_line(),
        settings | {"cutoffs": list(cutoffs)},
        [*files, *([labels] if labels else [])],
    )
    samples = _read_samples(files, tuple(species), last_frame_only=labels is not None)
    if labels is None:
        table, sites = all_sites(samples, centres=centres, provenance=origin)
    else:
        table, sites = labelled_sites(
            samples, read_table(labels), centres=centres, provenance=origin
        )
    with progress_bar("sites") as bar:
        task = bar.add_task("describe", total=len(sites) * len(cutoffs))
        write_features(
            output,
            table,
            sites,
            descriptors,
            overwrite=overwrite,
            progress=lambda n: bar.advance(task, n),
        )
    show(
        f"{output}: {len(table)} sites of {len(samples)} samples, {descriptors[0].n_features_out} "
        f"columns at cutoffs {', '.join(f'{c:g}' for c in cutoffs)}"
    )


@app.command(cls=ListOptions)
def learn(
    table: Annotated[Path, typer.Argument(help="A table that describe wrote with --labels.")],
    output: OutputOption,
    cutoff: Annotated[
        list[float] | None, typer.Option(help="Cutoffs to use; all in the table.")
    ] = None,
    n_columns: Annotated[
        list[int] | None, typer.Option(help="Numbers of leading columns; a fitting choice.")
    ] = None,
    folds: Annotated[int, typer.Option(help="Folds of the cross-validation.")] = 5,
    full: Annotated[
        bool,
        typer.Option(
            "--full/--quick",
            help="All parts, or those that take a minute at most on some thousand sites.",
        ),
    ] = False,
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
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    title: Annotated[str, typer.Option(help="Above the figure.")] = "",
    n_jobs: JobsOption = -1,
    overwrite: OverwriteOption = False,
) -> None:
    """Does structure tell who moves: the paper's analysis, cross-validated.

    Accuracy of logistic regression (standardised columns, Tikhonov strength chosen inside the
    training folds, samples kept whole) against the number of columns; support vector machine and
    calibration; columns in order of forward selection and of principal components; Bayesian
    regression of the target; distributions of the first columns. With --full also random folds,
    the stability of the selection and learning curves.

    Writes a folder: analysis.json (all results), a CSV for each (accuracy.csv, selection.csv,
    ...), summary.json, accuracy.png and accuracy.pdf (the paper's figure 3), and model.json, the
    classifier fitted to all samples at the cutoff and body order with the highest accuracy.

    Example: amorphace learn table.zarr -o results
    """
    from dataclasses import replace

    from amorphace.core.files import written_aside
    from amorphace.dataset.provenance import provenance
    from amorphace.dataset.store import read_table
    from amorphace.learn.analysis import AnalysisSettings, analyse
    from amorphace.learn.fit import labelled_sites
    from amorphace.learn.folder import write_folder
    from amorphace.learn.folds import split
    from amorphace.report.figures import accuracy_figure, save_figure

    if output.exists() and not overwrite:
        raise InputError(f"{output} is there already; choose another -o or give --overwrite")
    data = read_table(table)
    settings = (AnalysisSettings if full else AnalysisSettings.quick)(
        cutoffs=tuple(cutoff) if cutoff else None,
        n_columns=tuple(n_columns) if n_columns else None,
        n_splits=folds,
        target=target,
        seed=seed,
    )
    if random_folds and not full:
        settings = replace(settings, parts=(*settings.parts, "random_folds"))
    sites = labelled_sites(data, (settings.cutoffs or data.cutoffs or (0.0,))[0])
    split(sites.y, sites.groups, n_splits=folds)  # asked for in so many words: fewer will not do
    with progress_bar("of the part") as bar:
        task = bar.add_task("learn", total=None)

        def report(part: str, done: int, total: int) -> None:
            bar.update(task, description=part.replace("_", " "), completed=done, total=total)

        analysis = analyse(data, settings=settings, n_jobs=n_jobs, progress=report)
    curves = analysis.accuracy
    if not curves:
        raise InputError("; ".join(analysis.warnings))
    parameters = {"folds": folds, "full": full, "random_folds": random_folds, "seed": seed}
    origin = provenance(command_line(), parameters, [table])
    with written_aside(output, folder=True) as folder:
        write_folder(folder, analysis, origin)
        save_figure(
            accuracy_figure(curves, analysis.columns, title=title, species=analysis.species),
            folder / "accuracy",
        )
        written = sorted(path.name for path in folder.iterdir())
    rows = RichTable("columns", "order", "last column", title="accuracy ± spread between folds")
    for curve in curves:
        rows.add_column(f"cutoff {curve.cutoff:g}")
    for p, n in enumerate(curves[0].n_columns):
        scores = (f"{c.mean[p]:.3f} ± {c.std[p]:.3f}" for c in curves)
        rows.add_row(str(n), str(curves[0].order[p]), curves[0].last_column[p], *scores)
    show(rows)
    for selection in analysis.selections:
        first = ", ".join(
            f"{name} {score:.3f}"
            for name, score in zip(selection.names[:4], selection.mean, strict=False)
        )
        show(f"forward selection among {selection.scope}: {first}")
    for warning in analysis.warnings:
        show(f"warning: {warning}")
    show(f"{output}: {', '.join(written)}")


@app.command()
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
        int, typer.Option(help="For particle files: which sample, from 1.", min=1)
    ] = 1,
) -> None:
    """A table as npz or CSV, or its per-particle columns as a file that OVITO opens.

    Example: amorphace export labels.zarr --configuration s1.inherent.dump --sample 1 -o s1.xyz
    """
    from amorphace.dataset.export import export_csv, export_npz
    from amorphace.dataset.particles import particle_columns
    from amorphace.dataset.store import read_table
    from amorphace.io import read, write

    data = read_table(table)
    if output.suffix == ".npz":
        export_npz(output, data)
    elif output.suffix == ".csv":
        export_csv(output, data, cutoff=cutoff)
    elif configuration is None:
        raise InputError(
            f"{output}: a particle file needs --configuration FILE, which holds the positions of "
            "the sample; or choose a name that ends in .npz or .csv"
        )
    else:
        names = tuple(dict.fromkeys(data.provenance.get("parameters", {}).get("species", ())))
        frame = read(configuration, names or None)
        write(output, frame, **particle_columns(data, frame, sample - 1))
    show(f"{output}: written")


def _refuse_without_store(**options: object) -> None:
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise InputError(f"{', '.join(given)}: only with --store DIR, which keeps finished chunks")


def _sample_names(paths: Iterable[Path]) -> list[str]:
    """File names up to the first point; whole where they then repeat."""
    names = [path.name for path in paths]
    short = [name.split(".")[0] for name in names]
    return short if len(set(short)) == len(short) and all(short) else names


def _read_samples(
    paths: list[Path], species: tuple[str, ...], *, last_frame_only: bool
) -> list[Sample]:
    """One sample a file, or one a frame."""
    from amorphace.dataset.describe import Sample
    from amorphace.io import iread, read

    samples: list[Sample] = []
    for name, path in zip(_sample_names(paths), paths, strict=True):
        if last_frame_only:
            samples.append(Sample(name, read(path, species)))
            continue
        frames: list[Configuration] = list(iread(path, species))
        many = len(frames) > 1
        samples += [Sample(f"{name}:{k}" if many else name, f) for k, f in enumerate(frames)]
    return samples
