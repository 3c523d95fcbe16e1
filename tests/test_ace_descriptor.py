import pickle
import time

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import amorphace as am
from amorphace.core.neighbors import find_neighbors

from test_ace_features import glass

SMALL = {"cutoff": 1.8, "species": ("A", "B"), "max_order": 2, "max_degree": 4, "n_max": 4}


@pytest.fixture(scope="module")
def labelled():
    """Sites of six glasses, active where many B particles are near."""
    sites = np.concatenate([am.Sites(g, g.species == "A") for g in map(glass, range(6))])
    y = am.ACEDescriptor(**SMALL).transform(sites)[:, 4]
    return sites, (y > np.median(y)).astype(int)


def test_clone_and_parameters_follow_scikit_learn():
    ace = am.ACEDescriptor(**SMALL)
    copy = clone(ace)
    assert copy is not ace
    assert copy.get_params() == ace.get_params()
    assert copy.set_params(cutoff=3.0).cutoff == 3.0
    assert ace.cutoff == 1.8
    assert "ACEDescriptor(" in repr(ace)


def test_grid_search_over_the_cutoff_with_grouped_folds(labelled):
    sites, y = labelled
    pipeline = Pipeline(
        [
            ("ace", am.ACEDescriptor(**SMALL)),
            ("scale", StandardScaler()),
            ("model", LogisticRegression()),
        ]
    )
    search = GridSearchCV(
        pipeline, {"ace__cutoff": [1.2, 1.8]}, cv=GroupKFold(3), n_jobs=2, error_score="raise"
    )
    search.fit(sites, y, groups=sites.sample)
    assert search.best_params_ == {"ace__cutoff": 1.8}
    assert search.best_score_ > 0.85
    scores = cross_val_score(pipeline, sites, y, groups=sites.sample, cv=GroupKFold(3))
    assert scores.mean() == pytest.approx(search.best_score_)


def test_descriptor_and_sites_survive_copying_between_processes(labelled):
    sites, _ = labelled
    ace = am.ACEDescriptor(**SMALL).fit(sites)
    ace2, sites2 = pickle.loads(pickle.dumps((ace, sites)))
    np.testing.assert_array_equal(ace2.transform(sites2), ace.transform(sites))
    for array in (sites2.configurations[0].positions, sites2.index, sites2.sample, sites.index):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_sites_behave_as_a_numpy_list():
    a, b = glass(0), glass(1)
    sites = np.concatenate([am.Sites(a, a.species == "A"), am.Sites(b)])
    assert sites.shape == (len(sites),) == ((a.species == "A").sum() + len(b),)
    assert sites[3].ids == sites.ids[[3]]
    assert [s.species.item() for s in sites] == sites.species.tolist()
    rows = np.array([5, 0, len(sites) - 1])
    np.testing.assert_array_equal(sites[rows].ids, sites.ids[rows])
    np.testing.assert_array_equal(sites[sites.species == "B"].species, "B")
    assert len(sites[2:6]) == 4
    assert len(sites[[]]) == 0
    X = am.ACEDescriptor(**SMALL).transform(sites)
    np.testing.assert_array_equal(am.ACEDescriptor(**SMALL).transform(sites[rows]), X[rows])


def test_transform_writes_into_the_callers_array_and_in_blocks(tmp_path):
    g = glass(4)
    ace = am.ACEDescriptor(**SMALL)
    X = ace.transform(g)
    disk = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float64, X.shape)
    assert ace.transform(g, out=disk) is disk
    np.testing.assert_array_equal(disk, X)
    got = np.zeros_like(X)
    for rows, block in ace.iter_blocks(g, block_size=7):
        assert len(rows) <= 7
        got[rows] = block
    np.testing.assert_array_equal(got, X)
    read_only = np.zeros_like(X)
    read_only.setflags(write=False)
    for out, got in [
        (np.empty((40, 21)), r"shape \(40, 21\)"),
        (np.zeros(X.shape, int), "dtype int64"),
        (np.zeros(X.shape, bool), "dtype bool"),
        (np.zeros(X.shape, str), "dtype <U1"),
        (np.zeros(X.shape, np.float16), "dtype float16"),
        (read_only, "a read-only array"),
        ([1.0], "list"),
    ]:
        text = rf"writable array of float64 or float32 and shape \(40, 22\), got {got}"
        with pytest.raises(am.InputError, match=text):
            ace.transform(g, out=out)
    with pytest.raises(
        am.InputError, match="block_size must be a whole number of 1 or more, got 0"
    ):
        next(ace.iter_blocks(g, block_size=0))


def test_no_sites_give_no_rows():
    g = glass(4)
    assert am.ACEDescriptor(**SMALL).transform(am.Sites(g, [])).shape == (0, 22)


