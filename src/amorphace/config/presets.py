"""The paper's six cases at four scales, as experiment files that explain themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from amorphace.config.experiment import SECTIONS
from amorphace.core.errors import InputError
from amorphace.core.keys import keys_of
from amorphace.simulate.models import GlassModel, find_model
from amorphace.simulate.preparation import paper_shear, paper_thermal

PROTOCOLS = ("thermal", "shear")
SCALES = ("minutes", "hours", "overnight", "paper")
ENGINES = ("lammps", "batch")

LIQUIDS: dict[str, dict[str, tuple[float, float]]] = {
    "kob-andersen": {"minutes": (0.55, 200.0), "hours": (0.5, 500.0), "overnight": (0.47, 2000.0)},
    "wahnstrom": {"minutes": (0.65, 150.0), "hours": (0.65, 300.0), "overnight": (0.62, 1000.0)},
    "bead-spring": {"minutes": (0.5, 300.0), "hours": (0.5, 500.0), "overnight": (0.48, 2000.0)},
}
"""Temperature of the liquid, and time of its quench and of each hold: a few of its tau_alpha."""

SIZES: dict[str, dict[str, Any]] = {
    "minutes": {"n_particles": 1000, "n_samples": 6, "replicas": 8},
    "hours": {"n_particles": 2000, "n_samples": 12, "replicas": 12},
    "overnight": {"n_particles": 4000, "n_samples": 12, "replicas": 20},
    "paper": {"n_particles": 30_000, "n_samples": 30, "replicas": 30},
}

SHEARS: dict[str, dict[str, Any]] = {
    "minutes": {"increment": 1e-4, "pre_strain": 0.08, "strain": 0.05},
    "hours": {"increment": 5e-5, "pre_strain": 0.10, "strain": 0.05},
    "overnight": {"increment": 5e-5, "pre_strain": 0.10, "strain": 0.05},
    "paper": {"increment": 5e-5, "pre_strain": 0.10, "strain": 0.01},
}

SMALLER = {("bead-spring", "shear", "minutes"): {"n_particles": 800}}
"""Cases whose strain steps take longest."""

QUENCHES = {"minutes": 100.0, "hours": 500.0, "overnight": 500.0}
"""Time of the quench to T = 0."""

MELTS = {"kob-andersen": 20.0, "wahnstrom": 20.0, "bead-spring": 100.0}
"""Time in the melt below the paper's scale: chains need longer to forget how they were made."""

WAVENUMBERS = {"kob-andersen": 7.2, "wahnstrom": 7.5, "bead-spring": 7.1}
"""First peak of the structure factor of the first species, in 1/sigma, to 0.1."""

BASES = {"bead-spring": {"max_degree": 18, "n_max": 20}}
"""Of the paper, where it differs from degree 10 and ten radial columns a species."""


ONE_DEVICE = {"n_samples": 4}
"""Thermal, paper: errors between samples, where the paper has one configuration."""


def experiment_text(
    model: str, protocol: str, scale: str = "minutes", engine: str = "lammps"
) -> str:
    """An experiment file for one of the paper's cases.

    Parameters
    ----------
    model : str
        Name of a known model.
    protocol : {"thermal", "shear"}
    scale : {"minutes", "hours", "overnight", "paper"}
        How long it takes: about so long on two cores; "paper" has the paper's numbers and
        belongs on a cluster, or on one GPU.
    engine : {"lammps", "batch"}
        "batch" is for one GPU; at the paper's scale a thermal experiment has four samples then.

    Returns
    -------
    str
        TOML; every key is explained.

    Raises
    ------
    InputError
        If a name is unknown.

    Examples
    --------
    >>> print(experiment_text("kob-andersen", "shear").splitlines()[3])
    name = "kob-andersen, shear, minutes"  # Title of the report
    """
    for name, value, known in (
        ("protocol", protocol, PROTOCOLS), ("scale", scale, SCALES), ("engine", engine, ENGINES),
    ):  # fmt: skip
        if value not in known:
            raise InputError(f"unknown {name} {value!r}; choose one of {', '.join(known)}")
    glass = find_model(model)
    tables: dict[str, Mapping[str, Any]] = {
        "experiment": {"name": f"{model}, {protocol}, {scale}", "seed": 1},
        "model": {"name": model},
        "preparation": _preparation(glass, protocol, scale),
        protocol: _thermal(glass, scale) if protocol == "thermal" else SHEARS[scale],
        "label": {},
        "describe": BASES.get(model, {}),
        "learn": {"full": scale != "minutes"},
        "run": {} if engine == "lammps" else {"engine": engine, "device": "cuda"},
    }
    if engine == "batch" and (protocol, scale) == ("thermal", "paper"):
        tables["preparation"] = {**tables["preparation"], **ONE_DEVICE}
    head = f"# amorphace run FILE; times and temperatures in units of {model}."
    return file_text(head, tables)


def file_text(head: str, tables: Mapping[str, Mapping[str, Any]]) -> str:
    """An experiment file: a first line, and tables with the keys that are set.

    Every other key of theirs stands beside as a comment.
    """
    return "\n\n".join([head, *(_table(name, values) for name, values in tables.items())]) + "\n"


def _preparation(model: GlassModel, protocol: str, scale: str) -> dict[str, Any]:
    size = {k: SIZES[scale][k] for k in ("n_particles", "n_samples")}
    size |= SMALLER.get((model.name, protocol, scale), {})
    if scale == "paper":
        way = (paper_thermal if protocol == "thermal" else paper_shear)(model)
        times = {k: getattr(way, k) for k in ("melt_time", "quench_time", "temperature")}
        if protocol == "thermal":
            times |= {"hold_npt": way.hold_npt, "hold_nvt": way.hold_nvt}
        return size | times
    melt = MELTS[model.name]
    if protocol == "shear":
        return size | {"melt_time": melt, "quench_time": QUENCHES[scale], "temperature": 0.0}
    temperature, time = LIQUIDS[model.name][scale]
    holds = {"hold_npt": time} if model.pressure is not None else {"hold_nvt": time}
    return size | {"melt_time": melt, "quench_time": time, "temperature": temperature} | holds


def _thermal(model: GlassModel, scale: str) -> dict[str, Any]:
    lag = {"lag": model.lag} if scale == "paper" else {"lag": "tau_alpha"}
    return {"replicas": SIZES[scale]["replicas"], **lag, "wavenumber": WAVENUMBERS[model.name]}


def _table(name: str, values: Mapping[str, Any]) -> str:
    """One table of the file: what is set, and every other key as a comment."""
    lines = [f"[{name}]"]
    if name not in SECTIONS:
        return "\n".join([*lines, *(f"{k} = {json.dumps(v)}" for k, v in values.items())])
    for key, default, text in keys_of(SECTIONS[name]):
        if key in values:
            line = f"{key} = {json.dumps(values[key])}"
        else:
            line = f"# {key} = {'...' if default is None else json.dumps(default)}"
        lines.append(f"{line}  # {text}")
    return "\n".join(lines)
