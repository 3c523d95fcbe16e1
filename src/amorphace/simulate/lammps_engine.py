"""The engine that LAMMPS is: one system at a time, in this process, on one thread."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import SimulationError
from amorphace.io.cells import inside_cell, oriented_cell
from amorphace.simulate.command import failure, one_line, tail
from amorphace.simulate.engine import HARD_STEPS, SOFT_STEPS, Motion, record_steps
from amorphace.simulate.lammps import give_back, take
from amorphace.simulate.models import GlassModel
from amorphace.simulate.script import (
    THERMO,
    motion_commands,
    pack_turns,
    push_off_commands,
    setup_commands,
    unpack_turns,
    write_data,
)
from amorphace.simulate.state import State

MINIMISER = ("min_style cg", "min_modify dmax 0.1 line quadratic norm max")
"""Conjugate gradients end in the minimum that steepest descent ends in as often as FIRE and L-BFGS
do (docs/theory/batch.md). `line backtrack` stalls on these potentials."""
ROUND = 500_000
"""Atom-iterations between two moments at which an interrupt is seen: about a second."""
SHORTEST_ROUND = 100
"""Iterations after which the conjugate directions may be restarted without much loss."""
ITERATIONS = 200_000
"""Iterations after which a minimisation has failed."""
STALLS = 4
"""Rounds in a row that may lower neither the energy nor the force."""
ENERGY_ROUNDING = 1e-12
"""Relative change of the energy that is none."""
SLICE = 300_000
"""Atom-steps between two moments at which an interrupt is seen: less than a second."""


class LammpsEngine:
    """A LAMMPS instance with one model's particles in it; close it, or use it with `with`.

    It runs on one thread, so that the same commands give the same bytes.

    Parameters
    ----------
    model : GlassModel
    configuration : Configuration
    velocities : ndarray of shape (n, 3), optional
        At rest when left out.
    sheared : bool
        Whether the cell may be tilted by `place`, a tilted cell always may; particles then stay
        in the order of the configuration in memory, so that forces depend on positions only.

    Raises
    ------
    SimulationError
        If LAMMPS is not installed or refuses the input.
    """

    def __init__(
        self,
        model: GlassModel,
        configuration: Configuration,
        velocities: NDArray[np.float64] | None = None,
        *,
        sheared: bool = False,
    ) -> None:
        self.model = model
        self._like = configuration
        self._instance = take()
        try:
            self.commands(["clear", f"log {shlex.quote(str(self._instance.log))}"])
            data = self._instance.log.with_name("start.data")
            write_data(data, model, configuration, velocities, tilted=sheared)
            self.commands(setup_commands(model, data, fixed_order=sheared))
            self.commands(model.potential.commands())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LammpsEngine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None and self._instance is not None:
            give_back(self._instance)
            self._instance = None
        self.close()

    def __len__(self) -> int:
        return len(self._like)

    def close(self) -> None:
        """Free the instance; closing twice does nothing."""
        if self._instance is not None:
            self._instance.close()
            self._instance = None

    @property
    def _lammps(self) -> Any:
        assert self._instance is not None, "the engine is closed"
        return self._instance.lammps

    def commands(self, lines: Sequence[str]) -> None:
        """Execute LAMMPS commands one by one.

        Raises
        ------
        SimulationError
            With the command, LAMMPS' message and the last lines of its log.
        SetupError
            The same, where it is not the simulation that went wrong.
        """
        for line in lines:
            try:
                self._lammps.command(line)
            except Exception as error:
                log = self._instance.log.read_text(errors="replace") if self._instance else ""
                message = f"LAMMPS stopped at {line!r}: {one_line(str(error))}"
                raise failure(f"{message}{tail(log)}", log) from error

    def move(self, motion: Motion) -> NDArray[np.float64]:
        """Integrate, in slices between which an interrupt is seen."""
        self.commands(motion_commands(self.model, motion))
        return self._run(motion.steps)

    def _run(self, steps: int) -> NDArray[np.float64]:
        """Rows of `THERMO` at the start and every `record_steps`."""
        self.commands(["run 0 post no"])
        rows = [[self.thermo(name) for name in THERMO]]
        first, every = int(rows[0][0]), record_steps(steps)
        size = max(20, SLICE // len(self))
        for begin in range(0, steps, every):
            end = min(begin + every, steps)
            for start in range(begin, end, size):
                n = min(size, end - start)
                self.commands([f"run {n} pre no post no start {first} stop {first + steps}"])
            rows.append([self.thermo(name) for name in THERMO])
        return np.array(rows)

    def push_apart(self, seed: int) -> None:
        """Make a hot liquid of particles at random places."""
        self.commands(push_off_commands(self.model, seed))
        self._run(SOFT_STEPS)
        self.commands(["unfix grow", *self.model.potential.commands()])
        self._run(HARD_STEPS)

    def minimise(self, force_tolerance: float) -> float:
        """Conjugate gradients until forces are below the tolerance or nothing moves."""
        self.commands(MINIMISER)
        size = max(SHORTEST_ROUND, ROUND // len(self))
        energy, fmax, least, stalls = np.inf, np.inf, np.inf, 0
        for _ in range(0, ITERATIONS, size):
            self.commands([f"minimize 0.0 {force_tolerance!r} {size} {10 * size}"])
            before, energy = energy, self.thermo("pe")
            fmax = float(np.sqrt((self.forces() ** 2).sum(axis=1).max()))
            if fmax <= force_tolerance:
                break
            idle = energy > before - ENERGY_ROUNDING * abs(energy) and fmax > least / 2
            stalls, least = stalls + 1 if idle else 0, min(least, fmax)
            if stalls > STALLS:
                break
        return fmax

    def energy(self) -> float:
        """Potential energy per particle."""
        return self.thermo("pe") / len(self)

    def stress(self) -> float:
        """Shear stress sigma_xy."""
        return -self.thermo("pxy")

    def thermo(self, name: str) -> float:
        """A thermodynamic value of the last step, by LAMMPS' name."""
        return float(self._lammps.get_thermo(name))

    def cell(self) -> NDArray[np.float64]:
        """Rows are the cell vectors, shape (3, 3)."""
        low, high, xy, yz, xz, _, _ = self._lammps.extract_box()
        size = np.subtract(high, low)
        return np.array([[size[0], 0.0, 0.0], [xy, size[1], 0.0], [xz, yz, size[2]]])

    def configuration(self) -> Configuration:
        """The particles as they are, unwrapped, in the order they came in."""
        cell = self.cell()
        low = np.array(self._lammps.extract_box()[0])
        image = self._lammps.numpy.extract_atom("image")[self._order()]
        turns = unpack_turns(image, self._image_bits())
        positions = self._rows("x") - low + turns @ cell
        return self._like.replace(positions=positions, cell=cell)

    def state(self) -> State:
        """Configuration and velocities."""
        return State(self.configuration(), self._rows("v"))

    def forces(self) -> NDArray[np.float64]:
        """Force on every particle, shape (n, 3)."""
        return self._rows("f")

    def place(self, configuration: Configuration) -> None:
        """Put the particles and the cell elsewhere; the engine must have been triclinic.

        The configuration must hold the same particles in the same order.
        """
        cell = oriented_cell(configuration.cell, "LAMMPS")
        size = " ".join(f"{a} final 0.0 {cell[k, k]:.17g}" for k, a in enumerate("xyz"))
        tilt = f"xy final {cell[1, 0]:.17g} xz final {cell[2, 0]:.17g} yz final {cell[2, 1]:.17g}"
        self.commands([f"change_box all {size} {tilt} units box"])
        wrapped, turns = inside_cell(configuration)
        order = self._order()
        self._lammps.numpy.extract_atom("x")[order] = wrapped
        self._lammps.numpy.extract_atom("image")[order] = pack_turns(turns, self._image_bits())

    def _image_bits(self) -> int:
        """Bits of one component of an image flag: 21 of a build with large ones, else 10."""
        return 21 if self._lammps.extract_setting("imageint") == 8 else 10

    def _order(self) -> NDArray[np.int64]:
        """Row in LAMMPS' memory of every particle, shape (n,)."""
        n = int(self._lammps.extract_global("nlocal"))
        if n != len(self._like):
            raise SimulationError(
                f"{len(self._like) - n} of {len(self._like)} particles were lost; go on from an "
                "earlier state with a smaller time step"
            )
        tags = self._lammps.numpy.extract_atom("id")[:n]
        order = np.empty(n, dtype=np.int64)
        order[tags - 1] = np.arange(n)
        return order

    def _rows(self, name: str) -> NDArray[np.float64]:
        """A per-particle vector in the order of the configuration, shape (n, 3)."""
        return np.array(self._lammps.numpy.extract_atom(name)[self._order()])
