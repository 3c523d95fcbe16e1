"""What a model is worth on samples that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.splits import half_width

if TYPE_CHECKING:
    from amorphace.learn.bundle import Analysis


@dataclass(frozen=True)
class Score:
    """What a model is worth on samples that it has not seen.

    Attributes
    ----------
    name : str
        Such as "accuracy".
    of : str
        The particles that it is about.
    mean, error : float
        Mean over the samples, and half-width of its 68 % interval.
    n : int
        Samples, each left out in turn; or groups of them, where they are more than ten.
    chance : float
        What a model that knows nothing scores.
    """

    name: str
    of: str
    mean: float
    error: float
    n: int
    chance: float = 0.0

    @classmethod
    def over(cls, name: str, of: str, values: NDArray[np.float64], chance: float = 0.0) -> Score:
        """From the score of every sample, NaN where there is none."""
        known = values[np.isfinite(values)]
        return cls(name, of, float(known.mean()), half_width(known), len(known), chance)

    def __str__(self) -> str:
        return f"{self.name} {self.mean:.3f} ± {self.error:.3f} (n = {self.n}; {self.of})"


def left_out_scores(
    a: Analysis, extremes: str = "labelled particles", every: str = "all scored particles"
) -> Iterator[Score]:
    """The scores of the model of an analysis.

    Parameters
    ----------
    a : Analysis
        Those on all particles are there where it has the curves "everyone" or "events".
    extremes, every : str
        The particles in words: the labelled ones, and all.
    """
    for curve in a.curves("model"):
        for name, words in (("accuracy", "accuracy"), ("roc_auc", "ROC-AUC")):
            yield Score.over(words, extremes, curve[name][0], 0.5)
    for curve in a.curves("everyone"):
        for k, target in enumerate(curve.labels):
            yield Score.over(f"Spearman with {target}", every, curve["spearman"][k])
            yield Score.over(f"Pearson with {target}", every, curve["pearson"][k])
    for curve in a.curves("events"):
        share = float(np.nanmean(curve["share"][0]))
        yield Score.over("C = 2 AUC - 1 of the core of an event", every, curve["core"][0])
        yield Score.over(
            "average precision of an event", every, curve["average_precision"][0], share
        )
        yield Score.over("MCC of an event", every, curve["mcc"][0])
