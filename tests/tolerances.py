"""Every tolerance of the tests, with its reason."""

GOLDEN = 1e-9  # of a column's scale: reference values of an independent program
INVARIANCE = 1e-11  # of a column's scale: rounding of some thousand terms
BRUTE_FORCE = 1e-10  # of a column's scale: cancellation in the purified sums
EXACT = 1e-13  # coefficients of order one

FAINT = 1e-2  # one neighbour contributes of order one, to terms that may cancel


def column_error(X, reference):
    """Largest difference over the scale (largest magnitude) of each column of the reference.

    A column that vanishes by symmetry, or holds only neighbours beside the cutoff, is measured by
    the largest column or by FAINT.
    """
    scale = abs(reference).max(axis=0)
    scale[scale <= 1e-9 * scale.max()] = scale.max()
    return (abs(X - reference).max(axis=0) / scale.clip(FAINT)).max()


KERNEL = {"float64": 1e-11, "float32": 1e-4}  # of a column's scale: the order of sums differs
