"""Several cases side by side on the same axes: glasses from left to right, thermal over sheared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from string import ascii_lowercase

from amorphace.report.content import ReportContent
from amorphace.report.numbers import Numbers
from amorphace.report.panel import Panel
from amorphace.report.panels import results
from amorphace.report.panels.declared import declared
from amorphace.report.panels.making import Maker, captioned, scores_axis
from amorphace.report.words import PROTOCOLS

FIGURES: Mapping[str, Maker] = {
    "cases-figure-3": partial(declared, "figure-3-accuracy"),
    "cases-figure-5": results.selection,
    "cases-figure-7": partial(declared, "figure-7-ard"),
}
IN_ROW = 3


def case_panels(contents: Sequence[ReportContent]) -> Iterator[Panel]:
    """Figures 3, 5 and 7 of several cases, those that any of them has.

    Parameters
    ----------
    contents : sequence of ReportContent
        With a title each.
    """
    for name, maker in FIGURES.items():
        made = {c.title: p for c in contents if isinstance(p := next(maker(c), None), Panel)}
        if made:
            yield _grid(name, arranged(contents), made)


def arranged(contents: Sequence[ReportContent]) -> list[list[ReportContent | None]]:
    """A row for each protocol and a column for each model, or else rows of three.

    Parameters
    ----------
    contents : sequence of ReportContent
        None stands where there is no such case.
    """
    by_case = {(c.protocol, c.model): c for c in contents}
    models = list(dict.fromkeys(c.model for c in contents))
    protocols = [p for p in PROTOCOLS if any(c.protocol == p for c in contents)]
    if all(c.model and c.protocol for c in contents) and len(by_case) == len(contents):
        return [[by_case.get((p, m)) for m in models] for p in protocols]
    n_missing = -len(contents) % IN_ROW if len(contents) > IN_ROW else 0
    padded = [*contents, *[None] * n_missing]
    return [padded[k : k + IN_ROW] for k in range(0, len(padded), IN_ROW)]


def _grid(
    name: str, rows: Sequence[Sequence[ReportContent | None]], made: Mapping[str, Panel]
) -> Panel:
    """Panels by the titles of their cases, on the same axes and lettered."""
    x = max((p.x for p in made.values()), key=lambda axis: axis.high or 0.0)
    first = next(iter(made.values()))
    y = scores_axis(first.y.label, made.values())
    places = [c.title for row in rows for c in row if c is not None and c.title in made]
    titles = {title: f"({k}) {title}" for k, title in zip(ascii_lowercase, places, strict=False)}
    cells = {
        title: replace(
            made[title],
            name=f"{name}-{k}",
            title=titles[title],
            x=x,
            y=y,
            lines=tuple(replace(line, n_written=0) for line in made[title].lines),
        )
        for k, title in enumerate(places, start=1)
    }
    grid = tuple(tuple(cells.get(c.title) if c else None for c in row) for row in rows)
    numbers = Numbers(
        columns=("case", *first.numbers.columns),
        rows=tuple((title, *row) for title in places for row in made[title].numbers.rows),
    )
    panel = Panel(name=name, grid=grid, legend=first.legend, numbers=numbers)
    return captioned(panel, {"cases": ", ".join(titles.values())})
