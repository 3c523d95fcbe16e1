"""The features of a site: the words of `ACEDescriptor`, for several cutoffs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from amorphace.ace.basis import build_basis
from amorphace.ace.radial import RadialBasis
from amorphace.core.checks import Limits, check_fields
from amorphace.core.errors import InputError

if TYPE_CHECKING:
    from amorphace.ace.descriptor import ACEDescriptor


@dataclass(frozen=True, kw_only=True)
class Features:
    """The words of `ACEDescriptor`, for several cutoffs; an InputError beyond their limits."""

    cutoffs: tuple[Annotated[float, Limits(above=0)], ...] = (2.0, 2.5, 3.0, 4.0)
    """In sigma."""
    max_order: Annotated[int, Limits(least=1, most=4)] = 3
    """Correlation order: body order less one."""
    max_degree: Annotated[int, Limits(least=1, most=60)] = 10
    """Of the columns of order 2 and more."""
    n_max: Annotated[int, Limits(least=1, most=60)] = 10
    """Radial columns of each species."""
    degree_weight: Annotated[float, Limits(least=0.5, most=100)] = 1.5
    """Of l in the degree."""
    purify: bool = True
    """Sum over distinct neighbours only."""
    distance_transform: Literal["ace1", "paper"] = "ace1"
    """What the authors' program computes, or the printed formula."""
    r0: Annotated[float, Limits(above=0)] = 1.0
    """Where the distance transform resolves best, in sigma."""
    dtype: Literal["float32", "float64"] = "float32"
    """Of the features in the table."""

    def __post_init__(self) -> None:
        check_fields(self)
        Limits(least=1, most=50).check("the number of cutoffs", len(self.cutoffs))
        if len(set(self.cutoffs)) < len(self.cutoffs):
            raise InputError(f"cutoffs must differ, got {', '.join(map(repr, self.cutoffs))}")

    def check(self, n_species: int) -> None:
        """An InputError where there is no such basis, or it is too large."""
        self.n_columns(n_species)
        for cutoff in self.cutoffs:
            RadialBasis(cutoff, self.distance_transform, self.r0)

    def descriptors(
        self, species: Sequence[str], *, n_jobs: int = 1, sort: str = "lexicographic"
    ) -> list[ACEDescriptor]:
        """A descriptor for each cutoff."""
        from amorphace.ace.descriptor import ACEDescriptor  # with all of scikit-learn

        return [
            ACEDescriptor(
                cutoff=cutoff,
                species=tuple(species),
                max_order=self.max_order,
                max_degree=self.max_degree,
                n_max=self.n_max,
                degree_weight=self.degree_weight,
                purify=self.purify,
                distance_transform=self.distance_transform,
                r0=self.r0,
                sort=sort,
                dtype=self.dtype,
                n_jobs=n_jobs,
            ).fit()
            for cutoff in self.cutoffs
        ]

    def n_columns(self, n_species: int) -> int:
        """Columns of one cutoff; an InputError if there are too many."""
        return len(
            build_basis(n_species, self.max_order, self.max_degree, self.n_max, self.degree_weight)
        )

    @property
    def itemsize(self) -> int:
        """Bytes of a feature."""
        return np.dtype(self.dtype).itemsize
