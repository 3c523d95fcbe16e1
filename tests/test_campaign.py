"""Experiments end to end: whatever is killed and whenever, a rerun ends with the same bytes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.campaign.context import Context
from amorphace.campaign.local import run_plan
from amorphace.campaign.measuring import _mechanical_set
from amorphace.campaign.plan import Plan, make_plan
from amorphace.campaign.status import find_status
from amorphace.campaign.store import Store
from amorphace.campaign.work import do_unit
from amorphace.config import experiment_text, read_experiment
from amorphace.dataset.describe import Sample, labelled_sites
from amorphace.dataset.mechanical import mechanical_sites
from amorphace.dataset.store import read_table

THERMAL = """
[experiment]
name = "a small liquid"
[model]
name = "kob-andersen"
[preparation]
n_particles = {n}
n_samples = 3
melt_time = {melt}
quench_time = {melt}
temperature = 0.8
hold_nvt = {melt}
[thermal]
replicas = 2
lag = {lag}
[describe]
cutoffs = [2.0]
max_order = 2
max_degree = 6
n_max = 6
[learn]
folds = 3
"""

SHEAR = """
[experiment]
name = "a small glass"
[model]
name = "kob-andersen"
[preparation]
n_particles = {n}
n_samples = 3
melt_time = {melt}
quench_time = {melt}
temperature = 0.0
[shear]
increment = 5e-4
pre_strain = 0.02
strain = {strain}
largest_event = {largest}
[describe]
cutoffs = [2.0]
max_order = 2
max_degree = 6
n_max = 6
[learn]
folds = 3
"""

QUICK = {
    "thermal": THERMAL.format(n=250, melt=2.0, lag=2.0),
    "shear": SHEAR.format(n=200, melt=2.0, strain=0.07, largest=70),
}
LONGER = {
    "thermal": THERMAL.format(n=400, melt=40.0, lag=30.0),
    "shear": SHEAR.format(n=300, melt=20.0, strain=0.2, largest=100),
}


def plan_of(folder: Path, text: str) -> tuple[Path, Plan]:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "a.toml"
    file.write_text(text)
    return file, make_plan(read_experiment(file))


def amorphace(*words: object, **options) -> subprocess.Popen[str]:
    """The command line as its own process group."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("amorphace"), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )


