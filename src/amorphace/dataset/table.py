"""Labelled and described sites: one row a site, the same schema in memory and on disk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.checks import chosen_rows
from amorphace.core.display import html_table
from amorphace.core.errors import InputError
from amorphace.dataset.checked import changes, frozen, read_only_view

if TYPE_CHECKING:
    from pandas import DataFrame  # pyright: ignore[reportMissingImports]

    from amorphace.dataset.arrays import StoredArray

Features: TypeAlias = "NDArray[np.floating[Any]] | StoredArray"
"""A feature matrix in memory, or one on disk that is read row by row."""

SITE_FIELDS = ("sample", "particle_id", "species", "step", "label")
"""The columns that every table has."""

ACTIVE, INACTIVE, NOT_SELECTED = 1, 0, -1
"""The three values of `Table.label`."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Columns:
    """What the columns of a feature matrix are: a name and a row of channels each.

    Parameters
    ----------
    names : sequence of str of length n_columns
    order : array_like of int of shape (n_columns,)
        Correlation order N; the body order is N + 1.
    z, n, l : array_like of int of shape (n_columns, max_order)
        Species index, radial index (from 1) and angular momentum of every channel; -1 where
        unused.

    Raises
    ------
    InputError
        If the lengths differ.

    Examples
    --------
    >>> c = Columns(names=["A1", "B1", "A1·A1 l=0"], order=[1, 1, 2], z=[[0, -1], [1, -1], [0, 0]],
    ...             n=[[1, -1], [1, -1], [1, 1]], l=[[0, -1], [0, -1], [0, 0]])
    >>> len(c), c.order_starts(), c.species_starts()
    (3, {1: 0, 2: 2}, (0, 1))
    """

    names: tuple[str, ...]
    order: NDArray[np.int64]
    z: NDArray[np.int64]
    n: NDArray[np.int64]
    l: NDArray[np.int64]

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.names)
        order = frozen(self.order, np.int64, (len(names),), "order of the columns")
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "order", order)
        width = np.shape(self.z)[-1] if np.ndim(self.z) == 2 else 0
        for name in ("z", "n", "l"):
            shape = (len(names), width)
            value = frozen(getattr(self, name), np.int64, shape, f"{name} of the columns")
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        few = ", ".join(self.names[:3])
        return f"Columns({len(self)}: {few}{', ...' if len(self) > 3 else ''})"

    def order_starts(self) -> dict[int, int]:
        """Index of the first column of every correlation order, in the order of the columns."""
        return {int(self.order[k]): int(k) for k in changes(self.order)}

    def species_starts(self) -> tuple[int, ...]:
        """Indices of the radial (order 1) columns at which the neighbour's species changes.

        The first radial column is one of them; no radial columns give ().
        """
        radial = np.flatnonzero(self.order == 1)
        return tuple(int(radial[k]) for k in changes(self.z[radial, 0])) if len(radial) else ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """Sites with their labels, measured targets and features.

    Parameters
    ----------
    sample : array_like of int of shape (n_sites,)
        Index into `sample_names`: the groups of a grouped cross-validation.
    particle_id : array_like of int of shape (n_sites,)
    species : sequence of str of length n_sites
        Labels of the central particles.
    step : array_like of int of shape (n_sites,)
        Time step of the configuration the site is in; 0 when left out.
    label : array_like of int of shape (n_sites,)
        1 active, 0 inactive, -1 not selected; -1 when left out.
    targets : mapping of str to array_like of shape (n_sites,)
        Measured quantities, for example "d2min" (in units of sigma^2) and "propensity". The
        names are made of letters, digits, "_", "-" and ".".
    features : mapping of float to ndarray or StoredArray of shape (n_sites, n_columns)
        By cutoff (in units of sigma); arrays on disk stay there until rows are asked for.
    columns : Columns, optional
        What the columns of `features` are; None without features.
    positions : array_like of shape (n_sites, 3), optional
        Where the sites were when they were labelled, in units of sigma: by these, configurations
        that are given later are recognised. Kept in single precision.
    sample_names : sequence of str
    provenance : mapping
        Where the table comes from: JSON values only.

    Raises
    ------
    InputError
        If lengths differ, a label or sample index is out of range, or provenance is not JSON.

    Examples
    --------
    >>> t = Table(sample=[0, 0, 1], particle_id=[4, 7, 4], species=["A", "B", "A"],
    ...           label=[1, -1, 0], sample_names=["one", "two"])
    >>> len(t), t.labelled().particle_id.tolist()
    (3, [4, 4])
    """

    sample: NDArray[np.int64]
    particle_id: NDArray[np.int64]
    species: NDArray[np.str_]
    step: NDArray[np.int64] = field(default=None)  # type: ignore[assignment]
    label: NDArray[np.int8] = field(default=None)  # type: ignore[assignment]
    targets: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    features: Mapping[float, Features] = field(default_factory=dict)
    columns: Columns | None = None
    positions: NDArray[np.float32] | None = None
    sample_names: tuple[str, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(np.atleast_1d(self.sample))
        step = np.zeros(n) if self.step is None else self.step
        label = np.full(n, NOT_SELECTED) if self.label is None else self.label
        for name, value, dtype in (
            ("sample", self.sample, np.int64),
            ("particle_id", self.particle_id, np.int64),
            ("species", self.species, np.str_),
            ("step", step, np.int64),
            ("label", label, np.int8),
        ):
            object.__setattr__(self, name, frozen(value, dtype, (n,), name))
        for name in self.targets:
            check_target_name(name)
        targets = {
            name: frozen(value, np.float64, (n,), f"target {name!r}")
            for name, value in self.targets.items()
        }
        object.__setattr__(self, "targets", targets)
        if self.positions is not None:
            places = frozen(self.positions, np.float32, (n, 3), "positions")
            object.__setattr__(self, "positions", places)
        object.__setattr__(self, "sample_names", tuple(str(s) for s in self.sample_names))
        if not isinstance(self.provenance, Mapping):
            raise InputError(f"provenance must be a mapping, got {self.provenance!r}")
        object.__setattr__(self, "provenance", json_value(dict(self.provenance), "provenance"))
        self._check_values()
        self._set_features(n)

    def _check_values(self) -> None:
        bad = self.label[~np.isin(self.label, (ACTIVE, INACTIVE, NOT_SELECTED))]
        if len(bad):
            raise InputError(
                f"label must be 1 (active), 0 (inactive) or -1 (neither), got {bad[0]}"
            )
        known = len(self.sample_names)
        outside = (self.sample < 0) | (self.sample >= known)
        if outside.any():
            raise InputError(
                f"sample {self.sample[outside][0]} has no name: sample_names holds {known} names"
            )

    def _set_features(self, n: int) -> None:
        if self.features and self.columns is None:
            raise InputError("a table with features needs `columns`, which say what they are")
        features: dict[float, Features] = {}
        for cutoff, value in self.features.items():
            expected = (n, len(self.columns or ()))
            array = value if hasattr(value, "chunks") else read_only_view(value)
            if array.shape != expected:
                raise InputError(
                    f"features of cutoff {cutoff} must have shape {expected} (sites, columns), "
                    f"got {array.shape}"
                )
            features[float(cutoff)] = array
        object.__setattr__(self, "features", features)

    def __len__(self) -> int:
        return len(self.sample)

    def __repr__(self) -> str:
        active, inactive = (int((self.label == k).sum()) for k in (ACTIVE, INACTIVE))
        cutoffs = ", ".join(f"{c:g}" for c in self.features) or "none"
        return (
            f"Table({len(self)} sites in {len(self.sample_names)} samples: {active} active, "
            f"{inactive} inactive; feature cutoffs: {cutoffs})"
        )

    def _repr_html_(self) -> str:
        rows = []
        for k, name in enumerate(self.sample_names):
            label = self.label[self.sample == k]
            rows.append((name, len(label), (label == ACTIVE).sum(), (label == INACTIVE).sum()))
        return html_table(("sample", "sites", "active", "inactive"), rows, repr(self))

    @property
    def cutoffs(self) -> tuple[float, ...]:
        """Cutoffs for which there are features, in units of sigma."""
        return tuple(self.features)

    def feature_rows(
        self, cutoff: float, rows: NDArray[Any] | slice = slice(None)
    ) -> NDArray[np.floating[Any]]:
        """Features of some rows in memory, shape (n_rows, n_columns).

        Parameters
        ----------
        cutoff : float
            In units of sigma.
        rows : ndarray or slice
            A mask of shape (n_sites,), indices, or a slice; all rows when left out.

        Raises
        ------
        InputError
            If the table holds no features of that cutoff.
        """
        if float(cutoff) not in self.features:
            have = ", ".join(f"{c:g}" for c in self.features) or "none"
            raise InputError(f"no features of cutoff {cutoff:g} in the table; there are: {have}")
        return self.features[float(cutoff)][rows]

    def feature_blocks(
        self, cutoff: float, size: int = 4096
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """All features of a cutoff in order, at most `size` rows at a time."""
        for start in range(0, len(self), size):
            yield self.feature_rows(cutoff, slice(start, start + size))

    def take(self, rows: ArrayLike) -> Table:
        """The table of some rows, its features in memory.

        Parameters
        ----------
        rows : array_like
            A mask of shape (n_sites,) or indices from 0; they may repeat.

        Raises
        ------
        InputError
            If the mask has another length or an index lies outside the table.
        """
        index = chosen_rows(rows, len(self), "row")
        return replace(
            self,
            **{name: getattr(self, name)[index] for name in SITE_FIELDS},
            targets={name: value[index] for name, value in self.targets.items()},
            positions=None if self.positions is None else self.positions[index],
            features={cutoff: self.feature_rows(cutoff, index) for cutoff in self.features},
        )

    def without_features(self) -> Table:
        """The same sites with their labels and targets only."""
        return replace(self, features={}, columns=None)

    def labelled(self) -> Table:
        """The active and inactive sites only."""
        return self.take(self.label != NOT_SELECTED)

    def to_pandas(self, cutoff: float | None = None) -> DataFrame:
        """A pandas.DataFrame with a row a site; see `amorphace.dataset.export.to_pandas`.

        Parameters
        ----------
        cutoff : float, optional
            Whose features become columns too, under their names; none when left out.
        """
        from amorphace.dataset.export import to_pandas

        return to_pandas(self, cutoff=cutoff)


def check_target_name(name: str) -> None:
    """A target's name is a name of a file and of a field.

    Raises
    ------
    InputError
        Otherwise.
    """
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise InputError(f"target name {name!r}: use letters, digits, '_', '-' and '.' only")


def json_value(value: Any, what: str) -> Any:
    """The value as JSON gives it back (tuples as lists).

    Raises
    ------
    InputError
        If it holds something that JSON cannot: an array, a NaN, an object.
    """
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{what} must hold JSON values only (str, finite numbers, bool, lists, "
            f"dicts with str keys): {error}"
        ) from None
