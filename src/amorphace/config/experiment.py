"""An experiment: its file, and what must fit together in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from math import ceil
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from amorphace.ace.basis import build_basis
from amorphace.config.models import model_of
from amorphace.config.sections import (
    ClusterSection,
    DescribeSection,
    ExperimentSection,
    LabelSection,
    LearnSection,
    PreparationSection,
    RunSection,
    Section,
    ShearSection,
    ThermalSection,
)
from amorphace.config.sentences import sentences
from amorphace.core.errors import FileFormatError, InputError
from amorphace.core.records import read_toml
from amorphace.simulate.models import EmbeddedAtom, GlassModel
from amorphace.simulate.preparation import Preparation
from amorphace.simulate.shear import Shear

MOST_STEPS = 1e15
"""Time steps of a preparation or a run."""
LEAST_TRAINED = 2
"""Samples that the training part of a fold holds at least: the strength is chosen among them."""

TIMES = ("melt_time", "quench_time", "hold_npt", "hold_nvt")


class Experiment(Section):
    """A whole experiment file; [thermal] or [shear], not both.

    Attributes
    ----------
    experiment, preparation, thermal, shear, label, describe, learn, run, cluster
        The tables of the file.
    model : dict
        The table [model] as it stands; `glass` makes the model of it.
    """

    experiment: ExperimentSection
    model: dict[str, Any]
    preparation: PreparationSection
    thermal: ThermalSection | None = None
    shear: ShearSection | None = None
    label: LabelSection = Field(default_factory=LabelSection)
    describe: DescribeSection = Field(default_factory=DescribeSection)
    learn: LearnSection = Field(default_factory=LearnSection)
    run: RunSection = Field(default_factory=RunSection)
    cluster: ClusterSection | None = None
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.thermal is None) == (self.shear is None):
            raise ValueError("give one of the tables [thermal] and [shear], and only one")
        if self.thermal is not None and not self.preparation.temperature > 0:
            raise ValueError("preparation.temperature must be above 0 for a thermal experiment")
        if self.shear is not None and self.preparation.temperature > 0:
            raise ValueError(
                "preparation.temperature must be 0 for a shear experiment: it starts from a "
                "glass at rest"
            )
        if self.shear is not None and self.describe.positions == "thermal":
            raise ValueError('describe.positions must be "inherent" for a shear experiment')
        model = self.glass()
        self._check_samples(model)
        self._check_steps(model)
        given = self.describe
        build_basis(
            len(model.species), given.max_order, given.max_degree, given.n_max, given.degree_weight
        )
        return self

    def _check_samples(self, model: GlassModel) -> None:
        """Enough samples for the folds, and particles for the labels."""
        count, folds = self.preparation.n_samples, self.learn.folds
        if _trained(count, folds) < LEAST_TRAINED:
            least = next(n for n in range(2, 5) if _trained(n, folds) >= LEAST_TRAINED)
            raise ValueError(
                f"preparation.n_samples must be at least {least} with learn.folds = {folds}, got "
                f"{count}: a fold leaves {_trained(count, folds)} to learn from"
            )
        majority = model.counts(self.preparation.n_particles)[0]
        if majority < 2:
            raise ValueError(
                f"model.fractions: {majority} of {self.preparation.n_particles} particles are of "
                f"the first species, {model.species[0]}, which is labelled; at least 2 are needed"
            )

    def _check_steps(self, model: GlassModel) -> None:
        """Times that a simulation can count in steps."""
        given = self.preparation
        times = {f"preparation.{k}": getattr(given, k) for k in TIMES}
        if self.thermal is not None:
            lags = {"lag": self.thermal.lag, "longest_lag": self.thermal.longest_lag}
            times |= {f"thermal.{k}": v for k, v in lags.items() if not isinstance(v, str)}
        for name, time in times.items():
            if time / model.timestep > MOST_STEPS:
                raise ValueError(
                    f"{name} must be less than {MOST_STEPS * model.timestep:g}, {MOST_STEPS:g} "
                    f"steps of {model.timestep:g}, got {time:g}"
                )

    @property
    def programs(self) -> tuple[str, ...]:
        """Keys of the file, with their values, that say what is executed."""
        found = [] if self.run.lammps is None else [f"run.lammps = {self.run.lammps!r}"]
        if self.cluster is not None:
            for name in ("options", "config"):
                given = getattr(self.cluster, name)
                found += [f"cluster.{name}.{key} = {value!r}" for key, value in given.items()]
        return tuple(found)

    @property
    def protocol(self) -> Literal["thermal", "shear"]:
        """What disturbs the glass."""
        return "shear" if self.thermal is None else "thermal"

    def glass(self) -> GlassModel:
        """The model, with the pressure and density of the preparation.

        The file of an embedded-atom potential counts from the folder of the experiment file.

        Raises
        ------
        InputError
            If the table [model] makes no model, or the particles do not divide into chains.
        """
        model = model_of(self.model)
        given = self.preparation
        changes: dict[str, Any] = {
            key: value
            for key, value in (
                ("pressure", given.pressure),
                ("number_density", given.number_density),
            )
            if value is not None
        }
        if isinstance(model.potential, EmbeddedAtom):
            place = str(self._folder / model.potential.file)
            changes["potential"] = replace(model.potential, file=place)
        model = replace(model, **changes)
        model.counts(given.n_particles)
        self.how_prepared().stages(model)
        return model

    def how_prepared(self) -> Preparation:
        """The preparation of every sample."""
        own = {f.name for f in fields(Preparation)}
        return Preparation(**{k: v for k, v in self.preparation.model_dump().items() if k in own})

    def how_sheared(self) -> Shear:
        """The shear protocol; only for a shear experiment."""
        if self.shear is None:
            raise InputError("not a shear experiment")
        own = {f.name for f in fields(Shear)}
        return Shear(**{k: v for k, v in self.shear.model_dump().items() if k in own})


def _trained(n_samples: int, folds: int) -> int:
    """Samples in the smallest training part of the folds; no more folds than samples."""
    return n_samples - ceil(n_samples / min(folds, n_samples))


def read_experiment(path: str | Path) -> Experiment:
    """Read and check an experiment file.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    FileFormatError
        If the file is missing or no TOML, a key is unknown, missing or out of range, or the file
        of a potential is missing; the message names the key and what is allowed.
    """
    tables = read_toml(path, what="an experiment file")
    try:
        found = Experiment.model_validate(tables)
        found._folder = Path(path).resolve().parent
        _check_potential(found)
        return found
    except ValidationError as error:
        raise FileFormatError(path, "; ".join(sentences(error, known=known_keys))) from None
    except InputError as error:
        raise FileFormatError(path, str(error)) from None


def _check_potential(experiment: Experiment) -> None:
    """The file of an embedded-atom potential must be there."""
    potential = experiment.glass().potential
    if isinstance(potential, EmbeddedAtom) and not Path(potential.file).is_file():
        given = experiment.model["potential"]["file"]
        raise InputError(
            f"model.potential.file: {given!r} counts from the folder of the experiment file, but "
            f"there is no file {potential.file}; put it there, or give another path"
        )


def known_keys(place: Sequence[object]) -> list[str]:
    """Keys of the table at a place of the file."""
    if not place:
        return list(Experiment.model_fields)
    section = SECTIONS.get(str(place[0]))
    return list(section.model_fields) if section else []


SECTIONS: dict[str, type[Section]] = {
    "experiment": ExperimentSection,
    "preparation": PreparationSection,
    "thermal": ThermalSection,
    "shear": ShearSection,
    "label": LabelSection,
    "describe": DescribeSection,
    "learn": LearnSection,
    "run": RunSection,
    "cluster": ClusterSection,
}
