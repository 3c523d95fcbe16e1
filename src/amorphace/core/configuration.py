"""A periodic configuration of particles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.cell import cell_heights, cell_rows, check_resolved, host_array
from amorphace.core.display import html_table
from amorphace.core.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class Configuration:
    """Particles in a periodic cell; nothing in it changes after it is made.

    Parameters
    ----------
    positions : array_like of shape (n, 3)
        Cartesian positions in units of sigma, wrapped or not, with the corner of the cell
        at the origin.
    species : str or sequence of str of length n
        Species labels; one label stands for all particles.
    cell : array_like of shape (3, 3), (3,) or ()
        Rows are the cell vectors a, b, c; three numbers are an orthorhombic cell, one number a
        cubic one. Periodic in all directions.
    ids : array_like of int of length n, optional
        Distinct particle ids below 2^63, by which frames are matched. 1, 2, ... when left out.
    step : int
        Time step at which the configuration was taken.
    identified : bool
        Whether an id is the same particle in every frame. It is not where a file has no ids and
        its program keeps no order: such frames are matched with no other.

    Raises
    ------
    InputError
        If a position is not finite or more than 1e8 cells away, the cell spans no volume, ids
        repeat or are no whole numbers, or lengths differ.

    Examples
    --------
    >>> c = Configuration(positions=[[0, 0, 0], [1, 1, 1]], species=["A", "B"], cell=3.0)
    >>> len(c), c.number_density
    (2, 0.07407407407407407)
    """

    positions: NDArray[np.float64]
    species: NDArray[np.str_]
    cell: NDArray[np.float64]
    ids: NDArray[np.int64] = field(default=None)  # type: ignore[assignment]
    step: int = 0
    identified: bool = True

    def __init__(
        self,
        *,
        positions: ArrayLike,
        species: str | Sequence[str] | NDArray[np.str_],
        cell: ArrayLike,
        ids: ArrayLike | None = None,
        step: int = 0,
        identified: bool = True,
    ) -> None:
        xyz = host_array(positions)
        if xyz.ndim != 2 or xyz.shape[1] != 3:
            raise InputError(f"positions must have shape (n, 3), got {xyz.shape}")
        n = len(xyz)
        number = np.arange(1, n + 1) if ids is None else _whole_ids(ids)
        if number.shape != (n,):
            raise InputError(f"{n} positions need {n} ids, got an array of shape {number.shape}")
        label = np.array([species] * n if isinstance(species, str) else species, dtype=np.str_)
        if label.shape != (n,):
            raise InputError(f"{n} positions need {n} species labels, got shape {label.shape}")
        if not np.isfinite(xyz).all():
            bad = int(np.flatnonzero(~np.isfinite(xyz).all(axis=1))[0])
            raise InputError(
                f"the position of particle id {number[bad]} (row {bad}) is {xyz[bad]}; "
                "every coordinate must be a finite number"
            )
        h = cell_rows(cell)
        check_resolved(xyz, h, number)
        if not all_differ(number):
            unique, count = np.unique(number, return_counts=True)
            raise InputError(
                f"particle id {unique[count > 1][0]} stands {count.max()} times; ids must differ"
            )
        for name, array in {"positions": xyz, "species": label, "cell": h, "ids": number}.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "step", int(step))
        object.__setattr__(self, "identified", bool(identified))

    @classmethod
    def from_ase(cls, atoms: Any, species: Sequence[str] | None = None) -> Configuration:
        """Of an ase.Atoms: its positions and cell as they are, in its units (Angstrom).

        Parameters
        ----------
        atoms : ase.Atoms
            Periodic in all directions. An array "id" or "ids" becomes the ids.
        species : sequence of str, optional
            A label for each particle; when left out, the array "species" or the chemical symbols.

        Raises
        ------
        InputError
            If the atoms are not periodic in all directions, or as for a new configuration.
        """
        from amorphace.core.bridges import from_ase

        return from_ase(atoms, species)

    def to_ase(self) -> Any:
        """As ase.Atoms, periodic in all directions.

        Labels that are no chemical symbols are numbered 1, 2, ... in the order of the alphabet,
        and kept in the array "species"; ids are kept in the array "id".
        """
        from amorphace.core.bridges import to_ase

        return to_ase(self)

    @classmethod
    def from_ovito(cls, data: Any) -> Configuration:
        """Of an ovito.data.DataCollection: the names of its particle types are the species.

        Raises
        ------
        InputError
            If it has no types, no cell, or a cell that is flat or not periodic in all directions.
        """
        from amorphace.core.bridges import from_ovito

        return from_ovito(data)

    @classmethod
    def from_freud(cls, box: Any, points: ArrayLike, species: str | Sequence[str]) -> Configuration:
        """Of a freud.box.Box and points in it, shape (n, 3); the corner becomes the origin.

        Raises
        ------
        InputError
            If the box is two-dimensional or not periodic in all directions.
        """
        from amorphace.core.bridges import from_freud

        return from_freud(box, points, species)

    @classmethod
    def from_mdanalysis(cls, atoms: Any) -> Configuration:
        """Of a Universe or AtomGroup of MDAnalysis at its present frame; its types are the species.

        Raises
        ------
        InputError
            If there is no periodic cell.
        """
        from amorphace.core.bridges import from_mdanalysis

        return from_mdanalysis(atoms)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Copies in other processes are as frozen as the original."""
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.positions)

    def __repr__(self) -> str:
        kinds, count = np.unique(self.species, return_counts=True)
        mix = ", ".join(f"{c} {k}" for k, c in zip(kinds, count, strict=True))
        return f"Configuration({len(self)} particles: {mix}; volume {self.volume:.6g})"

    def _repr_html_(self) -> str:
        kinds, count = np.unique(self.species, return_counts=True)
        lengths = " x ".join(f"{length:.5g}" for length in np.linalg.norm(self.cell, axis=1))
        rows = [
            ("particles", ", ".join(f"{c} {k}" for k, c in zip(kinds, count, strict=True))),
            ("cell", lengths),
            ("number density", f"{self.number_density:.5g}"),
            ("step", self.step),
        ]
        return html_table(("Configuration", len(self)), rows)

    @property
    def volume(self) -> float:
        """Volume of the cell, in sigma^3."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def number_density(self) -> float:
        """Particles per sigma^3."""
        return len(self) / self.volume

    @property
    def heights(self) -> NDArray[np.float64]:
        """Distances between opposite faces of the cell, shape (3,), in sigma.

        Examples
        --------
        >>> cell = [[3, 0, 0], [4, 3, 0], [0, 0, 5]]
        >>> Configuration(positions=np.eye(3), species="A", cell=cell).heights.round(12).tolist()
        [1.8, 3.0, 5.0]
        """
        return cell_heights(self.cell)

    def fractional(self) -> NDArray[np.float64]:
        """Positions in units of the cell vectors, shape (n, 3); not wrapped."""
        return self.positions @ np.linalg.inv(self.cell)

    def wrapped(self) -> Configuration:
        """The same configuration with every particle inside the cell."""
        s = self.fractional()
        inside = (s - np.floor(s)) % 1.0  # the second wrap sends 1 - 1e-17, rounded up to 1, to 0
        return self.replace(positions=inside @ self.cell)

    def replace(self, *, positions: ArrayLike, cell: ArrayLike | None = None) -> Configuration:
        """The same particles at other places, shape (n, 3), in the same or another cell."""
        return replace(self, positions=positions, cell=self.cell if cell is None else cell)

    def species_index(self, species: Sequence[str]) -> NDArray[np.int64]:
        """Place of every particle's label in `species`, shape (n,).

        Raises
        ------
        InputError
            If a particle has a label that `species` does not name.
        """
        index = np.full(len(self), -1, dtype=np.int64)
        for k, label in enumerate(species):
            index[self.species == label] = k
        if (index < 0).any():
            unknown = sorted(set(self.species[index < 0].tolist()))
            raise InputError(
                f"species {', '.join(unknown)} not declared: the configuration holds "
                f"{int((index < 0).sum())} such particles, the declared species are "
                f"{', '.join(species)}; name every species of the configuration"
            )
        return index

    def rows_of(self, ids: ArrayLike) -> NDArray[np.int64]:
        """Row of the particle of each id, shape of `ids`; -1 where there is none.

        Raises
        ------
        InputError
            If the configuration is not `identified`.

        Examples
        --------
        >>> c = Configuration(positions=np.eye(3), species="A", cell=3.0, ids=[7, 5, 9])
        >>> c.rows_of([5, 9, 8]).tolist()
        [1, 2, -1]
        """
        if not self.identified:
            raise InputError(
                f"the frame of step {self.step} is from a file without particle ids, and its rows "
                "need not be the same particles as in another frame: write the file with ids "
                "(dump custom id ...), or, if the rows do correspond, read it with order='file' "
                "(--order file)"
            )
        wanted = np.asarray(ids, dtype=np.int64)
        order = np.argsort(self.ids)
        place = np.searchsorted(self.ids, wanted, sorter=order)
        rows = np.append(order, -1)[place]
        return np.where(np.append(self.ids, 0)[rows] == wanted, rows, -1)

    def aligned_to(self, reference: Configuration) -> Configuration:
        """The particles in the order of `reference`, matched by id.

        Raises
        ------
        InputError
            If the two configurations do not hold the same ids with the same species, or one of
            them is not `identified`.
        """
        known = self.identified and reference.identified
        same = np.array_equal(self.ids, reference.ids)
        if known and same and np.array_equal(self.species, reference.species):
            return self
        rows, extra = self.rows_of(reference.ids), self.ids[reference.rows_of(self.ids) < 0]
        missing = reference.ids[rows < 0]
        if len(missing) or len(extra):
            lost = missing if len(missing) else extra
            what = "of the reference are missing" if len(missing) else "are not in the reference"
            raise InputError(
                f"frames cannot be matched by id: {len(lost)} particles {what} (first: id "
                f"{lost.min()}) in the frame of step {self.step}; give frames of the same particles"
            )
        changed = np.flatnonzero(self.species[rows] != reference.species)
        if len(changed):
            k = changed[0]
            raise InputError(
                f"particle id {reference.ids[k]} is {reference.species[k]} in the reference and "
                f"{self.species[rows][k]} in the frame of step {self.step}; species must agree"
            )
        return Configuration(
            positions=self.positions[rows],
            species=reference.species,
            cell=self.cell,
            ids=reference.ids,
            step=self.step,
        )


def all_differ(ids: NDArray[np.int64]) -> bool:
    """Whether no number stands twice.

    Examples
    --------
    >>> all_differ(np.array([3, 1, 2])), all_differ(np.array([3, 1, 3]))
    (True, False)
    """
    n = len(ids)
    if not n or int(ids.max()) - int(low := ids.min()) >= 4 * n:
        return len(np.unique(ids)) == n
    return int(np.bincount(ids - low).max()) == 1  # without sorting them


def _whole_ids(ids: ArrayLike) -> NDArray[np.int64]:
    """The ids as 64-bit integers, checked to be just that."""
    given = np.asarray(ids)
    if given.size == 0:
        return given.astype(np.int64)
    if given.dtype.kind not in "iuf":
        raise InputError(f"ids must be whole numbers, got {given.ravel()[0]!r}")
    with np.errstate(invalid="ignore"):
        number = given.astype(np.int64)
    changed = given[(number != given) | (given >= 2.0**63)]
    if len(changed):
        raise InputError(f"ids must be whole numbers below 2^63, got {changed[0]}")
    return number
