"""The numbers behind each figure, as tables that become CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amorphace.learn.classifiers import ClassifierScore
from amorphace.learn.clusters import ClusterCurve, ClusterMap, Contributions
from amorphace.learn.curves import AccuracyCurve
from amorphace.learn.distributions import Distribution
from amorphace.learn.learning_curve import LearningCurve
from amorphace.learn.propensity import PropensityCurve, PropensityScore
from amorphace.learn.regression import CorrelationCurve
from amorphace.learn.selection import Selection, SelectionStability
from amorphace.report.content import (
    RadialFunctions,
    Relaxation,
    Snapshot,
    StressStrain,
    majority,
    slice_rows,
)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins so is a formula to a spreadsheet; it gets an apostrophe in front."""


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
        >>> Numbers(columns=("a", "b"), rows=((1, 0.1), ("=x", float("nan")))).csv()
        "a,b\\n1,0.1\\n'=x,\\n"
        """
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_field(value) for value in row] for row in self.rows)
        return stream.getvalue()


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


def accuracy_numbers(curves: Iterable[AccuracyCurve]) -> Numbers:
    return _table(
        ["folds", "ordering", "cutoff", "n_columns", "last_column", "mean", "std", *_folds(curves)],
        (
            (
                c.folds,
                c.ordering,
                c.cutoff,
                int(n),
                c.last_column[p] if c.last_column else "",
                *_row(c.mean[p], c.std[p], *c.accuracy[p]),
            )
            for c in curves
            for p, n in enumerate(c.n_columns)
        ),
    )


def distribution_numbers(distributions: Mapping[str, Sequence[Distribution]]) -> Numbers:
    return _table(
        ["protocol", "column", "from", "to", "active", "inactive"],
        (
            (protocol, d.column, *_row(d.edges[k], d.edges[k + 1], d.active[k], d.inactive[k]))
            for protocol, many in distributions.items()
            for d in many
            for k in range(len(d.active))
        ),
    )


def selection_numbers(selections: Sequence[Selection]) -> Numbers:
    return _table(
        ["among", "step", "column", "mean", "std", *_folds(selections)],
        (
            (s.scope, p + 1, name, *_row(s.mean[p], s.std[p], *s.accuracy[p]))
            for s in selections
            for p, name in enumerate(s.names)
        ),
    )


def stability_numbers(stability: Sequence[SelectionStability]) -> Numbers:
    return _table(
        ["among", "column", "share_among_first", "n_first", "share_first"],
        (
            (s.scope, name, float(s.frequency[k]), s.n_steps, float(s.first[k]))
            for s in stability
            for k, name in enumerate(s.names)
        ),
    )


def learning_numbers(curves: Iterable[LearningCurve]) -> Numbers:
    return _table(
        ["vary", "n_columns", "n_samples", "n_sites", "fold", "train", "test"],
        (
            (
                c.vary,
                c.n_columns,
                int(c.n_samples[p]),
                float(c.n_sites[p]),
                f + 1,
                *_row(c.train[p, f], c.test[p, f]),
            )
            for c in curves
            for p in range(len(c.n_sites))
            for f in range(c.test.shape[1])
        ),
    )


def correlation_numbers(curves: Iterable[CorrelationCurve]) -> Numbers:
    return _table(
        ["target", "log", "cutoff", "n_columns", "fold", "pearson", "spearman", "n_kept"],
        (
            (
                c.target,
                int(c.log_target),
                c.cutoff,
                int(n),
                f + 1,
                *_row(c.pearson[p, f], c.spearman[p, f]),
                int(c.n_kept[p, f]),
            )
            for c in curves
            for p, n in enumerate(c.n_columns)
            for f in range(c.pearson.shape[1])
        ),
    )


def classifier_numbers(scores: Iterable[ClassifierScore]) -> Numbers:
    return _table(
        ["classifier", "cutoff", "n_columns", "fold", "accuracy", "balanced_accuracy", "roc_auc"],
        (
            (
                s.classifier,
                s.cutoff,
                s.n_columns,
                f + 1,
                *_row(s.accuracy[f], s.balanced_accuracy[f], s.roc_auc[f]),
            )
            for s in scores
            for f in range(len(s.accuracy))
        ),
    )


def calibration_numbers(scores: Iterable[ClassifierScore]) -> Numbers:
    return _table(
        ["n_columns", "from", "to", "predicted", "observed", "sites"],
        (
            (
                s.n_columns,
                *_row(c.edges[k], c.edges[k + 1], c.predicted[k], c.observed[k]),
                int(c.count[k]),
            )
            for s in scores
            if (c := s.calibration) is not None
            for k in range(len(c.count))
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
            (s.target, int(s.log), s.inputs, s.head, s.n_columns, name)
            + _row(s.pearson[k], s.spearman[k])
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


def _folds(results: Iterable[AccuracyCurve | Selection]) -> Iterator[str]:
    """Names of the columns that hold the folds."""
    most = max((r.accuracy.shape[1] for r in results), default=0)
    return (f"fold_{f + 1}" for f in range(most))


def _row(*values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _table(columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> Numbers:
    return Numbers(columns=tuple(columns), rows=tuple(rows))


def _field(value: Any) -> Any:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.7g}"
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return "" if value is None else value
