"""D2min against affine maps, a brute-force oracle over periodic images, and OVITO."""

from __future__ import annotations

from itertools import islice, product

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from amorphace import Configuration, InputError
from amorphace.core.neighbors import find_neighbors
from amorphace.observe.d2min import d2min
from amorphace.observe.displacements import (
    cell_map,
    displacements,
    nearest_image,
    reduced_cell,
    safe_radius,
)

AFFINE = 1e-20
"""Relative: an affine map leaves only the rounding of positions, (1e-15)^2 with room to spare."""
SAME = 1e-10
"""Relative: the same residual from coordinates that are rounded differently; where three
neighbours are fitted exactly, both are zero within AFFINE."""
OVITO = 1e-9
"""Relative, against OVITO in double precision; found: below 1e-14."""

TILTED = np.array([[6.0, 0, 0], [1.7, 5.5, 0], [-0.8, 1.1, 6.5]])
SHEARED = np.array([[6.1, 0, 0], [2.9, 5.3, 0], [-0.3, 0.6, 6.6]])


def random_pair(
    seed: int = 0, n: int = 60, h0=TILTED, h1=SHEARED, size: float = 0.2
) -> tuple[Configuration, Configuration]:
    """Random particles that follow their cell from h0 to h1, plus displacements of this size."""
    rng = np.random.default_rng(seed)
    s = rng.uniform(size=(n, 3))
    noise = size * rng.normal(size=(n, 3))
    before = Configuration(positions=s @ h0, species="A", cell=h0)
    return before, before.replace(positions=s @ h1 + noise, cell=h1)


def oracle(before: Configuration, after: Configuration, cutoff: float, reach: int = 3):
    """Residual and map of every particle, from the definition, over loops of images."""
    shifts = np.array(list(product(range(-reach, reach + 1), repeat=3)))
    f = np.linalg.solve(before.cell, after.cell)
    residual, maps = [], []
    for i in range(len(before)):
        d0, d1 = [], []
        for j in range(len(before)):
            for shift in shifts:
                d = before.positions[j] - before.positions[i] + shift @ before.cell
                if 1e-6 < np.linalg.norm(d) < cutoff:
                    images = after.positions[j] - after.positions[i] + shifts @ after.cell
                    closest = np.linalg.norm(images - d @ f, axis=1).argmin()
                    d0.append(d)
                    d1.append(images[closest])
        m = np.linalg.lstsq(np.array(d0), np.array(d1), rcond=1e-6)[0]
        residual.append(np.square(np.array(d1) - np.array(d0) @ m).sum())
        maps.append(m.T)
    return np.array(residual), np.array(maps)


def squared_separations(configuration: Configuration, cutoff: float) -> float:
    """The scale of a residual: what its sum would be with J = 0."""
    return float(np.square(find_neighbors(configuration, cutoff).vectors).sum())


cells = st.builds(
    lambda lengths, tilts: np.array(
        [
            [lengths[0], 0, 0],
            [tilts[0] * lengths[0], lengths[1], 0],
            [tilts[1] * lengths[0], tilts[2] * lengths[1], lengths[2]],
        ]
    ),
    st.tuples(*[st.floats(2.0, 5.0)] * 3),
    st.tuples(*[st.floats(-1.5, 1.5)] * 3),
)
mixes = st.tuples(*[st.integers(-3, 3)] * 3).map(
    lambda m: np.array([[1, 0, 0], [m[0], 1, 0], [m[1], m[2], 1]])
)
maps = st.lists(st.floats(-0.4, 0.4), min_size=9, max_size=9).map(
    lambda x: np.eye(3) + np.reshape(x, (3, 3))
)


# --- affine maps -------------------------------------------------------------------------------


