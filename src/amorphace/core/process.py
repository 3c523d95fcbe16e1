"""Who a process is, so that nobody takes a living one for dead, nor a new one for an old one."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

PROC = Path("/proc")
UNKNOWN = "unknown"
DIGITS = 12
"""Hexadecimal digits of a machine's digest in a stamp."""


@dataclass(frozen=True)
class Process:
    """A process, told from every other one."""

    host: str
    """Machine, and the name space of its process numbers: containers that share a machine, and
    often its name, see other process numbers."""
    pid: int
    start: str
    """When it began, as its system says it: process numbers come again."""

    @property
    def here(self) -> bool:
        """Whether its number can be looked up by this process."""
        return self.host == machine()

    @property
    def lives(self) -> bool:
        """Whether it runs; for a process that is `here`."""
        return process_start(self.pid) in (self.start, UNKNOWN)

    @property
    def stamp(self) -> str:
        """For the name of a file that it writes: no two processes have the same one."""
        return f"{_digest(self.host)}-{self.pid}-{_digest(self.start)}"


def this_process() -> Process:
    """Who this process is."""
    return Process(machine(), os.getpid(), process_start(os.getpid()))


def left_by_the_dead(stamp: str) -> bool:
    """Whether a stamp is of a process that could be looked up here and runs no more."""
    host, pid, start, *_ = [*stamp.split("-"), "", "", ""]
    if host != _digest(machine()) or not pid.isdigit():
        return False
    now = process_start(int(pid))
    return now != UNKNOWN and _digest(now) != start


def machine() -> str:
    """Name of this machine and of its space of process numbers."""
    try:
        space = os.readlink(PROC / "self" / "ns" / "pid")
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}".strip()


def process_start(pid: int) -> str:
    """When a process of this machine began; empty if it does not run, `UNKNOWN` if it is hidden."""
    if (PROC / "self" / "stat").exists():
        try:
            # the name of the program, in parentheses, may hold spaces
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return UNKNOWN if _hidden(pid) else ""
        return "" if fields[0] in "ZX" else fields[19]
    try:
        found = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return UNKNOWN
    return found.stdout.strip()


def _hidden(pid: int) -> bool:
    """Whether a process of someone else runs, which /proc may not show."""
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError) as error:
        return isinstance(error, PermissionError)
    return False


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:DIGITS]


def processor_name() -> str:
    """What the system calls the processor; its architecture where it does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
