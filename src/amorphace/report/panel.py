"""What a figure shows, described once: `figures` draws it for print, `plots` for the page.

Text is plain Unicode; each renderer sets it in its own markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from amorphace.report.numbers import Numbers

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

    label: str = ""
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
    error : ndarray of shape (n_points,), optional
        Of y.
    bars : ndarray of bool of shape (n_points,), optional
        Where the error is drawn as a bar; as a band along the whole curve when left out.
    k : int
        Chooses the colour from the palette.
    paint : str
        A colour instead of the k-th.
    dash : str
    marker : str
        As matplotlib names it; "k" is the k-th of the palette, "" none.
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
    error: NDArray[np.float64] | None = None
    bars: NDArray[np.bool_] | None = None
    k: int = 0
    paint: str = ""
    dash: Dash = "solid"
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
        Of an upright one, above the panel.
    """

    at: float
    across: Literal["x", "y"] = "x"
    dash: Dash | Literal[""] = "solid"
    text: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Bars:
    """Horizontal bars, one below the other.

    Attributes
    ----------
    name : str
    labels : tuple of str of length n_bars
    values : ndarray of shape (n_bars,)
    error : ndarray of shape (n_bars,), optional
    k : tuple of int of length n_bars
        Chooses the colour of each.
    """

    name: str
    labels: tuple[str, ...]
    values: NDArray[np.float64]
    error: NDArray[np.float64] | None = None
    k: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Map:
    """A function of two variables.

    Attributes
    ----------
    x, y : ndarray of shape (n_x,), (n_y,)
    z : ndarray of shape (n_x, n_y)
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]


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
    """What the colours of a map or of discs mean, from blue to red.

    Attributes
    ----------
    label : str
    low, high : float
    """

    label: str
    low: float
    high: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """One figure.

    Attributes
    ----------
    name : str
        Of its files and of its place on the page: letters, digits and hyphens.
    title, caption : str
    x, y : Axis
    lines, rules, bars
        What is drawn.
    map : Map, optional
    discs : Discs, optional
    colours : Colours, optional
    grid : tuple of tuple of Panel or None
        Rows of panels that make up this one, which draws nothing itself then; None is a gap.
    legend : str
        Title of the legend.
    equal : bool
        Whether a unit is as long on both axes.
    wide : bool
        Whether it takes the whole width of the page.
    numbers : Numbers
        What is drawn, as a table.
    """

    name: str
    x: Axis = Axis()
    y: Axis = Axis()
    numbers: Numbers = Numbers()  # noqa: RUF009
    title: str = ""
    caption: str = ""
    lines: tuple[Line, ...] = ()
    rules: tuple[Rule, ...] = ()
    bars: tuple[Bars, ...] = ()
    map: Map | None = None
    discs: Discs | None = None
    colours: Colours | None = None
    grid: tuple[tuple[Panel | None, ...], ...] = ()
    legend: str = ""
    equal: bool = False
    wide: bool = True

    @property
    def rows(self) -> tuple[tuple[Panel | None, ...], ...]:
        """What is drawn, row by row: its grid, or itself alone."""
        return self.grid or ((self,),)

    @property
    def parts(self) -> tuple[Panel, ...]:
        """What is drawn, one after the other."""
        return tuple(part for row in self.rows for part in row if part is not None)
