"""The numbers behind a figure, as a table that becomes CSV."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from amorphace.learn.results import LINE, Curve, write_rows


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A table to download.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuple
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()

    @classmethod
    def of(cls, columns: str, rows: Iterable[Iterable[Any]]) -> Numbers:
        """From names with blanks between them, and lines of numbers, words and None.

        Examples
        --------
        >>> Numbers.of("a b", [(1, 2.0)]).rows
        ((1, 2.0),)
        """
        return cls(columns=tuple(columns.split()), rows=tuple(tuple(row) for row in rows))

    def csv(self) -> str:
        """The table as CSV, seven digits a number, an empty field where there is none.

        Examples
        --------
        >>> Numbers.of("a b", [(1, 0.1), ("+ 3-body", float("nan"))]).csv()
        'a,b\\n1,0.1\\n+ 3-body,\\n'
        """
        stream = io.StringIO()
        write_rows(stream, self.columns, ([_field(value) for value in row] for row in self.rows))
        return stream.getvalue()


def curve_numbers(curves: Iterable[Curve]) -> Numbers:
    """The lines of the table of results that curves are."""
    lines = (line.values() for curve in curves for line in curve.lines())
    return Numbers(columns=LINE, rows=tuple(map(tuple, lines)))


def _field(value: Any) -> Any:
    if isinstance(value, float | np.floating):  # bool and int stay as they are
        return "" if np.isnan(value) else f"{value:.7g}"
    return "" if value is None else value
