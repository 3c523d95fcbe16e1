"""GSD: HOOMD's box is centred on the origin, its positions are wrapped, its floats are short."""

from __future__ import annotations

from pathlib import Path

import gsd.hoomd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amorphace as am
from amorphace.core.errors import FileFormatError, InputError
from test_io_files import a_glass, configurations, same_particles

SINGLE = 3e-7
"""Half the last digit of a float32, times a few roundings, relative to the largest number."""


def test_the_corner_is_moved_and_images_are_unwrapped_by_hand(tmp_path: Path) -> None:
    frame = gsd.hoomd.Frame()
    frame.configuration.step = 11
    frame.configuration.box = [4, 2, 8, 0.5, -0.25, 1]  # b = (1, 2, 0), c = (-2, 8, 8)
    frame.particles.N = 2
    frame.particles.types = ["small", "big"]
    frame.particles.typeid = [1, 0]
    frame.particles.position = [[0, 0, 0], [1, 0.5, -1]]
    frame.particles.image = [[0, 0, 0], [1, -1, 2]]
    with gsd.hoomd.open(str(tmp_path / "a.gsd"), "w") as file:
        file.append(frame)
    glass = am.read(tmp_path / "a.gsd")
    assert glass.cell.tolist() == [[4, 0, 0], [1, 2, 0], [-2, 8, 8]]
    assert glass.positions.tolist() == [
        [1.5, 5, 4],  # half of a + b + c
        [1.5 + 1 + 4 - 1 - 4, 5 + 0.5 - 2 + 16, 4 - 1 + 16],
    ]
    assert glass.species.tolist() == ["big", "small"]
    assert glass.ids.tolist() == [1, 2]
    assert glass.step == 11


