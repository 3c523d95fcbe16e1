"""How large a table of features will be, and how long it takes to make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from amorphace.config import Experiment

EVENT_STEPS = 0.05
"""Share of strain steps in which something happens, for estimates."""
FEATURE = 4e-9
"""Seconds of one core for each feature of a site (benchmarks/results/kernel.json)."""
WRITTEN = 1.5e-9
"""Seconds for each byte that is written and given a digest."""


def basis_of(experiment: Experiment) -> dict[str, Any]:
    """The words of the descriptor, with the cutoffs."""
    return experiment.describe.model_dump(mode="json", exclude={"positions"})


def n_columns(species: Sequence[str], basis: Mapping[str, Any]) -> int:
    """Columns of one cutoff.

    Examples
    --------
    >>> words = {"max_order": 3, "max_degree": 10, "n_max": 10, "degree_weight": 1.5}
    >>> n_columns(("A", "B"), words)
    574
    """
    from amorphace.ace.basis import build_basis

    words = ("max_order", "max_degree", "n_max", "degree_weight")
    return len(build_basis(len(species), *(basis[w] for w in words)))


def table_sites(experiment: Experiment) -> float:
    """Sites of the labelled table of an experiment."""
    samples, n = experiment.preparation.n_samples, experiment.preparation.n_particles
    majority = experiment.glass().counts(n)[0]
    if experiment.protocol == "thermal":
        return 2 * experiment.label.fraction * majority * samples
    protocol = experiment.how_sheared()
    steps = EVENT_STEPS * (protocol.last_step - protocol.first_step)
    largest = experiment.shear.largest_event if experiment.shear else 0
    return 2 * steps * samples * min(largest, majority) / 10


def table_bytes(experiment: Experiment) -> int:
    """Bytes of the features of the labelled table of an experiment."""
    columns = n_columns(experiment.glass().species, basis_of(experiment))
    itemsize = np.dtype(experiment.describe.dtype).itemsize
    return int(table_sites(experiment) * columns * len(experiment.describe.cutoffs) * itemsize)


def describing_seconds(experiment: Experiment) -> float:
    """Seconds of one core to compute and write the labelled table of an experiment."""
    size, itemsize = table_bytes(experiment), np.dtype(experiment.describe.dtype).itemsize
    return size * (FEATURE / itemsize + WRITTEN)
