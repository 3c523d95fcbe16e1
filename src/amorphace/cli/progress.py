"""Carrying out units from the command line: where, with bars or lines, until the end or Ctrl-C."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as RichTable
from rich.text import Text

from amorphace.cli.shared import show
from amorphace.core.errors import InputError, SetupError, SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amorphace.config.sections import ClusterSection
    from amorphace.runs.engine import Event
    from amorphace.runs.frontier import Shard
    from amorphace.runs.status import Status
    from amorphace.runs.store import Store
    from amorphace.runs.unit import Graph

GENTLE = 10.0
"""Times that a look lasted to wait before the next: large stores are not read all the time."""
NEWS = 30.0
"""Seconds between two lines on the state where the output is no terminal."""


@dataclass(frozen=True)
class Means:
    """Where units are carried out.

    Attributes
    ----------
    workers : int
        Processors of this machine; 0 is all of them.
    shard : Shard or None
        Which units come first, where several programs share the work.
    leave : float or None
        Seconds without work after which the rest is left to other programs.
    scheduler : str or None
        Address of a Dask scheduler.
    command : str or None
        The LAMMPS command.
    cluster : ClusterSection or None
        Workers as jobs of a queue; a shard does without.
    """

    workers: int = 0
    shard: Shard | None = None
    leave: float | None = None
    scheduler: str | None = None
    command: str | None = None
    cluster: ClusterSection | None = None


def shard_of(text: str | None, scheduler: str | None) -> Shard | None:
    """The shard that the option names.

    Raises
    ------
    InputError
        If it names none, or there is a scheduler too.
    """
    from amorphace.runs.frontier import Shard

    if text and scheduler:
        raise InputError("--shard and --scheduler are two ways to share the work; give one")
    return Shard.parse(text) if text else None


def carry(plan: Graph, store: Store, means: Means) -> bool:
    """Do all units that are not in the store yet; whether all are there then.

    Raises
    ------
    SimulationError
        If units failed.
    SystemExit
        After Ctrl-C, with status 130.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    done: set[str] = set()
    failed: list[Event] = []
    try:
        with (
            _display(plan, store, means.workers) as (watch, tell),
            _events(plan, store, means, watch) as events,
        ):
            for event in events:
                _note(event, store, tell, done, failed)
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


@contextmanager
def _events(
    plan: Graph, store: Store, means: Means, watch: Callable[[], object]
) -> Iterator[Iterator[Event]]:
    """Events of a plan carried out where the options and the file say."""
    from amorphace.campaign.glass import Lammps

    settings, cluster, shard = Lammps(means.command), means.cluster, means.shard
    if means.scheduler is None and (cluster is None or shard is not None):
        from amorphace.runs.local_pool import run_here

        with closing(
            run_here(
                plan, store, workers=means.workers, settings=settings, watch=watch, shard=shard,
                leave=means.leave,
            )
        ) as events:  # fmt: skip
            yield events
        return
    try:
        from amorphace.runs.cluster import Cluster, connected, started, workers_of
        from amorphace.runs.dask_pool import run_on_dask
    except ImportError as error:
        raise SetupError(
            f"{error.name} is missing: install amorphace[cluster], or run without a cluster"
        ) from None
    expected = 0
    if means.scheduler is not None:
        place = connected(means.scheduler, cluster.config if cluster else None)
    else:
        assert cluster is not None
        asked = Cluster(
            kind=cluster.kind, jobs=cluster.jobs, options=cluster.options, config=cluster.config
        )
        expected = workers_of(asked, plan.cores_per_unit)
        place = started(asked, plan.cores_per_unit)
    with (
        place as client,
        closing(
            run_on_dask(plan, store, client, settings=settings, watch=watch, expected=expected)
        ) as events,
    ):
        yield events


def _note(
    event: Event,
    store: Store,
    tell: Callable[[str], None],
    done: set[str],
    failed: list[Event],
) -> None:
    """Log and count an event, and tell what a reader wants to know."""
    from amorphace.runs.engine import What

    line = line_of(event)
    if line:
        store.log(line)
        if event.what is not What.BLOCKED:
            tell(line)
    if event.what in (What.FOUND, What.FINISHED, What.DROPPED):
        done.add(event.unit.id)
    if event.what is What.FAILED:
        failed.append(event)


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
    left = duration(found.seconds_left / max(1, workers or len(found.running)))
    return f"{found.done} of {found.total} units, about {left} left; {running}"


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
    left = found.seconds_left / max(1, workers or len(found.running))
    return Group(rows, Text(f"about {duration(left)} left"))


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
