"""The C++ reader of plain columns; table.py is its Python face."""

from typing import Any

from numpy.typing import NDArray

def columns(
    text: bytes, kinds: str
) -> list[NDArray[Any] | tuple[NDArray[Any], list[str]]] | None: ...
