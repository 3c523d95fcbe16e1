"""The score field: a fitted model's score for the particles of any configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.core.codec import decode
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.sites import Sites
from amorphace.dataset.label_thermal import majority_species
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
    species: Sequence[str] | None = None,
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
    species : sequence of str, optional
        What the configuration calls the model's species, in their order; the same when left out.
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
    (scored,) = iter_scores(
        model, [configuration], centres=centres, species=species, sigma=sigma, n_jobs=n_jobs
    )
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
    species: Sequence[str] | None = None,
    sigma: float = 1.0,
    n_jobs: int | None = None,
) -> Iterator[Scored]:
    """`score` and rigidity of every frame of a trajectory, one frame in memory at a time.

    Parameters
    ----------
    model, centres, species, sigma, n_jobs
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
    own = tuple(model.settings["species"])
    names = _named(own, species)
    descriptor = descriptor.set_params(max_order=highest, species=tuple(names.values()))
    wanted = [names[label] for label in model.centres] or None if centres is None else centres
    least = 0.0 if model.leverage is None else 1 / model.leverage.largest
    for configuration in configurations:
        _check_species(configuration, tuple(names.values()))
        sites = Sites(configuration, _centres(configuration, wanted))
        values, rigidity = np.full((2, len(configuration)), np.nan)
        for rows, B in descriptor.iter_blocks(sites):
            values[sites.index[rows]] = model.predict_proba(B[:, columns])[:, 1]
            rigidity[sites.index[rows]] = model.rigidity(B[:, columns])
        yield Scored(configuration, values, rigidity, rigidity < least)


def _named(own: Sequence[str], species: Sequence[str] | None) -> dict[str, str]:
    """What each of the model's species is called."""
    if species is not None and not len(set(species)) == len(species) == len(own):
        raise InputError(
            f"species {', '.join(species)}: name what stands for each of the model's, which are "
            f"{', '.join(own)}, in their order"
        )
    return dict(zip(own, species or own, strict=True))


def _check_species(configuration: Configuration, species: Sequence[str]) -> None:
    unknown = sorted(set(configuration.species.tolist()) - set(species))
    if unknown:
        raise InputError(
            f"species {', '.join(unknown)} not known to the model, which was fitted for "
            f"{', '.join(species)}; give a model of this mixture, or say with species (--rename) "
            "which labels stand for these, in their order"
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
