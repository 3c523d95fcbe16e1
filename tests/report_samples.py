"""A small made-up analysis, with every part of a report filled in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from amorphace.ace.radial import RadialBasis
from amorphace.core.configuration import Configuration
from amorphace.dataset.table import Columns
from amorphace.learn.bundle import Analysis, AnalysisSettings
from amorphace.learn.regression import PropensityCurve, PropensityScore
from amorphace.learn.results import Curve
from amorphace.report.content import HealthLine, ReportContent, Snapshot
from amorphace.report.measured import (
    pair_correlations,
    propensity_curve,
    radial_functions,
    relaxation,
    stress_strain,
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


FOLDS = tuple(f"s{k}" for k in range(1, N_FOLDS + 1))


def curve(name: str, x, scores, **fields) -> Curve:
    """A curve at cutoff 4; what has no folds has one column."""
    arrays = {k: np.asarray(v, float) for k, v in scores.items()}
    columns = {k: v if v.ndim == 2 else v[:, None] for k, v in arrays.items()}
    folds = FOLDS if next(iter(columns.values())).shape[1] == N_FOLDS else ()
    given = {"cutoff": 4.0, "folds": folds} | fields
    return Curve(name=name, x=np.asarray(x), scores=columns, **given)


def accuracy_curve(cutoff: float, top: float = 0.92, **fields) -> Curve:
    given = {"name": "accuracy", "variant": "grouped", "x": POINTS, "cutoff": cutoff} | fields
    n = len(given["x"])
    scores = folded(top - 0.3 * np.exp(-POINTS / 8), seed=int(10 * cutoff))[:n]
    names = ("accuracy", "balanced_accuracy", "roc_auc")
    labels = tuple(f"c{k}" for k in POINTS)[:n]
    known = dict.fromkeys(names, scores) | {"strength": np.ones_like(scores)}
    return curve(scores=known, labels=labels, **given)


def distribution(column: str, shift: float) -> Curve:
    edges = np.linspace(-4, 4, 33)
    x = (edges[1:] + edges[:-1]) / 2
    density = [np.exp(-((x - s) ** 2) / 2) / np.sqrt(2 * np.pi) for s in (shift, -shift)]
    scores = {"active": density[0], "inactive": density[1], "to": edges[1:]}
    return curve("distributions", edges[:-1], scores, variant=column)


def selection(scope: str, names: tuple[str, ...]) -> tuple[Curve, Curve]:
    n = 20
    many = (names + tuple(f"A{k}" for k in range(2, 40)))[:n]
    picked = folded(0.91 - 0.22 * np.exp(-np.arange(n) / 2), seed=3)
    alone = folded(np.where(np.arange(n) < 2, 0.7, 0.5), seed=4)
    x, words = np.arange(1, n + 1), {"labels": many, "variant": scope}
    return (
        curve("selection", x, {"accuracy": picked}, **words),
        curve("single_columns", x, {"accuracy": alone}, **words),
    )


def nested(scope: str) -> Curve:
    scores = {"accuracy": folded(0.9 - 0.25 * np.exp(-np.arange(20) / 2), seed=6)}
    return curve("nested_selection", np.arange(1, 21), scores, variant=scope)


def but(analysis: Analysis, name: str, *curves: Curve) -> Analysis:
    """The same analysis with other curves of a name."""
    others = (c for c in analysis.results if c.name != name)
    return replace(analysis, results=(*others, *curves))


def analysis(species: tuple[str, str] = ("A", "B")) -> Analysis:
    a, b = species
    return Analysis(
        settings=AnalysisSettings(),
        columns=mixture_columns(species),
        species=species,
        n_samples=10,
        n_active=640,
        n_inactive=640,
        cutoff=4.0,
        results=(
            *(accuracy_curve(c, 0.8 + 0.03 * c) for c in (2.0, 2.5, 3.0, 4.0)),
            accuracy_curve(4.0, 0.93, variant="random"),
            *classified(),
            *selection("order 1", (f"{b}1", f"{a}1")),
            *selection("orders 1 to 2", (f"{a}1·{b}1 l=0", f"{a}1")),
            *resampled(f"{b}1", f"{a}1", f"{a}3"),
            *(nested(scope) for scope in ("order 1", "orders 1 to 2", "order 1, pairs first")),
            accuracy_curve(4.0, 0.83, name="pca", variant="standardised", x=POINTS[:7]),
            accuracy_curve(4.0, 0.81, name="pca", variant="raw", x=POINTS[:7]),
            *learned(),
            *correlated(),
            *clusters(species),
            contributions(species),
            distribution(f"{a}1", 0.4),
            distribution(f"{b}1", 0.7),
            thresholds(f"{a}1", f"{b}1"),
            magnitudes(f"{a}1", f"{b}1"),
            everyone(),
        ),
        warnings=("One sample has fewer labelled sites than the others.",),
    )


def classified() -> list[Curve]:
    """Classifiers, their ROC curves, and a calibration."""
    n, scores = np.array([20, 174]), folded([0.91, 0.91], seed=5)
    more = {"balanced_accuracy": scores, "roc_auc": scores + 0.05, "strength": scores**0}
    x, step = np.linspace(0, 1, 101), np.linspace(0.1, 1, 10)
    made = []
    for kind, power in (("logistic", 0.15), ("svm", 0.2)):
        known = {"accuracy": scores + 0.0001 * n[:, None], **more}
        made.append(curve("classifiers", n, known, variant=kind))
        made += [
            curve("roc", x, {"true_positive": x**power}, variant=kind, n_columns=k)
            for k in n.tolist()
        ]
    calibration = {
        "observed": np.append(np.linspace(0.02, 0.9, 9), np.nan),
        "predicted": np.linspace(0.05, 0.95, 10),
        "to": step,
        "count": np.append(np.full(9, 64), 0),
        "brier": np.full(10, 0.07),
        "error": np.full(10, 0.02),
    }
    words = {"variant": "logistic"}
    return made + [
        curve("calibration", step - 0.1, calibration, n_columns=k, **words) for k in n.tolist()
    ]


def resampled(*names: str) -> list[Curve]:
    """The first name is picked first in nine of ten runs, the second otherwise."""
    place = np.full((3, 20), np.nan)
    place[0], place[1, 1:], place[2, :6] = 1, 2, 3
    place[0, :2], place[1, :2] = 2, 1
    words = {"labels": names, "variant": "order 1", "folds": ()}
    return [
        curve("stability", [11, 1, 3], {"place": place}, **words),
        curve("left_out", [11, 1, 3], {"place": place[:, 10:15]}, **words),
    ]


def learned() -> list[Curve]:
    scores = {
        "test": folded([0.8, 0.84, 0.88, 0.9]),
        "train": folded([1.0, 0.98, 0.96, 0.95], 0.003),
    }
    labels = ("1", "2", "4", "8")
    return [
        curve("learning", [128.0, 256, 512, 1024], scores, labels=labels, variant=v, n_columns=n)
        for v in ("samples", "sites")
        for n in (20, 174)
    ]


def correlated() -> list[Curve]:
    pearson = folded(0.7 - 0.5 * np.exp(-POINTS / 10), 0.02)
    return [
        curve(
            "ard",
            POINTS,
            {"pearson": pearson + extra, "spearman": pearson, "n_kept": pearson**0},
            variant=variant,
            cutoff=c,
        )
        for variant, extra in (("d2min", 0.0), ("log d2min", 0.05))
        for c in (2.0, 4.0)
    ]


def everyone() -> Curve:
    spearman = folded([0.53, 0.41])
    scores = {"spearman": spearman, "pearson": spearman - 0.1}
    return curve("everyone", [1, 2], scores, labels=("d2min", "propensity"))


def thresholds(*names: str) -> Curve:
    shift = np.array([0.4, 0.7])
    scores = {"accuracy": [0.7, 0.7], "auc": [0.77, 0.77], "threshold": [0.0, 0.0]}
    scores |= {"mean_active": shift, "mean_inactive": -shift}
    scores |= {"n_active": [320, 320], "n_inactive": [320, 320]}
    return curve("thresholds", [1, 2], scores, labels=names)


def magnitudes(*names: str) -> Curve:
    scores = {"inactive_larger": folded([0.77, 0.8])}
    return curve("magnitudes", [1, 2], scores, labels=names)


def learned_propensity() -> PropensityCurve:
    scores = folded(0.8 - 0.2 / np.arange(1, 10))
    return PropensityCurve(
        target="d2min",
        log=True,
        inputs="radial, averaged",
        head="ridge",
        n_train=np.arange(1, 10),
        pearson=scores,
        spearman=scores,
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


def clusters(species: tuple[str, str] = ("A", "B")) -> list[Curve]:
    a, b = species
    r, rng = np.linspace(0.7, 4, 60), np.random.default_rng(2)
    wave = (np.sin(3 * r) * np.exp(-r / 2))[:, None]

    def along(name: str, *kinds: str) -> Curve:
        v = wave + 0.03 * rng.normal(size=(1, N_FOLDS))
        return curve(name, r, {"v": v}, variant="·".join(kinds), folds=())

    def over(name: str, y, *kinds: str) -> Curve:
        v = np.outer(np.sin(2 * r), np.cos(y)).ravel()[:, None]
        grid = {"x": np.repeat(r, len(y)), "y": np.tile(y, len(r))}
        return curve(name, scores={"v": v}, variant="·".join(kinds), **grid)

    pairs, angle = ((a, a), (a, b), (b, b)), np.linspace(0, 180, 37)
    return [
        along("v1", a),
        along("v1", b),
        *(over("v2_distance", r, *p) for p in pairs),
        *(over("v2_angle", angle, *p) for p in pairs),
        along("v3", a, a, a),
        along("v3", a, a, b),
    ]


def contributions(species: tuple[str, str] = ("A", "B")) -> Curve:
    names = ("order 1", "order 2", f"order 1: {species[0]}", f"order 1: {species[1]}")
    share = np.array([0.8, 0.2, 0.3, 0.5])[:, None] + np.linspace(-0.02, 0.02, 5)
    scores = dict.fromkeys(("share", "variance", "mean_abs"), share)
    return curve("contributions", [1, 2, 1, 1], scores, labels=names, folds=())


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
        "snapshots": (snapshot(n, species), snapshot(n, species, "shear")),
        "curves": (
            *radial_functions(RadialBasis(4.0)),
            *stress_strain("sample 1", strain, saw, events=strain[[100, 200]]),
            *pair_correlations(glass(n, species), 4.4),
            relaxation("sample 1", time, np.exp(-time / 38)),
            propensity_curve(learned_propensity()),
        ),
        "correlations": (0.93, 0.95),
        "lag": 84.0,
        "wavenumber": 7.2,
    }
    return ReportContent(**(parts | fields))
