"""Files that can be read and mean something else: right, warned about or refused, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import amorphace as am
from amorphace.core.neighbors import find_neighbors
from amorphace.dataset.plausible import check_neighbours
from test_cli import run

SPECIES = ("A", "B")
L = 4 * 1.6
SHEAR = np.array([[L, 0, 0], [2.1, L, 0], [1.1, -1.3, L]])


@cache
def amorphous(seed: int, tilted: bool = False) -> am.Configuration:
    """256 random particles, pushed apart until they are about 1 from each other; one in five B."""
    rng = np.random.default_rng(seed)
    h = SHEAR if tilted else np.diag([L] * 3)
    species = np.where(np.arange(256) % 5, "A", "B")
    c = am.Configuration(positions=rng.uniform(size=(256, 3)) @ h, cell=h, species=species)
    for _ in range(120):
        near = find_neighbors(c, 1.08)
        push = ((near.distances - 1.08) / near.distances / 3)[:, None] * near.vectors
        step = [np.bincount(near.centre, push[:, k], minlength=256) for k in range(3)]
        c = other(c, positions=c.positions + np.transpose(step))
    return c


def moved(start: am.Configuration, seed: int, size=0.3, step=100) -> am.Configuration:
    """A run's end: particles of one side of the cell have come farther."""
    rng = np.random.default_rng(seed)
    far = 0.05 + size * np.sin(np.pi * start.fractional()[:, :1]) ** 2
    places = start.positions + far * rng.normal(size=(len(start), 3))
    return am.Configuration(
        positions=places, cell=start.cell, species=start.species, ids=start.ids, step=step
    )


@dataclass
class Files:
    """Two samples as text, which each case changes before it is used."""

    starts: list[str]
    ends: list[list[str]]
    inherent: list[str]
    options: list[object] = field(default_factory=list)
    names: tuple[str, str] = ("s1", "s2")


def dump(
    c: am.Configuration, *, ids=True, columns="x y z", rows: Iterable[int] | None = None, step=None
) -> str:
    """A LAMMPS dump of one frame, written by hand."""
    (lx, _, _), (xy, ly, _), (xz, yz, lz) = c.cell
    bounds = [(min(0, xy, xz, xy + xz), lx + max(0, xy, xz, xy + xz), xy),
              (min(0, yz), ly + max(0, yz), xz), (0.0, lz, yz)]  # fmt: skip
    tilted = bool(xy or xz or yz)
    box = "".join(
        f"{a!r} {b!r}{f' {t!r}' if tilted else ''}\n"
        for a, b, t in ([float(v) for v in row] for row in bounds)
    )
    place = c.fractional() if columns == "xs ys zs" else c.positions
    order = range(len(c)) if rows is None else rows
    lines = [
        " ".join(
            [str(c.ids[k])] * ids
            + [str(1 + SPECIES.index(c.species[k]))]
            + [repr(float(v)) for v in place[k]]
        )
        for k in order
    ]
    return (
        f"ITEM: TIMESTEP\n{c.step if step is None else step}\nITEM: NUMBER OF ATOMS\n{len(lines)}\n"
        f"ITEM: BOX BOUNDS {'xy xz yz ' if tilted else ''}pp pp pp\n{box}"
        f"ITEM: ATOMS {'id ' * ids}type {columns}\n" + "\n".join(lines) + "\n"
    )


def glasses(tilted=False) -> tuple[list[am.Configuration], list[list[am.Configuration]]]:
    starts = [amorphous(k, tilted) for k in (1, 2)]
    return starts, [[moved(g, 10 * k + j) for j in range(3)] for k, g in enumerate(starts)]


def files(tilted=False) -> Files:
    starts, ends = glasses(tilted)
    still = [moved(g, k, size=0.05, step=0) for k, g in enumerate(starts)]
    return Files(
        [dump(g) for g in starts],
        [[dump(e) for e in own] for own in ends],
        [dump(g) for g in still],
    )


def with_ends(change: Callable[[am.Configuration], str], samples=(0, 1)) -> Files:
    f, (_, ends) = files(), glasses()
    for k in samples:
        f.ends[k] = [change(e) for e in ends[k]]
    return f


