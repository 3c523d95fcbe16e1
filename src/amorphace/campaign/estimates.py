"""What units cost before they run: seconds on one core, bytes on disk."""

from __future__ import annotations

from amorphace.campaign.devices import device_of
from amorphace.config import Experiment
from amorphace.simulate.dynamics import step_count
from amorphace.simulate.preparation import preparation_steps

RATES = {"kob-andersen": 1.5e6, "wahnstrom": 1.3e6, "bead-spring": 3.0e6}
"""Atom-steps a second on one core; other models count as Kob-Andersen's."""
STRAIN_STEP = {"kob-andersen": 6e-5, "wahnstrom": 1.2e-4, "bead-spring": 1.3e-4}
"""Seconds of a quasistatic step, for each particle; other models count as Wahnstrom's."""
LARGER_STEP = 0.5
"""Power of its strain with which the time of a step grows: three times for ten times the strain."""
EVALUATIONS, STRAIN_EVALUATIONS = 1500, 130
"""Evaluations of a minimisation from a liquid, and of a strain step of 5e-5."""
MINIMISATION = 1e-3
"""Seconds of a minimisation from a liquid, for each particle."""
OBSERVATION = 2e-5
"""Seconds of D2min of one configuration, for each particle."""
FITS = 60.0
"""Seconds of the analysis."""
TAUS = 5.0
"""Relaxation times that the longest stage of a preparation is taken to last."""
EVENT_STEPS = 0.05
"""Share of strain steps in which something happens."""
FEATURE = 4e-9
"""Seconds for each feature of a site (benchmarks/results/kernel.json)."""
WRITTEN = 1.5e-9
"""Seconds for each byte that is written and given a digest."""
PARTICLE = 56
"""Bytes of a particle in a configuration: position, species, id, and room for more."""
VECTOR = 24
"""Bytes of a position."""
SMALL = 10_000
"""Bytes of meta.json and short arrays."""
ANALYSIS = 5_000_000
"""Bytes of an analysis."""


def _moving(experiment: Experiment, steps: float, together: int) -> float:
    """Seconds of so many time steps of a system, of which so many are ready at a time."""
    model, n, run = experiment.glass(), experiment.preparation.n_particles, experiment.run
    if run.engine == "batch":
        device = device_of(run)
        pace = device.mixed if run.precision == "mixed" else device.double
        return steps * pace.seconds(n, together)
    return steps * n / RATES.get(model.name, RATES["kob-andersen"])


def _evaluating(experiment: Experiment, evaluations: float, together: int) -> float:
    """Seconds of so many evaluations of forces in minimisations by the batch."""
    minima = device_of(experiment.run).minima
    return evaluations * minima.seconds(experiment.preparation.n_particles, together)


def preparing(experiment: Experiment) -> float:
    """Seconds to prepare a sample."""
    steps = preparation_steps(experiment.glass(), experiment.how_prepared())
    return _moving(experiment, steps, experiment.preparation.n_samples)


def minimising(experiment: Experiment, together: int) -> float:
    """Seconds of a minimisation from a liquid."""
    if experiment.run.engine == "batch":
        return _evaluating(experiment, EVALUATIONS, together)
    return MINIMISATION * experiment.preparation.n_particles


def running(experiment: Experiment) -> float:
    """Seconds of a run over the lag."""
    model, given, thermal = experiment.glass(), experiment.preparation, experiment.thermal
    guess = max(given.quench_time, given.hold_nvt, given.hold_npt) / TAUS
    lag = guess if thermal is None or thermal.lag == "tau_alpha" else thermal.lag
    runs = given.n_samples * (1 if thermal is None else thermal.replicas)
    return _moving(experiment, step_count(model, lag), runs)


def shearing(experiment: Experiment) -> float:
    """Seconds to shear a sample."""
    step = STRAIN_STEP.get(experiment.glass().name, STRAIN_STEP["wahnstrom"])
    protocol = experiment.how_sheared()
    growth = abs(protocol.increment_of(1) / protocol.increment) ** LARGER_STEP
    steps = protocol.last_step + (growth - 1) * protocol.first_step
    if experiment.run.engine == "batch":
        many = experiment.preparation.n_samples
        return _evaluating(experiment, steps * STRAIN_EVALUATIONS, many)
    return steps * experiment.preparation.n_particles * step


def configurations(n: int, count: int = 1) -> int:
    """Bytes of a unit that keeps so many configurations of n particles."""
    return SMALL + PARTICLE * n * count


def table_sites(experiment: Experiment) -> float:
    """Sites of the labelled table."""
    samples, n = experiment.preparation.n_samples, experiment.preparation.n_particles
    majority = experiment.glass().counts(n)[0]
    if experiment.shear is None:
        return 2 * experiment.label.fraction * majority * samples
    protocol = experiment.how_sheared()
    steps = EVENT_STEPS * (protocol.last_step - protocol.first_step)
    return 2 * steps * samples * min(experiment.shear.largest_event, majority) / 10
