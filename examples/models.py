"""The models that come with amorphace: fitted, judged on samples left out, written as JSON.

    python examples/models.py                  # all whose configurations or results are there
    python examples/models.py kob-andersen

From configurations in ../shared/data, and from experiments that `amorphace run` has finished in
--experiments. Writes src/amorphace/models/NAME.json; each is a line of `CASES`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import amorphace as am
from amorphace.campaign.describe import DescribeShear, DescribeThermal
from amorphace.campaign.label import LabelShear, LabelThermal
from amorphace.campaign.learn import all_scores
from amorphace.campaign.plan import Plan
from amorphace.campaign.prepare import configuration_of
from amorphace.cli.experiments import open_experiment
from amorphace.config import OwnExperiment
from amorphace.dataset.label_thermal import majority_species
from amorphace.dataset.table import Table
from amorphace.front.predictor import Card, Predictor
from amorphace.learn.fit import fit_model, unseen_models
from amorphace.learn.model import LinearModel
from amorphace.learn.points import order_ends
from amorphace.learn.results import Curve
from amorphace.learn.splits import MOST_FOLDS
from amorphace.learn.worth import Score
from amorphace.observe.structure import first_peak
from amorphace.report.experiment import experiment_content
from amorphace.runs.store import Store

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
MODELS = ROOT / "src" / "amorphace" / "models"
UNITS = "Lennard-Jones units of A: sigma, epsilon, mass"
ELSEWHERE = (
    "It has seen this temperature, this density and this preparation alone. Among particles "
    "that are neither the most nor the least mobile the score ranks, and is no probability."
)
RESTING = "inherent structures"
DESCRIBED = (DescribeThermal, DescribeShear)
MOST_BYTES = 60_000


@dataclass(frozen=True)
class Files:
    """Configurations of isoconfigurational ensembles."""

    initial: str
    ends: str
    inherent: str
    card: Card

    def make(self) -> Predictor | None:
        """Radial features of inherent structures, cutoff 4; None without the files."""
        patterns = [str(SHARED / name) for name in (self.initial, self.ends, self.inherent)]
        if not list(SHARED.glob(self.initial)):
            return None
        samples = am.load(
            patterns[0], endpoints=patterns[1], inherent=patterns[2], species=("A", "B")
        )
        fitted = am.fit(samples, cutoff=4.0, max_order=1)
        card = replace(
            fitted.card, title=self.card.title, state=self.card.state, source=self.card.source,
            units=UNITS, structure=RESTING, limits=ELSEWHERE,
        )  # fmt: skip
        return replace(fitted, card=card)


@dataclass(frozen=True)
class Experiment:
    """A finished experiment of `amorphace run`."""

    file: str

    def make(self, folder: Path) -> Predictor | None:
        """Its radial features at its largest cutoff; None where it is not finished."""
        path = folder / self.file
        if not path.exists():
            return None
        plan, store = open_experiment(path)
        if any(not store.has(unit.id) for unit in plan.units):
            return None
        content, described = experiment_content(plan, store), plan.one(*DESCRIBED)
        analysis, table = content.analysis, store.load(described)
        assert analysis is not None
        cutoff, n = max(table.cutoffs), order_ends(analysis.columns)[1]
        folds = min(MOST_FOLDS, analysis.n_samples)
        model = fit_model(table, cutoff, n, n_splits=folds)
        curve = analysis.curve("accuracy", "grouped", cutoff)
        assert curve is not None
        glass = content.snapshots[0].configuration
        kind = majority_species(glass.species)
        sheared = plan.experiment.protocol == "shear"
        return Predictor(
            model=model,
            card=Card(
                title=content.title,
                scores=(*_right(curve, n, kind), *_ranks(plan, store, table, model, folds, kind)),
                peak=first_peak(glass, kind),
                state=_state(plan, glass.number_density),
                units=UNITS,
                structure="glasses at mechanical equilibrium in shear" if sheared else RESTING,
                limits=ELSEWHERE,
                source=" ".join(content.summary),
                doubts=analysis.warnings,
                provenance={"experiment": plan.experiment.to_dict()},
            ),
        )


def _state(plan: Plan, density: float) -> str:
    if isinstance(plan.experiment, OwnExperiment):
        return f"number density {density:.4g}"
    return f"T = {plan.experiment.preparation.temperature:g}, number density {density:.4g}"


def _right(curve: Curve, n: int, kind: str) -> Iterator[Score]:
    """Accuracy and ROC-AUC of the labelled particles with so many columns."""
    place = int(np.flatnonzero(curve.x == n)[0])
    for name, words in (("accuracy", "accuracy"), ("roc_auc", "ROC-AUC")):
        yield Score.over(words, f"labelled {kind}", curve[name][place], chance=0.5)


def _ranks(
    plan: Plan, store: Store, table: Table, model: LinearModel, folds: int, kind: str
) -> Iterator[Score]:
    """What the score of all particles says of them, by models that have not seen the sample."""
    described, labelled = plan.one(*DESCRIBED), plan.one(LabelThermal, LabelShear)
    labels, models = store.load(labelled), unseen_models(table, model, n_splits=folds)
    role = "shear" if plan.experiment.protocol == "shear" else "reference"
    ids = dict(zip(described.parameters.samples, described.inputs[role], strict=True))
    given = (store.load(plan.by_id[ids[name]]) for name in labels.sample_names)
    if role == "reference":
        given = map(configuration_of, given)
    found = all_scores(models, table, labels, given, n_jobs=-1)
    if role == "shear":
        name = "rank of an event's core, 2 AUC - 1"
        yield Score.over(name, "right before events", found["core"][0])
        return
    for target, values in zip(found.labels, found["spearman"], strict=True):
        yield Score.over(f"Spearman with {target}", f"all {kind}", values)


CASES: dict[str, Files | Experiment] = {
    "kob-andersen": Files(
        "ka_T0.44/*.initial.dump",
        "ka_T0.44/*.endpoints.dump.gz",
        "ka_T0.44/*.inherent.dump",
        Card(
            title="Kob-Andersen mixture, thermal motion at T = 0.44",
            state="T = 0.44, number density 1.2, 80 % A; runs of about the relaxation time",
            source="BOTAN, github.com/h3-Open-BDEC/pyg_botan (Apache-2.0); H. Shiba, M. Hanai, "
            "T. Suzumura and T. Shimokawabe, J. Chem. Phys. 158, 084503 (2023): 10 samples of "
            "4096 particles, 32 runs each",
        ),
    ),
    "wahnstrom": Files(
        "wahnstrom_T0.58/*.initial.gsd",
        "wahnstrom_T0.58/*.ends.gsd",
        "wahnstrom_T0.58/*.inherent.gsd",
        Card(
            title="Wahnström mixture, thermal motion at T = 0.58",
            state="T = 0.58, number density 1.3, 50 % A; runs of about three relaxation times",
            source="7 samples of 4096 particles, 30 runs each, made on one GPU outside of this "
            "repository",
        ),
    ),
    "kob-andersen-sheared": Experiment("kob-andersen-shear.toml"),
    "wahnstrom-sheared": Experiment("wahnstrom-shear.toml"),
    "bead-spring": Experiment("bead-spring-thermal.toml"),
    "bead-spring-sheared": Experiment("bead-spring-shear.toml"),
}


def main(names: list[str], experiments: Path) -> None:
    for name in names or CASES:
        case = CASES[name]
        made = case.make() if isinstance(case, Files) else case.make(experiments)
        if made is None:
            print(f"{name}: nothing to learn from")
            continue
        path = MODELS / f"{name}.json"
        made.save(path)
        size = path.stat().st_size
        if size > MOST_BYTES:
            path.unlink()
            raise SystemExit(f"{name}: {size} bytes, more than {MOST_BYTES}")
        print(f"{path.name}: {size} bytes\n{made!r}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(CASES)}; all")
    parser.add_argument("--experiments", type=Path, default=ROOT / "out" / "results")
    options = parser.parse_args()
    main(options.names, options.experiments)
