"""amorphace: which particles of a glass will rearrange, told from structure alone.

Configuration, Sites     particles in a periodic cell; which of them to describe
read, iread, write       LAMMPS dumps and data, extended XYZ, GSD, npz
read_columns             what stands in a file beside the particles
ACEDescriptor            the purified atomic cluster expansion, a scikit-learn transformer
d2min, propensity        who moved
load, fit, load_model    samples from files; a model that knows what it is worth
view                     a glass in three dimensions
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from amorphace.core.configuration import Configuration
from amorphace.core.errors import (
    AmorphaceError,
    FileFormatError,
    InputError,
    SetupError,
    SimulationError,
)
from amorphace.core.sites import Sites

if TYPE_CHECKING:
    from amorphace.ace.descriptor import ACEDescriptor
    from amorphace.front.fit import fit
    from amorphace.front.predictor import load_model
    from amorphace.front.samples import load
    from amorphace.front.view import view
    from amorphace.io import iread, read, read_columns, write
    from amorphace.observe.d2min import d2min
    from amorphace.observe.propensity import propensity

_ON_DEMAND = {
    "ACEDescriptor": "amorphace.ace.descriptor",
    "d2min": "amorphace.observe.d2min",
    "fit": "amorphace.front.fit",
    "iread": "amorphace.io",
    "load": "amorphace.front.samples",
    "load_model": "amorphace.front.predictor",
    "propensity": "amorphace.observe.propensity",
    "read": "amorphace.io",
    "read_columns": "amorphace.io",
    "view": "amorphace.front.view",
    "write": "amorphace.io",
}

__all__ = [
    "ACEDescriptor",
    "AmorphaceError",
    "Configuration",
    "FileFormatError",
    "InputError",
    "SetupError",
    "SimulationError",
    "Sites",
    "d2min",
    "fit",
    "iread",
    "load",
    "load_model",
    "propensity",
    "read",
    "read_columns",
    "view",
    "write",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("amorphace")
    if name in _ON_DEMAND:
        return getattr(import_module(_ON_DEMAND[name]), name)
    raise AttributeError(f"module 'amorphace' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
