"""The page in a browser: it opens from disk without a network, draws, turns, and gives numbers."""

from __future__ import annotations

import csv
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

import amorphace as am
from amorphace.report.content import ReportContent
from amorphace.report.page import write_report
from amorphace.report.panels import panels
from amorphace.report.plots import plots

from report_samples import content

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
READY = "html[data-ready='true']"
PATIENCE = 60_000  # milliseconds; a loaded machine is slow
HOSTILE = ("<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>")


@dataclass
class Visit:
    """An open page, and what happened in it."""

    page: object
    seconds: float
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def run(self, script: str):
        return self.page.evaluate(script)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium on the path; 'make system' installs it where apt-get is there")
    if found is None:
        pytest.skip("needs Chromium; 'make system' installs it")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=list(QUIET))
        yield chromium
        chromium.close()


def visit(browser, path: Path, **options) -> Visit:
    """The page in a window of its own, once all is drawn."""
    window = {"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce"} | options
    page = browser.new_context(**window).new_page()
    page.set_default_timeout(PATIENCE)
    seen = Visit(page=page, seconds=0)
    page.on("console", lambda m: seen.troubles.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.troubles.append(str(error)))
    page.on("dialog", lambda box: (seen.troubles.append(f"dialog {box.message}"), box.dismiss()))
    page.on("request", lambda request: seen.requests.append(request.url))
    start = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector(READY, state="attached")
    seen.seconds = time.perf_counter() - start
    return seen


@pytest.fixture(scope="module")
def full() -> ReportContent:
    return content(n=4000)


@pytest.fixture(scope="module")
def path(full, tmp_path_factory) -> Path:
    return write_report(tmp_path_factory.mktemp("page") / "report.html", full)


@pytest.fixture(scope="module")
def opened(browser, path) -> Iterator[Visit]:
    seen = visit(browser, path)
    yield seen
    seen.page.context.close()


def test_the_page_opens_from_disk_without_errors_or_network(opened, path) -> None:
    marks = opened.run("performance.getEntriesByType('mark').map(m => [m.name, m.startTime])")
    size = path.stat().st_size
    print(f"{size / 1e6:.2f} MB, all drawn after {opened.seconds:.2f} s, {dict(marks)} ms")
    assert opened.troubles == []
    assert opened.requests == [path.as_uri()]
    assert size < 6e6
    assert opened.run("document.getElementById('trouble').hidden")


def test_every_plot_is_drawn(opened, full) -> None:
    shown = panels(full)
    assert len(shown) > 15
    for name, drawn in ((n, p) for panel in shown.values() for n, p in plots(panel).items()):
        n = opened.run(f"document.querySelectorAll('#plot-{name} .main-svg').length")
        assert n > 0, name
        traces = opened.run(f"document.getElementById('plot-{name}').data.length")
        assert traces == len(drawn["data"]), name


def test_pointing_at_a_curve_shows_its_numbers(opened) -> None:
    plot = opened.page.locator("#plot-figure-3-accuracy")
    plot.locator(".nsewdrag").first.hover()
    plot.locator(".hoverlayer text").first.wait_for()
    text = plot.locator(".hoverlayer").text_content()
    assert "4 σ" in text
    assert "±" in text


def test_no_button_sends_a_plot_anywhere(opened) -> None:
    buttons = opened.page.locator("#plot-figure-3-accuracy .modebar-btn")
    names = [b.get_attribute("data-title") for b in buttons.all()]
    assert names == ["Zoom", "Pan", "Reset axes"]


def camera(seen: Visit) -> tuple[float, float, float]:
    c = seen.run("({...window.amorphace.camera})")
    return c["yaw"], c["pitch"], c["zoom"]


def picture(seen: Visit) -> str:
    seen.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return seen.run("[...document.querySelectorAll('canvas')].map(c => c.toDataURL()).join()")


def test_the_3d_view_turns_by_mouse(opened) -> None:
    stage = opened.page.locator("#stage-1")
    stage.scroll_into_view_if_needed()
    before, seen = camera(opened), picture(opened)
    box = stage.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    opened.page.mouse.move(x, y)
    opened.page.mouse.down()
    opened.page.mouse.move(x + 90, y + 40, steps=4)
    opened.page.mouse.up()
    after = camera(opened)
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert picture(opened) != seen
    opened.page.mouse.move(x, y)
    opened.page.mouse.move(x + 1, y)
    assert "particle" in opened.page.locator(".tip").first.text_content()


