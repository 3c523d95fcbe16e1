"""Sheared glasses: strain steps in which particles rearranged, and which of them are collective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.observe.structure import connected_clusters, first_minimum

THRESHOLD = 0.6
"""D2min, summed over the neighbours within 2.5 sigma, above which a particle is plastically active
(paper, Methods), in units of sigma^2."""
LARGEST_EVENT = 200
"""Active particles of all species beyond which an event counts as a collective avalanche. In one
sheared Kob-Andersen glass of 1000, ten events had 2 to 184 active particles, five 247 to 888."""
Events = Literal["clusters", "steps"]
"""What an event is: a connected cluster of active particles, so that two that happen in one step
in different places are two; or all active particles of a step, however many places they are in."""
ROUNDING = 1e-6
"""Relative difference between D2min and its maximum that storage may cause."""


@dataclass(frozen=True, eq=False)
class DataStep:
    """A step in which data are taken.

    Attributes
    ----------
    step : int
        Of the run, from 1.
    strain : float
        After it.
    before, after : Configuration
        At mechanical equilibrium; unwrapped.
    """

    step: int
    strain: float
    before: Configuration
    after: Configuration


@dataclass(frozen=True, eq=False)
class Event:
    """A strain step in which particles rearranged.

    Attributes
    ----------
    step : int
        Of the shear run.
    strain : float
        After the step.
    before : Configuration
        At mechanical equilibrium, before the step.
    d2min : ndarray of shape (n,)
        Of every particle in this step, in units of sigma^2.
    """

    step: int
    strain: float
    before: Configuration
    d2min: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ShearedSample:
    """One glass sheared over an interval of strain in which data are taken.

    Attributes
    ----------
    name : str
    species : ndarray of shape (n,)
    ids : ndarray of shape (n,)
    maximum : ndarray of shape (n,)
        Largest D2min of every particle in any single step of the interval, in units of
        sigma^2.
    events : tuple of Event
        Collective ones too.
    interval : int
        Which of the sample's intervals; those of a sample stand under its name, and each has
        inactive particles of its own.
    """

    name: str
    species: NDArray[np.str_]
    ids: NDArray[np.int64]
    maximum: NDArray[np.float64]
    events: tuple[Event, ...]
    interval: int = 0


def is_event(d2min: ArrayLike, threshold: float = THRESHOLD) -> bool:
    """Whether a particle is active in this step: D2min > threshold.

    Parameters
    ----------
    d2min : array_like of shape (n,)
        Of the particles that count, those of the majority species.
    threshold : float
        In units of sigma^2.
    """
    return bool((np.asarray(d2min) > threshold).any())


def localised_particles(
    event: Event,
    threshold: float = THRESHOLD,
    largest: int | None = LARGEST_EVENT,
    *,
    events: Events = "clusters",
) -> tuple[NDArray[np.bool_], int]:
    """The particles that are active in a step, but not in a collective avalanche.

    Parameters
    ----------
    event : Event
    threshold : float
        In units of sigma^2.
    largest : int or None
        Active particles of all species beyond which an event is an avalanche; None: none is.
    events : {"clusters", "steps"}
        Whether connected clusters are counted one by one, or all particles of the step.
        Connected are active particles closer than the first minimum of g(r) before the event.

    Returns
    -------
    localised : ndarray of bool, shape (n,)
    n_avalanches : int
    """
    active = event.d2min > threshold
    if largest is None or active.sum() <= largest:
        return active, 0
    if events == "steps":
        return np.zeros_like(active), 1
    number = connected_clusters(event.before, active, first_minimum(event.before))
    size = np.bincount(number[active])
    return active & (size[number] <= largest), int((size > largest).sum())


def check_sample(sample: ShearedSample) -> None:
    """Arrays that belong together, and a maximum that is one."""
    n = len(sample.ids)
    if not sample.species.shape == sample.maximum.shape == (n,):
        raise InputError(
            f"sample {sample.name}: {n} ids need as many species and maxima, got "
            f"{sample.species.shape} and {sample.maximum.shape}"
        )
    steps = [e.step for e in sample.events]
    if len(set(steps)) != len(steps):
        raise InputError(f"sample {sample.name}: each step makes one event, got steps {steps}")
    for event in sample.events:
        where = f"sample {sample.name}, step {event.step}"
        if event.d2min.shape != (n,) or not np.array_equal(event.before.ids, sample.ids):
            raise InputError(
                f"{where}: the particles of the event are not the {n} of the sample, in their "
                "order; keep the rows of a sample as they are"
            )
        if not (event.d2min <= sample.maximum * (1 + ROUNDING)).all():
            raise InputError(
                f"{where}: D2min exceeds its maximum over the strain; take the maximum over all "
                "steps of the data strain, events included"
            )
