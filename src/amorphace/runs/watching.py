"""Looking for what other programs do, with few calls to the file system.

A program that waits for others looks at one folder, whose entries are the units that are begun;
a unit that it lacks is finished or failed. Whether the owners of the rest live it asks a few at a
time. All programs of a store together make about `CALLS` calls a second, however many they are:
a unit elsewhere stands for a program at most, so that looks become rarer with the number of units.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from amorphace.runs.claims import Claims
from amorphace.runs.store import Store

LOOK = 1.0
"""Least seconds between two looks."""
RARE = 30.0
"""Most seconds between two looks."""
CALLS = 100.0
"""Calls a second that all programs of a store together make, about."""
LISTING = 2
"""Calls of a listing."""
OWNER = 5
"""Calls for the owner of a unit: its claims, the claim, and the clock of the file system."""


class Watch:
    """When and where a program looks."""

    def __init__(self, store: Store, claims: Claims) -> None:
        self._store, self._claims = store, claims
        self._next = 0.0

    def look(self, elsewhere: AbstractSet[str]) -> Iterator[str]:
        """Units of those elsewhere that nobody does any more, if it is time for a look."""
        if not elsewhere:
            self._next = 0.0
            return
        if not self._next:
            self._next = time.monotonic() + random.uniform(0.5, 1.0) * LOOK
        if time.monotonic() < self._next:
            return
        count = len(elsewhere)
        wait = min(max(LOOK, count * (LISTING + OWNER) / CALLS), RARE)
        self._next = time.monotonic() + wait * random.uniform(0.75, 1.25)
        begun = set(self._store.scratch.begun())
        yield from sorted(elsewhere - begun)
        rest = sorted(elsewhere & begun)
        some = max(1, int((wait * CALLS / count - LISTING) / OWNER))
        for unit in random.sample(rest, min(some, len(rest))):
            if self._claims.free(unit):
                yield unit
