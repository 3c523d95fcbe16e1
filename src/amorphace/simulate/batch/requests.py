"""What an engine of the batch asks for."""

from __future__ import annotations

from dataclasses import dataclass

from amorphace.simulate.batch.motions import Path
from amorphace.simulate.batch.packed import Packed
from amorphace.simulate.models import GlassModel


@dataclass(frozen=True)
class Move:
    """A stretch of dynamics that an engine asks for."""

    model: GlassModel
    packed: Packed
    path: Path
    soft: bool = False


@dataclass(frozen=True)
class Fall:
    """A minimisation that an engine asks for."""

    model: GlassModel
    packed: Packed
    tolerance: float
