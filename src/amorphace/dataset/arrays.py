"""Arrays of a Zarr v3 group: written in blocks of rows with checksums, read with distrust.

Each block ends with the CRC-32C of its bytes, and whoever opens an array knows the digests of its
zarr.json and of the checksums in their order, so that a changed bit is noticed, and a block that
stands in the place of another. Sizes are compared with the files that are there
before memory is taken for them: nothing is believed of a shape, a block or a compressed length.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BytesCodec, Crc32cCodec, ZstdCodec

from amorphace.core.digest import sha256
from amorphace.core.errors import AmorphaceError, FileFormatError

BLOCK_BYTES = 8 << 20
"""Size of a block of feature rows: large enough for few files, small enough to read a few rows."""

PACKED_BYTES = 8 << 20
"""No compressed block holds more."""

CHECKSUM_BYTES = 4
"""At the end of each block."""

AGAIN = "make it again"


def create_array(
    group: zarr.Group, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], *, block_rows: int
) -> zarr.Array[Any]:
    """An array in blocks of rows, all of which are kept on disk.

    Features (arrays of two axes of real numbers) are not compressed: the digits of a real number
    are noise, zstd makes them 4 % smaller and takes five times as long.
    """
    real = np.issubdtype(dtype, np.floating)
    rows = min(block_rows, max(1, shape[0]))
    compressed = [] if real and len(shape) == 2 else [ZstdCodec()]
    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=(rows, *(max(1, k) for k in shape[1:])),
        compressors=[*compressed, Crc32cCodec()],
        fill_value=np.nan if real else 0,
        config={"write_empty_chunks": True},
    )


def create_features(
    group: zarr.Group, cutoff: float, n_sites: int, n_columns: int, dtype: np.dtype[Any]
) -> zarr.Array[Any]:
    """The array of the features of one cutoff, without its blocks."""
    rows = max(1, BLOCK_BYTES // max(1, n_columns * dtype.itemsize))
    return create_array(group, f"features/{cutoff!r}", (n_sites, n_columns), dtype, block_rows=rows)


def metadata_digest(folder: Path, name: str) -> str:
    """Digest of what a group says of one of its arrays."""
    return sha256(folder / name / "zarr.json")


def blocks_digest(folder: Path, array: zarr.Array[Any]) -> str:
    """Digest of the checksums of all blocks of an array, in their order."""
    digest = hashlib.sha256()
    for key in _block_keys(array):
        with (folder / array.path / key).open("rb") as stream:
            stream.seek(-CHECKSUM_BYTES, os.SEEK_END)
            digest.update(stream.read())
    return digest.hexdigest()


def _block_keys(array: zarr.Array[Any]) -> Iterator[str]:
    """Names of the files of the blocks, below the array's folder."""
    grid = [-(-n // k) for n, k in zip(array.shape, array.chunks, strict=True)]
    return map(array.metadata.encode_chunk_key, product(*map(range, grid)))  # type: ignore[union-attr]


class StoredArray:
    """An array on disk, all of whose blocks are there; rows are read when they are asked for.

    Parameters
    ----------
    path : str or Path
        Of the group.
    name : str
        Of the array in the group.
    metadata, blocks : str, optional
        Digests of its zarr.json, and of the checksums of its blocks.

    Attributes
    ----------
    shape, chunks : tuple of int
        Of the array, and of a block.
    dtype : dtype

    Raises
    ------
    FileFormatError
        If a part is missing or damaged; also where rows are read.
    """

    def __init__(
        self, path: str | Path, name: str, metadata: str | None = None, blocks: str | None = None
    ) -> None:
        self._path, self._name = Path(path), name
        if not (self._path / name / "zarr.json").is_file():
            raise FileFormatError(path, f"the table is incomplete: {name} is missing; {AGAIN}")
        if metadata is not None and metadata_digest(self._path, name) != metadata:
            raise FileFormatError(
                path,
                f"the table is damaged: {name}/zarr.json is not as it was written, its digest "
                f"differs; {AGAIN}",
            )
        with self._reading():
            self._array = zarr.open_array(store=self._path, path=name, mode="r", zarr_format=3)
            self.shape = tuple(int(k) for k in self._array.shape)
            self.chunks = tuple(int(k) for k in self._array.chunks)
            self.dtype = np.dtype(self._array.dtype)
            self._check_blocks()
            found = None if blocks is None else blocks_digest(self._path, self._array)
        if found != blocks:
            raise FileFormatError(
                path,
                f"the table is damaged: the blocks of {name} are not those that were written "
                f"there, in this order; {AGAIN}",
            )

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        """Rows in memory: a slice, a mask of all rows, or indices that may repeat."""
        if isinstance(rows, slice):
            with self._reading():
                return np.asarray(self._array[rows])
        index = np.arange(self.shape[0])[rows]
        with self._reading():
            return np.asarray(self._array.oindex[index])

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Whatever zarr says of a damaged file, in one sentence."""
        try:
            yield
        except (AmorphaceError, MemoryError):
            raise
        except Exception as error:
            what = str(error) or type(error).__name__
            raise FileFormatError(
                self._path, f"the table is damaged: {self._name} cannot be read ({what}); {AGAIN}"
            ) from None

    def _check_blocks(self) -> None:
        """All blocks are there, and as long as they must be."""
        codecs = [type(codec) for codec in self._array.metadata.codecs]  # type: ignore[union-attr]
        summed, packed = Crc32cCodec in codecs, ZstdCodec in codecs
        if codecs != [BytesCodec, *[ZstdCodec] * packed, *[Crc32cCodec] * summed]:
            raise ValueError(f"a table holds no {', '.join(c.__name__ for c in codecs)}")
        if self.dtype.kind not in "iuf":
            raise ValueError(f"a table holds no {self.dtype}")
        folder = self._path / self._name
        files = [file for file in (folder / "c").rglob("*") if file.is_file()]
        sizes = {file.relative_to(folder).as_posix(): file.stat().st_size for file in files}
        grid = [-(-n // k) for n, k in zip(self.shape, self.chunks, strict=True)]
        total, n_bytes = math.prod(grid), math.prod(self.chunks) * self.dtype.itemsize
        if total > len(sizes):
            self._incomplete(total - len(sizes), total)
        keys = list(_block_keys(self._array))
        if lost := sum(key not in sizes for key in keys):
            self._incomplete(lost, total)
        if packed and n_bytes > PACKED_BYTES:
            raise ValueError(f"no compressed block holds {n_bytes} bytes")
        for key in keys:
            if packed and summed:  # the checksum is compared before anything is unpacked
                continue
            found = _unpacked_size(folder / key) if packed else sizes[key] - CHECKSUM_BYTES * summed
            if found != n_bytes:
                raise ValueError(f"block {key} holds {found} bytes, {n_bytes} were expected")

    def _incomplete(self, lost: int, total: int) -> None:
        raise FileFormatError(
            self._path,
            f"the table is incomplete: {lost} of {total} blocks of {self._name} are missing; "
            f"{AGAIN}",
        )


def _unpacked_size(path: Path) -> int:
    """Bytes that a Zstandard frame says it unpacks to (RFC 8878, 3.1.1.1); -1 where it does not.

    Blocks without a checksum are asked, because the unpacker takes as much memory as they say.
    """
    with path.open("rb") as stream:
        head = stream.read(18)
    if len(head) < 6 or head[:4] != b"\x28\xb5\x2f\xfd":
        return -1
    flags = head[4]
    single = flags >> 5 & 1
    width = (single, 2, 4, 8)[flags >> 6]
    start = 5 + (not single) + (0, 1, 2, 4)[flags & 3]
    size = int.from_bytes(head[start : start + width], "little")
    return size + 256 * (width == 2) if width else -1
