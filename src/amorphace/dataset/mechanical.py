"""Active and inactive sites of sheared glasses: who took part in localised plastic events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.core.sites import Sites
from amorphace.dataset.describe import Sample
from amorphace.dataset.table import ACTIVE, INACTIVE, Table
from amorphace.dataset.thermal import majority_species
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
class MechanicalSet:
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
) -> NDArray[np.bool_]:
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
    ndarray of bool, shape (n,)
    """
    number = _event_numbers(event, threshold, largest, events)
    return (number >= 0) & ~_collective(number, largest)


def label_mechanical(
    samples: Iterable[ShearedSample],
    *,
    threshold: float = THRESHOLD,
    largest_event: int | None = LARGEST_EVENT,
    events: Events = "clusters",
    majority: str | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> MechanicalSet:
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
    MechanicalSet
        Targets of its table: "d2min", of active sites that of the event and of inactive ones the
        maximum; "maximum", over the strain interval; both in units of sigma^2.

    Raises
    ------
    InputError
        If there is no localised event beside inactive particles, names repeat, or the arrays of a
        sample do not belong together.
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
        _check_sample(sample)
    species = np.concatenate([s.species for s in every])
    chosen = majority_species(species) if majority is None else majority
    if not (species == chosen).any():
        raise InputError(
            f"no particle is of species {chosen}; there are {', '.join(np.unique(species))}"
        )
    parts = [_label_sample(s, s.species == chosen, threshold, largest_event, events) for s in every]
    if not any(p.rows for p in parts):
        left_out = sum(p.n_avalanches for p in parts)
        unpaired = sum(p.n_unpaired for p in parts)
        raise InputError(
            f"no localised plastic event in {len(every)} samples ({left_out} collective ones left "
            f"out, and {unpaired} of samples that no inactive particle is left in): strain further "
            "or use more samples, or larger ones"
        )
    return MechanicalSet(
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


def mechanical_sites(labels: MechanicalSet) -> Sites:
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


def event_sites(table: Table, find: Callable[[str, int], Configuration]) -> Iterator[Sites]:
    """The sites of rows of a mechanical set, event by event.

    Parameters
    ----------
    table : Table
        Any rows of the table of a mechanical set, in its order.
    find : callable
        The configuration before the event of a sample at a step, called with the sample's name
        and the step.

    Raises
    ------
    InputError
        If a particle of the table is missing.
    """
    for rows in _events_of(table) if len(table) else []:
        name, step = table.sample_names[table.sample[rows[0]]], int(table.step[rows[0]])
        before = find(name, step)
        index = before.rows_of(table.particle_id[rows])
        if (index < 0).any():
            raise InputError(
                f"sample {name}, step {step}: the configuration holds no particle id "
                f"{table.particle_id[rows][index < 0][0]}; give the configurations that the labels "
                "were made with"
            )
        yield Sites(before, index)


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
        number = _event_numbers(event, threshold, largest_event, events)
        collective = _collective(number, largest_event)
        n_avalanches += len(np.unique(number[collective]))
        active = (number >= 0) & ~collective & majority
        if active.any():
            kept.append((event, active))
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


def _event_numbers(
    event: Event, threshold: float, largest: int | None, events: Events
) -> NDArray[np.int64]:
    """The event that each particle is active in, shape (n,); -1 where it is in none.

    Clusters are found only where one of them may be an avalanche.
    """
    active = event.d2min > threshold
    if events == "steps" or largest is None or active.sum() <= largest:
        return np.where(active, 0, -1)
    return connected_clusters(event.before, active, first_minimum(event.before))


def _collective(number: NDArray[np.int64], largest: int | None) -> NDArray[np.bool_]:
    """Which particles are in events of more than `largest`, shape (n,)."""
    if largest is None:
        return np.zeros(len(number), dtype=bool)
    return (np.bincount(number + 1)[number + 1] > largest) & (number >= 0)


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
    blocks, names = [], list(dict.fromkeys(s.name for s in samples))
    for sample, part in zip(samples, parts, strict=True):
        number = names.index(sample.name)
        for r in part.rows:
            rows = np.concatenate([r.active, r.inactive])
            label = np.repeat([ACTIVE, INACTIVE], [len(r.active), len(r.inactive)])
            maximum = sample.maximum[rows]
            blocks.append(
                {
                    "sample": np.full(len(rows), number),
                    "particle_id": sample.ids[rows],
                    "species": sample.species[rows],
                    "step": np.full(len(rows), r.event.step),
                    "label": label,
                    "d2min": np.where(label == ACTIVE, r.event.d2min[rows], maximum),
                    "maximum": maximum,
                }
            )
    column = {name: np.concatenate([b[name] for b in blocks]) for name in blocks[0]}
    return Table(
        sample=column["sample"],
        particle_id=column["particle_id"],
        species=column["species"],
        step=column["step"],
        label=column["label"],
        targets={name: column[name] for name in ("d2min", "maximum")},
        sample_names=tuple(names),
        provenance=provenance,
    )


def _events_of(table: Table) -> list[NDArray[np.int64]]:
    """Rows of every event: stretches of one sample and step."""
    key = np.stack([table.sample, table.step], axis=1)
    return np.split(np.arange(len(table)), np.flatnonzero((key[1:] != key[:-1]).any(axis=1)) + 1)


def _check_names(names: Sequence[tuple[str, int]]) -> None:
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        name, interval = repeated[0]
        raise InputError(
            f"two samples are called {name}, interval {interval}; name each, since they are the "
            "groups of the cross-validation, and number the intervals of one"
        )


def _check_sample(sample: ShearedSample) -> None:
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
