"""What a report shows: results and where they come from, nothing computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.ace.radial import RadialBasis
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.learn.bundle import Analysis
from amorphace.learn.propensity import PropensityCurve, PropensityScore
from amorphace.learn.results import Curve
from amorphace.observe.pair_correlation import PairCorrelation

N_RADIAL_FUNCTIONS, N_RADIAL_POINTS = 6, 241


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
        "score" (the model's probability of being active), "propensity"; NaN where there is none.
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
class StressStrain:
    """A sheared sample.

    Attributes
    ----------
    name : str
    strain : ndarray of shape (n_steps,)
    stress : ndarray of shape (n_steps,)
        Shear stress, in units of epsilon / sigma^3.
    energy : ndarray of shape (n_steps,), optional
        Per particle, in units of epsilon.
    events : ndarray of shape (n_events,)
        Strains at which particles rearranged.
    """

    name: str
    strain: NDArray[np.float64]
    stress: NDArray[np.float64]
    energy: NDArray[np.float64] | None = None
    events: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Relaxation:
    """Fs(q, t) of one sample.

    Attributes
    ----------
    name : str
    time : ndarray of shape (n_times,)
        In Lennard-Jones units.
    fs : ndarray of shape (n_times,)
    wavenumber : float, optional
        q, in units of 1/sigma.
    tau : float, optional
        Where Fs falls to 1/e.
    """

    name: str
    time: NDArray[np.float64]
    fs: NDArray[np.float64]
    wavenumber: float | None = None
    tau: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class RadialFunctions:
    """The first radial basis functions (Fig. 1).

    Attributes
    ----------
    cutoff : float
        In units of sigma.
    r : ndarray of shape (n_points,)
        In units of sigma.
    R : ndarray of shape (n_points, n_functions)
    """

    cutoff: float
    r: NDArray[np.float64]
    R: NDArray[np.float64]


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
    radial : RadialFunctions, optional
        Fig. 1.
    analysis : Analysis, optional
    companion : Analysis, optional
        The other protocol's on the same model, for the shared panel of Fig. 4.
    companion_protocol : str
    propensity : tuple of PropensityScore
    propensity_curves : tuple of PropensityCurve
    snapshots : tuple of Snapshot
    stress_strain : tuple of StressStrain
    relaxation : tuple of Relaxation
    correlations : tuple of float
        Of D2min with propensity, one a sample.
    pair_correlations : tuple of PairCorrelation
        g(r) of the first snapshot.
    """

    title: str
    summary: tuple[str, ...] = ()
    model: str = ""
    protocol: str = ""
    species: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    health: tuple[HealthLine, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    radial: RadialFunctions | None = None
    analysis: Analysis | None = None
    companion: Analysis | None = None
    companion_protocol: str = ""
    propensity: tuple[PropensityScore, ...] = ()
    propensity_curves: tuple[PropensityCurve, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    stress_strain: tuple[StressStrain, ...] = ()
    relaxation: tuple[Relaxation, ...] = ()
    correlations: tuple[float, ...] = ()
    pair_correlations: tuple[PairCorrelation, ...] = ()


def radial_functions(basis: RadialBasis, n_functions: int = N_RADIAL_FUNCTIONS) -> RadialFunctions:
    """R_1(r), R_2(r), ... from 0 to the cutoff, to draw.

    Examples
    --------
    >>> radial_functions(RadialBasis(4.0)).R.shape
    (241, 6)
    """
    r = np.linspace(0, basis.cutoff, N_RADIAL_POINTS)
    return RadialFunctions(cutoff=basis.cutoff, r=r, R=basis.evaluate(r, n_functions))


def slice_rows(
    configuration: Configuration,
    *,
    axis: int = 2,
    centre: float = 0.5,
    thickness: float = 1.0,
    species: Sequence[str] | None = None,
) -> NDArray[np.int64]:
    """Particles of a slice through the cell (Fig. 2).

    Parameters
    ----------
    configuration : Configuration
    axis : int
        Which cell vector the slice cuts.
    centre : float
        Of the slice, from 0 to 1 along that vector.
    thickness : float
        Between the two faces of the slice, in units of sigma.
    species : sequence of str, optional
        Which particles; all when left out.

    Returns
    -------
    ndarray of int of shape (n_in_slice,)

    Examples
    --------
    >>> c = Configuration(positions=[[0, 0, 0.1], [0, 0, 2.2], [0, 0, 3.9]], species="A", cell=4.0)
    >>> slice_rows(c).tolist(), slice_rows(c, centre=0.0).tolist()
    ([1], [0, 2])
    """
    height = configuration.heights[axis]
    away = configuration.fractional()[:, axis] - centre
    away -= np.rint(away)
    inside = abs(away) * height <= thickness / 2
    if species is not None:
        inside &= np.isin(configuration.species, list(species))
    return np.flatnonzero(inside)


def colour_range(values: ArrayLike) -> tuple[float, float]:
    """Ends of a colour scale: the smallest value and the 98th percentile; 0 to 1 without values."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(np.percentile(known, 98))
    return (low, high) if high > low else (low, low + 1)


def symmetric_range(maps: Sequence[NDArray[np.float64]]) -> float:
    """End of a colour scale around zero: the 99th percentile of the magnitudes, 1 if all vanish.

    The few larger ones are where two neighbours would overlap, and a model extrapolates.
    """
    size = np.concatenate([np.abs(m).ravel() for m in maps])
    return float(np.percentile(size, 99)) or float(size.max()) or 1.0


def vanishes(functions: Sequence[Curve]) -> bool:
    """Whether all are zero, since a model has no columns of this order."""
    return not any(function.values.any() for function in functions)
