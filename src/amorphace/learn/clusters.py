"""What a fitted linear model has learned: its cluster functions, and what each part contributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, kw_only=True)
class ClusterCurve:
    """A cluster function along one distance, for every model.

    Attributes
    ----------
    species : tuple of str
        Of the neighbours: one for v1, three for v3.
    r : ndarray of shape (n_r,)
        In units of sigma.
    v : ndarray of shape (n_models, n_r)
        In log-odds.
    """

    species: tuple[str, ...]
    r: NDArray[np.float64]
    v: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the models, shape (n_r,)."""
        return self.v.mean(axis=0)

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation between the models, shape (n_r,); zero for a single model."""
        return self.v.std(axis=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class ClusterMap:
    """v2 over two of its three variables, for every model.

    Attributes
    ----------
    species : tuple of str
        Of the two neighbours.
    x, y : ndarray of shape (n_x,), (n_y,)
        r1 and r2 (in units of sigma), or r and the angle (in degrees).
    v : ndarray of shape (n_models, n_x, n_y)
        In log-odds.
    """

    species: tuple[str, ...]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    v: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the models, shape (n_x, n_y)."""
        return self.v.mean(axis=0)

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation between the models, shape (n_x, n_y); zero for a single model."""
        return self.v.std(axis=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class ClusterFunctions:
    """v1, v2 and v3 of models fitted on the folds of one data set.

    Attributes
    ----------
    cutoff : float
        In units of sigma.
    n_models : int
    angle : float
        Between the two neighbours of `v2_distance`, in degrees.
    triple_angle : float
        Between any two of the three neighbours of `v3`, in degrees.
    v1 : tuple of ClusterCurve
        v1(r; z), one for each species.
    v2_distance : tuple of ClusterMap
        v2(r1, r2) at the fixed angle, one for each pair of species.
    v2_angle : tuple of ClusterMap
        v2(r, r, angle), one for each pair of species.
    v3 : tuple of ClusterCurve
        v3(r, r, r) at the fixed angle, one for each three species.

    v2 and v3 are () where the models have no columns of that order.
    """

    cutoff: float
    n_models: int
    angle: float
    triple_angle: float
    v1: tuple[ClusterCurve, ...]
    v2_distance: tuple[ClusterMap, ...]
    v2_angle: tuple[ClusterMap, ...]
    v3: tuple[ClusterCurve, ...]

    def to_dict(self) -> dict[str, Any]:
        """Numbers and lists only, as JSON holds them."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> ClusterFunctions:
        """What `to_dict` gave."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, kw_only=True)
class Contributions:
    """What each part of a model adds to the log-odds of the sites of a table.

    A part is all columns of one order (`species` is ()), or of one order and one set of species
    of the neighbours.

    Attributes
    ----------
    names : tuple of str of length n_parts
        "order 1", "order 1: A", ....
    order : tuple of int of length n_parts
        Correlation order N; the body order is N + 1.
    species : tuple of tuple of str of length n_parts
        Of the neighbours, sorted; () for a whole order.
    variance : ndarray of shape (n_parts, n_models)
        Of the sum of theta_k B_k over the columns of the part.
    mean_abs : ndarray of shape (n_parts, n_models)
        Mean magnitude of its deviation from the mean.
    share : ndarray of shape (n_parts, n_models)
        Covariance with the log-odds over the variance of the log-odds: the shares of all orders
        add up to 1, and so do those of all parts with species. May be negative.
    """

    names: tuple[str, ...]
    order: tuple[int, ...]
    species: tuple[tuple[str, ...], ...]
    variance: NDArray[np.float64]
    mean_abs: NDArray[np.float64]
    share: NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Numbers and lists only, as JSON holds them."""
        raise NotImplementedError

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Contributions:
        """What `to_dict` gave."""
        raise NotImplementedError
