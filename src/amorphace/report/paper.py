"""What the paper states in numbers, to set beside what is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CITATION = (
    "J. Rottler and C. Ortner, Analysis of local structure of mechanical and thermal "
    "rearrangements in glasses with the atomic cluster expansion"
)

Reading = Literal["first", "first species", "radial", "three-body", "best", "picks", "correlation"]
"""Where along the standard order of columns a number is read.

first          with the first column alone
first species  with the radial columns of the first species of neighbour
radial         with all radial columns
three-body     with all columns up to three-body ones
best           the highest on the curve
picks          names of the first columns of forward selection among the radial ones
correlation    of D2min with propensity
"""


@dataclass(frozen=True, kw_only=True)
class PaperValue:
    """One number of the paper.

    Attributes
    ----------
    model : str
        "bead-spring", "kob-andersen" or "wahnstrom"; "" for all.
    protocol : str
        "thermal" or "shear".
    reading : str
        Where it is read.
    quantity : str
        In words.
    value : str
        As the paper has it.
    place : str
        Where the paper says so.
    cutoff : float
        In units of sigma.
    """

    model: str
    protocol: str
    reading: Reading
    quantity: str
    value: str
    place: str
    cutoff: float = 4.0


_FIG3_TOP = "text on Fig. 3, top row"
_FIG3_BOTTOM = "text on Fig. 3, bottom row"
_FIG5 = "text on Fig. 5"

PAPER: tuple[PaperValue, ...] = (
    PaperValue(
        model="",
        protocol="thermal",
        reading="correlation",
        quantity="correlation of D²min with propensity",
        value="95 %",
        place="Methods, dynamic propensity",
    ),
    PaperValue(
        model="bead-spring",
        protocol="thermal",
        reading="first",
        quantity="accuracy, first column alone",
        value="75 %",
        place=_FIG3_TOP,
    ),
    PaperValue(
        model="bead-spring",
        protocol="thermal",
        reading="radial",
        quantity="accuracy, 20 radial columns",
        value="80 %",
        place=_FIG3_TOP,
    ),
    PaperValue(
        model="bead-spring",
        protocol="thermal",
        reading="three-body",
        quantity="accuracy, with 3-body columns",
        value="85 %",
        place=_FIG3_TOP,
    ),
    PaperValue(
        model="bead-spring",
        protocol="thermal",
        reading="picks",
        quantity="first column picked by SFS",
        value="A1",
        place=_FIG5,
    ),
    PaperValue(
        model="kob-andersen",
        protocol="thermal",
        reading="first species",
        quantity="accuracy, 10 radial columns of A neighbours",
        value="60-65 %",
        place=_FIG3_TOP,
    ),
    PaperValue(
        model="kob-andersen",
        protocol="thermal",
        reading="radial",
        quantity="accuracy, with radial columns of B neighbours",
        value="90 %",
        place=_FIG3_TOP,
    ),
    PaperValue(
        model="kob-andersen",
        protocol="thermal",
        reading="picks",
        quantity="first columns picked by SFS",
        value="B1, A1",
        place=_FIG5,
    ),
    PaperValue(
        model="wahnstrom",
        protocol="thermal",
        reading="first species",
        quantity="accuracy, 10 radial columns of A neighbours",
        value="60-65 %",
        place=_FIG3_TOP,
    ),
    PaperValue(
        model="wahnstrom",
        protocol="thermal",
        reading="radial",
        quantity="accuracy, with radial columns of B neighbours",
        value="97 %",
        place=_FIG3_TOP,
    ),
    PaperValue(
        model="wahnstrom",
        protocol="thermal",
        reading="picks",
        quantity="first columns picked by SFS",
        value="B1, A1",
        place=_FIG5,
    ),
    PaperValue(
        model="bead-spring",
        protocol="shear",
        reading="first",
        quantity="accuracy, first column alone",
        value="73 %",
        place=_FIG3_BOTTOM,
        cutoff=3.0,
    ),
    PaperValue(
        model="bead-spring",
        protocol="shear",
        reading="three-body",
        quantity="accuracy, with all 3-body columns",
        value="83 %",
        place=_FIG3_BOTTOM,
        cutoff=3.0,
    ),
    PaperValue(
        model="bead-spring",
        protocol="shear",
        reading="picks",
        quantity="first column picked by SFS",
        value="A1",
        place=_FIG5,
    ),
    PaperValue(
        model="kob-andersen",
        protocol="shear",
        reading="first species",
        quantity="accuracy, 10 radial columns of A neighbours",
        value="70 %",
        place=_FIG3_BOTTOM,
        cutoff=3.0,
    ),
    PaperValue(
        model="kob-andersen",
        protocol="shear",
        reading="picks",
        quantity="first columns picked by SFS",
        value="A1, B1",
        place=_FIG5,
    ),
    PaperValue(
        model="wahnstrom",
        protocol="shear",
        reading="picks",
        quantity="first columns picked by SFS",
        value="A8, A7",
        place=_FIG5,
    ),
)


def paper_values(model: str, protocol: str) -> tuple[PaperValue, ...]:
    """What the paper states on one of its six cases; () on any other.

    Examples
    --------
    >>> [v.value for v in paper_values("kob-andersen", "thermal")]
    ['95 %', '60-65 %', '90 %', 'B1, A1']
    >>> paper_values("silica", "thermal")
    ()
    """
    if not any(v.model == model for v in PAPER):
        return ()
    return tuple(v for v in PAPER if v.model in ("", model) and v.protocol == protocol)


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