def with_starts(change: Callable[[am.Configuration], str]) -> Files:
    f, (starts, _) = files(), glasses()
    f.starts = [change(g) for g in starts]
    return f


def everywhere(change: Callable[[am.Configuration], str], tilted=False) -> Files:
    starts, ends = glasses(tilted)
    f = files(tilted)
    f.starts = [change(g) for g in starts]
    f.ends = [[change(e) for e in own] for own in ends]
    f.inherent = [change(moved(g, k, size=0.05, step=0)) for k, g in enumerate(starts)]
    return f


def changed(f: Files, **words) -> Files:
    for name, value in words.items():
        setattr(f, name, value)
    return f


def other(c: am.Configuration, **words) -> am.Configuration:
    """The configuration with some of its fields exchanged."""
    own = {"positions": c.positions, "species": c.species, "cell": c.cell, "ids": c.ids,
           "step": c.step}  # fmt: skip
    return am.Configuration(**(own | words))


def swap(names: Iterable[str]) -> np.ndarray:
    return np.where(np.asarray(names) == "A", "B", "A")


def sheared(order: list[int] | None = None, sign: int = 1, lost: bool = False) -> Files:
    """Glasses in a tilted cell whose tilts are written wrongly."""

    def change(c: am.Configuration) -> str:
        text = dump(c)
        lines = text.split("\n")
        box = [line.split() for line in lines[5:8]]
        tilts = [row[2] for row in box]
        if order:
            tilts = [tilts[k] for k in order]
        if sign < 0:
            tilts = [repr(-float(t)) for t in tilts]
        edges = np.diag(c.cell)
        xy, xz, yz = (float(t) for t in tilts)
        lows = [min(0, xy, xz, xy + xz), min(0, yz), 0]
        highs = [edges[0] + max(0, xy, xz, xy + xz), edges[1] + max(0, yz), edges[2]]
        lines[5:8] = [f"{a} {b} {t}" for a, b, t in zip(lows, highs, tilts, strict=True)]
        if lost:
            lines[4] = "ITEM: BOX BOUNDS pp pp pp"
            lines[5:8] = [f"0 {edge}" for edge in edges]
        return "\n".join(lines)

    return everywhere(change, tilted=True)


def resized(factor: float) -> Callable[[am.Configuration], str]:
    """The cell alone made larger or smaller."""
    return lambda c: dump(other(c, cell=factor * c.cell))


def in_unit(factor: float) -> Callable[[am.Configuration], str]:
    return lambda c: dump(other(c, positions=factor * c.positions, cell=factor * c.cell))


def shuffled(c: am.Configuration) -> np.ndarray:
    """Particles as LAMMPS sorts them, by their bins in space, species by species."""
    return np.lexsort([*np.floor(2 * c.wrapped().positions).T, c.species])


def flown(f: Files) -> Files:
    _, ends = glasses()
    e = ends[0][0]
    f.ends[0][0] = dump(other(e, positions=e.positions + (np.arange(256) == 7)[:, None] * L / 2))
    return f


def flowing(c: am.Configuration) -> str:
    """Particles have come a quarter of the cell far, in two directions."""
    return dump(other(c, positions=c.positions + np.where(c.ids % 2, 0.15, -0.15)[:, None] * L))


S1, S2 = (moved(g, k, size=0.05, step=0) for k, g in enumerate(glasses()[0]))

