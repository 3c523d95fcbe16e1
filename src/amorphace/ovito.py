"""A modifier for OVITO: the score of every particle, and optionally who has moved.

    pipeline = ovito.io.import_file("glass.dump")
    pipeline.modifiers.append(amorphace.ovito.ScoreModifier(model="kob-andersen"))

OVITO Pro lists it among its modifiers. Needs the package `ovito`: pip install 'amorphace[ovito]'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    from ovito.data import DataCollection  # pyright: ignore[reportMissingImports]
    from ovito.pipeline import ModifierInterface  # pyright: ignore[reportMissingImports]
    from traits.api import Bool, Float, Int, Str  # pyright: ignore[reportMissingImports]
except ImportError as error:
    raise ImportError(
        f"amorphace.ovito needs the package ovito ({error}): pip install 'amorphace[ovito]'"
    ) from None

from amorphace.core.bridges import from_ovito
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.front.predictor import Predictor, load_model
from amorphace.observe.d2min import d2min

SCORE, MOVED = "Score", "D2min"
"""Names of the particle properties."""


class ScoreModifier(ModifierInterface):
    """Adds the particle property "Score", and "D2min" where it is asked for.

    Species are the names of the particle types; types without names are the model's species in
    order. A glass unlike what the model learned from is warned about.

    Attributes
    ----------
    model : str
        One that comes with amorphace (`shipped_models`), or the path of one that was saved.
    species : str
        What the file calls the model's species, in their order: Cu,Zr; the same when left out.
    sigma : float
        The model's unit of length in that of the file; 0 finds it from the first peak of g(r).
    displaced : bool
        Whether D2min since the reference frame is added, in the unit of the file squared.
    reference : int
        That frame, from 0.
    cutoff : float
        Of D2min, in units of sigma.
    """

    model = Str("kob-andersen", label="Model")
    species = Str("", label="Species")
    sigma = Float(1.0, label="Sigma (0: automatic)")
    displaced = Bool(False, label="D2min")
    reference = Int(0, label="Reference frame")
    cutoff = Float(2.5, label="Cutoff of D2min")

    def input_caching_hints(self, frame: int, **rest: Any) -> list[int]:
        """Frames that OVITO keeps at hand."""
        return [frame, self.reference] if self.displaced else [frame]

    # OVITO asks for the last parameter: later versions may hand over more
    def modify(self, data: DataCollection, *, input_slots: Mapping[str, Any], **rest: Any) -> None:
        """Add the properties to a frame.

        Parameters
        ----------
        data : ovito.data.DataCollection
        input_slots : mapping
            "upstream" gives other frames.

        Raises
        ------
        InputError
            If the particles are not in a cell that is periodic in three directions, or hold a
            species that the model does not know.
        """
        known = load_model(self.model)
        glass = _named(from_ovito(data), known)
        names = [name.strip() for name in self.species.split(",")] if self.species else None
        sigma = known.sigma(glass, self.sigma or "auto", names)
        score = known.score(glass, sigma=sigma, species=names, n_jobs=-1)
        properties = data.particles_
        properties.create_property(SCORE, data=score)
        data.attributes["Score sigma"] = sigma
        if self.displaced:
            start = _named(from_ovito(input_slots["upstream"].compute(self.reference)), known)
            moved = d2min(start, glass, cutoff=self.cutoff * sigma)
            properties.create_property(MOVED, data=_in_order(moved, start, glass))


def _named(glass: Configuration, known: Predictor) -> Configuration:
    """Types that are called by their number get the model's species."""
    labels: list[str] = known.model.settings["species"]
    names = {str(k): label for k, label in enumerate(labels, 1)}
    if set(glass.species.tolist()) - set(names):
        return glass
    return Configuration(
        positions=glass.positions,
        species=[names[kind] for kind in glass.species.tolist()],
        cell=glass.cell,
        ids=glass.ids,
    )


def _in_order(
    values: NDArray[np.float64], start: Configuration, glass: Configuration
) -> NDArray[np.float64]:
    """Numbers of the particles of the reference, in the order of another frame."""
    rows = start.rows_of(glass.ids)
    if (rows < 0).any():
        raise InputError("the frame holds particles that the reference frame does not hold")
    return values[rows]
