import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import amorphace as am
from amorphace import cli
from amorphace.core.codec import encode
from amorphace.dataset.isoconfigurations import is_public, read_public
from amorphace.dataset.label_thermal import ThermalSample, label_thermal
from amorphace.dataset.table import Table
from amorphace.dataset.zarr_table import write_table
from amorphace.learn.coarse import input_names, propensity_inputs, sample_inputs, table_samples
from amorphace.learn.propensity import (
    extrapolated,
    propensity_curve,
    propensity_score,
)
from amorphace.learn.regression import (
    PropensityCurve,
    Regression,
    read_regression,
    write_regression,
)
from amorphace.learn.ridge import STRENGTHS, ExtraRows, RidgeProblem

from test_ace_features import glass


def run(*words):
    """Exit code of the command line, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["amorphace", *map(str, words)])
        try:
            cli.main()
        except SystemExit as end:
            return end.code or 0
    return 0


def samples(n_samples=5, n=120, noise=0.5, seed=0):
    """Sites whose target follows two of ten columns, from another zero in every sample."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_samples), n)
    X = rng.normal(size=(n_samples * n, 10)) * np.arange(1, 11) + 100
    y = X[:, 2] / 3 - X[:, 7] / 8 + 10.0 * groups + noise * rng.normal(size=len(X))
    return X, y, groups


def standardised(y, groups):
    out = y.copy()
    for k in np.unique(groups):
        out[groups == k] = (y[groups == k] - y[groups == k].mean()) / y[groups == k].std()
    return out


def predictions(X, y, groups, strengths=STRENGTHS, extra=None):
    """Of every row by a ridge on the other samples."""
    problem = RidgeProblem.of(X, y, groups, strengths, extra, log=False)
    found = np.empty(len(y))
    for test, rows in enumerate(problem.rows):
        theta, _ = problem.fit([k for k in range(len(problem.rows)) if k != test])
        found[rows] = problem.X[rows] @ theta
    return found


def test_predictions_are_those_of_a_ridge_on_the_other_samples():
    X, y, groups = samples()
    predicted = predictions(X, y, groups, strengths=[7.0])
    z = standardised(y, groups)
    for k in range(5):
        train = groups != k
        mean, scale = X[train].mean(axis=0), X[train].std(axis=0)
        ridge = Ridge(7.0).fit((X[train] - mean) / scale, z[train])
        expected = ridge.predict((X[~train] - mean) / scale)
        difference = predicted[~train] - expected
        assert np.ptp(difference) < 1e-10  # but for a constant, which no correlation sees


def test_strength_is_the_one_with_the_least_error_on_training_samples_left_out():
    X, y, groups = samples(n_samples=4, n=30, noise=3.0)
    strengths = (1.0, 30.0, 1000.0, 30000.0)
    score = propensity_score(X, y, groups, target="d2min", strengths=strengths)
    z = standardised(y, groups)
    for test in range(4):
        train = [k for k in range(4) if k != test]
        errors = []
        for strength in strengths:
            error = 0.0
            for left_out in train:
                rows = np.isin(groups, [k for k in train if k != left_out])
                mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0)
                ridge = Ridge(strength).fit((X[rows] - mean) / scale, z[rows])
                own = groups == left_out
                error += ((ridge.predict((X[own] - mean) / scale) - z[own]) ** 2).sum()
            errors.append(error)
        assert score.strength[test] == strengths[int(np.argmin(errors))]
    assert len(set(score.strength)) < len(strengths)


def test_the_test_sample_takes_no_part_in_its_own_prediction():
    X, y, groups = samples()
    other = y.copy()
    other[groups == 2] = np.random.default_rng(9).permutation(y[groups == 2])
    a, b = predictions(X, y, groups), predictions(X, other, groups)
    np.testing.assert_allclose(a[groups == 2], b[groups == 2], rtol=1e-12)
    assert abs(a[groups == 0] - b[groups == 0]).max() > 1e-3


