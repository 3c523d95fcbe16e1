"""What the kinds of units share: a tolerance, provenance."""

from __future__ import annotations

from typing import Any

from amorphace.config import OwnGlass
from amorphace.core.codec import encode
from amorphace.dataset.provenance import provenance
from amorphace.runs.job import Job
from amorphace.simulate.models import GlassModel

INHERENT_TOLERANCE = 1e-6
"""Force tolerance of inherent structures of liquids."""


def unit_provenance(
    job: Job[Any], model: GlassModel | OwnGlass, **parameters: Any
) -> dict[str, Any]:
    """Where a result of an experiment comes from."""
    return provenance("run", {"unit": job.unit.id, "model": encode(model)} | parameters)
