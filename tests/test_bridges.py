"""Configurations out of what other packages hold."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

import amorphace as am
from amorphace.core.bridges import as_configuration
from amorphace.core.cell import host_array

TILTED = np.array([[9.0, 0, 0], [3.0, 8, 0], [1.0, 2, 7]])


def particles(n: int = 60, seed: int = 0) -> am.Configuration:
    s = np.random.default_rng(seed).uniform(0, 1, (n, 3))
    species = np.where(np.arange(n) % 3 == 0, "B", "A")
    return am.Configuration(
        positions=s @ TILTED, species=species, cell=TILTED, ids=2 + np.arange(n)
    )


def same(one: am.Configuration, other: am.Configuration, tolerance: float = 1e-12) -> bool:
    return (
        np.array_equal(one.species, other.species)
        and np.array_equal(one.ids, other.ids)
        and np.allclose(one.cell, other.cell, rtol=0, atol=tolerance)
        and np.allclose(one.positions, other.positions, rtol=0, atol=tolerance)
    )


def test_atoms_of_ase_come_and_go() -> None:
    given = particles()
    atoms = given.to_ase()
    assert atoms.pbc.all()
    assert atoms.arrays["species"].tolist() == given.species.tolist()
    assert same(am.Configuration.from_ase(atoms), given)
    assert set(am.Configuration.from_ase(atoms, ["X"] * len(atoms)).species.tolist()) == {"X"}


def test_chemical_symbols_stay_chemical_symbols() -> None:
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    atoms.symbols[::4] = "Zr"
    back = as_configuration(atoms).to_ase()
    assert back.get_chemical_symbols() == atoms.get_chemical_symbols()
    assert "species" not in back.arrays


def test_atoms_with_an_open_side_are_refused() -> None:
    atoms = Atoms("Cu2", positions=[[0, 0, 0], [1, 1, 1]], cell=[4, 4, 4], pbc=[True, True, False])
    with pytest.raises(am.InputError, match=r"all three directions .* \[True, True, False\]"):
        as_configuration(atoms)


def test_descriptor_and_d2min_take_atoms_as_they_are() -> None:
    atoms = bulk("Ar", cubic=True) * (3, 3, 3)
    moved = atoms.copy()
    moved.positions[0] += 0.5
    ace = am.ACEDescriptor(cutoff=4.5, species=("Ar",), max_order=2, max_degree=4, n_max=3)
    ours = am.Configuration.from_ase(atoms)
    assert np.array_equal(ace.transform(atoms), ace.transform(ours))
    assert np.array_equal(
        am.d2min(atoms, moved, cutoff=4.5), am.d2min(ours, am.Configuration.from_ase(moved), 4.5)
    )
    assert np.argmax(am.propensity(atoms, [moved])) == 0


def test_points_of_freud_move_to_the_corner_of_the_cell() -> None:
    freud = pytest.importorskip("freud")
    given = particles()
    box = freud.box.Box.from_matrix(given.cell.T)
    points = given.positions - given.cell.sum(axis=0) / 2
    found = am.Configuration.from_freud(box, points, given.species)
    assert np.allclose(found.positions, given.positions, atol=1e-5)  # boxes are of float32
    assert np.allclose(found.cell, given.cell, atol=1e-5)
    with pytest.raises(am.InputError, match="two-dimensional"):
        am.Configuration.from_freud(freud.box.Box.square(5), points, "A")


def test_atoms_of_mdanalysis() -> None:
    mda = pytest.importorskip("MDAnalysis")
    given = particles()
    universe = mda.Universe.empty(len(given), trajectory=True)
    universe.add_TopologyAttr("types", given.species.tolist())
    universe.add_TopologyAttr("ids", given.ids)
    universe.atoms.positions = given.positions
    with pytest.raises(am.InputError, match="no periodic cell"):
        as_configuration(universe)
    universe.dimensions = given.to_ase().cell.cellpar()
    assert same(as_configuration(universe), given, tolerance=1e-5)  # single precision
    assert len(as_configuration(universe.select_atoms("type B"))) == 20


@pytest.mark.peers
def test_data_of_ovito() -> None:
    from ovito.io.ase import ase_to_ovito

    given = particles()
    data = ase_to_ovito(given.to_ase())
    found = as_configuration(data)
    assert np.allclose(found.positions, given.positions)
    assert np.allclose(found.cell, given.cell)


def test_a_cell_of_columns_is_refused() -> None:
    given = particles()
    with pytest.raises(am.InputError, match=r"vectors are the columns.*give its transpose"):
        am.Configuration(positions=given.positions, species="A", cell=TILTED.T)
    outside = given.positions + 5 * TILTED[0]  # unwrapped positions say nothing
    am.Configuration(positions=outside, species="A", cell=TILTED.T)


def test_what_is_no_configuration_is_named() -> None:
    with pytest.raises(am.InputError, match=r"got str; for a file use am\.read"):
        as_configuration("glass.dump")


def test_tensors_come_to_the_host() -> None:
    class Tensor:  # what torch's tensors offer, whose package is large
        def __init__(self, values: object) -> None:
            self.values = values

        def detach(self) -> Tensor:
            return self

        def cpu(self) -> object:
            return self.values

    assert host_array(Tensor([[1, 2, 3]])).tolist() == [[1.0, 2.0, 3.0]]
