from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import amorphace as am
from amorphace.ace.angular import Y00, real_harmonics
from amorphace.ace.basis import build_basis
from amorphace.ace.coupling import couplings
from amorphace.ace.purification import purification
from amorphace.ace.radial import RadialBasis
from amorphace.ace.reference import evaluate
from amorphace.core.neighbors import find_neighbors

from tolerances import BRUTE_FORCE, EXACT, GOLDEN, INVARIANCE, column_error

SPECIES = ("A", "B")


def glass(seed, n=40, n_species=2, tilt=0.3):
    """A random configuration without close pairs, in a triclinic cell."""
    rng = np.random.default_rng(seed)
    cell = np.diag([3.6, 3.9, 4.2]) + tilt * np.tril(rng.normal(size=(3, 3)), -1)
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 3)[:n]
    return am.Configuration(
        positions=((grid + 0.5 + rng.uniform(-0.3, 0.3, grid.shape)) / 4) @ cell,
        species=np.array(SPECIES)[rng.integers(0, n_species, len(grid))],
        cell=cell,
    )


def descriptor(**words):
    settings = {"cutoff": 2.0, "species": SPECIES, "max_order": 4, "max_degree": 5, "n_max": 6}
    return am.ACEDescriptor(**(settings | words))


def reference_features(configuration, ace):
    ace.fit()
    neighbors = find_neighbors(configuration, ace.cutoff)
    z = configuration.species_index(ace.species)[neighbors.index]
    return evaluate(ace.basis_, ace.radial_, neighbors, z, purify=ace.purify)


@pytest.mark.parametrize("case", ["c1", "c2"])
@pytest.mark.parametrize(
    ("key", "cutoff", "transform"),
    [("seed", 2.4, "paper"), ("ace1", 2.4, "ace1"), ("seed_rc3p2", 3.2, "paper")],
)
def test_golden_features(shared, case, key, cutoff, transform):
    golden = np.load(shared / "golden" / "ace.npz")
    if f"{case}_{key}_B" not in golden:
        return  # the case of several images is given for one species
    species = SPECIES[: 1 + (case == "c2")]
    configuration = am.Configuration(
        positions=golden[f"{case}_pos"],
        species=np.array(SPECIES)[golden[f"{case}_species"]],
        cell=golden[f"{case}_box"],
    )
    ace = am.ACEDescriptor(
        cutoff=cutoff,
        species=species,
        max_degree=int(golden[f"{case}_d"]),
        n_max=int(golden[f"{case}_nt"]),
        distance_transform=transform,
    )
    for purify, suffix in ((False, "B"), (True, "Bpure")):
        ace.set_params(purify=purify)
        expected = golden[f"{case}_{key}_{suffix}"]
        assert column_error(ace.transform(configuration), expected) < GOLDEN
        assert column_error(reference_features(configuration, ace), expected) < GOLDEN


def test_the_distance_transform_is_that_of_the_authors_program_unless_another_is_named(shared):
    golden = np.load(shared / "golden" / "ace.npz")
    configuration = am.Configuration(positions=golden["c1_pos"], species="A", cell=golden["c1_box"])
    ace = am.ACEDescriptor(cutoff=2.4, max_degree=8, n_max=10)
    assert column_error(ace.transform(configuration), golden["c1_ace1_Bpure"]) < GOLDEN


@pytest.mark.parametrize(("case", "n_species", "size"), [("c1", 1, (8, 10)), ("c2", 2, (6, 8))])
def test_golden_columns_and_purification_matrix(shared, case, n_species, size):
    golden = np.load(shared / "golden" / "ace.npz")
    basis = build_basis(n_species, 3, *size)
    np.testing.assert_array_equal(basis.order, golden[f"{case}_spec_order"])
    for name in "znl":
        np.testing.assert_array_equal(getattr(basis, name), golden[f"{case}_spec_{name}"])
    T, extra = purification(basis)
    assert not extra
    np.testing.assert_allclose(T.toarray(), golden[f"{case}_T"], atol=EXACT)


def test_column_counts_of_the_paper():
    assert np.bincount(build_basis(1, 3, 18, 20).order).tolist() == [0, 20, 204, 897]
    assert np.bincount(build_basis(2, 3, 10, 10).order).tolist() == [0, 20, 154, 400]
    assert np.bincount(build_basis(1, 4, 18, 20).order)[4] == 1730
    assert np.bincount(build_basis(2, 4, 10, 10).order)[4] == 484
    assert build_basis(1, 3, 18, 20).l_max == 5
    assert build_basis(2, 3, 10, 10).l_max == 2


