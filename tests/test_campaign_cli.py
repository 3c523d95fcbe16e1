"""Commands on experiments: shared units in status, retry, prune, the estimate, the results."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

import amorphace as am
from amorphace.campaign.budget import budget, wall_hours
from amorphace.campaign.describe import TABLE, DescribeThermal
from amorphace.campaign.plan import experiment_key, make_plan
from amorphace.cli import app
from amorphace.config import experiment_text, read_experiment
from amorphace.runs.scratch import Failure
from amorphace.runs.store import Store
from amorphace.runs.unit import Outcome
from test_cli import run

from campaign_samples import QUICK


def amorphace(*words: object, code: int = 0) -> str:
    """What a command says; it must end well."""
    done = CliRunner().invoke(app, [str(w) for w in words])
    assert done.exit_code == code, f"{done.output} {done.exception}"
    return done.output


@pytest.fixture
def files(tmp_path):
    """Two experiments on one store that differ in the cutoffs; their samples are there."""
    text = experiment_text("kob-andersen", "thermal").replace(
        "[run]", '[run]\nstore = "both.store"'
    )
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(text)
    two.write_text(text.replace("[describe]", "[describe]\ncutoffs = [2.0]"))
    store = Store(tmp_path / "both.store")
    for file in (one, two):
        plan = make_plan(read_experiment(file))
        store.register(experiment_key(file, store), plan.by_id)
        for unit in plan.units:
            if unit.kind.name in ("prepare", "describe") and not store.has(unit.id):
                with store.writing(unit.id) as folder:
                    store.commit(unit, folder, Outcome(dropped="not made"), seconds=1.0)
    return one, two, store


def test_status_says_what_is_shared_and_costs_nothing_new(files):
    one, two, store = files
    out = amorphace("status", one)
    assert (
        f"shared with {experiment_key(two, store)}: 74 of 76 units, 6 done: they cost nothing new"
    ) in out
    assert "shared" in amorphace("status", two)
    found = json.loads(amorphace("status", one, "--json"))
    assert (found["done"], found["total"]) == (7, 76)  # six of both, and describe
    assert {"name": "sample_01", "why": "not made"}.items() <= found["dropped"][0].items()


def test_retry_forgets_failures(files):
    one, _, store = files
    unit = next(u for u in make_plan(read_experiment(one)).units if u.kind.name == "lag")
    store.scratch.fail(unit.id, Failure(unit.name, "no reason"))
    assert "failed: lag of all samples: no reason" in amorphace("status", one)
    assert "forgotten: lag of all samples: no reason" in amorphace("retry", one)
    assert store.scratch.failures() == {}


def test_prune_says_what_goes_and_keeps_what_another_experiment_needs(files):
    one, two, store = files
    there = store.finished()
    assert "0 bytes in 0 places" in amorphace("prune", one)
    two.unlink()  # it ran on the store all the same
    assert "0 bytes in 0 places" in amorphace("prune", one)
    out = amorphace("prune", one, "--forget", experiment_key(two, store))
    assert "not needed: 1," in out
    assert "nothing was removed: give --yes" in out
    assert store.finished() == there
    amorphace("prune", one, "--forget", experiment_key(two, store), "--yes")
    gone = there - store.finished()
    assert [u.partition("-")[0] for u in gone] == ["describe"]
    assert list(store.experiments()) == [experiment_key(one, store)]


def test_the_estimate_of_the_papers_size(tmp_path):
    file = tmp_path / "ka.toml"
    file.write_text(experiment_text("kob-andersen", "thermal", "paper"))
    plan = make_plan(read_experiment(file))
    kinds = {k.kind: k for k in budget(plan)}
    # 900 runs of 10^6 steps of 30,000 particles at 1.5 million atom-steps a second
    assert kinds["replica"].core_hours == pytest.approx(900 * 1e6 * 3e4 / 1.5e6 / 3600, rel=0.01)
    assert kinds["replica"].disk == pytest.approx(900 * 3e4 * 3 * 8 * 2, rel=0.01)
    total = sum(k.core_hours for k in kinds.values())
    assert wall_hours(plan, 1) == pytest.approx(total)
    longest = kinds["prepare"].longest_hours + kinds["replica"].longest_hours
    assert wall_hours(plan, 10_000) > longest
    assert total / 16 <= wall_hours(plan, 16) < 1.2 * total / 16 + longest
    assert "on 64 cores: " in amorphace("run", file, "--dry-run")
    assert not (tmp_path / "ka.store").exists()


def test_the_estimate_knows_that_a_larger_strain_step_takes_longer(tmp_path):
    text = experiment_text("kob-andersen", "shear", "paper")
    hours = []
    for k, line in enumerate(("", "pre_increment = 5e-5\n")):
        file = tmp_path / f"{k}.toml"
        kept = "".join(x for x in text.splitlines(True) if not x.startswith("pre_increment"))
        file.write_text(kept.replace("[shear]\n", f"[shear]\n{line}"))
        (kind,) = (k for k in budget(make_plan(read_experiment(file))) if k.kind == "shear")
        hours.append(kind.core_hours)
    # 200 steps of three times the length and 200 in data, instead of 2000 and 200
    assert hours[1] / hours[0] == pytest.approx(2200 / (200 * np.sqrt(10) + 200), rel=1e-6)


def copied(finished, folder):
    """A finished experiment of one's own: its file, plan, store and results."""
    file, plan, store = finished["thermal"]
    for place in (file, store.path, file.with_suffix(".results")):
        copy = shutil.copytree if place.is_dir() else shutil.copyfile
        copy(place, folder / place.name)
    return folder / file.name, plan, Store(folder / store.path.name)


