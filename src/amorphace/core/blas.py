"""Linear algebra on one thread, in memory that it has from the start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from threadpoolctl import ThreadpoolController

from amorphace.core.errors import AmorphaceError

BUFFER = 40 << 20
"""Bytes that OpenBLAS works in for each of its threads: 32 MB, and something to spare."""


@cache
def _libraries() -> ThreadpoolController:
    """The libraries that have threads, looked for once: that takes milliseconds."""
    import scipy.linalg  # noqa: F401 - here, since it brings a BLAS of its own

    return ThreadpoolController()


@cache
def claim_memory() -> None:
    """Make BLAS take the memory that it works in, while there is some.

    OpenBLAS takes it at its first larger product and keeps it. Where there is none, it waits for
    ever or ends the process, so that is asked beforehand: an AmorphaceError says so.
    """
    from scipy.linalg import cho_factor

    libraries = _libraries().select(user_api="blas").info()
    room = BUFFER * sum(library["num_threads"] for library in libraries)
    try:
        np.empty(room, dtype=np.uint8)
    except MemoryError as error:
        raise AmorphaceError(
            f"linear algebra needs {room >> 20} MB more memory than this process may take; raise "
            "its limit (ulimit -v), use fewer processes (--n-jobs), or set OPENBLAS_NUM_THREADS=1"
        ) from error
    for dtype in (np.float64, np.float32):
        a = np.eye(512, dtype=dtype)
        cho_factor(a @ a)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """One BLAS thread, which makes sums the same on any machine, with memory to work in."""
    claim_memory()
    with _libraries().limit(limits=1):
        yield
