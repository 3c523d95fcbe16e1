"""How much of D2min and propensity is structure: regression on ten samples, as a table.

Reads a folder with, for each sample, NAME.initial.dump, NAME.inherent.dump and
NAME.endpoints.dump.gz (the isoconfigurational ends), and prints what docs/propensity.md says:

    python examples/propensity.py FOLDER
    python examples/propensity.py FOLDER --backwards 8    # also runs read backwards in time

A run of an equilibrium liquid read backwards is as likely as forwards, so each end point is one
more configuration with one run, back to the start. Its inherent structure is made with LAMMPS,
some seconds each, and kept in demo/backwards/.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

import amorphace as am
from amorphace.learn.coarse import propensity_inputs
from amorphace.learn.propensity import propensity_curve, propensity_score
from amorphace.learn.regression import PropensityScore
from amorphace.learn.ridge import ExtraRows
from amorphace.learn.splits import half_width
from amorphace.observe.displacements import displacements
from amorphace.observe.propensity import isoconfigurational

ROOT = Path(__file__).resolve().parents[1]
SPECIES = ("A", "B")
CUTOFF = 2.5
"""Of D2min, in units of sigma."""
ACE = am.ACEDescriptor(
    cutoff=4.0, species=SPECIES, max_order=1, n_max=10, distance_transform="paper", n_jobs=1
)
FORCE = 1e-2
"""Largest force left in the inherent structure of an end point: positions to about 1e-3."""


@dataclass(frozen=True, eq=False)
class Sample:
    """The majority particles of one sample: columns, and targets by name."""

    name: str
    X: np.ndarray
    targets: dict[str, np.ndarray]
    halves: dict[str, float]
    """Correlation of each target between the two halves of the runs."""


def read_sample(folder: Path, name: str) -> Sample:
    """Columns of the inherent structure; averages over the runs, and over each half of them."""
    start = am.read(folder / f"{name}.initial.dump", SPECIES)
    inherent = am.read(folder / f"{name}.inherent.dump", SPECIES).aligned_to(start)
    ends = list(am.iread(folder / f"{name}.endpoints.dump.gz", SPECIES))
    of_a = start.species == "A"
    halves = [isoconfigurational(start, ends[k::2], CUTOFF, where=of_a) for k in (0, 1)]
    n = np.array([half.n_endpoints for half in halves])
    targets, agreement = {}, {}
    for target in ("d2min", "propensity"):
        pair = np.stack([getattr(half, target) for half in halves])
        targets[target] = n @ pair / n.sum()
        agreement[target] = float(np.corrcoef(pair)[0, 1])
    X = propensity_inputs(inherent, ACE, where=of_a)
    return Sample(name, X, targets, agreement)


def read_backwards(folder: Path, name: str, n_ends: int) -> Iterator[dict[str, np.ndarray]]:
    """Columns of the first end points, and how far each particle is from where it came from."""
    from amorphace.simulate.inherent import inherent_structure
    from amorphace.simulate.models import find_model

    kept = ROOT / "demo" / "backwards"
    kept.mkdir(parents=True, exist_ok=True)
    start = am.read(folder / f"{name}.initial.dump", SPECIES)
    ends = am.iread(folder / f"{name}.endpoints.dump.gz", SPECIES)
    for k, end in enumerate(islice(ends, n_ends)):
        path = kept / f"{name}.{k:02d}.npz"
        if not path.exists():
            model = find_model("kob-andersen")
            inherent = inherent_structure(model, end.wrapped(), force_tolerance=FORCE)
            of_a, back = end.species == "A", start.aligned_to(end)
            moved = np.linalg.norm(displacements(end, back, remove_drift=True), axis=1)
            rows = {
                "X": propensity_inputs(inherent.configuration.aligned_to(end), ACE, where=of_a),
                "d2min": am.d2min(end, back, cutoff=CUTOFF)[of_a],
                "propensity": moved[of_a],
            }
            np.savez(path, **{key: values.astype(np.float32) for key, values in rows.items()})
        with np.load(path) as archive:
            yield {key: archive[key] for key in archive.files}


def extra_rows(
    folder: Path, names: list[str], n_ends: int, target: str, transform
) -> ExtraRows | None:
    """End points of every sample, to learn from together with it."""
    parts = [
        (number, rows)
        for number, name in enumerate(names)
        for rows in read_backwards(folder, name, n_ends)
    ]
    if not parts:
        return None
    count = [len(rows["X"]) for _, rows in parts]
    return ExtraRows(
        X=np.concatenate([rows["X"] for _, rows in parts]),
        y=np.concatenate([transform(rows[target]) for _, rows in parts]),
        groups=np.repeat([number for number, _ in parts], count),
        configuration=np.repeat(np.arange(len(parts)), count),
    )


def line(what: str, inputs: str, score: PropensityScore) -> str:
    """A row of the table."""
    p = score.pearson
    return (
        f"| {what} | {inputs} | {score.n_columns} | {p.mean():.3f} ± {half_width(p):.3f} | "
        f"{score.spearman.mean():.3f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=ROOT.parent / "shared" / "data" / "ka_T0.44"
    )
    parser.add_argument("--backwards", type=int, default=0, help="end points a sample")
    words = parser.parse_args()
    names = sorted(p.name.split(".")[0] for p in words.folder.glob("*.initial.dump"))
    samples = [read_sample(words.folder, name) for name in names]
    X = np.concatenate([s.X for s in samples])
    groups = np.repeat(np.arange(len(samples)), [len(s.X) for s in samples])
    print("| target | inputs | columns | Pearson | Spearman |\n|---|---|---|---|---|")
    for target, name, transform in (
        ("d2min", "D2min", np.asarray),
        ("d2min", "√D2min", np.sqrt),
        ("propensity", "propensity", np.asarray),
    ):
        y = transform(np.concatenate([s.targets[target] for s in samples]))
        plain = propensity_score(X[:, : ACE.n_features_out], y, groups, target=name)
        print(line(name, "radial", plain))
        print(line(name, "radial, averages", propensity_score(X, y, groups, target=name)))
        if words.backwards:
            extra = extra_rows(words.folder, names, words.backwards, target, transform)
            score = propensity_score(X, y, groups, target=name, extra=extra)
            print(line(name, "radial, averages; end points backwards too", score), flush=True)
    for target in ("d2min", "propensity"):
        r = np.array([s.halves[target] for s in samples])
        limit = np.sqrt(2 * r / (1 + r))  # of the mean over all runs with that over endless ones
        halves = f"one half of the runs with the other {r.mean():.3f}, limit {limit.mean():.3f}"
        print(f"{target}: {halves}")
    y = np.concatenate([s.targets["d2min"] for s in samples])
    curve = propensity_curve(X, y, groups, target="d2min")
    print("\n| training samples | Pearson | Spearman |\n|---|---|---|")
    for n, pearson, spearman in zip(curve.n_train, curve.pearson, curve.spearman, strict=True):
        print(f"| {n} | {pearson.mean():.3f} | {spearman.mean():.3f} |")


if __name__ == "__main__":
    main()
