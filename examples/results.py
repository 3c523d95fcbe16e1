"""The paper's six cases as docs/results shows them.

    python examples/results.py                       # all pages, from what is kept of each case
    python examples/results.py bead-spring-thermal   # make a case first, or several, or "all"

A case is an experiment file, docs/results/CASE/experiment.toml, run in --folder (out/results),
where what is finished is not done again. What its page shows is kept in
docs/results/CASE/content.json.gz, and every page, figure and table beside it is written from there:
`make results`.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from further import other_weights, single_runs

from amorphace.campaign.plan import make_plan, store_path
from amorphace.config import read_experiment
from amorphace.front.view import slices
from amorphace.learn.bundle import FILE_NAME, Analysis, read_analysis
from amorphace.learn.results import Curve
from amorphace.report.claims import comparisons
from amorphace.report.content import ReportContent
from amorphace.report.document import overview
from amorphace.report.experiment import experiment_content
from amorphace.report.kept import read_content, write_content
from amorphace.report.page import write_report
from amorphace.report.readings.found import plus_minus
from amorphace.runs.store import Store

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "results"
COMMAND = Path(sys.executable).with_name("amorphace")

MODELS = ("bead-spring", "kob-andersen", "wahnstrom")
OTHER = {"thermal": "shear", "shear": "thermal"}
CASES = tuple(f"{model}-{protocol}" for protocol in OTHER for model in MODELS)
SOURCES: Mapping[str, tuple[str, str]] = {
    "kob-andersen-thermal": (
        "Kob-Andersen, T = 0.44",
        "External data, not made here: ten configurations of 4096 particles with 32 "
        "isoconfigurational end points each, over about tau_alpha, from the public BOTAN data set "
        "(github.com/h3-Open-BDEC/pyg_botan, Apache-2.0; Shiba, Hanai, Suzumura, Shimokawabe, "
        "J. Chem. Phys. 158, 084503, 2023).",
    ),
    "wahnstrom-thermal": (
        "Wahnström, T = 0.58",
        "External data: seven samples of 4096 particles at number density 1.3, cooled from T = 1 "
        "to 0.58 in a time of 2000 and held for 3000, with 30 isoconfigurational end points each, "
        "over a time of 1041.6, some three relaxation times; float32 positions.",
    ),
}
"""Title and origin of cases whose configurations come from files."""
PAPER: Mapping[str, str] = {
    "thermal": "{T}, 30 runs over {lag} from one configuration of 30,000",
    "shear": "30 samples of 30,000, data over 1 % of strain",
}
"""What the paper's cases are; it gives the number of particles of the polymer."""
STATES: Mapping[str, Mapping[str, str]] = {
    "bead-spring": {"T": "T = 0.47", "lag": "1000"},
    "kob-andersen": {"T": "T = 0.44", "lag": "5000"},
    "wahnstrom": {"T": "T = 0.58", "lag": "1000"},
}
GIVEN: Mapping[str, str] = {
    "kob-andersen-thermal": "T = 0.44, 32 runs over about the relaxation time",
    "wahnstrom-thermal": "T = 0.58, 30 runs over 1041.6",
}
"""What is known of the cases of `SOURCES`."""
FIGURES = ("figure-2", "figure-4", "figure-6", "roc", "relaxation", "stress-strain")
"""How the names of those begin that stand on the page of a case; 3, 5 and 7 show all cases."""
KEPT = "content.json.gz"
SHOWN = "kob-andersen-thermal"
"""The case that README.md opens with."""
BEGIN, END = "<!-- written by make results -->", "<!-- end -->"
ANSWERS = ("yes", "no", "cannot tell")
BRIEF = ("first species", "radial")
"""Readings of the brief table."""


