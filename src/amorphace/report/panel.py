"""What a figure shows, described once: `figures` draws it for print, `plots` for the page.

Text is plain Unicode; each renderer makes it harmless for its own markup.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from amorphace.report.numbers import Numbers

Corner = Literal["", "upper left", "upper right", "lower left", "lower right"]
Dash = Literal["solid", "dashed", "dotted", "dashdot"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Axis:
    """One axis.

    Attributes
    ----------
    label : str
    log : bool
    low, high : float, optional
        Its ends; from the data where left out.
    ticks : tuple of float
        Where numbers stand; as the renderer likes when ().
    """

    label: str
    log: bool = False
    low: float | None = None
    high: float | None = None
    ticks: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Line:
    """One curve.

    Attributes
    ----------
    name : str
        In the legend; "" has no entry there.
    x, y : ndarray of shape (n_points,)
    spread : ndarray of shape (n_points,), optional
        Half the width of a band around it.
    k : int
        Chooses colour, and marker, from the palette.
    paint : str
        A colour instead of the k-th.
    dash : str
    markers : bool
    marker : str
        Instead of the k-th, as matplotlib names it.
    joined : bool
        Whether the points are joined by a line.
    filled : bool
        Down to zero.
    notes : tuple of str of length n_points
        Words at the points, for who points at one; () without.
    n_written : int
        How many of them are written beside the points in print.
    hollow : ndarray of bool of shape (n_points,), optional
        Points with an open marker.
    """

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    spread: NDArray[np.float64] | None = None
    k: int = 0
    paint: str = ""
    dash: Dash = "solid"
    markers: bool = False
    marker: str = ""
    joined: bool = True
    filled: bool = False
    notes: tuple[str, ...] = ()
    n_written: int = 0
    hollow: NDArray[np.bool_] | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A thin line across the panel.

    Attributes
    ----------
    at : float
    across : {"x", "y"}
        The axis on which it stands at a place.
    dash : str
        "" draws no line, only the text.
    text : str
        Beside it; an upright one has it above the panel or at its foot.
    foot : bool
    """

    at: float
    across: Literal["x", "y"] = "x"
    dash: Dash | Literal[""] = "solid"
    text: str = ""
    foot: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Bars:
    """Horizontal bars, one below the other.

    Attributes
    ----------
    name : str
    labels : tuple of str of length n_bars
    values : ndarray of shape (n_bars,)
    spread : ndarray of shape (n_bars,), optional
    k : tuple of int of length n_bars
        Chooses the colour of each.
    """

    name: str
    labels: tuple[str, ...]
    values: NDArray[np.float64]
    spread: NDArray[np.float64] | None = None
    k: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Map:
    """A function of two variables; several stand side by side.

    Attributes
    ----------
    name : str
    x, y : ndarray of shape (n_x,), (n_y,)
    z, spread : ndarray of shape (n_x, n_y)
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]
    spread: NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Discs:
    """Particles of a slice, the ones behind first.

    Attributes
    ----------
    x, y, values : ndarray of shape (n_discs,)
    ids : ndarray of int of shape (n_discs,)
    diameter : float
        In units of the axes.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    values: NDArray[np.float64]
    ids: NDArray[np.int64]
    diameter: float


@dataclass(frozen=True, kw_only=True)
class Colours:
    """What the colours of maps or discs mean.

    Attributes
    ----------
    label : str
    low, high : float
    diverging : bool
        From inactive to active, instead of dark to light.
    """

    label: str
    low: float
    high: float
    diverging: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """One figure.

    Attributes
    ----------
    name : str
        Of its files and of its place on the page: letters, digits and hyphens.
    title, caption : str
    x, y : Axis
    lines, rules, bars, maps
        What is drawn.
    discs : Discs, optional
    colours : Colours, optional
    legend : str
        Title of the legend.
    corner : str
        Where the curves leave room for a legend, as matplotlib says it; above the panel if "".
    equal : bool
        Whether a unit is as long on both axes.
    wide : bool
        Whether it takes the whole width of the page.
    numbers : Numbers
        What is drawn, as a table.
    """

    name: str
    x: Axis
    y: Axis
    numbers: Numbers
    title: str = ""
    caption: str = ""
    lines: tuple[Line, ...] = ()
    rules: tuple[Rule, ...] = ()
    bars: tuple[Bars, ...] = ()
    maps: tuple[Map, ...] = ()
    discs: Discs | None = None
    colours: Colours | None = None
    legend: str = ""
    corner: Corner = ""
    equal: bool = False
    wide: bool = True

    def titled(self, title: str) -> Panel:
        """The same with another title."""
        return replace(self, title=title)
