"""A fitted linear classifier, kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from amorphace.core.codec import decode, encode
from amorphace.core.display import html_table
from amorphace.core.errors import InputError
from amorphace.core.records import read_document, write_json
from amorphace.dataset.table import json_value
from amorphace.learn.leverage import Leverage, without_triangle
from amorphace.learn.worth import Score

FORMAT = "amorphace linear classifier"
FORMAT_VERSION = 1
AGAIN = "fit again"
ARRAYS = ("weights", "mean", "scale")
SHOWN = 20
"""Features that a notebook shows."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearModel:
    """P(active) = sigma(weights . B + intercept) (eq. 11).

    Parameters
    ----------
    names : sequence of str of length n_columns
        Which features the weights belong to, in order.
    weights : array_like of shape (n_columns,)
        In raw units of the features; times `scale`, of the standardised features.
    intercept : float
    mean, scale : array_like of shape (n_columns,)
        Mean and standard deviation of the features the model was fitted to.
    strength : float
        Of the Tikhonov regularisation.
    settings : mapping of str to JSON value
        The descriptor's.
    version : str
        Of amorphace.
    centres : sequence of str
        Species of the sites the model was fitted to; () when not known.
    leverage : Leverage, optional
        Says how far a site is from those the model was fitted to.
    scores : tuple of Score
        What it is worth on samples that it has not seen, where that is known.

    Raises
    ------
    InputError
        If lengths differ, a number is not finite, or `settings` is not JSON.

    Examples
    --------
    >>> model = LinearModel(names=["A1"], weights=[2.0], intercept=1.0, mean=[-0.5], scale=[1.0],
    ...                     strength=1.0, settings={"cutoff": 4.0}, version="0.1.0")
    >>> model.predict_proba([[-0.5]])
    array([[0.5, 0.5]])
    """

    names: tuple[str, ...]
    weights: NDArray[np.float64]
    intercept: float
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    strength: float
    settings: Mapping[str, Any]
    version: str
    centres: tuple[str, ...] = ()
    leverage: Leverage | None = None
    scores: tuple[Score, ...] = ()

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.names)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "centres", tuple(str(label) for label in self.centres))
        for field in ARRAYS:
            array = np.array(getattr(self, field), dtype=np.float64)
            if array.shape != (len(names),):
                raise InputError(f"{field} must have shape ({len(names)},), got {array.shape}")
            array.setflags(write=False)
            object.__setattr__(self, field, array)
        for field in (*ARRAYS, "intercept", "strength"):
            if not np.isfinite(getattr(self, field)).all():
                raise InputError(f"{field} must be finite")
        if self.leverage is not None:
            self.leverage.check(len(names))
        object.__setattr__(self, "settings", json_value(dict(self.settings), "settings"))

    def __repr__(self) -> str:
        first, last = (self.names[0], self.names[-1]) if self.names else ("", "")
        cutoff, kinds = self.settings.get("cutoff"), ", ".join(self.centres)
        return (
            f"LinearModel({len(self.names)} features {first} ... {last}, cutoff {cutoff}, "
            f"strength {self.strength:g}, of {kinds or 'the majority'})"
        )

    def _repr_html_(self) -> str:
        weight = self.weights * self.scale
        order = np.argsort(-abs(weight), kind="stable")[:SHOWN]
        rows = [(self.names[k], f"{weight[k]:+.3f}") for k in order]
        return html_table(("feature", "log-odds per standard deviation"), rows, repr(self))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Log-odds of being active, weights . B + intercept, shape (n_sites,).

        Parameters
        ----------
        X : array_like of shape (n_sites, n_columns)

        Raises
        ------
        InputError
            If X has another number of columns than the model.
        """
        B = np.asarray(X)
        if B.ndim != 2 or B.shape[1] != len(self.names):
            raise InputError(
                f"the model needs features of shape (n_sites, {len(self.names)}), got {B.shape}; "
                "describe the sites with the settings of the model"
            )
        return B @ self.weights + self.intercept

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities of being inactive and active, shape (n_sites, 2), as in scikit-learn."""
        f = self.decision_function(X)
        return np.column_stack([expit(-f), expit(f)])

    def rigidity(self, X: ArrayLike) -> NDArray[np.float64]:
        """Local prediction rigidity 1/h of sites, shape (n_sites,): large where a score is firm.

        h = z (Z^T Z + strength)^-1 z^T, z the standardised features and Z those of the training
        sites: to change the score of a site by a little costs the fit the more, the more rigid
        it is. NaN where the model does not know its training sites.

        Parameters
        ----------
        X : array_like of shape (n_sites, n_columns)

        References
        ----------
        S. Chong, F. Grasselli, C. Ben Mahmoud, J. D. Morrow, V. L. Deringer and M. Ceriotti,
        J. Chem. Theory Comput. 19, 8020 (2023).
        """
        B = np.asarray(X)
        if self.leverage is None:
            return np.full(len(B), np.nan)
        unit = np.divide(1, self.scale, out=np.zeros(len(self.names)), where=self.scale > 0)
        with np.errstate(divide="ignore"):  # a site at the mean of all is infinitely firm
            return 1 / self.leverage.values((B - self.mean) * unit)

    def to_json(self, path: str | Path) -> None:
        """Write the model; the file appears whole or not at all."""
        write_json(path, {"format": FORMAT, "format_version": FORMAT_VERSION} | encode(self))

    @classmethod
    def from_json(cls, path: str | Path) -> LinearModel:
        """Read a model.

        Raises
        ------
        FileFormatError
            If the file is missing, is not JSON, or is not such a model.
        """
        fields = read_document(
            path, what="a model", name=FORMAT, version=FORMAT_VERSION, again=AGAIN
        )
        return decode(cls, without_triangle(fields, source=path), source=path, again=AGAIN)
