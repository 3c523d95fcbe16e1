"""Panels for the page: what plotly's script reads, as plain dicts and arrays.

Colours of text and grid are the light ones; a page recolours them in the dark.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from amorphace.report.palette import PALETTE, SCALE, colour, marker
from amorphace.report.panel import Axis, Bars, Discs, Line, Map, Panel, Rule
from amorphace.report.words import for_plotly

INK, GRID, GREY = "#1b1f24", "#e3e6ea", "#888"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
SYMBOLS = {
    "o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down",
    "P": "cross", "X": "x",
}  # fmt: skip
DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot", "dashdot": "dashdot"}
HEIGHT, CELL_HEIGHT, SQUARE_HEIGHT, BAR_HEIGHT = 400, 300, 460, 26


def plots(panel: Panel) -> dict[str, dict[str, Any]]:
    """Data and layout of every part of a panel, by name."""
    if not panel.grid:
        return {panel.name: plot(panel)}
    return {part.name: plot(part, height=CELL_HEIGHT) for part in panel.parts}


def plot(panel: Panel, *, height: int = HEIGHT) -> dict[str, Any]:
    """Data and layout of a panel that is no grid.

    Parameters
    ----------
    panel : Panel
    height : int
        In pixels, where the panel asks for no other.
    """
    data = [trace for line in panel.lines for trace in _line(line)]
    data += [_bars(bars) for bars in panel.bars]
    if panel.map is not None:
        data.append(_map(panel.map))
    if panel.discs is not None:
        data.append(_discs(panel.discs))
    return {"data": data, "layout": _layout(panel, height)}


def _line(line: Line) -> Iterator[dict[str, Any]]:
    paint, name = line.paint or colour(line.k), for_plotly(line.name)
    group = {"legendgroup": name} if name else {}
    if line.error is not None and line.bars is None and (known := np.isfinite(line.error)).any():
        x, y, error = line.x[known], line.y[known], line.error[known]
        yield group | {
            "type": "scatter",
            "x": np.concatenate([x, x[::-1]]),
            "y": np.concatenate([y - error, (y + error)[::-1]]),
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
        "mode": "+".join(["lines"] * line.joined + ["markers"] * bool(line.marker)),
        "name": name,
        "showlegend": bool(name),
        "line": {"color": paint, "width": 1.8, "dash": DASHES[line.dash]},
    }
    if not name:
        trace["hoverinfo"] = "skip"
    if line.filled:
        trace |= {"fill": "tozeroy", "fillcolor": _faint(paint)}
    if line.error is not None and line.bars is not None:
        shown = np.where(line.bars, line.error, np.nan)
        trace["error_y"] = {"array": shown, "color": paint, "thickness": 1, "width": 3}
    if line.marker:
        symbol = SYMBOLS[marker(line.k) if line.marker == "k" else line.marker]
        hollow = line.hollow if line.hollow is not None else ()
        symbols = [symbol + "-open" * bool(h) for h in hollow] if any(hollow) else symbol
        trace["marker"] = {"symbol": symbols, "size": 6, "color": paint}
        template = "%{y:.3f}"
        if line.error is not None:
            trace["customdata"] = line.error
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
    if bars.error is not None:
        trace["error_x"] = {"array": bars.error, "thickness": 1}
    return trace


def _map(m: Map) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "x": m.x,
        "y": m.y,
        "z": m.z.T.astype(np.float32),
        "coloraxis": "coloraxis",
        "hovertemplate": "r %{x:.2f}, %{y:.2f}: %{z:.3g}<extra></extra>",
    }


def _discs(d: Discs) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": d.x,
        "y": d.y,
        "mode": "markers",
        "marker": {
            "size": 8,
            "color": d.values,
            "coloraxis": "coloraxis",
            "line": {"width": 0.5, "color": "rgba(0,0,0,.45)"},
        },
        "meta": d.diameter,  # the page makes markers as large as that
        "customdata": d.ids,
        "hovertemplate": "particle %{customdata}<br>%{marker.color:.4g}<extra></extra>",
        "showlegend": False,
    }


def _layout(panel: Panel, height: int) -> dict[str, Any]:
    unified = bool(panel.lines) and not panel.equal and all(line.joined for line in panel.lines)
    layout: dict[str, Any] = {
        "height": SQUARE_HEIGHT if panel.discs else height,
        "margin": {"l": 58, "r": 16, "t": 26, "b": 50},
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
        "xaxis": _axis(panel.x),
        "yaxis": _axis(panel.y),
    }
    if panel.legend:
        layout["legend"]["title"] = {"text": for_plotly(panel.legend)}
    if panel.equal:
        layout["yaxis"] |= {"scaleanchor": "x", "constrain": "domain"}
        layout["xaxis"] |= {"constrain": "domain"}
    if panel.bars:
        layout["yaxis"] |= {"autorange": "reversed", "type": "category"}
        layout["barmode"] = "overlay"
        layout["height"] = 120 + BAR_HEIGHT * len(panel.bars[0].labels)
        layout["hovermode"] = "y unified" if len(panel.bars) > 1 else "closest"
    if (c := panel.colours) is not None:
        bar = {"title": {"text": for_plotly(c.label)}, "thickness": 12, "outlinewidth": 0}
        scale = [list(stop) for stop in SCALE]
        layout["coloraxis"] = {"colorscale": scale, "cmin": c.low, "cmax": c.high, "colorbar": bar}
    return layout


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
        "y": 1.0,
        "yref": "paper",
        "text": for_plotly(rule.text),
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "bottom",
        "font": {"size": 11},
    }


def _faint(paint: str) -> str:
    """A colour that lets others through."""
    r, g, b = (int(paint[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({r},{g},{b},.15)"
