"""A case, what is read of it, and how that is written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.bundle import Analysis
from amorphace.learn.results import Curve
from amorphace.learn.splits import half_width
from amorphace.report.content import ReportContent

SURE = 0.9
"""Probability of the intervals that decide: each end is passed by chance in 5 % of all cases."""


@dataclass(frozen=True, eq=False)
class Case:
    """A case, and what its claims need.

    Attributes
    ----------
    content : ReportContent
    cutoff : float
        At which accuracies are read, in units of sigma.
    paper : str
        What the paper says of the quantity.
    others : tuple of ReportContent
        Other cases.
    """

    content: ReportContent
    cutoff: float
    paper: str = ""
    others: tuple[ReportContent, ...] = ()

    @property
    def thermal(self) -> Analysis | None:
        """The analysis of thermal motion of the same glass, where this one is of shear."""
        own = self.content
        if own.protocol != "shear":
            return None
        if own.companion is not None and own.companion_protocol == "thermal":
            return own.companion
        return next(
            (c.analysis for c in self.others if (c.model, c.protocol) == (own.model, "thermal")),
            None,
        )


@dataclass(frozen=True, eq=False)
class Found:
    """What a reading gives.

    Attributes
    ----------
    text, aside : str
        As it is shown, and what is to be said of it.
    values : ndarray of shape (n_folds,), optional
        That the text states the mean of.
    cutoff : float, optional
        Where it was read.
    tested : ndarray of shape (n_folds,), optional
        What the claim is on; `values` where left out.
    interval : tuple of float, optional
        Ends of the interval that decides, where there are no folds.
    """

    text: str
    values: NDArray[np.float64] | None = None
    cutoff: float | None = None
    aside: str = ""
    tested: NDArray[np.float64] | None = None
    interval: tuple[float, float] | None = None

    @property
    def range(self) -> tuple[float, float]:
        """The interval that decides; NaN where there is none."""
        if self.interval is not None:
            return self.interval
        values = self.values if self.tested is None else self.tested
        if values is None or np.isnan(values).all():
            return np.nan, np.nan
        mean, width = float(np.nanmean(values)), half_width(values, SURE)
        return mean - width, mean + width


def plus_minus(values: NDArray[np.float64], digits: int, sign: str = "") -> str:
    """Mean and half-width of the 68 % interval, with spaces that do not break."""
    return with_error(float(np.nanmean(values)), half_width(values), digits, sign)


def with_error(mean: float, error: float, digits: int, sign: str = "") -> str:
    width = "" if np.isnan(error) else f"\u00a0±\u00a0{error:.{digits}f}"
    return f"{mean:{sign}.{digits}f}{width}".replace("-", "−")


def percent(values: NDArray[np.float64]) -> str:
    """Such as 91.2 ± 0.4 %."""
    return f"{plus_minus(100 * values, 1)}\u00a0%"


def points(gain: NDArray[np.float64]) -> str:
    """A difference of accuracies, such as +1.2 ± 0.8 points."""
    return f"{plus_minus(100 * gain, 1, '+')}\u00a0points"


def correlation(c: Curve) -> str:
    """At the last point: 0.82 ± 0.03, or 0.82 ± 0.03 (3 of 4 folds) where some have none."""
    n, undefined = c.values.shape[1], c.n_undefined[-1]
    return plus_minus(c.values[-1], 2) + (f" ({n - undefined} of {n} folds)" if undefined else "")
