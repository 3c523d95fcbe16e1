"""The README's Python runs as it stands, on files of the names that it uses."""

import re
from contextlib import chdir
from pathlib import Path

import pytest

import amorphace as am
from test_front import shaken
from test_plausible import amorphous


@pytest.mark.filterwarnings("ignore:.*outside of what the model learned")  # 600 particles
def test_python_of_the_readme_runs(sources: Path, tmp_path: Path) -> None:
    readme = (sources / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    assert len(blocks) == 1
    for k in range(1, 4):
        start = amorphous(k)
        for name in ("initial", "inherent"):
            am.write(tmp_path / f"s{k}.{name}.dump", start)
        am.write(tmp_path / f"s{k}.ends.dump", [shaken(start, j + 5 * k, 0.06) for j in range(2)])
    with chdir(tmp_path):
        exec(compile(blocks[0], "README.md", "exec"), {})
    assert (tmp_path / "who_moves.png").stat().st_size > 10_000
    assert len(am.read(tmp_path / "scored.xyz")) == 256