def test_d2min_vanishes_under_affine_shear():
    before, _ = random_pair()
    shear = np.array([[1, 0, 0], [0.05, 1, 0], [0, 0, 1.0]])
    after = before.replace(positions=before.positions @ shear, cell=before.cell @ shear)
    residual, J = d2min(before, after, 2.5, return_map=True)
    assert residual.max() < AFFINE * squared_separations(before, 2.5)
    np.testing.assert_allclose(J, np.broadcast_to(shear.T, J.shape), atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(cells, maps, st.integers(0, 2**32 - 1), st.booleans())
def test_d2min_vanishes_under_every_affine_map_of_every_cell(cell, f, seed, wrapped):
    assume(np.linalg.det(f) > 0.2)
    x = np.random.default_rng(seed).uniform(size=(12, 3)) @ cell
    before = Configuration(positions=x, species="A", cell=cell)
    after = before.replace(positions=x @ f, cell=cell @ f)
    if wrapped:
        after = after.wrapped()
    residual, J = d2min(before, after, 1.9, return_map=True)
    assert residual.max() < AFFINE * max(squared_separations(before, 1.9), 1.0)
    determined = [np.linalg.matrix_rank(d, tol=1e-3) == 3 for d in separations(before, 1.9)]
    np.testing.assert_allclose(J[determined] - f.T, 0, atol=1e-8)


def separations(configuration: Configuration, cutoff: float) -> list[np.ndarray]:
    """Reference separations of each particle."""
    neighbors = find_neighbors(configuration, cutoff)
    return np.split(neighbors.vectors, neighbors.first[1:-1])


def test_a_large_shear_of_a_small_cell_is_affine_all_the_same():
    """A strain of 0.8 also looks like one of -0.2: the particles tell which it was."""
    before, _ = random_pair(n=20, h0=3 * np.eye(3))
    shear = np.array([[1, 0, 0], [0.8, 1, 0], [0, 0, 1.0]])
    after = before.replace(positions=before.positions @ shear, cell=3 * shear)
    residual = d2min(before, after.wrapped(), 2.5)
    assert residual.max() < AFFINE * squared_separations(before, 2.5)
    assert oracle(before, after, 2.5)[0].max() < AFFINE * squared_separations(before, 2.5)


def test_a_single_particle_follows_the_cell_vectors_as_given():
    """Its images alone fit a strain of 0.75 as well as one of -0.25."""
    before = Configuration(positions=[[0.5, 0.7, 0.2]], species="A", cell=2.0)
    shear = np.array([[1, 0, 0], [0.75, 1, 0], [0, 0, 1.0]])
    after = before.replace(positions=[[1.0, 0.1, 0.2]], cell=2 * shear)
    residual, J = d2min(before, after, 3.0, return_map=True)
    assert residual[0] < AFFINE
    np.testing.assert_allclose(J[0], shear.T, atol=1e-12)


# --- values ------------------------------------------------------------------------------------


def test_one_hop_in_a_simple_cubic_crystal():
    """The neighbours lie opposite each other, so no map follows the hop: 6 |u|^2."""
    x = np.stack(np.meshgrid(*[np.arange(5.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    crystal = Configuration(positions=x, species="A", cell=5.0)
    hop = np.array([0.1, -0.2, 0.3])
    moved = x.copy()
    moved[62] += hop
    residual = d2min(crystal, crystal.replace(positions=moved), 1.2)
    assert residual[62] == pytest.approx(6 * hop @ hop, rel=1e-12)
    # a neighbour along x sees one end of a pair of opposite bonds move: half of |u|^2 remains
    assert residual[62 + 25] == pytest.approx(hop @ hop / 2, rel=1e-12)
    assert residual[0] < 1e-25
    moved[62] += 5 * hop / 0.3
    ends = crystal.replace(positions=moved)
    far = hop + 5 * hop / 0.3
    assert d2min(crystal, ends, 1.2, unwrapped=True)[62] == pytest.approx(6 * far @ far, rel=1e-12)
    assert d2min(crystal, ends, 1.2)[62] < 6 * far @ far / 2


def test_the_mean_per_neighbour_is_the_sum_over_their_number():
    before, after = random_pair()
    counts = np.array([len(d) for d in separations(before, 2.0)])
    assert counts.min() < counts.max()
    per_neighbour = d2min(before, after, 2.0, normalize=True)
    np.testing.assert_allclose(per_neighbour * counts, d2min(before, after, 2.0), rtol=1e-14)


def test_unwrapped_separations_follow_the_particles():
    """Where nobody moves half the cell the answer is the same, from unwrapped frames."""
    before, after = random_pair(size=0.1)
    images = np.random.default_rng(4).integers(-3, 4, size=(60, 3))
    first = before.replace(positions=before.positions + images @ before.cell)
    second = after.replace(positions=after.positions + images @ after.cell)
    np.testing.assert_allclose(
        d2min(first, second, 2.0, unwrapped=True),
        d2min(before, after, 2.0),
        rtol=SAME,
        atol=AFFINE,
    )


@pytest.mark.parametrize("turns", [1, -2, 3])
@pytest.mark.parametrize("strain", [0.0, 0.3])
def test_unwrapped_positions_follow_whole_turns_of_shear(turns, strain):
    """The cell comes back after a strain of Lx / Ly, the particles do not."""
    cell = np.diag([6.0, 5, 7])
    before, after = random_pair(n=200, h0=cell, h1=cell, size=0.05)
    shear = np.array([[1, 0, 0], [strain, 1, 0], [0, 0, 1]])
    whole = np.array([[1, 0, 0], [turns * 6 / 5, 1, 0], [0, 0, 1]])
    moved = before.positions @ shear @ whole + (after.positions - before.positions)
    end = before.replace(positions=moved, cell=cell @ shear)
    residual, J = d2min(before, end, 2.0, unwrapped=True, return_map=True)
    straight = end.replace(positions=moved, cell=cell @ shear @ whole)
    np.testing.assert_allclose(residual, d2min(before, straight, 2.0), rtol=1e-9)
    np.testing.assert_allclose(J.mean(axis=0), (shear @ whole).T, atol=0.05)
    u = displacements(before, end, unwrapped=True)
    np.testing.assert_allclose(u, after.positions - before.positions, atol=1e-12)


@pytest.mark.parametrize("n", [4, 31, 500])
@pytest.mark.parametrize("size", [0.1, 1.0, 20.0])
def test_diffusion_is_not_taken_for_a_shear(n, size):
    cell = np.diag([6.0, 6, 6])
    for seed in range(10):
        before, after = random_pair(seed, n=n, h0=cell, h1=cell, size=size)
        np.testing.assert_array_equal(cell_map(before, after, unwrapped=True), np.eye(3))


@pytest.mark.parametrize(
    ("h0", "h1"),
    [
        (np.diag([6.0, 6, 6]), np.diag([6.0, 6, 6])),
        (TILTED, TILTED),
        (TILTED, SHEARED),
        (np.diag([6.0, 5, 7]), SHEARED),
    ],
)
def test_d2min_is_the_brute_force_sum_over_images(h0, h1):
    before, after = random_pair(seed=3, n=25, h0=h0, h1=h1)
    residual, J = d2min(before, after, 2.5, return_map=True)
    expected, expected_map = oracle(before, after, 2.5, reach=2)
    np.testing.assert_allclose(residual, expected, rtol=SAME, atol=AFFINE)
    np.testing.assert_allclose(J, expected_map, rtol=0, atol=1e-10 * np.abs(J).max())


def test_several_images_of_one_particle_are_distinct_neighbours():
    h0 = np.array([[2.1, 0, 0], [0.6, 1.9, 0], [-0.4, 0.3, 2.3]])
    before, after = random_pair(seed=5, n=8, h0=h0, h1=h0 + 0.1, size=0.1)
    residual, J = d2min(before, after, 3.1, return_map=True)
    assert len(find_neighbors(before, 3.1).index) > 8 * 80
    expected, expected_map = oracle(before, after, 3.1)
    np.testing.assert_allclose(residual, expected, rtol=SAME, atol=AFFINE)
    np.testing.assert_allclose(J, expected_map, atol=1e-10)


def test_particles_that_moved_more_than_half_the_cell_count_by_their_nearest_image():
    before, after = random_pair(seed=6, n=16, h0=np.diag([5.0, 5, 5]), h1=TILTED, size=2.0)
    expected = oracle(before, after, 2.2, reach=4)[0]
    np.testing.assert_allclose(d2min(before, after, 2.2), expected, rtol=SAME, atol=AFFINE)


# --- invariance --------------------------------------------------------------------------------


def test_rotation_of_both_or_of_one_changes_nothing_but_the_map():
    before, after = random_pair()
    q = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    residual, J = d2min(before, after, 2.0, return_map=True)
    for first, second in ((before, turned(after, q)), (turned(before, q), turned(after, q))):
        again, K = d2min(first, second, 2.0, return_map=True)
        np.testing.assert_allclose(again, residual, rtol=SAME, atol=AFFINE)
        expected = q.T @ J if first is before else q.T @ J @ q
        np.testing.assert_allclose(K, expected, atol=1e-10 * np.abs(J).max())


def turned(c: Configuration, q: np.ndarray) -> Configuration:
    return c.replace(positions=c.positions @ q, cell=c.cell @ q)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.floats(-20, 20)] * 3),
    st.tuples(*[st.booleans()] * 2),
)
def test_translation_order_and_wrapping_do_not_matter(seed, shift, wrapped):
    before, after = random_pair()
    residual = d2min(before, after, 2.0)
    order = np.random.default_rng(seed).permutation(len(after))
    moved = Configuration(
        positions=after.positions[order] + shift,
        species="A",
        cell=after.cell,
        ids=after.ids[order],
    )
    first = before.wrapped() if wrapped[0] else before.replace(positions=before.positions - shift)
    second = moved.wrapped() if wrapped[1] else moved
    np.testing.assert_allclose(d2min(first, second, 2.0), residual, rtol=SAME, atol=AFFINE)


def test_result_stands_in_the_order_of_the_reference():
    before, after = random_pair()
    order = np.random.default_rng(2).permutation(len(before))
    shuffled = Configuration(
        positions=before.positions[order], species="A", cell=before.cell, ids=before.ids[order]
    )
    np.testing.assert_allclose(
        d2min(shuffled, after, 2.0), d2min(before, after, 2.0)[order], rtol=SAME, atol=AFFINE
    )


@pytest.mark.parametrize("length", [9.0, 2.6])
@pytest.mark.parametrize(
    "relabel", [[[1, 0, 0], [-1, 1, 0], [0, 0, 1]], [[1, 0, 0], [2, 1, 0], [-1, 0, 1]]]
)
def test_a_box_flip_changes_nothing(length, relabel):
    """Tilt xy less Lx is the same system, also in cells smaller than the cutoff."""
    h0 = length * np.array([[1, 0, 0], [0.49, 1, 0], [0.1, 0, 1.0]])
    h1 = length * np.array([[1, 0, 0], [0.51, 1, 0], [0.1, 0, 1.0]])
    before, after = random_pair(n=30, h0=h0, h1=h1, size=0.05)
    moved = after.positions + h1.sum(axis=0) / 2
    flipped = after.replace(positions=moved, cell=np.array(relabel) @ h1)
    residual, J = d2min(before, after, 2.5, return_map=True)
    for first, second in (
        (before, flipped.wrapped()),
        (before.replace(positions=before.positions, cell=np.array(relabel) @ h0), after),
    ):
        again, K = d2min(first, second, 2.5, return_map=True)
        np.testing.assert_allclose(again, residual, rtol=SAME, atol=AFFINE)
        np.testing.assert_allclose(K, J, atol=1e-9)


def test_cell_vectors_may_be_named_otherwise_in_both_frames():
    before, after = random_pair()
    relabel = np.array([[0, 1, 0], [0, 0, 1], [1, 2, -1]])
    residual = d2min(before, after, 2.0)
    again = d2min(
        before.replace(positions=before.positions, cell=relabel @ before.cell),
        after.replace(positions=after.positions, cell=relabel @ after.cell),
        2.0,
    )
    np.testing.assert_allclose(again, residual, rtol=SAME, atol=AFFINE)


# --- where, prepared references, degenerate neighbourhoods -------------------------------------


def test_where_selects_particles_by_mask_or_index():
    before, after = random_pair()
    residual, J = d2min(before, after, 2.0, return_map=True)
    mask = np.arange(len(before)) % 3 == 0
    some, K = d2min(before, after, 2.0, where=mask, return_map=True)
    np.testing.assert_allclose(some, residual[mask], rtol=1e-13)
    np.testing.assert_allclose(K, J[mask], atol=1e-12)
    np.testing.assert_allclose(
        d2min(before, after, 2.0, where=[7, 3]), residual[[7, 3]], rtol=1e-13
    )
    assert d2min(before, after, 2.0, where=[]).shape == (0,)


def test_the_last_bit_depends_neither_on_threads_nor_on_the_choice_of_sites():
    before, after = random_pair(n=2000, h0=3 * TILTED, h1=3 * SHEARED)
    residual, J = d2min(before, after, 2.0, return_map=True)
    for n_jobs in (2, 3, -1):
        again, K = d2min(before, after, 2.0, return_map=True, n_jobs=n_jobs)
        np.testing.assert_array_equal(again, residual)
        np.testing.assert_array_equal(K, J)
    some = np.random.default_rng(0).permutation(2000)[:301]
    np.testing.assert_array_equal(d2min(before, after, 2.0, where=some), residual[some])


def test_an_isolated_particle_has_no_residual_and_no_map():
    before = Configuration(positions=[[1, 1, 1], [5, 5, 5], [5.5, 5, 5]], species="A", cell=9.0)
    after = before.replace(positions=[[2, 1, 1], [5, 5, 5], [5.5, 5.4, 5]])
    for normalize in (False, True):
        residual, J = d2min(before, after, 2.0, normalize=normalize, return_map=True)
        assert residual[0] == 0
        assert (J[0] == 0).all()
        # one neighbour is fitted exactly by the rank-one map of least norm
        assert residual[1] < 1e-28
        np.testing.assert_allclose(J[1], [[1, 0, 0], [0.8, 0, 0], [0, 0, 0]], atol=1e-14)


def test_neighbours_in_a_plane_get_the_least_squares_map_of_least_norm():
    rng = np.random.default_rng(8)
    flat = np.concatenate([rng.uniform(2, 5, size=(7, 2)), np.full((7, 1), 3.0)], axis=1)
    before = Configuration(positions=flat, species="A", cell=9.0)
    after = before.replace(positions=flat + 0.2 * rng.normal(size=(7, 3)))
    residual, J = d2min(before, after, 4.4, return_map=True)
    expected, expected_map = oracle(before, after, 4.4, reach=1)
    np.testing.assert_allclose(residual, expected, rtol=SAME, atol=AFFINE)
    np.testing.assert_allclose(J, expected_map, atol=1e-12)
    assert np.abs(J[:, :, 2]).max() < 1e-12


def test_an_empty_configuration_has_no_residuals():
    nothing = Configuration(positions=np.empty((0, 3)), species=[], cell=3.0)
    assert d2min(nothing, nothing).shape == (0,)


# --- errors ------------------------------------------------------------------------------------


def test_errors_say_what_to_do():
    before, after = random_pair(n=10)
    fewer = Configuration(positions=after.positions[:9], species="A", cell=after.cell)
    with pytest.raises(InputError, match=r"1 particles of the reference are missing.*id 10"):
        d2min(before, fewer)
    with pytest.raises(InputError, match="cutoff must be a positive number"):
        d2min(before, after, -1.0)
    with pytest.raises(InputError, match="n_jobs must be a whole number"):
        d2min(before, after, n_jobs=0)
    twice = before.replace(positions=np.concatenate([before.positions[:1], before.positions[:-1]]))
    with pytest.raises(InputError, match="particles id 1 and id 2 lie on top of each other"):
        d2min(twice, after)
    with pytest.raises(InputError, match=r"mask must have shape \(10,\)"):
        d2min(before, after, where=np.ones(9, dtype=bool))


# --- nearest images ----------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(cells, mixes, st.integers(0, 2**32 - 1))
def test_nearest_image_is_the_shortest_of_all(cell, mix, seed):
    """However the cell vectors of the lattice are named."""
    v = np.random.default_rng(seed).uniform(-10, 10, size=(20, 3))
    near = nearest_image(v, mix @ cell)
    steps = (v - near) @ np.linalg.inv(cell)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    shifts = np.array(list(product(range(-4, 5), repeat=3))) @ reduced_cell(cell)
    shortest = np.linalg.norm(near[:, None] + shifts, axis=2).min(axis=1)
    np.testing.assert_allclose(np.linalg.norm(near, axis=1), shortest, rtol=1e-9)


@settings(max_examples=100, deadline=None)
@given(cells, mixes)
def test_a_reduced_cell_has_the_shortest_vectors_of_the_lattice(cell, mix):
    """However the cell vectors of a lattice are named."""
    named = mix @ cell
    h = reduced_cell(named)
    assert abs(np.linalg.det(h)) == pytest.approx(np.linalg.det(cell), rel=1e-9)
    names = h @ np.linalg.inv(cell)
    np.testing.assert_allclose(names, np.round(names), atol=1e-9)
    shifts = np.array([s for s in product(range(-4, 5), repeat=3) if any(s)])
    shortest = np.linalg.norm(shifts @ h, axis=1).min()
    assert safe_radius(named) == pytest.approx(shortest / 2, rel=1e-9)


def test_a_tilt_of_many_cell_lengths_is_reduced():
    """Rounding takes it down at once; single steps would take a million turns."""
    h = reduced_cell(np.array([[1.0, 0, 0], [1e6, 1, 0], [0.4, 1e6, 1]]))
    np.testing.assert_allclose(np.sort(np.linalg.norm(h, axis=1)), [1, 1, np.sqrt(1.16)])


def test_the_map_of_an_unchanged_cell_is_the_identity():
    before, after = random_pair(h1=TILTED)
    assert np.array_equal(cell_map(before, after), np.eye(3))


@settings(max_examples=50, deadline=None)
@given(cells, cells, st.integers(0, 2**32 - 1))
@example(np.diag([3.0, 2, 3]), np.array([[2.0, 0, 0], [0, 2, 0], [0, 4.45e-309, 2]]), 0)
def test_the_map_of_a_cell_carries_the_volume(h0, h1, seed):
    """Also where nothing tells which map it was: particles placed anew in another cell."""
    rng = np.random.default_rng(seed)
    x0, x1 = (
        Configuration(positions=rng.uniform(size=(5, 3)) @ h, species="A", cell=h)
        for h in (h0, 2 * h1)
    )
    expected = 8 * np.linalg.det(h1) / np.linalg.det(h0)
    assert np.linalg.det(cell_map(x0, x1)) == pytest.approx(expected, rel=1e-9)


# --- peers -------------------------------------------------------------------------------------


def by_ovito(before: Configuration, after: Configuration, cutoff: float, unwrapped: bool = False):
    """OVITO's 'Nonaffine Squared Displacement' and deformation gradients.

    OVITO reckons each particle's displacement in fractional coordinates, wraps it to the nearest
    image there and maps d0 + u_j - u_i to the current cell. `affine_mapping` Off (its default,
    eliminate_cell_deformation False) compares that with d0, which is the definition used here;
    ToReference leaves both in the reference cell, where lengths differ once the cell is strained;
    ToCurrent maps both to the current cell: the same residual, and J less the map of the cell.
    Its nearest image is that of a particle, here it is that of a pair: they part where two
    particles move half the cell relative to each other. Unwrapped positions need no image.
    """
    ovito = pytest.importorskip("ovito")
    from ovito.data import DataCollection, Particles, SimulationCell
    from ovito.modifiers import AtomicStrainModifier
    from ovito.pipeline import Pipeline, StaticSource

    assert ovito.version >= (3, 12, 0)

    def collection(c: Configuration) -> DataCollection:
        cell = SimulationCell(pbc=(True, True, True))
        cell[...] = np.column_stack([c.cell.T, np.zeros(3)])
        particles = Particles(count=len(c))
        particles.create_property("Position", data=c.positions)
        particles.create_property("Particle Identifier", data=c.ids)
        data = DataCollection()
        data.objects.append(cell)
        data.objects.append(particles)
        return data

    pipeline = Pipeline(source=StaticSource(data=collection(after)))
    modifier = AtomicStrainModifier(
        cutoff=cutoff,
        affine_mapping=AtomicStrainModifier.AffineMapping.Off,
        minimum_image_convention=not unwrapped,
        output_nonaffine_squared_displacements=True,
        output_deformation_gradients=True,
    )
    modifier.reference = StaticSource(data=collection(before))
    pipeline.modifiers.append(modifier)
    particles = pipeline.compute().particles
    order = np.argsort(np.asarray(particles["Particle Identifier"]))
    back = np.argsort(np.argsort(before.ids))
    columns = np.asarray(particles["Deformation Gradient"]).reshape(-1, 3, 3)
    residual = np.asarray(particles["Nonaffine Squared Displacement"])
    return residual[order][back], columns.transpose(0, 2, 1)[order][back]


@pytest.mark.peers
@pytest.mark.parametrize(
    ("h0", "h1"),
    [
        (np.diag([7.0, 8, 9]), np.diag([7.0, 8, 9])),
        (np.diag([7.0, 8, 9]), np.diag([7.2, 7.7, 9.1])),
        (TILTED, TILTED),
        (TILTED, SHEARED),
        (np.diag([7.0, 8, 9]), SHEARED),
    ],
)
def test_d2min_equals_ovito_on_orthogonal_and_tilted_cells(h0, h1):
    before, after = random_pair(seed=11, n=300, h0=h0, h1=h1, size=0.15)
    residual, J = d2min(before, after.wrapped(), 2.5, return_map=True)
    theirs, their_map = by_ovito(before, after.wrapped(), 2.5)
    np.testing.assert_allclose(residual, theirs, rtol=OVITO)
    np.testing.assert_allclose(J, their_map, atol=1e-9)


@pytest.mark.peers
def test_d2min_equals_ovito_on_a_real_liquid(shared):
    from amorphace.io import iread, read

    folder = shared / "data" / "ka_T0.44"
    before = read(folder / "sample_01.initial.dump", species=("A", "B"))
    ends = iread(folder / "sample_01.endpoints.dump.gz", species=("A", "B"))
    for after in islice(ends, 3):
        residual, J = d2min(before, after, 2.5, unwrapped=True, return_map=True)
        theirs, their_map = by_ovito(before, after, 2.5, unwrapped=True)
        np.testing.assert_allclose(residual, theirs, rtol=OVITO)
        np.testing.assert_allclose(J, their_map, atol=1e-9)
        # from nearest images both agree but for the few that fled half the cell from a neighbour
        wrapped = after.wrapped()
        theirs, _ = by_ovito(before, wrapped, 2.5)
        agree = np.isclose(d2min(before, wrapped, 2.5), theirs, rtol=OVITO, atol=0)
        fled = np.linalg.norm(displacements(before, after, unwrapped=True), axis=1).max()
        assert agree.mean() > 0.999
        assert agree.all() or 2 * fled > safe_radius(before.cell)
