"""The engine gives back what it was given, fails in one line, and stops when told to."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from amorphace.core.configuration import Configuration
from amorphace.core.errors import FileFormatError, InputError, SetupError, SimulationError
from amorphace.simulate import (
    MODELS,
    LammpsEngine,
    Stage,
    State,
    command_of_wheel,
    open_lammps,
    run_command,
    run_stage,
)
from amorphace.simulate.lammps import Instance, free_idle
from amorphace.simulate.outside import read_end, read_thermo
from amorphace.simulate.script import pack_turns, unpack_turns, write_data
from amorphace.simulate.shear import strained
from simulate_samples import glass, liquid

KA = MODELS["kob-andersen"]
NVE = Stage(name="free", ensemble="nve", duration=1.0)
ROUNDING = 1e-13
"""Of positions below 100: one wrapping and one unwrapping."""


def after(state: State, stage: Stage = NVE, **how) -> State:
    *_, chunk = run_stage(KA, state, stage, seed=7, **how)
    return chunk.state


def test_importing_the_room_does_not_load_lammps() -> None:
    code = "import amorphace.simulate, sys; assert 'lammps' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("name", MODELS)
def test_a_state_comes_back_unwrapped_and_in_order(name: str) -> None:
    state = liquid(name)
    c = state.configuration
    far = c.replace(positions=c.positions + np.array([3, -2, 0]) @ c.cell)
    with LammpsEngine(MODELS[name], far, state.velocities) as engine:
        engine.commands(["run 0"])
        back = engine.state()
    np.testing.assert_allclose(back.configuration.positions, far.positions, atol=ROUNDING)
    np.testing.assert_array_equal(back.velocities, state.velocities)
    np.testing.assert_array_equal(back.configuration.cell, far.cell)
    assert (back.configuration.species == c.species).all()


@pytest.mark.parametrize(("bits", "integer"), [(10, np.int32), (21, np.int64)])
def test_image_flags_of_both_sizes_of_integers_are_taken_apart(bits: int, integer: type) -> None:
    half = 1 << bits - 1
    turns = np.array([[0, 0, 0], [1, -1, 2], [-half, half - 1, -half], [5, -7, half - 1]])
    image = pack_turns(turns, bits).astype(integer)
    assert image[1] == (half + 1) + (half - 1) * 2**bits + (half + 2) * 4**bits
    np.testing.assert_array_equal(unpack_turns(image, bits), turns)


def test_a_particle_farther_away_than_lammps_counts_is_refused() -> None:
    c = liquid("kob-andersen").configuration
    far = c.positions.copy()
    far[4] += 600 * c.cell[1]
    with pytest.raises(InputError, match=r"id 5 lies 600 cells away.* wrap the positions"):
        LammpsEngine(KA, c.replace(positions=far))


def test_ids_and_labels_stay_with_their_particles() -> None:
    c = liquid("kob-andersen").configuration
    rows = np.random.default_rng(0).permutation(len(c))
    mixed = Configuration(
        positions=c.positions[rows], species=c.species[rows], cell=c.cell, ids=c.ids[rows] * 10
    )
    with LammpsEngine(KA, mixed) as engine:
        engine.commands(["run 0"])
        back, energy = engine.configuration(), engine.thermo("pe")
    with LammpsEngine(KA, c) as engine:
        engine.commands(["run 0"])
        assert engine.thermo("pe") == pytest.approx(energy, rel=1e-13)
    assert (back.ids == mixed.ids).all()
    assert (back.species == mixed.species).all()


def test_placing_a_tilted_cell_moves_the_particles_there() -> None:
    c = glass("kob-andersen").configuration
    tilted = c.replace(
        positions=c.positions + 0.1 * c.positions[:, 1:2] * [1, 0, 0],
        cell=c.cell + 0.1 * c.cell[1, 1] * np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]]),
    )
    with LammpsEngine(KA, c, sheared=True) as engine:
        engine.commands(["run 0"])
        engine.place(tilted)
        engine.commands(["run 0"])
        placed, energy = engine.configuration(), engine.thermo("pe")
    with LammpsEngine(KA, tilted) as engine:
        engine.commands(["run 0"])
        assert engine.thermo("pe") == pytest.approx(energy, rel=1e-13)
    np.testing.assert_allclose(placed.positions, tilted.positions, atol=ROUNDING)
    np.testing.assert_allclose(placed.cell, tilted.cell, atol=ROUNDING)


def test_a_cell_that_lammps_cannot_hold_is_refused() -> None:
    c = Configuration(positions=[[0, 0, 0]], species="A", cell=[[0, 9, 0], [9, 0, 0], [0, 0, 9]])
    with pytest.raises(
        InputError, match=r"LAMMPS: the cell .* must have a along \+x.*rotate the configuration$"
    ):
        LammpsEngine(KA, c)


def test_the_command_gives_the_same_bytes_as_the_library() -> None:
    here, there = (
        after(liquid("kob-andersen")),
        after(liquid("kob-andersen"), engine=open_lammps(command_of_wheel())),
    )
    np.testing.assert_array_equal(here.configuration.positions, there.configuration.positions)
    np.testing.assert_array_equal(here.velocities, there.velocities)


def test_a_command_runs_in_a_tilted_cell_as_the_library_does() -> None:
    c = glass("kob-andersen").configuration
    state = State(strained(c, 0.03), liquid("kob-andersen").velocities)
    here, there = after(state), after(state, engine=open_lammps(command_of_wheel()))
    assert there.configuration.cell[1, 0] == state.configuration.cell[1, 0] > 0
    np.testing.assert_array_equal(here.velocities, there.velocities)
    np.testing.assert_allclose(
        here.configuration.positions, there.configuration.positions, atol=ROUNDING
    )


def test_slices_of_a_run_do_not_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = after(liquid("kob-andersen"))
    monkeypatch.setattr("amorphace.simulate.lammps_engine.record_steps", lambda steps: 7)
    pieces = after(liquid("kob-andersen"))
    np.testing.assert_array_equal(whole.configuration.positions, pieces.configuration.positions)


def test_a_refused_command_is_shown_with_the_last_lines_of_the_log() -> None:
    with (
        LammpsEngine(KA, liquid("kob-andersen").configuration) as engine,
        pytest.raises(SimulationError) as caught,
    ):
        engine.commands(["fix f all nonsense"])
    text = str(caught.value)
    assert "\n" not in text
    assert "LAMMPS stopped at 'fix f all nonsense'" in text
    assert "Unrecognized fix style 'nonsense'" in text
    assert "the last lines of its log: " in text


def test_lost_particles_are_an_error() -> None:
    fast = State(liquid("kob-andersen").configuration, liquid("kob-andersen").velocities * 1e5)
    with pytest.raises(SimulationError, match=r"LAMMPS stopped at 'run .*ost atoms|not a number"):
        after(fast)


def test_missing_lammps_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    free_idle()
    monkeypatch.setitem(sys.modules, "lammps", None)
    with pytest.raises(SimulationError, match=r"^LAMMPS is not installed.*amorphace\[sim\]$"):
        LammpsEngine(KA, liquid("kob-andersen").configuration)


def test_a_command_that_does_not_exist_is_named() -> None:
    with pytest.raises(
        SimulationError, match=r"'no-such-lmp -v' cannot be started \(No such file.*leave it out"
    ):
        after(liquid("kob-andersen"), engine=open_lammps("no-such-lmp -v"))


def test_an_empty_command_is_refused() -> None:
    with pytest.raises(InputError, match="command is empty; give for example 'mpiexec -n 8 lmp'"):
        after(liquid("kob-andersen"), engine=open_lammps(""))


def test_a_failing_command_is_shown_with_its_last_lines() -> None:
    with pytest.raises(SimulationError, match=r"stopped with exit status 3.*: no licence$"):
        after(liquid("kob-andersen"), engine=open_lammps(["sh", "-c", "echo no licence; exit 3"]))


def test_an_error_of_the_command_shows_the_log(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="Unrecognized pair style 'nonsense'"):
        run_command(None, ["units lj", "pair_style nonsense"], tmp_path)


def test_the_command_lmp_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr("amorphace.simulate.command.metadata.files", lambda name: [])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulationError, match=r"lmp of LAMMPS was not found; .*amorphace\[sim\]"):
        command_of_wheel()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_of_one_line() -> None:
    with pytest.raises(SimulationError, match="cannot write /dev/full: No space left on device"):
        write_data(Path("/dev/full"), KA, liquid("kob-andersen").configuration)


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """A file system of so many bytes on which runs write their files."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param}", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


