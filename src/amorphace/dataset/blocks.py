"""One large glass as several samples: blocks of its cell, with gaps that nothing reaches across.

A cross-validation needs groups of sites that know nothing of each other. Where there are fewer
than three samples, blocks of the cell take their place. Sites closer to a face of their block than
half of a gap are left out, so that no site that is tested is nearer to one that is learned from
than the gap: the largest cutoff, within which a site sees others, and the length over which
labels are correlated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.cell import cell_heights
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.neighbors import find_neighbors
from amorphace.dataset.table import ACTIVE, INACTIVE, NOT_SELECTED, Table

LEAST, MOST = 3, 10
"""Blocks in all: a fold learns from two at least, and leaves a tenth out at most."""
ENOUGH, FEW = 0.5, 0.1
"""Share of the sites outside of the gaps: more blocks are taken as long as so many are left; with
fewer, the glass is too small."""
SHELLS = 8
"""In a cutoff, for the correlation of labels."""
PAIRS = 50
"""Fewer pairs in a shell tell nothing."""


def block_numbers(
    positions: ArrayLike, cell: ArrayLike, grid: Sequence[int], gap: float
) -> NDArray[np.int64]:
    """The block of each position, from 0; -1 where it is closer to a face than half of the gap.

    Parameters
    ----------
    positions : array_like of shape (n, 3)
    cell : array_like of shape (3, 3)
        Rows are the vectors.
    grid : sequence of three int
        Blocks along each vector.
    gap : float
        Between blocks, in the unit of the positions.

    Examples
    --------
    >>> places = [[0.2, 5, 5], [2, 5, 5], [4.9, 5, 5], [8, 5, 5]]
    >>> block_numbers(places, 10 * np.eye(3), (2, 1, 1), 1.0)
    array([-1,  0, -1,  1])
    """
    h, n = np.asarray(cell, dtype=np.float64), np.asarray(grid)
    s = np.linalg.solve(h.T, np.asarray(positions, dtype=np.float64).T).T % 1.0 * n
    k = np.minimum(s.astype(np.int64), n - 1)
    away = np.minimum(s - k, 1 - (s - k)) * cell_heights(h) / n
    inside = ((away >= gap / 2) | (n == 1)).all(axis=1)
    return np.where(inside, (k[:, 0] * n[1] + k[:, 1]) * n[2] + k[:, 2], -1)


def choose_grid(
    cell: ArrayLike, gap: float, n_blocks: int | None = None, *, most: int = MOST
) -> tuple[tuple[int, int, int], float]:
    """Blocks along each vector of the cell, and the share of it outside of the gaps.

    Parameters
    ----------
    cell : array_like of shape (3, 3)
    gap : float
    n_blocks : int, optional
        In all. When left out, as many as leave half of the cell, up to `most`; else as many as
        leave most of it.
    most : int

    Raises
    ------
    InputError
        If less than a tenth of the cell would be left.

    Examples
    --------
    >>> choose_grid(60 * np.eye(3), 5.0)
    ((3, 3, 1), 0.5625)
    """
    heights = cell_heights(np.asarray(cell, dtype=np.float64))
    best: dict[int, tuple[float, tuple[int, int, int]]] = {}
    for n in [n_blocks] if n_blocks else range(LEAST, most + 1):
        best[n] = max(
            (prod(1 - gap * k / h if k > 1 else 1.0 for k, h in zip(grid, heights, strict=True)
                  ) * all(gap * k < h or k == 1 for k, h in zip(grid, heights, strict=True)), grid)
            for grid in _grids(n)
        )  # fmt: skip
    enough = [n for n, (share, _) in best.items() if share >= ENOUGH]
    share, grid = best[max(enough)] if enough else max(best.values())
    if share < FEW:
        raise InputError(
            f"a cell of {', '.join(f'{h:.3g}' for h in heights)} is too small for blocks with gaps "
            f"of {gap:.3g}: they would leave {share:.0%} of it; add samples, or take smaller "
            "cutoffs"
        )
    return grid, float(share)


def label_length(configuration: Configuration, sign: ArrayLike, cutoff: float) -> float:
    """Distance beyond which labels are correlated by less than 1/e.

    Parameters
    ----------
    configuration : Configuration
        Labelled sites.
    sign : array_like of shape (n,)
        1 active, -1 inactive.
    cutoff : float
        Correlations are looked at in shells of an eighth of it, up to twice as far.
    """
    y = np.asarray(sign, dtype=np.float64)
    y = y - y.mean()
    near = find_neighbors(configuration, 2 * cutoff)
    width = cutoff / SHELLS
    shell = (near.distances / width).astype(np.int64)
    count = np.bincount(shell, minlength=2 * SHELLS)
    total = np.bincount(shell, y[near.centre] * y[near.index], minlength=2 * SHELLS)
    told = np.flatnonzero(count >= PAIRS)
    low = told[total[told] < count[told] * (y @ y) / max(len(y), 1) / np.e]
    return float(width * (low[0] if len(low) else 2 * SHELLS))


def in_blocks(table: Table, n_blocks: int | None = None) -> Table:
    """A table whose samples are blocks, where there are fewer than three samples.

    In each block the most extreme sites are kept, as many active as inactive ones. "blocks" of the
    provenance says how they were made.

    Parameters
    ----------
    table : Table
        Labelled and described; its provenance tells the cells (`label_thermal`).
    n_blocks : int, optional
        Of each sample, however many there are; see `choose_grid`.

    Returns
    -------
    Table
        The table itself where it has three samples or more, or does not tell where its sites are.

    Raises
    ------
    InputError
        If blocks are asked for and cannot be made, a cell is too small, or fewer than three
        blocks hold both labels.
    """
    count, cells = len(table.sample_names), _cells(table)
    possible = table.positions is not None and len(cells) == count
    if n_blocks is None and (count >= LEAST or not possible):
        return table
    if table.positions is None or not possible:
        raise InputError(
            "the table does not tell the cells of its samples, so that there are no blocks of "
            "them; label them again"
        )
    reach = max(table.cutoffs)
    rows = [np.flatnonzero((table.sample == k) & (table.label >= 0)) for k in range(count)]
    sites = [
        Configuration(positions=table.positions[own], species="A", cell=cell)
        for own, cell in zip(rows, cells, strict=True)
    ]
    length = max(
        label_length(glass, 2 * table.label[own] - 1, reach)
        for glass, own in zip(sites, rows, strict=True)
    )
    gap = reach + length
    most = max(MOST // count, -(-LEAST // count))
    grid, _ = choose_grid(cells[0], gap, n_blocks, most=max(most, LEAST))
    size = prod(grid)
    block = np.full(len(table), -1)
    for k, (own, glass) in enumerate(zip(rows, sites, strict=True)):
        number = block_numbers(glass.positions, glass.cell, grid, gap)
        block[own] = np.where(number < 0, -1, k * size + number)
    label = _balanced(table, block, count * size)
    if len(np.unique(block[label >= 0])) < LEAST:
        raise InputError(
            f"fewer than {LEAST} of {count * size} blocks hold active and inactive sites; add "
            "samples, or label more of the sites (--fraction)"
        )
    names = [block_name(name, k) for name in table.sample_names for k in range(size)]
    made = {"grid": list(grid), "gap": gap, "cutoff": reach, "length": length, "samples": count}
    return replace(
        table,
        sample=np.where(block < 0, table.sample * size, block),
        label=label,
        sample_names=tuple(names),
        provenance=dict(table.provenance) | {"blocks": made},
    )


def block_name(sample: str, number: int) -> str:
    """Name of a block of a sample.

    Examples
    --------
    >>> block_name("s1", 0), sample_of("s1, block 1"), sample_of("s1")
    ('s1, block 1', 's1', 's1')
    """
    return f"{sample}, block {number + 1}"


def sample_of(name: str) -> str:
    """The sample of a block, or the name itself."""
    return name.rpartition(", block ")[0] or name


def blocks_of(
    table: Table, sample: str, configuration: Configuration
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Names of the blocks of a sample, and which particles are in each; the sample where none are.

    Parameters
    ----------
    table : Table
        As `in_blocks` gave it.
    sample : str
    configuration : Configuration
    """
    made = table.provenance.get("blocks")
    if made is None:
        yield sample, np.ones(len(configuration), dtype=bool)
        return
    held = {table.sample_names[k] for k in np.unique(table.sample[table.label >= 0])}
    for k in range(prod(made["grid"])):
        if (name := block_name(sample, k)) in held:
            yield name, in_block(table.provenance, name, configuration)


