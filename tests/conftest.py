"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# a loaded machine is slow, and what runs unattended must give the same answer every time
settings.register_profile("patient", deadline=None)
settings.register_profile("unattended", deadline=None, derandomize=True)
settings.load_profile("unattended" if os.environ.get("CI") else "patient")


if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # a background job of a shell: the tests of Ctrl-C need the signal
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the repository with reference data; tests that need it skip without."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder shared/ beside the repository")
    return folder


@pytest.fixture(scope="session")
def sources() -> Path:
    """The folder of README.md and docs/; tests of these skip where tests/ alone was copied."""
    folder = Path(__file__).resolve().parents[1]
    if not (folder / "docs").is_dir():
        pytest.skip("needs README.md and docs/ beside tests/")
    return folder
