"""Kinds of units that the tests of the runner carry out; any process can import them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import InputError, SetupError, SimulationError
from amorphace.core.records import write_record
from amorphace.runs.job import Job
from amorphace.runs.unit import Cores, Dropped, Graph, Kind, Outcome, Role, Unit

PIECE = 0.1
"""Seconds between two reports of a unit that waits."""


@dataclass(frozen=True)
class Wait:
    """Parameters: wait, then do what `end` says."""

    index: int
    seconds: float = 0.0
    end: str = ""


@dataclass(frozen=True, eq=False)
class Waited:
    """What a unit that waited leaves."""

    index: NDArray[np.int64]


@dataclass(frozen=True)
class Small:
    """Small results."""

    index: int
    mean: float


class Waiting(Kind[Wait, Waited]):
    """Waits; drops, fails or dies where it is asked to."""

    name = "wait"
    parameters = Wait
    results = Small
    record = Waited
    inputs = {"before": Role()}  # noqa: RUF012

    def do(self, job: Job[Wait]) -> Outcome:
        p = job.parameters
        end = time.monotonic() + p.seconds
        while (left := end - time.monotonic()) > 0:
            job.report(p.seconds - left, p.seconds, "waiting")
            time.sleep(min(left, PIECE))
        if p.end == "fail":
            raise InputError(f"unit {p.index} is to fail")
        if p.end == "hiccup":
            raise SimulationError("end.dump ends after 100 lines")
        if p.end == "drop":
            raise Dropped("too hot")
        if p.end == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        write_record(job.folder, Waited(np.array([p.index])))
        return Outcome(results=Small(p.index, p.index / 2))

    def sentence(self, outcome: Outcome) -> str:
        return f"number {outcome.results.index}"


@dataclass(frozen=True)
class Count:
    """Parameters: count to `top`."""

    top: int
    index: int = 0


@dataclass(frozen=True, eq=False)
class Counted:
    """How far a count is: its checkpoint, and its result."""

    sums: NDArray[np.float64]


class Counting(Kind[Count, Counted]):
    """Sums with a checkpoint after each step: goes on where it was killed."""

    name = "count"
    parameters = Count
    record = Counted

    def do(self, job: Job[Count]) -> Outcome:
        found = job.resume(Counted, lambda c: len(c.sums) <= job.parameters.top)
        sums = [] if found is None else found.sums.tolist()
        began = len(sums)
        while len(sums) < job.parameters.top:
            sums.append(float(np.sqrt(len(sums) + 1)) + (sums[-1] if sums else 0.0))
            job.checkpoint(lambda: Counted(np.array(sums)))
        write_record(job.folder, Counted(np.array(sums)))
        return Outcome(results={"began": began})


@dataclass(frozen=True)
class Mean:
    """Parameters: none."""


class Averaging(Kind[Mean, Waited]):
    """The mean of the sound inputs of one role, and the first of another."""

    name = "mean"
    parameters = Mean
    inputs = {"all": Role(some=True, digests=False), "first": Role()}  # noqa: RUF012
    cores = Cores.ALL

    def do(self, job: Job[Mean]) -> Outcome:
        sound = [i.load(Waiting).index[0] for i in job.inputs("all") if not i.dropped]
        if not sound:
            raise Dropped("no sound input")
        return Outcome(results={"mean": float(np.mean(sound)), "n_jobs": job.n_jobs})


@dataclass(frozen=True)
class Together:
    """Parameters of units that are done many at a time."""

    index: int
    seconds: float = 0.0
    fails: bool = False
    tags: tuple[str, ...] = field(default=())


class Crowd(Kind[Together, Any]):
    """Done many at a time; each result tells how many there were."""

    name = "crowd"
    parameters = Together
    at_once = 8

    def do(self, job: Job[Together]) -> Outcome:
        ((_, outcome),) = self.do_many([job])
        assert isinstance(outcome, Outcome)
        return outcome

    def do_many(
        self, jobs: Sequence[Job[Together]]
    ) -> Iterator[tuple[Job[Together], Outcome | Exception]]:
        for job in reversed(jobs):
            time.sleep(job.parameters.seconds)
            if job.parameters.fails:
                yield job, InputError("it failed alone")
            else:
                (job.folder / "a.txt").write_text(str(job.parameters.index))
                yield job, Outcome(results={"many": len(jobs)})


@dataclass(frozen=True)
class Pick:
    """Parameters."""

    index: int
    seconds: float = 0.0


class Picky(Kind[Pick, Any]):
    """Cannot be done on a machine whose environment says so."""

    name = "pick"
    parameters = Pick

    def do(self, job: Job[Pick]) -> Outcome:
        time.sleep(job.parameters.seconds)
        if os.environ.get("TOY_IS_BAD"):
            raise SetupError("this node has no lmp")
        return Outcome()


@dataclass(frozen=True)
class Fill:
    """Parameters: write so many bytes, as an array, a text or a checkpoint."""

    index: int
    size: int
    way: str


@dataclass(frozen=True, eq=False)
class Block:
    """Many bytes."""

    block: NDArray[np.uint8]


class Filling(Kind[Fill, Block]):
    """Writes many bytes."""

    name = "fill"
    parameters = Fill
    record = Block

    def do(self, job: Job[Fill]) -> Outcome:
        p = job.parameters
        block = Block(np.random.default_rng(p.index).integers(0, 256, p.size, dtype=np.uint8))
        if p.way == "text":
            (job.folder / "a.txt").write_text("x" * p.size)
            return Outcome()
        if p.way == "checkpoint":
            job.store.scratch.write_checkpoint(job.unit.id, block)
            return Outcome()
        write_record(job.folder, block)
        return Outcome()


def waiting(
    count: int,
    seconds: float = 0.0,
    *,
    failing: tuple[int, ...] = (),
    ends: str = "fail",
    chain: int = 0,
    cores_per_unit: int = 1,
) -> Graph:
    """Units that wait; every `chain`-th reads those before it, like a sample its replicas."""
    units: list[Unit] = []
    for k in range(count):
        reads = units[k - chain + 1 : k] if chain and k % chain == chain - 1 else []
        units.append(
            Unit(
                kind=Waiting(),
                name=f"number {k}",
                parameters=Wait(k, seconds, ends if k in failing else ""),
                inputs={"before": tuple(u.id for u in reads)} if reads else {},
                cost=seconds,
            )
        )
    return Graph(tuple(units), cores_per_unit=cores_per_unit)


@dataclass(frozen=True)
class Tries:
    """Parameters: how often to try; the unit of an index comes out sound at the try of it."""

    index: int
    tries: int


class Trying(Kind[Tries, Waited]):
    """Sound where it may try often enough."""

    name = "try"
    parameters = Tries
    limits = ("tries",)
    record = Waited

    def do(self, job: Job[Tries]) -> Outcome:
        if job.parameters.index > job.parameters.tries:
            raise Dropped(f"not sound after {job.parameters.tries} tries")
        write_record(job.folder, Waited(np.array([job.parameters.index])))
        return Outcome()


class Gathering(Kind[Mean, Waited]):
    """Counts the sound ones."""

    name = "gather"
    parameters = Mean
    inputs = {"all": Role(some=True)}  # noqa: RUF012

    def do(self, job: Job[Mean]) -> Outcome:
        return Outcome(results={"sound": sum(not i.dropped for i in job.inputs("all"))})
