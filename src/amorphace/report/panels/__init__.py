"""What each figure shows: a function here is a figure, its words are in captions.toml.

results     figures 3 to 7, calibration, ROC: from an analysis
model       cluster functions and contributions of a fitted model
glass       radial functions, slices, g(r), runs, propensity
"""

from __future__ import annotations

from dataclasses import dataclass

from amorphace.report.content import ReportContent
from amorphace.report.panel import Panel
from amorphace.report.panels import glass, model, results
from amorphace.report.panels.making import MAKERS, captions

__all__ = ["Section", "glass", "model", "panels", "results", "sections"]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    name, title : str
    panels : tuple of Panel
    absent : tuple of str
        One sentence for each thing that is not shown, and why.
    """

    name: str
    title: str
    panels: tuple[Panel, ...] = ()
    absent: tuple[str, ...] = ()


def sections(content: ReportContent) -> tuple[Section, ...]:
    """Everything that is drawn, in the order of the page."""
    missing = "the content holds no analysis"
    if content.analysis is not None:
        missing = "this part of the analysis was not computed"
    found = []
    for name, words in captions()["section"].items():
        made = [item for make in MAKERS.get(name, ()) for item in make(content)]
        shown = tuple(item for item in made if isinstance(item, Panel))
        absent = [item for item in made if isinstance(item, str)]
        if not made:
            absent = [words["absent"].format(why=missing)]
        found.append(Section(name=name, title=words["title"], panels=shown, absent=tuple(absent)))
    return tuple(found)


def panels(content: ReportContent) -> dict[str, Panel]:
    """All that is drawn, by name."""
    return {panel.name: panel for part in sections(content) for panel in part.panels}
