"""The one table of results: a line a number, kept in blocks of one curve each."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from amorphace.core.display import html_table
from amorphace.core.errors import InputError
from amorphace.core.files import text_written_aside
from amorphace.learn.splits import half_width, jackknife

LINE = ("curve", "variant", "cutoff", "n_columns", "x", "y", "label", "fold", "score", "value")
"""Columns of the table."""

SHOWN = 40
"""Points of a curve that a notebook shows."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """Lines of the table that belong together: scores at points x, one for every fold.

    Attributes
    ----------
    name : str
        What it is, for example "accuracy"; see `Analysis` for all names.
    x : ndarray of shape (n_points,)
        For example the number of leading columns.
    scores : mapping of str to ndarray of shape (n_points, n_folds)
        By name, the most important first; NaN where there is none.
    labels : tuple of str of length n_points
        What a point is, for example the last column used; () where x says all.
    folds : tuple of str of length n_folds
        What each fold tests: names of samples, joined by " + "; () where there are no folds, and
        scores are of all sites.
    variant : str
        Of several curves of one name, for example "grouped" or "random" folds.
    cutoff : float, optional
        Of the features, in units of sigma.
    n_columns : int, optional
        How many leading columns are used, where x is something else.
    y : ndarray of shape (n_points,), optional
        Second coordinate of the points of a map.
    of : {"folds", "models", "draws"}
        What a column of scores is: the test of a fold; a reading of a model that leaves out a
        fold; neither. It decides what `error` is.

    Raises
    ------
    InputError
        If shapes disagree.

    Examples
    --------
    >>> curve = Curve(name="accuracy", x=np.array([1, 5]), scores={"accuracy": np.eye(2)})
    >>> curve.mean, curve.at(5), curve["accuracy"].shape
    (array([0.5, 0.5]), array([0., 1.]), (2, 2))
    """

    name: str
    x: NDArray[Any]
    scores: Mapping[str, NDArray[np.float64]]
    labels: tuple[str, ...] = ()
    folds: tuple[str, ...] = ()
    variant: str = ""
    cutoff: float | None = None
    n_columns: int | None = None
    y: NDArray[Any] | None = None
    of: Literal["folds", "models", "draws"] = "folds"

    def __post_init__(self) -> None:
        shapes = {values.shape for values in self.scores.values()}
        if len(shapes) != 1 or len(shape := shapes.pop()) != 2 or shape[0] != len(self.x):
            raise InputError(
                f"scores of the curve {self.name!r} must have one shape (n_points, n_folds) with "
                f"{len(self.x)} points, got {[v.shape for v in self.scores.values()]}"
            )
        if self.labels and len(self.labels) != shape[0]:
            raise InputError(f"{shape[0]} points need as many labels, got {len(self.labels)}")
        if self.folds and len(self.folds) != shape[1]:
            raise InputError(f"{shape[1]} folds need as many names, got {len(self.folds)}")
        if self.y is not None and len(self.y) != shape[0]:
            raise InputError(f"{shape[0]} points need as many y, got {len(self.y)}")

    def __repr__(self) -> str:
        name = ": ".join(filter(None, (self.name, self.variant)))
        cutoff = "" if self.cutoff is None else f" at cutoff {self.cutoff:g}"
        known = self.mean[np.isfinite(self.mean)]
        size = f", mean {known.min():.4g} to {known.max():.4g}" if len(known) else ""
        score = next(iter(self.scores))
        return (
            f"Curve({name}{cutoff}: {score} at {len(self.x)} points, "
            f"{self.values.shape[1]} {self.of}{size})"
        )

    def _repr_html_(self) -> str:
        labels = self.labels or ("",) * len(self.x)
        rows = zip(self.x.tolist(), labels, self.mean, self.error, strict=True)
        shown = [(x, label, f"{m:.4g}", f"{e:.2g}") for x, label, m, e in islice(rows, SHOWN)]
        return html_table(("x", "", next(iter(self.scores)), "±"), shown, repr(self))

    def __getitem__(self, score: str) -> NDArray[np.float64]:
        return self.scores[score]

    @property
    def values(self) -> NDArray[np.float64]:
        """The most important score, shape (n_points, n_folds)."""
        return next(iter(self.scores.values()))

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of it over the folds that have one, shape (n_points,); NaN where none has."""
        return np.ma.masked_invalid(self.values).mean(axis=1).filled(np.nan)

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation between samples (n - 1), shape (n_points,); NaN for fewer than two."""
        few = np.isfinite(self.values).sum(axis=1) < 2
        spread = np.ma.masked_invalid(self.values).std(axis=1, ddof=1)
        return np.where(few, np.nan, np.ma.filled(spread, np.nan))

    @property
    def error(self) -> NDArray[np.float64]:
        """Half-width of the 68 % interval of the mean, shape (n_points,).

        See `half_width` and, for readings of models, `jackknife`; NaN where there are no folds.
        """
        if self.of == "draws":
            return np.full(len(self.x), np.nan)
        if self.of == "models":
            return jackknife(self.values)
        return np.array([half_width(row) for row in self.values])

    @property
    def n_undefined(self) -> NDArray[np.int64]:
        """Folds without a score, shape (n_points,)."""
        return np.isnan(self.values).sum(axis=1)

    def at(self, x: float) -> NDArray[np.float64] | None:
        """The most important score of every fold at x; None where there is no such point."""
        place = np.flatnonzero(self.x == x)
        return self.values[place[0]] if len(place) else None

    def lines(self) -> Iterator[dict[str, Any]]:
        """The lines of the table, with the keys `LINE`."""
        names = self.folds or ("",) * self.values.shape[1]
        for p, x in enumerate(self.x.tolist()):
            label = self.labels[p] if self.labels else ""
            y = None if self.y is None else self.y[p]
            head = (self.name, self.variant, self.cutoff, self.n_columns, x, y, label)
            for f, fold in enumerate(names):
                for score, values in self.scores.items():
                    line = (*head, fold, score, float(values[p, f]))
                    yield dict(zip(LINE, line, strict=True))


def named(curves: Iterable[Curve], name: str, variant: str | None = None) -> tuple[Curve, ...]:
    """All curves of a name, and of a variant if one is given; () without one."""
    return tuple(c for c in curves if c.name == name and variant in (None, c.variant))


@dataclass(frozen=True)
class Gain:
    """A difference of two scores, paired by the samples that were tested.

    Attributes
    ----------
    mean, error : float
        Mean, and half-width of its 68 % interval.
    n_folds : int
        Folds that both have.
    """

    mean: float
    error: float
    n_folds: int

    @classmethod
    def of(cls, curve: Curve, x: float, other: Curve, other_x: float | None = None) -> Gain | None:
        """What `curve` scores at x more than `other`; None where one has no such point.

        Parameters
        ----------
        curve, other : Curve
            Of folds; only folds that test the same samples are compared.
        x, other_x : float
            Where they are read; the second is the first when left out.
        """
        pairs = paired(curve, x, other, x if other_x is None else other_x)
        if pairs is None:
            return None
        gains = pairs[0] - pairs[1]
        return cls(float(np.nanmean(gains)), half_width(gains), len(gains))


def paired(
    curve: Curve, x: float | None, other: Curve, other_x: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Scores of two curves in the folds that test the same samples, each of shape (n_folds,).

    None where one has no such point, or no fold is of both.
    """
    own = None if x is None else curve.at(x)
    theirs = None if other_x is None else other.at(other_x)
    if own is None or theirs is None:
        return None
    numbers = [str(k) for k in range(len(own))]  # where folds have no names
    known = dict(zip(other.folds or numbers, theirs, strict=False))
    names = zip(curve.folds or numbers, own, strict=True)
    pairs = [(a, known[f]) for f, a in names if f in known]
    if not pairs:
        return None
    first, second = np.array(pairs).T
    return first, second


def write_table(path: str | Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write the lines of a table as CSV; the file appears whole or not at all."""
    lines = list(lines)
    with text_written_aside(path) as stream:
        write_rows(stream, tuple(lines[0]) if lines else (), (line.values() for line in lines))


def write_rows(stream: IO[str], columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write names of columns and rows as CSV, their fields as they are."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
