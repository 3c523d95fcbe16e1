"""The tables of an experiment file: dataclasses, each of which checks itself.

[experiment]   name, seed
[model]        a named model and its options, or the numbers of a new one
[preparation]  how the liquid or the glass is made
[thermal]      or [shear]: what disturbs it
[data]         files of one's own, in the place of the three above; [events], if they were sheared
[label]        [describe]  [learn]
[run]          where and how it runs; no statistics depend on it
[cluster]      workers of Dask; nothing in it changes a result

The first sentence below a field explains its key in the files that `experiment_text` makes.
"""

from __future__ import annotations

import re
import shlex
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal

from amorphace.ace.features import Features
from amorphace.core.checks import Limits, check_fields
from amorphace.core.codec import encode
from amorphace.core.errors import InputError
from amorphace.dataset.label_thermal import label_thermal
from amorphace.dataset.sheared import LARGEST_EVENT, THRESHOLD, Events
from amorphace.runs.cluster import Cluster
from amorphace.simulate.preparation import LONGEST, Preparation
from amorphace.simulate.shear import Shear

WITHIN = Limits(above=0, most=50)
"""Of a cutoff, in sigma: a sphere of 50 holds half a million neighbours."""
Lag = Annotated[float, Limits(above=0, most=LONGEST)]


class Section:
    """A table of the file, whose numbers are within the limits of their types."""

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class ExperimentSection(Section):
    """What is being done, for people, and the seed of everything random."""

    name: str
    """Title of the report."""
    seed: Annotated[int, Limits(least=0, most=2**31 - 1)] = 1
    """Of places, velocities and thermostats."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= len(self.name) <= 200:
            raise InputError(f"name must have 1 to 200 letters, got {len(self.name)}")


@dataclass(frozen=True, kw_only=True)
class PreparationSection(Preparation, Section):
    """Times and temperatures in the model's units; a stage of no time is left out."""

    n_samples: Annotated[int, Limits(least=1, most=100_000)]
    """Independent samples."""
    pressure: Annotated[float, Limits(least=-1e9, most=1e9)] | None = None
    """The model's own when left out."""
    number_density: Annotated[float, Limits(least=1e-4, most=100)] | None = None
    """The model's own when left out."""
    attempts: Annotated[int, Limits(least=1, most=20)] = 3
    """Seeds tried before a sample is dropped."""
    crystal_limit: Annotated[float, Limits(above=0, most=1)] = 0.1
    """Share of crystal-like particles that drops a sample."""

    def __post_init__(self) -> None:
        super().__post_init__()
        Limits(least=20, most=1e8).check("n_particles", self.n_particles)


@dataclass(frozen=True, kw_only=True)
class ThermalSection(Section):
    """The isoconfigurational ensemble."""

    replicas: Annotated[int, Limits(least=2, most=100_000)] = 30
    """Runs from one configuration."""
    lag: Lag | Literal["tau_alpha"] = "tau_alpha"
    """Time of a run; "tau_alpha" is measured: Fs(q, t) = 1/e."""
    wavenumber: Annotated[float, Limits(above=0, most=1000)] = 7.2
    """q of Fs, in 1/sigma: first peak of the majority's structure factor."""
    longest_lag: Lag = 20_000.0
    """A sample whose Fs is above 1/e after this time is dropped."""
    quench_ends: bool = True
    """D2min and propensity between inherent structures; else as they move."""


@dataclass(frozen=True, kw_only=True)
class EventRule:
    """Which particles of a sheared glass are active, and which inactive."""

    threshold: Annotated[float, Limits(above=0)] = THRESHOLD
    """D2min above which a particle is active."""
    largest_event: Annotated[int, Limits(least=1)] = LARGEST_EVENT
    """Active particles above which an event is an avalanche, and dropped."""
    events: Events = "clusters"
    """An event: a connected cluster of active particles, or all those of a step ("steps")."""
    interval: Annotated[float, Limits(above=0)] | None = None
    """Strain over which inactive particles moved least; all of `strain` if left out."""


@dataclass(frozen=True, kw_only=True)
class ShearSection(EventRule, Shear, Section):
    """Athermal quasistatic simple shear."""

    def __post_init__(self) -> None:
        super().__post_init__()
        Limits(above=0, most=0.01).check("increment", self.increment)
        if self.interval is not None and self.interval < self.increment:
            raise InputError(
                f"interval must be at least increment, {self.increment:g}, got {self.interval:g}"
            )
        if round(self.strain / self.increment) < 1:
            raise InputError(
                f"strain must hold a step of increment, {self.increment:g}, got {self.strain:g}"
            )


