"""The numbers behind each figure, as tables that become CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from amorphace.learn.bundle import Analysis
from amorphace.learn.clusters import ClusterCurve, ClusterMap, Contributions
from amorphace.learn.propensity import PropensityCurve, PropensityScore
from amorphace.learn.tables import analysis_tables
from amorphace.report.content import (
    RadialFunctions,
    Relaxation,
    Snapshot,
    StressStrain,
    majority,
    slice_rows,
)


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A table to download.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuple
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def csv(self) -> str:
        """The table as CSV, seven digits a number, an empty field where there is none.

        Examples
        --------
        >>> Numbers(columns=("a", "b"), rows=((1, 0.1), ("+ 3-body", float("nan")))).csv()
        'a,b\\n1,0.1\\n+ 3-body,\\n'
        """
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_field(value) for value in row] for row in self.rows)
        return stream.getvalue()


def analysis_numbers(analysis: Analysis, tables: Iterable[str], **where: Any) -> Numbers:
    """Lines of tables of an analysis (see `analysis_tables`) whose fields have given values."""
    made = analysis_tables(analysis)
    lines = [line for name in tables for line in made.get(name, ())]
    chosen = [line for line in lines if all(line[k] == v for k, v in where.items())]
    return _table(lines[0] if lines else (), (tuple(line.values()) for line in chosen))


def protocol_numbers(analyses: Mapping[str, Analysis], column: str) -> Numbers:
    """Distributions of one column, of several protocols."""
    parts = {p: analysis_numbers(a, ["distributions"], column=column) for p, a in analyses.items()}
    first = next(iter(parts.values()))
    return _table(
        ("protocol", *first.columns),
        ((protocol, *row) for protocol, part in parts.items() for row in part.rows),
    )


def radial_numbers(radial: RadialFunctions) -> Numbers:
    names = [f"R_{k + 1}" for k in range(radial.R.shape[1])]
    return _table(["r", *names], (_row(r, *R) for r, R in zip(radial.r, radial.R, strict=True)))


def slice_numbers(snapshot: Snapshot, *, axis: int = 2) -> Numbers:
    glass = snapshot.configuration.wrapped()
    rows = slice_rows(glass, axis=axis, species=[majority(glass)])
    return _table(
        ["particle", "species", "x", "y", "z", *snapshot.columns],
        (
            (
                int(glass.ids[k]),
                str(glass.species[k]),
                *glass.positions[k].tolist(),
                *(float(c[k]) for c in snapshot.columns.values()),
            )
            for k in rows
        ),
    )


def curve_numbers(curves: Iterable[ClusterCurve]) -> Numbers:
    return _table(
        ["species", "r", "mean", "std"],
        (
            (" ".join(c.species), *_row(c.r[k], c.mean[k], c.std[k]))
            for c in curves
            for k in range(len(c.r))
        ),
    )


def map_numbers(maps: Iterable[ClusterMap], y: str) -> Numbers:
    return _table(
        ["species", "r1", y, "mean", "std"],
        (
            (" ".join(m.species), *_row(m.x[i], m.y[j], mean[i, j], std[i, j]))
            for m in maps
            for mean, std in [(m.mean, m.std)]
            for i in range(len(m.x))
            for j in range(len(m.y))
        ),
    )


def contribution_numbers(contributions: Contributions) -> Numbers:
    c = contributions
    return _table(
        ["part", "order", "share", "share_std", "variance", "mean_abs"],
        (
            (
                name,
                c.order[k],
                *_row(c.share[k].mean(), c.share[k].std()),
                *_row(c.variance[k].mean(), c.mean_abs[k].mean()),
            )
            for k, name in enumerate(c.names)
        ),
    )


def propensity_numbers(scores: Iterable[PropensityScore]) -> Numbers:
    return _table(
        ["target", "log", "inputs", "head", "n_columns", "sample", "pearson", "spearman"],
        (
            (
                *(s.target, int(s.log), s.inputs, s.head, s.n_columns, name),
                *_row(s.pearson[k], s.spearman[k]),
            )
            for s in scores
            for k, name in enumerate(s.samples)
        ),
    )


def propensity_curve_numbers(curves: Iterable[PropensityCurve]) -> Numbers:
    return _table(
        ["target", "inputs", "head", "n_train", "test_sample", "pearson", "spearman"],
        (
            (c.target, c.inputs, c.head, int(n), s + 1, *_row(c.pearson[p, s], c.spearman[p, s]))
            for c in curves
            for p, n in enumerate(c.n_train)
            for s in range(c.pearson.shape[1])
        ),
    )


def stress_strain_numbers(runs: Iterable[StressStrain]) -> Numbers:
    return _table(
        ["sample", "strain", "stress", "energy"],
        (
            (r.name, *_row(r.strain[k], r.stress[k], np.nan if r.energy is None else r.energy[k]))
            for r in runs
            for k in range(len(r.strain))
        ),
    )


def relaxation_numbers(runs: Iterable[Relaxation]) -> Numbers:
    return _table(
        ["sample", "time", "Fs"],
        ((r.name, *_row(t, f)) for r in runs for t, f in zip(r.time, r.fs, strict=True)),
    )


def _row(*values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _table(columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> Numbers:
    return Numbers(columns=tuple(columns), rows=tuple(rows))


def _field(value: Any) -> Any:
    if isinstance(value, float):  # bool and int stay as they are
        return "" if np.isnan(value) else f"{value:.7g}"
    return "" if value is None else value
