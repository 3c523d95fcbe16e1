"""An experiment: its file, and what must fit together in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import ceil
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from amorphace.config.models import model_of
from amorphace.config.own import DataSection, EventSection, OwnExperiment
from amorphace.config.sections import (
    AnyExperiment,
    ClusterSection,
    DescribeSection,
    ExperimentSection,
    LabelSection,
    LearnSection,
    PreparationSection,
    RunSection,
    ShearSection,
    ThermalSection,
)
from amorphace.core.codec import decode
from amorphace.core.errors import FileFormatError, InputError
from amorphace.core.records import read_toml
from amorphace.dataset.blocks import choose_grid
from amorphace.dataset.label_thermal import FEW_SAMPLES
from amorphace.simulate.models import EmbeddedAtom, GlassModel
from amorphace.simulate.preparation import Preparation
from amorphace.simulate.shear import Shear

MOST_STEPS = 1e15
"""Time steps of a preparation or a run."""
LEAST_TRAINED = 2
"""Samples that the training part of a fold holds at least: the strength is chosen among them."""

SIMULATED = ("model", "preparation", "thermal", "shear")
"""Tables that only a glass has that is simulated."""
TIMES = ("melt_time", "quench_time", "hold_npt", "hold_nvt")


T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Experiment(AnyExperiment):
    """A whole experiment file of a glass that is simulated; [thermal] or [shear], not both.

    Attributes
    ----------
    preparation, thermal, shear
        Further tables of the file.
    model : mapping
        The table [model] as it stands; `glass` makes the model of it.

    Raises
    ------
    InputError
        If a table does not fit the others.
    """

    model: Mapping[str, Any]
    preparation: PreparationSection
    thermal: ThermalSection | None = None
    shear: ShearSection | None = None

    def __post_init__(self) -> None:
        if (self.thermal is None) == (self.shear is None):
            raise InputError("give one of the tables [thermal] and [shear], and only one")
        if self.thermal is not None and not self.preparation.temperature > 0:
            raise InputError("preparation.temperature must be above 0 for a thermal experiment")
        if self.shear is not None and self.preparation.temperature > 0:
            raise InputError(
                "preparation.temperature must be 0 for a shear experiment: it starts from a "
                "glass at rest"
            )
        if self.shear is not None and self.describe.positions == "thermal":
            raise InputError('describe.positions must be "inherent" for a shear experiment')
        model = self.glass()
        self._check_samples(model)
        self._check_steps(model)
        if self.run.engine == "batch" and isinstance(model.potential, EmbeddedAtom):
            raise InputError(
                'run.engine: "batch" has pair potentials in reduced units only; model '
                f'{model.name} needs "lammps"'
            )
        self.describe.check(len(model.species))

    def _check_samples(self, model: GlassModel) -> None:
        """Enough samples for the folds, and particles for the labels."""
        count, folds = self.preparation.n_samples, self.learn.folds
        if _trained(count, folds) < LEAST_TRAINED and not self._has_blocks(model):
            least = next(n for n in range(2, 5) if _trained(n, folds) >= LEAST_TRAINED)
            raise InputError(
                f"preparation.n_samples must be at least {least} with learn.folds = {folds}, got "
                f"{count}: a fold leaves {_trained(count, folds)} to learn from; or, of thermal "
                "ones, so many particles that blocks of the cell take the place of samples"
            )
        majority = model.counts(self.preparation.n_particles)[0]
        if majority < 2:
            raise InputError(
                f"model.fractions: {majority} of {self.preparation.n_particles} particles are of "
                f"the first species, {model.species[0]}, which is labelled; at least 2 are needed"
            )

    def _has_blocks(self, model: GlassModel) -> bool:
        """Whether one or two samples are large enough for blocks at the largest cutoff."""
        given, reach = self.preparation, max(self.describe.cutoffs)
        if self.thermal is None or given.n_samples >= FEW_SAMPLES:
            return False
        side = (given.n_particles / model.number_density) ** (1 / 3)
        try:
            choose_grid(side * np.eye(3), reach)
        except InputError:
            return False
        return True

    def _check_steps(self, model: GlassModel) -> None:
        """Times that a simulation can count in steps."""
        given = self.preparation
        times = {f"preparation.{k}": getattr(given, k) for k in TIMES}
        if self.thermal is not None:
            lags = {"lag": self.thermal.lag, "longest_lag": self.thermal.longest_lag}
            times |= {f"thermal.{k}": v for k, v in lags.items() if not isinstance(v, str)}
        for name, time in times.items():
            if time / model.timestep > MOST_STEPS:
                raise InputError(
                    f"{name} must be less than {MOST_STEPS * model.timestep:g}, {MOST_STEPS:g} "
                    f"steps of {model.timestep:g}, got {time:g}"
                )

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
        model = replace(
            model.with_file(self.folder.joinpath),
            pressure=model.pressure if given.pressure is None else given.pressure,
            number_density=given.number_density or model.number_density,
        )
        model.counts(given.n_particles)
        self.how_prepared().stages(model)
        return model

    def how_prepared(self) -> Preparation:
        """The preparation of every sample."""
        return part(self.preparation, Preparation)

    def how_sheared(self) -> Shear:
        """The shear protocol; only for a shear experiment."""
        if self.shear is None:
            raise InputError("not a shear experiment")
        return part(self.shear, Shear)


def part(section: Any, kind: type[T]) -> T:
    """The dataclass that a section extends, by itself."""
    return kind(**{f.name: getattr(section, f.name) for f in fields(kind)})  # type: ignore[arg-type]


def _trained(n_samples: int, folds: int) -> int:
    """Samples in the smallest training part of the folds; no more folds than samples."""
    return n_samples - ceil(n_samples / min(folds, n_samples))


def read_experiment(
    path: str | Path, *, run: Mapping[str, str] | None = None
) -> Experiment | OwnExperiment:
    """Read and check an experiment file.

    Parameters
    ----------
    path : str or Path
    run : mapping, optional
        Keys of the table [run] that go before those of the file.

    Raises
    ------
    FileFormatError
        If the file is missing or no TOML, a key is unknown, missing or out of range, or the file
        of a potential, or those of [data], are missing or of no common samples; the message names
        the key and what is allowed.
    """
    tables = read_toml(path, what="an experiment file")
    if run and isinstance(tables.get("run", {}), dict):
        tables = {**tables, "run": {**tables.get("run", {}), **run}}
    both = [name for name in SIMULATED if "data" in tables and name in tables]
    if both:
        raise FileFormatError(path, f"[data] takes the place of [{both[0]}]; leave one of them out")
    kind = OwnExperiment if "data" in tables else Experiment
    found: Experiment | OwnExperiment = decode(kind, tables, source=path)
    object.__setattr__(found, "folder", Path(path).resolve().parent)
    try:
        if isinstance(found, OwnExperiment):
            found.samples()
        else:
            _check_potential(found)
    except InputError as error:
        raise FileFormatError(path, str(error)) from None
    return found


def _check_potential(experiment: Experiment) -> None:
    """The file of an embedded-atom potential must be there."""
    potential = experiment.glass().potential
    if isinstance(potential, EmbeddedAtom) and not Path(potential.file).is_file():
        given = experiment.model["potential"]["file"]
        raise InputError(
            f"model.potential.file: {given!r} counts from the folder of the experiment file, but "
            f"there is no file {potential.file}; put it there, or give another path"
        )


SECTIONS: dict[str, type[Any]] = {
    "experiment": ExperimentSection,
    "preparation": PreparationSection,
    "thermal": ThermalSection,
    "shear": ShearSection,
    "data": DataSection,
    "events": EventSection,
    "label": LabelSection,
    "describe": DescribeSection,
    "learn": LearnSection,
    "run": RunSection,
    "cluster": ClusterSection,
}
