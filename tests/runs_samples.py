"""Programs and faults that the tests of the runner share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from amorphace.runs.store import Store
from amorphace.runs.unit import Graph


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something to come true."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.05)


DRIVER = """
import sys
sys.path.insert(0, {tests!r})
from toy_kinds import waiting
from amorphace.runs.frontier import Shard
from amorphace.runs.local_pool import run_here
from amorphace.runs.store import Store

if __name__ == "__main__":
    graph = waiting({count}, {seconds}, chain={chain})
    shard = Shard.parse({shard!r}) if {shard!r} else None
    for event in run_here(graph, Store({store!r}), workers={workers}, shard=shard):
        print(event.what.value, event.unit.id, flush=True)
"""


def driver(
    folder: Path,
    store: Path,
    count: int,
    seconds: float,
    *,
    shard: str = "",
    workers: int = 2,
    chain: int = 0,
) -> subprocess.Popen[str]:
    """A program of its own that carries out a graph of waiting units, in its own process group."""
    script = folder / f"driver_{time.monotonic_ns()}.py"
    tests = str(Path(__file__).parent)
    script.write_text(
        DRIVER.format(
            tests=tests, count=count, seconds=seconds, chain=chain, shard=shard,
            store=str(store), workers=workers,
        )
    )  # fmt: skip
    return subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def everything_there(graph: Graph, store: Store) -> None:
    """Each unit is there, whole; nothing else is left."""
    assert store.finished() == {u.id for u in graph.units}
    assert all(store.sound(unit, digests=True) for unit in store.finished())
    assert store.scratch.begun() == []
    assert store.scratch.failures() == {}
    store.tidy()
    assert not (store.path / "tmp").exists() or not list((store.path / "tmp").iterdir())
    for unit in graph.units:
        assert store.load(unit).index[0] == unit.parameters.index


class Twice:
    """Finds units that were written again: their folders have another number."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[str, int] = {}
        self.again: list[str] = []

    def look(self) -> None:
        for unit in self._store.finished():
            number = self._store.folder(unit).stat().st_ino
            if self._seen.setdefault(unit, number) != number:
                self.again.append(unit)


def children_of(session: int) -> list[int]:
    """Processes of a session that live."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(place.name))
    return found


@contextmanager
def no_orphans() -> Iterator[None]:
    """No process of this program is left at the end that was not there at the beginning."""
    before = set(_descendants(os.getpid()))
    yield
    until(lambda: not set(_descendants(os.getpid())) - before, 30)


def _descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = [int(c) for c in (task / "children").read_text().split()]
        except OSError:
            continue
        for child in children:
            name = Path(f"/proc/{child}/cmdline").read_bytes()
            # one for the whole program: the tracker of multiprocessing's shared memory
            if b"resource_tracker" not in name and b"forkserver" not in name:
                found += [child, *_descendants(child)]
    return found
