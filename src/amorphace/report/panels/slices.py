"""Who moves: slices through a glass (Fig. 2)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from amorphace.dataset.label_thermal import majority_species
from amorphace.report.content import ReportContent, Snapshot, colour_range
from amorphace.report.numbers import Numbers
from amorphace.report.panel import Axis, Colours, Discs, Line, Panel
from amorphace.report.panels.making import captioned, shows
from amorphace.report.words import PROTOCOLS, quantity


@shows("figure-2-slices")
def slices(content: ReportContent) -> Iterator[Panel]:
    """A slice one diameter thick, coloured by D2min, of the first snapshot of each protocol."""
    first: dict[str, Snapshot] = {}
    for s in content.snapshots:
        if "d2min" in s.columns:
            first.setdefault(s.protocol, s)
    for k, s in enumerate(first.values(), start=1):
        panel = slice_panel(s, name="figure-2-slices" + (f"-{k}" if k > 1 else ""))
        words = {"protocol": s.protocol, "name": s.name, "about": s.caption}
        yield captioned(panel, words, "figure-2-slices")


def slice_panel(
    snapshot: Snapshot, column: str = "d2min", *, axis: int = 2, name: str = "slice"
) -> Panel:
    """Particles of the majority species in a slice one diameter thick.

    It goes through the particle with the largest value of the snapshot's first column, which is
    put at the origin, with the cell around it.

    Parameters
    ----------
    snapshot : Snapshot
    column : str
        The colours range from its smallest value of the species to the 98th percentile.
    axis : int
        Which cell vector the slice cuts.
    name : str
        Of the panel.
    """
    glass = snapshot.configuration
    x, y = (k for k in range(3) if k != axis)
    kind = majority_species(glass.species)
    of_kind = {k: np.where(glass.species == kind, c, np.nan) for k, c in snapshot.columns.items()}
    values, first = of_kind[column], next(iter(of_kind.values()))
    core = int(np.argmax(np.nan_to_num(first, nan=-np.inf)))
    away = glass.fractional() - glass.fractional()[core]
    away -= np.rint(away)
    inside = abs(away[:, axis]) * glass.heights[axis] <= 0.5
    rows = np.flatnonzero(inside & (glass.species == kind))
    at = away @ glass.cell
    back = rows[np.argsort(at[rows, axis], kind="stable")]  # nearer ones cover those behind
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) / 2 @ glass.cell[[x, y]]
    low, high = colour_range(values)
    diameter = float(snapshot.diameters.get(kind, 1.0))
    ends = [(float(side.min()) - diameter, float(side.max()) + diameter) for side in corners.T]
    return Panel(
        name=name,
        title=PROTOCOLS.get(snapshot.protocol, snapshot.protocol),
        x=Axis(label=f"{'xyz'[x]} / σ", low=ends[x][0], high=ends[x][1]),
        y=Axis(label=f"{'xyz'[y]} / σ", low=ends[y][0], high=ends[y][1]),
        lines=(Line(name="", x=corners[:, x], y=corners[:, y], paint="#666666"),),
        discs=Discs(
            x=at[back, x], y=at[back, y], values=values[back], ids=glass.ids[back],
            diameter=diameter,
        ),
        colours=Colours(label=quantity(column), low=low, high=high),
        equal=True,
        wide=False,
        numbers=Numbers(
            columns=("particle", "species", "x", "y", "z", *snapshot.columns),
            rows=tuple(
                (
                    int(glass.ids[k]),
                    str(glass.species[k]),
                    *glass.positions[k].tolist(),
                    *(float(c[k]) for c in snapshot.columns.values()),
                )
                for k in rows
            ),
        ),
    )  # fmt: skip
