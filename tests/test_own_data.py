"""Experiments on files of one's own: what they give, and what is said of wrong files."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest

import amorphace as am
from amorphace.campaign.describe import DescribeShear, DescribeThermal
from amorphace.campaign.given import GivenSteps, read_steps
from amorphace.campaign.health import doubts
from amorphace.campaign.label import LabelShear, LabelThermal
from amorphace.campaign.learn import Learn, all_scores
from amorphace.campaign.plan import Plan, make_plan
from amorphace.config import OwnExperiment, read_experiment
from amorphace.core.errors import FileFormatError, InputError
from amorphace.dataset.table import Table
from amorphace.dataset.zarr_table import read_table
from amorphace.learn.fit import fit_model, unseen_models
from amorphace.runs.execute import do_units
from amorphace.runs.store import Store
from test_cli import run, write_ensemble
from test_plausible import amorphous, dump, moved

from campaign_samples import amorphace
from runs_samples import until

HEAD = '[experiment]\nname = "mine"\n[data]\nspecies = ["A", "B"]\n'
THERMAL = f"""{HEAD}
initial = "s*.initial.dump"
endpoints = "s*.ends.dump"
[label]
d2min_cutoff = 1.6
fraction = 0.2
[describe]
cutoffs = [1.5, 2.0]
max_order = 2
max_degree = 5
n_max = 5
"""


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    write_ensemble(folder, 4)
    return folder


def experiment(folder: Path, text: str) -> tuple[Plan, Store]:
    file = folder / "mine.toml"
    file.write_text(text)
    plan = make_plan(read_experiment(file))
    store = Store(folder / "mine.store")
    for digest, path in plan.links.items():
        store.link_file(digest, path)
    return plan, store


def carry_out(plan: Plan, store: Store) -> None:
    """All units but the analysis, one after the other."""
    for unit in plan.units:
        if not isinstance(unit.kind, Learn) and not store.has(unit.id):
            (report,) = do_units(store, [unit])
            assert report.meta is not None, report.error


def same(one: Table, two: Table) -> None:
    for name in ("sample", "particle_id", "species", "step", "label", "positions"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for name, values in one.targets.items():
        np.testing.assert_array_equal(values, two.targets[name])
    assert one.sample_names == two.sample_names
    for cutoff in one.cutoffs:
        np.testing.assert_array_equal(one.feature_rows(cutoff), two.feature_rows(cutoff))


@pytest.fixture(scope="module")
def tables(ensemble):
    """What an experiment on files gives, and the commands label and describe."""
    plan, store = experiment(ensemble, THERMAL)
    carry_out(plan, store)
    starts, ends = sorted(ensemble.glob("*.initial.dump")), sorted(ensemble.glob("*.ends.dump"))
    labels, table = ensemble / "labels.zarr", ensemble / "table.zarr"
    words = ["--species", "A,B", "--cutoff", 1.6, "--fraction", 0.2, "-o", labels]
    assert run("label", *starts, "--endpoints", *ends, *words) == 0
    words = ["--labels", labels, "--species", "A,B", "--max-order", 2, "--max-degree", 5]
    assert run("describe", *starts, *words, "--n-max", 5, "--cutoff", 1.5, 2, "-o", table) == 0
    return plan, store, read_table(labels), read_table(table)


def test_an_experiment_on_files_labels_and_describes_as_the_commands_do(tables):
    plan, store, labels, table = tables
    same(store.load(plan.one(LabelThermal)), labels)
    same(store.load(plan.one(DescribeThermal)), table)


def test_files_are_units_by_their_contents(ensemble, tables, tmp_path):
    plan, _, _, _ = tables
    for file in ensemble.glob("*.dump"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    again, store = experiment(tmp_path, THERMAL)
    assert again.by_id.keys() == plan.by_id.keys()
    file = tmp_path / "s1.ends.dump"
    file.write_text(file.read_text().replace("ITEM: TIMESTEP\n0", "ITEM: TIMESTEP\n7"))
    changed = make_plan(read_experiment(tmp_path / "mine.toml"))
    names = {(u.kind.name, u.name) for u in changed.units if u.id not in plan.by_id}
    assert names == {("measure", "s1")} | {
        (kind, "all samples") for kind in ("label", "describe", "learn")
    }
    unit = next(u for u in again.units if u.kind.name == "measure" and u.name == "s1")
    for start in again.units[:4]:
        list(do_units(store, [start]))
    (report,) = do_units(store, [unit])
    assert f"{file} is gone or has changed; run the experiment again" in report.error


def test_a_diameter_scales_every_length(ensemble, tables, tmp_path):
    for file in ensemble.glob("s?.*.dump"):
        frames = list(am.iread(file, ("A", "B")))
        am.write(
            tmp_path / file.name,
            [f.replace(positions=2.5 * f.positions, cell=2.5 * f.cell) for f in frames],
        )
    larger, store = experiment(tmp_path, THERMAL.replace("[label]", "sigma = 2.5\n[label]"))
    carry_out(larger, store)
    table, own = store.load(larger.one(DescribeThermal)), tables[3]
    assert table.cutoffs == (3.75, 5.0)
    np.testing.assert_array_equal(table.label, own.label)
    np.testing.assert_allclose(table.feature_rows(5.0), own.feature_rows(2.0), rtol=2e-4, atol=2e-4)


SHEARED = f"""{HEAD}
steps = "s*.steps.dump"
[describe]
cutoffs = [2.0]
max_order = 1
n_max = 5
"""


def sheared(seed: int) -> list[am.Configuration]:
    """A glass strained in small steps; in every third a few neighbours change places."""
    rng = np.random.default_rng(seed)
    frames = [amorphous(seed)]
    for k in range(1, 9):
        before = frames[-1]
        x, h = before.positions.copy(), before.cell.copy()
        x[:, 0] += 1e-3 * x[:, 1]
        h[:, 0] += 1e-3 * h[:, 1]
        if k % 3 == 0:
            u = before.fractional() - before.fractional()[rng.integers(256)]
            near = np.linalg.norm((u - u.round()) @ before.cell, axis=1) < 1.3
            x[near] += 0.35 * rng.normal(size=(near.sum(), 3))
        frames.append(am.Configuration(
            positions=x, cell=h, species=before.species, ids=before.ids, step=k
        ))  # fmt: skip
    return frames


def test_sheared_frames_are_labelled_by_the_steps_in_which_particles_rearrange(tmp_path):
    steps = {k: sheared(k) for k in (1, 2, 3)}
    for k, frames in steps.items():
        (tmp_path / f"s{k}.steps.dump").write_text("".join(map(dump, frames)))
    plan, store = experiment(tmp_path, SHEARED)
    carry_out(plan, store)
    table, labels = store.load(plan.one(DescribeShear)), store.load(plan.one(LabelShear))
    assert set(labels.step.tolist()) == {3, 6}
    assert (labels.label == 1).sum() == (labels.label == 0).sum() > 3
    before, after = steps[2][2], steps[2][3]
    d2 = dict(zip(before.ids.tolist(), am.d2min(before, after, 2.5), strict=True))
    rows = (labels.sample == 1) & (labels.step == 3) & (labels.label == 1)
    moved = [d2[i] for i in labels.particle_id[rows].tolist()]
    np.testing.assert_allclose(labels.targets["d2min"][rows], moved, rtol=1e-5)
    assert min(moved) > 0.6
    ace = am.ACEDescriptor(cutoff=2.0, species=("A", "B"), max_order=1, n_max=5)
    X = dict(zip(before.ids.tolist(), ace.transform(before), strict=True))
    rows = (table.sample == 1) & (table.step == 3)
    np.testing.assert_allclose(
        table.feature_rows(2.0)[rows], [X[i] for i in table.particle_id[rows]], rtol=1e-5, atol=1e-5
    )
    run_ = store.load(plan.of_kind(GivenSteps)[0])
    assert [step.strain for step in run_.data_steps()] == pytest.approx(1e-3 * np.arange(1, 9))
    model = fit_model(table, 2.0, strengths=[1.0])
    runs = (read_steps(file, ("A", "B"), "id") for file in sorted(tmp_path.glob("*.steps.dump")))
    events = all_scores(unseen_models(table, model, n_splits=3), table, labels, runs)
    assert events["n_events"].tolist() == [[2, 2, 2], [2, 2, 2], [2, 2, 2], [1, 1, 1]]
    assert events.x.tolist() == [0.0, 0.001, 0.002, 0.005]


def test_one_frame_is_no_sheared_glass(tmp_path):
    (tmp_path / "s1.steps.dump").write_text(dump(amorphous(1)))
    plan, store = experiment(tmp_path, SHEARED)
    (report,) = do_units(store, [plan.units[0]])
    assert "s1.steps.dump holds 1 frame; sheared frames are at least two" in report.error


WRONG = {
    "no such file": (
        'initial = "x*.dump"\nendpoints = "e"', r"data.initial: no file matches \S+x\*\.dump; check"
    ),
    "no ends": ('initial = "s*.initial.dump"', "give the end points of the runs as endpoints"),
    "ends of others": (
        'initial = "s*.initial.dump"\nendpoints = ["s1.ends.dump"]',
        "4 initial configurations need as many files of end points",
    ),
    "twice": (
        'initial = ["s1.initial.dump", "s1.initial.dump"]\n'
        'endpoints = ["s1.ends.dump", "s2.ends.dump"]',
        "s1.initial.dump are the same file",
    ),
    "both": ('initial = "a"\nsteps = "b"', "give initial .starts of runs. or steps"),
    "steps with ends": ('steps = "b"\nendpoints = "e"', "endpoints goes with initial, not with"),
    "masses": (
        'initial = "a"\nendpoints = "b"\nmasses = [1.0]',
        "masses .--masses. must be one for each of the species A, B, in their order; got 1",
    ),
    "unknown": ('initial = "a"\nendpoint = "b"', "did you mean endpoints"),
    "model": ('initial = "a"\nframe = 0\n[model]', r"\[data\] takes the place of \[model\]"),
    "events": (
        'initial = "a"\nframe = 0\n[events]\nthreshold = 1.0',
        r"\[events\] goes with data.steps",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_file_of_an_experiment_on_files_says_what_is_wrong_with_it(case, ensemble):
    text, said = WRONG[case]
    file = ensemble / "wrong.toml"
    file.write_text(HEAD + text)
    with pytest.raises((FileFormatError, InputError), match=said):
        make_plan(read_experiment(file))


def test_samples_are_matched_by_name_and_counted_in_their_order(tmp_path):
    for k in (1, 2, 10):
        for role in ("initial", "ends", "inherent"):
            (tmp_path / f"s{k}.{role}.dump").write_text(f"{k}{role}")
    text = 'initial = "s*.initial.dump"\nendpoints = ["s10.ends.dump", "s[12].ends.dump"]\n'
    (tmp_path / "a.toml").write_text(f'{HEAD}{text}inherent = "s*.inherent.dump"')
    found = read_experiment(tmp_path / "a.toml")
    assert isinstance(found, OwnExperiment)
    samples = found.samples()
    assert [s.name for s in samples] == ["s1", "s2", "s10"]
    assert [s.ends.name for s in samples] == [f"s{k}.ends.dump" for k in (1, 2, 10)]
    assert found.matched_by() == "name"


def test_doubts_about_files_are_kept_with_their_units(tmp_path):
    for k in (1, 2, 3):
        start = amorphous(k)
        size = 0.2 if k == 3 else 0.02
        (tmp_path / f"s{k}.initial.dump").write_text(dump(start))
        ends = [dump(moved(start, j, size=size, step=100 * (1 + j * (k == 2)))) for j in (1, 2, 4)]
        (tmp_path / f"s{k}.ends.dump").write_text("".join(ends))
    plan, store = experiment(tmp_path, THERMAL.replace("d2min_cutoff = 1.6", "d2min_cutoff = 1.0"))
    carry_out(plan, store)
    list(do_units(store, []))
    said = "\n".join(
        text for u in plan.units[:-1] for text in store.meta(u.id).results.get("doubts", ())
    )
    assert "s1: the cutoff 1 reaches" in said
    assert "s2: the end points are 200 to 500 steps after the start" in said
    assert "samples differ in the number of steps from start to end" in said
    assert "particles share the D2min" in said
    assert doubts(Plan(units=plan.units[:-1], experiment=plan.experiment), store)


@pytest.mark.slow
def test_analyse_gives_what_the_commands_give_and_goes_on_after_kills(tmp_path):
    write_ensemble(tmp_path, 6)
    basis = ["--max-order", 2, "--max-degree", 5, "--n-max", 5]
    words = ["analyse", f"{tmp_path}/s*.initial.dump", "--endpoints", f"{tmp_path}/s*.ends.dump",
             "--species", "A,B", "--d2min-cutoff", 1.6, "--fraction", 0.2, "--cutoff", 1.5, 2,
             *basis, "-o", tmp_path / "out"]  # fmt: skip
    chance = random.Random(4)
    store = tmp_path / "out" / "analysis.store"
    for _ in range(5):
        with amorphace(*words) as program:
            until(store.exists)
            time.sleep(chance.uniform(0.5, 6.0))
            os.killpg(program.pid, signal.SIGKILL)
    before = Store(store).finished()
    log = store / "log.txt"
    begun = log.read_text().count("  run analysis.toml: ")
    with amorphace(*words) as program:
        until(lambda: log.read_text().count("  run analysis.toml: ") > begun)
        time.sleep(1.0)
        program.send_signal(signal.SIGINT)
        out, _ = program.communicate(timeout=60)
        assert program.returncode == 130
        assert "interrupted; run it again to go on" in out
    with amorphace(*words) as program:
        out, _ = program.communicate(timeout=300)
    assert program.returncode == 0, out
    assert before <= Store(store).finished()
    assert "Over all particles of samples left out, the score correlates with d2min" in out
    starts, ends = sorted(tmp_path.glob("*.initial.dump")), sorted(tmp_path.glob("*.ends.dump"))
    labels, table, results = (tmp_path / n for n in ("labels.zarr", "table.zarr", "results"))
    species = ["--species", "A,B"]
    by_hand = ["--cutoff", 1.6, "--fraction", 0.2, "-o", labels]
    assert run("label", *starts, "--endpoints", *ends, *species, *by_hand) == 0
    by_hand = [*basis, "--cutoff", 1.5, 2, "-o", table]
    assert run("describe", *starts, "--labels", labels, *species, *by_hand) == 0
    by_hand = ["--labels", labels, "--configuration", *starts, "-o", results]
    assert run("learn", table, *by_hand) == 0
    own = tmp_path / "out" / "analysis.results"
    assert (own / "results.csv").read_text() == (results / "results.csv").read_text()
    page = (own / "report.html").read_text()
    assert "Glass of A and B" in page
    assert re.search(r"6 samples of 64\s+particles", page)
    assert run("status", tmp_path / "out" / "analysis.toml") == 0
    begin = time.monotonic()
    with amorphace("run", tmp_path / "out" / "analysis.toml") as program:
        out, _ = program.communicate(timeout=60)
    assert "done in" in out
    assert time.monotonic() - begin < 30
    other = [*words[:-2], "--folds", 3, "-o", tmp_path / "out"]
    with amorphace(*other) as program:
        out, _ = program.communicate(timeout=60)
    assert program.returncode == 2
    assert "has other settings: carry it on as it is" in out
