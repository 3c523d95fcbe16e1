"""What each choice of the method changes: accuracy under one other choice at a time.

    python examples/choices.py                # all cases that are finished in --folder
    python examples/choices.py kob-andersen-thermal ka-T0.44
    python examples/choices.py sigma_ab       # the two Kob-Andersen models, simulated if missing

Works on what examples/results.py simulated (out/results) and on ../shared; nothing else is
simulated. Writes docs/results/choices/CASE.csv and docs/results/choices/CASE.md.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results import CASES, EXTERNAL, PAGES, ROOT, SPECIES, amorphace, external_files

from amorphace.campaign.describe import DescribeShear, DescribeThermal
from amorphace.campaign.learn import Learn
from amorphace.campaign.plan import make_plan
from amorphace.config import read_experiment
from amorphace.dataset.table import Table
from amorphace.dataset.zarr_table import read_table
from amorphace.learn.curves import accuracy_curve
from amorphace.learn.fit import labelled_sites
from amorphace.learn.results import Curve, write_table
from amorphace.learn.splits import Folds
from amorphace.report.claims import CUTOFFS
from amorphace.runs.execute import do_units
from amorphace.runs.store import Store

Key = tuple[str, str, str]
"""Table of the experiment file, key, value as TOML."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One choice that differs from the usual ones.

    Attributes
    ----------
    name : str
    key : tuple of str, optional
        What differs in the experiment file.
    label, describe : tuple of str
        What differs on the command line.
    only : {"thermal", "shear"}, optional
        Where the choice exists.
    folds : {"grouped", "random"}
    """

    name: str
    key: Key | None = None
    label: tuple[str, ...] = ()
    describe: tuple[str, ...] = ()
    only: str | None = None
    folds: Folds = "grouped"


MODELS = "sigma_ab"
"""Of the Kob-Andersen models that are compared."""
USUAL = Choice(name="as usual")
CHOICES = (
    USUAL,
    Choice(name="random folds", folds="random"),
    Choice(
        name='distance transform "paper"',
        key=("describe", "distance_transform", '"paper"'),
        describe=("--distance-transform", "paper"),
    ),
    Choice(name="not purified", key=("describe", "purify", "false"), describe=("--no-purify",)),
    Choice(
        name="D2min cutoff 1.5",
        key=("label", "d2min_cutoff", "1.5"),
        label=("--cutoff", "1.5"),
    ),
    Choice(
        name="thermal positions",
        key=("describe", "positions", '"thermal"'),
        only="thermal",
    ),
    Choice(
        name="inactive over 1 % of strain",
        key=("shear", "interval", "0.01"),
        only="shear",
    ),
    Choice(
        name="events of at most 100",
        key=("shear", "largest_event", "100"),
        only="shear",
    ),
)


def with_key(text: str, table: str, key: str, value: str) -> str:
    """An experiment file with one key set, in its place where it stands there."""
    head, rest = text.split(f"[{table}]\n", 1)
    changed, n = re.subn(rf"^(# )?{key} = .*$", f"{key} = {value}", rest, count=1, flags=re.M)
    if not n:
        changed = f"{key} = {value}\n{rest}"
    return f"{head}[{table}]\n{changed}"


def experiment_table(name: str, folder: Path, choice: Choice) -> Table:
    """The described table of a case under a choice; simulations are those of the case."""
    text = (folder / f"{name}.toml").read_text(encoding="utf-8")
    if choice.key is not None:
        text = with_key(text, *choice.key)
    file = folder / f"{name}.choice.toml"
    file.write_text(text, encoding="utf-8")
    plan, store = make_plan(read_experiment(file)), Store(folder / f"{name}.store", create=False)
    for unit in plan.units:
        if not isinstance(unit.kind, Learn):
            (report,) = do_units(store, [unit])
            if report.error:
                raise RuntimeError(report.error)
    file.unlink()
    return store.load(plan.one(DescribeThermal, DescribeShear))


def external_table(folder: Path, choice: Choice) -> Table:
    """The same of others' configurations."""
    place = folder / EXTERNAL
    word = re.sub(r"\W+", "-", choice.name)
    labels, table = place / "labels.zarr", place / f"{word}.zarr"
    initial, ends, rest = external_files()
    if choice.label:
        labels = place / f"{word}.labels.zarr"
        if not labels.exists():
            amorphace(
                "label", *initial, "--endpoints", *ends, *SPECIES, *choice.label, "-o", labels
            )
    if not table.exists():
        positions = initial if choice.name == "thermal positions" else rest
        amorphace(
            "describe", *positions, "--labels", labels, *SPECIES, *choice.describe, "-o", table
        )
    return read_table(table)


