"""What is measured besides the results of an analysis, as curves that a report shows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from amorphace.ace.radial import RadialBasis
from amorphace.core.configuration import Configuration
from amorphace.learn.regression import PropensityCurve
from amorphace.learn.results import Curve
from amorphace.observe.pair_correlation import pair_correlation
from amorphace.report.words import target_name

N_RADIAL_FUNCTIONS, N_RADIAL_POINTS = 6, 241
BIN = 0.02
"""Width of the bins of g(r), in units of sigma."""


def series(name: str, variant: str, x: ArrayLike, scores: Mapping[str, ArrayLike]) -> Curve:
    """A curve of numbers that belong to no fold.

    Parameters
    ----------
    name : str
        What it is.
    variant : str
        Which of several, a sample say.
    x : array_like of shape (n_points,)
    scores : mapping of str to array_like of shape (n_points,)
        The one that is drawn first.

    Examples
    --------
    >>> series("Fs", "sample 1", [1.0, 10.0], {"Fs": [0.9, 0.3]}).mean
    array([0.9, 0.3])
    """
    columns = {key: np.asarray(y, dtype=np.float64)[:, None] for key, y in scores.items()}
    return Curve(name=name, variant=variant, x=np.asarray(x), scores=columns)


def radial_functions(
    basis: RadialBasis, n_functions: int = N_RADIAL_FUNCTIONS
) -> tuple[Curve, ...]:
    """R_1(r), R_2(r), ... from 0 to the cutoff (Fig. 1): "radial", of the variants "1", "2", ....

    Examples
    --------
    >>> len(radial_functions(RadialBasis(4.0)))
    6
    """
    r = np.linspace(0, basis.cutoff, N_RADIAL_POINTS)
    R = basis.evaluate(r, n_functions)
    return tuple(
        Curve(name="radial", variant=f"{k + 1}", x=r, scores={"R": R[:, [k]]}, cutoff=basis.cutoff)
        for k in range(n_functions)
    )


def pair_correlations(glass: Configuration, reach: float) -> tuple[Curve, ...]:
    """g(r) of every pair of species up to a distance, in units of sigma: "g"."""
    found = pair_correlation(glass, reach=reach, width=BIN)
    return tuple(series("g", "·".join(p.species), p.r, {"g": p.g}) for p in found)


def relaxation(name: str, time: ArrayLike, fs: ArrayLike) -> Curve:
    """Fs(q, t) of a sample: "Fs", at times in Lennard-Jones units, without the time 0.

    Parameters
    ----------
    name : str
        Of the sample.
    time, fs : array_like of shape (n_times,)
    """
    time, fs = np.asarray(time), np.asarray(fs)
    late = time > 0  # a logarithmic axis has no zero
    return series("Fs", name, time[late], {"Fs": fs[late]})


def stress_strain(
    name: str,
    strain: ArrayLike,
    stress: ArrayLike,
    *,
    energy: ArrayLike | None = None,
    events: ArrayLike = (),
) -> tuple[Curve, ...]:
    """A sheared sample: "stress", and "event" where particles rearranged.

    Parameters
    ----------
    name : str
        Of the sample.
    strain : array_like of shape (n_steps,)
    stress : array_like of shape (n_steps,)
        Shear stress, in units of epsilon / sigma^3.
    energy : array_like of shape (n_steps,), optional
        Per particle, in units of epsilon.
    events : array_like of shape (n_events,)
        Strains.
    """
    scores = {"stress": stress} if energy is None else {"stress": stress, "energy": energy}
    run = series("stress", name, strain, scores)
    at = np.asarray(events, dtype=np.float64)
    if not len(at):
        return (run,)
    return run, series("event", name, at, {"stress": np.interp(at, run.x, run.mean)})


def propensity_curve(c: PropensityCurve) -> Curve:
    """Correlation on unseen samples against the number of training samples: "propensity"."""
    return Curve(
        name="propensity",
        variant=f"{target_name(c.target, c.log)}: {c.inputs}, {c.head}",
        x=c.n_train,
        scores={"pearson": c.pearson, "spearman": c.spearman},
    )
