"""Athermal quasistatic simple shear: strain a little, minimise, again and again.

Every step is a function of the state before it: the particles stay in the order of the
configuration in memory, and a step begins by placing them. A run taken up at any step is
therefore the same, to the last bit, as one that never stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, copysign
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from amorphace.core.checks import Limits, check_fields
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SimulationError
from amorphace.simulate.engine import Engine, OpenEngine
from amorphace.simulate.health import Health
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.measures import longest_bond
from amorphace.simulate.models import GlassModel


@dataclass(frozen=True, kw_only=True)
class Shear:
    """How a glass is sheared.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    increment: float = 5e-5
    """Strain of a step in which data are taken. A negative one shears back, from the first on."""
    pre_strain: Annotated[float, Limits(least=0, most=10)] = 0.10
    """Strain before data are taken. It erases the memory of the preparation; no sign is given."""
    pre_increment: float = 5e-4
    """Largest strain of a step before data are taken. The pre-strain is divided evenly; which
    events happen in it depends on this number, stress and energy of the steady state do not."""
    strain: Annotated[float, Limits(least=0, most=10)] = 0.01
    """Strain over which data are taken."""
    force_tolerance: Annotated[float, Limits(above=0, most=1)] = 1e-5
    """Largest force on a particle after a step."""
    retries: Annotated[int, Limits(least=0, most=100)] = 4
    """Further attempts at a step whose forces are above it."""
    largest_guess: Annotated[float, Limits(above=0)] = 0.05
    """Largest non-affine displacement, in sigma, that the next step starts from. A step with more
    was an event, which will not be repeated."""

    def __post_init__(self) -> None:
        for name in ("increment", "pre_increment"):
            if not 0 < abs(getattr(self, name)) <= 0.1:
                raise InputError(f"{name} must lie between 0 and 0.1, got {getattr(self, name)}")
        check_fields(self)

    @property
    def first_step(self) -> int:
        """Steps of the pre-strain: the data begin after them."""
        # a pre-strain of whole increments keeps their number in spite of rounding
        return ceil(self.pre_strain / abs(self.pre_increment) * (1 - 1e-9))

    @property
    def last_step(self) -> int:
        """Steps in all."""
        return self.first_step + round(self.strain / abs(self.increment))

    def increment_of(self, step: int) -> float:
        """Strain of a step, numbered from 1."""
        if step > self.first_step:
            return self.increment
        return copysign(self.pre_strain, self.increment) / self.first_step

    def strain_after(self, step: int) -> float:
        """Strain after so many steps."""
        before = min(step, self.first_step)
        pre = before * self.increment_of(1) if before else 0.0
        return pre + (step - before) * self.increment


@dataclass(frozen=True, eq=False)
class ShearState:
    """All that a shear run needs to go on.

    Attributes
    ----------
    configuration : Configuration
        At mechanical equilibrium; unwrapped.
    guess : ndarray of shape (n, 3)
        Non-affine displacement from which the next minimisation starts: the last one, scaled to
        the strain of the next step.
    step : int
        Steps done.
    """

    configuration: Configuration
    guess: NDArray[np.float64]
    step: int


@dataclass(frozen=True, eq=False)
class ShearStep:
    """One strain step.

    Attributes
    ----------
    step : int
        From 1.
    strain : float
        After the step.
    energy : float
        Potential energy per particle after the step.
    stress : float
        Shear stress sigma_xy after the step.
    before, after : Configuration
        At mechanical equilibrium; unwrapped. Where the cell was flipped in between, the two
        cells span the same lattice up to the strain.
    displacement : ndarray of shape (n, 3)
        Non-affine: positions after, minus positions before moved with the strain.
    attempts : int
        Minimisations that it took.
    health : Health
    state : ShearState
        From which the run can go on.
    """

    step: int
    strain: float
    energy: float
    stress: float
    before: Configuration
    after: Configuration
    displacement: NDArray[np.float64]
    attempts: int
    health: Health
    state: ShearState


def start_shear(configuration: Configuration) -> ShearState:
    """The state before the first step, from an inherent structure."""
    return ShearState(configuration, np.zeros((len(configuration), 3)), 0)


def shear_steps(
    model: GlassModel,
    state: ShearState,
    protocol: Shear | None = None,
    *,
    engine: OpenEngine = LammpsEngine,
) -> Iterator[ShearStep]:
    """Shear a glass quasistatically in the xy plane, one step after another.

    Each minimisation starts from the affine map of the last configuration plus the last
    non-affine displacement; a cell tilted beyond half its width is replaced by the equivalent
    one tilted the other way.

    Parameters
    ----------
    model : GlassModel
    state : ShearState
        `start_shear` of an inherent structure, or the state of any step of an earlier run.
    protocol : Shear, optional
        The paper's numbers when left out.
    engine : callable
        Opens who does it (`OpenEngine`).

    Yields
    ------
    ShearStep
        For the steps that are left, up to `protocol.last_step`.

    Raises
    ------
    SimulationError
        If a minimisation does not converge in all its attempts, or LAMMPS fails.
    """
    protocol = Shear() if protocol is None else protocol
    with engine(model, state.configuration, sheared=True) as opened:
        while state.step < protocol.last_step:
            step = _strain_once(model, opened, state, protocol)
            yield step
            state = step.state


def _strain_once(
    model: GlassModel, engine: Engine, state: ShearState, protocol: Shear
) -> ShearStep:
    """One strain step and its minimisation."""
    number = state.step + 1
    increment, following = protocol.increment_of(number), protocol.increment_of(number + 1)
    affine = strained(state.configuration, increment)
    fmax, attempts = _relax(engine, affine, state.guess, protocol, number)
    after = engine.configuration()
    moved = after.positions - affine.positions
    steady = np.sqrt((moved**2).sum(axis=1).max()) <= protocol.largest_guess
    guess = moved * (following / increment) if steady else np.zeros_like(moved)
    return ShearStep(
        step=number,
        strain=protocol.strain_after(number),
        energy=engine.energy(),
        stress=engine.stress(),
        before=state.configuration,
        after=after,
        displacement=moved,
        attempts=attempts,
        health=Health(fmax=fmax, longest_bond=longest_bond(model, after)),
        state=ShearState(after, guess, number),
    )


def strained(configuration: Configuration, increment: float) -> Configuration:
    """x -> x + increment y, and a tilt beyond half the cell flipped to the other side."""
    h = configuration.cell.copy()
    h[:, 0] += increment * h[:, 1]
    h[1, 0] -= h[0, 0] * np.round(h[1, 0] / h[0, 0])
    x = configuration.positions.copy()
    x[:, 0] += increment * x[:, 1]
    return configuration.replace(positions=x, cell=h)


def _relax(
    engine: Engine,
    affine: Configuration,
    guess: NDArray[np.float64],
    protocol: Shear,
    step: int,
) -> tuple[float, int]:
    """Minimise from the guess; largest force left and attempts taken.

    The second attempt drops the guess; further ones go on from where the last one stopped.
    """
    tolerance = protocol.force_tolerance
    engine.place(affine.replace(positions=affine.positions + guess))
    for attempt in range(1, protocol.retries + 2):
        if attempt == 2:
            engine.place(affine)
        fmax = engine.minimise(tolerance)
        if fmax <= tolerance:
            return fmax, attempt
    raise SimulationError(
        f"shear step {step}: a force of {fmax:.2g} is left where {tolerance:.2g} was asked for, "
        f"after {protocol.retries} retries; leave this sample out or allow a larger force"
    )
