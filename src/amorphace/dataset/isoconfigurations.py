"""Samples of the public sets of Kob-Andersen liquids: BOTAN and GlassBench (npz)."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError
from amorphace.observe.propensity import isoconfigurational

SPECIES = ("A", "B")
"""What the types 0 and 1 are."""

NUMBER_DENSITY = 1.2
"""Of all these sets; the files hold no cell."""

STARTS = ("initial_positions_inherent", "initial_positions")
"""Where the particles that are described are, the first that a file holds."""

START, ENDS, TYPES = "initial_positions", "positions", "types"


@dataclass(frozen=True, eq=False)
class PublicSample:
    """A configuration of a public set, and how far its particles move.

    Attributes
    ----------
    name : str
    configuration : Configuration
        Its inherent structure if the file holds one, otherwise the thermal one.
    inherent : bool
    targets : mapping of str to ndarray of shape (n_particles,)
        "propensity" and "d2min" from end points (BOTAN). Of GlassBench, which holds averages at
        several times, "md_prop" and "bb_prop", or "md_prop 1", "md_prop 2", ... in the order of
        the times.
    """

    name: str
    configuration: Configuration
    inherent: bool
    targets: Mapping[str, NDArray[np.float64]]


def is_public(path: str | Path) -> bool:
    """Whether a file is one of these: an npz archive with `types` and `initial_positions`."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
    return {f"{TYPES}.npy", f"{START}.npy"} <= names


def read_public(
    path: str | Path, *, number_density: float = NUMBER_DENSITY, cutoff: float = 2.5
) -> PublicSample:
    """A sample of the BOTAN or GlassBench set.

    Parameters
    ----------
    path : str or Path
        Holds `types` (0 is A, 1 is B) and `initial_positions` of shape (n, 3); and `positions` of
        shape (n_runs, n, 3), the ends of isoconfigurational runs, or `md_prop` and `bb_prop` of
        shape (n,), (n_times, n) or (n, n_times). A cubic periodic cell is assumed.
    number_density : float
        By which the edge of the cell is known, in units of 1/sigma^3.
    cutoff : float
        Of D2min, in units of sigma.

    Raises
    ------
    FileFormatError
        If it is no such file.

    References
    ----------
    H. Shiba, M. Hanai, T. Suzumura and T. Shimokawabe, J. Chem. Phys. 158, 084503 (2023): BOTAN.
    G. Jung et al., arXiv:2311.14752 (2023): GlassBench, doi 10.5281/zenodo.10118191.
    """
    place = Path(path)
    try:
        with np.load(place, allow_pickle=False) as archive:
            held = {key: archive[key] for key in archive.files if key in _KEYS}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FileFormatError(place, f"no whole npz archive ({error})") from None
    types, shape = held.get(TYPES), (len(held.get(TYPES, ())), 3)
    for key in (START, *STARTS):
        if key in held and held[key].shape != shape:
            raise FileFormatError(place, f"{key} must have shape {shape}, got {held[key].shape}")
    if types is None or START not in held or not np.isin(types, (0, 1)).all():
        raise FileFormatError(
            place, f"expected {TYPES} of 0 and 1 and {START}; got {', '.join(held) or 'neither'}"
        )
    edge = (len(types) / number_density) ** (1 / 3)
    species = np.array(SPECIES)[types.astype(np.int64)]

    def configuration(positions: NDArray[np.float64]) -> Configuration:
        return Configuration(positions=positions, species=species, cell=edge).wrapped()

    used = next(key for key in STARTS if key in held)
    targets = _averages(place, held, len(types))
    if ENDS in held:
        start = Configuration(positions=held[START], species=species, cell=edge)
        if held[ENDS].shape[1:] != shape:
            raise FileFormatError(
                place, f"{ENDS} must have shape (n_runs, *{shape}), got {held[ENDS].shape}"
            )
        ends = (start.replace(positions=x) for x in held[ENDS])
        seen = isoconfigurational(start, ends, cutoff)
        targets |= {"propensity": seen.propensity, "d2min": seen.d2min}
    if not targets:
        raise FileFormatError(place, f"holds neither {ENDS} nor {' nor '.join(AVERAGES)}")
    return PublicSample(place.stem, configuration(held[used]), used != START, targets)


AVERAGES = ("md_prop", "bb_prop")
_KEYS = (TYPES, ENDS, *STARTS, *AVERAGES)


def _averages(
    path: Path, held: Mapping[str, NDArray[np.float64]], n: int
) -> dict[str, NDArray[np.float64]]:
    """The averages that a file holds, one a time."""
    found: dict[str, NDArray[np.float64]] = {}
    for key in AVERAGES:
        if key not in held:
            continue
        rows = np.atleast_2d(held[key])
        rows = rows if rows.shape[1:] == (n,) else rows.T
        if rows.ndim != 2 or rows.shape[1] != n:
            raise FileFormatError(
                path, f"{key} must hold {n} particles at one time or several, got {held[key].shape}"
            )
        names = [key] if len(rows) == 1 else [f"{key} {k}" for k in range(1, len(rows) + 1)]
        found |= dict(zip(names, rows.astype(np.float64), strict=True))
    return found
