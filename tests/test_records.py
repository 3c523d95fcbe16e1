"""Records: dataclasses come back from JSON as they were, and nothing else comes back as one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from amorphace.core.codec import decode, encode
from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError, InputError
from amorphace.core.records import (
    read_archive,
    read_json,
    read_record,
    read_toml,
    write_archive,
    write_json,
    write_record,
)


class Phase(Enum):
    LIQUID = "liquid"
    GLASS = "glass"


@dataclass(frozen=True)
class Sphere:
    radius: float


@dataclass(frozen=True)
class Rod:
    length: float
    width: float = 1.0


@dataclass(frozen=True, eq=False)
class State:
    configuration: Configuration
    velocities: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Everything:
    number: float
    count: int
    text: str
    flag: bool
    phase: Phase
    style: Literal["a", "b"]
    shape: Sphere | Rod
    tau: float | None
    pressure: float | Literal["held"]
    matrix: tuple[tuple[float, ...], ...]
    pair: tuple[str, int]
    dtype: np.dtype[Any]
    table: Mapping[str, tuple[int, ...]]
    states: tuple[State, ...]
    names: NDArray[np.str_]
    counts: NDArray[np.int64]
    rest: Any = None
    notes: list[str] = field(default_factory=list)


def everything() -> Everything:
    rng = np.random.default_rng(3)
    configuration = Configuration(positions=rng.random((4, 3)), species=list("AABB"), cell=2.0)
    return Everything(
        number=0.1, count=3, text="τ\n", flag=True, phase=Phase.GLASS, style="b", shape=Rod(2.0),
        tau=None, pressure="held", matrix=((1.0, 2.0), (3.0,)), pair=("x", 1),
        dtype=np.dtype("float32"), table={"a": (1, 2)},
        states=(State(configuration, rng.normal(size=(4, 3))),),
        names=np.array(["A1", "A2"]), counts=np.array([1, 2]), rest={"k": [1, None]}, notes=["n"],
    )  # fmt: skip


def same(a: Any, b: Any) -> bool:
    return json.dumps(encode(a)) == json.dumps(encode(b)) and type(a) is type(b)


def test_a_record_comes_back_from_json():
    value = everything()
    again = decode(Everything, json.loads(json.dumps(encode(value))))
    assert same(again, value)
    assert (again.shape, again.phase, again.dtype) == (Rod(2.0), Phase.GLASS, np.dtype("float32"))
    assert again.names.dtype.kind == "U"


@pytest.mark.parametrize("way", ["folder", "archive"])
def test_arrays_put_aside_come_back_to_the_bit(tmp_path, way):
    value = everything()
    if way == "archive":
        write_archive(tmp_path / "a", value)
        again = read_archive(tmp_path / "a", Everything)
    else:
        write_record(tmp_path, value)
        again = read_record(tmp_path, Everything)
    assert same(again, value)
    own, found = value.states[0], again.states[0]
    assert found.velocities.tobytes() == own.velocities.tobytes()
    assert found.configuration.positions.tobytes() == own.configuration.positions.tobytes()


@given(st.floats() | st.integers(-(10**18), 10**18))
def test_a_number_of_an_array_aside_may_be_any(tmp_path_factory, number):
    @dataclass(frozen=True)
    class One:
        x: NDArray[Any]

    One.__annotations__ = {"x": NDArray[Any]}
    file = tmp_path_factory.mktemp("a") / "a"
    write_archive(file, One(np.array([number])))
    assert read_archive(file, One).x.tobytes() == np.array([number]).tobytes()


def test_numbers_take_their_declared_type():
    assert repr(decode(Rod, {"length": 2})) == "Rod(length=2.0, width=1.0)"
    assert repr(decode(tuple[int, ...], [2.0])) == "(2,)"
    assert decode(Rod, {"length": 2}) == decode(Rod, {"length": 2.0, "width": 1})
    assert np.isnan(decode(float, encode(np.nan)))


WRONG = [
    ("number", "x", "number: a number is needed, got 'x'"),
    ("number", True, "number: a number is needed, got True"),
    ("number", 10**400, "number: a number below 1e308 is needed"),
    ("count", 1.5, "count: a whole number is needed, got 1.5"),
    ("count", True, "count: a whole number is needed, got True"),
    ("text", 3, "text: text is needed, got 3"),
    ("phase", "gas", "phase: a Phase is needed, got 'gas'"),
    ("style", "c", "style: one of 'a', 'b' is needed, got 'c'"),
    ("shape", {"side": 1}, "the field shape.side is unknown to Sphere; or the field shape.side"),
    ("shape", {"width": 1}, "the field shape.length of Rod is missing"),
    ("tau", "long", "tau: a number is needed, got 'long'"),
    ("matrix", [[1], ["x"]], r"matrix.1.0: a number is needed, got 'x'"),
    ("pair", ["x"], "pair: a list of 2 is needed"),
    ("dtype", "float33", "dtype: a dtype is needed, got 'float33'"),
    ("table", {"a": [1, "b"]}, "table.a.1: a whole number is needed, got 'b'"),
    ("states", [{"configuration": {}}], "the field states.0.velocities of State is missing"),
    ("counts", [1.5], "counts: an array of int64 is needed"),
    ("counts", [[1], [1, 2]], "counts: not an array of numbers"),
    ("counts", [10**30], "counts: not an array of numbers"),
    ("counts", "elsewhere", "counts: the array 'elsewhere' is missing"),
    ("more", 1, "the field more is unknown to Everything"),
]


@pytest.mark.parametrize(("field", "value", "text"), WRONG)
def test_what_is_wrong_is_named_by_its_field(field, value, text):
    given = encode(everything()) | {field: value}
    with pytest.raises(FileFormatError, match=f"^a.json: .*{text}"):
        decode(Everything, given, source="a.json")


def test_a_missing_field_is_named_and_what_a_record_refuses_itself_too():
    value = encode(everything())
    del value["count"]
    with pytest.raises(FileFormatError, match="the field count of Everything is missing"):
        decode(Everything, value)
    bad = encode(everything())
    bad["states"][0]["configuration"]["positions"][0][0] = None
    with pytest.raises(FileFormatError, match=r"states.0.configuration: the position of particle"):
        decode(Everything, bad)


def test_what_no_record_holds_is_refused():
    with pytest.raises(InputError, match="tau is infinite, which JSON cannot hold"):
        encode({"tau": float("inf")})
    with pytest.raises(InputError, match=r"run.by: no record holds a object"):
        encode({"run": {"by": object()}})


HOSTILE = {
    "deep": ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    "long": ("[" + "1" * 5000 + "]", "a whole number of 5000 digits"),
    "large": ("[1e400]", "the number 1e400 is not finite"),
    "infinite": ("[-Infinity]", "the number -Infinity is not finite"),
    "cut": ('{"a": [1,\n 2', ":2: not JSON"),
    "bytes": (b"\xff\xfe", "not UTF-8"),
    "empty": ("", "not JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_is_an_error_of_ours(tmp_path, name):
    text, message = HOSTILE[name]
    file = tmp_path / "a.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileFormatError, match=rf"a\.json.*{message}.*; fit again"):
        read_json(file, again="fit again")


HOSTILE_TOML = {
    "deep": ("a = " + "[" * 4000, "nested too deeply"),
    "long number": ("a = " + "9" * 5000, "a number beyond reason"),
    "long key": ("\n" + ".".join("a" * 100_000) + " = 1", ":2: a line of 200003 letters"),
    "large": ("# a\n" * 300_000, "larger than 1048576 bytes"),
    "cut": ("[a", "not TOML"),
    "bytes": (b"\xff\xfe", "not UTF-8 text"),
}


@pytest.mark.parametrize("name", HOSTILE_TOML)
def test_hostile_toml_is_an_error_of_ours(tmp_path, name):
    text, message = HOSTILE_TOML[name]
    file = tmp_path / "a.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileFormatError, match=rf"a\.toml:.*{message}|a\.toml{message}"):
        read_toml(file, what="an experiment file")


def test_nan_of_another_writer_is_null(tmp_path):
    (tmp_path / "a.json").write_text("[NaN, 1.5]")
    assert read_json(tmp_path / "a.json") == [None, 1.5]


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FileFormatError, match=r"none: cannot be read \(No such file"):
        read_json(tmp_path / "none")
    with pytest.raises(FileFormatError, match=r"cannot be read \(Is a directory"):
        read_json(tmp_path)


def test_deep_values_end_in_an_error_where_anything_is_allowed():
    value: Any = 0
    for _ in range(5000):
        value = [value]
    kind: Any = int
    for _ in range(5000):
        kind = tuple[kind, ...]
    with pytest.raises(FileFormatError, match="nested too deeply"):
        decode(kind, value)


def test_json_is_written_whole_or_not_at_all(tmp_path):
    write_json(tmp_path / "a.json", {"τ": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert read_json(tmp_path / "a.json") == {"τ": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("seed", range(60))
def test_a_mutated_archive_or_folder_is_whole_or_refused(tmp_path, seed):
    chance = np.random.default_rng(seed)
    value = everything()
    write_archive(tmp_path / "a", value)
    content = bytearray((tmp_path / "a").read_bytes())
    way = seed % 3
    if way == 0:
        content = content[: int(chance.integers(len(content)))]
    else:
        for _ in range(way**3):
            content[int(chance.integers(len(content)))] = int(chance.integers(256))
    (tmp_path / "a").write_bytes(content)
    try:
        again = read_archive(tmp_path / "a", Everything)
    except FileFormatError:
        return
    assert same(again, value)