def make(name: str, folder: Path) -> None:
    """Run a case, as far as that is not done."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.toml"
    text = (PAGES / name / "experiment.toml").read_text(encoding="utf-8")
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
    subprocess.run([COMMAND, "run", file], check=True)


def found(name: str, folder: Path) -> ReportContent:
    """What a finished case gave, with its companion for figure 4 if that is finished too."""
    model, protocol = name.rsplit("-", 1)
    file = folder / f"{name}.toml"
    experiment = read_experiment(file)
    store = Store(store_path(file, experiment), create=False)
    command = f"python examples/results.py {name}"
    content = experiment_content(make_plan(experiment), store, command=command)
    if name in SOURCES:
        title, source = SOURCES[name]
        content = replace(
            content, title=title, model=model, protocol=protocol, summary=(source, *content.summary)
        )
    further = tuple(other_weights(name, folder))
    if protocol == "shear" and (folder / f"{model}-thermal.store").is_dir():
        further += (single_runs(f"{model}-thermal", folder),)
    content = replace(content, curves=(*content.curves, *further))
    companion = folder / f"{model}-{OTHER[protocol]}.results"
    if not (companion / FILE_NAME).exists():
        return content
    return replace(
        content,
        companion=compared(read_analysis(companion)),
        companion_protocol=OTHER[protocol],
    )


def compared(analysis: Analysis) -> Analysis:
    """What figure 4 and the statements on two cases need of the other one."""
    names = ("distributions", "accuracy")
    found = tuple(curve for name in names for curve in analysis.curves(name))
    return replace(analysis, results=found, model=None, unseen=None)


def keep(path: Path, content: ReportContent) -> None:
    """Write a content, packed; the same content gives the same bytes."""
    with TemporaryDirectory() as folder:
        write_content(plain := Path(folder) / "content.json", content)
        path.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))


def kept(pages: Path = PAGES) -> Iterator[tuple[str, ReportContent]]:
    """What is kept of the cases, by name."""
    with TemporaryDirectory() as folder:
        for name in CASES:
            if (file := pages / name / KEPT).exists():
                (plain := Path(folder) / f"{name}.json").write_bytes(
                    gzip.decompress(file.read_bytes())
                )
                yield name, read_content(plain)


def publish(pages: Path, cases: Sequence[tuple[str, ReportContent]]) -> None:
    """Write the page of every case with its figures and numbers, and the summary of all."""
    for old in (o for kind in ("svg", "csv") for o in pages.glob(f"*-*/*.{kind}")):
        old.unlink()
    for name, content in cases:
        print(
            write_report(pages / name / "page.md", content, figures=FIGURES, numbers=False),
            flush=True,
        )
    contents = [content for _, content in cases]
    print(
        write_report(pages / "summary.md", overview(contents, "The paper's cases"), numbers=False)
    )
    (pages / "conditions.md").write_text(conditions(cases), encoding="utf-8")


def brief(contents: Sequence[ReportContent]) -> str:
    """The table of README.md and of the documentation's first page, and how many claims hold."""
    rows = ["| accuracy (%) | A features: paper | here | all radial: paper | here |"]
    rows.append("|---|---|---|---|---|")
    answers: Counter[str] = Counter()
    for content in contents:
        found = comparisons(content, contents)
        answers.update(s.answer for s in found)
        by = {s.reading: s for s in found}
        cells = (f"{by[k].paper} | {by[k].ours}" if k in by else "– | –" for k in BRIEF)
        rows.append(f"| {content.title} | {' | '.join(cells)} |")
    n, yes, no = sum(answers[a] for a in ANSWERS), answers["yes"], answers["no"]
    return "\n".join(rows) + (
        f"\n\nOf {n} statements of the paper on these cases {yes} hold here, {no} do not, and "
        f"{answers['cannot tell']} cannot be told from these samples."
    )


