"""The paper's whole analysis of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from amorphace.core.blas import claim_memory
from amorphace.core.errors import InputError
from amorphace.dataset.blocks import said_of_blocks
from amorphace.dataset.table import Table
from amorphace.learn.bundle import ALL_PARTS, Analysis, AnalysisSettings, Part
from amorphace.learn.checks import check_data
from amorphace.learn.doubts import doubts, n_events, notes
from amorphace.learn.fit import labelled_sites, recorded_species, unseen_models
from amorphace.learn.parallel import Progress
from amorphace.learn.parts import Parts
from amorphace.learn.results import Curve

PartProgress = Callable[[str, int, int], None]
"""Called as progress(part, done, total)."""


def analyse(
    table: Table,
    *,
    settings: AnalysisSettings | None = None,
    n_jobs: int = 1,
    progress: PartProgress | None = None,
) -> Analysis:
    """All results of the paper's figures 3 to 7 that a table can give.

    Parameters
    ----------
    table : Table
        Labelled and described.
    settings : AnalysisSettings, optional
    n_jobs : int
        Processes; -1 is all processors. The result does not depend on it.
    progress : callable, optional
        Called as progress(part, done, total).

    Returns
    -------
    Analysis
        A part that cannot be computed is left out, and a sentence in `warnings` says why. With
        fewer samples than folds there are as many folds as samples.

    Raises
    ------
    InputError
        If nothing can be learned: the table is not described or not labelled, holds one label
        only, features that are not finite, or not the cutoffs asked for.
    AmorphaceError
        If there is too little memory for linear algebra.
    """
    claim_memory()
    settings = settings or AnalysisSettings()
    cutoffs, cutoff = _check(table, settings)
    sites = labelled_sites(table, cutoff)
    n_samples = len(np.unique(sites.groups))
    work = Parts(table, settings, cutoffs, cutoff, sites, min(settings.n_splits, n_samples), n_jobs)
    warnings = doubts(table, sites, work.n_splits)
    results: list[Curve] = []
    for part, compute in work.all().items():
        if part in settings.parts:
            try:
                results += compute(_report(progress, part))
            except InputError as error:
                warnings.append(f"{part.replace('_', ' ')}: {error}")
    model = unseen = None
    if "model" in settings.parts:
        try:
            model = work.model()
            models = unseen_models(table, model, n_splits=work.n_splits)
            results += work.readings(models)
            unseen = work.unseen(models)
        except InputError as error:
            warnings.append(f"model: {error}")
    names = table.sample_names
    return Analysis(
        settings=settings,
        columns=sites.columns,
        species=recorded_species(table),
        n_samples=n_samples,
        n_active=int((sites.y == 1).sum()),
        n_inactive=int((sites.y == 0).sum()),
        n_events=n_events(table, sites.rows[sites.y == 1]),
        cutoff=cutoff,
        results=tuple(_named(curve, names) for curve in results),
        model=model,
        unseen=unseen,
        warnings=tuple(warnings),
        notes=(*filter(None, [said_of_blocks(table.provenance)]), *notes(results, work.n_splits)),
        provenance=table.provenance,
    )


def _report(progress: PartProgress | None, part: Part) -> Progress:
    def report(done: int, total: int) -> None:
        if progress is not None:
            progress(part, done, total)

    return report


def _named(curve: Curve, samples: Sequence[str]) -> Curve:
    """A curve whose folds have the names of the samples they test, instead of their numbers."""
    if not all(word.isdecimal() for fold in curve.folds for word in fold.split(" + ")):
        return curve
    folds = (" + ".join(samples[int(k)] for k in fold.split(" + ")) for fold in curve.folds)
    return replace(curve, folds=tuple(folds))


def _check(table: Table, settings: AnalysisSettings) -> tuple[tuple[float, ...], float]:
    """Cutoffs of the curves and of the rest, for a table that something can be learned from."""
    unknown = [part for part in settings.parts if part not in ALL_PARTS]
    if unknown:
        raise InputError(f"no part {unknown[0]!r}; there are: {', '.join(ALL_PARTS)}")
    cutoffs = tuple(float(c) for c in settings.cutoffs or table.cutoffs)
    cutoff = settings.cutoff if settings.cutoff is not None else max(cutoffs, default=0.0)
    for each in dict.fromkeys((*cutoffs, float(cutoff))):
        sites = labelled_sites(table, each)
        check_data(sites.X, sites.y, sites.groups)
    return cutoffs, float(cutoff)
