"""The paper's six cases, one after the other, and one table of what came out, as Markdown.

    python examples/six_cases.py [--scale minutes] [--folder demo/six_cases]

Each case is `amorphace init` and `amorphace run`; what is finished is not done again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from amorphace.config import PROTOCOLS, SCALES, experiment_text
from amorphace.learn.bundle import Analysis, read_analysis
from amorphace.simulate.models import MODELS

ROOT = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).with_name("amorphace")


def run(file: Path) -> float:
    """Run an experiment; seconds that it took now."""
    begin = time.monotonic()
    subprocess.run([COMMAND, "run", file], check=True)
    return time.monotonic() - begin


def accuracy(analysis: Analysis, n_columns: int) -> str:
    """Of the first columns at the analysis' cutoff, with the spread between folds."""
    curve = analysis.curve("accuracy", "grouped")
    assert curve is not None
    (point,) = np.flatnonzero(curve.x == n_columns)
    return f"{curve.mean[point]:.3f} ± {curve.std[point]:.3f}"


def row(case: str, analysis: Analysis) -> str:
    orders = analysis.columns.order
    ends = [int((orders <= n).sum()) for n in (1, 2, 3)]
    first_b = analysis.columns.species_starts()[1:]
    picks = analysis.curves("selection", "order 1")[0].labels[:2]
    cells = [
        case,
        str(analysis.n_active + analysis.n_inactive),
        accuracy(analysis, 1),
        accuracy(analysis, first_b[0]) if first_b else "–",
        *(accuracy(analysis, n) for n in ends),
        ", ".join(picks),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="minutes")
    parser.add_argument("--folder", type=Path, default=ROOT / "demo" / "six_cases")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for model in MODELS:
        for protocol in PROTOCOLS:
            file = options.folder / f"{model}-{protocol}.toml"
            file.write_text(experiment_text(model, protocol, options.scale))
            print(f"{file.name}: {run(file):.0f} s", flush=True)
            analysis = read_analysis(options.folder / f"{file.stem}.results")
            rows.append(row(f"{model}, {protocol}", analysis))
    print("| case | sites | first column | A columns | radial | + 3-body | + 4-body | SFS picks |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
