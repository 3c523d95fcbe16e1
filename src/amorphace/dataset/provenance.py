"""Where a table comes from: version, command, parameters and the digests of the input files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from amorphace.core.digest import package_version, sha256
from amorphace.dataset.table import json_value


def provenance(
    command: str, parameters: Mapping[str, Any], inputs: Iterable[str | Path] = ()
) -> dict[str, Any]:
    """What a table was made with, and from which files.

    It holds no date, no folder and no host name: equal inputs give equal bytes wherever and
    whenever they are used.

    Parameters
    ----------
    command : str
        What made the table, for example "label".
    parameters : mapping of str to JSON value
    inputs : iterable of str or Path
        Files, or folders such as a Zarr group.

    Returns
    -------
    dict
        "amorphace" (version), "command", "parameters", "inputs" (a list of "name", "sha256").

    Raises
    ------
    InputError
        If an input does not exist or a parameter is not a JSON value.

    Examples
    --------
    >>> provenance("label", {"fraction": 0.05})["parameters"]
    {'fraction': 0.05}
    """
    return {
        "amorphace": package_version(),
        "command": command,
        "parameters": json_value(dict(parameters), "parameters"),
        "inputs": [{"name": Path(path).name, "sha256": sha256(path)} for path in inputs],
    }
