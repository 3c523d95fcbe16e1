"""An analysis as plain tables, one line a number: for CSV files and for readers."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from amorphace.core.files import text_written_aside
from amorphace.learn.bundle import Analysis
from amorphace.learn.curves import AccuracyCurve

Line = dict[str, Any]


def analysis_tables(analysis: Analysis) -> dict[str, list[Line]]:
    """The numbers behind every figure, by name of the table.

    Returns
    -------
    dict of str to list of dict
        "accuracy" (Fig. 3, both kinds of folds), "classifiers", "calibration", "roc",
        "distributions" and "thresholds" (Fig. 4), "selection", "single_columns", "stability" and
        "pca" (Fig. 5), "learning" (Fig. 6), "ard" (Fig. 7). Folds and bins count from 1; a table
        whose part was not computed is left out. All lines of a table have the same keys; NaN where
        a number does not exist.
    """
    tables = {
        "accuracy": _accuracy([*analysis.accuracy, *analysis.accuracy_random]),
        "classifiers": _classifiers(analysis),
        "calibration": _calibration(analysis),
        "roc": _roc(analysis),
        "distributions": _distributions(analysis),
        "thresholds": _thresholds(analysis),
        "selection": _selection(analysis),
        "single_columns": _single_columns(analysis),
        "stability": _stability(analysis),
        "pca": _accuracy([analysis.pca] if analysis.pca is not None else []),
        "learning": _learning(analysis),
        "ard": _ard(analysis),
    }
    made = {name: list(lines) for name, lines in tables.items()}
    return {name: lines for name, lines in made.items() if lines}


def write_table(path: str | Path, lines: Iterable[Line]) -> None:
    """Write the lines of a table as CSV; the file appears whole or not at all."""
    lines = list(lines)
    with text_written_aside(path) as stream:
        write_rows(stream, tuple(lines[0]) if lines else (), (line.values() for line in lines))


def write_rows(stream: IO[str], columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write names of columns and rows as CSV, their fields as they are."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _accuracy(curves: Iterable[AccuracyCurve]) -> Iterator[Line]:
    for curve in curves:
        for p, n in enumerate(curve.n_columns):
            for f in range(curve.accuracy.shape[1]):
                yield {
                    "cutoff": curve.cutoff,
                    "folds": curve.folds,
                    "ordering": curve.ordering,
                    "n_columns": int(n),
                    "order": curve.order[p] if curve.order else None,
                    "last_column": curve.last_column[p] if curve.last_column else "",
                    "fold": f + 1,
                    "accuracy": float(curve.accuracy[p, f]),
                    "balanced_accuracy": float(curve.balanced_accuracy[p, f]),
                    "roc_auc": float(curve.roc_auc[p, f]),
                    "strength": float(curve.strength[p, f]),
                }


def _classifiers(analysis: Analysis) -> Iterator[Line]:
    for score in analysis.classifiers:
        for f in range(len(score.accuracy)):
            yield {
                "cutoff": score.cutoff,
                "classifier": score.classifier,
                "folds": score.folds,
                "n_columns": score.n_columns,
                "fold": f + 1,
                "accuracy": float(score.accuracy[f]),
                "balanced_accuracy": float(score.balanced_accuracy[f]),
                "roc_auc": float(score.roc_auc[f]),
                "strength": float(score.strength[f]),
            }


def _calibration(analysis: Analysis) -> Iterator[Line]:
    for score in analysis.classifiers:
        c = score.calibration
        if c is None:
            continue
        for b in range(len(c.count)):
            yield {
                "cutoff": score.cutoff,
                "classifier": score.classifier,
                "n_columns": score.n_columns,
                "from": float(c.edges[b]),
                "to": float(c.edges[b + 1]),
                "predicted": float(c.predicted[b]),
                "observed": float(c.observed[b]),
                "count": int(c.count[b]),
                "brier": c.brier,
                "expected_calibration_error": c.expected_calibration_error,
            }


def _roc(analysis: Analysis) -> Iterator[Line]:
    for score in analysis.classifiers:
        if score.roc is None:
            continue
        pairs = zip(score.roc.false_positive, score.roc.true_positive, strict=True)
        for false_positive, true_positive in pairs:
            yield {
                "cutoff": score.cutoff,
                "classifier": score.classifier,
                "n_columns": score.n_columns,
                "false_positive": float(false_positive),
                "true_positive": float(true_positive),
            }


def _distributions(analysis: Analysis) -> Iterator[Line]:
    for d in analysis.distributions:
        for b in range(len(d.active)):
            yield {
                "cutoff": d.cutoff,
                "column": d.column,
                "from": float(d.edges[b]),
                "to": float(d.edges[b + 1]),
                "active": float(d.active[b]),
                "inactive": float(d.inactive[b]),
            }


def _thresholds(analysis: Analysis) -> Iterator[Line]:
    for d in analysis.distributions:
        yield {
            "cutoff": d.cutoff,
            "column": d.column,
            "n_active": d.n_active,
            "n_inactive": d.n_inactive,
            "mean_active": d.mean_active,
            "mean_inactive": d.mean_inactive,
            "threshold": d.threshold,
            "accuracy": d.accuracy,
            "auc": d.auc,
        }


def _selection(analysis: Analysis) -> Iterator[Line]:
    for s in analysis.selections:
        for step, name in enumerate(s.names):
            for f in range(s.accuracy.shape[1]):
                yield {
                    "cutoff": s.cutoff,
                    "scope": s.scope,
                    "step": step + 1,
                    "column": name,
                    "fold": f + 1,
                    "accuracy": float(s.accuracy[step, f]),
                    "strength": s.strength,
                }


def _single_columns(analysis: Analysis) -> Iterator[Line]:
    for s in analysis.selections:
        order = np.argsort(-s.first_accuracy.mean(axis=1), kind="stable")
        for k in order:
            name = s.candidate_names[k]
            yield {
                "cutoff": s.cutoff,
                "scope": s.scope,
                "column": name,
                "accuracy": float(s.first_accuracy[k].mean()),
                "accuracy_std": float(s.first_accuracy[k].std(ddof=1)),
                "twin_of_first_pick": name in s.twins,
            }


def _stability(analysis: Analysis) -> Iterator[Line]:
    for s in analysis.stability:
        for name, frequency, first in zip(s.names, s.frequency, s.first, strict=True):
            yield {
                "cutoff": s.cutoff,
                "scope": s.scope,
                "column": name,
                "first_picks": s.n_steps,
                "bootstrap_runs": len(s.bootstrap),
                "frequency": float(frequency),
                "first": float(first),
                "left_out_runs": len(s.left_out),
                "left_out_frequency": sum(name in run for run in s.left_out)
                / max(len(s.left_out), 1),
            }


def _learning(analysis: Analysis) -> Iterator[Line]:
    for c in analysis.learning:
        for p, n in enumerate(c.n_samples):
            for f in range(c.test.shape[1]):
                yield {
                    "cutoff": c.cutoff,
                    "vary": c.vary,
                    "n_columns": c.n_columns,
                    "n_samples": int(n),
                    "n_sites": float(c.n_sites[p]),
                    "fold": f + 1,
                    "train": float(c.train[p, f]),
                    "test": float(c.test[p, f]),
                }


def _ard(analysis: Analysis) -> Iterator[Line]:
    for c in analysis.ard:
        for p, n in enumerate(c.n_columns):
            for f in range(c.pearson.shape[1]):
                yield {
                    "cutoff": c.cutoff,
                    "target": c.target,
                    "log_target": c.log_target,
                    "n_columns": int(n),
                    "order": c.order[p] if c.order else None,
                    "last_column": c.last_column[p] if c.last_column else "",
                    "fold": f + 1,
                    "pearson": float(c.pearson[p, f]),
                    "spearman": float(c.spearman[p, f]),
                    "n_kept": int(c.n_kept[p, f]),
                }
