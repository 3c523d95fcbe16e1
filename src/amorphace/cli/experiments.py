"""What the commands on experiment files share: the argument, the plan and its store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from amorphace.campaign.plan import Plan
    from amorphace.runs.store import Store

ExperimentArgument = Annotated[Path, typer.Argument(help="An experiment file (TOML).")]


EngineOption = Annotated[
    str | None,
    typer.Option("--engine", help="lammps, or batch: many systems at a time. Over run.engine."),
]
DeviceOption = Annotated[
    str | None,
    typer.Option("--device", help="Of the batch: cuda, cuda:1, or cpu. Over run.device."),
]


def read_plan(file: Path, engine: str | None = None, device: str | None = None) -> Plan:
    """The plan of an experiment file, with another engine or device where one is given."""
    from amorphace.campaign.plan import make_plan
    from amorphace.config import read_experiment

    run = {"engine": engine, "device": device}
    return make_plan(read_experiment(file, run={k: v for k, v in run.items() if v is not None}))


def open_experiment(
    file: Path, *, create: bool = False, engine: str | None = None, device: str | None = None
) -> tuple[Plan, Store]:
    """The plan of an experiment file as of `read_plan`, and its store.

    Raises
    ------
    InputError
        If there is no store yet, and none is made.
    """
    from amorphace.campaign.plan import store_path
    from amorphace.runs.store import Store

    plan = read_plan(file, engine, device)
    return plan, Store(store_path(file, plan.experiment), create=create)
