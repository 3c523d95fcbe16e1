"""learn: the analysis of the labelled table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from amorphace.campaign.describe import TABLE
from amorphace.campaign.glass import unit_provenance
from amorphace.campaign.label import labels_of, samples_of
from amorphace.campaign.measure import reference_of, sheared_of
from amorphace.config import OwnGlass
from amorphace.dataset.blocks import in_blocks
from amorphace.dataset.label_shear import is_of_events
from amorphace.dataset.zarr_table import read_table
from amorphace.runs.job import Job
from amorphace.runs.unit import Cores, Dropped, Kind, Outcome, Role
from amorphace.simulate.models import GlassModel

if TYPE_CHECKING:
    from amorphace.dataset.table import Table
    from amorphace.learn.bundle import Analysis
    from amorphace.learn.model import LinearModel
    from amorphace.learn.results import Curve

ANALYSIS = "analysis"


@dataclass(frozen=True, kw_only=True)
class LearnParameters:
    """Parameters of `Learn`."""

    model: GlassModel | OwnGlass
    folds: int
    full: bool
    seed: int
    samples: tuple[str, ...] = ()
    """Of the references or shear runs."""


@dataclass(frozen=True)
class LearnResults:
    """Small results of `Learn`; best: what the model is worth on samples left out."""

    best: Mapping[str, Any]
    warnings: tuple[str, ...]
    conclusions: tuple[str, ...] = ()


def all_scores(
    models: Mapping[str, LinearModel],
    table: Table,
    labels: Table,
    samples: Iterable[Any],
    *,
    n_jobs: int | None = None,
) -> Curve:
    """The score of all particles beside what they did, by models that have not seen the sample.

    Parameters
    ----------
    models : mapping of str to LinearModel
        Of `unseen_models`.
    table : Table
        What they were fitted to.
    labels : Table
        Of all particles, or of the events of sheared samples; see `is_of_events`.
    samples : iterable of Configuration, or of Sheared or Frames
        Those that were described, in the order of the labels.
    n_jobs : int, optional
        Threads; None is 1, -1 is all processors.
    """
    from amorphace.learn.events import judged_events
    from amorphace.learn.everyone import judged_glasses, shear_scores, thermal_scores

    if not is_of_events(labels):
        return thermal_scores(models, judged_glasses(table, labels, samples), n_jobs=n_jobs)
    steps = (run.data_steps() for run in samples)
    return shear_scores(models, judged_events(labels, steps), n_jobs=n_jobs)


class Learn(Kind[LearnParameters, "Analysis"]):
    """The analysis of a table."""

    name = "learn"
    revision = 2
    parameters = LearnParameters
    results = LearnResults
    inputs: ClassVar = {
        "table": Role(),
        "label": Role(),
        "reference": Role(some=True, digests=False),
        "shear": Role(some=True, digests=False),
    }
    cores = Cores.ALL
    programs: ClassVar = ("scikit-learn",)

    def do(self, job: Job[LearnParameters]) -> Outcome:
        """See `analyse`."""
        from joblib import parallel_config  # here, since a plan needs none of scikit-learn

        from amorphace.learn.analysis import analyse
        from amorphace.learn.bundle import QUICK, AnalysisSettings, write_folder
        from amorphace.learn.conclusions import conclusions
        from amorphace.learn.fit import unseen_models

        p, found = job.parameters, job.input("table")
        settings = AnalysisSettings() if p.full else QUICK
        table = in_blocks(read_table(found.folder / TABLE))
        # threads: a process that is killed leaves no others behind
        with parallel_config(backend="threading"):
            analysis = analyse(
                table,
                settings=replace(settings, n_splits=p.folds, seed=p.seed),
                n_jobs=job.n_jobs,
                progress=lambda part, done, total: job.report(done, total, part.replace("_", " ")),
            )
        chosen = next(iter(analysis.curves("model")), None)
        if chosen is None or analysis.model is None:
            raise Dropped("; ".join(analysis.warnings))
        best = {
            "accuracy": float(chosen.mean[0]),
            "accuracy_error": float(chosen.error[0]),
            "n_columns": len(analysis.model.names),
            "cutoff": float(analysis.model.settings["cutoff"]),
        }
        labels, given = labels_of(job), samples_of(job)
        load = sheared_of if is_of_events(labels) else reference_of
        models = unseen_models(table, analysis.model, n_splits=analysis.n_splits)
        seen = (load(given[name]) for name in labels.sample_names)
        curve = all_scores(models, table, labels, seen, n_jobs=job.n_jobs)
        analysis = replace(analysis, results=(*analysis.results, curve))
        write_folder(job.folder / ANALYSIS, analysis, unit_provenance(job, p.model))
        return Outcome(
            results=LearnResults(best, tuple(analysis.warnings), tuple(conclusions(analysis)))
        )

    def sentence(self, outcome: Outcome) -> str:
        """What the model is worth."""
        best = outcome.results.best
        return (
            f"accuracy {best['accuracy']:.3f} ± {best['accuracy_error']:.3f} with "
            f"{best['n_columns']} columns at cutoff {best['cutoff']:g}"
        )

    def load(self, folder: Path) -> Analysis:
        """The analysis."""
        from amorphace.learn.bundle import read_analysis

        return read_analysis(folder / ANALYSIS)
