"""Options that commands share: lists of words, those of a dataclass, and common ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand

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


Species = Annotated[
    list[str],
    typer.Option("--species", help="Species labels in the order of LAMMPS types 1, 2, ...: A,B"),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Where the result goes.")]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace what amorphace wrote there earlier, nothing else."),
]
Order = Annotated[
    Literal["id", "file"],
    typer.Option(
        "--order",
        help="'file': rows of files without particle ids are the same particles in every frame.",
    ),
]
Sigma = Annotated[
    str | None,
    typer.Option(
        "--sigma",
        help="The diameter in the unit of the files, by which all cutoffs are multiplied: a "
        "number, or auto for the first peak of the majority's g(r).",
    ),
]
Jobs = Annotated[int, typer.Option("--n-jobs", help="Threads or processes; -1 is all processors.")]
Workers = Annotated[
    int | None,
    typer.Option(help="Processors to use on this machine; 0: all.  [default: run.workers]", min=0),
]
Open = Annotated[bool, typer.Option("--open", help="Show the page in a browser at the end.")]
Full = Annotated[
    bool,
    typer.Option(
        "--full/--quick",
        help="All parts, or those that take some minutes at most on some thousand sites.",
    ),
]
Seed = Annotated[int, typer.Option(help="Random seed.", min=0)]
Frame = Annotated[
    int | None,
    typer.Option(help="Which frame of its file is the start, from 0, or from -1 backwards."),
]
Lag = Annotated[
    int | None,
    typer.Option(help="Take the end points so many time steps after the start alone."),
]
Fraction = Annotated[
    float, typer.Option(help="Of the majority species: most active, and least active.")
]
Majority = Annotated[
    str | None, typer.Option(help="Species to label; the most frequent when left out.")
]
Masses = Annotated[
    list[float] | None,
    typer.Option(help="Of each of --species, to take off the drift; equal when left out."),
]
Unwrapped = Annotated[
    bool,
    typer.Option(
        "--unwrapped", help="Positions are unwrapped: keep displacements beyond half a cell."
    ),
]
