"""Columns of a table beside the particles of one configuration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.describe import find_sites
from amorphace.dataset.table import NOT_SELECTED, Table


def particle_columns(
    table: Table, configuration: Configuration, sample: int
) -> dict[str, NDArray[Any]]:
    """Label and targets of one sample for every particle of its configuration, matched by id.

    Parameters
    ----------
    table : Table
    configuration : Configuration
    sample : int
        Index into `table.sample_names`.

    Returns
    -------
    dict
        "label" and the targets, each of shape (n_particles,); -1 and NaN where the table does
        not hold the particle.

    Raises
    ------
    InputError
        If there is no such sample, it holds a particle that the configuration lacks or has as
        another species, or the configuration is that of another sample.
    """
    if not 0 <= sample < len(table.sample_names):
        raise InputError(
            f"there is no sample {sample + 1}: the table holds {len(table.sample_names)}"
        )
    rows = np.flatnonzero(table.sample == sample)
    index = find_sites(configuration, table.take(rows), "the configuration").index
    label = np.full(len(configuration), NOT_SELECTED, dtype=np.int64)
    label[index] = table.label[rows]
    columns: dict[str, NDArray[Any]] = {"label": label}
    for name, values in table.targets.items():
        columns[name] = np.full(len(configuration), np.nan)
        columns[name][index] = values[rows]
    return columns
