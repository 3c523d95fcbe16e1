"""What an analysis comes to, in a sentence or two."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from amorphace.learn.bundle import Analysis
from amorphace.learn.splits import half_width


def conclusions(analysis: Analysis) -> Iterator[str]:
    """Accuracy of the model that is saved, on samples left out; correlations, where known."""
    chosen, model = next(iter(analysis.curves("model")), None), analysis.model
    if chosen is not None and model is not None:
        auc = chosen["roc_auc"][0]
        yield (
            f"Accuracy {chosen.mean[0]:.3f} ± {chosen.error[0]:.3f} on samples left out, with "
            f"{len(model.names)} features at cutoff {model.settings['cutoff']:g}: AUC "
            f"{auc.mean():.3f}, 0.5 is chance; {analysis.n_active + analysis.n_inactive} labelled "
            f"particles, the most and the least mobile of {analysis.n_samples} "
            f"{'blocks' if 'blocks' in analysis.provenance else 'samples'}."
        )
    for curve in analysis.curves("everyone"):
        for k, name in enumerate(curve.labels):
            pearson = curve["pearson"][k]
            yield (
                f"Over all particles of samples left out, the score correlates with {name}: "
                f"Spearman {curve.mean[k]:.3f} ± {curve.error[k]:.3f}, Pearson "
                f"{pearson.mean():.3f} ± {half_width(pearson):.3f}."
            )
    for curve in analysis.curves("events"):
        precision, share, mcc = (
            np.nanmean(curve[k][0]) for k in ("average_precision", "share", "mcc")
        )
        yield (
            f"Of {np.nansum(curve['n_events'][0]):.0f} localised events of samples left out, the "
            f"core ranks among all particles just before with C = 2 AUC - 1 = {curve.mean[0]:.3f} "
            f"± {curve.error[0]:.3f} (0 is chance), average precision {precision:.3f} (chance: "
            f"{share:.3f}), MCC {mcc:.3f}; {100 * curve.x[-1]:g} % of strain before, C = "
            f"{curve.mean[-1]:.3f} ± {curve.error[-1]:.3f}."
        )