LABEL = {
    "as they are": (files, "right", None),
    "particles in another order, with ids": (
        lambda: with_ends(lambda c: dump(c, rows=shuffled(c))), "right", None),
    "ends wrapped": (lambda: with_ends(lambda c: dump(c.wrapped())), "right", None),
    "ends unwrapped": (lambda: with_ends(dump), "right", None),
    "scaled positions called scaled": (
        lambda: everywhere(lambda c: dump(c, columns="xs ys zs")), "right", None),
    "corner of the cell elsewhere": (
        lambda: everywhere(lambda c: dump(other(c, positions=c.positions + 3.0))), "right", None),
    "tilted cell": (lambda: files(tilted=True), "right", None),
    "one particle flown away": (lambda: flown(files()), "right", None),
    "species swapped everywhere": (
        lambda: everywhere(lambda c: dump(other(c, species=swap(c.species)))), "right", None),
    "species swapped in the ends": (
        lambda: with_ends(lambda c: dump(other(c, species=swap(c.species)))), "refused",
        "species must agree"),
    "an id twice": (
        lambda: with_ends(lambda c: dump(c, rows=[0, *range(255)])), "refused", "ids must differ"),
    "an atom missing": (
        lambda: with_ends(lambda c: dump(c, rows=range(255))), "refused", "1 particles of the ref"),
    "ids from 0 in the ends": (
        lambda: with_ends(lambda c: dump(other(c, ids=c.ids - 1))), "refused", "matched by id"),
    "two particles on one place": (
        lambda: with_starts(
            lambda c: dump(other(c, positions=[c.positions[1], *c.positions[1:]]))),
        "refused", "lie on top of each other"),
    "ends of the other sample": (
        lambda: changed(files(), ends=files().ends[::-1]), "refused",
        r"sample s1: end point 1 .* is of another sample, or its ids"),
    "one end of the other sample": (
        lambda: changed(files(), ends=[[*files().ends[0][:2], files().ends[1][0]],
                                       files().ends[1]]),
        "refused", "sample s1: end point 3"),
    "ids numbered anew in the ends": (
        lambda: with_ends(lambda c: dump(
            other(c, positions=c.positions[shuffled(c)], species=c.species[shuffled(c)],
                  ids=np.sort(c.ids)[np.argsort(np.argsort(c.species[shuffled(c)] == "A",
                                                           kind="stable"))]))),
        "refused", "species must agree|another sample"),
    "start among the ends": (
        lambda: changed(files(), ends=[[files().starts[0], *own] for own in files().ends]),
        "refused", "end point 1 .* is the start itself"),
    "one end twice": (
        lambda: changed(files(), ends=[[*own, own[0]] for own in files().ends]), "warned",
        "s1: 1 of 4 end points are equal to another"),
    "one file of ends for both": (
        lambda: changed(files(), ends=[files().ends[0]] * 2), "refused",
        "the end points s1.ends.dump and s2.ends.dump are the same file"),
    "one start for both": (
        lambda: changed(files(), starts=[files().starts[0]] * 2), "refused",
        "the initial configurations s1.initial.dump and s2.initial.dump are the same file"),
    "start and ends exchanged": (
        lambda: changed(files(), starts=["".join(own) for own in files().ends],
                        ends=[[text] for text in files().starts]),
        "refused", "s1.initial.dump holds several frames: frame .--frame. says"),
    "trajectory backwards": (
        lambda: changed(files(), starts=[own[0] + text for own, text in
                                         zip(files().ends, files().starts, strict=True)]),
        "refused", "holds several frames: frame .--frame. says"),
    "fewer ends of one sample": (
        lambda: changed(files(), ends=[files().ends[0][:2], files().ends[1]]), "warned",
        "differ in the number of end points: 2 in s1, 3 in s2"),
    "ends of several times": (
        lambda: with_ends(lambda c: dump(c, step=int(100 * c.positions[0, 0]))), "warned",
        "steps after the start; --lag chooses"),
    "longer runs of one sample": (
        lambda: with_ends(lambda c: dump(c, step=500), samples=[1]), "warned",
        "differ in the number of steps from start to end: 100 in s1, 500 in s2"),
    "other box": (lambda: everywhere(resized(1.7)), "warned", "across the cell is empty"),
    "smaller box": (lambda: everywhere(resized(0.9)), "warned", "two particles are"),
    "other box in the ends": (
        lambda: with_ends(resized(1.02)), "warned", "1.06 to 1.06 times the volume of the start's"),
    "a larger cell with scaled positions": (
        lambda: everywhere(in_unit(1.02)), "right", None),
    "a vacuum": (
        lambda: everywhere(lambda c: dump(other(c, cell=np.diag([L, L, 2 * L])))), "warned",
        "a slab of .* across the cell is empty"),
    "a larger unit": (
        lambda: everywhere(in_unit(0.4)), "warned",
        r"the cutoff 2.5 reaches .* neighbours \(median\), more than 800"),
    "Angstrom": (
        lambda: everywhere(in_unit(4.0)), "warned",
        r"the cutoff 2.5 reaches 0 neighbours .* fewer than 8; g\(r\) has .* --sigma auto"),
    "Angstrom, with --sigma auto": (
        lambda: changed(everywhere(in_unit(4.0)), options=["--sigma", "auto"]), "right", None),
    "positions called scaled": (
        lambda: everywhere(lambda c: dump(c).replace("x y z", "xs ys zs")), "warned",
        "two particles are"),
    "scaled positions called x y z": (
        lambda: everywhere(lambda c: dump(c, columns="xs ys zs").replace("xs ys zs", "x y z")),
        "warned", "across the cell is empty"),
    "tilt lost": (lambda: sheared(lost=True), "warned", "two particles are"),
    "tilt flipped": (lambda: sheared(sign=-1), "warned", "two particles are"),
    "tilts in another order": (lambda: sheared([1, 2, 0]), "warned", "two particles are"),
    "wrapped ends called unwrapped": (
        lambda: changed(with_ends(lambda c: dump(c.wrapped())), options=["--unwrapped"]), "warned",
        "positions look wrapped; leave out --unwrapped"),
    "wrapped starts called unwrapped": (
        lambda: changed(with_starts(lambda c: dump(c.wrapped())), options=["--unwrapped"]),
        "warned", "positions look wrapped; leave out --unwrapped"),
    "runs in which the glass flows": (
        lambda: with_ends(flowing), "warned", r"near the 3\.2 of random places"),
    "no ids": (
        lambda: everywhere(lambda c: dump(c, ids=False)), "refused",
        r"is from a file without particle ids, .* \(--order file\)"),
    "no ids, rows that correspond": (
        lambda: changed(everywhere(lambda c: dump(c, ids=False)), options=["--order", "file"]),
        "right", None),
    "no ids, rows in another order": (
        lambda: changed(
            everywhere(lambda c: dump(c, ids=False, rows=np.lexsort(
                [*np.floor(c.wrapped().positions).T, c.species]))),
            options=["--order", "file"]),
        "warned", "near the .* of random places: files may be swapped, ids lost"),
    "names of other samples": (
        lambda: changed(files(), names=("s1", "s3")), "refused",
        r"end points \(--endpoints\): .*s3.ends.dump is of none of the samples s1, s2, as"),
}  # fmt: skip

