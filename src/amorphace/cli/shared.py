"""What the commands share: the program itself, tables and bars on the terminal."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

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

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
FILES, EXPERIMENTS, STORES = "Your files", "Experiments", "Stores and machines"
"""Groups of commands in --help."""


def _show_version(wanted: bool) -> None:
    if wanted:
        from amorphace.core.digest import package_version

        print(f"amorphace {package_version()}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Predicts from structure alone which particles of a glass will rearrange, and shows why.

    To begin: `predict` scores a file by a model that comes with amorphace; `analyse` learns from
    files of yours, in one command, what `label`, `describe`, `learn` and `report` do one by one;
    `init` and `run` simulate a glass first. Each command's --help shows an example.
    """
    _OUTPUT.json = False


class _Output:
    """Where `show` writes."""

    json = False


_OUTPUT = _Output()


def _json_alone(wanted: bool) -> bool:
    """Standard output holds JSON alone: all else goes to standard error."""
    _OUTPUT.json = wanted
    return wanted


Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Write JSON to standard output, and all else to standard error.",
        callback=_json_alone,
        is_eager=True,
    ),
]


def show_json(value: Any) -> None:
    """A value that the codec knows, as JSON on standard output."""
    from amorphace.core.codec import encode

    print(json.dumps(encode(value), indent=1, ensure_ascii=False, allow_nan=False))


def command_line() -> str:
    """The command as typed, without the folder of the program."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def show(what: Any) -> None:
    stream = sys.stderr if _OUTPUT.json else sys.stdout
    # wide enough for any row when the output goes to a file
    width = None if stream.isatty() else 160
    console = Console(file=stream, width=width, soft_wrap=isinstance(what, str), highlight=False)
    console.print(what, markup=False)


@contextmanager
def progress_bar(unit: str, what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A bar on a terminal, by what updates it (`Progress.update`); nothing where that is none."""
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
        yield partial(bar.update, bar.add_task(what, total=total))
