"""What a fitted model has learned: cluster functions, and what each part contributes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from amorphace.learn.clusters import ClusterCurve, ClusterFunctions, ClusterMap
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
    c = content.analysis.clusters if content.analysis else None
    if c is None:
        return
    yield _curves("clusters-v1", c, c.v1, "v₁(r; z)")
    maps = c.v2_distance + c.v2_angle
    if maps and vanishes(maps):
        yield "v₂ is not shown, because the model uses no three-body columns: it is zero."
    if not vanishes(c.v2_distance):
        yield _maps("clusters-v2", c, c.v2_distance, "r₁ / σ", "r₂ / σ", "species r1 r2 mean std")
    if not vanishes(c.v2_angle):
        numbers = "species r1 angle mean std"
        yield _maps("clusters-v2-angle", c, c.v2_angle, DISTANCE, "angle / degrees", numbers)
    if c.v3 and vanishes(c.v3):
        yield "v₃ is not shown, because the model uses no four-body columns: it is zero."
    elif c.v3:
        yield _curves("clusters-v3", c, c.v3, "v₃(r, r, r)")


def _curves(
    name: str, functions: ClusterFunctions, curves: Sequence[ClusterCurve], label: str
) -> Panel:
    lines = tuple(
        Line(name=" ".join(c.species), x=c.r, y=c.mean, spread=c.std, k=k, dash=DASHES[k % 4])
        for k, c in enumerate(curves)
    )
    panel = Panel(
        name=name,
        x=Axis(label=DISTANCE, low=float(curves[0].r[0]), high=functions.cutoff),
        y=Axis(label=f"{label} ({LOG_ODDS})"),
        lines=lines,
        rules=(ZERO,),
        corner="upper right",
        numbers=line_numbers("species r mean std", lines),
    )
    bands = f"Lines are means over {functions.n_models} models fitted on folds, bands one deviation"
    return captioned(panel, {"bands": bands, "angle": functions.triple_angle})


def _maps(
    name: str,
    functions: ClusterFunctions,
    maps: Sequence[ClusterMap],
    x: str,
    y: str,
    columns: str,
) -> Panel:
    most = symmetric_range([m.mean for m in maps])
    drawn = tuple(Map(name=" ".join(m.species), x=m.x, y=m.y, z=m.mean, spread=m.std) for m in maps)
    panel = Panel(
        name=name,
        x=Axis(label=x),
        y=Axis(label=y),
        maps=drawn,
        colours=Colours(label=LOG_ODDS, low=-most, high=most, diverging=True),
        numbers=map_numbers(columns, drawn),
    )
    return captioned(panel, {"angle": functions.angle})


@shows("clusters")
def contributions(content: ReportContent) -> Iterator[Panel]:
    """Share of the variance of the log-odds that each part of the model brings."""
    c = content.analysis.contributions if content.analysis else None
    if c is None:
        return
    parts = zip(c.order, c.species, strict=True)
    panel = Panel(
        name="contributions",
        x=Axis(label="share of the variance of the log-odds"),
        y=Axis(label=""),
        bars=(
            Bars(
                name="",
                labels=tuple(body_name(order, species) for order, species in parts),
                values=c.share.mean(axis=1),
                spread=c.share.std(axis=1),
                k=tuple(order - 1 for order in c.order),
            ),
        ),
        numbers=Numbers.of(
            "part order share share_std variance mean_abs",
            (
                (
                    name,
                    c.order[k],
                    c.share[k].mean(),
                    c.share[k].std(),
                    c.variance[k].mean(),
                    c.mean_abs[k].mean(),
                )
                for k, name in enumerate(c.names)
            ),
        ),
    )
    yield captioned(panel, {})
