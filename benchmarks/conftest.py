"""What is kept of the machine with the results of `make bench`."""

from __future__ import annotations

from typing import Any


def pytest_benchmark_update_machine_info(config: object, machine_info: dict[str, Any]) -> None:
    """The processor, not the name of the machine."""
    cpu = machine_info.pop("cpu", {})
    machine_info.clear()
    machine_info |= {"processor": cpu.get("brand_raw", "unknown"), "count": cpu.get("count")}


def pytest_benchmark_update_commit_info(config: object, commit_info: dict[str, Any]) -> None:
    """The commit and when it was made, which no branch or folder adds to."""
    kept = {key: commit_info.get(key) for key in ("id", "time", "dirty")}
    commit_info.clear()
    commit_info |= kept
