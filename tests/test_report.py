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
from amorphace.learn.results import Curve
from amorphace.learn.splits import half_width
from amorphace.report.assemble import assemble
from amorphace.report.claims import CASES, comparisons, stated
from amorphace.report.content import HealthLine, ReportContent, Snapshot, colour_range
from amorphace.report.document import document, overview
from amorphace.report.figures import draw
from amorphace.report.numbers import Numbers, curve_numbers
from amorphace.report.page import page, write_report
from amorphace.report.panels import panels
from amorphace.report.panels.cases import FIGURES, arranged
from amorphace.report.panels.making import MAKERS, figures_toml
from amorphace.report.plots import plot
from amorphace.report.readings import READINGS
from amorphace.report.readings.found import Case, percent
from amorphace.report.verdict import headline, verdict
from amorphace.report.view import views
from amorphace.report.words import for_plotly

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


def html(c: ReportContent) -> str:
    """The page of a content."""
    return page(document(c))


@pytest.fixture(scope="module")
def text() -> str:
    return html(content(n=300))


def test_the_glass_comes_first_then_the_verdict_the_figures_and_what_was_run(text) -> None:
    ids = [a["id"] for tag, a in Elements(text).found if tag == "section"]
    figures = [f"figure-{k}" for k in range(1, 8)]
    assert ids[:10] == ["warnings", "view", "verdict", *figures]
    assert ids[-1] == "run"


def test_every_plot_has_a_caption_axis_labels_and_its_numbers(text) -> None:
    data = json.loads(packed(text, "data"))
    shown = panels(content(n=300))
    assert set(shown) <= set(data["csv"])
    assert set(data["plots"]) == {part.name for panel in shown.values() for part in panel.parts}
    for name, panel in shown.items():
        assert len(panel.caption) > 60, name
        assert "{" not in panel.caption, name
        for part in panel.parts:
            assert part.x.label, name
            assert part.y.label or part.bars, name
        rows = list(csv.reader(data["csv"][name].splitlines()))
        assert len(rows) > 2, name
        assert {len(row) for row in rows} == {len(rows[0])}, name


def test_a_figure_of_curves_is_one_entry_of_one_file(monkeypatch) -> None:
    entry = {
        "section": "figure-3",
        "curves": ["accuracy"],
        "variant": "random",
        "x": {"label": "number of features", "log": True},
        "y": {"label": "accuracy"},
        "line": "random folds, {cutoff:g} σ",
        "rules": [{"across": "y", "at": 0.5}, {"at": "lag"}, {"at": "wavenumber"}],
        "caption": "Folds that mix the sites of all samples, {n_folds} of them.",
        "also": {"sheared": "Sheared."},
    }
    monkeypatch.setitem(figures_toml()["figure"], "mixed", entry)
    c = content(n=200, wavenumber=None)
    panel = panels(c)["mixed"]
    (line,) = panel.lines
    assert line.name == "random folds, 4 σ"
    np.testing.assert_array_equal(line.y, c.found("accuracy", "random")[0].mean)
    assert [rule.at for rule in panel.rules] == [0.5, 84.0]  # what is not known has no line
    assert panel.caption == "Folds that mix the sites of all samples, 5 of them."
    assert 'id="plot-mixed"' in html(c)
    assert draw(panel).axes[0].get_xlabel() == "number of features"


def test_no_entry_of_the_figures_is_without_a_maker() -> None:
    for key, words in figures_toml()["figure"].items():
        assert "curves" in words or key in MAKERS or key in FIGURES, key
    assert not set(MAKERS) - set(figures_toml()["figure"])


def test_plotly_knows_every_word_of_every_plot() -> None:
    for panel in panels(content(n=200)).values():
        for part in panel.parts:
            figure = go.Figure(plot(part))  # refuses keys and values that it does not know
            assert len(figure.data) >= 1, part.name
            assert figure.layout.xaxis.title.text == for_plotly(part.x.label), part.name