def test_correlations_are_those_inside_each_sample():
    X, y, groups = samples(noise=0.0)
    score = propensity_score(X, y, groups, target="d2min", inputs="ten columns", strengths=[1e-6])
    assert score.pearson.min() > 0.999  # zeros that differ do no harm, units hardly
    assert (score.samples, score.n_columns) == (("0", "1", "2", "3", "4"), 10)
    monotone = propensity_score(X, np.exp(y / 10), groups, target="p", log=True, strengths=[1e-6])
    np.testing.assert_allclose(monotone.pearson, score.pearson, rtol=1e-6)
    np.testing.assert_allclose(monotone.spearman, score.spearman, rtol=1e-6)


def test_unrelated_columns_predict_nothing():
    X, y, groups = samples()
    shuffled = np.random.default_rng(4).permutation(y)
    score = propensity_score(X, shuffled, groups, target="d2min")
    assert abs(score.pearson.mean()) < 0.15


def test_more_samples_teach_more():
    X, y, groups = samples(n_samples=6, n=15, noise=2.0)
    curve = propensity_curve(X, y, groups, target="d2min", strengths=[1.0, 10.0], n_draws=3)
    assert curve.n_train.tolist() == [1, 2, 3, 4, 5]
    assert curve.pearson.shape == (5, 6)
    assert curve.pearson[-1].mean() > curve.pearson[0].mean() + 0.05
    last = propensity_score(X, y, groups, target="d2min", strengths=[1.0, 10.0])
    np.testing.assert_allclose(curve.pearson[-1], last.pearson, rtol=1e-9)
    again = propensity_curve(X, y, groups, target="d2min", strengths=[1.0, 10.0], n_draws=3)
    np.testing.assert_array_equal(again.pearson, curve.pearson)


def test_extra_rows_teach_too_and_are_left_out_with_their_sample():
    X, y, groups = samples(n_samples=3, n=12, noise=2.0)
    more, y_more, of = samples(n_samples=3, n=400, noise=2.0, seed=1)
    extra = ExtraRows(X=more, y=y_more + 50, groups=of, configuration=of, weights=[0.0, 1.0])
    few = propensity_score(X, y, groups, target="d2min", strengths=[1.0])
    many = propensity_score(X, y, groups, target="d2min", strengths=[1.0], extra=extra)
    assert many.pearson.mean() > few.pearson.mean() + 0.02
    changed = np.where(of == 1, -y_more, y_more)
    extra = ExtraRows(X=more, y=changed, groups=of, configuration=of, weights=[1.0])
    a = predictions(X, y, groups, strengths=[1.0], extra=extra)
    extra = ExtraRows(X=more, y=y_more, groups=of, configuration=of, weights=[1.0])
    b = predictions(X, y, groups, strengths=[1.0], extra=extra)
    np.testing.assert_allclose(a[groups == 1], b[groups == 1], rtol=1e-9)
    assert abs(a[groups == 0] - b[groups == 0]).max() > 1e-3


def test_inputs_are_features_beside_their_averages():
    ace = am.ACEDescriptor(cutoff=2.0, species=("A", "B"), max_order=1, n_max=3)
    c = glass(1)
    X = propensity_inputs(c, ace, lengths=[0.8, 1.6], where=c.species == "A")
    names = input_names(ace, [0.8, 1.6])
    assert X.shape == ((c.species == "A").sum(), len(names)) == (len(X), 6 * 5)
    np.testing.assert_array_equal(X[:, :6], ace.transform(am.Sites(c, c.species == "A")))
    assert names[6:8] == ["<A1> over A, 0.8", "<A2> over A, 0.8"]


def test_results_go_through_json(tmp_path):
    X, y, groups = samples(n=20)
    score = propensity_score(X, y, groups, target="d2min", inputs="ten columns")
    curve = propensity_curve(X, y, groups, target="d2min", n_train=[1, 4])
    for made in (Regression(score=score), Regression(score=score, curve=curve)):
        write_regression(tmp_path / "r.json", made)
        again = read_regression(tmp_path / "r.json")
        np.testing.assert_array_equal(again.score.pearson, score.pearson)
        assert encode(again) == encode(made)


