"""Samples from files: their names and configurations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amorphace.core.configuration import Configuration
    from amorphace.dataset.describe import Sample


def sample_names(paths: Iterable[Path]) -> list[str]:
    """File names up to the first point; whole where they then repeat."""
    names = [path.name for path in paths]
    short = [name.split(".")[0] for name in names]
    return short if len(set(short)) == len(short) and all(short) else names


def read_samples(
    paths: list[Path], species: tuple[str, ...], *, last_frame_only: bool
) -> list[Sample]:
    """One sample a file, or one a frame."""
    from amorphace.dataset.describe import Sample
    from amorphace.io import iread, read

    samples: list[Sample] = []
    for name, path in zip(sample_names(paths), paths, strict=True):
        if last_frame_only:
            samples.append(Sample(name, read(path, species)))
            continue
        frames: list[Configuration] = list(iread(path, species))
        many = len(frames) > 1
        samples += [Sample(f"{name}:{k}" if many else name, f) for k, f in enumerate(frames)]
    return samples
