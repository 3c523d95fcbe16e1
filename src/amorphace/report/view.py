"""Configurations as the 3D view of a page reads them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.dataset.label_thermal import majority_species
from amorphace.report.content import Snapshot, colour_range
from amorphace.report.figures import colour_map
from amorphace.report.palette import ACTIVE_COLOUR, INACTIVE_COLOUR, PALETTE
from amorphace.report.words import LABELS, quantity

VIEW_BYTES = 2_000_000
"""Most that the configurations of the 3D view may take: a page stays below 6 MB."""

SCALE_COLOURS = 48
FAINT_GREY = (176, 182, 190)


def palettes() -> dict[str, list[list[int]]]:
    """Colours from 0 to 255: of a scale, and of classes."""
    scale = colour_map()(np.linspace(0, 1, SCALE_COLOURS))[:, :3]
    return {
        "scale": np.rint(255 * scale).astype(int).tolist(),
        "classes": [_rgb(paint) for paint in PALETTE],
    }


def views(snapshots: Sequence[Snapshot]) -> Iterator[dict[str, Any]]:
    """Each as the view reads it, within `VIEW_BYTES`; of what is too large a slab."""
    room = VIEW_BYTES
    for k, s in enumerate(snapshots):
        each = (6 + 1 + 4 + 4 * len(s.columns)) * 4 // 3
        most = max(room // (len(snapshots) - k) // each, 1)
        yield _view(s, most)
        room -= min(len(s.configuration), most) * each


def slab(s: Snapshot, most: int) -> Snapshot:
    """So many particles of a snapshot, those next to the plane through its largest value.

    The plane is that of the first two cell vectors; the value that of the first column.

    Parameters
    ----------
    s : Snapshot
    most : int
        More particles than that are too many.
    """
    glass = s.configuration
    if len(glass) <= most:
        return s
    values = np.nan_to_num(next(iter(s.columns.values()), np.zeros(len(glass))), nan=-np.inf)
    height = glass.fractional()[:, 2]
    away = height - height[np.argmax(values)]
    away = abs(away - np.rint(away))
    rows = np.sort(np.argsort(away, kind="stable")[:most])
    thickness = 2 * away[rows].max() * glass.heights[2]
    return replace(
        s,
        name=f"{s.name} (slab of {thickness:.3g} σ)",
        configuration=Configuration(
            positions=glass.positions[rows],
            species=glass.species[rows],
            cell=glass.cell,
            ids=glass.ids[rows],
        ),
        columns={name: column[rows] for name, column in s.columns.items()},
    )


def _view(s: Snapshot, most: int) -> dict[str, Any]:
    """A configuration as the 3D view reads it: 16 bits a coordinate, 32 a number."""
    s = slab(s, most)
    glass = s.configuration.wrapped()
    species = list(dict.fromkeys(sorted(glass.species.tolist())))
    major = glass.species == majority_species(glass.species)
    inside = np.clip(glass.fractional(), 0, 1 - 2**-17)
    return {
        "name": s.name,
        "caption": s.caption,
        "n": len(glass),
        "cell": glass.cell.tolist(),
        "heights": glass.heights.tolist(),
        "species": species,
        "diameters": [float(s.diameters.get(label, 1.0)) for label in species],
        "kind": _base64(glass.species_index(species).astype("<u1")),
        "ids": _base64(glass.ids.astype("<i4")),
        "fractional": _base64((inside * 65536).astype("<u2")),
        "columns": {name: _column(name, values, major) for name, values in s.columns.items()},
    }


def _column(name: str, values: NDArray[np.float64], major: NDArray[np.bool_]) -> dict[str, Any]:
    """A column with its colours, on the scale of the majority species."""
    column: dict[str, Any] = {"title": quantity(name), "values": _base64(values.astype("<f4"))}
    if name == "label":
        paints = {1: _rgb(ACTIVE_COLOUR), 0: _rgb(INACTIVE_COLOUR), -1: list(FAINT_GREY)}
        classes = [
            {"value": k, "text": text, "colour": paints[k], "faint": k == -1}
            for k, text in LABELS.items()
        ]
        return column | {"classes": classes}
    low, high = (0.0, 1.0) if name == "score" else colour_range(values[major])
    return column | {"range": [low, high], "clipped": bool(np.nanmax(values, initial=low) > high)}


def _rgb(paint: str) -> list[int]:
    return [int(paint[k : k + 2], 16) for k in (1, 3, 5)]


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