def test_a_plot_and_its_csv_hold_the_same_numbers() -> None:
    a = analysis()
    drawn = {line.name: line for line in panels(content(n=200))["figure-3-accuracy"].lines}
    table = curve_numbers([c for c in a.curves("accuracy", "grouped") if c.cutoff == 4.0])
    at, score, value = (table.columns.index(name) for name in ("x", "score", "value"))
    for x, y in zip(drawn["4 σ"].x, drawn["4 σ"].y, strict=True):
        folds = [row[value] for row in table.rows if row[at] == x and row[score] == "accuracy"]
        assert len(folds) == 5
        assert np.mean(folds) == pytest.approx(y)


def test_the_headline_is_the_worth_of_the_model_that_is_kept_and_of_the_extremes() -> None:
    c = content(n=300)
    scores = np.array([[0.8, 0.84, 0.82, 0.78, 0.81]])
    kept = Curve(name="model", x=np.array([1]), scores={"accuracy": scores})
    found = headline(but(c.analysis, "model", kept))
    assert found is not None
    assert found[0] == percent(scores[0])
    assert "of a model chosen without them" in found[1]
    assert "640 active from the 640 inactive particles, the extremes" in found[1]
    radial = headline(c.analysis)  # without a model, all radial features
    assert radial is not None
    assert "20 features at cutoff 4 σ" in radial[1]


def test_the_correlation_over_all_particles_stands_with_the_accuracy_of_the_extremes() -> None:
    first, second, *_ = (s.replace("\u00a0", " ") for s in verdict(content(n=200)))
    assert "Over all scored particles of samples left out" in first
    assert "D²min: Spearman 0.5" in first
    assert second.startswith("Over all")
    assert "propensity: Spearman 0.4" in second
    (part,) = (s for s in document(content(n=200)).sections if s.name == "everyone")
    assert [row[0] for row in part.tables[0].rows] == ["d2min", "propensity"]
    assert part.tables[0].head == ("everyone", "spearman", "pearson")
    assert part.tables[0].rows[1][2].startswith("0.3")
    bare = content(n=200, analysis=but(analysis(), "everyone"))
    assert not any("Over all" in s for s in verdict(bare))
    (absent,) = document(bare).sections[-1].notes
    assert absent.startswith("Correlations of the score over all particles of samples left out")


def test_an_error_is_the_half_width_of_an_interval() -> None:
    scores = np.array([0.80, 0.84, 0.82, 0.78])
    shown = percent(scores).replace("\u00a0", " ")
    assert shown == f"81.0 ± {100 * half_width(scores):.1f} %"


def test_the_verdict_states_accuracies_with_errors_and_the_first_picks() -> None:
    c = content(n=300)
    said = " ".join(verdict(c)).replace("\u00a0", " ")
    radial = c.analysis.curves("accuracy", "grouped")[-1].at(20)
    assert f"two-body features alone reach {percent(radial)}".replace("\u00a0", " ") in said
    assert "first picks B1 and then A1" in said
    assert "logistic regression and a linear SVM differ by at most 0.0 points" in said
    assert "mix the sites of all samples" in said
    assert "Pearson correlation of 0.7" in said


def test_papers_values_stand_with_ours_where_the_paper_states_one() -> None:
    lines = {line.reading: line for line in comparisons(content(n=300))}
    at_20 = analysis().curves("accuracy", "grouped")[-1].at(20).mean()
    assert lines["radial"].paper == "90 %"
    assert lines["radial"].ours.startswith(f"{100 * at_20:.1f}")
    assert lines["radial"].mean == pytest.approx(at_20)
    assert (lines["picks"].paper, lines["picks"].ours) == ("B1, A1", "B1, A1")
    assert lines["correlation"].paper == "95 %"
    assert lines["first"].paper == "in the figure only"
    elsewhere = {name for name, line in lines.items() if line.ours == "not measured here"}
    assert elsewhere == {"glasses", "v2", "weight"}  # of one case; of one model, which has no error
    assert comparisons(content(n=300, model="silica")) == ()
    missing = comparisons(content(n=300, analysis=None, correlations=()))
    assert {line.ours for line in missing} == {"not measured here"}