def contents(store: Store) -> dict[str, bytes]:
    """Every array of every unit, byte for byte."""
    return {
        f"{unit}/{file.relative_to(store.folder(unit))}": file.read_bytes()
        for unit in sorted(store.finished())
        for file in sorted(store.folder(unit).rglob("*"))
        if file.is_file() and file.name != "meta.json"
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> dict[str, tuple[Path, Plan, Store]]:
    """Both protocols, run without interruption."""
    made = {}
    for protocol, text in QUICK.items():
        file, plan = plan_of(tmp_path_factory.mktemp(protocol), text)
        with amorphace("run", file, "--workers", 2) as run:
            out, _ = run.communicate(timeout=200)
        assert run.returncode == 0, out
        made[protocol] = file, plan, Store(file.parent / "a.store", create=False)
    return made


@pytest.mark.parametrize("protocol", QUICK)
def test_an_experiment_ends_in_a_labelled_set_and_its_analysis(finished, protocol):
    file, plan, store = finished[protocol]
    assert {u.id for u in plan.units} == store.finished()
    results = file.parent / "a.results"
    table = read_table(results / "table.zarr")
    assert (table.label == 1).sum() == (table.label == 0).sum() > 0
    assert table.cutoffs == (2.0,)
    assert set(table.species) == {"A"}
    for name in ("accuracy.csv", "analysis.json", "model.json", "report.html"):
        assert (results / name).stat().st_size > 100
    assert (results / "figures" / "figure-3-accuracy.pdf").exists()
    checks = json.loads((results / "health.json").read_text())["checks"]
    assert {c["kind"] for c in checks} >= {"prepare", "inherent"}
    assert find_status(plan, store).done == len(plan.units)


def test_a_second_run_does_nothing(finished):
    _, plan, store = finished["thermal"]
    before = {u.id: store.meta(u.id) for u in plan.units}
    assert {e.what for e in run_plan(plan, store)} == {"found"}
    assert {u.id: store.meta(u.id) for u in plan.units} == before


def test_another_cutoff_costs_no_new_simulation(finished, tmp_path):
    _, plan, _ = finished["thermal"]
    _, other = plan_of(tmp_path, QUICK["thermal"].replace("[2.0]", "[2.5]"))
    new = {u.id for u in other.units} - {u.id for u in plan.units}
    assert {i.split("-")[0] for i in new} == {"describe", "learn"}


def test_intervals_of_strain_cost_no_new_simulation(finished, tmp_path):
    """Each interval's inactive particles moved least in it; one interval is the whole strain."""
    _, plan, store = finished["shear"]
    tables = {}
    for interval in (0.07, 0.02):
        text = QUICK["shear"].replace("strain = 0.07", f"strain = 0.07\ninterval = {interval}")
        _, other = plan_of(tmp_path / str(interval), text)
        new = {u.id for u in other.units} - {u.id for u in plan.units}
        assert {i.split("-")[0] for i in new} == {"label", "describe", "learn"}
        (label,) = other.of_kind("label")
        tables[interval] = _mechanical_set(Context(label, store)).table
    (label,) = plan.of_kind("label")
    whole = _mechanical_set(Context(label, store)).table
    np.testing.assert_array_equal(tables[0.07].particle_id, whole.particle_id)
    table, lowest = tables[0.02], 0
    for run in plan.of_kind("shear"):
        a = store.arrays(run.id)
        first = len(a["steps"]) - len(a["d2min"])
        mine = np.array([table.sample_names[s] == run.name for s in table.sample])
        for k in range(4):
            start, stop = 40 * k, min(40 * (k + 1), 140)
            rows = mine & (table.step > first + start) & (table.step <= first + stop)
            highest = a["d2min"][start:stop].max(axis=0)
            found = highest[table.particle_id[rows] - 1]
            np.testing.assert_allclose(table.targets["maximum"][rows], found, rtol=1e-6)
            lowest += rows.sum()
    assert lowest == len(table)


def test_another_seed_shares_nothing(finished, tmp_path):
    _, plan, _ = finished["shear"]
    text = QUICK["shear"].replace('glass"', 'glass"\nseed = 2')
    _, other = plan_of(tmp_path, text)
    assert not {u.id for u in other.units} & {u.id for u in plan.units}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(finished, tmp_path):
    _, plan, store = finished["shear"]
    again = Store(tmp_path / "b.store")
    for event in run_plan(plan, again, workers=1):
        assert event.what in ("started", "finished"), event.text
    assert contents(again) == contents(store)


@pytest.mark.parametrize("protocol", QUICK)
def test_the_table_holds_the_features_of_the_labelled_sites(finished, protocol):
    """Those that a descriptor gives for them, in single precision."""
    _, plan, store = finished[protocol]
    (label,), (described,) = plan.of_kind("label"), plan.of_kind("describe")
    if protocol == "shear":
        labels = _mechanical_set(Context(label, store))
        table, sites = labels.table, mechanical_sites(labels)
    else:
        work = Context(label, store)
        names = label.parameters["samples"]
        samples = [
            Sample(name, work.configuration(unit))
            for name, unit in zip(names, label.inputs["reference"], strict=True)
        ]
        known = read_table(store.folder(label.id) / "labels.zarr")
        table, sites = labelled_sites(samples, known, centres=None, provenance={})
    basis = {"max_order": 2, "max_degree": 6, "n_max": 6}
    descriptor = ACEDescriptor(cutoff=2.0, species=("A", "B"), n_jobs=1, dtype="float32", **basis)
    found = read_table(store.folder(described.id) / "table.zarr")
    np.testing.assert_array_equal(found.particle_id, table.particle_id)
    np.testing.assert_array_equal(found.feature_rows(2.0), descriptor.transform(sites))


@pytest.mark.parametrize("damage", ["truncated", "gone"])
def test_a_damaged_unit_is_made_again(finished, tmp_path, damage):
    _, plan, store = finished["thermal"]
    shutil.copytree(store.path, tmp_path / "a.store")
    again = Store(tmp_path / "a.store")
    unit = plan.of_kind("replica")[1]
    if damage == "truncated":
        file = again.folder(unit.id) / "end.npy"
        file.write_bytes(file.read_bytes()[:200])
    else:
        shutil.rmtree(again.folder(unit.id))
    events = [e for e in run_plan(plan, again) if e.what != "found"]
    assert [(e.what, e.unit.id) for e in events] == [("started", unit.id), ("finished", unit.id)]
    assert contents(again) == contents(store)


def test_a_killed_worker_is_replaced(finished, tmp_path):
    _, plan, store = finished["shear"]
    again = Store(tmp_path / "a.store")
    killed = []

    def kill_one() -> None:
        begun = [again.progress(i) for i in again.begun()]
        if len(killed) < 2 and any(p and p.alive for p in begun):
            unit = next(i for i in again.begun() if (p := again.progress(i)) and p.alive)
            pid = json.loads((again.work(unit) / "progress.json").read_text())["pid"]
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    events = [e.what for e in run_plan(plan, again, workers=2, watch=kill_one)]
    assert killed
    assert "lost" in events
    assert "failed" not in events
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
    for event in run_plan(plan, again, workers=2):
        assert event.what in ("found", "started", "finished"), event.text
    assert contents(again) == contents(store)


def test_a_lammps_that_fails_is_shown_by_its_last_lines(tmp_path):
    lammps = tmp_path / "lmp"
    lammps.write_text("#!/bin/sh\necho no licence\nexit 3\n")
    lammps.chmod(0o755)
    text = QUICK["thermal"].replace("[learn]", f'[run]\nlammps = "{lammps}"\n[learn]')
    file, plan = plan_of(tmp_path, text)
    with amorphace("run", file) as run:
        out, _ = run.communicate(timeout=100)
    assert run.returncode == 2
    assert "stopped with exit status 3; the last lines of its log: no licence" in out
    assert not {u.id for u in plan.of_kind("prepare")} & Store(tmp_path / "a.store").finished()


def test_a_unit_that_fails_stops_only_what_reads_it(finished, tmp_path, monkeypatch):
    _, plan, store = finished["thermal"]
    shutil.copytree(store.path, tmp_path / "a.store")
    again = Store(tmp_path / "a.store")
    lost, whole = plan.of_kind("measure")[:2]
    for unit in (lost, whole, *plan.of_kind("label")):
        shutil.rmtree(again.folder(unit.id))
    (again.folder(plan.of_kind("replica")[0].id) / "end_inherent.npy").write_bytes(b"nothing")
    monkeypatch.setattr("amorphace.campaign.local.Store.sound", lambda *a, **k: True)
    what = {e.unit.id: e.what for e in run_plan(plan, again) if e.what != "started"}
    assert what[lost.id] == "failed"
    assert what[whole.id] == "finished"
    assert what[plan.of_kind("label")[0].id] == "blocked"
    assert "is damaged and was set aside" in again.failures()[lost.id]
    monkeypatch.undo()
    events = [e.what for e in run_plan(plan, again)]
    assert "failed" not in events
    assert contents(again) == contents(store)


def test_a_missing_lammps_stops_the_run_at_once_and_loses_nothing(tmp_path):
    text = QUICK["thermal"].replace("[learn]", '[run]\nlammps = "no-such-lmp"\n[learn]')
    file, _ = plan_of(tmp_path, text)
    with amorphace("run", file) as run:
        out, _ = run.communicate(timeout=100)
    assert run.returncode == 2
    assert "'no-such-lmp' cannot be started" in out
    assert "Traceback" not in out


def test_samples_that_are_dropped_are_named_and_never_used(tmp_path):
    text = QUICK["thermal"].replace("[thermal]", "attempts = 2\n[thermal]\nlongest_lag = 0.1")
    file, plan = plan_of(tmp_path, text.replace("lag = 2.0", 'lag = "tau_alpha"'))
    with amorphace("run", file, "--workers", 2) as run:
        out, _ = run.communicate(timeout=200)
    assert run.returncode == 2
    assert "no sample is sound" in out
    assert "the liquid is slower than thermal.longest_lag allows" in out
    store = Store(tmp_path / "a.store")
    dropped = {u.kind for u in plan.units if store.meta(u.id)["outcome"] == "dropped"}
    assert dropped == {"relax", "lag", "replica", "measure", "label", "describe", "learn"}
    assert not list((tmp_path / "a.results").glob("table.zarr"))


def test_a_run_that_does_not_converge_is_dropped_with_its_reason(finished, tmp_path):
    _, plan, store = finished["shear"]
    shutil.copytree(store.path, tmp_path / "a.store")
    again = Store(tmp_path / "a.store")
    unit = plan.of_kind("shear")[0]
    strict = dict(unit.parameters["shear"]) | {"force_tolerance": 1e-15, "retries": 0}
    meta = do_unit(again, replace(unit, parameters=dict(unit.parameters) | {"shear": strict}))
    assert meta["outcome"] == "dropped"
    assert "shear step 1: a force of" in meta["dropped"]
    assert meta["files"] == {}


def test_init_writes_a_file_that_explains_itself_and_names_what_it_does_not_know():
    with amorphace("init", "wahnstrom", "shear", "--scale", "hours") as made:
        out, _ = made.communicate(timeout=60)
    assert out == experiment_text("wahnstrom", "shear", "hours")
    assert "# Strain of a step" in out
    with amorphace("init", "silica", "shear") as made:
        out, _ = made.communicate(timeout=60)
    assert made.returncode == 2
    assert "unknown model 'silica'; choose one of bead-spring, kob-andersen, wahnstrom" in out


def test_status_names_an_experiment_that_has_not_begun(tmp_path):
    file, _ = plan_of(tmp_path, QUICK["shear"])
    with amorphace("status", file) as shown:
        out, _ = shown.communicate(timeout=60)
    assert shown.returncode == 2
    assert "there is no store yet; run the experiment first" in out


def test_ctrl_c_ends_a_run_soon_and_the_next_goes_on(finished, tmp_path):
    _, _, store = finished["thermal"]
    file, _ = plan_of(tmp_path, QUICK["thermal"])
    run = amorphace("run", file, "--workers", 2)
    again = Store(tmp_path / "a.store")
    _until(lambda: again.begun() or again.finished())
    begin = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    out, _ = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "interrupted; run it again to go on" in out
    assert time.monotonic() - begin < 10
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
    for event in run_plan(plan, whole, workers=2):
        assert event.what in ("started", "finished"), event.text
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


def _until(condition, seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)
