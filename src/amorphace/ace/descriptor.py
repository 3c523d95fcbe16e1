"""The expansion as a scikit-learn transformer on sites."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from amorphace.ace.basis import Basis, build_basis
from amorphace.ace.evaluator import Evaluator
from amorphace.ace.features import Features
from amorphace.ace.radial import RadialBasis
from amorphace.core.checks import check_whole, count_threads
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.sites import Sites

DTYPES = ("float64", "float32")
BLOCK_SIZE, BLOCK_VALUES = 16384, 20_000_000
"""At most so many sites and features between two looks at Ctrl-C: a fraction of a second."""


class ACEDescriptor(TransformerMixin, BaseEstimator):
    """Atomic cluster expansion of the environments of sites (Rottler and Ortner, eqs. 1-13).

    Column k of the result has the name ``get_feature_names_out()[k]``. The species of a centre
    never enters its features: it selects which model is fitted.

    Parameters
    ----------
    cutoff : float
        r_cut, in units of sigma; may exceed the cell, whose images then count as neighbours.
    species : sequence of str
        Every label that a configuration may hold; the columns depend on this list alone.
    max_order : {1, 2, 3, 4}
        Correlation order N; the body order is N + 1.
    max_degree : float
        Orders N >= 2 take sum_t (n_t + degree_weight l_t) <= max_degree.
    n_max : int
        Order 1 takes n <= n_max.
    degree_weight : float
        w_l.
    purify : bool
        Sum over tuples of distinct neighbours (eq. 13) instead of all tuples (eq. 12).
    distance_transform : {"ace1", "paper"}
        See `RadialBasis`.
    r0 : float
        Where radial resolution is greatest, in units of sigma.
    sort : {"lexicographic", "degree"}
        Order of columns inside a correlation order.
    dtype : {"float64", "float32"}
        Of the features and of the arithmetic that makes them.
    n_jobs : int, optional
        Threads; None is 1, -1 is all processors. The result does not depend on it.

    Attributes
    ----------
    basis_ : Basis
        The integer table of the columns.
    radial_ : RadialBasis
        Distance transform and cutoff.

    Examples
    --------
    >>> from amorphace import ACEDescriptor, Configuration, Sites
    >>> glass = Configuration(positions=[[0, 0, 0], [1, 0, 0]], species=["A", "B"], cell=9.0)
    >>> ace = ACEDescriptor(cutoff=2.0, species=("A", "B"), max_order=2, max_degree=4, n_max=4)
    >>> X = ace.transform(Sites(glass, glass.species == "A"))
    >>> X.shape, bool(X[0, 0] == 0), bool(X[0, 4] < 0)  # no A nearby; B1 is negative
    ((1, 22), True, True)
    """

    def __init__(
        self,
        *,
        cutoff: float = 4.0,
        species: ArrayLike = ("A",),
        max_order: int = Features.max_order,
        max_degree: float = Features.max_degree,
        n_max: int = Features.n_max,
        degree_weight: float = Features.degree_weight,
        purify: bool = Features.purify,
        distance_transform: str = Features.distance_transform,
        r0: float = Features.r0,
        sort: str = "lexicographic",
        dtype: str = "float64",
        n_jobs: int | None = None,
    ) -> None:
        self.cutoff = cutoff
        self.species = species
        self.max_order = max_order
        self.max_degree = max_degree
        self.n_max = n_max
        self.degree_weight = degree_weight
        self.purify = purify
        self.distance_transform = distance_transform
        self.r0 = r0
        self.sort = sort
        self.dtype = dtype
        self.n_jobs = n_jobs

    def fit(self, X: Sites | None = None, y: Any = None) -> ACEDescriptor:
        """Check the settings and build the columns; nothing is learned from X.

        Raises
        ------
        InputError
            If a setting has no meaning.
        """
        self.basis_ = self._basis()
        self.radial_ = self._radial()
        return self

    def transform(
        self,
        X: Sites | Configuration | Sequence[Configuration],
        *,
        out: NDArray[Any] | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> NDArray[Any]:
        """Features of every site.

        Parameters
        ----------
        X : Sites, Configuration or sequence of Configuration
            The sites, or all particles; atoms of other packages as `Sites` takes them.
        out : ndarray or memmap of shape (n_sites, n_features), optional
            Of float64 or float32. Written in place and returned.
        progress : callable, optional
            Called with the number of sites done since the last call.

        Returns
        -------
        ndarray of shape (n_sites, n_features)

        Raises
        ------
        InputError
            If a setting has no meaning, a species is not declared, particles lie on top of each
            other, `out` cannot take the features, or the cutoff spans too many neighbours (see
            `find_neighbors`).
        AmorphaceError
            If there is not memory enough.
        """
        sites = _as_sites(X)
        shape = (len(sites), self.n_features_out)
        if out is None:
            out = np.empty(shape, dtype=self._dtype())
        else:
            _check_out(out, shape)
        size = min(BLOCK_SIZE, max(1, BLOCK_VALUES // shape[1]))
        in_place = out.dtype == self._dtype() and out.flags.c_contiguous
        for evaluator, rows in self._evaluators(sites):
            for first in range(0, len(rows), size):
                block = rows[first : first + size]
                if in_place:
                    evaluator.evaluate(sites.index[block], out, block)
                else:
                    out[block] = evaluator.evaluate(sites.index[block], self._empty(len(block)))
                if progress is not None:
                    progress(len(block))
        return out

    def iter_blocks(
        self, X: Sites | Configuration, *, block_size: int = BLOCK_SIZE
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
        """Features in blocks of sites near each other: all of them need never be in memory.

        Parameters
        ----------
        X : Sites or Configuration
        block_size : int
            Sites a block.

        Yields
        ------
        rows : ndarray of shape (n_block,)
            Rows of X.
        features : ndarray of shape (n_block, n_features)

        Raises
        ------
        InputError
            As `transform`.
        """
        sites = _as_sites(X)
        check_whole("block_size", block_size)
        for evaluator, rows in self._evaluators(sites):
            for first in range(0, len(rows), block_size):
                block = rows[first : first + block_size]
                yield block, evaluator.evaluate(sites.index[block], self._empty(len(block)))

    def _evaluators(self, sites: Sites) -> Iterator[tuple[Evaluator, NDArray[np.int64]]]:
        """One evaluator a configuration, and the rows of its sites, near ones side by side."""
        basis, radial = self._basis(), self._radial()
        n_threads = count_threads(self.n_jobs)
        for configuration, rows in sites.by_configuration():
            species = configuration.species_index(self._species())
            evaluator = Evaluator(
                basis, radial, configuration, species, purify=self.purify, n_threads=n_threads
            )
            yield evaluator, rows[evaluator.by_place(sites.index[rows])]

    def _empty(self, n_sites: int) -> NDArray[Any]:
        return np.empty((n_sites, self.n_features_out), dtype=self._dtype())

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Column names, shape (n_features,): A1, A2, ..., A1·B2 l=3, ..."""
        return np.array(self._basis().names(self._species()), dtype=object)

    @property
    def n_features_out(self) -> int:
        """Number of columns."""
        return len(self._basis())

    def _species(self) -> tuple[str, ...]:
        given: Any = self.species
        ordered = isinstance(given, (list, tuple, np.ndarray)) and np.ndim(given) == 1
        if not (ordered and all(isinstance(label, str) for label in given)):
            raise InputError(
                "species must be a list of labels, whose order is that of the columns, for example "
                f"('A', 'B'); got {given!r}"
            )
        species = tuple(str(label) for label in given)
        if len(set(species)) != len(species):
            raise InputError(f"species must differ, got {', '.join(species)}")
        return species

    def _basis(self) -> Basis:
        return build_basis(
            len(self._species()),
            self.max_order,
            self.max_degree,
            self.n_max,
            self.degree_weight,
            self.sort,
        )

    def _radial(self) -> RadialBasis:
        return RadialBasis(self.cutoff, self.distance_transform, self.r0)

    def _dtype(self) -> np.dtype[Any]:
        try:
            dtype = np.dtype(self.dtype)
        except TypeError:
            dtype = None
        if dtype is None or dtype.name not in DTYPES:
            raise InputError(f"dtype must be 'float64' or 'float32', got {self.dtype!r}")
        return dtype

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        return tags


def _check_out(out: Any, shape: tuple[int, int]) -> None:
    """Raise InputError where an array of the caller cannot take the features."""
    if not isinstance(out, np.ndarray):
        got = type(out).__name__
    elif out.shape != shape:
        got = f"shape {out.shape}"
    elif out.dtype.name not in DTYPES:
        got = f"dtype {out.dtype}"
    elif not out.flags.writeable:
        got = "a read-only array"
    else:
        return
    raise InputError(
        f"out must be a writable array of float64 or float32 and shape {shape}, got {got}"
    )


def _as_sites(X: Sites | Configuration | Sequence[Configuration]) -> Sites:
    if isinstance(X, Sites):
        return X
    each = [X] if isinstance(X, Configuration) or not isinstance(X, Sequence) else X
    return Sites.concatenate(Sites(configuration) for configuration in each)
