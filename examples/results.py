"""The paper's cases as docs/results shows them: simulate, analyse, write the page of each.

    python examples/results.py kob-andersen-thermal     # one case, or several, or "all"
    python examples/results.py ka-T0.44                 # others' configurations, in ../shared

Experiment files are in docs/results/CASE. Simulations are kept in --folder (out/results), and what
is finished is not done again; --publish writes the pages of what is there and runs nothing. The
page of all that is there side by side is docs/results/summary.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from amorphace.campaign.plan import make_plan, store_path
from amorphace.config import read_experiment
from amorphace.dataset.label_thermal import summarize_samples
from amorphace.dataset.zarr_table import read_table
from amorphace.io import read
from amorphace.learn.bundle import read_analysis
from amorphace.report.assemble import assemble, make_snapshot
from amorphace.report.content import ReportContent
from amorphace.report.document import overview
from amorphace.report.experiment import experiment_content
from amorphace.report.page import write_report
from amorphace.runs.store import Store

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "results"
SHARED = ROOT.parent / "shared" / "data" / "ka_T0.44"
COMMAND = Path(sys.executable).with_name("amorphace")

MODELS = ("bead-spring", "kob-andersen", "wahnstrom")
OTHER = {"thermal": "shear", "shear": "thermal"}
CASES = tuple(f"{model}-{protocol}" for model in MODELS for protocol in OTHER)
EXTERNAL = "ka-T0.44"
SOURCE = (
    "External data, not made here: ten configurations of 4096 particles at T = 0.44 with 32 "
    "isoconfigurational end points each, over about tau_alpha, from the public BOTAN data set "
    "(github.com/h3-Open-BDEC/pyg_botan, Apache-2.0; Shiba, Hanai, Suzumura, Shimokawabe, "
    "J. Chem. Phys. 158, 084503, 2023)."
)
SPECIES = ("--species", "A", "B")
FIGURES = (
    "figure-2",
    "figure-3",
    "figure-4",
    "figure-5-selection",
    "figure-6",
    "figure-7-ard",
    "roc",
    "relaxation",
    "stress-strain",
)
"""How the names of those on a page begin."""


def amorphace(*words: object) -> None:
    subprocess.run([COMMAND, *map(str, words)], check=True)


def run(name: str, folder: Path) -> None:
    """Simulate and analyse a case."""
    if name == EXTERNAL:
        run_external(folder)
        return
    file = folder / f"{name}.toml"
    text = (PAGES / name / "experiment.toml").read_text(encoding="utf-8")
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
    amorphace("run", file)


def found(name: str, folder: Path) -> ReportContent:
    """What a finished case gave, with its companion for figure 4 if that is finished too."""
    if name == EXTERNAL:
        return read_external(folder)
    model, protocol = name.rsplit("-", 1)
    file = folder / f"{name}.toml"
    experiment = read_experiment(file)
    store = Store(store_path(file, experiment), create=False)
    content = experiment_content(make_plan(experiment), store, command=command(name))
    companion = folder / f"{model}-{OTHER[protocol]}.results"
    if not companion.is_dir():
        return content
    other = read_analysis(companion)
    return replace(content, companion=other, companion_protocol=OTHER[protocol])


def command(name: str) -> str:
    """That makes a page again."""
    return f"python examples/results.py {name}"


def external_files() -> list[list[Path]]:
    """Others' initial configurations, end points and inherent structures, one a sample each."""
    kinds = ("initial.dump", "endpoints.dump.gz", "inherent.dump")
    return [sorted(SHARED.glob(f"sample_*.{kind}")) for kind in kinds]


def run_external(folder: Path) -> None:
    """Label, describe and learn others' configurations; what is there is not made again."""
    place = folder / EXTERNAL
    place.mkdir(exist_ok=True)
    initial, ends, rest = external_files()
    labels, table, results = (place / n for n in ("labels.zarr", "table.zarr", "results"))
    if not labels.exists():
        amorphace("label", *initial, "--endpoints", *ends, *SPECIES, "-o", labels)
    if not table.exists():
        basis = ["--max-degree", 10, "--n-max", 10, "--max-order", 3, "--cutoff", 2, 2.5, 3, 4]
        amorphace("describe", *rest, "--labels", labels, *SPECIES, *basis, "-o", table)
    if not results.exists():
        amorphace("learn", table, "--full", "-o", results)


def read_external(folder: Path) -> ReportContent:
    place = folder / EXTERNAL
    analysis = read_analysis(place / "results")
    labels = read_table(place / "labels.zarr")
    snapshot = make_snapshot(
        "sample_01",
        read(SHARED / "sample_01.inherent.dump", ("A", "B")),
        labels=labels,
        model=analysis.model,
        protocol="thermal",
    )
    content = ReportContent(
        title="Kob-Andersen, T = 0.44, external data",
        summary=(SOURCE,),
        provenance={"command": command(EXTERNAL), "seed": analysis.settings.seed},
        analysis=analysis,
        snapshots=(snapshot,),
        model="kob-andersen",
        protocol="thermal",
        correlations=tuple(s.correlation for s in summarize_samples(labels, "A")),
    )
    return assemble(content)


def finished(folder: Path) -> Iterator[ReportContent]:
    """The six cases, as far as they are there."""
    for name in CASES:
        if (folder / f"{name}.results").is_dir():
            yield found(name, folder)


def publish(name: str, content: ReportContent) -> None:
    """Write the page of a case with its figures and numbers; what is there is replaced."""
    folder = PAGES / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.svg"), *folder.glob("*.csv"), *folder.glob("*.json")):
        old.unlink()
    print(write_report(folder / "page.md", content, figures=FIGURES).relative_to(ROOT), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case", nargs="*", help=f"of {', '.join(CASES)}, {EXTERNAL}; or all")
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "results")
    parser.add_argument("--publish", action="store_true", help="run nothing")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    known = (*CASES, EXTERNAL)
    for name in known if options.case == ["all"] else options.case:
        if name not in known:
            parser.error(f"no case {name!r}; there are {', '.join(known)}, and all")
        if name == EXTERNAL and not SHARED.is_dir():
            print(f"../shared/data/{SHARED.name} is not there: {name} needs its configurations")
            continue
        if not options.publish:
            run(name, options.folder)
        publish(name, found(name, options.folder))
    if contents := list(finished(options.folder)):
        write_report(PAGES / "summary.md", overview(contents, "The paper's cases"))


if __name__ == "__main__":
    main()
