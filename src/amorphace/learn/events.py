"""The configurations before localised events, by which the score of every particle is judged."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.table import ACTIVE, Table
from amorphace.learn.everyone import Judged, shear_scores, unseen_models
from amorphace.learn.model import LinearModel
from amorphace.learn.results import Curve

STRAINS = (0.0, 0.001, 0.002, 0.005, 0.01)
"""Between the configurations and the event."""

APART = 0.2
"""Share of such a strain by which that of a configuration may differ from it."""

Step = tuple[int, float, Configuration]
"""A strain step: its number, the strain after it, and the configuration before it."""


def before_events(labels: Table, sample: int, steps: Iterable[Step]) -> Iterator[Judged]:
    """The localised events of a sheared sample, each with configurations that come before it.

    Parameters
    ----------
    labels : Table
        Of `label_shear`: active particles of events, with their D2min.
    sample : int
        Which of its samples.
    steps : iterable of Step
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
    for step, strain, before in steps:
        recent.append((strain, before))
        while recent[0][0] < strain - (1 + APART) * STRAINS[-1]:
            recent.popleft()
        event = left.pop(step, None)
        for wanted in STRAINS if event is not None else ():
            ahead = np.array([abs(strain - at - wanted) for at, _ in recent])
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


def every_event(
    table: Table,
    model: LinearModel,
    labels: Table,
    samples: Iterable[Iterable[Step]],
    *,
    n_splits: int,
    n_jobs: int | None = None,
) -> Curve:
    """`shear_scores` of labelled samples, by models like this one that have not seen them.

    Parameters
    ----------
    table, model, n_splits
        As for `fold_models`.
    labels : Table
        Of `label_shear`.
    samples : iterable of iterable of Step
        The strain steps of each sample of the labels, in their order.
    n_jobs : int, optional
        Threads; None is 1, -1 is all processors.
    """
    models = unseen_models(table, model, n_splits=n_splits)
    return shear_scores(
        models,
        (
            judged
            for k, steps in zip(range(len(labels.sample_names)), samples, strict=True)
            for judged in before_events(labels, k, steps)
        ),
        n_jobs=n_jobs,
    )
