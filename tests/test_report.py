"""The content of a report: numbers, sentences, the paper's values, and harmless text."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from amorphace.core.errors import InputError
from amorphace.report import numbers
from amorphace.report.comparison import READINGS, comparisons, saturation
from amorphace.report.content import HealthLine, ReportContent, Snapshot, colour_range
from amorphace.report.figures import content_figures
from amorphace.report.page import page, write_report
from amorphace.report.panels import panels, sections
from amorphace.report.paper import CASES, QUANTITIES, paper_values
from amorphace.report.plots import plot
from amorphace.report.verdict import headline, verdict

from report_samples import analysis, but, content, glass, snapshot

HOSTILE = ("<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>")


class Elements(HTMLParser):
    """All elements of a page, with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def tags(self) -> list[str]:
        return [tag for tag, _ in self.found]


def packed(text: str, name: str) -> str:
    """What an element of packed text holds."""
    inner = re.search(rf'id="{name}">([^<]*)<', text)
    assert inner is not None
    return gzip.decompress(base64.b64decode(inner[1])).decode()


@pytest.fixture(scope="module")
def text() -> str:
    return page(content(n=300))


def test_sections_stand_in_the_order_warnings_verdict_run_figures_view(text) -> None:
    ids = [a["id"] for tag, a in Elements(text).found if tag == "section"]
    figures = [f"figure-{k}" for k in range(1, 8)]
    assert ids[:11] == ["warnings", "verdict", "run", *figures, "view"]


def test_every_plot_has_a_caption_axis_labels_and_its_numbers(text) -> None:
    data = json.loads(packed(text, "data"))
    shown = panels(content(n=300))
    assert set(shown) <= set(data["csv"])
    assert set(data["plots"]) == set(shown)
    for name, panel in shown.items():
        assert len(panel.caption) > 80, name
        assert "{" not in panel.caption, name
        assert panel.x.label, name
        assert panel.y.label or panel.bars, name
        rows = list(csv.reader(data["csv"][name].splitlines()))
        assert len(rows) > 2, name
        assert {len(row) for row in rows} == {len(rows[0])}, name


def test_plotly_knows_every_word_of_every_plot() -> None:
    for name, panel in panels(content(n=200)).items():
        figure = go.Figure(plot(panel))  # refuses keys and values that it does not know
        assert len(figure.data) >= 1, name
        assert figure.layout.xaxis.title.text == panel.x.label, name


def test_a_plot_and_its_csv_hold_the_same_numbers() -> None:
    a = analysis()
    drawn = {line.name: line for line in panels(content(n=200))["figure-3-accuracy"].lines}
    table = numbers.numbers([c for c in a.curves("accuracy", "grouped") if c.cutoff == 4.0])
    at, score, value = (table.columns.index(name) for name in ("x", "score", "value"))
    for x, y in zip(drawn["4 σ"].x, drawn["4 σ"].y, strict=True):
        folds = [row[value] for row in table.rows if row[at] == x and row[score] == "accuracy"]
        assert len(folds) == 5
        assert np.mean(folds) == pytest.approx(y)


def test_the_verdict_states_the_accuracy_with_its_spread_and_the_first_picks() -> None:
    c = content(n=300)
    said = " ".join(verdict(c)).replace("\u00a0", " ")
    curve = c.analysis.curves("accuracy", "grouped")[-1]
    p = int(np.argmax(curve.mean))
    best = f"{100 * curve.mean[p]:.1f} ± {100 * curve.std[p]:.1f} %"
    assert best in said
    assert "first picks B1 and then A1" in said
    assert "logistic regression and a linear SVM differ by at most 0.0 points" in said
    assert "mix the sites of all samples" in said
    assert "Pearson correlation of 0.7" in said
    found = headline(c.analysis)
    assert found is not None
    assert found[0].replace("\u00a0", " ") == best


