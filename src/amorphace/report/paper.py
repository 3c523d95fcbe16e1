"""What the paper states in numbers, to set beside what is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CITATION = (
    "J. Rottler and C. Ortner, Analysis of local structure of mechanical and thermal "
    "rearrangements in glasses with the atomic cluster expansion"
)

Reading = Literal[
    "correlation",
    "first",
    "first species",
    "jump",
    "radial",
    "three-body",
    "four-body",
    "beyond radial",
    "saturation",
    "picks",
    "pca",
    "means",
    "learning",
    "ard",
]
"""What is read of an analysis; a key of `QUANTITIES`."""

QUANTITIES: Mapping[Reading, str] = {
    "correlation": "correlation of D²min with propensity",
    "first": "accuracy, first column alone",
    "first species": "accuracy, radial columns of A neighbours",
    "jump": "accuracy, with the first column of B neighbours",
    "radial": "accuracy, all radial columns",
    "three-body": "accuracy, with 3-body columns",
    "four-body": "accuracy, with 4-body columns",
    "beyond radial": "gain of the best point over all radial columns",
    "saturation": "cutoff at which the accuracy saturates",
    "picks": "first columns picked by SFS",
    "pca": "principal components beside as many columns",
    "means": "mean of the first column, active and inactive",
    "learning": "all samples beside half of them to learn from",
    "ard": "Pearson correlation of ARD regression",
}
"""In words."""

MIXTURES_ONLY: tuple[Reading, ...] = ("first species", "jump")
THERMAL_ONLY: tuple[Reading, ...] = ("correlation",)

FIGURE_ONLY = "in the figure only"
"""Where the paper draws a number and does not print it."""


@dataclass(frozen=True, kw_only=True)
class PaperValue:
    """One statement of the paper.

    Attributes
    ----------
    reading : str
        A key of `QUANTITIES`.
    value : str
        As the paper has it.
    place : str
        Where the paper says so.
    cutoff : float
        In units of sigma.
    """

    reading: Reading
    value: str
    place: str
    cutoff: float = 4.0

    @property
    def quantity(self) -> str:
        """In words."""
        return QUANTITIES[self.reading]


FIG3 = "text on Fig. 3"
FIG5 = "text on Fig. 5"

PLACES: Mapping[Reading, str] = {
    "correlation": "Methods, dynamic propensity",
    "picks": FIG5,
    "pca": FIG5,
    "means": "text on Fig. 4",
    "learning": "Results, on Fig. 6",
    "ard": "text on Fig. 3, and Fig. 7",
}
"""Where the paper says so, if not in the text on Fig. 3."""

CASES: Mapping[tuple[str, str], Mapping[Reading, str]] = {
    ("bead-spring", "thermal"): {
        "first": "75 %",
        "radial": "80 %",
        "three-body": "85 %",
        "picks": "A1",
        "pca": "better",
        "means": "inactive larger",
    },
    ("kob-andersen", "thermal"): {
        "first species": "60-65 %",
        "jump": "dramatic increase",
        "radial": "90 %",
        "beyond radial": "not substantial",
        "picks": "B1, A1",
        "pca": "not better",
        "means": "inactive larger",
    },
    ("wahnstrom", "thermal"): {
        "first species": "60-65 %",
        "jump": "dramatic increase",
        "radial": "97 %",
        "beyond radial": "not substantial",
        "picks": "B1, A1",
        "pca": "not better",
        "means": "active larger",
    },
    ("bead-spring", "shear"): {
        "first": "73 %",
        "three-body": "83 %",
        "picks": "A1",
        "pca": "better",
        "means": "inactive larger",
    },
    ("kob-andersen", "shear"): {
        "first species": "70 %",
        "jump": "some increase",
        "beyond radial": "none",
        "picks": "A1, B1",
        "pca": "not better",
        "means": "inactive larger",
    },
    ("wahnstrom", "shear"): {
        "radial": "optimal",
        "beyond radial": "none",
        "picks": "A8, A7",
        "pca": "not better",
        "means": "they overlap",
    },
}
"""What the paper states on each of its cases, beside what it states on all."""

ALL_CASES: Mapping[str, Mapping[Reading, str]] = {
    "thermal": {"correlation": "95 %", "saturation": "4", "learning": "converged"},
    "shear": {"saturation": "3", "learning": "converged"},
}

CUTOFFS = {"thermal": 4.0, "shear": 3.0}
"""At which the paper's accuracies saturate, and ours are read."""


def paper_values(model: str, protocol: str) -> tuple[PaperValue, ...]:
    """What the paper states on one of its six cases; () on any other.

    Quantities that the paper only draws are listed too.

    Examples
    --------
    >>> [v.value for v in paper_values("kob-andersen", "thermal")][:4]
    ['95 %', 'in the figure only', '60-65 %', 'dramatic increase']
    >>> paper_values("silica", "thermal")
    ()
    """
    if (model, protocol) not in CASES:
        return ()
    stated = {**ALL_CASES[protocol], **CASES[model, protocol]}
    left_out = (*(THERMAL_ONLY if protocol == "shear" else ()),
                *(MIXTURES_ONLY if model == "bead-spring" else ()))  # fmt: skip
    return tuple(
        PaperValue(
            reading=reading,
            value=stated.get(reading, FIGURE_ONLY),
            place=PLACES.get(reading, FIG3),
            cutoff=CUTOFFS[protocol],
        )
        for reading in QUANTITIES
        if reading not in left_out
    )


@dataclass(frozen=True, kw_only=True)
class Published:
    """What another method reaches on a similar task.

    Attributes
    ----------
    method : str
    pearson : float
        Correlation of predicted with measured propensity near tau_alpha.
    """

    method: str
    pearson: float


PUBLISHED_PROPENSITY: Mapping[str, tuple[Published, ...]] = {
    "kob-andersen": (
        Published(method="EIGNN", pearson=0.82),
        Published(method="CAGE", pearson=0.80),
        Published(method="SE(3)-equivariant network", pearson=0.79),
        Published(method="GlassMLP", pearson=0.74),
    )
}
"""By model, as their authors report them."""

WHAT_DIFFERS = (
    "Published values are as their authors report them, for the propensity near the relaxation "
    "time: other configurations and protocols, hundreds of configurations to learn from for most, "
    "and no D²min among the targets. A few hundredths between two methods mean little here."
)
