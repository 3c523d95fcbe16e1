"""The folder of an analysis: for programs, for spreadsheets and for prediction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from amorphace.core.files import text_written_aside
from amorphace.learn.analysis import analysis_tables, write_analysis
from amorphace.learn.bundle import Analysis
from amorphace.learn.summary import summarize
from amorphace.learn.tables import write_table


def write_folder(folder: Path, analysis: Analysis, provenance: Mapping[str, Any]) -> None:
    """Write analysis.json, a CSV for each of its tables, summary.json and model.json.

    Parameters
    ----------
    folder : Path
        Made here; its parent must exist.
    analysis : Analysis
    provenance : mapping
        What made it, for summary.json.
    """
    folder.mkdir(exist_ok=True)
    write_analysis(folder, analysis)
    for name, lines in analysis_tables(analysis).items():
        write_table(folder / f"{name}.csv", lines)
    summary = {
        "provenance": dict(provenance),
        "accuracy": [asdict(s) for s in summarize(analysis.accuracy)],
        "accuracy_random": [asdict(s) for s in summarize(analysis.accuracy_random)],
        "warnings": analysis.warnings,
        "notes": analysis.notes,
    }
    with text_written_aside(folder / "summary.json") as stream:
        json.dump(summary, stream, indent=1, ensure_ascii=False)
    if analysis.model is not None:
        analysis.model.to_json(folder / "model.json")