DESCRIBE = {
    "inherent structures": (lambda: [dump(S1), dump(S2)], "right", None),
    "starts": (lambda: files().starts, "right", None),
    "exchanged": (lambda: [dump(S2), dump(S1)], "refused", "h1 is not sample s1 of the labels"),
    "one for both": (lambda: [dump(S1)] * 2, "refused", "h1.dump and h2.dump are the same file"),
    "no ids": (
        lambda: [dump(c, ids=False) for c in (S1, S2)], "refused", "without particle ids"),
    "species swapped": (
        lambda: [dump(other(c, species=swap(c.species))) for c in (S1, S2)], "refused",
        "species of h1 differ"),
    "an end point": (
        lambda: [dump(moved(g, 5, size=0.7)) for g in glasses()[0]], "warned",
        "it may be an end point or another time"),
}  # fmt: skip


def said(capsys) -> str:
    return " ".join(capsys.readouterr().err.split())


def check(code: int, error: str, expected: str, text: str | None) -> None:
    assert code == (2 if expected == "refused" else 0), error
    assert ("warning:" in error) == (expected == "warned"), error
    if text is not None:
        assert re.search(text, error), error


def written(folder: Path, f: Files) -> tuple[list[Path], list[Path]]:
    starts = [folder / f"s{k}.initial.dump" for k in (1, 2)]
    ends = [folder / f"{name}.ends.dump" for name in f.names]
    for path, text in zip(starts, f.starts, strict=True):
        path.write_text(text)
    for path, texts in zip(ends, f.ends, strict=True):
        path.write_text("".join(texts))
    return starts, ends


