"""Samples to learn from: where each started, where it went, and what is described of it."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from amorphace.core.bridges import as_configuration
from amorphace.core.configuration import Configuration
from amorphace.core.digest import sha256
from amorphace.core.display import html_table
from amorphace.core.errors import InputError
from amorphace.dataset.files import check_ends_given, ends_of, paired, sample_names, start_of
from amorphace.dataset.plausible import check_repeated
from amorphace.io import read
from amorphace.io.files import Order

Given = str | Path | Sequence[Any]
"""A pattern or path of files, several of them, or configurations of any package."""


@dataclass(frozen=True, eq=False)
class Ends:
    """End points that are made anew, one at a time, whenever they are asked for."""

    make: Callable[[], Iterator[Configuration]]

    def __iter__(self) -> Iterator[Configuration]:
        return self.make()


@dataclass(frozen=True, eq=False, kw_only=True)
class GlassSample:
    """An isoconfigurational ensemble.

    Attributes
    ----------
    name : str
    start : Configuration
        The common start of all runs.
    ends : iterable of Configuration
        Where they ended; of files, read one at a time.
    structure : Configuration
        What is described: the inherent structure of the start, or the start itself.
    files : tuple of Path
        That it comes from; () if from none.
    """

    name: str
    start: Configuration
    ends: Iterable[Configuration]
    structure: Configuration
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, eq=False)
class Samples(Sequence[GlassSample]):
    """Samples of one glass.

    Attributes
    ----------
    samples : tuple of GlassSample
    species : tuple of str
        Labels, in the order of the columns of features.
    by : str
        What tells which files are of one sample: "name", or "position" in the lists given.
    """

    samples: tuple[GlassSample, ...]
    species: tuple[str, ...]
    by: str = "position"

    @overload
    def __getitem__(self, index: int) -> GlassSample: ...
    @overload
    def __getitem__(self, index: slice) -> Samples: ...
    def __getitem__(self, index: int | slice) -> GlassSample | Samples:
        if isinstance(index, slice):
            return Samples(self.samples[index], self.species, self.by)
        return self.samples[index]

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        n = sum(len(sample.start) for sample in self.samples)
        return (
            f"Samples({len(self)} of {n} particles of {', '.join(self.species)}: "
            f"{', '.join(sample.name for sample in self.samples)})"
        )

    def _repr_html_(self) -> str:
        rows = [
            (sample.name, len(sample.start), ", ".join(file.name for file in sample.files))
            for sample in self.samples
        ]
        return html_table(("sample", "particles", f"files, matched by {self.by}"), rows)


def load(
    initial: Given,
    *,
    endpoints: Given | None = None,
    inherent: Given | None = None,
    species: str | Sequence[str] | None = None,
    frame: int | None = None,
    lag: int | None = None,
    order: Order = "id",
) -> Samples:
    """Samples from files or configurations.

    Files are matched by what distinguishes their names, as `amorphace label` does it, otherwise
    by their order; the samples' repr shows how.

    Parameters
    ----------
    initial : str, Path or sequence
        Starts: a pattern such as "s*.initial.dump", paths, or configurations (of ASE, OVITO or
        MDAnalysis too), one a sample.
    endpoints : str, Path or sequence, optional
        Ends of the runs: for each sample a file with a frame for each run, or a sequence of
        configurations. When left out, the other frames of the initial files.
    inherent : str, Path or sequence, optional
        Inherent structures, one a sample (the last frame of a file); the starts are described
        when left out.
    species : str or sequence of str, optional
        Labels of types 1, 2, ...: ("Cu", "Zr"), or "CuZr" for short. Those of the first sample,
        in alphabetical order, when left out.
    frame : int, optional
        Which frame of its file is the start, from 0, or from -1 backwards; needed where there are
        several.
    lag : int, optional
        Take the end points so many time steps after the start alone.
    order : {"id", "file"}
        "file": rows of files without particle ids are the same particles in every frame.

    Raises
    ------
    InputError
        If a pattern finds no file, numbers of files differ, names contradict each other, or a file
        cannot be used.

    Examples
    --------
    >>> start = Configuration(positions=[[0, 0, 0], [1, 1, 1]], species=["A", "B"], cell=3.0)
    >>> load([start], endpoints=[[start]])
    Samples(1 of 2 particles of A, B: 1)
    """
    labels = _labels(species)
    starts = _given(initial, "initial")
    if not _are_files(starts):
        return _of_configurations(starts, endpoints, inherent, labels)
    names, by = sample_names(starts), "name"
    check_ends_given(endpoints, frame)
    first = start_of(starts[0], labels or None, frame, order)
    labels = labels or tuple(sorted(set(first.species.tolist())))
    ends, whole = starts, [str(path) for path in starts]
    if endpoints is not None:
        ends, by = paired(whole, _files(endpoints, "endpoints"), "end points (endpoints)")
    structures: list[Path] = []
    if inherent is not None:
        found = _files(inherent, "inherent")
        structures, told = paired(names, found, "inherent structures (inherent)")
        by = "position" if "position" in (by, told) else by
    _check_repeated(starts, "the initial configurations")
    _check_repeated(ends, "the end points")
    _check_repeated(structures, "the inherent structures")
    made = []
    for k, (name, path, end) in enumerate(zip(names, starts, ends, strict=True)):
        start = first if k == 0 else start_of(path, labels, frame, order)
        quiet = read(structures[k], labels, order=order) if structures else start
        made.append(
            GlassSample(
                name=name,
                start=start,
                ends=_ends(end, labels, start, own=endpoints is None, lag=lag, order=order),
                structure=quiet,
                files=tuple(dict.fromkeys([path, end, *structures[k : k + 1]])),
            )
        )
    return Samples(tuple(made), labels, by)


def _check_repeated(files: Sequence[Path], what: str) -> None:
    check_repeated([(file.name, sha256(file)) for file in files], what)


def _ends(
    path: Path,
    species: tuple[str, ...],
    start: Configuration,
    *,
    own: bool,
    lag: int | None,
    order: Order,
) -> Ends:
    return Ends(lambda: ends_of(path, species, start, own=own, lag=lag, order=order))


def _of_configurations(
    starts: list[Any],
    endpoints: Given | None,
    inherent: Given | None,
    species: tuple[str, ...],
) -> Samples:
    """Samples that are in memory, in the order of the lists."""
    first = [as_configuration(one) for one in starts]
    ends = [list(map(as_configuration, each)) for each in _given(endpoints or [], "endpoints")]
    quiet = [as_configuration(one) for one in _given(inherent or starts, "inherent")]
    for what, found in (("sequences of endpoints", ends), ("inherent structures", quiet)):
        if len(found) != len(first):
            raise InputError(
                f"{len(first)} initial configurations need as many {what}, got {len(found)}; give "
                "one for each sample"
            )
    return Samples(
        tuple(
            GlassSample(name=str(k), start=start, ends=tuple(end), structure=structure)
            for k, (start, end, structure) in enumerate(zip(first, ends, quiet, strict=True), 1)
        ),
        species or tuple(sorted({label for c in first for label in c.species.tolist()})),
    )


def _labels(species: str | Sequence[str] | None) -> tuple[str, ...]:
    """Labels of the types; "AB" and "CuZr" are two each.

    Examples
    --------
    >>> _labels("AB"), _labels("CuZr"), _labels("A,B"), _labels(["solvent"])
    (('A', 'B'), ('Cu', 'Zr'), ('A', 'B'), ('solvent',))
    """
    if species is None:
        return ()
    if not isinstance(species, str):
        return tuple(species)
    labels = re.findall(r"[A-Z][a-z]*", species)
    if "".join(labels) != re.sub(r"[,\s]", "", species):
        raise InputError(
            f'species={species!r}: one text holds labels that begin with a capital, such as "AB" '
            'or "CuZr"; give others as a list, such as ["big", "small"]'
        )
    return tuple(labels)


def _given(given: Given, what: str) -> list[Any]:
    """The files of a pattern, or what stands in a sequence; at least one."""
    if isinstance(given, str | Path):
        pattern = str(Path(given).expanduser())
        found = [Path(path) for path in sorted(glob.glob(pattern))]
        if not found:
            raise InputError(f"{what}: no file is called {given}; check the folder and the pattern")
        return found
    parts = list(given)
    if not parts:
        raise InputError(f"{what}: nothing is given; give files or configurations, one a sample")
    return [Path(part).expanduser() if isinstance(part, str) else part for part in parts]


def _files(given: Given, what: str) -> list[Path]:
    parts = _given(given, what)
    if not _are_files(parts):
        raise InputError(f"{what}: give files, as for the initial configurations")
    return parts


def _are_files(parts: Sequence[Any]) -> bool:
    return all(isinstance(part, Path) for part in parts)
