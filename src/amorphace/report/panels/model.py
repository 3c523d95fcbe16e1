"""What a fitted model has learned, beyond plain curves: maps of v2, and contributions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from amorphace.learn.clusters import ANGLE
from amorphace.report.content import ReportContent
from amorphace.report.numbers import Numbers, curve_numbers
from amorphace.report.panel import Axis, Bars, Colours, Map, Panel
from amorphace.report.panels.making import captioned, shows
from amorphace.report.words import DISTANCE, LOG_ODDS, body_name

OUTER = 99
"""Percentile of the magnitudes at which the colours of a map end: the few larger ones are where two
neighbours would overlap, and a model extrapolates."""


@shows("clusters-v2")
def distances(content: ReportContent) -> Iterator[Panel | str]:
    """v2(r1, r2) for each pair of species."""
    yield from _maps(content, "v2_distance", "clusters-v2", "r₁ / σ", "r₂ / σ")


@shows("clusters-v2-angle")
def angles(content: ReportContent) -> Iterator[Panel | str]:
    """v2(r, r, angle) for each pair of species."""
    for panel in _maps(content, "v2_angle", "clusters-v2-angle", DISTANCE, "angle / degrees"):
        if isinstance(panel, Panel):  # of none the reason is given with the distances
            yield panel


def _maps(content: ReportContent, curves: str, name: str, x: str, y: str) -> Iterator[Panel | str]:
    found = content.found(curves)
    if found and not any(c.values.any() for c in found):
        yield "v₂ is not shown, because the model uses no three-body features: it is zero."
    elif found:
        size = np.abs([c.mean for c in found])
        most = float(np.percentile(size, OUTER)) or float(size.max())
        colours = Colours(label=LOG_ODDS, low=-most, high=most)
        row = tuple(
            Panel(
                name=f"{name}-{k}",
                title=c.variant.replace("·", " "),
                x=Axis(label=x),
                y=Axis(label=y),
                map=Map(x=np.unique(c.x), y=second, z=c.mean.reshape(-1, len(second))),
                colours=colours,
            )
            for k, c in enumerate(found, start=1)
            for second in [np.unique(np.asarray(c.y))]
        )
        points = (
            (c.variant, *point)
            for c in found
            for point in zip(c.x, np.asarray(c.y), c.mean, c.error, strict=True)
        )
        numbers = Numbers.of("species x y mean error", points)
        panel = Panel(name=name, grid=(row,), colours=colours, numbers=numbers)
        yield captioned(panel, {"angle": ANGLE})


@shows("contributions")
def contributions(content: ReportContent) -> Iterator[Panel]:
    """Share of the variance of the log-odds that each part of the model brings."""
    for c in content.found("contributions"):
        kinds = [label.partition(": ")[2].split("·") for label in c.labels]
        names = tuple(
            body_name(int(order), [z for z in species if z])
            for order, species in zip(c.x, kinds, strict=True)
        )
        k = tuple(int(order) - 1 for order in c.x)
        panel = Panel(
            name="contributions",
            x=Axis(label="share of the variance of the log-odds"),
            bars=(Bars(name="", labels=names, values=c.mean, error=c.error, k=k),),
            numbers=curve_numbers([c]),
        )
        yield captioned(panel, {})
