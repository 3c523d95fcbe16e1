"""Colours and markers of figures and plots."""

from __future__ import annotations

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#666666")
"""Okabe and Ito's colours, told apart by colour-blind readers; grey for their black, which a dark
page would hide."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""One a curve, so that the curves can be told apart without colour too."""

ACTIVE_COLOUR, INACTIVE_COLOUR = "#D55E00", "#0072B2"

SCALE = (
    (0.0, "#0072B2"),
    (0.25, "#7fb8d8"),
    (0.5, "#f4f4f4"),
    (0.75, "#eaa77f"),
    (1.0, "#D55E00"),
)
"""From little and inactive (blue) through white to much and active (vermillion)."""


def colour(k: int) -> str:
    """The k-th colour, from 0; they repeat."""
    return PALETTE[k % len(PALETTE)]


def marker(k: int) -> str:
    """The k-th marker, from 0; they repeat."""
    return MARKERS[k % len(MARKERS)]
