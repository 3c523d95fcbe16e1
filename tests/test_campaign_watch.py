"""`amorphace status --watch` beside an experiment that goes on: on a terminal, and in a pipe."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from amorphace.campaign.plan import make_plan
from amorphace.config import read_experiment
from amorphace.runs.store import Store

from campaign_samples import QUICK, amorphace, carried_out
from runs_samples import until

pytestmark = pytest.mark.slow


class Terminal:
    """`amorphace status --watch` on a pseudo-terminal, and what it has shown."""

    def __init__(self, file: Path) -> None:
        ours, theirs = pty.openpty()
        self._ours, self._shown = ours, bytearray()
        words = [Path(sys.executable).with_name("amorphace"), "status", str(file), "--watch"]
        self.process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "50"},
        )  # fmt: skip
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._ours, 65536)
            except OSError:  # as Linux says that the other end is closed
                return
            if not piece:
                return
            self._shown += piece

    @property
    def shown(self) -> str:
        """The text, without the codes of colours and places."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._shown.decode(errors="replace"))

    def end(self, seconds: float = 60.0) -> int:
        status = self.process.wait(seconds)
        self._reader.join(10)
        os.close(self._ours)
        return status


@pytest.fixture
def begun(tmp_path) -> tuple[Path, Store]:
    """An experiment whose store is there, and nothing in it."""
    file = tmp_path / "a.toml"
    file.write_text(QUICK["shear"])
    return file, Store(tmp_path / "a.store")


def test_it_shows_the_progress_of_a_run_and_ends_with_it(begun):
    file, store = begun
    total = len(make_plan(read_experiment(file)).units)
    screen = Terminal(file)
    until(lambda: re.search(r"prepare +│? *0 +│? *3", screen.shown.replace("|", "│")), 30)
    assert screen.process.poll() is None
    with (
        amorphace("run", file, "--workers", 2) as run,
        amorphace("status", file, "--watch") as piped,
    ):
        out, _ = run.communicate(timeout=300)
        assert run.returncode == 0, out
        lines, _ = piped.communicate(timeout=60)
    assert screen.end() == 0
    assert "Traceback" not in screen.shown
    assert re.search(r"prepare +━+ +[123]/3", screen.shown)
    assert re.search(r"shear +━+ +[123]/3", screen.shown)
    assert "learn" in screen.shown.rpartition("unit")[2]
    assert piped.returncode == 0
    counts = [int(n) for n in re.findall(rf"^(\d+) of {total} units, about ", lines, re.M)]
    assert counts == sorted(counts)
    assert len(set(counts)) > 2
    assert counts[-1] == total == len(store.finished())


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_ctrl_c_ends_it_without_an_error(begun, terminal):
    file, _ = begun
    if terminal:
        screen = Terminal(file)
        until(lambda: "prepare" in screen.shown, 30)
        time.sleep(0.5)
        screen.process.send_signal(signal.SIGINT)
        status, shown = screen.end(), screen.shown
    else:
        with amorphace("status", file, "--watch") as piped:
            assert piped.stdout is not None
            first = piped.stdout.readline()
            piped.send_signal(signal.SIGINT)
            rest, _ = piped.communicate(timeout=30)
        status, shown = piped.returncode, first + rest
        assert re.match(r"0 of \d+ units, about ", first)
    assert status == 0
    assert "Traceback" not in shown


def test_it_ends_at_once_when_all_is_done(begun):
    file, store = begun
    carried_out(make_plan(read_experiment(file)), store)
    begin = time.monotonic()
    screen = Terminal(file)
    assert screen.end() == 0
    assert time.monotonic() - begin < 20
    assert re.search(r"learn +━+ +1/1", screen.shown)
