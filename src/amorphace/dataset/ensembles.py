"""Ends of runs: who moved, and what can be read and is probably not what was meant.

Each function `check_...` looks at one thing and returns a sentence for every doubt, as in
`plausible`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.plausible import RANDOM, rms, warn
from amorphace.dataset.table import INACTIVE
from amorphace.observe.displacements import displacements, nearest_image
from amorphace.observe.propensity import isoconfigurational
from amorphace.observe.structure import random_displacement

SOME = 0.4
"""Displacements as large as this share of that of random places are doubted."""
TIMES = 3.0
"""Displacements so many times those of the others are doubted."""
RESIZED = 0.01
"""Relative change of the volume that is no rounding."""
WEAK = 0.3
"""Correlation of D2min and propensity below which hardly anything can have moved together."""


@dataclass(frozen=True, eq=False)
class Mobility:
    """Averages over end points of every particle, of shape (n_particles,)."""

    d2min: NDArray[np.float64]
    propensity: NDArray[np.float64]

    def correlation(self, where: NDArray[np.bool_]) -> float:
        """Of one with the other among some particles; NaN where one of them does not vary."""
        with np.errstate(invalid="ignore"):
            return float(np.corrcoef(self.d2min[where], self.propensity[where])[0, 1])


@dataclass(frozen=True)
class End:
    """What is kept of an end point: the time, how far the particles came (root mean square; to
    their nearest images too), the cell."""

    step: int
    distance: float
    near: float
    volume: float
    digest: str


@dataclass(frozen=True)
class Ensemble:
    """What is kept of a sample whose end points have been looked at."""

    name: str
    step: int
    n_particles: int
    volume: float
    ends: tuple[End, ...]

    @classmethod
    def of(cls, name: str, start: Configuration, ends: Sequence[End]) -> Ensemble:
        """What is kept of a sample."""
        return cls(name, start.step, len(start), start.volume, tuple(ends))

    @property
    def distance(self) -> float:
        """Root-mean-square displacement of a typical end point."""
        return float(np.median([end.distance for end in self.ends]))


def masses_by_species(
    species: Sequence[str], masses: Sequence[float] | None
) -> dict[str, float] | None:
    """Mass of each species; None where none are given.

    Raises
    ------
    InputError
        If there is not one for each.
    """
    if masses is None:
        return None
    if len(masses) != len(species):
        raise InputError(
            f"masses (--masses) must be one for each of the species {', '.join(species)}, in their "
            f"order; got {len(masses)}"
        )
    return dict(zip(species, masses, strict=True))


def measure_sample(
    name: str,
    start: Configuration,
    ends: Iterable[Configuration],
    *,
    cutoff: float,
    power: float = 1,
    normalize: bool = False,
    unwrapped: bool = False,
    masses: Mapping[str, float] | None = None,
    n_jobs: int | None = None,
) -> tuple[Mobility, Ensemble]:
    """Who moved in a sample, and what is kept of its end points.

    Parameters
    ----------
    name : str
        Of the sample.
    start : Configuration
    ends : iterable of Configuration
        Taken one at a time.
    cutoff, power, normalize, unwrapped, n_jobs
        As for `isoconfigurational`.
    masses : mapping of str to float, optional
        Mass of each species, by which the drift is weighted; equal when left out.

    Raises
    ------
    InputError
        As `watched`, `isoconfigurational`, or if a species has no mass where others have.

    Warns
    -----
    InputWarning
        See `check_ends`.
    """
    found: list[End] = []
    try:
        weights = None
        if masses is not None:
            weights = np.array([*masses.values()], float)[start.species_index([*masses])]
        seen = isoconfigurational(
            start,
            watched(start, ends, found, unwrapped=unwrapped),
            cutoff,
            power=power,
            normalize=normalize,
            unwrapped=unwrapped,
            masses=weights,
            n_jobs=n_jobs,
        )
    except InputError as error:
        raise InputError(f"sample {name}: {error}") from error
    ensemble = Ensemble.of(name, start, found)
    warn(check_ends(ensemble, start.cell))
    return Mobility(seen.d2min, seen.propensity), ensemble


def watched(
    start: Configuration, ends: Iterable[Configuration], found: list[End], *, unwrapped: bool
) -> Iterator[Configuration]:
    """The end points as they are, looked at one by one; what is kept of each is put into `found`.

    Raises
    ------
    InputError
        If an end point is the start itself, or its particles are as far from it as random places.
    """
    for k, end in enumerate(ends, start=1):
        end = end.aligned_to(start)
        u = displacements(start, end, unwrapped=unwrapped)
        if len(u) and not u.any():
            raise InputError(
                f"end point {k} (step {end.step}) is the start itself: no particle has moved; "
                "leave that frame out (--frame says which frame of a trajectory is the start)"
            )
        u -= u.mean(axis=0) if len(u) else 0
        distance, near = rms(u), rms(nearest_image(u, end.cell) if unwrapped else u)
        if not unwrapped and distance > RANDOM * random_displacement(start.cell):
            raise InputError(
                f"end point {k} (step {end.step}) is of another sample, or its ids are of other "
                f"particles: they are {distance:.3g} away (root mean square), about as far as "
                f"random places ({random_displacement(start.cell):.3g}); give each sample its own "
                "end points, or, if runs were so long, unwrapped positions and --unwrapped"
            )
        digest = hashlib.sha256(end.positions.tobytes()).hexdigest()
        found.append(End(end.step, distance, near, end.volume, digest))
        yield end


def check_ends(sample: Ensemble, cell: NDArray[np.float64]) -> list[str]:
    """The end points of one sample differ, are alike in what they should be, and not random."""
    doubts = []
    n_equal = len(sample.ends) - len({end.digest for end in sample.ends})
    if n_equal:
        doubts.append(
            f"{sample.name}: {n_equal} of {len(sample.ends)} end points are equal to another and "
            "count twice; leave them out, or go on if the runs ended alike"
        )
    typical, random = sample.distance, random_displacement(cell)
    near = float(np.median([end.near for end in sample.ends]))
    if typical > 2 * near and near < random / 2:
        doubts.append(
            f"{sample.name}: with --unwrapped the particles come {typical:.3g} far (root mean "
            f"square), but {near:.3g} to the nearest image: positions look wrapped; leave out "
            "--unwrapped, or go on if they moved by whole cells"
        )
    elif typical > SOME * random:
        doubts.append(
            f"{sample.name}: particles came {typical:.3g} far (root mean square), near the "
            f"{random:.3g} of random places: files may be swapped, ids lost or runs too long; "
            "go on if the glass flows that fast"
        )
    resized = [end.volume / sample.volume for end in sample.ends]
    if max(abs(ratio - 1) for ratio in resized) > RESIZED:
        doubts.append(
            f"{sample.name}: the cell of the end points has {min(resized):.3g} to "
            f"{max(resized):.3g} times the volume of the start's: it is taken as a strain of all; "
            "go on if it is one"
        )
    for k, end in enumerate(sample.ends, start=1):
        if typical > 0 and end.distance > TIMES * typical:
            doubts.append(
                f"{sample.name}: in end point {k} the particles came {end.distance / typical:.2g} "
                f"times as far ({end.distance:.3g}) as in the others ({typical:.3g}): it may be of "
                "a longer run or of another sample; leave it out, or go on"
            )
    lags = {end.step - sample.step for end in sample.ends}
    counted = {end.step for end in sample.ends} == set(
        range(sample.ends[0].step, sample.ends[0].step + len(sample.ends))
    )
    if len(lags) > 1 and not counted:
        doubts.append(
            f"{sample.name}: the end points are {min(lags)} to {max(lags)} steps after the start; "
            "--lag chooses those of one time, or go on if steps are counted anew"
        )
    return doubts


def check_samples(samples: Sequence[Ensemble]) -> list[str]:
    """All samples have as many particles and end points, as large a cell, runs as long."""
    doubts = []
    kinds: Mapping[str, list[float]] = {
        "particles": [s.n_particles for s in samples],
        "end points": [len(s.ends) for s in samples],
        "steps from start to end": [s.ends[0].step - s.step for s in samples],
    }
    for what, numbers in kinds.items():
        if len(set(numbers)) > 1:
            doubts.append(
                f"samples differ in the number of {what}: {_shown(samples, numbers)}; go on if "
                "that is meant"
            )
    volumes = [s.volume for s in samples]
    if max(volumes) > (1 + RESIZED) * min(volumes):
        doubts.append(
            f"samples differ in the volume of their cells: {_shown(samples, volumes)}; go on if "
            "that is meant"
        )
    for sample in samples:
        others = [s.distance for s in samples if s is not sample]
        typical = float(np.median(others)) if others else np.inf
        if sample.distance > TIMES * typical:
            doubts.append(
                f"{sample.name}: the particles came {sample.distance / typical:.2g} times as far "
                "as in the other samples: its end points may be of another sample or of longer "
                "runs; leave it out, or go on"
            )
    return doubts


def check_ties(name: str, activity: NDArray[np.float64], label: NDArray[np.int8]) -> list[str]:
    """Which particles are inactive is not decided by their place in the file.

    Parameters
    ----------
    name : str
    activity, label : ndarray of shape (n_particles,)
        Of the labelled species.
    """
    tied = activity == activity[label == INACTIVE].max(initial=-np.inf)
    chosen, all_ = int((tied & (label == INACTIVE)).sum()), int(tied.sum())
    if chosen == all_:
        return []
    return [
        f"{name}: {all_} particles share the D2min {activity[tied][0]:.3g}, and {chosen} of them "
        "are inactive by their place in the file alone; a larger --cutoff tells them apart "
        "(--sigma auto, for files in other units)"
    ]


def check_correlation(name: str, correlation: float) -> list[str]:
    """Particles with large D2min moved."""
    if not correlation < WEAK:  # also where it is not defined
        return []
    return [
        f"{name}: D2min and propensity hardly correlate ({correlation:.2f}): end points may be of "
        "another sample, ids lost, or the cutoff of another unit; go on if the cell was sheared"
    ]


def _shown(samples: Sequence[Ensemble], numbers: Sequence[float]) -> str:
    """Smallest and largest of the numbers, with their samples."""
    low, high = int(np.argmin(numbers)), int(np.argmax(numbers))
    return ", ".join(f"{numbers[k]:.6g} in {samples[k].name}" for k in (low, high))
