"""What a report shows: results and where they come from, nothing computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.learn.bundle import Analysis
from amorphace.learn.regression import PropensityScore
from amorphace.learn.results import Curve, named


@dataclass(frozen=True, eq=False, kw_only=True)
class HealthLine:
    """One quantity that was checked on one run.

    Attributes
    ----------
    unit : str
        Of which run, for example "prepare of sample 3".
    quantity : str
        In words, with its unit.
    value, limit : float or None
        Measured, and the most that is allowed; None where there is no such number.
    ok : bool
    text : str
        What is wrong, or what the reader should know.
    """

    unit: str
    quantity: str
    value: float | None = None
    limit: float | None = None
    ok: bool = True
    text: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """A configuration with numbers for its particles.

    Parameters
    ----------
    name : str
    configuration : Configuration
    columns : mapping of str to array_like of shape (n_particles,)
        For example "d2min" (in units of sigma^2), "label" (1 active, 0 inactive, -1 neither),
        "score" (the model's, from 0 to 1), "propensity"; NaN where there is none.
    caption : str
        What the configuration is and how the numbers were measured.
    protocol : str
        "thermal", "shear" or what else moved the particles; names the row of Fig. 2.
    diameters : mapping of str to float
        Of the spheres of a species, in units of sigma; 1 where left out.

    Raises
    ------
    InputError
        If a column does not have one number for each particle.
    """

    name: str
    configuration: Configuration
    columns: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    caption: str = ""
    protocol: str = ""
    diameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.configuration)
        columns = {}
        for name, values in self.columns.items():
            column = np.array(values, dtype=np.float64)
            if column.shape != (n,):
                raise InputError(
                    f"column {name!r} of snapshot {self.name!r} must have shape ({n},), one number "
                    f"for each particle, got {column.shape}"
                )
            column.setflags(write=False)
            columns[str(name)] = column
        object.__setattr__(self, "columns", columns)


@dataclass(frozen=True, eq=False, kw_only=True)
class ReportContent:
    """Everything a report shows. A part that is left out is named on the page as absent.

    Attributes
    ----------
    title : str
    summary : tuple of str
        Sentences on what was run.
    model, protocol : str
        Names such as "kob-andersen" and "thermal"; the paper's values are shown beside ours
        where it treats the same case.
    species : tuple of str
        Labels, in the order of the columns.
    provenance : mapping of str to JSON value
        Version, command, seeds, parameters.
    warnings : tuple of str
        What a reader must know before all else; those of the analysis are added.
    health : tuple of HealthLine
    settings : mapping of str to JSON value
        The descriptor's: `cutoff`, `distance_transform`, `r0`, `max_degree`, ....
    analysis : Analysis, optional
    companion : Analysis, optional
        The other protocol's on the same model, for the shared panel of Fig. 4.
    companion_protocol : str
    propensity : tuple of PropensityScore
    snapshots : tuple of Snapshot
    curves : tuple of Curve
        What was measured besides, see `report.measured`.
    correlations : tuple of float
        Of D2min with propensity, one a sample.
    lag : float, optional
        Between the ends of the runs, in Lennard-Jones units.
    wavenumber : float, optional
        Of Fs(q, t), in units of 1/sigma.
    """

    title: str = ""
    summary: tuple[str, ...] = ()
    model: str = ""
    protocol: str = ""
    species: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    health: tuple[HealthLine, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    analysis: Analysis | None = None
    companion: Analysis | None = None
    companion_protocol: str = ""
    propensity: tuple[PropensityScore, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    curves: tuple[Curve, ...] = ()
    correlations: tuple[float, ...] = ()
    lag: float | None = None
    wavenumber: float | None = None

    def found(self, name: str, variant: str | None = None) -> tuple[Curve, ...]:
        """Curves of a name, measured or of the analysis, and of a variant if one is given."""
        learned = self.analysis.results if self.analysis else ()
        return named((*self.curves, *learned), name, variant)


def colour_range(values: ArrayLike) -> tuple[float, float]:
    """Ends of a colour scale: the smallest value and the 98th percentile; 0 to 1 without values."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(np.percentile(known, 98))
    return (low, high) if high > low else (low, low + 1)
