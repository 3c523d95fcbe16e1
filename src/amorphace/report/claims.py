"""What the paper states, in claims.toml, and what is found of it here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from amorphace.learn.splits import half_width
from amorphace.report.content import ReportContent
from amorphace.report.readings import READINGS, Case

_CLAIMS: Mapping[str, Any] = tomllib.loads(
    files("amorphace.report").joinpath("claims.toml").read_text(encoding="utf-8")
)

CITATION: str = _CLAIMS["citation"]
WHAT_DIFFERS: str = _CLAIMS["what_differs"]

CUTOFFS: Mapping[str, float] = _CLAIMS["cutoffs"]
"""By protocol, in units of sigma: where the paper's accuracies saturate, and ours are read."""

PUBLISHED: Mapping[str, tuple[tuple[str, float], ...]] = {
    model: tuple((line["method"], line["pearson"]) for line in lines)
    for model, lines in _CLAIMS["published"].items()
}
"""By model: methods, and the correlation of predicted with measured propensity near tau_alpha that
their authors report."""

CASES: tuple[tuple[str, str], ...] = tuple(
    (model, protocol)
    for model, protocols in _CLAIMS["case"].items()
    for protocol in protocols
    if model not in ("all", "mixtures")
)
"""Models and protocols that the paper treats."""

NOT_STATED = "not measured here"

Answer = Literal["yes", "no", "cannot tell", ""]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of the paper, and what is found here.

    Attributes
    ----------
    reading : str
        What is read of an analysis: a key of `READINGS`.
    quantity : str
        The same in words.
    paper, ours, aside : str
        The last is what is to be said of ours.
    place, says : str
        Where the paper says so, and its words.
    mean, error : float or None
        Ours as a number, with the half-width of its 68 % interval; None where it is no number.
    cutoff : float or None
        At which ours is read, in units of sigma.
    test : str
        In words, what must hold with the probability `SURE`; "" where the paper only draws.
    holds : tuple of float, optional
        The range that the claim needs.
    low, high : float or None
        The interval of what is tested that holds it with the probability `SURE`.
    answer : {"yes", "no", "cannot tell", ""}
        Whether the claim holds; "" where there is nothing to decide.
    decides : str
        What would settle it where the numbers cannot.
    """

    reading: str
    quantity: str
    paper: str
    place: str
    says: str = ""
    ours: str = NOT_STATED
    aside: str = ""
    mean: float | None = None
    error: float | None = None
    cutoff: float | None = None
    test: str = ""
    holds: tuple[float, float] | None = None
    low: float | None = None
    high: float | None = None
    answer: Answer = ""
    decides: str = ""


def stated(model: str, protocol: str) -> tuple[Statement, ...]:
    """What the paper states on one of its six cases; () on any other.

    Quantities that the paper only draws are listed too.

    Examples
    --------
    >>> {s.reading: s.paper for s in stated("kob-andersen", "thermal")}["first species"]
    '60-65 %'
    >>> stated("silica", "thermal")
    ()
    """
    if (model, protocol) not in CASES:
        return ()
    kind = "polymer" if model == "bead-spring" else "mixtures"
    said = [_CLAIMS["case"].get(name, {}).get(protocol, {}) for name in ("all", kind, model)]
    values: dict[str, str] = said[0] | said[1] | said[2]
    return tuple(
        _statement(reading, quantity, values.get(reading) or _CLAIMS["unstated"], protocol)
        for reading, quantity in _CLAIMS["quantity"].items()
        if set(quantity.get("only", "").split()) <= {protocol, kind}
    )


def _statement(reading: str, quantity: Mapping[str, Any], paper: str, protocol: str) -> Statement:
    holds = quantity.get("holds", {}).get(paper)
    test = ""
    if holds:
        low, high = holds
        test = f"{quantity.get('by', 'it')} {_in_words(low, high, quantity.get('unit', ''))}"
    return Statement(
        reading=reading,
        quantity=quantity["words"],
        paper=paper,
        place=quantity["place"],
        says=quantity.get("says", ""),
        cutoff=CUTOFFS[protocol],
        test=test,
        holds=tuple(holds) if holds else None,
        answer="cannot tell" if holds else "",
        decides=quantity.get("decides", ""),
    )


def _in_words(low: float, high: float, unit: str) -> str:
    """A range, such as "is at most 2 points"."""
    if unit:
        low, high = 100 * low, 100 * high
    least, most = (f"{end:.3g}".replace("-", "−") for end in (low, high))
    only = np.isinf(low) or np.isinf(high)
    space = unit and f"\u00a0{unit.removesuffix('s') if only and '1' in (least, most) else unit}"
    if np.isinf(low):
        return f"is less than {most}{space}"
    return f"is more than {least}{space}" if np.isinf(high) else f"is {least} to {most}{space}"


def comparisons(
    content: ReportContent, others: Sequence[ReportContent] = ()
) -> tuple[Statement, ...]:
    """The paper's statements on a case with what is found here; () where it treats another.

    Parameters
    ----------
    content : ReportContent
    others : sequence of ReportContent
        Other cases, which a statement on several needs.
    """
    found = stated(content.model, content.protocol)
    return tuple(_compared(content, s, tuple(others)) for s in found)


def _compared(content: ReportContent, s: Statement, others: tuple[ReportContent, ...]) -> Statement:
    found = None
    if content.analysis is not None:
        case = Case(content, s.cutoff or 0.0, s.paper, others)
        found = READINGS[s.reading](case, content.analysis)
    if found is None:
        return s
    cutoff = "" if found.cutoff in (None, s.cutoff) else f"at cutoff {found.cutoff:g} σ"
    aside = " ".join(filter(None, (found.aside, cutoff)))
    numbers = {} if found.values is None else {
        "mean": float(np.nanmean(found.values)), "error": half_width(found.values)
    }  # fmt: skip
    low, high = found.range
    return replace(
        s,
        ours=found.text,
        aside=aside,
        cutoff=found.cutoff,
        low=low,
        high=high,
        answer="" if s.holds is None else decided((low, high), s.holds),
        **numbers,
    )


def decided(interval: tuple[float, float], holds: tuple[float, float]) -> Answer:
    """Whether a claim holds that needs a number in a range.

    Parameters
    ----------
    interval : tuple of float
        That holds the number with the probability `SURE`; NaN where it is not known.
    holds : tuple of float
        The range.

    Examples
    --------
    >>> decided((0.01, 0.03), (0.0, np.inf)), decided((-0.01, 0.03), (0.0, np.inf))
    ('yes', 'cannot tell')
    >>> decided((-0.03, -0.01), (0.0, np.inf)), decided((np.nan, np.nan), (0.0, np.inf))
    ('no', 'cannot tell')
    """
    if holds[0] <= interval[0] and interval[1] <= holds[1]:
        return "yes"
    return "no" if interval[1] < holds[0] or holds[1] < interval[0] else "cannot tell"
