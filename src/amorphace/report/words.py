"""Words that figures, plots and the page share: titles of quantities, and text made harmless."""

from __future__ import annotations

import html
from collections.abc import Sequence

QUANTITIES = {
    "d2min": "D²min / σ²",
    "propensity": "propensity / σ",
    "score": "P(active)",
    "label": "label",
}
"""Titles of per-particle columns, with units; another column goes by its own name."""

NAMES = {"d2min": "D²min"}
"""Columns in running text; another goes by its own name."""

SCOPES = {
    "order 1": "two-body columns",
    "orders 1 to 2": "two- and three-body columns",
    "orders 1 to 3": "two- to four-body columns",
}
"""What forward selection may pick from, in words; another scope stays as it is."""

LABELS = {1: "active", 0: "inactive", -1: "not selected"}
CLASSIFIERS = {"logistic": "logistic regression", "svm": "linear SVM"}

NUMBER_OF_COLUMNS = "number of columns"
CUTOFF = "cutoff"
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


def target_name(target: str, log: bool) -> str:
    """A target of regression in running text.

    Examples
    --------
    >>> target_name("d2min", True)
    'the logarithm of D²min'
    """
    name = NAMES.get(target, target)
    return f"the logarithm of {name}" if log else name


def short_target(target: str, log: bool) -> str:
    """A target of regression on an axis."""
    return f"{'log ' if log else ''}{NAMES.get(target, target)}"


def body_name(order: int, species: Sequence[str] = ()) -> str:
    """Columns of one correlation order, and of one set of neighbours.

    Examples
    --------
    >>> body_name(1), body_name(2, ["A", "B"])
    ('2-body', '3-body: A B')
    """
    return f"{order + 1}-body" + (f": {' '.join(species)}" if species else "")


def scope_name(scope: str) -> str:
    """What forward selection may pick from, in words."""
    return SCOPES.get(scope, scope) or "all columns"


def for_plotly(text: object) -> str:
    """Text that plotly shows as it is: it would read tags and entities otherwise.

    Examples
    --------
    >>> for_plotly("<b>A</b>")
    '&lt;b&gt;A&lt;/b&gt;'
    """
    return html.escape(str(text), quote=False)


MATHEMATICS = {
    "D²min / σ²": r"$D^2_\mathrm{min}/\sigma^2$",
    "D²min": r"$D^2_\mathrm{min}$",
    "Rₙ(r)": "$R_n(r)$",
    "v₁(r; z)": "$v_1(r; z)$",
    "v₃(r, r, r)": "$v_3(r, r, r)$",
    "Fₛ(q, t)": r"$F_\mathrm{s}(q, t)$",
    "time t / τ_LJ": r"$t/\tau_\mathrm{LJ}$",
    "shear strain γ": r"shear strain $\gamma$",
    "(ε σ⁻³)": r"$\epsilon\sigma^{-3}$",
    "r₁ / σ": r"$r_1/\sigma$",
    "r₂ / σ": r"$r_2/\sigma$",
}
"""Symbols that matplotlib sets as mathematics."""


def for_matplotlib(text: object) -> str:
    r"""Text that matplotlib shows as it is: dollars are no mathematics, our symbols are.

    Examples
    --------
    >>> for_matplotlib("$A"), for_matplotlib("log D²min")
    ('\\$A', 'log $D^2_\\mathrm{min}$')
    """
    shown = str(text).replace("$", r"\$")
    for symbol, set_as in MATHEMATICS.items():
        shown = shown.replace(symbol, set_as)
    return shown
