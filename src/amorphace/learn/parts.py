"""The parts of an analysis, one method each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import InputError
from amorphace.dataset.table import ACTIVE, Table
from amorphace.learn.ard import ard_curve
from amorphace.learn.bundle import AnalysisSettings, Part, Unseen
from amorphace.learn.classifiers import compare_classifiers
from amorphace.learn.clusters import cluster_functions
from amorphace.learn.contributions import contributions
from amorphace.learn.curves import accuracy_curve, pca_curve
from amorphace.learn.distributions import radial_distributions
from amorphace.learn.fit import (
    LabelledSites,
    best_setting,
    fit_model,
    labelled_sites,
    nested_choice,
    recorded_species,
)
from amorphace.learn.learning_curve import Vary, learning_curve
from amorphace.learn.model import LinearModel
from amorphace.learn.parallel import Progress
from amorphace.learn.points import Scope, order_ends, scopes
from amorphace.learn.predict import knows_descriptor
from amorphace.learn.reading import readability
from amorphace.learn.results import Curve
from amorphace.learn.selection import Candidates, forward_selection, nested_selection
from amorphace.learn.splits import Folds, split
from amorphace.learn.stability import permutation_test, selection_stability

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts, one method each."""

    table: Table
    settings: AnalysisSettings
    cutoffs: tuple[float, ...]
    cutoff: float
    sites: LabelledSites
    n_splits: int
    n_jobs: int

    def data(
        self, n: int | None = None
    ) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
        """Features (the first n), labels and samples at the one cutoff."""
        return self.sites.X[:, :n], self.sites.y, self.sites.groups

    def all(self) -> dict[Part, Callable[[Progress], Sequence[Curve]]]:
        return {
            "accuracy": lambda progress: self.accuracy("grouped", progress),
            "random_folds": lambda progress: self.accuracy("random", progress),
            "selection": self.selection,
            "nested_selection": self.nested_selection,
            "pca": self.pca,
            "classifiers": self.classifiers,
            "stability": self.stability,
            "learning": self.learning,
            "ard": self.ard,
            "distributions": lambda progress: radial_distributions(self.table, self.cutoff),
        }

    def accuracy(self, folds: Folds, progress: Progress) -> list[Curve]:
        def make(cutoff: float, progress: Progress) -> Iterable[Curve]:
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
            yield replace(curve, cutoff=cutoff)

        curves = self._each(self.cutoffs, make, progress)
        chosen = nested_choice(curves, self.sites.columns) if folds == "grouped" else None
        return curves if chosen is None else [*curves, chosen]

    def classifiers(self, progress: Progress) -> list[Curve]:
        def make(n_columns: Sequence[int], progress: Progress) -> Iterable[Curve]:
            return compare_classifiers(
                *self.data(),
                n_columns=n_columns,
                n_splits=self.n_splits,
                n_inner_splits=self.settings.n_inner_splits,
                seed=self.settings.seed,
                n_jobs=self.n_jobs,
                progress=progress,
            )

        n_columns = [scope.n_columns for scope in scopes(self.sites.columns)]
        return self._each([n_columns], make, progress)

    def candidates(self, scope: Scope, n_steps: int) -> Candidates:
        return Candidates.of(
            *self.data(),
            candidates=range(scope.n_columns),
            n_steps=n_steps,
            columns=self.sites.columns,
            n_splits=self.n_splits,
            n_inner_splits=self.settings.n_inner_splits,
            pairs=scope.pairs,
            scope=scope.name,
        )

    def selection(self, progress: Progress) -> list[Curve]:
        def make(scope: Scope, progress: Progress) -> Iterable[Curve]:
            data = self.candidates(scope, self.settings.n_steps)
            selection, alone = forward_selection(data, progress=progress)
            yield selection
            if not scope.pairs:
                yield alone
                if "permutation" in self.settings.parts:
                    seed, n_jobs = self.settings.seed, self.n_jobs
                    yield permutation_test(data, selection, seed=seed, n_jobs=n_jobs)

        return self._each(scopes(self.sites.columns, pairs=True), make, progress)

    def nested_selection(self, progress: Progress) -> list[Curve]:
        def make(scope: Scope, progress: Progress) -> Iterable[Curve]:
            data = self.candidates(scope, self.settings.n_steps)
            yield nested_selection(data, n_jobs=self.n_jobs, progress=progress)

        return self._each(scopes(self.sites.columns, pairs=True), make, progress)

    def stability(self, progress: Progress) -> list[Curve]:
        def make(scope: Scope, progress: Progress) -> Iterable[Curve]:
            return selection_stability(
                self.candidates(scope, self.settings.n_stability_steps),
                n_resamples=self.settings.n_resamples,
                seed=self.settings.seed,
                n_jobs=self.n_jobs,
                progress=progress,
            )

        return self._each(scopes(self.sites.columns), make, progress)

    def pca(self, progress: Progress) -> list[Curve]:
        n = scopes(self.sites.columns)[-1].n_columns

        def make(raw: bool, progress: Progress) -> Iterable[Curve]:
            yield pca_curve(
                *self.data(n),
                n_components=range(1, min(self.settings.n_steps, n) + 1),
                raw=raw,
                n_splits=self.n_splits,
                n_inner_splits=self.settings.n_inner_splits,
                n_jobs=self.n_jobs,
                progress=progress,
            )

        return self._each((False, True), make, progress)

    def learning(self, progress: Progress) -> list[Curve]:
        def make(which: tuple[Vary, int], progress: Progress) -> Iterable[Curve]:
            yield learning_curve(
                *self.data(which[1]),
                vary=which[0],
                n_draws=self.settings.n_draws,
                n_splits=self.n_splits,
                n_inner_splits=self.settings.n_inner_splits,
                seed=self.settings.seed,
                n_jobs=self.n_jobs,
                progress=progress,
            )

        kinds: tuple[Vary, ...] = ("samples", "sites")
        ends = order_ends(self.sites.columns).values()
        todo: list[tuple[Vary, int]] = [(vary, n) for vary in kinds for n in ends]
        return self._each(todo, make, progress)

    def ard(self, progress: Progress) -> list[Curve]:
        name = self.settings.target
        if name not in self.table.targets:
            have = ", ".join(self.table.targets) or "none"
            raise InputError(f"the table holds no target {name!r}; there are: {have}")

        def make(which: tuple[bool, float], progress: Progress) -> Iterable[Curve]:
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
            yield replace(curve, cutoff=which[1])

        logs = (False, True) if self.settings.log_target else (False,)
        return self._each(
            [(log, cutoff) for log in logs for cutoff in self.cutoffs], make, progress
        )

    def model(self) -> LinearModel:
        cutoff, n = best_setting(self.table, self.cutoffs, n_splits=self.n_splits)
        return fit_model(self.table, cutoff, n, n_splits=self.n_splits)

    def readings(self, unseen: Mapping[str, LinearModel]) -> tuple[Curve, ...]:
        """Readability; cluster functions, contributions where models know their descriptor."""
        models = tuple(dict.fromkeys(unseen.values()))  # one a fold
        model = models[0]
        sites = labelled_sites(self.table, model.settings["cutoff"])
        X, folds = sites.X[:, : len(model.names)], split(None, sites.groups, n_splits=self.n_splits)
        found = readability(models, X, folds, sites.columns, recorded_species(self.table))
        found = replace(found, cutoff=float(model.settings["cutoff"]))
        if not knows_descriptor(model):
            return (found,)
        return (*cluster_functions(models), contributions(models, X), found)

    def unseen(self, unseen: Mapping[str, LinearModel]) -> Unseen:
        """That for the sample of the configuration with the most active sites."""
        labelled = self.table.labelled()
        active = np.stack([labelled.sample, labelled.step], axis=1)[labelled.label == ACTIVE]
        configurations, counts = np.unique(active, axis=0, return_counts=True)
        sample = self.table.sample_names[configurations[np.argmax(counts), 0]]
        return Unseen(sample=sample, model=replace(unseen[sample], leverage=None))

    def _each(
        self, todo: Sequence[T], make: Callable[[T, Progress], Iterable[Curve]], progress: Progress
    ) -> list[Curve]:
        """The curves of one after the other, with progress in thousandths of one.

        Those that do not say at which cutoff they are, are at the one cutoff.
        """
        made: list[Curve] = []
        for k, one in enumerate(todo):

            def part(done: int, total: int, k: int = k) -> None:
                progress(round(1000 * (k + done / max(total, 1))), 1000 * len(todo))

            made += [replace(c, cutoff=c.cutoff or self.cutoff) for c in make(one, part)]
        return made
