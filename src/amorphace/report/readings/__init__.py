"""What is read of an analysis to decide a claim: a function for each quantity of claims.toml."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from amorphace.learn.bundle import Analysis
from amorphace.report.readings import accuracies, others, selections
from amorphace.report.readings.found import Case, Found

Reading = Callable[[Case, Analysis], Found | None]


READINGS: Mapping[str, Reading] = {
    "correlation": others.propensity_correlation,
    "few": selections.few,
    "beyond radial": accuracies.beyond_radial,
    "first": lambda case, a: accuracies.with_columns(a, case.cutoff, 1),
    "first species": lambda case, a: accuracies.with_columns(
        a, case.cutoff, accuracies.first_species(a)
    ),
    "jump": accuracies.jump,
    "radial": lambda case, a: accuracies.with_order(a, case.cutoff, 1),
    "last radial": accuracies.last_radial,
    "three-body": lambda case, a: accuracies.with_order(a, case.cutoff, 2),
    "four-body": lambda case, a: accuracies.with_order(a, case.cutoff, 3),
    "saturation": accuracies.saturation,
    "range": accuracies.reach,
    "less range": others.less_range,
    "lower": others.lower,
    "single runs": others.single_runs,
    "more by B": others.more_by_b,
    "glasses": others.glasses,
    "svm": selections.svm,
    "weight": others.weight,
    "picks": selections.picks,
    "twin": selections.twin,
    "ten": selections.ten,
    "pca": selections.pca,
    "means": selections.means,
    "learning": others.learning,
    "ard": others.ard,
    "v1": others.function("v1"),
    "v2": others.function("v2_distance"),
}
