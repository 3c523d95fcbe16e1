import time

import numpy as np
import pytest

import amorphace as am
from amorphace.core.neighbors import find_neighbors
from amorphace.learn.coarse import coarse_grained, coarse_names

from test_ace_features import glass


def random_glass(seed, n=300, side=6.0, tilt=0.4):
    rng = np.random.default_rng(seed)
    cell = np.diag([side, 1.2 * side, 1.1 * side]) + tilt * np.tril(rng.normal(size=(3, 3)), -1)
    return am.Configuration(
        positions=rng.uniform(-1, 2, (n, 3)) @ cell,
        species=np.array(["A", "B"])[(rng.random(n) < 0.3).astype(int)],
        cell=cell,
    )


def one_by_one(configuration, X, lengths, species, cutoff, include_self):
    """The same averages, particle by particle from the neighbour list."""
    neighbors = find_neighbors(configuration, cutoff)
    rows = []
    for i in range(len(configuration)):
        pairs = slice(neighbors.first[i], neighbors.first[i + 1])
        index = np.append(neighbors.index[pairs], [i] if include_self else []).astype(int)
        r = np.append(neighbors.distances[pairs], [0.0] if include_self else [])
        row = []
        for length in lengths:
            for label in species:
                mine = configuration.species[index] == label
                w = np.exp(-r[mine] / length)
                row.append(w @ X[index[mine]] / w.sum() if mine.any() else 0 * X[0])
        rows.append(np.concatenate(row))
    return np.array(rows)


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize(
    ("cutoff", "words"), [(1.1, {}), (2.5, {}), (1.0, {"n": 900, "side": 9.0}), (2.0, {"tilt": 4})]
)
def test_averages_are_those_over_the_neighbour_list(cutoff, words, include_self):
    c = random_glass(0, **words)
    X = np.random.default_rng(1).normal(size=(len(c), 3))
    words = {"lengths": (0.5, 2.0), "cutoff": cutoff, "include_self": include_self}
    expected = one_by_one(c, X, (0.5, 2.0), ("A", "B"), cutoff, include_self)
    np.testing.assert_allclose(coarse_grained(c, X, **words), expected, rtol=1e-11, atol=1e-12)
    where = np.arange(len(c)) % 3 == 0
    np.testing.assert_allclose(
        coarse_grained(c, X, **words, where=where), expected[where], rtol=1e-11, atol=1e-12
    )


def test_default_cutoff_is_five_lengths_or_half_the_cell():
    c = random_glass(2, tilt=0.0)
    X = np.random.default_rng(1).normal(size=(len(c), 2))
    short = coarse_grained(c, X, lengths=[0.4, 3.0])
    a = coarse_grained(c, X, lengths=[0.4], cutoff=2.0)
    b = coarse_grained(c, X, lengths=[3.0], cutoff=3.0)  # half of 6
    np.testing.assert_allclose(short, np.hstack([a, b]), rtol=1e-12)
    with pytest.raises(am.InputError, match=r"cutoff 3.1 is more than half .* cell \(3\)"):
        coarse_grained(c, X, cutoff=3.1)


def test_averages_do_not_depend_on_place_or_periodic_image():
    c = random_glass(3)
    X = np.random.default_rng(1).normal(size=(len(c), 2))
    image = np.random.default_rng(2).integers(-2, 3, (len(c), 3)) @ c.cell
    moved = c.replace(positions=c.positions + image + [0.3, -7, 2])
    np.testing.assert_allclose(coarse_grained(moved, X), coarse_grained(c, X), rtol=1e-9)


def test_an_average_of_a_constant_is_the_constant():
    c = glass(1)
    species = ("A", "B")
    averages = coarse_grained(c, np.full((len(c), 1), 7.0), species=species)
    np.testing.assert_allclose(averages, 7)
    assert averages.shape[1] == len(coarse_names(["one"], species))


def test_an_isolated_particle_has_zeros():
    lone = am.Configuration(positions=[[0, 0, 0], [4, 4, 4]], species=["A", "B"], cell=8.0)
    X = [[1.0], [2.0]]
    averages = coarse_grained(lone, X, lengths=[0.5], include_self=False)
    np.testing.assert_array_equal(averages, 0)
    # species that a configuration lacks keep their columns
    one = am.Configuration(positions=np.eye(3), species="A", cell=8.0)
    assert coarse_grained(one, np.ones((3, 2)), species=("A", "B")).shape == (3, 12)


def test_what_is_not_usable_is_said():
    c = glass(1)
    with pytest.raises(am.InputError, match=r"row for each of the 40 .* features of all particles"):
        coarse_grained(c, np.ones((39, 2)))
    with pytest.raises(am.InputError, match="finite row"):
        coarse_grained(c, np.full((40, 2), np.nan))
    with pytest.raises(am.InputError, match="lengths must be positive"):
        coarse_grained(c, np.ones((40, 2)), lengths=[0.0])


@pytest.mark.slow
def test_four_thousand_particles_take_about_a_second():
    c = random_glass(5, n=4096, side=15.0)
    X = np.random.default_rng(1).normal(size=(len(c), 20))
    start = time.process_time()
    coarse_grained(c, X)
    assert time.process_time() - start < 10  # one second where nothing else runs
