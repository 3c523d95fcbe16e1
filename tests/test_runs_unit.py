"""Units: their names depend on what determines the result, by value, and on nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amorphace.core.errors import FileFormatError, InputError
from amorphace.runs.unit import Graph, Kind, Outcome, Unit, kind_at, unique

from toy_kinds import Averaging, Counting, Mean, Wait, Waiting, waiting


def unit(*, name: str = "a", inputs: tuple[str, ...] = (), **parameters) -> Unit:
    roles = {"before": inputs} if inputs else {}
    return Unit(kind=Waiting(), name=name, parameters=Wait(**parameters), inputs=roles)


def test_the_name_depends_on_what_determines_the_result_and_on_nothing_else():
    first = unit(index=1)
    assert first.id == unit(index=1, name="other").id
    assert Unit(kind=Waiting(), name="a", parameters=Wait(1), cost=3.0, disk=7).id == first.id
    others = [unit(index=2), unit(index=1, seconds=1.0), unit(index=1, inputs=(first.id,))]
    assert len({first.id, *(u.id for u in others)}) == 4


def test_equal_numbers_and_defaults_that_are_written_out_are_one_unit():
    first = unit(index=1, seconds=2.0)
    assert unit(index=1, seconds=2).id == first.id
    assert repr(unit(index=1, seconds=2).parameters) == "Wait(index=1, seconds=2.0, end='')"
    assert unit(index=1.0, seconds=2, end="").id == first.id  # type: ignore[arg-type]


def test_a_higher_revision_is_another_unit():
    class Better(Waiting):
        revision = 2

    assert Unit(kind=Better(), name="a", parameters=Wait(1)).id != unit(index=1).id


@given(st.integers(), st.floats(0, allow_nan=False, allow_infinity=False), st.text(max_size=5))
def test_a_unit_is_the_same_in_another_process(index, seconds, end):
    first = unit(index=index, seconds=seconds, end=end, inputs=("wait-00",))
    again = Unit.from_dict(json.loads(json.dumps(first.to_dict())))
    assert again == first
    assert again.id == first.id
    assert isinstance(again.kind, Waiting)


def test_parameters_and_roles_are_those_of_the_kind():
    with pytest.raises(InputError, match="a unit of the kind wait needs Wait, got Mean"):
        Unit(kind=Waiting(), name="a", parameters=Mean())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="wait of a: the roles of its inputs are before, got foo"):
        Unit(kind=Waiting(), name="a", parameters=Wait(1), inputs={"foo": ("wait-0",)})
    with pytest.raises(FileFormatError, match="index: a whole number is needed"):
        unit(index=1.5)


def test_a_kind_is_checked_where_it_is_written():
    with pytest.raises(TypeError, match="Nameless needs a dataclass `parameters`"):

        class Nameless(Kind):
            name = "a"

            def do(self, job) -> Outcome:
                return Outcome()

    with pytest.raises(TypeError, match="'a-b' is no name of a kind"):

        class Dashed(Waiting):
            name = "a-b"


@pytest.mark.parametrize(
    "reference", ["toy_kinds:waiting", "toy_kinds:Nobody", "no_such_module:A", "", "os:getcwd"]
)
def test_only_a_kind_is_taken_for_one(reference):
    assert kind_at("toy_kinds:Waiting") == Waiting()
    with pytest.raises(InputError, match="is no kind of unit"):
        kind_at(reference)


def test_a_graph_tells_its_units_by_kind():
    many = waiting(3)
    last = Unit(
        kind=Averaging(), name="all", parameters=Mean(),
        inputs={"all": tuple(u.id for u in many.units), "first": (many.units[0].id,)},
    )  # fmt: skip
    graph = Graph(unique([*many.units, *many.units, last]), cores_per_unit=3)
    assert len(graph.units) == 4
    assert graph.kinds == (Waiting(), Averaging())
    assert graph.of_kind(Averaging) == graph.of_kind(Averaging()) == (last,)
    assert graph.of_kind(Counting) == ()
    assert last.needs == tuple(u.id for u in many.units)
    assert (graph.cores_of(many.units[0], 8), graph.cores_of(last, 8)) == (1, 8)
