"""What the commands share: the program itself, tables and bars on the terminal."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from amorphace.core.errors import InputError

app = typer.Typer(
    help="Tells from structure alone which particles of a glass will rearrange, and why.\n\n"
    "The usual path: label (who moved), describe (what surrounds them), learn (does one tell the "
    "other), export. Each command's --help shows an example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def command_line() -> str:
    """The command as typed, without the folder of the program."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def show(what: Any) -> None:
    # wide enough for any row when the output goes to a file
    width = None if sys.stdout.isatty() else 160
    Console(width=width, soft_wrap=isinstance(what, str), highlight=False).print(what, markup=False)


def check_choice(option: str, value: str, choices: Iterable[str], otherwise: str = "") -> None:
    """An option is one of some words, or left out.

    Raises
    ------
    InputError
        Otherwise; `otherwise` is added to what it says.
    """
    if value and value not in choices:
        raise InputError(f"{option} {value}: choose one of {', '.join(choices)}{otherwise}")


@contextmanager
def progress_bar(unit: str) -> Iterator[Progress]:
    """Bars on a terminal; nothing where the output is no terminal."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bar:
        yield bar
