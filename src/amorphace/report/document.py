"""What a page holds, section by section, for HTML and for Markdown alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from amorphace.core.digest import package_version
from amorphace.report.claim_tables import INTERVAL, claims_of_case, claims_of_cases
from amorphace.report.claims import PUBLISHED, WHAT_DIFFERS, comparisons
from amorphace.report.content import ReportContent
from amorphace.report.numbers import Numbers, curve_numbers
from amorphace.report.outline import Document, Section, Table
from amorphace.report.panel import Panel
from amorphace.report.panels import made
from amorphace.report.panels.cases import case_panels
from amorphace.report.panels.making import figures_toml
from amorphace.report.readings.found import plus_minus
from amorphace.report.verdict import classifier_rows, headline, verdict
from amorphace.report.words import GLASSES, PROTOCOLS, target_name

BRIEF = 700
"""Letters of a line of provenance that stands on a page unfolded."""


def document(content: ReportContent) -> Document:
    """The page of one content: what there is, in the order of figures.toml.

    What there is nothing of is named in the last section, with what would make it.
    """
    found, absent = [], []
    for name, words in figures_toml()["section"].items():
        part = PARTS.get(name, _figures(name))(content)
        if any((part.warnings, part.text, part.tables, part.lines, part.panels, part.snapshots)):
            found.append(replace(part, name=name, title=words["title"]))
        elif "absent" in words:
            absent.append(words["absent"])
    if absent:
        found.append(Section(name="absent", title="What is not shown", notes=tuple(absent)))
    about = (
        f"amorphace {package_version()}",
        GLASSES.get(content.model, content.model),
        PROTOCOLS.get(content.protocol, content.protocol),
    )
    kicker = " · ".join(filter(None, about))
    return Document(title=content.title, kicker=kicker, sections=tuple(found))


def overview(contents: Sequence[ReportContent], title: str = "") -> Document:
    """The page of several cases: their accuracies and figures side by side.

    Parameters
    ----------
    contents : sequence of ReportContent
        Titles that differ.
    title : str
    """
    parts = [Section(name="cases", title="Cases", tables=tuple(_cases(contents)))]
    for panel in case_panels(contents):
        parts.append(
            Section(name=panel.name, title=panel.title, panels=(replace(panel, title=""),))
        )
    kicker = f"amorphace {package_version()} · {len(contents)} cases"
    return Document(title=title or "Cases compared", kicker=kicker, sections=tuple(parts))


def _cases(contents: Sequence[ReportContent]) -> Iterator[Table]:
    """What the paper speaks of, of all cases."""
    found = [(c, comparisons(c, contents)) for c in contents]
    for words in figures_toml()["table"].values():
        head = tuple(words["columns"])
        yield Table(
            title=words["title"],
            head=("case", *words["columns"].values()),
            rows=tuple(
                (c.title, *(by[key].ours if key in by else "–" for key in head))
                for c, by in ((c, {s.reading: s for s in own}) for c, own in found)
            ),
            note=words["note"],
            name="cases",
        )
    yield from claims_of_cases(found)


def _figures(name: str) -> Callable[[ReportContent], Section]:
    """What makes a section of figures."""

    def part(content: ReportContent) -> Section:
        entries = [
            k for k, words in figures_toml()["figure"].items() if words.get("section") == name
        ]
        items = [item for key in entries for item in made(key, content)]
        return Section(
            panels=tuple(item for item in items if isinstance(item, Panel)),
            notes=tuple(item for item in items if isinstance(item, str)),
        )

    return part


def _warnings(content: ReportContent) -> Section:
    """Of the content, of the analysis, and of failed checks; each once."""
    failed = (f"{h.unit}: {h.text or h.quantity}" for h in content.health if not h.ok)
    of_analysis = content.analysis.warnings if content.analysis else ()
    return Section(warnings=tuple(dict.fromkeys((*content.warnings, *failed, *of_analysis))))


def _view(content: ReportContent) -> Section:
    return Section(snapshots=content.snapshots)


def _verdict(content: ReportContent) -> Section:
    return Section(
        headline=headline(content.analysis) or (),
        text=verdict(content),
        notes=content.analysis.notes if content.analysis else (),
        tables=tuple(table for make in (claims_of_case, _classifiers) for table in make(content)),
    )


def _classifiers(content: ReportContent) -> Iterator[Table]:
    a = content.analysis
    if a is not None and a.curves("classifiers"):
        yield Table(
            title="Classifiers",
            head=("classifier", "features", "accuracy", "balanced accuracy", "ROC-AUC"),
            rows=classifier_rows(a),
            note=f"Mean over folds that keep samples whole, {INTERVAL}.",
            name="classifiers",
            numbers=curve_numbers(a.curves("classifiers")),
        )


def _propensity(content: ReportContent) -> Section:
    part = _figures("propensity")(content)
    if not content.propensity:
        return part
    others = PUBLISHED.get(content.model, ())
    ours = [
        (
            target_name(p.target, p.log),
            p.inputs,
            p.head,
            str(p.n_columns),
            plus_minus(p.pearson, 3),
            plus_minus(p.spearman, 3),
        )
        for p in content.propensity
    ]
    table = Table(
        head=("target", "inputs", "head", "features", "Pearson", "Spearman"),
        rows=(*ours, *(("propensity", "published", m, "", f"{r:.3f}", "") for m, r in others)),
        words=3,
        note=f"Mean over configurations left out, {INTERVAL}." + f" {WHAT_DIFFERS}" * bool(others),
        name="propensity",
        numbers=Numbers.of(
            "target log inputs head n_columns sample pearson spearman",
            (
                (p.target, int(p.log), p.inputs, p.head, p.n_columns, name, r, rho)
                for p in content.propensity
                for name, r, rho in zip(p.samples, p.pearson, p.spearman, strict=True)
            ),
        ),
    )
    return replace(part, tables=(table,))


def _everyone(content: ReportContent) -> Section:
    """Ranks of events and correlations, which the verdict states in words."""
    found = [c for name in ("everyone", "events") for c in content.found(name)]
    return Section(
        tables=tuple(
            Table(
                head=(c.name, *c.scores),
                rows=tuple(
                    (
                        c.labels[p] if c.labels else f"strain before the event: {x:g}",
                        *(plus_minus(score[p], 2) for score in c.scores.values()),
                    )
                    for p, x in enumerate(c.x)
                ),
                note=f"Mean over samples left out, {INTERVAL}.",
                name=c.name,
                numbers=curve_numbers([c]),
            )
            for c in found
        )
    )


def _run(content: ReportContent) -> Section:
    history = tuple(_lines(content.provenance))
    brief = tuple(line for line in history if ":" not in line[0] and len(line[1]) < BRIEF)
    settings = tuple((f"descriptor: {name}", text) for name, text in _lines(content.settings))
    health = sorted(content.health, key=lambda line: line.ok)
    n_failed = sum(not line.ok for line in health)
    checks = Table(
        title=f"Health: {n_failed or 'none'} of {len(health)} checks failed",
        head=("run", "quantity", "verdict", "value", "limit"),
        rows=tuple(
            (
                h.unit,
                h.quantity,
                ("" if h.ok else "FAILED: ")
                + (h.text or ("sound" if h.ok else "beyond the limit")),
                _number(h.value),
                _number(h.limit),
            )
            for h in health
        ),
        words=3,
        note="The worst of all runs of a kind, and the limit above which a run is not used.",
    )
    return Section(
        text=content.summary,
        lines=brief,
        folded=(*settings, *(line for line in history if line not in brief)),
        tables=(checks,) if health else (),
    )


PARTS: Mapping[str, Callable[[ReportContent], Section]] = {
    "warnings": _warnings,
    "view": _view,
    "verdict": _verdict,
    "propensity": _propensity,
    "everyone": _everyone,
    "run": _run,
}
"""Sections that are not of figures alone."""


def _lines(fields: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """A mapping as lines of names and texts; nested ones as "outer: inner"."""
    for key, value in fields.items():
        name = f"{before}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _lines(value, f"{name}: ")
        elif isinstance(value, list | tuple):
            yield name, ", ".join(_words(entry) for entry in value) or "none"
        else:
            yield name, _words(value)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):  # a file and its digest, of which twelve letters will do
        return " ".join(_words(v)[:12] if k == "sha256" else _words(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(entry) for entry in value)
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
