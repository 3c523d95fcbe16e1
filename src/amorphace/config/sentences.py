"""What pydantic finds wrong with a file, in sentences that name the key."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic import ValidationError

_BRANCH = re.compile(r"[\[-]|^(float|int|LennardJones|EmbeddedAtom)$")
"""Names that pydantic gives to the branches of a union; no key of a file looks like them."""


Known = Callable[[Sequence[object]], Sequence[str]]
"""Keys of the table at a place of a file."""


def sentences(
    error: ValidationError, *, prefix: str = "", known: Known = lambda _: ()
) -> list[str]:
    """What is wrong, one sentence for each key."""
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        # a union names the tried branch after the key: only the file's own keys are shown
        place = [p for p in problem["loc"] if not (isinstance(p, str) and _BRANCH.search(p))]
        key, text = prefix + ".".join(map(str, place)), _sentence(problem, place, known)
        if key in found and problem["type"] != "value_error":
            text = f"{found[key].rpartition(', got')[0]}, or {text}"
        found[key] = text
    return [f"{key}: {text}" if key else text for key, text in found.items()]


def _sentence(problem: Any, place: list[Any], known: Known) -> str:
    """One problem that pydantic found, in words."""
    if problem["type"] == "extra_forbidden":
        return f"unknown key{guess(str(place[-1]), known(place[:-1]))}"
    if problem["type"] == "missing":
        return "missing; add it"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    what = problem["msg"].removeprefix("Input should ").removeprefix("be ")
    return f"must be {what}, got {problem['input']!r}"


def guess(key: str, known: Iterable[str]) -> str:
    """The end of a sentence on an unknown key: what it may have been meant to be."""
    near = difflib.get_close_matches(key, list(known), 1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known are {', '.join(known)}"