def test_what_cannot_be_learned_from_is_said():
    X, y, groups = samples(n=20)
    with pytest.raises(am.InputError, match="at least 2 are needed; got 1"):
        propensity_score(X, y, np.zeros(len(y)), target="d2min")
    with pytest.raises(am.InputError, match="must be finite numbers"):
        propensity_score(np.where(X.max() == X, np.nan, X), y, groups, target="d2min")
    with pytest.raises(am.InputError, match="same for all particles of sample 1"):
        propensity_score(X, np.where(groups == 1, 0.0, y), groups, target="d2min")
    with pytest.raises(am.InputError, match="logarithm needs a positive target"):
        propensity_score(X, y - y.max(), groups, target="d2min", log=True)
    with pytest.raises(am.InputError, match="from 1 to 4"):
        propensity_curve(X, y, groups, target="d2min", n_train=[5])
    with pytest.raises(am.InputError, match="strengths must be positive"):
        propensity_score(X, y, groups, target="d2min", strengths=[])
    extra = ExtraRows(X=X, y=y, groups=groups + 1, configuration=groups)
    with pytest.raises(am.InputError, match="belong to sample 5, which has no rows"):
        propensity_score(X, y, groups, target="d2min", extra=extra)


def test_a_constant_column_has_no_weight():
    X, y, groups = samples(n=20)
    a = predictions(X, y, groups)
    b = predictions(np.hstack([X, np.full((len(X), 1), 3.3)]), y, groups)
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.fixture
def ensemble(tmp_path):
    """Three glasses whose particles are labelled by how many B are near."""
    ace = am.ACEDescriptor(cutoff=1.9, species=("A", "B"), max_order=1, n_max=2)
    glasses = [glass(k) for k in range(3)]
    d2min = np.concatenate([2 - ace.transform(g)[:, 2] for g in glasses])
    table = Table(
        sample=np.repeat(np.arange(3), [len(g) for g in glasses]),
        particle_id=np.concatenate([g.ids for g in glasses]),
        species=np.concatenate([g.species for g in glasses]),
        targets={"d2min": d2min},
        sample_names=["one", "two", "three"],
    )
    write_table(tmp_path / "labels.zarr", table)
    for k, g in enumerate(glasses):
        am.write(tmp_path / f"s{k}.dump", g)
    return tmp_path, table, glasses


def test_command_regresses_every_sample_on_the_others(ensemble, capsys):
    folder, _, _ = ensemble
    out = folder / "regress.json"
    files = sorted(folder.glob("s*.dump"))
    words = ["--labels", folder / "labels.zarr", "--species", "A", "B", "--n-jobs", 1, "--log"]
    basis = ["--cutoff", 1.9, "--n-max", 2, "--lengths", 0.8]
    assert run("regress", *files, *words, *basis, "-o", out) == 0
    results = read_regression(out)
    score = results.score
    assert (score.log, score.samples, score.n_columns) == (True, ("one", "two", "three"), 12)
    assert len(results.curve.n_train) == 2
    assert "mean" in capsys.readouterr().out
    assert results.others[0].n_columns == 4
    assert score.n_train == 2
    apart = [*files[:2], "--test", files[2], "--test-labels", folder / "labels.zarr"]
    assert run("regress", *apart, *words, "-o", folder / "b.json") == 2
    assert "the labels are of 3 samples" in capsys.readouterr().err
    assert run("regress", *files, "--species", "A", "B", "-o", folder / "b.json") == 2
    assert "is no file of BOTAN or GlassBench, which hold their targets" in capsys.readouterr().err
    assert run("regress", *files[:2], *words, "-o", folder / "b.json") == 2
    assert "the labels are of 3 samples" in capsys.readouterr().err


def test_rows_of_a_table_are_its_particles(ensemble):
    _, table, glasses = ensemble
    ace = am.ACEDescriptor(cutoff=1.9, species=("A", "B"), max_order=1, n_max=2)
    samples = table_samples(table, glasses)
    X, found, groups = sample_inputs(samples, ace, centres="B", lengths=[0.8])
    y = found["d2min"]
    rows = table.species == "B"
    np.testing.assert_array_equal(y, table.targets["d2min"][rows])
    np.testing.assert_array_equal(groups, table.sample[rows])
    np.testing.assert_allclose(2 - X[:, 2], y, rtol=1e-12)
    with pytest.raises(am.InputError, match="no target 'propensity'; there are: d2min"):
        sample_inputs(table_samples(table, glasses), ace, targets=["propensity"])
    with pytest.raises(am.InputError, match="table is of 3 samples, but 2 configurations were"):
        list(table_samples(table, glasses[:2]))