DATA = 65_536
"""Bytes that hold the files a run of 250 particles starts from but not its end as well."""


@pytest.mark.parametrize("small_disk", [16_384], indirect=True)
@pytest.mark.parametrize("command", [None, "wheel"])
def test_a_disk_too_small_for_the_data_is_an_error_of_one_line(
    small_disk: Path, command: str | None
) -> None:
    with pytest.raises(SetupError, match=r"cannot write .*start\.data: No space left on device; "):
        after(liquid("kob-andersen"), engine=open_lammps(command and command_of_wheel()))
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("small_disk", [DATA], indirect=True)
def test_a_disk_too_small_for_the_end_of_a_run_is_an_error_of_one_line(small_disk: Path) -> None:
    with pytest.raises(SetupError, match=r"the disk of .* is full; free some room there"):
        after(liquid("kob-andersen"), engine=open_lammps(command_of_wheel()))
    assert list(small_disk.iterdir()) == []


WHOLE = """\
ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp pp
0 5
0 5
0 5
ITEM: ATOMS id x y z ix iy iz vx vy vz
1 1 1 1 0 0 0 0 0 0
2 2 2 2 0 0 0 0 0 1.25
"""


@pytest.mark.parametrize("length", [None, 0, 50, 150, len(WHOLE) - 12, len(WHOLE) - 3])
def test_a_file_of_a_run_that_is_missing_or_cut_is_no_physics(
    tmp_path: Path, length: int | None
) -> None:
    """Not an error of the simulation, whose units would be dropped for good."""
    end, like = tmp_path / "end.dump", liquid("kob-andersen")
    pair = Configuration(positions=np.eye(3)[:2], species="A", cell=5.0)
    two = State(pair, like.velocities[:2])
    if length is not None:
        end.write_text(WHOLE[:length])
    with pytest.raises(FileFormatError, match=r"end\.dump.*run again") as error:
        read_end(end, two)
    assert not isinstance(error.value, SimulationError)
    end.write_text(WHOLE)
    assert read_end(end, two).velocities[1, 2] == 1.25


