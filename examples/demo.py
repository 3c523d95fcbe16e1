"""The whole path by command line: label, describe, learn.

On the Kob-Andersen liquid in ../shared/data where that folder is, else on a tiny one that LAMMPS
makes first. Results go to demo/; made samples stay there and are not made again.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import amorphace as am
from amorphace.simulate.inherent import inherent_structure
from amorphace.simulate.models import find_model
from amorphace.simulate.preparation import Preparation, prepare
from amorphace.simulate.thermal import isoconfigurational

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data" / "ka_T0.44"

N_SAMPLES, N_PARTICLES, N_REPLICAS = 6, 1000, 6
TEMPERATURE, LAG = 0.6, 10.0  # about the relaxation time at this temperature
TINY = Preparation(
    n_particles=N_PARTICLES, melt_time=4, quench_time=15, temperature=TEMPERATURE, hold_nvt=25
)


def make_sample(folder: Path, seed: int) -> str:
    """Initial configuration, end points and inherent structure of one tiny Kob-Andersen liquid."""
    name = f"sample_{seed:02d}"
    if (folder / f"{name}.endpoints.dump.gz").exists():  # written last
        return name
    model = find_model("kob-andersen")
    *_, last = prepare(model, TINY, seed=seed)
    start = last.state.configuration.wrapped()
    ends = [
        replica.end
        for replica in isoconfigurational(
            model, start, temperature=TEMPERATURE, lag=LAG, seeds=range(N_REPLICAS)
        )
    ]
    am.write(folder / f"{name}.initial.dump", start)
    am.write(folder / f"{name}.inherent.dump", inherent_structure(model, start).configuration)
    am.write(folder / f"{name}.endpoints.dump.gz", ends)
    return name


def make_glass(folder: Path) -> None:
    """All samples, one process for each processor."""
    folder.mkdir(parents=True, exist_ok=True)
    n_workers = min(N_SAMPLES, os.cpu_count() or 1)
    print(f"making {N_SAMPLES} samples of {N_PARTICLES} particles with LAMMPS", flush=True)
    with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
        runs = [pool.submit(make_sample, folder, seed) for seed in range(1, N_SAMPLES + 1)]
        for run in as_completed(runs):
            print(f"  {run.result()}", flush=True)


def amorphace(*words: object) -> None:
    """Run the command line, and show the command."""
    print("\n$ amorphace", shlex.join(_short(word) for word in words), flush=True)
    subprocess.run([Path(sys.executable).with_name("amorphace"), *map(str, words)], check=True)


def _short(word: object) -> str:
    return os.path.relpath(word) if isinstance(word, Path) else str(word)


def main() -> None:
    out = ROOT / "demo"
    out.mkdir(exist_ok=True)
    data, cutoffs = SHARED, ["--cutoff", 2, 2.5, 3, 4]
    if not data.is_dir():
        data, cutoffs = out / "tiny_glass", ["--cutoff", 2.5, 4]
        make_glass(data)
    initial, endpoints, inherent = (
        sorted(data.glob(f"sample_*.{kind}"))
        for kind in ("initial.dump", "endpoints.dump.gz", "inherent.dump")
    )
    labels, table, results = (out / name for name in ("labels.zarr", "table.zarr", "results"))
    species = ["--species", "A", "B"]
    amorphace("label", *initial, "--endpoints", *endpoints, *species, "-o", labels, "--overwrite")
    basis = ["--max-degree", 10, "--n-max", 10, "--max-order", 3]
    amorphace(
        "describe", *inherent, "--labels", labels, *species, *cutoffs, *basis,
        "-o", table, "--overwrite",
    )  # fmt: skip
    amorphace("learn", table, "-o", results, "--overwrite")
    amorphace(
        "export", labels, "--configuration", inherent[0], "--sample", 1, "-o", out / "sample_01.xyz"
    )
    print("\nOpen demo/results/accuracy.png, and demo/sample_01.xyz in OVITO.")


if __name__ == "__main__":
    main()
