"""Experiments whose units are simulated side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amorphace.campaign.inherent import InherentStructure
from amorphace.campaign.measure import MeasureThermal
from amorphace.campaign.prepare import Prepare
from amorphace.campaign.relax import Relax
from amorphace.campaign.replica import Replica
from amorphace.campaign.shear import ShearRun
from amorphace.campaign.simulated import simulated_on_gpu
from amorphace.config import read_experiment
from amorphace.config.experiment import part
from amorphace.config.sections import Simulator
from amorphace.core.errors import FileFormatError, SetupError
from amorphace.runs.execute import do_units
from amorphace.runs.scratch import Scratch
from amorphace.runs.store import Store
from batch_samples import DEVICE

from campaign_samples import QUICK, amorphace, contents, plan_of

pytest.importorskip("warp")

SETTINGS = Simulator(engine="batch", device=DEVICE)

TINY = (
    QUICK["thermal"]
    .replace("n_particles = 250", "n_particles = 180")
    .replace("melt_time = 2.0", "melt_time = 0.2")
    .replace("quench_time = 2.0", "quench_time = 0.4")
    .replace("hold_nvt = 2.0", "hold_nvt = 0.2")
    .replace("lag = 2.0", "lag = 0.2\nquench_ends = false")
)


def quick(patch):
    """Short push-offs, and minima that are none."""
    patch.setattr("amorphace.simulate.batch.engine.SOFT_STEPS", 120)
    patch.setattr("amorphace.simulate.batch.engine.HARD_STEPS", 80)
    patch.setattr("amorphace.campaign.plan.INHERENT_TOLERANCE", 1.0)


def all_done(store, units):
    """Units done together, all of them sound."""
    reports = list(do_units(store, units, settings=SETTINGS))
    assert [r.error for r in reports] == [""] * len(units)
    return {r.unit: r.meta for r in reports}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The samples, their rest and two replicas of a tiny experiment, each kind done together."""
    store, metas = Store(tmp_path_factory.mktemp("batch") / "a.store"), {}
    with pytest.MonkeyPatch.context() as patch:
        quick(patch)
        _, plan = plan_of(tmp_path_factory.mktemp("batch"), TINY)
        for kind, most in ((Prepare, 3), (InherentStructure, 1), (Relax, 3), (Replica, 6)):
            metas |= all_done(store, plan.of_kind(kind)[:most])
    return plan, store, metas


def test_units_done_together_are_those_done_alone_and_say_who_made_them(
    begun, tmp_path, monkeypatch
):
    quick(monkeypatch)
    plan, store, metas = begun
    alone = Store(tmp_path / "alone.store")
    first = [plan.of_kind(kind)[1] for kind in (Prepare, Relax)]
    first.append(next(u for u in plan.of_kind(Replica) if u.needs[0] == first[0].id))
    for unit in first:
        all_done(alone, [unit])
    together = contents(store)
    assert {name: data for name, data in together.items() if name in contents(alone)} == contents(
        alone
    )
    for meta in metas.values():
        assert meta.settings == {
            "engine": "batch", "lammps": None, "device": DEVICE, "precision": "mixed",
        }  # fmt: skip
        assert meta.programs["warp-lang"] != "not installed"
        unit, gpu = plan.by_id[meta.id], replace(meta, settings=meta.settings | {"device": "cuda"})
        assert simulated_on_gpu(unit, meta) == (DEVICE != "cpu")
        assert simulated_on_gpu(unit, gpu)
        assert not simulated_on_gpu(plan.of_kind(MeasureThermal)[0], gpu)


def test_the_plan_of_an_experiment_does_not_depend_on_who_carries_it_out(
    begun, tmp_path, monkeypatch
):
    quick(monkeypatch)
    plan, _, _ = begun
    _, batch = plan_of(tmp_path, TINY + '[run]\nengine = "batch"\ndevice = "cpu"\n')
    assert batch.by_id.keys() == plan.by_id.keys()
    assert (plan.at_once, batch.at_once) == (1, None)
    unit = plan.of_kind(Replica)[0]
    assert [batch.cores_of(unit, n) for n in (1, 2, 16)] == [1, 1, 8]
    assert plan.cores_of(unit, 16) == 1


