"""Commands on experiment files: init, run, status, retry, prune."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as RichTable
from rich.text import Text

from amorphace.cli.shared import app, command_line, show
from amorphace.core.errors import InputError, SetupError, SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amorphace.campaign.engine import Event, Shard
    from amorphace.campaign.plan import Plan
    from amorphace.campaign.status import Status
    from amorphace.campaign.store import Store

ExperimentArgument = Annotated[Path, typer.Argument(help="An experiment file (TOML).")]
CORES = (2, 16, 64, 256, 1024)
"""Cores for which `run --dry-run` says how long it takes."""
WATCH = 2.0
"""Least seconds between two looks at a store."""
GENTLE = 10.0
"""Times that a look lasted to wait before the next: large stores are not read all the time."""
NEWS = 30.0
"""Seconds between two lines on the state where the output is no terminal."""


@app.command()
def init(
    model: Annotated[str, typer.Argument(help="kob-andersen, wahnstrom or bead-spring.")],
    protocol: Annotated[str, typer.Argument(help="thermal or shear.")],
    scale: Annotated[
        str, typer.Option(help="minutes, hours, overnight (on two cores) or paper (a cluster).")
    ] = "minutes",
    cluster: Annotated[
        str | None, typer.Option(help="slurm: the file, and a job array, for a cluster.")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of what --cluster writes.")
    ] = Path(),
) -> None:
    """An experiment file for one of the paper's cases, on standard output.

    With --cluster, the file and a script that submits it go to a folder.

    Example: amorphace init kob-andersen thermal --scale minutes > ka.toml
    """
    from amorphace.config import experiment_text

    text = experiment_text(model, protocol, scale)
    if cluster is None:
        sys.stdout.write(text)
        return
    from amorphace.config.clusters import write_cluster_files

    for file in write_cluster_files(output, f"{model}-{protocol}", text, cluster):
        show(f"{file}: written")


@app.command()
def run(
    file: ExperimentArgument,
    workers: Annotated[
        int | None,
        typer.Option(help="Processors to use on this machine; 0 is all of them.", min=0),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(help="i/n: this is the i-th of n programs that share the work."),
    ] = None,
    leave: Annotated[
        float | None,
        typer.Option(help="With --shard: end after so many seconds without work.", min=0),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, whose workers do the work.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it will take: cores, hours, disk.")
    ] = False,
) -> None:
    """Simulate, label, describe, learn: all that is not in the store yet.

    May be interrupted at any time, by Ctrl-C or by force: run it again and it goes on. Results
    go to a folder beside the file, NAME.results. A table [cluster] in the file starts Dask workers
    as jobs of a queue; --workers keeps the work on this machine.

    Example: amorphace run ka.toml
    """
    from amorphace.campaign.engine import Shard
    from amorphace.campaign.plan import experiment_key, make_plan, store_path
    from amorphace.campaign.status import estimate, find_status
    from amorphace.campaign.store import Store
    from amorphace.config import read_experiment

    experiment = read_experiment(file)
    plan = make_plan(experiment)
    if dry_run:
        _show_budget(plan)
        return
    own = Shard.parse(shard) if shard else None
    if own and scheduler:
        raise InputError("--shard and --scheduler are two ways to share the work; give one")
    store = Store(store_path(file, experiment))
    store.register(experiment_key(file, store), plan.by_id())
    left = find_status(plan, store).seconds_left
    show(
        f"{experiment.experiment.name}: {len(plan.units)} units in {store.path}, about "
        f"{_duration(left)} of one core to go (estimated {_duration(estimate(plan))} in all)"
    )
    begin = time.monotonic()
    store.log(f"run {file.name}: {len(plan.units)} units, {_duration(left)} of one core to go")
    signal.signal(signal.SIGTERM, _interrupt)
    done: set[str] = set()
    failed: list[Event] = []
    try:
        with (
            _display(plan, store, workers or experiment.run.workers) as (watch, tell),
            _events(plan, store, workers, own, leave, scheduler, watch) as events,
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
            f"{len(failed)} units failed, the first: {failed[0].unit.kind} of "
            f"{failed[0].unit.name}: {failed[0].text}; run again to try them again"
        )
    if len(done) < len(plan.units):
        show(f"no more work here; {len(plan.units) - len(done)} units are left to other programs")
        return
    store.log(f"done in {_duration(time.monotonic() - begin)}")
    _finish_once(file, plan, store, shared=own is not None)
    show(f"done in {_duration(time.monotonic() - begin)}")


@contextmanager
def _events(
    plan: Plan,
    store: Store,
    workers: int | None,
    shard: Shard | None,
    leave: float | None,
    scheduler: str | None,
    watch: Callable[[], object],
) -> Iterator[Iterator[Event]]:
    """Events of a plan carried out where the options and the file say."""
    given = plan.experiment
    command, cluster = given.run.lammps, given.cluster
    if scheduler is None and (cluster is None or shard is not None or workers is not None):
        from amorphace.campaign.local import run_plan

        count = given.run.workers if workers is None else workers
        with closing(
            run_plan(
                plan, store, workers=count, command=command, watch=watch, shard=shard, leave=leave
            )
        ) as events:
            yield events
        return
    try:
        from amorphace.campaign import dask
    except ImportError as error:
        raise SetupError(
            f"{error.name} is missing: install amorphace[cluster], or run without a cluster"
        ) from None
    expected = 0
    if scheduler is not None:
        place = dask.connected(scheduler, cluster.tls if cluster else None)
    else:
        assert cluster is not None
        expected = dask.workers_of(cluster, given.run.cores_per_unit)
        place = dask.started(cluster, given.run.cores_per_unit)
    with (
        place as client,
        closing(
            dask.run_on_dask(plan, store, client, command=command, watch=watch, expected=expected)
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
    line = _line(event)
    if line:
        store.log(line)
        if event.what != "blocked":
            tell(line)
    if event.what in ("found", "finished", "dropped"):
        done.add(event.unit.id)
    if event.what == "failed":
        failed.append(event)


def _interrupt(number: int, frame: object) -> None:
    """A queue that ends a job asks first: end as with Ctrl-C."""
    raise KeyboardInterrupt


@app.command()
def status(
    file: ExperimentArgument,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it anew every few seconds, until Ctrl-C.")
    ] = False,
) -> None:
    """How an experiment stands: what is done, runs, failed and why, and the time left.

    Example: amorphace status ka.toml --watch
    """
    from amorphace.campaign.plan import experiment_key, make_plan, store_path
    from amorphace.campaign.status import find_sharing, find_status
    from amorphace.campaign.store import Store
    from amorphace.config import read_experiment

    experiment = read_experiment(file)
    plan = make_plan(experiment)
    store = Store(store_path(file, experiment), create=False)
    if watch:
        _watch(plan, store)
        return
    found = find_status(plan, store)
    show(_status_table(found))
    for unit, progress in found.running:
        show(f"running: {unit.kind} of {unit.name}: {_percent(progress)} {progress.text}")
    for unit, text in found.dropped:
        show(f"dropped: {unit.kind} of {unit.name}: {text}")
    for unit, text in found.failures:
        show(f"failed: {unit.kind} of {unit.name}: {text}")
    for other in find_sharing(plan, store, experiment_key(file, store)):
        show(
            f"shared with {other.name}: {other.units} of {other.total} units, {other.done} done: "
            "they cost nothing new"
        )


def _watch(plan: Plan, store: Store) -> None:
    """Bars of what is done, until all is, or Ctrl-C."""
    from amorphace.campaign.status import find_status

    with suppress(KeyboardInterrupt), Live(console=Console(), refresh_per_second=2) as live:
        while True:
            begin = time.monotonic()
            found = find_status(plan, store)
            live.update(Group(_status_table(found), _bars(found, 0)), refresh=True)
            if found.done == found.total:
                return
            time.sleep(max(WATCH, GENTLE * (time.monotonic() - begin)))


@app.command()
def retry(file: ExperimentArgument) -> None:
    """Forget which units failed, so that the programs that run try them again.

    Example: amorphace retry ka.toml
    """
    from amorphace.campaign.plan import make_plan, store_path
    from amorphace.campaign.store import Store
    from amorphace.config import read_experiment

    experiment = read_experiment(file)
    plan = make_plan(experiment)
    store = Store(store_path(file, experiment), create=False)
    units, failures = plan.by_id(), store.failures()
    for unit, text in failures.items():
        if unit in units:
            store.forget_failure(unit)
            show(f"forgotten: {units[unit].kind} of {units[unit].name}: {text}")
    count = len(units.keys() & failures.keys())
    show(f"{count} failed units will be tried again by: amorphace run {file}")


@app.command()
def prune(
    files: Annotated[
        list[Path], typer.Argument(help="Experiment files of one store, which stay whole.")
    ],
    forget: Annotated[
        list[str] | None,
        typer.Option(help="Name of an experiment in the store that is not needed any more."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; else it is only listed.")] = False,
) -> None:
    """Remove from a store what no experiment needs, damaged units, and leftovers.

    Units of other experiments that ran on the store stay, unless --forget names them. What these
    files needed before they were changed is not kept.

    Example: amorphace prune ka.toml --yes
    """
    from amorphace.campaign.plan import experiment_key, make_plan, store_path
    from amorphace.campaign.pruning import find_leftovers, remove
    from amorphace.campaign.store import Store
    from amorphace.config import read_experiment

    experiments = {file: read_experiment(file) for file in files}
    places = {store_path(file, e).resolve(): store_path(file, e) for file, e in experiments.items()}
    if len(places) > 1:
        raise InputError(f"these files use {len(places)} stores; give those of one")
    store = Store(*places.values(), create=False)
    others = store.experiments()
    for name in forget or ():
        if name not in others:
            known = ", ".join(others) or "none"
            raise InputError(f"no experiment {name!r} in {store.path}; known are {known}")
        del others[name]
    own = {
        experiment_key(file, store): make_plan(e).by_id().keys() for file, e in experiments.items()
    }
    for name, units in others.items():
        if name not in own:
            show(f"kept: {len(units)} units of {name}")
    found = find_leftovers(store, {i for units in (others | own).values() for i in units})
    for why in dict.fromkeys(left.why for left in found):
        sizes = [left.size for left in found if left.why == why]
        show(f"{why}: {len(sizes)}, {_bytes(sum(sizes))}")
    total = _bytes(sum(left.size for left in found))
    if not yes:
        show(f"{total} in {len(found)} places; nothing was removed: give --yes to remove them")
        return
    remove(store, found)
    for name, units in own.items():
        store.register(name, units)
    for name in forget or ():
        store.unregister(name)
    store.log(f"pruned {len(found)} places, {total}")
    show(f"{total} in {len(found)} places removed")


def _show_budget(plan: Plan) -> None:
    """What an experiment will take, by kind of unit and in all."""
    from amorphace.campaign.budget import budget, wall_hours

    rows = RichTable("unit", "units", "cores each", "core hours", "longest", "disk")
    kinds = budget(plan)
    for k in kinds:
        rows.add_row(
            k.kind, str(k.units), str(k.cores), f"{k.core_hours:.1f}",
            _duration(3600 * k.longest_hours), _bytes(k.disk),
        )  # fmt: skip
    rows.add_row(
        "all", str(sum(k.units for k in kinds)), "", f"{sum(k.core_hours for k in kinds):.1f}",
        "", _bytes(sum(k.disk for k in kinds)),
    )  # fmt: skip
    show(rows)
    for cores in CORES:
        show(f"on {cores} cores: {_duration(3600 * wall_hours(plan, cores))}")


def _finish_once(file: Path, plan: Plan, store: Store, *, shared: bool) -> None:
    """`_finish`, by one of several programs that end together, and again only where it is missing.

    A program of its own always writes, so that a results folder follows a changed program.
    """
    from amorphace.campaign.claims import Claims

    name = f"results-{file.stem}"
    folder = file.parent / f"{file.stem}.results"
    (end,) = plan.of_kind("learn")
    stamp = store.folder(end.id) / "meta.json"
    with Claims(store) as claims:
        if not claims.take(name):
            show(f"another program writes {folder}")
            return
        page = folder / "report.html"
        if shared and page.exists() and page.stat().st_mtime >= stamp.stat().st_mtime:
            show(f"{page}: written by another program")
            return
        _finish(file, plan, store)


def _finish(file: Path, plan: Plan, store: Store) -> None:
    """Copy the results out of the store, draw the figures and the page."""
    from amorphace.campaign.results import write_results

    folder = file.parent / f"{file.stem}.results"
    for line in write_results(plan, store, folder):
        show(line)
    (end,) = plan.of_kind("learn")
    if store.meta(end.id)["outcome"] == "dropped":
        raise SimulationError(
            f"no result: {store.meta(end.id)['dropped']}; the lines above say why runs were not "
            "used"
        )
    from amorphace.report.experiment import experiment_content
    from amorphace.report.figures import save_figures
    from amorphace.report.page import write_report

    content = experiment_content(plan, store, command=command_line())
    save_figures(folder / "figures", content)
    show(f"{write_report(folder / 'report.html', content)}: open it in a browser")


def _line(event: Event) -> str:
    """What a physicist wants to read of an event."""
    from amorphace.campaign.results import sentence

    unit = event.unit
    head = f"{unit.kind} of {unit.name}"
    if event.what in ("finished", "dropped") and event.meta is not None:
        seconds = _duration(event.meta["versions"]["seconds"])
        tail = sentence(unit, event.meta) if event.what == "finished" else event.text
        verb = "" if event.what == "finished" else "DROPPED: "
        return f"{head}: {verb}{tail} ({seconds})"
    if event.what in ("failed", "lost", "blocked"):
        return f"{head}: {event.what.upper()}: {event.text}"
    return ""


@contextmanager
def _display(
    plan: Plan, store: Store, workers: int
) -> Iterator[tuple[Callable[[], None], Callable[[str], None]]]:
    """Bars on a terminal, now and then a line elsewhere; to be looked at, and to be told lines."""
    from amorphace.campaign.status import find_status

    console = Console(stderr=True)
    if not console.is_terminal:
        last = [time.monotonic()]

        def news() -> None:
            if time.monotonic() - last[0] > NEWS:
                last[0] = time.monotonic()
                found = find_status(plan, store)
                running = "; ".join(
                    f"{u.kind} of {u.name} {_percent(p)} {p.text}" for u, p in found.running
                )
                left = _duration(found.seconds_left / max(1, workers or len(found.running)))
                print(
                    f"{found.done} of {found.total} units, about {left} left; {running}",
                    file=sys.stderr,
                    flush=True,
                )

        yield news, lambda line: print(line, file=sys.stderr, flush=True)
        return
    next_look = [0.0]
    with Live(console=console, refresh_per_second=4, transient=True) as live:

        def look() -> None:
            begin = time.monotonic()
            if begin > next_look[0]:
                live.update(_bars(find_status(plan, store), workers))
                next_look[0] = begin + max(1.0, GENTLE * (time.monotonic() - begin))

        yield look, lambda line: live.console.print(line, markup=False, highlight=False)


def _bars(found: Status, workers: int) -> Group:
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
    return Group(rows, Text(f"about {_duration(left)} left"))


def _status_table(found: Status) -> RichTable:
    rows = RichTable("unit", "done", "of", "running", "dropped", "failed", "left (one core)")
    for k in found.kinds:
        rows.add_row(
            k.kind, str(k.done), str(k.total), str(k.running), str(k.dropped), str(k.failed),
            _duration(k.seconds_left),
        )  # fmt: skip
    return rows


def _percent(progress: Any) -> str:
    return f"{progress.done / progress.total:.0%}" if progress.total else ""


def _bytes(count: int) -> str:
    """A number of bytes in words.

    Examples
    --------
    >>> _bytes(512), _bytes(2_500_000), _bytes(3 * 10**12)
    ('512 B', '2.5 MB', '3.0 TB')
    """
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if count >= 10**power:
            return f"{count / 10**power:.1f} {unit}"
    return f"{count} B"


def _duration(seconds: float) -> str:
    """Seconds in words.

    Examples
    --------
    >>> _duration(5), _duration(600), _duration(9000), _duration(1e6)
    ('5 s', '10 min', '2.5 h', '11.6 d')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.1f} d"
