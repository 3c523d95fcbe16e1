"""Many pieces of work that simulate one system each, their systems moved side by side.

Protocols are written for one system: a piece of work runs in a thread of its own, and whenever
its engine has something to do the thread waits. What all of them wait for is done together. A
system that is ready leaves its slot at once, and the next one takes it: each goes on alone, at its
own pace, and what fails fails alone. Threads never meet on the device; only `run` launches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import numpy as np
import warp as wp
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SetupError
from amorphace.simulate.batch.dynamics import Dynamics
from amorphace.simulate.batch.engine import BatchEngine
from amorphace.simulate.batch.forces import Precision
from amorphace.simulate.batch.minimise import Minimiser
from amorphace.simulate.batch.requests import Fall, Move
from amorphace.simulate.models import GlassModel

R = TypeVar("R")

BYTES = 2500
"""Of device memory that a particle takes, at the densities of liquids."""
SHARE = 0.8
"""Of the free memory of a device that is taken."""
PATIENCE = 0.05
"""Seconds for which idle slots wait for systems that are not ready yet."""


@dataclass(eq=False)
class Place:
    """A device for requests of one kind, and who waits for what is in its slots."""

    machine: Any
    waiting: dict[int, Future[Any]] = field(default_factory=dict)


class Crew:
    """Engines of the batch, which share a device; an `OpenEngine`.

    Outside `run` an engine that it opens does what it is asked for at once, alone.

    Parameters
    ----------
    device : str
        "cuda", "cuda:1", or "cpu", which is slow: for tests.
    precision : {"mixed", "double"}
        Of forces in dynamics; minimisations are in double precision.

    Raises
    ------
    SetupError
        If there is no such device.
    """

    def __init__(self, device: str = "cuda", precision: Precision = "mixed") -> None:
        self.device = device
        self.precision: Precision = precision
        try:
            self._memory = wp.get_device(device)
        except Exception as error:
            known = ", ".join(str(d) for d in wp.get_devices())
            raise SetupError(
                f"the batch engine finds no device {device!r} ({known} here): it needs an NVIDIA "
                'GPU and its driver; take device = "cpu" for a trial, or engine = "lammps"'
            ) from error
        self._slots = 1
        self._places: dict[Hashable, Place] = {}
        self._asked: SimpleQueue[tuple[Any, Any]] | None = None
        self._server: int | None = None

    def __call__(
        self,
        model: GlassModel,
        configuration: Configuration,
        velocities: NDArray[np.float64] | None = None,
        *,
        sheared: bool = False,
    ) -> BatchEngine:
        """Open an engine; `sheared` makes no difference here.

        Raises
        ------
        InputError
            If the model has units other than reduced ones.
        """
        if model.units != "lj":
            raise InputError(
                f"model {model.name} has units {model.units!r}, the batch engine has reduced ones "
                "only; use the LAMMPS engine"
            )
        return BatchEngine(self.ask, model, configuration, velocities)

    def ask(self, request: Move | Fall) -> Any:
        """What comes of a request; the calling thread waits."""
        future: Future[Any] = Future()
        if self._asked is None or threading.get_ident() == self._server:
            self._serve([(request, future)])
        else:
            self._asked.put((request, future))
        return future.result()

    def run(self, works: Sequence[Callable[[], R]]) -> Iterator[tuple[int, R | Exception]]:
        """Do pieces of work side by side.

        Parameters
        ----------
        works : sequence of callable
            Each opens engines by calling this object.

        Yields
        ------
        tuple of int and result
            The number of a piece of work when it ends, in any order, and what it gave or raised.
        """
        assert self._asked is None, "a crew does one list of works at a time"
        asked = self._asked = SimpleQueue()
        self._server, self._slots = threading.get_ident(), max(1, len(works))

        def do(number: int) -> None:
            try:
                ended: Any = works[number]()
            except Exception as error:
                ended = error
            asked.put((number, ended))

        for number in range(len(works)):
            threading.Thread(target=do, args=(number,), daemon=True).start()
        open_works, waiting = len(works), list[tuple[Any, Future[Any]]]()
        try:
            while open_works:
                for what, other in self._news(asked, open_works, waiting):
                    if isinstance(what, int):
                        open_works -= 1
                        yield what, other
                    else:
                        waiting.append((what, other))
                waiting = self._admit(waiting)
                self._advance()
        finally:
            self._asked = self._server = None

    def _news(
        self, asked: SimpleQueue[tuple[Any, Any]], open_works: int, waiting: list[Any]
    ) -> Iterator[tuple[Any, Any]]:
        """Requests and ends of works; while nothing moves, wait until all have asked."""
        busy = sum(len(place.waiting) for place in self._places.values())
        found = len(waiting)
        while True:
            try:
                if busy or found >= open_works:
                    news = asked.get_nowait()
                else:
                    news = asked.get(timeout=PATIENCE if found else None)
            except Empty:
                return
            found += 1
            yield news

    def _serve(self, waiting: list[tuple[Any, Future[Any]]]) -> None:
        """Do requests at once."""
        while waiting or any(place.waiting for place in self._places.values()):
            waiting = self._admit(waiting)
            self._advance()

    def _admit(self, waiting: list[tuple[Any, Future[Any]]]) -> list[tuple[Any, Future[Any]]]:
        """Give requests to machines; those that find no slot wait on."""
        left = []
        sizes = [len(request.packed) for request, _ in waiting]
        for request, future in waiting:
            try:
                place = self._place(request, max(sizes))
                if place is None:
                    left.append((request, future))
                    continue
                if isinstance(request, Move):
                    slot = place.machine.begin(request.packed, request.path)
                else:
                    slot = place.machine.begin(request.packed, request.tolerance)
                place.waiting[slot] = future
            except Exception as error:
                future.set_exception(error)
        return left

    def _place(self, request: Move | Fall, size: int) -> Place | None:
        """Where a request is carried out; None while there is no room."""
        soft = isinstance(request, Move) and request.soft
        key = (type(request), request.model, soft)
        place = self._places.get(key)
        if place is not None and place.machine.slots.size < len(request.packed):
            if place.waiting:
                return None
            place = None
        if place is None:
            place = self._places[key] = Place(self._machine(request, size, soft))
        return place if place.machine.room else None

    def _machine(self, request: Move | Fall, size: int, soft: bool) -> Dynamics | Minimiser:
        slots = self._slots
        if self._memory.is_cuda:
            fit = int(SHARE * self._memory.free_memory / (BYTES * size))
            slots = max(1, min(slots, fit))
        if isinstance(request, Fall):
            return Minimiser(request.model, slots, size, device=self.device)
        return Dynamics(
            request.model, slots, size, precision=self.precision, device=self.device, soft=soft
        )

    def _advance(self) -> None:
        """Take every machine a piece further, and hand on what is ready."""
        for key, place in list(self._places.items()):
            if not place.waiting:
                continue
            try:
                ended = place.machine.advance()
            except Exception as error:  # of the device: nothing in it can be trusted
                ended = dict.fromkeys(place.waiting, error)
                del self._places[key]
            for slot, found in ended.items():
                future = place.waiting.pop(slot)
                if isinstance(found, Exception):
                    future.set_exception(found)
                else:
                    future.set_result(found)
