import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import amorphace as am
from amorphace import cli
from amorphace.learn.leverage import Leverage
from amorphace.learn.model import LinearModel
from amorphace.learn.predict import iter_scores, model_descriptor, score
from amorphace.learn.scored import write_scores

from test_ace_features import glass

ACE = {"cutoff": 1.9, "species": ("A", "B"), "max_order": 2, "max_degree": 5, "n_max": 5}


def run(*words):
    """Exit code of the command line, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["amorphace", *map(str, words)])
        try:
            cli.main()
        except SystemExit as end:
            return end.code or 0
    return 0


def fitted(n_columns=None, **words):
    """A model with random weights, as if it had been fitted to features of these settings."""
    ace = am.ACEDescriptor(**(ACE | words))
    names = ace.get_feature_names_out()[:n_columns]
    settings = {k: v for k, v in ace.get_params().items() if k != "n_jobs"}
    return LinearModel(
        names=names,
        weights=np.random.default_rng(3).normal(size=len(names)) / len(names),
        intercept=0.3,
        mean=np.zeros(len(names)),
        scale=np.ones(len(names)),
        strength=1.0,
        settings=settings,
        version="0",
    )


def test_score_is_the_logistic_function_of_the_log_odds():
    model, unseen = fitted(), glass(11)
    f = am.ACEDescriptor(**ACE).transform(unseen) @ model.weights + model.intercept
    p = score(model, unseen, centres=("A", "B"))
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-f)), rtol=1e-12)
    assert 0 < p.min() < p.max() < 1


def test_only_the_chosen_species_gets_a_score():
    model, unseen = fitted(), glass(11)
    count_a = (unseen.species == "A").sum()
    majority = "A" if count_a > len(unseen) / 2 else "B"
    minority = {"A": "B", "B": "A"}[majority]
    assert (np.isfinite(score(model, unseen)) == (unseen.species == majority)).all()
    by_hand = score(model, unseen, centres=minority)
    assert (np.isfinite(by_hand) == (unseen.species == minority)).all()
    named = replace(model, centres=(minority,))
    np.testing.assert_array_equal(score(named, unseen), by_hand)


@pytest.mark.parametrize("n_columns", [3, 10, 17])
def test_a_model_of_leading_columns_needs_only_their_orders(n_columns):
    model, unseen = fitted(n_columns), glass(2)
    B = am.ACEDescriptor(**ACE).transform(unseen)[:, :n_columns]
    expected = model.predict_proba(B)[:, 1]
    np.testing.assert_allclose(score(model, unseen, centres=("A", "B")), expected, rtol=1e-12)
    by_degree = fitted(n_columns, sort="degree")
    B = am.ACEDescriptor(**ACE, sort="degree").transform(unseen)[:, :n_columns]
    expected = by_degree.predict_proba(B)[:, 1]
    np.testing.assert_allclose(score(by_degree, unseen, centres=("A", "B")), expected, rtol=1e-12)


def test_frames_are_scored_one_at_a_time():
    taken = []

    def frames():
        for k in range(3):
            taken.append(k)
            yield glass(k)

    model = fitted()
    for k, (frame, values, *_) in enumerate(iter_scores(model, frames())):
        assert taken == list(range(k + 1))
        np.testing.assert_array_equal(values, score(model, frame))


def column(path, name):
    """A column of a dump's only frame."""
    lines = path.read_text().splitlines()
    head = next(k for k, line in enumerate(lines) if line.startswith("ITEM: ATOMS"))
    place = lines[head].split()[2:].index(name)
    return np.array([line.split()[place] for line in lines[head + 1 :]], dtype=float)


def test_command_writes_the_score_beside_every_particle(tmp_path, capsys):
    model, unseen = fitted(), glass(5)
    model.to_json(tmp_path / "model.json")
    am.write(tmp_path / "glass.dump", unseen)
    out = tmp_path / "scored.dump"
    assert run("predict", tmp_path / "model.json", tmp_path / "glass.dump", "-o", out) == 0
    np.testing.assert_allclose(column(out, "score"), score(model, unseen), rtol=1e-12)
    np.testing.assert_array_equal(am.read(out).positions, unseen.positions)
    assert f"{np.isfinite(score(model, unseen)).sum()} scores in 1 frame" in capsys.readouterr().out
    assert run("predict", tmp_path / "model.json", tmp_path / "glass.dump", "-o", out) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["scored.xyz", "scored.dump", "scored.xyz.gz"])
def test_every_frame_of_a_trajectory_is_written(tmp_path, name):
    fitted().to_json(tmp_path / "model.json")
    frames = [glass(k) for k in range(3)]
    am.write(tmp_path / "run.dump", frames)
    out = tmp_path / name
    assert run("predict", tmp_path / "model.json", tmp_path / "run.dump", "-o", out) == 0
    written = list(am.iread(out, ("A", "B")))
    assert len(written) == 3
    for a, b in zip(written, frames, strict=True):
        np.testing.assert_array_equal(a.species, b.species)
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-12)
    listing = ".amorphace.sha256"
    assert {p.name for p in tmp_path.iterdir()} == {"model.json", "run.dump", name, listing}