@pytest.mark.parametrize("log", ["", "Step Temp\n0 1\n", "Step Temp\n0 1 x 2 3 4\nLoop time\n"])
def test_a_log_without_a_whole_run_is_no_physics(tmp_path: Path, log: str) -> None:
    with pytest.raises(FileFormatError, match=r"log.lammps: the log of LAMMPS holds no whole run"):
        read_thermo(tmp_path / "log.lammps", log)


LISTENERS = """
import hashlib, os, sys
sys.path.insert(0, sys.argv[1])
from simulate_samples import liquid
from amorphace.simulate import MODELS, Stage, run_stage
stage = Stage(name="free", ensemble="nve", duration=0.2)
*_, chunk = run_stage(MODELS["kob-andersen"], liquid("kob-andersen"), stage, seed=7)
links = {os.path.realpath(f"/proc/self/fd/{f}") for f in os.listdir("/proc/self/fd")}
rows = [line.split() for t in ("tcp", "tcp6") for line in open(f"/proc/self/net/{t}")]
LISTEN = "0A"
print(sum(r[3] == LISTEN and any(f"socket:[{r[9]}]" in x for x in links) for r in rows))
print(hashlib.sha256(chunk.state.configuration.positions.tobytes()).hexdigest())
"""


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="needs /proc")
def test_lammps_opens_no_port_and_gives_the_same_bytes_as_with_one() -> None:
    found = []
    for way in ({}, {"UCX_TLS": "all"}):
        environment = {k: v for k, v in os.environ.items() if k != "UCX_TLS"} | way
        words = [sys.executable, "-c", LISTENERS, str(Path(__file__).parent)]
        done = subprocess.run(
            words, env=environment, check=True, capture_output=True, text=True, timeout=120
        )
        found.append(done.stdout.split())
    (ports, ours), (_, theirs) = found
    assert ports == "0"
    assert ours == theirs


def test_no_room_for_the_files_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/no/such/folder")
    free_idle()
    with pytest.raises(SimulationError, match=r"no folder for LAMMPS' files.*TMPDIR"):
        after(liquid("kob-andersen"))


