"""Folders that the program fills beside its user's own files."""

import json
from pathlib import Path

import pytest

from amorphace.core.errors import InputError
from amorphace.core.owned import LIST, is_made_from, owned_folder


def fill(folder: Path, **files: str) -> None:
    with owned_folder(folder) as new:
        for name, text in files.items():
            place = new / name.replace("__", "/")
            place.parent.mkdir(exist_ok=True)
            place.write_text(text)


def contents(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): p.read_text()
        for p in folder.rglob("*")
        if p.is_file() and p.name != LIST
    }


def test_what_was_written_before_is_replaced_and_what_is_not_made_again_goes(tmp_path):
    place = tmp_path / "results"
    fill(place, a="1", b="1", figures__c="1")
    fill(place, a="2", b="1")
    assert contents(place) == {"a": "2", "b": "1"}
    assert not (place / "figures").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["results"]


def test_a_folder_is_made_from_something_until_a_file_or_that_changes(tmp_path):
    place = tmp_path / "results"
    with owned_folder(place, made_from="one") as new:
        (new / "a").write_text("1")
    (place / "notes").write_text("mine")
    assert is_made_from(place, "one")
    assert not is_made_from(place, "two")
    (place / "a").write_text("2")
    assert not is_made_from(place, "one")
    (place / "a").unlink()
    assert not is_made_from(place, "one")
    fill(tmp_path / "other", a="1")
    assert not is_made_from(tmp_path / "other", "")
    assert not is_made_from(tmp_path / "nowhere", "one")


def test_files_of_the_user_stay(tmp_path):
    place = tmp_path / "results"
    fill(place, a="1", figures__c="1")
    (place / "notes").write_text("mine")
    (place / "figures" / "mine").write_text("mine")
    fill(place, a="2")
    assert contents(place) == {"a": "2", "notes": "mine", "figures/mine": "mine"}


def test_a_file_that_is_the_same_is_not_touched(tmp_path):
    place = tmp_path / "results"
    fill(place, a="1", b="1")
    before = (place / "a").stat(), (place / LIST).stat()
    fill(place, a="1", b="1")
    assert ((place / "a").stat(), (place / LIST).stat()) == before


@pytest.mark.parametrize("known", [True, False], ids=["changed by the user", "never written"])
def test_a_file_of_the_user_in_the_way_is_named_and_nothing_changes(tmp_path, known):
    place = tmp_path / "results"
    place.mkdir()
    if known:
        fill(place, a="1", b="1")
    (place / "a").write_text("mine")
    before = contents(place)
    with pytest.raises(InputError, match=r"results: a would be replaced, but .* move it away"):
        fill(place, a="2", b="2")
    assert contents(place) == before
    assert [p.name for p in tmp_path.iterdir()] == ["results"]


def test_a_changed_file_that_is_not_made_again_stays(tmp_path):
    place = tmp_path / "results"
    fill(place, a="1", b="1")
    (place / "a").write_text("mine")
    fill(place, b="1")
    assert contents(place) == {"a": "mine", "b": "1"}


def test_a_folder_behind_a_link_keeps_its_files(tmp_path):
    precious, place = tmp_path / "precious", tmp_path / "results"
    precious.mkdir()
    (precious / "thesis").write_text("mine")
    place.symlink_to(precious)
    fill(place, a="1")
    fill(place, a="2")
    assert place.is_symlink()
    assert contents(precious) == {"thesis": "mine", "a": "2"}


def test_nothing_is_written_through_links_inside(tmp_path):
    precious, place = tmp_path / "precious", tmp_path / "results"
    precious.mkdir()
    place.mkdir()
    (place / "figures").symlink_to(precious)
    (place / "a").symlink_to(precious / "new")
    with pytest.raises(InputError, match="a, figures/c would be replaced"):
        fill(place, a="1", figures__c="1")
    assert not contents(precious)


def test_an_error_leaves_the_folder_as_it_was(tmp_path):
    place = tmp_path / "results"
    fill(place, a="1")
    with pytest.raises(FileNotFoundError), owned_folder(place) as new:
        (new / "a").write_text((tmp_path / "missing").read_text())
    assert contents(place) == {"a": "1"}


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"files": {"../mine": ["x"]}}', '{"files": {"/mine": 1}}', "[" * 100_000]
)
def test_a_list_of_another_kind_claims_nothing(tmp_path, text):
    place = tmp_path / "results"
    place.mkdir()
    (tmp_path / "mine").write_text("mine")
    (place / LIST).write_text(text)
    fill(place, a="1")
    assert contents(place) == {"a": "1"}
    assert (tmp_path / "mine").read_text() == "mine"
    assert list(json.loads((place / LIST).read_text())["files"]) == ["a"]


def test_who_was_interrupted_half_way_finds_its_own_files(tmp_path, monkeypatch):
    import os

    place = tmp_path / "results"
    fill(place, a="1", b="1")
    replace, left = os.replace, [2]

    def killed(source, target):
        if Path(target).name in ("a", "b"):
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            fill(place, a="2", b="2")
    assert sorted(contents(place).values()) == ["1", "2"]
    fill(place, a="3", b="3")
    assert contents(place) == {"a": "3", "b": "3"}
