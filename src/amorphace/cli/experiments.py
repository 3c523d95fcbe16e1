"""What the commands on experiment files share: the argument, the plan and its store, bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from amorphace.campaign.plan import Plan
    from amorphace.runs.store import Store

ExperimentArgument = Annotated[Path, typer.Argument(help="An experiment file (TOML).")]


def open_experiment(file: Path, *, create: bool = False) -> tuple[Plan, Store]:
    """The plan of an experiment file, and its store.

    Raises
    ------
    InputError
        If there is no store yet, and none is made.
    """
    from amorphace.campaign.plan import make_plan, store_path
    from amorphace.config import read_experiment
    from amorphace.runs.store import Store

    plan = make_plan(read_experiment(file))
    return plan, Store(store_path(file, plan.experiment), create=create)


def bytes_in_words(count: int) -> str:
    """A number of bytes in words.

    Examples
    --------
    >>> bytes_in_words(512), bytes_in_words(2_500_000), bytes_in_words(3 * 10**12)
    ('512 bytes', '2.5 MB', '3.0 TB')
    """
    from rich.filesize import decimal

    return decimal(count)