@pytest.mark.parametrize("case", LABEL)
def test_label(tmp_path, capsys, case):
    make, expected, text = LABEL[case]
    f = make()
    starts, ends = written(tmp_path, f)
    words = ["--species", "A,B", "--fraction", 0.1, *f.options, "-o", tmp_path / "labels.zarr"]
    code = run("label", *starts, "--endpoints", *ends, *words)
    check(code, said(capsys), expected, text)
    assert (tmp_path / "labels.zarr").exists() == (expected != "refused")


def test_a_cell_thinner_than_twice_the_cutoff_is_named():
    slab = am.Configuration(
        positions=np.random.default_rng(0).uniform(0, 1, (1200, 3)) * [20, 20, 3],
        species="A",
        cell=[20, 20, 3],
    )
    (doubt,) = check_neighbours("s1", slab, [1.6, 1.4])
    assert "s1: the cell of its 1200 particles is 3 thick, less than twice the cutoff 1.6" in doubt
    assert not check_neighbours("s1", slab, [1.5])
    few = am.Configuration(positions=slab.positions[:900], species="A", cell=slab.cell)
    assert not check_neighbours("s1", few, [1.6])


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    starts, ends = written(folder, files())
    path = folder / "labels.zarr"
    assert run("label", *starts, "--endpoints", *ends, "--species", "A,B", "-o", path) == 0
    return path


@pytest.mark.parametrize("case", DESCRIBE)
def test_describe(labels, tmp_path, capsys, case):
    make, expected, text = DESCRIBE[case]
    paths = [tmp_path / "h1.dump", tmp_path / "h2.dump"]
    for path, content in zip(paths, make(), strict=True):
        path.write_text(content)
    words = ["--labels", labels, "--species", "A,B", "--max-order", 1, "--cutoff", 2]
    code = run("describe", *paths, *words, "-o", tmp_path / "table.zarr")
    check(code, said(capsys), expected, text)


REAL = {
    "as they are": (("01", "02"), [0, 1], [0, 1], "right", None),
    "ends of the other sample": (("01", "02"), [1, 0], [0, 1], "refused", "is of another sample"),
    "one sample's ends twice": (("01", "02"), [0, 0], [0, 1], "refused", "are the same file"),
    "inherent structures exchanged": (("01", "02"), [0, 1], [1, 0], "refused", "h0 is not sample"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", REAL)
def test_a_supercooled_liquid(shared, tmp_path, capsys, case):
    """Two ends of two samples of the Kob-Andersen mixture, under names that tell nothing wrong."""
    names, ends, inherent, expected, text = REAL[case]
    folder = shared / "data" / "ka_T0.44"
    for k, name in enumerate(names):
        for kind, place in (("initial.dump", f"s{k}.dump"), ("inherent.dump", f"i{k}.dump")):
            (tmp_path / place).write_bytes((folder / f"sample_{name}.{kind}").read_bytes())
        frames = am.iread(folder / f"sample_{name}.endpoints.dump.gz", SPECIES)
        am.write(tmp_path / f"e{k}.dump", [next(frames), next(frames)])
    for k in range(2):
        (tmp_path / f"r{k}.dump").write_bytes((tmp_path / f"e{ends[k]}.dump").read_bytes())
        (tmp_path / f"h{k}.dump").write_bytes((tmp_path / f"i{inherent[k]}.dump").read_bytes())
    paths = {kind: [tmp_path / f"{kind}{k}.dump" for k in range(2)] for kind in "srh"}
    labels, table = tmp_path / "l.zarr", tmp_path / "t.zarr"
    code = run("label", *paths["s"], "--endpoints", *paths["r"], "--species", "A,B", "-o", labels)
    if code == 0:
        words = ["--labels", labels, "--species", "A,B", "--max-order", 1, "-o", table]
        code = run("describe", *paths["h"], *words)
    check(code, said(capsys), expected, text)
