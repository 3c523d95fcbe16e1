"""Programs and faults that the tests of the runner share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amorphace.runs.engine import Ended, Event, What, carry_out
from amorphace.runs.execute import do_units
from amorphace.runs.local_pool import LocalPool
from amorphace.runs.store import Store
from amorphace.runs.unit import Graph, Unit


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
from amorphace.runs.engine import carry_out
from amorphace.runs.frontier import Shard
from amorphace.runs.local_pool import LocalPool
from amorphace.runs.store import Store

if __name__ == "__main__":
    graph = waiting({count}, {seconds}, chain={chain})
    shard = Shard.parse({shard!r}) if {shard!r} else None
    store = Store({store!r})
    for event in carry_out(graph, store, LocalPool(graph, store, {workers}), shard=shard):
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


class Inline:
    """An executor that does units in this process, one task after the other."""

    holds = False

    def __init__(self, graph: Graph, store: Store, cores: int = 2, lose: Counter | None = None):
        self._graph, self._store, self.cores = graph, store, cores
        self._queue: list[list[Unit]] = []
        self._lose = Counter() if lose is None else lose
        self.begun: list[list[str]] = []

    def room(self, unit: Unit) -> bool:
        used = sum(self._graph.cores_of(units[0], self.cores) for units in self._queue)
        return used + self._graph.cores_of(unit, self.cores) <= self.cores

    def submit(self, units: Sequence[Unit]) -> None:
        self._queue.append(list(units))
        self.begun.append([u.name for u in units])

    def collect(self, seconds: float) -> list[Ended]:
        if not self._queue:
            time.sleep(min(seconds, 0.01))
            return []
        units = {u.id: u for u in self._queue.pop(0)}
        lost = [i for i in units if self._lose[i] > 0]
        if lost:
            self._lose.subtract(lost)
            return [Ended(unit, None) for unit in units.values()]
        return [Ended(units[r.unit], r) for r in do_units(self._store, list(units.values()))]

    def close(self) -> None:
        self._queue.clear()


def run_inline(graph: Graph, store: Store, *, cores: int = 2, **words: Any) -> list[Event]:
    """Carry a graph out in this process."""
    return list(carry_out(graph, store, Inline(graph, store, cores), **words))


def run_here(graph: Graph, store: Store, cores: int = 0, **words: Any) -> Iterator[Event]:
    """Carry a graph out in processes of this machine."""
    return carry_out(graph, store, LocalPool(graph, store, cores), **words)


def run_on_dask(graph: Graph, store: Store, client: Any, **words: Any) -> Iterator[Event]:
    """Carry a graph out on the workers of a scheduler."""
    from amorphace.runs.dask_pool import DaskPool

    return carry_out(graph, store, DaskPool(graph, store, client), **words)


def told(events: list[Event], *whats: What) -> list[tuple[str, str]]:
    """What happened, and to which unit, where it is one of these."""
    return [(e.what.value, e.unit.name) for e in events if e.what in whats]
