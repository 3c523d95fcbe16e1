"""What the commands show of samples: which files belong together, lengths, their analysis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table as RichTable

from amorphace.cli.shared import progress_bar, show

if TYPE_CHECKING:
    from amorphace.core.configuration import Configuration
    from amorphace.dataset.table import Table
    from amorphace.learn.bundle import Analysis, AnalysisSettings


def show_pairs(columns: Sequence[str], rows: Iterable[Sequence[object]], by: str) -> None:
    """The files of each sample, and how it is known that they belong together."""
    table = RichTable("sample", *columns, title=f"files matched by {by}")
    for row in rows:
        table.add_row(*(str(word) for word in row))
    show(table)
    if by == "position":
        show("The names do not tell which files belong together: they are taken in order.")


def files_of(labels: Table, files: Sequence[Path]) -> list[Path]:
    """The file of each labelled sample, in the order of the labels; shows which.

    Raises
    ------
    InputError
        If there are more or fewer files than samples, or as `matched`.
    """
    from amorphace.dataset.describe import check_count
    from amorphace.dataset.files import paired

    check_count(labels, len(files))
    found, by = paired(labels.sample_names, files, "configurations")
    show_pairs(["configuration"], zip(labels.sample_names, found, strict=True), by)
    return found


def analysed(data: Table, settings: AnalysisSettings, n_jobs: int) -> Analysis:
    """The analysis of a table, with a bar for each of its parts."""
    from amorphace.learn.analysis import analyse

    with progress_bar("of the part", "learn") as bar:
        return analyse(
            data,
            settings=settings,
            n_jobs=n_jobs,
            progress=lambda part, done, total: bar(
                description=part.replace("_", " "), completed=done, total=total
            ),
        )


def show_lengths(
    name: str, configuration: Configuration, cutoffs: Sequence[float], sigma: float
) -> None:
    """First peak of g(r) and neighbours within each cutoff, by which a unit is recognised."""
    from amorphace.observe.structure import first_peak, median_neighbours

    within = ", ".join(
        f"{median_neighbours(configuration, cutoff):g} neighbours within {cutoff:g}"
        for cutoff in cutoffs
    )
    show(
        f"{name}: first peak of g(r) at {first_peak(configuration):.3g}; median {within}"
        f"{'' if sigma == 1 else f' (sigma is {sigma:g})'}"
    )
