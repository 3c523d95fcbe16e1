"""The paper's whole analysis of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from amorphace.core.blas import claim_memory
from amorphace.core.errors import InputError
from amorphace.dataset.table import Table
from amorphace.learn.bundle import (
    ALL_PARTS,
    QUICK_PARTS,
    Analysis,
    AnalysisSettings,
    Part,
    read_analysis,
    write_analysis,
)
from amorphace.learn.classifiers import ClassifierScore, compare_classifiers
from amorphace.learn.clusters import cluster_functions
from amorphace.learn.contributions import contributions
from amorphace.learn.curves import AccuracyCurve, accuracy_curve, pca_curve
from amorphace.learn.distributions import Distribution, radial_distributions
from amorphace.learn.doubts import doubts, notes
from amorphace.learn.fit import (
    LabelledSites,
    best_setting,
    fit_model,
    fold_models,
    labelled_sites,
)
from amorphace.learn.folds import Folds
from amorphace.learn.learning_curve import LearningCurve, Vary, learning_curve
from amorphace.learn.logistic import check_data
from amorphace.learn.model import LinearModel
from amorphace.learn.parallel import Progress
from amorphace.learn.points import order_ends, scopes
from amorphace.learn.predict import knows_descriptor
from amorphace.learn.regression import CorrelationCurve, ard_curve
from amorphace.learn.selection import (
    Selection,
    SelectionStability,
    forward_selection,
    selection_stability,
)
from amorphace.learn.tables import analysis_tables

__all__ = [
    "ALL_PARTS",
    "QUICK_PARTS",
    "Analysis",
    "AnalysisSettings",
    "analyse",
    "analysis_tables",
    "read_analysis",
    "write_analysis",
]

T = TypeVar("T")

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
        fewer samples than folds there are as many folds as samples, and a warning.

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
    work = _Work(table, settings, cutoffs, cutoff, sites, min(settings.n_splits, n_samples), n_jobs)
    warnings = doubts(table, sites, work.n_splits, settings)
    runner = _Runner(settings.parts, progress, warnings)
    accuracy = runner.run("accuracy", work.accuracy, ())
    random = runner.run("random_folds", work.accuracy_random, ())
    selections = runner.run("selection", work.selection, ())
    pca = runner.run("pca", work.pca, None)
    classifiers = runner.run("classifiers", work.classifiers, ())
    stability = runner.run("stability", work.stability, ())
    learning = runner.run("learning", work.learning, ())
    ard = runner.run("ard", work.ard, ())
    distributions = runner.run("distributions", work.distributions, ())
    model = runner.run("model", lambda progress: work.model(accuracy), None)
    functions = parts = None
    if model is not None and knows_descriptor(model):
        models = fold_models(table, model, n_splits=work.n_splits)
        X = labelled_sites(table, model.settings["cutoff"]).X[:, : len(model.names)]
        functions = runner.run("model", lambda progress: cluster_functions(models), None)
        parts = runner.run("model", lambda progress: contributions(models, X), None)
    return Analysis(
        settings=settings,
        columns=sites.columns,
        species=_species(table),
        n_samples=n_samples,
        n_active=int((sites.y == 1).sum()),
        n_inactive=int((sites.y == 0).sum()),
        cutoff=cutoff,
        accuracy=accuracy,
        accuracy_random=random,
        classifiers=classifiers,
        selections=selections,
        stability=stability,
        pca=pca,
        learning=learning,
        ard=ard,
        distributions=distributions,
        model=model,
        clusters=functions,
        contributions=parts,
        warnings=tuple(runner.warnings),
        notes=notes(accuracy, random, work.n_splits),
        provenance=table.provenance,
    )


@dataclass(frozen=True, eq=False)
class _Work:
    """The parts, one method each."""

    table: Table
    settings: AnalysisSettings
    cutoffs: tuple[float, ...]
    cutoff: float
    sites: LabelledSites
    n_splits: int
    n_jobs: int

    def accuracy(self, progress: Progress) -> tuple[AccuracyCurve, ...]:
        return self._accuracy("grouped", progress)

    def accuracy_random(self, progress: Progress) -> tuple[AccuracyCurve, ...]:
        return self._accuracy("random", progress)

    def _accuracy(self, folds: Folds, progress: Progress) -> tuple[AccuracyCurve, ...]:
        made: list[AccuracyCurve] = []
        for k, cutoff in enumerate(self.cutoffs):
            sites = labelled_sites(self.table, cutoff)
            curve = accuracy_curve(
                sites.X,
                sites.y,
                sites.groups,
                n_columns=self.settings.n_columns,
                columns=sites.columns,
                n_splits=self.n_splits,
                n_inner_splits=self.settings.n_inner_splits,
                folds=folds,
                seed=self.settings.seed,
                n_jobs=self.n_jobs,
                progress=_part_of(progress, k, len(self.cutoffs)),
            )
            made.append(replace(curve, cutoff=cutoff))
        return tuple(made)

    def classifiers(self, progress: Progress) -> tuple[ClassifierScore, ...]:
        scores = compare_classifiers(
            self.sites.X,
            self.sites.y,
            self.sites.groups,
            n_columns=[n for _, n in scopes(self.sites.columns)],
            n_splits=self.n_splits,
            n_inner_splits=self.settings.n_inner_splits,
            seed=self.settings.seed,
            n_jobs=self.n_jobs,
            progress=progress,
        )
        return tuple(replace(score, cutoff=self.cutoff) for score in scores)

    def selection(self, progress: Progress) -> tuple[Selection, ...]:
        made: list[Selection] = []
        among = scopes(self.sites.columns)
        for k, (scope, n) in enumerate(among):
            selection = forward_selection(
                self.sites.X,
                self.sites.y,
                self.sites.groups,
                candidates=range(n),
                n_steps=self.settings.n_steps,
                columns=self.sites.columns,
                n_splits=self.n_splits,
                scope=scope,
                progress=_part_of(progress, k, len(among)),
            )
            made.append(replace(selection, cutoff=self.cutoff))
        return tuple(made)

    def stability(self, progress: Progress) -> tuple[SelectionStability, ...]:
        made: list[SelectionStability] = []
        among = scopes(self.sites.columns)
        for k, (scope, n) in enumerate(among):
            stability = selection_stability(
                self.sites.X,
                self.sites.y,
                self.sites.groups,
                candidates=range(n),
                n_steps=self.settings.n_stability_steps,
                n_resamples=self.settings.n_resamples,
                columns=self.sites.columns,
                n_splits=self.n_splits,
                seed=self.settings.seed,
                scope=scope,
                n_jobs=self.n_jobs,
                progress=_part_of(progress, k, len(among)),
            )
            made.append(replace(stability, cutoff=self.cutoff))
        return tuple(made)

    def pca(self, progress: Progress) -> AccuracyCurve:
        n = scopes(self.sites.columns)[-1][1]
        curve = pca_curve(
            self.sites.X[:, :n],
            self.sites.y,
            self.sites.groups,
            n_components=range(1, min(self.settings.n_steps, n) + 1),
            n_splits=self.n_splits,
            n_inner_splits=self.settings.n_inner_splits,
            seed=self.settings.seed,
            n_jobs=self.n_jobs,
            progress=progress,
        )
        return replace(curve, cutoff=self.cutoff)

    def learning(self, progress: Progress) -> tuple[LearningCurve, ...]:
        kinds: tuple[Vary, ...] = ("samples", "sites")
        ends = order_ends(self.sites.columns).values()
        todo: list[tuple[Vary, int]] = [(vary, n) for vary in kinds for n in ends]
        made: list[LearningCurve] = []
        for k, (vary, n) in enumerate(todo):
            curve = learning_curve(
                self.sites.X[:, :n],
                self.sites.y,
                self.sites.groups,
                vary=vary,
                n_draws=self.settings.n_draws,
                n_splits=self.n_splits,
                n_inner_splits=self.settings.n_inner_splits,
                seed=self.settings.seed,
                n_jobs=self.n_jobs,
                progress=_part_of(progress, k, len(todo)),
            )
            made.append(replace(curve, cutoff=self.cutoff))
        return tuple(made)

    def ard(self, progress: Progress) -> tuple[CorrelationCurve, ...]:
        name = self.settings.target
        if name not in self.table.targets:
            have = ", ".join(self.table.targets) or "none"
            raise InputError(f"the table holds no target {name!r}; there are: {have}")
        logs = (False, True) if self.settings.log_target else (False,)
        todo = [(log, cutoff) for log in logs for cutoff in self.cutoffs]
        made: list[CorrelationCurve] = []
        for k, (log, cutoff) in enumerate(todo):
            sites = labelled_sites(self.table, cutoff)
            curve = ard_curve(
                sites.X,
                self.table.targets[name][sites.rows],
                sites.groups,
                n_columns=self.settings.n_columns,
                columns=sites.columns,
                log_target=log,
                name=name,
                n_splits=self.n_splits,
                n_jobs=self.n_jobs,
                progress=_part_of(progress, k, len(todo)),
            )
            made.append(replace(curve, cutoff=cutoff))
        return tuple(made)

    def distributions(self, progress: Progress) -> tuple[Distribution, ...]:
        return radial_distributions(self.table, self.cutoff)

    def model(self, accuracy: Sequence[AccuracyCurve]) -> LinearModel:
        cutoff, n_columns = best_setting(accuracy, self.sites.columns) or (self.cutoff, None)
        return fit_model(
            self.table, cutoff, n_columns, n_splits=self.n_splits, seed=self.settings.seed
        )


@dataclass(frozen=True, eq=False)
class _Runner:
    """Computes a part where it is asked for; what it cannot compute becomes a warning."""

    parts: Sequence[Part]
    progress: PartProgress | None
    warnings: list[str] = field(default_factory=list)

    def run(self, part: Part, compute: Callable[[Progress], T], missing: T) -> T:
        if part not in self.parts:
            return missing
        try:
            return compute(self._report(part))
        except InputError as error:
            self.warnings.append(f"{part.replace('_', ' ')}: {error}")
            return missing

    def _report(self, part: Part) -> Progress:
        def report(done: int, total: int) -> None:
            if self.progress is not None:
                self.progress(part, done, total)

        return report


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
        if len(np.unique(sites.y)) < 2:
            raise InputError(
                f"all {len(sites.y)} labelled sites have label {sites.y[0]}; both labels are "
                "needed: label active (1) and inactive (0) sites"
            )
    return cutoffs, float(cutoff)


def _species(table: Table) -> tuple[str, ...]:
    recorded = table.provenance.get("parameters", {}).get("species", ())
    return tuple(str(label) for label in recorded)


def _part_of(progress: Progress, k: int, n: int) -> Progress:
    """Progress of the k-th of n curves as progress of all, in thousandths of a curve."""
    return lambda done, total: progress(round(1000 * (k + done / max(total, 1))), 1000 * n)
