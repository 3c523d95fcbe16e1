"""What a frame that was read looks like: flat, scaled, or of another cell."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError, InputWarning

FEW = 16
"""Particles below which nothing is concluded."""
LAYER = 0.1
"""Particles within this share of their spacing along an axis lie in one plane."""
THIN = 0.5
"""A cell thinner than this share of the particles' spacing holds one layer."""
LOOK = 64
"""Particles looked at before all are."""
WIDE = 3.0
"""Times the extent of the particles that makes a cell too wide for positions below 1."""


def check_frame(path: Path, configuration: Configuration, *, by_row: bool) -> Configuration:
    """The configuration, if it is one of three dimensions.

    Parameters
    ----------
    path : Path
        Named in errors and warnings.
    configuration : Configuration
    by_row : bool
        Whether rows tell which particle is which where ids do not.

    Raises
    ------
    FileFormatError
        If all particles lie in one plane, or the cell is so thin that a particle's own images are
        its nearest neighbours.
    """
    if len(configuration) >= FEW:
        flat = _flat(configuration)
        if flat:
            raise FileFormatError(
                path,
                f"{flat}: the system is two-dimensional, and neighbours, features and D2min are "
                "those of three dimensions; give a three-dimensional system",
            )
        _warn_scaled(path, configuration)
    if by_row and not configuration.identified:
        return replace(configuration, identified=True)
    return configuration


def _flat(configuration: Configuration) -> str:
    """In words, why particles or cell are flat; nothing where they are not.

    With h the height of the cell along an axis and A = V / h its face, N particles in one layer
    are about (A / N)^(1/2) apart.
    """
    h = configuration.heights
    n = len(configuration)
    spacing = np.sqrt(configuration.volume / h / n)
    axis = int(np.argmax(spacing / h))
    if h[axis] < THIN * spacing[axis]:
        return (
            f"the cell is {h[axis]:.4g} thick along {'abc'[axis]}, and its {n} particles are about "
            f"{spacing[axis]:.4g} apart"
        )
    inverse = np.linalg.inv(configuration.cell)
    for rows in (slice(None, None, max(1, n // LOOK)), slice(None)):
        s = configuration.positions[rows] @ inverse
        flat = [k for k in range(3) if _extent(s[:, k]) * h[k] < LAYER * spacing[k]]
        if not flat:
            return ""
    k = flat[0]
    return (
        f"all {n} particles lie in one plane across {'abc'[k]}, within "
        f"{_extent(s[:, k]) * h[k]:.3g} (the cell is {h[k]:.4g} thick there)"
    )


def _extent(s: NDArray[np.float64]) -> float:
    """Length of the shortest arc of the periodic interval [0, 1) that holds all of s."""
    inside = np.sort(s % 1.0)
    return float(1 - np.diff(inside, append=inside[0] + 1).max())


def _warn_scaled(path: Path, configuration: Configuration) -> None:
    """Warn where all particles lie within 1.0 in a cell that is far wider in every direction."""
    h = configuration.heights
    if h.min() < WIDE:
        return
    for rows in (slice(None, None, max(1, len(configuration) // LOOK)), slice(None)):
        if not (np.ptp(configuration.positions[rows], axis=0) <= 1).all():
            return
    warnings.warn(
        f"{path}: all {len(configuration)} particles lie within 1.0 of each other, in a cell of "
        f"heights {h[0]:.4g}, {h[1]:.4g}, {h[2]:.4g}: the positions look like scaled ones; call "
        "the columns xs ys zs, or multiply by the cell",
        InputWarning,
        stacklevel=4,
    )