@pytest.fixture
def case(finished, tmp_path):
    return copied(finished, tmp_path)


def test_results_are_made_again_only_where_they_changed_and_files_of_the_user_stay(case):
    file, _, _ = case
    results = file.with_suffix(".results")
    page, figure = results / "report.html", next((results / "figures").iterdir())
    (results / "NOTES.md").write_text("mine")
    shown = am.read(results / "glass.dump", ("A", "B"))
    assert np.isfinite(am.load_model(results / "model.json").score(shown)).any()
    before = [p.stat().st_ino for p in (page, figure)]
    table = (results / TABLE / "zarr.json").stat().st_mtime_ns
    assert "report.html: open it" in amorphace("run", file, "--workers", 1)
    assert [p.stat().st_ino for p in (page, figure)] == before
    file.write_text(file.read_text().replace("a small liquid", "another title"))
    figure.unlink()
    (results / "results.csv").write_text("mine")
    done = CliRunner().invoke(app, ["run", str(file)])
    assert "results.csv would be replaced, but amorphace did not write" in str(done.exception)
    assert (results / "results.csv").read_text() == "mine"
    (results / "results.csv").unlink()
    amorphace("run", file)
    assert "another title" in page.read_text()
    assert page.stat().st_ino != before[0]
    assert figure.exists()
    assert (results / "NOTES.md").read_text() == "mine"
    assert (results / "results.csv").stat().st_size
    assert (results / TABLE / "zarr.json").stat().st_mtime_ns == table


@pytest.fixture(scope="module")
def flipped(finished, tmp_path_factory):
    """An experiment that is run again after a bit of its table was flipped, into a folder of the
    user: the case, the block, what it was, and what the run says.
    """
    case = file, plan, store = copied(finished, tmp_path_factory.mktemp("flipped"))
    results, precious = file.with_suffix(".results"), file.parent / "precious"
    shutil.rmtree(results)
    precious.mkdir()
    (precious / "thesis.txt").write_text("mine")
    results.symlink_to(precious)
    described = store.folder(plan.one(DescribeThermal).id)
    block = next((described / TABLE / "features" / "2.0").rglob("c/*/*"))
    whole = block.read_bytes()
    block.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    return case, block, whole, amorphace("run", file)


def test_a_folder_behind_a_link_to_the_results_keeps_its_files(flipped):
    (file, _, _), *_ = flipped
    assert file.with_suffix(".results").is_symlink()
    assert (file.parent / "precious" / "thesis.txt").read_text() == "mine"
    assert (file.parent / "precious" / "report.html").exists()


def test_a_flipped_bit_in_the_store_does_not_become_a_result(flipped):
    (file, plan, store), block, whole, out = flipped
    described = plan.one(DescribeThermal).id
    assert f"{described} is damaged and was set aside" in out
    assert store.sound(described, digests=True)
    assert block.read_bytes() == whole
    copy = file.with_suffix(".results") / block.relative_to(store.folder(described))
    assert copy.read_bytes() == whole


def test_two_files_of_one_name_on_one_store_both_get_their_results(case):
    """Also while the other one's results are being written."""
    from amorphace.runs.claims import Claims

    file, _, store = case
    text = QUICK["thermal"] + f'\n[run]\nstore = "{store.path}"\n'
    others = [file.parent / name / "a.toml" for name in ("one", "two")]
    for other in others:
        other.parent.mkdir()
        other.write_text(text)
    with Claims(store) as claims:
        assert claims.take(f"results-{experiment_key(others[0], store)}")
        assert "another program writes" in amorphace("run", others[0])
        amorphace("run", others[1])
    assert not others[0].with_suffix(".results").exists()
    assert (others[1].with_suffix(".results") / "report.html").exists()


def test_what_a_file_executes_is_announced_once_and_stops_the_run_where_it_is_missing(
    tmp_path, capsys
):
    file = tmp_path / "a.toml"
    file.write_text(QUICK["thermal"] + '\n[run]\nlammps = "no-such-lmp -in"\n')
    said = "a.toml says what is executed: run.lammps = 'no-such-lmp -in'"
    assert run("run", file, "--workers", 1) == 2
    shown = capsys.readouterr()
    assert said in shown.out
    assert "'no-such-lmp -in' cannot be started" in shown.err
    assert "Traceback" not in shown.err
    assert run("run", file, "--workers", 1) == 2
    assert said not in capsys.readouterr().out
