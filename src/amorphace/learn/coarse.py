"""Features beside their averages over the neighbours, weighted by distance: inputs of a ridge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.neighbors import Neighbors, check_cutoff, iter_neighbors
from amorphace.dataset.label_thermal import majority_species
from amorphace.dataset.particles import particle_columns
from amorphace.dataset.table import Table
from amorphace.learn.checks import check_positive

LENGTHS = (0.8, 1.6, 3.0)
"""In units of sigma: the first shell, the second, and beyond."""
REACH = 5.0
"""Neighbours farther than so many lengths, of weight exp(-5) and less, are left out."""
BLOCK_SIZE = 64
"""Sites whose neighbours are found together."""


def coarse_grained(
    configuration: Configuration,
    X: ArrayLike,
    *,
    lengths: Sequence[float] = LENGTHS,
    species: Sequence[str] | None = None,
    include_self: bool = True,
    cutoff: float | None = None,
    where: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """<X>_i = sum_j w_ij X_j / sum_j w_ij, w_ij = exp(-r_ij / length), j of one species.

    Parameters
    ----------
    configuration : Configuration
    X : array_like of shape (n_particles, n_features)
        Features of all particles, in the order of the configuration.
    lengths : sequence of float
        In units of sigma.
    species : sequence of str, optional
        Each is averaged on its own; all in the configuration, in sorted order, when left out.
        Give the list where several configurations must have the same columns.
    include_self : bool
        Whether the particle counts among the neighbours of its own species, with r = 0.
    cutoff : float, optional
        Of r, in units of sigma; 5 lengths or half the smallest height of the cell, whichever is
        less, when left out. At most half the smallest height.
    where : array_like, optional
        Mask or indices of the particles that get averages; all when left out.

    Returns
    -------
    ndarray of shape (n_sites, n_lengths * n_species * n_features)
        For each length, each species, all features; see `coarse_names`. Zero where no particle
        of the species is within the cutoff, since the empty sum is zero.

    Raises
    ------
    InputError
        If X does not have one finite row for each particle, or an option has no meaning.

    References
    ----------
    E. Boattini, F. Smallenburg and L. Filion, Phys. Rev. Lett. 127, 088007 (2021): averaging
    local features over shells. G. Jung, G. Biroli and L. Berthier, Phys. Rev. Lett. 130, 238202
    (2023): exponential weights, per species.

    Examples
    --------
    >>> pair = Configuration(positions=[[0, 0, 0], [1, 0, 0]], species=["A", "B"], cell=9.0)
    >>> coarse_grained(pair, [[1.0], [5.0]], lengths=[1.0])  # each sees one A and one B
    array([[1., 5.],
           [1., 5.]])
    """
    values = np.asarray(X, dtype=np.float64)
    n = len(configuration)
    if values.ndim != 2 or len(values) != n or not np.isfinite(values).all():
        raise InputError(
            f"X must hold a finite row for each of the {n} particles, shape ({n}, n_features), "
            f"got shape {values.shape}; averages need the features of all particles"
        )
    lengths = check_positive("lengths", lengths)
    labels = sorted(set(configuration.species.tolist())) if species is None else list(species)
    reach = _cutoffs(configuration, lengths, cutoff)
    sites = np.arange(n) if where is None else np.arange(n)[np.asarray(where)]
    out = np.empty((len(sites), len(lengths), len(labels), values.shape[1]))
    for rows, neighbors in iter_neighbors(configuration, max(reach), sites, block_size=BLOCK_SIZE):
        near, r = _distances(neighbors, n, include_self)
        for s, label in enumerate(labels):
            mine = configuration.species[near] == label
            r_s, X_s = r[:, mine], values[near[mine]]
            for k, (length, limit) in enumerate(zip(lengths, reach, strict=True)):
                w = np.exp(r_s / -length)
                w[r_s >= limit] = 0.0
                total = w.sum(axis=1)[:, None]
                out[rows, k, s] = np.divide(
                    w @ X_s, total, out=np.zeros((len(rows), X_s.shape[1])), where=total > 0
                )
    return out.reshape(len(sites), -1)


def coarse_names(
    names: Sequence[str], species: Sequence[str], lengths: Sequence[float] = LENGTHS
) -> list[str]:
    """Names of the columns of `coarse_grained`.

    Examples
    --------
    >>> coarse_names(["A1", "B1"], ["A", "B"], [0.8])
    ['<A1> over A, 0.8', '<B1> over A, 0.8', '<A1> over B, 0.8', '<B1> over B, 0.8']
    """
    return [
        f"<{name}> over {label}, {length:g}"
        for length in lengths
        for label in species
        for name in names
    ]


def _cutoffs(
    configuration: Configuration, lengths: Sequence[float], cutoff: float | None
) -> list[float]:
    """The cutoff of every length."""
    heights = configuration.heights
    half = float(heights.min()) / 2
    if cutoff is None:
        return [min(REACH * length, half) for length in lengths]
    if check_cutoff(cutoff) > half * (1 + 1e-12):
        raise InputError(
            f"cutoff {cutoff:g} is more than half the smallest height of the cell ({half:g}), so "
            "that a particle would count several times; give a smaller one"
        )
    return [float(cutoff)] * len(lengths)


def _distances(
    neighbors: Neighbors, n: int, include_self: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The particles near one of some sites, and their distances, infinite where they are not near.

    Returns
    -------
    near : ndarray of shape (n_near,)
        Particle indices, below n.
    r : ndarray of shape (n_sites, n_near)
    """
    column = np.zeros(n, dtype=np.int64)
    column[neighbors.index] = column[neighbors.sites] = 1
    near = np.flatnonzero(column)
    column[near] = np.arange(len(near))
    r = np.full((len(neighbors.sites), len(near)), np.inf)
    r[neighbors.centre, column[neighbors.index]] = neighbors.distances
    if include_self:
        r[np.arange(len(r)), column[neighbors.sites]] = 0.0
    return near, r