def test_a_unit_that_fails_does_so_alone_and_goes_on_from_its_checkpoint(
    begun, tmp_path, monkeypatch
):
    plan, store, _ = begun
    replicas = plan.of_kind(Replica)[:3]
    monkeypatch.setattr("amorphace.simulate.dynamics.CHUNK", 180 * 10)
    monkeypatch.setattr("amorphace.runs.job.CHECKPOINT_SECONDS", 0.0)

    def again():
        for unit in replicas:
            if store.has(unit.id):
                store.set_aside(unit.id)

    def ends():
        return {u.id: [f.read_bytes() for f in sorted(store.folder(u.id).rglob("*.npy"))]
                for u in replicas}  # fmt: skip

    again()
    all_done(store, replicas)
    uninterrupted = ends()
    again()
    written = []
    true = Scratch.write_checkpoint

    def once(self, unit, value):
        true(self, unit, value)
        written.append(unit)
        if unit == replicas[1].id and written.count(unit) == 2:
            raise RuntimeError("the disk is gone")

    monkeypatch.setattr(Scratch, "write_checkpoint", once)
    first = {r.unit: r for r in do_units(store, replicas, settings=SETTINGS)}
    assert [first[u.id].error for u in replicas] == ["", "RuntimeError: the disk is gone", ""]
    before = len(written)
    all_done(store, replicas[1:2])
    assert len(written) - before == 1  # two of the three were there
    assert ends() == uninterrupted


def test_a_missing_device_stops_the_run(begun):
    plan, store, _ = begun
    unit = plan.of_kind(Replica)[-1]
    store.set_aside(unit.id)
    nowhere = replace(SETTINGS, device="cuda:7")
    (report,) = do_units(store, [unit], settings=nowhere)
    assert "the batch engine finds no device 'cuda:7'" in report.stop


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "amorphace.simulate.batch.crew", None)
    job = type("Job", (), {"settings": SETTINGS})()
    with pytest.raises(SetupError, match=r"install amorphace\[gpu\], or take engine = \"lammps\""):
        list(Replica().do_many([job]))


@pytest.mark.parametrize(
    ("run", "text"),
    [
        ('engine = "lamps"', r"run\.engine"),
        ('engine = "batch"\ndevice = "gpu"', r'run: device must be "cuda", "cuda:1" or "cpu", got'),
        ('engine = "batch"\nlammps = "lmp"', r'run: lammps goes with engine = "lammps"'),
    ],
)
def test_a_table_that_says_no_engine_is_refused(tmp_path, run, text):
    file = tmp_path / "a.toml"
    file.write_text(TINY + f"[run]\n{run}\n")
    with pytest.raises(FileFormatError, match=text):
        read_experiment(file)


def test_options_go_before_the_file(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text(TINY)
    found = read_experiment(file, run={"engine": "batch", "device": DEVICE})
    assert part(found.run, Simulator) == SETTINGS


@pytest.mark.slow
@pytest.mark.parametrize("protocol", QUICK)
def test_an_experiment_is_carried_out_by_the_batch(tmp_path, protocol):
    file, plan = plan_of(tmp_path, QUICK[protocol])
    with amorphace("run", file, "--engine", "batch", "--device", DEVICE, "--workers", 2) as run:
        out, _ = run.communicate(timeout=1200)
    store = Store(tmp_path / "a.store", create=False)
    kinds = (Prepare, InherentStructure) + ((ShearRun,) if protocol == "shear" else (Replica,))
    for unit in (u for kind in kinds for u in plan.of_kind(kind)):
        assert store.meta(unit.id).settings["engine"] == "batch"
        assert not store.meta(unit.id).dropped
    if protocol == "shear":
        return  # whether three small glasses hold events enough to learn from is chance
    assert run.returncode == 0, out
    assert f"the batch on {DEVICE}" in (tmp_path / "a.results" / "report.html").read_text()
