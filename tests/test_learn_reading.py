"""Whether weights may be read, and how firm a score is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from amorphace.core.errors import FileFormatError, InputError
from amorphace.dataset.table import Columns
from amorphace.learn.leverage import Leverage
from amorphace.learn.logistic import fit_classifier
from amorphace.learn.model import LinearModel
from amorphace.learn.reading import may_be_read, readability
from amorphace.learn.results import Curve
from amorphace.learn.splits import split


def two_families(n: int) -> Columns:
    """n radial columns of A, then n of B."""
    z = np.repeat([0, 1], n)[:, None]
    names = [f"{s}{k}" for s in "AB" for k in range(n)]
    return Columns(names=names, order=[1] * 2 * n, z=z, n=z, l=z)


def measured(X: np.ndarray, y: np.ndarray, columns: Columns) -> Curve:
    groups = np.arange(len(y)) % 5
    folds = split(y, groups, n_splits=5)
    models = [
        fit_classifier(
            X[f.train], y[f.train], groups[f.train], names=columns.names, settings={},
            strengths=[1.0],
        )
        for f in folds
    ]  # fmt: skip
    return readability(models, X, folds, columns, ("A", "B"))


def test_independent_columns_may_be_read_and_near_copies_may_not() -> None:
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(2, 600, 6))
    y = (X @ [2, 1, -1, -2, 1, 1.5] > 0).astype(int)
    plain = measured(X, y, two_families(3))
    assert plain.labels == ("order 1: A", "order 1: B")
    assert plain.x.tolist() == [3, 3]
    np.testing.assert_allclose(plain["largest_inflation"], 1, atol=0.1)
    np.testing.assert_allclose(plain["unheld"], 1, atol=0.05)
    good, said = may_be_read(plain)
    assert good
    assert said.startswith("The weights may be read one by one: the condition number of the colu")
    X[:, 3:] = X[:, :3] + 0.05 * noise[:, 3:]
    copied = measured(X, y, two_families(3))
    # R^2 = 1/(1 + 0.05^2), so that 1/(1 - R^2) is about 400; what is missed is 0.05 of the norm
    np.testing.assert_allclose(copied["inflation"], 400, rtol=0.2)
    np.testing.assert_allclose(copied["unheld"], 0.05, rtol=0.2)
    np.testing.assert_allclose(copied["condition"], 40, rtol=0.2)
    good, said = may_be_read(copied)
    assert not good
    assert "may not be read one by one" in said
    assert said.endswith("Read their sums, the cluster functions.")


def test_columns_that_repeat_others_and_constant_ones_are_no_trouble() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 4))
    X[:, 2], X[:, 3] = X[:, 0], 7.0
    found = measured(X, (X[:, 0] > 0).astype(int), two_families(2))
    assert all(np.isfinite(values).all() for values in found.scores.values())
    assert found["largest_inflation"].min() > 1e5


def model_of(X: np.ndarray, y: np.ndarray) -> LinearModel:
    names = [f"c{k}" for k in range(X.shape[1])]
    return fit_classifier(X, y, np.arange(len(y)) % 5, names=names, settings={}, strengths=[2.0])


def test_rigidity_is_the_inverse_leverage_of_the_training_sites() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(120, 5)) * [1, 10, 0.1, 1, 3] + 4
    model = model_of(X, (X[:, 0] > 4).astype(int))
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    h = np.einsum("ik,kl,il->i", Z, np.linalg.inv(Z.T @ Z + 2.0 * np.eye(5)), Z)
    np.testing.assert_allclose(model.rigidity(X), 1 / h, rtol=1e-5)
    assert model.leverage is not None
    assert model.leverage.largest == pytest.approx(h.max(), rel=1e-5)
    far = X.mean(axis=0) + 10 * X.std(axis=0)
    assert model.rigidity(far[None])[0] < 1 / model.leverage.largest
    assert model.rigidity(X.mean(axis=0)[None])[0] > 1e6


def test_a_model_keeps_its_leverage_in_its_file_and_old_ones_have_none(tmp_path) -> None:
    X = np.random.default_rng(3).normal(size=(60, 3))
    model = model_of(X, (X[:, 0] > 0).astype(int))
    model.to_json(tmp_path / "m.json")
    back = LinearModel.from_json(tmp_path / "m.json")
    np.testing.assert_array_equal(back.rigidity(X), model.rigidity(X))
    fields = {k: getattr(model, k) for k in ("names", "weights", "intercept", "mean", "scale")}
    bare = LinearModel(**fields, strength=1.0, settings={}, version="0")
    assert np.isnan(bare.rigidity(X)).all()
    with pytest.raises(InputError, match=r"leverage.directions must hold 3 x 1 floats .* got 36"):
        LinearModel(
            names=("a",), weights=[1], intercept=0, mean=[0], scale=[1], strength=1.0,
            settings={}, version="0", leverage=model.leverage,
        )  # fmt: skip
    assert model.leverage is not None
    with pytest.raises(InputError, match=r"leverage\.directions must be base64"):
        replace(model, leverage=replace(model.leverage, directions="§"))


def test_a_leverage_kept_as_a_triangle_is_still_read(tmp_path) -> None:
    X = np.random.default_rng(4).normal(size=(60, 3))
    model = model_of(X, (X[:, 0] > 0).astype(int))
    model.to_json(tmp_path / "m.json")
    fields = json.loads((tmp_path / "m.json").read_text())
    Z = (X - model.mean) / model.scale
    full = np.linalg.inv(Z.T @ Z + 2.0 * np.eye(3))
    triangle = {"inverse": full[np.tril_indices(3)].tolist(), "largest": 0.25}
    (tmp_path / "m.json").write_text(json.dumps(fields | {"leverage": triangle}))
    old = LinearModel.from_json(tmp_path / "m.json")
    np.testing.assert_allclose(old.rigidity(X), model.rigidity(X), rtol=1e-5)
    assert old.leverage is not None
    assert old.leverage.largest == 0.25
    triangle["inverse"].pop()
    (tmp_path / "m.json").write_text(json.dumps(fields | {"leverage": triangle}))
    with pytest.raises(FileFormatError, match=r"m.json: leverage.inverse must be the 6 numbers"):
        LinearModel.from_json(tmp_path / "m.json")


def test_a_few_directions_tell_the_leverage_of_many_columns(tmp_path) -> None:
    """Columns whose variances fall over five decades, as those of correlated features do."""
    rng = np.random.default_rng(5)
    n = 300
    turned = np.linalg.qr(rng.normal(size=(n, n)))[0] * np.logspace(0, -5, n)
    X = rng.normal(size=(500, n)) @ turned @ rng.normal(size=(n, n))
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    leverage = Leverage.of(Z, 1.0)
    h = np.einsum("ik,kl,il->i", Z, np.linalg.inv(Z.T @ Z + np.eye(n)), Z)
    np.testing.assert_allclose(leverage.values(Z), h, rtol=0.01)
    assert leverage.values(Z).sum() == pytest.approx(h.sum(), rel=1e-3)
    assert len(leverage.directions) < 4 / 3 * 2 * 200 * n + 4
