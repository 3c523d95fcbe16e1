"""Active and inactive sites of sheared glasses: who took part in localised plastic events."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.sites import Sites
from amorphace.dataset.describe import Sample, event_sites
from amorphace.dataset.label_thermal import majority_species
from amorphace.dataset.sheared import (
    LARGEST_EVENT,
    THRESHOLD,
    Event,
    Events,
    ShearedSample,
    check_sample,
    is_event,
    localised_particles,
)
from amorphace.dataset.table import ACTIVE, INACTIVE, Table


class NoEvent(InputError):
    """Samples in which nothing rearranged locally."""


@dataclass(frozen=True)
class ShearSummary:
    """What was found in one sample.

    Attributes
    ----------
    name : str
    n_events : int
        Steps of the data set, each with one localised event or more.
    n_avalanches : int
        Collective events, which are left out.
    n_unpaired : int
        Localised ones left out because they activate every majority particle of the sample, so
        that none is left to be inactive.
    n_active, n_inactive : int
        Rows of the table.
    """

    name: str
    n_events: int
    n_avalanches: int
    n_unpaired: int
    n_active: int
    n_inactive: int


@dataclass(frozen=True, eq=False)
class ShearSet:
    """Labels of sheared samples, and the configurations that their sites are in.

    Attributes
    ----------
    table : Table
        Active and inactive sites only, those of an event side by side. `step` is the step of the
        event: sample and step tell the configuration.
    configurations : tuple of Sample
        One for each event: the name of the sheared sample, and the configuration before the
        event with the event's step as its `step`.
    summary : tuple of ShearSummary
        One for each sample, all its intervals together.
    """

    table: Table
    configurations: tuple[Sample, ...]
    summary: tuple[ShearSummary, ...]


def label_shear(
    samples: Iterable[ShearedSample],
    *,
    threshold: float = THRESHOLD,
    largest_event: int | None = LARGEST_EVENT,
    events: Events = "clusters",
    majority: str | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> ShearSet:
    """Active and inactive sites of sheared samples (paper, Results).

    Active are the majority particles with D2min > threshold in a localised event. As many
    inactive ones, "defined by having experienced the lowest D2min values during the same strain
    interval", are described in the same configurations: those before each event. Of a sample's
    majority particles that no localised event activates, the ones of lowest maximum are dealt
    evenly to its events, each once; where they do not suffice, again from the lowest. Where the
    strain of a sample is given in intervals, all this holds for each interval.

    An event with more active majority particles than the sample has inactive ones keeps its most
    active ones, as many as there are partners for.

    Parameters
    ----------
    samples : iterable of ShearedSample
        One for each interval of each sample.
    threshold : float
        In units of sigma^2, for the sum over neighbours.
    largest_event : int or None
        Events with more active particles (of all species) are left out; None keeps all.
    events : {"clusters", "steps"}
        Whether an event is a connected cluster of active particles, closer to each other than
        the first minimum of g(r), or all active particles of a step. The first means the same
        in a small and in a large system, where far events happen in one step.
    majority : str, optional
        Species to choose from; the most frequent one when left out.
    provenance : mapping, optional

    Returns
    -------
    ShearSet
        Targets of its table: "d2min", of active sites that of the event and of inactive ones the
        maximum; "maximum", over the strain interval; both in units of sigma^2.

    Raises
    ------
    NoEvent
        If there is no localised event beside inactive particles.
    InputError
        If names repeat, or the arrays of a sample do not belong together.
    """
    if not threshold > 0:
        raise InputError(f"threshold must be positive (in units of sigma^2), got {threshold}")
    if events not in get_args(Events):
        raise InputError(f"events must be clusters or steps, got {events!r}")
    every = list(samples)
    if not every:
        raise InputError("no samples to label; give at least one")
    _check_names([(s.name, s.interval) for s in every])
    for sample in every:
        check_sample(sample)
    species = np.concatenate([s.species for s in every])
    chosen = majority_species(species, majority)
    parts = [_label_sample(s, s.species == chosen, threshold, largest_event, events) for s in every]
    if not any(p.rows for p in parts):
        left_out = sum(p.n_avalanches for p in parts)
        unpaired = sum(p.n_unpaired for p in parts)
        raise NoEvent(
            f"no localised plastic event in {len(every)} samples ({left_out} collective ones left "
            f"out, and {unpaired} of samples that no inactive particle is left in): strain further "
            "or use more samples, or larger ones"
        )
    return ShearSet(
        table=_table(every, parts, provenance or {}),
        configurations=tuple(
            Sample(s.name, replace(r.event.before, step=r.event.step))
            for s, p in zip(every, parts, strict=True)
            for r in p.rows
        ),
        summary=tuple(
            _summary(name, [p for s, p in zip(every, parts, strict=True) if s.name == name])
            for name in dict.fromkeys(s.name for s in every)
        ),
    )


def is_of_events(labels: Table) -> bool:
    """Whether labels are sites of events, as `label_shear` gives them."""
    return "maximum" in labels.targets


def shear_sites(labels: ShearSet) -> Sites:
    """The sites of the table, row by row, each in the configuration before its event.

    Raises
    ------
    InputError
        If a configuration or a particle of the table is missing.
    """
    place = {(s.name, s.configuration.step): s.configuration for s in labels.configurations}

    def find(name: str, step: int) -> Configuration:
        if (name, step) not in place:
            raise InputError(
                f"the configuration of sample {name} before step {step} is missing; give those "
                "that the labels were made with"
            )
        return place[name, step]

    return Sites.concatenate(event_sites(labels.table, find))


@dataclass(frozen=True, eq=False)
class _EventRows:
    """An event of the data set: particle indices of its active and inactive sites."""

    event: Event
    active: NDArray[np.int64]
    inactive: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _SampleRows:
    rows: tuple[_EventRows, ...]
    n_avalanches: int
    n_unpaired: int = 0


def _label_sample(
    sample: ShearedSample,
    majority: NDArray[np.bool_],
    threshold: float,
    largest_event: int | None,
    events: Events,
) -> _SampleRows:
    """The rows of one interval, event by event, those of a class in ascending order of id."""
    kept: list[tuple[Event, NDArray[np.bool_]]] = []
    n_avalanches = 0
    for event in sample.events:
        if not is_event(event.d2min[majority], threshold):
            continue
        localised, n_collective = localised_particles(
            event, threshold, largest_event, events=events
        )
        n_avalanches += n_collective
        if (localised & majority).any():
            kept.append((event, localised & majority))
    if not kept:
        return _SampleRows((), n_avalanches)
    # an avalanche beside a localised event activates as well: its particles are not inactive there
    activated = np.any([e.d2min > threshold for e, _ in kept], axis=0)
    pool = np.flatnonzero(majority & ~activated)
    pool = pool[np.lexsort((sample.ids[pool], sample.maximum[pool]))]
    if not len(pool):
        return _SampleRows((), n_avalanches, len(kept))
    active = [_most_active(e, rows, sample.ids, len(pool)) for e, rows in kept]
    inactive = _deal(pool, [len(a) for a in active])
    return _SampleRows(
        tuple(
            _EventRows(e, *(rows[np.argsort(sample.ids[rows])] for rows in (a, i)))
            for (e, _), a, i in zip(kept, active, inactive, strict=True)
        ),
        n_avalanches,
    )


def _summary(name: str, parts: Sequence[_SampleRows]) -> ShearSummary:
    rows = [r for p in parts for r in p.rows]
    return ShearSummary(
        name=name,
        n_events=len(rows),
        n_avalanches=sum(p.n_avalanches for p in parts),
        n_unpaired=sum(p.n_unpaired for p in parts),
        n_active=sum(len(r.active) for r in rows),
        n_inactive=sum(len(r.inactive) for r in rows),
    )


def _most_active(
    event: Event, active: NDArray[np.bool_], ids: NDArray[np.int64], most: int
) -> NDArray[np.int64]:
    """The particles of an event that are active, at most `most` of them."""
    rows = np.flatnonzero(active)
    return rows[np.lexsort((ids[rows], -event.d2min[rows]))[:most]]


def _deal(pool: NDArray[np.int64], counts: Sequence[int]) -> list[NDArray[np.int64]]:
    """Deal the pool, from its beginning, to events that take `counts` each.

    The j-th of an event's k turns comes at (j + 1/2) / k, so that large and small events draw
    from the whole of what is dealt. A particle dealt goes to the end of the pool, and is passed
    over where it is in the event already.
    """
    event = np.repeat(np.arange(len(counts)), counts)
    turn = np.concatenate([(np.arange(k) + 0.5) / k for k in counts])
    waiting = deque(pool.tolist())
    dealt: list[list[int]] = [[] for _ in counts]
    for k in event[np.lexsort((event, turn))]:
        passed = 0
        while waiting[0] in dealt[k]:
            waiting.rotate(-1)
            passed += 1
        taken = waiting.popleft()
        waiting.rotate(passed)
        dealt[k].append(taken)
        waiting.append(taken)
    return [np.array(rows, dtype=np.int64) for rows in dealt]


def _table(
    samples: Sequence[ShearedSample], parts: Sequence[_SampleRows], provenance: Mapping[str, Any]
) -> Table:
    names = list(dict.fromkeys(s.name for s in samples))
    found = [
        (s, r.event, rows, label)
        for s, p in zip(samples, parts, strict=True)
        for r in p.rows
        for rows, label in ((r.active, ACTIVE), (r.inactive, INACTIVE))
    ]
    maximum = np.concatenate([s.maximum[rows] for s, _, rows, _ in found])
    d2min = np.concatenate([e.d2min[rows] for _, e, rows, _ in found])
    n = [len(rows) for *_, rows, _ in found]
    labels = np.repeat([label for *_, label in found], n)
    return Table(
        sample=np.repeat([names.index(s.name) for s, *_ in found], n),
        particle_id=np.concatenate([s.ids[rows] for s, _, rows, _ in found]),
        species=np.concatenate([s.species[rows] for s, _, rows, _ in found]),
        step=np.repeat([e.step for _, e, *_ in found], n),
        label=labels,
        targets={"d2min": np.where(labels == ACTIVE, d2min, maximum), "maximum": maximum},
        sample_names=tuple(names),
        provenance=provenance,
    )


def _check_names(names: Sequence[tuple[str, int]]) -> None:
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        name, interval = repeated[0]
        raise InputError(
            f"two samples are called {name}, interval {interval}; name each, since they are the "
            "groups of the cross-validation, and number the intervals of one"
        )
