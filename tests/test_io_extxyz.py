"""Extended XYZ: our labels as they are, and everyone else's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amorphace as am
from amorphace.core.errors import FileFormatError
from test_io_dump import spelled
from test_io_files import a_glass

DECIMALS = 5.1e-9
"""ASE writes positions with 8 decimals."""
OVITO_DIGITS = 1e-8
"""OVITO writes 10 digits."""


def metal() -> am.Configuration:
    """A metallic glass that ASE can name, in a cell with no particular orientation."""
    rng = np.random.default_rng(4)
    return am.Configuration(
        positions=rng.normal(0, 9, (30, 3)),
        species=rng.choice(["Cu", "Zr"], 30),
        cell=rng.normal(0, 5, (3, 3)),
        ids=rng.permutation(30) + 100,
    )


def test_ase_reads_what_we_write(tmp_path: Path) -> None:
    from ase.io import read as ase_read

    glass = metal()
    am.write(tmp_path / "a.xyz", glass, d2min=np.arange(30.0), moved=np.arange(30) > 4)
    peer = ase_read(tmp_path / "a.xyz")
    assert np.array_equal(peer.positions, glass.positions)
    assert np.array_equal(np.asarray(peer.cell), glass.cell)
    assert peer.get_chemical_symbols() == glass.species.tolist()
    assert peer.pbc.all()
    assert peer.arrays["id"].tolist() == glass.ids.tolist()
    assert peer.arrays["d2min"].tolist() == list(range(30))
    assert peer.arrays["moved"].tolist() == [0] * 5 + [1] * 25


def test_we_read_what_ase_writes(tmp_path: Path) -> None:
    from ase import Atoms
    from ase.io import write as ase_write

    glass = metal()
    frames = []
    for k in range(3):
        atoms = Atoms(glass.species.tolist(), glass.positions + k, cell=glass.cell, pbc=True)
        atoms.info = {"step": 10 * k, "energy": -1.5, "note": "a glass = amorphous", "flag": True}
        atoms.arrays["forces"] = np.ones((30, 3))
        atoms.arrays["fixed"] = np.zeros(30, dtype=bool)
        frames.append(atoms)
    ase_write(tmp_path / "a.extxyz", frames)
    for k, back in enumerate(am.iread(tmp_path / "a.extxyz", ("Zr", "Cu"))):
        np.testing.assert_allclose(back.positions, glass.positions + k, rtol=0, atol=DECIMALS)
        assert np.array_equal(back.cell, glass.cell)
        assert np.array_equal(back.species, glass.species)
        assert back.ids.tolist() == list(range(1, 31))
        assert back.step == 10 * k
    assert k == 2


@pytest.mark.parametrize("further", ["arrays", "results", "constraint", "words"])
def test_we_read_what_ase_writes_beside_the_positions(further: str, tmp_path: Path) -> None:
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.constraints import FixCartesian
    from ase.io import write as ase_write

    glass, columns = metal(), None
    atoms = Atoms(glass.species.tolist(), glass.positions, cell=glass.cell, pbc=True)
    if further == "arrays":
        atoms.set_momenta(glass.positions)
        atoms.set_tags(range(30))
        atoms.new_array("name", np.array(["a", "bb", "c"] * 10))
        atoms.new_array("beyond", np.array([1e300, np.inf, np.nan] * 10))
        atoms.new_array("id", glass.ids)
    elif further == "results":
        atoms.calc = SinglePointCalculator(
            atoms, energy=-1.0, forces=np.ones((30, 3)), stress=np.ones(6), magmoms=np.ones(30)
        )
    elif further == "constraint":
        atoms.set_constraint(FixCartesian(0, [1, 0, 1]))
        columns = ["symbols", "positions", "move_mask"]
    else:
        atoms.info = {
            "text": "'one' \"two\" = {three} é", "json": {"a": [1, None]}, "matrix": np.eye(3),
            "flags": [True, False], "texts": ["a b", "c"], "timestep": 7,
        }  # fmt: skip
    ase_write(tmp_path / "a.xyz", atoms, format="extxyz", columns=columns)
    back = am.read(tmp_path / "a.xyz")
    np.testing.assert_allclose(back.positions, glass.positions, rtol=0, atol=DECIMALS)
    assert np.array_equal(back.species, glass.species)
    assert np.array_equal(back.ids, glass.ids if further == "arrays" else np.arange(30) + 1)
    assert back.step == (7 if further == "words" else 0)


def test_ase_refuses_labels_that_are_no_chemical_symbols(tmp_path: Path) -> None:
    from ase.io import read as ase_read

    metallic = metal()
    glass = am.Configuration(
        positions=metallic.positions,
        species=np.where(metallic.species == "Cu", "A", "B"),
        cell=metallic.cell,
    )
    am.write(tmp_path / "a.xyz", glass)
    with pytest.raises(KeyError, match="A"):
        ase_read(tmp_path / "a.xyz")
    assert np.array_equal(am.read(tmp_path / "a.xyz").species, glass.species)


def xyz(*rows: str, comment: str = 'Lattice="9 0 0 0 9 0 0 0 9"') -> str:
    return "\n".join([str(len(rows)), comment, *rows]) + "\n"


def read_text(tmp_path: Path, text: str, *species: str) -> am.Configuration:
    path = tmp_path / "glass.xyz"
    path.write_text(text)
    return am.read(path, species or None)


LATTICE = 'Lattice="9 0 0 0 9 0 0 0 9"'


def test_columns_may_stand_in_any_order_and_others_are_ignored(tmp_path: Path) -> None:
    comment = f"{LATTICE} Properties=id:I:1:flag:L:1:pos:R:3:vel:R:3:species:S:1:name:S:1"
    glass = read_text(tmp_path, xyz("7 T 1 2 3 0 0 0 B x", "5 F 4 5 6 0 0 0 A y", comment=comment))
    assert glass.ids.tolist() == [7, 5]
    assert glass.species.tolist() == ["B", "A"]
    assert glass.positions.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_labels_are_kept_as_they_are(tmp_path: Path) -> None:
    assert read_text(tmp_path, xyz("si 0 0 0", "X1 1 1 1")).species.tolist() == ["si", "X1"]


@pytest.mark.parametrize(
    ("name", "kinds"), [("type:I:1", "12"), ("type:S:1", "AB"), ("element:S:1", "AB")]
)
def test_86_a_and_22_b_are_never_108_a(name: str, kinds: str, tmp_path: Path) -> None:
    rows = (f"{kinds[k > 85]} {k % 5} {k // 25} {k // 5 % 5}" for k in range(108))
    text = xyz(*rows, comment=f"{LATTICE} Properties={name}:pos:R:3")
    for species in ((), ("A", "B")):
        label, count = np.unique(read_text(tmp_path, text, *species).species, return_counts=True)
        assert dict(zip(label.tolist(), count.tolist(), strict=True)) == {"A": 86, "B": 22}


EXYZ = (
    "Properties=species:S:1:position:R:3:velocity:R:3:radius:R:1 "
    'Lattice="6.0 0.0 0.0 0.0 7.0 0.0 0.0 0.0 8.0" Timestep={} Step=10'
)
ATOOMS = {  # as atooms 3.30 writes them
    "xyz": "step:10 columns:species,position,velocity,radius dt:0.004 cell:6.0,7.0,8.0 ",
    "exyz": EXYZ.format(0.004),
    "exyz of a whole time step": EXYZ.format(1),
    "columns one by one": "columns=id,x,y,z,vel,radius step=10 cell=6.0, 7.0, 8.0",
}


@pytest.mark.parametrize("name", ATOOMS)
def test_we_read_what_atooms_writes(name: str, tmp_path: Path) -> None:
    rows = "B -1.5 2.0 -3.0 1 2 3 0.5", "A 0.1 0.2 -0.3 1 2 3 0.5"
    glass = read_text(tmp_path, xyz(*rows, comment=ATOOMS[name]))
    assert glass.positions.tolist() == [[-1.5, 2, -3], [0.1, 0.2, -0.3]]
    assert glass.species.tolist() == ["B", "A"]
    assert glass.cell.tolist() == np.diag([6.0, 7, 8]).tolist()
    assert glass.step == 10
    assert glass.identified  # atooms keeps the order of particles


def test_a_damaged_comment_of_atooms_is_named(tmp_path: Path) -> None:
    for comment in (
        "step:10 cell:6.0,here,6.0",
        "cell:6.0",
        "step:soon cell:1,1,1",
        "cell:inf,1,1",
    ):
        with pytest.raises(FileFormatError, match=r":2: .* is no comment line of atooms: expected"):
            read_text(tmp_path, xyz("A 1 2 3", comment=comment))
    with pytest.raises(FileFormatError, match=r":2: the cell 6.0,6.0 is two-dimensional"):
        read_text(tmp_path, xyz("A 1 2 3", comment="step:1 columns:species,position cell:6.0,6.0"))


def test_atomic_numbers_stand_in_for_labels(tmp_path: Path) -> None:
    text = xyz("29 0 0 0", "40 1 1 1", comment=f"{LATTICE} Properties=Z:I:1:pos:R:3")
    assert read_text(tmp_path, text).species.tolist() == ["Cu", "Zr"]
    with pytest.raises(FileFormatError, match=r"glass\.xyz:4: Z 400 is no atomic number"):
        read_text(tmp_path, text.replace("40 ", "400 "))


def test_no_labels_at_all_are_one_species(tmp_path: Path) -> None:
    text = xyz("0 0 0", "1 1 1", comment=f"{LATTICE} Properties=pos:R:3")
    assert read_text(tmp_path, text, "Si").species.tolist() == ["Si", "Si"]


def test_the_corner_of_the_cell_is_moved_to_the_origin(tmp_path: Path) -> None:
    text = xyz("A 1 2 3", comment=f'{LATTICE} Origin="1 1 1"')
    assert read_text(tmp_path, text).positions.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("word", ["Timestep", "step", "Step"])
def test_the_step_is_found(word: str, tmp_path: Path) -> None:
    assert read_text(tmp_path, xyz("A 1 2 3", comment=f"{LATTICE} {word}=77")).step == 77
    with pytest.raises(FileFormatError, match=rf":2: {word} must be an integer, got soon"):
        read_text(tmp_path, xyz("A 1 2 3", comment=f"{LATTICE} {word}=soon"))


def test_a_frame_without_particles_is_a_frame(tmp_path: Path) -> None:
    assert len(read_text(tmp_path, xyz())) == 0


PROPERTIES = f"{LATTICE} Properties=species:S:1:pos:R:3:id:I:1"
TWO_FRAMES = xyz("A 0 0 0 1", "B 1 1 1 2", comment=PROPERTIES) * 2
DAMAGE = [  # line of the second frame, what it becomes, the line blamed, the text
    (1, "two", 1, "expected the number of atoms of a frame, got 'two'"),
    (1, "-2", 1, "expected the number of atoms of a frame, got '-2'"),
    (1, "1", 4, "expected the number of atoms of a frame, got 'B 1 1 1 2'"),
    (1, "3", 5, "declares 3 atoms, but the file ends after 2"),
    (2, "", 2, "says no Lattice: only periodic boxes are supported"),
    (2, "a glass", 2, "says no Lattice: only periodic boxes are supported"),
    (2, f'{LATTICE} pbc="T T F"', 2, "says pbc=[True, True, False]: only periodic boxes"),
    (2, 'Lattice="9 0 0 0 9 0 0 0"', 2, "is no comment line of extended XYZ (Got info item Latt"),
    (2, PROPERTIES.replace("0 9 0", "9 0 0"), 2, "is degenerate"),
    (2, f"{LATTICE} Properties=species:S", 2, "must be NAME:TYPE:COLUMNS for each property, "),
    (2, f"{LATTICE} Properties=species:S:x:pos:R:3", 2, "got 'species:S:x:pos:R:3'"),
    (2, f"{LATTICE} Properties=species:Q:1:pos:R:3", 2, "got 'species:Q:1:pos:R:3'"),
    (2, f"{LATTICE} Properties=pos:R:3:pos:R:3", 2, "got 'pos:R:3:pos:R:3'"),
    (2, f"{LATTICE} Properties=pos:R:{'9' * 30}", 2, "got 'pos:R:9999"),
    (2, f"{LATTICE} Properties=species:S:1:pos:R:2", 2, "expected Properties with pos:R:3"),
    (2, f"{LATTICE} Properties=species:S:1:pos:S:3", 2, "expected Properties with pos:R:3"),
    (2, f"{LATTICE} Properties=species:I:1:pos:R:3", 2, "expected Properties with pos:R:3"),
    (2, f"{LATTICE} Properties=7", 2, "got '7'"),
    (2, f'{PROPERTIES} Origin="0 0"', 2, "Origin must be three finite numbers, got [0 0]"),
    (2, f"{PROPERTIES} Origin=here", 2, "Origin must be three finite numbers, got here"),
    (3, "A 0 0 0", 3, "expected 5 columns (species pos0 pos1 pos2 id), got 4: 'A 0 0 0'"),
    (4, "B 1 one 1 2", 4, "column pos1 must hold numbers, got 'one'"),
    (4, "B 1 1 nan 2", 4, "the position [1.0, 1.0, nan] is not finite"),
    (4, "B 1 1 1 2.5", 4, "column id must hold integers of at most 64 bits, got '2.5'"),
    (4, "B 1 1 1 1", 4, "particle id 1 stands twice, first in line 7"),
    (4, "C 1 1 1 2", 4, "species 'C' is not declared: the declared species are A, B"),
]


@pytest.mark.parametrize(("line", "becomes", "blamed", "message"), DAMAGE)
def test_damage_is_named_with_its_line_in_the_whole_file(
    line: int, becomes: str, blamed: int, message: str, tmp_path: Path
) -> None:
    lines = TWO_FRAMES.splitlines()
    lines[4 + line - 1] = becomes
    path = tmp_path / "glass.xyz"
    path.write_text("\n".join(lines) + "\n")
    frames = am.iread(path, ("A", "B"))
    assert len(next(frames)) == 2
    with pytest.raises(FileFormatError) as e:
        list(frames)
    assert str(e.value).startswith(f"{path}:{4 + blamed}: ")
    assert message in str(e.value)
    assert "\n" not in str(e.value)


GARBAGE = ["", "x", "nan", "1e308", "-1", "9" * 30, '"', "[", "\0", "é", "=", "_JSON {", "1_0"]
RICH = xyz("A 0 0 0 1", "B 1 1 1 2", comment=f'{PROPERTIES} Timestep=3 Origin="0 1 2" pbc="T T T"')


def outcome(path: Path) -> FileFormatError | None:
    """What is wrong with a file; None if every frame of it is a sound configuration."""
    try:
        frames = list(am.iread(path))
    except FileFormatError as e:
        return e
    assert frames
    assert all(np.isfinite(frame.positions).all() for frame in frames)
    return None


@given(
    start=st.integers(0, len(RICH)),
    length=st.integers(0, 8),
    garbage=st.sampled_from(GARBAGE),
    cut=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_a_garbled_file_is_whole_frames_or_an_error(
    start: int, length: int, garbage: str, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rest = "" if cut else garbage + RICH[start + length :]
    path = tmp_path_factory.mktemp("garbled") / "glass.xyz"
    path.write_text(RICH[:start] + rest)
    error = outcome(path)
    assert error is None or (str(path) in str(error) and "\n" not in str(error))


def test_what_is_written_names_its_columns(tmp_path: Path) -> None:
    glass = am.Configuration(positions=[[0.1, 0, 0], [1, 2, -3]], species=["B", "A"], cell=2.0)
    am.write(tmp_path / "a.xyz", glass, d2min=[0.25, np.nan], moved=[True, False])
    assert (tmp_path / "a.xyz").read_text() == (
        '2\nLattice="2.0 0.0 0.0 0.0 2.0 0.0 0.0 0.0 2.0" '
        "Properties=species:S:1:pos:R:3:id:I:1:d2min:R:1:moved:I:1 "
        'Timestep=0 pbc="T T T"\nB 0.1 0.0 0.0 1 0.25 1\nA 1.0 2.0 -3.0 2 nan 0\n'
    )


@pytest.mark.parametrize("suffix", [".xyz", ".xyz.gz", ".dump"])
@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")  # what OVITO says on import is its own affair
def test_ovito_shows_labels_ids_and_columns(suffix: str, tmp_path: Path) -> None:
    from ovito.io import import_file

    glass = a_glass(step=42)
    d2min = np.where(glass.ids < 4, np.nan, glass.ids / 7)
    am.write(tmp_path / f"a{suffix}", glass, d2min=d2min, moved=d2min > 1)
    seen = import_file(str(tmp_path / f"a{suffix}")).compute()
    names = {t.id: t.name for t in seen.particles.particle_types.types}
    assert set(names.values()) == {"A", "B"}
    assert [names[t] for t in seen.particles.particle_types[...]] == glass.species.tolist()
    assert seen.particles.identifiers[...].tolist() == glass.ids.tolist()
    np.testing.assert_array_equal(seen.particles["d2min"][...], d2min)
    np.testing.assert_array_equal(seen.particles["moved"][...], d2min > 1)
    np.testing.assert_allclose(seen.particles.positions[...], glass.positions, rtol=0, atol=1e-14)
    np.testing.assert_allclose(seen.cell[:, :3].T, glass.cell, rtol=0, atol=1e-14)
    assert all(seen.cell.pbc)
    assert seen.attributes["Timestep"] == 42


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fmt", ["xyz", "lammps/dump"])
def test_we_read_what_ovito_writes(fmt: str, tmp_path: Path) -> None:
    from ovito.io import export_file, import_file

    glass = a_glass(n=50, step=9)
    corner = np.array([1.0, -2.0, 3.0])
    text = spelled(glass, "xu yu zu", "bounded", corner, np.random.default_rng(0))
    (tmp_path / "a.dump").write_text(text)
    name = str(tmp_path / f"b.{fmt[-4:].strip('/')}")
    columns = ["Particle Identifier", "Particle Type", *(f"Position.{k}" for k in "XYZ")]
    export_file(import_file(str(tmp_path / "a.dump")), name, fmt, columns=columns)
    back = am.read(name, ("A", "B")).aligned_to(glass)
    np.testing.assert_allclose(back.cell, glass.cell, rtol=0, atol=OVITO_DIGITS)
    np.testing.assert_allclose(back.positions, glass.positions, rtol=0, atol=OVITO_DIGITS)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
def test_ovito_finds_the_same_in_a_real_dump(shared: Path) -> None:
    from ovito.io import import_file

    path = shared / "data" / "ka_T0.44" / "sample_01.endpoints.dump.gz"
    pipeline = import_file(str(path), sort_particles=False)
    for k in (0, 31):
        seen, ours = pipeline.compute(k).particles, am.read(path, ("A", "B"), frame=k)
        assert np.array_equal(seen.identifiers[...], ours.ids)
        assert np.array_equal(seen.particle_types[...], np.where(ours.species == "A", 1, 2))
        np.testing.assert_allclose(seen.positions[...], ours.positions, rtol=0, atol=1e-12)
