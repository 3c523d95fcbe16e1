"""What a page is made of: sections of sentences, tables and panels."""

from __future__ import annotations

from dataclasses import dataclass

from amorphace.report.content import Snapshot
from amorphace.report.numbers import Numbers
from amorphace.report.panel import Panel


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """A table of a section.

    Attributes
    ----------
    title, note : str
    head : tuple of str
    rows : tuple of tuple of str
    words : int
        How many columns, from the left, hold words; the others hold numbers.
    name : str
        Of the file of its numbers.
    numbers : Numbers, optional
        To download.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    note: str = ""
    words: int = 1
    name: str = ""
    numbers: Numbers | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Section:
    """A part of a page; what is left out is not there.

    Attributes
    ----------
    name, title : str
    warnings, text, notes : tuple of str
        Sentences; notes are in small print.
    headline : tuple of str
        A number and what it is.
    tables : tuple of Table
    lines, folded : tuple of (str, str)
        Names and values, and those that are seen when asked for.
    panels : tuple of Panel
    snapshots : tuple of Snapshot
        For a view in three dimensions, which HTML alone has.
    """

    name: str = ""
    title: str = ""
    warnings: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    headline: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    folded: tuple[tuple[str, str], ...] = ()
    panels: tuple[Panel, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Document:
    """A page.

    Attributes
    ----------
    title : str
    kicker : str
        Above it.
    sections : tuple of Section
    """

    title: str
    kicker: str
    sections: tuple[Section, ...]

    @property
    def panels(self) -> dict[str, Panel]:
        """All that is drawn, by name."""
        return {panel.name: panel for part in self.sections for panel in part.panels}

    @property
    def numbers(self) -> dict[str, Numbers]:
        """All that can be downloaded, by name of the file."""
        tables = {t.name: t.numbers for part in self.sections for t in part.tables if t.numbers}
        return {name: panel.numbers for name, panel in self.panels.items()} | tables