def instances(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What LAMMPS is started from here on, each instance once."""
    started: list[object] = []
    start = Instance.__init__
    monkeypatch.setattr(Instance, "__init__", lambda self: started.append(self) or start(self))
    free_idle()
    return started


@pytest.mark.parametrize("name", MODELS)
def test_frame_after_frame_runs_in_one_instance_and_gives_the_same_bytes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, ends = instances(monkeypatch), []
    for fresh in (False, True):
        before, state = len(started), liquid(name)
        for k in range(4):
            if fresh:
                free_idle()
            stage = Stage(name="frame", ensemble="nvt", duration=0.1, start=0.7)
            *_, chunk = run_stage(MODELS[name], state, stage, seed=k)
            state = chunk.state
        ends.append(state)
        assert len(started) - before == (4 if fresh else 1)
    one, two = ends
    assert one.configuration.positions.tobytes() == two.configuration.positions.tobytes()
    assert one.velocities.tobytes() == two.velocities.tobytes()


def test_an_instance_forgets_the_model_that_was_in_it() -> None:
    """Chains of a polymer, bonds and a tilted box before, and then a mixture."""
    ends = []
    for busy in (True, False):
        free_idle()
        if busy:
            melt = liquid("bead-spring").configuration
            with LammpsEngine(MODELS["bead-spring"], melt, sheared=True) as engine:
                engine.commands(["fix move all nve", "run 3", "min_style cg"])
        ends.append(after(liquid("kob-andersen")))
    assert ends[0].velocities.tobytes() == ends[1].velocities.tobytes()


def test_files_of_a_run_are_where_they_are_wanted_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instance left by an earlier run has its folder elsewhere: it is not taken."""
    after(liquid("kob-andersen"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with LammpsEngine(KA, liquid("kob-andersen").configuration):
        assert [p.name.startswith("amorphace-") for p in tmp_path.iterdir()] == [True]
    free_idle()


def test_two_engines_at_once_have_an_instance_each(monkeypatch: pytest.MonkeyPatch) -> None:
    started, c = instances(monkeypatch), liquid("kob-andersen").configuration
    with LammpsEngine(KA, c) as one, LammpsEngine(MODELS["wahnstrom"], c) as two:
        for engine in (one, two):
            engine.commands(["run 0"])
        assert one.thermo("pe") != two.thermo("pe")
    assert len(started) == 2


def test_an_engine_that_fails_leaves_no_instance_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started, c = instances(monkeypatch), liquid("kob-andersen").configuration
    with pytest.raises(SimulationError), LammpsEngine(KA, c) as engine:
        engine.commands(["no such command"])
    with LammpsEngine(KA, c) as engine:
        engine.commands(["run 0"])
    assert len(started) == 2


def test_closing_leaves_no_files_behind() -> None:
    engine = LammpsEngine(KA, liquid("kob-andersen").configuration)
    folder = engine._instance.log.parent
    assert (folder / "log.lammps").exists()
    engine.close()
    assert not folder.exists()
    engine.close()


def test_a_process_leaves_no_files_behind(tmp_path: Path) -> None:
    words = [sys.executable, "-W", "error", "-c", LEAVES, str(Path(__file__).parent)]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.glob("amorphace-*"))


LEAVES = """
import sys
sys.path.insert(0, sys.argv[1])
from simulate_samples import hot
hot("kob-andersen")
"""


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_command_and_its_children_do_not_outlive_a_killed_process(tmp_path: Path) -> None:
    lmp = tmp_path / "lmp"
    lmp.write_text("#!/bin/sh\nsleep 600 &\necho $$ $! > started\nmv started pids\nwait\n")
    lmp.chmod(0o755)
    code = "import sys, pathlib; from amorphace.simulate import run_command\n"
    code += "run_command(sys.argv[1:2], ['units lj'], pathlib.Path(sys.argv[2]))"
    with subprocess.Popen([sys.executable, "-c", code, str(lmp), str(tmp_path)]) as parent:
        await_true((tmp_path / "pids").exists, 30.0)
        pids = [int(p) for p in (tmp_path / "pids").read_text().split()]
        assert len(pids) == 2
        assert all(map(alive, pids))
        parent.kill()
    await_true(lambda: not any(map(alive, pids)), 2.0)


def await_true(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} seconds"
        time.sleep(0.01)


def test_children_of_a_finished_command_are_ended(tmp_path: Path) -> None:
    script = "sleep 600 > /dev/null 2>&1 & echo $! > pid; exit 3"
    with pytest.raises(SimulationError, match="exit status 3"):
        run_command(["sh", "-c", script], [], tmp_path)
    pid = int((tmp_path / "pid").read_text())
    await_true(lambda: not alive(pid), 2.0)


@pytest.mark.parametrize("command", [None, "wheel"])
def test_an_interrupt_ends_a_long_run_soon(command: str | None) -> None:
    long = Stage(name="long", ensemble="nve", duration=10_000.0)
    timer = threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT))
    begin = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        after(liquid("kob-andersen"), long, engine=open_lammps(command and command_of_wheel()))
    assert time.monotonic() - begin < 8.0  # the run itself takes ten minutes
