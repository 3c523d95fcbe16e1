"""One large glass as several samples: blocks with gaps that nothing reaches across."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.spatial import cKDTree

import amorphace as am
from amorphace.core.errors import InputError
from amorphace.dataset.blocks import (
    block_numbers,
    blocks_of,
    choose_grid,
    in_blocks,
    label_length,
    said_of_blocks,
)
from amorphace.dataset.ensembles import Mobility
from amorphace.dataset.label_thermal import isoconfigurational_table
from amorphace.dataset.table import Columns, Table
from amorphace.learn.analysis import analyse
from amorphace.learn.bundle import AnalysisSettings
from amorphace.learn.conclusions import conclusions
from amorphace.learn.splits import split
from test_cli import run

CELL = np.array([[24.0, 0, 0], [3.0, 22.0, 0], [-2.0, 4.0, 26.0]])


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Between all pairs of two sets, through the boundary of the cell: slow and obvious."""
    images = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3) @ CELL
    u = a[:, None, None] - b[None, :, None] + images
    return np.linalg.norm(u, axis=-1).min(axis=-1)


def places(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=(n, 3)) @ CELL


@pytest.mark.parametrize("grid", [(2, 2, 2), (3, 1, 2), (1, 4, 1)])
def test_no_site_of_a_block_is_closer_to_another_block_than_the_gap(grid):
    x = places(500)
    number = block_numbers(x, CELL, grid, 3.0)
    assert set(number) == set(range(-1, int(np.prod(grid))))
    least = min(
        distances(x[number == a], x[number == b]).min()
        for a in range(number.max() + 1)
        for b in range(a)
    )
    assert 3.0 < least < 5.0


def test_the_share_that_is_left_is_that_outside_of_the_gaps():
    x = places(20_000)
    for n in (None, 3, 4, 8):
        grid, share = choose_grid(CELL, 3.0, n)
        left = (block_numbers(x, CELL, grid, 3.0) >= 0).mean()
        assert left == pytest.approx(share, abs=0.02)
        assert n is None or np.prod(grid) == n
    with pytest.raises(InputError, match="too small for blocks with gaps of 9: they would leave"):
        choose_grid(CELL, 9.0)


def test_the_length_of_labels_is_that_of_the_field_they_follow():
    """Labels follow the number of random points within a radius: they know nothing twice as far."""
    side, rng = 24.0, np.random.default_rng(2)
    x, points = rng.uniform(0, side, (3000, 3)), rng.uniform(0, side, (300, 3))
    c = am.Configuration(positions=x, species="A", cell=side)
    for radius in (2.0, 4.0):
        tree = cKDTree(points, boxsize=side)
        near = tree.query_ball_point(x, radius, return_length=True)
        found = label_length(c, np.where(near > np.median(near), 1, -1), 4.0)
        assert 0.4 * radius < found < 1.6 * radius


def large(n: int = 3000, noise: float = 0.4) -> tuple[Table, Table, am.Configuration]:
    """Labels and features of one large glass; the first feature tells who moves."""
    rng = np.random.default_rng(5)
    glass = am.Configuration(positions=places(n), species="A", cell=CELL)
    moves = np.sin(glass.positions @ np.array([0.9, 0.5, 0.7]))
    labels = isoconfigurational_table(
        [("box", glass, Mobility(moves + 2, moves + 2))],
        fraction=0.2,
        provenance={"parameters": {}},
    )
    chosen = labels.take(labels.label >= 0)
    X = rng.normal(size=(len(chosen), 2))
    X[:, 0] = chosen.targets["d2min"] + noise * X[:, 0]
    columns = Columns(names=("A1", "A2"), order=[1, 1], z=[[0], [0]], n=[[1], [2]], l=[[0], [0]])
    words = {f: getattr(chosen, f) for f in ("sample", "particle_id", "species", "step", "label",
             "targets", "positions", "sample_names", "provenance")}  # fmt: skip
    return labels, Table(features={2.0: X}, columns=columns, **words), glass


