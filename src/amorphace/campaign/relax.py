"""relax, lag: Fs(q, t) of every sample in two windows, and the time for which replicas run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from amorphace.campaign.health import checked, health_entry, numbers_of
from amorphace.campaign.prepare import Prepare
from amorphace.campaign.simulated import Engines, Simulated
from amorphace.campaign.stretch import Stretch, ignore, run_stretch
from amorphace.core.errors import InputError
from amorphace.core.records import write_record
from amorphace.observe.relaxation import relaxation_time, self_intermediate_scattering
from amorphace.runs.job import Job
from amorphace.runs.unit import Cores, Dropped, Kind, Outcome, Role
from amorphace.simulate.dynamics import Stage, step_count
from amorphace.simulate.engine import OpenMover
from amorphace.simulate.health import Health
from amorphace.simulate.lammps_engine import LammpsEngine
from amorphace.simulate.measures import aging
from amorphace.simulate.models import GlassModel
from amorphace.simulate.state import State
from amorphace.simulate.thermal import geometric_times

FIRST_TIME = 0.1
"""First time of Fs, in units of time of the model."""
BELOW = 0.3
"""Fs at which a window ends: a little below 1/e, so that the crossing is inside."""


@dataclass(frozen=True, kw_only=True)
class RelaxParameters:
    """Parameters of `Relax`; without a lag it is found by Fs."""

    model: GlassModel
    lag: float | None
    longest_lag: float
    wavenumber: float


@dataclass(frozen=True)
class RelaxResults:
    """Small results of `Relax`: tau_alpha of each window and of both; None: not reached."""

    tau_early: float | None
    tau_late: float | None
    tau: float | None
    n_majority: int


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Fs(q, t) of two windows, all arrays of shape (n_times,)."""

    times: NDArray[np.float64]
    fs_early: NDArray[np.float64]
    fs_late: NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """A window of a run, frame by frame: times, Fs, and the mean energy since the last frame."""

    times: tuple[float, ...] = ()
    fs: tuple[float, ...] = ()
    energy: tuple[float, ...] = ()

    def with_frame(self, time: float, fs: float, energy: float) -> Window:
        """The window and one more frame."""
        return Window((*self.times, time), (*self.fs, fs), (*self.energy, energy))


@dataclass(frozen=True, eq=False)
class Relaxation:
    """How far a run at constant energy has come.

    Attributes
    ----------
    stretch : Stretch
        From the last frame to the next.
    origin : ndarray of shape (n, 3)
        Positions at the beginning of the last window.
    windows : tuple of Window
        The last one is under way.
    """

    stretch: Stretch
    origin: NDArray[np.float64]
    windows: tuple[Window, ...]


def relax(
    model: GlassModel,
    start: State,
    *,
    wavenumber: float,
    longest_lag: float,
    lag: float | None = None,
    engine: OpenMover = LammpsEngine,
    found: Relaxation | None = None,
    keep: Callable[[Relaxation], object] = ignore,
    report: Callable[[float, float, str], object] = ignore,
) -> Relaxation:
    """Fs(q, t) of the majority species in two windows, one after the other.

    A window ends when the lag has passed, or, where the lag is to be measured, when Fs is below
    `BELOW`; the second one is as long as the first.

    Parameters
    ----------
    model : GlassModel
    start : State
    wavenumber : float
        In units of 1/sigma.
    longest_lag : float
        The longest window where the lag is to be measured.
    lag : float, optional
    engine : callable
        Opens who moves the particles (`OpenMover`).
    found : Relaxation, optional
        What `keep` was given by an earlier run.
    keep, report : callable
        Called after every piece: where it stands; time steps done, in all, and in words.

    Raises
    ------
    Dropped
        If Fs does not fall to 1/e within the longest lag.
    SimulationError
        If a simulation fails.
    """
    majority = start.configuration.species == model.species[0]
    longest = lag or longest_lag
    grid, total = times_of_fs(longest), step_count(model, 2 * longest)
    run = found or Relaxation(Stretch(start), start.configuration.positions, (Window(),))
    while True:
        first, window = len(run.windows) == 1, run.windows[-1]
        times = grid if first else run.windows[0].times
        frame = len(window.times)
        decayed = first and lag is None and bool(window.fs) and window.fs[-1] < BELOW
        if decayed or frame == len(times):
            if not first:
                return run
            if lag is None and not decayed:
                raise Dropped(
                    f"Fs is {window.fs[-1]:.2f} after {longest:g}, above 1/e: the liquid is "
                    "slower than thermal.longest_lag allows"
                )
            here = run.stretch.state.configuration.positions
            run = Relaxation(run.stretch, here, (*run.windows, Window()))
            continue
        gap = times[frame] - (times[frame - 1] if frame else 0.0)
        before = step_count(model, (not first) * longest + times[frame] - gap)
        steps = step_count(model, gap)
        text = f"window {len(run.windows)}: t = {times[frame]:.1f}"
        text += f", Fs = {window.fs[-1]:.2f}" if window.fs else ""
        state, record = run_stretch(
            model,
            run.stretch,
            Stage(name="relax", ensemble="nve", duration=gap),
            seed=0,
            engine=engine,
            keep=lambda stretch, run=run: keep(replace(run, stretch=stretch)),
            report=lambda share, before=before, steps=steps, text=text: report(
                before + share * steps, total, text
            ),
        )
        now = state.configuration
        (fs,) = self_intermediate_scattering(
            now.replace(positions=run.origin), [now], wavenumber, where=majority, unwrapped=True
        )
        window = window.with_frame(times[frame], float(fs), float(record.total.mean()))
        run = Relaxation(Stretch(state), run.origin, (*run.windows[:-1], window))
        keep(run)


