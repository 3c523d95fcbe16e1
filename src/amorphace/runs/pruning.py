"""What a store holds that no experiment needs: found first, removed when asked for."""

from __future__ import annotations

import shutil
import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from amorphace.runs.claims import Claims
from amorphace.runs.meta import size_of
from amorphace.runs.scratch import entries
from amorphace.runs.store import Store, half_written_by_the_dead

OLD = 86_400.0
"""Seconds after which a half-written unit of another machine counts as left over."""


@dataclass(frozen=True)
class Leftover:
    """Something that may be removed from a store, and why."""

    path: Path
    why: str
    size: int
    """Bytes."""


def find_leftovers(store: Store, needed: AbstractSet[str]) -> tuple[Leftover, ...]:
    """What the store holds beside sound units of those `needed`; nothing is changed."""
    found: list[tuple[Path, str]] = []
    for unit in sorted(store.finished()):
        if unit not in needed:
            found.append((store.folder(unit), "not needed"))
        elif not store.sound(unit):
            found.append((store.folder(unit), "damaged"))
    claims = Claims(store)
    for unit in sorted(store.scratch.begun()):
        if (unit not in needed or store.has(unit)) and claims.free(unit):
            found.append((store.scratch.folder(unit), "unfinished and not needed"))
    for entry in entries(store.path / "failed"):
        if entry.name.removesuffix(".json") not in needed:
            found.append((Path(entry.path), "old failure"))
    for entry in entries(store.path / "tmp"):
        old = time.time() - entry.stat(follow_symlinks=False).st_mtime > OLD
        if half_written_by_the_dead(entry.name) or old:
            found.append((Path(entry.path), "half written"))
    return tuple(Leftover(path, why, size_of(path)) for path, why in found)


def remove(store: Store, leftovers: tuple[Leftover, ...]) -> None:
    """Remove them; a unit goes in one step, so that nobody finds half of it."""
    units = store.path / "units"
    for left in leftovers:
        if left.path.is_relative_to(units):
            store.set_aside(left.path.name)
        elif left.path.is_dir() and not left.path.is_symlink():
            shutil.rmtree(left.path, ignore_errors=True)
        else:
            left.path.unlink(missing_ok=True)