def test_the_correlation_is_of_all_samples() -> None:
    values = (0.9, 0.94, 0.95, 0.93)
    first = comparisons(content(n=300, correlations=values))[0]
    assert first.mean == pytest.approx(0.93)
    expected = half_width(values)
    assert first.error == pytest.approx(expected)
    assert first.ours.replace("\u00a0", " ") == f"93.0 ± {100 * expected:.1f} %"
    alone = comparisons(content(n=300, correlations=(0.9,)))[0]
    assert alone.ours.replace("\u00a0", " ") == "90.0 %"


def test_accuracy_saturates_at_the_cutoff_that_no_larger_one_beats_beyond_the_error() -> None:
    a = analysis()
    curve = a.curves("accuracy", "grouped")[-1]
    shape = np.ones((len(curve.x), 1))

    def found(*scores: list[float]) -> str | None:
        curves = (
            replace(curve, cutoff=c, folds=(), scores={"accuracy": shape * np.array(s)})
            for c, s in zip((2.0, 3.0, 4.0), scores, strict=False)
        )
        c = content(n=200, analysis=but(a, "accuracy", *curves))
        assert c.analysis is not None
        read = READINGS["saturation"](Case(c, 4.0), c.analysis)
        return read.text if read else None

    low, middle = [0.7, 0.9, 0.8, 0.8], [0.8, 1.0, 0.9, 0.9]
    assert found(low, middle, [0.82, 1.0, 0.93, 0.92]) == "4"
    assert found(low, middle, [0.84, 0.97, 0.91, 0.89]) == "3"
    assert found(middle, low, low) == "2"
    assert found(low) is None


def test_published_values_stand_below_ours_with_what_differs() -> None:
    said = html(content(n=200))
    assert said.index("the logarithm of <math>") < said.index("SE(3)-equivariant network")
    assert "100 unseen configurations of the GlassBench set" in said
    row = "<td>CAGE (at most 100)</td>"  # the bare word may stand in encoded numbers
    assert row in said
    assert row not in html(content(n=200, model="wahnstrom"))
    assert row not in html(content(n=200, propensity=()))


def test_the_papers_numbers_are_its_own(shared) -> None:
    (paper,) = (shared / "paper").glob("*.txt")
    said = paper.read_text(encoding="utf-8")
    for case in CASES:
        for s in stated(*case):
            for number in re.findall(r"\d+(?:-\d+)?(?= %)", s.paper):
                assert f"{number}%" in said, s
    assert "B1 and A1 between B and A particles" in said
    assert "A1 and B1 for the KA mixture and A8 and A7 for the Wahnstrom mixture" in said
    picks = {case: {s.reading: s.paper for s in stated(*case)}["picks"] for case in CASES}
    assert picks["wahnstrom", "shear"] == "A8, A7"


def test_everything_that_the_paper_states_is_read_here() -> None:
    readings = {s.reading for case in CASES for s in stated(*case)}
    assert set(READINGS) == readings
    known = {s.reading: s for s in stated("bead-spring", "shear")}
    assert "jump" not in known  # one species
    assert "correlation" not in known  # no propensity under shear
    assert (known["three-body"].paper, known["three-body"].cutoff) == ("83 %", 3.0)


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
    text = html(hostile)
    harmless = Elements(html(content(n=200)))
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


