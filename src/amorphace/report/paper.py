"""What the paper states in numbers, to set beside what is found: claims.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

_CLAIMS: Mapping[str, Any] = tomllib.loads(
    files("amorphace.report").joinpath("claims.toml").read_text(encoding="utf-8")
)

CITATION: str = _CLAIMS["citation"]
WHAT_DIFFERS: str = _CLAIMS["what_differs"]

CUTOFFS: Mapping[str, float] = _CLAIMS["cutoffs"]
"""By protocol, in units of sigma: where the paper's accuracies saturate, and ours are read."""

QUANTITIES: Mapping[str, str] = {k: v["words"] for k, v in _CLAIMS["quantity"].items()}
"""What is read of an analysis, in words."""

CASES: tuple[tuple[str, str], ...] = tuple(
    (model, protocol)
    for model, protocols in _CLAIMS["case"].items()
    for protocol in protocols
    if model != "all"
)
"""Models and protocols that the paper treats."""


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

    reading: str
    value: str
    place: str
    cutoff: float = 4.0

    @property
    def quantity(self) -> str:
        """In words."""
        return QUANTITIES[self.reading]


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
    stated = _CLAIMS["case"]["all"][protocol] | _CLAIMS["case"][model][protocol]
    fits = {None, protocol, "" if model == "bead-spring" else "mixtures"}
    return tuple(
        PaperValue(
            reading=reading,
            value=stated.get(reading, _CLAIMS["unstated"]),
            place=quantity["place"],
            cutoff=CUTOFFS[protocol],
        )
        for reading, quantity in _CLAIMS["quantity"].items()
        if quantity.get("only") in fits
    )


def published(model: str) -> tuple[Published, ...]:
    """What other methods reach on a model, as their authors report it."""
    return tuple(
        Published(method=line["method"], pearson=line["pearson"])
        for line in _CLAIMS["published"].get(model, ())
    )
