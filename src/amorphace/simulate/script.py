"""What LAMMPS reads: commands and data of a model and a configuration."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.io.data import data_text
from amorphace.io.text import text_rows
from amorphace.simulate.command import write_file
from amorphace.simulate.engine import (
    BAROSTAT_STEPS,
    LONGEST_MOVE,
    SOFT_HEIGHT,
    THERMOSTAT_STEPS,
    Motion,
)
from amorphace.simulate.models import GlassModel

SKIN = 0.3
"""Of the neighbour lists, in units of sigma (metal: 2 Angstrom)."""
THERMO = ("step", "temp", "press", "pe", "etotal", "vol")


def setup_commands(model: GlassModel, data: Path, *, fixed_order: bool = False) -> list[str]:
    """LAMMPS commands that load a data file of the model, all but the pair interaction."""
    chains = model.chains
    return [
        f"units {model.units}",
        f"atom_style {'atomic' if chains is None else 'bond'}",
        f"atom_modify map yes{' sort 0 0.0' if fixed_order else ''}",
        *([] if chains is None else ["special_bonds fene", *chains.commands()[:1]]),
        f"read_data {shlex.quote(str(data))}",
        *([] if chains is None else chains.commands()[1:]),
        f"neighbor {SKIN if model.units == 'lj' else 2.0} bin",
        "neigh_modify every 1 delay 0 check yes",
        f"timestep {model.timestep:.17g}",
        f"thermo_style custom {' '.join(THERMO)} pxy",
        "thermo_modify norm no flush yes",
        "thermo 2000000000",
    ]


def motion_commands(model: GlassModel, motion: Motion) -> list[str]:
    """LAMMPS fixes that integrate."""
    period = BAROSTAT_STEPS * model.timestep
    damping = THERMOSTAT_STEPS * model.timestep
    fixes = ["fix move all nve"]
    if motion.pressure is not None:
        p = f"{motion.pressure:.17g}"
        fixes = [f"fix move all nph iso {p} {p} {period:.17g}"]
    if motion.temperatures is not None:
        begin, end = motion.temperatures
        fixes += [
            f"fix heat all langevin {begin:.17g} {end:.17g} {damping:.17g} {motion.seed} zero yes"
        ]
    return fixes


def push_off_commands(model: GlassModel, seed: int) -> list[str]:
    """LAMMPS commands for the soft part of a push-off, limited motion included."""
    heat = model.boltzmann() * model.melt_temperature
    sizes = model.potential.diameters
    largest, kinds = max(map(max, sizes)), range(len(sizes))
    damping = THERMOSTAT_STEPS / 4 * model.timestep
    return [
        f"pair_style soft {largest:.17g}",
        *(
            f"pair_coeff {i + 1} {j + 1} {heat:.17g} {sizes[i][j]:.17g}"
            for i in kinds
            for j in kinds[i:]
        ),
        f"variable height equal ramp({heat:.17g},{SOFT_HEIGHT * heat:.17g})",
        "fix grow all adapt 1 pair soft a * * v_height",
        f"fix move all nve/limit {LONGEST_MOVE * largest:.17g}",
        f"fix heat all langevin {model.melt_temperature:.17g} {model.melt_temperature:.17g} "
        f"{damping:.17g} {seed}",
    ]


def write_data(
    path: Path,
    model: GlassModel,
    configuration: Configuration,
    velocities: NDArray[np.float64] | None = None,
    *,
    tilted: bool = False,
) -> None:
    """A LAMMPS data file with every number to its last bit; ids are 1, 2, ... in row order.

    Raises
    ------
    InputError
        As `io.data.data_text`.
    SetupError
        If the disk is full or may not be written to.
    """
    number = np.arange(1, len(configuration) + 1)
    types = [np.arange(1, len(model.masses) + 1), np.array(model.masses)]
    after = {}
    if velocities is not None:
        after["Velocities"] = text_rows([number, *np.asarray(velocities).T])
    header, molecules = [], None
    if model.chains is not None:
        molecules = (number - 1) // model.chains.length + 1
        bonds = model.bonds(len(configuration)) + 1
        header = [f"{len(bonds)} bonds", "1 bond types", "2 extra bond per atom"]
        header += ["4 extra special per atom"]
        count = np.arange(1, len(bonds) + 1)
        after["Bonds"] = text_rows([count, np.ones_like(count), *bonds.T])
    text = data_text(
        replace(configuration, ids=number),
        model.species,
        "LAMMPS",
        before={"Masses": text_rows(types)},
        after=after,
        molecules=molecules,
        header=header,
        tilted=tilted,
    )
    write_file(path, text)


def unpack_turns(image: NDArray[np.integer], bits: int) -> NDArray[np.int64]:
    """Cell vectors that image flags of three components of so many bits count, shape (n, 3)."""
    shifts, zero = bits * np.arange(3), 1 << bits - 1
    return (image.astype(np.int64)[:, None] >> shifts & 2 * zero - 1) - zero


def pack_turns(turns: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """The image flags that `unpack_turns` takes apart, shape (n,)."""
    return (turns + (1 << bits - 1) << bits * np.arange(3)).sum(axis=1)
