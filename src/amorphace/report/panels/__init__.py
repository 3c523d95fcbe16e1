"""What each figure shows: an entry of figures.toml, which a function here may make.

declared    figures of curves that figures.toml describes alone
results     figures 4, 5, 6 and the calibration, of an analysis
model       maps of the cluster functions, and contributions, of a fitted model
slices      figure 2
cases       figures 3, 5 and 7 of several analyses, side by side
"""

from __future__ import annotations

from amorphace.report.content import ReportContent
from amorphace.report.panel import Panel
from amorphace.report.panels import model, results, slices
from amorphace.report.panels.declared import declared
from amorphace.report.panels.making import MAKERS, figures_toml

__all__ = ["made", "model", "panels", "results", "slices"]


def made(key: str, content: ReportContent) -> tuple[Panel | str, ...]:
    """The panels of an entry of figures.toml, or a sentence on the reason why there is none."""
    return tuple(MAKERS[key](content) if key in MAKERS else declared(key, content))


def panels(content: ReportContent) -> dict[str, Panel]:
    """All that is drawn, by name, in the order of figures.toml."""
    entries = [key for key, words in figures_toml()["figure"].items() if "section" in words]
    found = [item for key in entries for item in made(key, content)]
    return {item.name: item for item in found if isinstance(item, Panel)}