def test_one_glass_is_cut_into_blocks_that_a_fold_keeps_apart():
    _, table, _ = large()
    cut = in_blocks(table)
    assert cut.sample_names[0] == "box, block 1"
    made = cut.provenance["blocks"]
    assert made["gap"] == made["cutoff"] + made["length"]
    rows = np.flatnonzero(cut.label >= 0)
    y, groups = cut.label[rows].astype(int), cut.sample[rows]
    for fold in split(y, groups, n_splits=len(np.unique(groups))):
        x = table.positions[rows]
        assert distances(x[fold.test], x[fold.train]).min() > made["gap"]
    for k in np.unique(groups):
        assert (y[groups == k] == 1).sum() == (y[groups == k] == 0).sum() > 0
    assert in_blocks(cut.take(rows)) is not cut  # has many samples: as it is
    assert said_of_blocks(cut.provenance).startswith("Folds leave out blocks of the cell, ")
    assert said_of_blocks(table.provenance) == ""


def test_an_analysis_of_one_glass_judges_blocks_that_it_has_not_seen():
    _, table, glass = large()
    cut = in_blocks(table)
    settings = AnalysisSettings(parts=("accuracy", "model"), n_columns=(1, 2))
    analysis = analyse(cut, settings=settings)
    (curve,) = analysis.curves("accuracy")
    assert curve.folds[0].startswith("box, block ")
    assert curve.mean[0] > 0.85
    assert any("gaps of" in note for note in analysis.notes)
    assert next(conclusions(analysis)).endswith(f"of {len(curve.folds)} blocks.")
    parts = dict(blocks_of(cut, "box", glass))
    assert sum(inside.sum() for inside in parts.values()) < 0.9 * len(glass)
    assert set(parts) == set(curve.folds)


def test_what_is_too_small_or_does_not_tell_its_cell_is_said():
    _, table, _ = large()
    with pytest.raises(InputError, match="does not tell the cells of its samples"):
        in_blocks(Table(
            sample=[0], particle_id=[1], species=["A"], label=[1], sample_names=["s"]
        ), 4)  # fmt: skip
    with pytest.raises(InputError, match="too small for blocks"):
        in_blocks(table, 125)


@pytest.mark.slow
def test_one_file_goes_from_who_moved_to_what_the_model_is_worth(tmp_path, capsys):
    n, rng = 14, np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), -1).reshape(-1, 3)
    box = am.Configuration(
        positions=grid + 0.5 + rng.uniform(-0.3, 0.3, grid.shape),
        species=np.where(rng.random(n**3) < 0.3, "B", "A"),
        cell=float(n),
    )
    ace = am.ACEDescriptor(cutoff=1.5, species=("A", "B"), max_order=1, n_max=5)
    near_b = -ace.transform(box)[:, 5]
    size = (0.02 + 0.1 * (near_b > np.median(near_b)))[:, None]
    ends = [box.replace(positions=box.positions + size * rng.normal(size=grid.shape))
            for _ in range(4)]  # fmt: skip
    start, last = tmp_path / "box.initial.dump", tmp_path / "box.ends.dump"
    am.write(start, box)
    am.write(last, ends)
    words = [start, "--endpoints", last, "--species", "A,B", "--d2min-cutoff", 1.6]
    basis = ["--cutoff", 1.5, "--max-order", 1, "--n-max", 5, "-o", tmp_path / "out"]
    assert run("analyse", *words, *basis, "--fraction", 0.2) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(r"the most and the least mobile of (\d+) blocks\.", said)
    found = float(re.search(r"correlates with d2min: Spearman ([\d.]+)", said)[1])
    assert found > 0.4
    page = (tmp_path / "out" / "analysis.results" / "report.html").read_text()
    assert "It is known in one block, which that model has not seen" in page
    assert "Folds leave out blocks of the cell" in page
