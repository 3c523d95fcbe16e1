"""g(r): one at random places, the shells of a crystal, and every pair counted."""

from __future__ import annotations

import numpy as np
import pytest

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.observe.pair_correlation import pair_correlation


def test_random_places_have_no_structure() -> None:
    rng = np.random.default_rng(0)
    c = Configuration(positions=rng.random((1500, 3)) * 12, species="A", cell=12.0)
    (found,) = pair_correlation(c, reach=3.0, width=0.5)
    # pairs in the first shell: 1500 * 434 / 1728 * 0.13 = 200, counted twice
    np.testing.assert_allclose(found.g, 1, atol=0.25)
    np.testing.assert_allclose(found.g[2:], 1, atol=0.05)


def test_a_cubic_lattice_has_six_neighbours_at_its_edge_and_twelve_at_the_diagonal() -> None:
    lattice = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), -1).reshape(-1, 3)
    (found,) = pair_correlation(
        Configuration(positions=lattice, species="A", cell=4.0), reach=1.5, width=0.1
    )
    shell = 4 / 3 * np.pi * ((found.r + 0.05) ** 3 - (found.r - 0.05) ** 3)
    np.testing.assert_allclose((found.g * shell).round(9)[[9, 10, 14]].sum(), 6 + 12)
    assert (found.g > 0).sum() == 2


def test_species_are_paired_as_counting_all_images_does() -> None:
    rng = np.random.default_rng(1)
    x, edge = rng.random((40, 3)) * 3.1, 3.1
    species = np.where(np.arange(40) < 25, "B", "A")
    found = pair_correlation(
        Configuration(positions=x, species=species, cell=edge), reach=3.5, width=0.5
    )
    assert [f.species for f in found] == [("A", "A"), ("A", "B"), ("B", "B")]
    shifts = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3), -1).reshape(-1, 3) * edge
    r = np.linalg.norm(x[None, :, None] + shifts - x[:, None, None], axis=-1)
    for f in found:
        a, b = (species == label for label in f.species)
        inside = r[np.ix_(a, b)].ravel()
        n, _ = np.histogram(inside[inside > 0], bins=7, range=(0, 3.5))
        shell = 4 / 3 * np.pi * np.diff(np.linspace(0, 3.5, 8) ** 3)
        np.testing.assert_allclose(f.g, n * edge**3 / (a.sum() * b.sum() * shell))


def test_senseless_lengths_and_empty_boxes_are_refused() -> None:
    c = Configuration(positions=[[0, 0, 0]], species="A", cell=4.0)
    with pytest.raises(InputError, match="must be a positive number"):
        pair_correlation(c, reach=0)
    empty = Configuration(positions=np.empty((0, 3)), species=[], cell=4.0)
    with pytest.raises(InputError, match="needs particles, and the configuration holds none"):
        pair_correlation(empty)
