"""What an engine of the batch asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.simulate.batch.motions import Path
from amorphace.simulate.models import GlassModel


@dataclass(frozen=True)
class Move:
    """A stretch of dynamics that an engine asks for."""

    model: GlassModel
    configuration: Configuration
    velocities: NDArray[np.float64] | None
    path: Path
    soft: bool = False


@dataclass(frozen=True)
class Fall:
    """A minimisation that an engine asks for."""

    model: GlassModel
    configuration: Configuration
    tolerance: float
