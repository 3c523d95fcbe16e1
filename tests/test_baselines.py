"""What others describe an environment by: known values, slow sums, invariance."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from amorphace import ACEDescriptor, Configuration, Sites
from amorphace.ace.angular import real_harmonics
from amorphace.baselines import (
    angular_functions,
    baselines,
    coordination,
    excess_entropy,
    local_density,
    power_spectrum,
    radial_functions,
    tetrahedrality,
    voronoi_cells,
)
from amorphace.baselines.symmetry import CENTRES, LENGTHS, SHARPNESS, SIGNS
from amorphace.core.errors import InputError
from amorphace.core.neighbors import find_neighbors
from amorphace.observe.structure import first_minimum
from amorphace.simulate import MODELS, EmbeddedAtom, LammpsEngine
from amorphace.simulate.energies import particle_energies
from amorphace.simulate.models import GlassModel
from amorphace.simulate.potentials import InversePower
from simulate_samples import glass, liquid
from test_simulate_health import crystal

SINGLE = 2e-5
"""freud's positions are in single precision."""
SUMS = 1e-9
"""A few hundred terms of order one, in double precision."""
ACE = ACEDescriptor(cutoff=2.0, species=("A", "B"), max_order=2, max_degree=6, n_max=4)


def gas(n: int, density: float = 1.0, seed: int = 0) -> Configuration:
    """Places at random, half A and half B."""
    edge = (n / density) ** (1 / 3)
    x = np.random.default_rng(seed).random((n, 3)) * edge
    return Configuration(positions=x, species=["A", "B"] * (n // 2), cell=edge)


def every(c: Configuration) -> NDArray[np.int64]:
    return np.arange(len(c))


# ---------------------------------------------------------------- known values


@pytest.mark.parametrize(("kind", "neighbours"), [("fcc", 12), ("hcp", 12), ("bcc", 14)])
def test_crystals_have_their_neighbours_and_every_particle_its_volume(
    kind: str, neighbours: int
) -> None:
    c = crystal(kind, density=1.3)
    assert (coordination(c, every(c), ("A",), first_minimum(c)) == neighbours).all()
    volume, faces, _ = voronoi_cells(c, every(c), ("A",))
    np.testing.assert_allclose(volume, 1 / 1.3, rtol=SUMS)
    assert (faces == neighbours).all()


@pytest.mark.parametrize(
    ("kind", "q4", "q6"), [("fcc", 0.19094, 0.57452), ("hcp", 0.09722, 0.48476)]
)
def test_bond_order_of_close_packings_is_the_known_one(kind: str, q4: float, q6: float) -> None:
    """Their twelve faces are equal, so that weights by area change nothing."""
    c = crystal(kind)
    order = voronoi_cells(c, every(c), ("A",))[2]
    np.testing.assert_allclose(order, np.broadcast_to([q4, q6], order.shape), atol=6e-6)


def test_a_body_centred_cell_has_eight_hexagons_and_six_squares() -> None:
    c = crystal("bcc")
    _, faces, order = voronoi_cells(c, every(c), ("A",))
    assert (faces == 14).all()
    corners = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, 8).T
    ways = np.vstack([corners, np.eye(3), -np.eye(3)])
    weight = np.array([3 * np.sqrt(3) / 2] * 8 + [1] * 6)  # areas, of a common edge
    for l, column in ((4, 0), (6, 1)):
        q = weight @ real_harmonics(ways, l)[:, l * l :] / weight.sum()
        expected = np.sqrt(4 * np.pi / (2 * l + 1) * (q**2).sum())
        np.testing.assert_allclose(order[:, column], expected, atol=SUMS)


@pytest.mark.parametrize("n", [1, 2, 30, 1000])
def test_voronoi_cells_fill_any_cell(n: int) -> None:
    """A lone particle has its lattice's cell; a gas has large holes."""
    rng = np.random.default_rng(n)
    cell = np.array([[1.0, 0, 0], [0.4, 1.2, 0], [-0.3, 0.5, 0.7]]) * n ** (1 / 3)
    c = Configuration(positions=rng.random((n, 3)) @ cell, species="A", cell=cell)
    volume, faces, _ = voronoi_cells(c, every(c), ("A",))
    assert volume.sum() == pytest.approx(c.volume, rel=1e-9)
    assert faces.min() >= 6


@pytest.mark.peers
def test_voronoi_cells_are_those_of_freud() -> None:
    freud = pytest.importorskip("freud")
    c = gas(500)
    cells = freud.locality.Voronoi()
    box = freud.box.Box.cube(c.cell[0, 0])
    cells.compute((box, box.make_absolute(c.fractional())))
    volume, faces, order = voronoi_cells(c, every(c), ("A", "B"))
    np.testing.assert_allclose(volume, cells.volumes, rtol=SINGLE)
    assert (faces.sum(axis=1) == cells.nlist.neighbor_counts).mean() > 0.98  # tiny ones
    for k, l in enumerate((4, 6)):
        q = freud.order.Steinhardt(l=l, weighted=True)
        q.compute((box, box.make_absolute(c.fractional())), neighbors=cells.nlist)
        np.testing.assert_allclose(order[:, k], q.particle_order, atol=10 * SINGLE)


def test_diamond_is_tetrahedral_and_a_gas_is_not() -> None:
    fcc = crystal("fcc")
    shift = np.full(3, np.diff(np.unique(fcc.positions[:, 0].round(9)))[0] / 2)
    both = np.vstack([fcc.positions, fcc.positions + shift])
    diamond = Configuration(positions=both, species="A", cell=fcc.cell)
    np.testing.assert_allclose(tetrahedrality(diamond, every(diamond)), 1.0, atol=SUMS)
    random = tetrahedrality(gas(4000), np.arange(4000))
    assert abs(random.mean()) < 4 * random.std() / np.sqrt(4000)


def test_the_local_density_of_a_gas_is_its_density() -> None:
    c = gas(4000, density=1.7)
    found = local_density(c, every(c), ("A", "B"), [0.8, 1.2])
    assert found.mean(axis=0) == pytest.approx(np.full((2, 2), 0.85), rel=0.02)


def test_the_entropy_of_a_gas_is_that_of_its_smoothing_and_scatter() -> None:
    """Smoothed, the pairs of a gas do not have g = 1 close to the particle, and the scatter of
    their numbers adds (g - 1)^2 / 2: cutoff / (8 sqrt(pi) w) for each species."""
    dense, cutoff, w = gas(40_000, density=1000.0), 0.7, 0.15
    r, dr = (np.arange(19) + 0.5) * cutoff / 19, cutoff / 19  # as fine as a quarter of w
    there, step = np.linspace(0, cutoff + 4 * w, 4000, retstep=True)
    bell = np.exp(-((r[:, None] - there) ** 2) / (2 * w**2)) / (np.sqrt(2 * np.pi) * w)
    g = (bell * there**2).sum(axis=1) * step / r**2
    smooth = -2 * np.pi * 1000.0 * ((g * np.log(g) - g + 1) * r**2).sum() * dr
    found = excess_entropy(dense, np.arange(100), ("A", "B"), cutoff=cutoff, smoothing=w)
    expected = smooth - 2 * cutoff / (8 * np.sqrt(np.pi) * w)
    assert found.mean() == pytest.approx(expected, abs=4 * found.std() / 10)


def test_order_lowers_the_entropy() -> None:
    melt = replace(glass("kob-andersen").configuration, species="A")
    solid, vapour = crystal("fcc", noise=0.03), replace(gas(400, density=1.2), species="A")
    found = [excess_entropy(c, every(c), ("A",), cutoff=2.5).mean() for c in (solid, melt, vapour)]
    assert found[0] < found[1] - 0.5 < found[2] - 1.0


# ---------------------------------------------------------------- slow sums


def test_entropy_is_the_integral_over_what_one_particle_sees() -> None:
    c, width, cutoff = gas(40, density=1.2, seed=3), 0.2, 1.5
    r = (np.arange(30) + 0.5) * cutoff / 30  # as fine as a quarter of the smoothing
    near = find_neighbors(c, cutoff + 4 * width, np.array([5]))
    total = 0.0
    for label in "AB":
        rho = 20 / c.volume
        mine = near.distances[c.species[near.index] == label]
        g = np.array([np.exp(-((x - mine) ** 2) / (2 * width**2)).sum() for x in r])
        g /= np.sqrt(2 * np.pi) * width * 4 * np.pi * r**2 * rho
        total -= 2 * np.pi * rho * ((g * np.log(g) - g + 1) * r**2).sum() * cutoff / 30
    assert excess_entropy(c, np.array([5]), ("A", "B"), cutoff, width) == pytest.approx(total)


def test_symmetry_functions_are_sums_over_neighbours_and_over_pairs_of_them() -> None:
    c, cutoff, site = gas(60, density=1.0, seed=1), 2.0, 7
    near = find_neighbors(c, cutoff, np.array([site]))
    f = (np.cos(np.pi * near.distances / cutoff) + 1) / 2
    radial = radial_functions(c, np.array([site]), ("A", "B"), cutoff)[0]
    angular = angular_functions(c, np.array([site]), ("A", "B"), cutoff)[0]
    slow, d = np.zeros_like(radial), cutoff / CENTRES
    for r, end, j in zip(near.distances, f, near.index, strict=True):
        for k in range(CENTRES):
            slow["AB".index(c.species[j]), k] += np.exp(-((r - (k + 1) * d) ** 2) / 2 / d**2) * end
    np.testing.assert_allclose(radial, slow, atol=SUMS)
    slow = np.zeros_like(angular)
    for j, k in combinations(range(len(f)), 2):
        a, b = near.vectors[j], near.vectors[k]
        edges = a @ a + b @ b + (a - b) @ (a - b)
        cosine = a @ b / np.sqrt((a @ a) * (b @ b))
        pair = {"AA": 0, "AB": 1, "BA": 1, "BB": 2}["".join(c.species[near.index[[j, k]]])]
        slow[pair] += [
            np.exp(-edges / x**2) * 2.0 ** (1 - z) * (1 + s * cosine) ** z * f[j] * f[k]
            for x in LENGTHS for z in SHARPNESS for s in SIGNS
        ]  # fmt: skip
    np.testing.assert_allclose(angular, slow, atol=SUMS)


def test_the_power_spectrum_is_a_sum_over_m() -> None:
    """Of each l up to one factor, which standardised columns do not feel."""
    c = gas(40, seed=2)
    found = power_spectrum(ACE, Sites(c))
    near = find_neighbors(c, 2.0)
    radial = ACE.fit().radial_.evaluate(near.distances, 6)
    Y = real_harmonics(near.vectors, 6)
    each = radial[:, :, None] * Y[:, None, :]
    A = np.zeros((len(c), 2, 6, 49))
    np.add.at(A, (near.centre, (c.species[near.index] == "B").astype(int)), each)
    full = ACEDescriptor(**{**ACE.get_params(), "purify": False}).fit().basis_
    second = np.flatnonzero(full.order == 2)
    assert len(second) == len(found.columns) == found.values.shape[1]
    factors: dict[int, list[float]] = {}
    for column, k in zip(found.values.T, second, strict=True):
        (z, y), (n, o), l = full.z[k, :2], full.n[k, :2], int(full.l[k, 0])
        m = slice(l * l, (l + 1) ** 2)
        slow = (A[:, z, n - 1, m] * A[:, y, o - 1, m]).sum(axis=1)
        factors.setdefault(l, []).append(slow @ column / (column @ column))
        np.testing.assert_allclose(slow, factors[l][-1] * column, rtol=SUMS, atol=SUMS)
    assert sorted(factors) == [0, 1]
    for values in factors.values():
        np.testing.assert_allclose(np.abs(values), abs(values[0]), rtol=SUMS)


@pytest.mark.parametrize("name", MODELS)
def test_energies_of_particles_add_up_to_that_of_the_engine(name: str) -> None:
    model, c = MODELS[name], liquid(name).configuration
    with LammpsEngine(model, c) as engine:
        engine.commands(["run 0"])
        whole = engine.energy()
    u = particle_energies(model, c)
    assert u.mean() == pytest.approx(whole, rel=1e-12)
    assert u.std() > 0.1


def test_energies_of_inverse_powers_add_up_too() -> None:
    soft = GlassModel(
        name="soft", species=("A", "B"), fractions=(0.5, 0.5), masses=(1.0, 1.0),
        potential=InversePower(sigma=((1.0, 0.9), (0.9, 0.8))), number_density=1.0,
        temperature=0.1, lag=1.0, citation="an example",
    )  # fmt: skip
    c = crystal("fcc", noise=0.02)
    c = Configuration(positions=c.positions, species=["A", "B"] * (len(c) // 2), cell=c.cell)
    with LammpsEngine(soft, c) as engine:
        engine.commands(["run 0"])
        assert particle_energies(soft, c).mean() == pytest.approx(engine.energy(), rel=1e-10)


def test_energies_of_a_potential_of_many_bodies_are_refused() -> None:
    alloy = GlassModel(
        name="alloy", species=("A",), fractions=(1.0,), masses=(1.0,), units="metal",
        potential=EmbeddedAtom(file="Cu.eam", elements=("Cu",), diameters=((2.5,),)),
        number_density=0.08, temperature=300.0, lag=1.0, citation="an example",
    )  # fmt: skip
    with pytest.raises(InputError, match="known for pair potentials, got EmbeddedAtom"):
        particle_energies(alloy, gas(40))


# ---------------------------------------------------------------- all of them


@given(seed=st.integers(0, 2**32))
@settings(max_examples=6)
def test_no_baseline_feels_rotation_reflection_translation_cell_or_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = gas(150, seed=seed)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]  # a reflection too
    order = rng.permutation(len(start))
    turns = rng.integers(-2, 3, (len(start), 3))
    moved = (start.positions + rng.normal(size=3) + turns @ start.cell) @ turn
    skewed = np.array([[1, 0, 0], [1, 1, 0], [0, -1, 1]]) @ start.cell @ turn
    other = Configuration(positions=moved[order], species=start.species[order], cell=skewed)
    sites = rng.choice(len(start), 8, replace=False)
    rows = np.argsort(order)[sites]
    how = {"cutoff": 2.0, "descriptor": ACE, "model": MODELS["kob-andersen"]}
    for one, two in zip(
        baselines(Sites(start, sites), ("A", "B"), **how),
        baselines(Sites(other, rows), ("A", "B"), **how),
        strict=True,
    ):
        assert one.columns == two.columns
        scale = np.abs(one.values).max()
        np.testing.assert_allclose(one.values, two.values, atol=1e-8 * scale, err_msg=one.name)


def test_families_have_a_row_for_each_site_and_names_for_their_columns() -> None:
    a, b = gas(64), gas(100, density=1.2, seed=4)
    sites = Sites.concatenate([Sites(b, [3]), Sites(a, [60, 1]), Sites(b, [9, 4])])
    found = {x.name: x for x in baselines(sites, ("A", "B"), cutoff=1.5, descriptor=ACE)}
    assert "potential energy" not in found
    for family in found.values():
        assert family.values.shape == (5, len(family.columns))
        assert len(set(family.columns)) == len(family.columns)
        assert np.isfinite(family.values).all()
    alone = tetrahedrality(a, np.array([60, 1]))
    np.testing.assert_array_equal(found["tetrahedrality"].values[1:3, 0], alone)
    assert found["local density"].choose_one


def test_isolated_particles_have_zeros() -> None:
    far = Configuration(positions=10.0 * np.eye(3), species="A", cell=30.0)
    assert not local_density(far, every(far), ("A",), [0.5]).any()
    assert not radial_functions(far, every(far), ("A",), 2.0).any()
    assert not angular_functions(far, every(far), ("A",), 2.0).any()
    assert not coordination(far, every(far), ("A",), 2.0).any()


def test_what_cannot_be_measured_is_refused() -> None:
    c = gas(40)
    with pytest.raises(InputError, match=r"lengths must be positive numbers, got \[0\.0\]"):
        local_density(c, every(c), ("A", "B"), [0.0])
    with pytest.raises(InputError, match="species B not declared"):
        coordination(c, every(c), ("A",), 1.0)
    with pytest.raises(InputError, match="smoothing must be a positive number"):
        excess_entropy(c, every(c), ("A", "B"), 1.0, smoothing=0.0)
    empty = Configuration(positions=np.empty((0, 3)), species=[], cell=3.0)
    for measure in (tetrahedrality, lambda c, i: voronoi_cells(c, i, ("A",))):
        with pytest.raises(InputError, match="holds no particle"):
            measure(empty, np.arange(0))
