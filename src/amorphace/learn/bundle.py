"""All results of an analysis in one frozen bundle, kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from amorphace.core.codec import decode, encode
from amorphace.core.files import text_written_aside
from amorphace.core.records import read_document
from amorphace.dataset.table import Columns
from amorphace.learn.classifiers import ClassifierScore
from amorphace.learn.clusters import ClusterFunctions
from amorphace.learn.contributions import Contributions
from amorphace.learn.curves import AccuracyCurve
from amorphace.learn.distributions import Distribution
from amorphace.learn.learning_curve import LearningCurve
from amorphace.learn.model import LinearModel
from amorphace.learn.regression import CorrelationCurve
from amorphace.learn.selection import Selection, SelectionStability

Part = Literal[
    "accuracy",
    "random_folds",
    "classifiers",
    "selection",
    "stability",
    "pca",
    "learning",
    "ard",
    "distributions",
    "model",
]

ALL_PARTS: tuple[Part, ...] = get_args(Part)

QUICK_PARTS: tuple[Part, ...] = (
    "accuracy",
    "classifiers",
    "selection",
    "pca",
    "ard",
    "distributions",
    "model",
)
"""Those that take a minute at most on some thousand sites."""

FORMAT = "amorphace analysis"
FORMAT_VERSION = 1

AGAIN = "learn again"

FILE_NAME = "analysis.json"
"""Of an analysis in a folder."""


@dataclass(frozen=True, kw_only=True)
class AnalysisSettings:
    """What is computed, and how thoroughly.

    Attributes
    ----------
    parts : tuple of str
        Which of `ALL_PARTS`.
    cutoffs : tuple of float, optional
        Of the curves, in units of sigma; all that the table holds when left out.
    cutoff : float, optional
        Of all that takes one cutoff only; the largest of `cutoffs` when left out.
    n_columns : tuple of int, optional
        Points of the curves; `default_columns` when left out.
    n_splits, n_inner_splits : int
        Folds for the scores, and inside each for the strength.
    n_steps : int
        Of forward selection, and components of the PCA curve.
    n_resamples : int
        Bootstrap runs of the stability.
    n_stability_steps : int
        Picks of each of them.
    n_draws : int
        Draws of training samples at each point of a learning curve.
    target : str
        Of the regression.
    log_target : bool
        Whether the regression is made of the target's logarithm too.
    seed : int
        Of everything random.
    """

    parts: tuple[Part, ...] = ALL_PARTS
    cutoffs: tuple[float, ...] | None = None
    cutoff: float | None = None
    n_columns: tuple[int, ...] | None = None
    n_splits: int = 5
    n_inner_splits: int = 4
    n_steps: int = 20
    n_resamples: int = 20
    n_stability_steps: int = 5
    n_draws: int = 3
    target: str = "d2min"
    log_target: bool = True
    seed: int = 0

    @classmethod
    def quick(cls, **changes: Any) -> AnalysisSettings:
        """Without stability, random folds and learning curves; all else as by default."""
        return cls(**{"parts": QUICK_PARTS, "log_target": False, **changes})


@dataclass(frozen=True, eq=False, kw_only=True)
class Analysis:
    """The paper's analysis of one table. A part that is left out is () or None.

    Attributes
    ----------
    settings : AnalysisSettings
    columns : Columns
        What the columns of the table are.
    species : tuple of str
        Labels that the species indices of `columns` stand for; () when not known.
    n_samples, n_active, n_inactive : int
        Samples with a labelled site, labelled sites.
    cutoff : float
        Of all that takes one cutoff only, in units of sigma.
    accuracy : tuple of AccuracyCurve
        One a cutoff, samples kept whole (Fig. 3).
    accuracy_random : tuple of AccuracyCurve
        The same with random folds, to compare with published numbers.
    classifiers : tuple of ClassifierScore
        Logistic regression and support vector machine, with the columns of order 1, and of orders
        1 and 2.
    selections : tuple of Selection
        Among the columns of order 1, and of orders 1 and 2 (Fig. 5).
    stability : tuple of SelectionStability
        One for each of `selections`.
    pca : AccuracyCurve, optional
        Leading principal components of the columns of orders 1 and 2 (Fig. 5).
    learning : tuple of LearningCurve
        By samples and by sites, with the columns of each body order (Fig. 6).
    ard : tuple of CorrelationCurve
        One a cutoff for the target, then one a cutoff for its logarithm (Fig. 7).
    distributions : tuple of Distribution
        Of the first radial column of every species (Fig. 4).
    model : LinearModel, optional
        Fitted to all labelled sites at the cutoff and body order with the highest accuracy.
    clusters : ClusterFunctions, optional
        Of one model a fold, each fitted as `model` is to the training rows; None where the table
        does not say how its features were made.
    contributions : Contributions, optional
        Of the body orders to the log-odds of the labelled sites, for the same models.
    warnings : tuple of str
        What makes the numbers doubtful, and why a part is missing.
    notes : tuple of str
        How to read the numbers.
    provenance : mapping
        The table's.
    """

    settings: AnalysisSettings
    columns: Columns
    species: tuple[str, ...]
    n_samples: int
    n_active: int
    n_inactive: int
    cutoff: float
    accuracy: tuple[AccuracyCurve, ...] = ()
    accuracy_random: tuple[AccuracyCurve, ...] = ()
    classifiers: tuple[ClassifierScore, ...] = ()
    selections: tuple[Selection, ...] = ()
    stability: tuple[SelectionStability, ...] = ()
    pca: AccuracyCurve | None = None
    learning: tuple[LearningCurve, ...] = ()
    ard: tuple[CorrelationCurve, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    model: LinearModel | None = None
    clusters: ClusterFunctions | None = None
    contributions: Contributions | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)


def write_analysis(path: str | Path, analysis: Analysis) -> None:
    """Write an analysis as JSON; the file appears whole or not at all.

    Parameters
    ----------
    path : str or Path
        A file, or a folder in which it becomes analysis.json.
    analysis : Analysis
        Arrays become lists, NaN becomes null; `read_analysis` gives the same numbers back.
    """
    fields = {"format": FORMAT, "format_version": FORMAT_VERSION} | encode(analysis)
    with text_written_aside(_file(path)) as stream:
        json.dump(fields, stream, indent=None, ensure_ascii=False, allow_nan=False)
        stream.write("\n")


def read_analysis(path: str | Path) -> Analysis:
    """Read an analysis.

    Parameters
    ----------
    path : str or Path
        The file, or the folder in which analysis.json is.

    Raises
    ------
    FileFormatError
        If the file is missing, is not JSON, or is not such an analysis.
    """
    file = _file(path)
    fields = read_document(
        file, what="an analysis", name=FORMAT, version=FORMAT_VERSION, again=AGAIN
    )
    return decode(Analysis, fields, source=file, again=AGAIN)


def _file(path: str | Path) -> Path:
    place = Path(path)
    return place / FILE_NAME if place.is_dir() else place
