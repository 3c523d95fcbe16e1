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


SEVERAL_PROCESSES = ("test_batch", "test_campaign", "test_report_browser", "test_runs")
"""Files whose tests start processes of their own, or compile kernels: those of a kind one after
the other, in one of the processes that share the tests ('make test'), so that the machine is not
taken many times."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a fixture of their file stay together, so that it is made once."""
    for item in items:
        name = item.path.name
        kinds = [kind for kind in SEVERAL_PROCESSES if name.startswith(kind)]
        if kinds:
            item.add_marker(pytest.mark.xdist_group(kinds[0]))
        elif isinstance(item, pytest.Function) and _shares(item):
            item.add_marker(pytest.mark.xdist_group(name))


def _shares(test: pytest.Function) -> bool:
    found = test._fixtureinfo.name2fixturedefs.values()
    return any(fixture[-1].scope == "module" for fixture in found)


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
def ka_liquid(shared):
    """Ten Kob-Andersen liquids at T = 0.44: their labels and their inherent structures."""
    import amorphace as am
    from amorphace.dataset.describe import Sample
    from amorphace.dataset.label_thermal import ThermalSample, label_thermal

    folder, species = shared / "data" / "ka_T0.44", ("A", "B")
    names = [f"sample_{k:02d}" for k in range(1, 11)]
    labels = label_thermal(
        (
            ThermalSample(
                name,
                am.read(folder / f"{name}.initial.dump", species),
                am.iread(folder / f"{name}.endpoints.dump.gz", species),
            )
            for name in names
        ),
        cutoff=2.5,
        fraction=0.05,
    )
    return labels, [Sample(n, am.read(folder / f"{n}.inherent.dump", species)) for n in names]


@pytest.fixture(scope="session")
def sources() -> Path:
    """The folder of README.md and docs/; tests of these skip where tests/ alone was copied."""
    folder = Path(__file__).resolve().parents[1]
    if not (folder / "docs").is_dir():
        pytest.skip("needs README.md and docs/ beside tests/")
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Both protocols of an experiment, run without interruption: file, plan and store."""
    from campaign_samples import QUICK, finished_experiment

    return {p: finished_experiment(tmp_path_factory.mktemp(p), p) for p in QUICK}
