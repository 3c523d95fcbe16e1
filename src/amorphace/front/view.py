"""A glass to look at: slices for print, and a view in three dimensions for notebooks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import rankdata

from amorphace.dataset.label_thermal import majority_species
from amorphace.report.content import Snapshot
from amorphace.report.figures import draw
from amorphace.report.panel import Colours, Panel
from amorphace.report.panels.slices import slice_panel
from amorphace.report.words import NAMES


def slices(snapshot: Snapshot) -> Figure:
    """A slice through the largest value of the first column, once for each column.

    Of several columns every particle is coloured by its rank in it, so that they can be compared.

    Parameters
    ----------
    snapshot : Snapshot
    """
    names = list(snapshot.columns)
    if len(names) == 1:
        return draw(slice_panel(snapshot, names[0]))
    glass = snapshot.configuration
    kind = majority_species(glass.species)
    ranks = {name: _ranks(snapshot.columns[name], glass.species == kind) for name in names}
    ranked = replace(snapshot, columns=ranks)
    colours = Colours(label=f"rank among {kind}", low=0, high=1)
    parts = tuple(
        replace(slice_panel(ranked, name), title=NAMES.get(name, name), colours=colours)
        for name in names
    )
    return draw(
        Panel(name="slices", grid=(parts,), colours=colours, equal=True), title=snapshot.name
    )


def _ranks(values: NDArray[np.float64], rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """From 0, the smallest value of these rows, to 1; NaN elsewhere."""
    ranks = np.full(len(values), np.nan)
    known = rows & np.isfinite(values)
    ranks[known] = (rankdata(values[known]) - 1) / max(known.sum() - 1, 1)
    return ranks
