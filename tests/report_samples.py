"""A small made-up analysis, with every part of a report filled in."""

from __future__ import annotations

import numpy as np

from amorphace.ace.radial import RadialBasis
from amorphace.core.configuration import Configuration
from amorphace.dataset.table import Columns
from amorphace.learn.bundle import Analysis, AnalysisSettings
from amorphace.learn.classifiers import ClassifierScore
from amorphace.learn.clusters import ClusterCurve, ClusterFunctions, ClusterMap
from amorphace.learn.contributions import Contributions
from amorphace.learn.curves import AccuracyCurve
from amorphace.learn.distributions import Distribution
from amorphace.learn.learning_curve import LearningCurve
from amorphace.learn.probabilities import Calibration, Roc
from amorphace.learn.propensity import PropensityCurve, PropensityScore
from amorphace.learn.regression import CorrelationCurve
from amorphace.learn.selection import Selection, SelectionStability
from amorphace.observe.pair_correlation import pair_correlation
from amorphace.report.content import (
    HealthLine,
    Relaxation,
    ReportContent,
    Snapshot,
    StressStrain,
    radial_functions,
)

POINTS = np.array([1, 2, 5, 10, 11, 15, 20, 40, 80, 174, 300, 574])
N_FOLDS = 5


def mixture_columns(species: tuple[str, str] = ("A", "B")) -> Columns:
    """10 + 10 radial columns, then orders 2 and 3."""
    order = [1] * 20 + [2] * 154 + [3] * 400
    z = np.zeros((574, 3), dtype=int)
    z[10:20, 0] = 1
    names = [f"{s}{n}" for s in species for n in range(1, 11)]
    names += [f"{species[0]}1·{species[1]}{k} l=0" for k in range(554)]
    return Columns(names=names, order=order, z=z, n=z, l=z)


def folded(mean, spread: float = 0.01, seed: int = 0):
    """Scores of some folds around a mean, shape (n_points, N_FOLDS)."""
    noise = np.random.default_rng(seed).normal(size=(len(mean), N_FOLDS))
    return np.asarray(mean)[:, None] + spread * noise


def accuracy_curve(cutoff: float, top: float = 0.92, **fields) -> AccuracyCurve:
    scores = folded(top - 0.3 * np.exp(-POINTS / 8), seed=int(10 * cutoff))
    fields = {"n_columns": POINTS} | fields
    n = len(fields["n_columns"])
    return AccuracyCurve(
        accuracy=scores[:n],
        balanced_accuracy=scores[:n],
        roc_auc=scores[:n],
        strength=np.ones((n, N_FOLDS)),
        order=tuple(np.where(POINTS <= 20, 1, np.where(POINTS <= 174, 2, 3)).tolist())[:n],
        last_column=tuple(f"c{k}" for k in POINTS)[:n],
        cutoff=cutoff,
        **fields,
    )


def distribution(column: str, shift: float) -> Distribution:
    edges = np.linspace(-4, 4, 33)
    x = (edges[1:] + edges[:-1]) / 2
    density = [np.exp(-((x - s) ** 2) / 2) / np.sqrt(2 * np.pi) for s in (shift, -shift)]
    return Distribution(
        column=column,
        edges=edges,
        active=density[0],
        inactive=density[1],
        n_active=320,
        n_inactive=320,
        mean_active=shift,
        mean_inactive=-shift,
        threshold=0.0,
        accuracy=0.7,
        auc=0.77,
        cutoff=4.0,
    )


def selection(scope: str, names: tuple[str, ...]) -> Selection:
    n = 20
    many = (names + tuple(f"A{k}" for k in range(2, 40)))[:n]
    scores = folded(0.91 - 0.22 * np.exp(-np.arange(n) / 2), seed=3)
    return Selection(
        indices=np.arange(n),
        names=many,
        accuracy=scores,
        candidates=np.arange(n),
        candidate_names=many,
        first_accuracy=scores,
        twins=names[:2],
        strength=1.0,
        scope=scope,
        cutoff=4.0,
    )


