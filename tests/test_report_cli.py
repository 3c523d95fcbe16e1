"""`amorphace report`: from results or a table to a page and figures."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

import amorphace as am
from amorphace import cli
from amorphace.dataset.table import Columns, Table
from amorphace.dataset.zarr_table import write_table
from amorphace.learn.analysis import analyse
from amorphace.learn.bundle import AnalysisSettings, write_analysis
from amorphace.learn.contributions import contributions
from amorphace.learn.regression import Regression, write_regression
from amorphace.report.assemble import assemble, make_snapshot
from amorphace.report.content import ReportContent
from amorphace.report.document import document
from amorphace.report.page import page
from amorphace.report.panels import panels

from report_samples import content, learned_propensity
from test_ace_features import glass

WORDS = {"cutoff": 2.0, "species": ("A", "B"), "max_order": 2, "max_degree": 4, "n_max": 4}
PARTS = ("accuracy", "model")


def run(*words) -> int:
    """Exit code of the command line, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["amorphace", *map(str, words)])
        try:
            cli.main()
        except SystemExit as end:
            return end.code or 0
    return 0


@pytest.fixture(scope="module")
def glasses():
    return [glass(k, n=80) for k in range(6)]


@pytest.fixture(scope="module")
def table(glasses) -> Table:
    """All A particles of six glasses; those with many B around them are active."""
    ace = am.ACEDescriptor(**WORDS).fit()
    sites = am.Sites.concatenate([am.Sites(g, g.species == "A") for g in glasses])
    X = ace.transform(sites)
    near_b = -X[:, 4] + np.random.default_rng(0).normal(scale=0.3, size=len(X))
    basis = ace.basis_
    settings = ace.get_params()
    del settings["cutoff"], settings["n_jobs"]
    return Table(
        sample=sites.sample,
        particle_id=sites.ids,
        species=sites.species,
        label=(near_b > np.median(near_b)).astype(int),
        targets={"d2min": np.exp(near_b), "propensity": np.exp(near_b / 2)},
        features={2.0: X},
        columns=Columns(
            names=ace.get_feature_names_out(), order=basis.order, z=basis.z, n=basis.n, l=basis.l
        ),
        sample_names=[f"s{k}" for k in range(6)],
        provenance={"command": "amorphace describe", "parameters": settings | {"cutoffs": [2.0]}},
    )


@pytest.fixture(scope="module")
def analysis(table):
    return analyse(table, settings=AnalysisSettings(parts=PARTS, n_steps=3, n_splits=3))


@pytest.fixture(scope="module")
def folder(table, analysis, glasses, tmp_path_factory):
    place = tmp_path_factory.mktemp("results")
    write_table(place / "table.zarr", table)
    (place / "results").mkdir()
    write_analysis(place / "results", analysis)
    am.write(place / "s0.dump", glasses[0])
    return place


def test_results_and_a_configuration_become_a_page_and_figures(folder, capsys) -> None:
    words = ["--labels", folder / "table.zarr"]
    words += ["--configuration", folder / "s0.dump", "--model", "kob-andersen"]
    words += ["--protocol", "thermal", "--figures", folder / "figures", "--n-jobs", 1]
    (folder / "figures").mkdir()
    (folder / "figures" / "mine.txt").write_text("mine")
    assert run("report", folder / "results", *words, "-o", folder / "report.html") == 2
    assert "figures is there already" in capsys.readouterr().err
    words.append("--overwrite")
    assert run("report", folder / "results", *words, "-o", folder / "report.html") == 0
    assert (folder / "figures" / "mine.txt").read_text() == "mine"
    assert "report.html: 2." in capsys.readouterr().out
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "<title>Kob-Andersen, thermal, 6 samples</title>" in text
    assert "claims, one by one" in text
    assert "s0.dump" in text
    written = {path.name for path in (folder / "figures").iterdir()}
    for name in ("figure-1-radial", "figure-2-slices", "figure-3-accuracy", "clusters-v1"):
        assert {f"{name}.{suffix}" for suffix in ("png", "pdf", "svg")} <= written


def test_nothing_is_overwritten_unasked_and_faults_are_one_line(folder, capsys) -> None:
    there = folder / "there.html"
    there.write_text("mine")
    assert run("report", folder / "results", "-o", there) == 2
    assert "there already" in capsys.readouterr().err
    assert there.read_text() == "mine"
    assert run("report", folder, "-o", folder / "no.html") == 2
    assert "analysis.json" in capsys.readouterr().err
    two = ["--configuration", folder / "s0.dump", "--sample", 1, 2]
    assert run("report", folder / "results", *two, "-o", folder / "no.html") == 2
    assert "1 configurations need as many --sample numbers, got 2" in capsys.readouterr().err
    assert not (folder / "no.html").exists()


def test_results_of_regressions_come_onto_the_page(folder, capsys) -> None:
    scores = content(n=100).propensity
    path = folder / "regress.json"
    write_regression(path, Regression(score=scores[0], curve=learned_propensity()))
    words = ["report", folder / "results", "--regression", path, "-o", folder / "regressed.html"]
    assert run(*words) == 0
    text = (folder / "regressed.html").read_text(encoding="utf-8")
    assert "Regression over all particles" in text
    assert 'id="plot-propensity-curve"' in text
    capsys.readouterr()
    path.write_text("{}")
    assert run(*words[:-1], folder / "no.html") == 2
    assert "the field score of Regression is missing; make it with" in capsys.readouterr().err


