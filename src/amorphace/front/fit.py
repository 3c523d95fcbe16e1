"""A classifier from samples: labels, features, folds and scores of the rooms below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from amorphace.ace.features import Features
from amorphace.core.errors import InputError
from amorphace.core.sites import Sites
from amorphace.dataset.blocks import in_block, in_blocks, said_of_blocks
from amorphace.dataset.describe import Sample, describe_columns, labelled_rows, sample_sites
from amorphace.dataset.files import scaled, unit
from amorphace.dataset.label_thermal import (
    ThermalSample,
    label_thermal,
    majority_species,
    thermal_labels,
)
from amorphace.dataset.plausible import check_neighbours, check_spacing, warn
from amorphace.dataset.provenance import provenance
from amorphace.dataset.table import Table
from amorphace.front.predictor import Card, Predictor
from amorphace.front.samples import Samples
from amorphace.learn.analysis import analyse
from amorphace.learn.bundle import AnalysisSettings
from amorphace.learn.everyone import judged_glasses, thermal_scores
from amorphace.learn.fit import unseen_models
from amorphace.learn.points import order_ends
from amorphace.learn.predict import score
from amorphace.learn.worth import left_out_scores
from amorphace.observe.structure import first_peak
from amorphace.report.content import Snapshot

Target = Literal["d2min", "propensity"]
FEW_COLUMNS = 100
"""Fits of fewer columns are made sooner than processes start."""
TARGETS: tuple[Target, ...] = ("d2min", "propensity")


def fit(
    samples: Samples,
    *,
    cutoff: float | Sequence[float] = 4.0,
    fraction: float = 0.05,
    target: Target = "d2min",
    d2min_cutoff: float = 2.5,
    majority: str | None = None,
    max_order: int = 1,
    max_degree: int = 10,
    n_max: int = 10,
    sigma: float | Literal["auto"] = 1.0,
    title: str = "",
    n_jobs: int = -1,
) -> Predictor:
    """Learn from samples who will rearrange, and test it on samples left out.

    The steps are those of the commands `label`, `describe` and `learn`, with the same numbers.

    Parameters
    ----------
    samples : Samples
        From `load`. Blocks of the cell take their place where they are fewer than three.
    cutoff : float or sequence of float
        Of the features, in units of sigma; of several the best is taken.
    fraction : float
        Of the majority species: as many of the most and of the least active particles are learned
        from.
    target : {"d2min", "propensity"}
        What active means.
    d2min_cutoff : float
        Of D2min, in units of sigma.
    majority : str, optional
        The species that is scored; the most frequent one when left out.
    max_order, max_degree, n_max : int
        Of the features, as for `ACEDescriptor`: two-body ones alone by default, which are quick
        and hardly worse.
    sigma : float or "auto"
        The diameter in the unit of the files; "auto" is the first peak of the majority's g(r).
    title : str
        Of the glass.
    n_jobs : int
        Threads and processes; -1 is all processors. The result does not depend on it.

    Returns
    -------
    Predictor
        Fitted to all samples; its `scores` are of samples left out.

    Raises
    ------
    InputError
        If the samples are not usable, or too few.

    Warns
    -----
    InputWarning
        If something is probably not what was meant.
    """
    if target not in TARGETS:
        raise InputError(f"target must be one of {', '.join(TARGETS)}, got {target!r}")
    length = unit(str(sigma), samples[0].start, majority)
    asked = (cutoff,) if isinstance(cutoff, int | float) else cutoff
    words = Features(
        cutoffs=tuple(scaled(one, length) for one in asked),
        max_order=max_order,
        max_degree=max_degree,
        n_max=n_max,
        r0=scaled(1.0, length),
    )
    labels = label_thermal(
        (ThermalSample(sample.name, sample.start, sample.ends) for sample in samples),
        cutoff=scaled(d2min_cutoff, length),
        fraction=fraction,
        majority=majority,
        n_jobs=n_jobs,
    )
    if target != "d2min":
        labels = _labelled_by(labels, target, majority, fraction)
    made = {
        "cutoff": list(words.cutoffs), "fraction": fraction, "target": target,
        "d2min_cutoff": d2min_cutoff, "majority": majority, "max_order": max_order,
        "max_degree": max_degree, "n_max": n_max, "sigma": length,
    }  # fmt: skip
    origin = provenance("amorphace.fit", made, [file for s in samples for file in s.files])
    table = in_blocks(_described(samples, labels, words, n_jobs))
    assert table.columns is not None
    settings = AnalysisSettings(
        parts=("accuracy", "model"), n_columns=tuple(order_ends(table.columns).values())
    )
    processes = n_jobs if len(table.columns) > FEW_COLUMNS else 1
    analysis = analyse(table, settings=settings, n_jobs=processes)
    if analysis.model is None:
        raise InputError("; ".join(analysis.warnings))
    models = unseen_models(table, analysis.model, n_splits=analysis.n_splits)
    glasses = list(judged_glasses(table, labels, (sample.structure for sample in samples)))
    everyone = thermal_scores(models, glasses)
    first = samples[0].structure
    kind = majority_species(first.species, majority)
    chosen = glasses[_median(everyone["spearman"][everyone.labels.index(target)])]
    glass = chosen.configuration
    inside = in_block(table.provenance, chosen.sample, glass)
    return Predictor(
        model=analysis.model,
        card=Card(
            title=title or f"Glass of {' and '.join(samples.species)}",
            scores=tuple(
                left_out_scores(
                    replace(analysis, results=(*analysis.results, everyone)),
                    f"most and least mobile {100 * fraction:.3g} % of {kind}",
                    f"all {kind}",
                )
            ),
            peak=first_peak(first, kind),
            doubts=(*filter(None, [said_of_blocks(table.provenance)]), *analysis.warnings),
            provenance=origin,
        ),
        unseen=Snapshot(
            name=chosen.sample,
            configuration=glass,
            columns={
                target: chosen.targets[target],
                "score": np.where(inside, score(models[chosen.sample], glass), np.nan),
            },
        ),
    )


def _labelled_by(labels: Table, target: Target, majority: str | None, fraction: float) -> Table:
    """The extremes of another target."""
    chosen = labels.species == majority_species(labels.species, majority)
    label = thermal_labels(
        labels.targets[target], labels.sample, majority=chosen, fraction=fraction
    )
    return replace(labels, label=label)


def _described(samples: Samples, labels: Table, words: Features, n_jobs: int) -> Table:
    """The labelled particles with their features, in memory."""
    first = samples[0]
    warn(check_neighbours(first.name, first.structure, words.cutoffs))
    for sample in samples:
        warn(check_spacing(sample.name, sample.structure))
    descriptors = words.descriptors(samples.species, n_jobs=n_jobs)
    settings: dict[str, Any] = {
        k: v for k, v in descriptors[0].get_params().items() if k not in ("cutoff", "n_jobs")
    }
    settings["cutoffs"] = list(words.cutoffs)
    table = labelled_rows(labels, centres=None, provenance={"parameters": settings})
    structures = [Sample(sample.name, sample.structure) for sample in samples]
    sites = Sites.concatenate(sample_sites(table, structures))
    return replace(
        table,
        columns=describe_columns(descriptors[0]),
        features={ace.cutoff: np.asarray(ace.transform(sites)) for ace in descriptors},
    )


def _median(values: np.ndarray) -> int:
    return int(np.argsort(values)[len(values) // 2])
