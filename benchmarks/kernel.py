"""Speed of the kernel: sites a second, where the time goes, how it grows.

    make bench-kernel

Writes benchmarks/results/kernel.json and kernel.png. Workloads: P is one species at density 1.04,
cutoff 4, degree 18, n_max 20; B two species 80:20 at density 1.2, cutoff 4, degree 10, n_max 10;
order 3, all sites of relaxed random packings of 30,000 particles. Rates of one thread are per
second of processor time, which other work on the machine disturbs least; two threads are compared
with one by the clock on the wall.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from packing import packing

from amorphace import Configuration
from amorphace.ace.basis import build_basis
from amorphace.ace.evaluator import Evaluator, backends, compiler, peak_rate
from amorphace.ace.plan import Plan, build_plan
from amorphace.ace.radial import RadialBasis

RESULTS = Path(__file__).parent / "results"
SPECIES = ("A", "B")
WORKLOADS = {"P": (1, 1.04, 18, 20), "B": (2, 1.2, 10, 10)}
BLOCK = 16384
ROUNDS = 15


def operations(plan: Plan, n_neighbors: float) -> dict[str, float]:
    """Floating-point operations a site, by stage; a division or root counts as one."""
    l_max = len(plan.n_radial) - 1
    components = sum(int(n) * (2 * l + 1) for l, n in enumerate(plan.n_radial))
    terms = np.diff(plan.program_start[:, 1])[plan.pairs[:, 2]].sum()
    dots = (plan.program_dim[plan.pairs[:, 2]] * np.diff(plan.pair_dot_start)).sum()
    sparse = len(plan.moment_index) + len(plan.correction_index)
    legendre = sum((2 * l + 1) * int(n) ** 2 / 4 for l, n in enumerate(plan.n_radial))
    return {
        "R and Y": n_neighbors * (35 + 2 * int(plan.n_radial[0]) + 2.5 * (l_max + 1) ** 2),
        "projection": n_neighbors * 2 * components,
        "invariants": float(
            3 * terms + 2 * (dots + sparse + plan.order2[:, 2].sum())
            + 2 * legendre * plan.n_species
        ),
    }  # fmt: skip


def rate(
    configuration: Configuration,
    workload: str,
    *,
    cutoff: float = 4.0,
    degree: int | None = None,
    dtype: str = "float64",
    n_threads: int = 1,
    repeats: int = 3,
    measure: bool = False,
    clock: Callable[[], float] = time.process_time,
) -> tuple[float, dict[str, float]]:
    """Best sites a second of some runs into an array that is there, and seconds by stage."""
    n_species, _, d, n_max = WORKLOADS[workload]
    d, n_max = (d, n_max) if degree is None else (degree, max(degree, n_max))
    basis = build_basis(n_species, 3, d, n_max)
    n = len(configuration)
    out = np.zeros((min(n, 2 * BLOCK), len(basis)), dtype)
    best, seconds = np.inf, {}
    for _ in range(repeats):
        start = clock()
        evaluator = Evaluator(
            basis,
            RadialBasis(cutoff),
            configuration,
            configuration.species_index(SPECIES),
            n_threads=n_threads,
            measure=measure,
        )
        order = evaluator.by_place(np.arange(n))
        for first in range(0, n, len(out)):
            block = order[first : first + len(out)]
            evaluator.evaluate(block, out[: len(block)])
        took = clock() - start
        if took < best:
            best, seconds = took, dict(evaluator.seconds)
    return n / best, seconds


def neighbors(density: float, cutoff: float) -> float:
    return density * 4 / 3 * np.pi * cutoff**3


def warm_up() -> None:
    """Plans are built and the processor is awake before anything is timed."""
    for name, (n_species, density, *_) in WORKLOADS.items():
        rate(packing(2000, density, fraction_b=0.2 * (n_species - 1)), name, repeats=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=int, default=30_000)
    parser.add_argument("--largest", type=int, default=1_000_000, help="of the size series")
    options = parser.parse_args()
    warm_up()
    results: dict[str, Any] = {
        "command": "make bench-kernel",
        "amorphace": version("amorphace"),
        "kernel": backends()[0],
        "compiler": compiler(),
        "machine": platform.machine(),
        "particles": options.particles,
    }
    packings = {
        name: packing(options.particles, density, fraction_b=0.2 * (n_species - 1))
        for name, (n_species, density, *_) in WORKLOADS.items()
    }
    print(f"kernel {results['kernel']}, compiler {results['compiler']}")
    results["rates"] = _rates(packings)
    results["stages"] = _stages(packings)
    results["size"] = _size_series(options.largest)
    results["cutoff"] = _cutoff_series(packings["P"])
    results["degree"] = _degree_series(packings["P"])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "kernel.json").write_text(json.dumps(results, indent=1) + "\n")
    _draw(results)
    print(f"wrote {RESULTS.name}/kernel.json and kernel.png")


def _rates(packings: dict[str, Configuration]) -> list[dict[str, Any]]:
    rows = []
    print("\nworkload dtype    threads   sites/s   2 threads / 1")
    for name, g in packings.items():
        for dtype in ("float64", "float32"):
            singles, doubles, walls = [], [], []
            for _ in range(ROUNDS):  # in turn: the machine's speed drifts
                singles.append(rate(g, name, dtype=dtype, repeats=1)[0])
                wall = {"dtype": dtype, "repeats": 1, "clock": time.perf_counter}
                walls.append(rate(g, name, **wall)[0])
                doubles.append(rate(g, name, n_threads=2, **wall)[0])
            row = {
                "workload": name,
                "dtype": dtype,
                "sites_per_second": max(singles),
                "median": float(np.median(singles)),
                "two_threads": max(doubles),
                "ratio": max(doubles) / max(walls),
            }
            rows.append(row)
            print(f"{name:8} {dtype}  1       {max(singles):9,.0f}")
            print(f"{name:8} {dtype}  2       {max(doubles):9,.0f}   {row['ratio']:.2f}")
    return rows


def _stages(packings: dict[str, Configuration]) -> list[dict[str, Any]]:
    rows = []
    print("\nworkload stage        us/site   share   Gflop/s   of the FMA peak")
    for name, g in packings.items():
        n_species, density, d, n_max = WORKLOADS[name]
        plan = build_plan(build_basis(n_species, 3, d, n_max), True)
        flops = operations(plan, neighbors(density, 4.0))
        peak = peak_rate()
        seconds = _stage_seconds(g, name)
        peak = max(peak, peak_rate())
        total = sum(seconds.values())
        for stage, s in seconds.items():
            speed = flops.get(stage, 0.0) * len(g) / s * 1e-9
            rows.append(
                {
                    "workload": name,
                    "stage": stage,
                    "us_per_site": s / len(g) * 1e6,
                    "share": s / total,
                    "gflops": speed,
                    "of_peak": speed / peak,
                }
            )
            print(
                f"{name:8} {stage:11} {s / len(g) * 1e6:8.2f} {s / total:7.0%} {speed:9.1f}"
                f" {speed / peak:12.0%}"
            )
        speed = sum(flops.values()) * len(g) / total * 1e-9
        print(f"{name:8} all         {total / len(g) * 1e6:8.2f}    100% {speed:9.1f}"
              f" {speed / peak:12.0%}   (peak {peak:.1f} Gflop/s)")  # fmt: skip
        rows.append(
            {
                "workload": name,
                "stage": "all",
                "us_per_site": total / len(g) * 1e6,
                "share": 1.0,
                "gflops": speed,
                "of_peak": speed / peak,
                "peak": peak,
            }
        )
    return rows


def _stage_seconds(g: Configuration, workload: str, size: int = 256) -> dict[str, float]:
    """Seconds by stage, each few sites by the fastest of some runs: the clock is on the wall."""
    n_species, _, d, n_max = WORKLOADS[workload]
    basis = build_basis(n_species, 3, d, n_max)
    evaluator = Evaluator(basis, RadialBasis(4.0), g, g.species_index(SPECIES), measure=True)
    order, out = evaluator.by_place(np.arange(len(g))), np.zeros((len(g), len(basis)))
    total = dict.fromkeys(evaluator.seconds, 0.0)
    for first in range(0, len(g), size):
        runs = []
        for _ in range(6):
            evaluator.seconds = dict.fromkeys(total, 0.0)
            block = order[first : first + size]
            evaluator.evaluate(block, out[first : first + size])
            runs.append(evaluator.seconds)
        fastest = min(runs, key=lambda seconds: sum(seconds.values()))
        total = {stage: s + fastest[stage] for stage, s in total.items()}
    return total


def _size_series(largest: int) -> list[dict[str, Any]]:
    rows = []
    print("\nparticles   P sites/s   B sites/s")
    for n in (4_000, 16_000, 64_000, 256_000, 1_000_000):
        if n > largest:
            continue
        rates = {}
        for name, (n_species, density, *_) in WORKLOADS.items():
            g = packing(n, density, fraction_b=0.2 * (n_species - 1), steps=10)
            rates[name] = rate(g, name, repeats=3 if n < 500_000 else 2)[0]
        rows.append({"particles": n, **rates})
        print(f"{n:9,} {rates['P']:11,.0f} {rates['B']:11,.0f}")
    return rows


def _cutoff_series(g: Configuration) -> list[dict[str, Any]]:
    rows = []
    print("\ncutoff  neighbours   P us/site   ns/neighbour")
    for cutoff in (2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0):
        k = neighbors(g.number_density, cutoff)
        speed = rate(g, "P", cutoff=cutoff, repeats=3)[0]
        rows.append({"cutoff": cutoff, "neighbors": k, "us_per_site": 1e6 / speed})
        print(f"{cutoff:6} {k:11.0f} {1e6 / speed:11.2f} {1e9 / speed / k:13.1f}")
    return rows


def _degree_series(g: Configuration) -> list[dict[str, Any]]:
    rows = []
    print("\ndegree  columns   sites/s   columns/s")
    some = packing(8000, g.number_density)
    for degree in (8, 10, 12, 14, 16, 18, 20, 22, 24, 26):
        build_plan.cache_clear()
        start = time.process_time()
        columns = len(build_basis(1, 3, degree, max(degree, 20)))
        build_plan(build_basis(1, 3, degree, max(degree, 20)), True)
        planned = time.process_time() - start
        speed = rate(some, "P", degree=degree, repeats=3)[0]
        rows.append(
            {
                "degree": degree,
                "columns": columns,
                "sites_per_second": speed,
                "plan_seconds": planned,
            }
        )
        print(
            f"{degree:6} {columns:8} {speed:9,.0f} {speed * columns:11.3g}  (plan {planned:.2f} s)"
        )
    return rows


def _draw(results: dict[str, Any]) -> None:
    figure = Figure(figsize=(9, 3), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    size, neighbor, degree = figure.subplots(1, 3)
    n = [row["particles"] for row in results["size"]]
    for name, color in (("P", "#0072b2"), ("B", "#d55e00")):
        size.plot(n, [row[name] / 1e3 for row in results["size"]], "o-", color=color, label=name)
    size.set(xscale="log", ylim=(0, None), xlabel="particles", ylabel="1000 sites / s, one thread")
    size.legend(title="workload", frameon=False)
    k = [row["neighbors"] for row in results["cutoff"]]
    neighbor.plot(k, [row["us_per_site"] for row in results["cutoff"]], "o-", color="#0072b2")
    neighbor.set(xlim=(0, None), ylim=(0, None), xlabel="neighbours (cutoff 2 to 5)")
    neighbor.set_ylabel("µs / site, P")
    columns = [row["columns"] for row in results["degree"]]
    degree.plot(
        columns, [1e6 / row["sites_per_second"] for row in results["degree"]], "o-", color="#0072b2"
    )
    degree.set(xlim=(0, None), ylim=(0, None), xlabel="columns (degree 8 to 26)")
    degree.set_ylabel("µs / site, one species")
    figure.savefig(RESULTS / "kernel.png", metadata={"Software": None})


if __name__ == "__main__":
    main()
