"""Plastic events of quasistatic shear: who rearranged in one strain step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.observe.d2min import d2min


def step_d2min(
    before: Configuration, after: Configuration, cutoff: float = 2.5
) -> NDArray[np.float64]:
    """D2min of every particle in one strain step (paper, Methods: references an increment apart).

    The strain itself is affine and leaves no trace. The cell after the step may be any of those
    that span the strained lattice: a cell tilted beyond half its width and replaced by the one
    tilted the other way gives the same D2min.

    Parameters
    ----------
    before, after : Configuration
        The two ends of the step, at mechanical equilibrium; wrapped or not.
    cutoff : float
        In units of sigma.

    Returns
    -------
    ndarray of shape (n,)
        The Falk-Langer sum, in units of sigma^2, in the order of `before`. Elastic steps of 5e-5
        stay below 1e-2, events reach 1 to 30.

    Raises
    ------
    InputError
        As `d2min`.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(0, 4, size=(40, 3))
    >>> before = Configuration(positions=x, species="A", cell=[[4, 0, 0], [1.9, 4, 0], [0, 0, 4]])
    >>> shear = np.array([[1, 0, 0], [0.1, 1, 0], [0, 0, 1]])
    >>> flipped = [[4, 0, 0], [-1.7, 4, 0], [0, 0, 4]]  # the strained tilt 2.3, less the width 4
    >>> after = before.replace(positions=x @ shear, cell=flipped)
    >>> bool(step_d2min(before, after, cutoff=1.5).max() < 1e-25)
    True
    """
    return d2min(before, after, cutoff)