def analysis(species: tuple[str, str] = ("A", "B")) -> Analysis:
    a, b = species
    columns = mixture_columns(species)
    scores = folded([0.91], seed=5)[0]
    calibration = Calibration(
        edges=np.linspace(0, 1, 11),
        predicted=np.linspace(0.05, 0.95, 10),
        observed=np.append(np.linspace(0.02, 0.9, 9), np.nan),
        count=np.append(np.full(9, 64), 0),
        brier=0.07,
        expected_calibration_error=0.02,
    )
    stability = SelectionStability(
        names=(f"{b}1", f"{a}1", f"{a}3"),
        frequency=np.array([1.0, 0.95, 0.3]),
        first=np.array([0.9, 0.1, 0.0]),
        bootstrap=((f"{b}1", f"{a}1"),) * 20,
        left_out=((f"{b}1", f"{a}1"),) * 5,
        n_steps=5,
        scope="order 1",
        cutoff=4.0,
    )
    pearson = folded(0.7 - 0.5 * np.exp(-POINTS / 10), 0.02)
    return Analysis(
        settings=AnalysisSettings(),
        columns=columns,
        species=species,
        n_samples=10,
        n_active=640,
        n_inactive=640,
        cutoff=4.0,
        accuracy=tuple(accuracy_curve(c, 0.8 + 0.03 * c) for c in (2.0, 2.5, 3.0, 4.0)),
        accuracy_random=(accuracy_curve(4.0, 0.93, folds="random"),),
        classifiers=tuple(
            ClassifierScore(
                classifier=kind,
                n_columns=n,
                accuracy=scores + 0.0001 * n,
                balanced_accuracy=scores,
                roc_auc=scores + 0.05,
                strength=np.ones(N_FOLDS),
                calibration=calibration if kind == "logistic" else None,
                roc=Roc(
                    false_positive=np.linspace(0, 1, 101),
                    true_positive=np.linspace(0, 1, 101) ** (0.2 if kind == "svm" else 0.15),
                ),
                cutoff=4.0,
            )
            for n in (20, 174)
            for kind in ("logistic", "svm")
        ),
        selections=(
            selection("order 1", (f"{b}1", f"{a}1")),
            selection("orders 1 to 2", (f"{a}1·{b}1 l=0", f"{a}1")),
        ),
        stability=(stability,),
        pca=accuracy_curve(4.0, 0.83, ordering="pca", n_columns=POINTS[:7]),
        learning=tuple(
            LearningCurve(
                n_samples=np.array([1, 2, 4, 8]),
                n_sites=np.array([128.0, 256, 512, 1024]),
                train=folded([1.0, 0.98, 0.96, 0.95], 0.003),
                test=folded([0.8, 0.84, 0.88, 0.9]),
                n_columns=n,
                vary=vary,
                cutoff=4.0,
            )
            for vary in ("samples", "sites")
            for n in (20, 174)
        ),
        ard=tuple(
            CorrelationCurve(
                n_columns=POINTS,
                pearson=pearson + 0.05 * log,
                spearman=pearson,
                n_kept=np.ones((len(POINTS), N_FOLDS), dtype=int),
                cutoff=c,
                log_target=log,
            )
            for log in (False, True)
            for c in (2.0, 4.0)
        ),
        clusters=clusters(species),
        contributions=contributions(species),
        distributions=(distribution(f"{a}1", 0.4), distribution(f"{b}1", 0.7)),
        warnings=("One sample has fewer labelled sites than the others.",),
    )


def glass(n: int = 4000, species: tuple[str, str] = ("A", "B"), seed: int = 0) -> Configuration:
    """Particles on a jittered lattice, four of five of the first species."""
    rng = np.random.default_rng(seed)
    k = round(n ** (1 / 3) + 0.499)
    lattice = np.stack(np.meshgrid(*[np.arange(k)] * 3, indexing="ij"), -1).reshape(-1, 3)[:n]
    edge = (n / 1.2) ** (1 / 3)
    x = (lattice + 0.5 + rng.uniform(-0.2, 0.2, lattice.shape)) * edge / k
    return Configuration(
        positions=x, species=[species[int(m)] for m in rng.random(n) < 0.2], cell=edge
    )


def snapshot(
    n: int = 4000, species: tuple[str, str] = ("A", "B"), protocol: str = "thermal"
) -> Snapshot:
    c = glass(n, species)
    rng = np.random.default_rng(1)
    waves = np.sin(2 * np.pi * c.fractional()).prod(axis=1)
    d2min = np.exp(1.5 * waves + 0.3 * rng.normal(size=n))
    score = 1 / (1 + np.exp(-6 * waves))
    label = np.where(d2min > np.quantile(d2min, 0.95), 1, np.where(d2min < 0.4, 0, -1))
    return Snapshot(
        name=f"{protocol} sample",
        configuration=c,
        columns={
            "d2min": d2min,
            "propensity": np.sqrt(d2min),
            "label": label,
            "score": np.where(c.species == species[0], score, np.nan),
        },
        caption="D²min averaged over 30 runs from the same positions.",
        protocol=protocol,
        diameters={species[1]: 0.88},
    )


