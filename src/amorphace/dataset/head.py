"""What a table says of itself: its attributes, with a digest that tells a changed one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amorphace.core.codec import decode, encode
from amorphace.core.digest import digest_of
from amorphace.core.errors import FileFormatError
from amorphace.core.records import read_json
from amorphace.dataset.arrays import AGAIN

FORMAT = "amorphace table"
FORMAT_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class TableHead:
    """The attributes of a table.

    Attributes
    ----------
    sample_names, species_names, target_names : tuple of str
    cutoffs : tuple of float
    column_names : tuple of str, optional
        None without features.
    provenance : mapping
    arrays : mapping of str to str, optional
        SHA-256 of the zarr.json of every array; None in format version 1.
    blocks : mapping of str to str, optional
        SHA-256 of the checksums of every array's blocks, in their order; not in all tables.
    """

    sample_names: tuple[str, ...]
    species_names: tuple[str, ...]
    target_names: tuple[str, ...]
    cutoffs: tuple[float, ...]
    column_names: tuple[str, ...] | None
    provenance: Mapping[str, Any]
    arrays: Mapping[str, str] | None = None
    blocks: Mapping[str, str] | None = None

    def attributes(self) -> dict[str, Any]:
        """As JSON values, with their digest."""
        found = {"format": FORMAT, "format_version": FORMAT_VERSION} | encode(self)
        return found | {"digest": digest_of(found)}


def read_head(path: str | Path) -> TableHead:
    """The attributes of a table, as they were written.

    Raises
    ------
    FileFormatError
        If there is no table, or its attributes have another digest than when they were written.
    """
    place = Path(path)
    if not place.exists():
        raise FileFormatError(path, "no such table; check the name, or make it with 'label'")
    if not (place / "zarr.json").is_file():
        raise FileFormatError(path, "not a table: a Zarr v3 group holds a file zarr.json")
    found = read_json(place / "zarr.json", again=AGAIN)
    attributes = found.get("attributes") if isinstance(found, dict) else None
    if not isinstance(attributes, dict) or attributes.get("format") != FORMAT:
        raise FileFormatError(path, f"no Zarr group with the format {FORMAT!r}")
    version = attributes.get("format_version")
    if version not in (1, FORMAT_VERSION):
        raise FileFormatError(
            path, f"a table of format version {version}; this program reads versions 1 and 2"
        )
    if version != 1 and attributes.pop("digest", None) != digest_of(attributes):
        raise FileFormatError(
            place / "zarr.json",
            f"the attributes are not as they were written, their digest differs; {AGAIN}",
        )
    told = {k: v for k, v in attributes.items() if k not in ("format", "format_version")}
    head = decode(TableHead, told, source=place / "zarr.json", again=AGAIN)
    if (head.arrays is None) != (version == 1):
        raise FileFormatError(
            place / "zarr.json", f"format version {version}, but not its digests; {AGAIN}"
        )
    return head
