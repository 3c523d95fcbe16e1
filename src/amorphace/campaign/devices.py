"""How fast the batch engine is on the devices that it runs on: what estimates of time go by.

Rates of the H200 are those of a prototype of the same design (30 systems of 32,768 particles, lists
included); those of the CPU are what `make bench-engine` and `make bench-minimisers` find. Nobody
has timed the others: an H100 has the processors of an H200, and a consumer card, which does 1/64 as
much in double precision as in single, is reckoned by its arithmetic, 6e11 operations a second in
double precision and 8,000 of them for the forces on a particle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from amorphace.config.sections import RunSection

TOGETHER = 64
"""Units that the batch engine is handed at a time."""


@dataclass(frozen=True)
class Pace:
    """How fast steps of many systems are.

    Attributes
    ----------
    rate : float
        Particles a second, of enough systems to fill a device.
    least : float
        Seconds of a step, whatever is in it.
    """

    rate: float
    least: float

    def seconds(self, n: int, together: int) -> float:
        """Share of a system of n particles in a step of so many."""
        return max(n / self.rate, self.least / min(together, TOGETHER))


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device and its paces.

    Attributes
    ----------
    name : str
    basis : str
        Where its numbers come from.
    mixed, double : Pace
        Of dynamics in either precision.
    minima : Pace
        Of evaluations of energy and forces in minimisation and shear.
    """

    name: str
    basis: str
    mixed: Pace
    double: Pace
    minima: Pace


H200 = Device(
    name="H200",
    basis="by the rates of a prototype, shear and minima extrapolated",
    mixed=Pace(1.2e9, 6e-5),
    double=Pace(6e8, 9e-5),
    minima=Pace(4e8, 1.5e-4),
)
H100 = replace(
    H200, name="H100", basis="by what an H200, which has the same processors, is taken to do"
)
CONSUMER = Device(
    name="consumer card",
    basis="reckoned by its arithmetic, with 1/64 of it in double precision",
    mixed=Pace(8e8, 6e-5),
    double=Pace(8e7, 3e-4),
    minima=Pace(6e7, 5e-4),
)
CPU = Device(
    name="core",
    basis="by the rates of amorphace bench-engine",
    mixed=Pace(3.9e5, 0.0),
    double=Pace(3.7e5, 0.0),
    minima=Pace(3.7e5, 0.0),
)
KNOWN = {"H200": H200, "H100": H100, "GeForce": CONSUMER, "RTX": CONSUMER}
"""Devices by a word of what their driver calls them."""


def device_called(name: str) -> Device:
    """The device of this name; the H200 for one that nobody knows."""
    return next((device for word, device in KNOWN.items() if word in name), H200)


def device_of(run: RunSection) -> Device:
    """The device that an experiment asks for; the H200 where it is not here."""
    return CPU if run.device == "cpu" else device_called(_name(run.device))


def device_in_words(run: RunSection) -> str:
    """What it is called, and where its numbers come from."""
    device, name = device_of(run), _name(run.device)
    if device is CPU:
        return f"one {device.name}, {device.basis}"
    here = f"here is one called {name}" if name else f"no device {run.device} is here"
    return f"one {device.name}, {device.basis} ({here})"


@cache
def _name(device: str) -> str:
    """What its driver calls a device; empty if there is none, or no Warp to ask."""
    try:
        from amorphace.simulate.batch.devices import device_name
    except ImportError:
        return ""
    return device_name(device)
