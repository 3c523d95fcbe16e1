"""Every tolerance of the tests, with its reason."""

import numpy as np

GOLDEN = 1e-9  # of a column's scale: reference values of an independent program
INVARIANCE = 1e-11  # of a column's scale: rounding of some thousand terms
BRUTE_FORCE = 1e-10  # of a column's scale: cancellation in the purified sums
EXACT = 1e-13  # coefficients of order one

FAINT = 1e-5  # one neighbour contributes of order one; below, rounding of positions decides


def column_error(X, reference, terms=None):
    """Largest difference over the scale (largest magnitude) of each column of the reference.

    The scale of a sum whose terms cancel is that of its `terms`: for purified features, the
    unpurified ones. A column that vanishes by symmetry, or holds only neighbours beside the
    cutoff, is measured by the largest column or by FAINT.
    """
    scale = abs(reference).max(axis=0)
    if terms is not None:
        scale = np.maximum(scale, abs(terms).max(axis=0))
    scale[scale <= 1e-9 * scale.max()] = scale.max()
    return (abs(X - reference).max(axis=0) / scale.clip(FAINT)).max()


KERNEL = {"float64": 1e-11, "float32": 1e-4}  # of a column's scale: the order of sums differs
