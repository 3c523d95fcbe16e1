"""`amorphace status`: how an experiment stands."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table as RichTable

from amorphace.cli.experiments import ExperimentArgument, open_experiment
from amorphace.cli.progress import GENTLE, bars, duration, line_of_status, percent
from amorphace.cli.shared import EXPERIMENTS, Json, app, show, show_json

if TYPE_CHECKING:
    from amorphace.campaign.plan import Plan
    from amorphace.runs.status import Status
    from amorphace.runs.store import Store

WATCH = 2.0
"""Least seconds between two looks at a store."""


@app.command(rich_help_panel=EXPERIMENTS)
def status(
    file: ExperimentArgument,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it anew every few seconds, until Ctrl-C.")
    ] = False,
    json: Json = False,
) -> None:
    """How an experiment stands: what is done, runs, failed and why, and the time left.

    Example: amorphace status ka.toml --watch
    """
    from amorphace.campaign.plan import experiment_key
    from amorphace.runs.status import find_sharing, find_status

    plan, store = open_experiment(file)
    if watch:
        _watch(plan, store)
        return
    found = find_status(plan, store)
    if json:
        show_json(_record(found))
        return
    show(_table(found))
    for unit, progress in found.running:
        show(f"running: {unit.kind.name} of {unit.name}: {percent(progress)} {progress.text}")
    for unit, text in found.dropped:
        show(f"dropped: {unit.kind.name} of {unit.name}: {text}")
    for unit, text in found.failures:
        show(f"failed: {unit.kind.name} of {unit.name}: {text}")
    for other in find_sharing(plan, store, experiment_key(file, store)):
        show(
            f"shared with {other.name}: {other.units} of {other.total} units, {other.done} done: "
            "they cost nothing new"
        )


def _watch(plan: Plan, store: Store) -> None:
    """Bars of what is done, or lines where the output is no terminal, until all is, or Ctrl-C."""
    console, before = Console(), ""
    with suppress(KeyboardInterrupt):
        if console.is_terminal:
            with Live(console=console, refresh_per_second=2) as live:
                for found in _looks(plan, store):
                    live.update(Group(_table(found), bars(found, 0)), refresh=True)
            return
        for found in _looks(plan, store):
            line = line_of_status(found, 0)
            if line != before:
                print(line, flush=True)
            before = line


def _looks(plan: Plan, store: Store) -> Iterator[Status]:
    """How an experiment stands, again and again, until all is done."""
    from amorphace.runs.status import find_status

    while True:
        begin = time.monotonic()
        found = find_status(plan, store)
        yield found
        if found.done == found.total:
            return
        time.sleep(max(WATCH, GENTLE * (time.monotonic() - begin)))


def _record(found: Status) -> dict[str, Any]:
    """How an experiment stands, for other programs."""
    return {
        "done": found.done,
        "total": found.total,
        "seconds_left": found.seconds_left,
        "kinds": found.kinds,
        "running": [
            {"unit": u.id, "kind": u.kind.name, "name": u.name, "share": p.done / (p.total or 1)}
            for u, p in found.running
        ],
        **{
            what: [{"unit": u.id, "kind": u.kind.name, "name": u.name, "why": t} for u, t in units]
            for what, units in (("dropped", found.dropped), ("failed", found.failures))
        },
    }


def _table(found: Status) -> RichTable:
    rows = RichTable("unit", "done", "of", "running", "dropped", "failed", "left (one core)")
    for k in found.kinds:
        rows.add_row(
            k.kind, str(k.done), str(k.total), str(k.running), str(k.dropped), str(k.failed),
            duration(k.seconds_left),
        )  # fmt: skip
    return rows
