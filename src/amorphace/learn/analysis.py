"""The paper's whole analysis of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from amorphace.core.blas import claim_memory
from amorphace.core.errors import InputError
from amorphace.dataset.table import Table
from amorphace.learn.ard import ard_curve
from amorphace.learn.bundle import ALL_PARTS, Analysis, AnalysisSettings, Part
from amorphace.learn.classifiers import compare_classifiers
from amorphace.learn.clusters import cluster_functions
from amorphace.learn.contributions import contributions
from amorphace.learn.curves import accuracy_curve, pca_curve
from amorphace.learn.distributions import radial_distributions
from amorphace.learn.doubts import doubts, notes
from amorphace.learn.fit import (
    LabelledSites,
    best_setting,
    fit_model,
    fold_models,
    labelled_sites,
)
from amorphace.learn.learning_curve import Vary, learning_curve
from amorphace.learn.logistic import check_data
from amorphace.learn.model import LinearModel
from amorphace.learn.parallel import Progress
from amorphace.learn.points import order_ends, scopes
from amorphace.learn.predict import knows_descriptor
from amorphace.learn.results import Curve
from amorphace.learn.selection import forward_selection, selection_stability
from amorphace.learn.splits import Folds

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
    results: list[Curve] = []
    for part, compute in work.parts().items():
        if part in settings.parts:
            try:
                results += compute(_report(progress, part))
            except InputError as error:
                warnings.append(f"{part.replace('_', ' ')}: {error}")
    model = None
    if "model" in settings.parts:
        try:
            model = work.model([c for c in results if c.variant == "grouped"])
            results += work.readings(model)
        except InputError as error:
            warnings.append(f"model: {error}")
    names = table.sample_names
    return Analysis(
        settings=settings,
        columns=sites.columns,
        species=_species(table),
        n_samples=n_samples,
        n_active=int((sites.y == 1).sum()),
        n_inactive=int((sites.y == 0).sum()),
        cutoff=cutoff,
        results=tuple(_named(curve, names) for curve in results),
        model=model,
        warnings=tuple(warnings),
        notes=notes(results, work.n_splits),
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

    def parts(self) -> dict[Part, Callable[[Progress], Sequence[Curve]]]:
        return {
            "accuracy": lambda progress: self.accuracy("grouped", progress),
            "random_folds": lambda progress: self.accuracy("random", progress),
            "selection": self.selection,
            "pca": self.pca,
            "classifiers": self.classifiers,
            "stability": self.stability,
            "learning": self.learning,
            "ard": self.ard,
            "distributions": lambda progress: radial_distributions(self.table, self.cutoff),
        }

    def accuracy(self, folds: Folds, progress: Progress) -> list[Curve]:
        def make(cutoff: float, progress: Progress) -> list[Curve]:
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
                progress=progress,
            )
            return [replace(curve, cutoff=cutoff)]

        return _several(self.cutoffs, make, progress)

    def classifiers(self, progress: Progress) -> list[Curve]:
        found = compare_classifiers(
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
        return self._at_cutoff(found)

    def selection(self, progress: Progress) -> list[Curve]:
        def make(scope: tuple[str, int], progress: Progress) -> list[Curve]:
            found = forward_selection(
                self.sites.X,
                self.sites.y,
                self.sites.groups,
                candidates=range(scope[1]),
                n_steps=self.settings.n_steps,
                columns=self.sites.columns,
                n_splits=self.n_splits,
                scope=scope[0],
                progress=progress,
            )
            return self._at_cutoff(found)

        return _several(scopes(self.sites.columns), make, progress)

    def stability(self, progress: Progress) -> list[Curve]:
        def make(scope: tuple[str, int], progress: Progress) -> list[Curve]:
            found = selection_stability(
                self.sites.X,
                self.sites.y,
                self.sites.groups,
                candidates=range(scope[1]),
                n_steps=self.settings.n_stability_steps,
                n_resamples=self.settings.n_resamples,
                columns=self.sites.columns,
                n_splits=self.n_splits,
                seed=self.settings.seed,
                scope=scope[0],
                n_jobs=self.n_jobs,
                progress=progress,
            )
            return self._at_cutoff(found)

        return _several(scopes(self.sites.columns), make, progress)

    def pca(self, progress: Progress) -> list[Curve]:
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
        return self._at_cutoff([curve])

    def learning(self, progress: Progress) -> list[Curve]:
        def make(which: tuple[Vary, int], progress: Progress) -> list[Curve]:
            curve = learning_curve(
                self.sites.X[:, : which[1]],
                self.sites.y,
                self.sites.groups,
                vary=which[0],
                n_draws=self.settings.n_draws,
                n_splits=self.n_splits,
                n_inner_splits=self.settings.n_inner_splits,
                seed=self.settings.seed,
                n_jobs=self.n_jobs,
                progress=progress,
            )
            return self._at_cutoff([curve])

        kinds: tuple[Vary, ...] = ("samples", "sites")
        ends = order_ends(self.sites.columns).values()
        todo: list[tuple[Vary, int]] = [(vary, n) for vary in kinds for n in ends]
        return _several(todo, make, progress)

    def ard(self, progress: Progress) -> list[Curve]:
        name = self.settings.target
        if name not in self.table.targets:
            have = ", ".join(self.table.targets) or "none"
            raise InputError(f"the table holds no target {name!r}; there are: {have}")

        def make(which: tuple[bool, float], progress: Progress) -> list[Curve]:
            sites = labelled_sites(self.table, which[1])
            curve = ard_curve(
                sites.X,
                self.table.targets[name][sites.rows],
                sites.groups,
                n_columns=self.settings.n_columns,
                columns=sites.columns,
                log_target=which[0],
                name=name,
                n_splits=self.n_splits,
                n_jobs=self.n_jobs,
                progress=progress,
            )
            return [replace(curve, cutoff=which[1])]

        logs = (False, True) if self.settings.log_target else (False,)
        return _several([(log, cutoff) for log in logs for cutoff in self.cutoffs], make, progress)

    def model(self, accuracy: Sequence[Curve]) -> LinearModel:
        cutoff, n_columns = best_setting(accuracy, self.sites.columns) or (self.cutoff, None)
        return fit_model(
            self.table, cutoff, n_columns, n_splits=self.n_splits, seed=self.settings.seed
        )

    def readings(self, model: LinearModel) -> tuple[Curve, ...]:
        """Cluster functions and contributions, where the model knows its descriptor."""
        if not knows_descriptor(model):
            return ()
        models = fold_models(self.table, model, n_splits=self.n_splits)
        X = labelled_sites(self.table, model.settings["cutoff"]).X[:, : len(model.names)]
        return (*cluster_functions(models), contributions(models, X))

    def _at_cutoff(self, curves: Iterable[Curve]) -> list[Curve]:
        return [replace(curve, cutoff=self.cutoff) for curve in curves]


def _several(
    todo: Sequence[T], make: Callable[[T, Progress], list[Curve]], progress: Progress
) -> list[Curve]:
    """The curves of one after the other, with progress in thousandths of one."""
    made: list[Curve] = []
    for k, one in enumerate(todo):

        def part(done: int, total: int, k: int = k) -> None:
            progress(round(1000 * (k + done / max(total, 1))), 1000 * len(todo))

        made += make(one, part)
    return made


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
        if len(np.unique(sites.y)) < 2:
            raise InputError(
                f"all {len(sites.y)} labelled sites have label {sites.y[0]}; both labels are "
                "needed: label active (1) and inactive (0) sites"
            )
    return cutoffs, float(cutoff)


def _species(table: Table) -> tuple[str, ...]:
    recorded = table.provenance.get("parameters", {}).get("species", ())
    return tuple(str(label) for label in recorded)
