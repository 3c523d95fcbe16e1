"""Errors a user can act on: each says what was expected, what came and what to do."""

from __future__ import annotations

from pathlib import Path

LONGEST = 1500
"""Characters of a message, at most: what came, word for word, may be the whole of a file."""


class AmorphaceError(Exception):
    """Base of all errors raised on purpose; the command line prints it in one line.

    Parameters
    ----------
    message : str
        Its middle is left out where it is very long.
    """

    def __init__(self, message: str) -> None:
        if len(message) > LONGEST:
            message = f"{message[: LONGEST // 2]} ... {message[-LONGEST // 2 :]}"
        super().__init__(message)


class InputError(AmorphaceError, ValueError):
    """An argument, a configuration or a table is not usable."""


class FileFormatError(InputError):
    """A file is not what it should be.

    Parameters
    ----------
    path : str or Path
        The file.
    message : str
        What was expected, what came, what to do.
    line : int, optional
        Line number, counted from 1.
    """

    def __init__(self, path: str | Path, message: str, line: int | None = None) -> None:
        self.path = Path(path)
        self.line = line
        self._given = (path, message, line)
        place = f"{path}:{line}" if line is not None else str(path)
        super().__init__(f"{place}: {message}")

    def __reduce__(self) -> tuple[type[FileFormatError], tuple[str | Path, str, int | None]]:
        return type(self), self._given  # the way back from another process


class InputWarning(UserWarning):
    """Input that can be used, and is probably not what was meant."""


class SimulationError(AmorphaceError, RuntimeError):
    """A simulation stopped, or came out unhealthy."""


class SetupError(SimulationError):
    """A simulation cannot run on this machine: a program is missing, the disk is full."""
