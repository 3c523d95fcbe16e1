"""Words that figures, plots and the page share: titles of quantities, and text made harmless."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from markupsafe import Markup, escape

QUANTITIES = {
    "d2min": "D²min / σ²",
    "propensity": "propensity / σ",
    "score": "score",
    "label": "label",
}
"""Titles of per-particle columns, with units; another column goes by its own name."""

NAMES = {"d2min": "D²min"}
"""Columns in running text; another goes by its own name."""

SCOPES = {
    "order 1": "two-body features",
    "orders 1 to 2": "two- and three-body features",
    "orders 1 to 3": "two- to four-body features",
    "order 1, pairs first": "two-body features from the best pair on",
}
"""What forward selection may pick from, in words; another scope stays as it is."""

LABELS = {1: "active", 0: "inactive", -1: "not selected"}
CLASSIFIERS = {"logistic": "logistic regression", "svm": "linear SVM"}
SHORT = {"logistic": "logistic", "svm": "SVM"}
GLASSES = {
    "bead-spring": "Bead-spring polymer",
    "kob-andersen": "Kob-Andersen",
    "wahnstrom": "Wahnström",
}
PROTOCOLS = {"thermal": "thermal", "shear": "sheared"}

NUMBER_OF_COLUMNS = "number of features"
CUTOFF = "cutoff"
ACCURACY = "accuracy (cross-validated)"
DISTANCE = "r / σ"
LOG_ODDS = "log-odds"
DENSITY = "probability density"


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
    """Features of one correlation order, and of one set of neighbours.

    Examples
    --------
    >>> body_name(1), body_name(2, ["A", "B"])
    ('2-body', '3-body: A B')
    """
    return f"{order + 1}-body" + (f": {' '.join(species)}" if species else "")


def scope_name(scope: str) -> str:
    """What forward selection may pick from, in words."""
    return SCOPES.get(scope, scope) or "all features"


MATHEMATICS = {
    "D²min / σ²": r"$D^2_\mathrm{min}/\sigma^2$",
    "D²min": r"$D^2_\mathrm{min}$",
    "D2min": r"$D^2_\mathrm{min}$",
    "Rₙ(r)": "$R_n(r)$",
    "v₁(r; z)": "$v_1(r; z)$",
    "v₃(r, r, r)": "$v_3(r, r, r)$",
    "Fₛ(q, t)": r"$F_\mathrm{s}(q, t)$",
    "time t / τ_LJ": r"$t/\tau_\mathrm{LJ}$",
    "shear strain γ": r"shear strain $\gamma$",
    "(ε σ⁻³)": r"($\epsilon\sigma^{-3}$)",
    "r₁ / σ": r"$r_1/\sigma$",
    "r₂ / σ": r"$r_2/\sigma$",
}
"""Symbols that matplotlib and Markdown set as mathematics, the longer ones first."""

D2MIN = re.compile("D[2²]min")
MATHML = "<math><msubsup><mi>D</mi><mtext>min</mtext><mn>2</mn></msubsup></math>"


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


def for_markdown(text: object) -> str:
    r"""Text that Markdown shows as it is, but for `commands`, in a line or in a cell of a table.

    Examples
    --------
    >>> for_markdown("a|b of D2min")
    'a\\|b of $D^2_\\mathrm{min}$'
    """
    together = " ".join(str(text).split()).replace(" ± ", "\u00a0±\u00a0").replace(" %", "\u00a0%")
    parts = re.split(r"(`[^`|]+`)", together)
    parts[::2] = [for_matplotlib(re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", p)) for p in parts[::2]]
    return "".join(parts)


def for_plotly(text: object) -> str:
    """Text that plotly shows as it is: it would read tags and entities otherwise.

    Examples
    --------
    >>> for_plotly("<b>A</b>"), for_plotly("D²min")
    ('&lt;b&gt;A&lt;/b&gt;', '<i>D</i>²<sub>min</sub>')
    """
    shown = html.escape(str(text), quote=False).replace("τ_LJ", "τ<sub>LJ</sub>")
    return D2MIN.sub("<i>D</i>²<sub>min</sub>", shown)


def for_html(text: object) -> Markup:
    """Text that a page shows as it is, but for `commands` and D²min.

    Examples
    --------
    >>> print(for_html("<b>"), for_html("D2min")[:20])
    &lt;b&gt; <math><msubsup><mi>D
    """
    shown = re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(D2MIN.sub(MATHML, shown))
