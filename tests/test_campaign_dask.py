"""Experiments on Dask and as a job array: the same bytes, whoever carries the units out."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from amorphace.campaign.plan import Plan, make_plan
from amorphace.config import experiment_text, read_experiment
from amorphace.config.job_array import write_cluster_files
from amorphace.core.errors import InputError
from amorphace.runs.store import Store
from test_runs_dask import Parts, parts

from campaign_samples import LONGER, QUICK, amorphace, carried_out, contents
from runs_samples import no_orphans, until


def test_the_job_array_for_slurm_is_a_shell_script_and_its_table_can_be_read(tmp_path):
    text = experiment_text("kob-andersen", "thermal", "paper")
    file, script = write_cluster_files(tmp_path / "new", "ka", text, "slurm")
    subprocess.run(["bash", "-n", script], check=True)
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "amorphace").write_text('#!/bin/sh\necho "$@"\n')
    (fake / "amorphace").chmod(0o755)
    task = {"SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_STEP": "2",
            "SLURM_ARRAY_TASK_COUNT": "4", "PATH": f"{fake}:{os.environ['PATH']}"}  # fmt: skip
    out = subprocess.run(["bash", script], env=task, capture_output=True, text=True, check=True)
    assert out.stdout.split() == [
        "run",
        "ka.toml",
        "--shard",
        "3/4",
        "--workers",
        "1",
        "--leave",
        "600",
    ]
    lines = file.read_text().splitlines()
    table = "\n".join(line.removeprefix("# ") for line in lines[lines.index("# [cluster]") :])
    file.write_text(text + table)
    cluster = read_experiment(file).cluster
    assert cluster is not None
    assert (cluster.kind, cluster.options["cores"]) == ("slurm", 16)
    assert (cluster.options["account"], cluster.options["interface"]) == ("project", "ib0")
    assert cluster.config["distributed"]["comm"]["tls"]["ca-file"] == "ca.pem"
    with pytest.raises(InputError, match="is there already"):
        list(write_cluster_files(tmp_path / "new", "ka", text, "slurm"))


@pytest.mark.slow
def test_local_processes_dask_and_two_shards_give_the_same_bytes(tmp_path):
    files = {}
    for way in ("local", "dask", "shards"):
        (tmp_path / way).mkdir()
        files[way] = tmp_path / way / "a.toml"
        files[way].write_text(QUICK["thermal"])
    with parts(tmp_path) as cluster:
        runs = [
            amorphace("run", files["local"], "--workers", 1),
            amorphace("run", files["dask"], "--scheduler", cluster.address),
            amorphace("run", files["shards"], "--shard", "1/2", "--workers", 1),
            amorphace("run", files["shards"], "--shard", "2/2", "--workers", 1),
        ]
        for run in runs:
            out, _ = run.communicate(timeout=900)
            assert run.returncode == 0, out
    made = {way: contents(Store(file.parent / "a.store")) for way, file in files.items()}
    assert len(made["local"]) > 50
    assert made["dask"] == made["local"]
    assert made["shards"] == made["local"]
    assert (tmp_path / "shards" / "a.results" / "report.html").exists()


def prepared(folder: Path, protocol: str) -> tuple[Path, Plan, Store]:
    folder.mkdir(parents=True)
    file = folder / "a.toml"
    file.write_text(LONGER[protocol])
    return file, make_plan(read_experiment(file)), Store(folder / "a.store")


def simulating(store: Store) -> bool:
    """Whether two workers are at units, one of them a simulation that has reported."""
    begun = {u: p for u in store.scratch.begun() if (p := store.scratch.progress(u)) and p.alive}
    return len(begun) == 2 and any(u.startswith(("prepare", "shear", "replica")) for u in begun)


def unhurt(store: Store, whole: Store) -> None:
    assert contents(store) == contents(whole)
    assert not any((store.path / "work").iterdir())
    assert not (store.path / "tmp").exists() or not any((store.path / "tmp").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("protocol", LONGER)
def test_simulations_on_dask_survive_the_kills_of_their_drivers(tmp_path, protocol):
    """kill -9 of four drivers, each replaced at once: the same bytes."""
    _, plan, whole = prepared(tmp_path / "whole", protocol)
    carried_out(plan, whole)
    file, _, store = prepared(tmp_path / "killed", protocol)
    killed = 0
    with no_orphans(), parts(tmp_path) as cluster:
        for seconds in (0.3, 1.5, 3.0, 0.8):
            run = amorphace("run", file, "--scheduler", cluster.address)
            try:
                until(lambda: simulating(store), 30)
                run.communicate(timeout=seconds)
                break  # it came to the end
            except subprocess.TimeoutExpired:
                os.kill(run.pid, signal.SIGKILL)
                run.communicate()
                killed += 1
        with amorphace("run", file, "--scheduler", cluster.address) as run:
            out, _ = run.communicate(timeout=600)
        assert run.returncode == 0, out
        assert "Traceback" not in out
    assert killed >= 2
    unhurt(store, whole)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", LONGER)
def test_a_scheduler_killed_under_simulations_is_named_and_its_workers_end(tmp_path, protocol):
    _, plan, whole = prepared(tmp_path / "whole", protocol)
    carried_out(plan, whole)
    file, _, store = prepared(tmp_path / "killed", protocol)
    with no_orphans():
        for attempt in ("first", "second"):
            (tmp_path / attempt).mkdir()
            with parts(tmp_path / attempt) as cluster:
                run = amorphace("run", file, "--scheduler", cluster.address)
                until(lambda: simulating(store), 60)
                before = store.finished()
                cluster.scheduler.kill()
                out, _ = run.communicate(timeout=120)
                assert run.returncode == 2, out
                assert "the Dask scheduler is lost; what is finished stays" in out
                assert "Traceback" not in out
                assert before <= store.finished()
                until(all_over(cluster))  # nobody kills the workers: they notice, and end
        with amorphace("run", file, "--workers", 2) as run:
            out, _ = run.communicate(timeout=600)
        assert run.returncode == 0, out
    unhurt(store, whole)


def all_over(cluster: Parts) -> Callable[[], bool]:
    return lambda: all(w.poll() is not None for w in cluster.workers)
