"""Samples from files: their names, which files belong together, lengths in their unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.describe import Sample
from amorphace.dataset.label_thermal import majority_species
from amorphace.io import iread, read
from amorphace.io.files import Order
from amorphace.observe.structure import first_peak


def sample_names(paths: Iterable[Path]) -> list[str]:
    """File names up to the first point; whole, or with their folders, where these repeat."""
    files = list(paths)
    whole = [path.name for path in files]
    for names in ([name.split(".")[0] for name in whole], whole):
        if len(set(names)) == len(names) and all(names):
            return names
    return [str(path) for path in files]


def matched(names: Sequence[str], files: Sequence[Path], what: str) -> tuple[list[int], str]:
    """Which of the named samples each file is of, and whether "name" or "position" says so.

    Names tell where they agree up to their first point (s1.initial.dump, s1.ends.dump), or where
    what distinguishes the names from each other also distinguishes the files (start_01.dump,
    run_01.dump: 01; run1/start.dump, run1/ends.dump: 1). Otherwise the files stand in the order of
    the samples.

    Parameters
    ----------
    names : sequence of str
        Of the samples: names or paths.
    files : sequence of Path
    what : str
        What the files are, for errors.

    Raises
    ------
    InputError
        If the names of some files agree with those of samples, and others do not; or two files are
        of one sample.

    Examples
    --------
    >>> matched(["s1", "s2"], [Path("s2.ends.dump"), Path("s1.ends.dump")], "end points")
    ([1, 0], 'name')
    >>> matched(["a/start_1.xyz", "a/start_2.xyz"], [Path("b/e2.xyz"), Path("b/e1.xyz")], "ends")
    ([1, 0], 'name')
    >>> matched(["cold", "hot"], [Path("x.dump"), Path("y.dump")], "ends")
    ([0, 1], 'position')
    """
    paths = [str(file) for file in files]
    samples, stems = _stems(names), _stems(paths)
    if len(set(samples)) == len(samples) and set(stems) & set(samples):
        foreign = [file for file, stem in zip(files, stems, strict=True) if stem not in samples]
        if foreign or len(set(stems)) < len(stems):
            wrong = foreign[0] if foreign else next(f for f, s in zip(files, stems, strict=True)
                                                    if stems.count(s) > 1)  # fmt: skip
            raise InputError(
                f"{what}: {wrong} {'is of none' if foreign else 'is one of several of one'} of the "
                f"samples {', '.join(samples[:5])}{', ...' if len(samples) > 5 else ''}, as names "
                "tell; give one file for each sample, or rename them"
            )
        return [samples.index(stem) for stem in stems], "name"
    samples, parts = _differences(names), _differences(paths)
    if len(parts) > 1 and sorted(parts) == sorted(samples) and len(set(parts)) == len(parts):
        return [samples.index(part) for part in parts], "name"
    return list(range(len(files))), "position"


def paired(names: Sequence[str], files: Sequence[Path], what: str) -> tuple[list[Path], str]:
    """The file of each named sample, in their order, and what tells so; see `matched`.

    Raises
    ------
    InputError
        If there are more or fewer files than samples, or as `matched`.
    """
    if len(names) != len(files):
        raise InputError(
            f"{len(names)} initial configurations need as many files of {what}, got "
            f"{len(files)}; give one for each sample"
        )
    places, by = matched(names, files, what)
    return [files[places.index(k)] for k in range(len(files))], by


def check_ends_given(endpoints: object, frame: int | None) -> None:
    """Where runs ended is known: by files of their own, or by the other frames of those given.

    Raises
    ------
    InputError
        Otherwise.
    """
    if endpoints is None and frame is None:
        raise InputError(
            "give the end points of the runs as endpoints (--endpoints); or, for trajectories that "
            "hold start and ends, frame (--frame; 0 if the first frame is the start)"
        )


def start_of(
    path: Path, species: Sequence[str] | None, frame: int | None, order: Order
) -> Configuration:
    """The start of a sample: the only frame of its file, or the one that is asked for.

    Raises
    ------
    InputError
        If there are several and none is asked for.
    """
    if frame is not None:
        return read(path, species, frame=frame, order=order)
    first, *others = islice(iread(path, species, order=order), 2)
    if others:
        raise InputError(
            f"{path} holds several frames: frame (--frame) says which of them is the start (0 the "
            "first, -1 the last); if it holds the ends of runs, give it as endpoints (--endpoints)"
        )
    return first


def ends_of(
    path: Path,
    species: Sequence[str] | None,
    start: Configuration,
    *,
    own: bool,
    lag: int | None,
    order: Order,
) -> Iterator[Configuration]:
    """The end points in a file.

    Parameters
    ----------
    path : Path
    species : sequence of str, optional
    start : Configuration
    own : bool
        Whether the start is a frame of the same file; it is left out.
    lag : int, optional
        Time steps from start to end; frames at other times are left out.
    order : Order

    Raises
    ------
    InputError
        If no frame is left.
    """
    steps = []
    found = False
    for frame in iread(path, species, order=order):
        steps.append(frame.step)
        if own and frame.step == start.step and np.array_equal(frame.positions, start.positions):
            continue
        if lag is None or frame.step - start.step == lag:
            found = True
            yield frame
    if not found:
        later = "" if lag is None else f" {lag} steps"
        raise InputError(
            f"{path}: no frame is{later} after the start (step {start.step}); it holds "
            f"{len(steps)} frames, of steps {min(steps)} to {max(steps)}"
        )


def unit(sigma: str | None, configuration: Configuration, species: str | None = None) -> float:
    """The diameter in the unit of the files: 1, a number, or "auto".

    "auto" is the first peak of g(r) among the most frequent species, to three digits.

    Raises
    ------
    InputError
        If it is no positive number.
    """
    if sigma == "auto":
        chosen = species or majority_species(configuration.species)
        return float(f"{first_peak(configuration, chosen):.3g}")
    try:
        number = 1.0 if sigma is None else float(sigma)
    except ValueError:
        number = 0.0
    if not 0 < number < np.inf:
        raise InputError(f"sigma (--sigma) {sigma}: give a length in the unit of files, or auto")
    return number


def scaled(length: float, sigma: float) -> float:
    """A length in diameters, in the unit of the files, without noise in its last digits."""
    return float(f"{length * sigma:.10g}")


def read_samples(
    paths: Sequence[Path],
    species: tuple[str, ...],
    order: Order,
    *,
    last_frame_only: bool,
) -> list[Sample]:
    """One sample a file, or one a frame."""
    samples: list[Sample] = []
    for name, path in zip(sample_names(paths), paths, strict=True):
        if last_frame_only:
            samples.append(Sample(name, read(path, species, order=order)))
            continue
        frames: list[Configuration] = list(iread(path, species, order=order))
        many = len(frames) > 1
        samples += [Sample(f"{name}:{k}" if many else name, f) for k, f in enumerate(frames)]
    return samples


def _stems(names: Sequence[str]) -> list[str]:
    return [Path(name).name.split(".")[0] for name in names]


def _differences(names: Sequence[str]) -> list[str]:
    """What is left of the names without what all begin and end with."""
    start = _common(names)
    rest = [name[start:] for name in names]
    end = _common([name[::-1] for name in rest])
    return [name[: len(name) - end] for name in rest]


def _common(names: Sequence[str]) -> int:
    """How many characters all begin with."""
    columns = enumerate(zip(*names, strict=False))
    return next((k for k, letters in columns if len(set(letters)) > 1), min(map(len, names)))
