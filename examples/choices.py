"""What each choice of the method changes: accuracy under one other choice at a time.

    python examples/choices.py                # docs/results/choices.md, from the numbers kept
    python examples/choices.py wahnstrom-shear  # make the numbers of a case first, or of "all"

Works on what examples/results.py ran (out/results); nothing is simulated. The numbers of a case
are kept in docs/results/choices/CASE.csv.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from further import Key, described
from results import CASES, PAGES, ROOT, kept

from amorphace.dataset.table import Table
from amorphace.learn.curves import accuracy_curve
from amorphace.learn.fit import labelled_sites
from amorphace.learn.intervals import half_width_apart
from amorphace.learn.results import Curve, Gain, write_table
from amorphace.learn.splits import MOST_FOLDS, Folds
from amorphace.report.claims import CUTOFFS


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One choice that differs from the usual ones.

    Attributes
    ----------
    name : str
    key : Key, optional
    only : {"thermal", "shear"}, optional
        Where the choice exists.
    folds : {"grouped", "random"}
    """

    name: str
    key: Key | None = None
    only: str | None = None
    folds: Folds = "grouped"


USUAL = Choice(name="as usual")
CHOICES = (
    USUAL,
    Choice(name="random folds", folds="random"),
    Choice(name='distance transform "paper"', key=("describe", "distance_transform", '"paper"')),
    Choice(name="not purified", key=("describe", "purify", "false")),
    Choice(name="D²min within 1.5 σ", key=("label", "d2min_cutoff", "1.5")),
    Choice(name="thermal positions", key=("describe", "positions", '"thermal"'), only="thermal"),
    Choice(name="inactive over 1 % of strain", key=("shear", "interval", "0.01"), only="shear"),
    Choice(name="events of at most 100", key=("shear", "largest_event", "100"), only="shear"),
)
LINE = ("choice", "features", "n_features", "cutoff", "sites", "samples", "accuracy", "error")
"""Of a table of choices; of all but the usual one, accuracy is the change, in pairs of folds."""


def points(table: Table) -> dict[str, int]:
    """Numbers of features that are compared, by what they are."""
    columns = table.columns
    assert columns is not None
    starts, orders = columns.species_starts(), np.asarray(columns.order)
    found = {"first feature": 1}
    if len(starts) > 1:
        found |= {"A features": starts[1], "+ B1": starts[1] + 1}
    names = {1: "radial", 2: "+ 3-body", 3: "+ 4-body"}
    return found | {names[n]: int((orders <= n).sum()) for n in names}


def curve(table: Table, cutoff: float, folds: Folds) -> Curve:
    """Accuracy at the points, with as many folds as `learn` makes."""
    sites = labelled_sites(table, cutoff)
    n_splits = min(MOST_FOLDS, len(np.unique(sites.groups)))
    numbers = sorted(set(points(table).values()))
    return accuracy_curve(
        sites.X, sites.y, sites.groups, n_columns=numbers, n_splits=n_splits, folds=folds
    )


def compare(name: str, folder: Path) -> Iterator[Mapping[str, object]]:
    """One line for every choice and number of features."""
    protocol = "shear" if name.endswith("shear") else "thermal"
    cutoff = CUTOFFS[protocol]
    usual: Curve | None = None
    for choice in CHOICES:
        if choice.only not in (None, protocol):
            continue
        table = described(name, folder, choice.key)
        found = curve(table, cutoff, choice.folds)
        usual = usual or found
        head = (cutoff, len(table), len(np.unique(table.sample)))
        for what, n in points(table).items():
            if found is usual:
                shown = float(found.mean[found.x == n][0]), float(found.error[found.x == n][0])
            else:
                shown = gain_of(found, usual, n, paired=choice.folds == USUAL.folds)
            yield dict(zip(LINE, (choice.name, what, n, *head, *shown), strict=True))


def gain_of(found: Curve, usual: Curve, n: int, *, paired: bool) -> tuple[float, float]:
    """What a choice adds with n features, and its error; other folds have no pairs."""
    if paired:
        gain = Gain.of(found, n, usual)
        assert gain is not None
        return gain.mean, gain.error
    own, other = found.at(n), usual.at(n)
    assert own is not None
    assert other is not None
    return float(own.mean() - other.mean()), half_width_apart(own, other)


def tables(pages: Path) -> Iterator[str]:
    """Choices down, numbers of features across, for every case that numbers are kept of."""
    for name, content in kept(pages):
        if not (file := pages / "choices" / f"{name}.csv").exists():
            continue
        with file.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
        title = content.title
        of = {line["choice"]: line["sites"] for line in lines}
        yield f"\n## {title}\n\nCutoff {lines[0]['cutoff']} σ, {lines[0]['samples']} samples.\n\n"
        columns = list(dict.fromkeys(line["features"] for line in lines))
        yield f"| | sites | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 2)}\n"
        for choice, sites in of.items():
            cells = [cell(line) for line in lines if line["choice"] == choice]
            yield f"| {choice} | {sites} | {' | '.join(cells)} |\n"


def cell(line: Mapping[str, str]) -> str:
    """In percent; a change with its sign."""
    value, error = (100 * float(line[k]) for k in ("accuracy", "error"))
    return (
        f"{value:.1f} ± {error:.1f}"
        if line["choice"] == USUAL.name
        else f"{value:+.1f} ± {error:.1f}"
    )


def page(pages: Path) -> str:
    """The page of all cases."""
    return f"""# What each choice changes

One choice of the method at a time differs from the usual ones: the distance transform "ace1",
purified features, folds that keep samples whole, D²min within 2.5 σ, features of inherent
structures. The first line of a table is the accuracy as usual, in percent; the others are the
change in points. Errors are half-widths of 68 % intervals of the mean; those of a change are of the
differences sample by sample; random folds share none, and are compared by Welch's interval. Made by

```console
$ python examples/choices.py all
```
{"".join(tables(pages))}"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case", nargs="*", help=f"of {', '.join(CASES)}; or all")
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "results")
    options = parser.parse_args()
    for name in CASES if options.case == ["all"] else options.case:
        if not (options.folder / f"{name}.results").is_dir():
            parser.error(f"{name} is not finished in {options.folder}; run examples/results.py")
        write_table(PAGES / "choices" / f"{name}.csv", compare(name, options.folder))
    (PAGES / "choices.md").write_text(page(PAGES), encoding="utf-8")
    print(PAGES / "choices.md")


if __name__ == "__main__":
    main()
