"""Species labels: from what a file says of a particle to "A", "B", ... and back to types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray

from amorphace.core.errors import InputError
from amorphace.io.frames import Fail


def declared_species(species: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """The labels a caller declares, in the order of types 1, 2, ...; None for none.

    Raises
    ------
    InputError
        If a label is not a non-empty string or stands twice.
    """
    if species is None:
        return None
    if isinstance(species, str):
        labels: tuple[str, ...] = (species,)
    else:
        labels = tuple(species) if isinstance(species, Iterable) else ()
    if not labels or not all(isinstance(k, str) and k for k in labels):
        raise InputError(f'species must be labels such as ("A", "B"), got {species!r}')
    if len(set(labels)) < len(labels):
        raise InputError(f"species must differ, got {labels}")
    return labels


def particle_labels(
    n: int,
    species: tuple[str, ...] | None,
    *,
    types: NDArray[np.int64] | None = None,
    names: NDArray[np.str_] | None = None,
    fail: Fail,
) -> NDArray[np.str_]:
    """The species label of every particle of a frame, shape (n,).

    Names in the file are the labels if every one is declared, or nothing is. Otherwise types 1, 2,
    ... stand for the declared labels in order, and for "A", "B", ... if nothing is declared. Names
    that two types share (LAMMPS calls every type C until told otherwise) tell nothing, and types
    decide. With neither names nor types, every particle is the one species declared, or "A".

    Parameters
    ----------
    n : int
        Number of particles.
    species : tuple of str or None
        Declared labels, from `declared_species`.
    types : ndarray of int of shape (n,), optional
    names : ndarray of str of shape (n,), optional
    fail : callable
        Makes the error from a message and a row.

    Raises
    ------
    FileFormatError
        As made by `fail`: if a type or a name is beyond the declared species, if names and types
        contradict each other, or if several species are declared and the file tells none.
    """
    if names is not None and (types is None or _one_name_one_type(types, names)):
        unknown = _first_outside(names, species)
        if unknown is None:
            return names
        if types is None:
            raise fail(
                f"species {str(names[unknown])!r} is not declared: the declared species are "
                f"{_quoted(species or ())}; declare every species of the file, or none",
                unknown,
            )
    if types is not None:
        if names is not None and species is None:
            raise fail(
                "two types have the same element; say what types 1, 2, ... are with species "
                "(--species A,B)",
                None,
            )
        return _labels_of_types(types, species, fail)
    if species is not None and len(species) > 1:
        raise fail(
            f"species {_quoted(species)} are declared, but the file says of no particle which "
            "it is; declare one species, or write the file with a type or an element column",
            None,
        )
    return np.full(n, species[0] if species else "A")


def type_numbers(known: Sequence[str], labels: NDArray[np.str_]) -> tuple[str, ...]:
    """The labels that types 1, 2, ... stand for, after a frame of `labels` is added to `known`.

    Known labels keep their types; new ones follow in sorted order.

    Examples
    --------
    >>> type_numbers((), np.array(["B", "A", "B"]))
    ('A', 'B')
    >>> type_numbers(("B",), np.array(["A", "B"]))
    ('B', 'A')
    """
    return (*known, *sorted(set(labels.tolist()).difference(known)))


def check_words(labels: Iterable[str], path: object) -> None:
    """Labels must be single words to stand in a column of text.

    Raises
    ------
    InputError
        If a label is empty or holds white space.
    """
    for label in labels:
        if label.split() != [label]:
            raise InputError(
                f"{path}: the species label {label!r} is not one word and cannot stand in a text "
                "file; rename it, or write .npz"
            )


def _one_name_one_type(types: NDArray[np.int64], names: NDArray[np.str_]) -> bool:
    _, first, name = np.unique(names, return_index=True, return_inverse=True)
    return bool((types == types[first][name]).all())


def _first_outside(names: NDArray[np.str_], species: tuple[str, ...] | None) -> int | None:
    """The first row whose name is not declared; None where all are, or nothing is declared."""
    if species is None:
        return None
    outside = np.flatnonzero(np.all([names != label for label in species], axis=0))
    return int(outside[0]) if len(outside) else None


def _labels_of_types(
    types: NDArray[np.int64], species: tuple[str, ...] | None, fail: Fail
) -> NDArray[np.str_]:
    """Types 1, 2, ... as the declared labels in order, or as A, B, ..., shape (n,)."""
    labels = tuple(ascii_uppercase) if species is None else species
    beyond = np.flatnonzero((types < 1) | (types > len(labels)))
    if len(beyond):
        row = int(beyond[0])
        known = "types begin at 1" if types[row] < 1 else f"{len(labels)} species are declared"
        if types[row] > len(labels) and species is None:
            known = "only 26 types get the labels A to Z of their own"
        raise fail(
            f"type {types[row]} has no species: {known} ({_quoted(labels)}); declare one label "
            "for each type (species, --species)",
            row,
        )
    return np.array(labels)[types - 1]


def _quoted(labels: Sequence[str]) -> str:
    return ", ".join(labels) if len(labels) < 10 else f"{labels[0]} ... {labels[-1]}"