def test_float32_is_close_to_float64():
    g = glass(4)
    X = am.ACEDescriptor(**SMALL).transform(g)
    X32 = am.ACEDescriptor(**SMALL, dtype="float32").transform(g)
    assert X32.dtype == np.float32
    assert (abs(X32 - X).max(axis=0) / abs(X).max(axis=0)).max() < 1e-4


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"cutoff": 0}, "cutoff must be a positive number"),
        ({"cutoff": -2.0}, "cutoff must be a positive number"),
        ({"species": ("A",)}, "species B not declared"),
        ({"species": "AB"}, "species must be a list of labels"),
        ({"species": {"A"}}, r"list of labels, whose order .* got \{'A'\}"),
        ({"species": (1, 2)}, r"list of labels, .* got \(1, 2\)"),
        ({"species": 5}, "list of labels, .* got 5"),
        ({"species": ("A", "A")}, "species must differ"),
        ({"species": ()}, "species must name at least one label"),
        ({"max_order": 5}, "max_order must be a whole number from 1 to 4, got 5"),
        ({"max_order": 2.0}, r"max_order must be a whole number from 1 to 4, got 2\.0"),
        ({"max_order": [2]}, r"max_order must be a whole number from 1 to 4, got \[2\]"),
        (
            {"max_degree": 4294967296},
            "sets of channels, more than 200000; lower one of them",
        ),
        (
            {"max_order": 4, "max_degree": 60},
            r"make about 6e\+08 sets of channels, more",
        ),
        ({"n_max": 10**12}, r"make about 2e\+09 sets"),
        ({"degree_weight": 1e-9}, "sets of channels, more than 200000"),
        ({"r0": 1e308}, "cutoff 1.8 is too short for r0 = 1e"),
        ({"max_degree": -1}, "max_degree must be a number of 1 or more"),
        ({"max_degree": "10"}, "max_degree must be a number of 1 or more, got '10'"),
        ({"n_max": 0}, "n_max must be a whole number of 1 or more"),
        ({"n_max": True}, "n_max must be a whole number of 1 or more, got True"),
        ({"degree_weight": 0}, "degree_weight must be a positive number"),
        ({"degree_weight": "1"}, "degree_weight must be a positive number, got '1'"),
        ({"degree_weight": 10**400}, "degree_weight must be a positive number, got 10000"),
        ({"r0": "1"}, "r0 must be a positive number .in units of sigma., got '1'"),
        ({"r0": 1e-308}, "cutoff 1.8 is more than 1000 times r0 = 1e-308"),
        ({"cutoff": 1e300}, r"cutoff 1e\+300 is more than 1000 times r0 = 1"),
        ({"n_jobs": 2**31}, "n_jobs must be a whole number up to 4096, .* got 2147483648"),
        ({"n_jobs": 2.0}, r"n_jobs must be a whole number up to 4096, .* got 2\.0"),
        ({"sort": "alphabet"}, "'lexicographic' or 'degree', got 'alphabet'"),
        ({"dtype": "int8"}, "'float64' or 'float32', got 'int8'"),
        ({"distance_transform": "none"}, "'ace1' or 'paper', got 'none'"),
    ],
)
def test_senseless_settings_are_refused(words, text):
    with pytest.raises(am.InputError, match=text):
        am.ACEDescriptor(**(SMALL | words)).fit().transform(glass(0))


def test_particles_on_top_of_each_other_are_named():
    g = am.Configuration(
        positions=[[0, 0, 0], [1, 1, 1], [6, 1, 1]], species="A", cell=5.0, ids=[7, 8, 9]
    )
    with pytest.raises(am.InputError, match="particles id 8 and id 9 lie on top of each other"):
        am.ACEDescriptor(cutoff=2.0).transform(g)


@pytest.mark.parametrize(
    ("cell", "cutoff", "text"),
    [
        (
            0.01,
            4.0,
            r"about 1.1e\+10 neighbours and 5.1e\+08 images .* 0.01, 0.01, 0.01 and holds 40",
        ),
        (5.0, 1e2, r"about 1.3e\+06 neighbours .* are cell and cutoff both in units of sigma\?"),
        ([1e-7, 1e6, 1e6], 4.0, r"8e\+07 images of the cell .* heights 1e-07, 1e\+06, 1e\+06"),
    ],
)
def test_a_cell_in_another_unit_is_refused_before_memory_is_taken(cell, cutoff, text):
    g = am.Configuration(positions=glass(0).fractional() * cell, species="A", cell=cell)
    start = time.process_time()
    with pytest.raises(am.InputError, match=text):
        am.ACEDescriptor(cutoff=cutoff).transform(g)
    with pytest.raises(am.InputError, match=text):
        find_neighbors(g, cutoff)
    assert time.process_time() - start < 1


def test_only_sites_are_described():
    with pytest.raises(am.InputError, match=r"expected a Configuration, .*, got ndarray"):
        am.ACEDescriptor().transform(np.zeros((4, 3)))