_label = signature(label_thermal).parameters


@dataclass(frozen=True, kw_only=True)
class LabelSection(Section):
    """Who counts as active."""

    d2min_cutoff: Annotated[float, WITHIN] = _label["cutoff"].default
    """Neighbourhood of D2min, in sigma."""
    fraction: Annotated[float, Limits(above=0, most=0.5)] = _label["fraction"].default
    """Of the majority: most, and least, mobile (thermal)."""


@dataclass(frozen=True, kw_only=True)
class DescribeSection(Features, Section):
    """The features, by the words of `ACEDescriptor`."""

    positions: Literal["inherent", "thermal"] = "inherent"
    """Of the initial configuration."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for cutoff in self.cutoffs:
            WITHIN.check("cutoffs", cutoff)


@dataclass(frozen=True, kw_only=True)
class LearnSection(Section):
    """The analysis."""

    folds: Annotated[int, Limits(least=2, most=1000)] = 10
    """Of the cross-validation, by sample; as many as samples where there are fewer."""
    full: bool = False
    """Every figure of the paper; else figure 3 and a few."""


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """Who moves the particles: LAMMPS one system after the other, or the batch many together."""

    engine: Literal["lammps", "batch"] = "lammps"
    """batch: many systems at a time, on a GPU."""
    device: str = "cuda"
    """Of the batch: "cuda", "cuda:1", or "cpu" for a trial."""
    precision: Literal["mixed", "double"] = "mixed"
    """Of its forces in dynamics; minima are in double precision."""
    lammps: str | None = None
    """Such as "mpiexec -n 8 lmp"; the Python package's when left out."""


@dataclass(frozen=True, kw_only=True)
class RunSection(Simulator, Section):
    """Where and how; no result depends on it."""

    store: str | None = None
    """Folder of finished units, beside this file."""
    workers: Annotated[int, Limits(least=0, most=100_000)] = 0
    """Processes; 0: one a processor."""
    cores_per_unit: Annotated[int, Limits(least=1, most=100_000)] = 1
    """Processors that the command of LAMMPS uses."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch(r"cpu|cuda(:\d+)?", self.device):
            raise InputError(f'device must be "cuda", "cuda:1" or "cpu", got {self.device!r}')
        if self.lammps is None:
            return
        if self.engine == "batch":
            raise InputError('lammps goes with engine = "lammps"; leave one of them out')
        try:
            words = shlex.split(self.lammps)
        except ValueError as error:
            raise InputError(f"lammps must be a command, got {self.lammps!r} ({error})") from None
        if not words or not self.lammps.isprintable():
            raise InputError(f"lammps must be a command in one line, got {self.lammps!r}")


@dataclass(frozen=True, kw_only=True)
class ClusterSection(Cluster, Section):
    """Workers that Dask starts, as jobs of a queue or here."""

    def __post_init__(self) -> None:
        check_fields(self)
        encode(self)  # numbers, words, lists and tables: no dates


@dataclass(frozen=True, kw_only=True)
class AnyExperiment(ABC):
    """What every experiment file has, whether the glass is simulated or comes from files.

    Attributes
    ----------
    experiment, label, describe, learn, run, cluster
        Tables of the file.
    folder : Path
        That of the file, from which other files count.
    """

    experiment: ExperimentSection
    label: LabelSection = field(default_factory=LabelSection)
    describe: DescribeSection = field(default_factory=DescribeSection)
    learn: LearnSection = field(default_factory=LearnSection)
    run: RunSection = field(default_factory=RunSection)
    cluster: ClusterSection | None = None
    folder: Path = field(default=Path(), init=False)

    @property
    @abstractmethod
    def protocol(self) -> Literal["thermal", "shear"]:
        """What disturbs the glass."""

    @property
    def programs(self) -> tuple[str, ...]:
        """Keys of the file, with their values, that say what is executed."""
        found = [] if self.run.lammps is None else [f"run.lammps = {self.run.lammps!r}"]
        if self.cluster is not None:
            for name in ("options", "config"):
                given = getattr(self.cluster, name)
                found += [f"cluster.{name}.{key} = {value!r}" for key, value in given.items()]
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """The tables of the file as JSON, defaults too, without [run] and what is left out."""
        found = {k: v for k, v in encode(self).items() if v is not None and k != "run"}
        return {k: {n: x for n, x in v.items() if x is not None} for k, v in found.items()}
