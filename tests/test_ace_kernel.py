import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amorphace as am
from amorphace.ace.basis import build_basis
from amorphace.ace.evaluator import Evaluator, backends, peak_rate
from amorphace.ace.plan import build_plan, chebyshev_to_legendre
from amorphace.ace.radial import RadialBasis, orthonormal_legendre
from amorphace.ace.reference import evaluate
from amorphace.core.checks import count_threads
from amorphace.core.neighbors import find_neighbors

from test_ace_features import SPECIES, descriptor, glass, reference_features
from tolerances import KERNEL, column_error


def spread(seed, n, cell, n_species=2):
    """Random particles that keep a little distance, in any cell."""
    cell = np.diag([cell] * 3) if np.ndim(cell) == 0 else np.asarray(cell)
    rng = np.random.default_rng(seed)
    side = int(np.ceil(n ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    s = (rng.permutation(grid)[:n] + rng.uniform(0.1, 0.9, (n, 3))) / side
    return am.Configuration(
        positions=(s + rng.integers(-3, 4, (n, 3))) @ cell,
        species=np.array(SPECIES)[rng.integers(0, n_species, n)],
        cell=cell,
    )


CASES = {
    "random": (60, np.diag([4.0, 4.2, 3.9]), 2.1),
    "smaller than the cutoff": (5, np.diag([1.6, 1.5, 1.7]), 3.0),
    "one particle and its images": (1, np.diag([1.1, 1.2, 1.4]), 2.6),
    "triclinic": (50, np.array([[4.0, 0, 0], [1.9, 3.8, 0], [-1.7, 1.6, 4.1]]), 2.2),
    "left-handed, any orientation": (
        40,
        np.array([[0.3, 3.9, 0.2], [4.1, -0.5, 0.6], [0.1, 0.7, 3.7]]),
        2.2,
    ),
    "elongated": (60, np.diag([30.0, 1.5, 1.4]), 2.3),
    "very dense": (400, np.diag([3.0, 3.1, 2.9]), 2.0),
    "almost empty": (12, np.diag([40.0, 50.0, 60.0]), 5.0),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_kernel_agrees_with_the_reference(name, dtype):
    n, cell, cutoff = CASES[name]
    g = spread(11, n, cell)
    for words in ({"max_order": 4}, {"max_order": 3, "max_degree": 8, "purify": False}):
        ace = descriptor(cutoff=cutoff, dtype=dtype, **words)
        X = ace.transform(g)
        assert X.dtype == dtype
        assert column_error(X, reference_features(g, ace)) < KERNEL[dtype]


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 60),
    cutoff=st.floats(1.0, 3.5),
    lengths=st.tuples(*[st.floats(1.2, 5.0)] * 3),
    tilts=st.tuples(*[st.floats(-1.5, 1.5)] * 3),
    max_order=st.integers(1, 4),
    transform=st.sampled_from(["paper", "ace1"]),
    purify=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_kernel_agrees_with_the_reference_on_any_configuration(
    seed, n, cutoff, lengths, tilts, max_order, transform, purify
):
    cell = np.diag(lengths)
    cell[1, 0], cell[2, :2] = tilts[0], tilts[1:]
    g = spread(seed, n, cell)
    ace = descriptor(
        cutoff=cutoff, max_order=max_order, distance_transform=transform, purify=purify
    )
    X, expected = ace.transform(g), reference_features(g, ace)
    terms = reference_features(g, ace.set_params(purify=False))
    assert column_error(X, expected, terms) < KERNEL["float64"]


@pytest.mark.parametrize(("n_species", "degree", "n_max"), [(1, 18, 20), (2, 10, 10)])
def test_kernel_agrees_with_the_reference_at_the_paper_s_sizes(n_species, degree, n_max):
    g = spread(3, 900, 9.5, n_species)
    ace = am.ACEDescriptor(
        cutoff=4.0, species=SPECIES[:n_species], max_degree=degree, n_max=n_max
    ).fit()
    some = np.arange(0, 900, 30)
    neighbors = find_neighbors(g, 4.0, some)
    z = g.species_index(SPECIES[:n_species])[neighbors.index]
    expected = evaluate(ace.basis_, ace.radial_, neighbors, z)
    X = ace.transform(am.Sites(g, some))
    assert column_error(X, expected) < KERNEL["float64"]
    X32 = ace.set_params(dtype="float32").transform(am.Sites(g, some))
    assert column_error(X32, expected) < KERNEL["float32"]


@pytest.mark.parametrize("degree", [15, 26])
def test_high_angular_degrees_agree_with_the_reference(degree):
    basis = build_basis(1, 2, degree, degree)
    assert basis.l_max == {15: 4, 26: 8}[degree]
    tall = build_basis(1, 2, 24, 24, 1.0)
    assert tall.l_max == 11  # beyond the unrolled harmonics
    g = spread(5, 80, 4.4, 1)
    for columns in (basis, tall):
        radial, z = RadialBasis(2.4), np.zeros(80, dtype=np.int64)
        X = np.empty((80, len(columns)))
        Evaluator(columns, radial, g, z).evaluate(np.arange(80), X)
        neighbors = find_neighbors(g, 2.4)
        expected = evaluate(columns, radial, neighbors, z[neighbors.index])
        assert column_error(X, expected) < KERNEL["float64"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_build_that_runs_here_agrees(dtype):
    assert backends()[-1] == "portable"
    g, basis, radial = glass(9), build_basis(2, 4, 6, 6), RadialBasis(2.3)
    z = g.species_index(SPECIES)
    neighbors = find_neighbors(g, 2.3)
    expected = evaluate(basis, radial, neighbors, z[neighbors.index])
    for name in backends():
        X = np.empty(expected.shape, dtype)
        Evaluator(basis, radial, g, z, backend=name).evaluate(np.arange(len(g)), X)
        assert column_error(X, expected) < KERNEL[dtype], name
    with pytest.raises(ValueError, match="cannot run the kernel 'abacus'"):
        Evaluator(basis, radial, g, z, backend="abacus").evaluate(np.arange(len(g)), X)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_last_bit_depends_neither_on_threads_nor_on_the_choice_of_sites(dtype):
    g = spread(4, 3000, 14.0)
    ace = descriptor(cutoff=2.5, max_order=3, dtype=dtype)
    X = ace.transform(g)
    for n_jobs in (2, 3, -1):
        np.testing.assert_array_equal(ace.set_params(n_jobs=n_jobs).transform(g), X)
    some = np.random.default_rng(0).permutation(3000)[:701]
    np.testing.assert_array_equal(ace.transform(am.Sites(g, some)), X[some])
    for rows, block in ace.iter_blocks(g, block_size=100):
        np.testing.assert_array_equal(block, X[rows])


def test_a_list_with_repeated_sites_is_described_twice():
    g = glass(1)
    X = descriptor().transform(am.Sites(g, [3, 3, 0]))
    np.testing.assert_array_equal(X[0], X[1])


def test_chebyshev_sums_become_legendre_polynomials():
    x = np.linspace(0, 1, 50)
    T = np.cos(np.arange(24) * np.arccos(2 * x - 1)[:, None])
    np.testing.assert_allclose(
        T @ chebyshev_to_legendre(24).T, orthonormal_legendre(x, 24), atol=1e-12
    )


def test_a_plan_covers_every_column_once():
    basis = build_basis(2, 4, 6, 6)
    plan = build_plan(basis, True)
    filled = np.concatenate(
        [plan.order1[:, 1], plan.order2[:, 3], plan.pair_dots[:, 1], plan.order4]
    )
    assert sorted(filled) == list(range(plan.n_values))
    assert build_plan(basis, True) is plan


def test_threads_are_counted_as_in_joblib():
    here = len(os.sched_getaffinity(0))
    assert (count_threads(None), count_threads(3), count_threads(-1)) == (1, 3, here)
    with pytest.raises(am.InputError, match="n_jobs must be a whole number"):
        count_threads(0)


@pytest.mark.parametrize("index", [10**9, 40, -1, -(2**62)])
def test_no_index_makes_the_kernel_read_elsewhere(index):
    g, basis = glass(9), build_basis(2, 2, 4, 4)
    evaluator = Evaluator(basis, RadialBasis(2.3), g, g.species_index(SPECIES))
    sites = np.array([0, index])
    with pytest.raises(IndexError, match=f"index {index} lies outside .* of 40 particles"):
        evaluator.evaluate(sites, np.empty((2, len(basis))))
    with pytest.raises(IndexError, match=f"index {index} lies outside"):
        evaluator.by_place(sites)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space are Linux's")
def test_threads_and_memory_that_cannot_be_had_never_end_the_process():
    """Two thousand stacks do not fit into 60 MB: fewer threads do the work. The candidates of a
    crowded cell do not fit into what is left after that: an error.
    """
    code = """
        import resource
        import numpy as np
        from amorphace.ace.basis import build_basis
        from amorphace.ace.evaluator import Evaluator
        from amorphace.ace.radial import RadialBasis
        from amorphace.core.configuration import Configuration
        from amorphace.core.errors import AmorphaceError
        def describe(n, cell):
            x = np.random.default_rng(0).uniform(0, cell, (n, 3))
            g = Configuration(positions=x, species="A", cell=cell)
            z, words = np.zeros(n, np.int64), {"n_threads": 2000}
            evaluator = Evaluator(build_basis(1, 2, 4, 4), RadialBasis(2.6), g, z, **words)
            return evaluator.evaluate(np.arange(n), np.empty((n, 8)))
        def leave(n_bytes):
            used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + n_bytes, resource.RLIM_INFINITY))
        leave(60_000_000)
        print(np.isfinite(describe(20_000, 26.0)).all())
        leave(1_000_000)
        try:
            describe(1000, 1.0)
        except AmorphaceError as error:
            print(error)
    """
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=120, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    whole, error = child.stdout.splitlines()
    assert whole == "True"
    assert error.startswith("no memory for the neighbours within cutoff 2.6 on 2000 threads; use")


def test_peak_rate_is_measured():
    assert peak_rate("float32") > peak_rate("float64") * 1.2 > 0.1


def test_ctrl_c_stops_a_long_evaluation():
    code = """
        import numpy as np, amorphace as am
        rng = np.random.default_rng(0)
        g = am.Configuration(positions=rng.uniform(0, 55, (200_000, 3)), species="A", cell=55.0)
        print("ready", flush=True)
        am.ACEDescriptor(cutoff=4.0, max_degree=18, n_max=20).transform(g)
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=60)
    assert child.returncode != 0
    assert stderr.rstrip().endswith("KeyboardInterrupt")