@given(glass=configurations())
@settings(max_examples=60, deadline=None)
def test_positions_are_written_inside_the_box(
    glass: am.Configuration, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("gsd") / "a.gsd"
    am.write(path, glass, d2min=np.arange(len(glass)) / 2)
    with gsd.hoomd.open(str(path), "r") as file:
        frame = file[0]
    lx, ly, lz, xy, xz, yz = frame.configuration.box.astype(float)
    h = np.array([[lx, 0, 0], [xy * ly, ly, 0], [xz * lz, yz * lz, lz]])
    s = frame.particles.position.astype(float) @ np.linalg.inv(h)
    edge = 0.5 * (1 + SINGLE * np.linalg.cond(h) * 10)
    assert np.abs(s).max() <= edge
    assert frame.particles.image.dtype == np.int32
    assert frame.log["particles/d2min"].tolist() == (np.arange(len(glass)) / 2).tolist()
    assert frame.log["particles/id"].tolist() == glass.ids.tolist()
    assert [frame.particles.types[t] for t in frame.particles.typeid] == glass.species.tolist()


@given(n=st.integers(0, 3), face=st.sampled_from([0.0, -1e-17, 1e-17, 1 - 1e-16, 1.0, -1.0]))
@settings(max_examples=30, deadline=None)
def test_a_particle_on_a_face_stays_where_it_is(
    n: int, face: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    glass = am.Configuration(positions=np.full((n, 3), 3 * face), species="A", cell=3.0)
    path = tmp_path_factory.mktemp("gsd") / "a.gsd"
    am.write(path, glass)
    np.testing.assert_allclose(am.read(path).positions, glass.positions, rtol=0, atol=3 * SINGLE)
    with gsd.hoomd.open(str(path), "r") as file:  # HOOMD's box is [-L/2, L/2)
        assert (file[0].particles.position < 1.5).all() or face == 1 - 1e-16  # in single precision


def test_ids_that_change_along_a_trajectory_are_kept(tmp_path: Path) -> None:
    frames = [a_glass(n=n, seed=n) for n in (5, 5, 7, 5)]
    am.write(tmp_path / "a.gsd", frames)
    for a, b in zip(am.iread(tmp_path / "a.gsd"), frames, strict=True):
        assert same_particles(a, b)


def test_types_keep_their_numbers_along_a_trajectory(tmp_path: Path) -> None:
    frames = [
        am.Configuration(positions=np.eye(3), species=labels, cell=3.0)
        for labels in (["C", "B", "B"], ["C", "A", "B"])
    ]
    am.write(tmp_path / "a.gsd", frames)
    with gsd.hoomd.open(str(tmp_path / "a.gsd"), "r") as file:
        assert [frame.particles.types for frame in file] == [["B", "C"], ["B", "C", "A"]]
        assert [frame.particles.typeid.tolist() for frame in file] == [[1, 0, 0], [1, 2, 0]]


def test_what_gsd_cannot_hold_is_refused(tmp_path: Path) -> None:
    def particle(**other: object) -> am.Configuration:
        fields = {"positions": [[0, 0, 0]], "species": "A", "cell": 3.0} | other
        return am.Configuration(**fields)  # type: ignore[arg-type]

    for glass, message in (
        (particle(species="Å"), "species labels of a GSD file must be ASCII, got ('Å',)"),
        (particle(step=-1), "a GSD file cannot hold the negative step -1"),
        (
            particle(cell=[[0, 3, 0], [3, 0, 0], [0, 0, 3]]),
            "configuration, or write .xyz",
        ),
    ):
        with pytest.raises(InputError) as e:
            am.write(tmp_path / "a.gsd", glass)
        assert message in str(e.value)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_gsd_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.gsd"
    path.write_bytes(b"ITEM: TIMESTEP\n" * 100)
    with pytest.raises(FileFormatError, match=r"a\.gsd: is no GSD file, or is damaged \(Not a GSD"):
        am.read(path)


@pytest.mark.parametrize("height", [0, 1])
def test_a_box_of_two_dimensions_is_refused(height: float, tmp_path: Path) -> None:
    frame = gsd.hoomd.Frame()
    frame.configuration.box = [4, 4, height, 0, 0, 0]
    frame.configuration.dimensions = 2
    frame.particles.N = 1
    frame.particles.position = [[0, 0, 0]]
    with gsd.hoomd.open(str(tmp_path / "a.gsd"), "w") as file:
        file.append(frame)
    with pytest.raises(
        FileFormatError, match=r"a\.gsd: frame 0: .* two-dimensional .*dimensions = 2"
    ):
        am.read(tmp_path / "a.gsd")


def test_a_file_without_frames_is_refused(tmp_path: Path) -> None:
    with gsd.hoomd.open(str(tmp_path / "a.gsd"), "w"):
        pass
    with pytest.raises(FileFormatError, match=r"a\.gsd: holds no frame"):
        am.read(tmp_path / "a.gsd")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"typeid": [2, 0]}, "type 2 has no name in"),
        ({"position": [[0, np.nan, 0], [0, 0, 0]]}, "every coordinate must be a finite number"),
        ({"id": np.array([3, 3])}, "particle id 3 stands 2 times; ids must differ"),
        (
            {"id": np.array([3.5, 4])},
            "must be integers of shape (2,), got float64 of shape (2,)",
        ),
        (
            {"id": np.array([3])},
            "log/particles/id must be integers of shape (2,), got int",
        ),
    ],
)
def test_garbled_particles_name_the_frame(
    damage: dict[str, np.ndarray], message: str, tmp_path: Path
) -> None:
    with gsd.hoomd.open(str(tmp_path / "a.gsd"), "w") as file:
        for values in ({}, damage):
            frame = gsd.hoomd.Frame()
            frame.configuration.box = [4, 4, 4, 0, 0, 0]
            frame.particles.N = 2
            frame.particles.types = ["A", "B"]
            frame.particles.position = values.get("position", [[0, 0, 0], [1, 1, 1]])
            frame.particles.typeid = values.get("typeid", [0, 1])
            frame.log = {"particles/id": values.get("id", np.array([1, 2]))}
            file.append(frame)
    assert len(am.read(tmp_path / "a.gsd", frame=0)) == 2
    with pytest.raises(FileFormatError) as e:
        am.read(tmp_path / "a.gsd")
    assert str(e.value).startswith(f"{tmp_path / 'a.gsd'}: frame 1: ")
    assert message in str(e.value)


@pytest.mark.parametrize(
    ("claimed", "message"),
    [
        (3, r"frame 0: particles/position must be floats of shape \(3, 3\), got float32 of shape"),
        (2**31, r"frame 0 cannot be read, or is damaged \(it claims more particles than it has b"),
    ],
)
def test_a_file_with_fewer_particles_than_it_claims_is_refused(
    claimed: int, message: str, tmp_path: Path
) -> None:
    with gsd.hoomd.open(str(tmp_path / "a.gsd"), "w") as file:
        file.file.write_chunk("particles/N", np.array([claimed], dtype=np.uint32))
        file.file.write_chunk("particles/position", np.eye(3, dtype=np.float32)[:2])
        file.file.end_frame()
    with pytest.raises(FileFormatError, match=rf"a\.gsd: {message}"):
        am.read(tmp_path / "a.gsd")


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")  # what OVITO says on import is its own affair
def test_ovito_shows_labels_and_columns(tmp_path: Path) -> None:
    from ovito.io import import_file

    glass = a_glass(step=42)
    am.write(tmp_path / "a.gsd", glass, d2min=glass.ids / 7)
    seen = import_file(str(tmp_path / "a.gsd")).compute()
    names = {t.id: t.name for t in seen.particles.particle_types.types}
    assert [names[t] for t in seen.particles.particle_types[...]] == glass.species.tolist()
    assert seen.particles["d2min"][...].tolist() == (glass.ids / 7).tolist()
    corner = seen.cell[:, 3]
    wrapped = glass.wrapped().positions
    np.testing.assert_allclose(seen.particles.positions - corner, wrapped, rtol=0, atol=1e-5)
