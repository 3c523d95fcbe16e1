"""The configurations before localised events, by which the score of every particle is judged."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.sheared import DataStep
from amorphace.dataset.table import ACTIVE, Table
from amorphace.learn.everyone import Judged

STRAINS = (0.0, 0.001, 0.002, 0.005, 0.01)
"""Between the configurations and the event."""

APART = 0.2
"""Share of such a strain by which that of a configuration may differ from it."""


def judged_events(labels: Table, samples: Iterable[Iterable[DataStep]]) -> Iterator[Judged]:
    """`before_events` of every sample.

    Parameters
    ----------
    labels : Table
        Of `label_shear`.
    samples : iterable of iterable of DataStep
        The strain steps of each sample of the labels, in their order.
    """
    for k, steps in zip(range(len(labels.sample_names)), samples, strict=True):
        yield from before_events(labels, k, steps)


def before_events(labels: Table, sample: int, steps: Iterable[DataStep]) -> Iterator[Judged]:
    """The localised events of a sheared sample, each with configurations that come before it.

    Parameters
    ----------
    labels : Table
        Of `label_shear`: active particles of events, with their D2min.
    sample : int
        Which of its samples.
    steps : iterable of DataStep
        All strain steps in their order, taken one at a time.

    Yields
    ------
    Judged
        For every event as many as there are configurations at `STRAINS` before it. D2min is that
        of the event, NaN of all particles that are not active in it.

    Raises
    ------
    InputError
        If there is no step of an event, or a configuration lacks its particles.
    """
    own = (labels.sample == sample) & (labels.label == ACTIVE)
    left = {
        step: labels.take(own & (labels.step == step)) for step in set(labels.step[own].tolist())
    }
    name, recent = labels.sample_names[sample], deque[tuple[float, Configuration]]()
    for step in steps:
        recent.append((step.strain, step.before))
        while recent[0][0] < step.strain - (1 + APART) * STRAINS[-1]:
            recent.popleft()
        event = left.pop(step.step, None)
        for wanted in STRAINS if event is not None else ():
            ahead = np.array([abs(step.strain - at - wanted) for at, _ in recent])
            nearest = int(ahead.argmin())
            if event is not None and ahead[nearest] <= APART * wanted + 1e-9:
                yield _judged(name, event, recent[nearest][1], wanted)
    if left:
        raise InputError(
            f"sample {name} has an event at step {min(left)}, of which there is no configuration; "
            "give all strain steps that the labels were made with"
        )


def _judged(name: str, event: Table, before: Configuration, strain: float) -> Judged:
    rows = before.rows_of(event.particle_id)
    if (rows < 0).any():
        raise InputError(
            f"sample {name} holds no particle id {event.particle_id[rows < 0][0]} of its event at "
            f"step {event.step[0]}; give the configurations that the labels were made with"
        )
    d2min, active = np.full(len(before), np.nan), np.zeros(len(before), dtype=bool)
    d2min[rows], active[rows] = event.targets["d2min"], True
    return Judged(
        sample=name, configuration=before, targets={"d2min": d2min}, active=active, strain=strain
    )