def public(path, seed: int, averages: bool) -> am.Configuration:
    """A file of BOTAN, or of GlassBench with two times; particles move as they have A near."""
    g = glass(seed)
    edge = (len(g) / 1.2) ** (1 / 3)
    x = g.fractional() * edge
    types = (g.species == "B").astype(np.int8)
    g = am.Configuration(positions=x, species=g.species, cell=edge)
    ace = am.ACEDescriptor(cutoff=1.5, species=("A", "B"), max_order=1, n_max=2)
    move = 0.01 * (2 + ace.transform(g)[:, 0])
    arrays = {"types": types, "initial_positions": x}
    if averages:
        arrays |= {"initial_positions_inherent": x, "md_prop": np.stack([move, move**2], axis=1)}
    else:
        rng = np.random.default_rng(seed)
        u = rng.normal(size=(3, len(g), 3))
        u *= move[:, None] / np.linalg.norm(u, axis=2, keepdims=True)
        arrays["positions"] = x + u
    np.savez(path, **arrays)
    return g


def test_files_of_the_public_sets_hold_their_targets(tmp_path, capsys):
    g = public(tmp_path / "botan.npz", 0, averages=False)
    public(tmp_path / "bench.npz", 0, averages=True)
    assert is_public(tmp_path / "botan.npz")
    botan, bench = (
        read_public(tmp_path / f"{name}.npz", cutoff=1.5) for name in ("botan", "bench")
    )
    assert (botan.inherent, bench.inherent) == (False, True)
    assert set(botan.targets) == {"propensity", "d2min"}
    np.testing.assert_allclose(botan.configuration.positions, g.wrapped().positions)
    ends = [g.replace(positions=x) for x in np.load(tmp_path / "botan.npz")["positions"]]
    np.testing.assert_allclose(botan.targets["propensity"], am.propensity(g, ends), atol=1e-12)
    np.testing.assert_allclose(
        botan.targets["d2min"][7], np.mean([am.d2min(g, x, 1.5)[7] for x in ends])
    )
    np.testing.assert_allclose(bench.targets["md_prop 2"], bench.targets["md_prop 1"] ** 2)
    am.write(tmp_path / "own.npz", g)
    assert not is_public(tmp_path / "own.npz")
    with pytest.raises(
        am.FileFormatError, match=r"own\.npz: expected types of 0 and 1 and initial_"
    ):
        read_public(tmp_path / "own.npz")
    np.savez(tmp_path / "bare.npz", types=np.zeros(4), initial_positions=np.zeros((4, 3)))
    with pytest.raises(am.FileFormatError, match="holds neither positions nor md_prop nor bb_prop"):
        read_public(tmp_path / "bare.npz")
    np.savez(tmp_path / "odd.npz", types=np.zeros(4), initial_positions=np.zeros((3, 3)))
    with pytest.raises(am.FileFormatError, match=r"initial_positions must have shape \(4, 3\)"):
        read_public(tmp_path / "odd.npz")


@pytest.mark.slow
def test_a_file_of_botan_is_the_sample_that_it_became(shared):
    """An original file beside its end points in another format."""
    (path,) = (shared / "data" / "botan").glob("*.npz")
    sample, species = read_public(path), ("A", "B")
    folder = shared / "data" / "ka_T0.44"
    start = am.read(folder / "sample_01.initial.dump", species)
    ends = am.iread(folder / "sample_01.endpoints.dump.gz", species)
    np.testing.assert_allclose(
        sample.targets["propensity"], am.propensity(start, ends), rtol=1e-3, atol=1e-4
    )
    assert not sample.inherent


