"""The paper's cases as docs/results shows them: simulate, analyse, write the page of each.

    python examples/results.py kob-andersen-thermal     # one case, or several, or "all"
    python examples/results.py ka-T0.44                 # others' configurations, in ../shared

Experiment files are in docs/results/CASE. Simulations are kept in --folder (out/results), and what
is finished is not done again; --publish writes the pages of what is there and runs nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from amorphace import __version__
from amorphace.campaign.health import dropped_lines, health_summary
from amorphace.campaign.learn import Learn
from amorphace.campaign.plan import Plan, make_plan, store_path
from amorphace.config import Experiment, read_experiment
from amorphace.dataset.label_thermal import summarize_samples
from amorphace.dataset.zarr_table import read_table
from amorphace.io import read
from amorphace.learn.bundle import read_analysis
from amorphace.learn.results import write_table
from amorphace.report.assemble import assemble, make_snapshot
from amorphace.report.comparison import comparisons
from amorphace.report.content import ReportContent
from amorphace.report.experiment import experiment_content
from amorphace.report.figures import draw as draw_panel
from amorphace.report.figures import save_figure
from amorphace.report.panels import sections
from amorphace.report.paper import CUTOFFS, QUANTITIES
from amorphace.runs.store import Store

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "results"
SHARED = ROOT.parent / "shared" / "data" / "ka_T0.44"
COMMAND = Path(sys.executable).with_name("amorphace")

NAMES = {
    "bead-spring": "Bead-spring polymer",
    "kob-andersen": "Kob-Andersen",
    "wahnstrom": "Wahnstrom",
}
CASES = tuple(f"{model}-{protocol}" for model in NAMES for protocol in ("thermal", "shear"))
EXTERNAL = "ka-T0.44"
SOURCE = (
    "External data, not made here: ten configurations of 4096 particles with 32 isoconfigurational "
    "end points each, from the public BOTAN data set (github.com/h3-Open-BDEC/pyg_botan, "
    "Apache-2.0; Shiba, Hanai, Suzumura, Shimokawabe, J. Chem. Phys. 158, 084503, 2023)."
)
SPECIES = ("--species", "A", "B")
TABLES = (
    "accuracy",
    "classifiers",
    "thresholds",
    "selection",
    "stability",
    "pca",
    "learning",
    "ard",
)
"""Curves of the table of results, kept beside a page."""
FIGURES = (
    "figure-2",
    "figure-3",
    "figure-4",
    "figure-5-selection",
    "figure-6",
    "figure-7-ard",
    "relaxation",
    "stress-strain",
)
"""How the names of those on a page begin."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One page.

    Attributes
    ----------
    name, title : str
    conditions : str
        Of all its figures, in a few words.
    content : ReportContent
    facts : mapping
        Seed, versions, sizes.
    health : list of dict
        Worst value and limit of everything that was checked.
    notes : tuple of str
    """

    name: str
    title: str
    conditions: str
    content: ReportContent
    facts: Mapping[str, Any]
    health: list[dict[str, Any]]
    notes: tuple[str, ...]

    @property
    def command(self) -> str:
        """That makes it again."""
        return f"python examples/results.py {self.name}"


def amorphace(*words: object) -> None:
    subprocess.run([COMMAND, *map(str, words)], check=True)


def run_case(name: str, folder: Path) -> None:
    """Simulate and analyse one of the six cases."""
    file = folder / f"{name}.toml"
    text = (PAGES / name / "experiment.toml").read_text(encoding="utf-8")
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
    amorphace("run", file)


def read_case(name: str, folder: Path) -> Case:
    """What a finished experiment gave, with its companion for figure 4 if that is finished too."""
    model, protocol = name.rsplit("-", 1)
    file = folder / f"{name}.toml"
    experiment = read_experiment(file)
    plan, store = make_plan(experiment), Store(store_path(file, experiment), create=False)
    content = experiment_content(plan, store)
    other = "shear" if protocol == "thermal" else "thermal"
    companion = folder / f"{model}-{other}.results"
    if companion.is_dir():
        content = replace(content, companion=read_analysis(companion), companion_protocol=other)
    return Case(
        name=name,
        title=f"{NAMES[model]}, {protocol}",
        conditions=conditions(experiment),
        content=content,
        facts=facts(experiment, plan, store, content),
        health=[asdict(line) for line in health_summary(plan, store)],
        notes=tuple(f"Not used: {line}." for line in dropped_lines(plan, store)),
    )


def conditions(experiment: Experiment) -> str:
    given, thermal, shear = experiment.preparation, experiment.thermal, experiment.shear
    size = f"{given.n_samples} samples of {given.n_particles} particles"
    if thermal is not None:
        return (
            f"{size} at T = {given.temperature:g}, {thermal.replicas} runs from each over a time "
            f"of {thermal.lag}"
        )
    assert shear is not None
    return f"{size} at T = 0, {shear.strain:.0%} of strain in steps of {shear.increment:g}"


def facts(
    experiment: Experiment, plan: Plan, store: Store, content: ReportContent
) -> dict[str, Any]:
    """Sizes, seed, versions, and the hours that the units took by their own clocks."""
    learned = plan.one(Learn)
    hours = sum(store.meta(u.id).seconds for u in plan.units) / 3600
    found: dict[str, Any] = {
        "n_particles": experiment.preparation.n_particles,
        "n_samples": experiment.preparation.n_samples,
        "seed": experiment.experiment.seed,
        "versions": dict(store.meta(learned.id).programs),
        "core_hours": f"{hours:.1f}",
    }
    if content.relaxation:
        taus = [r.tau for r in content.relaxation if r.tau is not None]
        later = len(content.relaxation) - len(taus)
        found["tau_alpha"] = {"samples": taus, "longer_than_the_lag": later}
    return found


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


def read_external(folder: Path) -> Case:
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
        title="Kob-Andersen at T = 0.44",
        analysis=analysis,
        snapshots=(snapshot,),
        model="kob-andersen",
        protocol="thermal",
        correlations=tuple(s.correlation for s in summarize_samples(labels, "A")),
    )
    return Case(
        name=EXTERNAL,
        title="Kob-Andersen at T = 0.44, external data",
        conditions="10 samples of 4096 particles at T = 0.44, 32 runs from each over about "
        "tau_alpha",
        content=assemble(content),
        facts={
            "n_particles": 4096,
            "n_samples": 10,
            "seed": analysis.settings.seed,
            "versions": {"amorphace": __version__, "lammps": ""},
            "core_hours": "",
        },
        health=[],
        notes=(SOURCE,),
    )


def publish(case: Case) -> None:
    """Write the page of a case with its figures and numbers; what is there is replaced."""
    folder, a = PAGES / case.name, case.content.analysis
    assert a is not None
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.svg"), *folder.glob("*.csv")):
        old.unlink()
    statements = [asdict(line) for line in comparisons(case.content)]
    write_table(folder / "statements.csv", statements)
    for name in TABLES:
        lines = [line for curve in a.curves(name) for line in curve.lines()]
        if lines:
            write_table(folder / f"{name}.csv", lines)
    about = {
        "title": case.title,
        "command": case.command,
        "conditions": case.conditions,
        "n_active": a.n_active,
        "n_inactive": a.n_inactive,
        **case.facts,
        "statements": statements,
    }
    remarks = [*case.notes, *a.warnings, *a.notes]
    more = {"correlations": list(case.content.correlations), "remarks": remarks}
    write_json(folder / "summary.json", {"case": case.name, **about, **more})
    if case.health:
        write_json(folder / "health.json", case.health)
    figures = list(draw(folder, case.content))
    page = Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(
        (PAGES / "page.md.j2").read_text(encoding="utf-8")
    )
    text = page.render(
        **about,
        remarks=remarks,
        cutoff=f"{CUTOFFS[case.content.protocol]:g}",
        figures=figures,
        health=case.health,
        files=sorted(p.name for p in folder.iterdir() if p.suffix in (".csv", ".json", ".toml")),
    )
    (folder / "page.md").write_text(text, encoding="utf-8")
    print(f"{folder.relative_to(ROOT)}: {len(figures)} figures", flush=True)


def draw(folder: Path, content: ReportContent) -> Iterator[dict[str, str]]:
    """Write the figures of the pages; file, title and caption of each."""
    for part in sections(content):
        for panel in part.panels:
            if panel.name.startswith(FIGURES):
                save_figure(draw_panel(panel), folder / panel.name, formats=("svg",))
                title = part.title.split(".")[0] if part.name.startswith("figure") else panel.title
                yield {"name": panel.name, "title": title, "caption": panel.caption}


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_summary() -> None:
    """The tables of all cases whose pages are there, as Markdown and as CSV."""
    known = [
        json.loads((PAGES / name / "summary.json").read_text(encoding="utf-8"))
        for name in (*CASES, EXTERNAL)
        if (PAGES / name / "page.md").exists()
    ]
    if not known:
        return
    tables = [[make(case) for case in known] for make in (accuracies, findings)]
    joined = [a | b for a, b in zip(*tables, strict=True)]
    write_table(PAGES / "summary.csv", joined)
    text = "\n".join(markdown(rows) for rows in tables)
    (PAGES / "summary.md").write_text(text, encoding="utf-8")
    print(text)


def markdown(rows: list[dict[str, Any]]) -> str:
    """Lines of one table; cases are links to their pages."""
    head = list(rows[0])
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for cells in rows:
        linked = {**cells, "case": f"[{cells['case']}]({cells['case']}/page.md)"}
        lines.append(f"| {' | '.join(str(linked[key]) for key in head)} |")
    return "\n".join(lines) + "\n"


def accuracies(case: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracy against the columns that are used, in percent."""
    by = {line["quantity"]: line for line in case["statements"]}
    readings = {
        "first column": "first",
        "A columns": "first species",
        "+ B1": "jump",
        "radial": "radial",
        "+ 3-body": "three-body",
        "+ 4-body": "four-body",
    }
    cells = {}
    for short, reading in readings.items():
        line = by.get(QUANTITIES[reading], {"mean": None})
        known = line["mean"] is not None
        cells[short] = f"{100 * line['mean']:.1f} ± {100 * line['spread']:.1f}" if known else "–"
    return {"case": case["case"], **cells}


def findings(case: Mapping[str, Any]) -> dict[str, Any]:
    """What else the paper speaks of."""
    by = {line["quantity"]: line for line in case["statements"]}
    correlation = by.get(QUANTITIES["correlation"], {"ours": "–"})
    ard = by[QUANTITIES["ard"]]
    return {
        "case": case["case"],
        "samples": f"{case['n_samples']} × {case['n_particles']}",
        "sites": case["n_active"] + case["n_inactive"],
        "saturates at": f"{by[QUANTITIES['saturation']]['mean']:g}",
        "SFS picks": by[QUANTITIES["picks"]]["ours"],
        "D2min-propensity": correlation["ours"],
        "ARD": f"{ard['mean']:.2f} ± {ard['spread']:.2f}",
    }


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
        if name == EXTERNAL:
            if not options.publish:
                run_external(options.folder)
            publish(read_external(options.folder))
        else:
            if not options.publish:
                run_case(name, options.folder)
            publish(read_case(name, options.folder))
    write_summary()


if __name__ == "__main__":
    main()
