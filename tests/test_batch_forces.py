"""Systems side by side on a device: their lists, forces and energies."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SimulationError
from amorphace.simulate import MODELS, EmbeddedAtom, GlassModel, InversePower, LammpsEngine
from batch_samples import DEVICE, FIVE, MEANS, five_sizes, of_five_sizes, smaller, tilted
from simulate_samples import liquid

from tolerances import EXACT

wp = pytest.importorskip("warp")

from amorphace.simulate.batch.forces import Forces, pair_kernels
from amorphace.simulate.batch.laws import largest_cutoff, pair_tables
from amorphace.simulate.batch.lists import Neighbours
from amorphace.simulate.batch.packed import pack
from amorphace.simulate.batch.state import RUNNING, Slots, check, quantise

LAMMPS = 1e-10
"""Forces, energies and stresses of LAMMPS: sums in another order."""


def computed(model, configurations, *, precision="double", size=None):
    """Slots with forces computed, and the sums of each."""
    slots = Slots(model, len(configurations), size or max(map(len, configurations)), DEVICE)
    neighbours = Neighbours(slots, largest_cutoff(model), 0.4, 1.5)
    forces = Forces(slots, neighbours, precision)
    for slot, configuration in enumerate(configurations):
        packed = pack(model, configuration)
        slots.put(slot, packed)
        neighbours.put(slot, packed)
    slots.on_particles(quantise)
    neighbours.refresh()
    forces.compute()
    return slots, forces.measure()


def by_lammps(model: GlassModel, configuration: Configuration):
    """Forces, energy and the six stresses of the virial."""
    with LammpsEngine(model, configuration) as engine:
        engine.commands(["run 0 post no"])
        stress = [engine.thermo(f"p{a}") for a in ("xx", "yy", "zz", "xy", "xz", "yz")]
        return engine.forces(), engine.thermo("pe"), np.array(stress)


CASES = {
    **{name: (MODELS[name], lambda name=name: liquid(name).configuration) for name in MODELS},
    "five sizes": (five_sizes(FIVE), lambda: of_five_sizes(five_sizes(FIVE))),
    "inverse power": (
        five_sizes(InversePower(sigma=MEANS)),
        lambda: of_five_sizes(five_sizes(InversePower(sigma=MEANS))),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_forces_energies_and_stresses_are_those_of_lammps_in_cubic_and_tilted_cells(name):
    model, make = CASES[name]
    cubic = make()
    both = [cubic, tilted(cubic)]
    slots, sums = computed(model, both)
    for slot, configuration in enumerate(both):
        force, energy, stress = by_lammps(model, configuration)
        scale = np.abs(force).max()
        assert (
            np.abs(slots.take(slot).as_it_came(slots.read("force", slot)) - force).max()
            < LAMMPS * scale
        )
        assert abs(sums[slot, 0] - energy) < LAMMPS * len(cubic)
        assert np.abs(sums[slot, 1:7] / configuration.volume - stress).max() < LAMMPS * scale


@pytest.mark.parametrize("name", MODELS)
def test_single_precision_forces_are_exact_to_single_precision(name):
    configuration = tilted(liquid(name).configuration)
    exact, sums = computed(MODELS[name], [configuration])
    slots, rounded = computed(MODELS[name], [configuration], precision="mixed")
    force = exact.read("force", 0)
    # bonds are stiff: a separation off by 1e-7 is a force off by 1e-4
    assert np.abs(slots.read("force", 0) - force).max() < 1e-5 * np.abs(force).max()
    assert abs(rounded[0, 0] - sums[0, 0]) < 1e-6 * len(configuration)


def test_a_system_is_the_same_to_the_last_bit_alone_and_among_others():
    model = MODELS["kob-andersen"]
    first, other = liquid("kob-andersen").configuration, smaller().configuration
    for precision in ("mixed", "double"):
        alone, sums = computed(model, [first], precision=precision)
        among, all_sums = computed(
            model, [other, first, tilted(first)], precision=precision, size=300
        )
        assert among.read("force", 1).tobytes() == alone.read("force", 0).tobytes()
        assert all_sums[1].tobytes() == sums[0].tobytes()


def test_a_system_less_dense_than_its_model_is_the_same_in_a_slot_of_any_size():
    model, liquid_now = MODELS["kob-andersen"], liquid("kob-andersen").configuration
    wide = liquid_now.replace(positions=1.6 * liquid_now.positions, cell=1.6 * liquid_now.cell)
    forces = [
        computed(model, [wide], precision="mixed", size=size)[0].read("force", 0)
        for size in (len(wide), 4 * len(wide))
    ]
    assert forces[0].tobytes() == forces[1].tobytes()


def test_a_broken_system_does_not_touch_its_neighbours():
    model = MODELS["kob-andersen"]
    good = liquid("kob-andersen").configuration
    slots = Slots(model, 3, len(good), DEVICE)
    neighbours = Neighbours(slots, largest_cutoff(model), 0.4, 1.5)
    forces = Forces(slots, neighbours, "double")
    for slot in range(3):
        slots.put(slot, pack(model, good))
        neighbours.put(slot, pack(model, good))
    slots.write("place", 0, np.full((len(good), 4), np.nan))
    slots.write("place", 2, np.zeros((len(good), 4)))
    slots.on_particles(quantise)
    neighbours.refresh()
    forces.compute()
    sums = forces.measure()
    alone, expected = computed(model, [good])
    assert slots.status()[1] == RUNNING
    assert slots.read("force", 1).tobytes() == alone.read("force", 0).tobytes()
    assert sums[1].tobytes() == expected[0].tobytes()
    with pytest.raises(SimulationError, match="too many particles in one cell"):
        check(slots.status()[2])


def test_a_row_holds_every_neighbour_and_chains_leave_out_bonded_ones():
    for name in ("kob-andersen", "bead-spring"):
        model, configuration = MODELS[name], tilted(liquid(name).configuration)
        slots = Slots(model, 1, len(configuration), DEVICE)
        neighbours = Neighbours(slots, 2.3, 0.2, 1.5)
        slots.put(0, pack(model, configuration))
        neighbours.put(0, pack(model, configuration))
        slots.on_particles(quantise)
        neighbours.refresh()
        s = configuration.fractional()
        apart = s[:, None] - s
        apart = np.linalg.norm((apart - np.rint(apart)) @ configuration.cell, axis=2)
        close = apart < 2.5
        np.fill_diagonal(close, False)
        close[tuple(model.bonds(len(s)).T)] = False
        close[tuple(model.bonds(len(s)).T[::-1])] = False
        assert sorted(neighbours.rows(0)) == sorted(close.sum(axis=1))


def test_the_force_of_an_inverse_power_and_its_slope_vanish_at_the_cutoff():
    for exponent in (10, 12, 36):
        law = InversePower(sigma=((1.0,),), exponent=exponent)
        c0, c2, c4 = law.smoothing
        x = law.cutoff
        assert abs(x**-exponent + c0 + c2 * x**2 + c4 * x**4) < EXACT
        assert abs(-exponent * x ** (-exponent - 1) + 2 * c2 * x + 4 * c4 * x**3) < EXACT
    with pytest.raises(InputError, match="exponent must be even and positive, got 11"):
        InversePower(sigma=((1.0,),), exponent=11)


def test_what_the_batch_engine_cannot_hold_is_refused():
    metal = EmbeddedAtom(file="x", elements=("Cu",), diameters=((2.5,),))
    model = GlassModel(
        name="copper", species=("A",), fractions=(1.0,), masses=(1.0,), potential=metal,
        number_density=0.05, temperature=1.0, lag=1.0, citation="an example",
    )  # fmt: skip
    with pytest.raises(InputError, match=r"pair potentials only, got EmbeddedAtom; use the LAMMPS"):
        pair_tables(model)
    few = Configuration(positions=np.eye(3), species=["A"] * 3, cell=4.0)
    with pytest.raises(InputError, match=r"heights over 5\.1, twice the cutoff .* got 4;"):
        computed(MODELS["kob-andersen"], [few])


KERNELS = ("neighbours", "state", "dynamics", "search", "pushoff")
"""Modules of kernels; the first one and the forces hold code that is CUDA's alone."""


@pytest.mark.parametrize(
    ("architecture", "names", "forces"),
    [
        (90, KERNELS[:1], [("mixed", 0)]),
        *(
            pytest.param(
                architecture, KERNELS, [("mixed", 0), ("double", 0), ("mixed", 10), ("double", 10)],
                marks=pytest.mark.slow,
            )
            for architecture in (80, 90)
        ),
    ],
)  # fmt: skip
def test_kernels_compile_for_cuda_without_a_device(tmp_path, architecture, names, forces):
    modules = [import_module(f"amorphace.simulate.batch.{name}").__name__ for name in names]
    found = [wp.get_module(name) for name in modules]
    found += [pair_kernels(*kind).forces.module for kind in forces]
    for module in found:
        wp.compile_aot_module(module, arch=architecture, module_dir=tmp_path, use_ptx=True)
    assert len(list(tmp_path.glob(f"*.sm{architecture}.ptx"))) == len(found)