def test_column_names_stand_in_order():
    names = descriptor(max_degree=10, n_max=10, max_order=3).get_feature_names_out()
    assert names[:20].tolist() == [f"{z}{n}" for z in "AB" for n in range(1, 11)]
    assert names[20] == "A1·A1 l=0"
    assert "A1·B2 l=3" not in names  # its degree is 1 + 2 + 2 * 1.5 * 3 = 12
    assert {"A1·B2 l=2", "A1·A2·B1 l=0,1,1"} <= set(names)
    assert len(set(names)) == len(names) == 574
    assert len(set(descriptor().get_feature_names_out())) == descriptor().n_features_out
    assert descriptor(species=("X1", "X2")).get_feature_names_out()[0] == "X1_1"


def test_sorting_by_degree_only_permutes_columns_inside_an_order():
    a, b = descriptor(sort="lexicographic").fit(), descriptor(sort="degree").fit()
    assert sorted(a.get_feature_names_out()) == sorted(b.get_feature_names_out())
    np.testing.assert_array_equal(a.basis_.order, b.basis_.order)
    assert list(a.get_feature_names_out()) != list(b.get_feature_names_out())
    place = {name: k for k, name in enumerate(a.get_feature_names_out())}
    order = [place[name] for name in b.get_feature_names_out()]
    configuration = glass(1)
    X = a.transform(configuration)[:, order]
    assert column_error(b.transform(configuration), X) < INVARIANCE


@given(st.integers(0, 10**6), st.booleans(), st.sampled_from(["paper", "ace1"]))
@settings(max_examples=8, deadline=None)
def test_features_do_not_change_under_any_symmetry_of_space(seed, purify, transform):
    rng = np.random.default_rng(seed)
    g = glass(seed)
    ace = descriptor(purify=purify, distance_transform=transform)
    X = ace.transform(g)
    turn = Rotation.random(random_state=seed % 1000).as_matrix() * rng.choice([-1, 1])
    moved = g.replace(positions=(g.positions + rng.normal(size=3)) @ turn, cell=g.cell @ turn)
    assert column_error(ace.transform(moved), X) < INVARIANCE
    M = np.array([[1, 0, 0], [1, 1, 0], [-1, 2, 1]])  # another cell of the same lattice
    unwrapped = g.positions + rng.integers(-2, 3, (len(g), 3)) @ g.cell
    assert column_error(ace.transform(g.replace(positions=unwrapped, cell=M @ g.cell)), X) < (
        INVARIANCE
    )
    p = rng.permutation(len(g))
    shuffled = am.Configuration(positions=g.positions[p], species=g.species[p], cell=g.cell)
    assert column_error(ace.transform(shuffled), X[p]) < INVARIANCE


def test_a_repeated_cell_repeats_the_features():
    g = glass(7)
    images = np.array([[0, 0, 0], [1, 0, 0]]) @ g.cell
    double = am.Configuration(
        positions=np.concatenate([g.positions + shift for shift in images]),
        species=np.tile(g.species, 2),
        cell=np.diag([2, 1, 1]) @ g.cell,
    )
    ace = descriptor(cutoff=3.1)  # a particle meets its own images
    X = ace.transform(g)
    assert column_error(ace.transform(double), np.tile(X, (2, 1))) < INVARIANCE


@pytest.mark.parametrize(
    ("n_species", "max_order", "n_neighbors"), [(1, 3, 30), (2, 3, 30), (1, 4, 12), (2, 4, 12)]
)
def test_purified_features_sum_over_distinct_neighbours(n_species, max_order, n_neighbors):
    rng = np.random.default_rng(max_order)
    v = rng.normal(size=(n_neighbors, 3))
    v *= (rng.uniform(0.8, 2.4, n_neighbors) / np.linalg.norm(v, axis=1))[:, None]
    species = np.array(SPECIES)[rng.integers(0, n_species, n_neighbors)]
    cluster = am.Configuration(
        positions=np.vstack([np.zeros(3), v]), species=["A", *species], cell=20.0
    )
    ace = descriptor(
        cutoff=2.5, species=SPECIES[:n_species], max_order=max_order, max_degree=6, n_max=4
    )
    X = ace.transform(am.Sites(cluster, [0]))[0]
    basis = ace.fit().basis_
    R = RadialBasis(2.5).evaluate(np.linalg.norm(v, axis=1), 6)
    Y = real_harmonics(v, basis.l_max)
    scale = abs(descriptor(**(ace.get_params() | {"purify": False})).transform(
        am.Sites(cluster, [0])
    )[0])  # fmt: skip
    index = np.arange(n_neighbors)
    for k in rng.choice(len(basis), min(len(basis), 60), replace=False):
        channels = basis.channels(k)
        N = len(channels)
        phi = [
            (R[:, n - 1] * (species == SPECIES[z]))[:, None] * Y[:, l * l : (l + 1) ** 2]
            for z, n, l in channels
        ]
        if N == 1:
            expected = phi[0].sum() / Y00
        else:
            grid = np.meshgrid(*[index] * N, indexing="ij")
            distinct = np.ones([n_neighbors] * N)
            for a, b in permutations(range(N), 2):
                distinct[grid[a] == grid[b]] = 0
            same = tuple(channels.index(c) for c in channels)
            C = couplings(tuple(l for _, _, l in channels), same).tensors[basis.copy[k]]
            i, m = "ijkh"[:N], "abcd"[:N]
            expression = ",".join(x + y for x, y in zip(i, m, strict=True)) + f",{i},{m}->"
            expected = np.einsum(expression, *phi, distinct, C, optimize="greedy")
        assert abs(X[k] - expected) < BRUTE_FORCE * max(scale[k], 1.0)


