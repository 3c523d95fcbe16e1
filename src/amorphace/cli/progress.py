"""Carrying out units from the command line: where, with bars or lines, until the end or Ctrl-C."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as RichTable
from rich.text import Text

from amorphace.cli.shared import show
from amorphace.core.errors import SetupError, SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amorphace.campaign.plan import Plan
    from amorphace.runs.engine import Event, Executor
    from amorphace.runs.frontier import Shard
    from amorphace.runs.status import Status
    from amorphace.runs.store import Store
    from amorphace.runs.unit import Graph

GENTLE = 10.0
"""Times that a look lasted to wait before the next: large stores are not read all the time."""
NEWS = 30.0
"""Seconds between two lines on the state where the output is no terminal."""


@contextmanager
def pool_of(
    plan: Plan, store: Store, *, workers: int = 0, scheduler: str | None = None, here: bool = True
) -> Iterator[Executor]:
    """Where the units of an experiment are carried out.

    Parameters
    ----------
    plan : Plan
    store : Store
    workers : int
        Processors of this machine; 0 is all of them.
    scheduler : str, optional
        Address of a Dask scheduler.
    here : bool
        Whether the work stays on this machine, where there is no scheduler; else it goes to the
        workers that the table [cluster] describes.

    Raises
    ------
    SetupError
        If a package for clusters is missing, or the cluster is.
    """
    from amorphace.config.experiment import part
    from amorphace.config.sections import Simulator

    settings, cluster = part(plan.experiment.run, Simulator), plan.experiment.cluster
    if scheduler is None and (here or cluster is None):
        from amorphace.runs.local_pool import LocalPool

        yield LocalPool(plan, store, workers, settings=settings)
        return
    try:
        from amorphace.runs.dask_client import connected, started, workers_of
        from amorphace.runs.dask_pool import DaskPool
    except ImportError as error:
        raise SetupError(
            f"{error.name} is missing: install amorphace[cluster], or run without a cluster"
        ) from None
    if scheduler is not None:
        place, expected = connected(scheduler, cluster.config if cluster else None), 0
    else:
        assert cluster is not None
        place = started(cluster, plan.cores_per_unit)
        expected = workers_of(cluster, plan.cores_per_unit)
    with place as client:
        yield DaskPool(plan, store, client, settings=settings, expected=expected)


def carry(
    plan: Plan,
    store: Store,
    pool: AbstractContextManager[Executor],
    *,
    workers: int = 0,
    shard: Shard | None = None,
    leave: float | None = None,
) -> bool:
    """Do all units that are not in the store yet; whether all are there then.

    Parameters
    ----------
    plan, store, shard, leave
        See `carry_out`.
    pool : context manager
        See `pool_of`.
    workers : int
        By which the time that is left is divided; 0: as many as there are units at work.

    Raises
    ------
    SimulationError
        If units failed.
    SystemExit
        After Ctrl-C, with status 130.
    """
    from amorphace.runs.engine import What, carry_out

    signal.signal(signal.SIGTERM, _interrupt)
    done: set[str] = set()
    failed: list[Event] = []
    try:
        with (
            _display(plan, store, workers) as (watch, tell),
            pool as executor,
            closing(
                carry_out(plan, store, executor, watch=watch, shard=shard, leave=leave)
            ) as events,
        ):
            for event in events:
                line = line_of(event)
                if line:
                    store.log(line)
                    if event.what is not What.BLOCKED:
                        tell(line)
                if event.what in (What.FOUND, What.FINISHED, What.DROPPED):
                    done.add(event.unit.id)
                if event.what is What.FAILED:
                    failed.append(event)
    except KeyboardInterrupt:
        store.log("interrupted")
        print("amorphace: interrupted; run it again to go on", file=sys.stderr)
        raise SystemExit(130) from None
    if failed:
        store.log(f"{len(failed)} units failed")
        raise SimulationError(
            f"{len(failed)} units failed, the first: {failed[0].unit.kind.name} of "
            f"{failed[0].unit.name}: {failed[0].text}; run again to try them again"
        )
    if len(done) < len(plan.units):
        show(f"no more work here; {len(plan.units) - len(done)} units are left to other programs")
        return False
    return True


def _interrupt(number: int, frame: object) -> None:
    """A queue that ends a job asks first: end as with Ctrl-C."""
    raise KeyboardInterrupt


def line_of(event: Event) -> str:
    """What a physicist wants to read of an event."""
    from amorphace.runs.engine import What

    unit = event.unit
    head = f"{unit.kind.name} of {unit.name}"
    if event.what is What.FINISHED and event.outcome is not None:
        return f"{head}: {unit.kind.sentence(event.outcome)} ({duration(event.seconds)})"
    if event.what is What.DROPPED:
        return f"{head}: DROPPED: {event.text} ({duration(event.seconds)})"
    if event.what in (What.FAILED, What.LOST, What.BLOCKED):
        return f"{head}: {event.what.name}: {event.text}"
    return ""


@contextmanager
def _display(
    plan: Graph, store: Store, workers: int
) -> Iterator[tuple[Callable[[], None], Callable[[str], None]]]:
    """Bars on a terminal, now and then a line elsewhere; to be looked at, and to be told lines."""
    from amorphace.runs.status import find_status

    console = Console(stderr=True)
    if not console.is_terminal:
        last = [time.monotonic()]

        def news() -> None:
            if time.monotonic() - last[0] > NEWS:
                last[0] = time.monotonic()
                found = find_status(plan, store)
                print(line_of_status(found, workers), file=sys.stderr, flush=True)

        yield news, lambda line: print(line, file=sys.stderr, flush=True)
        return
    next_look = [0.0]
    with Live(console=console, refresh_per_second=4, transient=True) as live:

        def look() -> None:
            begin = time.monotonic()
            if begin > next_look[0]:
                live.update(bars(find_status(plan, store), workers))
                next_look[0] = begin + max(1.0, GENTLE * (time.monotonic() - begin))

        yield look, lambda line: live.console.print(line, markup=False, highlight=False)


def line_of_status(found: Status, workers: int) -> str:
    """How an experiment stands, where the output is no terminal."""
    running = "; ".join(
        f"{u.kind.name} of {u.name} {percent(p)} {p.text}" for u, p in found.running
    )
    return f"{found.done} of {found.total} units, {_left(found, workers)}; {running}"


def bars(found: Status, workers: int) -> Group:
    """Bars of the kinds that have begun, and of the running units."""
    rows = RichTable.grid(padding=(0, 1))
    for kind in found.kinds:
        if kind.done or kind.running:
            bar = ProgressBar(total=kind.total, completed=kind.done, width=30)
            rows.add_row(kind.kind, bar, f"{kind.done}/{kind.total}")
    for unit, progress in found.running:
        bar = ProgressBar(total=progress.total or 1, completed=progress.done, width=30)
        rows.add_row(Text(f"  {unit.name}"), bar, Text(progress.text))
    return Group(rows, Text(_left(found, workers)))


def _left(found: Status, workers: int) -> str:
    seconds = found.seconds_left / max(1, workers or len(found.running))
    return f"about {duration(seconds)} left"


def percent(progress: Any) -> str:
    return f"{progress.done / progress.total:.0%}" if progress.total else ""


def duration(seconds: float) -> str:
    """Seconds in words.

    Examples
    --------
    >>> duration(5), duration(600), duration(9000), duration(1e6)
    ('5 s', '10 min', '2.5 h', '11.6 d')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.1f} d"
