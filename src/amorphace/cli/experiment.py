"""Commands on experiment files: init, run, status."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as RichTable
from rich.text import Text

from amorphace.cli.shared import app, command_line, show
from amorphace.core.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amorphace.campaign.local import Event
    from amorphace.campaign.plan import Plan
    from amorphace.campaign.status import Status
    from amorphace.campaign.store import Store

ExperimentArgument = Annotated[Path, typer.Argument(help="An experiment file (TOML).")]
LONG = 1800.0
"""Estimated seconds from which `run` says first how long it may take."""
NEWS = 30.0
"""Seconds between two lines on the state where the output is no terminal."""


@app.command()
def init(
    model: Annotated[str, typer.Argument(help="kob-andersen, wahnstrom or bead-spring.")],
    protocol: Annotated[str, typer.Argument(help="thermal or shear.")],
    scale: Annotated[
        str, typer.Option(help="minutes, hours, overnight (on two cores) or paper (a cluster).")
    ] = "minutes",
) -> None:
    """An experiment file for one of the paper's cases, on standard output.

    Example: amorphace init kob-andersen thermal --scale minutes > ka.toml
    """
    from amorphace.config import experiment_text

    sys.stdout.write(experiment_text(model, protocol, scale))


@app.command()
def run(
    file: ExperimentArgument,
    workers: Annotated[
        int | None, typer.Option(help="Processes; 0 is one a processor.", min=0)
    ] = None,
) -> None:
    """Simulate, label, describe, learn: all that is not in the store yet.

    May be interrupted at any time, by Ctrl-C or by force: run it again and it goes on. Results
    go to a folder beside the file, NAME.results.

    Example: amorphace run ka.toml
    """
    from amorphace.campaign.local import run_plan
    from amorphace.campaign.plan import make_plan, store_path
    from amorphace.campaign.status import estimate, find_status
    from amorphace.campaign.store import Store
    from amorphace.config import read_experiment

    experiment = read_experiment(file)
    plan = make_plan(experiment)
    store = Store(store_path(file, experiment))
    count = experiment.run.workers if workers is None else workers
    left = find_status(plan, store).seconds_left
    show(
        f"{experiment.experiment.name}: {len(plan.units)} units in {store.path}, about "
        f"{_duration(left)} of one core to go (estimated {_duration(estimate(plan))} in all)"
    )
    begin = time.monotonic()
    failed: list[Event] = []
    store.log(f"run {file.name}: {len(plan.units)} units, {_duration(left)} of one core to go")
    try:
        with _display(plan, store, count) as (watch, tell):
            for event in run_plan(
                plan, store, workers=count, command=experiment.run.lammps, watch=watch
            ):
                line = _line(event)
                if line:
                    store.log(line)
                    if event.what != "blocked":
                        tell(line)
                if event.what == "failed":
                    failed.append(event)
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
    store.log(f"done in {_duration(time.monotonic() - begin)}")
    _finish(file, plan, store)
    show(f"done in {_duration(time.monotonic() - begin)}")


@app.command()
def status(file: ExperimentArgument) -> None:
    """How an experiment stands: what is done, runs, failed and why, and the time left.

    Example: amorphace status ka.toml
    """
    from amorphace.campaign.plan import make_plan, store_path
    from amorphace.campaign.status import find_status
    from amorphace.campaign.store import Store
    from amorphace.config import read_experiment

    experiment = read_experiment(file)
    plan = make_plan(experiment)
    store = Store(store_path(file, experiment), create=False)
    found = find_status(plan, store)
    show(_status_table(found))
    for unit, progress in found.running:
        show(f"running: {unit.kind} of {unit.name}: {_percent(progress)} {progress.text}")
    for unit, text in found.dropped:
        show(f"dropped: {unit.kind} of {unit.name}: {text}")
    for unit, text in found.failures:
        show(f"failed: {unit.kind} of {unit.name}: {text}")


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
    last_look = [0.0]
    with Live(console=console, refresh_per_second=4, transient=True) as live:

        def look() -> None:
            if time.monotonic() - last_look[0] > 1.0:
                last_look[0] = time.monotonic()
                live.update(_bars(find_status(plan, store), workers))

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