def test_papers_values_stand_beside_ours_where_the_paper_states_one() -> None:
    lines = {line.quantity: line for line in comparisons(content(n=300))}
    radial = lines["accuracy, all radial columns"]
    at_20 = analysis().curves("accuracy", "grouped")[-1].at(20).mean()
    assert radial.paper == "90 %"
    assert radial.ours.startswith(f"{100 * at_20:.1f}")
    assert radial.mean == pytest.approx(at_20)
    assert lines["first columns picked by SFS"].paper == "B1, A1"
    assert lines["first columns picked by SFS"].ours == "B1, A1"
    assert lines["correlation of D²min with propensity"].paper == "95 %"
    assert lines["accuracy, first column alone"].paper == "in the figure only"
    assert all(line.ours != "not measured here" for line in lines.values())
    assert comparisons(content(n=300, model="silica")) == ()
    missing = comparisons(content(n=300, analysis=None, snapshots=()))
    assert {line.ours for line in missing} == {"not measured here"}


def test_the_correlation_is_of_all_samples_where_they_are_known() -> None:
    first = comparisons(content(n=300, correlations=(0.9, 0.94)))[0]
    assert (first.mean, first.ours.replace("\u00a0", " ")) == (pytest.approx(0.92), "92.0 ± 2.8 %")


def test_accuracy_saturates_at_the_cutoff_that_no_larger_one_beats_in_most_folds() -> None:
    a = analysis()
    curve = a.curves("accuracy", "grouped")[-1]
    shape = np.ones((len(curve.x), 1))

    def found(*scores: list[float]) -> float | None:
        curves = tuple(
            replace(curve, cutoff=c, folds=(), scores={"accuracy": shape * np.array(s)})
            for c, s in zip((2.0, 3.0, 4.0), scores, strict=False)
        )
        return saturation(but(a, "accuracy", *curves))

    low, middle = [0.7, 0.9, 0.8, 0.8], [0.8, 1.0, 0.9, 0.9]
    assert found(low, middle, [0.82, 1.0, 0.91, 0.93]) == 4.0
    assert found(low, middle, [0.84, 0.97, 0.91, 0.89]) == 3.0
    assert found(middle, low, low) == 2.0
    assert found(low) is None


def test_published_values_stand_below_ours_with_what_differs() -> None:
    said = page(content(n=200))
    assert said.index("the logarithm of D²min</th>") < said.index("SE(3)-equivariant network")
    assert "A few hundredths between two methods mean little here" in said
    row = "<td>CAGE</td>"  # the bare word may stand in encoded numbers
    assert row in said
    assert row not in page(content(n=200, model="wahnstrom"))
    assert row not in page(content(n=200, propensity=()))


def test_the_papers_numbers_are_its_own(shared) -> None:
    (paper,) = (shared / "paper").glob("*.txt")
    said = paper.read_text(encoding="utf-8")
    for case in CASES:
        for v in paper_values(*case):
            for number in re.findall(r"\d+(?:-\d+)?(?= %)", v.value):
                assert f"{number}%" in said, v
    assert "B1 and A1 between B and A particles" in said
    assert "A1 and B1 for the KA mixture and A8 and A7 for the Wahnstrom mixture" in said
    picks = {case: {v.reading: v.value for v in paper_values(*case)}["picks"] for case in CASES}
    assert picks["wahnstrom", "shear"] == "A8, A7"


def test_everything_that_the_paper_states_is_read_here() -> None:
    assert set(READINGS) | {"correlation"} == set(QUANTITIES)
    stated = {v.reading: v for v in paper_values("bead-spring", "shear")}
    assert "jump" not in stated  # one species
    assert "correlation" not in stated  # no propensity under shear
    assert (stated["three-body"].value, stated["three-body"].cutoff) == ("83 %", 3.0)


def test_strings_of_files_are_escaped_everywhere() -> None:
    hostile = content(
        n=200,
        species=HOSTILE,
        title=HOSTILE[0],
        model=HOSTILE[1],
        summary=HOSTILE,
        warnings=HOSTILE,
        health=(HealthLine(unit=HOSTILE[0], quantity=HOSTILE[1], ok=False, text=HOSTILE[0]),),
        provenance={HOSTILE[0]: HOSTILE[1], "inputs": [{"name": HOSTILE[0]}]},
    )
    text = page(hostile)
    harmless = Elements(page(content(n=200)))
    elements = Elements(text)
    assert "img" not in elements.tags()
    assert elements.tags().count("script") == harmless.tags().count("script") == 3
    assert not [a for _, attributes in elements.found for a in attributes if a.startswith("on")]
    for name in HOSTILE:
        assert name in "".join(elements.text)
    plotted = json.loads(packed(text, "data"))["plots"]
    legends = [t.get("name", "") for plot in plotted.values() for t in plot["data"]]
    assert any("&lt;img" in name for name in legends)  # plotly reads tags in names
    assert not any("<img" in name for name in legends)


