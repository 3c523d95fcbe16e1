"""Experiments on files of one's own: the tables [data] and [events], and the files they name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Annotated, Literal

from amorphace.config.sections import AnyExperiment, EventRule, Section
from amorphace.core.checks import Limits
from amorphace.core.errors import InputError
from amorphace.dataset.ensembles import masses_by_species
from amorphace.dataset.files import check_ends_given, paired, sample_names
from amorphace.io.files import Order

Files = str | tuple[str, ...]
"""A path or a pattern such as "s*.dump", or a list of them."""


@dataclass(frozen=True, kw_only=True)
class DataSection(Section):
    """Files of one's own: configurations and end points of runs from them, or sheared frames."""

    species: tuple[str, ...]
    """Labels of the species, in the order of LAMMPS types 1, 2, and so on."""
    initial: Files | None = None
    """Configurations that runs start from, one file a sample: paths, or patterns such as
    "s*.initial.dump", from the folder of this file."""
    endpoints: Files | None = None
    """Where the runs ended: one file a sample, a frame for each run; the other frames of `initial`
    when left out."""
    inherent: Files | None = None
    """Their inherent structures, which are described; `initial` when left out."""
    steps: Files | None = None
    """In the place of `initial`: sheared glasses, one file a sample, a frame for each strain
    step."""
    sigma: Annotated[float, Limits(above=0, most=1e6)] = 1.0
    """The diameter in the unit of the files, by which all cutoffs are multiplied."""
    frame: int | None = None
    """Which frame of `initial` is the start, from 0, or from -1 backwards, if it holds several."""
    lag: int | None = None
    """Take the end points so many time steps after the start alone."""
    majority: str | None = None
    """Species to label; the most frequent when left out."""
    masses: tuple[Annotated[float, Limits(above=0)], ...] | None = None
    """Of each species, to take off the drift; equal when left out."""
    power: Annotated[float, Limits(above=0, most=100)] = 1.0
    """Propensity: mean |u|^power."""
    normalize: bool = False
    """D2min per neighbour instead of the sum."""
    unwrapped: bool = False
    """Positions are unwrapped: keep displacements beyond half a cell."""
    order: Order = "id"
    """"file": rows of files without particle ids are the same particles in every frame."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.species:
            raise InputError('species must name the species of the files, such as ["A", "B"]')
        if (self.initial is None) == (self.steps is None):
            raise InputError("give initial (starts of runs) or steps (sheared frames), one of them")
        for name in ("endpoints", "inherent", "frame", "lag", "masses") if self.steps else ():
            if getattr(self, name) is not None:
                raise InputError(f"{name} goes with initial, not with steps; leave it out")
        if self.initial is not None:
            check_ends_given(self.endpoints, self.frame)
        masses_by_species(self.species, self.masses)


@dataclass(frozen=True, kw_only=True)
class EventSection(EventRule, Section):
    """Which particles of sheared frames of one's own are active; `threshold` in diameters."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.interval is not None:
            raise InputError("interval is a strain, which frames of one's own do not tell; omit it")


@dataclass(frozen=True, kw_only=True)
class OwnGlass:
    """What is known of a glass that comes from files, in the place of its model.

    Attributes
    ----------
    species : tuple of str
        In the order of LAMMPS types.
    majority : str or None
        The species that is labelled; the most frequent where it is None.
    """

    species: tuple[str, ...]
    majority: str | None


@dataclass(frozen=True)
class OwnSample:
    """Files of a sample.

    Attributes
    ----------
    name : str
    start : Path
        Its start, or its sheared frames.
    ends, inherent : Path, optional
    """

    name: str
    start: Path
    ends: Path | None = None
    inherent: Path | None = None


@dataclass(frozen=True, kw_only=True)
class OwnExperiment(AnyExperiment):
    """A whole experiment file of a glass that is known by files of one's own.

    Attributes
    ----------
    data, events
        Further tables of the file.

    Raises
    ------
    InputError
        If a table does not fit the others.
    """

    data: DataSection
    events: EventSection | None = None

    def __post_init__(self) -> None:
        if self.events is not None and self.data.steps is None:
            raise InputError("[events] goes with data.steps (sheared frames); leave it out")
        self.describe.check(len(self.data.species))

    @property
    def protocol(self) -> Literal["thermal", "shear"]:
        """What disturbs the glass."""
        return "thermal" if self.data.steps is None else "shear"

    def glass(self) -> OwnGlass:
        """What is known of the glass."""
        return OwnGlass(species=self.data.species, majority=self.data.majority)

    def samples(self) -> tuple[OwnSample, ...]:
        """The files of each sample, matched by their names.

        Raises
        ------
        InputError
            If no file matches a pattern, or names or numbers of files do not fit together.
        """
        return tuple(name for name, _ in self._samples())

    def matched_by(self) -> str:
        """Whether "name" or "position" tells which files belong together; "" of single files."""
        return next((by for _, by in self._samples()), "")

    def _samples(self) -> Iterator[tuple[OwnSample, str]]:
        data = self.data
        own = "initial" if data.steps is None else "steps"
        starts = found_files(data.initial or data.steps or (), self.folder, f"data.{own}")
        known, by = [str(path) for path in starts], ""
        found: dict[str, list[Path]] = {"ends": starts} if data.steps is None else {}
        for role, key, words in (
            ("ends", "endpoints", "end points"), ("inherent", "inherent", "inherent structures"),
        ):  # fmt: skip
            if (given := getattr(data, key)) is not None:
                files = found_files(given, self.folder, f"data.{key}")
                found[role], told = paired(known, files, f"{words} ({key})")
                by = "position" if "position" in (by, told) else told
        for k, (name, path) in enumerate(zip(sample_names(starts), starts, strict=True)):
            yield OwnSample(name, path, **{role: files[k] for role, files in found.items()}), by


def found_files(given: Files, folder: Path, what: str) -> list[Path]:
    """The files of paths and patterns, those of a pattern with s2 before s10.

    Raises
    ------
    InputError
        If a pattern matches no file, or a path is none.
    """
    found: list[Path] = []
    for word in (given,) if isinstance(given, str) else given:
        place = os.path.normpath(folder / word)
        paths = [place]
        if has_magic(word) and not Path(place).is_file():
            paths = sorted(filter(os.path.isfile, glob(place)), key=_natural)
        if not paths or not Path(paths[0]).is_file():
            raise InputError(
                f"{what}: {'no file matches' if has_magic(word) else 'there is no file'} {place}; "
                f"check the name ({word} counts from {folder})"
            )
        found += [Path(path) for path in paths]
    if not found:
        raise InputError(f"{what} names no file")
    return found


def _natural(path: str) -> list[tuple[int, str]]:
    """Numbers in a name count as numbers."""
    parts = re.split(r"(\d+)", path)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
