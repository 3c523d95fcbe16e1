"""A glass to look at: slices for print, and a view in three dimensions for notebooks."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from amorphace.core.bridges import as_configuration
from amorphace.core.files import text_written_aside
from amorphace.dataset.label_thermal import majority_species
from amorphace.observe.structure import first_peak
from amorphace.report.content import Snapshot
from amorphace.report.figures import draw
from amorphace.report.page import view_page
from amorphace.report.panel import Colours, Panel
from amorphace.report.panels.slices import slice_panel
from amorphace.report.words import NAMES

HEIGHT = 760
"""Of a view in a notebook, in pixels."""


@dataclass(frozen=True)
class View:
    """A glass to turn with the mouse: shown by a notebook, saved as a page, or opened in a browser.

    Attributes
    ----------
    html : str
        A page that needs no network.
    """

    html: str

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.html)}" title="3D view of a glass" width="100%" '
            f'height="{HEIGHT}" style="border: 0"></iframe>'
        )

    def __repr__(self) -> str:
        return f"View({len(self.html) / 1e6:.1f} MB; .save('glass.html') or .open())"

    def save(self, path: str | Path) -> Path:
        """Write the page; it appears whole or not at all."""
        with text_written_aside(path) as stream:
            stream.write(self.html)
        return Path(path)

    def open(self) -> Path:
        """Show the page in the browser, from a file in the folder for temporary ones."""
        path = self.save(Path(tempfile.mkdtemp(prefix="amorphace-")) / "glass.html")
        webbrowser.open(path.as_uri())
        return path


def view(
    glass: Any,
    score: ArrayLike | None = None,
    *,
    columns: Mapping[str, ArrayLike] | None = None,
    title: str = "",
    diameters: Mapping[str, float] | None = None,
) -> View:
    """A glass in three dimensions, its particles coloured by a score.

    Parameters
    ----------
    glass : Configuration or object
        Also of ASE (Atoms), OVITO (DataCollection) or MDAnalysis (Universe, AtomGroup).
    score : array_like of shape (n_particles,), optional
        From 0 to 1, as `Predictor.score` gives it; NaN where there is none.
    columns : mapping of str to array_like of shape (n_particles,), optional
        More to colour by, such as {"d2min": moved}; with any, two views turn side by side.
    title : str
    diameters : mapping of str to float, optional
        Of the spheres of each species, in the unit of the glass; the first peak of the majority's
        g(r) when left out.

    Returns
    -------
    View

    Raises
    ------
    InputError
        If the glass is not usable, or a column is not of its length.
    """
    found = as_configuration(glass)
    numbers = {
        name: np.asarray(values, dtype=np.float64) for name, values in (columns or {}).items()
    }
    if score is not None:
        numbers["score"] = np.asarray(score, dtype=np.float64)
    size = first_peak(found, majority_species(found.species))
    snapshot = Snapshot(
        name=title,
        configuration=found,
        columns=numbers,
        diameters=dict.fromkeys(np.unique(found.species).tolist(), size) | dict(diameters or {}),
    )
    return View(view_page(title or f"{len(found)} particles", [snapshot]))


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
