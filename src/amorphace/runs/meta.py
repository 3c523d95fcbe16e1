"""What is kept of a finished unit beside its files: meta.json, which vouches for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amorphace.core.codec import decode, encode
from amorphace.core.digest import digest_of
from amorphace.core.errors import FileFormatError
from amorphace.core.records import read_json, write_json
from amorphace.runs.unit import Outcome, Unit, unit_id

META = "meta.json"
AGAIN = "run the experiment again"


@dataclass(frozen=True)
class Written:
    """Bytes and digest of a file or folder of a unit, as it was written."""

    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Meta:
    """What is known of a finished unit: its own fields, and those of its `Outcome`, as JSON."""

    kind: str
    revision: int
    name: str
    parameters: Any
    limits: tuple[str, ...]
    """See `Kind.limits`."""
    inputs: Mapping[str, tuple[str, ...]]
    dropped: str
    attempts: tuple[str, ...]
    health: tuple[Mapping[str, Any], ...]
    results: Any
    programs: Mapping[str, str]
    """Versions of what made it."""
    settings: Any
    """See `Job`."""
    seconds: float
    """How long it took."""
    files: Mapping[str, Written]
    """What lies beside meta.json."""

    @property
    def id(self) -> str:
        """The name of the unit, from what determines it."""
        return unit_id(self.kind, self.revision, self.parameters, self.limits, self.inputs)


def read_meta(folder: Path) -> Meta:
    """What is known of the unit in a folder.

    Raises
    ------
    FileFormatError
        If its meta.json cannot be read, was changed, or belongs to another unit.
    """
    file = folder / META
    found = read_json(file, again=AGAIN)
    digest = found.pop("digest", None) if isinstance(found, dict) else None
    meta = decode(Meta, found, source=file)
    if digest != digest_of(found):
        raise FileFormatError(file, f"it was changed; {AGAIN}")
    if meta.id != folder.name:
        raise FileFormatError(file, f"it describes {meta.id}, not {folder.name}; {AGAIN}")
    return meta


def write_meta(folder: Path, meta: Meta) -> None:
    """Write what is known of the unit in a folder, with a digest of it."""
    value = encode(meta)
    write_json(folder / META, value | {"digest": digest_of(value)})


def outcome_of(unit: Unit[Any, Any], meta: Meta) -> Outcome:
    """The outcome of a unit, its results of the type that its kind declares.

    A dropped unit has none.
    """
    source = f"{unit.kind.name} of {unit.name}"
    kind = Any if meta.dropped and meta.results == {} else unit.kind.results
    results = decode(kind, meta.results, source=source)
    return Outcome(
        results=results, health=meta.health, dropped=meta.dropped, attempts=meta.attempts
    )


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    return path.stat().st_size
