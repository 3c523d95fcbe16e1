"""Runs on Dask: real schedulers and workers over TCP, killed at will, bad, or behind doors."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from amorphace.core.codec import encode
from amorphace.core.errors import InputError, SetupError
from amorphace.runs.claims import Claims
from amorphace.runs.cluster import Cluster
from amorphace.runs.dask_client import configured, connected, make_cluster, started, workers_of
from amorphace.runs.dask_pool import do_held
from amorphace.runs.engine import What
from amorphace.runs.execute import Task
from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Unit

from runs_samples import (
    children_of,
    everything_there,
    no_orphans,
    run_here,
    run_on_dask,
    told,
    until,
)
from toy_kinds import Crowd, Pick, Picky, Together, waiting

pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask's, when its parts are killed

TESTS = str(Path(__file__).parent)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "a.store")


class Parts:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path, *words: str, tls: tuple[str, ...] = ()) -> None:
        self.folder, self._words, self._tls = folder, words, tls
        self.file = folder / "scheduler.json"
        self.scheduler = self._start(
            {}, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(self.file), *(("--protocol", "tls") if tls else ()),
        )  # fmt: skip
        self.workers: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        return json.loads(self.file.read_text())["address"]

    def worker(self, **variables: str) -> subprocess.Popen[bytes]:
        words = self._words or ("--nthreads", "1", "--resources", "cores=1")
        return self._start(
            variables, "worker", self.address, "--no-nanny", "--no-dashboard", *words,
            "--local-directory", str(self.folder), "--death-timeout", "20",
        )  # fmt: skip

    def _start(self, variables: dict[str, str], what: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{what}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", what, *words, *self._tls], stdout=log, stderr=log,
                env=os.environ | {"PYTHONPATH": TESTS} | variables,
            )  # fmt: skip

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                process.kill()
            process.wait()


@contextmanager
def parts(
    folder: Path, *words: str, tls: tuple[str, ...] = (), workers: int = 2
) -> Iterator[Parts]:
    made = Parts(folder, *words, tls=tls)
    try:
        until(lambda: made.file.exists() and made.file.read_text().endswith("}"))
        made.workers += [made.worker() for _ in range(workers)]
        yield made
    finally:
        made.close()


# ---------------------------------------------------------------- one task, in this process


@pytest.fixture
def _as_worker(monkeypatch):
    class Me:
        address = "tcp://127.0.0.1:1"

    monkeypatch.setattr("amorphace.runs.dask_pool.get_worker", lambda: Me)


def held(store: Store, *units: Unit, key: str = "task") -> dict:
    return do_held(encode(Task.of(store, units, None, 1)), key, 120.0)["reports"]


@pytest.mark.usefixtures("_as_worker")
def test_a_worker_holds_the_claim_of_its_unit_and_a_second_one_leaves_it(store):
    units = waiting(2).units
    with Claims(store) as other:
        assert other.take(units[0].id)
        reports = held(store, *units)
        assert reports[units[0].id]["held"]
        assert not store.has(units[0].id)
        assert reports[units[1].id]["meta"]
    report = held(store, units[0])[units[0].id]
    assert report["meta"]
    assert not report["found"]
    assert held(store, units[0], key="another task")[units[0].id]["found"]


@pytest.mark.usefixtures("_as_worker")
def test_a_claim_for_the_same_task_is_of_a_worker_that_is_gone(store):
    with Claims(store, task="a") as gone, Claims(store, task="b") as other:
        assert gone.take("wait-0")
        assert not other.take("wait-0")
        with Claims(store, task="a") as next_one:
            assert next_one.take("wait-0")
        gone.release("wait-0")
        assert other.take("wait-0")


@pytest.mark.usefixtures("_as_worker")
def test_a_unit_that_fails_on_a_worker_is_known_before_its_claim_is_free(store):
    unit = waiting(1, failing=(0,)).units[0]
    report = held(store, unit)[unit.id]
    assert report["error"] == store.scratch.failure(unit.id).message == "unit 0 is to fail"
    with Claims(store) as claims:
        assert claims.free(unit.id)


@pytest.mark.usefixtures("_as_worker")
def test_a_worker_that_does_not_see_the_store_makes_none(store, tmp_path):
    task = Task.of(store, waiting(1).units, None, 1)
    away = encode(task) | {"store": str(tmp_path / "elsewhere")}
    ((report),) = do_held(away, "task", 120.0)["reports"].values()
    assert "there is no store yet" in report["stop"]
    assert not (tmp_path / "elsewhere").exists()


# ---------------------------------------------------------------- clusters that run


def test_a_bad_worker_is_set_aside_and_a_killed_one_replaced_while_the_others_go_on(
    store, tmp_path
):
    """One worker cannot do a unit (its disk is full, say), another one is killed."""
    graph = Graph(tuple(Unit(kind=Picky(), name=f"{k}", parameters=Pick(k, 0.4))
                        for k in range(10)))  # fmt: skip
    killed: list[int] = []
    with no_orphans(), parts(tmp_path) as cluster, connected(cluster.address) as client:
        bad = cluster.worker(TOY_IS_BAD="1")
        cluster.workers.append(bad)
        until(lambda: len(client.nthreads()) == 3)

        def kill_one() -> None:
            if not killed and len(store.finished()) >= 4:
                cluster.workers[0].kill()
                killed.append(cluster.workers[0].pid)

        events = list(run_on_dask(graph, store, client, watch=kill_one))
        assert killed
        until(lambda: bad.poll() is not None)
    what = Counter(e.what for e in events)
    # one that the worker wrote before it could say so is found
    assert what[What.FINISHED] + what[What.FOUND] == 10
    assert not what[What.FAILED]
    texts = {e.text for e in events if e.what is What.LOST}
    assert all(re.match(r"the worker tcp://\S+ is set aside: this node has no lmp", t)
               for t in texts)  # fmt: skip
    assert texts
    assert store.finished() == {u.id for u in graph.units}


@pytest.mark.slow
def test_a_run_ends_when_all_workers_are_bad_and_says_why(store, tmp_path):
    graph = Graph(tuple(Unit(kind=Picky(), name=f"{k}", parameters=Pick(k)) for k in range(4)))
    with parts(tmp_path, workers=0) as cluster, connected(cluster.address) as client:
        cluster.workers += [cluster.worker(TOY_IS_BAD="1") for _ in range(2)]
        until(lambda: len(client.nthreads()) == 2)
        with pytest.raises(SetupError, match=r"no worker is left .* this node has no lmp"):
            list(run_on_dask(graph, store, client))
    assert store.finished() == set()
    assert store.scratch.failures() == {}


def test_a_cluster_of_this_machine_listens_here_only_and_ends_whole(store, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", TESTS)
    crowd = [Unit(kind=Crowd(), name=f"{k}", parameters=Together(k)) for k in range(10)]
    graph = Graph((*waiting(4, 0.1, failing=(2,)).units, *crowd))
    with no_orphans(), started(Cluster(kind="local", jobs=1)) as client:
        assert client.scheduler.address.startswith("tcp://127.0.0.1:")
        pids = [int(p) for p in client.run(os.getpid).values()]
        assert listening(pids) == {"127.0.0.1"}
        events = list(run_on_dask(graph, store, client))
    assert told(events, What.FAILED) == [("failed", "number 2")]
    assert len(told(events, What.FINISHED)) == 13
    assert store.scratch.failure(graph.units[2].id).message == "unit 2 is to fail"


@pytest.mark.slow
def test_a_lost_scheduler_is_named_and_a_rerun_completes_the_work(store, tmp_path):
    graph = waiting(6, 0.5)
    killed: list[int] = []
    with (
        no_orphans(),
        parts(tmp_path) as cluster,
        connected(cluster.address, patience=3.0) as client,
    ):

        def kill() -> None:
            if not killed and len(store.finished()) >= 2:
                cluster.scheduler.kill()
                killed.append(cluster.scheduler.pid)

        with pytest.raises(SetupError, match="scheduler is lost; what is finished stays"):
            list(run_on_dask(graph, store, client, watch=kill))
    assert killed
    assert len(store.finished()) >= 2
    events = Counter(e.what for e in run_here(graph, store, cores=1))
    assert events[What.FINISHED] < 6
    everything_there(graph, store)


@pytest.mark.slow
def test_workers_of_several_threads_or_too_few_cores_are_refused(store, tmp_path):
    words = ("--nthreads", "2")
    with parts(tmp_path, *words, workers=1) as cluster, connected(cluster.address) as client:
        until(lambda: client.nthreads())
        with pytest.raises(SetupError, match=r"has 2 threads, .* start workers with --nthreads 1"):
            list(run_on_dask(waiting(2), store, client))
    with pytest.raises(InputError, match=r"has 1 cores, less than run\.cores_per_unit, 8"):
        workers_of(Cluster(kind="local", jobs=1), 8)


@pytest.mark.slow
def test_workers_without_the_cores_of_a_unit_are_refused(store):
    with (
        started(Cluster(kind="local", jobs=1)) as client,
        pytest.raises(SetupError, match="cores=8"),
    ):
        list(run_on_dask(waiting(2, cores_per_unit=8), store, client))


@pytest.mark.parametrize("address", ["nonsense://a", "tcp://127.0.0.1:1", "tls://127.0.0.1:1"])
def test_a_scheduler_that_does_not_answer_is_named_in_time(address):
    begin = time.monotonic()
    with (
        pytest.raises(SetupError, match="give the address that"),
        connected(address, patience=0.5),
    ):
        pass
    assert time.monotonic() - begin < 20


# ---------------------------------------------------------------- jobs of a queue

QUEUES = {
    "slurm": (
        {"queue": "long", "account": "glass", "walltime": "10:00:00"},
        ("#SBATCH -p long", "#SBATCH -A glass", "#SBATCH --cpus-per-task=16",
         "#SBATCH -t 10:00:00"),
    ),
    "pbs": (
        {"queue": "long", "account": "glass", "walltime": "10:00:00",
         "resource_spec": "select=1:ncpus=16:mem=32GB"},
        ("#PBS -q long", "#PBS -A glass", "#PBS -l select=1:ncpus=16:mem=32GB",
         "#PBS -l walltime=10:00:00", "#PBS -N amorphace"),
    ),
    "lsf": (
        {"queue": "long", "project": "glass", "walltime": "10:00", "lsf_units": "mb",
         "use_stdin": True},
        ("#BSUB -q long", '#BSUB -P "glass"', "#BSUB -n 16", "#BSUB -M 32000", "#BSUB -W 10:00",
         "#BSUB -J amorphace"),
    ),
}  # fmt: skip
"""Words of dask-jobqueue, and lines of the script that it makes of them."""


def queue(kind: str = "slurm", **options) -> Cluster:
    """A cluster whose scheduler and workers listen on the loopback device."""
    own = {"cores": 16, "memory": "32GB", "interface": "lo",
           "worker_extra_args": ["--lifetime", "9h"]}  # fmt: skip
    return Cluster(kind=kind, jobs=3, options=own | options)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", QUEUES)
def test_a_job_asks_for_what_the_options_say_with_one_thread_and_its_cores_a_worker(kind):
    options, lines = QUEUES[kind]
    with make_cluster(queue(kind, **options), 4) as cluster:
        script = cluster.job_script()
    for line in lines:
        assert line in script
    assert "--nworkers 4" in script
    assert script.rindex("--nthreads 1") > script.index("--nthreads 4")
    assert "--resources cores=4" in script
    assert "--lifetime 9h" in script
    assert "tcp://127.0.0.1:" in script
    assert workers_of(queue(kind, **options), 4) == 12


def test_options_may_stand_in_the_configuration_of_dask():
    config = {"jobqueue": {"slurm": {"cores": 8, "memory": "8GB", "interface": "lo"}}}
    with (
        configured(config),
        make_cluster(Cluster(kind="slurm", jobs=1)) as cluster,
    ):
        assert "--cpus-per-task=8" in cluster.job_script()
        assert "--interface lo" in cluster.job_script()


def test_workers_of_a_queue_listen_where_the_file_says_and_nowhere_else(tmp_path):
    """The command that a job would run, run here."""
    with make_cluster(queue(cores=1)) as cluster:
        script = cluster.job_script()
        line = next(line for line in script.splitlines() if "dask_worker" in line)
        worker = subprocess.Popen(
            ["bash", "-c", f"exec {line} --local-directory {tmp_path}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            until(lambda: cluster.scheduler_info["workers"])
            pids = children_of(worker.pid)
            assert len(pids) > 1  # the nanny and its worker
            assert listening([*pids, os.getpid()]) <= {"127.0.0.1"}
        finally:
            os.killpg(worker.pid, 9)
            worker.wait()


def listening(pids: list[int]) -> set[str]:
    """Addresses on which processes listen for TCP."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found = re.match(r"socket:\[(\d+)\]", os.readlink(link))
            except OSError:
                continue
            if found:
                inodes.add(found[1])
    addresses = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A" and fields[9] in inodes:
                raw = bytes.fromhex(fields[1].partition(":")[0])
                words = [raw[k : k + 4][::-1] for k in range(0, len(raw), 4)]
                addresses.add(socket.inet_ntop(family, b"".join(words)))
    return addresses


