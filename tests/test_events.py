"""D2min of one strain step: nothing for the strain itself, the same whatever cell is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.observe.d2min import d2min
from amorphace.simulate import MODELS, Shear, shear_steps, start_shear
from amorphace.simulate.shear import strained
from simulate_samples import glass


def tilted(strain: float, n: int = 300) -> Configuration:
    """Particles at random in a sheared cell, unwrapped."""
    x = np.random.default_rng(3).uniform(-6, 12, (n, 3))
    return Configuration(positions=x, species="A", cell=[[6, 0, 0], [6 * strain, 6, 0], [0, 0, 6]])


def rearranged(c: Configuration) -> Configuration:
    """Some particles kicked, all jittered."""
    u = np.random.default_rng(4).normal(0, 1e-3, c.positions.shape)
    u[::17] *= 300
    return c.replace(positions=c.positions + u)


@pytest.mark.parametrize("strain", [0.0, 0.3, 0.49999])
def test_an_affine_strain_step_leaves_nothing(strain: float) -> None:
    before = tilted(strain)
    assert d2min(before, strained(before, 5e-5)).max() < 1e-24


def test_a_step_across_a_flip_gives_the_same_d2min_as_without() -> None:
    before = tilted(0.49999)
    after = rearranged(strained(before, 5e-5))
    assert after.cell[1, 0] < 0 < before.cell[1, 0]
    a, b, c = after.cell
    unflipped = after.replace(positions=after.positions, cell=np.stack([a, b + a, c]))
    moved = d2min(before, after)
    assert moved.max() > 0.6
    np.testing.assert_allclose(moved, d2min(before, unflipped), rtol=1e-10, atol=1e-16)
    np.testing.assert_allclose(moved, d2min(before, after.wrapped()), rtol=1e-10, atol=1e-16)


def test_a_flip_within_a_simulated_run_makes_no_event() -> None:
    ka = MODELS["kob-andersen"]
    c = glass("kob-andersen").configuration
    shear = np.array([[1, 0, 0], [0.4998, 1, 0], [0, 0, 1]])
    start = start_shear(c.replace(positions=c.positions @ shear, cell=c.cell @ shear))
    steps = list(shear_steps(ka, start, Shear(increment=1e-4, pre_strain=0.0, strain=6e-4)))[1:]
    flipped = np.array([s.before.cell[1, 0] > 0 > s.after.cell[1, 0] for s in steps])
    largest = np.array([d2min(s.before, s.after).max() for s in steps])
    assert flipped.sum() == 1
    assert largest[flipped] < 2 * largest[~flipped].max() < 1e-2


def test_steps_of_different_particles_are_refused() -> None:
    before = tilted(0.0)
    with pytest.raises(InputError, match="cannot be matched by id"):
        d2min(before, tilted(0.0, n=299))