def points(table: Table) -> dict[str, int]:
    """Numbers of columns that are compared, by what they are."""
    columns = table.columns
    assert columns is not None
    starts, orders = columns.species_starts(), np.asarray(columns.order)
    found = {"first column": 1}
    if len(starts) > 1:
        found |= {"A columns": starts[1], "+ B1": starts[1] + 1}
    names = {1: "radial", 2: "+ 3-body", 3: "+ 4-body"}
    return found | {names[n]: int((orders <= n).sum()) for n in names}


def curve(table: Table, cutoff: float, folds: Folds) -> Curve:
    sites = labelled_sites(table, cutoff)
    n_splits = min(5, len(np.unique(sites.groups)))
    numbers = sorted(set(points(table).values()))
    return accuracy_curve(
        sites.X, sites.y, sites.groups, n_columns=numbers, n_splits=n_splits, folds=folds
    )


def error(scores: NDArray[np.float64]) -> float:
    """Of their mean."""
    return float(scores.std(ddof=1) / np.sqrt(len(scores)))


def compare(name: str, folder: Path) -> Iterator[dict[str, Any]]:
    """One line for every choice and number of columns."""
    protocol = "shear" if name.endswith("shear") else "thermal"
    cutoff = CUTOFFS[protocol]
    usual: dict[str, NDArray[np.float64]] = {}
    for choice in CHOICES:
        if choice.only not in (None, protocol):
            continue
        table = (
            external_table(folder, choice)
            if name == EXTERNAL
            else experiment_table(name, folder, choice)
        )
        found = curve(table, cutoff, choice.folds)
        for what, n in points(table).items():
            scores = found.values[list(found.x).index(n)]
            usual.setdefault(what, scores)
            paired = len(scores) == len(usual[what])
            gain = scores - usual[what] if paired else scores - usual[what].mean()
            yield {
                "case": name,
                "choice": choice.name,
                "columns": what,
                "n_columns": n,
                "cutoff": cutoff,
                "sites": len(table),
                "configurations": len(np.unique(np.stack([table.sample, table.step]), axis=1).T),
                "accuracy": float(scores.mean()),
                "spread": float(scores.std(ddof=1)),
                "change": float(gain.mean()),
                # of the folds in pairs; a choice that leaves a sample without sites has fewer
                "error": error(gain)
                if paired
                else float(np.hypot(error(gain), error(usual[what]))),
            }


def compare_models(folder: Path) -> Iterator[dict[str, Any]]:
    """One line for each model of docs/results/choices/sigma_ab_*.toml and number of columns."""
    for source in sorted((PAGES / "choices").glob(f"{MODELS}_*.toml")):
        file = folder / source.name
        file.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
        amorphace("run", file)
        table = read_table(folder / f"{source.stem}.results" / "table.zarr")
        cutoff = CUTOFFS["thermal"]
        found = curve(table, cutoff, "grouped")
        for what, n in points(table).items():
            scores = found.values[list(found.x).index(n)]
            yield {
                "case": MODELS,
                "choice": f"sigma_AB = {source.stem.rpartition('_')[2]}",
                "columns": what,
                "n_columns": n,
                "cutoff": cutoff,
                "accuracy": float(scores.mean()),
                "spread": float(scores.std(ddof=1)),
            }


def markdown(name: str, lines: Sequence[dict[str, Any]]) -> str:
    """Choices down, columns across: the accuracy as usual, and what each choice changes."""
    columns = list(dict.fromkeys(line["columns"] for line in lines))
    rows = [f"| {name} | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    for choice in dict.fromkeys(line["choice"] for line in lines):
        cells = []
        for what in columns:
            (line,) = (x for x in lines if (x["choice"], x["columns"]) == (choice, what))
            if "change" not in line or choice == USUAL.name:
                cells.append(f"{line['accuracy']:.3f} ± {line['spread']:.3f}")
            else:
                cells.append(f"{100 * line['change']:+.1f} ± {100 * line['error']:.1f}")
        rows.append(f"| {choice} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case", nargs="*")
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "results")
    options = parser.parse_args()
    done = [name for name in CASES if (options.folder / f"{name}.results").is_dir()]
    if (options.folder / EXTERNAL / "labels.zarr").exists():
        done.append(EXTERNAL)
    out = PAGES / "choices"
    out.mkdir(exist_ok=True)
    for name in options.case or done:
        if name not in (*done, MODELS):
            parser.error(f"{name} is not finished in {options.folder}; run examples/results.py")
        options.folder.mkdir(parents=True, exist_ok=True)
        found = compare_models(options.folder) if name == MODELS else compare(name, options.folder)
        lines = list(found)
        write_table(out / f"{name}.csv", lines)
        (out / f"{name}.md").write_text(markdown(name, lines), encoding="utf-8")
        print(markdown(name, lines), flush=True)


if __name__ == "__main__":
    main()