def propensity_inputs(
    configuration: Configuration,
    descriptor: ACEDescriptor,
    *,
    lengths: Sequence[float] = LENGTHS,
    where: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Features of particles beside the averages of these features over their neighbours.

    Parameters
    ----------
    configuration : Configuration
    descriptor : ACEDescriptor
        Of a few tens of columns, for example the radial ones (max_order=1).
    lengths : sequence of float
        Of the weights exp(-r/length), in units of sigma; see `coarse_grained`.
    where : array_like, optional
        Mask or indices of the particles wanted; all when left out.

    Returns
    -------
    ndarray of shape (n_sites, n_features * (1 + n_lengths * n_species))
        Named by `input_names`.

    Raises
    ------
    InputError
        As `ACEDescriptor.transform` and `coarse_grained`.
    """
    B = descriptor.transform(configuration)
    species = tuple(str(label) for label in np.asarray(descriptor.species).ravel())
    own = B if where is None else B[np.asarray(where)]
    averages = coarse_grained(configuration, B, lengths=lengths, species=species, where=where)
    return np.hstack([own, averages])


def input_names(descriptor: ACEDescriptor, lengths: Sequence[float] = LENGTHS) -> list[str]:
    """Names of the columns of `propensity_inputs`."""
    names = descriptor.get_feature_names_out().tolist()
    species = [str(label) for label in np.asarray(descriptor.species).ravel()]
    return names + coarse_names(names, species, lengths)


Measured = tuple[Configuration, Mapping[str, NDArray[np.float64]]]
"""A configuration, and by name what is known of each of its particles; NaN where it is not."""


def table_samples(table: Table, configurations: Iterable[Configuration]) -> Iterator[Measured]:
    """The samples of a labelled table, as `sample_inputs` takes them.

    Parameters
    ----------
    table : Table
        Targets of all particles of a species, as `label_thermal` makes it.
    configurations : iterable of Configuration
        One a sample of the table, in the same order (for example inherent structures); taken one
        at a time.

    Raises
    ------
    InputError
        If the numbers of samples differ, or a particle of the table is not in its configuration.
    """
    given = 0
    for given, configuration in enumerate(configurations, start=1):
        if given <= len(table.sample_names):
            yield configuration, particle_columns(table, configuration, given - 1)
    if given != len(table.sample_names):
        raise InputError(
            f"the table is of {len(table.sample_names)} samples, but {given} configurations were "
            "given; give one for each, in the same order"
        )


def sample_inputs(
    samples: Iterable[Measured],
    descriptor: ACEDescriptor,
    *,
    targets: Sequence[str] = ("d2min",),
    centres: str | None = None,
    lengths: Sequence[float] = LENGTHS,
    progress: Callable[[int], object] | None = None,
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """X, targets and groups of a regression.

    Parameters
    ----------
    samples : iterable of (Configuration, mapping)
        Taken one at a time.
    descriptor, lengths
        As for `propensity_inputs`.
    targets : sequence of str
        Which of the numbers of the particles.
    centres : str, optional
        Species whose particles are predicted; the most frequent one of each sample when left out.
    progress : callable, optional
        Called with 1 after each configuration.

    Returns
    -------
    X : ndarray of shape (n_sites, n_columns)
    targets : dict of str to ndarray of shape (n_sites,)
    groups : ndarray of shape (n_sites,)
        The number of the sample, from 0.

    Raises
    ------
    InputError
        If a sample lacks a target, or there are no samples.
    """
    X, groups = [], []
    values: dict[str, list[NDArray[np.float64]]] = {name: [] for name in targets}
    for k, (configuration, known) in enumerate(samples):
        missing = [name for name in targets if name not in known]
        if missing:
            raise InputError(
                f"sample {k + 1} has no target {missing[0]!r}; there are: "
                f"{', '.join(name for name in known if name != 'label') or 'none'}"
            )
        chosen = majority_species(configuration.species) if centres is None else centres
        where = configuration.species == chosen
        where &= np.all([np.isfinite(known[name]) for name in targets], axis=0)
        X.append(propensity_inputs(configuration, descriptor, lengths=lengths, where=where))
        for name in targets:
            values[name].append(np.asarray(known[name])[where])
        groups.append(np.full(int(where.sum()), k))
        if progress is not None:
            progress(1)
    if not X:
        raise InputError("no samples to learn from; give at least two")
    found = {name: np.concatenate(parts) for name, parts in values.items()}
    return np.concatenate(X), found, np.concatenate(groups)
