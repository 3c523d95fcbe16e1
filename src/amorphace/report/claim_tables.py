"""Tables of the paper's claims: of one case, and of several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from amorphace.report.claims import CITATION, Statement, comparisons
from amorphace.report.content import ReportContent
from amorphace.report.numbers import Numbers
from amorphace.report.outline import Table
from amorphace.report.readings.found import SURE

TITLE = "The paper's claims, one by one"

INTERVAL = "with the half-width of its 68 % interval"

DECIDED = (
    "A claim holds where the interval that contains what is tested with a probability of "
    f"{100 * SURE:.0f} % lies in the range that the claim needs, does not hold where it lies "
    "outside, and cannot be told else"
)

Found = Iterable[tuple[ReportContent, Sequence[Statement]]]


def claims_of_case(content: ReportContent) -> Iterator[Table]:
    """What the paper says of a case, what is found, whether that holds and why."""
    found = comparisons(content)
    if found:
        yield Table(
            title=TITLE,
            head=("quantity", "paper", "here", "holds", "the test, or what it needs", "source"),
            rows=tuple(
                (s.quantity, s.paper, f"{s.ours} {s.aside}", s.answer, _why(s), _source(s))
                for s in found
            ),
            words=6,
            note=f"{CITATION}. Its sets, temperatures and sample counts differ from these; its "
            f"folds may mix sites of one sample. Ours are means {INTERVAL}. {DECIDED}.",
            name="paper",
            numbers=claim_numbers([(content, found)]),
        )


def claims_of_cases(found: Found) -> Iterator[Table]:
    """Which claims hold in which case: a line for each, a column for each case."""
    found = tuple(found)
    titles = [c.title for c, own in found if own]
    answers: dict[tuple[str, str], dict[str, str]] = {}
    for c, own in found:
        for s in own:
            if s.answer:
                said = answers.setdefault((s.quantity, s.place), {})
                said[c.title] = f"{s.answer} ({s.paper})"
    if answers:
        yield Table(
            title=TITLE,
            head=("quantity", "source", *titles),
            rows=tuple(
                (*key, *(said.get(title, "–") for title in titles)) for key, said in answers.items()
            ),
            words=2 + len(titles),
            note="Whether that holds here which the paper says, in brackets; a dash where it says "
            f"nothing. {DECIDED}. Numbers and tests are on the page of each case.",
            name="claims",
            numbers=claim_numbers(found),
        )


def claim_numbers(found: Found) -> Numbers:
    """All statements of some cases, a line each."""
    fields = "quantity paper ours aside mean error cutoff answer test low high decides place says"
    return Numbers.of(
        f"case {fields}",
        ((c.title, *(getattr(s, f) for f in fields.split())) for c, own in found for s in own),
    )


def _why(s: Statement) -> str:
    """The test and the interval, and what would settle the claim where these do not."""
    if not s.test:
        return ""
    if s.low is None or s.high is None or np.isnan(s.low):
        return f"needs {s.decides}"
    scale = 100 if "\u00a0" in s.test else 1  # of percentages and points
    ends = " to ".join(f"{scale * end:.3g}".replace("-", "−") for end in sorted({s.low, s.high}))
    more = f"; needs {s.decides}" if s.answer == "cannot tell" else ""
    return f"{s.test}: {ends}{more}"


def _source(s: Statement) -> str:
    return f"{s.place}: “{s.says}”" if s.says else s.place
