"""Frames that are no glass of three dimensions, and frames whose particles have no identity."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import amorphace as am
from amorphace.core.errors import FileFormatError, InputError

N = 400


def dump(
    positions: np.ndarray, edges: tuple[float, float, float], names: str = "x y z", low: float = 0.0
) -> str:
    """A dump without ids: edges of an orthogonal box whose corner is at `low` in z."""
    (a, b, c), n = edges, len(positions)
    rows = "".join(f"{' '.join(map(repr, row))}\n" for row in positions.tolist())
    return (
        f"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n{n}\nITEM: BOX BOUNDS pp pp pp\n"
        f"0 {a}\n0 {b}\n{low} {low + c}\nITEM: ATOMS {names}\n{rows}"
    )


def plane(z: np.ndarray | float = 0.0, edge: float = 20.0) -> np.ndarray:
    """400 particles of a square lattice of spacing 1, at some height."""
    x, y = np.meshgrid(np.arange(20.0), np.arange(20.0))
    flat = np.column_stack([x.ravel(), y.ravel(), np.broadcast_to(z, N)])
    return flat * [edge / 20, edge / 20, 1]


def read(tmp_path: Path, text: str) -> am.Configuration:
    (tmp_path / "a.dump").write_text(text)
    return am.read(tmp_path / "a.dump")


rng = np.random.default_rng(0)
FLAT = {
    "LAMMPS dimension 2": (plane(), (20, 20, 1.07), -0.535, "all 400 particles lie in one plane"),
    "noise of rounding": (plane(rng.normal(0, 1e-6, N)), (20, 20, 1.07), 0, "all 400 .* in one"),
    "in a tall box": (plane(3.0), (20, 20, 20), 0.0, r"all 400 .* \(the cell is 20 thick"),
    "thinner than a particle": (
        plane(rng.uniform(0, 0.2, N)), (20, 20, 0.2), 0.0, "the cell is 0.2 thick along c, and its"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FLAT)
def test_a_system_of_two_dimensions_is_refused(name: str, tmp_path: Path) -> None:
    positions, edges, low, text = FLAT[name]
    with pytest.raises(FileFormatError, match=rf"a\.dump: {text}.*: the system is two-dim"):
        read(tmp_path, dump(positions, edges, low=low))
    am.write(tmp_path / "a.npz", am.Configuration(positions=positions, species="A", cell=edges))
    for frame in (-1, 0):
        with pytest.raises(FileFormatError, match=r"give a three-dimensional system"):
            am.read(tmp_path / "a.npz", frame=frame)
    with pytest.raises(FileFormatError, match=r"give a three-dimensional system"):
        next(am.iread(tmp_path / "a.npz"))


@pytest.mark.parametrize(
    ("positions", "edges"),
    [
        (plane(np.arange(N) % 2 * 0.7), (20, 20, 1.4)),  # two layers, as high as they can be
        (rng.uniform(0, 1, (N, 3)) * [20, 20, 1.0], (20, 20, 1.0)),
        (rng.uniform(0, 1.4, (2, 3)), (1.4, 1.4, 1.4)),
        (plane()[:15], (20, 20, 20)),  # too few to tell
        (rng.uniform(0, 1, (9000, 3)) * [1.5, 1.5, 7400], (1.5, 1.5, 7400)),  # a needle
        (plane(1 + rng.normal(0, 0.2, N)), (20, 20, 1.07)),  # a layer that is rough
    ],
)
def test_small_and_thin_systems_of_three_dimensions_are_read(
    positions: np.ndarray, edges: tuple[float, float, float], tmp_path: Path
) -> None:
    assert len(read(tmp_path, dump(positions, edges))) == len(positions)


def test_scaled_positions_called_x_y_z_are_warned_about(tmp_path: Path) -> None:
    scaled = rng.uniform(0, 1, (N, 3))
    with pytest.warns(UserWarning, match=r"a\.dump: all 400 .* cell of heights 9\.4, 9\.4, 9\.4: "):
        read(tmp_path, dump(scaled, (9.4, 9.4, 9.4)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(tmp_path, dump(scaled, (9.4, 9.4, 9.4), names="xs ys zs"))
        read(tmp_path, dump(scaled, (1.5, 1.5, 1.5)))


def two_frames(suffix: str, folder: Path) -> tuple[Path, np.ndarray]:
    """Frames without ids, the second sorted otherwise, and the positions of the first."""
    x = rng.uniform(0, 8, (500, 3))
    moved = (x + rng.normal(0, 0.02, x.shape))[np.argsort(x[:, 0])]
    path = folder / f"run{suffix}"
    if suffix == ".dump":
        path.write_text(dump(x, (8, 8, 8)) + dump(moved, (8, 8, 8)))
    else:
        head = 'Timestep=0 pbc="T T T" Lattice="8 0 0 0 8 0 0 0 8" Properties=species:S:1:pos:R:3'
        rows = ["".join(f"A {a} {b} {c}\n" for a, b, c in frame) for frame in (x, moved)]
        path.write_text("".join(f"500\n{head}\n{row}" for row in rows))
    return path, x


@pytest.mark.parametrize("suffix", [".dump", ".xyz"])
def test_frames_without_ids_are_matched_with_no_other(suffix: str, tmp_path: Path) -> None:
    path, x = two_frames(suffix, tmp_path)
    before, after = am.iread(path)
    assert np.array_equal(before.positions, x)
    for match in (am.d2min, lambda a, b: am.propensity(a, [b])):
        with pytest.raises(InputError, match=r"a file without particle ids, .* order='file'"):
            match(before, after)
    rows = list(am.iread(path, order="file"))
    assert am.d2min(*rows, cutoff=2.0).shape == (500,)
    assert am.d2min(am.read(path, frame=0, order="file"), rows[1], cutoff=2.0).shape == (500,)
    with pytest.raises(InputError, match=r'order must be "id" or "file", got \'row\''):
        am.read(path, order="row")  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".dump", ".xyz"])
def test_a_frame_without_ids_is_written_without_ids(suffix: str, tmp_path: Path) -> None:
    path, x = two_frames(suffix, tmp_path)
    am.write(tmp_path / f"b{suffix}", am.iread(path))
    again = am.read(tmp_path / f"b{suffix}", frame=0)
    assert np.array_equal(again.positions, x)
    assert not again.identified
    assert am.read(tmp_path / f"b{suffix}", frame=0, order="file").identified


def test_arrays_and_formats_that_keep_their_order_are_matched_by_row(tmp_path: Path) -> None:
    x = rng.uniform(0, 4, (40, 3))
    by_hand = am.Configuration(positions=x, species="A", cell=4.0)
    assert am.d2min(by_hand, by_hand).max() < 1e-20
    np.savez(tmp_path / "a.npz", positions=x, cell=4.0 * np.eye(3))
    (tmp_path / "a.xyz").write_text(
        '40\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3\n'
        + "".join(f"A {a} {b} {c}\n" for a, b, c in x)
    )
    for name in ("a.npz", "a.xyz"):
        assert am.d2min(by_hand, am.read(tmp_path / name)).max() < 1e-20
