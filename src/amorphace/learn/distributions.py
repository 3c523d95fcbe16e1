"""Distributions of a column over active and inactive sites (paper, Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from amorphace.core.errors import InputError
from amorphace.dataset.table import Columns, Table
from amorphace.learn.fit import LabelledSites, labelled_sites
from amorphace.learn.results import Curve

MOST_BINS = 40
"""Bins of a histogram at most."""


def radial_distributions(
    table: Table,
    cutoff: float,
    columns: Sequence[str] | None = None,
    *,
    n_bins: int | None = None,
) -> tuple[Curve, ...]:
    """Distributions of some columns over the labelled sites of a table.

    Parameters
    ----------
    table : Table
    cutoff : float
        Of the features, in units of sigma.
    columns : sequence of str, optional
        Names of columns, for example "A1", "B1"; the first radial column of every species when
        left out.
    n_bins : int, optional
        Bins of equal width from the smallest to the largest value; `rice_bins` when left out.

    Returns
    -------
    tuple of Curve
        A "distributions" of each column, then "thresholds" of all; see `distribution`. Last
        "magnitudes": in each sample with both labels, the share of its pairs of an active and an
        inactive site of which the inactive one has the larger magnitude.

    Raises
    ------
    InputError
        If the table is not described and labelled, holds one label only, or has no such column.
    """
    sites = labelled_sites(table, cutoff)
    names = first_radial_columns(sites.columns) if columns is None else tuple(columns)
    missing = [name for name in names if name not in sites.columns.names]
    if missing:
        raise InputError(
            f"no column {missing[0]!r} in the table; its first are "
            f"{', '.join(sites.columns.names[:3])}"
        )
    found = [
        distribution(sites.X[:, sites.columns.names.index(name)], sites.y, n_bins=n_bins)
        for name in names
    ]
    curves = [replace(curve, variant=name) for name, (curve, _) in zip(names, found, strict=True)]
    scores = {
        key: np.array([[numbers[key]] for _, numbers in found])
        for key in (found[0][1] if found else ())
    }
    if scores:
        x = np.arange(1, len(names) + 1)
        curves.append(Curve(name="thresholds", x=x, scores=scores, labels=names, of="draws"))
        curves.append(_magnitudes(sites, names))
    return tuple(replace(curve, cutoff=float(cutoff)) for curve in curves)


def _magnitudes(sites: LabelledSites, names: Sequence[str]) -> Curve:
    places = [sites.columns.names.index(name) for name in names]
    samples, shares = [], []
    for sample in np.unique(sites.groups).tolist():
        rows = sites.groups == sample
        if len(np.unique(sites.y[rows])) == 2:
            samples.append(str(sample))
            shares.append(
                [roc_auc_score(sites.y[rows] == 0, abs(sites.X[rows, k])) for k in places]
            )
    return Curve(
        name="magnitudes",
        x=np.arange(1, len(names) + 1),
        scores={"inactive_larger": np.array(shares).reshape(-1, len(names)).T},
        labels=tuple(names),
        folds=tuple(samples),
    )


def first_radial_columns(columns: Columns) -> tuple[str, ...]:
    """Names of the first radial column (n = 1) of every species of neighbour.

    Examples
    --------
    >>> first_radial_columns(Columns(names=["A1", "A2", "B1"], order=[1] * 3, z=[[0], [0], [1]],
    ...                              n=[[1], [2], [1]], l=[[0]] * 3))
    ('A1', 'B1')
    """
    radial = np.flatnonzero((columns.order == 1) & (columns.n[:, 0] == 1))
    return tuple(columns.names[k] for k in radial)


def distribution(
    values: ArrayLike, y: ArrayLike, *, n_bins: int | None = None
) -> tuple[Curve, dict[str, float]]:
    """Histograms of one column, and how well one threshold tells active from inactive.

    Parameters
    ----------
    values, y : array_like of shape (n_sites,)
        The column, and 1 active, 0 inactive: both present.
    n_bins : int, optional
        `rice_bins` of the smaller class when left out.

    Returns
    -------
    Curve
        "distributions": at the lower end of each bin the density of active and of inactive sites
        (the sum over bins of density times width is 1 for each), and the upper end ("to").
    dict of str to float
        "accuracy" of the threshold that tells the two apart best, on the same sites, and balanced:
        the mean of the shares of active and of inactive sites on their side of it; "auc", the
        probability that an active site has a larger value than an inactive one (half for equal
        ones), or a smaller value, whichever is more; "threshold", "mean_active", "mean_inactive",
        and the numbers of sites, "n_active" and "n_inactive".
    """
    x, active = np.asarray(values, dtype=np.float64), np.asarray(y) == 1
    smaller = min(int(active.sum()), int((~active).sum()))
    edges = np.histogram_bin_edges(x, rice_bins(smaller) if n_bins is None else n_bins)
    threshold, accuracy = _best_threshold(x, active)
    auc = float(roc_auc_score(active, x))
    scores = {
        "active": np.histogram(x[active], edges, density=True)[0][:, None],
        "inactive": np.histogram(x[~active], edges, density=True)[0][:, None],
        "to": edges[1:, None],
    }
    return Curve(name="distributions", x=edges[:-1], scores=scores, of="draws"), {
        "accuracy": accuracy,
        "auc": max(auc, 1 - auc),
        "threshold": threshold,
        "mean_active": float(x[active].mean()),
        "mean_inactive": float(x[~active].mean()),
        "n_active": float(active.sum()),
        "n_inactive": float((~active).sum()),
    }


def rice_bins(n: int) -> int:
    """2 n^(1/3) bins for n values (Rice's rule), at most `MOST_BINS`.

    Examples
    --------
    >>> rice_bins(150), rice_bins(100_000)
    (11, 40)
    """
    return min(MOST_BINS, max(1, round(2 * n ** (1 / 3))))


def _best_threshold(x: NDArray[np.float64], active: NDArray[np.bool_]) -> tuple[float, float]:
    """Half-way between the two values where the distribution functions differ most.

    Balanced accuracy of a threshold is 1/2 + |F_active - F_inactive|/2.
    """
    values, place = np.unique(x, return_inverse=True)
    below_active = np.cumsum(np.bincount(place[active], minlength=len(values))) / active.sum()
    below = np.cumsum(np.bincount(place[~active], minlength=len(values))) / (~active).sum()
    gap = np.abs(below_active - below)
    k = int(np.argmax(gap))
    threshold = values[k] if k + 1 == len(values) else (values[k] + values[k + 1]) / 2
    return float(threshold), float(0.5 + gap[k] / 2)
