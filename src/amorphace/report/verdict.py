"""What was found, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from amorphace.learn.bundle import Analysis
from amorphace.learn.points import order_ends
from amorphace.learn.selection import twins
from amorphace.learn.splits import half_width
from amorphace.report.content import ReportContent
from amorphace.report.readings.accuracies import accuracy_of, gains
from amorphace.report.readings.found import correlation, percent, plus_minus, points
from amorphace.report.words import CLASSIFIERS, body_name, scope_name, target_name


def headline(a: Analysis | None) -> tuple[str, str] | None:
    """The accuracy of the model that is kept, chosen inside each fold, and what it is.

    Without a model, of all radial features.
    """
    if a is None:
        return None
    curve, kept = accuracy_of(a), next(iter(a.curves("model")), None)
    if kept is not None:
        what, scores = "of a model chosen without them", kept.values[0]
    else:
        end = order_ends(a.columns).get(1, 0)
        what = f"with {end} features" + (f" at cutoff {curve.cutoff:g} σ" if curve else "")
        scores = None if curve is None else curve.at(end)
    said = (
        f"accuracy on samples never seen {what}, of telling the {a.n_active} active from the "
        f"{a.n_inactive} inactive particles, the extremes; 50 % is chance"
    )
    return None if scores is None else (percent(scores), said)


def verdict(content: ReportContent) -> tuple[str, ...]:
    """Sentences with the key numbers; () without an analysis."""
    a = content.analysis
    if a is None:
        return ()
    parts = (_everyone, _events, _radial, _selection, _classifiers, _random_folds, _correlation)
    return tuple(sentence for part in parts for sentence in part(a))


def _everyone(a: Analysis) -> Iterator[str]:
    for c in a.curves("everyone"):
        for p, target in enumerate(c.labels):
            yield (
                "Over all scored particles of samples left out, not the extremes alone, the score "
                f"correlates with {target_name(target, False)}: Spearman "
                f"{plus_minus(c['spearman'][p], 2)}, Pearson {plus_minus(c['pearson'][p], 2)}."
            )


def _events(a: Analysis) -> Iterator[str]:
    for c in a.curves("events"):
        n = f"{np.nansum(c['n_events'][0]):.0f} localised events of samples left out"
        yield (
            f"Before {n}, the core ranks among all particles with C = 2 AUC − 1 = "
            f"{plus_minus(c['core'][0], 2)}, 0 being chance; average precision of the active "
            f"particles is {plus_minus(c['average_precision'][0], 3)}, by chance "
            f"{np.nanmean(c['share'][0]):.3f}."
        )
        if len(c.x) > 1:
            yield (
                f"From configurations {100 * c.x[-1]:g} % of strain before the event, C is "
                f"{plus_minus(c['core'][-1], 2)}."
            )


def _radial(a: Analysis) -> Iterator[str]:
    curve = accuracy_of(a)
    radial = None if curve is None else curve.at(order_ends(a.columns).get(1, 0))
    if curve is None or radial is None:
        return
    more = []
    for n, gain in gains(a, curve).items():
        clear = "" if abs(gain.mean()) > half_width(gain) else ", not more than the error"
        more.append(f"features up to {body_name(n)} change it by {points(gain)}{clear}")
    end = order_ends(a.columns)[1]
    yield "; ".join([f"The {end} two-body features alone reach {percent(radial)}", *more]) + "."


def _selection(a: Analysis) -> Iterator[str]:
    for c in a.curves("selection"):
        alone = a.curve("single_columns", c.variant)
        others = [name for name in twins(alone) if name != c.labels[0]] if alone else []
        close = f" ({', '.join(others[:3])} alone would do as well)" if others else ""
        yield (
            f"Among {scope_name(c.variant)}, forward selection first picks "
            f"{' and then '.join(c.labels[:2])}{close}; the first alone reaches "
            f"{percent(c.values[0])}."
        )


def _classifiers(a: Analysis) -> Iterator[str]:
    means: dict[float, list[float]] = {}
    for c in a.curves("classifiers"):
        for n, mean in zip(c.x.tolist(), c.mean, strict=True):
            means.setdefault(n, []).append(float(mean))
    apart = [abs(both[0] - both[1]) for both in means.values() if len(both) == len(CLASSIFIERS)]
    if apart:
        names = " and a ".join(CLASSIFIERS.values())
        yield f"A {names} differ by at most {100 * max(apart):.1f} points."


def _random_folds(a: Analysis) -> Iterator[str]:
    whole, mixed = accuracy_of(a), a.curve("accuracy", "random")
    shared = [n for n in whole.x if mixed.at(n) is not None] if whole and mixed else []
    if whole and mixed and shared:
        scores = [c.at(shared[-1]) for c in (mixed, whole)]
        said = [percent(s) for s in scores if s is not None]
        yield (
            f"Folds that mix the sites of all samples would say {said[0]} instead of {said[1]} "
            f"with {shared[-1]} features."
        )


def _correlation(a: Analysis) -> Iterator[str]:
    for c in a.curves("ard"):
        if c.cutoff == a.cutoff and not np.isnan(c.values[-1]).all():
            log = c.variant.startswith("log ")
            target = target_name(c.variant.removeprefix("log "), log)
            yield (
                f"Bayesian ARD regression of {target}, on the same particles, reaches a Pearson "
                f"correlation of {correlation(c)} with all {c.x[-1]} features."
            )


def classifier_rows(a: Analysis) -> tuple[tuple[str, ...], ...]:
    """Lines of the table of classifiers: name, features, accuracy, balanced accuracy, ROC-AUC."""
    return tuple(
        (
            CLASSIFIERS[c.variant],
            str(n),
            percent(c["accuracy"][p]),
            percent(c["balanced_accuracy"][p]),
            plus_minus(c["roc_auc"][p], 3),
        )
        for c in a.curves("classifiers")
        for p, n in enumerate(c.x)
    )
