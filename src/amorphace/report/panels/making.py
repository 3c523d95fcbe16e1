"""How panels are made: who makes them, their words, and what several of them share."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

from amorphace.dataset.table import Columns
from amorphace.report.content import ReportContent
from amorphace.report.numbers import Numbers
from amorphace.report.palette import LEFT
from amorphace.report.panel import Axis, Line, Map, Panel, Rule
from amorphace.report.words import NUMBER_OF_COLUMNS

Maker: TypeAlias = Callable[[ReportContent], Iterator[Panel | str]]
"""Gives the panels that a content has numbers for, or a sentence on why there is none."""

MAKERS: dict[str, list[Maker]] = {}
"""By section of captions.toml, in the order of the page."""


def shows(section: str) -> Callable[[Maker], Maker]:
    """Puts what a function makes into a section of the page, and among the figures for print."""

    def add(maker: Maker) -> Maker:
        MAKERS.setdefault(section, []).append(maker)
        return maker

    return add


@cache
def captions() -> Mapping[str, Any]:
    """All words of captions.toml."""
    file = files("amorphace.report").joinpath("captions.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def captioned(panel: Panel, values: Mapping[str, Any], key: str = "") -> Panel:
    """A panel with the words that captions.toml has for it, or for `key`."""
    words = captions()["figure"][key or panel.name]
    title = words.get("title", "").format_map(values)
    caption = re.sub(" +", " ", words["caption"].format_map(values))
    return replace(panel, title=title, caption=caption)


def bands(n_folds: int | None = None) -> str:
    """What the bands of a figure are."""
    folds = "the folds" if n_folds is None else f"{n_folds} folds"
    return f"Bands show one standard deviation between {folds}"


def columns_axis(columns: Columns) -> Axis:
    """Of numbers of columns, from a little before the first."""
    high = len(columns) * 1.15
    ticks = tuple(float(k) for k in (1, 10, 100, 1000, 10000) if k <= high)
    return Axis(label=NUMBER_OF_COLUMNS, log=True, low=LEFT, high=high, ticks=ticks)


def column_rules(columns: Columns, species: Sequence[str]) -> tuple[Rule, ...]:
    """Solid where a body order begins, dashed where the neighbour's species changes."""
    rules = [
        Rule(
            at=start + 0.5 if start else LEFT,
            dash="solid" if start else "",
            text=f"{order + 1}-body",
        )
        for order, start in columns.order_starts().items()
    ]
    for start in columns.species_starts():
        text = species[int(columns.z[start, 0])] if len(species) > 1 else ""
        rules.append(
            Rule(
                at=start + 0.5 if start else LEFT,
                dash="dashed" if start else "",
                text=text,
                foot=True,
            )
        )
    return tuple(rules)


def line_numbers(columns: str, lines: Iterable[Line]) -> Numbers:
    """Name, x, y and, where `columns` names four, spread of all points of lines."""
    n = len(columns.split())
    return Numbers.of(
        columns,
        (
            (line.name, line.x[k], line.y[k], *(() if line.spread is None else (line.spread[k],)))[
                :n
            ]
            for line in lines
            for k in range(len(line.x))
        ),
    )


def map_numbers(columns: str, maps: Iterable[Map]) -> Numbers:
    """Name, x, y, z and spread of all points of maps."""
    return Numbers.of(
        columns,
        (
            (m.name, m.x[i], m.y[j], m.z[i, j], m.spread[i, j])
            for m in maps
            for i in range(len(m.x))
            for j in range(len(m.y))
        ),
    )
