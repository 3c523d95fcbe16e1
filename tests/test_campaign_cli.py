"""Commands on campaigns: shared units in status, retry, prune, the estimate."""

from __future__ import annotations

import os

import pytest
from typer.testing import CliRunner

from amorphace.campaign.budget import budget, wall_hours
from amorphace.campaign.local import run_plan
from amorphace.campaign.plan import experiment_key, make_plan
from amorphace.campaign.pruning import find_leftovers, remove
from amorphace.campaign.store import Outcome, Store
from amorphace.cli import app
from amorphace.config import experiment_text, read_experiment

from campaign_samples import waiting


def amorphace(*words: object) -> str:
    """What a command says; it must end well."""
    done = CliRunner().invoke(app, [str(w) for w in words])
    assert done.exit_code == 0, done.output
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
        store.register(experiment_key(file, store), plan.by_id())
        for unit in (*plan.of_kind("prepare"), *plan.of_kind("describe")):
            if not store.has(unit.id):
                store.write(unit, Outcome(), {"seconds": 1.0})
    return one, two, store


def test_status_says_what_is_shared_and_costs_nothing_new(files):
    one, two, store = files
    out = amorphace("status", one)
    assert (
        f"shared with {experiment_key(two, store)}: 74 of 77 units, 6 done: they cost nothing new"
    ) in out
    assert "shared" in amorphace("status", two)


def test_retry_forgets_failures(files):
    one, _, store = files
    unit = make_plan(read_experiment(one)).of_kind("lag")[0]
    store.fail(unit, "no reason")
    assert "failed: lag of all samples: no reason" in amorphace("status", one)
    assert "forgotten: lag of all samples: no reason" in amorphace("retry", one)
    assert store.failures() == {}


def test_prune_says_what_goes_and_keeps_what_another_experiment_needs(files):
    one, two, store = files
    there = store.finished()
    assert "0 B in 0 places" in amorphace("prune", one)
    two.unlink()  # it ran on the store all the same
    assert "0 B in 0 places" in amorphace("prune", one)
    out = amorphace("prune", one, "--forget", experiment_key(two, store))
    assert "not needed: 1," in out
    assert "nothing was removed: give --yes" in out
    assert store.finished() == there
    amorphace("prune", one, "--forget", experiment_key(two, store), "--yes")
    gone = there - store.finished()
    assert [u.partition("-")[0] for u in gone] == ["describe"]
    assert list(store.experiments()) == [experiment_key(one, store)]


def test_prune_finds_damaged_units_and_leftovers_and_spares_work_under_way(tmp_path):
    from amorphace.campaign.claims import Claims

    plan, store = waiting(4), Store(tmp_path / "a.store")
    list(run_plan(plan, store, workers=1))
    damaged, unneeded, old, held = (u.id for u in plan.units)
    (store.folder(damaged) / "index.npy").write_bytes(b"")
    for unit in ("wait-0", "wait-1"):
        store.write_checkpoint(unit, {}, 1)
    half = store.path / "tmp" / f"{old}.elsewhere-1-1"
    half.mkdir(parents=True)
    os.utime(half, (1, 1))
    (store.path / "tmp" / f"{held}.elsewhere-2-2").mkdir()
    with Claims(store) as claims:
        assert claims.take("wait-1")
        found = find_leftovers(store, {damaged, old, held})
        assert {(left.path.name, left.why) for left in found} == {
            (damaged, "damaged"),
            (unneeded, "not needed"),
            ("wait-0", "unfinished and not needed"),
            (half.name, "half written"),
        }
        remove(store, found)
        assert find_leftovers(store, {damaged, old, held}) == ()
    assert store.finished() == {old, held}
    assert store.read_checkpoint("wait-1") is not None


def test_the_index_is_never_trusted_over_the_folders(tmp_path):
    plan, store = waiting(3), Store(tmp_path / "a.store")
    list(run_plan(plan, store, workers=1))
    first, second, third = (u.id for u in plan.units)
    store.set_aside(first)
    store.set_aside(second)
    store.write(plan.units[1], Outcome(dropped="it was unsound"), {"seconds": 5.0})
    (index,) = (store.path / "index").iterdir()
    lines = index.read_bytes().splitlines(keepends=True)
    index.write_bytes(b"".join(lines[:-1]) + lines[-1][:30])  # cut short by a kill
    found = store.summaries([first, second, third])
    assert {i: s.outcome for i, s in found.items()} == {second: "dropped", third: "whole"}
    assert (found[second].dropped, found[second].seconds) == ("it was unsound", 5.0)
    index.unlink()
    assert store.summaries([second, third]) == {k: found[k] for k in (second, third)}


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
