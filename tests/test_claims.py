"""The paper's claims: yes, no, or cannot tell, decided by intervals."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from amorphace.learn.bundle import Analysis
from amorphace.learn.intervals import half_width_apart, share_interval
from amorphace.learn.results import Curve
from amorphace.learn.splits import half_width
from amorphace.report.claim_tables import claims_of_case, claims_of_cases
from amorphace.report.claims import CASES, Statement, comparisons, decided, stated
from amorphace.report.content import ReportContent
from amorphace.report.readings import READINGS

from report_samples import analysis, but, curve

SPREAD = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])
FIRM, LOOSE = 0.02, 3.0
"""Factors of the spread with which a gain of two points is far from zero, and lost in it."""


def content(a: Analysis | None, model: str = "kob-andersen", **fields) -> ReportContent:
    given = {"title": model, "model": model, "protocol": "thermal", "analysis": a}
    return ReportContent(**(given | fields))


def answer(reading: str, c: ReportContent) -> str:
    (found,) = (s for s in comparisons(c) if s.reading == reading)
    return found.answer


def steps(values: dict[int, float], scale: float, **fields) -> Curve:
    """Accuracies that differ from fold to fold; differences of them do too."""
    tilt = scale * SPREAD
    rows = [value + (k % 2) * tilt for k, value in enumerate(values.values())]
    given = {"name": "accuracy", "variant": "grouped", "cutoff": 4.0} | fields
    return curve(x=list(values), scores={"accuracy": np.array(rows)}, **given)


def test_an_interval_inside_a_range_is_yes_outside_no_and_else_cannot_tell() -> None:
    assert decided((0.01, 0.03), (-np.inf, 0.04)) == "yes"
    assert decided((0.05, 0.07), (-np.inf, 0.04)) == "no"
    assert decided((0.03, 0.07), (-np.inf, 0.04)) == "cannot tell"
    assert decided((np.nan, np.nan), (-np.inf, 0.04)) == "cannot tell"


@pytest.mark.parametrize(
    ("reading", "low", "high"),
    [("beyond radial", "yes", "no"), ("radial", "no", "no"), ("four-body", "", "")],
)
def test_what_higher_body_orders_add_decides(reading: str, low: str, high: str) -> None:
    def said(gain: float, scale: float) -> str:
        made = steps({20: 0.7, 174: 0.7 + gain, 574: 0.7 + gain}, scale)
        return answer(reading, content(but(analysis(), "accuracy", made)))

    assert said(0.0, FIRM) == low
    assert said(0.1, FIRM) == high
    if reading == "beyond radial":
        assert said(0.02, LOOSE) == "cannot tell"


def test_the_polymer_needs_what_mixtures_do_not() -> None:
    made = but(analysis(), "accuracy", steps({20: 0.8, 174: 0.85, 574: 0.85}, FIRM))
    assert answer("beyond radial", content(made)) == "no"
    assert answer("beyond radial", content(made, "bead-spring")) == "yes"


def test_few_features_are_judged_where_they_were_not_picked() -> None:
    def said(few: float, scale: float) -> str:
        whole = steps({1: 0.6, 20: 0.9}, scale)
        picked = steps({2: 0.8, 5: few}, 0.0, name="nested_selection", variant="order 1")
        a = but(but(analysis(), "accuracy", whole), "nested_selection", picked)
        return answer("few", content(a))

    assert said(0.9, FIRM) == "yes"
    assert said(0.8, FIRM) == "no"
    assert said(0.88, LOOSE) == "cannot tell"


def test_cutoffs_decide_where_the_accuracy_saturates() -> None:
    def said(gain: float, scale: float, protocol: str) -> str:
        made = [
            steps({1: 0.6, 20: 0.7}, 0.0, cutoff=3.0),
            steps({1: 0.6, 20: 0.7 + gain}, scale, cutoff=4.0),
        ]
        return answer("saturation", content(but(analysis(), "accuracy", *made), protocol=protocol))

    assert said(0.03, FIRM, "thermal") == "yes"
    assert said(0.03, FIRM, "shear") == "no"
    assert said(0.0, FIRM, "thermal") == "no"
    assert said(0.0, FIRM, "shear") == "yes"
    assert said(0.01, LOOSE, "thermal") == said(0.01, LOOSE, "shear") == "cannot tell"


def test_picks_hold_where_most_bootstrap_runs_make_them() -> None:
    def said(n: int) -> str:
        place = np.full((2, 20), np.nan)
        place[0], place[1, :n] = 1, 2
        runs = curve("stability", [11, 1], {"place": place}, labels=("B1", "A1"), folds=(),
                     variant="order 1")  # fmt: skip
        return answer("picks", content(but(analysis(), "stability", runs)))

    assert [said(n) for n in (20, 11, 2)] == ["yes", "cannot tell", "no"]
    assert answer("picks", content(but(analysis(), "stability"))) == "cannot tell"
    pair = curve("selection", [1, 2], {"accuracy": [0.7, 0.9]}, labels=("A2", "B3"),
                 variant="order 1, pairs first", folds=())  # fmt: skip
    both = but(analysis(), "selection", analysis().curves("selection")[0], pair)
    (found,) = (s for s in comparisons(content(both)) if s.reading == "picks")
    assert found.ours == "B1, A1; as a pair A2, B3"


def test_components_are_no_better_where_neither_raw_nor_standardised_ones_are() -> None:
    def said(gain: float, scale: float, model: str = "kob-andersen") -> str:
        whole = steps(dict.fromkeys((5, 10, 20), 0.8), 0.0)
        turned = [
            curve("pca", [5, 10, 20], {"accuracy": np.tile(0.8 + more + scale * SPREAD, (3, 1))},
                  variant=variant)
            for variant, more in (("standardised", -0.1), ("raw", gain))
        ]  # fmt: skip
        a = but(but(analysis(), "accuracy", whole), "pca", *turned)
        return answer("pca", content(a, model))

    assert said(0.0, FIRM) == "yes"
    assert said(0.05, FIRM) == "no"
    assert said(0.05, FIRM, "bead-spring") == "yes"
    assert said(0.01, LOOSE) == said(0.01, LOOSE, "bead-spring") == "cannot tell"


def test_two_cases_decide_whether_shear_is_harder() -> None:
    def of(value: float, scale: float) -> Analysis:
        curves = [steps({1: value, 20: value}, scale, cutoff=c) for c in (2.0, 3.0, 4.0)]
        return but(analysis(), "accuracy", *curves)

    def said(thermal: float, scale: float) -> str:
        sheared = content(of(0.7, scale), protocol="shear")
        assert answer("lower", sheared) == "cannot tell"  # alone
        both = replace(sheared, companion=of(thermal, scale), companion_protocol="thermal")
        return answer("lower", both)

    assert [said(v, FIRM) for v in (0.9, 0.6)] == ["yes", "no"]
    assert said(0.71, LOOSE) == "cannot tell"


def test_other_degree_weights_are_similar_where_all_of_them_are_at_all_orders() -> None:
    made = but(analysis(), "accuracy", steps({20: 0.7, 174: 0.8}, FIRM))

    def said(*gains: float) -> str:
        rows = [[0.7, 0.8 + gain] for gain in gains]
        other = [
            curve("choice", [1, 2], {"accuracy": np.array(row)[:, None] + FIRM * SPREAD},
                  variant=f"degree weight {k}")
            for k, row in enumerate(rows)
        ]  # fmt: skip
        return answer("weight", content(made, curves=tuple(other)))

    assert said(0.001, -0.002) == "yes"
    assert said(0.001, 0.03) == said() == "cannot tell"
    assert said(0.03, 0.04) == "no"


def test_single_runs_are_the_reason_where_they_lose_most_of_the_difference() -> None:
    def said(single: float, scale: float = FIRM) -> str:
        curves = [steps({1: v, 20: v}, scale, cutoff=c) for v, c in ((0.7, 3.0), (0.9, 4.0))]
        sheared, thermal = (but(analysis(), "accuracy", c) for c in curves)
        alone = content(sheared, protocol="shear", companion=thermal, companion_protocol="thermal")
        assert answer("single runs", alone) == "cannot tell"
        scores = {"accuracy": single + scale * SPREAD[None]}
        one = curve("choice", [1], scores, variant="single runs")
        return answer("single runs", replace(alone, curves=(one,)))

    assert [said(v) for v in (0.72, 0.88)] == ["yes", "no"]
    assert said(0.79, LOOSE) == "cannot tell"


def test_glasses_are_compared_where_both_are_there() -> None:
    polymer = but(analysis(), "accuracy", steps({1: 0.6, 20: 0.8}, FIRM))
    mixture = but(analysis(), "accuracy", steps({1: 0.6, 20: 0.97}, FIRM))
    cases = [content(polymer, "bead-spring"), content(mixture, "wahnstrom")]
    (found,) = (s for s in comparisons(cases[0], cases) if s.reading == "glasses")
    assert found.answer == "yes"
    (table,) = claims_of_cases([(c, comparisons(c, cases)) for c in cases])
    assert table.head[2:] == ("bead-spring", "wahnstrom")
    (row,) = (row for row in table.rows if "Wahnström less polymer" in row[0])
    assert row[2:] == ("yes (substantial)",) * 2
    assert answer("glasses", cases[0]) == "cannot tell"  # alone


def test_correlations_and_numbers_are_read_off_to_what_the_paper_prints() -> None:
    for values, said in (
        ([0.94, 0.95, 0.96], "yes"),
        ([0.84, 0.85, 0.86], "no"),
        ([0.8, 0.95, 0.99], "cannot tell"),
    ):
        assert answer("correlation", content(analysis(), correlations=tuple(values))) == said


def test_every_claim_has_a_rule_a_test_and_what_would_decide() -> None:
    claims: list[Statement] = [s for case in CASES for s in stated(*case)]
    assert {s.reading for s in claims} == set(READINGS)
    for s in claims:
        assert (s.paper == "in the figure only") is (s.holds is None), s
        if s.holds:
            assert s.holds[0] < s.holds[1]
            assert s.test
            assert s.decides
            assert s.answer == "cannot tell"  # of what is not measured
    decided_in = {s.reading for s in claims if s.holds}
    assert decided_in == set(READINGS) - {"four-body"}


def test_the_quotations_are_the_papers_own_words(shared) -> None:
    (paper,) = (shared / "paper").glob("*.txt")
    said = " ".join(re.sub(r"<sup>.*?</sup>", "", paper.read_text(encoding="utf-8")).split())
    for case in CASES:
        for s in stated(*case):
            assert s.says in said, s.says


def test_the_table_of_a_case_says_why() -> None:
    made = but(analysis(), "accuracy", steps({20: 0.7, 174: 0.7, 574: 0.7}, FIRM))
    (table,) = claims_of_case(content(made))
    rows = {row[0]: row for row in table.rows}
    row = rows["gain over all radial features"]
    assert row[3] == "yes"
    assert "what three-body features add is less than 2\u00a0points: −0.0" in row[4]
    tests = {s.reading: s.test for s in stated("kob-andersen", "thermal")}
    assert tests["saturation"].endswith("within 3 σ is more than 1\u00a0point")
    assert rows["other degree weights of l than 1.5"][4].startswith(
        "needs features of other degree"
    )
    assert table.numbers is not None
    assert len(table.numbers.rows) == len(stated("kob-andersen", "thermal"))


def test_an_unpaired_difference_has_the_error_of_both() -> None:
    one, other = [0.8, 0.9, 0.7, 0.8], [0.5, 0.6, 0.55]
    wide = half_width_apart(one, other)
    assert max(half_width(one), half_width(other)) < wide < half_width(one) + half_width(other)
    assert np.isnan(half_width_apart([0.5], other))
    rng, held = np.random.default_rng(0), []
    for _ in range(1000):
        a, b = rng.normal(0, 1, 4), rng.normal(0, 3, 6)
        held.append(abs(a.mean() - b.mean()) < half_width_apart(a, b, 0.9))
    assert 0.88 < np.mean(held) < 0.93  # of 1000 draws the error is 0.01


def test_a_share_of_all_draws_may_be_less_than_one() -> None:
    low, high = share_interval(20, 20, 0.9)
    assert (0.85 < low < 0.9, high) == (True, 1.0)
    assert share_interval(0, 20, 0.9) == pytest.approx((1 - high, 1 - low), abs=1e-12)
