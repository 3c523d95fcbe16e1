"""Samples that can be read and are probably not what was meant.

Each function looks at one thing and returns a sentence for every doubt, which says how to go on if
the input is meant; what cannot be meant is refused. Lengths are compared with those of the glass
itself, so that files in any unit are judged alike.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, InputWarning
from amorphace.dataset.table import INACTIVE
from amorphace.observe.displacements import displacements, nearest_image
from amorphace.observe.structure import (
    first_peak,
    median_neighbours,
    nearest_pair,
    random_displacement,
)

FEW, MANY = 8, 800
"""With fewer or more neighbours within it, a cutoff is hardly in the unit of the file."""
CROWD = 1000
"""Particles that could fill a cell wider than twice any usual cutoff."""
CLOSE = 0.5
"""Share of the first peak of g(r) below which no two particles of a glass come."""
EMPTY = 2.5
"""First peaks: a slab as thick without a particle is no hole of a glass."""
SOME, RANDOM = 0.4, 0.8
"""Displacements as large as these shares of that of random places are doubted, and refused."""
TIMES = 3.0
"""Displacements so many times those of the others are doubted."""
NEAR = 0.5
"""Share of the first peak within which an inherent structure is of its configuration."""
RESIZED = 0.01
"""Relative change of the volume that is no rounding."""
WEAK = 0.3
"""Correlation of D2min and propensity below which hardly anything can have moved together."""


@dataclass(frozen=True)
class End:
    """What is kept of an end point: the time, how far the particles came (root mean square; to
    their nearest images too), the cell."""

    step: int
    distance: float
    near: float
    volume: float
    digest: bytes


@dataclass(frozen=True)
class Ensemble:
    """What is kept of a sample whose end points have been looked at."""

    name: str
    step: int
    n_particles: int
    volume: float
    ends: tuple[End, ...]

    @property
    def distance(self) -> float:
        """Root-mean-square displacement of a typical end point."""
        return float(np.median([end.distance for end in self.ends]))


def ensemble(name: str, start: Configuration, ends: Sequence[End]) -> Ensemble:
    """What is kept of a sample."""
    return Ensemble(name, start.step, len(start), start.volume, tuple(ends))


def warn(doubts: Iterable[str]) -> None:
    """Each doubt as a warning of the category `InputWarning`."""
    for doubt in doubts:
        warnings.warn(doubt, InputWarning, stacklevel=3)


def check_spacing(name: str, configuration: Configuration) -> list[str]:
    """No two particles are far closer than neighbours are, and no slab of the cell is empty."""
    if len(configuration) < 2:
        return []
    doubts = []
    peak, least = first_peak(configuration), nearest_pair(configuration)
    if least < CLOSE * peak:
        doubts.append(
            f"{name}: two particles are {least:.3g} apart, while g(r) has its first peak at "
            f"{peak:.3g}: cell, tilt or coordinates may be read as something else; if they are "
            "right, this is no glass at rest, and you may go on"
        )
    s = np.sort(configuration.fractional() % 1.0, axis=0)
    gaps = np.diff(s, axis=0, append=s[:1] + 1).max(axis=0)
    slab = float((gaps * configuration.heights).max())
    if slab > EMPTY * peak:
        doubts.append(
            f"{name}: a slab of {slab:.3g} across the cell is empty, while neighbours are "
            f"{peak:.3g} apart: the cell may be of another frame or unit; go on if a surface or a "
            "void is meant"
        )
    return doubts


def check_neighbours(
    name: str, configuration: Configuration, cutoffs: Sequence[float]
) -> list[str]:
    """Each cutoff reaches a plausible number of neighbours, and no particle's own images."""
    doubts = []
    for cutoff in cutoffs:
        count = median_neighbours(configuration, cutoff)
        if not FEW <= count <= MANY:
            doubts.append(
                f"{name}: the cutoff {cutoff:g} reaches {count:g} neighbours (median), "
                f"{'fewer than' if count < FEW else 'more than'} {FEW if count < FEW else MANY}; "
                f"g(r) has its first peak at {first_peak(configuration):.3g}. Cutoffs are in the "
                "unit of the file: give --sigma auto if they are meant in diameters, or go on"
            )
    height, reach = configuration.heights.min(), max(cutoffs, default=0.0)
    if len(configuration) >= CROWD and height < 2 * reach:
        doubts.append(
            f"{name}: the cell of its {len(configuration)} particles is {height:.4g} thick, less "
            f"than twice the cutoff {reach:g}: a particle has others several times, through the "
            "boundary, as neighbours; check the cell, give a smaller cutoff, or go on"
        )
    return doubts


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
        distance, near = _rms(u), _rms(nearest_image(u, end.cell) if unwrapped else u)
        if not unwrapped and distance > RANDOM * random_displacement(start.cell):
            raise InputError(
                f"end point {k} (step {end.step}) is of another sample, or its ids are of other "
                f"particles: they are {distance:.3g} away (root mean square), about as far as "
                f"random places ({random_displacement(start.cell):.3g}); give each sample its own "
                "end points, or, if runs were so long, unwrapped positions and --unwrapped"
            )
        digest = hashlib.sha256(end.positions.tobytes()).digest()
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


def check_repeated(digests: Sequence[tuple[str, str]], what: str) -> None:
    """No file stands twice, under whatever names.

    Parameters
    ----------
    digests : sequence of (name, SHA-256)
    what : str
        Which files they are.

    Raises
    ------
    InputError
        Otherwise.
    """
    first: dict[str, str] = {}
    for name, digest in digests:
        if digest in first:
            raise InputError(
                f"{what} {first[digest]} and {name} are the same file; a sample that stands twice "
                "is learned from and tested on: give each one once"
            )
        first[digest] = name


def check_positions(
    name: str,
    labelled: str,
    configuration: Configuration,
    index: NDArray[np.int64],
    positions: NDArray[np.float32] | None,
) -> list[str]:
    """A configuration is that of its labels, or the inherent structure of it.

    Parameters
    ----------
    name : str
        Of the configuration.
    labelled : str
        Of the sample in the labels.
    configuration : Configuration
    index : ndarray of int of shape (n_rows,)
        Particles that the labels know.
    positions : ndarray of shape (n_rows, 3), optional
        Where they were when they were labelled; nothing is checked without.

    Raises
    ------
    InputError
        If they are as far as random places.
    """
    if positions is None or not len(index):
        return []
    u = nearest_image(configuration.positions[index] - positions, configuration.cell)
    distance, random = _rms(u - u.mean(axis=0)), random_displacement(configuration.cell)
    if distance > RANDOM * random:
        raise InputError(
            f"{name} is not sample {labelled} of the labels: its particles are {distance:.3g} from "
            f"where they were labelled (root mean square), as random places are ({random:.3g}); "
            "give each sample its own configuration"
        )
    peak = first_peak(configuration)
    if distance > NEAR * peak:
        return [
            f"{name}: particles are {distance:.3g} from where they were labelled as sample "
            f"{labelled} (root mean square), more than half the distance of neighbours "
            f"({peak:.3g}): it may be an end point or another time; go on if it is meant"
        ]
    return []


def _shown(samples: Sequence[Ensemble], numbers: Sequence[float]) -> str:
    """Smallest and largest of the numbers, with their samples."""
    low, high = int(np.argmin(numbers)), int(np.argmax(numbers))
    return ", ".join(f"{numbers[k]:.6g} in {samples[k].name}" for k in (low, high))


def _rms(u: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.einsum("nd,nd->n", u, u).mean())) if len(u) else 0.0
