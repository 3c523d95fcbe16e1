"""Lengths and numbers by which a configuration is recognised."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.observe.displacements import nearest_image
from amorphace.observe.pair_correlation import pair_correlation
from amorphace.observe.structure import (
    first_minimum,
    first_peak,
    median_neighbours,
    nearest_pair,
    random_displacement,
)


def crystal(name: str, structure: str, edge: float, shake: float = 0.0) -> Configuration:
    atoms = bulk(name, structure, a=edge).repeat(5)
    moved = atoms.positions + shake * np.random.default_rng(0).standard_normal((len(atoms), 3))
    return Configuration(positions=moved, species="A", cell=atoms.cell[:])


@pytest.mark.parametrize("shake", [0.0, 0.03])
@pytest.mark.parametrize(
    ("name", "structure", "nearest", "shell"),
    [
        ("Cu", "fcc", np.sqrt(1 / 2), 12),
        ("Fe", "bcc", np.sqrt(3) / 2, 14),  # two shells at 0.87 and 1 count as one
        ("Si", "diamond", np.sqrt(3) / 4, 4),
        ("Po", "sc", 1.0, 6),
    ],
)
def test_first_shell_of_crystals(name, structure, nearest, shell, shake):
    c = crystal(name, structure, 4.0, shake)
    assert first_peak(c) == pytest.approx(4 * nearest, rel=0.006 if shake == 0 else 0.03)
    assert median_neighbours(c, first_minimum(c)) == shell
    if not shake:
        assert nearest_pair(c) == pytest.approx(4 * nearest)


def test_the_first_peak_is_where_the_pair_correlation_is_highest():
    """fcc with thermal noise; species are told apart only where one is named."""
    c = crystal("Cu", "fcc", 4.0, 0.05)
    label = np.where(np.arange(len(c)) % 2 == 0, "A", "B")
    mixed = Configuration(positions=c.positions, species=label, cell=c.cell)
    (found,) = pair_correlation(c, reach=4.0, width=0.02)
    shell = np.convolve(found.g, np.ones(5) / 5, mode="same")
    assert first_peak(c) == first_peak(mixed) == pytest.approx(found.r[shell.argmax()], abs=0.04)
    own = pair_correlation(mixed, reach=4.0, width=0.02)[0]
    shell = np.convolve(own.g, np.ones(5) / 5, mode="same")
    assert first_peak(mixed, "A") == pytest.approx(own.r[shell.argmax()], abs=0.06)


def test_a_single_particle_is_a_crystal_of_its_images():
    c = Configuration(positions=[[0.3, 0, 0]], species="A", cell=5.0)
    assert nearest_pair(c) == 5
    assert first_peak(c) == pytest.approx(5, rel=0.005)
    assert 5 < first_minimum(c) < 5 * np.sqrt(2)
    assert median_neighbours(c, 5.1) == 6


def test_a_molecule_in_a_vacuum_has_its_bond():
    c = Configuration(positions=[[0, 0, 0], [1.1, 0, 0]], species="A", cell=500.0)
    assert first_peak(c) == pytest.approx(1.1, rel=0.005)
    assert 1.1 < first_minimum(c) < 1.6


def test_distances_scale_with_the_unit_and_ignore_the_vacuum_beside():
    c = crystal("Cu", "fcc", np.sqrt(2), 0.05)
    film = c.replace(positions=c.positions, cell=c.cell * [[1], [1], [20]])
    for measure in (first_peak, first_minimum, nearest_pair):
        angstrom = c.replace(positions=2.6 * c.positions, cell=2.6 * c.cell)
        assert measure(angstrom) == pytest.approx(2.6 * measure(c), rel=1e-9)
        assert measure(film) == pytest.approx(measure(c), rel=0.02)


def test_a_species_has_peaks_of_its_own():
    atoms = bulk("NaCl", "rocksalt", a=2.0).repeat(4)
    c = Configuration(
        positions=atoms.positions, species=atoms.get_chemical_symbols(), cell=atoms.cell[:]
    )
    assert first_peak(c) == pytest.approx(1, rel=0.006)
    assert first_peak(c, "Na") == pytest.approx(np.sqrt(2), rel=0.006)
    with pytest.raises(InputError, match=r"no particle is of species K; .* holds Cl, Na"):
        first_peak(c, "K")


def test_coincident_particles_are_at_distance_zero():
    c = Configuration(positions=[[0, 0, 0], [2, 0, 0], [4.0, 0, 0]], species="A", cell=4.0)
    assert nearest_pair(c) == 0


def test_random_places_have_no_neighbour_closer_than_chance():
    x = np.random.default_rng(1).uniform(0, 10, (1000, 3))
    c = Configuration(positions=x, species="A", cell=10.0)
    assert nearest_pair(c) < 0.5 * first_peak(c)
    assert median_neighbours(c, 2.0) == pytest.approx(4 / 3 * np.pi * 8, rel=0.05)


def test_nothing_has_no_shell():
    empty = Configuration(positions=np.empty((0, 3)), species="A", cell=4.0)
    for measure in (first_peak, first_minimum, nearest_pair):
        with pytest.raises(InputError, match="holds no particle"):
            measure(empty)
    with pytest.raises(InputError, match="cutoff must be a positive number"):
        median_neighbours(crystal("Cu", "fcc", 4.0), 0.0)


def test_random_displacement_of_boxes_is_exact():
    assert random_displacement(10.0) == 5
    assert random_displacement([1.0, 2.0, 3.0]) == pytest.approx(np.sqrt(14 / 12))


@pytest.mark.parametrize(
    "cell",
    [
        [[3, 0, 0], [1, 4, 0], [0.7, 2, 5]],
        [[3, 0, 0], [7, 4, 0], [-8, 11, 5]],
        [[0, 1, 1], [1, 0, 1], [1, 1, 0]],
    ],
)
def test_random_displacement_is_that_of_random_places(cell):
    h = np.array(cell, dtype=float)
    u = nearest_image(np.random.default_rng(0).random((100_000, 3)) @ h, h)
    measured = np.sqrt((u**2).sum(axis=1).mean())
    assert random_displacement(h) == pytest.approx(measured, rel=0.004)
