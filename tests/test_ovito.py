"""The modifier in a pipeline of OVITO, without a window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import amorphace as am

pytest.importorskip("ovito", reason="needs ovito (pip install 'amorphace[ovito]')")

from ovito.data import DataCollection
from ovito.io import import_file
from ovito.pipeline import Pipeline, StaticSource

from amorphace.ovito import ScoreModifier
from test_front import liquid

pytestmark = pytest.mark.filterwarnings("ignore:.*outside of what the model learned")


def shown(path: Path, frame: int = 0, **words) -> DataCollection:
    """A frame of a file after the modifier."""
    pipeline = import_file(str(path))
    pipeline.modifiers.append(ScoreModifier(**words))
    return pipeline.compute(frame)


def tilted(glass: am.Configuration) -> am.Configuration:
    shear = np.array([[1, 0, 0], [0.2, 1, 0], [0.1, -0.15, 1]])
    return am.Configuration(
        positions=glass.positions @ shear, species=glass.species, cell=glass.cell @ shear
    )


@pytest.mark.parametrize("change", [lambda c: c, tilted], ids=["cubic", "tilted"])
@pytest.mark.parametrize("suffix", ["dump", "xyz", "data"])
def test_the_score_in_a_pipeline_is_that_of_the_model(change, suffix, tmp_path):
    """Also of numbered types, which have no names."""
    glass = change(liquid())
    am.write(tmp_path / f"glass.{suffix}", glass)
    data = shown(tmp_path / f"glass.{suffix}")
    order = np.argsort(data.particles.identifiers)
    found = np.asarray(data.particles["Score"])[order]
    expected = am.load_model("kob-andersen").score(glass)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)
    assert data.attributes["Score sigma"] == 1


def test_a_cell_elsewhere_and_in_another_unit_has_the_same_scores(tmp_path):
    """Its corner away from the origin, species of other names; sigma given, or found."""
    glass = liquid()
    path = tmp_path / "glass.dump"
    am.write(path, glass)
    data = import_file(str(path)).compute()
    away = np.array([[2.5, 0, 0, 7], [0, 2.5, 0, -3], [0, 0, 2.5, 11]])
    data.particles_.positions_[:] = data.particles.positions @ away[:, :3].T + away[:, 3]
    data.cell_[:, :3] = 2.5 * data.cell[:, :3]
    data.cell_[:, 3] = away[:, 3]
    data.particles_.particle_types_.type_by_id_(1).name = "Zr"
    data.particles_.particle_types_.type_by_id_(2).name = "Cu"
    expected = am.load_model("kob-andersen").score(glass)
    for sigma in (2.5, 0):
        pipeline = Pipeline(source=StaticSource(data=data))
        pipeline.modifiers.append(ScoreModifier(sigma=sigma, species="Zr, Cu"))
        out = pipeline.compute()
        assert out.attributes["Score sigma"] == pytest.approx(2.5, rel=0.02)
        if sigma:
            np.testing.assert_allclose(out.particles["Score"], expected, rtol=1e-5)


def test_d2min_since_a_frame_follows_the_particles(tmp_path):
    glass, rng = liquid(), np.random.default_rng(3)
    places = glass.positions + rng.normal(scale=0.1, size=(256, 3))
    order = rng.permutation(256)
    after = am.Configuration(
        positions=places[order], species=glass.species[order], cell=glass.cell,
        ids=glass.ids[order], step=10,
    )  # fmt: skip
    am.write(tmp_path / "one.dump", glass)
    am.write(tmp_path / "two.dump", after)
    both = tmp_path / "both.dump"
    both.write_text("".join((tmp_path / f"{k}.dump").read_text() for k in ("one", "two")))
    data = shown(both, frame=1, displaced=True)
    found = np.asarray(data.particles["D2min"])[np.argsort(data.particles.identifiers)]
    np.testing.assert_allclose(found, am.d2min(glass, after, cutoff=2.5), rtol=1e-4)
    assert "D2min" not in shown(both).particles


def test_what_the_model_cannot_describe_is_refused(tmp_path):
    am.write(tmp_path / "glass.dump", liquid())
    data = import_file(str(tmp_path / "glass.dump")).compute()
    data.cell_.pbc = (True, True, False)
    pipeline = Pipeline(source=StaticSource(data=data))
    pipeline.modifiers.append(ScoreModifier())
    with pytest.raises(am.InputError, match="periodic in all three directions"):
        pipeline.compute()
    atoms = am.Configuration(positions=liquid().positions, species="Si", cell=liquid().cell)
    am.write(tmp_path / "other.xyz", atoms)
    with pytest.raises(am.InputError, match="species Si not known to the model"):
        shown(tmp_path / "other.xyz")