def test_command_tests_on_files_that_it_does_not_learn_from(tmp_path, capsys):
    files = [tmp_path / f"g{k}.npz" for k in range(5)]
    for k, path in enumerate(files):
        public(path, k, averages=True)
    words = ["--species", "A", "B", "--cutoff", 1.5, "--n-max", 2, "--lengths", 0.8, "--n-jobs", 1]
    words += ["--target", "md_prop 1", "md_prop 2", "-o", tmp_path / "r.json"]
    assert run("regress", *files[:3], "--test", *files[3:], *words) == 0
    made = read_regression(tmp_path / "r.json")
    scores = (made.score, *made.others)
    assert [(s.target, s.n_columns) for s in scores] == [
        ("md_prop 1", 12), ("md_prop 1", 4), ("md_prop 2", 12), ("md_prop 2", 4)
    ]  # fmt: skip
    assert {s.samples for s in scores} == {("g3", "g4")}
    assert {s.n_train for s in scores} == {3}
    assert made.score.pearson.min() > 0.9
    assert made.score.pooled > 0.9
    assert made.curve is not None
    assert made.curve.n_train.tolist() == [1, 2, 3]
    assert "averages add" in capsys.readouterr().out


def test_unseen_samples_take_no_part():
    X, y, groups = samples(5)
    found = propensity_score(X, y, groups, target="d2min", unseen=[3, 4])
    changed = np.where(groups == 4, -y, y)
    other = propensity_score(X, changed, groups, target="d2min", unseen=[3, 4])
    assert (found.samples, found.n_train) == (("3", "4"), 3)
    assert other.pearson[0] == pytest.approx(found.pearson[0], abs=1e-12)
    assert other.pearson[1] == pytest.approx(-found.pearson[1], abs=1e-12)
    alone = propensity_score(X[groups != 3], y[groups != 3], groups[groups != 3], target="d2min",
                             unseen=[4])  # fmt: skip
    assert alone.pearson[0] == pytest.approx(found.pearson[1], abs=1e-9)
    with pytest.raises(am.InputError, match="of 5 samples 5 are unseen; at least one is needed"):
        propensity_score(X, y, groups, target="d2min", unseen=range(5))


def test_a_learning_curve_goes_between_two_laws():
    n = np.arange(1, 10)
    r = np.tile((0.9 - 0.3 / n)[:, None], (1, 3))
    curve = PropensityCurve(target="d2min", log=False, inputs="", head="ridge", n_train=n,
                            pearson=r, spearman=r)  # fmt: skip
    low, high = extrapolated(curve, 100)
    assert low == pytest.approx(0.9 - 0.003)
    assert 0.9 < high < 1
    with pytest.raises(am.InputError, match="a curve goes somewhere from 3 points on, got 2"):
        extrapolated(replace(curve, n_train=n[:3], pearson=r[:3], spearman=r[:3]), 100)


@pytest.mark.slow
def test_d2min_of_a_supercooled_liquid_is_mostly_structure(shared, tmp_path):
    """Ten samples of BOTAN at T = 0.44: D2min at 0.80 or more, radial columns alone far below."""
    folder = shared / "data" / "ka_T0.44"
    starts = sorted(folder.glob("*.initial.dump"))
    ends = sorted(folder.glob("*.endpoints.dump.gz"))
    species = ("A", "B")
    table = label_thermal(
        ThermalSample(a.name, am.read(a, species), am.iread(b, species))
        for a, b in zip(starts, ends, strict=True)
    )
    write_table(tmp_path / "labels.zarr", table)
    inherent = sorted(folder.glob("*.inherent.dump"))
    words = ["--labels", tmp_path / "labels.zarr", "--species", "A", "B", "--n-jobs", 1]
    out = tmp_path / "regress.json"
    assert run("regress", *inherent, *words, "-o", out, "--no-curve") == 0
    d2min = read_regression(out).score
    assert d2min.pearson.mean() >= 0.80
    assert d2min.spearman.mean() >= 0.80
    ace = am.ACEDescriptor(cutoff=4.0, species=species, max_order=1)
    frames = [am.read(path, species) for path in inherent]
    X, found, groups = sample_inputs(table_samples(table, frames), ace, targets=["propensity"])
    y = found["propensity"]
    moved = propensity_score(X, y, groups, target="propensity")
    assert moved.pearson.mean() >= 0.76
    alone = propensity_score(X[:, :20], y, groups, target="propensity")
    assert 0.55 < alone.pearson.mean() < 0.65
