"""How far sites are from those that a model learned from, in a few numbers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import FileFormatError, InputError

MOST = 200
"""Directions that are kept one by one."""

SMALL = 10_000
"""Up to so many numbers, directions are kept in single precision, beyond in half precision."""


@dataclass(frozen=True, eq=False)
class Leverage:
    """h = z (Z^T Z + strength)^-1 z^T, z a site and Z the training sites in standardised columns.

    In the principal directions v of Z, of variance s, h is the sum of (z . v)^2/(s + strength).
    The directions of the largest s are kept; what of z lies outside of them counts with one
    weight, by which the sum of h over the training sites is exact.

    Attributes
    ----------
    directions : str
        Base64 of little-endian floats of 4 or 2 bytes, shape (n_directions, n_columns).
    weights : ndarray of shape (n_directions + 1,)
        1/(s + strength) of each direction, and the weight of all others.
    largest : float
        h of the training sites at most.
    """

    directions: str
    weights: NDArray[np.float64]
    largest: float

    @classmethod
    def of(cls, Z: NDArray[np.float64], strength: float) -> Leverage:
        """From the standardised columns of the training sites."""
        leverage = cls._kept(*np.linalg.eigh(Z.T @ Z), strength)
        return replace(leverage, largest=float(leverage.values(Z).max()))

    @classmethod
    def of_inverse(cls, inverse: NDArray[np.float64], strength: float, largest: float) -> Leverage:
        """From the matrix (Z^T Z + strength)^-1, shape (n_columns, n_columns)."""
        weights, V = np.linalg.eigh(inverse)
        return replace(cls._kept(1 / weights - strength, V, strength), largest=largest)

    @classmethod
    def _kept(
        cls, variances: NDArray[np.float64], V: NDArray[np.float64], strength: float
    ) -> Leverage:
        """From the principal directions, one a column."""
        order = np.argsort(-variances, kind="stable")
        s, n = np.maximum(variances[order], 0), min(MOST, len(order))
        weights, rest = 1 / (s + strength), s[n:].sum()
        others = weights[n:] @ s[n:] / rest if rest > 0 else 1 / strength
        dtype = "<f4" if n * len(V) <= SMALL else "<f2"
        directions = np.ascontiguousarray(V[:, order[:n]].T, dtype=dtype)
        text = base64.b64encode(directions.tobytes()).decode("ascii")
        return cls(text, np.append(weights[:n], others), 1.0)

    def values(self, Z: NDArray[np.float64]) -> NDArray[np.float64]:
        """h of sites, shape (n_sites,), from their standardised columns."""
        V = self._matrix(Z.shape[1])
        inside = Z @ V.T
        outside = Z - inside @ V
        kept, others = self.weights[:-1], self.weights[-1]
        return inside**2 @ kept + others * np.einsum("ik,ik->i", outside, outside)

    def check(self, n_columns: int) -> None:
        """Raise `InputError` where it is not for so many columns."""
        self._matrix(n_columns)

    def _matrix(self, n_columns: int) -> NDArray[np.float64]:
        size = (len(self.weights) - 1) * n_columns
        try:
            content = base64.b64decode(self.directions, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InputError(f"leverage.directions must be base64 ({error})") from None
        if not size or len(content) not in (2 * size, 4 * size):
            raise InputError(
                f"leverage.directions must hold {len(self.weights) - 1} x {n_columns} floats of 4 "
                f"or 2 bytes, got {len(content)} bytes"
            )
        V = np.frombuffer(content, dtype=f"<f{len(content) // size}").astype(np.float64)
        if not (np.isfinite(V).all() and np.isfinite(self.weights).all()):
            raise InputError("leverage.directions and leverage.weights must be finite")
        return V.reshape(-1, n_columns)


def without_triangle(model: Any, *, source: str | Path) -> Any:
    """The fields of a model, where its leverage may be the lower triangle of the inverse.

    Such a one ("inverse", row by row, with "largest") is what files of format version 1 may hold.

    Raises
    ------
    FileFormatError
        If it is no such triangle.
    """
    leverage = model.get("leverage") if isinstance(model, Mapping) else None
    if not isinstance(leverage, Mapping) or "inverse" not in leverage:
        return model
    n = len(model.get("names", ()))
    try:
        triangle = np.array(leverage["inverse"], dtype=np.float64)
        full = np.zeros((n, n))
        full[np.tril_indices(n)] = triangle
        found = Leverage.of_inverse(
            full + np.tril(full, -1).T, float(model["strength"]), float(leverage["largest"])
        )
    except (KeyError, TypeError, ValueError, np.linalg.LinAlgError) as error:
        wanted = f"the {n * (n + 1) // 2} numbers of a lower triangle"
        raise FileFormatError(source, f"leverage.inverse must be {wanted} ({error})") from None
    return {
        **model,
        "leverage": {
            "directions": found.directions,
            "weights": found.weights.tolist(),
            "largest": found.largest,
        },
    }