def test_the_3d_view_turns_zooms_and_returns_by_keyboard(opened) -> None:
    stage = opened.page.locator("#stage-1")
    stage.focus()
    opened.page.keyboard.press("0")
    home, seen = camera(opened), picture(opened)
    opened.page.keyboard.press("ArrowLeft")
    opened.page.keyboard.press("ArrowUp")
    opened.page.keyboard.press("+")
    turned = camera(opened)
    assert turned == pytest.approx((home[0] + 0.1, home[1] + 0.1, 1.15))
    assert picture(opened) != seen
    opened.page.keyboard.press("0")
    assert camera(opened) == home
    assert picture(opened) == seen


def shown(seen: Visit) -> int:
    picture(seen)
    return int(seen.page.locator("#stage-1").get_attribute("data-shown"))


def test_clip_plane_slice_species_and_values_choose_particles(opened, full) -> None:
    glass = full.snapshots[0].configuration
    page = opened.page
    assert shown(opened) == len(glass)
    page.locator("#v-at").fill("0.5")
    assert shown(opened) == pytest.approx((glass.fractional()[:, 2] <= 0.5).sum(), abs=2)
    page.locator("#v-slice").check()
    assert 0 < shown(opened) < len(glass) / 8
    page.locator("#v-slice").uncheck()
    page.locator("#v-at").fill("1")
    page.locator("#v-species input").nth(1).uncheck()
    assert shown(opened) == (glass.species == "A").sum()
    page.locator("#v-species input").nth(1).check()
    page.locator(".v-column").first.select_option("label")
    page.locator("#v-known").check()
    assert shown(opened) == (full.snapshots[0].columns["label"] >= 0).sum()
    assert page.locator(".legend").first.text_content() == "activeinactivenot selected"
    page.locator("#v-known").uncheck()
    page.locator(".v-column").first.select_option("d2min")
    assert shown(opened) == len(glass)


def test_measured_and_predicted_stand_side_by_side_and_turn_together(opened) -> None:
    chosen = "[...document.querySelectorAll('.v-column')].map(s => s.value)"
    assert opened.run(chosen) == ["d2min", "score"]
    before = opened.run("[...document.querySelectorAll('canvas')].map(c => c.toDataURL())")
    opened.page.locator("#stage-2").focus()
    opened.page.keyboard.press("ArrowLeft")
    picture(opened)
    after = opened.run("[...document.querySelectorAll('canvas')].map(c => c.toDataURL())")
    assert len(before) == 2
    assert all(a != b for a, b in zip(before, after, strict=True))
    opened.page.locator(".v-column").nth(1).select_option("propensity")
    opened.page.locator("#v-snapshot").select_option("1")
    assert opened.run(chosen) == ["d2min", "propensity"]  # another sample keeps the colours
    opened.page.locator("#v-snapshot").select_option("0")
    opened.page.locator(".v-column").nth(1).select_option("score")


def test_reset_brings_back_the_whole_glass(opened, full) -> None:
    opened.page.locator("#v-at").fill("0.5")
    opened.page.locator("#v-slice").check()
    half = shown(opened)
    opened.page.locator("#v-reset").click()
    assert half < shown(opened) == len(full.snapshots[0].configuration)


def test_the_view_is_saved_as_a_picture_of_both_panes(opened, tmp_path) -> None:
    with opened.page.expect_download() as waiting:
        opened.page.locator("#v-picture").click()
    assert waiting.value.suggested_filename == "view.png"
    waiting.value.save_as(tmp_path / "view.png")
    height, width, _ = imread(tmp_path / "view.png").shape
    assert 1.6 < width / height < 2.1
    assert np.ptp(imread(tmp_path / "view.png")[..., :3], axis=(0, 1)).min() > 0.5


