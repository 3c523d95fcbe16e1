"""What LAMMPS reads: commands and data of a model and a configuration."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import InputError
from amorphace.simulate.command import (
    write_text,
)
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
FARTHEST = 512
"""Cells away at which image flags of the usual build begin anew."""
THERMO = ("step", "temp", "press", "pe", "etotal", "vol")


def record_steps(steps: int) -> int:
    """Steps between two records of a run: a hundred records, or fewer of a short run."""
    return max(20, -(-steps // 100))


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
    triclinic: bool = False,
) -> None:
    """A LAMMPS data file with every number to its last bit; ids are 1, 2, ... in row order."""
    cell = lammps_cell(configuration)
    wrapped, turns = wrap(configuration)
    n, bonds = len(configuration), model.bonds(len(configuration))
    kind = configuration.species_index(model.species) + 1
    lines = ["amorphace", "", f"{n} atoms", f"{len(model.species)} atom types"]
    if model.chains is not None:
        lines += [f"{len(bonds)} bonds", "1 bond types", "2 extra bond per atom"]
        lines += ["4 extra special per atom"]
    lines += [f"0.0 {cell[k, k]:.17g} {a}lo {a}hi" for k, a in enumerate("xyz")]
    tilts = cell[1, 0], cell[2, 0], cell[2, 1]
    if triclinic or any(tilts):
        lines += [" ".join(f"{t:.17g}" for t in tilts) + " xy xz yz"]
    lines += ["", "Masses", ""]
    lines += [f"{k + 1} {m:.17g}" for k, m in enumerate(model.masses)]
    lines += ["", "Atoms", ""]
    chain = None if model.chains is None else np.arange(n) // model.chains.length + 1
    for k, (t, x, turn) in enumerate(zip(kind, wrapped.tolist(), turns.tolist(), strict=True)):
        head = f"{k + 1} {t}" if chain is None else f"{k + 1} {chain[k]} {t}"
        place = f"{x[0]:.17g} {x[1]:.17g} {x[2]:.17g}"
        lines.append(f"{head} {place} {turn[0]} {turn[1]} {turn[2]}")
    if velocities is not None:
        lines += ["", "Velocities", ""]
        for k, v in enumerate(np.asarray(velocities).tolist()):
            lines.append(f"{k + 1} {v[0]:.17g} {v[1]:.17g} {v[2]:.17g}")
    if len(bonds):
        lines += ["", "Bonds", ""]
        lines += [f"{k + 1} 1 {i + 1} {j + 1}" for k, (i, j) in enumerate(bonds.tolist())]
    write_text(path, "\n".join(lines) + "\n")


def wrap(configuration: Configuration) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Positions inside the cell, shape (n, 3), and the cell vectors taken off, shape (n, 3).

    Raises
    ------
    InputError
        If a particle is farther away than LAMMPS counts.
    """
    turns = np.floor(configuration.fractional()).astype(np.int64)
    if len(far := np.flatnonzero(np.abs(turns).max(axis=1, initial=0) >= FARTHEST)):
        raise InputError(
            f"particle id {configuration.ids[far[0]]} lies {np.abs(turns[far[0]]).max()} cells "
            f"away, LAMMPS counts less than {FARTHEST}: wrap the positions into the cell"
        )
    return configuration.positions - turns @ configuration.cell, turns


def unpack_turns(image: NDArray[np.integer], bits: int) -> NDArray[np.int64]:
    """Cell vectors that image flags of three components of so many bits count, shape (n, 3)."""
    shifts, zero = bits * np.arange(3), 1 << bits - 1
    return (image.astype(np.int64)[:, None] >> shifts & 2 * zero - 1) - zero


def pack_turns(turns: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """The image flags that `unpack_turns` takes apart, shape (n,)."""
    return (turns + (1 << bits - 1) << bits * np.arange(3)).sum(axis=1)


def lammps_cell(configuration: Configuration) -> NDArray[np.float64]:
    """The cell, checked to be one that LAMMPS can hold."""
    cell = configuration.cell
    if np.triu(cell, 1).any() or (np.diag(cell) <= 0).any():
        raise InputError(
            f"LAMMPS needs a along x, b in the xy plane and a right-handed cell, got "
            f"{cell.tolist()}; rotate the configuration"
        )
    return cell
