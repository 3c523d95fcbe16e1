"""Launches that repeat: on a GPU they are recorded once and sent as one."""

from __future__ import annotations

from collections.abc import Callable

import warp as wp


class Recorded:
    """A body of launches, to be repeated.

    The first call is made as it is, since it loads modules; the second is recorded as a CUDA
    graph, and those that follow replay it. On the CPU every call is made as it is.
    """

    def __init__(self, device: str, body: Callable[[], object]) -> None:
        self._device, self._body = device, body
        self._cuda, self._warm = wp.get_device(device).is_cuda, False
        self._graph: wp.Graph | None = None

    def __call__(self, times: int) -> None:
        for _ in range(times):
            if not self._warm or not self._cuda:
                self._body()
                self._warm = True
                continue
            if self._graph is None:
                with wp.ScopedCapture(device=self._device) as capture:
                    self._body()
                self._graph = capture.graph
            wp.capture_launch(self._graph)  # type: ignore[arg-type]

    def forget(self) -> None:
        """The body's arrays are others now: it is recorded anew."""
        self._graph = None
