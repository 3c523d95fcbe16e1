"""`amorphace run`: an experiment from its file to its results."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal as bytes_in_words
from rich.table import Table as RichTable

from amorphace.cli import options
from amorphace.cli.experiments import (
    DeviceOption,
    EngineOption,
    ExperimentArgument,
    open_experiment,
    read_plan,
)
from amorphace.cli.progress import carry, duration, pool_of
from amorphace.cli.shared import EXPERIMENTS, app, command_line, show
from amorphace.core.errors import InputError, SimulationError

if TYPE_CHECKING:
    from amorphace.campaign.plan import Plan
    from amorphace.runs.frontier import Shard
    from amorphace.runs.store import Store

CORES = (2, 16, 64, 256, 1024)
"""Cores for which `run --dry-run` says how long it takes."""


@app.command(rich_help_panel=EXPERIMENTS)
def run(
    file: ExperimentArgument,
    workers: options.Workers = None,
    shard: Annotated[
        str | None, typer.Option(help="i/n: this is the i-th of n programs that share the work.")
    ] = None,
    leave: Annotated[
        float | None,
        typer.Option(help="With --shard: end after so many seconds without work.", min=0),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, whose workers do the work.")
    ] = None,
    engine: EngineOption = None,
    device: DeviceOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it will take: cores, hours, disk.")
    ] = False,
    open_: options.Open = False,
) -> None:
    """Simulate, label, describe, learn: all that is not in the store yet.

    May be interrupted at any time, by Ctrl-C or by force: run it again and it goes on. Results
    go to a folder beside the file, NAME.results, where files of your own stay. A table [cluster]
    in the file starts Dask workers as jobs of a queue; --workers keeps the work on this machine.

    Example: amorphace run ka.toml
    """
    from amorphace.runs.frontier import Shard

    if dry_run:
        _show_budget(read_plan(file, engine, device))
        return
    if shard and scheduler:
        raise InputError("--shard and --scheduler are two ways to share the work; give one")
    own = Shard.parse(shard) if shard else None
    carry_through(
        file, workers=workers, shard=own, leave=leave, scheduler=scheduler, engine=engine,
        device=device, open_=open_,
    )  # fmt: skip


def carry_through(
    file: Path,
    *,
    workers: int | None = None,
    shard: Shard | None = None,
    leave: float | None = None,
    scheduler: str | None = None,
    engine: str | None = None,
    device: str | None = None,
    open_: bool = False,
) -> None:
    """Do all of an experiment that is not done, write its results and say what came out."""
    from amorphace.campaign.plan import experiment_key
    from amorphace.runs.status import estimate, find_status
    from amorphace.runs.store import Damaged

    plan, store = open_experiment(file, create=True, engine=engine, device=device)
    experiment, key = plan.experiment, experiment_key(file, store)
    if experiment.programs and key not in store.experiments():
        show(f"{file} says what is executed: {'; '.join(experiment.programs)}")
    store.register(key, plan.by_id)
    left = find_status(plan, store).seconds_left
    whose = "the GPU and a core" if any(map(plan.on_gpu, plan.units)) else "one core"
    show(
        f"{experiment.experiment.name}: {len(plan.units)} units in {store.path}, about "
        f"{duration(left)} of {whose} to go (estimated {duration(estimate(plan))} in all)"
    )
    begin = time.monotonic()
    store.log(f"run {file.name}: {len(plan.units)} units, {duration(left)} of {whose} to go")
    count = experiment.run.workers if workers is None else workers
    here = shard is not None or workers is not None
    while carry(
        plan, store, pool_of(plan, store, workers=count, scheduler=scheduler, here=here),
        workers=count, shard=shard, leave=leave,
    ):  # fmt: skip
        store.log(f"done in {duration(time.monotonic() - begin)}")
        try:
            _finish(file, key, plan, store)
        except Damaged as error:
            show(f"{error}: it is made again")
            continue
        show(f"done in {duration(time.monotonic() - begin)}")
        if open_:
            typer.launch(str(results_of(file) / "report.html"))
        return


def results_of(file: Path) -> Path:
    """The folder of the results of an experiment file."""
    return file.parent / f"{file.stem}.results"


def _finish(file: Path, key: str, plan: Plan, store: Store) -> None:
    """Copy the results out of the store, draw the figures and the page, where that is to do.

    It is done by one of several programs that end together, and once for the same results of the
    same program.
    """
    from amorphace.campaign.copy_out import copy_out, made_from
    from amorphace.campaign.health import doubts, dropped_lines
    from amorphace.campaign.learn import Learn
    from amorphace.core.owned import is_made_from, owned_folder
    from amorphace.runs.claims import Claims

    folder, why = results_of(file), store.meta(plan.one(Learn).id).dropped
    with Claims(store) as claims:
        if not claims.take(f"results-{key}"):
            show(f"another program writes {folder}")
            return
        for line in dropped_lines(plan, store):
            show(f"not used: {line}")
        for line in doubts(plan, store):
            show(f"warning: {line}")
        digest = made_from(plan, store)
        if not is_made_from(folder, digest):
            with owned_folder(folder, made_from=digest) as new:
                copy_out(plan, store, new)
                if not why:
                    # here: they take longer to load than to find that nothing has changed
                    from amorphace.io import write
                    from amorphace.report.experiment import experiment_content
                    from amorphace.report.figures import save_figures
                    from amorphace.report.page import write_report
                    from amorphace.report.panels import panels

                    content = experiment_content(plan, store, command=command_line())
                    save_figures(new / "figures", panels(content), ["png"])
                    write_report(new / "report.html", content)
                    for snapshot in content.snapshots:
                        write(new / "glass.dump", snapshot.configuration)
    if why:
        raise SimulationError(f"no result: {why}; the lines above say why runs were not used")
    for line in store.outcome(plan.one(Learn)).results.conclusions:
        show(line)
    show(f"{folder}: the labelled table, the analysis and the health checks")
    show(f"{folder / 'report.html'}: open it in a browser")


def _show_budget(plan: Plan) -> None:
    """What an experiment will take, by kind of unit and in all."""
    from amorphace.campaign.budget import budget, wall_hours
    from amorphace.campaign.devices import device_in_words

    kinds, run = budget(plan), plan.experiment.run
    gpu = any(k.gpu_hours for k in kinds)
    rows = RichTable(
        "unit", "units", "cores each", "core hours", *["GPU hours"] * gpu, "longest", "disk"
    )
    for k in kinds:
        device = k.gpu_hours > 0
        rows.add_row(
            k.kind, str(k.units), str(k.cores), "" if device else f"{k.core_hours:.1f}",
            *[f"{k.gpu_hours:.1f}" if device else ""] * gpu,
            duration(3600 * k.longest_hours), bytes_in_words(k.disk),
        )  # fmt: skip
    core_hours, gpu_hours = sum(k.core_hours for k in kinds), sum(k.gpu_hours for k in kinds)
    rows.add_row(
        "all", str(sum(k.units for k in kinds)), "", f"{core_hours:.1f}",
        *[f"{gpu_hours:.1f}"] * gpu, "", bytes_in_words(sum(k.disk for k in kinds)),
    )  # fmt: skip
    show(rows)
    if run.engine == "lammps":
        for cores in CORES:
            show(f"on {cores} cores: {duration(3600 * wall_hours(plan, cores))}")
        return
    moved = sum(u.cost for u in plan.units if plan.side_by_side(u))
    rest = sum(u.cost for u in plan.units) - moved
    show(
        f"on {device_in_words(run)}: {duration(moved)}, and {duration(rest)} of one core to "
        "measure, describe and learn"
    )
