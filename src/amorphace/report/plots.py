"""Panels for the page: what plotly's script reads, as plain dicts and arrays.

Colours of text and grid are the light ones; a page recolours them in the dark.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from amorphace.report.palette import DIVERGING, MARKERS, PALETTE, colour
from amorphace.report.panel import Axis, Bars, Discs, Line, Map, Panel, Rule
from amorphace.report.words import for_plotly

INK, GRID, GREY = "#1b1f24", "#e3e6ea", "#888"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
SYMBOLS = {
    "o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down",
    "P": "cross", "X": "x",
}  # fmt: skip
DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot", "dashdot": "dashdot"}
HEIGHT, SQUARE_HEIGHT, BAR_HEIGHT = 400, 460, 26
SLICE_PIXELS = 270
"""Across the panel of a slice, about: a marker is one diameter wide."""
GAP = 0.04
"""Between maps, as a share of the width."""


def plot(panel: Panel) -> dict[str, Any]:
    """Data and layout of a panel."""
    data = [trace for line in panel.lines for trace in _line(line)]
    data += [_bars(bars) for bars in panel.bars]
    data += [_map(m, _axis_id(k)) for k, m in enumerate(panel.maps)]
    if panel.discs is not None:
        data.append(_discs(panel.discs, panel))
    return {"data": data, "layout": _layout(panel)}


def _line(line: Line) -> Iterator[dict[str, Any]]:
    paint, name = line.paint or colour(line.k), for_plotly(line.name)
    group = {"legendgroup": name} if name else {}
    if line.spread is not None and (known := np.isfinite(line.spread)).any():
        x, y, spread = line.x[known], line.y[known], line.spread[known]
        yield group | {
            "type": "scatter",
            "x": np.concatenate([x, x[::-1]]),
            "y": np.concatenate([y - spread, (y + spread)[::-1]]),
            "mode": "lines",
            "line": {"width": 0},
            "fill": "toself",
            "fillcolor": _faint(paint),
            "hoverinfo": "skip",
            "showlegend": False,
        }
    trace: dict[str, Any] = group | {
        "type": "scatter",
        "x": line.x,
        "y": np.asarray(line.y, dtype=np.float64),
        "mode": "+".join(["lines"] * line.joined + ["markers"] * line.markers),
        "name": name,
        "showlegend": bool(name),
        "line": {"color": paint, "width": 1.8, "dash": DASHES[line.dash]},
    }
    if not name:
        trace["hoverinfo"] = "skip"
    if line.filled:
        trace |= {"fill": "tozeroy", "fillcolor": _faint(paint)}
    if line.markers:
        symbol = SYMBOLS[line.marker or MARKERS[line.k % len(MARKERS)]]
        hollow = line.hollow is not None and line.hollow.any()
        symbols = [symbol + ("-open" if h else "") for h in line.hollow] if hollow else symbol  # type: ignore[union-attr]
        trace["marker"] = {"symbol": symbols, "size": 8 if line.marker else 6, "color": paint}
        template = "%{y:.3f}"
        if line.spread is not None:
            trace["customdata"] = line.spread
            template += " ± %{customdata:.3f}"
        if line.notes:
            trace["text"] = [for_plotly(note) for note in line.notes]
            template += "  %{text}"
        trace["hovertemplate"] = template
    yield trace


def _bars(bars: Bars) -> dict[str, Any]:
    trace: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "name": for_plotly(bars.name),
        "showlegend": bool(bars.name),
        "y": [for_plotly(label) for label in bars.labels],
        "x": bars.values,
        "marker": {"color": [colour(k) for k in bars.k]},
        "hovertemplate": "%{y}: %{x:.3f}<extra></extra>" if not bars.name else "%{x:.3f}",
    }
    if bars.spread is not None:
        trace["error_x"] = {"array": bars.spread, "thickness": 1}
    return trace


def _map(m: Map, axis: str) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "x": m.x,
        "y": m.y,
        "z": m.z.T.astype(np.float32),
        "coloraxis": "coloraxis",
        "hovertemplate": "r %{x:.2f}, %{y:.2f}: %{z:.3g}<extra></extra>",
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
    }


def _discs(d: Discs, panel: Panel) -> dict[str, Any]:
    span = max(float(np.ptp(d.x)), float(np.ptp(d.y)), 1.0)
    return {
        "type": "scatter",
        "x": d.x,
        "y": d.y,
        "mode": "markers",
        "marker": {
            "size": float(np.clip(SLICE_PIXELS * d.diameter / span, 3, 40)),
            "color": d.values,
            "coloraxis": "coloraxis",
            "line": {"width": 0.5, "color": "rgba(0,0,0,.45)"},
        },
        "customdata": d.ids,
        "hovertemplate": "particle %{customdata}<br>%{marker.color:.4g}<extra></extra>",
        "showlegend": False,
    }


def _layout(panel: Panel) -> dict[str, Any]:
    unified = bool(panel.lines) and not panel.equal and all(line.joined for line in panel.lines)
    layout: dict[str, Any] = {
        "height": SQUARE_HEIGHT if panel.discs else HEIGHT,
        "margin": {"l": 58, "r": 16, "t": 34 if panel.maps else 26, "b": 50},
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "x unified" if unified else "closest",
        "hoverdistance": -1,  # the nearest point, however far
        "modebar": {"bgcolor": "rgba(0,0,0,0)"},
        "legend": {"bgcolor": "rgba(0,0,0,0)", "borderwidth": 0, "font": {"size": 12}},
        "colorway": list(PALETTE),
        "shapes": [_shape(rule) for rule in panel.rules if rule.dash],
        "annotations": [_note(rule, panel.x) for rule in panel.rules if rule.text],
    }
    if panel.legend:
        layout["legend"]["title"] = {"text": for_plotly(panel.legend)}
    n = max(len(panel.maps), 1)
    wide = (1 - GAP * (n - 1)) / n
    for k in range(n):
        left = k * (wide + GAP)
        x, y = _axis(panel.x), _axis(panel.y if k == 0 else Axis(label=""))
        if panel.maps:
            x |= {"domain": [left, left + wide], "anchor": f"y{_axis_id(k)}"}
            y |= {"anchor": f"x{_axis_id(k)}"}
            if k:
                y |= {"matches": "y", "showticklabels": False}
            title = {"text": for_plotly(panel.maps[k].name), "x": left + wide / 2, "y": 1.0}
            place = {"xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom"}
            layout["annotations"].append({**title, **place, "showarrow": False})
        layout[f"xaxis{_axis_id(k)}"], layout[f"yaxis{_axis_id(k)}"] = x, y
    if panel.equal:
        layout["yaxis"] |= {"scaleanchor": "x", "constrain": "domain"}
        layout["xaxis"] |= {"constrain": "domain"}
    if panel.bars:
        layout["yaxis"] |= {"autorange": "reversed", "type": "category"}
        layout["barmode"] = "overlay"
        layout["height"] = 120 + BAR_HEIGHT * len(panel.bars[0].labels)
        layout["hovermode"] = "y unified" if len(panel.bars) > 1 else "closest"
    if panel.colours is not None:
        c = panel.colours
        layout["coloraxis"] = {
            "colorscale": [list(stop) for stop in DIVERGING] if c.diverging else "Viridis",
            "cmin": c.low,
            "cmax": c.high,
            "colorbar": {"title": {"text": for_plotly(c.label)}, "thickness": 12,
                         "outlinewidth": 0},
        }  # fmt: skip
    return layout


def _axis_id(k: int) -> str:
    """As plotly counts axes: x, x2, x3."""
    return "" if k == 0 else str(k + 1)


def _axis(axis: Axis) -> dict[str, Any]:
    made: dict[str, Any] = {
        "title": {"text": for_plotly(axis.label), "standoff": 6},  # a legend stands below it
        "gridcolor": GRID,
        "linecolor": INK,
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": INK,
        "automargin": True,
    }
    if axis.log:
        made["type"] = "log"
        if not axis.ticks:
            made["dtick"] = 1
    if axis.ticks:
        made["tickvals"] = list(axis.ticks)
    if axis.low is not None or axis.high is not None:
        ends = [None if end is None else _place(end, axis) for end in (axis.low, axis.high)]
        made["range"] = ends
    return made


def _place(value: float, axis: Axis) -> float:
    """Ends and notes of a logarithmic axis are placed by the logarithm."""
    return float(np.log10(value)) if axis.log else float(value)


def _shape(rule: Rule) -> dict[str, Any]:
    other = "y" if rule.across == "x" else "x"
    return {
        "type": "line",
        f"{rule.across}0": rule.at,
        f"{rule.across}1": rule.at,
        f"{other}0": 0,
        f"{other}1": 1,
        f"{other}ref": f"{other} domain",
        "line": {"color": GREY, "width": 1, "dash": DASHES[rule.dash or "solid"]},
        "layer": "below",
    }


def _note(rule: Rule, axis: Axis) -> dict[str, Any]:
    return {
        "x": _place(rule.at, axis),
        "y": 0.0 if rule.foot else 1.0,
        "yref": "paper",
        "text": for_plotly(rule.text),
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "bottom",
        "xshift": 3,
        "font": {"size": 11},
    }


def _faint(paint: str) -> str:
    """A colour that lets others through."""
    r, g, b = (int(paint[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({r},{g},{b},.15)"