def test_what_the_model_does_not_fit_is_said(tmp_path, capsys):
    model, unseen = fitted(), glass(1)
    other = am.Configuration(positions=unseen.positions, species="Cu", cell=unseen.cell)
    with pytest.raises(am.InputError, match=r"species Cu not known .* was fitted for A, B"):
        score(model, other)
    lacking = replace(model, settings={"species": ["A", "B"], "cutoff": 1.9})
    with pytest.raises(am.InputError, match=r"does not say max_order, max_degree.*fit it again"):
        score(lacking, unseen)
    renamed = replace(model, names=("A1", "Z9", *model.names[2:]))
    with pytest.raises(am.InputError, match=r"1 of the model's .* features \(first: 'Z9'\)"):
        score(renamed, unseen)
    with pytest.raises(am.InputError, match=r"no particle is of species C; .* holds A, B"):
        score(model, unseen, centres="C")
    nonsense = replace(model, settings={**model.settings, "max_order": 9})
    with pytest.raises(am.InputError, match="max_order must be a whole number from 1 to 4, got 9"):
        model_descriptor(nonsense)
    (tmp_path / "table.json").write_text(json.dumps({"a": 1}))
    am.write(tmp_path / "glass.dump", unseen)
    words = [tmp_path / "table.json", tmp_path / "glass.dump", "-o", tmp_path / "out.xyz"]
    assert run("predict", *words) == 2
    assert "not a model" in capsys.readouterr().err


def test_a_failed_run_leaves_nothing_behind(tmp_path):
    model, frames = fitted(), [glass(0), glass(1)]
    with pytest.raises(am.InputError, match="holds a single frame with scores"):
        write_scores(tmp_path / "out.npz", model, frames)
    with pytest.raises(am.InputError, match="no frame to write"):
        write_scores(tmp_path / "out.xyz", model, [])
    with pytest.raises(am.InputError, match="not written in this format"):
        write_scores(tmp_path / "out.txt", model, frames)
    one_kind = am.Configuration(positions=frames[1].positions, species="B", cell=frames[1].cell)
    with pytest.raises(am.InputError, match=r"type numbers.*write \.xyz"):
        write_scores(tmp_path / "out.dump", model, [frames[0], one_kind])
    assert list(tmp_path.iterdir()) == []
    assert write_scores(tmp_path / "out.npz", model, frames[:1])[0] == 1
    assert len(am.read(tmp_path / "out.npz")) == len(frames[0])


def test_a_glass_outside_of_what_was_learned_is_warned_about(tmp_path, capsys):
    bare, known = fitted(max_order=1), glass(1)
    ace = am.ACEDescriptor(**(ACE | {"max_order": 1}))
    X = np.vstack([ace.transform(am.Sites(g, g.species == "A")) for g in map(glass, range(12))])
    mean, scale = X.mean(axis=0), X.std(axis=0)
    leverage = Leverage.of((X - mean) / scale, 1.0)
    model = replace(bare, centres=("A",), mean=mean, scale=scale, leverage=leverage)
    model.to_json(tmp_path / "model.json")
    shrunk = am.Configuration(
        positions=0.8 * known.positions, species=known.species, cell=0.8 * known.cell
    )
    for name, frame in (("known", known), ("shrunk", shrunk)):
        am.write(tmp_path / f"{name}.dump", frame)
        words = (tmp_path / "model.json", tmp_path / f"{name}.dump", "-o", tmp_path / f"{name}.xyz")
        assert run("predict", *words) == 0
    said = capsys.readouterr().out
    assert said.count("of the scored particles lie outside of what the model learned from") == 1
    (scored,) = iter_scores(model, [known])
    assert "rigidity:R:1" in (tmp_path / "known.xyz").read_text().splitlines()[1]
    assert np.nanmin(scored.rigidity) > np.nanmin(next(iter_scores(model, [shrunk])).rigidity)


def test_labels_of_a_file_are_renamed_as_the_model_calls_them(tmp_path, capsys):
    model, unseen = fitted(), glass(11)
    model.to_json(tmp_path / "m.json")
    metal = replace(unseen, species=np.where(unseen.species == "A", "Cu", "Zr"))
    am.write(tmp_path / "metal.xyz", metal)
    words = ["predict", tmp_path / "m.json", tmp_path / "metal.xyz", "-o", tmp_path / "out.gsd"]
    assert run(*words) == 2
    assert "is not declared: the declared species are A, B" in capsys.readouterr().err
    assert run(*words, "--rename", "Cu=A,Zr=B") == 0
    scores = am.read_columns(tmp_path / "out.gsd", "score")["score"]
    np.testing.assert_allclose(scores, score(model, unseen), rtol=1e-5)
    assert am.read(tmp_path / "out.gsd").species.tolist() == metal.species.tolist()
    for word, text in (
        ("Cu", "give pairs of labels"),
        ("Cu=C", "the model has no species C; there are A, B"),
        ("Ni=A,Zr=B", "species 'Cu' is not declared: the declared species are Ni, Zr"),
    ):
        assert run(*words, "--overwrite", "--rename", word) == 2
        assert text in capsys.readouterr().err
