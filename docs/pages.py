"""The code on a page of the documentation, run from its top to its bottom.

```python            runs; all blocks of a page share one namespace
```sh                runs, on the pages of docs/tutorials
```console           is for reading
```{code-block} text with a :caption: is a file of that name, on the pages of docs/tutorials
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
FENCE = re.compile(r"^```(\{code-block\} text\n:caption: (?P<name>\S+)|python|sh)\n", re.MULTILINE)
SHELL_SECONDS = 600


@dataclass(frozen=True)
class Block:
    """One block of code.

    Attributes
    ----------
    kind : {"python", "sh", "file"}
    text : str
    line : int
        Of the page, on which the text begins, from 0.
    name : str
        Of the file.
    """

    kind: str
    text: str
    line: int
    name: str = ""


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page that run."""
    text = page.read_text(encoding="utf-8")
    for fence in FENCE.finditer(text):
        body = text[fence.end() : text.index("\n```", fence.end() - 1) + 1]
        kind = "file" if fence["name"] else fence[1]
        yield Block(kind, body.lstrip("\n"), text[: fence.end()].count("\n"), fence["name"] or "")


def pages() -> list[Path]:
    """Every page on which a block runs."""
    return [page for page in sorted(DOCS.rglob("*.md")) if runs(page)]


def runs(page: Path) -> bool:
    """Whether a block of the page runs; generated pages have none."""
    if "_generated" in page.parts:
        return False
    return any(block.kind == "python" or is_tutorial(page) for block in blocks(page))


def is_tutorial(page: Path) -> bool:
    """Whether the shell blocks of a page run too."""
    return page.parent.name == "tutorials"


def run(page: Path, folder: Path) -> None:
    """Run a page in a folder, which receives the files that it makes."""
    names: dict[str, Any] = {"__name__": "page"}
    with chdir(folder):
        for block in blocks(page):
            if block.kind == "python":
                code = "\n" * block.line + block.text
                exec(compile(code, str(page), "exec"), names)
            elif is_tutorial(page) and block.kind == "file":
                file = Path(block.name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")
            elif is_tutorial(page):
                shell(block.text)


def shell(text: str) -> None:
    """Run commands with the programs of this environment first; the first that fails stops."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", text],
        check=True,
        timeout=SHELL_SECONDS,
        env=os.environ | {"PATH": path},
    )
