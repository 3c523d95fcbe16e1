"""Simulations under kill -9 at random: nothing is lost, nothing done twice, no byte changes."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from amorphace.runs.store import Store

from campaign_samples import SHEAR, THERMAL, amorphace, carried_out, contents, plan_of
from runs_samples import children_of, until

pytestmark = pytest.mark.slow

SMALL = {
    "thermal": THERMAL.format(n=250, melt=15.0, lag=10.0),
    "shear": SHEAR.format(step=5e-4, n=200, melt=10.0, strain=0.1, largest=70),
}
KILLS = 24
FINISHED = r"^.{19}  (\w+ of [^:]+): .*\([\d.]+ (?:s|min|h)\)$"
"""Lines of a store's log that tell of a unit which a program saw finished."""


def waits(chance: random.Random) -> float:
    """Seconds to the next kill: mostly short ones; some are longer than between two checkpoints."""
    return chance.uniform(11.0, 14.0) if chance.random() < 0.15 else chance.uniform(0.1, 4.0)


def kill(shard: subprocess.Popen[str], chance: random.Random) -> str:
    """kill -9 of a driver, of one of its workers, or of all of them."""
    workers = [p for p in children_of(shard.pid) if p != shard.pid]
    victim = chance.choice(["driver", "worker", "both"])
    if victim == "worker" and workers:
        os.kill(chance.choice(workers), signal.SIGKILL)
        return victim
    if victim == "driver":
        shard.kill()
        return victim
    os.killpg(shard.pid, signal.SIGKILL)
    return "both"


def under_fire(
    folder: Path, protocol: str, most: int, chance: random.Random
) -> tuple[Store, str, int]:
    """Two shards on a store, killed and begun again; then a last run that is let alone.

    Returns the store, who was killed ("d" a driver, "w" a worker, "b" both), and how many units
    were finished before the last run.
    """
    file, plan = plan_of(folder, SMALL[protocol])
    store, killed = Store(folder / "a.store"), ""
    shards: dict[int, subprocess.Popen[str]] = {}
    begun: list[subprocess.Popen[str]] = []
    while len(killed) < most and len(store.finished()) < len(plan.units):
        for k in (1, 2):
            if k not in shards or shards[k].poll() is not None:
                shards[k] = amorphace("run", file, "--shard", f"{k}/2", "--workers", 1)
                begun.append(shards[k])
        time.sleep(waits(chance))
        living = [s for s in shards.values() if s.poll() is None]
        if living:
            killed += kill(chance.choice(living), chance)[0]
    for shard in shards.values():
        if shard.poll() is None:
            os.killpg(shard.pid, signal.SIGKILL)
            killed += "b"
    made = len(store.finished())
    with amorphace("run", file, "--workers", 2) as last:
        out, _ = last.communicate(timeout=900)
    assert last.returncode == 0, out
    for shard in begun:
        shard.communicate(timeout=60)
    until(lambda: not [p for run in (last, *begun) for p in children_of(run.pid)])
    print(f"{protocol}: {len(killed)} kills ({killed}), {made} units finished meanwhile")
    return store, killed, made


@pytest.mark.parametrize("protocol", SMALL)
def test_simulations_lose_nothing_to_kills_at_random(tmp_path, protocol):
    """Where an experiment ends before it was killed often enough, it is begun anew."""
    _, plan = plan_of(tmp_path / "whole", SMALL[protocol])
    whole = Store(tmp_path / "whole" / "a.store")
    carried_out(plan, whole)
    chance, kills, made, lost, again = random.Random(5), 0, 0, 0, 0
    while kills < KILLS:
        folder = tmp_path / f"after {kills}"
        store, killed, finished = under_fire(folder, protocol, KILLS - kills, chance)
        assert killed
        kills, made = kills + len(killed), made + finished
        lost += len({u.id for u in plan.units} - store.finished())
        ends = Counter(re.findall(FINISHED, (store.path / "log.txt").read_text(), re.M))
        again += sum(times > 1 for times in ends.values())
        assert ends
        assert contents(store) == contents(whole)
        assert not any((store.path / "work").iterdir())
        assert not (store.path / "tmp").exists() or not any((store.path / "tmp").iterdir())
        assert not [p for p in store.path.rglob("*") if ".partial-" in p.name]
    print(f"{protocol}: {kills} kills, {len(plan.units)} units, {lost} lost, {again} written twice")
    assert made
    assert not lost
    assert not again
