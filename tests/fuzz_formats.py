"""The formats whose damage is tried: how a small sample is made, and how it is read."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import ase
import ase.io
import numpy as np

import amorphace as am
from amorphace.config import read_experiment
from amorphace.config.presets import experiment_text
from amorphace.core.codec import encode
from amorphace.dataset.export import export_npz
from amorphace.dataset.provenance import sha256
from amorphace.dataset.zarr_table import read_table, write_table
from amorphace.learn.bundle import read_analysis
from amorphace.learn.model import LinearModel
from amorphace.learn.predict import model_columns, model_descriptor
from amorphace.learn.regression import read_regression
from amorphace.runs.pruning import find_leftovers
from amorphace.runs.scratch import Failure
from amorphace.runs.status import find_status
from amorphace.runs.store import Damaged, Store
from amorphace.runs.unit import Graph, Unit

from fuzzing import Format, files_of
from runs_samples import run_inline
from toy_kinds import Averaging, Count, Counted, Counting, Mean, Wait, Waiting

GOLDEN = Path(__file__).with_name("golden")
SPECIES = ("A", "B")

# ---------------------------------------------------------------- files of particles


def frames(n: int = 12) -> list[am.Configuration]:
    """Two frames of a few particles in a cell with all kinds of edges."""
    rng = np.random.default_rng(3)
    cell = np.array([[5.0, 0, 0], [0.5, 6, 0], [-0.25, 0.125, 7]])
    first = am.Configuration(
        positions=rng.random((n, 3)) @ cell, species=["A", "B", "A"] * (n // 3), cell=cell, step=7
    )
    moved = first.positions + rng.normal(0, 0.1, (n, 3))
    return [first, replace(first, positions=moved, step=1000)]


def _particles(name: str, n: int = 12) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        am.write(folder / name, frames(n)[:1] if name.endswith("npz") else frames(n))
        return folder / name

    return make


def _scaled_dump(folder: Path) -> Path:
    """Scaled coordinates with image flags, and a cell of three numbers."""
    lines = []
    for k, c in enumerate(frames()):
        lines += ["ITEM: TIMESTEP", str(c.step), "ITEM: NUMBER OF ATOMS", str(len(c))]
        lines += ["ITEM: BOX BOUNDS pp pp pp", "0 5", "-1.5 4.5", "0 7e0"]
        lines.append("ITEM: ATOMS id type xs ys zs ix iy iz")
        rng = np.random.default_rng(k)
        for i, (xs, flags) in enumerate(
            zip(rng.random((len(c), 3)), rng.integers(-2, 3, (len(c), 3)), strict=True)
        ):
            words = [i + 1, 1 + i % 2, *xs.round(6), *flags]
            lines.append(" ".join(map(str, words)))
    (folder / "scaled.dump").write_text("\n".join(lines) + "\n")
    return folder / "scaled.dump"


def _atooms_xyz(folder: Path) -> Path:
    """The comment line that atooms writes."""
    lines = []
    for c in frames():
        lines += [
            str(len(c)),
            f"step:{c.step} columns:species,position,radius dt:0.01 cell:5,6.0,7",
        ]
        rows = zip(c.species, c.positions.tolist(), strict=True)
        lines += [f"{label} {' '.join(map(str, x))} 0.5" for label, x in rows]
    (folder / "atooms.xyz").write_text("\n".join(lines) + "\n")
    return folder / "atooms.xyz"


def _data(folder: Path) -> Path:
    am.write(folder / "a.data", frames()[0])
    with (folder / "a.data").open("a") as file:
        file.write("\nVelocities\n\n1 0.5 1.0 2.0\n")
    return folder / "a.data"


def _through_ase(name: str, format: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        first = frames()[0]
        atoms = ase.Atoms("Cu8Zr4", positions=first.positions, cell=first.cell, pbc=True)
        ase.io.write(folder / name, atoms, format=format)
        return folder / name

    return make


def _read_particles(path: Path) -> None:
    for read in (am.iread, lambda p: am.iread(p, SPECIES)):
        for _ in read(path):
            pass


def _read_elements(path: Path) -> None:
    for _ in am.iread(path):
        pass


def _read_packed(path: Path) -> None:
    """The damage is in the text, the packing is sound."""
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    _read_particles(packed)


def _members(folder: Path) -> Path:
    """An archive, unpacked."""
    whole = _particles("whole.npz")(folder)
    with zipfile.ZipFile(whole) as archive:
        archive.extractall(folder / "members")
    whole.unlink()
    return folder / "members"


def _read_members(folder: Path) -> None:
    """The damage is in a member, the archive is sound."""
    whole = folder.with_name("packed.npz")
    with zipfile.ZipFile(whole, "w") as archive:
        for file in files_of(folder):
            archive.write(file, file.relative_to(folder))
    _read_particles(whole)


# ---------------------------------------------------------------- tables and what is learned


def _golden(name: str) -> Callable[[Path], Path]:
    """A file or folder of format 0.1, copied."""

    def make(folder: Path) -> Path:
        source, target = GOLDEN / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        return target

    return make


def _make_table(folder: Path) -> Path:
    write_table(folder / "table.zarr", read_table(GOLDEN / "table-0.1.zarr"))
    return folder / "table.zarr"


def _read_table(path: Path) -> str:
    """All of a table, as the digest of its archive."""
    target = path.with_name("exported.npz")
    export_npz(target, read_table(path))
    return sha256(target)


def _read_old_table(path: Path) -> None:
    _read_table(path)


def _read_model(path: Path) -> None:
    model = LinearModel.from_json(path)
    model_columns(model, model_descriptor(model))


def _read_analysis(path: Path) -> None:
    read_analysis(path)


def _read_regression(path: Path) -> None:
    read_regression(path)


# ---------------------------------------------------------------- experiments


def _experiment(model: str, protocol: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "a.toml").write_text(experiment_text(model, protocol))
        return folder / "a.toml"

    return make


def _read_experiment(path: Path) -> None:
    read_experiment(path)


# ---------------------------------------------------------------- the store


def _graph() -> Graph:
    counts = [Unit(kind=Counting(), name=f"c{k}", parameters=Count(top=k + 2)) for k in range(2)]
    waits = [Unit(kind=Waiting(), name=f"w{k}", parameters=Wait(index=k)) for k in range(3)]
    ids = tuple(u.id for u in waits)
    inputs = {"all": ids, "first": ids[:1]}
    mean = Unit(kind=Averaging(), name="mean", parameters=Mean(), inputs=inputs)
    return Graph((*counts, *waits, mean))


def _make_store(folder: Path) -> Path:
    """Finished units, one that was interrupted, one that failed, an experiment and its file."""
    store, graph = Store(folder / "a.store"), _graph()
    (folder / "file").write_text("potential")
    store.keep_file(folder / "file")
    (folder / "file").unlink()
    run_inline(graph, store)
    store.register("a", graph.by_id)
    begun = graph.units[1].id
    store.set_aside(begun)
    store.scratch.write_checkpoint(begun, Counted(np.array([1.0])))
    store.scratch.report(begun, 1, 4, "counting")
    store.scratch.fail(begun, Failure("c1", "its process ended", "Traceback"))
    return store.path


def _read_store(path: Path) -> str:
    """The results, after a run that makes again what is damaged."""
    graph = _graph()
    while True:
        store = Store(path, create=False)
        find_status(graph, store)
        store.experiments()
        find_leftovers(store, set(graph.by_id))
        run_inline(graph, store, leave=3.0, limit=0.5)
        with suppress(Damaged):
            for unit in graph.units:
                store.verified(unit.id)
            *others, mean = graph.units
            found = [store.load(u) for u in others]
            return repr([*map(encode, found), store.outcome(mean).results["mean"]])


FORMATS = {
    "dump": Format(_particles("a.dump"), _read_particles),
    "dump of many": Format(_particles("a.dump", 150), _read_particles),
    "dump, scaled": Format(_scaled_dump, _read_particles),
    "dump.gz": Format(_particles("a.dump.gz"), _read_particles),
    "dump in gz": Format(_particles("a.dump"), _read_packed),
    "xyz": Format(_particles("a.xyz"), _read_particles),
    "xyz in gz": Format(_particles("a.xyz"), _read_packed),
    "xyz of atooms": Format(_atooms_xyz, _read_particles),
    "data": Format(_data, _read_particles),
    "poscar": Format(_through_ase("POSCAR", "vasp"), _read_elements),
    "cif": Format(_through_ase("a.cif", "cif"), _read_elements),
    "traj": Format(_through_ase("a.traj", "traj"), _read_elements),
    "gro": Format(_through_ase("a.gro", "gromacs"), _read_elements),
    "cfg": Format(_through_ase("a.cfg", "cfg"), _read_elements),
    "gsd": Format(_particles("a.gsd"), _read_particles),
    "npz": Format(_particles("a.npz"), _read_particles),
    "npz, members": Format(_members, _read_members),
    "table": Format(_make_table, _read_table),
    "table 0.1": Format(_golden("table-0.1.zarr"), _read_old_table),
    "model": Format(_golden("model-0.1.json"), _read_model),
    "analysis": Format(_golden("analysis-0.1.json"), _read_analysis),
    "regression": Format(_golden("regression-0.1.json"), _read_regression),
    "experiment": Format(_experiment("kob-andersen", "thermal"), _read_experiment),
    "experiment, sheared": Format(_experiment("bead-spring", "shear"), _read_experiment),
    "store": Format(_make_store, _read_store),
}
