"""Which particles of which configurations are described: the rows of a feature matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.bridges import as_configuration
from amorphace.core.checks import chosen_rows
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError


class Sites:
    """A list of sites, in one or several configurations, that behaves as scikit-learn's X.

    Parameters
    ----------
    configuration : Configuration
        Or what `as_configuration` takes: atoms of ASE, OVITO's data, atoms of MDAnalysis.
    where : array_like, optional
        A mask of shape (n_particles,) or particle indices; all particles when left out.

    Attributes
    ----------
    configurations : tuple of Configuration
    sample : ndarray of shape (n_sites,)
        Which configuration each site is in: the groups of a grouped cross-validation.
    index : ndarray of shape (n_sites,)
        Row of each site in its configuration. Both are read-only.

    Raises
    ------
    InputError
        If `where` is neither a mask of the right length nor a list of indices of particles.

    Examples
    --------
    >>> glass = Configuration(positions=np.eye(3), species=["A", "A", "B"], cell=4.0)
    >>> sites = Sites(glass, glass.species == "A")
    >>> sites.shape, np.concatenate([sites, Sites(glass)]).shape
    ((2,), (5,))
    """

    configurations: tuple[Configuration, ...]
    sample: NDArray[np.int64]
    index: NDArray[np.int64]

    def __init__(self, configuration: Configuration, where: ArrayLike | None = None) -> None:
        configuration = as_configuration(configuration)
        n = len(configuration)
        chosen = np.arange(n) if where is None else chosen_rows(where, n, "particle", least=-n)
        self._set((configuration,), np.zeros(len(chosen), dtype=np.int64), chosen % max(n, 1))

    def _set(
        self,
        configurations: tuple[Configuration, ...],
        sample: NDArray[np.int64],
        index: NDArray[np.int64],
    ) -> Sites:
        self.configurations = configurations
        self.sample = sample.astype(np.int64)
        self.index = index.astype(np.int64)
        self._freeze()
        return self

    def _freeze(self) -> None:
        self.sample.setflags(write=False)
        self.index.setflags(write=False)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Copies in other processes are as frozen as the original."""
        self.__dict__.update(state)
        self._freeze()

    @classmethod
    def concatenate(cls, parts: Iterable[Sites]) -> Sites:
        """All sites of the parts, in order; configurations that are shared stay shared."""
        parts = list(parts)
        known = {id(c): c for part in parts for c in part.configurations}
        if not known:
            raise InputError("no sites to concatenate")
        place = {key: k for k, key in enumerate(known)}
        sample = [np.array([place[id(c)] for c in p.configurations])[p.sample] for p in parts]
        index = np.concatenate([part.index for part in parts])
        return cls.__new__(cls)._set(tuple(known.values()), np.concatenate(sample), index)

    @property
    def shape(self) -> tuple[int]:
        """(n_sites,)"""
        return (len(self.index),)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Particle ids, shape (n_sites,)."""
        return self._gather([c.ids for c in self.configurations])

    @property
    def species(self) -> NDArray[np.str_]:
        """Species labels, shape (n_sites,)."""
        return self._gather([c.species for c in self.configurations])

    def _gather(self, columns: list[NDArray[Any]]) -> NDArray[Any]:
        offset = np.cumsum([0, *map(len, columns)])[:-1]
        return np.concatenate(columns)[offset[self.sample] + self.index]

    def by_configuration(self) -> Iterator[tuple[Configuration, NDArray[np.int64]]]:
        """Each configuration that holds sites, with the rows (in this object) of its sites."""
        order = np.argsort(self.sample, kind="stable")
        ends = np.flatnonzero(np.diff(self.sample[order])) + 1
        for rows in np.split(order, ends) if len(self) else ():
            yield self.configurations[self.sample[rows[0]]], rows

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, key: Any) -> Sites:
        """Some of the sites: an index, a slice, a mask or a list of indices."""
        if isinstance(key, tuple):
            if len(key) != 2 or key[1] is not Ellipsis:
                raise IndexError("Sites has one axis")
            key = key[0]
        if not isinstance(key, slice):
            key = np.atleast_1d(key)
            key = key.astype(np.int64) if key.size == 0 else key
        chosen = type(self).__new__(type(self))
        return chosen._set(self.configurations, self.sample[key], self.index[key])

    def __add__(self, other: Sites) -> Sites:
        return self.concatenate([self, other])

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.concatenate and not kwargs and len(args) == 1:
            return self.concatenate(args[0])
        return NotImplemented

    def __repr__(self) -> str:
        return f"Sites({len(self)} sites in {len(self.configurations)} configurations)"