def test_missing_order_one_columns_are_computed_and_dropped():
    g = glass(2)
    long, short = descriptor(n_max=6), descriptor(n_max=2)
    names = long.get_feature_names_out().tolist()
    keep = [names.index(name) for name in short.get_feature_names_out()]
    assert column_error(short.transform(g), long.transform(g)[:, keep]) < INVARIANCE
    T, extra = purification(short.fit().basis_)
    assert T.shape == (short.n_features_out, short.n_features_out + len(extra))
    assert {n for _, n, _ in extra} == {3, 4, 5}


@pytest.mark.parametrize(
    ("n_species", "degree", "n_max", "condition"), [(1, 18, 20, 29), (2, 10, 10, 6)]
)
def test_purification_is_unit_triangular_and_well_conditioned(n_species, degree, n_max, condition):
    basis = build_basis(n_species, 3, degree, n_max)
    T = purification(basis)[0].toarray()
    for N in (1, 2, 3):
        rows = basis.order == N
        np.testing.assert_array_equal(T[np.ix_(rows, rows)], np.eye(rows.sum()))
        assert not T[np.ix_(rows, basis.order > N)].any()
    assert np.linalg.cond(T) == pytest.approx(condition, rel=0.05)


@pytest.mark.parametrize(
    ("n_species", "degree", "n_max", "count"), [(1, 18, 20, 1121), (2, 10, 10, 574)]
)
def test_features_of_random_environments_have_full_column_rank(n_species, degree, n_max, count):
    rng = np.random.default_rng(0)
    g = am.Configuration(
        positions=rng.uniform(0, 11, (1400, 3)),
        species=np.array(SPECIES)[rng.integers(0, n_species, 1400)],
        cell=11.0,
    )
    ace = am.ACEDescriptor(cutoff=2.6, species=SPECIES[:n_species], max_degree=degree, n_max=n_max)
    X = ace.transform(g)
    X = X / np.linalg.norm(X, axis=0)
    assert np.linalg.matrix_rank(X) == X.shape[1] == count


def test_features_are_smooth_to_second_order_at_the_cutoff():
    ace = descriptor(cutoff=2.0)
    fixed = [[0, 0, 0], [1, 0.2, 0.1], [-0.3, 1.1, 0.4]]

    def features(r):
        cluster = am.Configuration(
            positions=[*fixed, [0, 0, -r]], species=["A", "A", "B", "B"], cell=12.0
        )
        return ace.transform(am.Sites(cluster, [0]))[0]

    outside = features(2.1)
    h = np.array([2e-2, 1e-2])
    jump = np.array([abs(features(2.0 - d) - outside).max() for d in h])
    # R_n ~ (r_cut - r)^2 beside x' = 0: value and slope vanish with the step
    assert jump[1] < 0.02
    assert jump[0] / jump[1] == pytest.approx(4, rel=0.15)


def test_an_isolated_site_has_zero_features():
    lonely = am.Configuration(positions=np.zeros((1, 3)), species="A", cell=10.0)
    assert not descriptor().transform(lonely).any()


def test_species_of_the_centre_does_not_enter():
    g = glass(3)
    other = g.species.copy()
    other[0] = "A" if other[0] == "B" else "B"
    changed = am.Configuration(positions=g.positions, species=other, cell=g.cell)
    ace = descriptor(cutoff=1.7)  # below the cell's height: it meets no image of itself
    np.testing.assert_array_equal(
        ace.transform(am.Sites(g, [0])), ace.transform(am.Sites(changed, [0]))
    )
