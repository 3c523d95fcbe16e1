"""LAMMPS as a command that runs beside this process, by files: `mpiexec -n 8 lmp`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError, SimulationError
from amorphace.io.dump import dump_frames
from amorphace.io.frames import pick
from amorphace.simulate.command import check_room, run_command, scratch_folder
from amorphace.simulate.engine import Motion, OpenMover, record_steps
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.models import GlassModel
from amorphace.simulate.script import (
    THERMO,
    motion_commands,
    setup_commands,
    write_data,
)
from amorphace.simulate.state import State

AGAIN = "run again: it goes on from its checkpoint"

Command = str | Sequence[str] | None


def open_lammps(command: Command = None) -> OpenMover:
    """How molecular dynamics by LAMMPS is opened, for `engine=`.

    Parameters
    ----------
    command : str or sequence of str, optional
        Such as `mpiexec -n 8 lmp`, to run outside this process; inside, on one thread, when left
        out. The first push-off of particles at random places is done inside in either case.
    """
    return LammpsEngine if command is None else partial(OutsideLammps, command)


class OutsideLammps(AbstractContextManager["OutsideLammps", None]):
    """Molecular dynamics by a command; a `Mover`, no whole engine.

    Parameters
    ----------
    command : str or sequence of str
    model : GlassModel
    configuration : Configuration
    velocities : ndarray of shape (n, 3), optional
        At rest when left out.
    """

    def __init__(
        self,
        command: Command,
        model: GlassModel,
        configuration: Configuration,
        velocities: NDArray[np.float64] | None = None,
    ) -> None:
        self.command, self.model = command, model
        rest = np.zeros(configuration.positions.shape)
        self._state = State(configuration, rest if velocities is None else velocities)

    def __exit__(self, *_: object) -> None:
        """Nothing is held between two runs."""

    def push_apart(self, seed: int) -> None:
        """Make a hot liquid of particles at random places, inside this process."""
        with LammpsEngine(self.model, self._state.configuration) as inside:
            inside.push_apart(seed)
            self._state = inside.state()

    def move(self, motion: Motion) -> NDArray[np.float64]:
        """Integrate, in a folder of its own."""
        before = self._state
        with scratch_folder() as name:
            folder = Path(name)
            write_data(folder / "start.data", self.model, before.configuration, before.velocities)
            script = [
                *setup_commands(self.model, Path("start.data")),
                *self.model.potential.commands(),
                *motion_commands(self.model, motion),
                f"thermo {record_steps(motion.steps)}",
                'thermo_modify format float "%.17g"',
                f"run {motion.steps}",
                "write_dump all custom end.dump id x y z ix iy iz vx vy vz "
                'modify sort id format float "%.17g"',
            ]
            log = run_command(self.command, script, folder)
            self._state = read_end(folder / "end.dump", before)
            return read_thermo(folder / "log.lammps", log)

    def state(self) -> State:
        """As it was given, or as the last run left it."""
        return self._state


def read_end(path: Path, like: State) -> State:
    """The state that a run outside this process ended in.

    Raises
    ------
    FileFormatError
        If the file is missing or cut: no physics, the same chunk can be run again.
    SimulationError
        If particles were lost.
    """
    try:
        with dump_frames(path) as frames:
            frame = pick(frames, 0, path)
        end, velocities = frame.configuration(None), frame.columns(("vx", "vy", "vz"))
    except FileFormatError as error:
        check_room(path.parent)
        raise FileFormatError(path, f"LAMMPS left no whole file ({error}); {AGAIN}") from None
    lost = len(like.configuration) - len(end)
    if lost:
        raise SimulationError(f"{lost} particles were lost")
    configuration = like.configuration.replace(positions=end.positions, cell=end.cell)
    return State(configuration, np.stack(list(velocities.values()), axis=1, dtype=np.float64))


def read_thermo(path: Path, log: str) -> NDArray[np.float64]:
    """Thermodynamic rows of the log of a run.

    Raises
    ------
    FileFormatError
        If the log does not hold a whole run.
    """
    lines = log.splitlines()
    begin = next((k for k, line in enumerate(lines) if line.split()[:1] == ["Step"]), len(lines))
    end = next((k for k, line in enumerate(lines) if line.startswith("Loop time")), begin)
    rows = [line.split()[: len(THERMO)] for line in lines[begin + 1 : end]]
    try:
        table = np.array([r for r in rows if r and r[0].isdigit()], dtype=float)
        if table.ndim == 2 and table.shape[1] == len(THERMO):
            return table
    except ValueError:
        pass
    raise FileFormatError(path, f"the log of LAMMPS holds no whole run; {AGAIN}")
