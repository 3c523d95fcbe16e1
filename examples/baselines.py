"""What the expansion adds to what others describe an environment by: Kob-Andersen at T = 0.44.

    python examples/baselines.py           # docs/results/baselines.md, from the numbers kept
    python examples/baselines.py FOLDER    # make the numbers first, docs/results/baselines.csv

Labels, features and baselines of the ten samples of ../shared/data/ka_T0.44 (FOLDER) at their
inherent structures, one sample left out at a time.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from amorphace import ACEDescriptor, Sites, iread, read
from amorphace.baselines import Baseline, baselines
from amorphace.dataset.describe import Sample, labelled_rows, sample_sites
from amorphace.dataset.label_thermal import ThermalSample, label_thermal
from amorphace.learn.baselines import compare_baselines
from amorphace.learn.results import Curve, write_table
from amorphace.learn.splits import half_width
from amorphace.simulate import kob_andersen

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "results"
SPECIES = ("A", "B")
CUTOFF = 4.0


def make(folder: Path) -> Curve:
    """Scores of all families on the same folds."""
    names = [path.name.split(".")[0] for path in sorted(folder.glob("*.initial.dump"))]
    labels = label_thermal(
        ThermalSample(
            name,
            read(folder / f"{name}.initial.dump", SPECIES),
            iread(folder / f"{name}.endpoints.dump.gz", SPECIES),
        )
        for name in names
    )
    rest = [Sample(name, read(folder / f"{name}.inherent.dump", SPECIES)) for name in names]
    table = labelled_rows(labels, centres=None, provenance={})
    sites = Sites.concatenate(sample_sites(table, rest))
    ace = ACEDescriptor(cutoff=CUTOFF, species=SPECIES, max_order=3, max_degree=10, n_max=10)
    X = np.asarray(ace.fit_transform(sites))
    families = list(baselines(sites, SPECIES, cutoff=CUTOFF, descriptor=ace, model=kob_andersen()))
    return compare_baselines(
        X, table.label, table.sample, [*families, *further(ace, X, families)], n_splits=len(names)
    )


def further(ace: ACEDescriptor, X: np.ndarray, families: list[Baseline]) -> list[Baseline]:
    """The expansion's radial columns alone, and all its columns beside the symmetry functions."""
    names = tuple(ace.get_feature_names_out())
    n = int((ace.basis_.order == 1).sum())
    other = next(family for family in families if family.name == "Behler-Parrinello")
    both = np.hstack([X, other.values])
    return [
        Baseline("ACE, radial columns", names[:n], X[:, :n]),
        Baseline("ACE and Behler-Parrinello", (*names, *other.columns), both),
    ]


def page(pages: Path) -> str:
    """A table of all families, from the numbers kept."""
    scores: dict[tuple[str, str], dict[str, list[float]]] = {}
    with (pages / "baselines.csv").open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            family = scores.setdefault((line["label"], line["x"]), {})
            family.setdefault(line["score"], []).append(float(line["value"]))
    rows = []
    for (name, size), found in scores.items():
        accuracy, area, added = (np.array(found[k]) for k in ("accuracy", "roc_auc", "added"))
        more = "" if name == "ACE" else spread(100 * added)
        rows.append(f"| {name} | {size} | {spread(100 * accuracy)} | {area.mean():.3f} | {more} |")
    return f"""# What the expansion adds

Accuracy of logistic regression in the Kob-Andersen mixture at T = 0.44, on inherent structures: the
most and the least mobile A particles of ten samples, in equal numbers, one sample left out at a
time. All see r < {CUTOFF:g}, but for the local density at its best length of up to 2 and for
Voronoi cells. Errors are half-widths of 68 % intervals of the mean; those of a difference are of
the differences sample by sample.

```console
$ python examples/baselines.py ../shared/data/ka_T0.44
```

| columns | number | accuracy (%) | ROC-AUC | ACE adds (%) |
|---|---|---|---|---|
""" + "".join(f"{row}\n" for row in rows)


def spread(values: np.ndarray) -> str:
    return f"{values.mean():.1f} ± {half_width(values):.1f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    options = parser.parse_args()
    if options.folder is not None:
        write_table(PAGES / "baselines.csv", make(options.folder).lines())
    (PAGES / "baselines.md").write_text(page(PAGES), encoding="utf-8")