def in_block(
    provenance: Mapping[str, Any], name: str, configuration: Configuration
) -> NDArray[np.bool_]:
    """Which particles of a configuration are in the block of that name; all where it is none."""
    made, sample = provenance.get("blocks"), sample_of(name)
    if made is None or sample == name:
        return np.ones(len(configuration), dtype=bool)
    number = int(name.removeprefix(f"{sample}, block ")) - 1
    found = block_numbers(configuration.positions, configuration.cell, made["grid"], made["gap"])
    return found == number


def said_of_blocks(provenance: Mapping[str, Any]) -> str:
    """How the blocks of a table were made, in a sentence; "" where there are none."""
    made = provenance.get("blocks")
    if made is None:
        return ""
    grid = " x ".join(map(str, made["grid"]))
    whose = "the sample" if made["samples"] == 1 else f"each of {made['samples']} samples"
    return (
        f"Folds leave out blocks of the cell, {grid} of {whose}, with gaps of {made['gap']:.3g} "
        f"between them: the cutoff, {made['cutoff']:g}, and {made['length']:.3g}, beyond which "
        "labels are hardly correlated."
    )


def _cells(table: Table) -> list[Any]:
    """Cells of the samples; none where the labels do not tell them."""
    origin = table.provenance
    return origin.get("cells") or origin.get("labels", {}).get("cells") or []


def _grids(n: int) -> Iterator[tuple[int, int, int]]:
    for a in range(1, n + 1):
        for b in range(1, n // a + 1):
            if n % (a * b) == 0:
                yield a, b, n // (a * b)


def _balanced(table: Table, block: NDArray[np.int64], count: int) -> NDArray[np.int8]:
    """Labels with as many active as inactive sites in each block, the most extreme ones."""
    label = np.full(len(table), NOT_SELECTED, dtype=np.int8)
    activity = table.targets["d2min"]
    for k in range(count):
        own = [np.flatnonzero((block == k) & (table.label == v)) for v in (ACTIVE, INACTIVE)]
        n = min(map(len, own))
        for rows, value, sign in zip(own, (ACTIVE, INACTIVE), (-1, 1), strict=True):
            label[rows[np.argsort(sign * activity[rows], kind="stable")[:n]]] = value
    return label
