"""What a fitted model has learned: cluster functions, and what each part contributes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.clusters import ANGLE
from amorphace.learn.results import Curve
from amorphace.report.content import ReportContent, symmetric_range, vanishes
from amorphace.report.numbers import Numbers
from amorphace.report.panel import Axis, Bars, Colours, Dash, Line, Map, Panel, Rule
from amorphace.report.panels.making import captioned, line_numbers, map_numbers, shows
from amorphace.report.words import DISTANCE, LOG_ODDS, body_name

ZERO = Rule(at=0.0, across="y")
DASHES: tuple[Dash, ...] = ("solid", "dashed", "dotted", "dashdot")


@shows("clusters")
def cluster_functions(content: ReportContent) -> Iterator[Panel | str]:
    """v1(r; z), two cuts through v2, and v3 of three neighbours at one distance."""
    a = content.analysis
    if a is None or not a.curves("v1"):
        return
    yield _curves("clusters-v1", a.curves("v1"), "v₁(r; z)")
    over_distance, over_angle, v3 = (a.curves(k) for k in ("v2_distance", "v2_angle", "v3"))
    if over_distance and vanishes(over_distance + over_angle):
        yield "v₂ is not shown, because the model uses no three-body columns: it is zero."
    if not vanishes(over_distance):
        yield _maps("clusters-v2", over_distance, "r₁ / σ", "r₂ / σ", "species r1 r2 mean std")
    if not vanishes(over_angle):
        numbers = "species r1 angle mean std"
        yield _maps("clusters-v2-angle", over_angle, DISTANCE, "angle / degrees", numbers)
    if v3 and vanishes(v3):
        yield "v₃ is not shown, because the model uses no four-body columns: it is zero."
    elif v3:
        yield _curves("clusters-v3", v3, "v₃(r, r, r)")


def _curves(name: str, curves: Sequence[Curve], label: str) -> Panel:
    lines = tuple(
        Line(name=_species(c), x=c.x, y=c.mean, spread=_spread(c), k=k, dash=DASHES[k % 4])
        for k, c in enumerate(curves)
    )
    panel = Panel(
        name=name,
        x=Axis(label=DISTANCE, low=float(curves[0].x[0]), high=curves[0].cutoff),
        y=Axis(label=f"{label} ({LOG_ODDS})"),
        lines=lines,
        rules=(ZERO,),
        corner="upper right",
        numbers=line_numbers("species r mean std", lines),
    )
    n_models = curves[0].values.shape[1]
    bands = f"Lines are means over {n_models} models fitted on folds, bands one deviation"
    return captioned(panel, {"bands": bands, "angle": ANGLE})


def _maps(name: str, maps: Sequence[Curve], x: str, y: str, columns: str) -> Panel:
    most = symmetric_range([m.mean for m in maps])
    drawn = []
    for m in maps:
        assert m.y is not None
        axes = np.unique(m.x), np.unique(m.y)
        shape = tuple(len(axis) for axis in axes)
        mean, spread = m.mean.reshape(shape), _spread(m).reshape(shape)
        drawn.append(Map(name=_species(m), x=axes[0], y=axes[1], z=mean, spread=spread))
    panel = Panel(
        name=name,
        x=Axis(label=x),
        y=Axis(label=y),
        maps=tuple(drawn),
        colours=Colours(label=LOG_ODDS, low=-most, high=most, diverging=True),
        numbers=map_numbers(columns, drawn),
    )
    return captioned(panel, {"angle": ANGLE})


def _species(curve: Curve) -> str:
    return curve.variant.replace("·", " ")


def _spread(curve: Curve) -> NDArray[np.float64]:
    """Standard deviation between models; zero for a single one."""
    return curve.values.std(axis=1)


@shows("clusters")
def contributions(content: ReportContent) -> Iterator[Panel]:
    """Share of the variance of the log-odds that each part of the model brings."""
    c = next(iter(content.analysis.curves("contributions")), None) if content.analysis else None
    if c is None:
        return
    kinds = [label.partition(": ")[2] for label in c.labels]
    parts = zip(c.x.tolist(), (kind.split("·") if kind else () for kind in kinds), strict=True)
    panel = Panel(
        name="contributions",
        x=Axis(label="share of the variance of the log-odds"),
        y=Axis(label=""),
        bars=(
            Bars(
                name="",
                labels=tuple(body_name(order, species) for order, species in parts),
                values=c.mean,
                spread=_spread(c),
                k=tuple(order - 1 for order in c.x.tolist()),
            ),
        ),
        numbers=Numbers.of(
            "part order share share_std variance mean_abs",
            (
                (
                    name,
                    c.x[k],
                    c["share"][k].mean(),
                    c["share"][k].std(),
                    c["variance"][k].mean(),
                    c["mean_abs"][k].mean(),
                )
                for k, name in enumerate(c.labels)
            ),
        ),
    )
    yield captioned(panel, {})