def times_of_fs(longest: float) -> tuple[float, ...]:
    """Times of Fs: geometric, and the end."""
    times: list[float] = []
    for t in geometric_times(min(FIRST_TIME, longest), ratio=1.2):
        if t >= longest * 0.999:
            break
        times.append(t)
    return (*times, longest)


class Relax(Simulated[RelaxParameters, Relaxed]):
    """Relaxation of a sample."""

    name = "relax"
    parameters = RelaxParameters
    results = RelaxResults
    record = Relaxed
    inputs: ClassVar = {"start": Role()}
    cores = Cores.COMMAND

    def simulate(self, job: Job[RelaxParameters], engines: Engines) -> Outcome:
        """See `relax`."""
        p = job.parameters
        start = job.input("start").load(Prepare).state
        n = len(start.configuration)
        run = relax(
            p.model.with_file(job.store.file),
            start,
            wavenumber=p.wavenumber,
            longest_lag=p.longest_lag,
            lag=p.lag,
            engine=engines.mover,
            found=job.resume(Relaxation, lambda r: r.origin.shape == (n, 3)),
            keep=lambda run: job.checkpoint(lambda: run),
            report=job.report,
        )
        times, early, late = (
            np.array(x) for x in (run.windows[0].times, *(w.fs for w in run.windows))
        )
        weights = np.diff(times, prepend=0.0)
        first, second = (np.average(w.energy, weights=weights) for w in run.windows)
        drift = abs(float(second - first))
        health = health_entry("relax", Health(energy_drift=drift, aging=aging(early, late)))
        write_record(job.folder, Relaxed(times, early, late))
        results = RelaxResults(
            tau_early=_tau(times, early),
            tau_late=_tau(times, late),
            tau=_tau(times, (early + late) / 2),
            n_majority=int((start.configuration.species == p.model.species[0]).sum()),
        )
        return checked(results, health)

    def sentence(self, outcome: Outcome) -> str:
        """tau_alpha and aging."""
        r: RelaxResults = outcome.results
        tau = "not reached" if r.tau is None else f"{r.tau:.1f}"
        return f"tau_alpha {tau}, aging {numbers_of(outcome).get('aging', 0):.3f}"


def _tau(times: NDArray[np.float64], fs: NDArray[np.float64]) -> float | None:
    try:
        return relaxation_time(times, fs)
    except InputError:
        return None


@dataclass(frozen=True, kw_only=True)
class LagParameters:
    """Parameters of `Lag`."""

    model: GlassModel


@dataclass(frozen=True)
class LagResults:
    """Small results of `Lag`: the lag, and tau_alpha of each sample that it is the median of."""

    lag: float
    tau: tuple[float, ...]


class Lag(Kind[LagParameters, Any]):
    """The median tau_alpha of the sound samples, a whole number of time steps."""

    name = "lag"
    parameters = LagParameters
    results = LagResults
    inputs: ClassVar = {"relax": Role(some=True)}

    def do(self, job: Job[LagParameters]) -> Outcome:
        """The median."""
        found = [i.results for i in job.inputs("relax") if not i.dropped]
        taus = [r["tau"] or r["tau_early"] for r in found]
        taus = [tau for tau in taus if tau is not None]
        if not taus:
            raise Dropped("tau_alpha could not be measured in any sample")
        model = job.parameters.model
        lag = step_count(model, float(np.median(taus))) * model.timestep
        return Outcome(results=LagResults(lag, tuple(taus)))

    def sentence(self, outcome: Outcome) -> str:
        """The lag."""
        r: LagResults = outcome.results
        return f"{r.lag:.1f} from {len(r.tau)} samples"
