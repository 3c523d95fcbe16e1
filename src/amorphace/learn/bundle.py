"""All results of an analysis in one frozen bundle, kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from amorphace.core.codec import decode, encode
from amorphace.core.display import html_table
from amorphace.core.errors import FileFormatError
from amorphace.core.files import text_written_aside
from amorphace.core.records import read_json, write_json
from amorphace.dataset.table import Columns
from amorphace.learn.leverage import without_triangle
from amorphace.learn.model import LinearModel
from amorphace.learn.results import Curve, named, write_table
from amorphace.learn.splits import MOST_FOLDS
from amorphace.learn.version_1 import upgraded
from amorphace.learn.worth import left_out_scores

Part = Literal[
    "accuracy",
    "random_folds",
    "classifiers",
    "selection",
    "nested_selection",
    "permutation",
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
    "nested_selection",
    "pca",
    "ard",
    "distributions",
    "model",
)
"""Those that take some minutes at most on some thousand sites."""

FORMAT = "amorphace analysis"
FORMAT_VERSION = 2

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
        Folds for the scores, or as many as there are samples, so that each is left out in turn;
        and folds inside each for the strength.
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
    n_splits: int = MOST_FOLDS
    n_inner_splits: int = 4
    n_steps: int = 20
    n_resamples: int = 20
    n_stability_steps: int = 5
    n_draws: int = 3
    target: str = "d2min"
    log_target: bool = True
    seed: int = 0


QUICK = AnalysisSettings(parts=QUICK_PARTS, log_target=False)
"""Without stability, random folds and learning curves; all else as by default."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Unseen:
    """A model like that of an analysis, for one sample that it has not seen; see `unseen_models`.

    Attributes
    ----------
    sample : str
        Of the configuration with the most active sites; the first of several.
    model : LinearModel
        Without its leverage.
    """

    sample: str
    model: LinearModel


@dataclass(frozen=True, eq=False, kw_only=True)
class Analysis:
    """The paper's analysis of one table.

    Attributes
    ----------
    settings : AnalysisSettings
    columns : Columns
        What the columns of the table are.
    species : tuple of str
        Labels that the species indices of `columns` stand for; () when not known.
    n_samples, n_active, n_inactive : int
        Samples with a labelled site, labelled sites.
    n_events : int
        Independent events among the active sites: the sheared configurations that hold them, or
        the sites themselves where every sample has one configuration; 0 when not known.
    cutoff : float
        Of all that takes one cutoff only, in units of sigma.
    results : tuple of Curve
        The table of results, in blocks. By name, with the variants after a colon:
        "accuracy": "grouped" (Fig. 3), "random"; one a cutoff.
        "model", what a model fitted as `model` is worth on samples left out, its cutoff and
        columns chosen without them: the number to quote.
        "pca": "standardised", "raw", the principal components of the columns of orders 1 and 2
        (Fig. 5).
        "selection", "nested_selection": "order 1", "orders 1 to 2", the candidates, and "order 1,
        pairs first"; "single_columns", "permutation", "stability", "left_out" of the first two
        (Fig. 5). The permutation test is part of the selection.
        "classifiers", "roc": "logistic", "svm"; "calibration": "logistic".
        "learning": "samples", "sites", with the columns of each body order (Fig. 6).
        "ard": the target, then "log" and the target; one a cutoff (Fig. 7).
        "distributions": the first radial column of each species; "thresholds" and
        "magnitudes" of them (Fig. 4).
        "everyone", correlations of the score with the targets of all particles of samples left
        out, and "events", ranks of events, where they were asked for.
        "v1", "v2_distance", "v2_angle", "v3": species of the neighbours; "contributions" of the
        body orders to the log-odds of the labelled sites; "readability" of the weights. They read
        one model a fold, each fitted as `model` is to the training rows; all but the last are left
        out where the table does not say how its features were made.
    model : LinearModel, optional
        Fitted to all labelled sites, at the cutoff and body order with the least log-loss on
        samples left out.
    unseen : Unseen, optional
        For the picture of a sample beside what its particles did.
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
    n_events: int = 0
    results: tuple[Curve, ...] = ()
    model: LinearModel | None = None
    unseen: Unseen | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        worth = "".join(
            f"; {c.mean[0]:.3f} ± {c.error[0]:.3f} right on samples left out"
            for c in self.curves("model")
        )
        return (
            f"Analysis({self.n_samples} samples, {self.n_active} active and {self.n_inactive} "
            f"inactive sites, {len(self.columns)} features, {len(self.results)} curves, "
            f"{len(self.warnings)} warnings{worth})"
        )

    def _repr_html_(self) -> str:
        rows = [
            (c.name, c.variant, "" if c.cutoff is None else f"{c.cutoff:g}", next(iter(c.scores)),
             len(c.x))
            for c in self.results
        ]  # fmt: skip
        return html_table(("curve", "variant", "cutoff", "score", "points"), rows, repr(self))

    @property
    def n_splits(self) -> int:
        """Folds that keep samples whole: those asked for, or as many as there are samples."""
        return min(self.settings.n_splits, self.n_samples)

    def curves(self, name: str, variant: str | None = None) -> tuple[Curve, ...]:
        """All curves of a name, and of a variant if one is given; () without one."""
        return named(self.results, name, variant)

    def curve(
        self, name: str, variant: str | None = None, cutoff: float | None = None
    ) -> Curve | None:
        """The first curve of a name, at the cutoff given or the analysis' own, or at none."""
        wanted = (None, self.cutoff if cutoff is None else cutoff)
        return next((c for c in self.curves(name, variant) if c.cutoff in wanted), None)

    def lines(self) -> Iterator[dict[str, Any]]:
        """The lines of the table of results, but for the maps of v2."""
        return (line for curve in self.results if curve.y is None for line in curve.lines())