@pytest.mark.parametrize("options", [{}, {"scheduler_options": {"host": "127.0.0.1"}}])
def test_a_queue_without_a_network_or_certificates_is_refused(options):
    cluster = Cluster(kind="slurm", jobs=1, options={"cores": 1, "memory": "1GB"} | options)
    with pytest.raises(InputError, match=r"would listen on every network .*interface = \"ib0\""):
        make_cluster(cluster)


def test_an_unknown_word_for_the_queue_is_named():
    with pytest.raises(InputError, match="acount"):
        make_cluster(queue("pbs", acount="glass"))


def test_a_queueing_system_leaves_ctrl_c_alone():
    code = (
        "import signal\n"
        "from amorphace.runs import dask_client as cluster\n"
        "before = signal.getsignal(signal.SIGINT)\n"
        "assert set(cluster._queues()) == {'slurm', 'pbs', 'lsf'}\n"
        "assert signal.getsignal(signal.SIGINT) is before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------- drivers that are killed

DRIVER = """
import sys
sys.path.insert(0, {tests!r})
from runs_samples import run_on_dask
from toy_kinds import waiting
from amorphace.runs.dask_client import connected
from amorphace.runs.store import Store

with connected({address!r}) as client:
    for event in run_on_dask(waiting(4, 20.0, chain=4), Store({store!r}), client):
        print(event.what.value, event.unit.id, flush=True)
"""


@pytest.mark.slow
def test_a_killed_driver_leaves_the_units_of_living_workers_to_them(store, tmp_path):
    """The next driver on the scheduler waits for them, though other workers have nothing to do."""
    graph = waiting(4, 20.0, chain=4)

    def at_work() -> dict[str, int]:
        found = {u: store.scratch.progress(u) for u in store.scratch.begun()}
        return {u: p.process.pid for u, p in found.items() if p is not None and p.alive}

    with no_orphans(), parts(tmp_path) as cluster:
        script = tmp_path / "driver.py"
        script.write_text(DRIVER.format(tests=TESTS, address=cluster.address,
                                        store=str(store.path)))  # fmt: skip
        first = subprocess.Popen([sys.executable, script], stdout=subprocess.DEVNULL)
        until(lambda: len(at_work()) == 2)
        first.kill()
        first.wait()
        begun = at_work()
        assert set(begun.values()) == {w.pid for w in cluster.workers}
        cluster.workers += [cluster.worker() for _ in range(2)]
        seen: Counter[str] = Counter()

        def look() -> None:
            for unit, pid in at_work().items():
                if unit in begun:
                    seen["theirs" if begun[unit] == pid else "another's"] += 1

        with connected(cluster.address) as client:
            until(lambda: len(client.nthreads()) == 4)
            events = list(run_on_dask(graph, store, client, watch=look))
        assert set(seen) == {"theirs"}
        assert {e.unit.id for e in events if e.what is What.FOUND} == set(begun)
        done = {e.unit.id for e in events if e.what is What.FINISHED}
        assert done == {u.id for u in graph.units} - set(begun)
    everything_there(graph, store)
