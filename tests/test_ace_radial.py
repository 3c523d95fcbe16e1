import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amorphace.ace.purification import radial_product
from amorphace.ace.radial import RadialBasis, orthonormal_legendre
from amorphace.core.errors import InputError

cutoffs = st.floats(1.3, 8.0)
transforms = st.sampled_from(["paper", "ace1"])


@given(cutoffs, transforms)
def test_distance_transform_rises_from_zero_to_one_and_is_flat_at_the_cutoff(cutoff, transform):
    radial = RadialBasis(cutoff, transform)
    r = np.linspace(0, cutoff, 2001)
    x = radial.x(r)
    assert x[0] == pytest.approx(0, abs=1e-14)
    assert x[-1] == pytest.approx(1, abs=1e-14)
    assert (np.diff(x) >= -1e-14).all()
    h = 1e-4 * cutoff
    assert abs(1 - radial.x(cutoff - h)) < 60 * (h / cutoff) ** 2  # x' vanishes


@given(cutoffs, transforms, st.floats(0.7, 1.2))
def test_resolution_is_greatest_at_r0(cutoff, transform, r0):
    radial = RadialBasis(cutoff, transform, r0)
    r = np.linspace(0.02, cutoff, 4000)
    slope = np.gradient(np.asarray(radial._y(r)), r)
    assert abs(r[np.argmax(-slope)] - r0) < 3e-3 * max(1, cutoff)


@pytest.mark.parametrize(
    ("cutoff", "a"), [(2, 8.88889), (2.5, 22.54322), (3, 47.52399), (4, 152.16225)]
)
def test_steepness_has_its_closed_form(cutoff, a):
    assert RadialBasis(cutoff, "paper").a == pytest.approx(a, abs=5e-6)
    assert RadialBasis(cutoff).a == pytest.approx(3 / 11)


def test_radial_polynomials_are_orthonormal():
    t, w = np.polynomial.legendre.leggauss(30)
    P = orthonormal_legendre((t + 1) / 2, 20)
    np.testing.assert_allclose((P * w[:, None] / 2).T @ P, np.eye(20), atol=1e-12)


def test_first_radial_function_is_negative_and_value_at_the_centre_is_known():
    radial = RadialBasis(4.0)
    R = radial.evaluate(np.linspace(0, 3.99, 50), 6)
    assert (R[:, 0] < 0).all()
    n = np.arange(1, 7)
    np.testing.assert_allclose(R[0], (-1.0) ** n * np.sqrt(2 * n - 1), rtol=1e-13)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.floats(0.1, 3.9))
@settings(deadline=None)
def test_products_of_radial_functions_stay_in_the_span(ns, r):
    R = RadialBasis(4.0).evaluate(r, sum(ns))
    product = np.prod([R[n - 1] for n in ns])
    terms = radial_product(tuple(ns)) * R
    assert product == pytest.approx(terms.sum(), abs=1e-10 * (1 + abs(terms).sum()))


def test_golden_radial_functions(shared):
    golden = np.load(shared / "golden" / "ace.npz")
    for cutoff in (2.4, 4.0):
        for key, transform in (("seed", "paper"), ("ace1", "ace1")):
            r = golden["radial_r"]
            inside = r < cutoff
            radial = RadialBasis(cutoff, transform)
            R = golden[f"radial_{key}_rc{cutoff}_R"].T[inside]
            np.testing.assert_allclose(radial.evaluate(r[inside], 20), R, atol=1e-9)
            x = golden[f"radial_{key}_rc{cutoff}_x"][inside]
            np.testing.assert_allclose(radial.x(r[inside]), x, atol=1e-12)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"cutoff": 0.0}, "cutoff must be a positive number"),
        ({"cutoff": -1.0}, "cutoff must be a positive number"),
        ({"cutoff": float("nan")}, "cutoff must be a positive number"),
        ({"cutoff": 0.7}, "too short for r0"),
        ({"cutoff": 2.0, "r0": -1.0}, "r0 must be a positive number"),
        ({"cutoff": 2.0, "distance_transform": "cosine"}, "'ace1' or 'paper', got 'cosine'"),
    ],
)
def test_senseless_radial_settings_are_refused(words, text):
    with pytest.raises(InputError, match=text):
        RadialBasis(**words)