def clusters(species: tuple[str, str] = ("A", "B")) -> ClusterFunctions:
    a, b = species
    r = np.linspace(0.7, 4, 60)
    angle = np.linspace(0, 180, 37)
    rng = np.random.default_rng(2)

    def curve(*kinds: str) -> ClusterCurve:
        wave = np.sin(3 * r) * np.exp(-r / 2)
        return ClusterCurve(species=kinds, r=r, v=wave + 0.03 * rng.normal(size=(5, 1)))

    def over(y, *kinds: str) -> ClusterMap:
        return ClusterMap(species=kinds, x=r, y=y, v=np.outer(np.sin(2 * r), np.cos(y))[None])

    pairs = ((a, a), (a, b), (b, b))
    return ClusterFunctions(
        cutoff=4.0,
        n_models=5,
        angle=60.0,
        triple_angle=60.0,
        v1=(curve(a), curve(b)),
        v2_distance=tuple(over(r, *p) for p in pairs),
        v2_angle=tuple(over(angle, *p) for p in pairs),
        v3=(curve(a, a, a), curve(a, a, b)),
    )


def contributions(species: tuple[str, str] = ("A", "B")) -> Contributions:
    names = ("order 1", "order 2", f"order 1: {species[0]}", f"order 1: {species[1]}")
    share = np.array([0.8, 0.2, 0.3, 0.5])[:, None] + np.linspace(-0.02, 0.02, 5)
    return Contributions(
        names=names,
        order=(1, 2, 1, 1),
        species=((), (), (species[0],), (species[1],)),
        variance=share,
        mean_abs=share,
        share=share,
    )


def content(n: int = 4000, species: tuple[str, str] = ("A", "B"), **fields) -> ReportContent:
    """Every part filled in; `fields` replace parts."""
    strain = np.linspace(0, 0.12, 400)
    saw = 40 * strain % 0.3 + np.tanh(30 * strain)
    time = np.geomspace(0.1, 1000, 60)
    parts = {
        "title": "Kob-Andersen, thermal excitation",
        "summary": ("Ten samples of 4,000 particles at T = 0.44, thirty runs from each.",),
        "model": "kob-andersen",
        "protocol": "thermal",
        "species": species,
        "provenance": {
            "amorphace": "0.1.0",
            "command": "amorphace run ka.toml",
            "seed": 7,
            "parameters": {"temperature": 0.44, "lag": 84.0},
        },
        "warnings": ("The sample is small.",),
        "health": (
            HealthLine(unit="prepare 1", quantity="energy drift / ε", value=2e-5, limit=1e-3),
            HealthLine(
                unit="prepare 2",
                quantity="pressure drift",
                value=0.3,
                limit=0.1,
                ok=False,
                text="the pressure drifted by 0.3",
            ),
        ),
        "settings": {"cutoff": 4.0, "distance_transform": "paper", "max_degree": 10},
        "radial": radial_functions(RadialBasis(4.0)),
        "analysis": analysis(species),
        "companion": analysis(species),
        "companion_protocol": "shear",
        "propensity": (
            PropensityScore(
                target="d2min",
                log=True,
                inputs="radial, averaged",
                head="ridge",
                n_columns=80,
                samples=("s1", "s2"),
                pearson=np.array([0.8, 0.82]),
                spearman=np.array([0.78, 0.8]),
            ),
        ),
        "propensity_curves": (
            PropensityCurve(
                target="d2min",
                log=True,
                inputs="radial, averaged",
                head="ridge",
                n_train=np.arange(1, 10),
                pearson=folded(0.8 - 0.2 / np.arange(1, 10)),
                spearman=folded(0.8 - 0.2 / np.arange(1, 10)),
            ),
        ),
        "snapshots": (snapshot(n, species), snapshot(n, species, "shear")),
        "stress_strain": (
            StressStrain(name="sample 1", strain=strain, stress=saw, events=strain[[100, 200]]),
        ),
        "pair_correlations": pair_correlation(glass(n, species)),
        "relaxation": (
            Relaxation(name="sample 1", time=time, fs=np.exp(-time / 38), wavenumber=7.2, tau=38.0),
        ),
    }
    return ReportContent(**(parts | fields))
