"""Damaged files of every format are read or refused in a sentence: no traceback, hang or bomb."""

from __future__ import annotations

from collections import Counter

import pytest

from fuzz_formats import FORMATS
from fuzzing import Case, fuzz

SHORT, LONG = 200, 10_000
"""Cases of all formats together, at least."""


def numbers(first: int, total: int) -> range:
    """Cases of each format, from the case `first`."""
    return range(first, first + -(-total // len(FORMATS)))


def check(cases: list[Case]) -> None:
    counts = Counter((case.format, case.outcome) for case in cases)
    kinds = ["read", "refused", *sorted({o for _, o in counts} - {"read", "refused"})]
    print("\n" + " | ".join(["format", *kinds]))
    for name in sorted({case.format for case in cases}):
        print(" | ".join([name, *(str(counts[name, kind]) for kind in kinds)]))
    failures = [case for case in cases if case.outcome not in ("read", "refused")]
    for case in failures:
        print(f"{case.format} {case.number}: {case.outcome}: {case.text}")
    assert not failures
    assert all(counts[name, "refused"] for name in FORMATS)


def test_a_damaged_file_is_read_or_refused_in_a_sentence() -> None:
    check(fuzz(FORMATS, numbers(0, SHORT)))


@pytest.mark.slow
def test_ten_thousand_damaged_files_are_read_or_refused_in_a_sentence() -> None:
    check(fuzz(FORMATS, numbers(SHORT, LONG)))
