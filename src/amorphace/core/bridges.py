"""Configurations out of what other packages hold, none of which is imported.

ASE's Atoms, OVITO's DataCollection, MDAnalysis' Universe and AtomGroup are known by what they
have; freud's box and points are given one by one (`Configuration.from_freud`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from amorphace.core.cell import host_array
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError

IDS = ("id", "ids")
"""Arrays of ASE that hold the ids of particles."""
SPECIES = "species"
"""That which holds labels that are no chemical symbols."""


def as_configuration(particles: Any) -> Configuration:
    """What is given as a configuration, taken from whichever package made it.

    Parameters
    ----------
    particles : Configuration or object
        Of ASE (Atoms), OVITO (DataCollection) or MDAnalysis (Universe, AtomGroup).

    Returns
    -------
    Configuration

    Raises
    ------
    InputError
        If it is none of these, is not periodic in all three directions, or its cell is none.
    """
    if isinstance(particles, Configuration):
        return particles
    if hasattr(particles, "get_chemical_symbols"):
        return from_ase(particles)
    if hasattr(particles, "particles") and hasattr(particles, "cell"):
        return from_ovito(particles)
    if hasattr(particles, "dimensions") and hasattr(particles, "atoms"):
        return from_mdanalysis(particles)
    raise InputError(
        f"expected a Configuration, ase.Atoms, a DataCollection of OVITO or atoms of MDAnalysis, "
        f"got {type(particles).__name__}; for a file use am.read, for arrays am.Configuration"
    )


def from_ase(atoms: Any, species: Sequence[str] | None = None) -> Configuration:
    """See `Configuration.from_ase`."""
    _check_periodic(atoms.pbc)
    own = atoms.arrays.get(SPECIES, atoms.get_chemical_symbols())
    ids = next((atoms.arrays[name] for name in IDS if name in atoms.arrays), None)
    return Configuration(
        positions=atoms.positions,
        species=own if species is None else species,
        cell=np.asarray(atoms.cell),
        ids=ids,
    )


def from_ovito(data: Any) -> Configuration:
    """See `Configuration.from_ovito`."""
    if data.cell is None or data.particles is None:
        raise InputError("the DataCollection holds no particles in a cell")
    if data.cell.is2D:
        raise InputError("the cell is two-dimensional: amorphace describes three dimensions")
    _check_periodic(data.cell.pbc)
    matrix = np.asarray(data.cell)  # columns are the vectors, the fourth is the origin
    kinds = data.particles.particle_types
    if kinds is None:
        raise InputError("the particles have no type: species are told by 'Particle Type'")
    names = {kind.id: kind.name or str(kind.id) for kind in kinds.types}
    number = np.asarray(kinds)
    found, inverse = np.unique(number, return_inverse=True)
    labels = np.array([names.get(int(k), str(k)) for k in found], dtype=np.str_)
    ids = data.particles.identifiers
    return Configuration(
        positions=np.asarray(data.particles.positions) - matrix[:, 3],
        species=labels[inverse],
        cell=matrix[:, :3].T,
        ids=None if ids is None else np.asarray(ids),
    )


def from_mdanalysis(atoms: Any) -> Configuration:
    """See `Configuration.from_mdanalysis`."""
    from ase.geometry import cellpar_to_cell

    group = atoms.atoms
    if group.dimensions is None or not np.all(group.dimensions[:3] > 0):
        raise InputError(f"the atoms have no periodic cell: dimensions are {group.dimensions}")
    return Configuration(
        positions=group.positions,
        species=np.asarray(group.types, dtype=np.str_),
        cell=cellpar_to_cell(np.asarray(group.dimensions, dtype=np.float64)),
        ids=np.asarray(group.ids),
    )


def from_freud(box: Any, points: ArrayLike, species: str | Sequence[str]) -> Configuration:
    """See `Configuration.from_freud`."""
    if box.is2D:
        raise InputError("the box is two-dimensional: amorphace describes three dimensions")
    _check_periodic(box.periodic)
    cell = np.asarray(box.to_matrix(), dtype=np.float64).T
    return Configuration(
        positions=host_array(points) + cell.sum(axis=0) / 2, species=species, cell=cell
    )


def to_ase(configuration: Configuration) -> Any:
    """See `Configuration.to_ase`."""
    from ase import Atoms
    from ase.data import atomic_numbers

    labels = configuration.species
    known = all(label in atomic_numbers for label in np.unique(labels).tolist())
    _, kinds = np.unique(labels, return_inverse=True)
    atoms = Atoms(
        numbers=[atomic_numbers[label] for label in labels] if known else kinds + 1,
        positions=configuration.positions,
        cell=configuration.cell,
        pbc=True,
    )
    atoms.new_array("id", configuration.ids)
    if not known:
        atoms.new_array(SPECIES, labels)
    return atoms


def _check_periodic(periodic: Any) -> None:
    if not all(periodic):
        told = [bool(p) for p in periodic]
        raise InputError(
            f"only cells that are periodic in all three directions are supported, got pbc {told}; "
            "where they are meant to be, say so (for ASE atoms.pbc = True)"
        )
