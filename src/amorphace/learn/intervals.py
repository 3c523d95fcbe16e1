"""Intervals of numbers that are no mean over folds of one cross-validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm, t

from amorphace.learn.splits import LEVEL


def half_width_apart(one: ArrayLike, other: ArrayLike, level: float = LEVEL) -> float:
    """Half-width of the interval of a difference of means, of scores that are not paired.

    t sqrt(s1^2/K1 + s2^2/K2), with the degrees of freedom of Welch and Satterthwaite.

    Parameters
    ----------
    one, other : array_like of shape (n_folds,)
        Scores of two cross-validations of samples that have nothing in common.
    level : float

    Returns
    -------
    float
        NaN with fewer than two scores in one of them.

    References
    ----------
    B. L. Welch, Biometrika 34, 28 (1947).

    Examples
    --------
    >>> round(half_width_apart([0.8, 0.9, 0.7], [0.6, 0.5, 0.7, 0.6]), 3)
    0.081
    """
    parts = []
    for scores in (one, other):
        values = np.asarray(scores, dtype=np.float64)
        values = values[np.isfinite(values)]
        if len(values) < 2:
            return np.nan
        parts.append((values.var(ddof=1) / len(values), len(values) - 1))
    total = sum(variance for variance, _ in parts)
    below = sum(variance**2 / dof for variance, dof in parts)
    dof = total**2 / below if below > 0 else sum(dof for _, dof in parts)
    return float(t.ppf((1 + level) / 2, dof) * np.sqrt(total))


def share_interval(n: int, total: int, level: float = LEVEL) -> tuple[float, float]:
    """Ends of the interval of a share, n of `total` independent draws.

    Parameters
    ----------
    n, total : int
    level : float

    Returns
    -------
    low, high : float
        From 0 to 1.

    References
    ----------
    E. B. Wilson, J. Am. Stat. Assoc. 22, 209 (1927).

    Examples
    --------
    >>> low, high = share_interval(20, 20, 0.9)
    >>> round(low, 2), high
    (0.88, 1.0)
    """
    z2 = float(norm.ppf((1 + level) / 2)) ** 2
    centre = (n + z2 / 2) / (total + z2)
    width = np.sqrt(z2 * n * (total - n) / total + z2**2 / 4) / (total + z2)
    return max(float(centre - width), 0.0), min(float(centre + width), 1.0)
