"""Small systems that the tests of the batch engine share."""

from __future__ import annotations

import os
from functools import cache

import numpy as np

from amorphace.core.configuration import Configuration
from amorphace.simulate import MODELS, GlassModel, InversePower, LennardJones, State, create
from simulate_samples import liquid

DEVICE = os.environ.get("AMORPHACE_DEVICE", "cpu")
"""Where the tests of the batch run: 'make test-gpu' repeats them on a GPU."""

TILT = np.array([[0.0, 0.0, 0.0], [0.6, 0.0, 0.0], [0.3, -0.4, 0.0]])

SIZES = np.linspace(0.84, 1.16, 5)
MEANS = tuple(tuple((a + b) / 2 for b in SIZES.tolist()) for a in SIZES.tolist())
FIVE = LennardJones(epsilon=((1.0,) * 5,) * 5, sigma=MEANS, cutoff=2.5, smooth_from=2.2)


def five_sizes(potential: LennardJones | InversePower) -> GlassModel:
    """A mixture of five sizes of particles."""
    return GlassModel(
        name="five-sizes",
        species=("A", "B", "C", "D", "E"),
        fractions=(0.2,) * 5,
        masses=(1.0,) * 5,
        potential=potential,
        number_density=1.0,
        temperature=0.5,
        lag=5.0,
        citation="an example",
    )


def of_five_sizes(model: GlassModel) -> Configuration:
    """The places of a polymer melt, bonds left out, with particles of five sizes."""
    melt = liquid("bead-spring").configuration
    return Configuration(positions=melt.positions, species=model.labels(len(melt)), cell=melt.cell)


def tilted(configuration: Configuration) -> Configuration:
    """The same fractional positions in a tilted cell."""
    cell = configuration.cell + TILT
    return configuration.replace(positions=configuration.fractional() @ cell, cell=cell)


@cache
def smaller() -> State:
    """A Kob-Andersen liquid of another number of particles."""
    return create(MODELS["kob-andersen"], 180, seed=5)


def all_moved(model, starts, *, size=None, **options):
    """State and rows of systems that go along paths side by side; what went wrong is given too."""
    from amorphace.simulate.batch.dynamics import Dynamics
    from amorphace.simulate.batch.packed import pack

    largest = max(len(start.configuration) for start, _ in starts)
    device = Dynamics(model, len(starts), size or largest, device=DEVICE, **options)
    for start, path in starts:
        device.begin(pack(model, start.configuration, start.velocities), path)
    found = {}
    while len(found) < len(starts):
        found |= states(device.advance())
    return [found[slot] for slot in range(len(starts))]


def states(found):
    """What a device gave, unpacked; what went wrong as it is."""
    return {k: f if isinstance(f, Exception) else (f[0].state(), f[1]) for k, f in found.items()}


def same(a, b) -> bool:
    """Whether two ends are equal to the last bit."""
    (here, rows), (there, others) = a, b
    return (
        here.configuration.positions.tobytes() == there.configuration.positions.tobytes()
        and here.velocities.tobytes() == there.velocities.tobytes()
        and rows.tobytes() == others.tobytes()
    )


def minima(model, configurations, tolerance=1e-6, *, size=None):
    """Where each of several systems ends, side by side; what went wrong is given back too."""
    from amorphace.simulate.batch.minimise import Minimiser
    from amorphace.simulate.batch.packed import pack

    largest = max(map(len, configurations))
    device = Minimiser(model, len(configurations), size or largest, device=DEVICE)
    for configuration in configurations:
        device.begin(pack(model, configuration), tolerance)
    found = {}
    while len(found) < len(configurations):
        found |= device.advance()
    return [found[slot] for slot in range(len(configurations))]
