"""Scores of all particles of samples left out: ranks of events, correlations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import amorphace as am
from amorphace.core.errors import InputError
from amorphace.dataset.sheared import DataStep
from amorphace.dataset.table import Columns, Table
from amorphace.learn.events import before_events, judged_events
from amorphace.learn.everyone import Judged, event_scores, shear_scores, thermal_scores
from amorphace.learn.fit import fit_model, unseen_models
from amorphace.learn.predict import score

from test_ace_features import glass

WORDS = {"cutoff": 1.9, "species": ("A", "B"), "max_order": 1, "n_max": 3}


def test_the_core_of_an_event_ranks_from_minus_one_to_one() -> None:
    rng = np.random.default_rng(0)
    d2min, active = np.zeros(400), np.zeros(400, dtype=bool)
    d2min[[3, 7]], active[[3, 7]] = [5.0, 2.0], True
    s = rng.random(400)
    chance = [event_scores(rng.permutation(s), d2min, active) for _ in range(500)]
    core, precision, mcc = np.mean(chance, axis=0)
    assert core == pytest.approx(0, abs=4 * 0.577 / np.sqrt(500))
    assert precision < 0.04  # the share is 0.005, and the mean of few is skewed
    assert abs(mcc) < 0.02
    s[[3, 7]] = 2.0, 3.0
    assert event_scores(s, d2min, active) == (pytest.approx(1 - 2 / 399), 1.0, 1.0)
    assert event_scores(-s, d2min, active)[0] == pytest.approx(-1 + 2 / 399)
    s[5] = np.nan  # a particle without a score does not count
    assert event_scores(s, d2min, active)[0] == pytest.approx(1 - 2 / 398)
    assert event_scores(np.ones(400), d2min, active)[0] == 0
    with pytest.raises(InputError, match="an event needs active particles, others, and D2min; got"):
        event_scores(s, d2min, np.zeros(400, dtype=bool))


@pytest.fixture(scope="module")
def taught() -> tuple[Table, list[am.Configuration]]:
    """Four samples; a particle is active where its A neighbours are near."""
    ace = am.ACEDescriptor(**WORDS).fit()
    glasses = [glass(k) for k in range(4)]
    X = [ace.transform(am.Sites(g, g.species == "A")) for g in glasses]
    middle = np.median(np.concatenate(X)[:, 0])
    basis = ace.basis_
    settings = {k: v for k, v in ace.get_params().items() if k not in ("cutoff", "n_jobs")}
    ids = [g.ids[g.species == "A"] for g in glasses]
    return Table(
        sample=np.repeat(np.arange(4), [len(x) for x in X]),
        particle_id=np.concatenate(ids),
        species=["A"] * sum(map(len, X)),
        label=(np.concatenate(X)[:, 0] < middle).astype(int),
        features={1.9: np.concatenate(X)},
        columns=Columns(
            names=ace.get_feature_names_out(), order=basis.order, z=basis.z, n=basis.n, l=basis.l
        ),
        sample_names=[f"s{k}" for k in range(4)],
        provenance={"parameters": settings | {"cutoffs": [1.9]}},
    ), glasses


def judged(k: int, g: am.Configuration, **words) -> Judged:
    """D2min falls with the first radial column of A particles."""
    ace = am.ACEDescriptor(**WORDS)
    values = np.where(g.species == "A", np.exp(-ace.transform(g)[:, 0]), np.nan)
    return Judged(sample=f"s{k}", configuration=g, targets={"d2min": values}, **words)


def test_the_score_of_all_particles_is_that_of_a_model_without_their_sample(taught) -> None:
    table, glasses = taught
    model = fit_model(table, 1.9, strengths=[1.0])
    models = unseen_models(table, model, n_splits=4)
    assert list(models) == ["s0", "s1", "s2", "s3"]
    alone = fit_model(table.take(table.sample != 2), 1.9, strengths=[model.strength])
    np.testing.assert_array_equal(score(models["s2"], glasses[2]), score(alone, glasses[2]))
    found = thermal_scores(models, (judged(k, g) for k, g in enumerate(glasses)))
    assert (found.folds, found.labels) == (("s0", "s1", "s2", "s3"), ("d2min",))
    assert found["spearman"].min() > 0.7
    assert found["pearson"].shape == (1, 4)
    with pytest.raises(InputError, match="no model has been fitted without sample 's9'"):
        thermal_scores(models, [judged(9, glasses[0])])
    with pytest.raises(InputError, match="no configurations to judge the model by"):
        thermal_scores(models, [])


def reordered(g: am.Configuration) -> am.Configuration:
    """The same glass, its A particles in another order."""
    of_a, positions = np.flatnonzero(g.species == "A"), g.positions.copy()
    positions[of_a] = positions[np.random.default_rng(1).permutation(of_a)]
    return am.Configuration(positions=positions, species=g.species, cell=g.cell, ids=g.ids)


def test_events_are_judged_at_the_strain_that_is_still_to_come(taught) -> None:
    table, glasses = taught
    models = unseen_models(table, fit_model(table, 1.9, strengths=[1.0]), n_splits=4)

    def events():
        for k, g in enumerate(glasses[:2]):
            d = judged(k, g).targets["d2min"]
            active = d >= np.nanmax(d)
            for strain in (0.0, 0.005):
                at = g if strain == 0 else reordered(g)  # where there is nothing to know
                words = {"active": active, "strain": strain, "targets": {"d2min": d}}
                yield Judged(sample=f"s{k}", configuration=at, **words)

    found = shear_scores(models, events())
    assert found.x.tolist() == [0.0, 0.005]
    assert found.folds == ("s0", "s1")
    assert found["core"][0].min() > 0.8 > found["core"][1].mean()
    assert found["core"].shape == found["mcc"].shape == (2, 2)
    assert found["n_events"].tolist() == [[1, 1], [1, 1]]
    of_a = [int((g.species == "A").sum()) for g in glasses[:2]]
    assert found["share"][0] == pytest.approx(1 / np.array(of_a))
    with pytest.raises(InputError, match="an event needs its particles and their d2min"):
        shear_scores(models, [judged(0, glasses[0])])
    with pytest.raises(InputError, match="no events to judge the model by"):
        shear_scores(models, [])


def sheared_labels(g: am.Configuration) -> Table:
    """Two events of a sample: two particles at step 3, one at step 30, and two inactive ones."""
    ids = g.ids[g.species == "A"][:5]
    return Table(
        sample=[0] * 5,
        particle_id=ids,
        species=["A"] * 5,
        step=[3, 3, 30, 3, 30],
        label=[1, 1, 1, 0, 0],
        targets={"d2min": [2.0, 5.0, 3.0, 0.1, 0.1], "maximum": [5.0] * 5},
        sample_names=["s0"],
    )


def test_an_event_is_judged_by_what_came_a_strain_before_it(taught) -> None:
    g = taught[1][0]
    steps = [DataStep(k, 0.5 + 0.0005 * k, replace(g, step=k), g) for k in range(1, 41)]
    labels = sheared_labels(g)
    found = list(before_events(labels, 0, iter(steps)))
    at = [(j.configuration.step, j.strain, int(j.active.sum())) for j in found]
    assert at == [(3, 0.0, 2), (1, 0.001, 2), *((30 - k, 0.0005 * k, 1) for k in (0, 2, 4, 10, 20))]
    (core,) = np.flatnonzero(found[0].targets["d2min"] == 5.0)
    assert g.ids[core] == labels.particle_id[1]
    assert np.isfinite(found[0].targets["d2min"]).sum() == 2
    with pytest.raises(InputError, match="s0 has an event at step 30, of which there is no con"):
        list(before_events(labels, 0, steps[:20]))
    bare = am.Configuration(positions=g.positions[:2], species="A", cell=g.cell)
    few = [DataStep(3, 0.1, bare, bare)]
    with pytest.raises(InputError, match="s0 holds no particle id"):
        list(before_events(labels, 0, few))


def test_every_event_is_judged_by_a_model_without_its_sample(taught) -> None:
    table, glasses = taught
    model = fit_model(table, 1.9, strengths=[1.0])
    labels = sheared_labels(glasses[0])
    steps = [DataStep(k, 0.0005 * k, glasses[0], glasses[0]) for k in range(1, 41)]
    models = unseen_models(table, model, n_splits=4)
    found = shear_scores(models, judged_events(labels, [steps]))
    assert (found.name, found.folds) == ("events", ("s0",))
    assert found["n_events"][:, 0].tolist() == [2, 2, 1, 1, 1]
