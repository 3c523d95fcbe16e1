"""The pages in docs/ run as they stand, each from its first block of Python to its last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [page for page in sorted(DOCS.glob("*.md")) if "```python" in page.read_text()]


def python_of(page: Path) -> str:
    """Its blocks of Python, each on the lines where it stands on the page."""
    text = page.read_text()
    code = [""] * (text.count("\n") + 1)
    for block in re.finditer(r"```python\n(.*?)```", text, flags=re.DOTALL):
        first = text[: block.start(1)].count("\n")
        for k, line in enumerate(block[1].splitlines()):
            code[first + k] = line
    return "\n".join(code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_of_a_page_runs(page: Path) -> None:
    code = python_of(page)
    assert "assert" in code
    exec(compile(code, str(page), "exec"), {})