def test_the_page_allows_its_own_scripts_only_and_no_network(text) -> None:
    (policy,) = (
        attributes["content"] or ""
        for tag, attributes in Elements(text).found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts is not None
    assert re.fullmatch(r"('sha256-[A-Za-z0-9+/=]+' ?){2}", scripts[1])
    links = [a.get("src") or a.get("href") for _, a in Elements(text).found]
    assert all(link.startswith(("#", "data:")) for link in links if link)


def test_the_same_content_gives_the_same_bytes(tmp_path) -> None:
    first, second = (
        write_report(tmp_path / f"{k}.html", content(n=200)).read_bytes() for k in range(2)
    )
    assert first == second
    assert len(first) < 6e6


def test_thirty_thousand_particles_still_fit_and_what_does_not_is_said() -> None:
    big = replace(content(n=200), snapshots=(snapshot(30_000), snapshot(60_000, protocol="huge")))
    text = page(big)
    assert len(text.encode()) < 6e6
    assert "huge sample is not in the 3D view" in text
    assert [s["n"] for s in json.loads(packed(text, "data"))["snapshots"]] == [30_000]


def test_positions_in_the_page_are_those_of_the_particles() -> None:
    c = content(n=300)
    (view, _) = json.loads(packed(page(c), "data"))["snapshots"]
    s = np.frombuffer(base64.b64decode(view["fractional"]), "<u2").reshape(-1, 3)
    expected = c.snapshots[0].configuration.wrapped().fractional()
    np.testing.assert_allclose((s + 0.5) / 65536, expected, atol=2**-16)  # 16 bits a coordinate
    d2min = np.frombuffer(base64.b64decode(view["columns"]["d2min"]["values"]), "<f4")
    np.testing.assert_allclose(d2min, c.snapshots[0].columns["d2min"], rtol=1e-6)  # 32 bits


def test_warnings_of_the_run_failed_checks_and_the_analysis_come_first_and_once() -> None:
    c = content(n=200, warnings=("The sample is small.", "The sample is small."))
    warnings = Elements(page(c)).text
    for sentence in ("The sample is small.", "prepare 2: the pressure drifted by 0.3"):
        assert warnings.count(sentence) == 1
    assert "One sample has fewer labelled sites than the others." in warnings


def test_an_absent_part_is_named_with_the_reason() -> None:
    said = " ".join("".join(Elements(page(ReportContent(title="x"))).text).split())
    assert said.count("because") >= 12
    assert "There is no 3D view, because no configuration was given" in said
    partly = content(n=200, analysis=but(analysis(), "ard"))
    assert "ARD regression is not shown, because this part" in page(partly)


def test_a_column_of_another_length_than_the_configuration_is_refused() -> None:
    with pytest.raises(InputError, match=r"'d2min' of snapshot 's' must have shape \(200,\)"):
        Snapshot(name="s", configuration=glass(200), columns={"d2min": [1.0]})


def test_the_colour_scale_ends_where_outliers_begin() -> None:
    assert colour_range([*range(100), 1e9, np.nan]) == pytest.approx((0, 99), abs=1.1)
    assert colour_range([np.nan]) == (0, 1)
    assert colour_range([2.0, 2.0]) == (2, 3)


def test_a_gain_is_called_clear_only_beyond_the_spread_between_folds() -> None:
    a = analysis()
    curve = a.curve("accuracy", "grouped")
    for spread, judged in ((0.001, "a clear gain"), (0.2, "within the spread between folds")):
        scores = np.where(curve.x <= 20, 0.7, 0.8)[:, None] + spread * np.linspace(-1, 1, 5)
        wide = replace(curve, scores={"accuracy": scores})
        said = " ".join(verdict(content(n=200, analysis=but(a, "accuracy", wide))))
        assert f"columns of higher body order add at most 10.0 points, {judged}" in said.replace(
            "which is ", ""
        )


def test_only_points_of_higher_body_order_count_as_what_they_add() -> None:
    a = analysis()
    curve = a.curve("accuracy", "grouped")
    mean = np.where(curve.x == 15, 0.9, np.where(curve.x > 20, 0.85, 0.84))
    scores = mean[:, None] + 0.001 * np.linspace(-1, 1, 5)
    noisy = replace(curve, scores={"accuracy": scores})
    c = content(n=200, analysis=but(a, "accuracy", noisy))
    said = " ".join(verdict(c)).replace("\u00a0", " ")
    assert "add at most 1.0 points, which is little" in said  # not the 6.0 of 15 two-body columns
    lines = {line.quantity: line for line in comparisons(c)}
    ours = lines["gain of the best point over all radial columns"].ours.replace("\u00a0", " ")
    assert ours.startswith("+1.0 ± 0.0 points with 40 columns")
    radial = replace(noisy, x=noisy.x[:7], labels=(), scores={"accuracy": scores[:7]})
    c = content(n=200, analysis=but(a, "accuracy", radial))
    said = " ".join(verdict(c))
    assert "two-body columns alone reach" in said
    assert "higher body order" not in said
    lines = {line.quantity: line.ours for line in comparisons(c)}
    assert lines["gain of the best point over all radial columns"] == "not measured here"


def test_half_of_three_samples_is_two() -> None:
    a = analysis()
    test = np.array([[0.6] * 5, [0.8] * 5, [0.85] * 5])
    curve = replace(
        a.curves("learning")[0],
        x=np.array([10, 20, 30]),
        labels=("1", "2", "3"),
        scores={"test": test, "train": test},
    )
    c = content(n=200, analysis=but(a, "learning", curve))
    lines = {line.quantity: line.ours for line in comparisons(c)}
    ours = lines["all samples beside half of them to learn from"].replace("\u00a0", " ")
    assert ours == "+5.0 ± 0.0 points (3 beside 2 samples)"


def test_a_model_without_three_body_columns_has_no_blank_maps() -> None:
    radial = analysis()
    for name in ("v2_distance", "v2_angle"):
        zero = (replace(m, scores={"v": 0 * m.values}) for m in radial.curves(name))
        radial = but(radial, name, *zero)
    c = content(n=200, analysis=radial)
    (part,) = (part for part in sections(c) if part.name == "clusters")
    assert not [panel.name for panel in part.panels if "v2" in panel.name]
    assert "v₂ is not shown, because the model uses no three-body columns: it is zero." in (
        part.absent
    )
    assert not [name for name in content_figures(c) if "v2" in name]
    assert [name for name in content_figures(content(n=200)) if "v2" in name]


def test_a_fold_without_a_correlation_is_shown_as_such_and_keeps_the_point() -> None:
    a = analysis()
    pearson = a.curves("ard")[1].values.copy()
    pearson[0, 3] = np.nan
    pearson[-1] = [0.9, np.nan, 0.92, 0.91, 0.93]
    curve = replace(a.curves("ard")[1], scores={"pearson": pearson})
    assert curve.n_undefined.tolist() == [1, *[0] * 10, 1]
    assert curve.mean[0] == pytest.approx(pearson[0, [0, 1, 2, 4]].mean())
    c = content(n=200, analysis=but(a, "ard", curve))
    said = " ".join((*verdict(c), *(line.ours for line in comparisons(c))))
    assert said.replace("\u00a0", " ").count("0.92 ± 0.01 (4 of 5 folds) with 574 columns") == 2
    panel = panels(c)["figure-7-ard"]
    drawn = plot(panel)["data"][-1]
    np.testing.assert_allclose(drawn["y"], curve.mean)
    assert drawn["text"][0] == "1 of 5 folds undefined"
    assert drawn["marker"]["symbol"][0] != drawn["marker"]["symbol"][1]
    assert "Open markers: the prediction is constant in some fold" in panel.caption
    (axes,) = content_figures(c)["figure-7-ard"].axes
    open_markers = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata().tolist() for line in open_markers] == [[1, 574]]


def test_fields_of_a_csv_are_kept_as_they_are() -> None:
    table = numbers.Numbers(columns=("columns",), rows=(("+ 3-body",), ("-A",), ("=A1",)))
    assert table.csv() == "columns\n+ 3-body\n-A\n=A1\n"


def test_the_python_of_the_documentation_runs(sources: Path) -> None:
    text = (sources / "docs" / "report.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(compile(block, "report.md", "exec"), {})
