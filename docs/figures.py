"""Figures of the theory pages: drawn by the package, in the look of its figures."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from amorphace.ace.basis import build_basis
from amorphace.ace.purification import purification
from amorphace.ace.radial import RadialBasis
from amorphace.report.content import ReportContent
from amorphace.report.figures import draw, save_figure
from amorphace.report.measured import radial_functions
from amorphace.report.panels import panels

STYLE = "amorphace.report.amorphace"


def main(folder: Path) -> None:
    """Draw all."""
    folder.mkdir(exist_ok=True)
    content = ReportContent(title="Radial functions", curves=radial_functions(RadialBasis(4.0)))
    save_figure(draw(panels(content)["figure-1-radial"]), folder / "radial")
    with plt.style.context(STYLE):
        transform(folder / "transform.png")
        matrix(folder / "purification.png")


def transform(path: Path) -> None:
    """x(r) of both transforms, and its derivative."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.4), layout="constrained")
    for name in ("ace1", "paper"):
        radial = RadialBasis(4.0, distance_transform=name)
        r = np.linspace(0, 4, 400)
        left.plot(r, radial.x(r), label=f'"{name}"')
        right.plot(r, np.gradient(radial.x(r), r))
    left.set(xlabel="$r / \\sigma$", ylabel="$x(r)$")
    right.set(xlabel="$r / \\sigma$", ylabel="$dx/dr$")
    left.legend()
    figure.savefig(path, dpi=160)
    plt.close(figure)


def matrix(path: Path) -> None:
    """Which entries of T are not zero, one species, degree 10."""
    basis = build_basis(1, 3, 10, 10)
    T, _ = purification(basis)
    figure, axes = plt.subplots(figsize=(3.4, 3.4), layout="constrained")
    axes.spy(T.toarray(), markersize=1.2, color="C0")
    for edge in np.flatnonzero(np.diff(basis.order)) + 0.5:
        axes.axhline(edge, color="0.6", linewidth=0.6)
        axes.axvline(edge, color="0.6", linewidth=0.6)
    axes.set(xlabel="column of $B$", ylabel="column of $B^{pure}$")
    figure.savefig(path, dpi=160)
    plt.close(figure)
