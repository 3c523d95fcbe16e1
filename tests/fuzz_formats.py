"""The formats whose damage is tried: how a small sample is made, and how it is read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from amorphace.dataset.export import export_npz
from amorphace.dataset.provenance import sha256
from amorphace.dataset.store import read_table, write_table
from amorphace.learn.bundle import read_analysis
from amorphace.learn.model import LinearModel
from amorphace.learn.predict import model_columns, model_descriptor
from amorphace.learn.propensity import read_regression

from fuzzing import Format

GOLDEN = Path(__file__).with_name("golden")


def _golden(name: str) -> Any:
    """A file or folder of format 0.1, copied."""

    def make(folder: Path) -> Path:
        source, target = GOLDEN / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        return target

    return make


def _make_table(folder: Path) -> Path:
    write_table(folder / "table.zarr", read_table(GOLDEN / "table-0.1.zarr"))
    return folder / "table.zarr"


def _read_table(path: Path) -> str:
    """All of a table, as the digest of its archive."""
    target = path.with_name("exported.npz")
    export_npz(target, read_table(path))
    return sha256(target)


def _read_old_table(path: Path) -> None:
    _read_table(path)


def _read_model(path: Path) -> None:
    model = LinearModel.from_json(path)
    model_columns(model, model_descriptor(model))


def _read_analysis(path: Path) -> None:
    read_analysis(path)


def _read_regression(path: Path) -> None:
    read_regression(path)


FORMATS = {
    "table": Format(_make_table, _read_table),
    "table-0.1": Format(_golden("table-0.1.zarr"), _read_old_table),
    "model": Format(_golden("model-0.1.json"), _read_model),
    "analysis": Format(_golden("analysis-0.1.json"), _read_analysis),
    "regression": Format(_golden("regression-0.1.json"), _read_regression),
}
