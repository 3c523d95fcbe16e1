"""The checks that scikit-learn makes of estimators, on the descriptor."""

from __future__ import annotations

from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from amorphace import ACEDescriptor

MATRIX = "it transforms the sites of configurations, and refuses a matrix"

CANNOT_APPLY = {
    "check_dict_unchanged": MATRIX,
    "check_estimator_sparse_tag": "fit learns nothing and does not look at its data",
    "check_estimators_dtypes": MATRIX,
    "check_estimators_pickle": MATRIX,
    "check_f_contiguous_array_estimator": MATRIX,
    "check_fit_idempotent": MATRIX,
    "check_fit_score_takes_y": MATRIX,
    "check_methods_sample_order_invariance": MATRIX,
    "check_methods_subset_invariance": MATRIX,
    "check_pipeline_consistency": MATRIX,
    "check_transformer_general": MATRIX,
    "check_transformer_preserve_dtypes": MATRIX,
    "check_transformers_unfitted_stateless": MATRIX,
}
"""Checks, by name, that no descriptor of sites can pass, and why."""


@parametrize_with_checks(
    [ACEDescriptor(cutoff=2.0, max_order=2, max_degree=4, n_max=3)],
    expected_failed_checks=lambda _: CANNOT_APPLY,
)
def test_descriptor_is_an_estimator_of_scikit_learn(estimator: ACEDescriptor, check: Any) -> None:
    check(estimator)