def test_thirty_thousand_particles_still_fit_and_of_a_hundred_thousand_a_slab() -> None:
    big = replace(content(n=200), snapshots=(snapshot(30_000),))
    text = html(big)
    assert len(text.encode()) < 6e6
    (view,) = json.loads(packed(text, "data"))["snapshots"]
    assert view["n"] == 30_000
    huge = snapshot(100_000)
    (view,) = views([huge])
    assert 30_000 < view["n"] < 100_000
    assert re.fullmatch(r"thermal sample \(slab of [\d.]+ σ\)", view["name"])
    z = np.frombuffer(base64.b64decode(view["fractional"]), "<u2").reshape(-1, 3)[:, 2] / 65536
    glass = huge.configuration
    core = glass.fractional()[np.argmax(huge.columns["d2min"]), 2]
    away = abs((z - core + 0.5) % 1 - 0.5)
    thickness = float(re.findall(r"[\d.]+", view["name"])[0])
    assert 2 * away.max() * glass.heights[2] == pytest.approx(thickness, rel=0.01)


def test_positions_in_the_page_are_those_of_the_particles() -> None:
    c = content(n=300)
    (view, _) = json.loads(packed(html(c), "data"))["snapshots"]
    s = np.frombuffer(base64.b64decode(view["fractional"]), "<u2").reshape(-1, 3)
    expected = c.snapshots[0].configuration.wrapped().fractional()
    np.testing.assert_allclose((s + 0.5) / 65536, expected, atol=2**-16)  # 16 bits a coordinate
    d2min = np.frombuffer(base64.b64decode(view["columns"]["d2min"]["values"]), "<f4")
    np.testing.assert_allclose(d2min, c.snapshots[0].columns["d2min"], rtol=1e-6)  # 32 bits


def test_warnings_of_the_run_failed_checks_and_the_analysis_come_first_and_once() -> None:
    c = content(n=200, warnings=("The sample is small.", "The sample is small."))
    warnings = Elements(html(c)).text
    for sentence in ("The sample is small.", "prepare 2: the pressure drifted by 0.3"):
        assert warnings.count(sentence) == 1
    assert "One sample has fewer labelled sites than the others." in warnings


def test_what_is_not_shown_has_no_section_but_the_command_that_would_make_it() -> None:
    ids = [s.name for s in document(ReportContent(title="x")).sections]
    assert ids == ["absent"]
    said = " ".join("".join(Elements(html(ReportContent(title="x"))).text).split())
    for command in (
        "amorphace learn --full",
        "amorphace report --configuration FILE --labels LABELS",
        "amorphace report --regression FILE",
    ):
        assert command in said
    partly = document(content(n=200, analysis=but(analysis(), "ard")))
    assert "figure-7" not in [s.name for s in partly.sections]
    assert partly.sections[-1].notes == (
        "Regression of D²min (figure 7): `amorphace learn` of a table whose labels hold D²min.",
    )


def test_the_title_is_of_the_data_where_none_is_given() -> None:
    named = assemble(ReportContent(analysis=analysis(), model="wahnstrom", protocol="shear"))
    assert named.title == "Wahnström, sheared, 10 samples"
    assert assemble(ReportContent(analysis=analysis())).title == "Glass of A and B, 10 samples"
    assert assemble(ReportContent(analysis=analysis(), title="Mine")).title == "Mine"


def test_d2min_is_set_as_mathematics_in_every_medium() -> None:
    c = content(n=200, summary=("D2min <b> of D²min.",))
    assert "<math><msubsup><mi>D</mi>" in html(c)
    assert "D²min" not in re.sub(r"<script.*?</script>|<[^>]+>", "", html(c), flags=re.S)
    ylabel = draw(panels(c)["figure-7-ard"]).axes[0].get_ylabel()
    assert "$D^2_\\mathrm{min}$" in ylabel
    web = plot(panels(c)["figure-7-ard"])["layout"]["yaxis"]["title"]["text"]
    assert "<i>D</i>²<sub>min</sub>" in web


