from itertools import combinations
from math import pi

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import amorphace as am
from amorphace.ace.clusters import cluster_expansion, directions_at, pure_weights
from amorphace.core.neighbors import find_neighbors
from amorphace.learn.clusters import ANGLE, cluster_functions
from amorphace.learn.contributions import contributions
from amorphace.learn.model import LinearModel

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


def fitted(seed, ace, names=None):
    """A model with random weights, as if it had been fitted to a fold."""
    names = ace.get_feature_names_out() if names is None else names
    return LinearModel(
        names=names,
        weights=np.random.default_rng(seed).normal(size=len(names)),
        intercept=0.0,
        mean=np.zeros(len(names)),
        scale=np.ones(len(names)),
        strength=1.0,
        settings={k: v for k, v in ace.get_params().items() if k != "n_jobs"},
        version="0",
    )


@pytest.mark.parametrize("purify", [True, False])
def test_curves_and_maps_are_the_cluster_functions_of_every_fold(purify):
    ace = descriptor(2, purify=purify)
    models = [fitted(k, ace) for k in range(3)]
    read = {(c.name, c.variant): c for c in cluster_functions(models, n_r=5, n_map=4)}
    pairs, triples = ["A·A", "A·B", "B·B"], ["A·A·A", "A·A·B", "A·B·B", "B·B·B"]
    assert list(read) == [
        *(("v1", z) for z in "AB"),
        *((name, z) for name in ("v2_distance", "v2_angle") for z in pairs),
        *(("v3", z) for z in triples),
    ]
    assert {c.cutoff for c in read.values()} == {1.9}
    assert {c.values.shape for c in read.values()} == {(5, 3), (16, 3)}
    e = cluster_expansion(ace.basis_, ace.radial_, models[1].weights, purified=purify)
    v1 = read["v1", "B"]
    np.testing.assert_allclose(v1["v"][:, 1], e.v1(v1.x, 1))
    between = np.radians(ANGLE)
    m = read["v2_distance", "A·B"]
    expected = [float(e.v2(r1, r2, between, 0, 1)) for r1, r2 in zip(m.x, m.y, strict=True)]
    np.testing.assert_allclose(m["v"][:, 1], expected)
    m = read["v2_angle", "A·B"]
    expected = [float(e.v2(r, r, np.radians(w), 0, 1)) for r, w in zip(m.x, m.y, strict=True)]
    np.testing.assert_allclose(m["v"][:, 1], expected)
    c, u = read["v3", "A·B·B"], directions_at(*[between] * 3)
    assert c["v"][2, 1] == pytest.approx(float(e.v3(c.x[2], c.x[2], c.x[2], u, *(0, 1, 1))))
    assert (read["v1", "A"]["v"][-1] == 0).all()  # at the cutoff


def test_a_radial_model_has_curves_only():
    ace = descriptor(2)
    read = cluster_functions(fitted(0, ace, names=["A1", "B2"]), n_r=4, n_map=3)
    a, b, *higher = read
    assert {c.name for c in higher} == {"v2_distance", "v2_angle", "v3"}
    assert not any(c.values.any() for c in higher)
    R = ace.radial_.evaluate(a.x[:-1], 2)
    theta = np.random.default_rng(0).normal(size=2)
    np.testing.assert_allclose(a["v"][:-1, 0], theta[0] * R[:, 0])
    np.testing.assert_allclose(b["v"][:-1, 0], theta[1] * R[:, 1])
    read = cluster_functions(fitted(0, descriptor(2, max_order=1)))
    assert [c.name for c in read] == ["v1", "v1"]


@pytest.mark.parametrize("purify", [True, False])
def test_parts_of_the_log_odds_add_up(purify):
    ace = descriptor(2, purify=purify)
    X = ace.transform(glass(9))
    model = fitted(5, ace)
    parts = contributions([model, fitted(6, ace)], X)
    whole = [k for k, name in enumerate(parts.labels) if ":" not in name]
    assert [parts.labels[k] for k in whole] == ["order 1", "order 2", "order 3"]
    assert parts.x[whole].tolist() == [1, 2, 3]
    kinds = [k for k in range(len(parts.labels)) if k not in whole]
    assert {parts.labels[k] for k in kinds} >= {"order 1: A", "order 2: A·B", "order 3: A·B·B"}
    np.testing.assert_allclose(parts["share"][whole].sum(axis=0), 1)
    np.testing.assert_allclose(parts["share"][kinds].sum(axis=0), 1)
    radial = cluster_expansion(ace.basis_, ace.radial_, model.weights, purified=purify)
    neighbors = find_neighbors(glass(9), ace.cutoff)
    z = glass(9).species_index(ace.species)[neighbors.index]
    v1 = np.array([radial.v1(r, k) for r, k in zip(neighbors.distances, z, strict=True)])
    order_1 = np.bincount(neighbors.centre, v1, minlength=len(X))
    assert parts["variance"][whole[0], 0] == pytest.approx(order_1.var(), rel=1e-9)
    expected = abs(order_1 - order_1.mean()).mean()
    assert parts["mean_abs"][whole[0], 0] == pytest.approx(expected, rel=1e-9)


def test_models_that_cannot_be_read_together_are_refused():
    ace = descriptor(2)
    a, b = fitted(0, ace), fitted(1, descriptor(2, cutoff=1.5))
    with pytest.raises(am.InputError, match="models differ in cutoff"):
        cluster_functions([a, b])
    with pytest.raises(am.InputError, match="no models"):
        cluster_functions([])
    with pytest.raises(am.InputError, match="0 <= r_min < cutoff"):
        cluster_functions(a, r_min=2.0)
    with pytest.raises(am.InputError, match="of the models, got shape"):
        contributions(a, np.ones((4, 2)))
    with pytest.raises(am.InputError, match="different columns"):
        contributions([a, fitted(0, ace, names=["A1"])], np.ones((4, len(a.names))))
    impure = fitted(0, descriptor(2, purify=False), names=["A1", "A1·A1 l=0"])
    with pytest.raises(am.InputError, match="impure features need all columns"):
        contributions(impure, np.random.default_rng(0).normal(size=(4, 2)))
