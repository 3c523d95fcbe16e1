"""Campaigns on Dask: real schedulers and workers over TCP, killed at will; tables [cluster]."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from amorphace.campaign import dask
from amorphace.campaign.local import run_plan
from amorphace.campaign.plan import make_plan
from amorphace.campaign.store import Store
from amorphace.config import experiment_text, read_experiment
from amorphace.config.sections import ClusterSection, TLSSection
from amorphace.core.errors import FileFormatError, InputError, SetupError

from campaign_samples import everything_once, no_orphans, until, waiting

pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask's, when its parts are killed


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


class Parts:
    """A scheduler and two workers, each a process of its own."""

    def __init__(self, folder: Path, *words: str, tls: tuple[str, ...] = ()) -> None:
        self.folder, self._words, self._tls = folder, words, tls
        self.file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(self.file), *(("--protocol", "tls") if tls else ()),
        )  # fmt: skip
        self.workers: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        return json.loads(self.file.read_text())["address"]

    def worker(self) -> subprocess.Popen[bytes]:
        words = self._words or ("--nthreads", "1", "--resources", "cores=1")
        return self._start(
            "worker", self.address, "--no-nanny", "--no-dashboard", *words,
            "--local-directory", str(self.folder), "--death-timeout", "20",
        )  # fmt: skip

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{what}.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", "dask", what, *words, *self._tls], stdout=log, stderr=log
        )

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                process.kill()
            process.wait()


@contextmanager
def parts(folder: Path, *words: str, tls: tuple[str, ...] = ()) -> Iterator[Parts]:
    made = Parts(folder, *words, tls=tls)
    try:
        until(lambda: made.file.exists() and made.file.read_text().endswith("}"))
        made.workers += [made.worker() for _ in range(2)]
        yield made
    finally:
        made.close()


def test_units_on_workers_over_tcp_survive_the_kill_of_one(store, tmp_path):
    plan = waiting(10, 0.6, chain=5)
    killed: list[int] = []

    with no_orphans(), parts(tmp_path) as cluster, dask.connected(cluster.address) as client:
        until(lambda: len(client.nthreads()) == 2)

        def kill_one() -> None:
            if not killed and len(store.finished()) >= 2:
                cluster.workers[0].kill()
                killed.append(cluster.workers[0].pid)

        events = Counter(e.what for e in dask.run_on_dask(plan, store, client, watch=kill_one))
        assert killed
        # one that the worker wrote before it could say so is found
        assert events["finished"] + events["found"] == 10
        assert not events["failed"]
    everything_once(plan, store)


def test_a_lost_scheduler_is_named_and_a_rerun_completes_the_work(store, tmp_path):
    plan = waiting(8, 0.5)
    killed: list[int] = []
    with (
        no_orphans(),
        parts(tmp_path) as cluster,
        dask.connected(cluster.address, patience=3.0) as client,
    ):

        def kill() -> None:
            if not killed and len(store.finished()) >= 2:
                cluster.scheduler.kill()
                killed.append(cluster.scheduler.pid)

        with pytest.raises(SetupError, match="scheduler is lost; what is finished stays"):
            list(dask.run_on_dask(plan, store, client, watch=kill))
    assert killed
    assert len(store.finished()) >= 2
    events = Counter(e.what for e in run_plan(plan, store, workers=1))
    assert events["finished"] < 8
    everything_once(plan, store)


def test_a_cluster_of_this_machine_listens_here_only_and_ends_whole(store):
    plan = waiting(4, 0.1, failing=(2,))
    section = ClusterSection(kind="local", jobs=1)
    with no_orphans(), dask.started(section) as client:
        assert client.scheduler.address.startswith("tcp://127.0.0.1:")
        events = Counter(e.what for e in dask.run_on_dask(plan, store, client))
    assert (events["finished"], events["failed"]) == (3, 1)
    assert store.failure(plan.units[2].id) == "unit 2 is to fail"


def test_workers_of_several_threads_are_refused(store, tmp_path):
    with (
        parts(tmp_path, "--nthreads", "2") as cluster,
        dask.connected(cluster.address) as client,
    ):
        until(lambda: client.nthreads())
        with pytest.raises(SetupError, match=r"has 2 threads, .* start workers with --nthreads 1"):
            list(dask.run_on_dask(waiting(2), store, client))


def test_workers_without_the_cores_of_a_unit_are_refused(store):
    section = ClusterSection(kind="local", jobs=1)
    with dask.started(section) as client, pytest.raises(SetupError, match="cores=8"):
        list(dask.run_on_dask(waiting(2, cores_per_unit=8), store, client))
    with pytest.raises(InputError, match="as many cores as a unit needs"):
        dask.workers_of(section, 8)


@pytest.mark.parametrize("address", ["nonsense://a", "tcp://127.0.0.1:1", "tls://127.0.0.1:1"])
def test_a_scheduler_that_does_not_answer_is_named_in_time(address):
    begin = time.monotonic()
    with (
        pytest.raises(SetupError, match="give the address that"),
        dask.connected(address, patience=0.5),
    ):
        pass
    assert time.monotonic() - begin < 20


def test_a_job_of_a_queue_has_one_thread_and_its_cores_for_each_worker():
    section = ClusterSection(
        kind="slurm", jobs=3, cores=16, memory="32GB", walltime="10:00:00", queue="long",
        lifetime="9h", host="127.0.0.1", options={"account": "glass"},
    )  # fmt: skip
    with dask.make_cluster(section, 4) as cluster:
        script = cluster.job_script()
    for line in ("#SBATCH -p long", "#SBATCH -A glass", "#SBATCH --cpus-per-task=16",
                 "#SBATCH -t 10:00:00"):  # fmt: skip
        assert line in script
    assert "--nworkers 4" in script
    assert script.rindex("--nthreads 1") > script.index("--nthreads 4")
    assert "--resources cores=4" in script
    assert "--lifetime 9h" in script
    assert "tcp://127.0.0.1:" in script


QUEUES = {
    "pbs": (
        {"project": "glass", "resource_spec": "select=1:ncpus=16:mem=32GB"},
        ("#PBS -q long", "#PBS -A glass", "#PBS -l select=1:ncpus=16:mem=32GB",
         "#PBS -l walltime=10:00:00", "#PBS -N amorphace", "#PBS -m n"),
    ),
    "pbs, its own request": (
        {"account": "glass"},
        ("#PBS -q long", "#PBS -A glass", "#PBS -l select=1:ncpus=16:mem=30GB",
         "#PBS -l walltime=10:00:00", "#PBS -m n"),
    ),
    "lsf": (
        {"project": "glass", "lsf_units": "mb", "use_stdin": True},
        ("#BSUB -q long", '#BSUB -P "glass"', "#BSUB -n 16", '#BSUB -R "span[hosts=1]"',
         "#BSUB -M 32000", "#BSUB -W 10:00", "#BSUB -J amorphace", "#BSUB -m n"),
    ),
}  # fmt: skip
"""Words of a table [cluster] for dask-jobqueue, and lines of the script that it makes of them."""


@pytest.mark.parametrize("name", QUEUES)
def test_a_job_of_pbs_or_lsf_asks_for_what_the_table_says(name, tmp_path):
    kind, (options, lines) = name.partition(",")[0], QUEUES[name]
    file = tmp_path / "a.toml"
    table = {
        "kind": kind, "jobs": 3, "cores": 16, "memory": "32GB", "queue": "long",
        "walltime": "10:00:00", "lifetime": "9h", "host": "127.0.0.1",
    }  # fmt: skip
    further = options | {"job_extra_directives": ["-m n"]}
    file.write_text(
        experiment_text("wahnstrom", "shear")
        + "\n[cluster]\n"
        + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        + "[cluster.options]\n"
        + "".join(f"{key} = {json.dumps(value)}\n" for key, value in further.items())
    )
    section = read_experiment(file).cluster
    assert section is not None
    with dask.make_cluster(section, 4) as cluster:
        script = cluster.job_script()
    for line in lines:
        assert line in script.splitlines(), script
    assert "--nworkers 4" in script
    assert script.rindex("--nthreads 1") > script.index("--nthreads 4")
    assert "--memory-limit 7.45GiB" in script
    assert "--resources cores=4" in script
    assert "--lifetime 9h" in script
    assert "tcp://127.0.0.1:" in script


def test_an_unknown_word_for_the_queue_is_named():
    section = ClusterSection(kind="pbs", jobs=1, host="127.0.0.1", options={"acount": "glass"})
    with pytest.raises(InputError, match="acount"):
        dask.make_cluster(section)


def test_certificates_go_to_scheduler_workers_and_client():
    found = dask.security_of(TLSSection(ca_file="ca.pem", cert="a.pem", key="a-key.pem"))
    for who in ("client", "scheduler", "worker"):
        words = found.get_tls_config_for_role(who)
        assert (words["ca_file"], words["cert"], words["key"]) == ("ca.pem", "a.pem", "a-key.pem")
    assert found.require_encryption


def test_a_scheduler_for_other_machines_must_be_told_where_to_listen(tmp_path):
    file = tmp_path / "a.toml"
    text = experiment_text("wahnstrom", "shear")
    file.write_text(text + '\n[cluster]\nkind = "slurm"\njobs = 3\n')
    with pytest.raises(FileFormatError, match=r"bound to 127\.0\.0\.1 otherwise"):
        read_experiment(file)
    file.write_text(text + '\n[cluster]\nkind = "slurm"\njobs = 3\ninterface = "ib0"\n')
    assert read_experiment(file).cluster.interface == "ib0"


def test_the_job_array_for_slurm_is_a_shell_script_and_its_table_can_be_read(tmp_path):
    from amorphace.config.clusters import write_cluster_files

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
    assert (cluster.kind, cluster.cores, cluster.options["account"]) == ("slurm", 16, "project")
    with pytest.raises(InputError, match="is there already"):
        list(write_cluster_files(tmp_path / "new", "ka", text, "slurm"))


@pytest.mark.slow
def test_local_processes_dask_and_two_shards_give_the_same_bytes(tmp_path):
    from test_campaign import QUICK, amorphace, contents

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
    plan = make_plan(read_experiment(files["shards"]))
    written = Store(tmp_path / "shards" / "a.store").written()
    assert written == Counter(u.id for u in plan.units)
    assert (tmp_path / "shards" / "a.results" / "report.html").exists()


def test_a_queueing_system_leaves_ctrl_c_alone():
    code = (
        "import signal\n"
        "from amorphace.campaign import dask\n"
        "before = signal.getsignal(signal.SIGINT)\n"
        "assert set(dask._queues()) == {'slurm', 'pbs', 'lsf'}\n"
        "assert signal.getsignal(signal.SIGINT) is before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