def test_a_figure_of_several_maps_is_saved_as_several_pictures(opened) -> None:
    found = []
    opened.page.on("download", lambda one: found.append(one.suggested_filename))
    opened.page.locator("button.picture[data-plots^='clusters-v2-1']").click()
    deadline = time.monotonic() + PATIENCE / 1000
    while len(found) < 3 and time.monotonic() < deadline:
        opened.page.wait_for_timeout(50)
    assert sorted(found) == [f"clusters-v2-{k}.svg" for k in (1, 2, 3)]


def test_discs_of_a_slice_are_as_large_as_the_particles(opened, full) -> None:
    script = (
        "(() => { const p = document.getElementById('plot-figure-2-slices');"
        " const x = p._fullLayout.xaxis, k = p.data.findIndex((t) => t.meta);"
        " const pixels = x._length / (x.range[1] - x.range[0]);"
        " return [p.data[k].marker.size, p.data[k].meta * pixels]; })()"
    )
    size, expected = opened.run(script)
    assert size == pytest.approx(expected, rel=0.02)
    assert size > 5


def test_downloads_give_the_numbers_behind_a_plot(opened, full, tmp_path) -> None:
    expected = {name: panel.numbers for name, panel in panels(full).items()}
    for name in ("figure-3-accuracy", "figure-2-slices"):
        with opened.page.expect_download() as waiting:
            opened.page.locator(f"button.download[data-csv='{name}']").click()
        assert waiting.value.suggested_filename == f"{name}.csv"
        waiting.value.save_as(tmp_path / "numbers.csv")
        text = (tmp_path / "numbers.csv").read_text(encoding="utf-8")
        assert text == expected[name].csv()
        rows = list(csv.reader(text.splitlines()))
        assert len(rows) == len(expected[name].rows) + 1
    with opened.page.expect_download() as waiting:
        opened.page.locator("button.picture[data-plots='figure-1-radial']").click()
    waiting.value.save_as(tmp_path / "radial.svg")
    assert (tmp_path / "radial.svg").read_text(encoding="utf-8").startswith("<svg")


def test_the_keyboard_reaches_everything_and_everything_has_a_name(opened) -> None:
    unreached = opened.run(
        "[...document.querySelectorAll('button, canvas, select, input, .scroll')]"
        ".filter(e => e.tabIndex < 0).map(e => e.outerHTML)"
    )
    assert unreached == []
    nameless = opened.run(
        "[...document.querySelectorAll('canvas, select, input, button, .plot')].filter(e =>"
        " !e.ariaLabel && !e.textContent.trim() && !e.labels?.length).map(e => e.outerHTML)"
    )
    assert nameless == []


def background(seen: Visit) -> list[int]:
    return seen.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")


def test_the_page_is_dark_where_the_reader_wants_it_and_plots_follow(opened) -> None:
    ink = "document.getElementById('plot-figure-3-accuracy').layout.font.color"
    assert min(background(opened)) > 240
    light_ink = opened.run(ink)
    opened.page.emulate_media(color_scheme="dark")
    opened.page.wait_for_selector("html[data-theme='dark']")
    assert max(background(opened)) < 60
    assert opened.run(ink) != light_ink
    theme = opened.page.locator("#theme")
    assert theme.get_attribute("aria-pressed") == "true"
    theme.click()  # against what the system says
    assert min(background(opened)) > 240
    assert opened.run(ink) == light_ink
    assert theme.get_attribute("aria-pressed") == "false"


def test_a_narrow_screen_needs_no_scrolling_sideways(opened) -> None:
    wide = opened.page.viewport_size
    opened.page.set_viewport_size({"width": 360, "height": 740})
    assert opened.run("document.scrollingElement.scrollWidth") <= 360
    plot = opened.page.locator("#plot-figure-3-accuracy")
    deadline = time.monotonic() + PATIENCE / 1000
    while opened.run("document.getElementById('plot-figure-3-accuracy')._fullLayout.width") > 360:
        assert time.monotonic() < deadline
        opened.page.wait_for_timeout(50)
    assert plot.locator(".legend").bounding_box()["x"] < 100  # below the plot, not beside it
    opened.page.set_viewport_size(wide)


