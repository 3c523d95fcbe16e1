"""`describe --store`: a user's own files described in chunks, by any number of processes."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amorphace.cli.carrying import Means, carry, duration
from amorphace.cli.shared import show
from amorphace.core.errors import InputError

if TYPE_CHECKING:
    from amorphace.ace.descriptor import ACEDescriptor
    from amorphace.campaign.store import Store
    from amorphace.campaign.trajectory import Description


def describe_in_store(
    output: Path,
    files: Sequence[Path],
    names: Sequence[str],
    descriptors: Sequence[ACEDescriptor],
    *,
    store_path: Path,
    means: Means,
    labels: Path | None,
    centres: Sequence[str] | None,
    chunks: int,
    overwrite: bool,
) -> None:
    """Carry the chunks out that are not in the store yet; then the table appears at `output`.

    Raises
    ------
    InputError
        If a file is missing, or something that may not be replaced is at `output`.
    """
    from amorphace.campaign.status import find_status
    from amorphace.campaign.store import Store
    from amorphace.campaign.trajectory import plan_description

    if not output.resolve().parent.is_dir():
        raise InputError(f"{output}: the folder {output.resolve().parent} does not exist")
    store = Store(store_path)
    plan = plan_description(
        store, files, names, descriptors, labels=labels, centres=centres, chunks=chunks
    )
    if not _is_there(output, store, plan):
        _check_free(output, overwrite)
    store.register(_key(output, store), plan.by_id())
    left = find_status(plan, store).seconds_left
    show(f"{len(plan.units)} units in {store.path}, about {duration(left)} of one core to go")
    store.log(f"describe {output.name}: {len(plan.units)} units")
    begin = time.monotonic()
    if not carry(plan, store, means):
        return
    store.log(f"done in {duration(time.monotonic() - begin)}")
    _write_once(output, store, plan, overwrite)
    found = store.meta(plan.table.id)["results"]
    cutoffs = ", ".join(f"{d.cutoff:g}" for d in descriptors)
    show(f"{output}: {found['n_sites']} sites, {found['n_columns']} columns at cutoffs {cutoffs}")


def _write_once(output: Path, store: Store, plan: Description, overwrite: bool) -> None:
    """Copy the table out of the store, by one of several programs that end together.

    A copy, since what is done to it later must not reach the store.
    """
    from amorphace.campaign.claims import Claims
    from amorphace.core.files import written_aside

    with Claims(store) as claims:
        if _is_there(output, store, plan):
            return
        if not claims.take(f"output-{_key(output, store)}"):
            show(f"another program writes {output}")
            return
        if _is_there(output, store, plan):
            return
        _check_free(output, overwrite)
        with written_aside(output, folder=True) as partial:
            shutil.copytree(store.folder(plan.table.id) / "table.zarr", partial)


def _check_free(output: Path, overwrite: bool) -> None:
    from amorphace.dataset.store import check_replaceable

    check_replaceable(output, overwrite=overwrite)


def _is_there(output: Path, store: Store, plan: Description) -> bool:
    """Whether the finished table is at `output`: its attributes hold the digests of the inputs."""
    made = store.folder(plan.table.id) / "table.zarr" / "zarr.json"
    there = output / "zarr.json"
    return made.is_file() and there.is_file() and made.read_bytes() == there.read_bytes()


def _key(output: Path, store: Store) -> str:
    """Name of an output in its store: tables of one name in two folders stay apart."""
    way = os.path.relpath(output.resolve(), store.path.resolve())
    return f"{output.stem}-{hashlib.sha256(way.encode()).hexdigest()[:8]}"
