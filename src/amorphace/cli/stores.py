"""`amorphace retry`, `prune`: what a store remembers, forgotten or removed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal as bytes_in_words

from amorphace.cli.experiments import ExperimentArgument, open_experiment
from amorphace.cli.shared import STORES, app, show
from amorphace.core.errors import InputError


@app.command(rich_help_panel=STORES)
def retry(file: ExperimentArgument) -> None:
    """Forget which units failed, so that the programs that run try them again.

    Example: amorphace retry ka.toml
    """
    plan, store = open_experiment(file)
    units, failures = plan.by_id, store.scratch.failures()
    for unit, failure in failures.items():
        if unit in units:
            store.scratch.forget_failure(unit)
            show(f"forgotten: {units[unit].kind.name} of {units[unit].name}: {failure.message}")
    count = len(units.keys() & failures.keys())
    show(f"{count} failed units will be tried again by: amorphace run {file}")


@app.command(rich_help_panel=STORES)
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
    from amorphace.campaign.plan import experiment_key
    from amorphace.runs.pruning import find_leftovers, remove

    opened = {file: open_experiment(file) for file in files}
    places = {store.path.resolve(): store for _, store in opened.values()}
    if len(places) > 1:
        raise InputError(f"these files use {len(places)} stores; give those of one")
    (store,) = places.values()
    others = store.experiments()
    for name in forget or ():
        if name not in others:
            known = ", ".join(others) or "none"
            raise InputError(f"no experiment {name!r} in {store.path}; known are {known}")
        del others[name]
    own = {experiment_key(file, store): plan.by_id.keys() for file, (plan, _) in opened.items()}
    for name, units in others.items():
        if name not in own:
            show(f"kept: {len(units)} units of {name}")
    found = find_leftovers(store, {i for units in (others | own).values() for i in units})
    for why in dict.fromkeys(left.why for left in found):
        sizes = [left.size for left in found if left.why == why]
        show(f"{why}: {len(sizes)}, {bytes_in_words(sum(sizes))}")
    total = bytes_in_words(sum(left.size for left in found))
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