def shown_in_words(content: ReportContent) -> str:
    """What the picture shows, and how far score and motion agree in it and in all samples."""
    a = content.analysis
    assert a is not None
    assert a.unseen is not None
    (found,) = a.curves("everyone")
    values = found["spearman"][found.labels.index("d2min")]
    own = values[found.folds.index(a.unseen.sample)]
    return (
        f"A slice of a supercooled liquid ({content.title}) through the particle of the largest "
        f"score: on the left the score of a model that was fitted to {a.n_samples - 1} other "
        "samples and sees positions alone, on the right who moved (D²min, averaged over many "
        f"runs). Over all particles their ranks correlate by {plus_minus(values, 2)} "
        f"(n = {len(values)} samples), in this sample by {own:.2f}."
    )


def conditions(cases: Sequence[tuple[str, ReportContent]]) -> str:
    """What was simulated, beside the paper: a table."""
    rows = ["| case | here | the paper |", "|---|---|---|"]
    for name, content in cases:
        model, protocol = name.rsplit("-", 1)
        assert content.analysis is not None
        a, n = content.analysis, len(content.snapshots[0].configuration)
        if name in GIVEN:
            how = GIVEN[name]
        else:
            made = content.provenance["experiment"]
            how = (
                f"T = {made['preparation']['temperature']:g}, {made['thermal']['replicas']} runs "
                f"over {content.lag:.4g}"
                if protocol == "thermal"
                else f"data over {100 * made['shear']['strain']:g} % of strain, {a.n_events} events"
            )
        here = f"{a.n_samples} samples of {n:,}, {how}; {a.n_active} active sites"
        paper = PAPER[protocol].format(**STATES[model])
        rows.append(f"| [{content.title}]({name}/page.md) | {here} | {paper} |")
    return "\n".join(rows).replace(" %", "\u00a0%") + "\n"


def with_blocks(text: str, blocks: Sequence[str]) -> str:
    """A page with what stands between its marks replaced, in their order."""
    head, *parts = text.split(BEGIN)
    for block, part in zip(blocks, parts, strict=True):
        head += f"{BEGIN}\n\n{block}\n\n{END}{part.split(END, 1)[1]}"
    return head


def blocks(cases: Sequence[tuple[str, ReportContent]]) -> tuple[str, str]:
    """What README.md and the documentation's first page say of the results."""
    return shown_in_words(dict(cases)[SHOWN]), brief([content for _, content in cases])


def show(content: ReportContent, folder: Path) -> None:
    """The picture that README.md opens with, and the page of a case as it opens in a browser."""
    (snapshot,) = content.snapshots
    columns = {name: snapshot.columns[name] for name in ("score", "d2min")}
    picture = slices(replace(snapshot, name="", columns=columns))
    picture.savefig(folder / "hero.png", dpi=200, metadata={"Software": None})
    assert content.analysis is not None
    results = tuple(map(_mean_angles, content.analysis.results))
    lighter = replace(content, analysis=replace(content.analysis, results=results))
    print(write_report(folder / f"{SHOWN}.html", lighter))


def _mean_angles(curve: Curve) -> Curve:
    """A map of angles without its folds, which a page downloads and nobody sees."""
    if curve.name != "v2_angle":
        return curve
    means = {k: v.mean(axis=1, keepdims=True) for k, v in curve.scores.items()}
    return replace(curve, scores=means, folds=(), of="draws")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case", nargs="*", help=f"of {', '.join(CASES)}; or all")
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "results")
    options = parser.parse_args()
    names = CASES if options.case == ["all"] else options.case
    for name in names:
        if name not in CASES:
            parser.error(f"no case {name!r}; there are {', '.join(CASES)}, and all")
        make(name, options.folder)
    for name in names:  # when all are made, since each shows the other of its glass
        keep(PAGES / name / KEPT, found(name, options.folder))
    cases = list(kept())
    publish(PAGES, cases)
    for page in (ROOT / "README.md", ROOT / "docs" / "index.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(with_blocks(text, blocks(cases)), encoding="utf-8")
    show(dict(cases)[SHOWN], ROOT / "docs" / "_static")


if __name__ == "__main__":
    main()