def test_several_results_become_one_page_with_figures_on_the_same_axes(folder, capsys) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "analysis.json").write_bytes(
            (folder / "results" / "analysis.json").read_bytes()
        )
    words = [folder / "one", folder / "two", "--figures", folder / "both"]
    assert run("report", *words, "-o", folder / "both.md") == 0
    text = (folder / "both.md").read_text(encoding="utf-8")
    assert "# Cases compared" in text
    assert "| one | " in text
    assert "(a) one, (b) two" in text
    assert (folder / "both" / "cases-figure-3.png").is_file()
    assert (folder / "cases-figure-3.svg").is_file()
    capsys.readouterr()
    words = ["--model", "kob-andersen", "-o", folder / "no.html"]
    assert run("report", folder / "one", folder / "two", *words) == 2
    assert "--model goes with one source, got 2" in capsys.readouterr().err


def test_models_of_the_folds_give_cluster_functions_their_bands(analysis) -> None:
    _, v1 = analysis.curves("v1")
    assert v1.values.shape[1] == 3
    assert (v1.std > 0).any()
    (parts,) = analysis.curves("contributions")
    orders = [k for k, name in enumerate(parts.labels) if ":" not in name]
    assert parts["share"][orders].sum(axis=0) == pytest.approx(1)
    shown = assemble(ReportContent(title="t", analysis=analysis))
    assert {c.cutoff for c in shown.found("radial")} == {2.0}
    assert "clusters-v1" in panels(shown)
    known = (c for c in analysis.results if c.name == "accuracy")
    bare = replace(analysis, model=None, results=tuple(known))
    shown = assemble(ReportContent(title="t", analysis=bare))
    absent = document(shown).sections[-1]
    assert any(line.startswith("Cluster functions: `amorphace learn`") for line in absent.notes)


def test_a_table_that_does_not_name_its_descriptor_has_a_model_and_no_functions(table) -> None:
    unknown = replace(table, provenance={})
    found = analyse(unknown, settings=AnalysisSettings(parts=PARTS, n_columns=(4,), n_splits=3))
    assert found.model is not None
    assert not {"v1", "contributions"} & {c.name for c in found.results}


def test_a_snapshot_holds_the_score_of_the_model_and_the_targets(table, analysis, glasses) -> None:
    shot = make_snapshot("s3", glasses[3], labels=table, sample=3, model=analysis.model)
    assert list(shot.columns) == ["d2min", "label", "propensity", "score"]
    a = glasses[3].species == "A"
    assert np.isnan(shot.columns["score"][~a]).all()
    active = shot.columns["label"] == 1
    inactive = shot.columns["label"] == 0
    assert shot.columns["score"][active].mean() > 0.7 > shot.columns["score"][inactive].mean()


def test_fewer_samples_than_folds_still_make_a_page(table) -> None:
    few = table.take(table.sample < 4)
    analysis = analyse(few, settings=AnalysisSettings(parts=PARTS, n_splits=5))
    assert analysis.curves("v1")[0].values.shape[1] == 4
    assert len(page(document(assemble(ReportContent(title="t", analysis=analysis))))) > 1e6


def test_contributions_are_of_the_features_that_the_model_was_fitted_to(glasses) -> None:
    sites = am.Sites.concatenate([am.Sites(g, g.species == "A") for g in glasses])
    features = {}
    for cutoff in (2.0, 2.5):
        ace = am.ACEDescriptor(**WORDS | {"cutoff": cutoff}).fit()
        features[cutoff] = ace.transform(sites)
    noise = np.random.default_rng(0).normal(size=len(sites.ids))
    near_b = -features[2.5][:, 4] + 0.3 * features[2.5].std() * noise
    basis, settings = ace.basis_, ace.get_params()
    del settings["cutoff"], settings["n_jobs"]
    both = Table(
        sample=sites.sample,
        particle_id=sites.ids,
        species=sites.species,
        label=(near_b > np.median(near_b)).astype(int),
        features=features,
        columns=Columns(
            names=ace.get_feature_names_out(), order=basis.order, z=basis.z, n=basis.n, l=basis.l
        ),
        sample_names=[f"s{k}" for k in range(6)],
        provenance={"parameters": settings | {"cutoffs": [2.0, 2.5]}},
    )
    chosen = AnalysisSettings(
        parts=PARTS, cutoffs=(2.5,), cutoff=2.0, n_columns=(len(basis),), n_splits=3
    )
    found = analyse(both, settings=chosen)
    assert found.model is not None
    assert (found.cutoff, found.model.settings["cutoff"]) == (2.0, 2.5)
    n = len(found.model.names)
    expected = contributions(found.model, features[2.5][:, :n])
    (parts,) = found.curves("contributions")
    share = parts.mean
    np.testing.assert_allclose(share, expected.mean, atol=0.1)
    wrong = contributions(found.model, features[2.0][:, :n])
    assert abs(share - wrong.mean).max() > 0.1
