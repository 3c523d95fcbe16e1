"""Many independent fits, shared by processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from amorphace.core.blas import one_blas_thread
from amorphace.core.errors import InputError

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called as progress(done, total)."""


def run_all(
    function: Callable[..., T],
    tasks: Sequence[tuple[Any, ...]],
    *,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> list[T]:
    """function(*task) of every task, in the order of the tasks.

    Each call has one BLAS thread: processes share the processors, and sums, and with them the
    results, do not depend on the number of processes.

    Parameters
    ----------
    function : callable
        Of a module, so that other processes find it.
    tasks : sequence of tuple
        Its arguments. The longest first, so that no process works alone at the end.
    n_jobs : int
        Processes; -1 is all processors.
    progress : callable, optional
        Called as progress(done, total) after every task.

    Raises
    ------
    InputError
        If `n_jobs` is 0.

    Examples
    --------
    >>> run_all(divmod, [(7, 2), (9, 4)])
    [(3, 1), (2, 1)]
    """
    if n_jobs == 0:
        raise InputError("n_jobs must be a number of processes, or -1 for all processors; got 0")
    results: list[T] = []
    found: Any = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_alone)(function, task) for task in tasks
    )
    for result in found:
        results.append(result)
        if progress is not None:
            progress(len(results), len(tasks))
    return results


def run_grid(
    function: Callable[..., tuple[float, ...]],
    data: tuple[Any, ...],
    points: Sequence[int],
    folds: Sequence[Any],
    *,
    n_jobs: int,
    progress: Progress | None,
) -> NDArray[np.float64]:
    """function(*data, point, fold) at all points and folds, the largest points first.

    Returns
    -------
    ndarray of shape (n_numbers, n_points, n_folds)
    """
    tasks = [(*data, point, fold) for point in reversed(points) for fold in folds]
    found = np.array(run_all(function, tasks, n_jobs=n_jobs, progress=progress), dtype=np.float64)
    placed = found.reshape(len(points), len(folds), -1)[::-1].transpose(2, 0, 1)
    return np.ascontiguousarray(placed)  # sums do not depend on how it was made


def _alone(function: Callable[..., T], task: tuple[Any, ...]) -> T:
    with one_blas_thread():
        return function(*task)