def write_folder(folder: Path, analysis: Analysis, provenance: Mapping[str, Any]) -> None:
    """Write analysis.json, results.csv (its table), summary.json and model.json.

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
    write_table(folder / "results.csv", analysis.lines())
    summary = {
        "provenance": dict(provenance),
        "accuracy": list(summarize(analysis)),
        "warnings": analysis.warnings,
        "notes": analysis.notes,
    }
    write_json(folder / "summary.json", encode(summary))
    if analysis.model is not None:
        scores = tuple(left_out_scores(analysis))
        replace(analysis.model, scores=scores).to_json(folder / "model.json")


def summarize(analysis: Analysis) -> Iterator[dict[str, Any]]:
    """One entry for every point of every accuracy curve: means over folds."""
    for curve in analysis.curves("accuracy"):
        for p, n in enumerate(curve.x.tolist()):
            yield {
                "cutoff": curve.cutoff,
                "folds": curve.variant,
                "n_columns": n,
                "last_column": curve.labels[p],
                "accuracy": float(curve.mean[p]),
                "accuracy_error": float(curve.error[p]),
                "accuracy_std": float(curve.std[p]),
                "balanced_accuracy": float(curve["balanced_accuracy"][p].mean()),
                "roc_auc": float(curve["roc_auc"][p].mean()),
            }


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
    fields = read_json(file, again=AGAIN)
    if not isinstance(fields, dict) or fields.pop("format", None) != FORMAT:
        raise FileFormatError(file, f"JSON, but not an analysis with the format {FORMAT!r}")
    version = fields.pop("format_version", None)
    if version not in (1, FORMAT_VERSION):
        raise FileFormatError(
            file,
            f"an analysis of format version {version}; this program reads versions 1 and "
            f"{FORMAT_VERSION}",
        )
    if version == 1:
        fields = upgraded(fields, source=file, again=AGAIN)
    fields["model"] = without_triangle(fields.get("model"), source=file)
    return decode(Analysis, fields, source=file, again=AGAIN)


def _file(path: str | Path) -> Path:
    place = Path(path)
    return place / FILE_NAME if place.is_dir() else place
