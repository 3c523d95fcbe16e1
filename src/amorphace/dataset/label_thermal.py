"""Active and inactive sites of thermal glasses: the most and the least mobile ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.ensembles import (
    Ensemble,
    Mobility,
    check_correlation,
    check_samples,
    check_ties,
    measure_sample,
)
from amorphace.dataset.plausible import check_neighbours, check_spacing, warn
from amorphace.dataset.table import ACTIVE, INACTIVE, NOT_SELECTED, Table

FEW_SAMPLES = 3
"""With fewer, the table tells the cells, so that blocks of them can be left out in turn."""


@dataclass(frozen=True)
class ThermalSample:
    """One isoconfigurational ensemble.

    Attributes
    ----------
    name : str
    initial : Configuration
        The common start of all runs.
    endpoints : iterable of Configuration
        Their ends; read one at a time.
    """

    name: str
    initial: Configuration
    endpoints: Iterable[Configuration]


@dataclass(frozen=True)
class SampleSummary:
    """What was found in one sample, among the particles of the majority species.

    Attributes
    ----------
    name : str
    n_particles, n_active, n_inactive : int
    correlation : float
        Pearson correlation of isoconfigurational D2min and propensity.
    """

    name: str
    n_particles: int
    n_active: int
    n_inactive: int
    correlation: float


def label_thermal(
    samples: Iterable[ThermalSample],
    *,
    cutoff: float = 2.5,
    fraction: float = 0.05,
    majority: str | None = None,
    power: float = 1,
    normalize: bool = False,
    unwrapped: bool = False,
    masses: Mapping[str, float] | None = None,
    n_jobs: int | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Table:
    """Isoconfigurational D2min, propensity and labels of every particle (paper, Methods).

    Parameters
    ----------
    samples : iterable of ThermalSample
        Taken one at a time.
    cutoff : float
        Of D2min, in units of sigma.
    fraction : float
        Of the majority particles of a sample that is active, and as many inactive.
    majority : str, optional
        Species to choose from; the most frequent one when left out.
    power, normalize, unwrapped, n_jobs
        As for `isoconfigurational`.
    masses : mapping of str to float, optional
        Mass of each species, by which the drift that is taken off the displacements is weighted;
        equal when left out.
    provenance : mapping, optional

    Returns
    -------
    Table
        All particles of all samples, with targets "d2min" (in units of sigma^2) and "propensity"
        (sigma^power); no features.

    Raises
    ------
    InputError
        If there are no samples, end points do not hold the particles of their start, are the start
        itself or as far from it as random places, a species has no mass where others have, or an
        option has no meaning.

    Warns
    -----
    InputWarning
        If a sample is probably not what was meant; see `amorphace.dataset.plausible` and
        `amorphace.dataset.ensembles`.
    """
    measured: list[tuple[str, Configuration, Mobility]] = []
    ensembles: list[Ensemble] = []
    for sample in samples:
        warn(check_spacing(sample.name, sample.initial))
        if not measured:
            warn(check_neighbours(sample.name, sample.initial, [cutoff]))
        seen, ensemble = measure_sample(
            sample.name,
            sample.initial,
            sample.endpoints,
            cutoff=cutoff,
            power=power,
            normalize=normalize,
            unwrapped=unwrapped,
            masses=masses,
            n_jobs=n_jobs,
        )
        measured.append((sample.name, sample.initial, seen))
        ensembles.append(ensemble)
    table = isoconfigurational_table(
        measured, fraction=fraction, majority=majority, provenance=provenance
    )
    warn(check_samples(ensembles))
    warn(doubts_of_labels(table, majority))
    return table


def isoconfigurational_table(
    samples: Sequence[tuple[str, Configuration, Mobility]],
    *,
    fraction: float = 0.05,
    majority: str | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Table:
    """The table of `label_thermal`, from what was measured of each sample.

    Parameters
    ----------
    samples : sequence of (name, start, Mobility)
    fraction, majority, provenance
        As for `label_thermal`.

    Raises
    ------
    InputError
        As `label_thermal`.
    """
    if not samples:
        raise InputError("no samples to label; give at least one")
    names, starts, seen = zip(*samples, strict=True)
    species = np.concatenate([c.species for c in starts])
    number = np.repeat(np.arange(len(starts)), [len(c) for c in starts])
    chosen = majority_species(species, majority)
    activity = np.concatenate([moved.d2min for moved in seen])
    origin = dict(provenance or {})
    if len(starts) < FEW_SAMPLES:
        origin["cells"] = [c.cell.tolist() for c in starts]
    return Table(
        sample=number,
        particle_id=np.concatenate([c.ids for c in starts]),
        species=species,
        step=np.concatenate([np.full(len(c), c.step) for c in starts]),
        label=thermal_labels(activity, number, majority=species == chosen, fraction=fraction),
        positions=np.concatenate([c.positions for c in starts]).astype(np.float32),
        targets={
            "d2min": activity,
            "propensity": np.concatenate([moved.propensity for moved in seen]),
        },
        sample_names=names,
        provenance=origin,
    )


def doubts_of_labels(table: Table, majority: str | None) -> Iterator[str]:
    """Ties, and mobilities that have nothing to do with each other."""
    of_majority = table.species == majority_species(table.species, majority)
    for k, sample in enumerate(summarize_samples(table, majority)):
        rows = (table.sample == k) & of_majority
        yield from check_ties(sample.name, table.targets["d2min"][rows], table.label[rows])
        yield from check_correlation(sample.name, sample.correlation)


def summarize_samples(table: Table, majority: str | None = None) -> list[SampleSummary]:
    """Counts and the D2min-propensity correlation of every sample of a labelled table."""
    of_majority = table.species == majority_species(table.species, majority)
    out = []
    for k, name in enumerate(table.sample_names):
        rows = (table.sample == k) & of_majority
        d2, moved = table.targets["d2min"][rows], table.targets["propensity"][rows]
        varies = rows.sum() > 1 and np.ptp(d2) > 0 and np.ptp(moved) > 0
        out.append(
            SampleSummary(
                name=name,
                n_particles=int(rows.sum()),
                n_active=int((table.label[rows] == ACTIVE).sum()),
                n_inactive=int((table.label[rows] == INACTIVE).sum()),
                correlation=float(np.corrcoef(d2, moved)[0, 1]) if varies else float("nan"),
            )
        )
    return out


def majority_species(species: ArrayLike, chosen: str | None = None) -> str:
    """The label that most particles have; of equally frequent ones the first in the alphabet.

    Parameters
    ----------
    species : array_like of str of shape (n_sites,)
    chosen : str, optional
        The label to take instead.

    Raises
    ------
    InputError
        If there are no particles, or none of the chosen label.

    Examples
    --------
    >>> majority_species(["B", "A", "A"])
    'A'
    """
    labels, counts = np.unique(np.asarray(species), return_counts=True)
    if not len(labels):
        raise InputError("no particles: the majority species of nothing is not defined")
    if chosen is not None and chosen not in labels:
        raise InputError(f"no particle is of species {chosen}; there are {', '.join(labels)}")
    return str(labels[np.argmax(counts)]) if chosen is None else chosen


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
