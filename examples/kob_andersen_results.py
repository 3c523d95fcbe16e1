"""The numbers behind the paper's figures 3 to 7 for the thermal Kob-Andersen liquid, as Markdown.

Works on ../shared/data/ka_T0.44 with the commands label, describe and learn --full, which write to
demo/kob_andersen/ once; without that folder there is nothing to do. Prints the table, and writes
it to demo/kob_andersen/results.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amorphace.learn.analysis import Analysis, read_analysis

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data" / "ka_T0.44"
OUT = ROOT / "demo" / "kob_andersen"

Row = tuple[str, str, str, str]


def amorphace(*words: object) -> None:
    subprocess.run([Path(sys.executable).with_name("amorphace"), *map(str, words)], check=True)


def make_analysis() -> Path:
    """Label, describe and learn; what is there already is not made again."""
    OUT.mkdir(parents=True, exist_ok=True)
    initial, endpoints, inherent = (
        sorted(SHARED.glob(f"sample_*.{kind}"))
        for kind in ("initial.dump", "endpoints.dump.gz", "inherent.dump")
    )
    labels, table, results = (OUT / name for name in ("labels.zarr", "table.zarr", "results"))
    species = ["--species", "A", "B"]
    if not labels.exists():
        amorphace("label", *initial, "--endpoints", *endpoints, *species, "-o", labels)
    if not table.exists():
        basis = ["--max-degree", 10, "--n-max", 10, "--max-order", 3, "--cutoff", 2, 2.5, 3, 4]
        amorphace("describe", *inherent, "--labels", labels, *species, *basis, "-o", table)
    if not results.exists():
        amorphace("learn", table, "--full", "-o", results)
    return results


def spread(values: NDArray[np.float64]) -> str:
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def figure_3(analysis: Analysis) -> Iterator[Row]:
    paper = {10: "0.60 to 0.65 (cutoff 4)", 20: "0.90 (cutoff 4)"}
    for curve, random in zip(analysis.accuracy, analysis.accuracy_random, strict=True):
        for p, n in enumerate(curve.n_columns.tolist()):
            if n in (1, 10, 11, 20, 174, 574):
                what = f"cutoff {curve.cutoff:g}, first {n} columns (to {curve.last_column[p]})"
                beside = f"{spread(random.accuracy[p])} ({random.mean[p] - curve.mean[p]:+.3f})"
                stated = paper.get(n, "") if curve.cutoff == 4 else ""
                yield f"3: {what}", spread(curve.accuracy[p]), beside, stated


def classifiers(analysis: Analysis) -> Iterator[Row]:
    for s in analysis.classifiers:
        beside = f"ROC-AUC {spread(s.roc_auc)}"
        if s.calibration is not None:
            beside += (
                f", Brier {s.calibration.brier:.3f}, calibration error "
                f"{s.calibration.expected_calibration_error:.3f}"
            )
        stated = "nearly identical to logistic" if s.classifier == "svm" else ""
        yield f"{s.classifier}, {s.n_columns} columns", spread(s.accuracy), beside, stated


def figure_4(analysis: Analysis) -> Iterator[Row]:
    for d in analysis.distributions:
        what = f"4: {d.column} alone, best threshold {d.threshold:.2f}"
        beside = f"mean active {d.mean_active:.2f}, inactive {d.mean_inactive:.2f}"
        yield what, f"{d.accuracy:.3f}, AUC {d.auc:.3f}", beside, "inactive of larger magnitude"


def figure_5(analysis: Analysis) -> Iterator[Row]:
    for s in analysis.selections:
        for step in (0, 1, 2, 4, 9, 19):
            if step >= len(s.names):
                continue
            beside = ""
            if step == 0:
                first = dict(zip(s.candidate_names, s.first_accuracy.mean(axis=1), strict=True))
                beside = f"alone: B1 {first['B1']:.3f}, A1 {first['A1']:.3f}"
                beside += f"; within one standard error: {', '.join(s.twins)}"
            stated = {0: "B1", 1: "A1"}.get(step, "")
            what = f"5: selection among {s.scope}, step {step + 1}: {s.names[step]}"
            yield what, spread(s.accuracy[step]), beside, stated
    for s in analysis.stability:
        often = ", ".join(
            f"{name} {share:.0%}"
            for name, share in list(zip(s.names, s.frequency, strict=True))[:6]
        )
        what = f"5: among the first {s.n_steps} picks, {s.scope}, {len(s.bootstrap)} resamples"
        yield what, often, "", ""
    if analysis.pca is not None:
        for p, n in enumerate(analysis.pca.n_columns.tolist()):
            if n in (1, 5, 10, 20):
                yield (
                    f"5: {n} principal components",
                    spread(analysis.pca.accuracy[p]),
                    "",
                    ("not faster than standard order"),
                )


def figure_6(analysis: Analysis) -> Iterator[Row]:
    for c in analysis.learning:
        for p, n in enumerate(c.n_samples.tolist()):
            what = f"6: {c.n_columns} columns, {n} samples, {c.n_sites[p]:.0f} sites"
            yield what, spread(c.test[p]), f"training rows {spread(c.train[p])}", ""


def figure_7(analysis: Analysis) -> Iterator[Row]:
    for c in analysis.ard:
        for p, n in enumerate(c.n_columns.tolist()):
            if n in (10, 20, 174, 574):
                target = f"log {c.target}" if c.log_target else c.target
                what = f"7: ARD of {target}, cutoff {c.cutoff:g}, {n} columns"
                kept = f"Spearman {spread(c.spearman[p])}, {c.n_kept[p].mean():.0f} columns kept"
                yield what, spread(c.pearson[p]), kept, ""


def markdown(analysis: Analysis) -> str:
    """One table; ± is the standard deviation between folds."""
    lines = [
        f"{analysis.n_samples} samples, {analysis.n_active} active and {analysis.n_inactive} "
        f"inactive sites; cutoff {analysis.cutoff:g} where none is named.",
        "",
        "| figure | accuracy or correlation, samples kept whole | beside it | paper |",
        "|---|---|---|---|",
    ]
    for part in (figure_3, classifiers, figure_4, figure_5, figure_6, figure_7):
        lines += [f"| {' | '.join(row)} |" for row in part(analysis)]
    notes = [f"- {text}" for text in (*analysis.notes, *analysis.warnings)]
    return "\n".join([*lines, "", "Beside the accuracies of figure 3: random folds.", *notes, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--analysis", type=Path, help="an analysis.json that is there already")
    given = parser.parse_args().analysis
    if given is None and not SHARED.is_dir():
        print(f"{SHARED} is not there: these numbers need its ten configurations")
        return
    text = markdown(read_analysis(given or make_analysis()))
    print(text)
    if given is None:
        (OUT / "results.md").write_text(text, encoding="utf-8")
        print(f"written to {OUT / 'results.md'}")


if __name__ == "__main__":
    main()
