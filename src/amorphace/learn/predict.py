"""The score field: a fitted model's probability for the particles of any configuration."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.core.codec import decode
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.files import written_aside
from amorphace.core.sites import Sites
from amorphace.dataset.label_thermal import majority_species
from amorphace.io import write
from amorphace.learn.model import LinearModel


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """What a model must say of its descriptor, so that its features can be computed again."""

    cutoff: float
    species: tuple[str, ...]
    max_order: int
    max_degree: float
    n_max: int
    degree_weight: float
    purify: bool
    distance_transform: Literal["paper", "ace1"]
    r0: float
    sort: Literal["lexicographic", "degree"]


SETTINGS = tuple(f.name for f in fields(_Settings))

JOINABLE = (".xyz", ".extxyz", ".dump", ".lammpstrj")
"""Formats in which the frames of a trajectory stand one after the other."""
SINGLE = (".npz", ".gsd")
"""Formats of which a file holds a single frame with its scores."""

OUTSIDE = 0.01
"""Share of particles outside of what was learned that is worth a warning."""


def model_descriptor(
    model: LinearModel, *, sigma: float = 1.0, n_jobs: int | None = None
) -> ACEDescriptor:
    """The descriptor whose features a model was fitted to.

    Parameters
    ----------
    model : LinearModel
    sigma : float
        The model's unit of length in that of the configurations, by which its lengths are
        multiplied.
    n_jobs : int, optional
        Threads of the descriptor.

    Returns
    -------
    ACEDescriptor
        All its columns; `model_columns` says which of them the model uses.

    Raises
    ------
    InputError
        If the model does not hold all settings of the descriptor, or one has no meaning.
    """
    missing = [name for name in SETTINGS if name not in model.settings]
    if missing:
        raise InputError(
            f"the model does not say {', '.join(missing)}, without which its features cannot be "
            "computed; fit it again with all settings of the descriptor"
        )
    told = {name: model.settings[name] for name in SETTINGS}
    words = decode(_Settings, told, source="settings of the model", again="fit again")
    lengths = {"cutoff": words.cutoff * sigma, "r0": words.r0 * sigma}
    return ACEDescriptor(**vars(words) | lengths, n_jobs=n_jobs).fit()


def knows_descriptor(model: LinearModel) -> bool:
    """Whether a model holds all settings of its descriptor."""
    return all(name in model.settings for name in SETTINGS)


def model_columns(model: LinearModel, descriptor: ACEDescriptor) -> NDArray[np.int64]:
    """Place of the model's features among the columns of the descriptor, shape (n_columns,).

    Raises
    ------
    InputError
        If a feature of the model is no column of the descriptor.
    """
    place = {name: k for k, name in enumerate(descriptor.get_feature_names_out())}
    unknown = [name for name in model.names if name not in place]
    if unknown:
        raise InputError(
            f"{len(unknown)} of the model's {len(model.names)} features (first: {unknown[0]!r}) "
            f"are no columns of the descriptor that the model names, whose columns are "
            f"{next(iter(place))!r}, ...; the file has been changed, or is of another version: "
            "fit again"
        )
    return np.array([place[name] for name in model.names], dtype=np.int64)


def score(
    model: LinearModel,
    configuration: Configuration,
    *,
    centres: str | Sequence[str] | None = None,
    sigma: float = 1.0,
    n_jobs: int | None = None,
) -> NDArray[np.float64]:
    """The score of every particle, sigma(weights . B + intercept) (eq. 11).

    It is P(active) among the labelled sites, half of which are active: most particles are neither
    the most active nor the least, so that it ranks them, and no share of them is to be read off.

    Parameters
    ----------
    model : LinearModel
    configuration : Configuration
        Seen by the model or not. Prepared as those the model was fitted to (an inherent
        structure, if it learned from inherent structures).
    centres : str or sequence of str, optional
        Species whose particles get a score. When left out: those the model was fitted to, if it
        names them (`model.centres`), otherwise the most frequent species.
    sigma : float
        The model's unit of length in that of the configuration.
    n_jobs : int, optional
        Threads; None is 1, -1 is all processors.

    Returns
    -------
    ndarray of shape (n_particles,)
        NaN for particles of other species, since the model has not learned about them.

    Raises
    ------
    InputError
        If the configuration holds a species that the model does not know, no particle is of the
        wanted species, or as `model_descriptor` and `model_columns`.

    Examples
    --------
    >>> settings = ACEDescriptor(cutoff=2.0, species=("A", "B"), max_order=1).get_params()
    >>> model = LinearModel(names=["B1"], weights=[-2.0], intercept=-1.0, mean=[0.0], scale=[1.0],
    ...                     strength=1.0, settings=settings, version="0.1.0")
    >>> glass = Configuration(positions=[[0, 0, 0], [1, 0, 0], [4, 4, 4]], cell=9.0,
    ...                       species=["A", "B", "A"])
    >>> score(model, glass).round(2)  # B1 < 0 beside a B, zero where nothing is near
    array([0.55,  nan, 0.27])
    """
    (scored,) = iter_scores(model, [configuration], centres=centres, sigma=sigma, n_jobs=n_jobs)
    return scored.score


class Scored(NamedTuple):
    """A configuration with numbers for its particles, NaN for those that are not scored.

    Attributes
    ----------
    configuration : Configuration
    score : ndarray of shape (n_particles,)
        See `score`.
    rigidity : ndarray of shape (n_particles,)
        How firm it is; see `LinearModel.rigidity`.
    outside : ndarray of bool of shape (n_particles,)
        Particles whose leverage is beyond the largest of the training sites: the model has learned
        from no such environment.
    """

    configuration: Configuration
    score: NDArray[np.float64]
    rigidity: NDArray[np.float64]
    outside: NDArray[np.bool_]


def iter_scores(
    model: LinearModel,
    configurations: Iterable[Configuration],
    *,
    centres: str | Sequence[str] | None = None,
    sigma: float = 1.0,
    n_jobs: int | None = None,
) -> Iterator[Scored]:
    """`score` and rigidity of every frame of a trajectory, one frame in memory at a time.

    Parameters
    ----------
    model, centres, sigma, n_jobs
        As for `score`.
    configurations : iterable of Configuration

    Yields
    ------
    Scored
    """
    descriptor = model_descriptor(model, sigma=sigma, n_jobs=n_jobs)
    columns = model_columns(model, descriptor)
    # columns stand by order and do not depend on higher ones, which need not be computed
    highest = int(descriptor.basis_.order[columns].max(initial=1))
    descriptor = descriptor.set_params(max_order=highest)
    wanted = (model.centres or None) if centres is None else centres
    least = 0.0 if model.leverage is None else 1 / model.leverage.largest
    for configuration in configurations:
        _check_species(configuration, model.settings["species"])
        sites = Sites(configuration, _centres(configuration, wanted))
        values, rigidity = np.full((2, len(configuration)), np.nan)
        for rows, B in descriptor.iter_blocks(sites):
            values[sites.index[rows]] = model.predict_proba(B[:, columns])[:, 1]
            rigidity[sites.index[rows]] = model.rigidity(B[:, columns])
        yield Scored(configuration, values, rigidity, rigidity < least)


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
    model, configurations, centres, sigma, n_jobs
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
                    model, configurations, centres=centres, sigma=sigma, n_jobs=n_jobs
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


def _check_species(configuration: Configuration, species: Sequence[str]) -> None:
    unknown = sorted(set(configuration.species.tolist()) - set(species))
    if unknown:
        raise InputError(
            f"species {', '.join(unknown)} not known to the model, which was fitted for "
            f"{', '.join(species)}; give a model of this mixture, or name the species as the "
            "model does"
        )


def _centres(configuration: Configuration, wanted: str | Sequence[str] | None) -> NDArray[np.bool_]:
    """Mask of the particles that get a score."""
    labels = [wanted] if isinstance(wanted, str) else wanted
    mask = np.isin(
        configuration.species,
        [majority_species(configuration.species)] if labels is None else list(labels),
    )
    if not mask.any():
        raise InputError(
            f"no particle is of species {', '.join(labels or ())}; the configuration holds "
            f"{', '.join(np.unique(configuration.species))}"
        )
    return mask