def test_print_holds_plots_and_tables_but_no_controls(opened, tmp_path) -> None:
    opened.page.locator("#theme").click()
    assert max(background(opened)) < 60
    opened.page.emulate_media(media="print")
    hidden = "[...document.querySelectorAll('button, #controls, nav')].every(e => !e.offsetParent)"
    assert opened.run(hidden)
    assert opened.run("document.querySelector('table').offsetParent !== null")
    opened.page.emulate_media(media="screen")
    inks = (
        "addEventListener('beforeprint', () => { window.printed = "
        "getComputedStyle(document.body).backgroundColor })"
    )
    opened.run(inks)
    opened.page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert opened.run("window.printed") == "rgb(255, 255, 255)"
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert max(background(opened)) < 60  # on the screen again as it was
    opened.page.locator("#theme").click()


def test_nothing_that_was_done_to_the_page_gave_an_error_or_asked_the_network(opened, path) -> None:
    assert opened.troubles == []
    assert [url for url in opened.requests if not url.startswith(("blob:", "data:"))] == [
        path.as_uri()
    ]


def test_hostile_names_are_shown_and_do_nothing(browser, tmp_path) -> None:
    hostile = content(
        n=200,
        species=HOSTILE,
        title=HOSTILE[1],
        warnings=HOSTILE,
        provenance={HOSTILE[0]: HOSTILE[1], "inputs": [{"name": f"{HOSTILE[0]}.dump"}]},
    )
    seen = visit(browser, write_report(tmp_path / "hostile.html", hostile))
    assert seen.troubles == []
    assert len(seen.requests) == 1
    assert seen.page.locator("img").count() == 0
    assert seen.page.title() == HOSTILE[1]
    labels = seen.page.locator("#v-species label").all_text_contents()
    assert sorted(labels) == sorted(HOSTILE)
    assert HOSTILE[0] in seen.page.locator("#plot-clusters-v1").text_content()
    seen.page.context.close()


def test_a_page_of_nothing_says_so_and_has_no_errors(browser, tmp_path) -> None:
    seen = visit(browser, write_report(tmp_path / "empty.html", ReportContent(title="Empty")))
    assert seen.troubles == []
    assert seen.page.locator(".plot").count() == 0
    assert "amorphace learn" in seen.page.locator("#absent").text_content()
    seen.page.keyboard.press("Tab")
    assert seen.run("document.activeElement.textContent") == "Skip to the results"
    assert seen.run("document.activeElement.getBoundingClientRect().left") >= 0
    seen.page.keyboard.press("Enter")
    assert seen.run("document.activeElement.id") == "main"
    seen.page.context.close()


def test_a_glass_alone_turns_in_the_cell_of_a_notebook(browser, tmp_path) -> None:
    """As a notebook shows it: a frame in a page of its own."""
    rng = np.random.default_rng(0)
    glass = am.Configuration(positions=rng.uniform(0, 6, (200, 3)), species="A", cell=6.0)
    shown = am.view(glass, rng.uniform(size=200), columns={"d2min": rng.uniform(size=200)})
    alone = visit(browser, shown.save(tmp_path / "alone.html"))
    assert alone.troubles == []
    assert alone.requests == [(tmp_path / "alone.html").as_uri()]
    assert [picked(alone, k) for k in (1, 2)] == [200, 200]
    (tmp_path / "cell.html").write_text(
        f"<p>a cell</p>{shown._repr_html_()}<script>document.querySelector('iframe').onload = "
        "() => { document.documentElement.dataset.ready = 'true' }</script>"
    )
    cell = visit(browser, tmp_path / "cell.html")
    stage = cell.page.frame_locator("iframe").locator("#stage-1")
    stage.focus()
    cell.page.frame_locator("iframe").locator("html[data-ready='true']").wait_for(state="attached")
    before = cell.page.frames[1].evaluate("window.amorphace.camera.yaw")
    stage.press("ArrowLeft")
    assert cell.page.frames[1].evaluate("window.amorphace.camera.yaw") > before
    assert cell.troubles == []
    for seen in (alone, cell):
        seen.page.context.close()


def picked(seen: Visit, k: int) -> int:
    """Particles that a view shows."""
    seen.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return int(seen.page.locator(f"#stage-{k}").get_attribute("data-shown"))