def test_a_page_of_markdown_has_the_same_sections_with_its_pictures(tmp_path) -> None:
    c = content(n=200, species=("A|x", "B"))
    shown = ("figure-3", "clusters-v2", "roc")
    path = write_report(tmp_path / "page.md", c, figures=shown)
    text = path.read_text(encoding="utf-8")
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert titles[:3] == ["Warnings", "Verdict", "Figure 3. Accuracy and the number of features"]
    pictures = re.findall(r":::\{figure\} (\S+)", text)
    assert pictures == [
        "figure-3-accuracy.svg",
        "roc.svg",
        "clusters-v2.svg",
        "clusters-v2-angle.svg",
    ]
    assert all((tmp_path / name).is_file() for name in pictures)
    numbers = panels(c)["roc"].numbers.csv()
    assert (tmp_path / "roc.csv").read_text(encoding="utf-8") == numbers
    assert "$D^2_\\mathrm{min}$ with propensity" in text
    tables = [line for line in text.splitlines() if line.startswith("| ")]
    assert "radial features of A" in "".join(tables)
    rows = [line.replace("\\|", "").count("|") for line in tables if "60-65\u00a0%" in line]
    assert rows == [7]  # of six cells


def test_cases_stand_side_by_side_on_the_same_axes() -> None:
    glasses = ("bead-spring", "kob-andersen", "wahnstrom")
    cases = [
        content(n=100, model=model, protocol=protocol, title=f"{model} {protocol}", snapshots=())
        for model in glasses
        for protocol in ("thermal", "shear")
    ]
    lower = replace(cases[0].analysis.curve("accuracy", "grouped"))
    lower = replace(lower, scores={"accuracy": lower.values - 0.2})
    cases[0] = replace(cases[0], analysis=but(cases[0].analysis, "accuracy", lower))
    shown = overview(cases).panels
    assert list(shown) == ["cases-figure-3", "cases-figure-5", "cases-figure-7"]
    panel = shown["cases-figure-3"]
    titles = [[part.title for part in row if part] for row in panel.rows]
    assert titles == [
        [f"({k}) {glass} thermal" for k, glass in zip("abc", glasses, strict=True)],
        [f"({k}) {glass} shear" for k, glass in zip("def", glasses, strict=True)],
    ]
    dashes = [{line.dash for line in part.lines} for part in panel.parts]
    assert dashes == [{"solid"}] * 3 + [{"dashed"}] * 3
    assert len({(part.y.low, part.y.high) for part in panel.parts}) == 1
    assert panel.parts[0].y.low < 0.5  # chance and the lowest curve are in sight
    axes = draw(panel).axes
    assert len({a.get_ylim() for a in axes}) == len({a.get_xlim() for a in axes}) == 1
    assert [a.get_xlabel() != "" for a in axes] == [False] * 3 + [True] * 3
    assert {row[0] for row in panel.numbers.rows} == {c.title for c in cases}
    gap = arranged(cases[:3])
    assert [[c and c.title for c in row] for row in gap] == [
        ["bead-spring thermal", "kob-andersen thermal"],
        ["bead-spring shear", None],
    ]
    unnamed = arranged([replace(c, protocol="") for c in cases[:4]])
    assert [len(row) for row in unnamed] == [3, 3]
    table = overview(cases).sections[0].tables[0]
    assert [row[0] for row in table.rows] == [c.title for c in cases]
    (radial,) = (s for s in comparisons(cases[1]) if s.reading == "radial")
    assert table.rows[1][table.head.index("radial")] == radial.ours


def test_a_column_of_another_length_than_the_configuration_is_refused() -> None:
    with pytest.raises(InputError, match=r"'d2min' of snapshot 's' must have shape \(200,\)"):
        Snapshot(name="s", configuration=glass(200), columns={"d2min": [1.0]})


def test_the_colour_scale_ends_where_outliers_begin() -> None:
    assert colour_range([*range(100), 1e9, np.nan]) == pytest.approx((0, 99), abs=1.1)
    assert colour_range([np.nan]) == (0, 1)
    assert colour_range([2.0, 2.0]) == (2, 3)


