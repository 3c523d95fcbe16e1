"""All baselines on some sites, a family at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.baselines.entropy import excess_entropy
from amorphace.baselines.local import REACH, coordination, local_density, tetrahedrality
from amorphace.baselines.symmetry import (
    CENTRES,
    LENGTHS,
    SHARPNESS,
    SIGNS,
    angular_functions,
    radial_functions,
)
from amorphace.baselines.voronoi import voronoi_cells
from amorphace.core.configuration import Configuration
from amorphace.core.sites import Sites
from amorphace.observe.structure import first_minimum
from amorphace.simulate.energies import particle_energies
from amorphace.simulate.models import GlassModel

SMOOTHINGS = tuple(float(w) for w in np.arange(0.1, 2.01, 0.1).round(1))
"""Lengths of the local density of which the best is taken, in units of sigma; the longest sees
farther than most cutoffs."""
WITHIN = 20
"""Lengths of the local densities that see no farther than the cutoff."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """One family of columns.

    Attributes
    ----------
    name : str
    columns : tuple of str
    values : ndarray of shape (n_sites, n_columns)
    choose_one : bool
        Whether the family is one quantity at several lengths, of which the best is to be taken.
    """

    name: str
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    choose_one: bool = False


Part = Callable[[Configuration, NDArray[np.int64]], NDArray[np.float64]]


def baselines(
    sites: Sites,
    species: Sequence[str],
    *,
    cutoff: float,
    descriptor: ACEDescriptor,
    model: GlassModel | None = None,
) -> Iterator[Baseline]:
    """Every family on the same sites.

    Parameters
    ----------
    sites : Sites
    species : sequence of str
        In the order of the columns.
    cutoff : float
        Of all families but the local density, in units of sigma.
    descriptor : ACEDescriptor
        Whose l and n the power spectrum has.
    model : GlassModel, optional
        Gives the potential energy; left out where it is not known.

    Yields
    ------
    Baseline

    Raises
    ------
    InputError
        If a particle is of no such species.
    """
    kinds = tuple(species)
    n = len(kinds)

    def over(part: Part) -> NDArray[np.float64]:
        """Rows of all configurations, in the order of the sites."""
        found: NDArray[np.float64] | None = None
        for k, configuration in enumerate(sites.configurations):
            rows = np.flatnonzero(sites.sample == k)
            values = part(configuration, sites.index[rows]).reshape(len(rows), -1)
            found = np.empty((len(sites), values.shape[1])) if found is None else found
            found[rows] = values
        return np.empty((0, 0)) if found is None else found

    density = over(lambda c, i: local_density(c, i, kinds, SMOOTHINGS).sum(axis=1))
    yield Baseline("local density", tuple(f"w={w:g}" for w in SMOOTHINGS), density, True)
    within = cutoff / REACH * np.arange(1, WITHIN + 1) / WITHIN
    of_species = over(lambda c, i: local_density(c, i, kinds, within))
    names = tuple(f"{z} w={w:g}" for z, w in product(kinds, within))
    yield Baseline("local densities", names, of_species)
    number = over(lambda c, i: coordination(c, i, kinds, first_minimum(c)))
    yield Baseline("coordination", kinds, number)
    cells = over(lambda c, i: np.column_stack(voronoi_cells(c, i, kinds)))
    yield Baseline("Voronoi volume", ("volume",), cells[:, :1])
    yield Baseline("Voronoi faces", kinds, cells[:, 1 : n + 1])
    yield Baseline("bond order", ("q4", "q6"), cells[:, n + 1 :])
    yield Baseline("tetrahedrality", ("q",), over(tetrahedrality))
    entropy = over(lambda c, i: excess_entropy(c, i, kinds, cutoff))
    yield Baseline("two-body entropy", ("s2",), entropy)
    if model is not None:
        energy = over(lambda c, i: particle_energies(model, c)[i])
        yield Baseline("potential energy", ("u",), energy)
    radial = over(lambda c, i: radial_functions(c, i, kinds, cutoff))
    angular = over(lambda c, i: angular_functions(c, i, kinds, cutoff))
    mu = tuple(f"{z} mu={cutoff * k / CENTRES:g}" for z in kinds for k in range(1, CENTRES + 1))
    pairs = [f"{kinds[j]}{kinds[k]}" for j, k in zip(*np.triu_indices(n), strict=True)]
    psi = tuple(
        f"{p} xi={x:g} zeta={z} lambda={s:+d}"
        for p, x, z, s in product(pairs, LENGTHS, SHARPNESS, SIGNS)
    )
    yield Baseline("Behler-Parrinello radial", mu, radial)
    yield Baseline("Behler-Parrinello", (*mu, *psi), np.hstack([radial, angular]))
    yield power_spectrum(descriptor, sites)


def power_spectrum(descriptor: ACEDescriptor, sites: Sites) -> Baseline:
    """p_{zn z'n' l} = sum_m A_{znlm} A_{z'n'lm}, of the l and n of a descriptor's second order.

    SOAP's power spectrum (A. P. Bartok, R. Kondor, G. Csanyi, Phys. Rev. B 87, 184115 (2013)) with
    the density in points and the radial functions of the descriptor: columns of order 2 without
    purification, up to their normalisation. The purified columns of both orders span all of it.
    """
    full = ACEDescriptor(**{**descriptor.get_params(), "purify": False, "max_order": 2}).fit()
    second = full.basis_.order == 2
    names = tuple(str(name) for name in full.get_feature_names_out()[second])
    values = np.asarray(full.transform(sites), dtype=np.float64)[:, second]
    return Baseline("power spectrum", names, values)
