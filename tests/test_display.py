"""Values as a terminal and a notebook show them; tables for pandas."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import amorphace as am
from amorphace.dataset.table import Columns, Table
from amorphace.learn.bundle import Analysis, read_analysis
from amorphace.learn.results import Curve

COLUMNS = Columns(
    names=["A1", "A2", "B1"], order=[1] * 3, z=[[0], [0], [1]], n=[[1], [2], [1]], l=[[0]] * 3
)
GOLDEN = Path(__file__).parent / "golden"


class Balanced(HTMLParser):
    """Checks that elements close in the order in which they open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return read_analysis(GOLDEN / "analysis-0.1.json")


def glass() -> am.Configuration:
    return am.Configuration(positions=np.eye(3), species=["<b>", "A", "A"], cell=[4.0, 5.0, 6.0])


def table(**words) -> Table:
    return Table(
        sample=[0, 0, 1], particle_id=[4, 7, 4], species=["A", "B", "A"], label=[1, -1, 0],
        sample_names=["one", "<two>"], targets={"d2min": [0.5, 0.1, 0.2]}, **words,
    )  # fmt: skip


def test_values_are_short_and_their_tables_are_html(analysis):
    assert repr(COLUMNS) == "Columns(3: A1, A2, B1)"
    assert repr(glass()) == "Configuration(3 particles: 1 <b>, 2 A; volume 120)"
    values = [
        (analysis, "Analysis(3 samples, 24 active and 24 inactive sites, 13 features"),
        (
            analysis.model,
            "LinearModel(13 features A1 ... B1·B2 l=0, cutoff 2.0, strength 10, of A)",
        ),
        (analysis.results[0], "Curve(accuracy: grouped at cutoff 2: accuracy at 3 points, 3 folds"),
        (glass(), "Configuration(3 particles: "),
        (table(), "Table(3 sites in 2 samples: 1 active, 1 inactive"),
    ]
    for value, begin in values:
        assert repr(value).startswith(begin)
        assert len(repr(value)) < 300
        text = value._repr_html_()
        assert len(text) < 10_000
        assert Balanced(text).words


def test_text_of_files_stays_text():
    assert "<two>" in Balanced(table()._repr_html_()).words
    assert any("1 <b>" in word for word in Balanced(glass()._repr_html_()).words)


def test_a_curve_without_numbers_and_a_long_one_are_shown():
    empty = Curve(name="v1", x=np.arange(3), scores={"v1": np.full((3, 2), np.nan)})
    assert repr(empty) == "Curve(v1: v1 at 3 points, 2 folds)"
    Balanced(empty._repr_html_())
    long = Curve(name="map", x=np.arange(900), scores={"v2": np.ones((900, 2))})
    assert len(long._repr_html_()) < 4000


def test_a_table_becomes_a_data_frame():
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    X = np.arange(9.0).reshape(3, 3)
    described = table(features={2.0: X}, columns=COLUMNS)
    frame = described.to_pandas()
    assert list(frame) == ["sample", "particle_id", "species", "step", "label", "d2min"]
    assert frame["sample"].tolist() == ["one", "one", "<two>"]
    whole = described.to_pandas(cutoff=2.0)
    assert isinstance(whole, pandas.DataFrame)
    np.testing.assert_array_equal(whole[list(COLUMNS.names)].to_numpy(), X)
    assert whole.groupby("sample")["d2min"].mean()["one"] == pytest.approx(0.3)
    with pytest.raises(am.InputError, match="no features of cutoff 3 in the table; there are: 2"):
        described.to_pandas(cutoff=3.0)


def test_without_pandas_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="to_pandas needs the package pandas: pip install pandas"):
        table().to_pandas()


def test_completion_finds_all_public_names():
    assert {*am.__all__, "__version__"} == set(dir(am))
    assert all(getattr(am, name) is not None for name in am.__all__)