def test_a_gain_is_called_no_more_than_the_error_only_within_it() -> None:
    a = analysis()
    curve = a.curve("accuracy", "grouped")
    for spread, small in ((0.001, False), (0.3, True)):
        higher = 0.8 + spread * np.linspace(-1, 1, 5)
        scores = np.where((curve.x <= 20)[:, None], 0.7, higher)
        c = content(n=200, analysis=but(a, "accuracy", replace(curve, scores={"a": scores})))
        said = " ".join(verdict(c)).replace("\u00a0", " ")
        assert "features up to 3-body change it by +10.0 ±" in said
        assert ("not more than the error" in said) is small


def test_only_whole_body_orders_count_as_what_they_add() -> None:
    a = analysis()
    curve = a.curve("accuracy", "grouped")
    mean = np.where(curve.x == 15, 0.9, np.where(curve.x > 20, 0.85, 0.84))
    scores = mean[:, None] + 0.001 * np.linspace(-1, 1, 5)
    noisy = replace(curve, scores={"accuracy": scores})
    c = content(n=200, analysis=but(a, "accuracy", noisy))
    lines = {line.reading: line for line in comparisons(c)}
    ours = lines["beyond radial"].ours.replace("\u00a0", " ")
    assert ours == "+1.0 ± 0.0 points up to 3-body, +1.0 ± 0.0 points up to 4-body"
    radial = replace(noisy, x=noisy.x[:7], labels=(), scores={"accuracy": scores[:7]})
    c = content(n=200, analysis=but(a, "accuracy", radial))
    said = " ".join(verdict(c))
    assert "two-body features alone reach" in said
    assert "3-body" not in said
    lines = {line.reading: line.ours for line in comparisons(c)}
    assert lines["beyond radial"] == "not measured here"


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
    (line,) = (line for line in comparisons(c) if line.reading == "learning")
    assert line.ours.replace("\u00a0", " ") == "+5.0 ± 0.0 points"
    assert line.aside == "(3 samples, not 2)"


def test_a_model_without_three_body_columns_has_no_blank_maps() -> None:
    radial = analysis()
    for name in ("v2_distance", "v2_angle"):
        zero = (replace(m, scores={"v": 0 * m.values}) for m in radial.curves(name))
        radial = but(radial, name, *zero)
    c = content(n=200, analysis=radial)
    (part,) = (part for part in document(c).sections if part.name == "clusters")
    assert not [panel.name for panel in part.panels if "v2" in panel.name]
    assert part.notes == (
        "v₂ is not shown, because the model uses no three-body features: it is zero.",
    )
    assert [name for name in panels(content(n=200)) if "v2" in name]


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
    assert said.replace("\u00a0", " ").count("0.92 ± 0.01 (4 of 5 folds)") == 2
    panel = panels(c)["figure-7-ard"]
    drawn = plot(panel)["data"][-1]
    np.testing.assert_allclose(drawn["y"], curve.mean)
    assert drawn["text"][0] == "1 of 5 folds undefined"
    assert drawn["marker"]["symbol"][0] != drawn["marker"]["symbol"][1]
    assert "Open markers: the prediction is constant in some fold" in panel.caption
    (axes,) = draw(panels(c)["figure-7-ard"]).axes
    open_markers = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata().tolist() for line in open_markers] == [[1, 574]]


def test_fields_of_a_csv_are_kept_as_they_are() -> None:
    table = Numbers(columns=("columns",), rows=(("+ 3-body",), ("-A",), ("=A1",)))
    assert table.csv() == "columns\n+ 3-body\n-A\n=A1\n"


def test_the_python_of_the_documentation_runs(sources: Path) -> None:
    text = (sources / "docs" / "report.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec(compile(block, "report.md", "exec"), {})
