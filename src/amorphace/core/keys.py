"""The fields of a dataclass, explained to whoever fills them in a file or on the command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from inspect import getsource
from itertools import pairwise
from textwrap import dedent
from typing import Any


def keys_of(kind: type[Any]) -> Iterator[tuple[str, Any, str]]:
    """Each field, its default (MISSING where there is none), and what it is.

    What it is says the first sentence below the field.
    """
    texts: dict[str, str] = {}
    for base in kind.__mro__:
        if is_dataclass(base):
            (found,) = ast.parse(dedent(getsource(base))).body
            for line, below in pairwise(found.body):  # type: ignore[attr-defined]
                if isinstance(line, ast.AnnAssign) and isinstance(below, ast.Expr):
                    text = " ".join(ast.literal_eval(below.value).split())
                    texts.setdefault(ast.unparse(line.target), text.partition(". ")[0].rstrip("."))
    for f in fields(kind):
        made = MISSING if f.default_factory is MISSING else f.default_factory()
        yield f.name, made if f.default is MISSING else f.default, texts[f.name]
