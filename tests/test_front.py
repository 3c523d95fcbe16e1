"""From files to a score in a few lines: the same numbers as the commands, models by name."""

from __future__ import annotations

import html
import importlib
import json
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

import amorphace as am
from amorphace.core.neighbors import find_neighbors
from amorphace.dataset.zarr_table import read_table
from amorphace.front.predictor import Predictor, shipped_models
from amorphace.learn.analysis import analyse
from amorphace.learn.bundle import AnalysisSettings
from amorphace.learn.everyone import judged_glasses, thermal_scores
from amorphace.learn.fit import unseen_models
from amorphace.learn.points import order_ends
from amorphace.learn.worth import Score
from amorphace.observe.structure import first_peak
from test_cli import run
from test_plausible import amorphous, dump

pytestmark = pytest.mark.filterwarnings("ignore:.*outside of what the model learned")

THREE = (1, 2, 3)
WORDS = {"cutoff": 2.0, "fraction": 0.1, "max_order": 2, "max_degree": 4, "n_max": 4}


def liquid() -> am.Configuration:
    """The inherent structure of a Kob-Andersen liquid of 256 particles at T = 0.45."""
    return am.read(Path(__file__).parent / "golden" / "kob-andersen.dump", ("A", "B"))


def shaken(start: am.Configuration, seed: int, size: float) -> am.Configuration:
    """Particles with many B neighbours have come farther than others."""
    near = find_neighbors(start, 1.6)
    crowd = np.bincount(near.centre, start.species[near.index] == "B", minlength=len(start))
    steps = np.random.default_rng(seed).normal(size=(len(start), 3))
    return am.Configuration(
        positions=start.positions + size * (1 + crowd / crowd.mean())[:, None] * steps,
        species=start.species,
        cell=start.cell,
        ids=start.ids,
        step=100,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Small ensembles as dumps: starts, ends, inherent structures."""
    place = tmp_path_factory.mktemp("small")
    for k in THREE:
        start = amorphous(k)
        (place / f"s{k}.initial.dump").write_text(dump(start))
        (place / f"s{k}.inherent.dump").write_text(dump(shaken(start, k, 0.01)))
        ends = [dump(shaken(start, j + 5 * k, 0.06)) for j in range(2)]
        (place / f"s{k}.ends.dump").write_text("".join(ends))
    return place


@pytest.fixture(scope="module")
def samples(folder):
    return am.load(
        str(folder / "s*.initial.dump"),
        endpoints=[folder / f"s{k}.ends.dump" for k in reversed(THREE)],
        inherent=str(folder / "s*.inherent.dump"),
        species="AB",
    )


@pytest.fixture(scope="module")
def fitted(samples) -> Predictor:
    return am.fit(samples, **WORDS, title="Soft spheres", n_jobs=1)


def test_files_find_their_samples(samples, folder):
    assert [sample.name for sample in samples] == ["s1", "s2", "s3"]
    assert repr(samples) == "Samples(3 of 768 particles of A, B: s1, s2, s3)"
    assert [len(samples[:2]), samples.by] == [2, "name"]
    assert re.search(r"<td>s3</td><td>256</td><td>s3\.initial\.dump, s3\.ends\.dump, s3\.inherent",
                     samples._repr_html_())  # fmt: skip
    ends = list(am.iread(folder / "s2.ends.dump", ("A", "B")))
    for _ in range(2):  # read anew whenever they are asked for
        assert [e.positions[5].tolist() for e in samples[1].ends] == [
            e.positions[5].tolist() for e in ends
        ]


def test_fit_gives_the_numbers_of_the_commands(fitted, folder, tmp_path):
    starts, ends, quiet = (
        sorted(folder.glob(f"*.{kind}.dump")) for kind in ("initial", "ends", "inherent")
    )
    labels, table = tmp_path / "labels.zarr", tmp_path / "table.zarr"
    words = ["--species", "A,B"]
    assert run("label", *starts, "--endpoints", *ends, "--fraction", 0.1, *words, "-o", labels) == 0
    words += ["--cutoff", 2, "--max-order", 2, "--max-degree", 4, "--n-max", 4, "-o", table]
    assert run("describe", *quiet, "--labels", labels, *words) == 0
    data, known = read_table(table), read_table(labels)
    analysis = analyse(
        data,
        settings=AnalysisSettings(
            parts=("accuracy", "model"), n_columns=tuple(order_ends(data.columns).values())
        ),
    )
    assert analysis.model is not None
    np.testing.assert_array_equal(fitted.model.weights, analysis.model.weights)
    assert fitted.model.settings == analysis.model.settings
    assert fitted.model.centres == ("A",)
    glasses = [am.read(path, ("A", "B")) for path in quiet]
    judged = judged_glasses(data, known, glasses)
    everyone = thermal_scores(unseen_models(data, analysis.model, n_splits=3), judged)
    (chosen,) = analysis.curves("model")
    found = {s.name: s for s in fitted.scores}
    assert found["accuracy"].mean == chosen.mean[0]
    assert found["accuracy"].error == pytest.approx(chosen.error[0])
    assert found["ROC-AUC"].mean == pytest.approx(chosen["roc_auc"].mean())
    assert found["Spearman with d2min"].mean == pytest.approx(everyone.mean[0])
    assert {s.n for s in fitted.scores} == {3}
    assert found["accuracy"].mean > 0.7
    assert found["Spearman with d2min"].mean > 0.2


def test_a_model_tells_what_it_is_worth(fitted):
    text = repr(fitted)
    assert text.startswith("Predictor(Soft spheres: ")
    of = r"\(n = 3; most and least mobile 10 % of A\)"
    assert re.search(rf"\n  accuracy 0\.\d{{3}} ± 0\.\d{{3}} {of}", text)
    assert re.search(r"\n  Spearman with propensity 0\.\d+ ± 0\.\d+ \(n = 3; all A\)", text)
    assert len(text) < 1500
    row = r"<td>accuracy</td><td>0\.\d+ ± 0\.\d+</td><td>0\.5</td>"
    assert re.search(row, fitted._repr_html_())


def test_a_model_is_the_same_after_it_was_saved(fitted, tmp_path):
    fitted.save(tmp_path / "model.json")
    again, glass = am.load_model(tmp_path / "model.json"), fitted.unseen.configuration
    np.testing.assert_array_equal(again.score(glass), fitted.score(glass))
    assert repr(again) == repr(fitted)
    assert again.card.peak == fitted.card.peak
    with pytest.raises(am.InputError, match="a model that was loaded holds no sample to draw"):
        again.plot()


def test_the_score_of_the_sample_drawn_is_of_a_model_that_has_not_seen_it(fitted):
    own = fitted.unseen
    seen = fitted.score(own.configuration)
    assert not np.allclose(own.columns["score"], seen, equal_nan=True)
    figure = fitted.plot()
    assert len([axes for axes in figure.axes if axes.get_title()]) == 2
    assert fitted.plot(own.configuration).axes[0].collections
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_other_targets_choose_other_particles(samples, fitted):
    by_distance = am.fit(samples, **WORDS, target="propensity", n_jobs=1)
    assert not np.array_equal(by_distance.model.mean, fitted.model.mean)
    assert list(by_distance.unseen.columns) == ["propensity", "score"]
    with pytest.raises(am.InputError, match=r"target must be one of d2min, propensity, got 'd2'"):
        am.fit(samples, target="d2")  # type: ignore[arg-type]


def test_files_in_another_unit_give_the_same_scores(samples, fitted):
    """All lengths times 2.6, sigma with them."""

    def large(c: am.Configuration) -> am.Configuration:
        return am.Configuration(
            positions=2.6 * c.positions,
            species=c.species,
            cell=2.6 * c.cell,
            ids=c.ids,
            step=c.step,
        )

    again = am.load(
        [large(s.start) for s in samples],
        endpoints=[[large(end) for end in s.ends] for s in samples],
        inherent=[large(s.structure) for s in samples],
    )
    scaled = am.fit(again, **WORDS, sigma=2.6, n_jobs=1)
    for one, other in zip(scaled.scores, fitted.scores, strict=True):
        assert one.mean == pytest.approx(other.mean, abs=2e-3)
    glass = samples[0].structure
    expected = fitted.score(glass)
    np.testing.assert_allclose(fitted.score(large(glass), sigma=2.6), expected, rtol=1e-8)
    auto = fitted.score(large(glass), sigma="auto")
    known = np.isfinite(expected)
    assert np.corrcoef(auto[known], expected[known])[0, 1] > 0.95


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"initial": "none*.dump"}, r"initial: no file is called none\*\.dump"),
        ({"initial": []}, "initial: nothing is given"),
        ({"initial": [liquid()], "endpoints": []}, "nothing is given"),
        ({"initial": [liquid()] * 2, "endpoints": [[liquid()]]},
         "2 initial configurations need as many sequences of endpoints, got 1"),
        ({"initial": [liquid()], "endpoints": [[liquid()]], "species": "big"},
         "labels that begin with a capital"),
    ],
)  # fmt: skip
def test_what_cannot_be_loaded_is_said(words, text):
    with pytest.raises(am.InputError, match=text):
        am.load(words.pop("initial"), **words)


def test_files_are_checked_as_by_the_command(folder, tmp_path):
    starts, ends = (str(folder / f"s*.{kind}.dump") for kind in ("initial", "ends"))
    with pytest.raises(am.InputError, match=r"give the end points of the runs as endpoints"):
        am.load(starts)
    with pytest.raises(am.InputError, match=r"as many files of end points \(endpoints\), got 1"):
        am.load(starts, endpoints=folder / "s1.ends.dump")
    for k in THREE:
        text = (folder / f"s{max(k, 2)}.ends.dump").read_text()
        (tmp_path / f"s{k}.e.dump").write_text(text)
    with pytest.raises(am.InputError, match=r"end points s1\.e\.dump and s2\.e\.dump are the same"):
        am.load(starts, endpoints=str(tmp_path / "*.e.dump"))
    with pytest.raises(am.InputError, match=r"holds several frames: frame"):
        am.load(ends, endpoints=starts)


# ---- models that come with amorphace

GOLDEN = {
    "kob-andersen": [0.7707253613246283, 0.8328900302190839, 0.012299951991621745],
    "wahnstrom": [5.136493274783907e-10, 2.026997513355191e-12, 1.268015377941701e-10],
}


def test_models_come_with_the_package():
    assert set(shipped_models()) >= set(GOLDEN)
    for name in shipped_models():
        known = am.load_model(name)
        first = known.scores[0]
        assert isinstance(first, Score)
        assert (first.name, first.chance) == ("accuracy", 0.5)
        assert first.mean - first.error > 0.6
        assert first.n >= 3
        for field in ("title", "state", "units", "structure", "limits", "source"):
            assert getattr(known.card, field), (name, field)
        assert 0.9 < known.card.peak < 1.2
        path = Path(am.__file__).parent / "models" / f"{name}.json"
        assert path.stat().st_size < 60_000
        assert "/work/" not in path.read_text()


@pytest.mark.parametrize("name", GOLDEN)
def test_scores_of_a_shipped_model_stand(name):
    found = am.load_model(name).score(liquid())
    np.testing.assert_allclose(found[1:6:2], GOLDEN[name], rtol=1e-10)
    assert (np.isfinite(found) == (liquid().species == "A")).all()


@pytest.mark.parametrize("name", GOLDEN)
def test_the_score_does_not_depend_on_how_a_glass_is_held(name):
    known, glass = am.load_model(name), liquid()
    expected, rng = known.score(glass), np.random.default_rng(5)
    for turn in (np.eye(3)[[1, 2, 0]], np.diag([1, -1, -1]), np.eye(3)[[1, 0, 2]]):
        order = rng.permutation(len(glass))
        held = am.Configuration(
            positions=(glass.positions @ turn + rng.normal(size=3))[order],
            species=glass.species[order],
            cell=glass.cell,
        )
        np.testing.assert_allclose(known.score(held), expected[order], rtol=1e-9)


def test_a_glass_unlike_the_one_learned_from_is_warned_about():
    known, glass = am.load_model("kob-andersen"), liquid()
    loose = am.Configuration(
        positions=1.3 * glass.positions, species=glass.species, cell=1.3 * glass.cell
    )
    with pytest.warns(am.core.errors.InputWarning, match=r"learned from inherent structures\."):
        plain = known.score(loose)
    with warnings.catch_warnings(action="error"):
        scaled = known.score(loose, sigma=1.3)
    np.testing.assert_allclose(scaled, known.score(glass), rtol=1e-8)
    assert not np.allclose(plain, scaled, equal_nan=True)
    ratio = first_peak(loose, "A") / known.card.peak
    assert known.sigma(loose) == pytest.approx(ratio, rel=1e-2)


def test_other_labels_stand_for_the_species_of_the_model(tmp_path, capsys):
    known, glass = am.load_model("kob-andersen"), liquid()
    metal = am.Configuration(
        positions=2.5 * glass.positions,
        species=np.where(glass.species == "A", "Zr", "Cu"),
        cell=2.5 * glass.cell,
    )
    expected = known.score(glass)
    found = known.score(metal, sigma=2.5, species=("Zr", "Cu"))
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    assert known.sigma(metal, species=("Zr", "Cu")) == pytest.approx(
        2.5 * known.sigma(glass), rel=5e-3
    )
    for wrong in (("Zr",), ("Zr", "Zr")):
        with pytest.raises(am.InputError, match=r"stands for each of the model's, which are A, B"):
            known.score(metal, species=wrong)
    with pytest.raises(am.InputError, match=r"say with species \(--rename\) which labels stand"):
        known.score(metal)
    am.write(tmp_path / "metal.xyz", metal)
    words = ("predict", "kob-andersen", tmp_path / "metal.xyz", "--rename", "Zr=A,Cu=B")
    assert run(*words, "--sigma", 2.5, "-o", tmp_path / "scored.xyz") == 0
    scored = am.read_columns(tmp_path / "scored.xyz", "score")["score"]
    np.testing.assert_allclose(scored, expected, rtol=1e-6)
    assert am.read(tmp_path / "scored.xyz").species.tolist() == metal.species.tolist()
    assert "lie outside" not in capsys.readouterr().out


def test_names_that_are_none_and_files_that_are_no_model(tmp_path):
    with pytest.raises(am.FileFormatError, match=r"did you mean kob-andersen\? There are: .*kob"):
        am.load_model("kob-anderson")
    (tmp_path / "x.json").write_text('{"format": "another"}')
    with pytest.raises(am.FileFormatError, match="not a model with the format 'amorphace pred"):
        am.load_model(tmp_path / "x.json")
    shipped = json.loads((Path(am.__file__).parent / "models" / "wahnstrom.json").read_text())
    (tmp_path / "y.json").write_text(json.dumps(shipped | {"format_version": 9}))
    with pytest.raises(am.FileFormatError, match="format version 9; this program reads version 1"):
        am.load_model(tmp_path / "y.json")
    plain = am.load_model("wahnstrom").model
    plain.to_json(tmp_path / "z.json")
    found = am.load_model(tmp_path / "z.json")
    np.testing.assert_array_equal(found.model.weights, plain.weights)
    with pytest.raises(am.InputError, match=r"does not say where g\(r\) of its glass has"):
        found.sigma(liquid())


def test_predict_takes_a_name_and_a_unit(tmp_path, capsys):
    glass = liquid()
    in_angstrom = am.Configuration(
        positions=2.5 * glass.positions, species=glass.species, cell=2.5 * glass.cell
    )
    am.write(tmp_path / "s.dump", glass)
    am.write(tmp_path / "a.xyz", in_angstrom)
    words = ["predict", "kob-andersen"]
    assert run(*words, tmp_path / "s.dump", "-o", tmp_path / "s.xyz") == 0
    assert run(*words, tmp_path / "a.xyz", "--sigma", 2.5, "-o", tmp_path / "b.xyz") == 0
    one, two = (am.read_columns(tmp_path / f"{k}.xyz", "score")["score"] for k in "sb")
    np.testing.assert_allclose(two, one, rtol=1e-6)
    said = capsys.readouterr().out
    assert "s.xyz: 205 scores in 1 frame" in said
    assert run(*words, tmp_path / "a.xyz", "--sigma", "auto", "-o", tmp_path / "c.xyz") == 0
    assert re.search(r"1 frame; sigma is 2\.\d+\n", capsys.readouterr().out)
    assert run(*words, tmp_path / "a.xyz", "--sigma", "x", "-o", tmp_path / "d.xyz") == 2
    assert "sigma (--sigma) x: give a length" in capsys.readouterr().err
    assert run("predict", "--list") == 0
    said = capsys.readouterr().out
    assert re.search(r"wahnstrom +│ Wahnström mixture.* 0\.9\d\d ± 0\.0\d\d", said)


# ---- a glass to look at


def test_a_view_is_one_file_that_a_notebook_shows(tmp_path):
    glass = liquid()
    score = am.load_model("kob-andersen").score(glass)
    shown = am.view(glass, score, title='<b>"hot" & cold</b>')
    text = shown.save(tmp_path / "glass.html").read_text()
    assert "<title>&lt;b&gt;&#34;hot&#34; &amp; cold&lt;/b&gt;</title>" in text
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "plotly" not in re.sub(r"<script>.*?</script>", "", text, flags=re.S).lower()
    assert len(text) < 200_000
    frame = shown._repr_html_()
    assert frame.startswith('<iframe srcdoc="')
    assert html.unescape(frame.split('"')[1]) == text
    assert re.fullmatch(r"View\(0\.\d MB; \.save\('glass\.html'\) or \.open\(\)\)", repr(shown))


def test_a_view_takes_what_other_packages_made_and_refuses_other_lengths():
    atoms = bulk("Cu", cubic=True) * (4, 4, 4)
    assert am.view(atoms, np.linspace(0, 1, len(atoms))).html.count("<canvas") == 1
    two = am.view(atoms, np.zeros(len(atoms)), columns={"d2min": np.ones(len(atoms))})
    assert two.html.count("<canvas") == 2
    with pytest.raises(am.InputError, match=r"column 'score' .* must have shape \(256,\)"):
        am.view(atoms, [1.0, 2.0])


def test_the_modifier_of_ovito_says_what_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "ovito.data", None)
    monkeypatch.delitem(sys.modules, "amorphace.ovito", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'amorphace\[ovito\]'"):
        importlib.import_module("amorphace.ovito")


def test_one_large_glass_is_judged_block_by_block():
    small = amorphous(1)
    shifts = np.stack(np.meshgrid(*[range(3)] * 3, indexing="ij"), -1).reshape(-1, 3) @ small.cell
    glass = am.Configuration(
        positions=np.concatenate([small.positions + shift for shift in shifts]),
        species=np.tile(small.species, 27),
        cell=3 * small.cell,
    )
    samples = am.load([glass], endpoints=[[shaken(glass, k, 0.06) for k in range(2)]])
    one = am.fit(samples, **(WORDS | {"cutoff": 1.6, "max_order": 1}), n_jobs=1)
    assert re.search(r"Folds leave out blocks of the cell, \d x \d x \d of the sample", repr(one))
    assert one.scores[0].n >= 3
    assert one.scores[0].mean > 0.7
    assert re.fullmatch(r"1, block \d", one.unseen.name)
    measured, score = one.unseen.columns.values()
    assert (np.isfinite(score) <= np.isfinite(measured)).all()
    assert 0 < np.isfinite(score).sum() < 0.5 * len(glass)
