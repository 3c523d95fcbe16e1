"""What the kinds of units share: the model by its numbers, provenance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from amorphace.config import OwnGlass
from amorphace.core.codec import encode
from amorphace.core.digest import sha256
from amorphace.dataset.provenance import provenance
from amorphace.runs.job import Job
from amorphace.simulate.models import EmbeddedAtom, GlassModel

INHERENT_TOLERANCE = 1e-6
"""Force tolerance of inherent structures of liquids."""


def named_by_content(model: GlassModel) -> GlassModel:
    """The model with the digest of its potential's file in the place of the file's name."""
    if not isinstance(model.potential, EmbeddedAtom):
        return model
    digest = sha256(model.potential.file)
    return replace(model, potential=replace(model.potential, file=digest))


def with_its_file(model: GlassModel, job: Job[Any]) -> GlassModel:
    """The model with its potential's file in the store.

    Raises
    ------
    InputError
        If it is not there.
    """
    if not isinstance(model.potential, EmbeddedAtom):
        return model
    file = str(job.store.file(model.potential.file))
    return replace(model, potential=replace(model.potential, file=file))


def unit_provenance(
    job: Job[Any], model: GlassModel | OwnGlass, **parameters: Any
) -> dict[str, Any]:
    """Where a result of an experiment comes from."""
    return provenance("run", {"unit": job.unit.id, "model": encode(model)} | parameters)
