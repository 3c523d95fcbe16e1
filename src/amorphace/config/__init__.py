"""Experiment files: TOML comes in, a checked `Experiment` goes out; presets of the paper's cases.

Whatever stands in a file and could only make a unit fail later is refused here, with its key. Texts
of presets explain every key. It knows no units, and decides neither what is done nor where.
"""

from amorphace.config.experiment import Experiment, read_experiment
from amorphace.config.models import model_of
from amorphace.config.own import OwnExperiment, OwnGlass
from amorphace.config.presets import PROTOCOLS, SCALES, experiment_text

__all__ = [
    "PROTOCOLS",
    "SCALES",
    "Experiment",
    "OwnExperiment",
    "OwnGlass",
    "experiment_text",
    "model_of",
    "read_experiment",
]
