"""`amorphace regress`: a ridge over all particles of a species."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table as RichTable

from amorphace.ace.features import Features
from amorphace.cli import options
from amorphace.cli.samples import files_of, show_lengths
from amorphace.cli.shared import FILES, app, command_line, progress_bar, show
from amorphace.core.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from amorphace.learn.coarse import Measured
    from amorphace.learn.regression import PropensityScore

FAR = (100, 400)
"""Training samples of the methods that others publish."""


@app.command(cls=options.ListOptions, rich_help_panel=FILES)
@options.options_of(
    Features, "cutoffs", "max_order", "max_degree", "degree_weight", "purify", "r0", "dtype"
)
def regress(
    configurations: Annotated[
        list[Path],
        typer.Argument(
            help="One configuration a labelled sample (last frame), or files of BOTAN, GlassBench."
        ),
    ],
    species: options.Species,
    output: options.Output,
    labels: Annotated[Path | None, typer.Option(help="What label wrote for these samples.")] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option(help="Configurations that are tested and never learned from."),
    ] = None,
    test_labels: Annotated[Path | None, typer.Option(help="What label wrote for these.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="d2min, propensity, or others, several at once; d2min."),
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Predict the logarithm of the target.")] = (
        False
    ),
    centres: Annotated[
        str | None, typer.Option(help="Species whose particles are predicted; the most frequent.")
    ] = None,
    cutoff: Annotated[float, typer.Option(help="Of the features, in units of sigma.")] = 4.0,
    sigma: options.Sigma = None,
    features: Features = Features(),  # noqa: B008
    lengths: Annotated[
        list[float] | None, typer.Option(help="Of the averages, in units of sigma; 0.8, 1.6 and 3.")
    ] = None,
    minimise: Annotated[
        str | None,
        typer.Option(help="A model, to whose inherent structures the configurations are brought."),
    ] = None,
    curve: Annotated[bool, typer.Option(help="Also the learning curve.")] = True,
    n_jobs: options.Jobs = -1,
    order: options.Order = "id",
    overwrite: options.Overwrite = False,
) -> None:
    """How much of propensity or D2min is structure: a ridge over all particles of a species.

    Radial features of every particle and their averages over its neighbours, weighted by
    exp(-r/length), for each species; correlation of prediction and target in each sample, learned
    from all the others, or in those of --test, learned from the first ones. Writes JSON.

    Files of the public sets BOTAN and GlassBench (npz) hold their targets, and need no labels.

    Example: amorphace regress s*.inherent.dump --labels labels.zarr --species A,B -o regress.json
    """
    import numpy as np

    from amorphace.core.owned import check_file, owned_file
    from amorphace.dataset.files import scaled, unit
    from amorphace.dataset.plausible import check_neighbours, warn
    from amorphace.dataset.provenance import provenance
    from amorphace.learn.coarse import LENGTHS, sample_inputs
    from amorphace.learn.propensity import extrapolated, propensity_curve, propensity_score
    from amorphace.learn.regression import Regression, write_regression

    given = [(configurations, labels), (test or [], test_labels)]
    inputs = [path for files, own in given for path in (*files, *([own] if own else []))]
    check_file(output, overwrite=overwrite, inputs=inputs)
    names, samples = [], []
    for files, own in given:
        if files:
            found, several = _samples(files, own, tuple(species), order, minimise)
            names += found
            samples.append(several)
    n_unseen = len(test or [])
    first, _ = next(iter(samples[0]()))
    length = unit(sigma, first)
    reach = scaled(cutoff, length)
    show_lengths(names[0], first, [reach], length)
    warn(check_neighbours(names[0], first, [reach]))
    radial_ones = replace(
        features, cutoffs=(reach,), max_order=1, r0=scaled(1.0, length), dtype="float64"
    )
    (ace,) = radial_ones.descriptors(species, n_jobs=n_jobs)
    scales = tuple(scaled(one, length) for one in lengths or LENGTHS)
    with progress_bar("samples", "describe", len(names)) as bar:
        X, targets, groups = sample_inputs(
            (measured for several in samples for measured in several()),
            ace,
            targets=target or ["d2min"],
            centres=centres,
            lengths=scales,
            progress=lambda n: bar(advance=n),
        )
    unseen = np.arange(len(names) - n_unseen, len(names)) if n_unseen else None
    radial = f"{ace.n_features_out} radial columns, cutoff {reach:g}"
    what = f"{radial}, and averages"
    made = [
        propensity_score(
            columns, y, groups, target=name, log=log, inputs=words, samples=names, unseen=unseen
        )
        for name, y in targets.items()
        for columns, words in ((X, what), (X[:, : ace.n_features_out], radial))
    ]
    origin = provenance(
        command_line(),
        {
            "cutoff": reach,
            "sigma": length,
            "n_max": features.n_max,
            "distance_transform": features.distance_transform,
            "lengths": list(scales),
            "centres": centres,
            "minimise": minimise,
        },
        inputs,
    )
    _show_scores(made)
    learned = None
    if curve:
        name, y = next(iter(targets.items()))
        with progress_bar("fits", "learning curve") as bar:
            learned = propensity_curve(
                X,
                y,
                groups,
                target=name,
                log=log,
                inputs=what,
                unseen=unseen,
                progress=lambda done, total: bar(completed=done, total=total),
            )
        rows = RichTable("training samples", "Pearson", "Spearman", title=name)
        for n, *values in zip(learned.n_train, learned.pearson, learned.spearman, strict=True):
            rows.add_row(str(n), *(_with_error(value) for value in values))
        show(rows)
        if (learned.n_train > 1).sum() > 2:
            ends = [(n, *extrapolated(learned, n)) for n in FAR]
            far = ", ".join(f"{low:.3f} to {high:.3f} from {n}" for n, low, high in ends)
            show(f"Where the curve goes, by a - b/n and a - b/√n: {far} training samples.")
    with owned_file(output, overwrite=overwrite, inputs=inputs):
        regression = Regression(
            score=made[0], curve=learned, provenance=origin, others=tuple(made[1:])
        )
        write_regression(output, regression)
    show(f"{output}: written")


def _samples(
    files: Sequence[Path],
    labels: Path | None,
    species: tuple[str, ...],
    order: options.Order,
    minimise: str | None,
) -> tuple[list[str], Callable[[], Iterator[Measured]]]:
    """Names of some samples, and what gives them one at a time."""
    from amorphace.dataset.files import sample_names
    from amorphace.dataset.isoconfigurations import is_public, read_public
    from amorphace.dataset.zarr_table import read_table
    from amorphace.io import read
    from amorphace.learn.coarse import table_samples
    from amorphace.simulate.inherent import inherent_structure
    from amorphace.simulate.models import find_model

    def at_rest(found: Iterator[Measured]) -> Iterator[Measured]:
        for configuration, known in found:
            if minimise is not None:
                model = find_model(minimise)
                configuration = inherent_structure(model, configuration).configuration
            yield configuration, known

    if labels is None:
        others = [path for path in files if not is_public(path)]
        if others:
            raise InputError(
                f"{others[0]} is no file of BOTAN or GlassBench, which hold their targets; give "
                "--labels (with --test, also --test-labels)"
            )

        def public() -> Iterator[Measured]:
            for path in files:
                sample = read_public(path)
                if not sample.inherent and minimise is None:
                    show(f"{path.name} holds no inherent structure: thermal positions are used")
                yield sample.configuration, sample.targets

        return sample_names(files), lambda: at_rest(public())
    table = read_table(labels)
    ordered = files_of(table, files)

    def labelled() -> Iterator[Measured]:
        return table_samples(table, (read(path, species, order=order) for path in ordered))

    return list(table.sample_names), lambda: at_rest(labelled())


def _show_scores(made: Sequence[PropensityScore]) -> None:
    """All scores, and what averages add, pair by pair."""
    rows = RichTable(
        "target", "inputs", "Pearson ± 68 % of its mean", "over all", "Spearman", "n",
        title=f"on samples left out, learned from {made[0].n_train}",
    )  # fmt: skip
    for s in made:
        rows.add_row(
            f"{'log ' if s.log else ''}{s.target}", s.inputs, _with_error(s.pearson),
            f"{s.pooled:.3f}", _with_error(s.spearman), str(len(s.samples)),
        )  # fmt: skip
    show(rows)
    for more, less in zip(made[::2], made[1::2], strict=True):
        gain = _with_error(more.pearson - less.pearson)
        show(f"{more.target}: averages add {gain} to the Pearson correlation, sample by sample.")
    rows = RichTable("sample", *(s.target for s in made[::2]), title="Pearson, sample by sample")
    for k, name in enumerate(made[0].samples):
        rows.add_row(name, *(f"{s.pearson[k]:.3f}" for s in made[::2]))
    rows.add_row("mean", *(_with_error(s.pearson) for s in made[::2]))
    show(rows)


def _with_error(values: NDArray[np.float64]) -> str:
    import numpy as np

    from amorphace.learn.splits import half_width

    error = half_width(values)
    return f"{values.mean():.3f}" + (f" ± {error:.3f}" if np.isfinite(error) else "")
