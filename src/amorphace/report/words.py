"""Words that figures, plots and the page share: titles of quantities, and text made harmless."""

from __future__ import annotations

import html

QUANTITIES = {
    "d2min": "D²min / σ²",
    "propensity": "propensity / σ",
    "score": "P(active)",
    "label": "label",
}
"""Titles of per-particle columns, with units; another column goes by its own name."""

LABELS = {1: "active", 0: "inactive", -1: "not selected"}
CLASSIFIERS = {"logistic": "logistic regression", "svm": "linear SVM"}

NUMBER_OF_COLUMNS = "number of columns"
ACCURACY = "accuracy (cross-validated)"
DISTANCE = "r / σ"
LOG_ODDS = "log-odds"
DENSITY = "probability density"
PEARSON = "Pearson correlation"


def quantity(column: str) -> str:
    """Title of a per-particle column.

    Examples
    --------
    >>> quantity("d2min"), quantity("free volume")
    ('D²min / σ²', 'free volume')
    """
    return QUANTITIES.get(column, column)


def cutoff_name(cutoff: float | None) -> str:
    """'r_cut = 4 σ', or '' where it is not known."""
    return "" if cutoff is None else f"r_cut = {cutoff:g} σ"


def for_plotly(text: object) -> str:
    """Text that plotly shows as it is: it would read tags and entities otherwise.

    Examples
    --------
    >>> for_plotly("<b>A</b>")
    '&lt;b&gt;A&lt;/b&gt;'
    """
    return html.escape(str(text), quote=False)


def for_matplotlib(text: object) -> str:
    r"""Text that matplotlib shows as it is: it would read dollars as mathematics otherwise.

    Examples
    --------
    >>> for_matplotlib("$A")
    '\\$A'
    """
    return str(text).replace("$", r"\$")
