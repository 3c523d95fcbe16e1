"""The content of a page as a file, small enough to be kept beside the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from amorphace.core.codec import decode, encode
from amorphace.core.files import text_written_aside
from amorphace.core.records import read_document
from amorphace.report.content import ReportContent

FORMAT = "amorphace report"
FORMAT_VERSION = 1
DIGITS = 4
"""Of a number that is kept; a page shows three."""
MAKE_AGAIN = "make the page again from what it was made of"


def write_content(path: str | Path, content: ReportContent) -> None:
    """Write all that a page shows, as JSON; the file appears whole or not at all.

    Parameters
    ----------
    path : str or Path
    content : ReportContent
        Numbers keep four digits; the leverage of a model, which no page shows, is left out.
    """
    fields = {"format": FORMAT, "format_version": FORMAT_VERSION} | encode(_shown(content))
    with text_written_aside(path) as stream:
        json.dump(_rounded(fields), stream, separators=(",", ":"), ensure_ascii=False)
        stream.write("\n")


def read_content(path: str | Path) -> ReportContent:
    """Read what `write_content` wrote; written again, it gives the same bytes.

    Raises
    ------
    FileFormatError
        If the file is missing or is no such content; it names the field.
    """
    fields = read_document(
        path, what="a report's content", name=FORMAT, version=FORMAT_VERSION, again=MAKE_AGAIN
    )
    return decode(ReportContent, fields, source=path, again=MAKE_AGAIN)


def _shown(content: ReportContent) -> ReportContent:
    """The content without the matrices that its models judge a site's place by."""
    found = content.analysis
    if found is None:
        return content
    model = found.model and replace(found.model, leverage=None)
    unseen = found.unseen and replace(
        found.unseen, model=replace(found.unseen.model, leverage=None)
    )
    return replace(content, analysis=replace(found, model=model, unseen=unseen))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return value
