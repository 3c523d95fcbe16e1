"""Labels of sheared glasses: localised events, as many inactive particles, one group a sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from amorphace.ace.descriptor import ACEDescriptor
from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.dataset.describe import write_features
from amorphace.dataset.label_shear import ShearSet, label_shear, shear_sites
from amorphace.dataset.sheared import Event, ShearedSample, is_event, localised_particles
from amorphace.dataset.zarr_table import read_table, write_table


def sheared(
    name: str = "one",
    n: int = 20,
    active: tuple[tuple[int, ...], ...] = ((0, 1), (2,)),
    *,
    minority: int = 4,
    seed: int = 0,
) -> ShearedSample:
    """A sample of which the last `minority` particles are B, with the given rows active."""
    rng = np.random.default_rng(seed)
    species = np.array(["A"] * (n - minority) + ["B"] * minority)
    ids = rng.permutation(n) + 100
    events, maximum = [], rng.uniform(0, 0.1, n)
    for k, rows in enumerate(active):
        d2 = rng.uniform(0, 0.3, n)
        d2[list(rows)] = rng.uniform(0.7, 9, len(rows))
        before = Configuration(positions=rng.random((n, 3)) * 3, species=species, cell=3.0, ids=ids)
        events.append(Event(7 * k + 5, 1e-4 * k, before, d2))
        maximum = np.maximum(maximum, d2)
    return ShearedSample(name, species, ids, maximum, tuple(events))


def shuffled(sample: ShearedSample, seed: int) -> ShearedSample:
    """The same sample with its particles in another order."""
    p = np.random.default_rng(seed).permutation(len(sample.ids))
    events = tuple(
        replace(
            e,
            d2min=e.d2min[p],
            before=Configuration(
                positions=e.before.positions[p],
                species=e.before.species[p],
                cell=e.before.cell,
                ids=e.before.ids[p],
            ),
        )
        for e in sample.events
    )
    return ShearedSample(sample.name, sample.species[p], sample.ids[p], sample.maximum[p], events)


@st.composite
def samples(draw: st.DrawFn) -> list[ShearedSample]:
    """Up to three samples, with localised and collective events, some of them without any."""
    out = []
    for k in range(draw(st.integers(1, 3))):
        n = draw(st.integers(8, 24))
        rows = st.sets(st.integers(0, n - 1), max_size=n // 2).map(sorted).map(tuple)
        active = draw(st.lists(rows, max_size=5).map(tuple))
        out.append(sheared(f"s{k}", n, active, minority=n // 4, seed=draw(st.integers(0, 99))))
    return out


def label_or_skip(every: list[ShearedSample], largest: int) -> ShearSet | None:
    """None where there is nothing to label, which other tests look at."""
    try:
        return label_shear(every, largest_event=largest, majority="A")
    except InputError as error:
        if "no localised plastic event" in str(error) or "none is left" in str(error):
            return None
        raise


def rows_of_events(labels: ShearSet) -> list[NDArray[np.int64]]:
    t = labels.table
    keys = sorted(set(zip(t.sample.tolist(), t.step.tolist(), strict=True)))
    return [np.flatnonzero((t.sample == s) & (t.step == k)) for s, k in keys]


# ---------------------------------------------------------------- what holds for any samples


@given(samples(), st.integers(2, 12))
def test_every_event_and_every_sample_is_balanced(every: list[ShearedSample], largest: int) -> None:
    labels = label_or_skip(every, largest)
    if labels is None:
        return
    t = labels.table
    for rows in rows_of_events(labels):
        assert (t.label[rows] == 1).sum() == (t.label[rows] == 0).sum() > 0
    for k, found in enumerate(labels.summary):
        assert found.n_active == found.n_inactive == (t.label[t.sample == k] == 1).sum()
        assert (found.n_events > 0) == (found.n_active > 0)


@given(samples(), st.integers(2, 12))
def test_no_particle_stands_twice_in_a_configuration(
    every: list[ShearedSample], largest: int
) -> None:
    labels = label_or_skip(every, largest)
    if labels is None:
        return
    for rows in rows_of_events(labels):
        assert len(set(labels.table.particle_id[rows].tolist())) == len(rows)


@given(samples(), st.integers(2, 12))
def test_inactive_particles_are_the_calmest_of_those_no_event_activates(
    every: list[ShearedSample], largest: int
) -> None:
    labels = label_or_skip(every, largest)
    if labels is None:
        return
    t = labels.table
    for k, sample in enumerate(every):
        mine = t.sample == k
        used = set(t.particle_id[mine & (t.label == 0)].tolist())
        kept = [e for e in sample.events if e.step in t.step[mine]]
        never = [
            i
            for i in range(len(sample.ids))
            if sample.species[i] == "A" and not any(e.d2min[i] > 0.6 for e in kept)
        ]
        calm = sorted(never, key=lambda i: sample.maximum[i])
        wanted = min(int((mine & (t.label == 0)).sum()), len(calm))
        assert used == {int(sample.ids[i]) for i in calm[:wanted]}


@given(samples(), st.integers(2, 12), st.integers(0, 99))
def test_labels_do_not_depend_on_the_order_of_the_particles(
    every: list[ShearedSample], largest: int, seed: int
) -> None:
    one = label_or_skip(every, largest)
    two = label_or_skip([shuffled(s, seed) for s in every], largest)
    if one is None or two is None:
        assert one is two
        return
    for name in ("sample", "step", "particle_id", "label", "species"):
        np.testing.assert_array_equal(getattr(one.table, name), getattr(two.table, name))
    for name in ("d2min", "maximum"):
        np.testing.assert_array_equal(one.table.targets[name], two.table.targets[name])


# ---------------------------------------------------------------- events


def crystal(places: list[list[int]], n: int = 8, strain: float = 0.0) -> ShearedSample:
    """A sheared simple cubic lattice of n^3 A particles, unwrapped by whole cells here and there,
    and one step in which those within 1.1 of the places are active."""
    x = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    apart = np.abs((x[:, None] - np.array(places) + n / 2) % n - n / 2)
    near = (np.square(apart).sum(axis=-1) < 1.1**2).any(axis=1)
    far = n * np.random.default_rng(0).integers(-2, 3, x.shape)
    shear = np.array([[1, 0, 0], [strain, 1, 0], [0, 0, 1.0]])
    ids = np.arange(len(x))
    species = np.full(len(x), "A")
    before = Configuration(positions=(x + far) @ shear, species=species, cell=n * shear, ids=ids)
    d2 = np.where(near, 2.0, 0.01)
    return ShearedSample("one", species, ids, d2, (Event(5, 0.0, before, d2),))


def test_an_event_needs_one_particle_over_the_threshold() -> None:
    assert not is_event([0.1, 0.6])
    assert is_event([0.1, 0.61])


@pytest.mark.parametrize("strain", [0.0, 0.1])
def test_events_far_apart_in_one_step_are_judged_one_by_one(strain: float) -> None:
    """Seven particles each; the first one lies across the boundaries of the cell."""
    two = crystal([[0, 0, 0], [4, 4, 4]], strain=strain)
    (found,) = label_shear([two], largest_event=7).summary
    assert (found.n_events, found.n_avalanches, found.n_active) == (1, 0, 14)
    with pytest.raises(InputError, match="1 collective ones left out"):
        label_shear([two], largest_event=7, events="steps")
    assert label_shear([two], largest_event=14, events="steps").summary[0].n_active == 14
    with pytest.raises(InputError, match="2 collective ones left out"):
        label_shear([two], largest_event=6)


def test_an_avalanche_goes_and_the_event_beside_it_stays() -> None:
    line = [[0, 0, z] for z in range(8)]  # through the whole cell
    sample = crystal([*line, [4, 4, 4]])
    labels = label_shear([sample], largest_event=10)
    (found,) = labels.summary
    assert (found.n_events, found.n_avalanches, found.n_active) == (1, 1, 7)
    (event,) = sample.events
    kept, n_avalanches = localised_particles(event, largest=10)
    assert (kept.sum(), n_avalanches) == (7, 1)
    assert (event.before.wrapped().positions[kept] > 2.5).all()
    swept = sample.ids[(event.d2min > 0.6) & ~kept]
    assert not set(labels.table.particle_id) & set(swept)  # nor are they inactive


@pytest.mark.parametrize("largest", [6, 7, 8])
def test_an_event_is_judged_alike_in_a_small_and_in_a_replicated_box(largest: int) -> None:
    small = crystal([[1, 1, 1]], n=4)
    large = crystal([[1 + 4 * a, 1 + 4 * b, 1 + 4 * c] for a, b, c in np.ndindex(2, 2, 2)])
    one, eight = (
        localised_particles(s.events[0], largest=largest)[0].sum() for s in (small, large)
    )
    assert eight == 8 * one == (56 if largest >= 7 else 0)


def test_an_avalanche_has_more_than_200_active_particles() -> None:
    c = crystal([[0, 0, 0]])
    ids, before = c.ids, c.events[0].before
    for n, stays in ((200, True), (201, False)):
        d2 = np.where(ids < n, 0.7, 0.1)
        event = Event(1, 0.0, before, d2)
        assert localised_particles(event)[0].any() == stays
        assert localised_particles(event, largest=None)[0].sum() == n
    with pytest.raises(InputError, match="events must be clusters or steps, got 'all'"):
        label_shear([c], events="all")


def test_an_avalanche_counts_every_species_and_is_left_out() -> None:
    sample = sheared(active=((0, 1, 16, 17), (2,)))
    labels = label_shear([sample], largest_event=3, events="steps")
    (found,) = labels.summary
    assert (found.n_events, found.n_avalanches, found.n_active) == (1, 1, 1)
    assert labels.table.step.tolist() == [12, 12]
    assert label_shear([sample], largest_event=None).summary[0].n_active == 3


def test_only_majority_particles_are_active() -> None:
    labels = label_shear([sheared(active=((0, 17), (18,)))])
    assert labels.summary[0].n_events == 1
    assert labels.table.species.tolist() == ["A", "A"]
    assert label_shear([sheared(active=((0, 17),))], majority="B").table.species[0] == "B"


def test_targets_are_the_events_d2min_and_the_maximum() -> None:
    sample = sheared()
    t = label_shear([sample]).table
    place = {int(i): k for k, i in enumerate(sample.ids)}
    for row in range(len(t)):
        k = place[int(t.particle_id[row])]
        (event,) = (e for e in sample.events if e.step == t.step[row])
        expected = event.d2min[k] if t.label[row] == 1 else sample.maximum[k]
        assert t.targets["d2min"][row] == expected
        assert t.targets["maximum"][row] == sample.maximum[k]


def test_the_calmest_particles_are_spread_over_the_events() -> None:
    """An event of three and one of six draw from the same part of the distribution."""
    sample = sheared(n=60, active=((0, 1, 2), (3, 4, 5, 6, 7, 8)), minority=0)
    labels = label_shear([sample])
    t = labels.table
    calm = np.sort(t.targets["maximum"][t.label == 0])
    for rows in rows_of_events(labels):
        own = t.targets["maximum"][rows[t.label[rows] == 0]]
        ranks = np.searchsorted(calm, own)
        assert abs(ranks.mean() - 4) <= 1
    assert len(set(t.particle_id[t.label == 0].tolist())) == 9


def test_a_large_event_keeps_its_most_active_particles() -> None:
    sample = sheared(n=10, active=(tuple(range(7)),), minority=0)
    t = label_shear([sample]).table
    assert (t.label == 1).sum() == (t.label == 0).sum() == 3
    assert t.targets["d2min"][t.label == 1].min() >= np.sort(sample.events[0].d2min)[-3]


def test_a_sample_without_events_stays_a_group_of_no_rows() -> None:
    labels = label_shear([sheared("calm", active=()), sheared("busy")])
    assert labels.table.sample_names == ("calm", "busy")
    assert set(labels.table.sample.tolist()) == {1}
    assert labels.summary[0].n_events == 0


def test_each_interval_of_a_sample_has_inactive_particles_of_its_own() -> None:
    one = sheared(active=((0, 1),), seed=1)
    two = sheared(active=((2, 3, 4),), seed=2)
    late = tuple(replace(e, step=e.step + 100) for e in two.events)
    two = replace(two, interval=1, events=late)
    other = sheared("other", seed=3)
    labels = label_shear([one, two, other], majority="A")
    t = labels.table
    assert t.sample_names == ("one", "other")
    assert [(s.name, s.n_events, s.n_active) for s in labels.summary] == [
        ("one", 2, 5),
        ("other", 2, 3),
    ]
    for part in (one, two):
        (step,) = (e.step for e in part.events)
        rows = (t.step == step) & (t.sample == 0)
        alone = label_shear([replace(part, interval=0)], majority="A").table
        np.testing.assert_array_equal(t.particle_id[rows], alone.particle_id)
        np.testing.assert_array_equal(t.targets["maximum"][rows], alone.targets["maximum"])


# ---------------------------------------------------------------- what can be done with it


def test_sites_are_in_the_configuration_before_their_event(tmp_path: Path) -> None:
    every = [sheared("one", seed=1), sheared("two", active=((5, 6, 7),), seed=2)]
    labels = label_shear(every, provenance={"command": "label"})
    sites = shear_sites(labels)
    np.testing.assert_array_equal(sites.ids, labels.table.particle_id)
    np.testing.assert_array_equal(sites.species, labels.table.species)
    events = [e for s in every for e in s.events]
    assert len(sites.configurations) == len(labels.configurations) == len(events)
    for k, sample in enumerate(sites.sample):
        before = sites.configurations[sample]
        event = next(e for e in events if np.array_equal(before.positions, e.before.positions))
        assert event.step == labels.table.step[k]
    write_table(tmp_path / "labels.zarr", labels.table)
    stored = ShearSet(read_table(tmp_path / "labels.zarr"), labels.configurations[::-1], ())
    np.testing.assert_array_equal(shear_sites(stored).ids, sites.ids)


def test_the_set_can_be_described(tmp_path: Path) -> None:
    labels = label_shear([sheared("one", seed=1), sheared("two", seed=2)])
    sites = shear_sites(labels)
    ace = ACEDescriptor(cutoff=1.4, species=("A", "B"), max_order=2, max_degree=4, n_max=3)
    write_features(tmp_path / "set.zarr", labels.table, sites, [ace])
    described = read_table(tmp_path / "set.zarr")
    np.testing.assert_array_equal(described.feature_rows(1.4), ace.transform(sites))
    np.testing.assert_array_equal(described.label, labels.table.label)


# ---------------------------------------------------------------- what goes wrong


def test_no_event_at_all_is_said_with_a_way_out() -> None:
    with pytest.raises(InputError, match=r"no localised plastic event in 2 samples .* strain fur"):
        label_shear([sheared("a", active=()), sheared("b", active=())])
    with pytest.raises(InputError, match=r"in 1 samples \(2 collective ones left out, and 0"):
        label_shear([sheared()], largest_event=0, events="steps")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"maximum": np.zeros(3)}, "20 ids need as many species and maxima"),
        ({"maximum": np.zeros(20)}, "step 5: D2min exceeds its maximum over the strain"),
        ({"ids": np.arange(20)}, "step 5: the particles of the event are not the 20"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(change: dict, text: str) -> None:
    with pytest.raises(InputError, match=text):
        label_shear([replace(sheared(), **change)])


def test_samples_that_cannot_be_labelled_are_refused() -> None:
    with pytest.raises(InputError, match="no samples to label"):
        label_shear([])
    with pytest.raises(InputError, match="two samples are called one, interval 0"):
        label_shear([sheared(), sheared()])
    with pytest.raises(InputError, match="no particle is of species C; there are A, B"):
        label_shear([sheared()], majority="C")
    with pytest.raises(InputError, match="threshold must be positive"):
        label_shear([sheared()], threshold=0.0)
    all_active = sheared(n=6, active=(tuple(range(6)),), minority=0)
    with pytest.raises(InputError, match="and 1 of samples that no inactive particle is left in"):
        label_shear([all_active])
    one = sheared()
    twice = replace(one, events=(one.events[0], one.events[0]))
    with pytest.raises(InputError, match="each step makes one event"):
        label_shear([twice])


def test_a_configuration_that_is_missing_is_named() -> None:
    labels = label_shear([sheared()])
    with pytest.raises(InputError, match="the configuration of sample one before step 12 is miss"):
        shear_sites(replace(labels, configurations=labels.configurations[:1]))
