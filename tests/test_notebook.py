"""The notebook in examples/ runs from its first cell to its last."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_notebook_runs(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", here)  # as where the environment is active
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(sources / "examples" / "first_glass.ipynb", as_version=4)
    notebook.cells = [c for c in notebook.cells if "install" not in c.metadata.get("tags", [])]
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 3
    assert (tmp_path / "scored.xyz").is_file()
