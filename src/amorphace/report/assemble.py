"""A report's content from an analysis, a table and configurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from amorphace.ace.radial import RadialBasis
from amorphace.core.configuration import Configuration
from amorphace.dataset.particles import particle_columns
from amorphace.dataset.table import Table
from amorphace.learn.bundle import Analysis
from amorphace.learn.model import LinearModel
from amorphace.learn.predict import SETTINGS, score
from amorphace.learn.results import Curve
from amorphace.report.content import ReportContent, Snapshot
from amorphace.report.measured import pair_correlations, radial_functions
from amorphace.report.words import GLASSES, PROTOCOLS

BEYOND, REACH = 1.1, 4.0
"""How far g(r) goes: in units of the largest cutoff, or of sigma where there is none."""


def assemble(content: ReportContent) -> ReportContent:
    """Fill in what follows from an analysis and the first snapshot, where it was left out.

    Parameters
    ----------
    content : ReportContent
        With an analysis. Title, species, provenance and settings of the descriptor are taken from
        there, the radial functions from these, g(r) from the first snapshot.

    Returns
    -------
    ReportContent
    """
    a = content.analysis
    if a is None:
        return content
    settings = content.settings or _settings(a, a.model)
    curves = content.curves
    if not content.found("radial"):
        curves += _radial(settings)
    for snapshot in content.snapshots[:1]:
        largest = max((c.cutoff or 0.0 for c in a.curves("accuracy")), default=0.0)
        curves += pair_correlations(snapshot.configuration, BEYOND * largest or REACH)
    return replace(
        content,
        title=content.title or _title(content, a),
        species=content.species or a.species,
        provenance=content.provenance or a.provenance,
        settings=settings,
        curves=curves,
    )


def make_snapshot(
    name: str,
    configuration: Configuration,
    *,
    labels: Table | None = None,
    sample: int = 0,
    model: LinearModel | None = None,
    n_jobs: int | None = None,
    caption: str = "",
    protocol: str = "",
    diameters: Mapping[str, float] | None = None,
) -> Snapshot:
    """A configuration with its targets, labels and the model's score.

    Parameters
    ----------
    name : str
    configuration : Configuration
        The one that was described, an inherent structure say.
    labels : Table, optional
        Holds the targets and labels of the sample's particles.
    sample : int
        Index into the samples of `labels`.
    model : LinearModel, optional
        Gives the column "score".
    n_jobs : int, optional
        Threads of the descriptor.
    caption, protocol, diameters
        As for `Snapshot`.

    Raises
    ------
    InputError
        If the sample is not in the labels or its particles not in the configuration, or the
        model does not fit the configuration.
    """
    columns: dict[str, Any] = {}
    if labels is not None:
        found = particle_columns(labels, configuration, sample)
        columns = {k: found[k] for k in sorted(found, key=lambda k: (k != "d2min", k))}
    if model is not None:
        columns["score"] = score(model, configuration, n_jobs=n_jobs)
    return Snapshot(
        name=name,
        configuration=configuration,
        columns=columns,
        caption=caption,
        protocol=protocol,
        diameters=diameters or {},
    )


def _title(content: ReportContent, a: Analysis) -> str:
    """What the results are of: the glass and how it is moved, as far as they are known."""
    glass = GLASSES.get(content.model, content.model) or f"Glass of {' and '.join(a.species)}"
    how = PROTOCOLS.get(content.protocol, content.protocol)
    return ", ".join(filter(None, (glass, how, f"{a.n_samples} samples")))


def _settings(analysis: Analysis, model: LinearModel | None) -> dict[str, Any]:
    """Of the descriptor, as the model or the table say."""
    known = model.settings if model else analysis.provenance.get("parameters", {})
    return {"cutoff": analysis.cutoff} | {k: known[k] for k in SETTINGS if k in known}


def _radial(settings: Mapping[str, Any]) -> tuple[Curve, ...]:
    return radial_functions(
        RadialBasis(
            float(settings["cutoff"]),
            settings.get("distance_transform", "paper"),
            float(settings.get("r0", 1.0)),
        )
    )
