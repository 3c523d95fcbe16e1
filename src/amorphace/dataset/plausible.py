"""Samples that can be read and are probably not what was meant.

Each function looks at one thing and returns a sentence for every doubt, which says how to go on if
the input is meant; what cannot be meant is refused. Lengths are compared with those of the glass
itself, so that files in any unit are judged alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, InputWarning
from amorphace.observe.displacements import nearest_image
from amorphace.observe.structure import (
    first_peak,
    median_neighbours,
    nearest_pair,
    random_displacement,
)

FEW, MANY = 8, 800
"""With fewer or more neighbours within it, a cutoff is hardly in the unit of the file."""
CROWD = 1000
"""Particles that could fill a cell wider than twice any usual cutoff."""
CLOSE = 0.5
"""Share of the first peak of g(r) below which no two particles of a glass come."""
EMPTY = 2.5
"""First peaks: a slab as thick without a particle is no hole of a glass."""
RANDOM = 0.8
"""Displacements as large as this share of that of random places are refused."""
NEAR = 0.5
"""Share of the first peak within which an inherent structure is of its configuration."""


def warn(doubts: Iterable[str]) -> None:
    """Each doubt as a warning of the category `InputWarning`."""
    for doubt in doubts:
        warnings.warn(doubt, InputWarning, stacklevel=3)


def check_spacing(name: str, configuration: Configuration) -> list[str]:
    """No two particles are far closer than neighbours are, and no slab of the cell is empty."""
    if len(configuration) < 2:
        return []
    doubts = []
    peak, least = first_peak(configuration), nearest_pair(configuration)
    if least < CLOSE * peak:
        doubts.append(
            f"{name}: two particles are {least:.3g} apart, while g(r) has its first peak at "
            f"{peak:.3g}: cell, tilt or coordinates may be read as something else; if they are "
            "right, this is no glass at rest, and you may go on"
        )
    s = np.sort(configuration.fractional() % 1.0, axis=0)
    gaps = np.diff(s, axis=0, append=s[:1] + 1).max(axis=0)
    slab = float((gaps * configuration.heights).max())
    if slab > EMPTY * peak:
        doubts.append(
            f"{name}: a slab of {slab:.3g} across the cell is empty, while neighbours are "
            f"{peak:.3g} apart: the cell may be of another frame or unit; go on if a surface or a "
            "void is meant"
        )
    return doubts


def check_neighbours(
    name: str, configuration: Configuration, cutoffs: Sequence[float]
) -> list[str]:
    """Each cutoff reaches a plausible number of neighbours, and no particle's own images."""
    doubts = []
    for cutoff in cutoffs:
        count = median_neighbours(configuration, cutoff)
        if not FEW <= count <= MANY:
            doubts.append(
                f"{name}: the cutoff {cutoff:g} reaches {count:g} neighbours (median), "
                f"{'fewer than' if count < FEW else 'more than'} {FEW if count < FEW else MANY}; "
                f"g(r) has its first peak at {first_peak(configuration):.3g}. Cutoffs are in the "
                "unit of the file: give --sigma auto if they are meant in diameters, or go on"
            )
    height, reach = configuration.heights.min(), max(cutoffs, default=0.0)
    if len(configuration) >= CROWD and height < 2 * reach:
        doubts.append(
            f"{name}: the cell of its {len(configuration)} particles is {height:.4g} thick, less "
            f"than twice the cutoff {reach:g}: a particle has others several times, through the "
            "boundary, as neighbours; check the cell, give a smaller cutoff, or go on"
        )
    return doubts


def check_repeated(digests: Sequence[tuple[str, str]], what: str) -> None:
    """No file stands twice, under whatever names.

    Parameters
    ----------
    digests : sequence of (name, SHA-256)
    what : str
        Which files they are.

    Raises
    ------
    InputError
        Otherwise.
    """
    first: dict[str, str] = {}
    for name, digest in digests:
        if digest in first:
            raise InputError(
                f"{what} {first[digest]} and {name} are the same file; a sample that stands twice "
                "is learned from and tested on: give each one once"
            )
        first[digest] = name


def check_positions(
    name: str,
    labelled: str,
    configuration: Configuration,
    index: NDArray[np.int64],
    positions: NDArray[np.float32] | None,
) -> list[str]:
    """A configuration is that of its labels, or the inherent structure of it.

    Parameters
    ----------
    name : str
        Of the configuration.
    labelled : str
        Of the sample in the labels.
    configuration : Configuration
    index : ndarray of int of shape (n_rows,)
        Particles that the labels know.
    positions : ndarray of shape (n_rows, 3), optional
        Where they were when they were labelled; nothing is checked without.

    Raises
    ------
    InputError
        If they are as far as random places.
    """
    if positions is None or not len(index):
        return []
    u = nearest_image(configuration.positions[index] - positions, configuration.cell)
    distance, random = rms(u - u.mean(axis=0)), random_displacement(configuration.cell)
    if distance > RANDOM * random:
        raise InputError(
            f"{name} is not sample {labelled} of the labels: its particles are {distance:.3g} from "
            f"where they were labelled (root mean square), as random places are ({random:.3g}); "
            "give each sample its own configuration"
        )
    peak = first_peak(configuration)
    if distance > NEAR * peak:
        return [
            f"{name}: particles are {distance:.3g} from where they were labelled as sample "
            f"{labelled} (root mean square), more than half the distance of neighbours "
            f"({peak:.3g}): it may be an end point or another time; go on if it is meant"
        ]
    return []


def rms(u: NDArray[np.float64]) -> float:
    """Root-mean-square length of vectors, shape (n, 3); zero where there are none."""
    return float(np.sqrt(np.einsum("nd,nd->n", u, u).mean())) if len(u) else 0.0
