"""What a page shows is kept as a file; the pages that are committed are what it gives."""

from __future__ import annotations

import json
import shutil
from importlib import import_module
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from amorphace.core.errors import FileFormatError
from amorphace.report import page as pages
from amorphace.report.document import document
from amorphace.report.kept import read_content, write_content

from report_samples import content

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"


def test_a_content_that_was_kept_is_written_as_the_same_bytes(tmp_path):
    write_content(tmp_path / "a.json", content(n=60))
    write_content(tmp_path / "b.json", read_content(tmp_path / "a.json"))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_content_that_was_kept_has_the_figures_numbers_and_sentences_of_the_first(tmp_path):
    first = content(n=60)
    write_content(tmp_path / "a.json", first)
    there, here = document(read_content(tmp_path / "a.json")), document(first)
    assert list(there.panels) == list(here.panels)
    assert [s.text for s in there.sections] == [s.text for s in here.sections]
    for name, table in here.numbers.items():
        numbers = [
            [v for row in t.rows for v in row if isinstance(v, float)]
            for t in (table, there.numbers[name])
        ]
        np.testing.assert_allclose(numbers[1], numbers[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "amorphace model"}, "not a report's content with the format"),
        ({"format_version": 9}, "format version 9; this program reads version 1"),
        ({"lag": "long"}, "lag: a number is needed, got 'long'"),
        ({"titel": "x"}, "titel is unknown to ReportContent; did you mean title"),
    ],
)
def test_a_content_that_is_none_is_refused_by_its_field(tmp_path, change, said):
    write_content(file := tmp_path / "a.json", content(n=60))
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(FileFormatError, match=said):
        read_content(file)


@pytest.fixture
def example(monkeypatch):
    """A program in examples/, as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    return import_module


def written(folder: Path, kinds: tuple[str, ...]) -> dict[str, bytes]:
    """Files of some kinds that are not written by hand, with what is in them."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for kind in kinds
        for path in (*folder.glob(f"*-*/*.{kind}"), *folder.glob(f"summary*.{kind}"))
    }


@pytest.fixture
def copy(tmp_path):
    """The contents that are kept, in a folder of their own."""
    for file in RESULTS.glob("*/content.json.gz"):
        (tmp_path / file.parent.name).mkdir()
        shutil.copy(file, tmp_path / file.parent.name)
    return tmp_path


def test_the_pages_of_the_results_are_what_is_written_now(copy, example, monkeypatch):
    """All but their pictures; `make results` writes them."""
    monkeypatch.setattr(pages, "save_figure", lambda *words, **named: ())
    results = example("results")
    cases = list(results.kept(copy))
    results.publish(copy, cases)
    assert written(copy, ("md",)) == written(RESULTS, ("md",))
    assert len(cases) >= 4
    assert (copy / "conditions.md").read_text() == (RESULTS / "conditions.md").read_text()
    for page in (ROOT / "README.md", ROOT / "docs" / "index.md"):
        assert results.with_blocks(page.read_text(), results.blocks(cases)) == page.read_text()


@pytest.mark.parametrize("name", ["choices", "baselines"])
def test_the_page_of_other_choices_is_what_is_written_now(example, name):
    assert example(name).page(RESULTS) == (RESULTS / f"{name}.md").read_text(encoding="utf-8")


def test_a_page_that_is_kept_in_the_documentation_is_no_larger_than_it_may_be():
    (page,) = (ROOT / "docs" / "_static").glob("*.html")
    assert page.stat().st_size < 2_500_000


@pytest.mark.slow
def test_the_pictures_of_the_results_are_what_is_drawn_now(copy, example):
    """To the byte, where they were drawn by the same Matplotlib."""
    results = example("results")
    results.publish(copy, list(results.kept(copy)))
    here, there = written(copy, ("svg",)), written(RESULTS, ("svg",))
    assert list(here) == list(there)
    if f"Matplotlib v{mpl.__version__}".encode() in next(iter(there.values())):
        assert here == there
