"""What the commands share: the program itself, options, tables and bars on the terminal."""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

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
from typer.core import TyperCommand

from amorphace.core.errors import InputError
from amorphace.core.keys import keys_of

T = TypeVar("T")


class ListOptions(TyperCommand):
    """A command whose repeatable options take several words: --species A B, or A,B.

    A list ends at the next option. One of numbers also ends at a word that is none, and one of
    labels at a word that looks like a file (it has a point or a slash, or is there); with a comma
    it is one word.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        hints = get_type_hints(inspect.unwrap(self.callback)) if self.callback else {}
        kinds = {
            name: _item(hints[parameter.name])
            for parameter in self.params
            if getattr(parameter, "multiple", False) and parameter.name
            for name in parameter.opts
        }
        spelled: list[str] = []
        current, whole = "", False
        for position, word in enumerate(args):
            if word == "--":
                return super().parse_args(ctx, spelled + args[position:])
            if word.startswith("-") and not _is_number(word):
                name, _, value = word.partition("=")
                current, whole = (name if name in kinds else ""), False
                if not current:
                    spelled.append(word)
                if not current or not value:
                    continue
                word = value
            if not current or whole or not _belongs(word, kinds[current]):
                spelled.append(word)
                current = ""
                continue
            several = kinds[current] is not Path and "," in word
            for part in word.split(",") if several else [word]:
                spelled += [current, part.strip()]
            whole = several
        return super().parse_args(ctx, spelled)


def _item(hint: Any) -> type:
    """T of list[T], also where the list may be None."""
    (lists,) = [hint] if get_origin(hint) is list else [t for t in get_args(hint) if get_args(t)]
    return get_args(lists)[0]


def _belongs(word: str, kind: type) -> bool:
    """Whether a word that follows a list is one of it."""
    if kind is Path:
        return True
    if kind is str:
        return "," in word or not ("." in word or "/" in word or Path(word).exists())
    return all(_is_number(part) for part in word.split(","))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def options_of(kind: type[T], *left_out: str) -> Callable[[Callable[..., None]], Any]:
    """A command takes the fields of a dataclass as options, each with its default and its text.

    The command gets them as the dataclass, in its parameter of that type. Fields that are left
    out keep their defaults, unless the command replaces them.
    """
    hints = get_type_hints(kind)
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=Annotated[hints[name], typer.Option(help=f"{text}.")],
        )
        for name, default, text in keys_of(kind)
        if name not in left_out
    ]

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        own = get_type_hints(command, include_extras=True)
        given = [
            p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=own[p.name])
            for p in inspect.signature(command).parameters.values()
        ]
        place = next(k for k, p in enumerate(given) if p.annotation is kind)

        def filled(**words: Any) -> None:
            chosen = {p.name: words.pop(p.name) for p in options}
            command(**words, **{given[place].name: kind(**chosen)})

        filled.__name__, filled.__doc__ = command.__name__, command.__doc__
        parameters = [*given[:place], *options, *given[place + 1 :]]
        filled.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        filled.__annotations__ = {p.name: p.annotation for p in parameters}
        return filled

    return wrap


app = typer.Typer(
    help="Tells from structure alone which particles of a glass will rearrange, and why.\n\n"
    "The usual path: label (who moved), describe (what surrounds them), learn (does one tell the "
    "other), export. Each command's --help shows an example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


class Order(StrEnum):
    """What tells which particle is which."""

    id = "id"
    file = "file"


SpeciesOption = Annotated[
    list[str],
    typer.Option("--species", help="Species labels in the order of LAMMPS types 1, 2, ...: A,B"),
]
OutputOption = Annotated[Path, typer.Option("--output", "-o", help="Where the result goes.")]
OverwriteOption = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace what amorphace wrote there earlier, nothing else."),
]
OrderOption = Annotated[
    Order,
    typer.Option(
        "--order",
        help="'file': rows of files without particle ids are the same particles in every frame.",
    ),
]
SigmaOption = Annotated[
    str | None,
    typer.Option(
        "--sigma",
        help="The diameter in the unit of the files, by which all cutoffs are multiplied: a "
        "number, or auto for the first peak of the majority's g(r).",
    ),
]
TransformOption = Annotated[
    str,
    typer.Option(
        "--distance-transform", help="'ace1': y(r / r0); 'paper': y(r / r_cut), as printed."
    ),
]
JobsOption = Annotated[
    int, typer.Option("--n-jobs", help="Threads or processes; -1 is all processors.")
]


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
