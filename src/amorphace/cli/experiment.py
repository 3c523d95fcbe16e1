"""Commands on experiment files: init, run, status, retry, prune."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table as RichTable

from amorphace.cli.carrying import (
    GENTLE,
    Means,
    bars,
    carry,
    duration,
    line_of_status,
    percent,
    shard_of,
)
from amorphace.cli.shared import (
    LeaveOption,
    SchedulerOption,
    ShardOption,
    WorkersOption,
    app,
    command_line,
    show,
)
from amorphace.core.errors import InputError, SimulationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amorphace.campaign.plan import Plan
    from amorphace.campaign.status import Status
    from amorphace.campaign.store import Store

ExperimentArgument = Annotated[Path, typer.Argument(help="An experiment file (TOML).")]
CORES = (2, 16, 64, 256, 1024)
"""Cores for which `run --dry-run` says how long it takes."""
WATCH = 2.0
"""Least seconds between two looks at a store."""


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
    workers: WorkersOption = None,
    shard: ShardOption = None,
    leave: LeaveOption = None,
    scheduler: SchedulerOption = None,
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
    from amorphace.campaign.plan import experiment_key, make_plan, store_path
    from amorphace.campaign.status import estimate, find_status
    from amorphace.campaign.store import Store
    from amorphace.config import read_experiment

    experiment = read_experiment(file)
    plan = make_plan(experiment)
    if dry_run:
        _show_budget(plan)
        return
    own = shard_of(shard, scheduler)
    store = Store(store_path(file, experiment))
    store.register(experiment_key(file, store), plan.by_id())
    left = find_status(plan, store).seconds_left
    show(
        f"{experiment.experiment.name}: {len(plan.units)} units in {store.path}, about "
        f"{duration(left)} of one core to go (estimated {duration(estimate(plan))} in all)"
    )
    begin = time.monotonic()
    store.log(f"run {file.name}: {len(plan.units)} units, {duration(left)} of one core to go")
    count = experiment.run.workers if workers is None else workers
    here = Means(count, own, leave, scheduler, experiment.run.lammps, cluster=experiment.cluster)
    if workers is not None and scheduler is None:
        here = replace(here, cluster=None)
    if not carry(plan, store, here):
        return
    store.log(f"done in {duration(time.monotonic() - begin)}")
    _finish_once(file, plan, store, shared=own is not None)
    show(f"done in {duration(time.monotonic() - begin)}")


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
        show(f"running: {unit.kind} of {unit.name}: {percent(progress)} {progress.text}")
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
    """Bars of what is done, or lines where the output is no terminal, until all is, or Ctrl-C."""
    console, before = Console(), ""
    with suppress(KeyboardInterrupt):
        if console.is_terminal:
            with Live(console=console, refresh_per_second=2) as live:
                for found in _looks(plan, store):
                    live.update(Group(_status_table(found), bars(found, 0)), refresh=True)
            return
        for found in _looks(plan, store):
            line = line_of_status(found, 0)
            if line != before:
                print(line, flush=True)
            before = line


def _looks(plan: Plan, store: Store) -> Iterator[Status]:
    """How an experiment stands, again and again, until all is done."""
    from amorphace.campaign.status import find_status

    while True:
        begin = time.monotonic()
        found = find_status(plan, store)
        yield found
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
            duration(3600 * k.longest_hours), _bytes(k.disk),
        )  # fmt: skip
    rows.add_row(
        "all", str(sum(k.units for k in kinds)), "", f"{sum(k.core_hours for k in kinds):.1f}",
        "", _bytes(sum(k.disk for k in kinds)),
    )  # fmt: skip
    show(rows)
    for cores in CORES:
        show(f"on {cores} cores: {duration(3600 * wall_hours(plan, cores))}")


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


def _status_table(found: Status) -> RichTable:
    rows = RichTable("unit", "done", "of", "running", "dropped", "failed", "left (one core)")
    for k in found.kinds:
        rows.add_row(
            k.kind, str(k.done), str(k.total), str(k.running), str(k.dropped), str(k.failed),
            duration(k.seconds_left),
        )  # fmt: skip
    return rows


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
