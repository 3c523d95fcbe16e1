from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from amorphace.ace.angular import gaunt_factor, real_3j, real_harmonics, wigner_3j
from amorphace.ace.coupling import count_invariants, couplings

rng = np.random.default_rng(3)


def rotation_matrices(l, rotation):
    """D with Y_l(R v) = D Y_l(v), from a fit to many directions."""
    v = rng.normal(size=(200, 3))
    block = slice(l * l, (l + 1) ** 2)
    D, *_ = np.linalg.lstsq(
        real_harmonics(v, l)[:, block], real_harmonics(rotation.apply(v), l)[:, block], rcond=None
    )
    return D.T


def test_real_harmonics_agree_with_scipy():
    v = rng.normal(size=(300, 3)) * 4
    theta = np.arccos(v[:, 2] / np.linalg.norm(v, axis=1))
    phi = np.arctan2(v[:, 1], v[:, 0])
    Y = real_harmonics(v, 9)
    for l in range(10):
        for m in range(-l, l + 1):
            c = sph_harm_y(l, abs(m), theta, phi) * (-1) ** m * np.sqrt(2)
            expected = {1: c.real, -1: c.imag, 0: c.real / np.sqrt(2)}[int(np.sign(m))]
            np.testing.assert_allclose(Y[:, l * l + l + m], expected, atol=1e-13)


def test_harmonics_are_defined_on_the_axes():
    Y = real_harmonics(np.vstack([np.eye(3), -np.eye(3)]), 6)
    for l in range(7):  # the addition theorem at equal directions
        square = (Y[:, l * l : (l + 1) ** 2] ** 2).sum(axis=1)
        np.testing.assert_allclose(square, (2 * l + 1) / (4 * np.pi), rtol=1e-13)


def test_known_3j_symbols():
    assert wigner_3j(1, 1, 0)[1, 1, 0] == pytest.approx(-1 / np.sqrt(3))
    assert wigner_3j(2, 2, 2)[2, 2, 2] == pytest.approx(-np.sqrt(2 / 35))
    assert wigner_3j(2, 1, 1)[3, 0, 1] == pytest.approx(-np.sqrt(1 / 10))
    assert not wigner_3j(1, 1, 3).any()


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
def test_3j_symbols_are_orthogonal(l1, l2, l3):
    for w in (wigner_3j(l1, l2, l3), real_3j(l1, l2, l3)):
        gram = np.einsum("abm,abn->mn", w, w)
        triangle = abs(l1 - l2) <= l3 <= l1 + l2
        np.testing.assert_allclose(gram, triangle * np.eye(2 * l3 + 1) / (2 * l3 + 1), atol=1e-13)


def test_products_of_harmonics_expand_in_gaunt_coefficients():
    v = rng.normal(size=(20, 3))
    Y = real_harmonics(v, 6)
    for l1, l2 in ((1, 1), (2, 3), (3, 3)):
        direct = Y[:, l1**2 : (l1 + 1) ** 2, None] * Y[:, None, l2**2 : (l2 + 1) ** 2]
        expanded = sum(
            gaunt_factor(l1, l2, L)
            * np.einsum("abm,sm->sab", real_3j(l1, l2, L), Y[:, L * L : (L + 1) ** 2])
            for L in range(abs(l1 - l2), l1 + l2 + 1)
        )
        np.testing.assert_allclose(direct, expanded, atol=1e-13)


def character_count(ls, pattern):
    """Invariants counted by integrating characters over the rotation group."""
    theta = (np.arange(2000) + 0.5) * np.pi / 2000

    def chi(l, angle):
        return 1 + 2 * sum(np.cos(m * angle) for m in range(1, l + 1))

    def symmetric_power(l, k):  # Newton's recursion for complete symmetric functions
        if k == 0:
            return np.ones_like(theta)
        return sum(chi(l, j * theta) * symmetric_power(l, k - j) for j in range(1, k + 1)) / k

    total = np.ones_like(theta)
    for p in set(pattern):
        group = [l for l, q in zip(ls, pattern, strict=True) if q == p]
        total = total * symmetric_power(group[0], len(group))
    return round(float(np.mean(total * (1 - np.cos(theta))))) if sum(ls) % 2 == 0 else 0


factors = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=5)


@given(factors)
@settings(max_examples=60)
def test_count_of_invariants_is_that_of_group_theory(channels):
    channels = sorted(channels)  # equal channels have equal degrees
    ls, pattern = [c[0] for c in channels], [channels.index(c) for c in channels]
    assert count_invariants(ls, pattern) == character_count(ls, pattern)


@given(factors.filter(lambda f: len(f) <= 4))
@settings(max_examples=40, deadline=None)
def test_couplings_are_as_many_as_counted_and_orthonormal(channels):
    channels = sorted(channels)
    ls, pattern = tuple(c[0] for c in channels), tuple(channels.index(c) for c in channels)
    tensors = couplings(ls, pattern).tensors
    assert len(tensors) == count_invariants(ls, pattern)
    if len(ls) > 2 and len(tensors):
        flat = tensors.reshape(len(tensors), -1)
        np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=1e-10)


@pytest.mark.parametrize(
    ("ls", "pattern"),
    [
        ((2, 2), (0, 1)),
        ((1, 2, 3), (0, 1, 2)),
        ((2, 2, 2), (0, 0, 0)),
        ((2, 2, 2, 2), (0, 1, 2, 3)),
        ((1, 1, 2, 2), (0, 0, 2, 2)),
        ((1, 2, 2, 3), (0, 1, 1, 3)),
        ((1, 1, 1, 1, 2), (0, 0, 0, 3, 4)),
    ],
)
def test_couplings_are_invariant_under_rotation_reflection_and_exchange(ls, pattern):
    tensors = couplings(ls, pattern).tensors
    assert len(tensors) == count_invariants(ls, pattern)
    rotation = Rotation.random(random_state=5)
    turned = tensors
    for l in ls:  # each turn moves the next axis to the end
        turned = np.tensordot(turned, rotation_matrices(l, rotation), axes=(1, 1))
    np.testing.assert_allclose(turned, tensors, atol=1e-11)
    assert sum(ls) % 2 == 0  # reflection multiplies by (-1)^sum(l)
    for axes in permutations(range(len(ls))):
        if all(pattern[a] == pattern[b] for a, b in enumerate(axes)):
            exchanged = tensors.transpose(0, *(a + 1 for a in axes))
            np.testing.assert_allclose(exchanged, tensors, atol=1e-11)


def test_counts_of_the_conventions_page():
    assert count_invariants((1, 1, 1, 1), (0, 0, 0, 0)) == 1
    assert count_invariants((2, 2, 2, 2)) == 5
    assert count_invariants((1, 2, 3)) == 1
    assert count_invariants((1, 1, 1)) == 0
