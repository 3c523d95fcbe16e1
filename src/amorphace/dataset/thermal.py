"""Active and inactive sites of a thermal glass: the most mobile and the most immobile ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.errors import InputError
from amorphace.dataset.table import ACTIVE, INACTIVE, NOT_SELECTED


def majority_species(species: ArrayLike) -> str:
    """The label that most particles have; of equally frequent ones the first in the alphabet.

    Parameters
    ----------
    species : array_like of str of shape (n_sites,)

    Raises
    ------
    InputError
        If there are no particles.

    Examples
    --------
    >>> majority_species(["B", "A", "A"])
    'A'
    """
    labels, counts = np.unique(np.asarray(species), return_counts=True)
    if not len(labels):
        raise InputError("no particles: the majority species of nothing is not defined")
    return str(labels[np.argmax(counts)])


def thermal_labels(
    activity: ArrayLike, sample: ArrayLike, *, majority: ArrayLike, fraction: float = 0.05
) -> NDArray[np.int8]:
    """In every sample, the most and the least active majority particles (paper, Methods).

    "In the thermal simulations, we simply take 5% each of the most mobile and immobile type A
    particles": of the n majority particles of a sample, k = max(1, round(fraction n)) with the
    largest activity are active and k with the smallest are inactive, so that the classes are
    balanced in every sample. Of equally active particles the earlier row counts as the less
    active one.

    Parameters
    ----------
    activity : array_like of shape (n_sites,)
        Isoconfigurational D2min (in units of sigma^2) or another measure of mobility. Values
        of other species are not looked at.
    sample : array_like of int of shape (n_sites,)
        The configuration each site is in.
    majority : array_like of bool of shape (n_sites,)
        Which sites are of the majority species.
    fraction : float
        Of a sample's majority particles, in (0, 0.5].

    Returns
    -------
    ndarray of int8 of shape (n_sites,)
        1 active, 0 inactive, -1 not selected.

    Raises
    ------
    InputError
        If `fraction` is out of range, the activity of a majority particle is not a number, a
        sample has fewer than two majority particles, or there are no sites.

    Examples
    --------
    >>> thermal_labels([3.0, 0.1, 9.0, 0.5], [0, 0, 0, 0], majority=[1, 1, 0, 1], fraction=0.3)
    array([ 1,  0, -1, -1], dtype=int8)
    """
    if not 0 < fraction <= 0.5:
        raise InputError(f"fraction must be above 0 and at most 0.5, got {fraction}")
    value = np.asarray(activity, dtype=np.float64)
    group = np.asarray(sample)
    chosen = np.asarray(majority, dtype=bool)
    if not value.shape == group.shape == chosen.shape == (value.size,):
        raise InputError(
            "activity, sample and majority must be of one length, got shapes "
            f"{value.shape}, {group.shape} and {chosen.shape}"
        )
    if not len(value):
        raise InputError("no sites to label; give at least one sample")
    unknown = np.flatnonzero(chosen & np.isnan(value))
    if len(unknown):
        raise InputError(
            f"the activity of row {unknown[0]} is not a number ({len(unknown)} such rows); "
            "leave particles without a measured activity out of `majority`"
        )
    label = np.full(len(value), NOT_SELECTED, dtype=np.int8)
    for k in np.unique(group):
        rows = np.flatnonzero(chosen & (group == k))
        inactive, active = _extremes(value[rows], fraction, f"sample {k}")
        label[rows[inactive]] = INACTIVE
        label[rows[active]] = ACTIVE
    return label


def _extremes(
    value: NDArray[np.float64], fraction: float, where: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the k smallest and the k largest values."""
    if len(value) < 2:
        raise InputError(
            f"{where} has {len(value)} majority particles; at least 2 are needed, one active and "
            "one inactive"
        )
    k = min(max(1, round(fraction * len(value))), len(value) // 2)
    order = np.argsort(value, kind="stable")
    return order[:k], order[-k:]
