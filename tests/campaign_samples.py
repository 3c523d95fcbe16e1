"""Small experiments, and programs that carry them out, for the tests of campaigns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from amorphace.campaign.plan import Plan, make_plan
from amorphace.cli import app
from amorphace.config import read_experiment
from amorphace.runs.engine import Event, What
from amorphace.runs.execute import Report, do_units
from amorphace.runs.store import Store
from amorphace.runs.unit import Unit

from runs_samples import run_here, run_inline

THERMAL = """
[experiment]
name = "a small liquid"
[model]
name = "kob-andersen"
[preparation]
n_particles = {n}
n_samples = 3
melt_time = {melt}
quench_time = {melt}
temperature = 0.8
hold_nvt = {melt}
[thermal]
replicas = 2
lag = {lag}
[describe]
cutoffs = [2.0]
max_order = 2
max_degree = 4
n_max = 4
[learn]
folds = 3
"""

SHEAR = """
[experiment]
name = "a small glass"
seed = 2
[model]
name = "kob-andersen"
[preparation]
n_particles = {n}
n_samples = 3
melt_time = {melt}
quench_time = {melt}
temperature = 0.0
[shear]
increment = {step}
pre_increment = {step}
pre_strain = 0.02
strain = {strain}
largest_event = {largest}
[describe]
cutoffs = [2.0]
max_order = 2
max_degree = 4
n_max = 4
[learn]
folds = 3
"""

QUICK = {
    "thermal": THERMAL.format(n=250, melt=2.0, lag=2.0),
    "shear": SHEAR.format(n=200, melt=2.0, step=2e-3, strain=0.07, largest=70),
}
LONGER = {
    "thermal": THERMAL.format(n=400, melt=40.0, lag=30.0),
    "shear": SHEAR.format(n=300, melt=20.0, step=5e-4, strain=0.2, largest=100),
}


def plan_of(folder: Path, text: str) -> tuple[Path, Plan]:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "a.toml"
    file.write_text(text)
    return file, make_plan(read_experiment(file))


def amorphace(*words: object, **options) -> subprocess.Popen[str]:
    """The command line as its own process group."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("amorphace"), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )


def carried_out(plan: Plan, store: Store, **words) -> list[Event]:
    """A plan carried out in two processes, all of it well."""
    events = list(run_here(plan, store, cores=2, **words))
    for event in events:
        assert event.what not in (What.FAILED, What.BLOCKED), event.text
    return events


def done(store: Store, unit: Unit) -> Report:
    """A unit done in this process."""
    (report,) = do_units(store, [unit])
    return report


def new_kinds(plan: Plan, other: Plan) -> set[str]:
    """Kinds of the units of another plan that are not in a plan."""
    return {i.split("-")[0] for i in other.by_id.keys() - plan.by_id.keys()}


def contents(store: Store) -> dict[str, bytes]:
    """Every array of every unit, byte for byte."""
    return {
        f"{unit}/{file.relative_to(store.folder(unit))}": file.read_bytes()
        for unit in sorted(store.finished())
        for file in sorted(store.folder(unit).rglob("*"))
        if file.is_file() and file.name != "meta.json"
    }


def finished_experiment(folder: Path, protocol: str) -> tuple[Path, Plan, Store]:
    """A quick experiment, run in this process without interruption, and its results."""
    file, plan = plan_of(folder, QUICK[protocol])
    store = Store(file.parent / "a.store")
    for event in run_inline(plan, store, cores=1):
        assert event.what in (What.STARTED, What.FINISHED), event.text
    shown = CliRunner().invoke(app, ["run", str(file), "--workers", "1"])
    assert shown.exit_code == 0, f"{shown.output} {shown.exception}"
    return file, plan, store
