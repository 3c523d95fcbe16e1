"""Scores that others report: of all particles of samples that a model has not seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, matthews_corrcoef

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.blocks import blocks_of
from amorphace.dataset.particles import particle_columns
from amorphace.dataset.table import Table
from amorphace.learn.ard import correlations
from amorphace.learn.model import LinearModel
from amorphace.learn.predict import score
from amorphace.learn.results import Curve

EVENT_SCORES = ("core", "average_precision", "mcc", "share", "n_events")


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """A configuration, and what its particles did.

    Attributes
    ----------
    sample : str
    configuration : Configuration
        Prepared as those that the model learned from.
    targets : mapping of str to ndarray of shape (n_particles,)
        For example "d2min", "propensity"; NaN where not measured.
    active : ndarray of bool of shape (n_particles,), optional
        Particles of a localised event that comes after the configuration.
    strain : float
        Between the configuration and the event.
    """

    sample: str
    configuration: Configuration
    targets: Mapping[str, NDArray[np.float64]]
    active: NDArray[np.bool_] | None = None
    strain: float = 0.0


def judged_glasses(
    table: Table, labels: Table, glasses: Iterable[Configuration]
) -> Iterator[Judged]:
    """What all particles of each sample did, or those of each of its blocks.

    Parameters
    ----------
    table : Table
        What is learned from.
    labels : Table
        Targets of all particles.
    glasses : iterable of Configuration
        Those that were described, one a sample of `labels`, in their order; taken one at a time.
    """
    for k, (name, glass) in enumerate(zip(labels.sample_names, glasses, strict=True)):
        columns = particle_columns(labels, glass, k)
        for group, inside in blocks_of(table, name, glass):
            targets = {t: np.where(inside, columns[t], np.nan) for t in labels.targets}
            yield Judged(sample=group, configuration=glass, targets=targets)


def thermal_scores(
    models: Mapping[str, LinearModel], glasses: Iterable[Judged], *, n_jobs: int | None = None
) -> Curve:
    """Correlation of the score with every target over all scored particles of each sample.

    Parameters
    ----------
    models : mapping of str to LinearModel
        By name of a sample that they have not seen; see `unseen_models`.
    glasses : iterable of Judged
        One a sample, with the same targets; taken one at a time.
    n_jobs : int, optional
        Threads; None is 1, -1 is all processors.

    Returns
    -------
    Curve
        "everyone": Spearman and Pearson correlation in each sample, a point for each target.

    Raises
    ------
    InputError
        If a sample has no model, or there are no glasses.
    """
    found: list[list[tuple[float, float]]] = []
    names: list[str] = []
    targets: tuple[str, ...] = ()
    for glass in glasses:
        s = score(_model_of(models, glass), glass.configuration, n_jobs=n_jobs)
        targets, pairs = tuple(glass.targets), []
        for values in glass.targets.values():
            known = np.isfinite(s) & np.isfinite(values)
            pearson, spearman = correlations(s[known], values[known])
            pairs.append((spearman, pearson))
        found.append(pairs)
        names.append(glass.sample)
    if not found:
        raise InputError("no configurations to judge the model by; give one a sample")
    spearman, pearson = np.array(found).transpose(2, 1, 0)
    return Curve(
        name="everyone",
        x=np.arange(1, len(targets) + 1),
        scores={"spearman": spearman, "pearson": pearson},
        labels=targets,
        folds=tuple(names),
    )


def shear_scores(
    models: Mapping[str, LinearModel], events: Iterable[Judged], *, n_jobs: int | None = None
) -> Curve:
    """How the particles of events rank among all, against the strain that is still to come.

    Parameters
    ----------
    models : mapping of str to LinearModel
        By name of a sample that they have not seen; see `unseen_models`.
    events : iterable of Judged
        With `active` and the target "d2min" of the event; one event may come with several
        configurations, each at its strain before it.
    n_jobs : int, optional
        Threads; None is 1, -1 is all processors.

    Returns
    -------
    Curve
        "events": scores of `event_scores` at each strain, mean over the events of a sample, a
        column for each sample, NaN where it has none; the "share" of the particles that are
        active, which is the average precision of chance; and how many events there are,
        "n_events".

    Raises
    ------
    InputError
        If a sample has no model, an event has no particles or D2min, or there are no events.
    """
    found: dict[tuple[float, str], list[tuple[float, ...]]] = {}
    for event in events:
        s = score(_model_of(models, event), event.configuration, n_jobs=n_jobs)
        if event.active is None or "d2min" not in event.targets:
            raise InputError(f"{event.sample}: an event needs its particles and their d2min")
        own = event_scores(s, event.targets["d2min"], event.active)
        own += (float(event.active[np.isfinite(s)].mean()),)
        found.setdefault((round(event.strain, 9), event.sample), []).append(own)
    if not found:
        raise InputError("no events to judge the model by; shear further, or lower the threshold")
    strains = sorted({strain for strain, _ in found})
    samples = list(dict.fromkeys(sample for _, sample in found))
    scores = np.full((len(EVENT_SCORES), len(strains), len(samples)), np.nan)
    for (strain, sample), values in found.items():
        place = strains.index(strain), samples.index(sample)
        scores[:, place[0], place[1]] = *np.mean(values, axis=0), len(values)
    return Curve(
        name="events",
        x=np.array(strains),
        scores=dict(zip(EVENT_SCORES, scores, strict=True)),
        folds=tuple(samples),
    )


def event_scores(
    scores: ArrayLike, d2min: ArrayLike, active: ArrayLike
) -> tuple[float, float, float]:
    """Where an event stands among all particles that have a score.

    Parameters
    ----------
    scores, d2min : array_like of shape (n_particles,)
        Before the event, and of the event; particles without a score do not count.
    active : array_like of bool of shape (n_particles,)
        Particles of the event.

    Returns
    -------
    core : float
        C = 2 AUC - 1 of the active particle with the largest D2min: 1 if all others score less, 0
        for chance, -1 if all score more.
    average_precision : float
        Of the active particles at their true share; chance is that share.
    mcc : float
        Matthews correlation of being active with being among as many of the highest scores.

    Raises
    ------
    InputError
        If no particle is active, all are, or D2min is not known.

    References
    ----------
    D. Richard et al., Phys. Rev. Materials 4, 113609 (2020): the rank of the core.

    Examples
    --------
    >>> event_scores([0.9, 0.1, 0.4, 0.2], [5.0, 0.1, 2.0, 0.3], [True, False, True, False])
    (1.0, 1.0, 1.0)
    """
    s, d = np.asarray(scores, dtype=np.float64), np.asarray(d2min, dtype=np.float64)
    known = np.isfinite(s)
    s, d, y = s[known], d[known], np.asarray(active, dtype=bool)[known]
    if not 0 < y.sum() < len(y) or not np.isfinite(d[y]).any():
        raise InputError(
            f"an event needs active particles, others, and D2min; got {int(y.sum())} active of "
            f"{len(y)} with a score"
        )
    core = int(np.nanargmax(np.where(y, d, np.nan)))
    below, equal = int((s < s[core]).sum()), int((s == s[core]).sum()) - 1
    c = 2 * (below + equal / 2) / (len(s) - 1) - 1
    highest = np.zeros(len(s), dtype=bool)
    highest[np.argsort(-s, kind="stable")[: y.sum()]] = True
    return float(c), float(average_precision_score(y, s)), float(matthews_corrcoef(y, highest))


def _model_of(models: Mapping[str, LinearModel], glass: Judged) -> LinearModel:
    if glass.sample not in models:
        raise InputError(
            f"no model has been fitted without sample {glass.sample!r}; there are models for "
            f"{', '.join(_few(tuple(models)))}"
        )
    return models[glass.sample]


def _few(names: Sequence[str]) -> list[str]:
    return [*names[:5], *(["..."] if len(names) > 5 else [])]
