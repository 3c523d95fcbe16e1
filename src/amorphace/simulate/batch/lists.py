# type: ignore  (Warp's arrays)
"""The lists of all slots: their memory, and when they are made anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import warp as wp

from amorphace.core.errors import InputError
from amorphace.simulate.batch.boxes import Box, Fixed, Four
from amorphace.simulate.batch.neighbours import (
    FINEST,
    Lists,
    begin,
    build,
    clear,
    end,
    fill,
    sort,
)
from amorphace.simulate.batch.packed import Packed
from amorphace.simulate.batch.state import CROWDED, CROWDED_CELL, CROWDED_ROW, RUNNING, Slots

DEPTH = 24
"""Particles that a cell holds at first."""
LEAST_SKIN = 0.02
"""Share of the cutoff by which a list must reach farther."""
LARGEST_ARRAY = 2**31 - 1
"""Elements of an array that kernels count."""


class Neighbours:
    """Lists of all slots.

    Parameters
    ----------
    slots : Slots
    cutoff : float
        Of the interaction, in sigma.
    skin : float
        By which lists reach farther; less in a box that is too small for it.
    density : float
        Number density that is expected.
    crowd : float
        Neighbours that a row has room for at first, in units of the mean.
    """

    def __init__(
        self, slots: Slots, cutoff: float, skin: float, density: float, crowd: float = 1.3
    ) -> None:
        self.slots, self._cutoff, self._skin = slots, cutoff, skin
        # an older driver records no conditions: kernels then look for themselves
        cuda = wp.get_device(slots.device).is_cuda
        self._always = cuda and not wp.is_conditional_graph_supported()
        n, reach = slots.slots * slots.size, cutoff + skin
        y = self.data = Lists()
        y.cutoff, y.total, y.depth = cutoff, n, DEPTH
        y.rows = (int(4 / 3 * np.pi * reach**3 * density * crowd) + 24) // 4
        y.share = FINEST * 8 / reach**3 / density
        y.cells = max(125, int(slots.size * y.share))
        y.reach, y.grid = slots.zeros(slots.slots, wp.float64), slots.zeros(slots.slots, wp.vec3i)
        y.number = slots.zeros(slots.slots * y.cells, wp.int32)
        y.bucket = slots.zeros(slots.slots * y.cells * y.depth, Fixed)
        y.fours, y.length = slots.zeros(n * y.rows, Four), slots.zeros(n, wp.int32)
        y.made, y.made_box = slots.zeros(n, Fixed), slots.zeros(slots.slots, Box)
        y.room = slots.zeros(slots.slots, wp.float32)
        y.stale, y.any = slots.zeros(slots.slots, wp.int32), slots.zeros(1, wp.int32)

    def put(self, slot: int, packed: Packed) -> None:
        """A slot holds another system: it needs a list.

        Raises
        ------
        InputError
            If its box is too small for the interaction.
        """
        half = float(packed.like.heights.min()) / 2
        reach = min(self._cutoff + self._skin, half)
        if reach < self._cutoff * (1 + LEAST_SKIN):
            raise InputError(
                f"the batch engine needs a cell with heights over {2 * self._cutoff * 1.02:.4g}, "
                f"twice the cutoff of the interaction, got {2 * half:.4g}; use more particles"
            )
        self.slots.assign(self.data.reach, slot, reach)
        self.slots.assign(self.data.stale, slot, 1)
        self.data.any.fill_(1)

    def grow(self) -> list[int]:
        """Make room for systems whose lists found none; they go on where they stopped.

        A system stops before anything is computed with a list that is too short, so that it does
        what it would have done with long ones from the beginning. Lists of others are kept.

        Returns
        -------
        list of int
            Slots of such systems; none where there is no more memory.
        """
        s, y = self.slots, self.data
        status = s.status()
        if not np.isin(status, CROWDED).any():
            return []
        try:
            if (status == CROWDED_ROW).any():
                fours = self.longer(y.fours, y.total * min(2 * y.rows, s.size // 4 + 1))
                wp.copy(fours, y.fours, count=len(y.fours))
                y.fours, y.rows = fours, len(fours) // y.total
            if (status == CROWDED_CELL).any():
                cells = s.slots * y.cells
                y.bucket = self.longer(y.bucket, cells * min(2 * y.depth, s.size))
                y.depth = len(y.bucket) // cells
        except MemoryError:
            return []
        crowded = np.flatnonzero(np.isin(status, CROWDED)).tolist()
        for slot in crowded:
            s.assign(s.data.status, slot, RUNNING)
            s.assign(y.stale, slot, 1)
        y.any.fill_(1)
        return crowded

    def longer(self, old: Any, n: int) -> Any:
        """Another array of the kind of an old one, of n elements."""
        if n > LARGEST_ARRAY:
            raise MemoryError
        try:
            return self.slots.zeros(n, old.dtype)
        except RuntimeError as error:
            raise MemoryError from error

    def refresh(self) -> None:
        """Make the lists that are asked for; the rest is left as it is."""
        if self._always:
            self._make()
        else:
            wp.capture_if(self.data.any, self._make)

    def _make(self) -> None:
        s, y = self.slots, self.data
        s.on_systems(begin, y)
        for kernel, dim in (
            (clear, (s.slots, y.cells)),
            (fill, (s.slots, s.size)),
            (sort, (s.slots, y.cells)),
            (build, (s.slots, s.size)),
            (end, s.slots),
        ):
            s.launch(kernel, dim, [s.data, y])

    def rows(self, slot: int) -> Any:
        """Length of each row of a slot, in the order of memory; for tests and reports."""
        first = slot * self.slots.size
        return self.data.length.numpy()[first : first + int(self.slots.data.count.numpy()[slot])]
