"""How panels are made: who makes them, their words, and what several of them share."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np

from amorphace.dataset.table import Columns
from amorphace.report.content import ReportContent
from amorphace.report.panel import Axis, Panel, Rule
from amorphace.report.words import NUMBER_OF_COLUMNS

Maker: TypeAlias = Callable[[ReportContent], Iterator[Panel | str]]
"""Gives the panels that a content has numbers for, or a sentence on why there is none."""

MAKERS: dict[str, Maker] = {}
"""By entry of figures.toml."""

LEFT = 0.88
"""Left end of the axis of numbers of features, a little before the first."""

MARGIN = 0.04
"""Between curves and the ends of their axis, as a share of it."""


def shows(key: str) -> Callable[[Maker], Maker]:
    """Gives an entry of figures.toml the function that makes its panels."""

    def add(maker: Maker) -> Maker:
        MAKERS[key] = maker
        return maker

    return add


@cache
def figures_toml() -> Mapping[str, Any]:
    """All of figures.toml."""
    file = files("amorphace.report").joinpath("figures.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def words_of(key: str) -> Mapping[str, Any]:
    """An entry of figures.toml."""
    return figures_toml()["figure"][key]


def captioned(panel: Panel, values: Mapping[str, Any], key: str = "") -> Panel:
    """A panel with the words that figures.toml has for it, or for `key`."""
    words = words_of(key or panel.name)
    also = [text for name, text in words.get("also", {}).items() if values.get(name)]
    caption = " ".join([words["caption"], *also]).format_map(values)
    return replace(panel, title=words.get("title", "").format_map(values), caption=caption)


def columns_axis(columns: Columns) -> Axis:
    """Of numbers of features, from a little before the first."""
    high = len(columns) * 1.15
    ticks = tuple(float(k) for k in (1, 10, 100, 1000, 10000) if k <= high)
    return Axis(label=NUMBER_OF_COLUMNS, log=True, low=LEFT, high=high, ticks=ticks)


def scores_axis(label: str, panels: Iterable[Panel]) -> Axis:
    """An axis that holds all curves with their error bars, and chance."""
    ends: list[float] = []
    for panel in panels:
        ends += [rule.at for rule in panel.rules if rule.across == "y"]
        for line in panel.lines:
            error = np.zeros(len(line.x))
            if line.bars is not None and line.error is not None:
                error[line.bars] = np.nan_to_num(line.error[line.bars])
            ends += [float(np.nanmin(line.y - error)), float(np.nanmax(line.y + error))]
    room = MARGIN * (max(ends) - min(ends))
    return Axis(label=label, low=min(ends) - room, high=max(ends) + room)


def column_rules(columns: Columns, species: Sequence[str]) -> tuple[Rule, ...]:
    """Solid where a body order begins, dashed where the neighbour's species changes."""
    texts = {start: f"{order + 1}-body" for order, start in columns.order_starts().items()}
    rules = []
    for start in sorted({*texts, *columns.species_starts()}):
        text = texts.get(start, "")
        if len(species) > 1 and start in columns.species_starts():
            text = f"{text} {species[int(columns.z[start, 0])]}".strip()
        dash = "solid" if start in texts else "dashed"
        rules.append(Rule(at=start + 0.5 if start else LEFT, dash=dash if start else "", text=text))
    return tuple(rules)
