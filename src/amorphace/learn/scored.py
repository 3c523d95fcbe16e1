"""Files of configurations with their scores, and a glass that is unlike what was learned from."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.files import written_aside
from amorphace.io import write
from amorphace.learn.model import LinearModel
from amorphace.learn.predict import iter_scores

JOINABLE = (".xyz", ".extxyz", ".dump", ".lammpstrj")
"""Formats in which the frames of a trajectory stand one after the other."""
SINGLE = (".npz", ".gsd")
"""Formats of which a file holds a single frame with its scores."""

OUTSIDE = 0.01
"""Share of particles outside of what was learned that is worth a warning."""


class Written(NamedTuple):
    """What `write_scores` wrote.

    Attributes
    ----------
    n_frames, n_scores : int
        Frames, and scores in them that are not NaN.
    n_outside : int
        Scores of particles that are `outside`.
    """

    n_frames: int
    n_scores: int
    n_outside: int


def write_scores(
    path: str | Path,
    model: LinearModel,
    configurations: Iterable[Configuration],
    *,
    centres: str | Sequence[str] | None = None,
    species: Sequence[str] | None = None,
    sigma: float = 1.0,
    n_jobs: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> Written:
    """Write the frames of a trajectory with the columns "score" and "rigidity".

    A model that does not know its training sites gives no rigidity.

    Parameters
    ----------
    path : str or Path
        Ends in .xyz, .extxyz, .dump or .lammpstrj (also with .gz), or, for a single frame, in .npz
        or .gsd; appears whole or not at all.
    model, configurations, centres, species, sigma, n_jobs
        As for `iter_scores`.
    progress : callable, optional
        Called with 1 after each frame.

    Returns
    -------
    Written

    Raises
    ------
    InputError
        If there are no frames, the format cannot hold them, or as `score`.
    """
    target = Path(path)
    suffix = "".join(s for s in target.suffixes[-2:] if s in (*JOINABLE, ".gz", *SINGLE))
    if suffix in ("", ".gz") and "dump" not in target.name.lower():
        known = ", ".join((*JOINABLE, *SINGLE))
        raise InputError(f"{path}: scores are not written in this format; choose one of {known}")
    n_frames = n_scores = n_outside = 0
    labels: set[str] = set()
    with written_aside(target) as whole:
        frame_file = whole.with_name(f"{whole.name}.frame{suffix}")
        try:
            with whole.open("wb") as stream:
                for frame, values, rigidity, outside in iter_scores(
                    model,
                    configurations,
                    centres=centres,
                    species=species,
                    sigma=sigma,
                    n_jobs=n_jobs,
                ):
                    if n_frames:
                        _check_joinable(target, suffix, labels, frame)
                    labels |= set(frame.species.tolist())
                    if model.leverage is None:
                        write(frame_file, frame, score=values)
                    else:
                        write(frame_file, frame, score=values, rigidity=rigidity)
                    with frame_file.open("rb") as part:
                        shutil.copyfileobj(part, stream)
                    n_frames += 1
                    n_scores += int(np.isfinite(values).sum())
                    n_outside += int(outside.sum())
                    if progress is not None:
                        progress(1)
        finally:
            frame_file.unlink(missing_ok=True)
        if not n_frames:
            raise InputError(f"{path}: there is no frame to write; check the trajectory")
    return Written(n_frames, n_scores, n_outside)


def unlike(n_outside: int, n_scores: int) -> list[str]:
    """A sentence if more than `OUTSIDE` of the scored particles are unlike what was learned from.

    Parameters
    ----------
    n_outside, n_scores : int
        As in `Written`.
    """
    share = n_outside / max(n_scores, 1)
    if share <= OUTSIDE:
        return []
    return [
        f"{share:.1%} of the scored particles lie outside of what the model learned from (leverage "
        "beyond the largest of its training sites): is this the same glass, prepared in the same "
        "way, in the same units (--sigma)?"
    ]


def _check_joinable(path: Path, suffix: str, labels: set[str], frame: Configuration) -> None:
    """A second frame can stand behind the first, with the same meaning of types 1, 2, ...."""
    if not suffix.startswith(JOINABLE):
        raise InputError(
            f"{path}: this format holds a single frame with scores; write a trajectory as .xyz "
            "or .dump"
        )
    if suffix.startswith((".dump", ".lammpstrj")) and set(frame.species.tolist()) != labels:
        raise InputError(
            f"{path}: the frame of step {frame.step} holds other species than those before, so "
            "that type numbers of a dump would change their meaning; write .xyz"
        )
