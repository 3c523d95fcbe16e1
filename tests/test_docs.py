"""The pages in docs/ run as they stand, each from its first block to its last."""

from __future__ import annotations

import importlib.util
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"
if not DOCS.is_dir():
    pytest.skip("needs docs/ beside tests/", allow_module_level=True)

SLOW = ("cluster.md", "metal.md", "new_model.md", "own_trajectory.md", "shear.md", "thermal.md")
"""Ten seconds to half a minute of molecular dynamics."""


def load(name: str) -> Any:
    """A module of the documentation, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


pages = load("pages")


def marked(page: Path) -> Any:
    name = page.relative_to(DOCS).as_posix()
    return pytest.param(page, id=name, marks=[pytest.mark.slow] if page.name in SLOW else [])


@pytest.mark.parametrize("page", [marked(page) for page in pages.pages()])
def test_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    python = [block.text for block in pages.blocks(page) if block.kind == "python"]
    assert any("assert" in text for text in python)
    pages.run(page, tmp_path)


def test_every_page_with_python_is_run() -> None:
    written = {page for page in DOCS.rglob("*.md") if "```python" in page.read_text()}
    assert written == set(pages.pages())


def test_a_page_that_is_wrong_fails_on_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\nx = 1\n```\n\ntext\n\n```python\nassert x == 2\n```\n")
    with pytest.raises(AssertionError) as error:
        pages.run(page, tmp_path)
    assert error.traceback[-1].lineno + 1 == 10


def test_files_and_commands_of_a_tutorial_run_in_order(tmp_path: Path) -> None:
    page = tmp_path / "tutorials" / "page.md"
    page.parent.mkdir()
    page.write_text(
        "```{code-block} text\n:caption: a.in\n\nseven\n```\n```sh\ncp a.in b.out\n```\n"
        "```python\nfrom pathlib import Path\nassert Path('b.out').read_text() == 'seven\\n'\n```\n"
    )
    pages.run(page, tmp_path)
    assert (tmp_path / "b.out").read_text() == "seven\n"


def test_every_key_and_command_is_in_the_reference() -> None:
    sys.path.insert(0, str(DOCS))
    try:
        generate = load("generate")
    finally:
        sys.path.remove(str(DOCS))
    commands, keys = generate.command_pages(), generate.experiment_tables()
    assert all(f"\n## {name}\n" in commands for name in ("label", "predict", "run", "info"))
    assert "| `--fraction` |" in commands
    assert "| `lag` | Time of a run" in keys
    assert '| `"tau_alpha"` |' in keys
    assert "| `increment` | Strain of a step in which data are taken | number | `5e-05` |" in keys
    engines = generate.engine_table(DOCS.parent / "benchmarks" / "results" / "batch.json")
    assert all(f"\n| {name} | " in engines for name in ("batch", "lammps", "openmm"))


def test_every_name_of_the_reference_is_there() -> None:
    text = (DOCS / "reference" / "api.rst").read_text(encoding="utf-8")
    names = re.findall(r"^ {3}(amorphace\.[\w.]+)$", text, re.MULTILINE)
    assert len(names) > 50
    assert [name for name in names if not pkgutil.resolve_name(name)] == []
