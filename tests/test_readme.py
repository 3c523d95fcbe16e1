import re
from pathlib import Path


def test_python_of_the_readme_runs(sources: Path) -> None:
    readme = (sources / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    assert len(blocks) == 1
    exec(compile(blocks[0], "README.md", "exec"), {})
