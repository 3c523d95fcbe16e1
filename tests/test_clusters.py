from itertools import combinations
from math import pi

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import amorphace as am
from amorphace.ace.clusters import cluster_expansion, directions_at, pure_weights
from amorphace.core.neighbors import find_neighbors

from test_ace_features import glass
from tolerances import BRUTE_FORCE, EXACT


def descriptor(n_species, **words):
    settings = {"cutoff": 1.9, "max_order": 3, "max_degree": 6, "n_max": 6}
    return am.ACEDescriptor(species=("A", "B")[:n_species], **(settings | words)).fit()


def sum_over_clusters(model, neighbors, species, site):
    """v1 + v2 + v3 over all distinct clusters around a site."""
    rows = np.arange(neighbors.first[site], neighbors.first[site + 1])
    total = 0.0
    for size in (1, 2, 3):
        clusters = np.array(list(combinations(rows, size)))
        kinds = species[neighbors.index[clusters]]
        for kind in np.unique(kinds, axis=0):
            of_kind = clusters[(kinds == kind).all(axis=1)]
            r, u = neighbors.distances[of_kind].T, neighbors.vectors[of_kind]
            if size == 1:
                v = model.v1(r[0], *kind)
            elif size == 2:
                cosine = (u[:, 0] * u[:, 1]).sum(axis=1) / (r[0] * r[1])
                v = model.v2(*r, np.arccos(cosine.clip(-1, 1)), *kind)
            else:
                v = model.v3(*r, u, *kind)
            total += v.sum()
    return total


@pytest.mark.parametrize("n_species", [1, 2])
@pytest.mark.parametrize("max_order", [1, 2, 3])
@pytest.mark.parametrize("purify", [True, False])
@pytest.mark.parametrize("n_max", [6, 2])
def test_log_odds_are_the_sum_of_cluster_functions_over_distinct_clusters(
    n_species, max_order, purify, n_max
):
    ace = descriptor(n_species, max_order=max_order, purify=purify, n_max=n_max)
    environment = glass(7, n_species=n_species)
    sites = np.array([3, 11])
    B = ace.transform(am.Sites(environment, sites))
    theta = np.random.default_rng(1).normal(size=B.shape[1])
    model = cluster_expansion(ace.basis_, ace.radial_, theta, purified=purify)
    neighbors = find_neighbors(environment, ace.cutoff, sites)
    assert neighbors.counts.min() > 6
    species = environment.species_index(ace.species)
    for k in range(len(sites)):
        terms = abs(B[k] * theta).sum()
        expected = sum_over_clusters(model, neighbors, species, k)
        assert abs(B[k] @ theta - expected) < BRUTE_FORCE * terms


def test_pure_weights_give_the_same_log_odds():
    pure, impure = descriptor(2), descriptor(2, purify=False)
    theta = np.random.default_rng(2).normal(size=impure.n_features_out)
    theta_pure, extra = pure_weights(impure.basis_, theta)
    assert len(extra) == 0  # n_max reaches max_degree
    a, b = impure.transform(glass(3)), pure.transform(glass(3))
    np.testing.assert_allclose(a @ theta, b @ theta_pure, atol=BRUTE_FORCE * abs(a @ theta).max())


@pytest.fixture(scope="module")
def model():
    ace = descriptor(2)
    theta = np.random.default_rng(4).normal(size=ace.n_features_out)
    return cluster_expansion(ace.basis_, ace.radial_, theta)


def test_cluster_functions_do_not_know_the_names_of_the_neighbours(model):
    a = model.v2(1.0, 1.4, 1.1, 0, 1)
    assert a == pytest.approx(model.v2(1.4, 1.0, 1.1, 1, 0), rel=EXACT)
    assert a != pytest.approx(model.v2(1.4, 1.0, 1.1, 0, 1), rel=1e-3)
    u = directions_at(1.0, 1.3, 0.9)
    b = model.v3(1.0, 1.4, 1.2, u, 0, 1, 0)
    assert b == pytest.approx(model.v3(1.2, 1.0, 1.4, u[[2, 0, 1]], 0, 0, 1), rel=1e-11)


def test_v3_depends_on_the_angles_alone(model):
    u = directions_at(1.0, 1.3, 0.9)
    turned = u @ Rotation.random(rng=5).as_matrix()
    mirrored = 2.5 * u * [1, -1, 1]
    a, b, c = model.v3(1.0, 1.4, 1.2, np.stack([u, turned, mirrored]), 0, 1, 1)
    assert (a, a) == (pytest.approx(b, rel=1e-11), pytest.approx(c, rel=1e-11))


def test_directions_have_their_angles():
    angles = np.array([[1.0, 1.3, 0.9], [pi / 2] * 3, [2.0, 2.0, 2 * pi - 4], [0.0, 1.0, 1.0]])
    u = directions_at(*angles.T)
    cosines = np.einsum("pad,pbd->pab", u, u)[:, [0, 0, 1], [1, 2, 2]]
    np.testing.assert_allclose(cosines, np.cos(angles), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(u, axis=-1), 1, atol=EXACT)
    with pytest.raises(am.InputError, match="no three directions have the angles"):
        directions_at(0.5, 0.5, 1.2)


def test_grids_broadcast_and_vanish_from_the_cutoff_on(model):
    r = np.linspace(0.8, 2.5, 7)
    v = model.v2(r[:, None], r, 1.0, 0, 1)
    assert v.shape == (7, 7)
    assert v[1, 2] == pytest.approx(float(model.v2(r[1], r[2], 1.0, 0, 1)), rel=1e-12)
    assert (v[r >= 1.9] == 0).all()
    assert (v[:, r >= 1.9] == 0).all()
    assert (v[:4, :4] != 0).all()
    assert model.v1(r, 1).shape == (7,)


def test_what_cannot_be_read_is_said():
    ace = descriptor(1, max_order=4)
    with pytest.raises(am.InputError, match=r"v1, v2 and v3.*the model has order 4"):
        cluster_expansion(ace.basis_, ace.radial_, np.ones(ace.n_features_out))
    ace = descriptor(1)
    with pytest.raises(am.InputError, match="need as many finite weights"):
        cluster_expansion(ace.basis_, ace.radial_, np.ones(3))
    model = cluster_expansion(ace.basis_, ace.radial_, np.ones(ace.n_features_out))
    with pytest.raises(am.InputError, match="species indices must lie between 0 and 0"):
        model.v1(1.0, 1)
    with pytest.raises(am.InputError, match="must not be negative"):
        model.v1(-0.5)
    with pytest.raises(am.InputError, match=r"shape \(..., 3, 3\)"):
        model.v3(1, 1, 1, np.zeros((3, 3)))
